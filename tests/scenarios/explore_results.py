#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What `septsim explore` finds in the races from their init lines and operations alone.

explore_results.py SEPTSIM ROOT [SECONDS]: search each case of scenarios/races/ that expects a
rule to break, for so long (default 20), and print docs/explore-results.md. Bounded searches come
first (-p 1, 2, 3), as a race wants few switches; then all interleavings.
"""
import json
import os
import subprocess
import sys

septsim, root = map(os.path.abspath, sys.argv[1:3])
seconds = sys.argv[3] if len(sys.argv) > 3 else '20'
races = os.path.join(root, 'scenarios', 'races')
TRIES = (['-p', '1'], ['-p', '2'], ['-p', '3'], [])
FAILS = ('violation ', 'deadlock', 'livelock', 'starvation')


def explore(path, *args):
    done = subprocess.run([septsim, 'explore', '--json', '-t', seconds, *args, path], cwd=root,
                          capture_output=True, text=True)
    return json.loads(done.stdout)['cases'] if done.stdout.startswith('{') else []


def wanted(case):
    return [e['text'] for e in case['expects'] if e['text'].startswith(FAILS)]


def row(path, case):
    """Search one case until it is found; None if nothing of it is for a search."""
    loops = any(w.startswith(('livelock', 'starvation')) for w in wanted(case))
    tried = {}
    for args in ([[]] if loops else TRIES):
        found = explore(path, '--case', case['case'], *args) if case['case'] else \
            explore(path, *args)
        if not found:
            return None
        tried = found[0]
        if tried['as_expected']:
            v = tried['violations'][0] if tried['violations'] else {}
            return ('found', ' '.join(args) or 'all', v.get('execution', ''),
                    tried['host']['nanoseconds'] / 1e9, v.get('switches', ''), v.get('steps', ''))
    return ('not found', 'all', tried.get('executions', ''),
            tried['host']['nanoseconds'] / 1e9, '', '')


print('''# What `septsim explore` finds without a schedule

Written by `tests/scenarios/explore_results.py SEPTSIM ROOT`: each case of `scenarios/races/` that
expects a rule to break, searched from its init lines and operations alone, without its schedule,
with 1, 2 and 3 switches and then in all interleavings, for at most %s seconds each. Seconds are
of the search that found it, on the machine that wrote this (2 processors, shared).

| scenario | case | expects | | search | execution | seconds | switches | steps |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |''' % seconds)
total = hits = 0
for name in sorted(os.listdir(races)):
    path = os.path.join(races, name)
    for case in explore(path, '--states', '1'):
        if not wanted(case):
            continue
        got = row(path, case)
        if not got:
            continue
        total += 1
        hits += got[0] == 'found'
        print('| %s | %s | %s | %s | %s | %s | %.2f | %s | %s |' %
              (case['scenario'], case['case'], '; '.join(wanted(case)), *got))
        sys.stdout.flush()
print('\n%u of %u found.' % (hits, total))
