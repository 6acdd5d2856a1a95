#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The programs in examples/, run under "box-emulator --run", as a TAP test.

usage: test-examples.py SOURCE_DIR BUILD_DIR
"""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

TOP, BUILD = (os.path.realpath(path) for path in sys.argv[1:3])
EXAMPLES = f'{TOP}/examples'
HERE = os.path.dirname(os.path.realpath(__file__))
PATIENCE = 300  # seconds
TOKEN = 'the-token-of-the-test'


class Skip(Exception):
    """What is missing."""


def python(*modules):
    """A Python with these of GObject's modules."""
    lines = ''.join(f'gi.require_version("{module}", "1.0")\n' for module in modules)
    for candidate in (sys.executable, '/usr/bin/python3'):
        if subprocess.run([candidate, '-c', f'import gi\n{lines}'], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return candidate
    raise Skip(f'needs Python with gi and {", ".join(modules)}')


def need(program):
    if shutil.which(program) is None:
        raise Skip(f'needs {program}')


class Run:
    """An example that runs, with an emulated Box in its folder; what it prints is read line by line."""

    def __init__(self, folder, *command, environment=None):
        self.folder = folder
        variables = {**os.environ, 'HOME': folder, 'GST_PLUGIN_PATH': f'{BUILD}/gst', 'GST_REGISTRY': f'{BUILD}/tests/gst-registry.bin',
                     'PATH': f'{BUILD}/src/cli:{BUILD}/examples:{os.environ["PATH"]}', 'G_DEBUG': ''}
        emulator = [f'{BUILD}/tests/emulator/box-emulator', '--dir', f'{folder}/box', '--token', TOKEN, '--run', '--', 'env']
        self.process = subprocess.Popen([*emulator, *(environment or ()), *command], cwd=folder, env=variables, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        # Orderly, so that the emulator ends what it runs.
        self.watchdog = threading.Timer(PATIENCE, self.process.terminate)
        self.watchdog.start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.watchdog.cancel()
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def wait_for(self, pattern):
        """A line with it; the match."""
        for line in self.process.stdout:
            print(f'# {line.rstrip()}')
            match = re.search(pattern, line)
            if match:
                return match
        raise AssertionError(f'it ended, and said nothing like {pattern}')

    def wait_for_media(self, size=20000):
        """Until the newest recording in the spool has as many bytes."""
        spool = f'{self.folder}/box/state/boxupload/spool'
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                names = sorted(name for name in os.listdir(spool) if name.endswith('.data'))
                if names and os.stat(f'{spool}/{names[-1]}').st_size >= size:
                    return
            time.sleep(0.02)
        raise AssertionError('nothing was recorded')

    def type(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def end(self, code=0):
        """Reads the rest; that it ends with this exit code."""
        self.process.stdin.close()
        for line in self.process.stdout:
            print(f'# {line.rstrip()}')
        assert self.process.wait(PATIENCE) == code


def frames(path):
    need('ffprobe')
    result = subprocess.run(['ffprobe', '-v', 'error', '-count_frames', '-select_streams', 'v', '-show_entries',
                             'stream=nb_read_frames', '-of', 'csv=p=0', path], stdout=subprocess.PIPE, text=True, check=True)
    return int(result.stdout.strip().rstrip(','))


def all_play(folder, count):
    contents = sorted(os.listdir(f'{folder}/box/content'))
    assert len(contents) == count, contents
    return [frames(f'{folder}/box/content/{name}') for name in contents]


def records_a_clip(folder, *command):
    """With a token that only the signal's handler knows."""
    with Run(folder, *command, 'box://0/clip.mkv', f'echo {TOKEN}', '1', environment=['-u', 'BOX_ACCESS_TOKEN']) as run:
        run.wait_for('^file [0-9]+, SHA-1 [0-9a-f]{40}$')
        run.end()
    assert all_play(folder, 1) == [30]


def fails_without_a_token(folder, *command):
    with Run(folder, *command, 'box://0/clip.mkv', 'false', '1', environment=['-u', 'BOX_ACCESS_TOKEN']) as run:
        run.end(1)


def ends_in_order(folder, *command):
    with Run(folder, *command, 'box://0/clip.mkv', 'false') as run:
        run.wait_for_media()
        run.interrupt()
        run.wait_for('^100 % uploaded')
        run.end()
    assert all_play(folder, 1)[0] > 0


def record_c_records_with_a_token_from_a_signal(folder):
    records_a_clip(folder, 'record')


def record_c_fails_without_a_token(folder):
    fails_without_a_token(folder, 'record')


def record_c_ends_in_order(folder):
    ends_in_order(folder, 'record')


def record_py_records_with_a_token_from_a_signal(folder):
    records_a_clip(folder, python('Gst'), f'{EXAMPLES}/record.py')


def record_py_fails_without_a_token(folder):
    fails_without_a_token(folder, python('Gst'), f'{EXAMPLES}/record.py')


def record_py_ends_in_order(folder):
    ends_in_order(folder, python('Gst'), f'{EXAMPLES}/record.py')


def on_demand_records_twice_while_the_pipeline_runs(folder):
    with Run(folder, 'on-demand', '0') as run:
        for name in ('on-demand-1.mkv', 'on-demand-2.mkv'):
            run.type('\n')
            run.wait_for(f'recording box://0/{name}')
            run.wait_for_media()
            run.type('\n')
            run.wait_for(f'{name} is at Box')
        run.end()
    assert min(all_play(folder, 2)) > 0


def on_demand_uploads_what_runs_when_it_is_left(folder):
    with Run(folder, 'on-demand', '0') as run:
        run.type('\n')
        run.wait_for_media()
        run.end()
    assert all_play(folder, 1)[0] > 0


def on_demand_goes_on_after_a_refusal(folder):
    with Run(folder, 'on-demand', '4711') as run:
        run.type('\n')
        run.wait_for('The recording goes on in')
        run.type('\n')
        run.wait_for('What was recorded is kept')
        run.type('\n')
        run.wait_for('recording box://4711/on-demand-2.mkv')
        run.wait_for('The recording goes on in')
        run.end(1)


def archive_names_pieces_by_their_time(folder):
    with Run(folder, python('Gst'), f'{EXAMPLES}/archive.py', '0', '1') as run:
        names = [run.wait_for(r'at Box: (archive-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{6}Z\.mkv)').group(1) for _ in range(3)]
        run.interrupt()
        run.end()
    assert len(set(names)) == 3
    assert sum(all_play(folder, len(os.listdir(f'{folder}/box/content')))) >= 60


@contextlib.contextmanager
def camera():
    """(its process, its URL)"""
    with subprocess.Popen([python('Gst', 'GstRtspServer'), f'{HERE}/rtsp-server.py'], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def rtsp_records_a_camera(folder):
    with camera() as (_, url), Run(folder, python('Gst'), f'{EXAMPLES}/rtsp.py', url, '0') as run:
        run.wait_for('^recording')
        run.wait_for_media()
        run.interrupt()
        run.wait_for(r'at Box: camera-.*Z\.mkv')
        run.end()
    assert all_play(folder, 1)[0] > 0


def rtsp_uploads_what_came_before_the_camera_went(folder):
    with camera() as (process, url), Run(folder, python('Gst'), f'{EXAMPLES}/rtsp.py', url, '0') as run:
        run.wait_for('^recording')
        run.wait_for_media()
        process.kill()
        run.wait_for(r'at Box: camera-.*Z\.mkv')
        run.interrupt()
        run.end()
    assert all_play(folder, 1)[0] > 0


def ffmpeg_sends_to_standard_input(folder):
    need('ffmpeg')
    with Run(folder, f'{EXAMPLES}/ffmpeg.sh', '0', 'desk.mkv', '-f', 'lavfi', '-i', 'testsrc=duration=1:rate=30') as run:
        run.end()
    assert all_play(folder, 1) == [30]


CASES = [
    record_c_records_with_a_token_from_a_signal,
    record_c_fails_without_a_token,
    record_c_ends_in_order,
    record_py_records_with_a_token_from_a_signal,
    record_py_fails_without_a_token,
    record_py_ends_in_order,
    on_demand_records_twice_while_the_pipeline_runs,
    on_demand_uploads_what_runs_when_it_is_left,
    on_demand_goes_on_after_a_refusal,
    archive_names_pieces_by_their_time,
    rtsp_records_a_camera,
    rtsp_uploads_what_came_before_the_camera_went,
    ffmpeg_sends_to_standard_input,
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
