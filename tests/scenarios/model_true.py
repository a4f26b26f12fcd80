#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The fidelity table of docs/model.md says what `septsim conform` (and calls*.c) runs and agrees with.

model_true.py SEPTSIM ROOT [--put]; --put writes the table's numbers into docs/model.md.
"""
import collections
import csv
import glob
import json
import os
import re
import subprocess
import sys

septsim, root = map(os.path.abspath, sys.argv[1:3])
doc = os.path.join(root, 'docs/model.md')
vectors = sorted(glob.glob('tests/vectors/*.jsonl', root_dir=root)) + [
    'tests/vectors/lock_vectors.csv', 'tests/vectors/sept_states.csv']
done = json.loads(subprocess.run([septsim, 'conform', '--json', '--jobs', '1', *vectors], cwd=root,
                                 text=True, stdout=subprocess.PIPE, check=False).stdout)
ran, agreed, results = collections.Counter(), collections.Counter(), collections.Counter()
for total in done['totals']:
    ran[total['flow']] += total['ran']
    agreed[total['flow']] += total['agreed']
    results[total['flow']] += 1

ROW = re.compile(r'^\| (TD\S+) \| ([\w/.]+\.c) \| .*\|$')


# Calls that only unit tests play, which fail on the first that differs (calls.c, calls_more.c)
leaf_names = {(i['guest'], i['leaf']): i['name'] for i in json.loads(subprocess.run(
    [septsim, 'list', 'seamcalls', '--json'], text=True, stdout=subprocess.PIPE,
    check=True).stdout)['items'] if ' ' not in i['name']}
calls, answers = collections.Counter(), collections.defaultdict(set)
for table in 'build_calls.csv', 'more_calls.csv':
    with open(os.path.join(root, 'tests/vectors', table), newline='') as f:
        for row in csv.DictReader(line for line in f if not line.startswith('#')):
            kind = row.get('kind') or row['what']
            if kind in ('call', 'seam', 'tdcall', 'tdexit'):
                name = leaf_names.get((kind.startswith('td'), int(row['rax'], 16) & ~0xff0000))
                if name:
                    calls[name] += 1
                    answers[name].add(row['out_rax'])


def numbers(flow):
    other = flow + ' || ...'
    if not ran[flow]:
        return '%d | %d | - | all' % (calls[flow], len(answers[flow]))
    n, good = ran[flow] + ran[other], agreed[flow] + agreed[other]
    return '%d | %d | %d | %s' % (ran[flow], results[flow], ran[other],
                                  'all' if good == n else '%d of %d' % (good, n))


with open(doc) as f:
    old = f.read()
lines, seen = [], set()
for line in old.split('\n'):
    row = ROW.match(line)
    if row:
        seen.add(row.group(1))
        line = '| %s | %s | %s |' % (row.group(1), row.group(2), numbers(row.group(1)))
    elif line.startswith('| flow | source |'):
        line = '| flow | source | operations | results | interleavings | agreed |'
    lines.append(line)
locks = sum(ran[k] for k in ('mutex', 'sharex', 'sharex_hp', 'sept'))
new = re.sub(r'Besides: \d+ rows of lock primitives, \d+ S-EPT states\.',
             'Besides: %d rows of lock primitives, %d S-EPT states.' % (locks, ran['S-EPT state']),
             '\n'.join(lines)).replace(
                 '|\n| --- | --- | --- | --- | --- |\n| TD.', '|\n| --- | --- | --- | --- | --- | --- |\n| TD.')
missing = {flow for flow in {*ran, *calls} if flow.startswith('TD') and '||' not in flow} - seen
if missing:
    sys.exit('docs/model.md: no row of the fidelity table for ' + ' '.join(sorted(missing)))
if sys.argv[3:] == ['--put']:
    with open(doc, 'w') as f:
        f.write(new)
elif new != old:
    sys.exit('docs/model.md: the fidelity table is not what conform says: run model_true.py --put')
