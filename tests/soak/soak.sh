#!/bin/sh
# soak.py with Debian's Python, which has the bindings, and the programs of a build.
#
#   soak.sh BUILD SECONDS [FIGURES.csv]
set -eu
build=$1
shift
PATH=$build/src/cli:$PATH GST_PLUGIN_PATH=$build/gst exec /usr/bin/python3 "$(dirname "$0")/soak.py" "$@"
