# SPDX-License-Identifier: GPL-2.0-only
"""What the compiler made of the engine and the models: no writable statics, no floating
point. A world that is undone must have no byte outside the arena that a decision reads.
"""
import re
import subprocess

# The one thread-local pointer that the rules allow, and the sites: constant but relocated.
ALLOWED_SYMBOLS = {'sim_self'}
WRITABLE = re.compile(r'\.(?:data|bss|tdata|tbss|ldata|lbss)(?!\.rel\.ro)(?:\.|$)|\*COM\*$')
_SYMBOL = re.compile(r'^[0-9a-f]{8,} .{7} (?P<section>\S+)\s+[0-9a-f]+\s+'
                     r'(?:\.(?:hidden|protected|internal) )?(?P<name>\S+)$')
_MEMBER = re.compile(r'^(\S+):\s+file format')
# x86: scalar and packed arithmetic, comparison, conversion (moves and shuffles also carry
# integers), x87. aarch64: the same of its f* instructions.
FLOAT = re.compile(
    r'v?(?:add|sub|mul|div|sqrt|min|max|rsqrt|rcp|round|cmp\w*|hadd|hsub|addsub|dp)[sp][sd]$'
    r'|v?u?comis[sd]$|v?cvt\w*[sp][sd]\w*$|vf(?:n?m)(?:add|sub)\w+$'
    r'|f(?:ild|ist\w*|ld\w*|st[p]?|add\w*|sub\w*|mul\w*|div\w*|com\w*|chs|abs|sqrt)\w*$'
    r'|[su]cvtf$|fcvt\w+$|fn?m(?:add|sub)$|fcmp\w*$')


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def statics(archives, objdump='objdump'):
    for archive in archives:
        member = archive
        for line in run(objdump, '-t', archive).splitlines():
            m = _MEMBER.match(line)
            if m:
                member = m.group(1)
            m = _SYMBOL.match(line)
            if not m or m['name'] in ALLOWED_SYMBOLS or m['name'].startswith('.'):
                continue
            if WRITABLE.match(m['section']):
                yield member, 0, f'writable static {m["name"]} in {m["section"]}'


def floating_point(archives, objdump='objdump'):
    for archive in archives:
        member = function = archive
        for line in run(objdump, '-d', '--no-show-raw-insn', archive).splitlines():
            m = _MEMBER.match(line)
            if m:
                member = m.group(1)
            elif line.endswith('>:'):
                function = line.split('<')[1][:-2]
            else:
                fields = line.split('\t')
                if len(fields) > 1 and FLOAT.match((fields[1].split() or [''])[0]):
                    yield member, 0, f'{function}: floating point: {fields[1].strip()}'
