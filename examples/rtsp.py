#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records an RTSP camera with H.264 to Box, as it comes, without encoding again. When the camera goes away, what was recorded is
uploaded, and the camera is tried again: each connection is a file of its own.

usage: rtsp.py rtsp://CAMERA/PATH FOLDER_ID

Ctrl-C ends it in order.
"""
import datetime
import signal
import sys

import gi

gi.require_version('Gst', '1.0')
from gi.repository import GLib, Gst  # noqa: E402

RETRY_SECONDS = 5
# MPEG-TS would do as well: both play up to the last byte, whatever ends the connection. The queue takes what the camera sends while
# the disk is slow. A recording that Box does not get stays in the spool.
PIPELINE = ('rtspsrc name=camera protocols=tcp ! rtph264depay ! h264parse ! queue max-size-bytes=67108864 max-size-buffers=0 '
            'max-size-time=0 ! matroskamux ! boxuploadsink name=box errors-fatal=false')


class Connection:
    """One connection to the camera, one file; ended(go_on) is called at its end."""

    def __init__(self, camera, folder, ended):
        self.ended = ended
        self.recorded = False
        self.broken = False
        self.pipeline = Gst.parse_launch(PIPELINE)
        self.pipeline.get_by_name('camera').set_property('location', camera)
        now = datetime.datetime.now(datetime.timezone.utc)
        self.pipeline.get_by_name('box').set_property('location', f'box://{folder}/camera-{now:%Y-%m-%dT%H-%M-%S.%f}Z.mkv')
        self.bus = self.pipeline.get_bus()
        self.bus.add_signal_watch()
        self.bus.connect('message', self.on_message)
        self.pipeline.set_state(Gst.State.PLAYING)

    def finish(self):
        """The end of the stream, in order; the file is committed then."""
        self.pipeline.send_event(Gst.Event.new_eos())

    def on_message(self, bus, message):
        kind, fields = message.type, message.get_structure()
        if kind == Gst.MessageType.ELEMENT and fields.get_name() == 'boxuploadsink-complete':
            print(f'at Box: {fields.get_value("name")}', flush=True)
        elif kind == Gst.MessageType.ELEMENT and fields.get_name() == 'boxuploadsink-failed':
            print(f'kept in the spool: {fields.get_value("message")}', file=sys.stderr, flush=True)
        elif kind == Gst.MessageType.STATE_CHANGED and message.src == self.pipeline:
            if message.parse_state_changed().newstate == Gst.State.PLAYING and not self.recorded:
                self.recorded = True
                print('recording', flush=True)
        elif kind == Gst.MessageType.ERROR:
            self.on_error(message)
        elif kind == Gst.MessageType.EOS:
            self.close()

    def on_error(self, message):
        """The camera is gone. What came from it is a recording like any other: it gets its end."""
        print(f'camera: {message.parse_error()[0].message}', file=sys.stderr, flush=True)
        box = self.pipeline.get_by_name('box')
        if self.broken or not self.recorded:
            self.close()
            return
        self.broken = True
        muxer = box.get_static_pad('sink').get_peer().get_parent_element()
        for pad in muxer.sinkpads:
            pad.send_event(Gst.Event.new_eos())

    def close(self):
        self.bus.remove_signal_watch()
        self.pipeline.set_state(Gst.State.NULL)
        self.ended()


class Recorder:
    def __init__(self, camera, folder):
        self.camera, self.folder = camera, folder
        self.loop = GLib.MainLoop()
        self.stopping = False
        self.connection = None
        self.connect()

    def connect(self):
        self.connection = Connection(self.camera, self.folder, self.on_ended)
        return GLib.SOURCE_REMOVE

    def on_ended(self):
        self.connection = None
        if self.stopping:
            self.loop.quit()
        else:
            GLib.timeout_add_seconds(RETRY_SECONDS, self.connect)

    def on_interrupt(self):
        self.stopping = True
        if self.connection:
            self.connection.finish()
        else:
            self.loop.quit()
        return GLib.SOURCE_CONTINUE


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    Gst.init(None)
    recorder = Recorder(sys.argv[1], sys.argv[2])
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, recorder.on_interrupt)
    recorder.loop.run()
    return 0


if __name__ == '__main__':
    sys.exit(main())
