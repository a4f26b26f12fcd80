# SPDX-License-Identifier: GPL-2.0-only
"""Just enough of C for the lints: tokens with lines, macros, functions, full expressions."""
import bisect
import re
import subprocess
from pathlib import Path

MODEL_LAYERS = ('sim/engine', 'tdxmod', 'kvmmmu')

_TOKEN = re.compile(r'''
    (?P<space>\s+|//[^\n]*|/\*.*?\*/)
  | (?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
  | (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
  | (?P<word>\w+)
  | (?P<op>->|\+\+|--|<<=|>>=|<<|>>|&&|\|\||[-+*/%&|^=!<>]=|\.\.\.|[^\s\w])
''', re.X | re.S)
_DIRECTIVE = re.compile(r'^[ \t]*#(?:[^\n\\]|\\.|\\\n)*', re.M)
_DEFINE = re.compile(r'^[ \t]*#[ \t]*define[ \t]+(\w+)(\([^)]*\))?')
_CONTROL = {'if', 'while', 'for', 'switch'}


class Token(str):
    """A word, operator or string of the source; .line is where it stands."""
    def __new__(cls, text, kind, line):
        self = super().__new__(cls, text)
        self.kind, self.line = kind, line
        return self


def tokens(text, first_line=1):
    starts = [m.start() for m in re.finditer('\n', text)]
    result, at = [], 0
    while at < len(text):
        m = _TOKEN.match(text, at)
        if m.lastgroup != 'space':
            line = first_line + bisect.bisect_left(starts, m.start())
            result.append(Token(m.group(), m.lastgroup, line))
        at = m.end()
    return result


class Source:
    """One C file: .code is its tokens without directives, .macros name -> body tokens."""
    def __init__(self, path, text):
        self.path, self.text = path, text
        self.macros, self.parameters = {}, {}
        blank = lambda m: re.sub(r'[^\n]', ' ', m.group())
        plain = re.sub(r'/\*.*?\*/', blank, text, flags=re.S)
        for m in _DIRECTIVE.finditer(plain):
            define = _DEFINE.match(m.group())
            if define:
                line = 1 + plain.count('\n', 0, m.start())
                body = m.group()[define.end():].replace('\\\n', ' \n')
                self.macros[define.group(1)] = tokens(body, line)
                self.parameters[define.group(1)] = re.findall(r'[\w.]+', define.group(2) or '')
        self.code = tokens(_DIRECTIVE.sub(blank, plain))

    def functions(self):
        """(name, parameter tokens, body tokens) of each function that the file defines."""
        at = 0
        while at < len(self.code):
            if self.code[at] == '{':
                end = close(self.code, at)
                if at and self.code[at - 1] == ')':
                    start = opening(self.code, at - 1)
                    name = self.code[start - 1]
                    if start and name.kind == 'word':
                        yield name, self.code[start + 1:at - 1], self.code[at + 1:end]
                at = end
            at += 1

    def own(self):
        """Names of the static functions and the macros of a .c file: nobody else's."""
        result = set(map(str, self.macros))
        for at, t in enumerate(self.code):
            if t == 'static':
                after = next((i for i in range(at, len(self.code)) if self.code[i] in '(=;'), at)
                if after > at and self.code[after] == '(':
                    result.add(str(self.code[after - 1]))
        return result if self.path.endswith('.c') else set()

    def addressing(self):
        """macro -> positions of the parameters of which it only takes the address or size."""
        result = {}
        for name, body in self.macros.items():
            for n, parameter in enumerate(self.parameters[name]):
                uses = [body[max(i - 2, 0):i] for i, t in enumerate(body) if t == parameter]
                if uses and all(u[-1:] == ['&'] or u in (['&', '('], ['sizeof', '('])
                                for u in uses):
                    result.setdefault(name, set()).add(n)
        return result

    def bodies(self):
        """(parameters, body) of each function and macro."""
        yield from ((parameters, body) for _, parameters, body in self.functions())
        yield from (([], body) for body in self.macros.values())


class Types:
    """Which struct a variable, a field or a call's result is (or points to), by name."""
    def __init__(self, sources):
        self.fields, self.returns, self.globals = {}, {}, {}
        self.arrays = set()     # (struct, field): its name alone is an address
        for s in sources:
            for at, t in enumerate(s.code):
                if t == 'struct' and s.code[at + 2:at + 3] == ['{']:
                    inside = s.code[at + 3:close(s.code, at + 2)]
                    for name, type_ in self.declared(inside).items():
                        self.fields[str(s.code[at + 1]), name] = type_
                    self.arrays |= {(str(s.code[at + 1]), str(a)) for a, b in
                                    zip(inside, inside[1:]) if b == '[' and a.kind == 'word'}
                elif t == 'extern':
                    end = s.code.index(';', at)
                    self.globals.update(self.declared(s.code[at:end]))
            for name, type_ in self.declared(s.code, after='(').items():
                self.returns[name] = type_

    @staticmethod
    def declared(code, after=None):
        """name -> struct of the `struct T *name` and `struct T a, *b` in @code."""
        result = {}
        for at, t in enumerate(code):
            if t != 'struct' or at + 2 >= len(code):
                continue
            type_, i = str(code[at + 1]), at + 2
            while True:
                while i < len(code) and code[i] in ('*', 'const'):
                    i += 1
                if i + 1 < len(code) and code[i].kind == 'word' and \
                        (after is None or code[i + 1] == after):
                    result[str(code[i])] = type_
                while i < len(code) and code[i] not in (',', ';', ')', '(', '{', '}'):
                    i = close(code, i) + 1 if code[i] == '[' else i + 1
                if i + 1 >= len(code) or code[i] != ',' or code[i + 1] in ('struct', 'const') \
                        or not (code[i + 1] == '*' or code[i + 1].kind == 'word'
                                and code[i + 2:i + 3] and code[i + 2] in (',', ';', '=', '[')):
                    break
                i += 1
        return result

    def holder(self, chain, variables):
        """The struct that the last member of a postfix expression is in, None if unclear."""
        type_, at = None, 0
        while at < len(chain) - 1:
            t = chain[at]
            if t.kind == 'word':
                after = chain[at + 1]
                if at == 0:
                    type_ = self.returns.get(t) if after == '(' \
                        else variables.get(t, self.globals.get(t))
                else:
                    type_ = self.fields.get((type_, str(t)))
            elif t in ('(', '['):
                at = close(chain, at)
            elif t not in ('->', '.'):
                return None
            at += 1
        return type_


def close(code, at):
    """Index of the bracket that closes the one at @at (or the last index)."""
    pairs = {'(': ')', '[': ']', '{': '}'}
    stack = []
    for i in range(at, len(code)):
        t = code[i]
        if t.kind == 'op' and t in pairs:
            stack.append(pairs[t])
        elif stack and t == stack[-1]:
            stack.pop()
            if not stack:
                return i
    return len(code) - 1


def opening(code, at):
    """Index of the bracket that the one at @at closes (or 0)."""
    pairs = {')': '(', ']': '[', '}': '{'}
    stack = []
    for i in range(at, -1, -1):
        t = code[i]
        if t.kind == 'op' and t in pairs:
            stack.append(pairs[t])
        elif stack and t == stack[-1]:
            stack.pop()
            if not stack:
                return i
    return 0


def is_cast(code, at):
    """Whether the ')' at @at ends a cast such as (u8 *) or (struct s *)."""
    start = opening(code, at)
    inside = code[start + 1:at]
    if start and code[start - 1].kind == 'word' and code[start - 1] not in ('return', 'case'):
        return False
    return bool(inside) and (inside[-1] == '*' and inside[0].kind == 'word' or
                             all(re.fullmatch(r'[us](8|16|32|64)|u?int\w*_t|unsigned|signed|int|'
                                              r'long|char|short|size_t|void', t) for t in inside))


def full_expressions(body):
    """Token lists of the full expressions and declarations of a function's body."""
    start, at = 0, 0
    while at < len(body):
        t = body[at]
        if t in _CONTROL and at + 1 < len(body) and body[at + 1] == '(':
            end = close(body, at + 1)
            yield from _split(body[at + 2:end], ';')
            start = at = end + 1
        elif t == '(' or t == '[':
            # A statement expression holds statements of its own.
            at = close(body, at) + 1
        elif t == '{' and at > start and (body[at - 1] in ('=', ',') or body[at - 1] == ')' and
                                          not _block(body, at)):
            at = close(body, at) + 1
        elif t in ('{', '}', ';') or (t == ':' and _label(body, start, at)):
            if at > start:
                yield body[start:at]
            start = at = at + 1
        else:
            at += 1
    if start < len(body):
        yield body[start:]


def _block(body, brace):
    """Whether '(...) {' opens a block, as after for_each_x(...), and no compound literal."""
    start = opening(body, brace - 1)
    return start > 0 and body[start - 1].kind == 'word' and body[start - 1] != 'return'


def _label(body, start, at):
    return body[start] in ('case', 'default') or at == start + 1


def _split(code, separator):
    part = []
    for depth, t in with_depth(code):
        if t == separator and depth == 0:
            yield part
            part = []
        else:
            part.append(t)
    yield part


def with_depth(code):
    depth = 0
    for t in code:
        if t.kind == 'op' and t in ')]}':
            depth -= 1
        yield depth, t
        if t.kind == 'op' and t in '([{':
            depth += 1


def files(root, *suffixes):
    """Files of the project, as git sees them, or all but build trees without git."""
    try:
        out = subprocess.run(['git', '-C', root, 'ls-files', '-co', '--exclude-standard'],
                             capture_output=True, text=True, check=True).stdout
        names = out.splitlines()
    except (OSError, subprocess.CalledProcessError):
        names = [str(p.relative_to(root)) for p in Path(root).rglob('*') if p.is_file()]
        names = [n for n in names if not n.startswith(('build', '.git/'))]
    return sorted(n for n in set(names)
                  if (Path(root) / n).is_file() and (not suffixes or n.endswith(suffixes)))


# Compiled against a kernel tree, in its words: no rule of the house is about it.
KERNEL_HALF = ('kvmmmu/kernel/glue', 'kvmmmu/kernel/shim/')


def sources(root, layers, suffixes=('.c', '.h')):
    for name in files(root, *suffixes):
        if name.startswith(KERNEL_HALF):
            continue
        if name.startswith(tuple(layer + '/' for layer in layers)):
            yield Source(name, (Path(root) / name).read_text(encoding='utf-8'))
