#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""septsim kernel: a series, a range, a bisection, leaves of a user's, trees that are too different.

Usage: series.py SEPTSIM SOURCE_ROOT TREE BUILD
BUILD is kept, so that a second run compiles little.
"""
import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import unittest
import unittest.mock

SEPTSIM = ROOT = TREE = BUILD = REPO = ''
VIRT = 'arch/x86/virt/vmx/tdx/tdx.c'
TDX = 'arch/x86/kvm/vmx/tdx.c'
MMU = 'arch/x86/kvm/mmu/tdp_mmu.c'


def mutants():
    path = ROOT + '/tests/linux/mutants/apply'
    loader = importlib.machinery.SourceFileLoader('apply', path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('apply', loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def git(*args):
    done = subprocess.run(['git', '-C', REPO, '-c', 'user.name=t', '-c', 'user.email=t@example.org',
                           *args], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f'git {args}: {done.stdout}{done.stderr}')
    return done.stdout


def copy(path):
    to = os.path.join(REPO, path)
    os.makedirs(os.path.dirname(to), exist_ok=True)
    shutil.copyfile(os.path.join(TREE, path), to)


def part_of_a_tree():
    """A repository with what a backend reads, and no more."""
    shutil.rmtree(REPO, ignore_errors=True)
    with open(ROOT + '/kvmmmu/kernel/headers.txt') as f:
        names = [line.split()[1] for line in f if line.startswith('tree ')]
    for name in names:
        for d in ('include', 'arch/x86/include', 'include/uapi', 'arch/x86/include/uapi'):
            if os.path.exists(f'{TREE}/{d}/{name}'):
                copy(f'{d}/{name}')
    copy('Makefile')
    for d in ('arch/x86/kvm', 'arch/x86/virt/vmx/tdx', 'virt/kvm', 'lib'):
        for at, _, files in os.walk(f'{TREE}/{d}'):
            if d == 'lib' and at != f'{TREE}/lib':
                continue
            for name in files:
                if name.endswith(('.c', '.h')):
                    copy(os.path.relpath(os.path.join(at, name), TREE))
    git('init', '-q')
    git('add', '-A')
    git('commit', '-qm', 'base')


def edit(path, old, new):
    with open(os.path.join(REPO, path)) as f:
        text = f.read()
    if text.count(old) != 1:
        raise AssertionError(f'{path}: {text.count(old)} times {old!r}')
    with open(os.path.join(REPO, path), 'w') as f:
        f.write(text.replace(old, new))


def commit(subject):
    git('commit', '-qam', subject)
    return git('rev-parse', 'HEAD').strip()


def break_it(name):
    m = mutants()
    mutant = m.mutants()[name]
    text = m.mutate(REPO, mutant)
    with open(os.path.join(REPO, mutant['file']), 'w') as f:
        f.write(text)


def harmless():
    edit(MMU, 'WARN_ON_ONCE(fault->pfn != spte_to_pfn(iter->old_spte));',
         'kvm_pfn_t there = spte_to_pfn(iter->old_spte);\n\n\t\tWARN_ON_ONCE(fault->pfn != there);')


def kernel(*args, code=0, tree=None, build=None):
    done = subprocess.run([SEPTSIM, 'kernel', '--source', ROOT, '--build', build or BUILD, '--only',
                           'scenario', *args, tree or REPO], capture_output=True, text=True)
    if done.returncode != code:
        raise AssertionError(f'{args}: status {done.returncode}\n{done.stdout}{done.stderr}')
    return done.stdout + done.stderr


class Series(unittest.TestCase):
    def setUp(self):
        git('checkout', '-q', '-f', '--detach', BASE)
        git('clean', '-qfd')

    def test_range(self):
        harmless()
        commit('Name what is there')
        break_it('frozen-not-restored')
        commit('Leave it frozen')
        edit(TDX, 'tdx_track(kvm);\n\n\t/*\n\t * When zapping',
             'tdx_trick(kvm);\n\n\t/*\n\t * When zapping')
        commit('Mistype')
        before = git('status', '--porcelain')
        out = kernel('--range', f'{BASE}..HEAD', code=1)
        self.assertEqual(before, git('status', '--porcelain'))
        one, two, three = re.split(r'^\d/3 .*\n', out, flags=re.M)[1:]
        self.assertIn('  no difference\n', one)
        self.assertRegex(one, MMU + r':\d+ ran \d+ times, under \d+ placements')
        self.assertIn('2 changed lines with code: 2 ran, 0 never ran', one)
        self.assertIn('broken: a03-aug-vs-zero-step v7.2: mirror-desync 0x10', two)
        self.assertIn('.found', two)
        self.assertRegex(three, r'cannot be judged: .*tdx_trick')
        self.assertRegex(three, r'3 changes: \d+ things worse, 1 not judged')

    def test_mails_and_leaves(self):
        """A patch that calls a leaf no module has: broken, unless a file says what it does."""
        edit(VIRT, '\tret = seamcall_ret(TDH_MEM_PAGE_REMOVE, &args);\n',
             '\tret = seamcall(90, &args);\n\tif (ret)\n\t\treturn ret;\n'
             '\tret = seamcall_ret(TDH_MEM_PAGE_REMOVE, &args);\n')
        commit('Ask another leaf first')
        mbox, leaves = BUILD + '/mails.mbox', BUILD + '/leaves'
        with open(mbox, 'w') as f:
            f.write(git('format-patch', '--stdout', '--cover-letter', f'{BASE}..HEAD'))
        git('checkout', '-q', '--detach', BASE)
        self.assertIn('kvm-bug', kernel('--series', mbox, code=1))
        with open(leaves, 'w') as f:
            f.write('90 TDH.MEM.PAGE.ASK tdr=rdx TDR shared -> SUCCESS\n')
        out = kernel('--series', mbox, '--leaves', leaves)
        self.assertIn('Ask another leaf first\n  no difference\n', out)
        self.assertRegex(out, VIRT + r':\d+ ran \d+ times')

    def test_delays(self):
        """What a search finds: a scenario that replays it, and a patch that fits that tree."""
        self.delays(BUILD)

    def test_delays_by_relative_paths(self):
        """As a compiler cache with CCACHE_BASEDIR compiles: paths below the build's are relative."""
        cc, build = BUILD + '/cc-relative', BUILD + '/relative'
        with open(cc, 'w') as f:
            f.write('#!/bin/sh\nn=$#\nwhile [ $n -gt 0 ]; do\n\ta=$1; shift; n=$((n - 1))\n'
                    '\tset -- "$@" "${a#"$PWD"/}"\ndone\nexec gcc "$@"\n')
        os.chmod(cc, 0o755)
        os.makedirs(build, exist_ok=True)
        with unittest.mock.patch.dict(os.environ, {'CC': cc}):
            self.delays(build)

    def delays(self, build):
        break_it('install-without-cmpxchg')
        commit('Install without comparing')
        mbox = BUILD + '/delays.mbox'
        with open(mbox, 'w') as f:
            f.write(git('format-patch', '--stdout', f'{BASE}..HEAD'))
        broken = git('rev-parse', 'HEAD').strip()
        git('checkout', '-q', '--detach', BASE)
        out = kernel('--series', mbox, '--only', 'search', '--time', '45', code=1, build=build)
        found = re.search(r'Scenarios that replay it, and .* delays for hardware: (\S+)', out)[1]
        git('checkout', '-q', '--detach', broken)
        patches = [found + '/' + n for n in os.listdir(found) if n.endswith('.delays.patch')]
        self.assertTrue(patches)
        for path in patches:
            git('apply', '--check', path)
            with open(path) as f:
                said = f.read()
            self.assertRegex(said, r'waits in __tdp_mmu_set_spte_atomic\(\), ' + MMU +
                             r':\d+, until vCPU\d has been in \w+\(\), arch/x86/kvm/mmu/\S+:\d+')
            self.assertRegex(said, r'\n\+\tmdelay\(\d+\);.*\n \tif \(\(\{ WRITE_ONCE')

    def test_bisect(self):
        harmless()
        good = commit('Name what is there')
        break_it('frozen-not-restored')
        bad = commit('Leave it frozen')
        edit(MMU, 'there);', 'there );')
        commit('Add a blank')
        git('bisect', 'start', 'HEAD', BASE)
        try:
            out = git('bisect', 'run', SEPTSIM, 'kernel', '--source', ROOT, '--build', BUILD,
                      '--only', 'scenario', '--first', '.')
        finally:
            git('bisect', 'reset')
        self.assertIn(f'{bad} is the first bad commit', out)
        self.assertNotIn(f'{good} is the first', out)

    def test_too_different(self):
        """Which identifier, in which file, and what to do."""
        edit(TDX, 'is_hkid_assigned(to_kvm_tdx(kvm)), kvm))\n\t\treturn -EIO;\n\n\t/* TODO',
             'has_hkid(to_kvm_tdx(kvm)), kvm))\n\t\treturn -EIO;\n\n\t/* TODO')
        out = kernel(code=125)
        self.assertRegex(out, r'glue_tdx.c does not compile: .*tdx\.c:\d+.*has_hkid')
        self.assertIn('nor is it in any header of the tree', out)
        git('checkout', '-q', '-f', BASE)
        edit(TDX, '<linux/misc_cgroup.h>', '<linux/cgroup_misc.h>')
        self.assertIn('linux/cgroup_misc.h, which kvm/vmx/tdx.c line 6 includes, is neither',
                      kernel(code=125))
        git('checkout', '-q', '-f', BASE)
        git('rm', '-q', 'include/linux/misc_cgroup.h')
        self.assertIn('linux/misc_cgroup.h, which kvm/vmx/tdx.c line 6 includes, is to come from '
                      'the tree, which has none', kernel(code=125))

    def test_no_tree(self):
        self.assertIn('has no Makefile', kernel(code=125, tree=BUILD))
        self.assertIn('no such file', kernel('--series', '/no/such.mbox', code=125))
        self.assertIn('has no commit', kernel('--range', 'none..HEAD', code=125))
        self.assertIn('wants A..B', kernel('--range', 'HEAD', code=125))
        self.assertIn('give one', kernel('--range', 'a..b', '--series', 'm', code=2))


if __name__ == '__main__':
    SEPTSIM, ROOT, TREE, BUILD = map(os.path.abspath, sys.argv[1:5])
    REPO = BUILD + '/repo'
    os.makedirs(BUILD, exist_ok=True)
    part_of_a_tree()
    BASE = git('rev-parse', 'HEAD').strip()
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]])
