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

from page import replace

BEGIN, END = '<!-- written by scripts/coverage -->', '<!-- end of scripts/coverage -->'
LEAST = 92

# Files below this many percent are listed, with the reason.
LISTED = 90
REASONS = {
    'src/auth/config-file.c': 'failures of the file system while a token is replaced',
    'src/base/fileio.c': 'failures of system calls (disk quota, rights, interrupted reads)',
    'src/base/secret.c': 'failures of system calls (disk quota, rights, interrupted reads)',
    'src/cli/follower.c': 'a followed file that cannot be read or looked at',
    'src/cli/hook.c': 'a hook that is too slow or never ends',
    'src/cli/job-recording.c': 'recordings for a session of which a note is left',
    'src/cli/outside.c': 'the event of a disk that fills up soon',
    'src/cli/reporter.c': 'rare events as JSON',
    'src/cli/resume.c': 'sessions that are left, as JSON; a signal between two recordings',
    'src/delivery/attempt.c': 'journal lines that cannot be written: the recording goes on',
    'src/http/proxy-link.c': 'proxies that are spoken to by TLS and are not trusted',
    'src/upload/feed.c': 'files that become shorter or cannot be read while they are uploaded',
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
    text = '\n'.join(table)
    replace(page, BEGIN, END, text)
    print(text)
    return 0 if percent(covered, total) >= LEAST else 1


if __name__ == '__main__':
    sys.exit(main())
