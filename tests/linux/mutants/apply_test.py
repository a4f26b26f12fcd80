#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""apply: edits stay in the tree of links, whatever was linked before; the kernel's is only read.

Usage: apply_test.py
"""
import importlib.machinery
import importlib.util
import os
import sys
import tempfile
import unittest

loader = importlib.machinery.SourceFileLoader(
    'apply', os.path.join(os.path.dirname(os.path.abspath(__file__)), 'apply'))
edits = importlib.util.module_from_spec(importlib.util.spec_from_loader('apply', loader))
sys.dont_write_bytecode = True
loader.exec_module(edits)

ONE, TWO = 'kvm/mmu/one.c', 'kvm/vmx/two.c'


class Apply(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.tree, self.out = self.dir.name + '/tree', self.dir.name + '/out'
        for path in (ONE, TWO):
            os.makedirs(os.path.dirname(os.path.join(self.tree, path)))
            self.write(self.tree, path, 'as it was\n')

    def tearDown(self):
        self.dir.cleanup()

    def write(self, root, path, text):
        with open(os.path.join(root, path), 'w') as f:
            f.write(text)

    def read(self, root, path):
        with open(os.path.join(root, path)) as f:
            return f.read()

    def test_the_tree_is_only_read(self):
        edits.link_tree(self.tree, self.out, ONE)	# links kvm/vmx whole
        edits.put(self.out, ONE, 'edited\n')
        edits.link_tree(self.tree, self.out, TWO)
        edits.put(self.out, TWO, 'edited\n')
        for path in (ONE, TWO):
            self.assertEqual(self.read(self.tree, path), 'as it was\n')
            self.assertEqual(self.read(self.out, path), 'edited\n')

    def test_not_through_a_link(self):
        edits.link_tree(self.tree, self.out, ONE)
        with self.assertRaises(ValueError):
            edits.put(self.out, TWO, 'edited\n')
        self.assertEqual(self.read(self.tree, TWO), 'as it was\n')

    def test_a_place_must_be_one(self):
        mutant = {'file': ONE, 'function': 'f', 'find': 'lock', 'replace': ''}
        text = 'static int f(int a)\n{\n\tlock(a);\n}\n'
        self.assertNotIn('lock', edits.edit(text, mutant))
        for bad in ('', text.replace('lock', 'x'), text.replace('lock(a)', 'lock(lock(a))')):
            with self.assertRaises(ValueError):
                edits.edit(bad, mutant)


if __name__ == '__main__':
    unittest.main()
