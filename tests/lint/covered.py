# SPDX-License-Identifier: GPL-2.0-only
"""Each check that the program lists is shown by three tests, and those tests run.

Held against each other: scenarios/check_words.c (the ids), tests/scenarios/checks-covered.txt
(the map), the test files (functions, and the CMUnitTest array that runs them) and their
meson.build (the file is a test at all)."""
import re
from pathlib import Path

WORDS = 'scenarios/check_words.c'
MAP = 'tests/scenarios/checks-covered.txt'
_WORD = re.compile(r'^\t\{ "([a-z-]+)",', re.M)
_WORD_WHERE = re.compile(r'^\t\{ "([a-z-]+)",[^}]*?"not looked at yet', re.M)
_FILE = re.compile(r'^([a-z]+)/([\w-]+): *(.*)$', re.S)
_TESTS = re.compile(r'const struct CMUnitTest \w+\[\] = \{(.*?)\n\t?\};', re.S)
_RUN = re.compile(r'cmocka_unit_test(?:_\w+)?\(\s*(\w+)')
_COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.S)
ROLES = ('fires', 'silent', 'legal')


def places(text):
    """'layer/file: a, b, layer/other: c' as [(layer, file, name)]; None where it is wrong."""
    layer = name = None
    for part in text.split(', '):
        m = _FILE.match(part)
        if m:
            layer, name, part = m.groups()
        if not layer or not re.fullmatch(r'\w+', part):
            yield None
        else:
            yield layer, name, part


def test_wrong(read, layer, name, test):
    """Why TEST is none of tests/LAYER/NAME.c, or None."""
    text = read(f'tests/{layer}/{name}.c')
    build = read(f'tests/{layer}/meson.build')
    if text is None:
        return f'there is no tests/{layer}/{name}.c'
    if build is None or not re.search(rf"^\t'{name}':", build, re.M):
        return f'{name} is no test of tests/{layer}/meson.build'
    text = _COMMENT.sub('', text)
    if not re.search(rf'^(?:static )?void {test}\(void \*\*\w+\)\n\{{', text, re.M):
        return f'tests/{layer}/{name}.c has no test {test}()'
    if test not in [t for m in _TESTS.finditer(text) for t in _RUN.findall(m.group(1))]:
        return f'tests/{layer}/{name}.c does not run {test}()'
    return None


def of_a_tree(read, rest):
    """What only a kernel tree shows: 'FILE: FIRES, SILENT, LEGAL', methods of tests/linux/FILE.py."""
    name, _, tests = rest.partition(': ')
    text = read(f'tests/linux/{name}.py')
    if text is None:
        yield f'there is no tests/linux/{name}.py'
        return
    found = tests.split(', ')
    if len(set(found)) != len(ROLES):
        yield f'wants three tests: {", ".join(ROLES)}'
    for test in found:
        if not re.search(rf'^    def {test}\(self\):', text, re.M):
            yield f'tests/linux/{name}.py has no test {test}()'


def one_id(read, rest, is_later):
    """What is wrong with the line of one id, after the id."""
    if rest.startswith('later: '):
        if not is_later:
            yield f'is looked at ({WORDS}), so it wants its tests'
        return
    if is_later:
        yield f'is not looked at yet, says {WORDS}'
    if rest.startswith('tree: '):
        yield from of_a_tree(read, rest[6:])
        return
    found = list(places(rest))
    if None in found:
        yield 'not LAYER/FILE: FIRES, SILENT, LEGAL'
        return
    if len(set(found)) != len(ROLES) or len(found) != len(ROLES):
        yield f'wants three tests: {", ".join(ROLES)}'
    for place in found:
        wrong = test_wrong(read, *place)
        if wrong:
            yield wrong


def check(root=None, read=None):
    if read is None:
        def read(path):
            file = Path(root) / path
            return file.read_text(encoding='utf-8') if file.is_file() else None
    words = read(WORDS)
    ids, later = _WORD.findall(words), set(_WORD_WHERE.findall(words))
    seen = set()
    for n, line in enumerate(read(MAP).split('\n'), start=1):
        if not line.strip() or line.startswith('#'):
            continue
        name, _, rest = line.partition(' ')
        if name not in ids:
            yield MAP, n, f'{name} is no check'
        elif name in seen:
            yield MAP, n, f'{name} is there twice'
        else:
            for wrong in one_id(read, rest.strip(), name in later):
                yield MAP, n, f'{name}: {wrong}'
        seen.add(name)
    if not ids:
        yield WORDS, 0, 'no ids found'
    for name in ids:
        if name not in seen:
            yield MAP, 0, f'{name} is not there'
