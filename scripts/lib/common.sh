# shellcheck shell=bash disable=SC2154
# What the scripts share: where they are, how they speak, what they install. Source it from a script
# that has set "top" to the top of the source tree.

export LC_ALL=C.UTF-8
unset GST_PLUGIN_PATH GST_PLUGIN_PATH_1_0 GST_PLUGIN_SYSTEM_PATH GST_PLUGIN_SYSTEM_PATH_1_0 DESTDIR

say () { printf '\n==> %s\n' "$*"; }
die () { printf 'error: %s\n' "$*" >&2; exit 1; }

# as_root COMMAND...: directly where we are root, else by sudo.
as_root ()
{
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root to install packages, and there is no sudo: as root, run: $*"
  fi
}

# quietly NAME COMMAND...: its output goes to build-scripts/logs/NAME.log; where it fails, the end of that is shown and the
# script ends.
quietly ()
{
  local log=$top/build-scripts/logs/$1.log
  shift
  mkdir -p "$top/build-scripts/logs"
  "$@" >"$log" 2>&1 </dev/null && return 0
  tail -n 40 "$log" >&2
  die "failed (the whole output is in $log): $*"
}

# packages_of GROUP...: the names in scripts/lib/packages, one a line.
packages_of ()
{
  local group
  for group in "$@"; do
    awk -v group="$group" '$1 == group { print $2 }' "$top/scripts/lib/packages"
  done
}

is_installed ()
{
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_packages NAME...: installs those that are missing; does nothing, and needs no root, where none is.
install_packages ()
{
  local name missing=()

  command -v dpkg-query >/dev/null ||
    die "this installs packages on Debian; elsewhere install what scripts/lib/packages lists and use meson"
  for name in "$@"; do
    is_installed "$name" || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  say "Installing missing Debian packages: ${missing[*]}"
  quietly apt-update as_root env DEBIAN_FRONTEND=noninteractive apt-get update
  quietly apt-install as_root env DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends \
    -o Dpkg::Use-Pty=0 install "${missing[@]}"
}

# Box's Node SDK, and node and npm where they are not there from elsewhere; npm is asked only where the packages are not those of
# the lock file.
install_clients ()
{
  local clients=$top/tests/clients packages

  if ! { command -v node && command -v npm; } >/dev/null; then
    mapfile -t packages < <(packages_of node)
    install_packages "${packages[@]}"
  fi
  cmp -s "$clients/package-lock.json" "$clients/node_modules/.installed-lock" && return 0
  say "Installing the Node packages of tests/clients"
  quietly npm-ci npm ci --prefix "$clients" --ignore-scripts --no-audit --no-fund
  cp "$clients/package-lock.json" "$clients/node_modules/.installed-lock"
}

# configure DIR MESON_OPTION...: sets up a build directory, or brings one that is there up to date.
configure ()
{
  local dir=$1
  shift
  if [ -f "$dir/build.ninja" ]; then
    meson configure "$dir" "$@"
  else
    rm -rf "$dir"
    meson setup "$dir" "$top" "$@"
  fi
}
