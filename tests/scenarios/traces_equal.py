#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The traces of each scenario are the same bytes, whoever built the program and ran it.

Usage: traces_equal.py SEPTSIM SCENARIO...
SEPTSIM_PEERS holds the commands of other builds (compilers, optimisations, sanitizers,
machines), separated by colons. Each plays each scenario on fibers: on both
carriers it does so in its own run of this test.
"""
import concurrent.futures
import os
import shlex
import subprocess
import sys
import tempfile

CARRIERS = ('fiber', 'pthread')


def trace(command, carrier, scenario):
    """The bytes of the trace. What the verdict is, is another test's business."""
    with tempfile.TemporaryDirectory() as where:
        path = os.path.join(where, 'trace')
        done = subprocess.run([*command, 'run', '--quiet', '--carrier', carrier, '--trace', path,
                               scenario], capture_output=True, text=True)
        if done.returncode not in (0, 1) or not os.path.exists(path):
            raise RuntimeError(f'{shlex.join(command)} --carrier {carrier} {scenario}: '
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
    runs = [(command, carrier) for command in commands for carrier in CARRIERS
            if command is commands[0] or carrier == CARRIERS[0]]
    different = compared = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = {s: [pool.submit(trace, *run, s) for run in runs] for s in scenarios}
        for scenario, results in tasks.items():
            want = results[0].result()
            if not want.strip():
                sys.exit(f'{scenario}: the trace is empty')
            for (command, carrier), result in zip(runs[1:], results[1:]):
                compared += 1
                if result.result() != want:
                    different += 1
                    print(f'{scenario}: {shlex.join(command)} on {carrier} differs at',
                          first_difference(want, result.result()))
    if different:
        sys.exit(f'{different} of {compared} traces differ')
    print(f'{compared} traces of {len(scenarios)} scenarios, {len(commands)} builds: equal')


if __name__ == '__main__':
    if len(sys.argv) < 3:
        sys.exit(77)  # no scenario yet: skipped
    main(*sys.argv[1:])
