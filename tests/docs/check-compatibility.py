#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""That what users of 0.1 rely on (tests/data/interface-0.1.json) is still there and means the same, as a TAP test. More may be there.
docs/compatibility.md says what it is. Recordings, notes and receipts of 0.1 have tests of their own (tests/spool/test-earlier.c).

usage: check-compatibility.py SOURCE_DIR BUILD_DIR [--write]

--write keeps the interface as it is now: for the first release of a new major version, and for what a release adds.
"""
import json
import os
import subprocess
import sys
import tempfile

import interface

KEPT = 'tests/data/interface-0.1.json'
TYPES = {dict: 'object', list: 'array', str: 'string', bool: 'boolean', int: 'integer', float: 'number', type(None): 'null'}



def shape(value):
    """Members and their types; of an array, those of its first element."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(member) for member in value[:1]]
    return TYPES[type(value)]


def merge(one, other):
    """What either has; null says nothing."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: merge(one.get(name, 'null'), other.get(name, 'null')) for name in {**one, **other}}
    return one if other == 'null' else other


def outputs(top, build):
    """Shape of the JSON of each command, and of each event of those that have many."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, 'HOME': home, 'XDG_STATE_HOME': f'{home}/state', 'GST_PLUGIN_PATH': f'{build}/gst',
                       'GST_REGISTRY': f'{home}/registry', 'PATH': f'{build}/src/cli:{os.environ["PATH"]}'}
        text = subprocess.run([f'{build}/tests/emulator/box-emulator', '--run', '--', f'{top}/tests/docs/outputs.sh'], cwd=home, check=True,
                              env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True).stdout
    shapes = {}
    for line in text.splitlines():
        command, _, output = line.partition('\t')
        value = json.loads(output)
        name = f'{command} {value["event"]}' if 'event' in value else command
        if 'error' in value:
            name = 'failures'
        elif command == 'spool' and 'recordings' not in value:
            name = 'spool rm' if 'removed' in value else 'spool export'
        shapes[name] = merge(shapes.get(name, {}), shape(value))
    return shapes


def interface_now(top, build):
    inspected = interface.inspect(f'{build}/gst')
    boxupload, emulator = f'{build}/src/cli/boxupload', f'{build}/tests/emulator/box-emulator'
    return {
        'properties': interface.properties(top, inspected),
        'values': interface.choices(inspected),
        'signals': interface.signals(inspected),
        'messages': interface.messages(top),
        'error-details': interface.details(top),
        'error-codes': sorted(interface.errors(top)),
        'statistics': interface.statistics(top),
        'exit-codes': interface.exit_codes(top),
        'kinds-of-failures': interface.error_kinds(top),
        'variables': sorted(interface.variables(top)),
        'options': {**{f'boxupload {command}': sorted(long for _, long in interface.options(boxupload, command, '--help-all'))
                       for command in interface.commands(boxupload)},
                    'box-emulator': sorted(long for _, long in interface.options(emulator, '--help'))},
        'metrics': interface.metrics(top),
        'status': sorted(interface.status_members(top)),
        'journal': sorted(interface.journal_records(top)),
        'outputs': outputs(top, build),
    }


def lost(kept, now, where=''):
    """What @kept has and @now has not, or has otherwise."""
    if isinstance(kept, dict):
        for name, value in kept.items():
            if not isinstance(now, dict) or name not in now:
                yield f'{where}{name} is gone'
            else:
                yield from lost(value, now[name], f'{where}{name}: ')
    elif isinstance(kept, list) and kept and isinstance(kept[0], dict):
        yield from lost(kept[0], now[0] if now else {}, where)
    elif isinstance(kept, list):
        yield from (f'{where}{name} is gone' for name in kept if name not in now)
    elif kept != now and 'null' not in (kept, now):
        yield f'{where}was {kept}, is {now}'


def main():
    top, build = (os.path.abspath(path) for path in sys.argv[1:3])
    now = interface_now(top, build)
    if '--write' in sys.argv:
        with open(os.path.join(top, KEPT), 'w', encoding='utf-8') as file:
            json.dump(now, file, indent=1, sort_keys=True)
            file.write('\n')
        return
    kept = json.loads(interface.read(top, KEPT))
    print(f'1..{len(kept)}')
    for number, (name, value) in enumerate(kept.items(), 1):
        differences = list(lost(value, now.get(name, {})))
        for line in differences:
            print(f'# {line}')
        good = not differences and value
        print(f'{"ok" if good else "not ok"} {number} {name}-of-0.1')


if __name__ == '__main__':
    sys.dont_write_bytecode = True
    main()
