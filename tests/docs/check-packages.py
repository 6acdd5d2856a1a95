#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""That README.md lists the packages that the scripts install, and that Debian's packages have the pages and the examples, as a TAP test.
usage: check-packages.py SOURCE_DIR"""
import glob
import os
import re
import sys

HEADINGS = {'build': 'building', 'run': 'recording, the demo', 'test': 'the tests',
            'node': "Box's Node SDK, for a test and the bench", 'fuzz': '`scripts/test fuzz`', 'coverage': '`scripts/test coverage`',
            'tidy': '`scripts/tidy`', 'site': '`scripts/site`, for a test too', 'valgrind': '`scripts/soak --under valgrind`',
            'release': '`scripts/test-on`, `scripts/package`', 'bench': '`scripts/bench`'}

# Pages that README.md links to and that no user of a package needs.
FOR_DEVELOPERS = {'docs/architecture.md', 'docs/box-protocol.md', 'docs/performance.md', 'docs/testing.md'}


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


def packaged(top, kind):
    """What debian/*.KIND names, with the files of each folder."""
    names = set()
    for path in glob.glob(os.path.join(top, f'debian/*.{kind}')):
        with open(path, encoding='utf-8') as file:
            names.update(file.read().split())
    for name in list(names):
        found = glob.glob(os.path.join(top, name, '*'))
        names.update(os.path.relpath(path, top) for path in found)
    return names


def unpackaged_pages(top):
    """Pages that README.md links to for users, and that are in no package; and what is named and does not exist."""
    with open(os.path.join(top, 'README.md'), encoding='utf-8') as file:
        pages = set(re.findall(r'\]\((docs/[\w-]+\.md)[#)]', file.read()))
    names = packaged(top, 'docs')
    return pages - FOR_DEVELOPERS - names | {name for name in names if not os.path.exists(os.path.join(top, name))}


def unpackaged_examples(top):
    """Files of examples/ and docs/monitoring/ that are in no package."""
    found = glob.glob(os.path.join(top, 'examples/*')) + glob.glob(os.path.join(top, 'docs/monitoring/*'))
    return {os.path.relpath(path, top) for path in found} - packaged(top, 'examples') - {'examples/meson.build'}


def main():
    groups = installed(sys.argv[1])
    print(f'1..{len(HEADINGS) + 3}')
    for number, (group, heading) in enumerate(HEADINGS.items(), 1):
        missing = groups.get(group, set()) ^ listed(sys.argv[1], heading)
        for name in sorted(missing):
            print(f'# {name} is in one of README.md and scripts/lib/packages only')
        print(f'{"not ok" if missing else "ok"} {number} readme-lists-the-packages-for-{group}')
    unnamed = set(groups) - set(HEADINGS)
    for group in sorted(unnamed):
        print(f'# {group} has no row')
    print(f'{"not ok" if unnamed else "ok"} {len(HEADINGS) + 1} readme-has-a-row-for-every-group')
    for number, (kind, missing) in enumerate((('page', unpackaged_pages(sys.argv[1])),
                                              ('example', unpackaged_examples(sys.argv[1]))), len(HEADINGS) + 2):
        for name in sorted(missing):
            print(f'# no package has {name}')
        print(f'{"not ok" if missing else "ok"} {number} every-{kind}-for-users-is-in-a-package')


if __name__ == '__main__':
    main()
