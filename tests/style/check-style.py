#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the code has to read, as a TAP test: one subtest a rule, the offenders as its diagnostics.

usage: check-style.py SOURCE_DIR

Works on the text alone and relies on the layout that .clang-format gives: a function's name, its opening and its closing
brace begin in column 0.
"""
import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple

import rooms

# Lines of a function, braces included.
FUNCTION_LIMIT = 80
FUNCTION_AIM = 40
FUNCTION_AIM_SHARE = 0.05  # as much may be longer than the aim
FILE_LIMIT = 800
FILE_AIM = 500
FILE_AIM_SHARE = 0.07
NESTING_LIMIT = 4
COLUMNS = 120

# Tables, not logic: the class's properties, and the list of a test program's cases.
TABLES = re.compile(r'_class_init$|_install_properties$|^main$')
# Turns of phrase that make a reader stop; the plain word is in brackets: forever; anybody who; happens to; while, if; no X exists.
DARK_WORDS = re.compile(r'\bfor ever\b|\bwhoever\b|\bbecomes of\b|\bso long( as)?\b|\bthere is none\b|: it is none\b', re.IGNORECASE)
# A wait for what must happen, with a limit of its own.
OWN_PATIENCE = re.compile(
    r'\b(?:g_assert_(?:true|cmpint) \(box_(?:emulator|upload|delivery)_wait|gst_bus_timed_pop)\w* \([^;]*?,\s*[1-9][^;,]*\)')
COMMENT = re.compile(r'/\*.*?\*/', re.DOTALL)

# Conventional functions whose names say it all.
CONVENTIONAL = re.compile(r'_(new|ref|unref|free|copy|clear|equal|get_type|quark)$')

# Those of the product, and those of the emulator.
ROOMS = {
    **rooms.ROOMS,
    'tests/emulator/base': ('src/base',),
    'tests/emulator/http': ('src/base', 'tests/emulator/base'),
    'tests/emulator/box': ('src/base', 'tests/emulator/base'),
    'tests/emulator/scenario': ('src/base', 'tests/emulator/base'),
    'tests/emulator/routes': ('src/base', 'tests/emulator/base', 'tests/emulator/http', 'tests/emulator/box', 'tests/emulator/scenario'),
    'tests/emulator': ('src/base', 'tests/emulator/base', 'tests/emulator/http', 'tests/emulator/box', 'tests/emulator/scenario',
                       'tests/emulator/routes'),
}

# What exists once: what it is, how it looks in code, and the files that may have it. docs/architecture.md names the functions.
ONCE = [
    ('the durable replacement of a file', r'\b(?:fsync|fdatasync|rename|renameat2?|linkat|g_file_set_contents(?:_full)?) \(',
     {'src/base/fileio.c'}),
    # The one here names a journal that is on disk already, and would do the same again.
    ('the durable replacement of a file', r'\bg_rename \(', {'src/spool/spool.c'}),
    ('a digest of many bytes', r'\b(?:g_checksum_new|gnutls_hash_init) \(', {'src/base/digest.c'}),
    # Of a file that is uploaded: upload, and delivery if the upload beside the recording does not have its bytes in order. Of a
    # part: bytes. The rest are bytes that commands and experiments compare.
    ('the SHA-1 of a file', r'\bbox_digest_new \(',
     {'src/base/digest.c', 'src/upload/upload.c', 'src/upload/bytes.c', 'src/delivery/stream.c', 'src/cli/get.c', 'src/cli/input.c',
      'src/cli/job-file.c', 'src/cli/part.c', 'src/probe/link.c', 'src/probe/probe.c'}),
    ('the bytes of padding', r'\bbox_padding_read \(', {'src/base/padding.c', 'src/upload/blocks.c', 'src/upload/producer.c'}),
    ('the choice of padding', r'\bbox_padding_for_media_type \(', {'src/base/padding.c', 'gst/size.c'}),
    ('the end, reported once', r'\bevents\.ended \(', {'src/delivery/steps.c'}),
    ('the wait for the end of an upload', r'\bbox_upload_wait_done \(', {'src/upload/upload.c', 'src/delivery/steps.c', 'src/delivery/recovery-upload.c'}),
    # The provider hands on to what it is made of.
    ('the renewal of a token', r'\bbox_token_provider_obtain \(', {'src/auth/token-cache.c', 'src/auth/provider.c'}),
    ('what a thread is in the middle of', r'\bg_private_set \(', {'src/base/process.c'}),
]

Function = namedtuple('Function', 'path line name lines nesting')

class Source:
    """A C file; "code" is its text with comments and literals blanked, line by line as in the file."""

    def __init__(self, top, path):
        self.path = path
        with open(os.path.join(top, path), encoding='utf-8') as file:
            self.text = file.read()
        self.lines = self.text.split('\n')
        self.code = blank(self.text).split('\n')

    @property
    def folder(self):
        return os.path.dirname(self.path)

    def includes(self):
        for number, line in enumerate(self.lines, 1):
            match = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
            if match:
                yield number, match.group(2)

    def functions(self):
        name, start = None, None
        for number, line in enumerate(self.code, 1):
            declarator = re.match(r'(?:[A-Za-z_][\w \*]*[ \*])?(\w+) \(', line)
            if declarator and not line.rstrip().endswith(';'):
                name = declarator.group(1)
            elif line == '{' and name:
                start = number
            elif line.startswith('}') and start:
                body = self.code[start - 1:number]
                yield Function(self.path, start, name, len(body), nesting(body))
                name, start = None, None

def blank(text):
    """The text with the inside of comments, strings and characters replaced by spaces."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
    return pattern.sub(lambda match: re.sub(r'[^\n]', ' ', match.group(0)), text)

def nesting(body):
    """How deep blocks lie in one another; the function's own braces and those of initialisers do not count."""
    depth, deepest, initialisers = 0, 0, []
    previous = ''
    for character in re.sub(r'\s+', ' ', '\n'.join(body)):
        if character == '{':
            initialisers.append(previous in '=(,{' and previous != '')
            if not any(initialisers):
                depth += 1
                deepest = max(deepest, depth)
        elif character == '}' and initialisers:
            if not any(initialisers):
                depth -= 1
            initialisers.pop()
        if character != ' ':
            previous = character
    return deepest - 1

def find_sources(top):
    for folder in ('src', 'gst', 'examples', 'tests'):
        for parent, folders, files in os.walk(os.path.join(top, folder)):
            folders[:] = sorted(set(folders) - {'node_modules'})
            for name in sorted(files):
                if name.endswith(('.c', '.h')):
                    yield Source(top, os.path.relpath(os.path.join(parent, name), top))

def functions_are_short(sources, top):
    for function in all_functions(sources):
        if function.lines > FUNCTION_LIMIT:
            yield f'{function.path}:{function.line}: {function.name} has {function.lines} lines, {FUNCTION_LIMIT} are the limit'

def functions_are_mostly_shorter(sources, top):
    functions = all_functions(sources)
    longer = [function for function in functions if function.lines > FUNCTION_AIM]
    if len(longer) > FUNCTION_AIM_SHARE * len(functions):
        yield f'{len(longer)} of {len(functions)} functions have more than {FUNCTION_AIM} lines, {FUNCTION_AIM_SHARE:.0%} may'
        for function in sorted(longer, key=lambda function: -function.lines):
            yield f'{function.path}:{function.line}: {function.name} has {function.lines} lines'

def all_functions(sources):
    return [function for source in sources for function in source.functions()
            if not TABLES.search(function.name)]

def nesting_is_shallow(sources, top):
    for source in sources:
        for function in source.functions():
            if function.nesting > NESTING_LIMIT:
                yield f'{function.path}:{function.line}: {function.name} nests {function.nesting} deep, {NESTING_LIMIT} is the limit'

def files_are_short(sources, top):
    longer = [source for source in sources if len(source.lines) > FILE_AIM]
    for source in sources:
        if len(source.lines) > FILE_LIMIT:
            yield f'{source.path} has {len(source.lines)} lines, {FILE_LIMIT} are the limit'
    if len(longer) > FILE_AIM_SHARE * len(sources):
        yield f'{len(longer)} of {len(sources)} files have more than {FILE_AIM} lines, {FILE_AIM_SHARE:.0%} may'
        for source in sorted(longer, key=lambda source: -len(source.lines)):
            yield f'{source.path} has {len(source.lines)} lines'

def lines_fit(sources, top):
    for source in sources:
        for number, line in enumerate(source.lines, 1):
            if len(line) > COLUMNS:
                yield f'{source.path}:{number}: {len(line)} columns, {COLUMNS} are the limit'
            if '\t' in line or line != line.rstrip():
                yield f'{source.path}:{number}: a tab, or a blank at the end'

def uploader_knows_no_gstreamer(sources, top):
    for source in sources:
        for number, name in source.includes():
            if source.path.startswith('src/') and name.startswith(('gst/', 'gstbox')):
                yield f'{source.path}:{number}: src/ may not include {name}'

def element_leaves_the_network_to_the_uploader(sources, top):
    for source in sources:
        for number, name in source.includes():
            if source.path.startswith('gst/') and name.startswith(('libsoup/', 'gnutls/', 'json-glib/')):
                yield f'{source.path}:{number}: gst/ may not include {name}'

def rooms_know_only_what_is_below_them(sources, top):
    paths = {source.path for source in sources}
    for source in sources:
        allowed = ROOMS.get(source.folder)
        if allowed is None:
            continue
        for number, name in source.includes():
            room = room_of(source.folder, name, paths)
            if room in ROOMS and room != source.folder and room not in allowed:
                yield f'{source.path}:{number}: {source.folder} may not know {room} ({name})'

def every_folder_of_the_product_is_a_room(sources, top):
    for folder in sorted({source.folder for source in sources}):
        if folder.startswith(('src', 'gst', 'tests/emulator')) and folder not in ROOMS:
            yield f'{folder} is not in the table of rooms'

def the_picture_of_the_rooms_is_true(sources, top):
    with open(os.path.join(top, 'docs/rooms.svg'), encoding='utf-8') as file:
        if file.read() != rooms.picture(top):
            yield 'docs/rooms.svg: run: python3 tests/style/rooms.py . --picture > docs/rooms.svg'

def room_of(folder, name, paths):
    """The folder of the project's header that an include in @folder means; None for a header of a library."""
    for path in (f'src/{name}', f'tests/{name}', f'{folder}/{name}'):
        if path in paths:
            return os.path.dirname(path)
    return None

def product_does_not_use_the_tests(sources, top):
    tests = {os.path.basename(source.path) for source in sources if source.path.startswith('tests/')}
    own = {os.path.basename(source.path) for source in sources if not source.path.startswith('tests/')}
    for source in sources:
        for number, name in source.includes():
            if not source.path.startswith('tests/') and os.path.basename(name) in tests - own:
                yield f'{source.path}:{number}: {name} belongs to the tests'

def what_exists_once_is_named(sources, top):
    """docs/architecture.md, "Each thing once": the functions that it names are in the files that it names."""
    defined = {source.path: {function.name for function in source.functions()} for source in sources}
    with open(os.path.join(top, 'docs/architecture.md'), encoding='utf-8') as file:
        section = file.read().split('\n## Each thing once\n')[1].split('\n## ')[0]
    rows = [line.split('|')[1:3] for line in section.split('\n') if line.startswith('| ') and '| where |' not in line]
    if not rows:
        yield 'docs/architecture.md: "Each thing once" has no table'
    for what, where in rows:
        path, functions = None, 0
        for name in re.findall('`([^`]+)`', where):
            if name.endswith('()'):
                functions += 1
                if name[:-2] not in defined.get(path, ()):
                    yield f'docs/architecture.md: {what.strip()}: {path} has no function {name}'
            else:
                path = name if name.startswith('gst/') else f'src/{name}'
        if not functions:
            yield f'docs/architecture.md: {what.strip()}: no function is named'

def what_exists_once_is_nowhere_else(sources, top):
    for source in sources:
        if not source.path.startswith(('src/', 'gst/')) or source.path.endswith('.h'):
            continue
        for what, pattern, places in ONCE:
            for number, line in enumerate(source.code, 1):
                if source.path not in places and re.search(pattern, line):
                    yield f'{source.path}:{number}: {what} has its place: {", ".join(sorted(places))}'

def nothing_jumps(sources, top):
    for source in sources:
        for number, line in enumerate(source.code, 1):
            if re.search(r'\bgoto\b', line):
                yield f'{source.path}:{number}: goto'

def nothing_is_left_to_do(sources, top):
    for source in sources:
        for number, line in enumerate(source.lines, 1):
            if re.search(r'\b(TODO|FIXME|XXX|HACK)\b', line):
                yield f'{source.path}:{number}: {line.strip()}'

def files_name_their_licence(sources, top):
    for source in sources:
        if source.lines[0] != '/* SPDX-License-Identifier: LGPL-2.1-or-later */':
            yield f'{source.path}:1: no SPDX line'

def headers_say_what_they_are(sources, top):
    for source in sources:
        if source.path.endswith('.h'):
            if len(source.lines) < 2 or not source.lines[1].startswith('/*'):
                yield f'{source.path}:2: no comment at the head that says what this is'

def public_functions_have_a_comment(sources, top):
    """A comment serves every declaration up to the next blank line."""
    for source in sources:
        if not source.path.endswith('.h') or source.path.startswith('tests/'):
            continue
        described = False
        for number, (line, code) in enumerate(zip(source.lines, source.code), 1):
            if not line.strip():
                described = False
            elif not code.strip():
                described = True
            declaration = re.match(r'(?:[A-Za-z_][\w ]*[ \*])?(\w+) \(', code)
            if declaration and not line.startswith(('#', 'typedef', 'G_', 'GST_')) and not described:
                if not CONVENTIONAL.search(declaration.group(1)):
                    yield f'{source.path}:{number}: {declaration.group(1)} has no comment'

def prose_is_plain(sources, top):
    for source in sources:
        for comment in COMMENT.finditer(source.text):
            for dark in DARK_WORDS.finditer(comment.group(0)):
                line = source.text.count('\n', 0, comment.start() + dark.start()) + 1
                yield f'{source.path}:{line}: "{dark.group(0)}"'
    pages = ['README.md', 'CONTRIBUTING.md', *(os.path.join('docs', name) for name in sorted(os.listdir(os.path.join(top, 'docs'))))]
    for page in pages:
        if not page.endswith(('.md', '.1')):
            continue
        with open(os.path.join(top, page), encoding='utf-8') as file:
            for number, line in enumerate(file, 1):
                for dark in DARK_WORDS.finditer(line):
                    yield f'{page}:{number}: "{dark.group(0)}"'

def tests_have_one_patience(sources, top):
    for source in sources:
        if source.path.startswith('tests/'):
            code = '\n'.join(source.code)
            for wait in OWN_PATIENCE.finditer(code):
                line = code.count('\n', 0, wait.start()) + 1
                yield f'{source.path}:{line}: waits have the patience of kit/patience.h'
    for folder in sorted(os.listdir(os.path.join(top, 'tests'))):
        path = os.path.join('tests', folder, 'meson.build')
        if os.path.exists(os.path.join(top, path)):
            with open(os.path.join(top, path), encoding='utf-8') as file:
                for number, line in enumerate(file, 1):
                    if re.search(r'\btimeout: *\d', line):
                        yield f'{path}:{number}: every test has test_timeout'

def tests_have_a_priority(sources, top):
    """What takes long and has none begins when the others are through, and runs alone at the end."""
    for folder in sorted(os.listdir(os.path.join(top, 'tests'))):
        path = os.path.join('tests', folder, 'meson.build')
        if os.path.exists(os.path.join(top, path)):
            with open(os.path.join(top, path), encoding='utf-8') as file:
                text = file.read()
            for call in re.finditer(r'^ *test\(.*?^ *\)$', text, re.MULTILINE | re.DOTALL):
                if 'priority: test_seconds.get(' not in call.group():
                    yield f'{path}:{text.count(chr(10), 0, call.start()) + 1}: give it its time in test_seconds as priority'

def code_is_laid_out_by_clang_format(sources, top):
    result = subprocess.run(['clang-format', '--dry-run', *(source.path for source in sources)], cwd=top, text=True,
                            stderr=subprocess.PIPE, check=False)
    places = re.findall(r'^(\S+?):\d+:\d+: warning: ', result.stderr, re.MULTILINE)
    for path in sorted(set(places)):
        yield f'{path}: {places.count(path)} places; run: clang-format -i {path}'

def scripts_pass_shellcheck(sources, top):
    scripts = []
    for folder in ('scripts', '.ci', 'tests'):
        for parent, folders, files in os.walk(os.path.join(top, folder)):
            folders[:] = sorted(set(folders) - {'node_modules'})
            scripts += [path for path in (os.path.join(parent, name) for name in sorted(files)) if is_shell(path)]
    result = subprocess.run(['shellcheck', '-x', '-f', 'gcc', *scripts], cwd=top, text=True,
                            stdout=subprocess.PIPE, check=False)
    yield from filter(None, result.stdout.split('\n'))

def is_shell(path):
    with open(path, 'rb') as file:
        return path.endswith('.sh') or re.match(rb'#!.*\b(ba|da)?sh\b', file.readline()) is not None

# The rule, and the program it cannot do without.
RULES = [
    (functions_are_short, None),
    (functions_are_mostly_shorter, None),
    (nesting_is_shallow, None),
    (files_are_short, None),
    (lines_fit, None),
    (uploader_knows_no_gstreamer, None),
    (element_leaves_the_network_to_the_uploader, None),
    (rooms_know_only_what_is_below_them, None),
    (every_folder_of_the_product_is_a_room, None),
    (the_picture_of_the_rooms_is_true, None),
    (product_does_not_use_the_tests, None),
    (what_exists_once_is_named, None),
    (what_exists_once_is_nowhere_else, None),
    (nothing_jumps, None),
    (nothing_is_left_to_do, None),
    (files_name_their_licence, None),
    (headers_say_what_they_are, None),
    (public_functions_have_a_comment, None),
    (prose_is_plain, None),
    (tests_have_one_patience, None),
    (tests_have_a_priority, None),
    (code_is_laid_out_by_clang_format, 'clang-format 14'),
    (scripts_pass_shellcheck, 'shellcheck'),
]

def is_installed(program):
    """PROGRAM, or PROGRAM VERSION: another version of clang-format lays out the same rules in another way."""
    name, _, version = program.partition(' ')
    if shutil.which(name) is None:
        return False
    result = subprocess.run([name, '--version'], text=True, stdout=subprocess.PIPE, check=False)
    return not version or f' version {version}.' in result.stdout

def profile(functions, sources):
    lengths = sorted(function.lines for function in functions) or [0]
    at = lambda share: lengths[min(len(lengths) - 1, int(share * len(lengths)))]
    return (f'{len(functions)} functions: median {at(.5)}, p90 {at(.9)}, p99 {at(.99)}, longest {lengths[-1]} lines; '
            f'{len(sources)} files, longest {max(len(source.lines) for source in sources)} lines')

def main():
    top = sys.argv[1]
    sources = list(find_sources(top))
    print(f'1..{len(RULES)}')
    print(f'# {profile(all_functions(sources), sources)}')
    print(f'# {rooms.measures(top)}')
    for number, (rule, program) in enumerate(RULES, 1):
        name = rule.__name__.replace('_', '-')
        if program and not is_installed(program):
            print(f'ok {number} {name} # SKIP {program} is not installed')
            continue
        offenders = list(rule(sources, top))
        for offender in offenders:
            print(f'# {offender}')
        print(f'{"not ok" if offenders else "ok"} {number} {name}', flush=True)

if __name__ == '__main__':
    main()
