#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The module's locks in two model checkers: the same lock states must be reachable.

usage: compare.py STATES MODEL.pml

STATES (states.c) searches the module's own lock functions with septsim's explorer, MODEL.pml
is the same protocols in Promela, searched by spin: each atomic operation a step, each
reachable (word, refusals and hold of each actor) compared. Exit status 77 where there is no
spin or no C compiler.
"""
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

MUTEX, SHAREX, SHAREX_HP, SEPT = range(4)

# What it is, kind, actors, tries, guests, writers; must a sanity check of the module fail?
PROGRAMS = [
    ('mutex, 5 actors', MUTEX, 5, 3, 0b00000, 0b11111, False),
    ('sharex, 3 writers, 2 readers', SHAREX, 5, 3, 0b00000, 0b00111, False),
    ('sharex, 1 writer, 3 readers', SHAREX, 4, 3, 0b0000, 0b0001, False),
    ('sharex-hp, writers: 2 hosts, 2 guests', SHAREX_HP, 4, 3, 0b1100, 0b1111, False),
    ('sharex-hp, a host reader, 2 writers', SHAREX_HP, 3, 3, 0b100, 0b101, False),
    ('sharex-hp, 2 host readers, host and guest writers', SHAREX_HP, 4, 2, 0b1000, 0b1001, False),
    ('sharex-hp, a guest reader', SHAREX_HP, 4, 2, 0b1100, 0b0011, True),
    ('S-EPT entry, 2 hosts, 1 guest', SEPT, 3, 3, 0b100, 0b111, False),
    ('S-EPT entry, 3 hosts, 2 guests', SEPT, 5, 3, 0b11000, 0b11111, False),
]


def lines(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f'{shlex.join(command)}: status {done.returncode}\n{done.stdout[-2000:]}'
                 f'{done.stderr[-2000:]}')
    return {l for l in done.stdout.splitlines() if l.startswith('state ') or l == 'fatal'}


def spin_states(model, kind, n, tries, guests, writers):
    """All of them: no partial-order reduction, whose point is to leave states out."""
    with tempfile.TemporaryDirectory() as d:
        shutil.copy(model, d)
        shutil.copy(os.path.join(os.path.dirname(model), 'note.h'), d)
        values = {'KIND': kind, 'NPROC': n, 'TRIES': tries, 'GUESTS': guests, 'WRITERS': writers}
        lines('spin', '-a', *(f'-D{k}={v}' for k, v in values.items()), os.path.basename(model),
              cwd=d)
        lines('cc', '-O2', '-w', '-DSAFETY', '-DNOREDUCE', '-DMEMLIM=2000',
              *(f'-D{k}={v}' for k, v in values.items()), '-o', 'pan', 'pan.c', cwd=d)
        done = subprocess.run(['./pan', '-m1000000', '-w22', '-E'], cwd=d, capture_output=True,
                              text=True)
        if 'errors: 0' not in done.stdout or 'Search not completed' in done.stdout or \
                'max search depth too small' in done.stdout:
            sys.exit(f'pan: {done.stdout[-2000:]}{done.stderr[-2000:]}')
        stored = done.stdout.split(' states, stored')[0].split()[-1]
        return {l for l in done.stdout.splitlines()
                if l.startswith('state ') or l == 'fatal'}, int(stored)


def show(which, extra):
    for line in sorted(extra)[:5]:
        print(f'    only {which}: {line}')


def main():
    states, model = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    for tool in ('spin', 'cc'):
        if not shutil.which(tool):
            print(f'{tool} is not installed: the locks are not compared with spin\'s')
            return 77
    bad = 0
    for name, kind, n, tries, guests, writers, fatal in PROGRAMS:
        ours = lines(states, *(str(v) for v in (kind, n, tries, guests, writers)))
        # The state before any step is in no step.
        theirs, stored = spin_states(model, kind, n, tries, guests, writers)
        theirs.add('state 0000' + ' 0.0' * n)
        same = ours == theirs and ('fatal' in ours) == fatal
        print(f'{name}: {len(ours - {"fatal"})} lock states, spin {len(theirs - {"fatal"})} '
              f'(of {stored} states){", a sanity check fails" if "fatal" in ours else ""}: '
              f'{"same" if same else "NOT THE SAME"}')
        if not same:
            bad += 1
            show('explore', ours - theirs)
            show('spin', theirs - ours)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
