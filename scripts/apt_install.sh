#!/usr/bin/env bash
# Installs Debian packages, as root or through sudo; says what to install by hand where neither is possible.
set -euo pipefail

if ! command -v apt-get >/dev/null; then
  echo "needed and not here: $* (no apt-get on this machine: install what corresponds by hand)" >&2
  exit 1
fi
root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2>/dev/null; then
    echo "needed and not here: run 'apt-get install $*' as root, then try again" >&2
    exit 1
  fi
  root=(sudo -n)
fi
"${root[@]}" apt-get update -q
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
