#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""That every message that docs/symptoms.md quotes is one of the source, and that it has all whose cause is outside of this program: a
limit, a right, an administrator. A TAP test. usage: check-symptoms.py SOURCE_DIR"""
import re
import sys

import interface

# A string, in the first group; characters such as '"' are found as well, so that they begin none.
LITERAL = re.compile(r"""'(?:[^'\\\n]|\\.)'|"((?:[^"\\\n]|\\.)*)\"""")
# What begins like a message but is none: a setting, a command, what other programs say.
OTHERS = ('status=243/CREDENTIALS',)

# What a message says if somebody has to change the machine or the Box account.
OUTSIDE = re.compile(r'raise (?:the|its) |have it raised|chmod|\badmin|give this user access|check the disk|no memory left|no thread left')


def literals(top):
    """The strings of the source, those of several lines in one."""
    text = interface.source(top, 'src/*/*.c', 'gst/*.c')
    strings, end = [], 0
    for match in LITERAL.finditer(text):
        string = (match.group(1) or '').replace('\\"', '"')
        if strings and re.fullmatch(r'[\s\\]*(?:G_\w+_FORMAT\s*)?', text[end:match.start()]):
            strings[-1] += string
        else:
            strings.append(string)
        end = match.end()
    return strings


def pattern_of(message):
    """The pieces of @message around its "…", in this order."""
    pieces = [re.escape(piece.strip(' “”,')) for piece in message.split('…') if piece.strip(' “”,')]
    return re.compile('.*'.join(pieces), re.DOTALL)


def is_said(message, strings):
    """Whether one string has the pieces of @message."""
    pattern = pattern_of(message)
    return any(pattern.search(string) for string in strings)


def without_row(messages, strings):
    """Strings that somebody outside has to act on, and that no row has."""
    patterns = [pattern_of(message) for message in messages]
    return [string for string in strings if OUTSIDE.search(string) and not any(pattern.search(string) for pattern in patterns)]


def main():
    top = sys.argv[1]
    rows = re.findall(r'^\| `([^|]*?)`[^|]*\|', interface.read(top, 'docs/symptoms.md'), re.MULTILINE)
    messages = [row for row in rows if row not in OTHERS]
    strings = literals(top)
    print(f'1..{len(messages) + 2}')
    for number, message in enumerate(messages, 1):
        good = is_said(message, strings)
        if not good:
            print(f'# nothing in the source says: {message}')
        print(f'{"ok" if good else "not ok"} {number} {message.replace("#", "")[:70]}')
    found = is_said('a message that no program … ever had', strings)
    print(f'{"not ok" if found or len(messages) < 30 else "ok"} {len(messages) + 1} what-nothing-says-is-found-missing')
    missing = without_row(messages, strings)
    for string in missing:
        print(f'# no row has: {string}')
    print(f'{"not ok" if missing else "ok"} {len(messages) + 2} what-somebody-outside-has-to-mend-has-a-row')


if __name__ == '__main__':
    sys.dont_write_bytecode = True
    main()
