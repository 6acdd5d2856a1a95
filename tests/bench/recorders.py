# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many recorders of one Box account, each a process with a spool of its own, against a Box that enforces the account's limits."""
import json
import os
import shutil
import subprocess
import time
from collections import Counter

from measure import Failed
from report import table, verdict

# Of Box, for each user.
CALLS, UPLOADS = 1000, 240
COUNT = 100

# The smallest file that Box takes into a session, in ten parts. Smaller parts than Box's: the limits shall hold recorders, not the machine.
SIZE, PART = 20_000_000, 2_000_000
BLOCK = 50_000

OUTAGE, OUTAGE_AT = 30, 62
LONGEST = 1800
UPLOAD_ROUTES = ('upload_part', 'upload_file', 'upload_version')


class Box:
    """bench-recorders, and what it says at last."""

    def __init__(self, place, calls, uploads):
        directory = place.path('emulator')
        shutil.rmtree(directory, ignore_errors=True)
        self.process = subprocess.Popen([place.program('bench-recorders'), directory, str(PART), str(calls), str(uploads)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.origin = self.process.stdout.readline().strip()

    def tell(self, word):
        self.process.stdin.write(word + '\n')
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def end(self):
        return json.loads(self.process.communicate()[0])


def start_recorder(place, number, origin):
    """A recording of unknown size: to the spool, and from there to Box when it ends."""
    sink = place.sink(location=f'box://0/recorder-{number}.bin', unknown_size='spool', spool_dir=place.path(f'recorders/{number}'),
                      endpoint=f'{origin}/api/2.0', api_endpoint=f'{origin}/2.0', ca_file=None)
    with open(place.path(f'recorders/{number}.log'), 'w', encoding='utf-8') as log:
        return subprocess.Popen(['gst-launch-1.0', '-q', 'fakesrc', 'sizetype=fixed', f'sizemax={BLOCK}', 'filltype=pattern',
                                 f'num-buffers={SIZE // BLOCK}', '!', *sink],
                                env=place.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)


def wait_for_all(place, recorders, until):
    """Number of recorders that did not end well."""
    while any(recorder.poll() is None for recorder in recorders) and time.monotonic() < until:
        time.sleep(0.2)
    failed = 0
    for number, recorder in enumerate(recorders):
        if recorder.poll() != 0:
            failed += 1
            recorder.kill()
            recorder.wait()
            with open(place.path(f'recorders/{number}.log'), encoding='utf-8', errors='replace') as log:
                print(f'    recorder {number} ended with {recorder.returncode}: {log.read()[-500:]}', flush=True)
    return failed


def record(place, count, calls, uploads, outage):
    """Requests as bench-recorders prints them, when the outage ended (None: there was none), recorders that failed."""
    os.makedirs(place.path('recorders'))
    box, ended = Box(place, calls, uploads), None
    begin = time.monotonic()
    recorders = [start_recorder(place, number, box.origin) for number in range(count)]
    if outage:
        time.sleep(max(0, begin + OUTAGE_AT - time.monotonic()))
        box.tell('down')
        time.sleep(OUTAGE)
        ended = box.tell('up')
    failed = wait_for_all(place, recorders, begin + LONGEST)
    requests = box.end()
    shutil.rmtree(place.path('recorders'))
    return requests, ended, failed


def peak(requests, begin):
    """The most requests in one second from then on."""
    return max(Counter(int(when - begin) for when, _, _ in requests if when >= begin).values(), default=0)


def describe(name, requests, later, count, calls, uploads):
    """A row. What is later than @later does not belong to the beginning, in which nobody knows of the limits."""
    begin = requests[0][0]
    done = sorted(when - begin for when, route, status in requests if (route, status) == ('commit', 201))
    refused = sum(status == 429 for _, _, status in requests)
    taken = [route for _, route, status in requests if status not in (0, 429)]
    fair = max(sum(route in UPLOAD_ROUTES for route in taken) / uploads, len(taken) / calls) * 60
    share = done[-1] / fair
    minute = sum(later <= when < later + 60 for when, _, _ in requests)
    return (name, f'{len(done)} of {count}', *(f'{seconds:.0f} s' for seconds in (done[0], done[len(done) // 2], done[-1], fair)),
            f'{share:.2f}: {verdict(share, 1.5)}', f'{refused / len(requests):.0%}', peak(requests, begin), peak(requests, later), minute)


def recorders(setting):
    """With --quick, a quarter of the recorders share a quarter of the limits."""
    place, share = setting.place, 4 if setting.quick else 1
    count, calls, uploads = COUNT // share, CALLS // share, UPLOADS // share
    setting.run(['gst-inspect-1.0', 'boxuploadsink'])
    rows = []
    for name, outage in (('no outage', False), (f'an outage of {OUTAGE} s', True)):
        requests, ended, failed = record(place, count, calls, uploads, outage)
        print(f'    {Counter((route, status) for _, route, status in requests).most_common()}', flush=True)
        if failed:
            raise Failed(f'{failed} of {count} recorders failed')
        rows.append(describe(name, requests, ended or requests[0][0] + 60, count, calls, uploads))
    setting.report.section('recorders', table(
        ['', 'done', 'first', 'median', 'slowest', 'fair share', 'slowest / fair (bar: ≤ 1.5)', 'refused', 'most requests in a second',
         'later', 'in the minute then'], rows) + f'\n\n{count} recorders; {calls} calls and {uploads} uploads a minute.', 'scale')
