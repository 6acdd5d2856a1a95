# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is measured. A suite takes a Setting, runs its contenders in turn, and gives the report a section and plots."""
import json
import os
import re
import shutil
import subprocess
import time

from channels import channels, small_buffers
from measure import Failed, Series, progress, rounds, run
from place import MIB
from recorders import recorders
from report import table, verdict
from timely import age, delay, late

GIB = 1 << 30


class Setting:
    def __init__(self, place, report, quick, asked_rounds, links=None):
        self.place, self.report, self.quick, self.asked_rounds, self.links = place, report, quick, asked_rounds, links

    def rounds(self, usual):
        return self.asked_rounds or (2 if self.quick else usual)

    def file(self, size=None):
        size = size or (128 * MIB if self.quick else GIB)
        return self.place.random_file('bench.bin', size), size

    def run(self, command, **environment):
        return run(command, dict(self.place.environment, **environment))


def measure(setting, contenders, size, usual_rounds=5):
    """{name: (CPU s per GiB, MiB/s, peak MiB)}"""
    commands = [(name, lambda command=command: setting.run(command)) for name, command in contenders]
    results = rounds(setting.rounds(usual_rounds), commands, progress)
    return {name: (Series(r.cpu * GIB / size for r in runs), Series(size / MIB / r.wall for r in runs),
                   Series(r.memory / 1024 for r in runs)) for name, runs in results.items()}


def show(figures):
    return table(['', 'CPU s per GiB', 'MiB/s', 'peak MiB'],
                 [(name, cpu.show(), rate.show(0), memory.show(0)) for name, (cpu, rate, memory) in figures.items()])


def is_ours(name):
    return name.startswith(('boxupload', 'filesrc'))


def plots(setting, prefix, title, figures):
    for number, (name, unit) in enumerate((('cpu', 'CPU seconds per GiB'), ('rate', 'MiB/s'), ('memory', 'peak MiB'))):
        setting.report.plot(f'{prefix}-{name}', title, unit, [(key, value[number], is_ours(key)) for key, value in figures.items()])


SINK, SINK_GNUTLS = 'filesrc ! boxuploadsink', 'filesrc ! boxuploadsink, gnutls'
SMALL_BLOCKS = 'filesrc (4 KiB blocks) ! boxuploadsink, gnutls'
PUT, PUT_GNUTLS = 'boxupload put', 'boxupload put, gnutls'
RCLONE, NODE, CURL, DIGEST = 'rclone', 'Box Node SDK', 'curl -T', 'two SHA-1 passes'


def upload(setting):
    file, size = setting.file()
    place = setting.place
    place.start_server()
    before, figures = place.server_cpu(), measure(setting, [
        (SINK, place.launch(file)), (RCLONE, place.rclone(file)), (SINK_GNUTLS, place.launch(file, digest_engine='gnutls')),
        (PUT, place.put(file, 'glib')), (CURL, place.curl(file)), (DIGEST, place.digest(file)),
        (PUT_GNUTLS, place.put(file, 'gnutls')), (SMALL_BLOCKS, place.launch(file, block=0, digest_engine='gnutls')),
        (NODE, place.node(file)),
    ], size)
    transfers = (len(figures) - 1) * (setting.rounds(5) + 1)
    server = (place.server_cpu() - before) * GIB / size / transfers
    setting.report.section('upload', show(figures) + f'\n\nThe server took {server:.2f} CPU s per GiB.')
    setting.report.section('bars', show_bars(figures))
    plots(setting, 'upload', f'Uploading {size // MIB} MiB over TLS', figures)


def show_bars(figures):
    cpu = {name: series for name, (series, _, _) in figures.items()}
    floor = Series(a + b for a, b in zip(cpu[CURL].values, cpu[DIGEST].values))
    memory, default_memory = figures[SINK_GNUTLS][2], figures[SINK][2]
    rows = [('CPU s per GiB, gnutls, against rclone', '≤ 0.50', cpu[SINK_GNUTLS].against(cpu[RCLONE]), 0.50, 2),
            ('CPU s per GiB, default, against rclone', '≤ 0.72', cpu[SINK].against(cpu[RCLONE]), 0.72, 2),
            ('CPU s per GiB, gnutls, against the floor', '≤ 1.25', cpu[SINK_GNUTLS].against(floor), 1.25, 2),
            ('throughput, gnutls, against rclone', '≥ 1.4', figures[SINK_GNUTLS][1].against(figures[RCLONE][1]), -1.4, 2),
            ('peak memory, gnutls, MiB', '≤ 64', memory, 64, 0),
            ('peak memory, default, MiB', '≤ 64', default_memory, 64, 0),
            ('peak memory, gnutls, against rclone', '≤ 0.36', memory.against(figures[RCLONE][2]), 0.36, 2),
            ('peak memory, default, against rclone', '≤ 0.36', default_memory.against(figures[RCLONE][2]), 0.36, 2)]
    return table(['figure', 'bar', 'measured', ''],
                 [(name, bar, series.show(digits), verdict(series.median, limit)) for name, bar, series, limit, digits in rows])


def http(setting):
    file, size = setting.file()
    place = setting.place
    place.start_server()
    figures = measure(setting, [
        (SINK, place.launch(file, tls=False)), (SINK_GNUTLS, place.launch(file, tls=False, digest_engine='gnutls')),
        (PUT, place.put(file, 'glib', tls=False)), (PUT_GNUTLS, place.put(file, 'gnutls', tls=False)),
        (CURL, place.curl(file, tls=False)),
    ], size, 3)
    setting.report.section('http', show(figures))


def parallel(setting):
    file, size = setting.file()
    place = setting.place
    place.start_server()
    figures = measure(setting, [(f'parallel={n}, {engine}', place.launch(file, parallel=n, digest_engine=engine))
                                for n in (1, 2, 4, 8) for engine in ('glib', 'gnutls')], size, 3)
    setting.report.section('parallel', show(figures))


def parts(setting):
    file, size = setting.file()
    figures = {}
    for part_size in (8, 32, 64):
        setting.place.start_server(part_size * MIB)
        figures.update(measure(setting, [(f'parts of {part_size} MiB', setting.place.launch(file, digest_engine='gnutls'))], size, 3))
    setting.report.section('parts', show(figures))


def memory(setting):
    """What a lower bound of part memory costs."""
    file, size = setting.file()
    place = setting.place
    place.start_server()
    bounds = ((48 * MIB, '48 MiB'), (0, 'default (40 MiB)'), (32 * MIB, '32 MiB'), (24 * MIB, '24 MiB'))
    figures = measure(setting, [(f'{name}, {engine}', place.launch(file, max_memory=bound, digest_engine=engine))
                                for bound, name in bounds for engine in ('glib', 'gnutls')], size)
    setting.report.section('memory', show(figures))


# Mbit/s, round trip in ms, thinking in ms, loss. What a program does on the slow ones does not depend on the machine.
LINKS = [(100, 0, 0, 0), (100, 0, 2000, 0), (100, 50, 500, 0), (100, 50, 2000, 0), (100, 200, 500, 0),
         (100, 200, 2000, 0), (100, 50, 500, 0.001), (10, 50, 2000, 0), (1000, 0, 2000, 0), (1000, 50, 500, 0)]
CHARTED = (1000, 0, 2000, 0)


def links(setting):
    """Goodput with a number of parts in flight, with auto, and of rclone, on links that differ."""
    place, rows = setting.place, []
    for mbit, rtt, think, loss in setting.links or (LINKS[:4] if setting.quick else LINKS):
        # Below 50 MiB, rclone sends a file in one request.
        size = (56 if mbit == 10 else 192 if mbit == 100 else 512) * MIB
        file = place.random_file(f'link-{size}.bin', size)
        contenders = [(str(n), place.put(file, 'gnutls', parallel=n)) for n in (1, 2, 4, 8, 16)]
        contenders += [('auto', place.put(file, 'gnutls')), ('rclone', place.rclone(file))]
        place.start_far_server(mbit, rtt, think, loss)
        found = {name: Series() for name, _ in contenders}
        for number in range(setting.rounds(1)):
            for name, command in contenders:
                found[name].add(size / 1e6 / setting.run(command).wall)
                print(f'    {mbit} Mbit/s, {rtt} ms, {think} ms, {loss:.1%}: {name} {found[name].values[-1]:.2f} MB/s', flush=True)
        place.stop_server()
        os.unlink(file)
        if (mbit, rtt, think, loss) == CHARTED:
            setting.report.plot('links', f'{mbit} Mbit/s, round trip {rtt} ms, {think / 1000:g} s of thinking', 'MB/s',
                                [(f'parallel={name}' if name.isdigit() else name.replace('auto', 'boxupload put (auto)'), series, name == 'auto') for name, series in found.items()])
        rows.append(describe_link(mbit, rtt, think, loss, {name: series.median for name, series in found.items()}))
    head = ['Mbit/s', 'round trip', 'thinking', 'loss', '1', '2', '4', '8', '16', '**auto**', 'rclone', 'auto / best', 'auto / 4', 'auto / rclone']
    if setting.links:
        rows = setting.report.rows_with('links', rows, 4)
    setting.report.section('links', table(head, rows))


def parse_link(text):
    """An argument of --link."""
    mbit, rtt, think, loss = text.split('/')
    return int(mbit), int(rtt), int(think), float(loss)


def describe_link(mbit, rtt, think, loss, rates):
    best = max(rate for name, rate in rates.items() if name.isdigit())
    auto = rates['auto']
    return ([mbit, f'{rtt} ms', f'{think / 1000:g} s', f'{loss:.1%}' if loss else '-']
            + [f'**{rate:.2f}**' if name == 'auto' else f'{rate:.2f}' for name, rate in rates.items()]
            + [f'{auto / best:.2f}', f'{auto / rates["4"]:.2f}', f'{auto / rates["rclone"]:.2f}'])


def buffers(setting):
    place = setting.place
    place.start_server()
    size = 64 * MIB if setting.quick else 256 * MIB
    output = place.path('recorded.bin')
    sinks = {'filesink': ['filesink', f'location={output}'], 'boxuploadsink': place.sink(total_size=size + 10 * MIB)}

    def cost(length, count, sink):
        return float(setting.run([place.program('bench-buffers'), str(length), str(count), str(size), *sinks[sink]]).output)

    contenders = [((length, count, sink), lambda arguments=(length, count, sink): cost(*arguments))
                  for length in (188, 1316, 65536) for count in (0, 100) for sink in sinks]
    results = rounds(setting.rounds(5), contenders, progress)
    rows = []
    for length in (188, 1316, 65536):
        for count in (0, 100):
            ours, theirs = (Series(results[length, count, sink]) for sink in ('boxuploadsink', 'filesink'))
            rows.append((length, f'lists of {count}' if count else 'one by one', ours.show(0), theirs.show(0), ours.against(theirs).show()))
    setting.report.section('buffers', table(['bytes', '', '`boxuploadsink`, ns', '`filesink`, ns', 'ratio (bar for 1316 bytes in lists: ≤ 2.5)'], rows))
    os.unlink(output)


def sinks(setting):
    place = setting.place
    place.start_server()
    seconds, rate = (10, 1_000_000) if setting.quick else (24, 1_000_000)

    def measure_sinks(count, sink):
        result = json.loads(setting.run([place.program('bench-sinks'), str(count), str(rate), str(seconds), *sink]).output)
        progress(f'{count} sinks ({sink[0]}): {result}', 1, None)
        return result

    results = {count: measure_sinks(count, place.sink(location='box://0/bench-%d.bin', total_size=10 * GIB))
               for count in (1, 10, 50, 100)}
    base = measure_sinks(100, ['fakesink'])['cpu'] / 100
    one = results[1]['cpu']
    rows = [(count, f'{result["cpu"] / seconds * 100:.1f}', f'{base * count / seconds * 100:.1f}', f'{result["cpu"] / (count * one):.2f}',
             result['threads'] - result['own'], f'{result["rss"] / 1024:.0f}') for count, result in results.items()]
    setting.report.section('sinks', table(
        ['sinks', 'CPU %', 'of these the same pipelines with `fakesink`', 'against so many times one (bar: ≤ 1.2)',
         "threads beyond the pipelines' own (bar: ≤ 40)", 'resident MiB'], rows))


def many_parts(setting):
    place, part = setting.place, 64 * 1024
    place.start_server(part_size=part)
    rows = []
    for count in (320, 1000, 3000) if setting.quick else (320, 1000, 3000, 10000):
        file, size = setting.file(count * part)
        spool = place.path('spool')
        series = {'memory': Series(), 'spool': Series(), 'resume': Series()}
        for number in range(setting.rounds(3)):
            series['memory'].add(setting.run(place.launch(file)).cpu)
            series['spool'].add(setting.run(place.launch(file, spool_dir=spool)).cpu)
            series['resume'].add(go_on(setting, file, size))
            progress(f'{count} parts', number + 1, None)
        rows.append([count] + [Series(value * 1e6 / count for value in figure.values).show(0) for figure in series.values()])
    setting.report.section('many-parts', table(['parts', 'uploaded from memory', 'through the spool', 'a session that has them all'], rows))
    os.unlink(file)
    place.stop_server()


def go_on(setting, file, size):
    """CPU of listing and adopting all parts of a session, and of its commit."""
    place = setting.place
    upload_url, api, ca = place.endpoints(True)
    boxupload = f'{place.build}/src/cli/boxupload'
    connection = ['--endpoint', upload_url, '--api-endpoint', api, '--ca-file', ca]
    session = setting.run([boxupload, 'create', *connection, '--size', str(size), '--name', 'bench.bin']).output.strip()
    setting.run(['gst-launch-1.0', '-q', 'filesrc', f'location={file}', 'blocksize=65536', '!',
                 *place.sink(location=None, session=session, commit='false')])
    return setting.run([boxupload, 'put', *connection, '--session', session, file]).cpu


def spool(setting):
    file, size = setting.file()
    place = setting.place
    place.start_server()
    directory, trace = place.path('spool'), place.path('trace')
    recording = place.launch(file, spool_dir=directory, eos_mode='spool', digest_engine='gnutls')
    strace = ['strace', '-f', '-y', '-o', trace, '-e', 'trace=write,writev,pwrite64,pwritev,fsync,fdatasync,sync_file_range']
    rows = []

    def drain():
        """The backlog of an outage: nobody answered while it was recorded."""
        setting.run(place.launch(file, spool_dir=directory, eos_mode='spool', digest_engine='gnutls', retry_timeout=0,
                                 endpoint='http://127.0.0.1:9/api/2.0', api_endpoint='http://127.0.0.1:9/2.0'))
        upload_url, api, ca = place.endpoints(True)
        return setting.run([f'{place.build}/src/cli/boxupload', 'resume', '--endpoint', upload_url, '--api-endpoint', api,
                            '--ca-file', ca, '--digest-engine', 'gnutls', directory])

    for name, command in (('recorded to the spool', recording),
                          ('recorded and uploaded at once', place.launch(file, spool_dir=directory, digest_engine='gnutls'))):
        setting.run(strace + command)
        written, syncs = read_trace(trace, directory)
        rows.append((name, f'{written / size:.4f}', f'{syncs / (size / (8 * MIB)):.2f}'))
        shutil.rmtree(directory)
    drained = rounds(setting.rounds(3), [('drain', drain)], progress)['drain']
    text = table(['', 'bytes written per byte recorded (bar: ≤ 1.02)', 'syncs per part of 8 MiB'], rows)
    text += (f'\n\n`boxupload resume` drained the backlog at {Series(size / MIB / r.wall for r in drained).show(0)} MiB/s with '
             f'{Series(r.cpu * GIB / size for r in drained).show()} CPU s per GiB.')
    setting.report.section('spool', text)


def read_trace(trace, directory):
    """Bytes written to files below the directory, and how often they were synced. A call that another thread's interrupts in the
    trace has two lines, the second without the file."""
    written = syncs = 0
    begun = {}
    with open(trace, encoding='utf-8', errors='replace') as file:
        for line in file:
            thread = line.split(None, 1)[0]
            match = re.search(r'\b(\w+)\(\d+<([^>]*)>', line)
            call, path = match.groups() if match else begun.pop(thread, ('', ''))
            result = re.search(r' = (\d+)[^=]*$', line)
            if result is None:
                begun[thread] = call, path
            elif path.startswith(directory):
                syncs += 'sync' in call
                written += int(result[1]) if 'write' in call else 0
    return written, syncs


def idle(setting):
    """System calls of a sink whose stream rests, its session open and its only part at Box. While bytes are not at Box it
    says so once a second."""
    place, seconds, trace = setting.place, 4 if setting.quick else 10, setting.place.path('trace')
    place.start_server()
    pipe = place.path('pipe')
    os.mkfifo(pipe)
    process = subprocess.Popen(['gst-launch-1.0', '-q', 'filesrc', f'location={pipe}', '!', *place.sink(total_size=100_000_000)],
                               env=place.environment, stdin=subprocess.DEVNULL)
    try:
        with open(pipe, 'wb') as stream:
            stream.write(bytes(8 * MIB))
            stream.flush()
            time.sleep(5)
            subprocess.run(['timeout', str(seconds), 'strace', '-f', '-p', str(process.pid), '-o', trace], stderr=subprocess.DEVNULL,
                           check=False)
    finally:
        process.terminate()
        process.wait()
    with open(trace, encoding='utf-8', errors='replace') as file:
        calls = sum(not re.search('unfinished|detached|resuming interrupted', line) for line in file)
    setting.report.section('idle', f'A sink whose stream rests, with all of it at Box, made {calls} system calls in {seconds} s.')


SUITES = {'upload': upload, 'http': http, 'parallel': parallel, 'parts': parts, 'memory': memory, 'delay': delay, 'late': late, 'age': age, 'links': links, 'buffers': buffers,
          'sinks': sinks, 'channels': channels, 'small-buffers': small_buffers, 'many-parts': many_parts, 'spool': spool, 'idle': idle, 'recorders': recorders}
