#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sends what ffmpeg makes to Box: a camera, a screen, or a stream that OBS Studio sends to "ffmpeg -listen 1 -i rtmp://127.0.0.1/live".
#
#   ffmpeg.sh FOLDER_ID NAME.mkv FFMPEG_INPUT...     as: ffmpeg.sh 0 desk.mkv -f v4l2 -i /dev/video0
#
# Matroska can be written without going back, and plays up to the last byte whatever happens to ffmpeg. The length is not known, so the
# recording goes to the spool; after an outage or a crash "boxupload resume" uploads what is there.
set -eu
folder=$1 name=$2
shift 2
ffmpeg -hide_banner -loglevel warning "$@" -c:v libx264 -preset veryfast -f matroska - |
  boxupload put - --folder "$folder" --name "$name"
