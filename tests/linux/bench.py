#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Benchmarks of a kernel tree beside the project's own KVM of its version.

Each workload plays, under a tree's name, and twice gives the same bytes. Where nobody meets
anybody, so that no count hangs on times, the tree calls, kicks, exits and pays what own does;
elsewhere it does the same things about as often. Plain steps are each one's own.

Usage: bench.py SEPTSIM SOURCE_ROOT
"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

SEPTSIM = ROOT = ''
# Counts there hang on no time: of the others, threads meet as they come.
ALONE = {'boot-accept', 'faults-distinct', 'faults-shared', 'migrate', 'shutdown',
         'swiotlb-convert busy', 'swiotlb-convert idle', 'two-packages'}
# What steps cost, and how often a loop goes round while others are at work
STEPS = re.compile(r'charge (l1-hit|l3-hit|dram-remote|line-|cmpxchg-owned|rmw-owned|pause|keyhole-)|'
                   r'count (retries|guest-insns)|(hold|wait) ')


def bench(*args, code=0):
    done = subprocess.run([SEPTSIM, 'bench', '--quiet', '--seeds', '1', '--max-seeds', '1', *args],
                          capture_output=True, text=True)
    if done.returncode != code:
        raise AssertionError(f'{args}: status {done.returncode}\n{done.stdout}{done.stderr}')
    return done


def own_version():
    """The version of the project's own KVM that is the tree's, or the last one before"""
    def ask(*args):
        return subprocess.run([SEPTSIM, *args], capture_output=True, text=True, check=True).stdout

    def number(text):
        return [int(n) for n in text.split('.')[:2]]
    tree = re.search(r'^linux (\d+\.\d+)', ask('--version'), re.M)[1]
    known = re.findall(r'^  v(\d+\.\d+) ', ask('list', 'variants'), re.M)
    return 'v' + max((k for k in known if number(k) <= number(tree)), key=number)


def times(cell):
    """How often everything happened, by name"""
    return {m['name']: m.get('count', m['sum']) for m in cell['metrics']}


def median(cell, name):
    return next((m['p50'] for m in cell['metrics'] if m['name'] == name), 0)


class Bench(unittest.TestCase):
    def alone(self, name, own, tree):
        a, b = times(own), times(tree)
        for key in sorted(a.keys() | b.keys()):
            if not STEPS.match(key):
                self.assertEqual(a.get(key, 0), b.get(key, 0), f'{name}: {key}')
        for key in ('fault', 'zap', 'stall', 'convert'):
            if median(own, key):
                ratio = median(tree, key) / median(own, key)
                # The tree reads the generation of the memslots in each fault, own when it wants it
                self.assertTrue(0.9 < ratio < 1.2, f'{name}: {key} takes {ratio:.2f} times as long')

    def meeting(self, name, own, tree):
        a, b = times(own), times(tree)
        for key in a.keys() | b.keys():
            if re.match(r'seamcall |fault$|zap$|stall$|convert$|track$|op |count (kicks|seamcalls)|'
                        r'charge (kvm-zap-code|page-clflush)', key):
                n, m = a.get(key, 0), b.get(key, 0)
                self.assertLessEqual(max(n, m), 4 * min(n, m) + 16, f'{name}: {key}: {n}, {m}')

    def test_beside_own(self):
        args = ['--kvm', 'own,linux', '--variant', 'kvm=' + own_version(), '--json',
                *sorted(glob.glob(ROOT + '/scenarios/bench/*.scn'))]
        text = bench(*args, '--jobs', '1').stdout
        self.assertEqual(text, bench(*args, '--jobs', '2').stdout)
        report = json.loads(text)
        self.assertRegex(report['tree'], r'^linux \d+\.\d+')
        self.assertIs(report['plain-accesses-are-steps'], True)
        cells = report['cells']
        self.assertGreater(len(cells), 140)
        for own, tree in zip(cells[::2], cells[1::2]):
            name = f"{own['scenario']} {own['case']}".strip()
            self.assertEqual((own['backend'], tree['backend']), ('own', report['tree']))
            self.assertEqual([own[k] for k in ('scenario', 'case', 'point')],
                             [tree[k] for k in ('scenario', 'case', 'point')])
            self.assertEqual((own['broken'], tree['broken']), ([], []))
            where = f"{name} {own['point']}"
            (self.alone if name in ALONE else self.meeting)(where, own, tree)

    def test_reports_name_the_tree(self):
        path = ROOT + '/scenarios/bench/migrate.scn'
        with tempfile.TemporaryDirectory() as there:
            csv, html = there + '/x.csv', there + '/x.html'
            text = ' '.join(bench('--kvm', 'linux', '--csv', csv, '--html', html, '-D', 'vcpus=1',
                                  '--cost-level', 'all', path).stdout.split())
            tree = re.search(r'backend (linux [\d.]+)', text)[1]
            self.assertIn(f'{tree}/high', text)
            self.assertIn('plain accesses of words with a name are steps', text)
            with open(csv) as f:
                rows = f.read().splitlines()
            self.assertTrue(rows[0].endswith(',backend'))
            self.assertTrue(rows[1:] and all(r.endswith(',' + tree) for r in rows[1:]))
            with open(html) as f:
                page = f.read()
            self.assertIn('<h1>What a kernel tree costs</h1>', page)
            self.assertEqual(page.lower().count('backend ' + tree), 2)

    def test_what_a_tree_has_not(self):
        path = ROOT + '/scenarios/bench/migrate.scn'
        for policy in ('kick-first', 'all', 'v7.2:x=1'):
            said = bench('--kvm', 'linux', '--policy', policy, path, code=2).stderr
            self.assertIn('--kvm own,linux', said)
        both = json.loads(bench('--kvm', 'own,linux', '--policy', 'kick-first,v7.2', '--json', '-D',
                                'vcpus=1', path).stdout)
        self.assertEqual([c['policy'] for c in both['cells']], ['kick-first', 'v7.2', both['tree']])
        with tempfile.TemporaryDirectory() as there:
            some, none = there + '/some.scn', there + '/none.scn'
            head = 'td vcpus=1 memory=4M\nvariant kvm=v7.2 tdx=1.5.34\nguest vCPU0\n    accept 0+4\n'
            old = 'case old\n    policy v19\n'
            with open(some, 'w') as f:
                f.write(head + 'case plain\n' + old)
            with open(none, 'w') as f:
                f.write(head + old)
            done = bench('--kvm', 'linux', some)
            self.assertIn('refused: ', done.stdout)
            self.assertIn('1 cells were refused', ' '.join(done.stdout.split()))
            self.assertIn('policy v19 is not the kernel tree', done.stderr)
            self.assertIn('policy v19 is not', bench('--kvm', 'linux', none, code=2).stderr)


if __name__ == '__main__':
    SEPTSIM, ROOT = map(os.path.abspath, sys.argv[1:3])
    unittest.main(argv=sys.argv[:1])
