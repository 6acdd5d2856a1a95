#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What "meson install" puts where, that it works from there, and that "meson devenv" has the same without. Prints TAP.
#
# usage: test-install.sh BUILD_DIR PLUGIN_DIR BIN_DIR MAN_DIR DATA_DIR SYSTEMD_DIR
set -uo pipefail
# shellcheck source=/dev/null
. "$(dirname "$0")/../clients/lib.sh"

build=$1 plugins=$2 bin=$3 man=$4 data=$5 systemd=$6
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
unset GST_PLUGIN_PATH GST_PLUGIN_PATH_1_0 GST_PLUGIN_SYSTEM_PATH GST_PLUGIN_SYSTEM_PATH_1_0
export LC_ALL=C.UTF-8 GST_REGISTRY=$root/registry.bin

installs ()
{
  DESTDIR=$root meson install --no-rebuild -C "$build"
}

has ()
{
  local path
  for path in "$@"; do
    [ -s "$root$path" ] || { echo "$path was not installed"; return 1; }
  done
}

# All that was installed is named here.
has_no_more ()
{
  local found
  found=$(find "$root" -type f ! -name registry.bin | wc -l)
  [ "$found" = 12 ] || { find "$root" -type f; return 1; }
}

runs ()
{
  "$root$bin/boxupload" --version && "$root$bin/box-emulator" --version
}

# $1: what is to be in the description of the installed element.
describes ()
{
  local text
  text=$(GST_PLUGIN_PATH=$root$plugins gst-inspect-1.0 --no-colors boxuploadsink) || return 1
  grep -q -E -e "$1" <<<"$text" || { printf '%s\n' "$text"; return 1; }
}

reads ()
{
  local page
  for page in boxupload box-emulator; do
    grep -q "^.Nm $page" "$root$man/man1/$page.1" || return 1
  done
  grep -q '^.It Cm location Pq string$' "$root$man/man7/boxuploadsink.7" && grep -q '^.It Sy boxuploadsink-complete$' "$root$man/man7/boxuploadsink.7"
}

# $1: the words so far, $2: what has to be among the completions; bash. "boxupload" is the installed one.
completes ()
{
  # shellcheck disable=SC2016
  PATH=$root$bin:$PATH bash -c '. "$1"; shift; read -ra COMP_WORDS <<<"$1"; [[ $1 != *" " ]] || COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _boxupload; printf "%s\n" "${COMPREPLY[@]}"' \
    bash "$root$data/bash-completion/completions/boxupload" "$1" | grep -x -e "$2"
}

# The same for zsh; what zsh itself would do with the candidates is not its.
completes_in_zsh ()
{
  # shellcheck disable=SC2016
  PATH=$root$bin:$PATH zsh -fc '_describe () { print -l -- ${(P)@[-1]} }; compadd () { if [[ $1 == -a ]]; then print -l -- ${(P)2}; else print -l -- $@; fi }; _files () { print file }
    source_file=$1; words=(${(s: :)2}); [[ $2 != *" " ]] || words+=(""); CURRENT=$#words; . $source_file' \
    zsh "$root$data/zsh/site-functions/_boxupload" "$1" | grep -e "^$2"
}

# The rest: a command for "meson devenv".
devenv ()
{
  meson devenv -C "$build" "$@"
}

check "it is installed" installs
check "plugin, programs, man pages and completion are there" has "$plugins/libgstboxupload.so" "$bin/boxupload" \
  "$bin/box-emulator" "$man/man1/boxupload.1" "$man/man1/box-emulator.1" "$data/bash-completion/completions/boxupload" \
  "$data/zsh/site-functions/_boxupload" "$man/man7/boxuploadsink.7"
check "units and user of the service are there" has "$systemd/systemd/system/boxupload-watch.service" \
  "$systemd/systemd/system/boxupload-record@.service" "$systemd/sysusers.d/boxupload.conf" "$systemd/tmpfiles.d/boxupload.conf"
check "nothing else is there" has_no_more
check "the installed programs run" runs
check "the installed plugin is found" describes "Filename +$root$plugins/libgstboxupload.so"
check "the installed element is a network sink" describes 'Klass +Sink/Network'
check "the installed element handles box URIs" describes '^ +box$'
check "the man pages are those of the programs" reads
check "bash completes commands" completes "boxupload pu" put
check "bash completes options" completes "boxupload put --if" --if-exists
check "bash completes values" completes "boxupload put --if-exists " version
if command -v zsh >/dev/null; then
  check "zsh completes commands" completes_in_zsh "boxupload " put:Upload
  check "zsh completes options" completes_in_zsh "boxupload put --if" --if-exists:
  check "zsh completes values" completes_in_zsh "boxupload put --if-exists " version
  check "zsh completes files" completes_in_zsh "boxupload put " file
fi
check "devenv has the element" devenv gst-inspect-1.0 boxuploadsink
check "devenv has boxupload" devenv boxupload --version
check "devenv has box-emulator" devenv box-emulator --version
finish
