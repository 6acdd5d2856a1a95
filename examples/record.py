#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records a test picture to Box until Ctrl-C, or for some seconds, and shows the progress of the upload.

usage: record.py box://FOLDER_ID/NAME.mkv TOKEN_COMMAND [SECONDS]

When Box wants a token, TOKEN_COMMAND is asked for one. Exit code: 0 if the file is at Box, else 1.
"""
import shlex
import signal
import subprocess
import sys

import gi

gi.require_version('Gst', '1.0')
from gi.repository import GLib, Gst  # noqa: E402

FRAMES_PER_SECOND = 30
PIPELINE = ('videotestsrc is-live=true num-buffers={buffers} ! video/x-raw,framerate={rate}/1 ! '
            'x264enc tune=zerolatency ! h264parse ! matroskamux ! boxuploadsink name=box')


class Recorder:
    def __init__(self, location, token_command, seconds):
        self.complete = False
        self.token_command = shlex.split(token_command)
        self.loop = GLib.MainLoop()
        buffers = seconds * FRAMES_PER_SECOND if seconds else -1
        self.pipeline = Gst.parse_launch(PIPELINE.format(buffers=buffers, rate=FRAMES_PER_SECOND))
        sink = self.pipeline.get_by_name('box')
        sink.set_property('location', location)
        sink.connect('request-token', self.on_request_token)  # before PAUSED
        self.bus = self.pipeline.get_bus()
        self.bus.add_signal_watch()
        self.bus.connect('message', self.on_message)

    def on_request_token(self, sink):
        """In a thread of its own, so it may take its time. None: there is no token."""
        result = subprocess.run(self.token_command, stdout=subprocess.PIPE, text=True, check=False)
        return result.stdout.strip() or None

    def on_message(self, bus, message):
        kind, fields = message.type, message.get_structure()
        if kind == Gst.MessageType.PROGRESS:
            known, percent = fields.get_int('percent')
            print(f'{percent:3d} % uploaded' if known else message.parse_progress()[2], flush=True)
        elif kind == Gst.MessageType.ELEMENT and fields.get_name() == 'boxuploadsink-complete':
            self.complete = True
            print(f'file {fields.get_value("file-id")}, SHA-1 {fields.get_value("sha1")}', flush=True)
        elif kind == Gst.MessageType.WARNING:
            print(f'warning: {message.parse_warning()[0].message}', file=sys.stderr)
        elif kind == Gst.MessageType.ERROR:
            print(f'error: {message.parse_error()[0].message}', file=sys.stderr)
            self.loop.quit()
        elif kind == Gst.MessageType.EOS:  # comes when the file is committed
            self.loop.quit()

    def on_interrupt(self):
        """The end of the stream, in order: the container is finished, and the rest is uploaded."""
        self.pipeline.send_event(Gst.Event.new_eos())
        return GLib.SOURCE_CONTINUE

    def run(self):
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, self.on_interrupt)
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        self.bus.remove_signal_watch()


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    Gst.init(None)
    recorder = Recorder(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    recorder.run()
    return 0 if recorder.complete else 1


if __name__ == '__main__':
    sys.exit(main())
