#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""That another host takes over a recording on shared storage, as docs/scale.md says, as a TAP test.

usage: test-two-hosts.py BUILD_DIR

The hosts are namespaces (network, mounts, processes, name) over one directory. Box is an emulator outside; a host reaches it through a
socket of its own, so that a host can be cut off from it. Needs root or user namespaces.
"""
import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

PATIENCE = 300
PORT = 443
FILL = 100000  # bytes of a recording that has begun
CAMERA = ('videotestsrc is-live=true ! video/x-raw,width=320,height=240 ! x264enc tune=zerolatency bitrate=4000 key-int-max=30 ! h264parse ! '
          'matroskamux ! boxuploadsink spool-dir={spool} location=box://0/{name}')


def wait_for(what, condition):
    """Until @condition is true. Polls: what is waited for is in other processes' files."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.05)


class Relay:
    """Carries connections from one listening socket to an address, until it is cut."""

    def __init__(self, listener, family, address):
        self.family, self.address, self.listener = family, address, listener
        self.open, self.is_cut, self.lock = set(), False, threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            here, _ = self.listener.accept()
            there = socket.socket(self.family)
            with self.lock:
                refused = self.is_cut
                self.open |= {here, there}
            try:
                if refused:
                    raise OSError('cut')
                there.connect(self.address)
            except OSError:
                self.close(here, there)
                continue
            for pair in ((here, there), (there, here)):
                threading.Thread(target=self.carry, args=pair, daemon=True).start()

    def carry(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        self.close(source, target)

    def close(self, *sockets):
        with self.lock:
            for end in sockets:
                self.open.discard(end)
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def cut(self, is_cut):
        with self.lock:
            self.is_cut, ends = is_cut, list(self.open)
        if is_cut:
            self.close(*ends)


def be_host(name, path):
    """The first process of a host: its network has nothing but a way to Box."""
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    socket.sethostname(name)
    Relay(socket.create_server(('127.0.0.1', PORT)), socket.AF_UNIX, path)
    print('up', flush=True)
    signal.pause()


class Host:
    """One machine. Its death is that of all its processes, at once."""

    def __init__(self, name, world):
        world.hosts.append(self)
        self.world, self.state = world, os.path.join(world.folder, f'state-{name}')
        path = os.path.join(world.folder, f'{name}-{time.monotonic_ns()}.sock')
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        self.relay = Relay(listener, socket.AF_INET, ('127.0.0.1', PORT))
        mount = f'mount --bind {world.storage} {world.mounted} && exec "$@"'
        self.process = subprocess.Popen(
            ['unshare', '--net', '--mount', '--uts', '--pid', '--fork', '--kill-child', 'sh', '-c', mount, 'sh', sys.executable, __file__,
             '--host', name, path], stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != 'up\n':
            raise RuntimeError(f'host {name} did not start')
        with open(f'/proc/{self.process.pid}/task/{self.process.pid}/children', encoding='ascii') as file:
            self.first = file.read().split()[0]

    def command(self, *words):
        # --root: the root of a mount namespace is not ours, if we are in a chroot.
        return ['nsenter', '--target', self.first, '--net', '--mount', '--uts', '--pid', '--root', '--', *words]

    def run(self, *words):
        """What the program prints."""
        return subprocess.run(self.command(*words), env=self.world.environment(self.state), stdout=subprocess.PIPE, text=True, check=True,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE).stdout

    def boxupload(self, *words):
        return [json.loads(line) for line in self.run('boxupload', *words, '--json').splitlines()]

    def resume(self):
        """The events of the end of each recording."""
        return [event for event in self.boxupload('resume', self.world.spool) if event['event'] in ('complete', 'nothing', 'failed', 'empty')]

    def record(self, name):
        """Begins a recording that lasts until end() or the death of the host."""
        pid = os.path.join(self.world.storage, f'{name}.pid')
        line = f'echo $$ >{self.world.mounted}/{name}.pid; exec gst-launch-1.0 -q -e ' + CAMERA.format(spool=self.world.spool, name=name)
        process = subprocess.Popen(self.command('sh', '-c', line), env=self.world.environment(self.state), stdin=subprocess.DEVNULL)
        wait_for(f'{name} is recorded', lambda: any(os.path.getsize(path) > FILL for path in self.world.recordings()))
        with open(pid, encoding='ascii') as file:
            return process, file.read().strip()

    def die(self):
        # Its first process is gone when all others are, and their locks with them.
        if self.process.poll() is None:
            os.kill(int(self.first), signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self.relay.cut(True)


class World:
    """Box, and storage that all hosts mount."""

    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.hosts = []
        self.storage, self.mounted = os.path.join(folder, 'storage'), os.path.join(folder, 'mnt')
        self.spool = os.path.join(self.mounted, 'spool')
        os.mkdir(self.storage)
        os.mkdir(self.mounted)
        self.box = subprocess.Popen([f'{build}/tests/emulator/box-emulator', '--dir', f'{folder}/box', '--tls-port', str(PORT)],
                                    stdout=subprocess.PIPE, text=True)
        while not self.box.stdout.readline().startswith('listening on https:'):
            if self.box.poll() is not None:
                raise RuntimeError('box-emulator did not start')

    def environment(self, state):
        return {**os.environ, 'HOME': self.folder, 'XDG_STATE_HOME': state, 'BOX_ENDPOINT': f'https://127.0.0.1:{PORT}/api/2.0',
                'BOX_API_ENDPOINT': f'https://127.0.0.1:{PORT}/2.0', 'BOX_CA_FILE': f'{self.folder}/box/ca.pem', 'BOX_ACCESS_TOKEN': 'any',
                'GST_PLUGIN_PATH': f'{self.build}/gst', 'GST_REGISTRY': f'{self.folder}/registry.bin',
                'PATH': f'{self.build}/src/cli:{os.environ["PATH"]}'}

    def recordings(self):
        spool = os.path.join(self.storage, 'spool')
        return [os.path.join(spool, name) for name in os.listdir(spool) if name.endswith('.data')] if os.path.isdir(spool) else []

    def sha1(self):
        """Of the one recording."""
        [path] = self.recordings()
        with open(path, 'rb') as file:
            return hashlib.sha1(file.read()).hexdigest()

    def end(self):
        for host in self.hosts:
            host.die()
        self.box.terminate()
        self.box.wait(PATIENCE)
        self.box.stdout.close()


def expect(what, value, wanted):
    if value != wanted:
        raise AssertionError(f'{what} is {value}, not {wanted}')


def files(host, name):
    return [entry for entry in host.boxupload('ls') if entry['name'].startswith(name)]


def other_host_leaves_a_running_recording_alone(first, second):
    process, pid = first.record('running.mkv')
    [listed] = second.boxupload('spool', first.world.spool)[0]['recordings']
    expect('its status', listed['status'], 'busy')
    expect('resume', [(event['event'], event.get('busy')) for event in second.resume()], [('nothing', 1)])
    first.run('kill', '-INT', pid)
    expect('the recorder', process.wait(PATIENCE), 0)
    expect('files', len(files(second, 'running')), 1)
    expect('the spool', first.world.recordings(), [])


def other_host_finishes_after_a_death(first, second):
    first.record('dead.mkv')
    first.die()
    wanted = first.world.sha1()
    [event] = second.resume()
    expect('the event', (event['event'], event['name'], event['sha1'], event['interrupted']), ('complete', 'dead.mkv', wanted, True))
    back = Host('a', first.world)
    expect('what is left for the first host', [event['event'] for event in back.resume()], ['nothing'])
    expect('files', [entry['sha1'] for entry in files(back, 'dead')], [wanted])
    back.die()


def host_that_is_cut_off_keeps_its_recording(first, second):
    process, pid = first.record('cut.mkv')
    first.relay.cut(True)
    expect('resume of the second host', [(event['event'], event.get('busy')) for event in second.resume()], [('nothing', 1)])
    first.run('kill', '-INT', pid)
    expect('resume at its end', [(event['event'], event.get('busy')) for event in second.resume()], [('nothing', 1)])
    first.relay.cut(False)
    expect('the recorder', process.wait(PATIENCE), 0)
    expect('files', len(files(second, 'cut')), 1)


def two_hosts_at_once_make_one_file(first, second):
    first.record('both.mkv')
    first.die()
    back = Host('a', first.world)
    events = []
    threads = [threading.Thread(target=lambda host=host: events.extend(host.resume())) for host in (back, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect('completions', [event['event'] for event in events].count('complete'), 1)
    expect('failures', [event for event in events if event['event'] == 'failed'], [])
    expect('files', len(files(second, 'both')), 1)
    expect('the spool', first.world.recordings(), [])
    back.die()


CASES = (other_host_leaves_a_running_recording_alone, other_host_finishes_after_a_death, host_that_is_cut_off_keeps_its_recording,
         two_hosts_at_once_make_one_file)


def run_inside(build):
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    for number, case in enumerate(CASES, 1):
        with tempfile.TemporaryDirectory() as folder:
            world, good = World(build, folder), False
            try:
                case(Host('a', world), Host('b', world))
                good = True
            except (AssertionError, LookupError, OSError, RuntimeError, subprocess.SubprocessError, ValueError) as error:
                print(f'# {type(error).__name__}: {error}')
            finally:
                world.end()
        print(f'{"ok" if good else "not ok"} {number} {case.__name__.replace("_", "-")}', flush=True)


def main():
    if sys.argv[1] == '--host':
        be_host(*sys.argv[2:4])
    elif '--inside' in sys.argv:
        run_inside(sys.argv[1])
    else:
        command = ['unshare', '--mount', '--net', *([] if os.getuid() == 0 else ['--map-root-user'])]
        allowed = shutil.which('unshare') and shutil.which('ip') and subprocess.run(
            [*command, 'unshare', '--net', '--mount', '--uts', '--pid', '--fork', 'ip', 'link', 'set', 'lo', 'up'], stderr=subprocess.DEVNULL,
            check=False).returncode == 0
        if not allowed:
            print('1..0 # SKIP needs root or user namespaces, and iproute2')
            return 0
        print(f'1..{len(CASES)}', flush=True)
        return subprocess.run([*command, sys.executable, *sys.argv, '--inside'], check=False).returncode
    return 0


if __name__ == '__main__':
    sys.exit(main())
