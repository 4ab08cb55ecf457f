#!/bin/sh
# Installs the Debian packages that are missing, of those named as arguments too: C libraries with their headers, mpirun, and a font for labels.
set -eu
packages="pkg-config libhdf5-dev libdnnl-dev libjpeg-dev libpng-dev libcairo2-dev zlib1g-dev libzip-dev libopenmpi-dev openmpi-bin fonts-dejavu-core $*"
missing=""
for package in $packages; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
command -v apt-get >/dev/null || { echo "install these packages first:$missing" >&2; exit 1; }
sudo=""
if [ "$(id -u)" != 0 ]; then sudo="sudo"; fi
echo "installing$missing"
$sudo apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
