#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Races between plain accesses: a mark taken away is found, data_race() is not.

Usage: data_race.py SEPTSIM TREE BUILD_DIR SOURCE_ROOT

Each mutant is built in BUILD_DIR and asked random programs.
"""
import os
import re
import subprocess
import sys
import unittest

SEPTSIM = TREE = BUILD = ROOT = ''
PLACE = r'in \w+\(\)( of \w+)? at (arch/x86|virt)/\S+\.[ch]:\d+'


def call(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f'{command[0]} failed:\n' + (done.stdout + done.stderr)[-4000:])


def built(mutant, tree, where, root):
    """A septsim with that mutant of the tree, the one of before built anew."""
    out, build = os.path.join(where, 'tree-' + mutant), os.path.join(where, 'build')
    call(root + '/tests/linux/mutants/apply', mutant, tree, out)
    if os.path.exists(build + '/build.ninja'):
        call('meson', 'configure', build, '-Dlinux_tree=' + out)
    else:
        call('meson', 'setup', build, root, '-Dlinux_tree=' + out, '-Dtests=disabled')
    call('ninja', '-C', build, 'sim/cli/septsim')
    return build + '/sim/cli/septsim'


class DataRace(unittest.TestCase):
    def campaign(self, mutant, code):
        done = subprocess.run([built(mutant, TREE, BUILD, ROOT), 'campaign', '--kvm', 'linux', '--first',
                               '--only', 'random', '--programs', '40', '--executions', '150',
                               ROOT + '/scenarios/races/a01-zap-map-desync.scn'],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return re.sub(r'\s+', ' ', done.stdout)

    def race(self, mutant, what):
        out = self.campaign(mutant, 1)
        self.assertRegex(out, rf'data-race {what}.* plain load {PLACE}, marked store {PLACE}')

    def test_gate(self):
        self.race('gate-read-plain', 'wait_for_sept_zap')

    def test_entry(self):
        self.race('spte-read-plain', r'(mirror|direct)\[0x[0-9a-f]+\]')

    def known(self, case):
        done = subprocess.run([SEPTSIM, 'run', '--kvm', 'linux', ROOT + '/tests/linux/known-race.scn'],
                              capture_output=True, text=True)
        block = [b for b in done.stdout.split('\n\n') if b.startswith(case + ' ')]
        self.assertEqual(len(block), 1, done.stdout + done.stderr)
        self.assertRegex(block[0], r'(?m)^  as expected$')

    def test_known_together(self):
        self.known('together')

    def test_known_apart(self):
        self.known('apart')

    def test_known_forbidden(self):
        self.known('forbidden')

    def test_data_race(self):
        self.campaign('equivalent-gate-data-race', 0)


if __name__ == '__main__':
    SEPTSIM, TREE, BUILD, ROOT = sys.argv[1:5]
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]])
