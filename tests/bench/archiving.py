#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What endless recording costs, line by line: the figures of docs/archiving.md.

Records 30 s of live video (8 Mbit/s) in each of the ways that the page describes, into box-emulator on
an uplink of 2 MB/s, and prints a Markdown table. Times count from when the same recording into local files ends.
Run in a build's environment:

    meson devenv -C build tests/bench/archiving.py
"""
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

SECONDS = 30
FRAMES = SECONDS * 30
UPLINK = 2_000_000

SOURCE = (
    f"videotestsrc is-live=true pattern=snow num-buffers={FRAMES} "
    "! video/x-raw,width=640,height=360,framerate=30/1 ! queue leaky=downstream "
    "! x264enc bitrate=8000 key-int-max=30 speed-preset=ultrafast tune=zerolatency ! h264parse ! queue "
)
SPLIT = "max-size-time=10000000000"


class Place:
    """The emulator, a spool, and what tools need to find them."""

    def __init__(self, directory):
        self.directory = directory
        self.spool = os.path.join(directory, "spool")
        self.emulator = subprocess.Popen(
            ["box-emulator", "--dir", os.path.join(directory, "box"), "--rate", str(UPLINK)],
            stdout=subprocess.PIPE, text=True)
        self.origin = self.emulator.stdout.readline().split()[-1]
        os.environ["BOX_ACCESS_TOKEN"] = "any"
        os.environ["XDG_STATE_HOME"] = os.path.join(directory, "state")

    def end(self):
        self.emulator.terminate()
        self.emulator.wait()

    def sink(self, more=""):
        return (f"endpoint={self.origin}/api/2.0 api-endpoint={self.origin}/2.0 "
                f"spool-dir={self.spool} {more}")

    def fields(self, more=""):
        """The same for sink-properties."""
        return "properties," + ",".join(
            "=(string)".join(pair.split("=", 1)) for pair in self.sink(more).split())

    def names(self):
        request = urllib.request.Request(f"{self.origin}/2.0/folders/0/items",
                                         headers={"Authorization": "Bearer any"})
        with urllib.request.urlopen(request) as reply:
            return {entry["name"]: entry["id"] for entry in json.load(reply)["entries"]}

    def frames(self, prefix):
        total = 0
        for name, number in self.names().items():
            if not name.startswith(prefix):
                continue
            path = os.path.join(self.directory, name)
            request = urllib.request.Request(f"{self.origin}/2.0/files/{number}/content",
                                             headers={"Authorization": "Bearer any"})
            with urllib.request.urlopen(request) as reply, open(path, "wb") as out:
                while chunk := reply.read(1 << 20):
                    out.write(chunk)
            count = subprocess.run(
                ["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v:0", "-show_entries",
                 "stream=nb_read_packets", "-of", "csv=p=0", path], capture_output=True, text=True, check=True)
            total += int(count.stdout.strip().split("\n")[0].strip(","))
        return total


def size_of(directory):
    try:
        return sum(entry.stat().st_size for entry in os.scandir(directory))
    except FileNotFoundError:
        return 0


def watch(process, spool, peaks, over):
    """The most that the process has in memory and the spool on disk."""
    while not over.is_set():
        try:
            with open(f"/proc/{process.pid}/status") as status:
                for line in status:
                    if line.startswith("VmHWM:"):
                        peaks["memory"] = max(peaks["memory"], int(line.split()[1]) * 1024)
        except FileNotFoundError:
            pass
        peaks["spool"] = max(peaks["spool"], size_of(spool))
        over.wait(0.1)


def record(place, line, daemon=None):
    """Runs @line, and @daemon beside it until the spool is empty. Returns the seconds until the
    recorder has ended and until all is at Box, and peaks."""
    peaks, over = {"memory": 0, "spool": 0}, threading.Event()
    helper = daemon and subprocess.Popen(daemon, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    began = time.monotonic()
    process = subprocess.Popen(["gst-launch-1.0", "-q", "-e", *line.split()],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    watcher = threading.Thread(target=watch, args=(process, place.spool, peaks, over))
    watcher.start()
    errors = process.communicate(timeout=600)[1]
    left = time.monotonic()
    while helper and any(name.endswith(".journal") for name in os.listdir(place.spool)):
        time.sleep(0.1)
    ended = time.monotonic()
    over.set()
    watcher.join()
    if helper:
        helper.terminate()
        helper.wait()
    if process.returncode != 0:
        sys.exit(f"{line}\n{errors}")
    return left - began, ended - began, peaks


def main():
    with tempfile.TemporaryDirectory() as directory:
        place = Place(directory)
        watcher = ["boxupload", "watch", place.spool, "--endpoint", f"{place.origin}/api/2.0",
                   "--api-endpoint", f"{place.origin}/2.0"]
        ways = [
            ("segments", "a", SOURCE + f"! splitmuxsink async-finalize=true muxer-factory=mp4mux {SPLIT} "
             f"location=box://0/a-%05d.mp4 sink-factory=boxuploadsink sink-properties={place.fields()}", None),
            ("segments, uploaded by `boxupload watch`", "b",
             SOURCE + f"! splitmuxsink async-finalize=true muxer-factory=mp4mux {SPLIT} "
             f"location=box://0/b-%05d.mp4 sink-factory=boxuploadsink sink-properties={place.fields('eos-mode=spool')}",
             watcher),
            ("one file into a reserve", "c", SOURCE + "! mpegtsmux alignment=7 ! boxuploadsink location=box://0/c.ts "
             "unknown-size=reserve reserve-size=40000000 " + place.sink(), None),
            ("one file through the spool", "d", SOURCE + "! mp4mux ! boxuploadsink location=box://0/d.mp4 "
             + place.sink(), None),
        ]
        print("| way | frames of", FRAMES, "| recorder ends after | at Box after | recorder's memory | spool |")
        print("|---|---|---|---|---|---|")
        local = f"! splitmuxsink muxer-factory=mp4mux {SPLIT} location={directory}/local-%05d.mp4"
        base, _, peaks = record(place, SOURCE + local)
        print(f"| local files, for comparison | | 0 s | never | {peaks['memory'] / 2**20:.0f} MiB | |", flush=True)
        for name, prefix, line, daemon in ways:
            recorded, stored, peaks = record(place, line, daemon)
            print(f"| {name} | {place.frames(prefix)} | {recorded - base:.1f} s | {stored - base:.1f} s "
                  f"| {peaks['memory'] / 2**20:.0f} MiB | {peaks['spool'] / 1e6:.1f} MB |", flush=True)
        place.end()


if __name__ == "__main__":
    main()
