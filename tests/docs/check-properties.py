#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""That the list in docs/element.md has the properties of boxuploadsink, their types and defaults, as a TAP test.

usage: check-properties.py SOURCE_DIR PLUGIN_DIR
"""
import os
import re
import subprocess
import sys
import tempfile

ROW = re.compile(r'^\| `([a-z-]+)` \| ([^|]+) \| [^|]+ \|$', re.MULTILINE)
PROPERTY = re.compile(r'^  ([a-z][a-z0-9-]*) +: .*\n +flags: .*\n +(.*)$', re.MULTILINE)
TYPES = {'Unsigned Integer64': 'uint64', 'Unsigned Integer': 'uint', 'Boolean': 'boolean', 'String': 'string'}


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as file:
        return file.read()


def describe(value):
    """As the page writes what gst-inspect-1.0 says of a value."""
    boxed = re.fullmatch(r'Boxed pointer of type "(\w+)"', value)
    if boxed:
        return boxed.group(1)
    chosen = re.fullmatch(r'Enum "\w+" Default: \d+, "([\w-]+)"', value)
    if chosen:
        return f'enum, `{chosen.group(1)}`'
    kind, default = re.fullmatch(r'([\w ]+)\. .*?Default: (.*)', value).groups()
    if kind == 'String':
        return 'string' if default == 'null' else f'string, `{default[1:-1]}`'
    return f'{TYPES[kind]}, {default}'


def inspect(plugin_dir):
    with tempfile.TemporaryDirectory() as home:
        environment = dict(os.environ, GST_PLUGIN_PATH=plugin_dir, GST_REGISTRY=os.path.join(home, 'registry'), LC_ALL='C.UTF-8')
        output = subprocess.run(['gst-inspect-1.0', '--no-colors', 'boxuploadsink'], env=environment, check=True,
                                stdout=subprocess.PIPE, text=True).stdout
    text = output.partition('\nElement Properties:\n')[2].partition('\nElement Signals:\n')[0]
    return {name: value.replace('Write only', '').strip() for name, value in PROPERTY.findall(text)}


def main():
    top, plugin_dir = sys.argv[1:3]
    of_element = inspect(plugin_dir)
    # Without those of the base class.
    own = {'upload-stats', *re.findall(r'\.name = "([a-z-]+)"', read(top, 'gst/properties.c'))}
    wanted = {name: describe(of_element[name]) if name in of_element else 'is none' for name in own}
    listed = dict(ROW.findall(read(top, 'docs/element.md').partition('\n## All properties\n')[2]))

    names = sorted(own | set(listed))
    print(f'1..{len(names)}')
    for number, name in enumerate(names, 1):
        good = wanted.get(name) == listed.get(name)
        if not good:
            print(f'# the element: {wanted.get(name)}; docs/element.md: {listed.get(name)}')
        print(f'{"ok" if good else "not ok"} {number} {name}')


if __name__ == '__main__':
    main()
