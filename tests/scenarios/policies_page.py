#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# docs/policies.md: what benchmarks say of the retry policies, each figure with its command.
# policies_page.py SEPTSIM ROOT [--put | --put-all FILE]
# --put writes the page, but for the table of all workloads; that --put-all also makes, of what
# `septsim bench scenarios/bench/*.scn --policy all --json` gave (minutes). Without either the
# sections marked small must read as the page has them, figures within a
# quarter: verdicts are words, and may not differ at all.
import json
import os
import re
import subprocess
import sys

septsim, root = map(os.path.abspath, sys.argv[1:3])
how = sys.argv[3] if len(sys.argv) > 3 else ''
page = root + '/docs/policies.md'
LEVELS = ('low', 'typical', 'high')
SIX = '--seeds 6 --max-seeds 6'


class Cells:
    """What one bench command gave: cells by scenario, case, policy, level"""
    def __init__(self, args):
        done = subprocess.run([septsim, *args.split(), '--json'], cwd=root, text=True,
                              stdout=subprocess.PIPE)
        self.command = 'septsim ' + args
        self.all = json.loads(done.stdout)['cells']

    def at(self, scenario, policy, level='typical', case=''):
        return next(c for c in self.all if (c['scenario'], c['policy'], c['costs'], c['case']) ==
                    (scenario, policy, level, case))


def columns(cell):
    return {c['metric']: c for c in cell['columns']}


def metric(cell, name, what='sum'):
    """Of all runs of the cell together; 0 if it never happened"""
    return next((m.get(what, 0) for m in cell['metrics'] if m['name'] == name), 0)


def total(cell, prefix):
    return sum(m['sum'] for m in cell['metrics'] if m['name'].startswith(prefix + ' '))


def us(cycles):
    return f'{cycles / 3000:.1f} us'


def ratio(cells, scenario, policy, name, case=''):
    """One row of a table: ratio to v7.2 at each level, and what that decides"""
    row, verdict = [], ''
    for level in LEVELS:
        mine, base = (cells.at(scenario, p, level, case) for p in (policy, 'v7.2'))
        if mine['broken']:
            row.append('broken')
            continue
        a, b = columns(mine)[name]['median'], columns(base)[name]['median']
        row.append(f'{a / b:.2f}' if b else ('0 of 0' if not a else 'from 0'))
        verdict = columns(mine)[name]['verdict'] or ''
    word = verdict.split(' at ')[0].split(':')[0]
    if 'broken' in row:
        word = 'broken'
    where = f'{scenario} {case}'.strip()
    return f'| {where} | `{name}` | {" | ".join(row)} | {word} |'


def table(rows):
    return '\n'.join(['| workload | number | low | typical | high | against v7.2 |',
                      '| --- | --- | --- | --- | --- | --- |', *rows])


def kicks():
    c = Cells('bench scenarios/bench/swiotlb-convert.scn -D vcpus=8 --policy v7.2,kick-first '
              f'--cost-level all {SIX}')
    lines = []
    for case in ('busy', 'ticking', 'idle'):
        cell = c.at('swiotlb-convert', 'v7.2', case=case)
        zaps, zap = metric(cell, 'zap', 'count'), metric(cell, 'zap')
        lost = metric(cell, 'kicked-out')
        lines.append(f'| {case} | {metric(cell, "count kicks") / zaps:.1f} | '
                     f'{metric(cell, "count ipis") / zaps:.1f} | {us(zap / zaps)} | '
                     f'{us(metric(cell, "track") / zaps)} | {us(lost / zaps)} |')
    head = ('| the seven others | kicks a page | IPIs a page | zap | of it TRACK and its kick | '
            'guest time lost |\n| --- | --- | --- | --- | --- | --- |\n')
    busy = c.at('swiotlb-convert', 'v7.2', case='busy')
    idle = c.at('swiotlb-convert', 'v7.2', case='idle')
    a, b = (metric(x, 'zap') / metric(x, 'zap', 'count') for x in (busy, idle))
    return c, f'''## Do v7.2's two to five kicks a zap matter?

One vCPU of eight converts 64 pages to shared, each page BLOCK, TRACK, kick, REMOVE, WBINVD:

{head}{chr(10).join(lines)}

Only the kick behind TRACK is made for every page, and it is what costs: with the others busy in
the guest a page takes {a / b:.1f} times as long as with them in HLT. The kicks for BUSY are rare
here ({total(busy, "busy")} BUSY answers in {metric(busy, "zap", "count")} removals with busy vCPUs), so the
"up to five" does not matter; a kick that finds nobody in the guest sends no IPI.'''


def kick_first():
    c = Cells('bench scenarios/bench/swiotlb-convert.scn scenarios/bench/idle-ticks.scn '
              'scenarios/bench/balloon.scn scenarios/bench/punch-running.scn -D vcpus=8 '
              f'--policy v7.2,kick-first --cost-level all {SIX}')
    rows = [ratio(c, 'swiotlb-convert', 'kick-first', n, case) for case in ('busy', 'idle')
            for n in ('zap.p50', 'kicked-out.sum')]
    for s in ('punch-running', 'balloon', 'idle-ticks'):
        rows += [ratio(c, s, 'kick-first', n) for n in ('zap.p50', 'stall.p99', 'kicked-out.sum')]
    return c, f'''## Does kick-first (X8) beat the kick on BUSY?

{table(rows)}

It does for nobody who zaps: the gate's kick comes before BLOCK and the one behind TRACK is still
made, so each leaf throws the guest out twice where the merged code throws it out once and is
hardly ever BUSY. What it saves, the second try, is too rare to pay for that. Where no vCPU is in
the guest it costs nothing. A shorter `stall` is no gain by itself: a guest that is kept out does
not get as far as to fault, and loses that time to kicks instead.'''


def versions():
    c = Cells('bench scenarios/bench/zero-step-storm.scn scenarios/bench/hostile-guest.scn '
              f'--policy v7.2 --cost-level all {SIX}')
    rows = []
    for s, point in (('zero-step-storm', 'stuck=4'), ('hostile-guest', 'vcpus=8')):
        cells = [x for x in c.all if x['scenario'] == s and x['point'] == point]
        for word in ('busy', 'entries-refused'):
            of = {(x['costs'], x['case']): total(x, word) / x['runs'] for x in cells}
            rows.append(f'| {s} {point} | {word} | ' + ' | '.join(
                f'{of[l, "module-1.5.01"]:.0f} / {of[l, "module-1.5.34"]:.0f}' for l in LEVELS) +
                ' |')
    hostile = {(x['costs'], x['case']): total(x, 'busy') for x in c.all
               if (x['scenario'], x['point']) == ('hostile-guest', 'vcpus=8')}
    signs = {hostile[l, 'module-1.5.34'] > hostile[l, 'module-1.5.01'] for l in LEVELS}
    more = {frozenset({True}): 'more often', frozenset({False}): 'less often'}.get(
        frozenset(signs), 'now more, now less often')
    return c, f'''## How do the answers change with the module?

BUSY answers and refused entries a run, module 1.5.01 / 1.5.34, under v7.2:

| workload | number | low | typical | high |
| --- | --- | --- | --- | --- |
{chr(10).join(rows)}

1.5.01 takes the S-EPT tree exclusive at each entry of a vCPU on its zero-step list, and no host has
priority on it; 1.5.34 takes it shared, and a page that the guest may accept is no fault there (S1 to
S3). So a conclusion about contention by zero-stepping is one about 1.5.01. A guest that hammers
entries is another matter: there 1.5.34 says BUSY {more} than 1.5.01.'''


def longest(cell):
    hold = metric(cell, 'hold mmu_lock write', 'max')
    return us(hold) if hold else 'to the end of the run'


def blind():
    c = Cells('bench scenarios/bench/zero-step-storm.scn scenarios/bench/hostile-guest.scn '
              f'--policy v7.2,v19,v19-10000,zero-tolerance,seamcall-lock -D packages=1 {SIX}')
    lines = []
    for s, point, case in (('zero-step-storm', 'stuck=4', 'module-1.5.01'),
                           ('hostile-guest', 'vcpus=8', 'module-1.5.01'),
                           ('zero-step-storm', 'stuck=4', 'module-1.5.34'),
                           ('hostile-guest', 'vcpus=8', 'module-1.5.34')):
        for p in ('v7.2', 'v19', 'v19-10000', 'zero-tolerance', 'seamcall-lock'):
            x = next(x for x in c.all if (x['scenario'], x['point'], x['case'], x['policy']) ==
                     (s, point, case, p))
            if x['broken']:
                lines.append(f'| {s} {point} {case} | {p} | the VM dies | | |')
                continue
            lines.append(f'| {s} {point} {case} | {p} | {total(x, "busy") / x["runs"]:.0f} | '
                         f'{us(metric(x, "zap", "p99"))} | '
                         f'{longest(x)} |')
    holds = []
    for case in ('module-1.5.01', 'module-1.5.34'):
        a, b = (next(metric(x, 'hold mmu_lock write', 'max') for x in c.all if
                     (x['scenario'], x['point'], x['case'], x['policy']) ==
                     ('hostile-guest', 'vcpus=8', case, p)) for p in ('v19-10000', 'v7.2'))
        holds.append(a / b)
    return c, f'''## What does blind retry cost?

| workload | policy | BUSY a run | zap, 99th percentile | mmu_lock held for write, longest |
| --- | --- | --- | --- | --- |
{chr(10).join(lines)}

A guest that hammers the entries that are zapped, and vCPUs that are zero-stepped, are where the
policies part. Where *the VM dies*, BUSY for a vCPU's sake became a KVM_BUG: v19 repeats only a busy
tree, and a busy entry is none (A13); a lock around SEAMCALLs and zero tolerance keep out no vCPU.
Where it lives, the downstream form holds mmu_lock for write {holds[0]:.1f} times (1.5.01) and {holds[1]:.1f}
times (1.5.34) as long as v7.2 at worst against a hostile guest, since it spins where v7.2 kicks.'''


def one_lock():
    c = Cells('bench scenarios/bench/boot-accept.scn -D vcpus=8 --policy '
              f'v7.2,mmu-write-lock,seamcall-lock,retry-2,resume-guest --cost-level all {SIX}')
    rows = [ratio(c, 'boot-accept', p, 'time').replace('boot-accept', p)
            for p in ('mmu-write-lock', 'seamcall-lock', 'retry-2', 'resume-guest')]
    return c, f'''## What does one lock for all cost?

Eight vCPUs accept memory, each its own part:

{table(rows).replace('workload', 'policy')}

A lock around each SEAMCALL, or mmu_lock held for write, makes faults wait for each other's
SEAMCALLs, at each price; by how much depends on what a SEAMCALL costs, and its fixed cost is derived,
not measured. Where nobody contends, it does not matter where a retry would be made.'''


ALL = 'bench scenarios/bench/*.scn --policy all'


def measures(scenario):
    """What a workload's file measures, in its order"""
    with open(f'{root}/scenarios/bench/{scenario}.scn') as f:
        words = next(line.split() for line in f if line.startswith('measure'))
    return [w for w in words[1:] if not w.startswith('after=')]


def last_points(cells):
    """(scenario, case) -> policy -> cell, at the last point of the sweep"""
    found = {}
    for x in cells:
        at = found.setdefault((x['scenario'], x['case']), {})
        if at and next(iter(at.values()))['point'] != x['point']:
            at.clear()
        at[x['policy']] = x
    return found


def verdict(of, policy, name):
    """better, worse, no (not decided), none (it never happened) or broken"""
    if of[policy]['broken'] or of['v7.2']['broken']:
        return 'broken'
    text = columns(of[policy])[name]['verdict'] or ''
    first = text.split(' ')[0]
    return first if first in ('better', 'worse') else 'none' if 'never' in text else 'no'


def times(of, policy, name):
    """What @policy gives against v7.2: 1.23"""
    a, b = (columns(of[p])[name]['median'] for p in (policy, 'v7.2'))
    return a / b if b else 0


def span(values):
    low, high = min(values), max(values)
    return f'{low:.2f}' if f'{low:.2f}' == f'{high:.2f}' else f'{low:.2f} to {high:.2f}'


LOCKS = ('mmu-write-lock', 'seamcall-lock')
OF_2024 = ('resume-guest', 'v19-10000', 'kick-on-zero-step', 'enter-barrier', 'retry-frozen', 'retry-2')
SPIN = ('v6.16', 'rfc', 'v1', 'tdr-rwsem', 'track-lock', 'demote-loop')


def why(where):
    """What the tables come from, in words; each word is held against the run"""
    def of(s, case, name, policies, said):
        cells = where[s, case]
        for p in policies:
            if verdict(cells, p, name) != said:
                sys.exit(f'{s} {case} {name}: {p} is {verdict(cells, p, name)}, the page says {said}')
        return span([times(cells, p, name) for p in policies])
    slow = of('boot-accept', '', 'time', LOCKS, 'worse')
    far = of('two-packages', '', 'time', LOCKS, 'worse')
    zap = of('punch-running', '', 'zap.p50', OF_2024, 'worse')
    ipis = of('punch-running', '', 'count:ipis', OF_2024, 'worse')
    first = of('punch-running', '', 'zap.p50', ('kick-first',), 'worse')
    slot = of('slot-move', 'td', 'op:slot.max', SPIN, 'better')
    stall = of('slot-move', 'td', 'stall.p99', SPIN, 'better')
    exits = of('slot-move', 'td', 'exits', SPIN, 'better')
    of('slot-move', 'td', 'op:slot.p50', SPIN, 'no')
    held = of('punch-running', '', 'stall.p99', LOCKS[:1], 'better')
    ball = of('balloon', '', 'stall.p99', LOCKS[:1], 'better')
    for s, case in where:
        said = {verdict(where[s, case], p, measures(s)[0]) for p in SPIN}
        if 'worse' in said:
            sys.exit(f'{s} {case}: one of {SPIN} is worse than v7.2')
    return f'''* Where pages are only added (boot, faults, two packages) it is locks that tell policies apart: one
  for all faults makes a boot {slow} times as long, {far} times on two packages.
  Whoever retries in the handler or through the guest makes no difference that holds: nothing is BUSY there.
* Where pages are taken from a running guest, a policy that goes back to the guest with each fault
  that has to be tried again ({", ".join(OF_2024)}) sends
  {ipis} times the IPIs of v7.2 (punch-running), and its zaps take {zap} times as long at the
  median: they find more vCPUs in the guest. kick-first kicks twice a page: {first}.
* v7.2 is beaten where memslots are deleted under faults. Policies that spin in the handler while
  the slot is INVALID ({", ".join(SPIN)}) have {exits} times its TD
  exits in slot-move, and its longest slot operation and stall are {slot} and {stall} of v7.2's; the
  median is not told apart. That spinning is what v7.2 was made to end: a reader of SRCU that waits
  for a deletion that waits for it (`scenarios/races/f01-retry-invalid-slot.scn`); no seed here meets it.
* One lock for all faults makes the longest stalls of a guest whose pages are taken shorter, {held}
  (punch-running) and {ball} (balloon) of v7.2's, at the price above.
* `prefault` maps 64 pages of each vCPU before its run: what is quicker there was done before.'''


def everything(old):
    """The tables of all workloads; made with --put-all alone, else as they were"""
    if how != '--put-all':
        at = old.find('## Which policy wins where?')
        return old[at:].rstrip('\n') if at >= 0 else ''
    with open(sys.argv[4]) as f:
        cells = json.load(f)['cells']
    policies = [p for p in dict.fromkeys(x['policy'] for x in cells) if p != 'v7.2']
    where = last_points(cells)
    rows, tally = [], {p: dict.fromkeys(('better', 'worse', 'no', 'none'), 0) for p in policies}
    breaks = {p: [] for p in policies}
    for (s, case), of in where.items():
        names = measures(s)
        said = {p: verdict(of, p, names[0]) for p in policies}
        words = {w: [p if w == 'broken' else f'{p} {times(of, p, names[0]):.2f}'
                     for p in policies if said[p] == w] for w in ('better', 'worse', 'broken')}
        row = f'| {s} {case} {of["v7.2"]["point"]} | `{names[0]}` | ' + ' | '.join(
            ', '.join(words[w]) or 'nobody' for w in words) + ' |'
        rows.append(' '.join(row.split()))
        for p in policies:
            if said[p] == 'broken':
                breaks[p].append(f'{s} {case}'.strip())
                continue
            for name in names:
                tally[p][verdict(of, p, name)] += 1
    sums = [f'| {p} | {t["better"]} | {t["worse"]} | {t["no"]} | {t["none"]} | '
            f'{", ".join(breaks[p]) or "nothing"} |' for p, t in tally.items()]
    return f'''## Which policy wins where?

    septsim {ALL}

At typical prices (with `--cost-level all` it takes three times as long, and says what holds at each),
against v7.2, at the last point of each sweep; the number is the first that the workload measures:

| workload | number | better | worse | the VM dies, or it does not end |
| --- | --- | --- | --- | --- |
{chr(10).join(rows)}

The same of all {sum(len(measures(s)) for s, case in where)} numbers that these {len(where)} workloads measure:

| policy | better in | worse in | no difference that holds | never happened | broken in |
| --- | --- | --- | --- | --- | --- |
{chr(10).join(sums)}

{why(where)}'''


HEAD = '''# What the retry policies cost

Written by `tests/scenarios/policies_page.py SEPTSIM . --put`; a test sees to it. Every figure is
what the command above it prints (with `--json`), the same on any machine. Times are virtual:
cycles at 3 GHz from counted steps and prices of which several are assumed (docs/bench.md), so quote
ratios, and those that stand under *low*, *typical* and *high* alike: *better* and *worse* hold at
each of the three price levels with intervals that do not touch, all else is *not decided* by this
model. Policies: `septsim list policies`.

In short: no policy is better than the merged one (v7.2) but in some workloads, and whichever is better
there is worse, breaks or may deadlock in another. Where
nothing contends all are equal. Zapping under running vCPUs costs what its kicks cost, and kick-first
makes more of them. One lock for all costs parallel faults. Blind retry and zero tolerance end VMs
whose guests make entries busy, and where blind retry lives it holds mmu_lock longer. Which module it
is changes how often anything is BUSY at all.

'''


def text(section):
    cells, body = section()
    title, rest = body.split('\n\n', 1)
    return f'{title}\n\n    {cells.command}\n\n{rest}'


SMALL = (kicks, one_lock)
NUMBER = re.compile(r'\d+(?:\.\d+)?')


def differs(was, now):
    if NUMBER.sub('#', was) != NUMBER.sub('#', now):
        return 'it says something else now'
    for a, b in zip(NUMBER.findall(was), NUMBER.findall(now)):
        a, b = float(a), float(b)
        if abs(a - b) > max(a, b) / 4 and abs(a - b) > 2:
            return f'{a} is {b} now'
    return ''


def main():
    old = open(page).read() if os.path.exists(page) else ''
    if how:
        parts = [text(s) for s in (kicks, kick_first, versions, blind, one_lock)]
        parts.append(everything(old))
        with open(page, 'w') as f:
            f.write(HEAD + '\n\n'.join(p for p in parts if p) + '\n')
        return 0
    failed = 0
    for section in SMALL:
        now = text(section)
        title = now.split('\n', 1)[0]
        at = old.find(title)
        end = old.find('\n\n## ', at)
        why = differs(old[at:end if end > 0 else None].rstrip('\n'), now) if at >= 0 else 'no such'
        if why:
            print(f'docs/policies.md, {title}: {why}; run policies_page.py --put')
            failed = 1
    return failed


sys.exit(main())
