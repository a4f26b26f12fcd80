#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Run one lint: lint.py RULE ROOT [ARG...]. Prints FILE:LINE: what, ends with 1 if any."""
import sys

sys.dont_write_bytecode = True

import covered
import csource
import objects
import one_step
import raw_access
import rooms
import rules


def races_registered(root, names):
    """Every scenarios/races/*.scn is a test (the list is made when the build is configured)."""
    have = {n for n in csource.files(root, '.scn') if n.startswith('scenarios/races/')}
    for n in sorted(have ^ {f'scenarios/races/{x}.scn' for x in names}):
        yield n, 0, 'not among the tests as they were configured: meson setup --reconfigure'


RULES = {
    'one-step': lambda root, args: one_step.check(root),
    'raw-access': lambda root, args: raw_access.check(root),
    'floating-point': lambda root, args: rules.floating_point(root),
    'includes': lambda root, args: rules.includes(root),
    'spdx': lambda root, args: rules.spdx(root),
    'machine-paths': lambda root, args: rules.machine_paths(root),
    'versions-named': lambda root, args: rules.versions_named(root),
    'kernel-rooms': lambda root, args: rooms.check(root),
    'costs-charged': lambda root, args: rules.costs_charged(root),
    'races-registered': races_registered,
    'checks-covered': lambda root, args: covered.check(root),
    'statics': lambda root, args: objects.statics(args),
    'float-code': lambda root, args: objects.floating_point(args),
}


def main(rule, root, *args):
    count = 0
    for path, line, what in RULES[rule](root, args):
        print(f'{path}:{line}: {what}' if line else f'{path}: {what}')
        count += 1
    if count:
        sys.exit(f'{rule}: {count} found')


if __name__ == '__main__':
    main(*sys.argv[1:])
