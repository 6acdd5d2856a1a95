# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: LGPL-2.1-or-later
# For the tests with other people's clients: the emulator in a network of its own where the system allows it, so that
# nothing a client does can leave the machine; a place to work in; results as TAP.

# Runs the whole script again in a network namespace with nothing but loopback (needs root or user namespaces).
isolate ()
{
  [ -z "${ISOLATED-}" ] || return 0
  export ISOLATED=1
  local user=
  [ "$(id -u)" = 0 ] || user=--map-root-user
  if command -v ip >/dev/null && unshare --net $user true 2>/dev/null; then
    exec unshare --net $user sh -c 'ip link set lo up && exec "$@"' sh "$BASH" "$0" "$@"
  fi
}

# $1: the program, then more of its options. Sets PLAIN, TLS and CA.
start_emulator ()
{
  local program=$1
  shift
  WORK=$(mktemp -d)
  trap 'stop_emulator' EXIT
  mkfifo "$WORK/lines"
  "$program" --dir "$WORK/emulator" "$@" >"$WORK/lines" 2>"$WORK/stderr" &
  EMULATOR=$!
  exec 3<"$WORK/lines"
  read -r -t 300 PLAIN <&3 || true
  read -r -t 300 TLS <&3 || true
  printf '%s\n' "$PLAIN" "$TLS" >"$WORK/listening"
  PLAIN=${PLAIN#listening on }
  TLS=${TLS#listening on }
  CA=$WORK/emulator/ca.pem
  if [ -z "$TLS" ]; then
    echo "Bail out! The emulator did not start: $(cat "$WORK/stderr")"
    exit 1
  fi
  export HOME=$WORK XDG_CONFIG_HOME=$WORK/config XDG_CACHE_HOME=$WORK/cache
  cd "$WORK" || exit
}

stop_emulator ()
{
  if [ -n "${EMULATOR-}" ] && kill "$EMULATOR" 2>/dev/null; then
    wait "$EMULATOR" || true
  fi
  rm -rf "$WORK"
}

# $1: size in bytes, $2: file.
make_file ()
{
  head -c "$1" /dev/urandom >"$2"
}

TESTS=0
FAILED=0

# $1: a sentence, then the command that shows it.
check ()
{
  local sentence=$1 output
  shift
  TESTS=$((TESTS + 1))
  if output=$("$@" 2>&1); then
    echo "ok $TESTS - $sentence"
  else
    FAILED=1
    echo "not ok $TESTS - $sentence"
    printf '%s\n' "$output" | sed 's/^/# /'
  fi
}

finish ()
{
  echo "1..$TESTS"
  exit $FAILED
}
