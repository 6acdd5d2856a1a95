# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of boxupload for bash. Options are asked of the program itself, so that they are never out of date.

_boxupload_commands() {
  boxupload --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

_boxupload_options() {
  boxupload "$1" --help-all 2>/dev/null | sed -n 's/^  \(-[a-z], \)\{0,1\}\(--[a-z0-9-]*\).*/\2/p'
}

# The placeholder of option $2 of command $1: FILE, ID, …
_boxupload_placeholder() {
  boxupload "$1" --help-all 2>/dev/null | sed -n "s/^  \(-[a-z], \)\{0,1\}$2=\([^ ]*\) .*/\2/p"
}

# The words that option $2 of command $1 takes, which end its line: "If …: error (default), version".
_boxupload_words() {
  boxupload "$1" --help-all 2>/dev/null | sed -n "/^  \(-[a-z], \)\{0,1\}$2[=[ ]/{s/([^)]*)//g;s/.*: //;s/,/ /g;p;}"
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

# The values of option $2 of command $1 that begin with $3. FALSE: it takes none, or any.
_boxupload_values() {
  case $2 in
    --only) mapfile -t COMPREPLY < <(compgen -W "$(_boxupload_recordings)" -- "$3") && return ;;
    --session) mapfile -t COMPREPLY < <(compgen -W "$(_boxupload_sessions)" -- "$3") && return ;;
    --digest-engine) mapfile -t COMPREPLY < <(compgen -W "$(_boxupload_words "$1" "$2")" -- "$3") && return ;;
    --folder-path) return 0 ;;
  esac
  case $(_boxupload_placeholder "$1" "$2") in
    '') return 1 ;;
    FILE | PATH | PROGRAM) mapfile -t COMPREPLY < <(compgen -f -- "$3") ;;
    DIR) mapfile -t COMPREPLY < <(compgen -d -- "$3") ;;
    POLICY | HOW | WHICH) mapfile -t COMPREPLY < <(compgen -W "$(_boxupload_words "$1" "$2")" -- "$3") ;;
  esac
}

_boxupload() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}

  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_boxupload_commands) --help --version" -- "$current")
    return
  fi
  # bash makes words of "--name=VALUE": --name, =, VALUE.
  if [ "$current" = = ]; then
    current=
  elif [ "$previous" = = ]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case $previous in
    --*) _boxupload_values "$command" "$previous" "$current" && return ;;
    export | rm) mapfile -t COMPREPLY < <(compgen -W "$(_boxupload_recordings)" -- "$current") && return ;;
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
    put | follow | get) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
  esac
}

complete -o filenames -F _boxupload boxupload
