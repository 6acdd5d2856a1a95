# SPDX-License-Identifier: LGPL-2.1-or-later
"""What one channel costs among many, and what a small buffer costs on its way to the spool."""
import json
import os
import shutil

from measure import Series, rounds
from report import table

GIB = 1 << 30

# How the bytes go: what stands in the table, the element's settings, whether all streams are ended (a declared size is not reached).
SPOOL = 'spool', {}, True
SIZED = 'spool, size known', {'total_size': 10 * GIB}, False
AHEAD = 'spool, `ahead`', {'ahead': 'true', 'expected_size': GIB}, True


def run_sinks(setting, count, mbit, seconds, sink, ends):
    program = [setting.place.program('bench-sinks')] + ['--end'] * ends
    return json.loads(setting.run([*program, str(count), str(mbit * 125_000), str(seconds), *sink]).output)


def beyond(result, base, name):
    return result[name] - base[name]


def describe(way, count, mbit, seconds, result, base):
    """A row: what the sinks take beyond the same pipelines with fakesink."""
    threads = result['threads'] - count
    descriptors = beyond(result, base, 'descriptors')
    wakeups = beyond(result, base, 'wakeups') / seconds
    return (way, count, mbit, f'{beyond(result, base, "rss") / 1024:.0f} ({beyond(result, base, "rss") / 1024 / count:.2f})', threads,
            f'{descriptors} ({descriptors / count:.1f})', f'{max(wakeups, 0) / count:.1f}', f'{beyond(result, base, "rest") / count:.2f}',
            f'{result["most_threads"] - count}' if result['ended'] else '-')


def channels(setting):
    """Memory, threads, descriptors and wake-ups of many recordings in one process."""
    place, rows = setting.place, []
    place.start_server()
    directory = place.path('spool')
    for count, mbit, seconds, ways in ((20, 8, 20, (SPOOL, SIZED, AHEAD)), (400, 1, 75, (SPOOL, SIZED))):
        if setting.quick:
            count, seconds = count // 4, 10
        base = run_sinks(setting, count, mbit, seconds, ['fakesink'], False)
        for way, values, ends in ways:
            sink = place.sink(location='box://0/bench-%d.bin', spool_dir=directory, **values)
            result = run_sinks(setting, count, mbit, seconds, sink, ends)
            result['ended'] = ends
            shutil.rmtree(directory)
            print(f'    {count} × {mbit} Mbit/s, {way}: {result}', flush=True)
            rows.append(describe(way, count, mbit, seconds, result, base))
    setting.report.section('channels', table(
        ['bytes go', 'channels', 'Mbit/s', 'MiB (each)', 'threads', 'descriptors (each)', 'wake-ups a second, each', 'the same at rest',
         'most threads while all end'], rows))


def small_buffers(setting):
    """CPU of the whole process, in pairs: the spool and filesink, both on a tmpfs."""
    place = setting.place
    directory, output = place.path('spool'), place.path('recorded.bin')
    nowhere = {'endpoint': 'http://127.0.0.1:9/api/2.0', 'api_endpoint': 'http://127.0.0.1:9/2.0'}
    ours = place.sink(spool_dir=directory, eos_mode='spool', retry_timeout=0, **nowhere)
    rows = []
    for length, size in ((188, 94_000_000), (1316, 300_000_000)):
        for count in (0, 7 if length == 188 else 16):
            def cost(sink, arguments=(length, count, size)):
                result = setting.run([place.program('bench-buffers'), *map(str, arguments), *sink])
                shutil.rmtree(directory, ignore_errors=True)
                return result

            pairs = rounds(setting.rounds(9), [('spool', lambda f=cost: f(ours)), ('filesink', lambda f=cost: f(['filesink', f'location={output}']))],
                           lambda *_: None)
            spool, file = (Series(result.cpu for result in pairs[name]) for name in ('spool', 'filesink'))
            rows.append((length, f'lists of {count}' if count else 'one by one', spool.show(), file.show(), spool.against(file).show()))
            print(f'    {rows[-1]}', flush=True)
    setting.report.section('small-buffers', table(['bytes', '', 'spool, CPU s', '`filesink`, CPU s', 'ratio (bar: ≤ 1.3)'], rows))
    os.unlink(output)
