#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Each lint fires on what it forbids and is silent on what looks like it.

Usage: selftest.py COMPILER...  (the command that compiles C, for the lints of objects)
"""
import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import covered
import csource
import lint
import objects
import one_step
import raw_access
import rooms
import rules

COMPILER = ['cc']

STEPS = '''
#define REGION(name, lvalue) add(name, &(lvalue), sizeof(lvalue))
#define VALUE(lvalue) (&(lvalue) == (lvalue))
struct s {
	u64 word, many[2];
	struct inner *in, by_value;
	struct other *other;
};
struct inner *inner_of(struct s *s);
struct other *other_of(struct s *s);

static u64 first(struct s *s)
{
	mem_write64(&s->in->state, 1);
	mem_write64(&s->many[1], 1);
	return mem_read64(&s->word);
}

static u64 second(struct s *s)
{
	return first(s);
}
#define THIRD(s) second(s)
'''


def body(statement, before=STEPS):
    return csource.Source('tdxmod/x.c', f'{before}\nvoid f(struct s *s, u64 *p)\n'
                          f'{{\n\t{statement}\n}}\n')


class OneStep(unittest.TestCase):
    bad = [
        'f(mem_read64(a), mem_read64(b));',
        'a[mem_read64(p)] = mem_read64(q);',
        'if (mem_read64(a) && mem_read64(b)) return;',
        'while (mem_bts64(a, 1) == mem_read8(b)) ;',
        'u64 a = mem_read64(p), b = mem_read64(q);',
        'struct t v = { mem_read64(a), mem_read64(b) };',
        'return mem_xadd16(a, 1) + mem_fence();',
        'if (x) y(mem_read64(a) * mem_read64(b)); else z();',
        'x = first(s) + second(s);',
        'g(first(s), 1, THIRD(s));',
        'a[first(s)] = second(s);',
        'h((struct t){ .a = first(s), .b = second(s) });',
        'x = ({ u64 v = first(s) - second(s); v; });',
        'for_each(i, s) { a = mem_read64(p) + mem_read64(q); }',
        'for_each(i, first(s), second(s)) { x(); }',
    ]
    good = [
        'x = mem_read64(a); y = mem_read64(b);',
        'if (mem_read64(a)) mem_write64(b, 1); else mem_write64(b, 2);',
        'for (i = mem_read64(a); i < mem_read64(b); i++) mem_fence();',
        'switch (first(s)) { case 1: second(s); break; default: first(s); }',
        'if ((err = first(s)) || (err = second(s))) return;',
        'x = c ? first(s) : second(s);',
        'u64 a = first(s), b = second(s);',
        'first(second(s));',
        'f(mem_read64(a), mem_peek64(b)); /* mem_read64(c) */ t("mem_read64(d)");',
        'g(sizeof(first(s)), second(s));',
        'for_each(i, s) { retry: if (first(s)) continue; if (second(s)) goto retry; }',
        'for_each(i, s) { x = mem_read64(p); y = mem_read64(q); }',
    ]

    def test(self):
        for text in self.bad:
            self.assertTrue(one_step.check(sources=[body(text)]), text)
        for text in self.good:
            self.assertEqual(one_step.check(sources=[body(text)]), [], text)

    def test_line(self):
        found = one_step.check(sources=[body('f(mem_read64(a),\n\tmem_read64(b));', '')])
        self.assertEqual(found, [('tdxmod/x.c', 5, 'mem_read64 and mem_read64 in one full '
                                                   'expression')])

    def test_static(self):
        """A static function of that name in another file is another function."""
        other = csource.Source('tdxmod/y.c', 'static int first(int x)\n{\n\treturn x;\n}\n'
                               'int g(void)\n{\n\treturn first(1) + first(2);\n}\n')
        self.assertEqual(one_step.check(sources=[body(''), other]), [])
        third = csource.Source('tdxmod/z.c', 'int g(struct s *s)\n{\n\treturn shown(s) + '
                               'shown(s);\n}\n')
        shown = csource.Source('tdxmod/w.c', STEPS + 'u64 shown(struct s *s)\n{\n\treturn '
                               'first(s);\n}\n')
        self.assertEqual(len(one_step.check(sources=[shown, third])), 1)

    def test_macro(self):
        s = csource.Source('x.h', '#define M(a) \\\n\t(mem_read8(a) + mem_read8(a + 1))\n')
        self.assertEqual(len(one_step.check(sources=[s])), 1)


class RawAccess(unittest.TestCase):
    bad = [
        'x = s->word;',
        's->word = 1;',
        's->word++;',
        'x = y & s->word;',
        'x = t.a[3].word;',
        'x = (u64)s->in->state;',
        'x = s->by_value.state;',
        'x = inner_of(s)->state;',
        'struct inner *in, *two; x = two[1].state;',
        'x = unclear(s)->state;',
        'x = *(u8 *)s->in & s->word;',
        'x = s->many[1];',
        'VALUE(s->word);',
        'world_set(s->other, s->word);',
        'REGION(s->word, y);',
        'v = mem_read64(p); *p = v;',
        'v = mem_read64(p); return p[1];',
        'v = mem_read64(p); x = 2 * **p;',
        'x = *(u64 *)phys_to_ptr(hpa);',
        'phys_to_ptr(hpa)->a = 1;',
        'x = *(volatile u64 *)s;',
        '__atomic_store_n(&s->x, 1, 5);',
        '__sync_synchronize();',
        'v = atomic_load(&s->x);',
    ]
    good = [
        'x = mem_peek64(&s->word); first(s);',
        'mem_write64(&s->word, 1);',
        'q = &s->word; q = &s->a[1].word;',
        'world_set(s->word, 1);',
        'world_set(s->word, s->word | 1);',
        'x = sizeof(s->word) + offsetof(struct s, a.word);',
        'struct s v = { .word = 1, .other = 2 };',
        'x = s->word.inner.x;',
        'x = s->other; y = word;',
        'v = mem_read64(p); q = p + 1; x = v * p2; mem_write64(&p[1], 2);',
        'u64 *p = s->q; mem_read64(p);',
        'u64 **p = s->q; mem_read64(p);',
        's->word = 0; /* raw: nobody has seen it yet */',
        'x = s->other->state; y = other_of(s)->state;',
        'struct other *o = s->other; x = o->state;',
        'struct inner v = { 0 }; v.state = 1; g(&v);',
        'x = (u8 *)&s->word;',
        'g(s->many); q = s->many + 1;',
        'REGION("word", s->word);',
        'q = phys_to_ptr(hpa);',
    ]

    def test(self):
        for text in self.bad:
            self.assertTrue(raw_access.check(sources=[body(text)]), text)
        for text in self.good:
            self.assertEqual(raw_access.check(sources=[body(text)]), [], text)

    def test_layers_apart(self):
        engine = csource.Source('sim/engine/x.c', STEPS)
        module = body('x = s->word;', '')
        self.assertEqual(raw_access.check(sources=[engine, module]), [])

    def test_own_words(self):
        for text in ('#define READ_ONCE(x) (x)\n', '#include <stdatomic.h>\n',
                     '#define MINE(x) (*(volatile u64 *)(x))\n'):
            self.assertTrue(raw_access.check(sources=[csource.Source('kvmmmu/x.h', text)]), text)
        door = csource.Source('sim/engine/mem.h', '#define P(p) (*(volatile u8 *)(p))\n')
        self.assertEqual(raw_access.check(sources=[door]), [])


class Text(unittest.TestCase):
    def find(self, rule, path, text):
        return list(rule(sources=[csource.Source(path, text)]))

    def test_floating_point(self):
        for text in ('double x;', 'float f(void);', 'x = 1.5;', 'x = 1e9;', 'x = .5;',
                     'printf("%5.2f", x);', 'x = strtod(s, NULL);', '#define X 0.1\n',
                     '#include <math.h>\n', 'long double x;'):
            self.assertTrue(self.find(rules.floating_point, 'tdxmod/x.c', text), text)
        for text in ('x = 0x1e9;', 's = "1.5.01";', '/* 1.5 float */', 'x = floating;',
                     'printf("%5lu%%", x);', 'x = 0xe + 15ull;', 'a.b = c1.e5;'):
            self.assertEqual(self.find(rules.floating_point, 'tdxmod/x.c', text), [], text)

    def test_includes(self):
        for path, name in (('sim/engine/x.c', 'tdxmod/seamcall.h'), ('tdxmod/x.c', 'kvmmmu/kmmu.h'),
                           ('kvmmmu/own/x.c', 'tdxmod/td.h'),
                           ('kvmmmu/own/tdx.c', 'tdxmod/build.h'),
                           ('kvmmmu/own/kmmu_setup.c', 'tdxmod/td.h'), ('kvmmmu/x.h', 'scenarios/ast.h'),
                           ('scenarios/x.c', 'sim/report/t.h'), ('sim/report/x.c', 'sim/cli/x.h'),
                           ('tdxmod/x.c', 'x.h'), ('tdxmod/x.c', '../sim/engine/mem.h')):
            text = f'/* one\n */\n#include "{name}"\n'
            found = self.find(rules.includes, path, text)
            self.assertEqual([f[1] for f in found], [3], (path, name))
        for path, name in (('kvmmmu/x.c', 'tdxmod/seamcall.h'), ('tdxmod/x.c', 'sim/engine/mem.h'),
                           ('kvmmmu/own/kmmu_setup.c', 'tdxmod/build.h'),
                           ('sim/cli/x.c', 'sim/report/t.h'), ('scenarios/x.c', 'kvmmmu/kmmu.h')):
            self.assertEqual(self.find(rules.includes, path, f'#include "{name}"\n'
                                       '#include <glib.h>\n/* #include "up.h" */\n'), [])

    def test_spdx(self):
        good = {'a.c': '// SPDX-License-Identifier: GPL-2.0-only\n',
                'a.h': '/* SPDX-License-Identifier: GPL-2.0-only */\n',
                'a.py': '#!/usr/bin/env python3\n# SPDX-License-Identifier: GPL-2.0-only\n'}
        self.assertEqual(list(rules.spdx(texts=good.items())), [])
        bad = {'a.c': good['a.h'], 'b.c': '\n' + good['a.c'], 'a.h': good['a.c'], 'a.py': 'x\n',
               'meson.build': "project('x')\n"}
        self.assertEqual(len(list(rules.spdx(texts=bad.items()))), len(bad))

    def test_machine_paths(self):
        bad = ['see /' + 'work/main', '"/' + 'root/x"', 'a /' + 'home/joe/x', '-I/' + 'tmp/build',
               '(/' + 'Users/joe/y)']
        for text in bad:
            self.assertTrue(list(rules.machine_paths(texts=[('x', text)])), text)
        good = ['/usr/bin/python3', 'the work/lock ratio', '$build/home/x', 'a/root/b', 'tmp/x',
                'https://host/home/joe']
        for text in good:
            self.assertEqual(list(rules.machine_paths(texts=[('x', text)])), [], text)

    def test_costs_charged(self):
        rows = {'a-b': True, 'c': False, 'rmw-owned': True}
        texts = [('x.c', 'COST_A_B'), ('sim/engine/actor.c', 'COST_RMW_OWNED COST_LOW')]
        self.assertEqual(list(rules.costs_charged(rows=rows, texts=texts)), [])
        for bad in ('COST_A_B COST_C', 'COST_A_B COST_RMW_OWNED', 'COST_A_BC'):
            texts[0] = ('x.c', bad)
            self.assertEqual(len(list(rules.costs_charged(rows=rows, texts=texts))), 1, bad)

    def test_versions_named(self):
        head = 'title t\nvariant kvm=v7.2 tdx=1.5.01\ncase a\n'
        for text in (head, head + '    variant tdx=1.5.34 # newest\n'):
            self.assertEqual(list(rules.versions_named(texts=[('x', text)])), [], text)
        for text in ('title t\n', 'variant kvm=v7.2\n', 'case a\n  variant tdx=1.5.01\n',
                     head + '  variant no-freeze\n', 'variant kvm=v7.2 # tdx=1.5.01\n'):
            self.assertTrue(list(rules.versions_named(texts=[('x', text)])), text)

    def test_races(self):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(f'{root}/scenarios/races')
            open(f'{root}/scenarios/races/a.scn', 'w').close()
            self.assertEqual(list(lint.races_registered(root, ['a'])), [])
            self.assertEqual(len(list(lint.races_registered(root, ['b']))), 2)


class Rooms(unittest.TestCase):
    head = '### Kernel functions and their rooms\n#### mmu/%s\n| kernel function | room |\n| --- |\n'
    row = '| walk, step (old_walk, v7.3: new_walk) | a.c, b.h | text |\n'
    names = '# x y\n[mmu/tdp_mmu.c, all]\nwalk step\n'
    words = {'a.c': {'walk', 'step', 'new_walk'}, 'b.h': {'old_walk'}, 'c.c': set()}

    def found(self, kernel_file='tdp_mmu.c', row=None, names=None):
        doc = '## x\n' + self.head % kernel_file + (self.row if row is None else row) + '### y\n| z |\n'
        return [what for _, _, what in rooms.check(None, doc, names or self.names, self.words)]

    def test(self):
        self.assertEqual(self.found(), [])
        self.assertEqual(self.found(row='| walk, step | - | why |\n'), [])
        self.assertEqual(self.found('mmu.c', '| walk, step, jump | a.c | |\n', 'walk step jump'), [])
        for row, names in (
                ('', None),                                             # no row
                ('| walk, step | a.c |\n', None),                       # no third cell
                ('| walk, step | - | |\n', None),                       # not modelled: why?
                ('| walk, step | d.c | |\n', None),                     # no such room
                ('| walk, step | a.c, c.c | |\n', None),                # an empty room
                ('| walk, step, jump | a.c | |\n', 'walk step jump'),   # strict: not in its room
                ('| walk, step | a.c | |\n| step | a.c | |\n', None),   # two rows
                ('| walk, step | a.c | |\n', 'walk'),                   # a name too few
                ('| walk, step | a.c | |\n', 'walk step step')):        # one twice
            self.assertTrue(self.found(row=row, names=names), row)


class Covered(unittest.TestCase):
    tree = {
        covered.WORDS: '\t{ "one-check", "text", FALSE, "x" },\n'
                       '\t{ "late", "text", FALSE,\n\t  "not looked at yet: why" },\n'
                       '\t{ "of-tree", "text", FALSE, "x" },\n',
        covered.MAP: '# text\none-check  engine/a: one, two, kvmmmu/b-c: three\nlate  later: why\n'
                     'of-tree  tree: t: test_a, test_b, test_c\n',
        'tests/linux/t.py': ''.join(f'    def test_{c}(self):\n' for c in 'abc'),
        'tests/engine/meson.build': "engine_tests = {\n\t'a': [],\n}\n",
        'tests/kvmmmu/meson.build': "kvmmmu_tests = {\n\t'b-c': ['x.c'],\n}\n",
        'tests/engine/a.c': 'static void one(void **state)\n{\n}\n'
                            'static void two(void **state)\n{\n}\nint main(void)\n{\n'
                            '\tconst struct CMUnitTest tests[] = {\n\t\tcmocka_unit_test(one),\n'
                            '\t\tcmocka_unit_test(two),\n\t};\n}\n',
        'tests/kvmmmu/b-c.c': 'static void three(void **state)\n{\n}\nint main(void)\n{\n'
                              '\tconst struct CMUnitTest tests[] = {\n'
                              '\t\tcmocka_unit_test(three),\n\t};\n}\n',
    }

    def found(self, path=None, old='', new=''):
        tree = dict(self.tree)
        if path:
            self.assertIn(old, tree[path])
            tree[path] = tree[path].replace(old, new, 1)
        return [what for _, _, what in covered.check(read=tree.get)]

    def test(self):
        self.assertEqual(self.found(), [])
        a, words, line = 'tests/engine/a.c', covered.WORDS, covered.MAP
        for path, old, new in (
                (a, 'cmocka_unit_test(two)', ''),
                (a, '\t\tcmocka_unit_test(two)', '\t\t// cmocka_unit_test(two)'),
                (a, 'static void two', 'static void other'),
                (a, 'static void two(void **state)', 'static void two(struct x *x)'),
                ('tests/engine/meson.build', "\t'a'", "\t'z'"),
                (words, '\t{ "late"', '\t{ "new", "text", FALSE, "x" },\n\t{ "late"'),
                (words, '"one-check"', '"other-check"'),
                (words, '"x" }', '"not looked at yet" }'),
                (words, '"not looked at yet: why"', '"y"'),
                (line, 'one, two', 'one, one'), (line, 'one, two, ', 'one, '),
                (line, 'engine/a', 'engine/none'), (line, 'engine/a: ', ''),
                (line, 'tree: t', 'tree: u'), (line, 'test_c', 'test_d'),
                (line, 'test_b, ', ''), (line, 'test_b', 'test_a'),
                (line, 'late  later: why\n', ''),
                (line, 'late', 'late  later: why\nlate')):
            self.assertTrue(self.found(path, old, new), (path, old, new))


class Objects(unittest.TestCase):
    def compile(self, text, where):
        source, archive = f'{where}/x.c', f'{where}/x.o'
        with open(source, 'w', encoding='utf-8') as f:
            f.write(text)
        subprocess.run([*COMPILER, '-O2', '-fPIE', '-c', source, '-o', archive], check=True)
        return [archive]

    def check(self, rule, text):
        with tempfile.TemporaryDirectory() as where:
            return list(rule(self.compile(text, where)))

    def test_statics(self):
        for text in ('int global;', 'int global = 1;', '_Thread_local int mine;',
                     'int *f(void); int *f(void) { static int x; return &x; }',
                     'int *f(void); int *f(void) { static int x = 3; return &x; }',
                     'int common __attribute__((common));',
                     'const char *table[] = { "a" };',
                     'int own __attribute__((section(".data.own"))) = 1;'):
            self.assertEqual(len(self.check(objects.statics, text)), 1, text)
        for text in ('const int x = 1;', 'const char *const table[] = { "a" };',
                     '_Thread_local void *sim_self;', 'extern int theirs;',
                     'int f(void); int f(void) { return 1; }'):
            self.assertEqual(self.check(objects.statics, text), [], text)

    def test_floating_point(self):
        for text in ('double f(double a, double b) { return a + b; }',
                     'float f(float a) { return a * a; }',
                     'unsigned f(double a) { return (unsigned)a; }',
                     'double f(long a) { return a; }',
                     'int f(double a, double b) { return a < b; }',
                     'long double f(long double a) { return a / 3; }'):
            self.assertTrue(self.check(objects.floating_point, text), text)
        for text in ('long f(long a) { return a * 3 / 7; }',
                     'struct s { long a[8]; }; struct s f(struct s *p) { return *p; }',
                     'void f(unsigned char *p) { for (int i = 0; i < 4096; i++) p[i] += i; }'):
            self.assertEqual(self.check(objects.floating_point, text), [], text)


if __name__ == '__main__':
    COMPILER = sys.argv[1:] or COMPILER
    unittest.main(argv=sys.argv[:1])
