#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs what README.md and its neighbours, docs/*.md, the man pages and the elements' documentation in gst/ tell users to type, word for word,
as a TAP test: one subtest a block.

usage: run-command-lines.py SOURCE_DIR BUILD_DIR SHARE SHARES

The pages are shared out to SHARES runs, by the number of blocks that run; the first (SHARE is 1) tells of the blocks that do not.

A block that begins with "```sh run" is run by bash in a folder with recording.mp4, short.mp4 and token (README.md: an empty folder). One that begins with
"```sh serve" runs until it is ready, answers at the address that it prints, if any, and is ended. Other "```sh" blocks are only parsed: NOT_RUN has the reason
for each; a block without one fails, and so does a reason without a block, and a block whose language is not known here. A man page has the
same words in a comment before a display: "run", "serve", "json", or "output" for what is printed. In gst/, "|[" begins a block in a comment of
"SECTION:element-", which is run, and "]|" ends it. No word is rewritten. The blocks run in a
network of their own, which needs root or user namespaces; nothing can leave it. Those of README.md run under "box-emulator --run", with the variables that README.md has exported until there; for those of the
other pages Box's host names are box-emulator's (port 443, its authority trusted).
"""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.error
import urllib.request
from collections import Counter, namedtuple

EXPORT = re.compile(r'^export .*$', re.MULTILINE)
BLOCK = re.compile(r'^( *)```([^\n`]*)\n(.*?)^\1```$', re.DOTALL | re.MULTILINE)
# What a block is taken for, by what follows its fence, or by the comment before a display of a man page.
KINDS = {'sh': 'parse', 'sh run': 'run', 'sh serve': 'serve', 'json': 'json', '': 'output', 'c': 'other', 'ini': 'other'}
MAN_KINDS = {None: 'parse', 'run': 'run', 'serve': 'serve', 'json': 'json', 'output': 'output'}
# Why blocks are not run, by what they have in them. The first that fits counts.
NOT_RUN = {
    r'^sudo apt install|^sudo apt purge|^sudo systemctl|^sudo systemd-sysusers': 'changes the system: scripts/package does it in a root of its own',
    r'^sudo (install|-u boxupload)': 'needs the user of the packages: scripts/package has it',
    r'^(meson devenv -C build )?box-emulator --run( +#.*)?$': 'a shell; docs/emulator.md has the same line, which is run, and tests/scripts/test-install.sh the environment',
    r'^scripts/': 'installs, builds and takes minutes: it is a way to run the tests itself',
    r'^(foreign=.*\n)?meson (setup|test)|meson test -C|^build/tests': 'builds or tests this project, as this test does',
    r'^python3 tests/style/': 'the suite style runs it',
    r'^cc examples/': 'the suite examples builds and runs it',
    r'\| mail -s': 'needs a program that mails',
    r'^boxupload (spool|resume) /mnt/recordings$': 'needs two hosts: the test two-hosts has them',
    r'^kubectl ': 'needs a cluster; a test holds the manifests to the schema of Kubernetes',
}
READY = re.compile(r'^(?:boxupload: )?(watching .*|listening on https:.*|.*the status is at (http://\S+))$', re.MULTILINE)
READY_SECONDS = 300
MAN_BLOCK = re.compile(r'^(?:\.\\" ([a-z]+)\n)?(?:\.Bd -literal[^\n]*\n(.*?)^\.Ed$|((?:\.Dl [^\n]*\n)+))', re.DOTALL | re.MULTILINE)
AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'
SECTION = re.compile(r'/\*\*\n \* SECTION:element-.*?\*/', re.DOTALL)
SECTION_BLOCK = re.compile(r'^ \* \|\[(.*)\n((?: \*(?: .*)?\n)*?) \* \]\|', re.MULTILINE)
BLOCK_SECONDS = 600
# GStreamer 1.22's splitmuxsink sometimes posts no EOS if a fragment's sink is at its end just when the last one's is, and then
# gst-launch-1.0 waits forever. Only that is tried again, with Box as it was before.
SPLITMUX_SECONDS = 150
SPLITMUX_TRIES = 4
GIVEN_UP = '\ngiven up after {} seconds\n'
TERM_SECONDS = 10
STRICT = ('-eu', '-o', 'pipefail')
CLIP = ('gst-launch-1.0 -q videotestsrc num-buffers={frames} pattern=snow ! video/x-raw,width=1280,height=720 ! '
        'x264enc bitrate=20000 speed-preset=ultrafast ! h264parse ! mp4mux ! filesink location={name}')

Block = namedtuple('Block', 'page line how text')
HOWS = {'run': 'runs', 'serve': 'serves', 'json': 'is JSON', 'parse': 'parses', 'unknown': 'is of a known kind'}


def read_man_pages(top):
    """Lines of .Dl, and literal displays."""
    for page in sorted('docs/' + name for name in os.listdir(f'{top}/docs') if re.search(r'\.[17](\.in)?$', name)):
        with open(os.path.join(top, page), encoding='utf-8') as file:
            text = file.read()
        for match in MAN_BLOCK.finditer(text):
            line = text.count('\n', 0, match.start()) + 2
            lines = match.group(2) or re.sub(r'^\.Dl ', '', match.group(3), flags=re.MULTILINE)
            how = MAN_KINDS.get(match.group(1), 'unknown')
            yield Block(page, line, how, lines.replace('\\&', '').replace('\\-', '-').replace('\\e', '\\'))


def read_pages(top):
    pages = sorted(name for name in (*os.listdir(top), *(f'docs/{name}' for name in os.listdir(f'{top}/docs'))) if name.endswith('.md'))
    for page in pages:
        with open(os.path.join(top, page), encoding='utf-8') as file:
            text = file.read()
        for match in BLOCK.finditer(text):
            line = text.count('\n', 0, match.start()) + 2
            yield Block(page, line, KINDS.get(match.group(2), 'unknown'), textwrap.dedent(match.group(3)))


def read_elements(top):
    """Launch lines in GStreamer's form. A word after "|[" would say that it is something else."""
    for page in sorted(f'gst/{name}' for name in os.listdir(f'{top}/gst') if name.endswith('.c')):
        with open(os.path.join(top, page), encoding='utf-8') as file:
            text = file.read()
        for section in SECTION.finditer(text):
            for match in SECTION_BLOCK.finditer(text, section.start(), section.end()):
                line = text.count('\n', 0, match.start()) + 2
                yield Block(page, line, 'unknown' if match.group(1) else 'run', re.sub(r'^ \* ?', '', match.group(2), flags=re.MULTILINE))


def read_blocks(top):
    """All but what is neither a command line nor JSON."""
    return [block for block in (*read_man_pages(top), *read_pages(top), *read_elements(top)) if block.how not in ('output', 'other')]


class Report:
    """TAP."""

    def __init__(self, number=0):
        self.number = number

    @staticmethod
    def plan(total):
        print(f'1..{total}', flush=True)

    def tell(self, block, good, output='', note=''):
        self.number += 1
        if not good:
            for line in (block.text + output).rstrip().split('\n'):
                print(f'# {line}')
        print(f'{"ok" if good else "not ok"} {self.number} {block.page}:{block.line} {HOWS[block.how]}{note}', flush=True)


@contextlib.contextmanager
def emulator(build, directory):
    """box-emulator as Box, until the end of the with block."""
    with subprocess.Popen([f'{build}/tests/emulator/box-emulator', '--dir', directory, '--tls-port', '443'],
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout:
                if line.startswith('listening on https:'):
                    break
            else:
                raise RuntimeError('box-emulator did not start')
            subprocess.run(['mount', '--bind', f'{directory}/ca.pem', AUTHORITIES], check=True)
            try:
                yield
            finally:
                subprocess.run(['umount', AUTHORITIES], check=True)
        finally:
            process.send_signal(signal.SIGTERM)


def environment(build, home):
    names = {name: value for name, value in os.environ.items()
             if name in ('PATH', 'LC_ALL', 'LANG', 'BOXUPLOAD_TEST_RUN')}
    return {
        **names,
        'HOME': home,
        'XDG_RUNTIME_DIR': home,
        'GST_PLUGIN_PATH': f'{build}/gst',
        'GST_REGISTRY': f'{home}/gst-registry.bin',
        'PATH': f'{build}/src/cli:{build}/tests/emulator:{names["PATH"]}',
        'BOX_ACCESS_TOKEN': 'a-token-of-the-documentation-test',
    }


def limit_of(text):
    return SPLITMUX_SECONDS if 'splitmuxsink' in text else BLOCK_SECONDS


def loses_eos(block, output):
    """Whether all that is missing is the end of a pipeline that has uploaded its fragments."""
    return ('splitmuxsink' in block.text and output.endswith(GIVEN_UP.format(SPLITMUX_SECONDS))
            and 0 < output.count('Uploading the rest') == output.count(' is at Box (file ID '))


def bash(text, folder, variables, *options, prefix=()):
    """(whether it went well, without warnings of GStreamer's, its output); whatever it started is gone afterwards."""
    # A file, because what is left in the background would keep a pipe open.
    with tempfile.TemporaryFile('w+', encoding='utf-8', errors='replace') as file:
        with subprocess.Popen([*prefix, 'bash', *options, '-c', text], cwd=folder, env=variables, stdin=subprocess.DEVNULL,
                              stdout=file, stderr=subprocess.STDOUT, start_new_session=True) as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=limit_of(text))
            in_time = process.returncode is not None
            if not in_time:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=TERM_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        file.seek(0)
        output = file.read()
    if not in_time:
        output += GIVEN_UP.format(limit_of(text))
    return process.returncode == 0 and 'WARNING: from element' not in output, output


def answers(url):
    """Whether somebody is there; a refusal for want of a token is an answer."""
    try:
        with urllib.request.urlopen(url.replace('//0.0.0.0:', '//127.0.0.1:'), timeout=READY_SECONDS) as reply:
            return reply.status == 200
    except urllib.error.HTTPError as error:
        return error.code == 401


def serve(text, folder, variables, *options, prefix=()):
    """As bash(), for what does not end by itself."""
    with tempfile.TemporaryFile('w+', encoding='utf-8', errors='replace') as file:
        with subprocess.Popen([*prefix, 'bash', *options, '-c', text], cwd=folder, env=variables, stdin=subprocess.DEVNULL,
                              stdout=file, stderr=subprocess.STDOUT, start_new_session=True) as process:
            until = time.monotonic() + READY_SECONDS
            output, ready = '', None
            while process.poll() is None and time.monotonic() < until and not ready:
                time.sleep(0.1)
                output = os.pread(file.fileno(), 1 << 20, 0).decode(errors='replace')
                ready = READY.search(output) if '--http' not in text else re.search(r'the status is at (http://\S+)', output)
            good = ready is not None and ('--http' not in text or answers(ready.group(1)))
            # What the shell runs, as Ctrl-C does; the shell of a daemon that ends in order ends well.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=READY_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return good and process.returncode in (0, -signal.SIGINT, 128 + signal.SIGINT), output


WAYS = {'run': bash, 'serve': serve}


def make_home(folder, clips):
    """With the registry that GStreamer has made for the clips: another would cost a page most of its time."""
    home = os.path.join(folder, 'home')
    os.mkdir(home, 0o700)
    shutil.copy2(os.path.join(clips, 'gst-registry.bin'), home)
    return home


def run_readme(blocks, build, clips, folder, report):
    """As somebody does who types it into the shell of "box-emulator --run"."""
    home = make_home(folder, clips)
    variables = environment(build, home)
    del variables['BOX_ACCESS_TOKEN']
    box, before = os.path.join(folder, 'box'), os.path.join(folder, '.box-before')
    run = (f'{build}/tests/emulator/box-emulator', '--dir', box, '--run', '--')
    exports = []
    for block in blocks:
        if os.path.isdir(box):
            shutil.copytree(box, before)
        for _ in range(SPLITMUX_TRIES):
            good, output = WAYS[block.how]('\n'.join([*exports, block.text]), folder, variables, *STRICT, prefix=run)
            if not loses_eos(block, output):
                break
            shutil.rmtree(box)
            if os.path.isdir(before):
                shutil.copytree(before, box)
        shutil.rmtree(before, ignore_errors=True)
        report.tell(block, good, output)
        exports += EXPORT.findall(block.text)


def run_page(blocks, build, clips, folder, report):
    for _ in range(SPLITMUX_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(clips, folder)
        results = run_page_once(blocks, build, clips, folder)
        if not any(loses_eos(block, output) for block, (_, output) in zip(blocks, results)):
            break
    for block, (good, output) in zip(blocks, results):
        report.tell(block, good, output)


def run_page_once(blocks, build, clips, folder):
    home = make_home(folder, clips)
    with emulator(build, os.path.join(folder, 'box')):
        return [WAYS[block.how](block.text, folder, environment(build, home), *STRICT) for block in blocks]


def share_out(blocks, share, shares):
    """The blocks of the pages of one share. A page is not divided: what a block leaves behind, the next may need."""
    counts = Counter(block.page for block in blocks)
    pages = [[] for _ in range(shares)]
    for page, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        min(pages, key=lambda some: sum(counts[page] for page in some)).append(page)
    return [block for block in blocks if block.page in pages[share - 1]]


def run_inside(blocks, build, report):
    """In namespaces of our own."""
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    with tempfile.TemporaryDirectory() as temporary:
        hosts = os.path.join(temporary, 'hosts')
        with open(hosts, 'w', encoding='utf-8') as file:
            file.write('127.0.0.1 localhost api.box.com upload.box.com\n')
        subprocess.run(['mount', '--bind', hosts, '/etc/hosts'], check=True)
        clips = os.path.join(temporary, 'clips')
        os.mkdir(clips)
        for name, frames in (('recording.mp4', 300), ('short.mp4', 30)):
            subprocess.run(CLIP.format(name=name, frames=frames).split(), cwd=clips, check=True,
                           env=environment(build, clips), stdout=subprocess.DEVNULL)
        with open(os.path.join(clips, 'token'), 'w', encoding='utf-8') as file:
            file.write('a-token-of-the-documentation-test\n')
        for page in sorted({block.page for block in blocks}):
            folder = os.path.join(temporary, page.replace('/', '-'))
            on_page = [block for block in blocks if block.page == page]
            if page == 'README.md':
                os.mkdir(folder)  # it makes the clips itself
                run_readme(on_page, build, clips, folder, report)
            else:
                run_page(on_page, build, clips, folder, report)


def is_json(text):
    try:
        json.loads(text)
    except ValueError as error:
        return False, str(error)
    return True, ''


def tell_the_others(blocks, top, report):
    """What is not run, and whether each reason for that is still needed."""
    needed = set()
    for block in blocks:
        if block.how == 'unknown':
            report.tell(block, False, '\nsay what it is: KINDS and MAN_KINDS have the words')
        elif block.how == 'json':
            report.tell(block, *is_json(block.text))
        elif block.how == 'parse':
            reason = next((pattern for pattern in NOT_RUN if re.search(pattern, block.text, re.MULTILINE)), None)
            needed.add(reason)
            good, output = bash(block.text, top, os.environ, '-n')
            report.tell(block, good and reason is not None, output or 'it is not run, and NOT_RUN has no reason for that',
                        f' and is not run: {NOT_RUN[reason]}' if reason else '')
    report.tell(Block('NOT_RUN', 0, 'parse', ''), not set(NOT_RUN) - needed, f'\nof no use: {set(NOT_RUN) - needed}', ' and has no reason that is not needed')


def unshare():
    """The command that gives us namespaces of our own, or None where that is not allowed."""
    command = ['unshare', '--mount', '--net']
    if os.getuid() != 0:
        command.append('--map-root-user')
    allowed = shutil.which('unshare') and shutil.which('ip') and subprocess.run(
        [*command, 'ip', 'link', 'set', 'lo', 'up'], stderr=subprocess.DEVNULL, check=False).returncode == 0
    return command if allowed else None


def main():
    top, build, share, shares = sys.argv[1:3] + [int(number) for number in sys.argv[3:5]]
    blocks = read_blocks(top)
    runnable = share_out([block for block in blocks if block.how in WAYS], share, shares)
    others = [block for block in blocks if block.how not in WAYS] if share == 1 else []
    n_others = len(others) + (share == 1)
    if '--inside' in sys.argv:
        run_inside(runnable, build, Report(n_others))
        return 0

    report = Report()
    report.plan(n_others + len(runnable))
    if share == 1:
        tell_the_others(others, top, report)
    command = unshare()
    if command is None:
        for block in runnable:
            report.tell(block, True, note=' # SKIP needs root or user namespaces, and iproute2')
        return 0
    return subprocess.run([*command, sys.executable, *sys.argv, '--inside'], check=False).returncode


if __name__ == '__main__':
    sys.exit(main())
