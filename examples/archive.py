#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An archive without an end: pieces, each named by the time at which its first picture was taken, and uploaded while the next one is
recorded. What Box does not take stays in the spool, for "boxupload watch".

usage: archive.py FOLDER_ID SECONDS_PER_PIECE

Ctrl-C ends it in order. Exit code: 0 if every piece is at Box, 1 if pieces stayed in the spool or the recording failed.
"""
import datetime
import signal
import sys

import gi

gi.require_version('Gst', '1.0')
from gi.repository import GLib, Gst  # noqa: E402

# eos-mode=commit with async-finalize: a piece is reported when it is at Box, and the next one does not wait for that.
PIPELINE = ('videotestsrc is-live=true ! x264enc tune=zerolatency key-int-max=30 ! h264parse ! queue ! '
            'splitmuxsink name=split async-finalize=true muxer-factory=matroskamux sink-factory=boxuploadsink '
            'sink-properties=properties,errors-fatal=false')


class Archive:
    def __init__(self, folder, seconds):
        self.folder = folder
        self.kept = False
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.parse_launch(PIPELINE)
        split = self.pipeline.get_by_name('split')
        split.set_property('max-size-time', seconds * Gst.SECOND)
        split.connect('format-location-full', self.name_piece)
        self.bus = self.pipeline.get_bus()
        self.bus.add_signal_watch()
        self.bus.connect('message', self.on_message)

    def name_piece(self, split, number, first_sample):
        """The location of a piece, whose first picture is in first_sample."""
        now = datetime.datetime.now(datetime.timezone.utc)
        running = first_sample.get_segment().to_running_time(Gst.Format.TIME, first_sample.get_buffer().pts)
        late = self.pipeline.get_clock().get_time() - self.pipeline.get_base_time() - running
        taken = now - datetime.timedelta(microseconds=late / 1000)
        # Two pieces never have the same name; Box takes no colon. A location is percent-encoded.
        return f'box://{self.folder}/archive-{taken:%Y-%m-%dT%H-%M-%S.%f}Z.mkv'

    def on_message(self, bus, message):
        kind, fields = message.type, message.get_structure()
        if kind == Gst.MessageType.ELEMENT and fields.get_name() == 'boxuploadsink-complete':
            print(f'at Box: {fields.get_value("name")}', flush=True)
        elif kind == Gst.MessageType.ELEMENT and fields.get_name() == 'boxuploadsink-failed':
            print(f'kept in the spool: {fields.get_value("message")}', file=sys.stderr, flush=True)
            self.kept = True
        elif kind == Gst.MessageType.ERROR:
            print(f'error: {message.parse_error()[0].message}', file=sys.stderr)
            self.kept = True
            self.loop.quit()
        elif kind == Gst.MessageType.EOS:
            self.loop.quit()

    def on_interrupt(self):
        self.pipeline.send_event(Gst.Event.new_eos())
        return GLib.SOURCE_CONTINUE

    def run(self):
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, self.on_interrupt)
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        self.bus.remove_signal_watch()


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    Gst.init(None)
    archive = Archive(sys.argv[1], int(sys.argv[2]))
    archive.run()
    return 1 if archive.kept else 0


if __name__ == '__main__':
    sys.exit(main())
