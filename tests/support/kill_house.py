"""The house of one seed: a sandbox on real HTTP, a database of its own, and the environment its workers live in."""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from support.chaos_sites import Site
from support.cloudsuite import SITE as CSI_SITE
from support.flow import MAPPING, cut_over
from support.postgres import PostgresServer
from support.stores import AUDIT, KEY_1

from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord
from airflow_provider_mlconnector.sync.route import Route

TIMEOUT = 2.0
"""Deadline of one request, real seconds."""
REMOTE_TIMEOUT = 2
"""How long a remote may still work on what we gave up."""
LEASE = 8.0
"""A request, the fence's margin of five seconds, and one to spare."""
SECOND_LOOK = 3.0
"""Between two look-ups where one is no proof; a quarter of an hour everywhere else."""
UNHEARD_OF = LEASE + TIMEOUT + REMOTE_TIMEOUT + 2 * SECOND_LOOK
"""After so long everything a worker was about is decided by others."""
SQLITE, POSTGRES = "SQLite", "PostgreSQL"
FERNET_KEY = "cGxlYXNlLXRlc3Qtb25seS1ub3QtYS1yZWFsLWtleSE="
_FAST_ENOUGH = 6000
_SQLITE_RING, _POSTGRES_RING = KeyRing.derive(FERNET_KEY), KeyRing.parse(f"k1:{KEY_1}", AUDIT)


@dataclass
class House:
    """Everything of a seed that outlives its workers."""

    site: Site
    sandbox: RunningSandbox
    store: Store
    folder: Path
    environment: Mapping[str, str]

    def __post_init__(self) -> None:
        self._logs = (self.folder / "logs" / f"{number:04}.log" for number in itertools.count())

    def log(self) -> str:
        """Return a file for the next worker to speak into."""
        return str(next(self._logs))

    def said(self) -> str:
        """Return everything workers have said."""
        files = sorted((self.folder / "logs").iterdir())
        return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)

    def documents(self) -> list[DocumentRecord]:
        """Return every document."""
        with self.store.unit_of_work(Actor(user="oracle")) as uow:
            return uow.documents.search(limit=100_000, after_id="")


@contextmanager
def built(seed: int, site: Site, database: str, templates: Templates) -> Iterator[House]:
    """Build the house of a seed."""
    folder = Path(tempfile.mkdtemp(prefix=f"kill-{seed}-"))
    (folder / "logs").mkdir()
    site = replace(site, routes=tuple(_today(route) for route in site.routes))
    try:
        with serving(seed=seed, **site.systems) as sandbox, templates.copied(database, folder) as (store, settings):
            environment = {"AIRFLOW_HOME": str(folder), "AIRFLOW__MLCONNECTOR__LEASE_SECONDS": str(LEASE), **settings}
            environment |= {f"AIRFLOW_CONN_{name.upper()}": text for name, text in _connections(site, sandbox)}
            yield House(site, sandbox, store, folder, environment)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _today(route: Route) -> Route:
    """Return a route of the simulated time's businesses as one of the machine's present."""
    changes: dict[str, Any] = {"start_at": cut_over(datetime.now(UTC))}
    if not route.mapping.file:
        changes["mapping"] = route.mapping.model_copy(update={"file": str(MAPPING)})
    if route.target == "jaggaer":
        changes["options"] = {**route.options, "remote_timeout": REMOTE_TIMEOUT}
    return route.model_copy(update=changes)


def _connections(site: Site, sandbox: RunningSandbox) -> Iterator[tuple[str, str]]:
    """Yield each system's Airflow connection as the environment has it."""
    common = {"allow_http": True, "timeout": TIMEOUT}
    further = {
        "jaggaer": {},
        "syspro": {**site.chosen.get("syspro", {}), "remote_timeout": REMOTE_TIMEOUT},
        "cloudsuite": {**CSI_SITE, **site.chosen.get("csi", {}), "remote_timeout": REMOTE_TIMEOUT},
    }
    for name, chosen in further.items():
        parts = sandbox.app.systems[name].credentials()
        extra = {**parts.get("extra", {}), **common}
        if chosen:
            extra["options"] = chosen
        if name == "cloudsuite":
            extra |= {"ionapi": sandbox.app.cloudsuite.ionapi(sandbox.url), "requests_per_minute": _FAST_ENOUGH}
        typed = {field: parts[field] for field in ("login", "password")}
        body = {"conn_type": f"mlconnector_{name}", "host": sandbox.url, **typed, "extra": extra}
        yield name, json.dumps(body)


class Templates:
    """Migrated, empty stores to copy, in an Airflow home: migrating one is paid once, before any seed begins."""

    def __init__(self, postgres: PostgresServer, home: Path) -> None:
        self._postgres, self._file = postgres, home / "template.db"
        self._database = postgres.create_database()
        for url, ring in ((postgres.url(self._database), _POSTGRES_RING), (f"sqlite:///{self._file}", _SQLITE_RING)):
            store = Store.open(url, ring)
            store.upgrade()
            store.close()

    @contextmanager
    def copied(self, database: str, folder: Path) -> Iterator[tuple[Store, Mapping[str, str]]]:
        """Open a copy in ``folder`` or on the server, with the settings by which a worker finds it."""
        if database == SQLITE:
            shutil.copy(self._file, folder / "mlconnector.db")
            settings = {"AIRFLOW__MLCONNECTOR__LOCAL_STORE": "True", "AIRFLOW__CORE__FERNET_KEY": FERNET_KEY}
            with closing(Store.open(f"sqlite:///{folder / 'mlconnector.db'}", _SQLITE_RING)) as store:
                yield store, settings
            return
        name = self._postgres.create_database(template=self._database)
        url = self._postgres.url(name)
        settings = {
            "AIRFLOW_CONN_MLCONNECTOR_STORE": url.replace("postgresql+psycopg://", "postgres://"),
            "AIRFLOW__MLCONNECTOR__ENCRYPTION_KEYS": f"k1:{KEY_1}",
            "AIRFLOW__MLCONNECTOR__AUDIT_KEY": AUDIT,
        }
        try:
            with closing(Store.open(url, _POSTGRES_RING)) as store:
                yield store, settings
        finally:
            self._postgres.drop_database(name)
