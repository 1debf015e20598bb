"""What must be true of an Airflow's work, asked of the simulated systems' own books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace

import psycopg
from support import books as syspro_books
from support.airflow_cluster import Cluster
from support.airflow_settings import DAG_ID
from support.oracle import Books, examine, repeated
from support.secrets_scan import found_secrets

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor

ROUTE = SimpleNamespace(name=DAG_ID, source="jaggaer", target="syspro", document="invoice")
SITE = SimpleNamespace(routes=[ROUTE])


def writes(cluster: Cluster) -> Counter[str]:
    """Count every write the systems were asked for."""
    return Books.of(cluster.sandbox.app).writes()


def duplicates(cluster: Cluster) -> list[str]:
    """Name everything that was asked for again after it had taken effect."""
    return list(repeated(Books.of(cluster.sandbox.app)))


def wrong(cluster: Cluster) -> list[str]:
    """Name everything else that contradicts exactly once, to the cent, and the audit trail."""
    app, documents = cluster.sandbox.app, cluster.documents()
    again = set(duplicates(cluster))
    found = [one for one in examine(Books.of(app), SITE, cluster, documents) if one not in again]
    found += _not_to_the_cent(cluster)
    with cluster.store() as store:
        report = store.verify_chain()
    return found if report.ok else [*found, f"the audit chain does not hold: {report}"]


def stuck(cluster: Cluster) -> list[str]:
    """Name the documents that are not posted although nothing is wrong with them, or are still claimed."""
    now = datetime.now(UTC)
    found = []
    for one in cluster.documents():
        if one.state is not State.POSTED:
            found.append(f"{one.key} is {one.state}: {one.reason}")
        if one.lease_until is not None and one.lease_until > now:
            found.append(f"{one.key} is claimed by {one.lease_owner}")
    return found


def _not_to_the_cent(cluster: Cluster) -> Iterator[str]:
    app = cluster.sandbox.app
    ledger = app.syspro.ledger()
    yield from syspro_books.compare(ledger, syspro_books.all_expected(app, app.jaggaer.truth()))
    yield from syspro_books.general_ledger_problems(ledger)


def betrayed(cluster: Cluster) -> list[str]:
    """Name every secret in a log, an XCom, a rendered field of a task, an event or a document."""
    url = cluster.metadata_url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url) as connection:
        kept = "SELECT value::text FROM xcom UNION ALL SELECT rendered_fields::text FROM rendered_task_instance_fields"
        rows = connection.execute(kept).fetchall()
    with cluster.store() as store, store.unit_of_work(Actor(user="oracle")) as uow:
        events = "\n".join(str(event) for event in uow.events.tail(1_000_000))
    texts = {
        "a log": cluster.everything_logged(),
        "an XCom or a rendered field": "\n".join(str(row[0]) for row in rows),
        "an event": events,
        "a document": "\n".join(map(str, cluster.documents())),
    }
    assert all(texts.values()), {where: len(text) for where, text in texts.items()}
    assert "audit rows" in texts["a log"], "the logs of the tasks must be among them"
    return [f"{what} stands in {where}" for where, text in texts.items() for what in found_secrets(text)]
