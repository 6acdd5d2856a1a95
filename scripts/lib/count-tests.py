#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Adds up the tests of meson's logs: every TAP subtest counts, a program without TAP counts as one.

usage: count-tests.py [--marker VALUE] NAME=testlog.json...

A program that ended badly without a failed subtest (a crash, a timeout, a missing plan) counts as one failure, and so do
a log that is missing and a process that the run left behind (one with BOXUPLOAD_TEST_RUN=VALUE in its environment).
Prints one line a failure, then "N passed, N failed"; exits 1 where something failed or nothing ran.
"""
import argparse
import json
import os
import re
import signal
import sys

TAP_LINE = re.compile(r'^(not )?ok\b(.*)$', re.MULTILINE)
TAP_DIRECTIVE = re.compile(r'#\s*(SKIP|TODO)\b', re.IGNORECASE)
BAIL = re.compile(r'^Bail out!(.*)$', re.MULTILINE)
NAME = re.compile(r'"name": "((?:[^"\\\\]|\\\\.)*)"')
GOOD = {'OK', 'EXPECTEDFAIL', 'SKIP'}


def describe_end(test):
    """How the program ended, and what it said when it gave up."""
    status = test.get('returncode')
    end = f'exit status {status}'
    if isinstance(status, int) and status < 0:
        try:
            end = f'killed by {signal.Signals(-status).name}'
        except ValueError:
            pass
    bail = BAIL.search(test.get('stdout') or '')
    return f'{end}: {bail.group(1).strip()}' if bail and bail.group(1).strip() else end


def count_program(test):
    """(passed, failures, skipped) of one entry of testlog.json; failures are descriptions."""
    passed, failures, skipped = 0, [], 0
    lines = TAP_LINE.findall(test.get('stdout') or '')
    for negated, rest in lines:
        directive = TAP_DIRECTIVE.search(rest)
        if directive and directive.group(1).upper() == 'SKIP':
            skipped += 1
        elif negated and not directive:
            failures.append(rest.strip())
        else:
            passed += 1
    if test['result'] not in GOOD and not failures:
        failures.append(f'the program: {test["result"]}, {describe_end(test)}')
    elif not lines and test['result'] == 'SKIP':
        skipped += 1
    elif not lines:
        passed += 1
    return passed, failures, skipped


def read_log(path):
    """The entries; where a line is none, an entry that says so under the name that can be made out."""
    try:
        with open(path, encoding='utf-8', errors='replace', newline='\n') as log:
            lines = [line for line in log if line.strip()]
    except OSError as error:
        return [{'name': path, 'result': 'ERROR', 'returncode': str(error)}]
    return [read_entry(path, number, line) for number, line in enumerate(lines, 1)]


def read_entry(path, number, line):
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if isinstance(entry, dict) and 'name' in entry and 'result' in entry:
        return entry
    name = NAME.search(line)
    return {'name': name.group(1) if name else f'{path}, line {number}', 'result': 'ERROR',
            'returncode': f'unknown: aborted, its entry in the log is no JSON: {line.strip()[:60]}'}


def processes_with(marker):
    """(pid, command line) of the processes that have the marker in their environment, without this one and its parents."""
    own, pid = set(), os.getpid()
    while pid > 1:
        own.add(pid)
        with open(f'/proc/{pid}/stat', encoding='utf-8') as stat:
            pid = int(stat.read().rpartition(')')[2].split()[1])
    wanted = b'BOXUPLOAD_TEST_RUN=' + marker.encode()
    for entry in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{entry}/environ', 'rb') as environ:
                marked = wanted in environ.read().split(b'\0')
            with open(f'/proc/{entry}/cmdline', 'rb') as cmdline:
                command = cmdline.read().replace(b'\0', b' ').decode('utf-8', 'replace').strip()
        except OSError:
            continue
        if marked and int(entry) not in own:
            yield int(entry), command


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--marker')
    parser.add_argument('logs', nargs='*')
    options = parser.parse_args()

    passed, failed, skipped = 0, 0, 0
    for argument in options.logs:
        build, _, path = argument.partition('=')
        for test in read_log(path):
            good, failures, left_out = count_program(test)
            passed += good
            failed += len(failures)
            skipped += left_out
            for failure in failures:
                print(f'FAILED [{build}] {test["name"]}: {failure}')
    for pid, command in processes_with(options.marker) if options.marker else ():
        print(f'FAILED a process was left behind: {pid} {command}')
        failed += 1

    ending = f', {skipped} skipped' if skipped else ''
    print(f'{passed} passed, {failed} failed{ending}')
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == '__main__':
    sys.exit(main())
