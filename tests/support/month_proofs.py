"""What must be true when a month is over: one claim each, and what contradicts it."""

from __future__ import annotations

import csv
from collections import Counter

from support.month_pair import Proof, proof
from support.month_run import CUT_OVER, Month
from typer.testing import CliRunner

from airflow_provider_mlconnector.cli import app
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import DocumentRecord


def prove(month: Month) -> list[Proof]:
    """Settle everything up, run a last cycle and hold both systems, the store and the people's diary together."""
    left = month.settle_up()
    before = _writes(month)
    known = [(each.id, each.state, each.generation) for each in month.deployment.documents()]
    month.cycle()
    after = _writes(month)
    settled = set(known)
    now = [each for each in month.deployment.documents() if not month.explained(each) and not _is_echo(each)]
    moved = [each for each in now if (each.id, each.state, each.generation) not in settled]
    books, truth = month.office.ask("ledger"), month.office.ask("truth")
    return [
        proof("nothing is stuck", f"{len(known)} documents", map(_told, left)),
        proof("the last cycle writes nothing", f"{sum(after.values())} writes in all", _new(before, after)),
        proof("the last cycle takes up nothing but echoes of the one before", "every document", map(_told, moved)),
        *month.pair.proofs(month, books, truth),
        proof("the audit trail is whole", "every event", _chain(month)),
        _reconciled(month),
    ]


def _writes(month: Month) -> Counter[str]:
    return month.pair.writes(month.office.ask("ledger"))


def _told(document: DocumentRecord) -> str:
    name = document.number or document.key
    return f"{document.route} {name}: {document.state} {document.reason_code}: {document.reason}"


def _is_echo(document: DocumentRecord) -> bool:
    """Our own write coming back: read, found to say what the target holds, and left at that (DESIGN §4)."""
    return document.state is State.SKIPPED and document.reason_code == "unchanged"


def _new(before: Counter[str], after: Counter[str]) -> list[str]:
    return [f"{count} × {what}" for what, count in (after - before).items()]


def _chain(month: Month) -> list[str]:
    with month.deployment.store() as store:
        report = store.verify_chain()
    return [] if report.ok else [str(report)]


def _reconciled(month: Month) -> Proof:
    """Let the connector compare both sides itself: every difference must have its reason in the audit trail."""
    period = {"period_from": CUT_OVER, "period_to": f"{month.hours.now():%Y-%m-%d}"}
    outcome = month.run(month.pair.reconciliation, period)
    path = month.home / "reconciliation.csv"
    told = CliRunner().invoke(app, ["reconcile", "--csv", str(path)])
    assert path.exists(), told.output
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["section"] == "difference"]
    unexplained = [row for row in rows if row["explained"] == "NO"]
    evidence = f"run {outcome.state}, {len(rows) - len(unexplained)} differences explained"
    return proof(
        "the reconciliation explains every difference",
        evidence,
        (f"{row['area']} {row['label']}: {row['why']}; {row['what differs']}" for row in unexplained),
    )
