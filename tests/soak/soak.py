#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Endless recordings under faults, in one process: what it takes of the machine has to stay as it is.

usage: soak.py SECONDS [FIGURES.csv]     in the environment of "box-emulator --run"

Channels record pieces without an end, by splitmuxsink, and upload them while the network and Box fail now and then. After SECONDS they end.
Then every piece has to be at Box, once, and the spool empty. Memory, descriptors, threads and the spool are looked at until they end. From
300 SECONDS on they may not be more in the last third than in the one before, but for what chance moves; a shorter run shows nothing of
that on a busy machine. Speaks TAP.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

import gi

gi.require_version('Gst', '1.0')
from gi.repository import GLib, Gst  # noqa: E402

CHANNELS = 20
LOOKS = 120
# Seconds from which a growth is one.
LONG = 300
# Seconds until every piece is at Box, after the recordings have ended.
PATIENCE = 300

# Three seconds of sound a piece: 290 kB, five parts of 64 KiB.
CHANNEL = ('audiotestsrc is-live=true samplesperbuffer=4800 wave=white-noise ! audio/x-raw,format=S16LE,rate=48000,channels=1 ! queue ! split.audio_0 '
           'splitmuxsink name=split async-finalize=true muxer-factory=matroskamux max-size-time=3000000000 '
           'location=box://0/channel-{number}-%05d.mkv sink-factory=boxuploadsink '
           'sink-properties=properties,spool-dir=(string)"{spool}",errors-fatal=(boolean)false,if-exists=(string)error')

# What a figure may grow by from the second third to the last one: a part of it, and so much besides.
MAY_GROW = {'rss_kib': (0.10, 8192), 'descriptors': (0.25, 40), 'threads': (0.25, 40), 'spool_kib': (0.50, 20000)}


def count(directory):
    return len(os.listdir(directory))


def resident():
    with open('/proc/self/statm', encoding='ascii') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE') // 1024


def size_of(spool):
    total = 0
    for entry in os.scandir(spool):
        try:
            total += entry.stat().st_size
        except FileNotFoundError:
            pass
    return total // 1024


class Soak:
    def __init__(self, spool, seconds):
        self.spool = spool
        self.loop = GLib.MainLoop()
        self.begun = time.monotonic()
        self.seconds = seconds
        self.figures = []
        self.names = []
        self.failures = []
        self.running = set()
        self.pipelines = [self.begin(number) for number in range(CHANNELS)]

    def begin(self, number):
        pipeline = Gst.parse_launch(CHANNEL.format(number=number, spool=self.spool))
        bus = pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect('message', self.on_message, number)
        self.running.add(number)
        pipeline.set_state(Gst.State.PLAYING)
        return pipeline

    def on_message(self, bus, message, number):
        fields = message.get_structure()
        if message.type == Gst.MessageType.ELEMENT and fields.get_name() == 'boxuploadsink-complete':
            self.names.append(fields.get_value('name'))
        elif message.type == Gst.MessageType.ELEMENT and fields.get_name() == 'boxuploadsink-failed':
            self.failures.append(fields.get_value('message'))
        elif message.type == Gst.MessageType.ERROR:
            self.failures.append(message.parse_error()[0].message)
            self.end(number)
        elif message.type == Gst.MessageType.EOS:
            self.end(number)

    def end(self, number):
        self.running.discard(number)
        if not self.running:
            self.loop.quit()

    def look(self):
        self.figures.append({'seconds': round(time.monotonic() - self.begun, 1), 'rss_kib': resident(), 'descriptors': count('/proc/self/fd'),
                             'threads': count('/proc/self/task'), 'spool_kib': size_of(self.spool), 'pieces': len(self.names)})
        return GLib.SOURCE_CONTINUE

    def finish(self):
        GLib.source_remove(self.looking)
        for pipeline in self.pipelines:
            pipeline.send_event(Gst.Event.new_eos())
        return GLib.SOURCE_REMOVE

    def give_up(self):
        self.failures.append(f'channels that did not end: {sorted(self.running)}')
        self.loop.quit()
        return GLib.SOURCE_REMOVE

    def run(self):
        self.looking = GLib.timeout_add(max(self.seconds * 1000 // LOOKS, 50), self.look)
        GLib.timeout_add(self.seconds * 1000, self.finish)
        GLib.timeout_add((self.seconds + PATIENCE) * 1000, self.give_up)
        self.loop.run()
        for pipeline in self.pipelines:
            pipeline.set_state(Gst.State.NULL)
            pipeline.get_bus().remove_signal_watch()


def growth(figures, name):
    """The most of it in the second third, and in the last one."""
    third = len(figures) // 3
    return max(row[name] for row in figures[third:2 * third]), max(row[name] for row in figures[2 * third:])


def stored():
    output = subprocess.run(['boxupload', 'ls', '0', '--json'], stdout=subprocess.PIPE, check=True, text=True).stdout
    return [json.loads(line)['name'] for line in output.splitlines()]


def tell(number, ok, name, *details):
    for detail in details:
        print(f'# {detail}')
    print(f'{"" if ok else "not "}ok {number} {name}', flush=True)
    return ok


def main():
    if len(sys.argv) not in (2, 3) or not sys.argv[1].isdecimal():
        print(__doc__, file=sys.stderr)
        return 2
    Gst.init(None)
    with tempfile.TemporaryDirectory() as spool:
        soak = Soak(spool, int(sys.argv[1]))
        soak.run()
        left = [name for name in os.listdir(spool) if name.endswith('.data')]
    if len(sys.argv) == 3:
        with open(sys.argv[2], 'w', encoding='ascii') as file:
            file.writelines(','.join(str(value) for value in row) + '\n' for row in [list(soak.figures[0]), *(row.values() for row in soak.figures)])
    there = stored()
    may_grow = MAY_GROW if soak.seconds >= LONG else {}
    print(f'1..{3 + len(may_grow)}')
    results = [
        tell(1, not soak.failures, 'no-channel-fails', *soak.failures[:5]),
        tell(2, len(soak.names) >= CHANNELS and sorted(there) == sorted(soak.names) and len(set(there)) == len(there), 'every-piece-is-at-box-once',
             f'{len(there)} pieces at Box, {len(soak.names)} reported'),
        tell(3, not left, 'the-spool-is-empty', *left[:5]),
    ]
    for number, (name, (part, besides)) in enumerate(may_grow.items(), 4):
        before, after = growth(soak.figures, name)
        results.append(tell(number, after <= before * (1 + part) + besides, f'{name.replace("_", "-")}-stays', f'{before}, then {after}'))
    return 0 if all(results) else 1


if __name__ == '__main__':
    sys.exit(main())
