#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""box-emulator --run as its users see it, as a TAP test. usage: test-emulator-run.py BOX_EMULATOR BOXUPLOAD"""
import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
import traceback

EMULATOR, BOXUPLOAD = (os.path.realpath(path) for path in sys.argv[1:3])
PATIENCE = 300  # seconds

# What is run: writes a line when it is ready and one for each signal, and ends with their number at SIGUSR1.
COUNTER = '''
import os, signal, sys
count = 0
arrived, arrives = os.pipe()
os.set_blocking(arrives, False)
signal.set_wakeup_fd(arrives)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, lambda number, frame: None)
os.write(1, b"ready\\n")
while (number := os.read(arrived, 1)[0]) != signal.SIGUSR1:
    count += 1
    os.write(1, b"signal %d\\n" % number)
sys.exit(100 + count)
'''


def run(*arguments, command=(), **options):
    """box-emulator --run; every argument that is not given is as a user would have it."""
    return subprocess.run([EMULATOR, *arguments, '--run', *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False, **options)


def sh(text, *arguments, **options):
    return run(*arguments, command=('--', 'sh', '-c', text), **options)


def environment(**variables):
    return {**os.environ, **variables}


def the_command_uploads_without_an_option(folder):
    with open(f'{folder}/clip', 'wb') as file:
        file.write(b'a recording')
    result = run(command=('--', BOXUPLOAD, 'put', f'{folder}/clip', '--json'))
    assert result.returncode == 0, result
    assert json.loads(result.stdout.splitlines()[-1])['size'] == 11, result


def a_command_needs_no_separator(folder):
    result = run(command=('sh', '-c', 'echo "$0 $1"', 'first', '--second'))
    assert (result.returncode, result.stdout) == (0, 'first --second\n'), result


def standard_output_is_the_commands_own(folder):
    result = sh('echo one')
    assert (result.stdout, result.stderr) == ('one\n', ''), result


def the_exit_code_is_the_commands(folder):
    for text, code in (('exit 0', 0), ('exit 75', 75), ('kill -KILL $$', 128 + 9)):
        assert sh(text).returncode == code, text


def a_command_that_cannot_be_executed_has_the_codes_of_a_shell(folder):
    result = run(command=('--', 'no-such-program-anywhere'))
    assert result.returncode == 127 and 'no-such-program-anywhere' in result.stderr, result
    assert run(command=('--', folder)).returncode == 126


def an_argument_without_run_is_an_error(folder):
    result = subprocess.run([EMULATOR, '--dir', f'{folder}/x', 'upload'], stderr=subprocess.PIPE, text=True,
                            timeout=PATIENCE, check=False)
    assert result.returncode == 2 and 'upload' in result.stderr, result


def the_users_credentials_do_not_reach_it(folder):
    variables = environment(BOX_ACCESS_TOKEN='secret', BOX_TOKEN_FILE='/secret', BOX_AUTH_CONFIG='/secret')
    result = sh('echo "$BOX_ACCESS_TOKEN ${BOX_TOKEN_FILE-} ${BOX_AUTH_CONFIG-}"', env=variables)
    assert 'secret' not in result.stdout and len(result.stdout) > 4, result
    assert sh('echo $BOX_ACCESS_TOKEN', '--token', 'mine', '--token', 'more').stdout == 'mine\n'


def with_accounts_the_credentials_are_the_users(folder):
    with open(f'{folder}/accounts', 'w', encoding='utf-8') as file:
        json.dump({'users': [{'id': '7', 'name': 'Seven', 'login': 's@example.com'}],
                   'tokens': [{'token': 'of-seven', 'user': '7'}]}, file)
    with open(f'{folder}/token', 'w', encoding='utf-8') as file:
        file.write('of-seven')
    os.chmod(f'{folder}/token', 0o600)
    variables = environment(BOX_TOKEN_FILE=f'{folder}/token', BOX_ACCESS_TOKEN='')
    result = run('--accounts', f'{folder}/accounts', command=('--', BOXUPLOAD, 'whoami'), env=variables)
    assert result.returncode == 0 and 'Seven' in result.stdout, result


def a_proxy_of_the_environment_is_not_asked(folder):
    with open(f'{folder}/clip', 'wb') as file:
        file.write(b'a recording')
    variables = environment(https_proxy='http://127.0.0.1:9', HTTPS_PROXY='http://127.0.0.1:9', no_proxy='example.com')
    result = sh(f'echo $no_proxy; exec "{BOXUPLOAD}" put "{folder}/clip" --retry-timeout 1', env=variables)
    assert result.returncode == 0 and 'localhost,example.com' in result.stdout, result


def nothing_is_left_behind(folder):
    os.mkdir(f'{folder}/tmp')
    os.mkdir(f'{folder}/home')
    variables = environment(TMPDIR=f'{folder}/tmp', HOME=f'{folder}/home', XDG_STATE_HOME=f'{folder}/home/state')
    # The session is noted below $XDG_STATE_HOME. What runs in the background keeps its standard output open.
    result = sh(f'"{BOXUPLOAD}" create --size 100MB --name live.mkv && {{ sleep 1000 & }}', env=variables)
    assert result.returncode == 0, result
    assert (os.listdir(f'{folder}/tmp'), os.listdir(f'{folder}/home')) == ([], [])


def with_a_directory_everything_is_kept(folder):
    with open(f'{folder}/clip', 'wb') as file:
        file.write(b'a recording')
    command = f'"{BOXUPLOAD}" put clip >/dev/null && cd / && exec "{BOXUPLOAD}" create --size 100MB --name live.mkv'
    first = sh(command, '--dir', 'box', cwd=folder)
    assert first.returncode == 0, first
    assert os.listdir(f'{folder}/box/state/boxupload/sessions') != []
    session = first.stdout.strip()
    second = sh(f'"{BOXUPLOAD}" status {session} && "{BOXUPLOAD}" put clip', '--dir', 'box', cwd=folder)
    assert second.returncode == 7 and session in second.stdout, second


def descriptors_are_those_of_the_caller(folder):
    given = os.open('/dev/null', os.O_RDONLY)
    inherited = sh('echo /proc/self/fd/*', close_fds=False, pass_fds=()).stdout.split()
    result = sh('echo /proc/self/fd/*', pass_fds=(given,))
    names = {int(os.path.basename(name)) for name in result.stdout.split()}
    os.close(given)
    # The shell has the directory open itself.
    assert given in names and len(names - {0, 1, 2, given}) <= 1, (result, inherited)


def start_counter(**options):
    process = subprocess.Popen([EMULATOR, '--run', '--', sys.executable, '-c', COUNTER], stdout=subprocess.PIPE, text=True,
                               **options)
    assert process.stdout.readline() == 'ready\n'
    return process


def a_signal_is_sent_on(folder):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with start_counter(stdin=subprocess.DEVNULL) as process:
            process.send_signal(number)
            assert process.stdout.readline() == f'signal {int(number)}\n'
            process.send_signal(signal.SIGUSR1)
            assert process.wait(PATIENCE) == 101


def a_signal_to_the_whole_group_comes_once(folder):
    # Directly it would come before the one that is sent on.
    with start_counter(stdin=subprocess.DEVNULL, start_new_session=True) as process:
        os.killpg(process.pid, signal.SIGTERM)
        assert process.stdout.readline() == 'signal 15\n'
        process.send_signal(signal.SIGUSR1)
        assert process.wait(PATIENCE) == 101


def on_terminal(command, script):
    """Runs command with a terminal of its own; script is called with a file for both directions. The exit code."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    with os.fdopen(terminal, 'r+b', buffering=0) as file:
        script(pid, file)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def read_until(file, text):
    seen = b''
    while text not in seen:
        seen += file.read(1024)
    return seen


def ctrl_c_on_a_terminal_comes_once(folder):
    def script(pid, file):
        read_until(file, b'ready')
        file.write(b'\x03')
        read_until(file, b'signal 2')
        os.kill(pid, signal.SIGUSR1)

    assert on_terminal([EMULATOR, '--run', '--', sys.executable, '-c', COUNTER], script) == 101


def without_a_command_it_is_the_users_shell(folder):
    def script(pid, file):
        file.write(f'"{BOXUPLOAD}" whoami\nexit 42\n'.encode())
        read_until(file, b'Emulator')

    os.environ['SHELL'] = '/bin/sh'
    assert on_terminal([EMULATOR, '--run'], script) == 42


CASES = [
    the_command_uploads_without_an_option,
    a_command_needs_no_separator,
    standard_output_is_the_commands_own,
    the_exit_code_is_the_commands,
    a_command_that_cannot_be_executed_has_the_codes_of_a_shell,
    an_argument_without_run_is_an_error,
    the_users_credentials_do_not_reach_it,
    with_accounts_the_credentials_are_the_users,
    a_proxy_of_the_environment_is_not_asked,
    nothing_is_left_behind,
    with_a_directory_everything_is_kept,
    descriptors_are_those_of_the_caller,
    a_signal_is_sent_on,
    a_signal_to_the_whole_group_comes_once,
    ctrl_c_on_a_terminal_comes_once,
    without_a_command_it_is_the_users_shell,
]


def main():
    print(f'1..{len(CASES)}')
    failed = False
    for number, case in enumerate(CASES, 1):
        with tempfile.TemporaryDirectory() as folder:
            os.environ.update(HOME=folder, XDG_STATE_HOME=f'{folder}/state')
            try:
                case(folder)
                good = True
            except Exception:  # pylint: disable=broad-except
                good, failed = False, True
                for line in traceback.format_exc().rstrip().split('\n'):
                    print(f'# {line}')
        print(f'{"ok" if good else "not ok"} {number} {case.__name__.replace("_", "-")}', flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
