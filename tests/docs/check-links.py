#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""That the links between README.md, CHANGELOG.md and docs/*.md lead somewhere, as a TAP test. usage: check-links.py SOURCE_DIR"""
import os
import re
import sys

LINK = re.compile(r'\[[^\]]*\]\(([^)\s]+)\)')


def anchors(path):
    """As GitHub makes them from headings."""
    with open(path, encoding='utf-8') as file:
        headings = re.findall(r'^#+ +(.*)$', file.read(), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings}


def broken(top, page):
    with open(os.path.join(top, page), encoding='utf-8') as file:
        text = re.sub(r'^```.*?^```$', '', file.read(), flags=re.DOTALL | re.MULTILINE)
    for target in LINK.findall(text):
        if re.match(r'[a-z]+:', target):
            continue
        path, _, anchor = target.partition('#')
        path = os.path.normpath(os.path.join(top, os.path.dirname(page), path)) if path else os.path.join(top, page)
        if not os.path.exists(path) or (anchor and anchor not in anchors(path)):
            yield target


def main():
    top = sys.argv[1]
    pages = ['README.md', 'CHANGELOG.md'] + sorted(f'docs/{name}' for name in os.listdir(f'{top}/docs')
                                                   if name.endswith('.md'))
    print(f'1..{len(pages)}')
    for number, page in enumerate(pages, 1):
        targets = list(broken(top, page))
        for target in targets:
            print(f'# {page}: {target} leads nowhere')
        print(f'{"not ok" if targets else "ok"} {number} links-of-{page}')


if __name__ == '__main__':
    main()
