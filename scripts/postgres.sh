#!/usr/bin/env bash
# Makes sure that PostgreSQL's server programs are on this machine. The tests start servers of their own from them.
set -euo pipefail
cd "$(dirname "$0")/.."

if compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || command -v initdb >/dev/null; then
  exit 0
fi
echo "PostgreSQL is not installed: installing it"
scripts/apt_install.sh postgresql
