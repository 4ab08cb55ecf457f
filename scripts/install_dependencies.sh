#!/bin/sh
# Looks for Swift and installs the Debian packages that are missing, of those named as arguments too: C libraries with
# their headers, mpirun, and a font for labels. Whatever stands in the way is the first line printed, with what to do.
set -eu
stop() { printf '%s\n' "$@" >&2; exit 1; }
system() { (. /etc/os-release 2>/dev/null && echo "${PRETTY_NAME:-Linux}") || uname -s; }

[ "$(uname -s)" = Linux ] || stop "SamplingFree builds on Linux only, and this is $(uname -s). A container will do, from this folder:" \
  "  docker run --rm -it --platform linux/amd64 -v \"\$PWD\":/src -w /src debian:13 sh -c 'apt-get update && apt-get install -y make swiftlang && make demo'"

command -v swift >/dev/null || stop "There is no swift on the PATH: install 6.0 or newer, by \"apt-get install swiftlang\" on Debian 13, otherwise from https://swift.org/install/linux."
said=$(swift --version 2>&1) || stop "$(command -v swift) does not start; the libraries that it needs are listed at https://swift.org/install/linux. It says:" "$said"
version=$(echo "$said" | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
case $version in
  [1-5] | [1-5].*) stop "Swift $version is too old: 6.0 or newer is needed, from https://swift.org/install/linux; $(command -v swift) is this one." ;;
esac

# SwiftPM fetches packages by git.
command -v git >/dev/null || set -- git ca-certificates "$@"
packages="pkg-config libhdf5-dev libdnnl-dev libjpeg-dev libpng-dev libcairo2-dev zlib1g-dev libzip-dev libopenmpi-dev openmpi-bin fonts-dejavu-core $*"
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  stop "$(system) has no apt: SamplingFree is built and tested on Debian; install what it needs yourself (Debian's names: $packages), then swift build -c release --product sampling-free"
fi
missing=""
for package in $packages; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done

if [ -n "$missing" ]; then
  become=""
  if [ "$(id -u)" != 0 ]; then
    become=sudo
    command -v sudo >/dev/null || stop "Packages are missing, and you are neither root nor have sudo. As root: apt-get install$missing"
  fi
  echo "installing$missing"
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  # A source that cannot be read matters only if a package is not found then.
  $become apt-get update -qq >"$log" 2>&1 || true
  # shellcheck disable=SC2086
  $become env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >>"$log" 2>&1 || {
    reason=$(grep -E '^E: |sudo' "$log" | head -n 1)
    hint="mend that, or install by hand:$missing"
    case $reason in
      *"Unable to locate"* | *"no installation candidate"*)
        hint="Debian 12, Ubuntu 24.04 and newer ones have it (Ubuntu in universe: add-apt-repository universe); this is $(system)." ;;
    esac
    stop "apt-get failed: ${reason:-$(tail -n 1 "$log")}; $hint" "All that it said:" "$(cat "$log")"
  }
fi

# package, least version
while read -r package least; do
  has=$(dpkg-query -W -f '${Version}' "$package")
  dpkg --compare-versions "$has" ge "$least" || stop "$package $has is too old: $least or newer is needed, as Debian 12 and Ubuntu 24.04 have it; this is $(system)."
done <<LEAST
libdnnl-dev 2.6
libhdf5-dev 1.10
libopenmpi-dev 4
LEAST
