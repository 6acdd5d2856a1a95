#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""That every clause of docs/box-protocol.md, docs/reliability.md and SECURITY.md names tests, and that these are there, as a TAP test.

usage: check-clauses.py SOURCE_DIR BUILD_DIR

What tests there are is asked of the test programs of the build.
"""
import json
import os
import re
import subprocess
import sys


def clauses(text):
    """(clause, the tests it names) of each table row in the section Clauses."""
    for row in re.findall(r'^\| (.*) \|$', text.partition('\n## Clauses\n')[2].partition('\n## ')[0], re.MULTILINE):
        clause, _, tests = row.rpartition(' | ')
        if clause not in ('clause', 'promise') and not clause.startswith('---'):
            yield clause, re.findall(r'`(/[^`]+)`', tests)


def list_tests(build):
    """The paths of all tests, as the programs themselves list them."""
    with open(os.path.join(build, 'meson-info/intro-tests.json'), encoding='utf-8') as file:
        # What follows --tap chooses among the program's tests; without a choice it lists them all. With a file it cannot do without.
        programs = {test['cmd'][0]: test['env'] for test in json.load(file)
                    if test['cmd'][1:2] == ['--tap'] and not any('/' in argument for argument in test['cmd'][2:])}
    tests = set()
    for program, environment in programs.items():
        output = subprocess.run([program, '-l'], env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, text=True, check=True, timeout=600).stdout
        # From GLib 2.84 on as comments of TAP.
        tests.update(re.findall(r'^(?:# )?(/.*)$', output, re.MULTILINE))
    return tests


def is_group(path, known):
    """Whether tests of a table, one a row, lie below @path."""
    return any(test.startswith(path + '/') for test in known)


def main():
    top, build = sys.argv[1:3]
    rows = []
    for page in ('docs/box-protocol.md', 'docs/reliability.md', 'SECURITY.md'):
        with open(os.path.join(top, page), encoding='utf-8') as file:
            rows += clauses(file.read())
    known = list_tests(build)
    print(f'1..{len(rows)}')
    for number, (clause, tests) in enumerate(rows, 1):
        missing = {test for test in tests if test not in known and not is_group(test, known)}
        for test in sorted(missing):
            print(f'# {test} is no test')
        good = tests and not missing
        print(f'{"ok" if good else "not ok"} {number} {clause[:60].replace("#", "")}')


if __name__ == '__main__':
    main()
