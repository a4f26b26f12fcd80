#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The commands as a user meets them: exit codes, where text goes, show, JSON, signals.

Usage: cli.py SEPTSIM SOURCE_ROOT
"""
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

SEPTSIM = ROOT = ''
RACE = 'scenarios/races/a01-zap-map-desync.scn'
WRONG = '''td vcpus=1 lps=2 memory=4M
schedule
    vCPU0
    fault 0x10
expect final sept[0x10] = FREE
'''
ENDLESS = '''td vcpus=1 lps=2 memory=4M
guest vCPU0
    repeat inf
        compute 1000
    end
'''


def run(*args, code=0):
    done = subprocess.run([SEPTSIM, *args], capture_output=True, text=True, cwd=ROOT, timeout=120)
    if done.returncode != code:
        raise AssertionError(f'{args}: status {done.returncode}\n{done.stdout}{done.stderr}')
    return done


LOCKS = 'scenarios/locks/sept-entry.scn'
LONG = ['explore', '--all', '--case', 'frozen-leaf', 'scenarios/races/a02-parallel-fault-frozen.scn']


def proof(text):
    return re.search(r'proved:[^;]*?executions', text, re.S).group().split()


class Commands(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()

    def tearDown(self):
        self.dir.cleanup()

    def file(self, name, text):
        path = os.path.join(self.dir.name, name)
        with open(path, 'w') as f:
            f.write(text)
        return path

    def test_several_tds(self):
        out = run('run', '--width=120', 'tests/scenarios/play/several-tds.scn').stdout
        for text in 'A.mirror[0x10] = NONPRESENT', 'TDH.MEM.TRACK(A)', 'TDH.VP.FLUSH(B.vCPU1)', \
                    'TDH.MEM.PAGE.AUG(B.0x11)', 'B.sept[0x11] = PENDING':
            self.assertIn(text, out)
    def test_jobs(self):
        for how in (['--all'], ['-p', '2'], ['--random', '--executions', '700'],
                    ['--pct', '3', '--executions', '700']):
            # What its cases expect is a proof, and less than that is not as expected.
            code = 0 if how == ['--all'] else 1
            for case in 'exclusion', 'host-first':
                one = run('explore', *how, '--case', case, LOCKS, code=code)
                two = run('explore', '-j', '2', *how, '--case', case, LOCKS, code=code)
                self.assertEqual(one.stdout, two.stdout)
                self.assertEqual(two.stderr, '')
        self.assertIn('not shared', run('explore', '-j', '2', '--all', '--livelock', '--case',
                                        'host-first', LOCKS).stderr)

    def test_checkpoint(self):
        whole = proof(run(*LONG).stdout)
        kept = os.path.join(self.dir.name, 'kept')
        for jobs in '1', '2':
            for seconds in 0.4, 0.9:
                start = [SEPTSIM, *LONG, '-j', jobs, '--checkpoint-every', '0.05']
                if os.path.exists(kept):
                    os.unlink(kept)
                for _ in range(2):      # and again while it goes on
                    how = '--resume' if os.path.exists(kept) else '--checkpoint'
                    with subprocess.Popen([*start, how, kept], cwd=ROOT,
                                          stdout=subprocess.DEVNULL) as p:
                        deadline = time.monotonic() + 60
                        while not os.path.exists(kept) and time.monotonic() < deadline:
                            time.sleep(0.02)
                        time.sleep(seconds)
                        p.kill()
                self.assertEqual(proof(run(*LONG, '-j', jobs, '--resume', kept).stdout), whole)
        for args, why in (
                ([*LONG[:3], 'frozen-table', LONG[4]], 'another file, case or search'),
                (['explore', '-p', '3', *LONG[2:]], 'another file, case or search'),
                (['explore', '--random', *LONG[2:]], 'another file, case or search'),
                ([*LONG, '--tdx', '1.5.05'], 'another file, case or search'),
                (['explore', '--all', LOCKS], 'give --case'),
                (['explore', *LONG[2:]], 'another file, case or search'),
                ([*LONG, '--livelock'], 'another file, case or search'),
                ([*LONG, '--memory', 'tso'], 'another file, case or search')):
            self.assertIn(why, run(*args, '--resume', kept, code=2).stderr)
        self.assertIn('this is no checkpoint',
                      run(*LONG, '--resume', os.path.join(ROOT, LONG[4]), code=2).stderr)

    def test_memory_limit(self):
        done = run(*LONG, '--memory-limit', '4')
        self.assertIn('the limit of memory was reached', ' '.join(done.stdout.split()))

    def test_exit_codes(self):
        run('run', '-q', RACE)
        done = run('run', self.file('wrong.scn', WRONG), code=1)
        self.assertIn('NOT as expected: line 5: expect final sept[0x10] = FREE; it is PENDING',
                      done.stdout)
        done = run('run', self.file('bad.scn', 'td vcpus=x\n'), code=2)
        self.assertIn('bad.scn:1:10: error:', done.stderr)
        self.assertEqual(done.stdout, '')
        run('run', 'no-such-file', code=2)
        run('run', code=2)
        run(code=2)
        self.assertIn('did you mean run?', run('rnu', code=2).stderr)
        for args in (['--carrier', 'x'], ['--kvm', 'linux'], ['--width', '3'], ['-D', 'x'],
                     ['--seed', 'x'], ['--set', 'nokey=1'], ['--costs', '/nonexistent'],
                     ['--variant', 'kvm=v9'], ['--policy', 'nope'], ['--color', 'x'],
                     ['--no-such-option']):
            done = run('run', *args, RACE, code=2)
            self.assertTrue(done.stderr.startswith('septsim: '), done.stderr)

    def test_what_is_wrong_and_what_to_do(self):
        for args, words in (
                (['run', '--policy', 'nope', RACE], ['--policy: no policy nope', 'list policies']),
                (['run', '--variant', 'kvm=v9', RACE], ['--variant', 'v9', 'list variants']),
                (['run', '--width', '0', RACE], ['40 to 1000']),
                (['run', self.dir.name], ['Is a directory', 'hint: name the files in it']),
                (['show', 'no-such-file'], ['septsim: error: ', 'no-such-file']),
                (['list', 'states', 'nope'], ['no nope among the states', 'list states']),
                (['nonsense'], ['no command', 'septsim --help']),
                (['run', self.file('empty.scn', '')], ['empty.scn:1:1: error: nobody does'])):
            done = run(*args, code=2)
            for word in words:
                self.assertIn(word, done.stderr)
            self.assertEqual(done.stdout, '')

    def test_what_was_not_played_rests_on_nothing(self):
        path = self.file('p.scn', 'policy v19 nosuch=3\ninit\n    vCPU0: fault 1\n')
        done = run('run', path, code=2)
        self.assertIn("no argument 'nosuch=3'", done.stderr)
        self.assertEqual(done.stdout, '1 case, 0 as expected, 1 not played.\n')

    def test_module_versions(self):
        """Every version is played; who differs and why is said, the rest in a line."""
        a03 = 'scenarios/races/a03-aug-vs-zero-step.scn'
        out = run('run', '--tdx', 'all', a03, code=1).stdout
        words = ' '.join(out.split())
        self.assertIn('v7.2: the verdict DIFFERS 1.5.01, 1.5.05, 1.5.28, 2.0.08: as expected '
                      '1.5.34*, 2.0.18*: NOT as expected; line 31: expect ok', words)
        self.assertIn('control: the same: as expected\n', out)
        self.assertIn('4 cases under 6 module versions: the verdict of 3 differs between them, '
                      '1 is as expected under each.', words)
        self.assertTrue(all(len(line) <= 72 for line in out.split('\n')))
        self.assertEqual(run('run', '--tdx', '1.5.01,1.5.28,1.5.01', RACE).stdout.count('DIFFERS'), 0)
        one = json.loads(run('run', '--tdx', '1.5.28 1.5.34', '--json', a03, code=1).stdout)
        self.assertEqual([c['tdx'] for c in one['cases'][:3]], ['1.5.28', '1.5.34', '1.5.28'])
        self.assertEqual([a['same'] for a in one['across']], [False, False, False, True])
        self.assertEqual(one['across'][0]['verdicts'][0]['tdx'], ['1.5.28'])
        self.assertNotIn('across', json.loads(run('run', '--json', RACE).stdout))
        # one version is the same as --variant, for every command that plays
        self.assertEqual(run('run', '--tdx', '1.5.34', RACE).stdout,
                         run('run', '--variant', 'tdx=1.5.34', RACE).stdout)
        self.assertIn('1.5.01', run('run', '--tdx', '1.5.99', RACE, code=2).stderr)
        self.assertIn('one version', run('stress', '--tdx', 'all', RACE, code=2).stderr)
        # what a version does not have is not played, and that is no verdict
        path = self.file('p.scn', 'variant tdx=1.5.34 dpamt\ninit\n    vCPU0: fault 1\n')
        out = run('run', '--tdx', '1.5.01,1.5.34', path).stdout
        self.assertIn('p: the same where it can be played\n  1.5.01: not played: ', out)
        self.assertIn('no dynamic PAMT', ' '.join(out.split()))
        run('run', '--tdx', '1.5.01', path, code=2)

    def test_list_of_switches(self):
        out = run('list', 'variants', 'tdx').stdout
        rows = {line.split()[0]: line.split()[1:] for line in out.split('\n')[1:14]}
        self.assertEqual(rows['S1'], ['off', 'off?', 'on', 'on', 'off', 'on'])
        self.assertEqual(rows['S11'][2:], ['option'] * 4)
        self.assertTrue(all(len(line) <= 72 for line in out.split('\n')))
        items = json.loads(run('list', 'variants', 'tdx', '--json').stdout)['items']
        self.assertEqual(items[0]['versions']['1.5.34'], {'on': True, 'read': True, 'option': False})
        # docs/model.md has the same table: italics are what is inferred
        with open(os.path.join(ROOT, 'docs/model.md')) as f:
            table = {line.split('|')[1].strip(): [c.strip() for c in line.split('|')[4:-1]]
                     for line in f if re.match(r'\| S\d', line)}
        for name, cells in table.items():
            told = [{'on': 'on', 'off': 'off', 'on?': '*on*', 'off?': '*off*'}.get(c, c)
                    for c in rows[name]]
            self.assertEqual(cells, told, name)
        self.assertEqual(len(table), 13)

    def seamcalls(self, *args):
        return {i['name']: i for i in json.loads(
            run('list', 'seamcalls', '--json', *args).stdout)['items']}

    def test_what_leaves_do(self):
        """Locks and results are those of the model; no recorded result is missing."""
        old, new = self.seamcalls('--tdx', '1.5.01'), self.seamcalls()
        locks = lambda leaf: ['%s %s' % (x['name'], x['mode']) for x in leaf['locks']]
        self.assertEqual(locks(old['TDH.MEM.PAGE.AUG']), [
            'PAMT_1G shared', 'PAMT_2M shared', 'TDR shared', 'OP_STATE shared',
            'SEPT_TREE shared', 'sept host', 'PAMT_1G shared', 'PAMT_2M shared',
            'PAMT_4K exclusive'])
        self.assertIn('SEPT_TREE exclusive', locks(old['TDH.VP.ENTER zero-step']))
        self.assertIn('SEPT_TREE shared', locks(new['TDH.VP.ENTER zero-step']))     # S2
        self.assertEqual(locks(old['TDH.MEM.PAGE.PROMOTE']).count('sept host'), 513)
        self.assertEqual(locks(new['TDH.MEM.PAGE.PROMOTE']).count('sept host'), 1)  # S4
        self.assertFalse(old['TDH.EXPORT.MEM']['modelled'])
        done = json.loads(run('conform', '--json', 'tests/vectors/seamcall_vectors.jsonl').stdout)
        asked = 0
        for total in done['totals']:
            word = re.sub(r'^TDX_|^interrupted| \[td\w*\]$', '', total['result'])
            if total['flow'] not in old or word in ('', 'EPT_VIOLATION',
                                                    'HOST_PRIORITY_BUSY_TIMEOUT'):
                continue    # exits have other words; a timeout wants two things at once
            asked += 1
            can = [r for name, leaf in old.items() if name.split(' ')[0] == total['flow']
                   for r in leaf['results']]
            self.assertIn(word, can, total['flow'])
        self.assertGreater(asked, 200)

    def test_who_is_refused(self):
        """As the module's lock table has it, but computed."""
        def refused(*args):
            items = json.loads(run('list', 'locks', '--json', *args).stdout)['items']
            return {(i['caller'], i['holder'], i['same']):
                    [(r['status'], r['held']) for r in i['refused']]
                    for i in items if 'caller' in i}
        old, new = refused('--tdx', '1.5.01'), refused()
        aug, block, enter = 'TDH.MEM.PAGE.AUG', 'TDH.MEM.RANGE.BLOCK', 'TDH.VP.ENTER'
        zero, track, accept = enter + ' zero-step', 'TDH.MEM.TRACK', 'TDG.MEM.PAGE.ACCEPT'
        tree = [('OPERAND_BUSY|SEPT_TREE', 'SEPT_TREE exclusive')]
        entry = [('OPERAND_BUSY|RCX', 'sept host')]
        self.assertEqual(old[aug, aug, False], [])
        self.assertEqual(old[aug, aug, True], entry)
        self.assertEqual(old[aug, zero, False], tree)
        self.assertEqual(new[aug, zero, False], [])                                 # S2
        self.assertEqual(old[aug, block, False], tree)
        self.assertEqual(old[block, aug, False], [('OPERAND_BUSY|SEPT_TREE', 'SEPT_TREE shared')])
        self.assertEqual(old[block, accept, True], [('OPERAND_BUSY|RCX', 'sept guest')])
        self.assertEqual(old[accept, block, True], entry)
        self.assertEqual(old[accept, block, False], [])
        self.assertEqual(old[track, enter, False], [('OPERAND_BUSY|TD_EPOCH', 'TD_EPOCH shared')])
        self.assertEqual(old[enter, track, False], [('OPERAND_BUSY|TD_EPOCH', 'TD_EPOCH exclusive')])
        self.assertEqual(old[zero, zero, False], tree)
        self.assertEqual(old['TDH.MEM.PAGE.ADD', enter, False], [('OPERAND_BUSY|RDX', 'TDR shared')])
        demote, promote = 'TDH.MEM.PAGE.DEMOTE', 'TDH.MEM.PAGE.PROMOTE'
        self.assertEqual(old[aug, promote, False], [])
        self.assertEqual(new[aug, promote, False], tree)                            # S4
        self.assertEqual(new[demote, demote, False], [])
        out = run('list', 'locks').stdout
        self.assertTrue(all(len(line) <= 80 for line in out.split('\n')))
        text = ' '.join(run('list', 'seamcalls', 'mem.page.aug', '--tdx', '1.5.01').stdout.split())
        self.assertIn('refused OPERAND_BUSY|SEPT_TREE while SEPT_TREE exclusive is held by '
                      'VP.ENTER zero-step, MEM.RANGE.BLOCK', text)

    def test_states(self):
        items = json.loads(run('list', 'states', '--json').stdout)['items']
        moves = {(i['name'], m['leaf'].split('.', 1)[1], m['to'], m['building'])
                 for i in items for m in i['moves']}
        self.assertEqual(len(items), 16)
        for move in (('FREE', 'MEM.PAGE.AUG', 'PENDING', False),
                     ('PENDING', 'MEM.PAGE.ACCEPT', 'MAPPED', False),
                     ('NL_MAPPED', 'MEM.RANGE.BLOCK', 'NL_BLOCKED', False),
                     ('NL_BLOCKED', 'MEM.RANGE.UNBLOCK', 'NL_MAPPED', False),
                     ('BLOCKED', 'MEM.PAGE.DEMOTE', 'NL_MAPPED', False),
                     ('NL_BLOCKED', 'MEM.PAGE.PROMOTE', 'MAPPED', False),
                     ('MAPPED', 'MEM.PAGE.REMOVE', 'FREE', True)):
            self.assertIn(move, moves)
        self.assertNotIn(('MAPPED', 'MEM.PAGE.REMOVE', 'FREE', False), moves)
        self.assertIn('BLOCKED (1)', run('list', 'states', 'BLOCKED').stdout)

    def test_a_full_disk_is_no_result(self):
        with open('/dev/full', 'w') as full:
            done = subprocess.run([SEPTSIM, 'run', RACE], stdout=full, stderr=subprocess.PIPE,
                                  text=True, cwd=ROOT, timeout=120)
        self.assertEqual(done.returncode, 2)
        self.assertIn('septsim: standard output: ', done.stderr)

    def test_stress_says_what_it_is_not(self):
        out = run('stress', '--time', '0.2',
                  self.file('p.scn', 'init\n    vCPU0: fault 1\n')).stdout
        self.assertIn('(kvm=v7.2 tdx=1.5.34)\n', out)
        self.assertNotIn('\n (kvm', out)
        self.assertIn('schedules are not followed', ' '.join(out.split()))

    def test_help_shows_an_example_first(self):
        for command in ('run', 'list', 'show', 'check', 'stress'):
            text = run(command, '--help').stdout
            self.assertTrue(text.startswith('Example: septsim ' + command))
            for word in text.split('\n')[0].split():
                if word.endswith('.scn') and '*' not in word:
                    self.assertTrue(os.path.exists(os.path.join(ROOT, word)), word)
        self.assertIn('Example', run('--help').stdout)

    def test_mail_block(self):
        out = run('run', RACE).stdout
        self.assertEqual(out, run('run', '--mail', RACE).stdout)
        self.assertEqual(out, run('run', '--carrier', 'pthread', RACE).stdout)
        self.assertTrue(all(len(line) <= 72 for line in out.split('\n')))
        out.encode('ascii')
        for word in ('Replayed', 'module 1.5.01', 'backend own', 'costs typical', 'docs/model.md'):
            self.assertIn(word, ' '.join(out.split()))
        wide = run('run', '--width', '120', '--ascii', RACE).stdout
        self.assertTrue(any(len(line) > 72 for line in wide.split('\n')))
        self.assertIn('\033[', run('run', '--color', 'always', RACE).stdout)

    def test_show_draws_the_same(self):
        trace = os.path.join(self.dir.name, 'trace')
        out = run('run', '--trace', trace, RACE).stdout
        self.assertEqual(out, run('run', RACE).stdout)
        self.assertEqual(out, run('show', trace).stdout)
        self.assertIn('TDH.MEM.RANGE.BLOCK', run('show', '--format', 'ftrace', trace).stdout)
        run('show', '--format', 'html', trace, code=2)
        done = run('show', self.file('no.trace', 'hello\n'), code=2)
        self.assertIn('no.trace:1: error:', done.stderr)

    def test_json(self):
        one = json.loads(run('run', '--json', RACE).stdout)
        two = json.loads(run('run', '--json', RACE).stdout)
        self.assertEqual(one['schema'], 1)
        self.assertIn('host', one)
        del one['host'], two['host']
        self.assertEqual(one, two)
        self.assertEqual(one['case_count'], len(one['cases']))
        # A race may well happen among real threads; one actor alone has none.
        alone = self.file('p.scn', 'init\n    vCPU0: fault 1\n')
        json.loads(run('stress', '--json', '--time', '0.2', alone).stdout)

    def test_lists(self):
        for what in ('policies', 'variants', 'checks', 'events', 'seamcalls', 'states', 'locks',
                     'costs', 'scenarios', 'metrics'):
            self.assertTrue(run('list', what).stdout.strip())
        self.assertIn('resume-guest', run('list', 'policies', 'resume-guest').stdout)
        run('list', 'policies', 'nope', code=2)
        self.assertIn('did you mean policies?', run('list', 'policys', code=2).stderr)

    def test_overrides(self):
        path = self.file('p.scn', 'param G = 0x10\ntd vcpus=1 lps=2 memory=4M\nschedule\n'
                         '    vCPU0\n    fault $G\nexpect final sept[0x12] = PENDING\n')
        run('run', path, code=1)
        run('run', '-D', 'G=0x12', path)
        out = run('run', '-D', 'G=0x12', '--variant', 'kvm=v6.16 no-freeze', '--policy', 'v19',
                  '--set', 'l1-hit=9', path).stdout
        self.assertIn('backend own (v6.16), policy v19, costs changed by the user',
                      ' '.join(out.split()))

    def test_bench(self):
        path = self.file('b.scn', 'param n = 1\nsweep n 1 2\nmeasure fault.p50 busy\n'
                         'td vcpus=$n memory=4M\nvariant tdx=1.5.34\n'
                         'guest vCPU[*]\n    accept (0x10 * $i)+8\n')
        args = ('bench', '--json', '--policy', 'v7.2,kick-first', '--cost-level', 'low,high', path)
        one = run(*args, '--jobs', '1').stdout
        self.assertEqual(one, run(*args, '--jobs', '3').stdout)     # to the byte
        cells = json.loads(one)['cells']
        self.assertEqual([(c['point'], c['costs'], c['policy']) for c in cells],
                         [(f'n={n}', level, policy) for n in '12' for level in ('low', 'high')
                          for policy in ('v7.2', 'kick-first')])
        metrics = {m['name']: m for m in cells[-1]['metrics']}
        self.assertEqual(metrics['pages']['sum'], 16 * cells[-1]['runs'])
        self.assertEqual(metrics['fault']['count'], 16 * cells[-1]['runs'])
        self.assertLess(cells[0]['columns'][0]['median'], cells[2]['columns'][0]['median'])
        text = run('bench', '-D', 'n=2', path).stdout
        self.assertIn('fault.p50', text)
        self.assertEqual(text.count('cells,') + text.count('1 cells'), 2)
        other = self.file('c.scn', 'param n = 1\nmeasure pages/s fault.p50\ntd vcpus=1 memory=4M\n'
                          'variant tdx=1.5.34\nguest vCPU0\n    accept $n+4\n')
        text = run('bench', '-D', 'n=2', '--seeds', '1', '--max-seeds', '1', path, other).stdout
        text = text[text.index('c  kvm='):]     # each file's own order
        self.assertLess(text.index('pages/s'), text.index('fault.p50'))

    def test_bench_errors(self):
        def fails(text, *args):
            return run('bench', *args, self.file('b.scn', text), code=2).stderr
        self.assertIn('b.scn:2:1: error: bench follows no schedule',
                      fails('td vcpus=1 lps=2\nschedule\n    vCPU0\n    fault 1\n'))
        self.assertIn('did you mean fault?', fails('measure fautl.p50\nguest vCPU0\n    halt\n'))
        self.assertIn('did you mean kick-first?', fails('guest vCPU0\n    halt\n', '--policy', 'kick-frist'))
        self.assertIn('--cost-level', fails('guest vCPU0\n    halt\n', '--cost-level', 'cheap'))
        self.assertIn('wants a FILE', run('bench', code=2).stderr)
        self.assertIn('--kvm is own or linux, not both',
                      fails('guest vCPU0\n    halt\n', '--kvm', 'both'))
        self.assertIn('--kvm wants', fails('guest vCPU0\n    halt\n', '--kvm', ','))

    def test_bench_shows_what_is_refused(self):
        # a case that cannot be measured is said, and takes nothing from those that can
        path = self.file('b.scn', 'td vcpus=1 lps=2 memory=4M\nvariant tdx=1.5.34\n'
                         'case good\n    guest vCPU0\n        accept 0+4\n'
                         'case bad\n    schedule\n        vCPU0\n        fault 1\n')
        done = run('bench', '--csv', '/dev/null', path)
        text = ' '.join(done.stdout.split())
        self.assertIn('v7.2: refused: ', text)
        self.assertIn('1 cells were refused and are not measured', text)
        self.assertIn('backend own.', text)
        self.assertIn('error: bench follows no schedule', done.stderr)
        good, bad = json.loads(run('bench', '--json', path).stdout)['cells']
        self.assertEqual((good['backend'], good['broken']), ('own', []))
        self.assertEqual({b['end'] for b in bad['broken']}, {'refused'})

    def test_bench_names_what_breaks(self):
        path = self.file('b.scn', 'td vcpus=1 lps=3 memory=4M\nvariant tdx=1.5.34\n'
                         'policy zero-tolerance\nactor holder\n    acquire SEPT_TREE exclusive\n'
                         '    compute 200000\n    release SEPT_TREE\n'
                         'guest vCPU0\n    accept 0+4\n')
        done = run('bench', '--jitter', '0', path, code=1)
        text = ' '.join(done.stdout.split())
        self.assertIn('zero-tolerance: broken in 6 of 6 runs: kvm-bug', text)
        self.assertIn('failed: TDX_OPERAND_BUSY|SEPT_TREE', text)
        again = re.search(r'Again: septsim (bench .*? --jitter 0)', text).group(1).split()
        self.assertIn('broken in 1 of 1 runs: kvm-bug',
                      ' '.join(run(*again, code=1).stdout.split()))

    def test_bench_sees_who_starves(self):
        # A limit ends the run all the same: that is no reason to call it done.
        head = ('td vcpus=1 lps=3 memory=4M\nvariant tdx=1.5.34\nlimit cycles=4000000\n'
                'measure op:punch.p50 time\nguest vCPU0\n    repeat inf\n        compute 20000\n    end\n'
                'actor waiter\n    compute 100000\n    punch 0..4\n'
                'actor holder\n    acquire mmu_lock write\n    compute 20000000\n')
        text = ' '.join(run('bench', self.file('b.scn', head), code=1).stdout.split())
        self.assertIn('stuck in 6 of 6 runs: waiter waits since cycle', text)
        # and what never happened has no time that could be the better one
        late = head.replace('compute 100000', 'compute 9000000').replace('compute 20000000', 'release mmu_lock')
        cell, = json.loads(run('bench', '--json', self.file('c.scn', late)).stdout)['cells']
        self.assertEqual([c['runs'] for c in cell['columns']], [0, cell['runs']])

    def test_list_costs_of_a_run(self):
        path = self.file('c.scn', 'td vcpus=1 memory=4M\nvariant tdx=1.5.34\n'
                         'guest vCPU0\n    accept 0x10+8\n')
        case, = json.loads(run('list', 'costs', '--json', path).stdout)['items']
        times = {c['name']: c['times'] for c in case['costs']}
        self.assertEqual(times['tdcall-fixed'], 8)      # each page: one ACCEPT that succeeds
        self.assertEqual(times['td-transition'], 9)     # one that does not; the guest's end
        self.assertGreater(times['seamcall-fixed'], 16)
        self.assertNotIn('l2-hit', times)
        dear = run('list', 'costs', '--costs', 'high', path).stdout
        self.assertIn('seamcall-fixed', dear)
        self.assertIn('no such file', run('list', 'costs', 'nix.scn', code=2).stderr.lower())

    def worker(self, parent):
        for _ in range(200):
            with open(f'/proc/{parent.pid}/task/{parent.pid}/children') as f:
                children = f.read().split()
            if children:
                return int(children[0])
            time.sleep(0.02)
        raise AssertionError('no worker')

    def test_a_crash_is_a_result(self):
        path = self.file('endless.scn', ENDLESS)
        proc = subprocess.Popen([SEPTSIM, 'run', path], stdout=subprocess.PIPE, text=True)
        os.kill(self.worker(proc), signal.SIGABRT)
        out = proc.communicate(timeout=60)[0]
        self.assertEqual(proc.returncode, 3)
        self.assertIn('fault of septsim: the worker died of signal 6', ' '.join(out.split()))

    def test_interrupt_ends_cleanly(self):
        path = self.file('endless.scn', ENDLESS + 'limit steps=4G\n')
        proc = subprocess.Popen([SEPTSIM, 'run', path], stdout=subprocess.PIPE, text=True,
                                start_new_session=True)
        self.worker(proc)
        time.sleep(0.3)
        os.killpg(proc.pid, signal.SIGINT)
        out = proc.communicate(timeout=60)[0]
        self.assertEqual(proc.returncode, 1)
        self.assertIn('stopped', out)
        self.assertIn('1 case, 0 as expected', out)

    def test_nobody_outlives_it(self):
        path = self.file('endless.scn', ENDLESS + 'limit steps=4G\n')
        proc = subprocess.Popen([SEPTSIM, 'run', path], stdout=subprocess.DEVNULL)
        child = self.worker(proc)
        proc.kill()
        proc.wait()
        for _ in range(500):
            try:
                with open(f'/proc/{child}/stat', encoding='ascii') as f:
                    if f.read().rsplit(')', 1)[1].split()[0] == 'Z':
                        return      # waits for whoever adopted it
            except FileNotFoundError:
                return
            time.sleep(0.02)
        os.kill(child, signal.SIGKILL)
        self.fail('a worker goes on without its parent')


class Explore(unittest.TestCase):
    CASE = ['--case', 'no-freeze/read', RACE]

    def setUp(self):
        done = subprocess.run([SEPTSIM, 'explore', '--case', 'control', RACE], cwd=ROOT,
                              capture_output=True, text=True)
        if 'TSan' in done.stderr:
            self.skipTest('a build with TSan does not search')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.dir = tempfile.TemporaryDirectory()

    def tearDown(self):
        self.dir.cleanup()

    def test_found_replays(self):
        found = os.path.join(self.dir.name, 'FOUND.scn')
        done = run('explore', '--found', found, *self.CASE)
        self.assertIn('mirror-desync 0x10', done.stdout)
        self.assertIn('as expected', done.stdout)
        done = run('run', found)
        self.assertIn('mirror-desync 0x10', done.stdout)

    def test_same_bytes(self):
        self.assertEqual(run('explore', *self.CASE).stdout, run('explore', *self.CASE).stdout)
        random = ['explore', '--random', '--seed', '7', '--executions', '50', '--case',
                  'freeze/write', RACE]
        self.assertEqual(run(*random).stdout, run(*random).stdout)

    def test_json(self):
        got = json.loads(run('explore', '--json', *self.CASE).stdout)
        self.assertEqual((got['schema'], got['command']), (1, 'explore'))
        case = got['cases'][0]
        self.assertEqual(case['result'], 'bounded')
        self.assertEqual(case['bounded_by'], 'violation')
        self.assertEqual(case['violations'][0]['id'], 'mirror-desync')
        self.assertLessEqual(case['violations'][0]['switches'],
                             case['violations'][0]['switches_found'])
        self.assertIn('nanoseconds', case['host'])

    def test_words(self):
        for args, word in (([], 'proved'), (['-p', '0'], 'bounded'),
                           (['--random', '--executions', '5'], 'sampled'),
                           (['--pct', '3', '--executions', '5'], 'sampled'),
                           (['--states', '10'], 'bounded')):
            done = run('explore', *args, '--case', 'freeze/write', RACE)
            self.assertIn(f'  {word}: ', done.stdout)

    def test_a_mix_adds_up(self):
        """What several searches did, not the last of them alone; a way without any operation."""
        gate = ['explore', '--mail', '--case', 'gate-before-mode', 'scenarios/memory/entry-gate.scn']
        text = ' '.join(run(*gate).stdout.split())
        found = json.loads(run(*gate, '--json').stdout)['cases'][0]
        self.assertGreater(found['before'], 0)
        self.assertIn(f"{found['before'] + found['executions']:,} executions in several searches; "
                      'it stopped at what it found', text)
        self.assertIn('drawn with 52 and 2, after the init lines with none of them', text)
        self.assertIn(' step vCPU1 ', text)
        self.assertNotIn(' step ', run(*gate, '--quiet').stdout)

    def test_a_mix_ends(self):
        """By itself, after rounds: the same bytes, by any number of processes."""
        mix = ['explore', '--mail', '--rounds', '1', '--case', 'shipped',
               'scenarios/memory/entry-gate.scn']
        done = run(*mix)
        text = ' '.join(done.stdout.split())
        self.assertIn('in several searches; its rounds were over: --rounds N or --time goes on', text)
        self.assertRegex(text, r'among them all ways with at most \d switch')
        self.assertEqual(done.stdout, run(*mix, '--jobs', '2').stdout)
        case = json.loads(run(*mix, '--json').stdout)['cases'][0]
        self.assertEqual(('bounded', 'rounds'), (case['result'], case['bounded_by']))

    LONG = ['explore', '--all', '--case', 'exclusion', LOCKS.replace('sept-entry', 'sharex-hp')]

    def on_terminal(self, width, *args, interrupt=False):
        """stdout, what was shown on a terminal of that width, and the exit status."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 30, width, 0, 0))
        shown = b''
        with subprocess.Popen([SEPTSIM, *args], cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs,
                              text=True, start_new_session=True) as proc:
            os.close(theirs)
            while True:
                try:
                    got = os.read(ours, 65536)
                except OSError:         # how Linux says that nobody has it open any more
                    break
                if interrupt and not shown:
                    os.killpg(proc.pid, signal.SIGINT)
                shown += got
                if not got:
                    break
            out = proc.stdout.read()
        os.close(ours)
        return out, shown.decode(), proc.returncode

    def test_progress(self):
        """Written over, no line too long for the terminal, gone at the end; and only there."""
        for width in (100, 60, 40):
            out, shown, _ = self.on_terminal(width, *self.LONG, '-t', '1')
            self.assertIn('sharex-hp exclusion', shown)
            self.assertRegex(shown, r'\d+ states to go on from')
            self.assertRegex(shown, r'states, [\d.]+( [kM])?/s')
            self.assertRegex(shown, r'executions, [\d.]+( [kM])?/s')
            self.assertRegex(shown, r'depth \d+')
            self.assertRegex(shown, r'\d+ of \d+ pairs met')
            self.assertIn('at the latest', shown)
            for line in re.split(r'[\r\n]+', shown):
                self.assertLess(len(re.sub(r'\x1b\[\d*[A-Z]', '', line)), width)
            self.assertTrue(shown.endswith('\r\x1b[J'))
            self.assertNotIn('\x1b', out)
        done = run(*self.LONG, '-t', '1', code=1)
        self.assertEqual(done.stderr, '')
        shown = self.on_terminal(80, 'explore', '--random', '--executions', '3000', '--case',
                                 'freeze/write', RACE)[1]
        if '% done' in shown:           # it may have been too fast to be shown
            self.assertRegex(shown, r'\d+ % done, about \d+ (s|min) left')

    def test_progress_interrupted(self):
        out, shown, code = self.on_terminal(80, *self.LONG, '-t', '60', interrupt=True)
        self.assertEqual(code, 1)
        self.assertIn('it was interrupted', ' '.join(out.split()))
        self.assertTrue(shown.endswith('\r\x1b[J'))

    def test_replay(self):
        found, way = (os.path.join(self.dir.name, n) for n in ('FOUND.scn', 'way'))
        first = run('explore', '--found', found, *self.CASE).stdout
        words = re.search(r'  mirror-desync 0x10 in .*\n(    .*\n)*', first)[0]
        again = run('explore', '--replay', found).stdout
        self.assertIn(words, again)
        self.assertIn('it is there again: ', again)
        self.assertIn('  replayed: ', again)
        case = json.loads(run('explore', '--json', *self.CASE).stdout)['cases'][0]
        with open(way, 'w') as f:
            f.write('# by hand\n' + case['violations'][0]['choices'] + '\n')
        self.assertIn(words, run('explore', '--replay', way, *self.CASE).stdout)
        got = json.loads(run('explore', '--json', '--replay', way, *self.CASE).stdout)['cases'][0]
        self.assertEqual(got['result'], 'replayed')
        for key in ('id', 'where', 'site', 'text', 'steps', 'switches', 'choices'):
            self.assertEqual(got['violations'][0][key], case['violations'][0][key])

    def test_replay_misfit(self):
        way = os.path.join(self.dir.name, 'way')
        for text, where in (('vCPU0*3 zappr', ':1:9: '), ('zapper*900', ':1:1: ')):
            with open(way, 'w') as f:
                f.write(text)
            done = run('explore', '--replay', way, *self.CASE, code=1)
            said = ' '.join(done.stdout.split())
            self.assertIn(f'{where}the way does not fit', said)
            self.assertIn('`explore --found FILE.scn` searches anew', said)
        with open(way, 'w') as f:
            f.write('vCPU0 **')
        self.assertIn(':1:7: error: ', run('explore', '--replay', way, *self.CASE, code=2).stderr)

    def test_replay_tso(self):
        gate = os.path.join(ROOT, 'scenarios', 'memory', 'entry-gate.scn')
        args = ('explore', '--replay', gate, '--case', 'shipped-tso')
        said = ' '.join(run(*args, code=1).stdout.split())
        self.assertIn('--replay has no store buffers', said)
        self.assertNotIn('hint', said)
        self.assertIn('replayed: ', run(*args, '--memory', 'sc').stdout)

    def test_found_way(self):
        """What has no rows is written as choices, and followed."""
        scn, found = (os.path.join(self.dir.name, n) for n in ('loop.scn', 'FOUND.scn'))
        with open(scn, 'w') as f:
            f.write('td vcpus=1 lps=2 memory=4M\nvariant kvm=v7.2 tdx=1.5.01\n'
                    'guest vCPU0\n    access 0x20\ninit\n    vCPU0: fault 0x21\n'
                    '    vCPU0: convert 0x20 shared\n'
                    '    vCPU0: run memory-fault=retry times=7\n'
                    '    vCPU0: convert 0x20 private\nactor vCPU0\n    run times=1\n'
                    'expect explore violation livelock\n')
        done = run('explore', '--all', '--found', found, scn)
        self.assertIn(f'{found}.way', done.stderr)
        self.assertFalse(os.path.exists(found))
        words = re.search(r'  livelock .*\n(    .*\n)*', done.stdout)[0]
        self.assertIn(words, run('explore', '--replay', found + '.way', scn).stdout)

    def test_keep_going(self):
        scn = os.path.join(self.dir.name, 'three.scn')
        with open(scn, 'w') as f:
            f.write('td vcpus=1 lps=5 memory=4M\nvariant kvm=v7.2 tdx=1.5.01\n'
                    'actor a\n    acquire WBT[0]\n    release WBT[0]\n'
                    'actor b\n    acquire WBT[0]\n    release WBT[0]\n'
                    'actor c\n    acquire kvm_lock\n    acquire kvm_lock\n'
                    'actor breaker\n    compute 1\n    set WBT[0] = 0\n')
        got = json.loads(run('explore', '-k', '--json', scn, code=1).stdout)['cases'][0]
        self.assertEqual(sorted((v['id'], v['where']) for v in got['violations']),
                         [('exclusion', 'WBT'), ('lock-order', 'kvm_lock'),
                          ('module-fatal', 'WBT')])
        for v in got['violations']:
            self.assertGreater(v['times'], 1)
            self.assertLess(v['operations'], v['operations_found'])

    def test_nonsense(self):
        """Each says which option, what it takes, and nothing else."""
        for args, why in (
                (['--random', '--pct', '3'], 'give one'), (['--pct', '99'], '1 to 64, not 99'),
                (['--pct', '0'], '1 to 64, not 0'), (['--executions', '5'], 'for samples'),
                (['--random', '--executions', '0'], 'wants 1 or more, not 0'),
                (['--states', '-1'], 'wants 1 or more, not -1'), (['--states', '1e6'], '1e6'),
                (['--states', '99999999999999999999'], 'out of range'),
                (['--random', '--states', '9'], '--executions or --time'),
                (['--rounds', '3', '-p', '1'], '--rounds is of the mix'),
                (['--rounds', '-1'], '0 (no end) to 1000 rounds, not -1'),
                (['-p', '-1'], '0 to 1000 switches, not -1'), (['--random', '-p', '2'], 'give one'),
                (['--all', '-p', '2'], 'give one'), (['--livelock', '-p', '1'], 'all states'),
                (['--time', '0'], 'above 0, not 0'), (['--time', 'nan'], 'above 0, not nan'),
                (['--time', '-3'], 'above 0, not -3'), (['--time', 'soon'], 'soon'),
                (['--verify-key', '0'], '1 to 1000000 steps, not 0'),
                (['--verify-key', '9', '--no-hash'], 'leave one out'),
                (['--no-hash', '--no-reduction'], 'give one'),
                (['--no-reduction', '--states', '9'], '--time or --depth'),
                (['--depth', '0'], '1 to 1000000 steps, not 0'), (['--jobs', '65'], 'to 64, not 65'),
                (['--memory', 'pso'], 'sc or tso, not pso'), (['--case', 'nobody'], 'nobody'),
                (['--checkpoint-every', '3'], 'goes with --checkpoint'),
                (['--replay', 'x.scn'], 'give no other FILE'),
                (['--replay', '/nonexistent'], '/nonexistent'),
                (['--replay', 'x', '-p', '2'], 'searches nothing')):
            done = run('explore', *args, RACE, code=2)
            self.assertIn('septsim: ', done.stderr)
            self.assertIn(why, done.stderr)
            self.assertEqual(done.stdout, '')


if __name__ == '__main__':
    SEPTSIM, ROOT = os.path.abspath(sys.argv[1]), sys.argv[2]
    unittest.main(argv=sys.argv[:1])
