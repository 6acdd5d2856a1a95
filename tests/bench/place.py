# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the contenders run: a network in which Box's hosts are loopback, the server, files in memory, and how each is called."""
import json
import os
import shutil
import subprocess
import tempfile

HOSTS = '127.0.0.1 localhost api.box.com upload.box.com account.box.com\n'
FAR = '10.99.0.2'
FAR_HOSTS = f'127.0.0.1 localhost\n{FAR} api.box.com upload.box.com account.box.com\n'
MIB = 1 << 20


class Place:
    def __init__(self, top, build):
        self.top, self.build = top, build
        self.dir = tempfile.mkdtemp(prefix='boxupload-bench.', dir='/dev/shm')
        self.ca = self.path('ca.pem')
        self.server = None
        self.server_options = None
        self.environment = {
            'PATH': os.environ['PATH'], 'HOME': self.dir, 'LC_ALL': 'C.UTF-8', 'BOX_ACCESS_TOKEN': 'bench',
            'XDG_STATE_HOME': self.path('state'), 'GST_PLUGIN_PATH': f'{build}/gst', 'GST_REGISTRY': self.path('registry'),
            'SSL_CERT_FILE': self.ca, 'NODE_EXTRA_CA_CERTS': self.ca, 'RCLONE_CONFIG': self.path('rclone.conf'),
        }

    def path(self, name):
        return os.path.join(self.dir, name)

    def program(self, name):
        return f'{self.build}/tests/bench/{name}'

    def set_up(self):
        subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
        self.write('hosts', HOSTS)
        subprocess.run(['mount', '--bind', self.path('hosts'), '/etc/hosts'], check=True)
        token = {'access_token': 'bench', 'token_type': 'bearer', 'refresh_token': 'none', 'expiry': '2099-01-01T00:00:00Z'}
        self.write('rclone.conf', f'[box]\ntype = box\ntoken = {json.dumps(token)}\n')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                        '-keyout', self.path('key.pem'), '-out', self.ca, '-days', '30', '-subj', '/CN=bench', '-addext',
                        'subjectAltName=' + ','.join(f'DNS:{name}' for name in HOSTS.split()[1:]) + ',IP:127.0.0.1'],
                       check=True, stderr=subprocess.DEVNULL)

    def clean_up(self):
        self.stop_server()
        shutil.rmtree(self.dir)

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text)

    def random_file(self, name, size):
        path = self.path(name)
        if not os.path.exists(path) or os.path.getsize(path) != size:
            with open(path, 'wb') as file:
                for start in range(0, size, MIB):
                    file.write(os.urandom(min(MIB, size - start)))
        return path

    # The server

    def start_server(self, part_size=8 * MIB, rate=0):
        """One server for all contenders; another one only where it has to behave otherwise."""
        options = (part_size, rate)
        if self.server_options == options:
            return
        self.stop_server()
        self.server = subprocess.Popen([self.program('bench-server'), '--port', '80', '--tls-port', '443', '--certificate',
                                        self.ca, '--key', self.path('key.pem'), '--part-size', str(part_size),
                                        '--rate', str(rate)], stdout=subprocess.PIPE, text=True)
        for _ in range(2):
            if not self.server.stdout.readline():
                raise SystemExit('the server did not start')
        self.server_options = options

    def start_far_server(self, mbit, rtt, think, loss=0):
        """The server behind a link (bench-link), until stop_server()."""
        self.stop_server()
        self.write('hosts', FAR_HOSTS)
        self.server = subprocess.Popen([self.program('bench-link'), f'--mbit={mbit}', f'--delay={rtt / 2}', f'--loss={loss}', '--',
                                        self.program('bench-server'), '--address', FAR, '--tls-port', '443', '--certificate',
                                        self.ca, '--key', self.path('key.pem'), '--think', str(think)],
                                       stdout=subprocess.PIPE, text=True)
        if not self.server.stdout.readline():
            raise SystemExit('the server behind the link did not start')

    def start_emulator(self, rate):
        """box-emulator, which plays live requests and plans as well; its HTTP endpoints as settings of a sink."""
        self.stop_server()
        shutil.rmtree(self.path('emulator'), ignore_errors=True)
        self.server = subprocess.Popen([f'{self.build}/tests/emulator/box-emulator', '--dir', self.path('emulator'), '--port', '0',
                                        '--rate', str(rate), '--plan', 'account'], stdout=subprocess.PIPE, text=True)
        origin = self.server.stdout.readline().split()[-1]
        return {'endpoint': f'{origin}/api/2.0', 'api_endpoint': f'{origin}/2.0', 'ca_file': None}

    def stop_server(self):
        self.write('hosts', HOSTS)
        if self.server is not None:
            self.server.terminate()
            self.server.wait()
        self.server = self.server_options = None

    def server_cpu(self):
        with open(f'/proc/{self.server.pid}/stat', encoding='ascii') as file:
            fields = file.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    # The contenders

    def endpoints(self, tls):
        if tls:
            return ['https://upload.box.com/api/2.0', 'https://api.box.com/2.0', self.ca]
        return ['http://127.0.0.1/api/2.0', 'http://127.0.0.1/2.0', self.ca]

    def sink(self, tls=True, **settings):
        """The element with its settings, for gst-launch-1.0 and the like."""
        upload, api, ca = self.endpoints(tls)
        values = {'location': 'box://0/bench.bin', 'endpoint': upload, 'api-endpoint': api, 'ca-file': ca}
        values.update({name.replace('_', '-'): value for name, value in settings.items()})
        return ['boxuploadsink'] + [f'{name}={value}' for name, value in values.items() if value is not None]

    def launch(self, file, block=65536, **settings):
        block = [f'blocksize={block}'] if block else []
        return ['gst-launch-1.0', '-q', 'filesrc', f'location={file}', *block, '!',
                *self.sink(total_size=os.path.getsize(file), **settings)]

    def put(self, file, engine, tls=True, parallel=0):
        upload, api, ca = self.endpoints(tls)
        return [f'{self.build}/src/cli/boxupload', 'put', '--name', 'bench.bin', '--endpoint', upload, '--api-endpoint', api,
                '--ca-file', ca, '--digest-engine', engine, '--parallel', str(parallel), file]

    def rclone(self, file):
        return ['rclone', 'copyto', file, 'box:bench.bin']

    def node(self, file):
        modules = f'{self.top}/tests/clients/node_modules'
        if not os.path.isdir(f'{modules}/box-node-sdk') or shutil.which('node') is None:
            raise SystemExit("error: Box's Node SDK is not there to be measured: node, and npm's packages in tests/clients "
                             '(scripts/bench installs both)')
        return ['node', f'{self.top}/tests/bench/upload.js', modules, file]

    def curl(self, file, tls=True):
        return ['curl', '-sS', '--fail', '--cacert', self.ca, '-o', '/dev/null', '-T', file,
                f'{"https://upload.box.com" if tls else "http://127.0.0.1"}/raw']

    def digest(self, file):
        return [self.program('bench-digest'), file]
