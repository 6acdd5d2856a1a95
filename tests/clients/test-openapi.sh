#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What boxupload ($2) and the plugin ($3) send, and what the emulator ($1) answers, held to Box's published OpenAPI document.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/lib.sh"

if ! command -v node >/dev/null || [ ! -d "$here/node_modules/ajv" ]; then
  echo "Bail out! node or its packages are missing: npm ci --prefix $here (scripts/test does this)"
  exit 1
fi
isolate "$@"
boxupload=$(realpath "$2") plugin=$(dirname "$(realpath "$3")")
start_emulator "$1"
mkfifo hold
node "$here/openapi.js" "$PLAIN" <hold >judgement 2>address &
judge=$!
exec 4>hold
until [ -s address ]; do kill -0 "$judge" || { echo "Bail out! The judge did not start: $(cat address)"; exit 1; }; done
read -r origin <address
unset NODE_EXTRA_CA_CERTS HTTPS_PROXY
export BOX_ACCESS_TOKEN=t BOX_ENDPOINT=$origin/api/2.0 BOX_API_ENDPOINT=$origin/2.0 GST_PLUGIN_PATH=$plugin
upload=("$boxupload" put --retry-timeout 20)

# Everything that a command prints is shown if it fails.
run ()
{
  local output
  output=$("$@" 2>&1) || { echo "Bail out! $*: $output"; sed "s,^,# ," address; exit 1; }
}

calls ()
{
  make_file 1000000 small
  make_file 2000000 back
  make_file 30000003 large
  cp large other
  printf more >>other
  run "${upload[@]}" small large
  run "${upload[@]}" --if-exists version --name small back
  run "${upload[@]}" --if-exists version --name large other
  run "${upload[@]}" --if-exists rename small
  run "${upload[@]}" --folder-path 'Archive/2026' --metadata camera=3 --description words small
  run "${upload[@]}" --folder-path 'Archive/2026' --if-exists version --metadata camera=4 --name small back
  run "$boxupload" ls box://0
  run "$boxupload" get box://0/small got
  run "$boxupload" whoami
  echo '{"client_id": "client", "client_secret": "secret", "enterprise_id": "1"}' >application.json
  run env -u BOX_ACCESS_TOKEN "$boxupload" token --auth-config application.json --folder 0
  session=$("$boxupload" create --size 30000003 --name parts)
  head -c 8388608 large | run "$boxupload" part --offset 0 "$session" -
  run "$boxupload" parts "$session"
  run "$boxupload" status "$session"
  run "${upload[@]}" --session "$session" large
  run "$boxupload" abort "$("$boxupload" create --size 30000003 --name aborted)"
  run gst-launch-1.0 -q filesrc location=large ! boxuploadsink location=box://0/by-the-sink
  run gst-launch-1.0 -q filesrc location=large ! boxuploadsink location=box://0/recorded spool-dir=spool total-size=0
  run gst-launch-1.0 -q filesrc location=small ! boxuploadsink location=box://0/live unknown-size=live total-size=0
}

calls
exec 4>&-
wait "$judge" || true
cat judgement
