#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The page of "boxupload watch" in Chromium, in a network with nothing but loopback. usage: test-page.sh SOURCE_DIR BUILD_DIR
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/../clients/lib.sh"

for program in chromium node; do
  if ! command -v "$program" >/dev/null; then
    echo "Bail out! $program is missing: apt-get install chromium nodejs npm"
    exit 1
  fi
done
if [ ! -d "$here/../clients/node_modules/playwright-core" ]; then
  echo "Bail out! playwright-core is missing: npm ci --prefix $here/../clients (scripts/test does this)"
  exit 1
fi
isolate "$@"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
HOME=$work TMPDIR=$work node "$here/test-page.js" "$@"
