#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""septsim campaign: clean on KVM as it is, not on broken code; the same bytes each time.

Usage: campaign.py SEPTSIM SOURCE_ROOT
"""
import glob
import os
import re
import subprocess
import sys
import tempfile
import unittest

SEPTSIM = ROOT = ''


def files(*names):
    return [f for n in names for f in sorted(glob.glob(f'{ROOT}/scenarios/{n}.scn'))]


def campaign(*args, code=0):
    done = subprocess.run([SEPTSIM, 'campaign', *args], capture_output=True, text=True,
                          timeout=240)
    if done.returncode != code:
        raise AssertionError(f'{args}: status {done.returncode}\n{done.stdout}{done.stderr}')
    return done.stdout


class Campaign(unittest.TestCase):
    def test_clean_and_the_same_each_time(self):
        args = ['--programs', '8', '--executions', '30', *files('races/a02*')]
        one = campaign('-j', '1', *args)
        self.assertIn('clean, in what was played', one)
        self.assertRegex(one, r'random programs: [678] clean, 0 not')
        self.assertEqual(one, campaign('-j', '3', *args))

    def test_each_kind_finds_broken_code(self):
        for only, name, switch, what in (
                ('scenario', 'a07-*', 'no-kick', 'a07-block-vs-zero-step v7.2: kvm-bug 0x10'),
                ('schedule', 'f06-*', 'gate-before-mode', 'kvm-bug'),
                ('search', 'a02-*', 'no-freeze', 'a02-parallel-fault-frozen'),
                ('random', 'a01-*', 'no-freeze', 'random-')):
            with self.subTest(only):
                out = campaign('--only', only, '--first', '-j', '1', '--variant', switch,
                               *files('races/' + name), code=1)
                self.assertIn('NOT clean', out)
                self.assertIn(what, out)

    def test_known_hides_nothing(self):
        # The holder of f05 breaks the reference as well; what a switch breaks is behind that.
        out = campaign('--only', 'search', *files('races/f05*'))
        self.assertRegex(out, r'searches: \d+ clean, 0 not, \d+ as on the reference model')
        self.assertIn('Known, and breaks on the reference model as well:\n'
                      '  unsynchronized-seamcall: f05-kick-reenter', out)
        campaign('--only', 'search', '--variant', 'no-entry-gate', *files('races/f05*'), code=1)
        # That of b09 is what its cases say.
        out = campaign('--only', 'scenario', *files('races/b09*'))
        self.assertRegex(out, r'as the scenario says that it breaks:\n  kvm-bug: b09-prefault')

    def test_found_replays(self):
        with tempfile.TemporaryDirectory() as d:
            campaign('--only', 'search', '--variant', 'no-freeze', '--found', d,
                     *files('races/a02*'), code=1)
            found = sorted(glob.glob(d + '/*.scn'))
            self.assertTrue(found)
            for f in found:
                subprocess.run([SEPTSIM, 'run', '-q', f], check=True, capture_output=True)

    def test_summary(self):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, 's')
            campaign('--only', 'scenario', '--summary', path, *files('races/a01*'))
            with open(path) as f:
                lines = f.read().splitlines()
        self.assertEqual(lines[0].split('\t')[:2], ['septsim-campaign', '1'])
        self.assertEqual(lines[-1], 'end')
        self.assertTrue(all(re.match('item\tscenario\tgood\t', x) for x in lines[1:-1]))

    def test_nonsense(self):
        campaign(code=2)
        campaign('--only', 'nothing', *files('races/a01*'), code=2)
        campaign('/no/such/file.scn', code=2)
        campaign('--programs', '-1', *files('races/a01*'), code=2)
        campaign('--only', 'scenario', '--time', '0.000001', *files('races/a01*'), code=2)


if __name__ == '__main__':
    SEPTSIM, ROOT = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
