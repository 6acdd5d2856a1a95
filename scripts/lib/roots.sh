# shellcheck shell=bash disable=SC2034,SC2154
# Systems of their own, below build-scripts/roots, for scripts that try something on another release or on a clean machine. Needs
# root and debootstrap. Source it after common.sh.

roots=$top/build-scripts/roots

# check_release NAME: that there is such a release here, and that we may make roots.
check_release ()
{
  local packages
  [[ $1 =~ ^(bookworm|trixie)$ ]] || die "there is no release '$1' here: bookworm and trixie are"
  [ "$(id -u)" -eq 0 ] || die "this needs root, to make a root of its own: sudo $0 $1"
  mapfile -t packages < <(packages_of release)
  install_packages "${packages[@]}"
}

# make_root RELEASE ROOT: a minimal system from the archive that apt uses here, unless it is there already.
make_root ()
{
  local archive release=$1 root=$2
  [ ! -f "$root/.made" ] || return 0
  # shellcheck disable=SC2016 # apt's own words
  archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 '/debian/*$') ||
    die "apt names no Debian archive here"
  say "Making a root of $release"
  rm -rf "$root"
  quietly "debootstrap-$release" debootstrap --variant=minbase --include=ca-certificates "$release" "$root" "$archive"
  cp /etc/apt/apt.conf.d/99* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
  touch "$root/.made"
}

# share_registries ROOT: how this machine reaches the registries, and whom it trusts for that.
share_registries ()
{
  local file root=$1
  for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt /root/.npmrc; do
    [ ! -f "$file" ] || install -D -m 600 "$file" "$root$file"
  done
  chmod 644 "$root/etc/resolv.conf" "$root/etc/hosts" "$root/etc/ssl/certs/ca-certificates.crt"
}

# in_root ROOT COMMAND...: in a mount and process namespace of its own, which takes with it what the command leaves running. The
# root is a mount of its own as well: tests there make namespaces, and the kernel lets nobody do so below a mere directory.
in_root ()
{
  # shellcheck disable=SC2016 # the inner shell's
  env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
    unshare --mount --pid --fork --kill-child bash -c '
      root=$1; shift
      mount --bind "$root" "$root"
      mount --rbind /dev "$root/dev" && mount -t proc proc "$root/proc" && mount --rbind /sys "$root/sys"
      mount -t tmpfs tmp "$root/tmp"
      exec chroot "$root" "$@"' in-root "$@"
}

# boot_root ROOT: starts systemd there, in a network of its own with nothing but loopback, until it is powered off.
boot_root ()
{
  systemd-nspawn --quiet --register=no --keep-unit --private-network --console=pipe -D "$1" --boot </dev/null
}

# take_tree ROOT: the committed tree, to /source there. What an earlier run has built there stays.
take_tree ()
{
  local root=$1
  say "Taking the committed tree there"
  if [ -d "$root/source/.git" ]; then
    git -C "$root/source" fetch --quiet "$top" HEAD
    git -C "$root/source" reset --quiet --hard FETCH_HEAD
  else
    git clone --quiet --no-hardlinks "$top" "$root/source"
  fi
}
