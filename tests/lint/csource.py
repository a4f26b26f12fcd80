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
        self.macros = {}
        blank = lambda m: re.sub(r'[^\n]', ' ', m.group())
        plain = re.sub(r'/\*.*?\*/', blank, text, flags=re.S)
        for m in _DIRECTIVE.finditer(plain):
            define = _DEFINE.match(m.group())
            if define:
                line = 1 + plain.count('\n', 0, m.start())
                body = m.group()[define.end():].replace('\\\n', ' \n')
                self.macros[define.group(1)] = tokens(body, line)
        self.code = tokens(_DIRECTIVE.sub(blank, plain))

    def functions(self):
        """(name, body tokens) of each function that the file defines."""
        depth, at = 0, 0
        while at < len(self.code):
            t = self.code[at]
            if t == '{':
                end = close(self.code, at)
                name = self._defined(at)
                if name:
                    yield name, self.code[at + 1:end]
                at = end
            at += 1

    def _defined(self, brace):
        """The name before '(...) {' at file level, None for a struct or an initialiser."""
        if brace == 0 or self.code[brace - 1] != ')':
            return None
        depth = 0
        for at in range(brace - 1, 0, -1):
            depth += {')': 1, '(': -1}.get(self.code[at], 0)
            if depth == 0:
                name = self.code[at - 1]
                return name if name.kind == 'word' else None
        return None


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
        elif t == '{' and at > start and body[at - 1] in ('=', ')', ','):
            at = close(body, at) + 1
        elif t in ('{', '}', ';') or (t == ':' and _label(body, start, at)):
            if at > start:
                yield body[start:at]
            start = at = at + 1
        else:
            at += 1
    if start < len(body):
        yield body[start:]


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


def sources(root, layers, suffixes=('.c', '.h')):
    for name in files(root, *suffixes):
        if name.startswith(tuple(layer + '/' for layer in layers)):
            yield Source(name, (Path(root) / name).read_text(encoding='utf-8'))
