"""An Airflow connection, looked up and read with errors a person can act on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook
from airflow.sdk.log import mask_secret

from airflow_provider_mlconnector.errors import ConfigurationError, Unavailable

BASE_URL: Final = "Base URL"
CONN_TYPE: Final = "Connection Type"
"""What Airflow's form calls the type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A connection's fields, cleaned: outer blanks gone, extra parsed, empty extra values dropped.

    The password and everything secret in `extra` is known to Airflow's log masking. Nothing secret is in the repr.
    """

    conn_id: str
    conn_type: str
    host: str
    port: int | None
    schema: str
    login: str
    password: str
    extra: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Endpoint(conn_id={self.conn_id!r}, conn_type={self.conn_type!r})"

    def wrong(self, field: str, problem: str) -> ConfigurationError:
        """Return the error that names this connection and one of its fields."""
        where = f"connection '{self.conn_id}', field {field}"
        return ConfigurationError(f"{where}: {problem}", field=where)

    def empty(self, field: str) -> ConfigurationError:
        """Return the error for a field that must be filled."""
        return self.wrong(field, "is empty")

    def base_url(self, default_path: str = "") -> str:
        """Return the base URL without trailing slash.

        Host may be a whole URL or a bare name (then https unless the schema field says otherwise); a port field is
        added unless the URL names one; `default_path` is appended unless the URL already ends with it.

        Raises:
            ConfigurationError: No host, or a URL with a user, query or fragment.
        """
        if not self.host:
            problem = "is empty; enter the address such as https://server.example:31002"
            raise self.wrong(BASE_URL, problem)
        parts = self._split()
        netloc = parts.netloc
        if self.port and ":" not in netloc:
            netloc = f"{netloc}:{self.port}"
        path = parts.path.rstrip("/")
        if default_path and not path.lower().endswith(default_path.lower()):
            path += default_path
        return f"{parts.scheme}://{netloc}{path}"

    def _split(self) -> SplitResult:
        url = self.host if "://" in self.host else f"{self.schema or 'https'}://{self.host}"
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"}:
            problem = "must begin with https:// (or http:// for a sandbox)"
            raise self.wrong(BASE_URL, problem)
        if not parts.hostname or parts.username or parts.query or parts.fragment:
            problem = "must be just scheme, host, port and path: no user, no query"
            raise self.wrong(BASE_URL, problem)
        return parts

    def require(self, **labels: str) -> None:
        """Check that fields are filled.

        Args:
            labels: Field name (`login`, `password` or an extra key) → its label on the form.

        Raises:
            ConfigurationError: Names the first empty one.
        """
        for name, label in labels.items():
            value = getattr(self, name) if name in {"login", "password"} else self.extra.get(name)
            if not value:
                raise self.empty(label)


def resolve(conn_id: str) -> Endpoint:
    """Look a connection up the way the running process does (task, api-server or command line).

    Raises:
        ConfigurationError: It does not exist, or its extra is not a JSON object.
        Unavailable: A secrets backend could not be asked, so nobody knows whether it exists.
    """
    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise _unresolved(conn_id) from None
    except PermissionError as error:
        where = f"connection '{conn_id}'"
        message = f"{where} may not be read by this task: {error}"
        raise ConfigurationError(message, field=where) from None
    extra = _extra(conn_id, connection.extra)
    if connection.password:
        mask_secret(connection.password)
    return Endpoint(
        conn_id=conn_id,
        conn_type=connection.conn_type or "",
        host=(connection.host or "").strip(),
        port=connection.port,
        schema=(connection.schema or "").strip(),
        login=(connection.login or "").strip(),
        password=connection.password or "",
        extra=extra,
    )


def _extra(conn_id: str, text: str | None) -> dict[str, Any]:
    where = f"connection '{conn_id}', field Extra"
    if not text or not text.strip():
        return {}
    try:
        extra = json.loads(text)
    except ValueError:
        message = f"{where}: is not valid JSON"
        raise ConfigurationError(message, field=where) from None
    if not isinstance(extra, dict):
        message = f"{where}: must be a JSON object"
        raise ConfigurationError(message, field=where)
    mask_secret(extra)
    return {key: value for key, value in extra.items() if value not in (None, "")}


def _unresolved(conn_id: str) -> ConfigurationError | Unavailable:
    """Tell "does not exist" from "could not be asked": Airflow reports both as not found."""
    failed = _failing_backends(conn_id)
    if failed:
        return Unavailable(
            f"connection '{conn_id}' could not be looked up: {', '.join(failed)} did not answer; "
            "nothing was read or written, the step can be run again when the secrets backend is back"
        )
    return ConfigurationError(
        f"connection '{conn_id}' does not exist; create it under Admin → Connections, as environment variable "
        f"AIRFLOW_CONN_{conn_id.upper()}, or in the secrets backend",
        field=f"connection '{conn_id}'",
    )


def _failing_backends(conn_id: str) -> list[str]:
    from airflow.sdk.execution_time.supervisor import ensure_secrets_backend_loaded

    failed = []
    for backend in ensure_secrets_backend_loaded():
        try:
            backend.get_connection(conn_id=conn_id)
        except Exception as error:  # noqa: BLE001 - each backend has errors of its own; which one failed is the answer
            failed.append(f"{type(backend).__name__} ({type(error).__name__})")
    return failed
