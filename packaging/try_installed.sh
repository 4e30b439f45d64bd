#!/usr/bin/env bash
# Installs the .deb in a fresh Debian, uses it there as an ordinary user without Python, removes it, and tries the tar.xz.
#   bash packaging/try_installed.sh ROOT PACKAGE.deb ARCHIVE.tar.xz
# ROOT is the folder of a minimal Debian whose apt works and which has a user "visitor". Needs root. For both releases:
#   for release in bookworm trixie; do
#     debootstrap --variant=minbase "$release" "/tmp/$release"
#     chroot "/tmp/$release" useradd -m visitor
#     bash packaging/try_installed.sh "/tmp/$release" dist/murmurscope_*.deb dist/murmurscope-*.tar.xz
#   done
# Nothing but the package is installed there: the screen is this machine's (packaging/smoke.py). A second run in the same
# ROOT measures less, as libraries are there already. ROOT.png is the window as it was seen.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
[ $# = 3 ] || { sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
target=$(realpath "$1") deb=$2 archive=$3
[ "$(id -u)" = 0 ] || { say 'needs root, to change into another system'; exit 2; }
[ -d "$target/home/visitor" ] || { say "there is no user visitor in $target"; exit 2; }
# Mounts of our own, which nobody else sees and which end with us however we end: whoever removes ROOT must not meet
# this machine's /dev in it.
[ -n "${MURMURSCOPE_OWN_MOUNTS-}" ] || MURMURSCOPE_OWN_MOUNTS=1 exec unshare --mount --propagation private bash "$0" "$@"

mount_in() { # PLACE ARGUMENT…: mount it below the target
  mkdir -p "$target/$1"
  mount "${@:2}" "$target/$1"
}
inside() { chroot "$target" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root DEBIAN_FRONTEND=noninteractive "$@"; }
recordings() { (cd "$target/home/visitor" && find .local fleet restored -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum); }

mount_in proc -t proc proc
mount_in sys --rbind /sys
mount_in dev --rbind /dev
mkdir -p /tmp/.X11-unix
mount_in tmp/.X11-unix --bind /tmp/.X11-unix
if inside sh -c 'command -v python3' >/dev/null; then say "there is a Python in $target: not a fresh system"; fi

say "installing into $(sed -n 's/^PRETTY_NAME=//p' "$target/etc/os-release")"
cp "$deb" "$target/root/murmurscope.deb"
since=${EPOCHREALTIME/,/.}
inside apt-get install -y -qq /root/murmurscope.deb >"$target.log" 2>&1 || { tail -20 "$target.log" >&2; exit 1; }
say "installed after $(inside date +%s.%N | awk -v since="$since" '{ printf "%.1f", $1 - since }') s, $(grep -c '^Setting up' "$target.log") packages"
"$python" "$root/packaging/smoke.py" --root "$target" --since "$since" --picture "$target.png" /usr/bin/murmurscope

say 'removing'
before=$(recordings)
inside apt-get remove -y -qq murmurscope >>"$target.log" 2>&1
[ ! -e "$target/usr/lib/murmurscope" ] && [ ! -e "$target/usr/bin/murmurscope" ] || { say 'the package left files'; exit 1; }
[ "$before" = "$(recordings)" ] || { say 'the recordings did not stay as they were'; exit 1; }
say "removed; $(wc -l <<<"$before") files of the user stay as they were"

say 'unpacking the archive in a home'
rm -rf "$target"/home/visitor/{.local,fleet,fleet.tar.gz,restored,imported,murmurscope-*}
xz -dc "$archive" | chroot --userspec=visitor:visitor "$target" tar -C /home/visitor -xf - # a minimal system has no xz
unpacked=("$target"/home/visitor/murmurscope-*/murmurscope)
"$python" "$root/packaging/smoke.py" --root "$target" "${unpacked[0]#"$target"}"
say passed
