#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""That the man pages have the options of --help and no others, command by command, as a TAP test.

usage: check-man-pages.py SOURCE_DIR BOXUPLOAD BOX_EMULATOR

The options of a command of boxupload are in its own item of the list of commands, and in the subsections below it, which may
begin with whose options they are: "Of put and resume", "Of all commands but spool".
"""
import os
import re
import sys

import interface

# The heads of items: .It Fl f , Fl -folder Ar id
HEAD = re.compile(r'^\.It (Fl .*)$', re.MULTILINE)


def options_of_page(text):
    options = set()
    for head in HEAD.findall(text):
        for option in re.findall(r'(?:\bFl ([a-z]) , )?\bFl -([a-z0-9-]+)', head):
            options.add((option[0] or None, option[1]))
    return options


def is_about(subsection, command):
    intro = subsection.partition('\n.Bl')[0].partition('\n')[2]
    names = [word for line in re.findall(r'^\.Cm (.*)$', intro, re.MULTILINE) for word in re.findall(r'[a-z]+', line)]
    return not names or (command in names) != ('all commands but' in intro)


def text_about(page, command):
    """Of boxupload's page."""
    description = page.partition('\n.Sh DESCRIPTION\n')[2].partition('\n.Sh ')[0]
    commands, *subsections = re.split(r'^\.Ss ', description, flags=re.MULTILINE)
    items = re.split(r'^(?=\.It Cm )', commands, flags=re.MULTILINE)
    own = [item for item in items if re.match(rf'\.It Cm {command}\b', item)]
    return '\n'.join(own + [text for text in subsections if is_about(text, command)])


def crowded_lines(text):
    """(number, line) of each line of prose in which a sentence begins: mandoc's lint, with which scripts/package ends, wants it on a new line."""
    lines = enumerate(re.sub(r'^\.Bd.*?^\.Ed$', lambda display: re.sub('.+', '.', display.group()), text, flags=re.DOTALL | re.MULTILINE).split('\n'), 1)
    return [(number, line) for number, line in lines if not line.startswith('.') and re.search(r'[a-z)][.?!]\s+[A-Z]', line)]


def tell_crowded_lines(number, top):
    good = True
    for name in sorted(name for name in os.listdir(f'{top}/docs') if re.search(r'\.[17](\.in)?$', name)):
        for line in crowded_lines(interface.read(top, 'docs', name)):
            good = False
            print('# docs/{}:{}: a sentence begins within the line: {}'.format(name, *line))
    print(f'{"ok" if good else "not ok"} {number} sentences-begin-on-lines-of-their-own')


def main():
    top, boxupload, emulator = sys.argv[1:4]
    pages = {}
    for name in ('boxupload', 'box-emulator'):
        with open(os.path.join(top, 'docs', name + '.1'), encoding='utf-8') as file:
            pages[name] = file.read()
    cases = [(f'boxupload-{command}', interface.options(boxupload, command, '--help-all'),
              options_of_page(text_about(pages['boxupload'], command)))
             for command in interface.commands(boxupload)]
    cases.append(('box-emulator', interface.options(emulator, '--help'), options_of_page(pages['box-emulator'])))

    print(f'1..{len(cases) + 1}')
    for number, (name, of_help, of_page) in enumerate(cases, 1):
        for short, option in sorted(of_help ^ of_page, key=str):
            where = '--help' if (short, option) in of_help else 'the man page'
            print(f'# {"-" + short + ", " if short else ""}--{option} is in {where} only')
        print(f'{"ok" if of_help and of_help == of_page else "not ok"} {number} options-of-{name}')
    tell_crowded_lines(len(cases) + 1, top)


if __name__ == '__main__':
    main()
