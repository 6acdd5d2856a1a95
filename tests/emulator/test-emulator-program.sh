#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The program box-emulator ($1) as its users see it. Prints TAP.
set -uo pipefail
# shellcheck source=/dev/null
. "$(dirname "$0")/../clients/lib.sh"

program=$(realpath "$1")
page=$(realpath "$(dirname "$0")/../../docs/emulator.md")
files=$(mktemp -d)

helps ()
{
  local help option
  help=$("$program" --help) || return 1
  for option in dir port tls-port part-size rate scenario accounts token processing; do
    grep -q -e "--$option" <<<"$help" || { echo "--$option is missing"; return 1; }
  done
}

# The page has the help as it is printed.
documents ()
{
  local option
  for option in $("$program" --help | grep -o -e '--[a-z-]*' | grep -v help | sort -u); do
    grep -q -e "$option" "$page" || { echo "$option is not in $page"; return 1; }
  done
}

# $1: the exit code wanted, then what the message has, then the options.
refuses ()
{
  local code=$1 words=$2 output status
  shift 2
  output=$(timeout 300 "$program" "$@" 2>&1)
  status=$?
  echo "$status: $output"
  [ $status = "$code" ] && grep -q -e "$words" <<<"$output"
}

announces ()
{
  [ "$(wc -l <"$WORK/listening")" = 2 ] && grep -q '^listening on http://127.0.0.1:[0-9]*$' "$WORK/listening" \
    && grep -q '^listening on https://127.0.0.1:[0-9]*$' "$WORK/listening"
}

# $1: URL, the rest: options of curl.
ask ()
{
  local url=$1
  shift
  curl -sS --cacert "$CA" -H 'Authorization: Bearer t' "$@" "$url"
}

answers ()
{
  ask "$PLAIN/2.0/users/me" | grep '"type":"user"' && ask "$TLS/2.0/users/me" | grep '"type":"user"'
}

plays ()
{
  [ "$(ask "$PLAIN/2.0/folders/0" -o /dev/null -w '%{http_code}')" = 418 ]
}

parts ()
{
  ask "$PLAIN/api/2.0/files/upload_sessions" -H 'Content-Type: application/json' \
    -d '{"folder_id":"0","file_size":25,"file_name":"a"}' | grep '"total_parts":3,"part_size":10' >/dev/null
}

# $1: the signal. Not within check: only the shell that started a program can wait for it.
end_emulator ()
{
  kill -"$1" "$EMULATOR"
  wait "$EMULATOR"
  STATUS=$?
  EMULATOR=
}

private ()
{
  [ "$(stat -c %a "$WORK/emulator/server-key.pem")" = 600 ]
}

echo '[{"route": "get_folder", "do": "reply", "status": 418}]' >"$files/scenario"
echo '[{"do": "dance"}]' >"$files/nonsense"
: >"$files/file"

check "the program describes its options" helps
check "the page describes all options" documents
check "a missing directory is an error" refuses 2 "--dir is missing"
check "a directory that cannot be made is an error" refuses 1 "Cannot create" --dir "$files/file/x"
check "an unknown option is an error" refuses 2 "dance" --dance
for option in dir profile upload-host accounts token scenario; do
  check "an empty --$option is an error" refuses 2 "the value of --$option is empty" --dir "$files/x" --$option ""
done
check "a port out of range is an error" refuses 2 "--port is out of range" --dir "$files/x" --port 65536
check "a scenario that makes no sense is an error with its file" refuses 1 "nonsense: .*dance" \
  --dir "$files/x" --scenario "$files/nonsense"
start_emulator "$program" --part-size 10 --min-size 1 --scenario "$files/scenario"
check "the program says where it listens" announces
check "the program answers over HTTP and TLS" answers
check "the program plays its scenario" plays
check "the program's sessions have the part size wanted" parts
check "the key of the certificate is private" private
check "a port that is taken is an error" refuses 1 "Cannot listen on port" --dir "$files/x" --port "${PLAIN##*:}"
end_emulator TERM
check "the program ends cleanly on SIGTERM" test $STATUS = 0
stop_emulator
start_emulator "$program"
end_emulator INT
check "the program ends cleanly on SIGINT" test $STATUS = 0
rm -rf "$files"
finish
