#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""septsim differ: finds nothing between equals, and what broken code does otherwise.

Usage: differ.py SEPTSIM SOURCE_ROOT
"""
import glob
import os
import re
import subprocess
import sys
import tempfile
import unittest

SEPTSIM = ROOT = ''


def differ(*args, code=0):
    done = subprocess.run([SEPTSIM, 'differ', *args], capture_output=True, text=True, timeout=240)
    if done.returncode != code:
        raise AssertionError(f'{args}: status {done.returncode}\n{done.stdout}{done.stderr}')
    return re.sub(r'\s+', ' ', done.stdout)


class Differ(unittest.TestCase):
    def test_equals(self):
        out = differ('--scripts', '150')
        self.assertIn('0 differ, 0 not playable', out)
        n, ops, events, same = (int(x) for x in re.match(
            r'(\d+) scripts, (\d+) operations, (\d+) events compared: (\d+) the same', out).groups())
        self.assertEqual((n, same), (150, 150))	# each is played to its end
        self.assertGreater(ops, 24 * n)
        self.assertGreater(events, 100 * n)
        self.assertEqual(out, differ('--scripts', '150', '-j', '1'))

    def test_others(self):
        out = differ('--scripts', '30', '--variant', 'no-freeze', code=1)
        self.assertIn('own: mirror[0x0]@512G: NONPRESENT -> FROZEN; other: mirror[0x0]@512G: '
                      'NONPRESENT -> TABLE (script-', out)
        races = sorted(glob.glob(ROOT + '/scenarios/races/a07*.scn'))
        self.assertIn('exit 48; other: nothing more (a07-block-vs-zero-step v7.2)',
                      differ('--variant', 'no-kick', *races, code=1))

    def test_known(self):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, 'known')
            with open(path, 'w') as f:
                f.write('# all of them\nown: .*; other: \ta test says so\n')
            out = differ('--scripts', '30', '--variant', 'no-freeze', '--known', path)
            self.assertIn('a test says so', out)
            self.assertRegex(out, r'^.* 30 scripts, .* 0 differ, \d+ as is documented, 0 not playable')
            with open(path, 'w') as f:
                f.write('no reason\n')
            differ('--scripts', '1', '--known', path, code=2)

    def test_written_scripts_are_scenarios(self):
        with tempfile.TemporaryDirectory() as d:
            differ('--scripts', '5', '--write', d)
            files = glob.glob(d + '/*.scn')
            self.assertEqual(len(files), 5)
            subprocess.run([SEPTSIM, 'check', *files], check=True, capture_output=True)

    def test_nonsense(self):
        differ(code=2)
        differ('--scripts', '-1', code=2)
        differ('--scripts', '1', '--ops', '0', code=2)
        differ('/no/such/file.scn', code=2)


class Leaves(unittest.TestCase):
    """--leaves FILE: what is right is taken, what is wrong is told with its place."""

    def leaves(self, text, code):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, 'leaves')
            with open(path, 'w') as f:
                f.write(text)
            done = subprocess.run(
                [SEPTSIM, 'run', '-q', '--leaves', path, ROOT + '/scenarios/races/a02-'
                 'parallel-fault-frozen.scn'], capture_output=True, text=True)
            self.assertEqual(done.returncode, code, done.stderr)
            return done.stderr

    def test_good(self):
        self.leaves('# a comment\n0x90 TDH.MEM.ADD2 like TDH.MEM.PAGE.ADD\n'
                    '0x91 TDH.FOO tdr=rdx TDR shared, SEPT_TREE exclusive -> SUCCESS\n'
                    '0x92 TDH.BAR -> OPERAND_INVALID # no locks\n', 0)

    def test_bad(self):
        for text, what in (('x TDH.A -> SUCCESS', ':1: error: a leaf\'s number'),
                           ('\n6 TDH.A -> SUCCESS', ':2: error: 6 is TDH.MEM.PAGE.AUG already'),
                           ('0x90 foo -> SUCCESS', 'a name TDH.... is wanted'),
                           ('0x90 TDH.A like TDH.NO', 'no leaf TDH.NO'),
                           ('0x90 TDH.A -> NOPE', 'no status NOPE'),
                           ('0x90 TDH.A FOO shared -> SUCCESS', 'no lock FOO'),
                           ('0x90 TDH.A TDR often -> SUCCESS', 'shared or exclusive'),
                           ('0x90 TDH.A TDR shared', 'the line ends in -> STATUS')):
            with self.subTest(text):
                self.assertIn(what, self.leaves(text + '\n', 2))


class Kernel(unittest.TestCase):
    """What needs no tree: how it fails."""

    def kernel(self, *args, code):
        done = subprocess.run([SEPTSIM, 'kernel', *args], capture_output=True, text=True)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr

    def test_no_tree(self):
        with tempfile.TemporaryDirectory() as d:
            self.assertIn('has no Makefile: no tree of Linux',
                          self.kernel('--source', ROOT, d, code=125))
            self.assertIn('is no source of septsim', self.kernel('--source', d, d, code=125))

    def test_nonsense(self):
        self.kernel(code=2)
        self.kernel('--series', 'a', '--range', 'b', 'c', code=2)
        self.kernel('--time', '-1', 'c', code=2)


if __name__ == '__main__':
    SEPTSIM, ROOT = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
