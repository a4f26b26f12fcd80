#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What `septsim explore` finds in the races from their init lines and operations alone.

explore_results.py SEPTSIM ROOT [SECONDS [NAME...]]: search each case of scenarios/races/ (or of
the files named) that expects a rule to break, as a plain `septsim explore` does, for at most so
long (default 60), and print docs/explore-results.md. Exits 1 if one is not found.
"""
import json
import os
import subprocess
import sys

septsim, root = map(os.path.abspath, sys.argv[1:3])
seconds = sys.argv[3] if len(sys.argv) > 3 else '60'
races = os.path.join(root, 'scenarios', 'races')
names = sys.argv[4:] or sorted(n[:-4] for n in os.listdir(races) if n.endswith('.scn'))
CONTROL = '20'  # seconds
FAILS = ('violation ', 'deadlock', 'livelock', 'starvation')


def explore(path, *args):
    done = subprocess.run([septsim, 'explore', '--json', *args, path], cwd=root,
                          capture_output=True, text=True)
    return json.loads(done.stdout)['cases'] if done.stdout.startswith('{') else []


def wanted(case):
    return [e for e in case['expects'] if e['text'].startswith(FAILS)]


def ids(expect):
    """What the expect names: ('zap-lost', '0x10'), ('livelock', '')."""
    words = expect['text'].split()
    if words[0] == 'violation':
        words = words[1:]
    return words[0], ' '.join(words[1:])


def found(case, expect):
    """The violation that @expect names; None if it was not found."""
    check, where = ids(expect)
    for v in case['violations']:
        if v['id'] == check and (v['where'] == where or not where or check == 'livelock'):
            return v
    return None


def row(case):
    wants = [found(case, e) for e in wanted(case)]
    met = [v for v in wants if v]
    # What the case tolerates ends no way: it was met if the expect holds.
    good = bool(met) and all(v or e['judged'] == 'holds' for v, e in zip(wants, wanted(case)))
    last = max(met, key=lambda v: v['execution']) if good else None
    others = sorted({v['id'] for v in case['violations'] if v not in met})
    if not good:
        return ['**no**', case['executions'] + case['before'],
                '%.2f' % (case['host']['nanoseconds'] / 1e9), '', '', ', '.join(others)]
    return ['yes', last['execution'], '%.2f' % (last['host']['nanoseconds'] / 1e9),
            last['switches'], last['steps'], ', '.join(others)]


print('''# What `septsim explore` finds without a schedule

Written by `tests/scenarios/explore_results.py SEPTSIM ROOT`: each case of `scenarios/races/` that
expects a rule to break, searched from its init lines and operations alone, without its schedule,
by a plain `septsim explore` of at most %s seconds. *Execution* is how many had been begun when
it was met, *seconds* how long that took on the machine that wrote this (2 processors, shared by
others); *switches* and *steps* are those of the shortest way to it that is known. *Also* is what
else was found by then: a mutant may break more than the rule that its case is about.

| scenario | case | expects | found | execution | seconds | switches | steps | also |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |''' % seconds)
total = hits = 0
controls = []
for name in names:
    path = os.path.join(races, name + '.scn')
    for plain in explore(path, '--states', '1'):
        if any(e['text'].startswith('explore ') for e in plain['expects']):
            controls.append((plain['scenario'], plain['case']))
        if not wanted(plain):
            continue
        case = explore(path, '-t', seconds, *(['--case', plain['case']] if plain['case'] else []))
        cells = row(case[0])
        total += 1
        hits += cells[0] == 'yes'
        print('| %s | %s | %s | %s |' % (
            plain['scenario'], plain['case'], '; '.join(e['text'] for e in wanted(plain)),
            ' | '.join(map(str, cells))))
        sys.stdout.flush()
print("""
%u of %u found.

`g05` wants another to come in one of four thousand rounds of a walk, the one behind the seventh read
of the root's entry (step 17,985 of 19,633, `--replay` of its rows says), with the walker first: the
search with one switch anywhere finds it.

## What is not found where nothing is broken

The cases of the same files that say so (`expect explore`), searched in the same way and for livelocks
too, for %s seconds. In the cases of `f05` that are named `lets-go` the lock that stays busy is let go as
soon as the kick is answered, so that the shipped code does not go round for ever. (In its other cases
the holder never lets go, and it does.)

| scenario | case | result | executions |
| --- | --- | --- | --- |""" % (hits, total, CONTROL))
clean = True
for scenario, name in controls:
    case = explore(os.path.join(races, scenario + '.scn'), '-t', CONTROL, '--livelock', '--case',
                   name)[0]
    clean = clean and case['as_expected']
    print('| %s | %s | %s | %s |' % (
        scenario, name, case['result'] if case['as_expected'] else '**broken**',
        case['executions'] + case['before']))
sys.exit(hits != total or not clean)
