#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Each switch of a newer module changes something that can be seen: a recorded answer, what a
leaf locks or returns, or a scenario's verdict. One that changes nothing is dead.

Usage: switches.py SEPTSIM SOURCE_ROOT
"""
import json
import os
import subprocess
import sys

septsim, root = map(os.path.abspath, sys.argv[1:3])
VECTORS = ['tests/vectors/interleave_vectors.jsonl', 'tests/vectors/seamcall_vectors.jsonl']
# No single leaf shows it: two must meet, or an IOMMU be there.
SCENARIOS = {'S3': ('1.5.34', 'scenarios/races/r3-zero-step-pending.scn'),
             'S12': ('2.0.18', 'tests/scenarios/play/connect.scn')}


def run(*args):
    return subprocess.run([septsim, *args], cwd=root, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=300)


def leaves(tdx, *args):
    items = json.loads(run('list', 'seamcalls', '--json', '--tdx', tdx, *args).stdout)['items']
    return {i['name']: (i['locks'], i['digest']) for i in items}


def changed_leaves(a, b):
    return sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))


def verdicts(tdx, path):
    done = json.loads(run('run', '--json', '--tdx', tdx, path).stdout or '{"cases": []}')
    return [(c['as_expected'], c['end'], [v['id'] for v in c['violations']]) for c in done['cases']]


base = leaves('1.5.01')
dead = []
names = [i['name'] for i in json.loads(run('list', 'variants', 'tdx', '--json').stdout)['items']]
assert names == ['S%d' % n for n in range(1, 11)] + ['S10b', 'S11', 'S12'], names
for name in names:
    if name == 'S11':
        found = 'leaves: ' + ' '.join(changed_leaves(leaves('1.5.34'),
                                                     leaves('1.5.34', '--variant', 'dpamt')))
    elif name in SCENARIOS:
        version, path = SCENARIOS[name]
        a, b = verdicts(version, path), verdicts(version + '-' + name, path)
        found = 'verdicts of ' + path if a and a != b else ''
    else:
        tdx = '1.5.01+' + name
        differs = json.loads(run('conform', '--json', '--jobs', '1', '--tdx', tdx,
                                 *VECTORS).stdout)['differences']
        which = changed_leaves(base, leaves(tdx))
        found = '; '.join((['%d recorded fields' % len(differs)] if differs else []) +
                          (['leaves: ' + ' '.join(which)] if which else []))
    print('%-5s %s' % (name, found or 'NOTHING'))
    if not found:
        dead.append(name)
if dead:
    sys.exit('dead switches: ' + ' '.join(dead))
