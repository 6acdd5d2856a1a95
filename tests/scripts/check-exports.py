#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether the plugin exports its entry alone, as a TAP test.

usage: check-exports.py PLUGIN

What else it exported could be replaced by a program that links the uploader itself, as these tests do.
"""
import subprocess
import sys

ENTRY = {'gst_plugin_boxupload_get_desc', 'gst_plugin_boxupload_register'}


def main():
    lines = subprocess.run(['nm', '-D', '--defined-only', sys.argv[1]], check=True, capture_output=True, text=True).stdout.splitlines()
    exported = {line.split()[-1] for line in lines}
    print('1..1')
    for name in sorted(exported ^ ENTRY):
        print('#', name)
    print('ok' if exported == ENTRY else 'not ok', '1 the-plugin-exports-its-entry-alone')


main()
