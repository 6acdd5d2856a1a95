# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parts of a page that scripts write: what stands between two marks."""
import sys


def between(path, begin, end):
    """What stands between the lines @begin and @end of the page now."""
    with open(path, encoding='utf-8') as file:
        return file.read().partition(f'{begin}\n')[2].partition(end)[0]


def replace(path, begin, end, text):
    """Writes @text between the lines @begin and @end of the page, in place of what is there."""
    with open(path, encoding='utf-8') as file:
        before, found_begin, rest = file.read().partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        sys.exit(f'{path} has no place for "{begin}"')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(f'{before}{begin}\n{text}\n{end}{after}')
