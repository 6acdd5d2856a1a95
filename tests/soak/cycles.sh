#!/bin/sh
# The program "cycles", ten times, or as scripts/soak wants it:
#
#   BOXUPLOAD_CYCLES=N [BOXUPLOAD_CYCLES_UNDER=valgrind] BOXUPLOAD_CYCLES_OUT=PREFIX   figures in PREFIX.json, reports in PREFIX.log
#
#   cycles.sh PROGRAM
set -eu
program=$1
here=$(dirname "$0")/../sanitizers
[ -n "${BOXUPLOAD_CYCLES-}" ] || exec "$program" 10
exec 2>"$BOXUPLOAD_CYCLES_OUT.log"
# What a thread has freed and keeps for itself would be counted as memory in use.
export GLIBC_TUNABLES=glibc.malloc.tcache_count=0
[ "${BOXUPLOAD_CYCLES_UNDER-}" = valgrind ] || exec "$program" "$BOXUPLOAD_CYCLES" "$BOXUPLOAD_CYCLES_OUT.json"
exec valgrind --error-exitcode=1 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
  --suppressions=/usr/share/glib-2.0/valgrind/glib.supp --suppressions="$here/valgrind.supp" \
  "$program" "$BOXUPLOAD_CYCLES" "$BOXUPLOAD_CYCLES_OUT.json"
