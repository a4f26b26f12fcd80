#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Each switch of KVM changes the verdict of some case of some scenario: taken out of a file's
variant lines, a case of it is not as expected any more. One that changes nothing is dead.

Usage: kvm_switches.py SEPTSIM SOURCE_ROOT
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

septsim, root = map(os.path.abspath, sys.argv[1:3])

def items(what):
    out = subprocess.run([septsim, 'list', what, '--json'], cwd=root, text=True,
                         stdout=subprocess.PIPE, check=True).stdout
    return [i['name'] for i in json.loads(out)['items']]


def without(text, switch):
    """The text with the switch taken out of its variant lines; None if it is in none."""
    lines, found = text.split('\n'), False
    for i, line in enumerate(lines):
        if re.match(r'\s*variant\s', line):
            cut = re.sub(r'(?<=\s)%s(?=\s|$)' % re.escape(switch), ' ' * len(switch), line)
            found |= cut != line
            lines[i] = cut
    return '\n'.join(lines) if found else None


def not_as_expected(path, text):
    # What shows with store buffers alone is searched for.
    how = ['explore', '-p', '3'] if '/memory/' in path else ['run']
    with tempfile.NamedTemporaryFile('w', suffix='.scn') as f:
        f.write(text)
        f.flush()
        done = subprocess.run([septsim, *how, '--json', f.name], cwd=root, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    if 'TSan' in done.stderr:
        return ['not searched by this build']
    cases = json.loads(done.stdout or '{"cases": []}')['cases']
    return [c['case'] for c in cases if not c['as_expected']]


files = sorted(glob.glob(root + '/scenarios/races/*.scn') +
               glob.glob(root + '/tests/scenarios/play/*.scn')) + \
    glob.glob(root + '/scenarios/memory/*.scn')
texts = {path: open(path).read() for path in files}
versions = re.compile(r'v?\d+\.\d+|tdx|kvm')
dead = []
for switch in items('variants'):
    if versions.match(switch) or switch == 'dpamt':
        continue
    found = ''
    for path in files:
        text = without(texts[path], switch)
        changed = not_as_expected(path, text) if text is not None else []
        if changed:
            found = '%s: %s' % (os.path.basename(path), ' '.join(changed))
            break
    print('%-28s %s' % (switch, found or 'NOTHING'))
    if not found:
        dead.append(switch)
if dead:
    sys.exit('dead: ' + ' '.join(dead))
