#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The units of systemd and what belongs to them, as a TAP test: that systemd accepts them, how much they may do, and that their
lines run, with the recorder that docs/service.md has as an example.

usage: test-units.py SOURCE_DIR BUILD_DIR BIN_DIR
"""
import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback

TOP, BUILD, BIN_DIR = os.path.realpath(sys.argv[1]), os.path.realpath(sys.argv[2]), sys.argv[3]
PROGRAMS = {'boxupload': f'{BUILD}/src/cli/boxupload', 'box-emulator': f'{BUILD}/tests/emulator/box-emulator'}
UNITS = ('boxupload-watch.service', 'boxupload-record@.service')
MOST_EXPOSURE = 2.0
PATIENCE = 300  # seconds


class Skip(Exception):
    """What is missing."""


def need(program):
    if shutil.which(program) is None:
        raise Skip(f'needs {program}')


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as file:
        return file.read()


def unit_text(name):
    """The unit with the programs where they were built."""
    return read(BUILD, 'systemd', name).replace(f'{BIN_DIR}/boxupload', PROGRAMS['boxupload'])


def write_units(folder):
    """The template as the instance that is looked at."""
    for name in UNITS:
        with open(os.path.join(folder, name.replace('@', '@hall')), 'w', encoding='utf-8') as file:
            file.write(unit_text(name))
    return [os.path.join(folder, name.replace('@', '@hall')) for name in UNITS]


def run(*command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE, check=False)
    for line in filter(None, result.stdout.splitlines()):
        if not line.startswith('✓'):
            print(f'# {line}')
    return result.returncode, result.stdout


def systemd_accepts_the_units(folder):
    need('systemd-analyze')
    assert run('systemd-analyze', 'verify', '--man=no', *write_units(folder)) == (0, '')


def the_units_may_do_little(folder):
    need('systemd-analyze')
    for unit in write_units(folder):
        code, text = run('systemd-analyze', 'security', '--offline=true', '--no-pager',
                         f'--threshold={round(MOST_EXPOSURE * 10)}', unit)
        assert code == 0, unit
        assert float(re.search(r'exposure level for .*: ([0-9.]+)', text).group(1)) <= MOST_EXPOSURE


def the_user_and_the_spool_are_made(folder):
    need('systemd-sysusers')
    need('systemd-tmpfiles')
    os.makedirs(f'{folder}/etc')
    os.makedirs(f'{folder}/var/lib')
    assert run('systemd-sysusers', f'--root={folder}', f'{TOP}/systemd/boxupload.sysusers')[0] == 0
    user = re.search(r'^boxupload:x:(\d+):(\d+):[^:]*:/var/lib/boxupload:.*nologin$', read(folder, 'etc/passwd'), re.MULTILINE)
    assert user
    if os.getuid() == 0:
        assert run('systemd-tmpfiles', f'--root={folder}', '--create', f'{TOP}/systemd/boxupload.tmpfiles')[0] == 0
        status = os.stat(f'{folder}/var/lib/boxupload/spool')
        assert (status.st_mode & 0o777, status.st_uid, status.st_gid) == (0o700, int(user.group(1)), int(user.group(2)))


def settings_of(name):
    """Key → values, in order; the comments and sections of units are not."""
    settings = {}
    for key, value in re.findall(r'^(\w+)=(.*)$', unit_text(name), re.MULTILINE):
        settings.setdefault(key, []).append(value)
    return settings


def the_units_leave_no_core_dump(_):
    for name in UNITS:
        assert settings_of(name).get('LimitCORE') == ['0'], name


def line_of(name, folder, variables):
    """(command, environment) as systemd would run it, with the directories below folder."""
    settings = settings_of(name)
    directories = {'%S': f'{folder}/state', '%C': f'{folder}/cache', '%d': f'{folder}/credentials'}
    environment = {**os.environ, **variables, 'GST_PLUGIN_PATH': f'{BUILD}/gst'}
    for assignment in shlex.split(' '.join(settings['Environment'])):
        for specifier, value in {**directories, '%i': 'hall'}.items():
            assignment = assignment.replace(specifier, value)
        key, _, value = assignment.partition('=')
        environment[key] = value
    command = []
    for word in shlex.split(settings['ExecStart'][0]):
        command += shlex.split(variables.get(word[1:], '')) if word.startswith('$') else [word]
    for path in directories.values():
        os.makedirs(f'{path}/boxupload', exist_ok=True)
    with open(f'{folder}/credentials/box.json', 'w', encoding='utf-8') as file:
        json.dump({'client_id': 'an-app', 'client_secret': 'its-secret', 'enterprise_id': '1'}, file)
    os.chmod(f'{folder}/credentials/box.json', 0o600)
    return command, environment


@contextlib.contextmanager
def emulator(folder):
    """Its variables."""
    command = [PROGRAMS['box-emulator'], '--dir', f'{folder}/box', '--run', '--', 'sh', '-c', 'env -0; echo; exec sleep 1000']
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        variables = dict(entry.partition('=')[::2] for entry in process.stdout.readline().split('\0') if '=' in entry)
        try:
            yield {name: variables[name] for name in ('BOX_ENDPOINT', 'BOX_API_ENDPOINT', 'BOX_CA_FILE', 'no_proxy')}
        finally:
            process.terminate()


def stored(folder):
    return os.listdir(f'{folder}/box/content')


def recorder_of_the_page():
    """The value of PIPELINE, as an environment file has it."""
    return shlex.split(re.search(r'^PIPELINE=(".*")$', read(TOP, 'docs/service.md'), re.MULTILINE).group(1))[0]


def record(folder, variables):
    """Until it plays, then as "systemctl stop" ends it."""
    command, environment = line_of('boxupload-record@.service', folder, {**variables, 'PIPELINE': recorder_of_the_page()})
    spool = f'{folder}/state/boxupload/spool'
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as process:
        for line in process.stdout:
            print(f'# {line.rstrip()}')
            if 'PLAYING' in line:
                break
        process.send_signal(getattr(signal, settings_of('boxupload-record@.service')['KillSignal'][0]))
        output = process.stdout.read()
        print('\n'.join(f'# {line}' for line in output.splitlines()))
        assert process.wait(PATIENCE) == 0
    return spool


def the_lines_record_and_upload(folder):
    need('gst-launch-1.0')
    with emulator(folder) as variables:
        # Box is away while it is recorded; the recording is the daemon's then.
        spool = record(folder, {**variables, 'BOX_ENDPOINT': 'https://127.0.0.1:1/api/2.0'})
        assert [name for name in os.listdir(spool) if not name.startswith('.')]
        assert stored(folder) == []

        command, environment = line_of('boxupload-watch.service', folder, {**variables, 'WATCH_OPTIONS': '--json'})
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f'{folder}/notify')
            manager.settimeout(PATIENCE)
            environment['NOTIFY_SOCKET'] = f'{folder}/notify'
            with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as watch:
                assert manager.recv(512) == b'READY=1'
                for line in watch.stdout:
                    print(f'# {line.rstrip()}')
                    if json.loads(line)['event'] in ('complete', 'failed'):
                        break
                watch.terminate()
                assert watch.wait(PATIENCE) == 0
        assert len(stored(folder)) == 1


CASES = [
    systemd_accepts_the_units,
    the_units_may_do_little,
    the_units_leave_no_core_dump,
    the_user_and_the_spool_are_made,
    the_lines_record_and_upload,
]


def main():
    failed = False
    print(f'1..{len(CASES)}')
    for number, case in enumerate(CASES, 1):
        name = case.__name__.replace('_', '-')
        with tempfile.TemporaryDirectory() as folder:
            try:
                case(folder)
                print(f'ok {number} {name}', flush=True)
            except Skip as reason:
                print(f'ok {number} {name} # SKIP {reason}', flush=True)
            except Exception:  # pylint: disable=broad-except
                failed = True
                print('\n'.join(f'# {line}' for line in traceback.format_exc().splitlines()))
                print(f'not ok {number} {name}', flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
