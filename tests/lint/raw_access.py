# SPDX-License-Identifier: GPL-2.0-only
"""Memory that two actors may share is touched through sim/engine/mem.h alone.

What is shared is learned from the code: in `mem_read64(&s->word)` the member `word`, in
`mem_read64(p)` what p points to. Then, in the same layer, `s->word` without `&` (and
outside world_set()) is raw access, and so are `*p` and `p[i]` in the same function. So is
whatever lies behind phys_to_ptr(). And nobody but the door has words of its own for it:
volatile casts, compiler atomics, READ_ONCE and WRITE_ONCE.

A member that shares only its name with a shared one, or that nobody else can see yet,
says so on its line or the one above: /* raw: why */
"""
import re

import csource
from one_step import DOOR, STEP

# The door, and the clock's shadow of it, which is nobody's world.
UNDER = (*DOOR, 'sim/engine/line.h', 'sim/engine/line.c')

ATOMICS = re.compile(r'__atomic_|__sync_|atomic_(?:load|store|exchange|fetch|thread)')
OWN_WORDS = {'READ_ONCE', 'WRITE_ONCE', 'smp_load_acquire', 'smp_store_release'}
# Who stands below the door: batons of threads, forked workers and what they share, free
# threads, restores.
BELOW = re.compile(r'sim/engine/'
                   r'(mem|door|carrier|sched|free|farm|crew|table|sim|actor|search|undo|arena)\w*\.[ch]$')
UNSEEN = {'sizeof', 'offsetof', '__typeof__', 'typeof', 'container_of'}
POSTFIX = {'->', '.'}


def first_argument(code, at):
    """Tokens of the first argument of the call whose name is code[at]."""
    result = []
    for depth, t in csource.with_depth(code[at + 2:csource.close(code, at + 1)]):
        if t == ',' and depth == 0:
            break
        result.append(t)
    return result


def without_index(code):
    """s->word of s->word[i][j]."""
    while code and code[-1] == ']':
        code = code[:csource.opening(code, len(code) - 1)]
    return code


def shared(body, types, variables):
    """({(struct or None, member)}, pointer variables) that the steps of a body name."""
    members, pointers = set(), set()
    for at, t in enumerate(body[:-1]):
        if t in STEP and body[at + 1] == '(':
            argument = first_argument(body, at)
            if argument[:1] == ['&']:
                chain = without_index(argument[1:])
                if len(chain) > 2 and chain[-2] in POSTFIX and chain[-1].kind == 'word':
                    members.add((types.holder(chain, variables), str(chain[-1])))
            elif len(argument) == 1 and argument[0].kind == 'word':
                pointers.add(str(argument[0]))
    return members, pointers


def operand_start(code, at):
    """Where the postfix expression that ends at code[at] starts."""
    i = at
    while i > 0:
        if code[i] in (')', ']'):
            i = csource.opening(code, i)
            if i > 0 and (code[i] == '[' or code[i - 1].kind == 'word'):
                i -= 1
                continue
        if i > 1 and code[i - 1] in POSTFIX:
            i -= 2
            continue
        break
    return i


def is_unary(code, at):
    """Whether the & or * at code[at] has no left operand."""
    if at == 0:
        return True
    before = code[at - 1]
    if before in ('return', 'case', 'else'):
        return True
    if before == ')':
        return csource.is_cast(code, at - 1)
    return before.kind == 'op' and before != ']'


def own_structs(body):
    """Variables of a body that are structs themselves, so on the actor's own stack."""
    pointers = {str(t) for before, t in zip(body, body[1:]) if before == '*'}
    return set(csource.Types.declared(body)) - pointers


def hidden(body, addressing):
    """Token indexes where nothing is read or written: sizeof, world_set's left side."""
    result = set()
    for at, t in enumerate(body[:-1]):
        if body[at + 1] != '(':
            continue
        if t in UNSEEN:
            result.update(range(at, csource.close(body, at + 1)))
        if t == 'world_set':  # and its right side may name the left: x = x | y
            left, end = first_argument(body, at), csource.close(body, at + 1)
            for i in range(at + 2 + len(left), end):
                if body[i:i + len(left)] == left:
                    result.update(range(i, i + len(left)))
        n = 0
        for i, (depth, u) in enumerate(csource.with_depth(
                body[at + 2:csource.close(body, at + 1)]), start=at + 2):
            n += depth == 0 and u == ','
            if n in addressing.get(t, ()):
                result.add(i)
    return result


def raw_uses(body, members, pointers, types, variables, addressing):
    """(token, what) of each raw access in a function's body."""
    quiet, own = hidden(body, addressing), own_structs(body)
    names = {name for _, name in members}
    for at, t in enumerate(body):
        if at in quiet:
            continue
        if t in names and at and body[at - 1] in POSTFIX:
            if body[at - 1] == '.' and body[at - 2] in ('{', ','):
                continue  # a designated initialiser
            start = operand_start(body, at)
            holder = types.holder(body[start:at + 1], variables)
            if holder and not {(holder, str(t)), (None, str(t))} & members:
                continue  # a member of that name in another struct
            if body[start] in own and body[start + 1] == '.':
                continue
            after = at + 1
            if after < len(body) and body[after] == '[':
                after = csource.close(body, after) + 1
            elif (holder, str(t)) in types.arrays or \
                    not holder and str(t) in {name for _, name in types.arrays}:
                continue  # the address of its first element
            if after < len(body) and body[after] in POSTFIX:
                continue  # a struct on the way to another member
            if not (start and body[start - 1] == '&' and is_unary(body, start - 1)):
                yield t, f'{t} is shared'
        elif t in pointers and t.kind == 'word' and not (at and body[at - 1] in POSTFIX):
            star = at
            while star and body[star - 1] == '*':
                star -= 1
            # Else a declaration (u64 **p), or a product, of what is followed (2 * *p) or not.
            deref = star < at and (is_unary(body, star) or
                                   at - star > 1 and body[star - 1].kind != 'word')
            index = at + 1 < len(body) and body[at + 1] == '[' \
                and not (at and body[at - 1] == '&' and is_unary(body, at - 1))
            if deref or index:
                yield t, f'what {t} points to is shared'
        elif t == 'phys_to_ptr' and at + 1 < len(body) and body[at + 1] == '(':
            end = csource.close(body, at + 1)
            before = at - 1
            if before >= 0 and body[before] == ')':
                before = operand_start(body, before) - 1
            if end + 1 < len(body) and body[end + 1] in ('->', '[') or \
                    before >= 0 and body[before] == '*' and is_unary(body, before):
                yield t, 'simulated memory is shared'


def own_words(source):
    for names in [source.code, *source.macros.values()]:
        for at, t in enumerate(names):
            if t.kind == 'word' and ATOMICS.match(t):
                yield t, f'{t}: the door has the atomics'
            elif t == 'volatile' and at and names[at - 1] in ('(', 'const'):
                end = names[at:at + 4]
                if '*' in end:
                    yield t, 'a volatile cast goes past the door'
    for name in source.macros:
        if name in OWN_WORDS:
            line = (source.macros[name] or [csource.Token('', 'op', 1)])[0].line
            yield csource.Token(name, 'word', line), f'{name}: the door has the words for it'
    if re.search(r'#\s*include\s*<stdatomic\.h>', source.text):
        yield csource.Token('stdatomic.h', 'word', 1), 'stdatomic.h: the door has the atomics'


def check(root=None, sources=None):
    if sources is None:
        sources = list(csource.sources(root, csource.MODEL_LAYERS))
    types = csource.Types(sources)
    layer_of = lambda path: next((x for x in csource.MODEL_LAYERS if path.startswith(x)), '')
    members, functions, addressing = {}, [], {'world_set': {0}}
    for s in sources:
        addressing.update(s.addressing())
    for s in (s for s in sources if s.path not in UNDER):
        for parameters, body in s.bodies():
            variables = types.declared([*parameters, csource.Token(';', 'op', 0), *body])
            named = shared(body, types, variables)
            members.setdefault(layer_of(s.path), set()).update(named[0])
            functions.append((s, body, named[1], variables))

    found = [(s, t, what) for s in sources if not BELOW.match(s.path)
             for t, what in own_words(s)]
    for s, body, pointers, variables in functions:
        found += [(s, t, what) for t, what in
                  raw_uses(body, members[layer_of(s.path)], pointers, types, variables,
                           addressing)]
    findings = set()
    for s, t, what in found:
        lines = [''] + s.text.split('\n')
        if not any('/* raw: ' in x for x in lines[max(t.line - 1, 0):t.line + 1]):
            findings.add((s.path, t.line, what))
    return sorted(findings)
