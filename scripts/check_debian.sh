#!/bin/sh
# Builds and tests a copy of this checkout in a Debian of its own, from nothing but what debootstrap unpacks. Needs root
# and debootstrap; leaves nothing mounted. What is run there: the arguments, make's targets ("demo test" if none).
#   SUITE     Debian's release, trixie (Debian 13) if not given
#   MIRROR    whence its packages come
#   SWIFT     a toolchain's folder, with usr/bin/swift in it; Debian's own swiftlang if not given
#   FOLDER    where the root folder lies; the next run finds packages and builds there
#   BIND      files and folders of this machine to be seen there, at the same place, read-only
set -eu
cd "$(dirname "$0")/.."
SUITE=${SUITE:-trixie}
MIRROR=${MIRROR:-http://deb.debian.org/debian}
SWIFT=${SWIFT:-}
FOLDER=${FOLDER:-.build/debian/$SUITE}
BIND=${BIND:-}
stop() { echo "check_debian: $1" >&2; exit 1; }

[ "$(id -u)" = 0 ] || stop "a root folder takes root to make and enter: sudo $0"
command -v debootstrap >/dev/null || stop "debootstrap is missing: apt-get install debootstrap"
[ -z "$SWIFT" ] || [ -x "$SWIFT/usr/bin/swift" ] || stop "SWIFT=$SWIFT holds no usr/bin/swift"

if [ ! -e "$FOLDER/etc/debian_version" ]; then
  mkdir -p "$(dirname "$FOLDER")"
  rm -rf "$FOLDER.partial"
  debootstrap --variant=minbase "$SUITE" "$FOLDER.partial" "$MIRROR" >"$FOLDER.log" || stop "debootstrap failed, see $FOLDER.log"
  mv "$FOLDER.partial" "$FOLDER"
fi
FOLDER=$(cd "$FOLDER" && pwd)

# Each toolchain has a copy, whose builds stay.
copy=/src/${SWIFT:+other-}swift
mkdir -p "$FOLDER$copy"
find "$FOLDER$copy" -mindepth 1 -maxdepth 1 ! -name .build -exec rm -rf {} +
git ls-files -z --cached --others --exclude-standard | tar --create --null --ignore-failed-read --files-from=- | tar --extract --directory="$FOLDER$copy"

for path in $BIND $SWIFT; do
  if [ -d "$path" ]; then mkdir -p "$FOLDER$path"; else mkdir -p "$FOLDER$(dirname "$path")" && touch "$FOLDER$path"; fi
done

# Mounts and processes are this command's alone and end with it.
export FOLDER SWIFT BIND copy
exec unshare --mount --pid --fork --kill-child sh -eu -c '
  mount --bind "$FOLDER" "$FOLDER"
  mount -t proc proc "$FOLDER/proc"
  mount --rbind /dev "$FOLDER/dev"
  mount --rbind /sys "$FOLDER/sys"
  for path in $BIND $SWIFT; do mount --rbind "$path" "$FOLDER$path" && mount -o remount,bind,ro "$FOLDER$path"; done
  cp /etc/resolv.conf "$FOLDER/etc/resolv.conf"
  exec chroot "$FOLDER" /usr/bin/env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
    PATH="${SWIFT:+$SWIFT/usr/bin:}/usr/sbin:/usr/bin:/sbin:/bin" http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" \
    sh -euc "
      cd $copy
      # swiftlang brings what a toolchain from elsewhere links with, too.
      packages=\"make git ca-certificates swiftlang\"
      dpkg-query -W \$packages >/dev/null 2>&1 || {
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \$packages >/dev/null
      }
      swift --version
      for target in \"\$@\"; do make \"\$target\"; done
    " check "$@"
' check "${@:-demo test}"
