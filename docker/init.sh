#!/usr/bin/env bash
# Run to its end before any part of Airflow starts: databases, the first user, the example DAGs, connections to the
# sandboxes. Safe to repeat: what is there already stays.
set -euo pipefail

airflow db migrate
airflow users create --role Admin --username admin --firstname Admin --lastname Admin --email admin@example.com \
  --password "$AIRFLOW_ADMIN_PASSWORD"
mlconnector store upgrade
mlconnector dags copy "$AIRFLOW__CORE__DAGS_FOLDER"

python /opt/mlconnector/docker/simulated_sites.py "$AIRFLOW__CORE__DAGS_FOLDER" >/tmp/connections.json
airflow connections import /tmp/connections.json
rm /tmp/connections.json
