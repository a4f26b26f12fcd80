#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A tree whose code uses a bad pointer breaks a rule there; it does not take septsim with it.

Usage: oops.py SEPTSIM TREE BUILD_DIR SOURCE_ROOT

Each mutant is built in BUILD_DIR.
"""
import re
import subprocess
import sys
import unittest

from data_race import built

SEPTSIM = TREE = BUILD = ROOT = ''
C05 = '/scenarios/races/c05-migration-vs-offline.scn'


def ask(septsim, command, file):
    done = subprocess.run([septsim, command, '--kvm', 'linux', '--width', '300', ROOT + file],
                          capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


class Oops(unittest.TestCase):
    def test_fires(self):
        """A list entry is deleted twice: seen before the access, in a run and in a search."""
        septsim = built('flush-no-cpu-check', TREE, BUILD, ROOT)
        what = r'kvm-oops.*: NULL pointer dereference, address 0x108, in __list_del\(\) at include/'
        for command in 'run', 'explore':
            code, out = ask(septsim, command, C05)
            self.assertIn(code, (1, 2), out)  # 2: of its cases two are of other code
            self.assertRegex(out, what)
        self.assertIn('drawn with', out)

    def test_bitfield(self):
        """What the compiler has no hook for comes by a signal; the run and its table go on."""
        septsim = built('root-freed-immediate', TREE, BUILD, ROOT)
        code, out = ask(septsim, 'run', '/scenarios/kernel/root-freed.scn')
        self.assertEqual(code, 1, out)
        self.assertRegex(out, r'use-after-free: a pointer out of memory that was freed is used, near '
                         r'__kvm_tdp_mmu_age_gfn_range\(\) at arch/x86/kvm/mmu/tdp_mmu\.c:\d+')
        self.assertNotIn('fault of septsim', out)

    def test_silent(self):
        out = ask(SEPTSIM, 'run', C05)[1]
        self.assertRegex(out, r'(?m)^shipped .*(\n  .*)*\n  as expected$')
        self.assertNotIn('kvm-oops', out)

    def test_legal(self):
        """A fault that finds no memslot has a NULL slot, which is handed on and not used."""
        code, out = ask(SEPTSIM, 'run', '/scenarios/races/g16-noslot-fault-vs-slot-add.scn')
        self.assertTrue(re.search(r'kvm-warn', out), out)
        self.assertNotIn('kvm-oops', out)


if __name__ == '__main__':
    SEPTSIM, TREE, BUILD, ROOT = sys.argv[1:5]
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]])
