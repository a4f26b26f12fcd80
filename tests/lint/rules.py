# SPDX-License-Identifier: GPL-2.0-only
"""Rules that need no more than the text: floats, includes, SPDX, machine paths, versions."""
import csv
import re
from pathlib import Path

import csource

# Who may include what, from the top of the house down. KVM meets the module at one door;
# only its set-up, before cycle 0, also builds what a run starts from, and a VM without TDX
# runs guest programs, too.
LAYERS = {
    'sim/engine': ('sim/engine/',),
    'tdxmod': ('tdxmod/', 'sim/engine/'),
    'kvmmmu': ('kvmmmu/', 'tdxmod/seamcall.h', 'sim/engine/'),
    'scenarios': ('scenarios/', 'kvmmmu/', 'tdxmod/', 'sim/engine/'),
    'sim/report': ('sim/report/', 'scenarios/', 'kvmmmu/', 'tdxmod/', 'sim/engine/'),
    'sim/cli': ('sim/cli/', 'sim/report/', 'scenarios/', 'kvmmmu/', 'tdxmod/', 'sim/engine/'),
}
ALSO = ((re.compile(r'kvmmmu/(own|kernel)/\w*setup\.c$'), 'tdxmod/build.h'),
        (re.compile(r'kvmmmu/vmx_guest\.c$'), 'tdxmod/guest.h'))
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)

_FLOAT_WORDS = re.compile(r'(?:g)?(?:float|double)$|_Float\d+|str(?:to[fd]|told)$|ato(?:f)$'
                          r'|g_(?:ascii_)?(?:strtod|dtostr|formatd)$|g_random_double')
_FLOAT_NUMBER = re.compile(r'(?!0[xX])(?:\d*\.\d+|\d+\.\d*|\d+[eE])|0[xX][\da-fA-F.]*[pP]')
_FLOAT_FORMAT = re.compile(r'%[-+ #0]*[\d.*]*[fFeEgGaA]\b')


def floating_point(root=None, sources=None):
    """No floating point in the engine and the models: its results differ between machines."""
    if sources is None:
        sources = csource.sources(root, csource.MODEL_LAYERS)
    for s in sources:
        for t in [*s.code, *(t for body in s.macros.values() for t in body)]:
            if t.kind == 'word' and _FLOAT_WORDS.match(t) or \
               t.kind == 'number' and _FLOAT_NUMBER.match(t) or \
               t.kind == 'string' and _FLOAT_FORMAT.search(t):
                yield s.path, t.line, f'floating point: {t}'
        if re.search(r'#\s*include\s*<(math|tgmath|fenv|complex)\.h>', s.text):
            yield s.path, 1, 'floating point: a header for it'


def includes(root=None, sources=None):
    """Includes name their path from the root and never go up the house."""
    if sources is None:
        sources = csource.sources(root, tuple(LAYERS))
    for s in sources:
        layer = next(x for x in LAYERS if s.path.startswith(x + '/'))
        plain = re.sub(r'/\*.*?\*/', lambda m: re.sub(r'[^\n]', ' ', m.group()), s.text,
                       flags=re.S)
        for m in _INCLUDE.finditer(plain):
            line = 1 + plain.count('\n', 0, m.start())
            if '/' not in m.group(1) or '..' in m.group(1):
                yield s.path, line, f'"{m.group(1)}" is not a path from the root'
            elif not m.group(1).startswith(LAYERS[layer]) and \
                    not any(r.match(s.path) and m.group(1) == h for r, h in ALSO):
                yield s.path, line, f'{layer} may not include "{m.group(1)}"'


def spdx(root=None, texts=None):
    """Each source says its licence where the kernel wants it."""
    first = {'.c': '// SPDX-License-Identifier: GPL-2.0-only',
             '.h': '/* SPDX-License-Identifier: GPL-2.0-only */',
             '.S': '/* SPDX-License-Identifier: GPL-2.0-only */',
             '.py': '# SPDX-License-Identifier: GPL-2.0-only',
             '.sh': '# SPDX-License-Identifier: GPL-2.0-only',
             '.1': '.\\" SPDX-License-Identifier: GPL-2.0-only',
             'meson.build': '# SPDX-License-Identifier: GPL-2.0-only'}
    if texts is None:
        texts = ((n, (Path(root) / n).read_text(encoding='utf-8'))
                 for n in csource.files(root, *first))
    for name, text in texts:
        want = next(w for suffix, w in first.items() if name.endswith(suffix))
        lines = text.split('\n')
        at = 1 if lines[0].startswith('#!') else 0
        if want not in lines[at:at + 1]:
            yield name, at + 1, f'the line must be: {want}'


def machine_paths(root=None, texts=None):
    """Nothing in the tree names the machine that it was made on."""
    outside = r'(?:(?<![\w.$}/])|(?<=-[IL]))'
    home = r'/(?:root|home/\w+|work|Users/\w+|tmp/\w+|var/tmp)(?:/|\b)'
    patterns = [outside + home]
    if root and len(Path(root).resolve().parts) > 2:
        patterns.append(re.escape(str(Path(root).resolve())))
    pattern = re.compile('|'.join(patterns))
    if texts is None:
        texts = ((n, (Path(root) / n).read_bytes().decode('utf-8', 'replace'))
                 for n in csource.files(root))
    for name, text in texts:
        for n, line in enumerate(text.split('\n'), start=1):
            m = pattern.search(line)
            if m:
                yield name, n, f'path of a machine: {m.group()}'


def versions_named(root=None, texts=None):
    """A scenario that is played names its module, so that no later default changes a verdict."""
    if texts is None:
        texts = ((n, (Path(root) / n).read_text(encoding='utf-8'))
                 for n in csource.files(root, '.scn')
                 if n.startswith(('scenarios/', 'tests/scenarios/play/')))
    for name, text in texts:
        lines = [line.split('#')[0].split() for line in text.split('\n')]
        first_case = next((n for n, w in enumerate(lines) if w[:1] == ['case']), len(lines))
        if not any(w[:1] == ['variant'] for w in lines[:first_case]):
            yield name, 1, 'no variant line before the first case names a tdx='
        for n, w in enumerate(lines, start=1):
            if w[:1] == ['variant'] and not any(x.startswith('tdx=') for x in w):
                yield name, n, 'the variant names no tdx='


# Prices of a locked instruction on a line that one has: only the door adds them to a line's queue
OWNED = {'rmw-owned', 'cmpxchg-owned', 'cmpxchg16b-owned'}
DOOR = {'sim/engine/actor.c', 'sim/engine/clock.c', 'sim/engine/mem.c'}


def costs_charged(root=None, rows=None, texts=None):
    """Each price that is charged=yes is charged, no other is, and no RMW has a flat one."""
    if rows is None:
        with open(Path(root) / 'sim/engine/costs.csv', newline='', encoding='utf-8') as f:
            rows = {r['key']: r['charged'] == 'yes' for r in csv.DictReader(f)}
        texts = [(n, (Path(root) / n).read_text(encoding='utf-8'))
                 for n in csource.files(root, '.c', '.h')
                 if n.startswith(('sim/', 'tdxmod/', 'kvmmmu/', 'scenarios/'))]
    used = {}
    for name, text in texts:
        for x in re.findall(r'\bCOST_([A-Z0-9_]+)\b', text):
            key = x.lower().replace('_', '-')
            used.setdefault(key, name)
            if key in OWNED and name not in DOOR:
                yield name, 0, f'{key} is for the door: elsewhere it is a flat price of an RMW'
    for key, charged in rows.items():
        if key in used and not charged:
            yield used[key], 0, f'{key} is charged=no and is charged'
        elif charged and key not in used:
            yield 'sim/engine/costs.csv', 0, f'{key} is charged=yes, and nothing charges it'
