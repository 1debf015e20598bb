#!/usr/bin/env bash
# Run once by PostgreSQL's image: the connector's own database beside Airflow's, with its own user.
set -euo pipefail

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --set password="$MLCONNECTOR_DB_PASSWORD" <<'SQL'
CREATE ROLE mlconnector LOGIN PASSWORD :'password';
CREATE DATABASE mlconnector OWNER mlconnector;
SQL
