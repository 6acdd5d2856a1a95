#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# usage: run-fuzzer.sh PROGRAM SECONDS NEW_INPUTS CORPUS
# One bounded libFuzzer run. Inputs that reach new code are kept in NEW_INPUTS, one that fails beside it.
set -eu
program=$1
seconds=$2
found=$3
corpus=$4
mkdir -p "$found"
exec "$program" -max_total_time="$seconds" -max_len=65536 -timeout=10 -error_exitcode=1 -print_final_stats=1 \
  -artifact_prefix="$found." "$found" "$corpus"
