# SPDX-License-Identifier: GPL-2.0-only
"""At most one step per full expression.

Compilers evaluate arguments and operands in different orders, so f(mem_read64(a),
mem_read64(b)) is a different run with gcc than with clang. Two checks:
  * two mem_* in one full expression or declaration, in whatever form;
  * two calls of functions that step (found through the call graph by name) whose order
    C leaves open. `a() || b()`, `c ? a() : b()` and f(a()) are in order and are fine.
"""
import csource

STEP = tuple(f'mem_{op}{bits}' for op in
             ('read', 'write', 'cmpxchg', 'xadd', 'xchg', 'and', 'or', 'bts', 'btr', 'await')
             for bits in (8, 16, 32, 64, 128)) + ('mem_fence',)
SEQUENCE = {'&&', '||', '?', ':', ';', '{', '}'}
KEYWORDS = {'if', 'while', 'for', 'switch', 'return', 'sizeof', '__typeof__', 'typeof'}
# The door itself, and what it is made of.
DOOR = ('sim/engine/mem.h', 'sim/engine/mem.c')


def calls(body):
    return {t for t, after in zip(body, body[1:]) if after == '(' and t.kind == 'word'}


def stepping(sources):
    """path -> names that take a step there, by themselves or through what they call."""
    uses, own = {}, {s.path: s.own() for s in sources}
    whose = lambda path, name: (path if name in own[path] else None, name)
    for s in sources:
        if s.path in DOOR:
            continue
        for name, body in [*((n, b) for n, _, b in s.functions()), *s.macros.items()]:
            uses.setdefault(whose(s.path, str(name)), set()).update(
                whose(s.path, str(c)) for c in calls(body))
    steps = {(None, name) for name in STEP}
    while True:
        more = {n for n, used in uses.items() if n not in steps and used & steps}
        if not more:
            break
        steps |= more
    everywhere = {name for path, name in steps if path is None}
    return {path: everywhere - names | {n for p, n in steps if p == path}
            for path, names in own.items()}


def unordered(code, steps, found, arguments=False):
    """Whether @code steps; appends the later of two steps whose order is open to @found."""
    any_step, here = False, None
    at = 0
    while at < len(code):
        t = code[at]
        step = None
        if t.kind == 'op' and t in '([{':
            end = csource.close(code, at)
            before = code[at - 1] if at else None
            call = t == '(' and before is not None and before.kind == 'word'
            if not (call and before in ('sizeof', '__typeof__', 'typeof')):
                listed = (call and before not in KEYWORDS) or t == '{'
                inside = unordered(code[at + 1:end], steps, found, listed)
                if inside or (call and before in steps):
                    step = before if call else t
            at = end
        elif t in SEQUENCE or (t == ',' and not arguments):
            here = None
        if step is not None:
            any_step = True
            if here is not None:
                found.append(step)
            here = step
        at += 1
    return any_step


def check(root=None, sources=None):
    """Findings as (path, line, text)."""
    if sources is None:
        sources = list(csource.sources(root, ('sim', 'tdxmod', 'kvmmmu', 'scenarios', 'tests')))
    steps = stepping(sources)
    findings = []
    for s in sources:
        if s.path in DOOR:
            continue
        for expression in (e for _, body in s.bodies() for e in csource.full_expressions(body)):
            direct = [t for t, after in zip(expression, expression[1:])
                      if after == '(' and t in STEP]
            if len(direct) > 1 and '{' not in expression:
                findings.append((s.path, direct[1].line,
                                 f'{direct[0]} and {direct[1]} in one full expression'))
                continue
            open_order = []
            unordered(expression, steps[s.path], open_order)
            findings += [(s.path, t.line, f'the order of {t}() and another step before it in '
                          'the expression is open') for t in open_order]
    return findings
