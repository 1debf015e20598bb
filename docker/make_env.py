"""Prints the secrets that docker-compose.yaml asks for, newly drawn: ``python3 docker/make_env.py > .env``."""

from __future__ import annotations

import base64
import secrets
from datetime import UTC, datetime, timedelta


def key() -> str:
    """Return 32 random bytes in URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


SECRETS = {
    "AIRFLOW_ADMIN_PASSWORD": secrets.token_urlsafe(12),
    "AIRFLOW_DB_PASSWORD": secrets.token_hex(24),
    "AIRFLOW_FERNET_KEY": key(),
    "AIRFLOW_API_SECRET_KEY": secrets.token_hex(32),
    "AIRFLOW_JWT_SECRET": secrets.token_hex(32),
    "MLCONNECTOR_DB_PASSWORD": secrets.token_hex(24),
    "MLCONNECTOR_ENCRYPTION_KEYS": f"k1:{key()}",
    "MLCONNECTOR_AUDIT_KEY": key(),
    "MLCONNECTOR_CUT_OVER": (datetime.now(tz=UTC) - timedelta(days=90)).date().isoformat(),
}

if __name__ == "__main__":
    print("\n".join(f"{name}={value}" for name, value in SECRETS.items()))
