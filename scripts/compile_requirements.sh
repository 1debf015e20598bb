#!/usr/bin/env bash
# Compiles requirements/*.txt again. No index address and no hash is written into them; pins hold for every platform and Python >= 3.11.
# The older Airflows are cut at a date after their release: with today's newest libraries 3.2.2 does not start.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
  local output=$1
  shift
  .tools/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-emit-index-url --no-annotate --no-header \
    --extra postgres --extra speed pyproject.toml "$@" -o "requirements/$output"
  echo "requirements/$output: $(wc -l <"requirements/$output") pins"
}

compile airflow-3.1.txt requirements/airflow-3.1.in --exclude-newer 2026-03-20
compile airflow-3.2.txt requirements/airflow-3.2.in --exclude-newer 2026-06-05
compile airflow-3.3.txt requirements/airflow-3.3.in
compile dev.txt requirements/airflow-3.3.in --group test
