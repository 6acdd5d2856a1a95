# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of boxupload for bash. Options are asked of the program itself, so that they are never out of date.

_boxupload_commands() {
  boxupload --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

_boxupload_options() {
  boxupload "$1" --help-all 2>/dev/null | sed -n 's/^  \(-[a-z], \)\{0,1\}\(--[a-z0-9-]*\).*/\2/p'
}

# The sessions that were created here: their notes' names.
_boxupload_sessions() {
  local dir=${XDG_STATE_HOME:-$HOME/.local/state}/boxupload/sessions note

  for note in "$dir"/*.json; do
    [ -e "$note" ] && basename "$note" .json
  done
}

# The recordings in the default spool.
_boxupload_recordings() {
  local dir=${XDG_STATE_HOME:-$HOME/.local/state}/boxupload/spool data

  for data in "$dir"/*.data; do
    [ -e "$data" ] && basename "$data" .data
  done
}

_boxupload() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}

  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_boxupload_commands) --help --version" -- "$current")
    return
  fi
  case $previous in
    --token-file | --auth-config | --ca-file | --out | --sha1-of | --until-file) mapfile -t COMPREPLY < <(compgen -f -- "$current") && return ;;
    --spool-dir) mapfile -t COMPREPLY < <(compgen -d -- "$current") && return ;;
    --if-exists) mapfile -t COMPREPLY < <(compgen -W 'error version rename skip' -- "$current") && return ;;
    --unknown-size) mapfile -t COMPREPLY < <(compgen -W 'spool live ahead' -- "$current") && return ;;
    --on-error) mapfile -t COMPREPLY < <(compgen -W 'keep abort' -- "$current") && return ;;
    --digest-engine) mapfile -t COMPREPLY < <(compgen -W 'glib gnutls' -- "$current") && return ;;
    --only | export | rm) mapfile -t COMPREPLY < <(compgen -W "$(_boxupload_recordings)" -- "$current") && return ;;
    --session) mapfile -t COMPREPLY < <(compgen -W "$(_boxupload_sessions)" -- "$current") && return ;;
  esac
  case $current in
    -*) mapfile -t COMPREPLY < <(compgen -W "$(_boxupload_options "$command")" -- "$current") && return ;;
  esac
  case $command in
    help) mapfile -t COMPREPLY < <(compgen -W "$(_boxupload_commands)" -- "$current") ;;
    part) mapfile -t COMPREPLY < <(compgen -W "$(_boxupload_sessions)" -- "$current"; compgen -f -- "$current") ;;
    status | parts | commit | abort) mapfile -t COMPREPLY < <(compgen -W "$(_boxupload_sessions)" -- "$current") ;;
    spool) mapfile -t COMPREPLY < <(compgen -W 'export rm' -- "$current"; compgen -d -- "$current") ;;
    resume | watch) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    put | follow) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
  esac
}

complete -o filenames -F _boxupload boxupload
