# SPDX-License-Identifier: GPL-2.0-only
"""One grep leads from a kernel function to its room.

Held against each other: kernel-functions.txt (the names), the section "Kernel functions and
their rooms" of docs/model.md (a row each), and the files of kvmmmu/own (the rooms). A room has
something of its row in it; of the kernel files in STRICT it has each function's own name."""
import re
from pathlib import Path

DOC = 'docs/model.md'
NAMES = 'tests/lint/kernel-functions.txt'
OWN = 'kvmmmu/own'
STRICT = {'tdp_mmu.c', 'tdp_iter.c', 'tdx.c'}
_SECTION = re.compile(r'^### Kernel functions and their rooms\n(.*?)(?=^### |\Z)', re.S | re.M)
_NAME = re.compile(r'(?<![\w.])[A-Za-z_]\w+(?![\w.])')
_BRACKETS = re.compile(r'\(([^)]*)\)')


def rows(doc):
    """(line, strict, names of v7.2, names of other kernels, room, text); names None: no row"""
    part = _SECTION.search(doc)
    if not part:
        return
    strict = False
    first = doc.count('\n', 0, part.start(1)) + 1
    for n, line in enumerate(part.group(1).split('\n'), start=first):
        if line.startswith('#### '):
            strict = bool(STRICT & set(re.findall(r'[\w.]+', line)))
        if not line.startswith('| ') or line.startswith(('| ---', '| kernel function |')):
            continue
        cells = [c.strip() for c in line.strip('|').split('|')]
        if len(cells) != 3:
            yield n, strict, None, None, None, None
            continue
        others = [x for b in _BRACKETS.findall(cells[0]) for x in _NAME.findall(b)]
        yield n, strict, _NAME.findall(_BRACKETS.sub('', cells[0])), others, cells[1], cells[2]


def one_row(strict, now, others, room, text, words):
    """What is wrong with a row by itself."""
    if room == '-':
        if not text:
            yield f'{now[0]}() is not modelled: why?'
        return
    rooms = [r.strip() for r in room.split(',')]
    for r in rooms:
        if r not in words:
            yield f'{now[0]}(): there is no {OWN}/{r}'
        elif not words[r].intersection(now + others):
            yield f'{now[0]}(): nothing of the row is in {OWN}/{r}'
    for name in now + others if strict else ():
        if not any(name in words.get(r, ()) for r in rooms):
            yield f'{name}() is not found in its room, {room}'


def check(root=None, doc=None, names=None, words=None):
    if doc is None:
        doc = (Path(root) / DOC).read_text(encoding='utf-8')
        names = (Path(root) / NAMES).read_text(encoding='utf-8')
        words = {p.name: set(re.findall(r'[A-Za-z_]\w+', p.read_text(encoding='utf-8')))
                 for p in (Path(root) / OWN).iterdir()}
    want = [x for line in names.split('\n') if line[:1] not in ('', '#', '[') for x in line.split()]
    for x in sorted({x for x in want if want.count(x) > 1}):
        yield NAMES, 0, f'{x} stands twice'
    seen = {}
    for n, strict, now, others, room, text in rows(doc):
        if not now:
            yield DOC, n, 'a row is | functions | room | differences |'
            continue
        for x in now:
            if x in seen:
                yield DOC, n, f'{x}() has a row already, {seen[x]}'
            seen[x] = n
        for x in sorted(set(now) - set(want)):
            yield NAMES, 0, f'{x} has a row and is not here'
        for what in one_row(strict, now, others, room, text, words):
            yield DOC, n, what
    for x in sorted(set(want) - set(seen)):
        yield DOC, 0, f'no row of {x}()'
