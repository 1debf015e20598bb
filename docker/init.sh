#!/usr/bin/env bash
# Run to its end before any part of Airflow starts: databases, the first user, connections to the sandbox. Safe to repeat.
set -euo pipefail

airflow db migrate
airflow users create --role Admin --username admin --firstname Admin --lastname Admin --email admin@example.com \
  --password "$AIRFLOW_ADMIN_PASSWORD"
mlconnector store upgrade

connection() { # the sandbox's credentials for system $1, as Airflow's connection JSON
  curl --fail --silent --show-error "$SANDBOX_URL/_sandbox/credentials" | python3 -c '
import json, sys
connection = json.load(sys.stdin)[sys.argv[1]]
connection["conn_type"] = "mlconnector_" + sys.argv[1]
connection["extra"]["allow_http"] = True
print(json.dumps(connection))' "$1"
}

for system in jaggaer syspro; do
  if ! airflow connections get "${system}_default" >/dev/null 2>&1; then
    airflow connections add "${system}_default" --conn-json "$(connection "$system")"
  fi
done
