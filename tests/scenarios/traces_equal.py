#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The traces of each scenario are the same bytes, whoever built the program and ran it.

Usage: traces_equal.py SEPTSIM SCENARIO...
SEPTSIM_PEERS holds the commands of other builds (compilers, optimisations, sanitizers,
machines), separated by colons. Each plays each scenario on both carriers.
"""
import os
import shlex
import subprocess
import sys
import tempfile

CARRIERS = ('fiber', 'pthread')


def trace(command, carrier, scenario, path):
    """The bytes of the trace. What the verdict is, is another test's business."""
    done = subprocess.run([*command, 'run', '--quiet', '--carrier', carrier, '--trace', path,
                           scenario], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f'{shlex.join(command)} --carrier {carrier} {scenario}: '
                 f'status {done.returncode}\n{done.stderr}')
    with open(path, 'rb') as f:
        return f.read()


def first_difference(a, b):
    for n, (x, y) in enumerate(zip(a.split(b'\n'), b.split(b'\n')), start=1):
        if x != y:
            return f'line {n}:\n  {x.decode()[:200]}\n  {y.decode()[:200]}'
    return 'one ends before the other'


def main(septsim, *scenarios):
    peers = [shlex.split(p) for p in os.environ.get('SEPTSIM_PEERS', '').split(':') if p]
    commands = [[septsim]] + [p for p in peers if p != [septsim]]
    different = compared = 0
    with tempfile.TemporaryDirectory() as where:
        path = os.path.join(where, 'trace')
        for scenario in scenarios:
            want = trace(commands[0], CARRIERS[0], scenario, path)
            if not want.strip():
                sys.exit(f'{scenario}: the trace is empty')
            for command in commands:
                for carrier in CARRIERS:
                    os.unlink(path)
                    got = trace(command, carrier, scenario, path)
                    compared += 1
                    if got != want:
                        different += 1
                        print(f'{scenario}: {shlex.join(command)} on {carrier} differs at',
                              first_difference(want, got))
    if different:
        sys.exit(f'{different} of {compared} traces differ')
    print(f'{compared} traces of {len(scenarios)} scenarios, {len(commands)} builds: equal')


if __name__ == '__main__':
    if len(sys.argv) < 3:
        sys.exit(77)  # no scenario yet: skipped
    main(*sys.argv[1:])
