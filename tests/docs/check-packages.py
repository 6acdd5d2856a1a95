#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""That README.md lists the packages that the scripts install, as a TAP test. usage: check-packages.py SOURCE_DIR"""
import os
import re
import sys

HEADINGS = {'build': 'building', 'run': 'recording, the demo', 'test': 'the tests',
            'node': "Box's Node SDK, for a test and the bench", 'fuzz': '`scripts/test fuzz`', 'coverage': '`scripts/test coverage`',
            'tidy': '`scripts/tidy`', 'site': '`scripts/site`, for a test too', 'valgrind': '`scripts/soak --under valgrind`',
            'release': '`scripts/test-on`, `scripts/package`', 'bench': '`scripts/bench`'}


def installed(top):
    groups = {}
    with open(os.path.join(top, 'scripts/lib/packages'), encoding='utf-8') as file:
        for line in file:
            if line.strip() and not line.startswith('#'):
                group, name = line.split()[:2]
                groups.setdefault(group, set()).add(name)
    return groups


def listed(top, heading):
    with open(os.path.join(top, 'README.md'), encoding='utf-8') as file:
        row = re.search(rf'^\| {re.escape(heading)} \|(.*)\|$', file.read(), re.MULTILINE)
    return set(re.findall(r'`([\w.+-]+)`', row.group(1))) if row else set()


def main():
    groups = installed(sys.argv[1])
    print(f'1..{len(HEADINGS) + 1}')
    for number, (group, heading) in enumerate(HEADINGS.items(), 1):
        missing = groups.get(group, set()) ^ listed(sys.argv[1], heading)
        for name in sorted(missing):
            print(f'# {name} is in one of README.md and scripts/lib/packages only')
        print(f'{"not ok" if missing else "ok"} {number} readme-lists-the-packages-for-{group}')
    unnamed = set(groups) - set(HEADINGS)
    for group in sorted(unnamed):
        print(f'# {group} has no row')
    print(f'{"not ok" if unnamed else "ok"} {len(HEADINGS) + 1} readme-has-a-row-for-every-group')


if __name__ == '__main__':
    main()
