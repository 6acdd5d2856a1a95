#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""That box-emulator takes the scenarios and accounts of docs/emulator.md, as a TAP test: one subtest a block of JSON.

usage: load-json.py SOURCE_DIR BOX_EMULATOR
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile

BLOCK = re.compile(r'^```json\n(.*?)^```$', re.DOTALL | re.MULTILINE)
PAGE = 'docs/emulator.md'


def option_for(text):
    value = json.loads(text)
    return '--accounts' if isinstance(value, dict) and 'rules' not in value else '--scenario'


def loads(emulator, option, text):
    """(whether the emulator starts with it, and ends in order; what it said)"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'block.json')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        with subprocess.Popen([emulator, '--dir', os.path.join(folder, 'box'), option, path], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            said = process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            said += process.communicate()[0]
        return process.returncode == 0 and said.startswith('listening'), said


def main():
    top, emulator = sys.argv[1:3]
    with open(os.path.join(top, PAGE), encoding='utf-8') as file:
        text = file.read()
    blocks = list(BLOCK.finditer(text))
    print(f'1..{len(blocks)}')
    for number, match in enumerate(blocks, 1):
        option = option_for(match.group(1))
        good, said = loads(emulator, option, match.group(1))
        if not good:
            print('# ' + said.strip().replace('\n', '\n# '))
        print(f'{"ok" if good else "not ok"} {number} {PAGE}:{text.count(chr(10), 0, match.start()) + 1} {option}', flush=True)


if __name__ == '__main__':
    main()
