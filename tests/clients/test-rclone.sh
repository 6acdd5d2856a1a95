#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Debian's rclone against the emulator: $1, with boxupload: $2. Its Box backend has Box's hosts built in; HTTPS_PROXY leads it to the
# emulator under these names.
set -euo pipefail
# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

if ! command -v rclone >/dev/null; then
  echo "Bail out! rclone is missing: apt-get install rclone"
  exit 1
fi
isolate "$@"
boxupload=$(realpath "$2") # the emulator's start leaves this directory
start_emulator "$1"
export HTTPS_PROXY=$PLAIN SSL_CERT_FILE=$CA RCLONE_CONFIG=/dev/null RCLONE_CONFIG_BOX_TYPE=box
export RCLONE_RETRIES=1 RCLONE_LOW_LEVEL_RETRIES=1
export RCLONE_CONFIG_BOX_TOKEN='{"access_token":"t","token_type":"bearer","expiry":"2099-01-01T00:00:00Z"}'

# Up under a name, down again, compared: $1 the file, then options of the upload.
round_trip ()
{
  local file=$1
  shift
  rclone copyto "$file" "box:there/$file" "$@" && rclone copyto "box:there/$file" back \
    && cmp "$file" back
}

version ()
{
  make_file 52428801 changed
  rclone copyto changed box:there/large && rclone copyto changed box:there/small
  rclone cat box:there/large | cmp - changed && rclone cat box:there/small | cmp - changed
}

stream ()
{
  rclone rcat --streaming-upload-cutoff 0 box:there/stream <small && rclone cat box:there/stream | cmp - small
}

# What unknown-size=live sends: tests/element/test-live.c holds it to the same.
stream_form ()
{
  rclone rcat --streaming-upload-cutoff 0 --dump headers box:there/form <small 2>dump-of-headers
  tr -d '\r' <dump-of-headers |
    awk '/POST .*\/files\/content HTTP\/1.1/ { on = 1 } on { print } on && /^$/ { exit }' >form
  grep -q '^Transfer-Encoding: chunked' form && grep -q '^Content-Type: multipart/form-data; boundary=' form \
    && ! grep -qi '^Content-Length:\|^Expect:' form
}

range ()
{
  rclone cat --offset 1000 --count 5000 box:there/stream | cmp - <(tail -c +1001 small | head -c 5000)
}

hashes ()
{
  local line
  line=$(rclone sha1sum box:there/stream)
  [ "${line%% *}" = "$(sha1sum <small | cut -d' ' -f1)" ]
}

times ()
{
  touch -d '2020-02-03T04:05:06Z' small
  rclone copyto small box:times && rclone lsl box:times | grep '2020-02-03' >/dev/null
}

many ()
{
  mkdir -p tree/a/b && for i in $(seq 40); do echo "$i" >"tree/a/b/$i"; done
  rclone copy tree box:tree && rclone check tree box:tree
}

rearrange ()
{
  rclone moveto box:tree/a box:moved && rclone check tree/a box:moved && rclone copyto box:moved/b/7 box:seven \
    && rclone cat box:seven | cmp - tree/a/b/7 && rclone purge box:moved && ! rclone lsf box:moved
}

# What boxupload put into folders by path, rclone finds there; and the other way.
by_path ()
{
  export BOX_ACCESS_TOKEN=t
  local here=(--endpoint "$PLAIN/api/2.0" --api-endpoint "$PLAIN/2.0")
  "$boxupload" put "${here[@]}" --folder-path 'Archive/2026/Camera 3' small large || return 1
  "$boxupload" put "${here[@]}" --folder-path 'archive/2026/CAMERA 4' small || return 1
  [ "$(rclone lsf -R --files-only box:Archive | sort)" = "$(printf '2026/%s\n' 'CAMERA 4/small' 'Camera 3/large' 'Camera 3/small')" ] \
    || return 1
  rclone copy 'box:Archive/2026/Camera 3' below && cmp small below/small && cmp large below/large || return 1
  rclone copyto small 'box:Archive/Made by rclone/one' || return 1
  "$boxupload" get "${here[@]}" 'box://0/archive/Made%20by%20rclone/one' back.one && cmp small back.one
}

about ()
{
  rclone about box: | grep Used: >/dev/null
}

# rclone's smallest cutoff is 50 MB.
sizes ()
{
  local size
  for size in 58720256 58720257; do
    make_file $size exact
    round_trip exact || return 1
    rm exact && rclone deletefile box:there/exact
  done
}

make_file 1000000 small
make_file 60000003 large
check "rclone uploads a small file in one request and reads it back" round_trip small
check "rclone uploads a large file in a session and reads it back" round_trip large
check "rclone uploads empty files" eval 'true >empty && round_trip empty'
check "rclone replaces files by versions" version
check "rclone streams what it does not know the size of" stream
check "rclone streams in the form of unknown-size=live" stream_form
check "rclone reads a range" range
check "rclone finds the SHA-1 it expects" hashes
check "rclone keeps the time of modification" times
check "rclone copies and checks a tree" many
check "rclone moves, copies and deletes" rearrange
check "rclone lists and reads back a tree that boxupload made, and boxupload one of rclone's" by_path
check "rclone asks for the space" about
check "rclone uploads whole multiples of the part size" sizes
finish
