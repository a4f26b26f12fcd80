#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes the kernel half of a septsim from a tree of Linux, which it only reads.

Each header that the tree's KVM includes comes from the tree or from the shim, never by
accident: headers.txt says which, and one that it does not name stops the build. The files of
KVM are compiled whole, as they are. What comes out is one object whose only symbols are
septsim's, and a C file that says what it was made from.
"""
import argparse
import concurrent.futures
import fnmatch
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Where the tree keeps the headers of <...> and of "..."
# What counts the lines that run, see host_lines.c
LINES = ['-fsanitize-coverage=trace-pc']
PLACES = ('include', 'arch/x86/include', 'include/uapi', 'arch/x86/include/uapi')


def die(text):
    sys.exit('linux_tree: ' + text)


def rows(name):
    """Lines of a data file, as lists of words; # starts a comment."""
    for line in (HERE / name).read_text(encoding='utf-8').split('\n'):
        words = line.split('#')[0].split()
        if words:
            yield words


def version_of(tree):
    """What its Makefile says."""
    try:
        text = (tree / 'Makefile').read_text(encoding='utf-8')
    except OSError:
        die(f'{tree} has no Makefile: it is no tree of Linux')
    parts = dict(re.findall(r'^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION) *= *(\S*)$', text, re.M))
    if 'VERSION' not in parts or 'PATCHLEVEL' not in parts:
        die(f'{tree}/Makefile names no version: it is no tree of Linux')
    v = parts['VERSION'] + '.' + parts['PATCHLEVEL']
    if parts.get('SUBLEVEL', '0') not in ('', '0'):
        v += '.' + parts['SUBLEVEL']
    return v + parts.get('EXTRAVERSION', '')


def link(src, dst):
    dst.parent.mkdir(parents=True, exist_ok=True)
    if not dst.is_symlink():
        dst.symlink_to(src)


class Farm:
    """The directory of links, and what was compiled in it."""

    def __init__(self, tree, out):
        self.tree, self.out = tree, out
        shutil.rmtree(out / 'farm', ignore_errors=True)
        (out / 'farm').mkdir(parents=True)
        self.files = []		# of the tree, compiled whole

    def headers(self):
        """Names in headers.txt: from the tree, or a shim file that stands for many."""
        inc = self.out / 'farm/include'
        for where, name, *more in rows('headers.txt'):
            if where == 'tree':
                found = [p for p in PLACES if (self.tree / p / name).exists()]
                if not found:
                    continue		# of another version of Linux
                for p in found:
                    if 'uapi' in p:
                        link(self.tree / p / name, inc / 'uapi' / name)
                first = next((p for p in found if 'uapi' not in p), found[0])
                link(self.tree / first / name, inc / name)
            elif where == 'shim':
                dst = inc / name
                dst.parent.mkdir(parents=True, exist_ok=True)
                dst.write_text(f'#include <{more[0] if more else "septsim.h"}>\n',
                               encoding='utf-8')
            else:
                die(f'headers.txt: neither "tree" nor "shim": {where}')

    def sources(self):
        """Directories of KVM whose own headers are all the tree's, but for those of the shim."""
        shims = {w[1]: w[2] for w in rows('headers.txt') if w[0] == 'shim' and len(w) > 2}
        for d, sub in (('arch/x86/kvm', 'kvm'), ('arch/x86/kvm/mmu', 'kvm/mmu'),
                       ('arch/x86/kvm/vmx', 'kvm/vmx'), ('virt/kvm', 'virt'),
                       ('arch/x86/virt/vmx/tdx', 'tdx'), ('lib', 'lib')):
            if not (self.tree / d).is_dir():
                die(f'{self.tree} has no {d}: a tree with KVM for TDX is wanted')
            for p in sorted((self.tree / d).iterdir()):
                if p.suffix in ('.h', '.c') and f'{sub}/{p.name}' not in shims:
                    link(p, self.out / 'farm' / sub / p.name)
            for p, real in shims.items():
                if p.startswith(sub + '/') and '/' not in p[len(sub) + 1:]:
                    dst = self.out / 'farm' / p
                    dst.parent.mkdir(parents=True, exist_ok=True)
                    dst.write_text(f'#include <{real}>\n', encoding='utf-8')


def probes(tree):
    """Flags for what differs between versions of Linux, from a look at the tree."""
    flags = []
    for flag, name, pattern in (w[:2] + [' '.join(w[2:])] for w in rows('probes.txt')):
        f = tree / name
        if f.exists() and re.search(pattern, f.read_text(encoding='utf-8'), re.M):
            flags.append('-D' + flag)
    return flags


def function_text(text, name):
    """The definition of @name as it stands, or '' if there is none."""
    m = re.search(rf'^(?!#|\s)[^;{{}}()\n]*\b{name}\([^;{{}}()]*\)\n{{.*?^}}', text, re.M | re.S)
    return m[0] if m else ''


def fingerprints(tree):
    """Of the functions that imitated.txt names: those whose text it was not written from."""
    other = []
    for name, file, *known in rows('imitated.txt'):
        try:
            text = function_text((tree / file).read_text(encoding='utf-8'), name)
        except OSError:
            text = ''
        have = hashlib.sha256(text.encode()).hexdigest()[:16] if text else 'none'
        if have not in known:
            other.append((name, file, have))
    return other


class Compiler:
    """One way to call it, and what its errors mean."""

    def __init__(self, cc, farm, flags, tsan):
        self.cc, self.farm = cc, farm
        self.sums = {}		# of files read, by name
        builtin = subprocess.run([*cc, '-print-file-name=include'], capture_output=True,
                                 text=True, check=True).stdout.strip()
        self.clang = 'clang' in subprocess.run([*cc, '--version'], capture_output=True,
                                               text=True, check=True).stdout
        # Each plain access calls glue_tsan.c first; marked ones are volatile, and ours.
        self.hooks = ['-fsanitize=thread', *(
            ['-mllvm', '-tsan-distinguish-volatile=1', '-mllvm',
             '-tsan-instrument-func-entry-exit=0', '-mllvm', '-tsan-instrument-atomics=0']
            if self.clang else
            ['--param=tsan-distinguish-volatile=1', '--param=tsan-instrument-func-entry-exit=0'])]
        # What has none tells ThreadSanitizer of its atomic operations, where one is linked.
        self.atomics = ['-fsanitize=thread', '-mllvm', '-tsan-instrument-memory-accesses=0',
                        '-mllvm', '-tsan-instrument-func-entry-exit=0',
                        '-mllvm', '-tsan-instrument-memintrinsics=0'] if tsan and self.clang else []
        f = farm.out / 'farm'
        self.flags = [
            '-std=gnu11', '-O2', '-g', '-nostdinc', '-fms-extensions', '-fno-strict-aliasing',
            '-fwrapv', '-funsigned-char', '-fno-stack-protector', '-fcf-protection=none',
            '-fno-delete-null-pointer-checks', '-fPIC', '-fvisibility=hidden', '-ffunction-sections', '-fdata-sections',
            '-fno-common', '-fno-inline', '-fno-builtin', '-Werror=implicit-function-declaration', '-Werror=implicit-int',
            '-Werror=int-conversion', '-Werror=incompatible-pointer-types',
            '-D__KERNEL__', '-isystem', builtin, '-I', str(HERE / 'shim'), '-I', str(HERE.parent.parent),
            '-I', str(f / 'kvm'), '-I', str(f / 'include'), '-I', str(f / 'include/uapi'),
            '-include', 'linux/kconfig.h', '-include', 'linux/compiler_types.h',
            '-include', 'septsim.h', *flags]

    def one(self, src, obj, extra, seams):
        """
        Compile @src, or say what is wrong in terms of the tree and the shim. @seams: the begin
        and the end of its functions call glue_tsan.c, too.
        """
        # These announce their own.
        bare = src.name in ('glue_tsan.c', 'glue_lib.c', 'glue_mm.c')
        extra = [*extra, *(self.atomics if bare else self.hooks)]
        if seams:
            extra = ['-fno-optimize-sibling-calls'] + [
                e.replace('entry-exit=0', 'entry-exit=1') for e in extra]
        dep = obj.with_suffix('.d')
        cmd = [*self.cc, *self.flags, *extra, '-MD', '-MF', str(dep), '-c', str(src), '-o', str(obj)]
        key = obj.with_suffix('.key')
        if obj.exists() and key.exists() and key.read_text() == self.key(cmd, dep):
            return None
        r = subprocess.run(cmd, capture_output=True, text=True, check=False)
        if r.returncode:
            key.unlink(missing_ok=True)
            return self.explain(src, r.stderr)
        key.write_text(self.key(cmd, dep))
        return None

    def key(self, cmd, dep):
        """Of what an object was made from: the command, and the text of each file it read."""
        try:
            names = dep.read_text(encoding='utf-8').replace('\\\n', ' ').split(':', 1)[1].split()
            for n in names:
                if n not in self.sums:
                    self.sums[n] = sha256(Path(n))
        except OSError:
            return ''
        return hashlib.sha256(repr((cmd, [(n, self.sums[n]) for n in names])).encode()).hexdigest()

    def explain(self, src, err):
        """The first error, with what to do about it."""
        root = str(self.farm.out / 'farm') + '/'
        err = err.replace(root, '')
        m = re.search(r'^(\S+?):(\d+):.*?error: .*?([\w./-]+\.[ch])[\'’]?( file not found|: No such)',
                      err, re.M)
        if m and any(w[:2] == ['tree', m[3]] for w in rows('headers.txt')):
            return (f'{m[3]}, which {m[1]} line {m[2]} includes, is to come from the tree, which '
                    f'has none.\n  Is this all of a tree? If another header has its place there, '
                    f'add that to kvmmmu/kernel/headers.txt')
        if m:
            return (f'{m[3]}, which {m[1]} line {m[2]} includes, is neither a header of the tree '
                    f'that is let in nor one of the shim.\n  Add a line to '
                    f'kvmmmu/kernel/headers.txt: "tree {m[3]}" if KVM needs what is in it, '
                    f'"shim {m[3]}" if not')
        first = re.search(r'^.*error:.*$', err, re.M)
        ids = re.search(r"error:.*?[‘'](\w+)[’']", err)
        what = ''
        if first and 'kvmmmu/kernel/glue_' in first[0].split(': error')[0]:
            what = (f'That line of kvmmmu/kernel/{src.name} is ours, and wants something of the tree '
                    'that this one has not, or has otherwise: a probe in probes.txt can tell them '
                    'apart')
        elif ids:
            what = f'"{ids[1]}" is what is not known'
            if not self.in_tree(ids[1]):
                what += ', nor is it in any header of the tree: the tree itself may be broken'
            else:
                what += (' here: the tree has it where the shim stands for it; declare it in '
                         'kvmmmu/kernel/shim/septsim/, see docs/your-kernel.md')
        return (f'{src.name} does not compile: {first[0] if first else err[:400]}\n  {what}',
                '\n'.join(x for x in err.split('\n') if 'error:' in x)[:4000])

    def in_tree(self, name):
        """Does a header of the tree's say that word?"""
        tree = self.farm.tree
        return not subprocess.run(['grep', '-rqw', '--include=*.h', name,
                                   *(str(tree / p) for p in (*PLACES, 'virt', 'arch/x86/kvm')
                                     if (tree / p).is_dir())], check=False).returncode


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument('--tree', type=Path, required=True)
    ap.add_argument('--out', type=Path, help='directory to build in')
    ap.add_argument('--obj', type=Path)
    ap.add_argument('--info', type=Path)
    ap.add_argument('--sites', type=Path)
    ap.add_argument('--depfile', type=Path)
    ap.add_argument('--plain', action='store_true', help='plain accesses are steps')
    ap.add_argument('--tsan', action='store_true', help='ThreadSanitizer is linked')
    ap.add_argument('--lines', action='store_true', help='say which lines run')
    ap.add_argument('--fingerprints', action='store_true',
                    help='only print the lines of imitated.txt that the tree would add')
    ap.add_argument('cc', nargs='*')
    a = ap.parse_args()
    a.tree = a.tree.resolve()
    if a.fingerprints:
        for row in fingerprints(a.tree):
            print(*row)
        return
    if not (a.out and a.obj and a.info and a.sites and a.cc):
        ap.error('--out, --obj, --info, --sites and a compiler are wanted')
    version = version_of(a.tree)
    farm = Farm(a.tree, a.out.resolve())
    farm.headers()
    farm.sources()
    cc = Compiler(a.cc, farm, probes(a.tree) + (LINES if a.lines else []), a.tsan)
    jobs = []
    for src, unit, *extra in rows('units.txt'):
        if src != '-' and not (a.tree / src).exists():
            die(f'{a.tree} has no {src}')
        if src != '-':
            farm.files.append(src)
            link(a.tree / src, farm.out / 'farm/tree' / src)
        jobs.append((src, unit, extra))
    build(farm, cc, jobs, a, version)


def build(farm, cc, jobs, a, version):
    """Compile all, two at a time; every file's first error is said."""
    objdir = farm.out / 'obj'
    objdir.mkdir(exist_ok=True)
    bad, objs, by_file = [], [], {}
    seams = list(rows('seams.txt'))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        runs = []
        for src, unit, extra in jobs:
            path = HERE / unit if unit.startswith('glue') else farm.out / 'farm' / unit
            obj = objdir / (Path(unit).stem + '_' + (Path(unit).parent.name or 'kernel') + '.o')
            objs.append(obj)
            by_file[src] = obj
            extra = [e.replace('@FARM@', str(farm.out / 'farm')) for e in extra]
            runs.append(pool.submit(cc.one, path, obj, extra, any(f == src for _, f in seams)))
        for r in runs:
            if r.result():
                bad.append(r.result())
    for b in bad:
        print(b if isinstance(b, str) else b[0] + '\n' + b[1], file=sys.stderr)
    if bad:
        die(f'{len(bad)} of {len(jobs)} files do not compile')
    objs.append(make_seams(cc, objdir, [(name, by_file[f]) for name, f in seams]))
    link_all(farm, cc, objs, a.obj)
    write_sites(objdir / 'whole.o', version, a.sites)
    write_info(farm, cc, a, version)
    if a.depfile:
        write_depfile(objs, a)


def run(*cmd):
    r = subprocess.run([str(c) for c in cmd], capture_output=True, text=True, check=False)
    if r.returncode:
        die(f'{cmd[0]} failed:\n{r.stderr[:4000]}')
    return r.stdout


def make_seams(cc, d, seams):
    """A table of where the functions of seams.txt lie; one that this tree has not is left out."""
    table, externs = '', ''
    for n, (name, obj) in enumerate(seams):
        for line in run('nm', '-S', '--defined-only', obj).splitlines():
            words = line.split()
            if len(words) != 4 or words[2] not in 'tT' or not re.fullmatch(
                    re.escape(name) + r'(\.(isra|constprop)\.\d+)*', words[3]):
                continue
            run('objcopy', '--globalize-symbol=' + words[3], obj)
            externs += f'extern const char seam{n}[] __asm__("{words[3]}");\n'
            table += f'\t{{ "{name}", seam{n}, 0x{words[1]} }},\n'
    src, obj = d / 'seams.c', d / 'seams.o'
    src.write_text('#include "kvmmmu/kernel/ksim.h"\n' + externs +
                   f'const struct ksim_seam ksim_seams[] = {{\n{table}\t{{ 0, 0, 0 }},\n}};\n',
                   encoding='utf-8')
    run(*cc.cc, '-fPIC', '-O1', '-fcf-protection=none', '-I', HERE.parent.parent, '-c', src, '-o',
        obj)
    return obj


# Statics lie between two symbols, with room for a copy; what nothing reaches from ktree_*() is
# left out, and with it what that would have wanted of the rest of Linux.
SCRIPT = """
SECTIONS
{
	.text : {
		ksim_text_start = .;
		*(.text .text.*)
		ksim_text_end = .;
	}
	ksim_data : {
		ksim_data_start = .;
		*(.data .data.* .bss .bss.* COMMON)
		. = ALIGN(64);
		ksim_data_end = .;
		ksim_data_copy = .;
		. = . + (ksim_data_end - ksim_data_start);
		ksim_data_copied = .;
		QUAD(0)
	}
	ksim_cpudata : {
		ksim_percpu_start = .;
		KEEP(*(ksim_cpudata))
		ksim_percpu_end = .;
		QUAD(0)
	}
	ksim_locks : {
		ksim_locks_start = .;
		KEEP(*(ksim_locks))
		ksim_locks_end = .;
		QUAD(0)
	}
}
"""
OURS = re.compile(r'(ktree_\w+|ksim_(data|percpu|locks|text)_\w+)$')


def symbols(obj, *flags):
    return [line.split()[-1] for line in run('nm', *flags, obj).splitlines() if line.split()]


def strong(obj):
    """Global symbols that @obj defines, but for weak ones."""
    return [w[2] for w in (line.split() for line in run('nm', '--defined-only', '-g', obj).splitlines())
            if len(w) == 3 and w[1] in 'TDBR']


def link_all(farm, cc, objs, out):
    """One object; a function that is nowhere is one that says so when it is called."""
    d = farm.out / 'obj'
    script, whole = d / 'kernel.lds', d / 'whole.o'
    script.write_text(SCRIPT, encoding='utf-8')
    # What stands for x86.c gives way where a tree has it in a file that is compiled whole.
    ours = [d / 'glue_x86_kernel.o', d / 'glue_run_kernel.o']
    theirs = {s for o in objs if o not in ours for s in strong(o)}
    for o in ours:
        run('objcopy', *(f'--weaken-symbol={s}' for s in strong(o) if s in theirs), o)
    roots = sorted({s for o in objs for s in symbols(o, '--defined-only', '-g')
                    if s.startswith('ktree_')})
    base = ['ld', '-r', '-T', script, '--gc-sections', *('-u' + r for r in roots)]
    run(*base, *objs, '-o', whole)
    there = {w[0] for w in rows('host.txt')}
    missing = [s for s in symbols(whole, '-u') if s not in there and
               not s.startswith(('ksim_', 'ktrace_', '__tsan_', '_GLOBAL_'))]
    (farm.out / 'missing.txt').write_text('\n'.join(missing) + '\n', encoding='utf-8')
    stubs = d / 'stubs.c'
    stubs.write_text('extern void ksim_missing(const char *);\n' + ''.join(
        f'void {s}(void) {{ ksim_missing("{s}"); }}\n' for s in missing), encoding='utf-8')
    run(*cc.cc, '-fPIC', '-O1', '-fcf-protection=none', '-w', '-fno-builtin', '-c', stubs, '-o',
        d / 'stubs.o')
    run(*base, *objs, d / 'stubs.o', '-o', whole)
    keep = d / 'keep.txt'
    keep.write_text('\n'.join(s for s in symbols(whole, '--defined-only', '-g')
                              if OURS.match(s)) + '\n', encoding='utf-8')
    run('objcopy', '-w', '--weaken-symbol=ktrace_*', f'--keep-global-symbols={keep}', whole, out)


ACCESS = re.compile(r'__tsan_(?:unaligned_)?(read|write|read_write)(?:\d+|_range)$')


def plain_sites(obj):
    """Each plain access of @obj: where the hook returns to, is it a store, function, file, line."""
    calls, section = [], ''
    for line in run('readelf', '-rW', obj).splitlines():
        if line.startswith('Relocation section'):
            section = line.split("'")[1]
        w = line.split()
        m = ACCESS.match(w[4]) if section == '.rela.text' and len(w) > 4 else None
        if m:
            calls.append((int(w[0], 16) + 4, 0 if m[1] == 'read' else 1))
    calls.sort()
    said = subprocess.run(['addr2line', '-f', '-j', '.text', '-e', str(obj)], text=True, check=True,
                          input=''.join(f'{at - 1:#x}\n' for at, _ in calls),
                          capture_output=True).stdout.split('\n')
    for (at, store), func, place in zip(calls, said[::2], said[1::2]):
        file, _, number = place.split(' ')[0].rpartition(':')
        yield at, store, func, file, int(number) if number.isdigit() else 0


def write_sites(obj, version, out):
    """A C file with the places of plain accesses as sites, by address."""
    rows_ = list(plain_sites(obj))
    with out.open('w', encoding='utf-8') as f:
        f.write('''// Made by farm.py: what a plain access is called, by where its hook returns to.
#include "kvmmmu/kernel/host.h"

static const struct site sites[] __attribute__((section("sim_sites"), used, aligned(8))) = {
''')
        f.writelines(f'\t{{ "{file}", "{func}", {line}, 0 }},\n' for _, _, func, file, line in rows_)
        f.write('};\nstatic const struct ksim_plain_at at[] = {\n')
        f.writelines(f'\t{{ {at:#x}, {store} }},\n' for at, store, *_ in rows_)
        f.write('''};

const struct ksim_plain_table ksim_plain_table = { at, sites, sizeof(at) / sizeof(at[0]) };
const struct ksim_known_race ksim_known_races[] = {
''')
        f.writelines(f'\t{{ "{w[0]}", "{w[1]}" }},\n' for w in rows('races.txt')
                     if any(fnmatch.fnmatch(version, v) for v in w[2].split(',')))
        f.write('\t{ 0, 0 },\n};\n')


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_info(farm, cc, a, version):
    """A C file that says what the object was made from."""
    name = run(*cc.cc, '--version').splitlines()[0]
    other = [n for n, _, _ in fingerprints(a.tree)]
    other = ('imitated, and not as in the kernels known here: ' + ', '.join(other)) if other else ''
    rows_ = ''.join(f'\t\t{{ "{f}", "{sha256(farm.out / "farm" / "tree" / f)}" }},\n'
                    for f in farm.files)
    a.info.write_text(f"""// Made by farm.py.
#include "kvmmmu/kmmu_ops.h"

const struct kmmu_tree *kmmu_tree(void)
{{
\tstatic const struct kmmu_tree_file files[] = {{
{rows_}\t\t{{ 0, 0 }},
\t}};
\tstatic const struct kmmu_tree tree = {{
\t\t.version = "{version}", .compiler = "{name}",
\t\t.flags = "{'plain accesses are steps' if a.plain else ''}",
\t\t.files = files, .imitated = "{other}",
\t}};

\treturn &tree;
}}
""", encoding='utf-8')


def write_depfile(objs, a):
    """What the build rests on: every file of the tree, and all of ours."""
    deps = set()
    for o in objs:
        if not o.with_suffix('.d').exists():	# of what was made here
            continue
        text = o.with_suffix('.d').read_text(encoding='utf-8').replace('\\\n', ' ')
        deps.update(os.path.realpath(w) for w in text.split(':', 1)[1].split())
    deps.update(str(p) for p in HERE.iterdir() if p.suffix in ('.txt', '.py'))
    a.depfile.write_text(f'{a.obj}: ' + ' '.join(sorted(deps)) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
