#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The man page of the element: a template with the properties and messages that docs/element.md lists.

usage: make-man-page.py TEMPLATE ELEMENT.md VERSION >PAGE
"""
import re
import sys

PROPERTY = re.compile(r'^\| `([a-z-]+)` \| ([^|]+) \| ([^|]+) \|$', re.MULTILINE)
MESSAGE = re.compile(r'^\| `(boxuploadsink-[a-z-]+)` \| ([^|]+) \| [^|]+ \|$', re.MULTILINE)


def sentence(text):
    """A cell of a table, without Markdown, for mdoc."""
    text = re.sub(r'; 0: see \[above\]\([^)]*\)', '', text.strip())
    text = re.sub(r'\[([^]]*)\]\([^)]*\)', r'\1', text).replace('`', '').replace('\\', '\\e')
    text = text[0].upper() + text[1:]
    return text if text.endswith('.') else text + '.'


def describe_property(name, kind, meaning):
    kind, _, default = kind.partition(', ')
    default = f' , default {default.strip("`")}' if default else ''
    return f'.It Cm {name} Pq {kind}{default}\n{sentence(meaning)}'


def main():
    template, page = (open(path, encoding='utf-8').read() for path in sys.argv[1:3])
    properties = PROPERTY.findall(page.partition('\n## All properties\n')[2])
    messages = MESSAGE.findall(page)
    if not properties or not messages:
        sys.exit(f'{sys.argv[2]} has no properties or no messages')
    values = {
        'PROPERTIES': '\n'.join(describe_property(*row) for row in properties),
        'MESSAGES': '\n'.join(f'.It Sy {name}\n{sentence(when)}' for name, when in messages),
        'VERSION': sys.argv[3],
    }
    sys.stdout.write(re.sub('@([A-Z]+)@', lambda match: values[match.group(1)], template))


if __name__ == '__main__':
    main()
