"""What commands work with: the configured store, opened as the api-server would, and routes read from files."""

from __future__ import annotations

import getpass
import logging
import os
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.errors import ConfigurationError

if TYPE_CHECKING:
    from airflow_provider_mlconnector.hooks.runtime import Runtime
    from airflow_provider_mlconnector.store.records import Actor
    from airflow_provider_mlconnector.sync.route import Route


def as_api_server() -> None:
    """Let Airflow resolve connections as its api-server does: secrets backend, environment, metadata database.

    Airflow logs to stdout; here that is the answer's place, so its log moves to stderr.
    """
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")
    import airflow  # noqa: F401 - sets up Airflow's logging

    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout:
            handler.setStream(sys.stderr)


@contextmanager
def runtime() -> Iterator[Runtime]:
    """Open the configured store."""
    as_api_server()
    from airflow_provider_mlconnector.hooks.runtime import open_runtime

    with open_runtime() as opened:
        yield opened


def actor() -> Actor:
    """Return the person at the terminal, as the audit trail names them."""
    from airflow_provider_mlconnector.store.records import Actor

    return Actor(user=getpass.getuser())


def read_route(path: Path, name: str = "") -> Route:
    """Read a route from YAML, JSON, or a DAG file, whose routes are its dicts with name, source and target.

    A cut-over date that is a template counts as unset: only Airflow can render it.

    Args:
        path: The file.
        name: Which route of a DAG file; needed when it holds several.

    Raises:
        ConfigurationError: No such route there, or an option of it is wrong.
    """
    from airflow_provider_mlconnector.sync.route import Route

    if not path.is_file():
        message = f"there is no route file {path}"
        raise ConfigurationError(message, field="route file")
    body = _route_of_dag(path, name) if path.suffix == ".py" else _route_of_yaml(path)
    if not isinstance(body, dict):
        message = f"{path} holds no route: expected the route's options, such as name, source and target"
        raise ConfigurationError(message, field="route file")
    if "{{" in str(body.get("start_at", "")):
        body = {**body, "start_at": None}
    return Route.parse(body)


def _route_of_dag(path: Path, name: str) -> dict[str, Any]:
    as_api_server()
    found = {
        value["name"]: value
        for value in runpy.run_path(str(path)).values()
        if isinstance(value, dict) and {"name", "source", "target"} <= value.keys()
    }
    if len(found) == 1 and not name:
        return next(iter(found.values()))
    if name not in found:
        problem = f"no route {name!r}" if name else "several routes, say which with --route"
        message = f"{path} holds {problem}: {', '.join(found) or 'none at all'}"
        raise ConfigurationError(message, field="route")
    return found[name]


def _route_of_yaml(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        message = f"{path} is not readable YAML or JSON: {error}"
        raise ConfigurationError(message, field="route file") from None
