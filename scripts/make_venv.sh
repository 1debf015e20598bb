#!/usr/bin/env bash
# Usage: scripts/make_venv.sh VENV REQUIREMENTS [PACKAGE ...]
# Makes VENV hold exactly what the compiled file REQUIREMENTS pins, and on top, without their dependencies, the PACKAGEs.
# Installs with uv (in .tools); with plain pip where uv cannot be had or finds nothing, or where USE_UV=no.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=$1 requirements=$2
shift 2
python=$(command -v "${PYTHON:-python3}")
export UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy
started=$SECONDS

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "Python 3.11 or newer is needed, $python is $("$python" --version): name another with make PYTHON=/path/to/python3" >&2
  exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  scripts/apt_install.sh python3-venv
fi

have_uv() {
  [ "${USE_UV:-yes}" = yes ] || return 1
  [ -x .tools/bin/uv ] && return 0
  "$python" -m venv .tools && .tools/bin/python -m pip install -qq uv
}

sync_with_uv() {
  { [ -x "$venv/bin/python" ] || .tools/bin/uv venv --quiet --python "$python" "$venv"; } &&
    .tools/bin/uv pip sync --quiet --python "$venv/bin/python" "$requirements"
}

install=(--no-deps --no-build-isolation "$@")
if have_uv && sync_with_uv; then
  [ $# -eq 0 ] || .tools/bin/uv pip install --quiet --python "$venv/bin/python" "${install[@]}"
else
  echo "$venv: installing with pip instead of uv"
  "$python" -m venv --clear "$venv"
  "$venv/bin/python" -m pip install -qq -r "$requirements"
  [ $# -eq 0 ] || "$venv/bin/python" -m pip install -qq "${install[@]}"
fi
echo "$venv holds $requirements ($((SECONDS - started)) s)"
