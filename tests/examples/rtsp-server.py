#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A camera for the test of examples/rtsp.py: prints its URL, and serves a test picture until it is killed."""
import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstRtspServer', '1.0')
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address('127.0.0.1')
server.set_service('0')
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch('( videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=240,framerate=30/1 ! '
                   'x264enc tune=zerolatency key-int-max=15 ! rtph264pay name=pay0 pt=96 )')
server.get_mount_points().add_factory('/camera', factory)
server.attach(None)
print(f'rtsp://127.0.0.1:{server.get_bound_port()}/camera', flush=True)
GLib.MainLoop().run()
