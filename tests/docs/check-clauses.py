#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""That every clause of docs/box-protocol.md names tests, and that these are there, as a TAP test.

usage: check-clauses.py SOURCE_DIR
"""
import os
import re
import sys


def clauses(text):
    """(clause, the tests it names) of each table row below the heading Clauses."""
    for row in re.findall(r'^\| (.*) \|$', text.partition('\n## Clauses\n')[2], re.MULTILINE):
        clause, _, tests = row.rpartition(' | ')
        if clause != 'clause' and not clause.startswith('---'):
            yield clause, re.findall(r'`(/[^`]+)`', tests)


def read_tests(top):
    for parent, _, files in os.walk(os.path.join(top, 'tests')):
        for name in files:
            if name.endswith('.c'):
                with open(os.path.join(parent, name), encoding='utf-8') as file:
                    yield file.read()


def main():
    top = sys.argv[1]
    with open(os.path.join(top, 'docs/box-protocol.md'), encoding='utf-8') as file:
        rows = list(clauses(file.read()))
    # The first words of a path may be put together by the program; the last are written out.
    sources = '\n'.join(read_tests(top))
    print(f'1..{len(rows)}')
    for number, (clause, tests) in enumerate(rows, 1):
        missing = [test for test in tests if not re.search(rf'["/]{re.escape(test.rpartition("/")[2])}"', sources)]
        for test in missing:
            print(f'# {test} is no test')
        good = tests and not missing
        print(f'{"ok" if good else "not ok"} {number} {clause[:60].replace("#", "")}')


if __name__ == '__main__':
    main()
