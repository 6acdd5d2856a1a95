#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What tests/sanitizers/own-tids does to the command that it runs. Prints TAP.
#
# usage: test-own-tids.sh OWN_TIDS
#
# What stands in single quotes is for the shell that own-tids runs.
# shellcheck disable=SC2016
set -uo pipefail
# shellcheck source=/dev/null
. "$(dirname "$0")/../clients/lib.sh"

own=$1

# Where no namespace may be made, the command runs as it is.
may_make_namespaces ()
{
  local user=
  [ "$(id -u)" = 0 ] || user=--map-current-user
  unshare $user --pid --fork --mount-proc true 2>/dev/null
}

numbers_begin_anew ()
{
  local number
  number=$("$own" sh -c 'echo $$')
  if may_make_namespaces; then
    [ "$number" -lt 10 ] || { echo "the number is $number"; return 1; }
  fi
}

exit_status_is_the_commands ()
{
  local status=0
  "$own" sh -c 'exit 77' || status=$?
  [ "$status" = 77 ] || { echo "the status is $status"; return 1; }
}

user_stays_the_same ()
{
  [ "$("$own" id -u)" = "$(id -u)" ]
}

command_that_a_signal_ends_fails ()
{
  local status=0
  "$own" sh -c 'kill -ABRT $$' 2>/dev/null || status=$?
  [ "$status" = 134 ] || { echo "the status is $status"; return 1; }
}

arguments_and_streams_pass_through ()
{
  [ "$(echo in | "$own" sh -c 'read -r line; echo "$line $1 $2"' sh 'a b' '')" = 'in a b ' ]
}

# Outside they stay as they were.
system_has_one_authority ()
{
  local bundle=/etc/ssl/certs/ca-certificates.crt before
  before=$(grep -c BEGIN "$bundle")
  if [ "$(id -u)" = 0 ] && may_make_namespaces; then
    [ "$("$own" grep -c BEGIN "$bundle")" = 1 ] || { echo "there are others"; return 1; }
  fi
  [ "$(grep -c BEGIN "$bundle")" = "$before" ] || { echo "the machine's have changed"; return 1; }
}

check "the system has one authority" system_has_one_authority
check "numbers of processes and threads begin anew" numbers_begin_anew
check "the user stays the same" user_stays_the_same
check "the exit status is the command's" exit_status_is_the_commands
check "a command that a signal ends fails" command_that_a_signal_ends_fails
check "arguments and streams pass through" arguments_and_streams_pass_through
finish
