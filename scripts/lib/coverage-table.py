#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the lines that tests reach into a page, between the marks that name the script; exits 1 if they are too few.

usage: coverage-table.py LINES.json PAGE.md

LINES.json is gcovr's summary.
"""
import collections
import json
import os
import sys

BEGIN, END = '<!-- written by scripts/coverage -->', '<!-- end of scripts/coverage -->'
LEAST = 92

# Files below this many percent are listed, with the reason.
LISTED = 90
REASONS = {
    'src/base/error.c': 'kinds of errors of GIO that no test provokes',
}


def percent(covered, total):
    return 100 * covered / total if total else 100


def main():
    lines, page = sys.argv[1:]
    with open(lines, encoding='utf-8') as file:
        summary = json.load(file)
    rooms, low = collections.defaultdict(lambda: [0, 0]), []
    for entry in summary['files']:
        name, covered, total = entry['filename'], entry['line_covered'], entry['line_total']
        rooms[os.path.dirname(name)][0] += covered
        rooms[os.path.dirname(name)][1] += total
        if percent(covered, total) < LISTED and total > 10:
            low.append((name, covered, total))
    covered, total = summary['line_covered'], summary['line_total']
    table = ['| room | lines | reached |', '|---|---|---|']
    table += [f'| `{room}` | {n} | {percent(c, n):.1f} % |' for room, (c, n) in sorted(rooms.items())]
    table += [f'| **all** | {total} | **{percent(covered, total):.1f} %** |', '']
    table += [f'- `{name}`: {percent(c, n):.0f} %; {REASONS.get(name, "no test yet")}' for name, c, n in low]
    with open(page, encoding='utf-8') as file:
        before, _, rest = file.read().partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        sys.exit(f'{page} has no place for the table')
    text = '\n'.join(table)
    with open(page, 'w', encoding='utf-8') as file:
        file.write(f'{before}{BEGIN}\n{text}\n{END}{after}')
    print(text)
    return 0 if percent(covered, total) >= LEAST else 1


if __name__ == '__main__':
    sys.exit(main())
