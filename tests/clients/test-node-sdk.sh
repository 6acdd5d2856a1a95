#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Box's Node SDK against the emulator ($1), and sessions that it shares with the plugin ($3).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/lib.sh"

if ! command -v node >/dev/null; then
  echo "Bail out! node is missing: apt-get install nodejs npm"
  exit 1
fi
if [ ! -d "$here/node_modules/box-node-sdk" ]; then
  echo "Bail out! Box's Node SDK is missing: npm ci --prefix $here (scripts/test does this)"
  exit 1
fi
isolate "$@"
GST_PLUGIN_PATH=$(dirname "$(realpath "$3")")
export GST_PLUGIN_PATH

keys=$(mktemp -d)
trap 'rm -rf "$keys"' EXIT
node "$here/make-accounts.js" "$keys"
start_emulator "$1" --accounts "$keys/accounts"
trap 'stop_emulator; rm -rf "$keys"' EXIT
BOX_CA_FILE=$CA NODE_EXTRA_CA_CERTS=$CA PRIVATE_KEY=$(cat "$keys/private.pem") node "$here/node-sdk.js" "$TLS"
