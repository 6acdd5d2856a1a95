# SPDX-License-Identifier: LGPL-2.1-or-later
"""How soon a stream is at Box: its last byte, and each byte on its way."""
import os
import re
import subprocess
import time

from measure import Failed, Series, progress
from place import MIB
from report import table, verdict


def executed(output):
    """Seconds from PLAYING to the end, as gst-launch-1.0 tells them: without starting the program."""
    hours, minutes, seconds = re.search(r'Execution ended after (\d+):(\d+):([\d.]+)', output).groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def delay(setting):
    """A stream of 16 MB/s on an uplink of 20 MB/s: how long after its end the file is there."""
    place, block, rate, link = setting.place, 64 * 1024, 16_000_000, 20_000_000
    blocks = (100_000_000 if setting.quick else 1_000_000_000) // block
    size = blocks * block
    file, _ = setting.file(size)
    place.start_server(rate=link)
    live = ['gst-launch-1.0', 'fakesrc', 'format=time', 'sizetype=fixed', f'sizemax={block}', 'filltype=zero',
            f'num-buffers={blocks}', '!', 'identity', 'sync=true', 'single-segment=true', f'datarate={rate}', '!',
            *place.sink(total_size=size)]
    ours, theirs = Series(), Series()
    for number in range(1 if setting.quick else setting.rounds(3)):
        ours.add(executed(setting.run(live).output) - size / rate)
        theirs.add(setting.run(place.rclone(file)).wall)
        progress(f'{ours.values[-1]:.2f} s against {theirs.values[-1]:.2f} s', number + 1, None)
    ratio = ours.against(theirs)
    setting.report.section('delay', table(
        ['', 's'], [('`boxuploadsink`, while it is recorded', ours.show()), ('recorded, then rclone', theirs.show()),
                    (f'ratio (bar: ≤ 1/30 = 0.033): {verdict(ratio.median, 1 / 30)}', ratio.show(3))]))
    place.stop_server()
    os.unlink(file)


def late(setting):
    """The same for a stream of unknown size, in every way that there is."""
    place, rate, link = setting.place, 16_000_000, 20_000_000
    size = (100_000_000 if setting.quick else 160_000_000) // 65536 * 65536
    file, _ = setting.file(size)
    ways = {'reserve': {'unknown_size': 'reserve', 'reserve_size': size // 20 * 21, 'padding': 'zero'},
            'live': {'unknown_size': 'live', 'spool_dir': place.path('spool')},
            'ahead': {'unknown_size': 'spool', 'ahead': 'true', 'expected_size': size, 'spool_dir': place.path('spool')},
            'spool': {'unknown_size': 'spool', 'spool_dir': place.path('spool')}}
    put = 'recorded, then boxupload put'

    def record(endpoints, settings):
        """Seconds from the end of the stream to that of the program."""
        process = subprocess.Popen(['gst-launch-1.0', '-q', 'fdsrc', 'blocksize=65536', '!', *place.sink(**settings, **endpoints)],
                                   env=place.environment, stdin=subprocess.PIPE)
        begin = time.monotonic()
        with open(file, 'rb') as stream:
            for sent in range(0, size, 65536):
                time.sleep(max(0, begin + sent / rate - time.monotonic()))
                process.stdin.write(stream.read(65536))
        process.stdin.close()
        end = time.monotonic()
        if process.wait() != 0:
            raise Failed(f'{process.args} ended with {process.returncode}')
        return time.monotonic() - end

    figures = {way: Series() for way in (*ways, put)}
    for number in range(1 if setting.quick else setting.rounds(3)):
        for way, series in figures.items():
            endpoints = place.start_emulator(link)
            series.add(record(endpoints, ways[way]) if way in ways else setting.run(
                [f'{place.build}/src/cli/boxupload', 'put', '--name', 'bench.bin', '--endpoint', endpoints['endpoint'],
                 '--api-endpoint', endpoints['api_endpoint'], file]).wall)
            progress(f'{way} {series.values[-1]:.2f} s', number + 1, None)
    setting.report.section('late', table(['', 's'], [(f'`{way}`' if way in ways else way, series.show())
                                                     for way, series in figures.items()]))
    setting.report.plot('late', f'From the end of {size // 1_000_000} MB to the file', 's',
                        [(way, series, way in ways) for way, series in figures.items()])
    place.stop_server()
    os.unlink(file)


def age(setting):
    """The oldest byte that Box has not acknowledged, by the sink's own messages, on a link of twice the stream."""
    place, rate, part = setting.place, 4_000_000, 8 * MIB
    seconds = 15 if setting.quick else 90
    blocks = seconds * rate // 65536
    size = blocks * 65536
    bar = part / rate + 2
    ways = {'size known': {'total_size': size},
            'reserve': {'unknown_size': 'reserve', 'reserve_size': size // 20 * 21, 'padding': 'zero'},
            'ahead': {'unknown_size': 'spool', 'ahead': 'true', 'expected_size': size, 'spool_dir': place.path('spool')}}
    rows = []
    for way, values in ways.items():
        endpoints = place.start_emulator(2 * rate)
        output = setting.run(['gst-launch-1.0', '-m', 'fakesrc', 'format=time', 'sizetype=fixed', 'sizemax=65536', 'filltype=random',
                              f'num-buffers={blocks}', '!', 'identity', 'sync=true', 'single-segment=true', f'datarate={rate}', '!',
                              *place.sink(**values, **endpoints)]).output
        ages = sorted(int(each) / 1e9 for each in re.findall(r'boxuploadsink-position,.*?oldest-unsafe-age=\(guint64\)(\d+)', output))
        if len(ages) < seconds // 2:
            raise Failed(f'{way}: the sink told its position {len(ages)} times in {seconds} s')
        worst = ages[len(ages) * 99 // 100]
        rows.append((way, len(ages), f'{ages[len(ages) // 2]:.2f}', f'{worst:.2f}', verdict(worst, bar)))
        print(f'    {rows[-1]}', flush=True)
    setting.report.section('age', table(['', 'messages', 'median, s', f'p99, s (bar: ≤ {bar:.1f}, a part and 2 s)', ''], rows))
    place.stop_server()
