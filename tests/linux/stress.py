#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""`stress --kvm linux` on cases whose threads meet often: what breaks there is the tree's.

Real threads meet differently each time, so a rule may break or not. What must not happen is what
would be the fault of what stands around the tree: a crash, a thread that hangs, a rule that breaks
in a case whose own kernel keeps it. Under ThreadSanitizer a race is such a fault, too, unless both
sides of it are code of the tree.
"""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

# What an outsider in the case, or a race that a case is about, breaks on the project's own KVM, too
KNOWN = {
    'b09': ['kvm-bug'],
    'b10': ['kvm-bug', 'unsynchronized-seamcall'],
    'c08': ['kvm-bug'],
    'g16': ['kvm-warn'],
}
CASES = ('a01', 'a02', 'a07', 'a08', 'a11', 'b01', 'b02', 'b04', 'b05', 'b07', 'b08', 'b09', 'b10', 'c01',
         'c02', 'c04', 'c05', 'c07', 'c08', 'g01', 'g02', 'g03', 'g06', 'g12', 'g14', 'g16', 'h01',
         'h03', 'h05')
# Of the two stacks of a race what is only the way of an access to the runtime
WAY = re.compile(r'(mem_(atomic|effect)|door|word_at|world_atomic|memset|memcpy|memmove|tsan_\w+|'
                 r'ksim_(read|write|rmw|plain_load|plain_store|fill|copy)|(atomic|refcount)\w*)$')
STACK = re.compile(r'\n  (?:Previous )?(?:atomic )?(?:read|write) of size [^\n]*\n((?:    #[^\n]*\n)+)',
                   re.I)
# These write in place of a file of the tree
IMITATES = re.compile(r'/glue_(x86|run|vmx)\.c')


def place(stack):
    """Where the access of a stack is, and whether that is the tree."""
    for func, file in re.findall(r'#\d+ (\S+) (\S+)', stack):
        if not WAY.match(func):
            return f'{func} {file.split("../")[-1]}', '/farm/' in file or bool(IMITATES.search(file))
    return '?', False


def races(text):
    """Those that are not between two accesses of the tree; how many are."""
    bad, tree = [], 0
    for report in text.split('WARNING: ThreadSanitizer: ')[1:]:
        sides = [place(s) for s in STACK.findall(report)[:2]]
        if len(sides) == 2 and all(s[1] for s in sides):
            tree += 1
        else:
            bad.append('race: ' + ' | '.join(s[0] for s in sides) + '\n' + report[:3000])
    return bad, tree


def faults(case, known):
    """What is wrong with the result of one case."""
    name = f'{case["scenario"]} {case["case"]}'
    if case['end'] == 'refused':
        return [] if case['why'] else [f'{name}: refused, and no reason']
    if case['end'] in ('fault', 'limit'):
        return [f'{name}: {case["end"]}: {case["why"]}']
    bad = [f'{name}: {v["id"]} {v["where"]}: {v["text"]}' for v in case['violations']
           if not v['tolerated'] and v['id'] not in known]
    if not case['backend'].startswith('linux '):
        bad.append(f'{name}: backend {case["backend"]}')
    if not case['counters'].get('rounds'):
        bad.append(f'{name}: no round')
    return bad


def main(septsim, seconds, *files):
    """Each file on its own; the exit status is the worst of its cases, 2 where one is refused."""
    bad, played, refused, tree = [], 0, 0, 0
    os.environ['TSAN_OPTIONS'] = 'exitcode=0'
    for f in files:
        short = Path(f).name[:3]
        if Path(f).parent.name == 'races' and short not in CASES:
            continue
        p = subprocess.run([septsim, 'stress', '--kvm', 'linux', '--json', '--time', seconds, f],
                           capture_output=True, text=True)
        mine, n = races(p.stderr)
        tree += n
        try:
            cases = json.loads(p.stdout)['cases']
        except ValueError:
            bad.append(f'{f}: exit status {p.returncode}: {p.stderr[-2000:]}')
            continue
        for c in cases:
            mine += faults(c, KNOWN.get(short, ()))
        some = sum(c['end'] == 'refused' for c in cases)
        if some and p.returncode < 2:
            mine.append(f'{f}: {some} cases are refused, and the exit status is {p.returncode}')
        refused += some
        played += len(cases) - some
        bad += mine
    print('\n'.join(bad) or f'{played} cases held, {refused} refused with a reason' +
          (f'; {tree} races inside the tree' if tree else ''))
    return bool(bad) or not played


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
