#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""That scripts/lib/count-tests.py counts right, as a TAP test. usage: test-count-tests.py SOURCE_DIR"""
import json
import os
import subprocess
import sys
import tempfile

OK, FAIL = 'ok 1 /a\n', 'not ok 2 /b\n'

# name, entries of the log (result, exit status, output), the last line, the exit code
CASES = [
    ('every-subtest-counts', [('OK', 0, OK + 'ok 2 /b\n'), ('OK', 0, OK)], '3 passed, 0 failed', 0),
    ('a-program-without-tap-counts-as-one', [('OK', 0, 'hello\n')], '1 passed, 0 failed', 0),
    ('a-failed-subtest-counts', [('FAIL', 1, OK + FAIL)], '1 passed, 1 failed', 1),
    ('a-crash-after-good-subtests-is-a-failure', [('ERROR', -11, OK)], '1 passed, 1 failed', 1),
    ('a-timeout-is-a-failure', [('TIMEOUT', -9, '')], '0 passed, 1 failed', 1),
    ('a-program-without-tap-that-fails-counts-as-one', [('FAIL', 1, '')], '0 passed, 1 failed', 1),
    ('skipped-subtests-are-told-apart', [('OK', 0, OK + 'ok 2 /b # SKIP no root\n')], '1 passed, 0 failed, 1 skipped', 0),
    ('a-skipped-program-is-told-apart', [('SKIP', 77, ''), ('OK', 0, OK)], '1 passed, 0 failed, 1 skipped', 0),
    ('what-is-known-to-fail-is-no-failure', [('OK', 0, 'not ok 1 /a # TODO later\n')], '1 passed, 0 failed', 0),
    ('nothing-run-is-not-success', [], '0 passed, 0 failed', 1),
    ('indented-output-is-not-tap', [('OK', 0, OK + '    not ok 1 inner\n')], '1 passed, 0 failed', 0),
]

# name, lines of the log as they are, words of the line that tells of the failure, the last line
BROKEN = [
    ('an-entry-that-was-cut-names-its-test', ['{"name": "cut", "stdout": "ok 1'], 'cut: the program: ERROR', '1 passed, 1 failed'),
    ('a-line-that-is-no-json-is-a-failure', ['terminated'], 'line 2: the program: ERROR', '1 passed, 1 failed'),
    ('a-signal-and-the-last-words-are-told',
     [json.dumps({'name': 'y', 'result': 'ERROR', 'returncode': -6, 'stdout': 'ok 1 /a\nBail out! too long\n'})],
     'y: the program: ERROR, killed by SIGABRT: too long', '2 passed, 1 failed'),
]
WHOLE = json.dumps({'name': 'x', 'result': 'OK', 'returncode': 0, 'stdout': OK})


def run(top, *arguments):
    result = subprocess.run([sys.executable, os.path.join(top, 'scripts/lib/count-tests.py'), *arguments],
                            stdout=subprocess.PIPE, text=True, check=False)
    return result.stdout.rstrip('\n').split('\n'), result.returncode


def count(top, *arguments):
    lines, code = run(top, *arguments)
    return lines[-1], code


def check(number, name, got, expected):
    if got != expected:
        print(f'# expected {expected}, got {got}')
    print(f'{"ok" if got == expected else "not ok"} {number} {name}')


def main():
    top = sys.argv[1]
    print(f'1..{len(CASES) + 2 + len(BROKEN)}')
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, 'testlog.json')
        for number, (name, entries, line, code) in enumerate(CASES, 1):
            with open(log, 'w', encoding='utf-8') as file:
                for result, status, output in entries:
                    file.write(json.dumps({'name': 'x', 'result': result, 'returncode': status, 'stdout': output}) + '\n')
            check(number, name, count(top, f'plain={log}'), (line, code))

        for number, (name, lines, words, line) in enumerate(BROKEN, len(CASES) + 1):
            with open(log, 'w', encoding='utf-8') as file:
                file.write('\n'.join([WHOLE, *lines]) + '\n')
            said, code = run(top, f'plain={log}')
            check(number, name, (words if words in said[0] else said[0], said[-1], code), (words, line, 1))

        missing = os.path.join(folder, 'missing')
        check(number + 1, 'a-missing-log-is-a-failure', count(top, f'plain={missing}'), ('0 passed, 1 failed', 1))

    marker = f'test-{os.getpid()}'
    with subprocess.Popen(['sleep', '60'], env={**os.environ, 'BOXUPLOAD_TEST_RUN': marker}) as left_behind:
        got = count(top, '--marker', marker)
        left_behind.kill()
    check(number + 2, 'a-process-left-behind-is-a-failure', got, ('0 passed, 1 failed', 1))


if __name__ == '__main__':
    main()
