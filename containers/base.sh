#!/usr/bin/env bash
# Makes the two images that all others begin with, where no registry can be reached:
#   base.sh ENGINE FOLDER TAG    localhost/perennial-base:TAG and localhost/perennial-build:TAG
# by Debian's debootstrap, from the mirror that this machine's own apt uses. Needs root.
set -euo pipefail
engine=$1 folder=$2 tag=$3
suite=bookworm
# shellcheck disable=SC2016 # apt-get's own placeholder
mirror=$(apt-get indextargets --format '$(SITE)' "Codename: $suite" | head -n 1)
: "${mirror:?apt on this machine names no mirror of $suite}"

make_image() { # NAME PACKAGES
  local root=$folder/$1
  debootstrap --variant=minbase --include="$2" "$suite" "$root" "$mirror" > "$folder/$1.log"
  rm -rf "$root"/usr/share/{doc,man,locale,info,lintian} "$root"/var/lib/apt/lists/* \
    "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root"/var/log/*.log
  find "$root" -name __pycache__ -prune -exec rm -rf {} +
  tar -C "$root" -c . | "$engine" import - "localhost/perennial-$1:$tag" > /dev/null
  rm -rf "$root"
}

make_image base python3,ca-certificates &
base=$!
make_image build python3,python3-venv,python3-dev,ca-certificates,gcc,libc6-dev,libgomp1
wait "$base"
