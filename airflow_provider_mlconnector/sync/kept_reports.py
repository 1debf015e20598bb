"""Reconciliations as the store keeps them: page, CSV and summary under the run that made them, encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.sync.reconcile import Reconciliation
from airflow_provider_mlconnector.sync.session import LASTING
from airflow_provider_mlconnector.sync.statement import summary, to_csv, to_html

SCOPE: Final = f"{LASTING}reconciliation"
KEPT: Final = 60
"""Reports kept; a year of weekly ones."""


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A report as kept: its name, the summary of counts, page and CSV."""

    name: str
    summary: Mapping[str, Any]
    html: str
    csv: str


def keep_report(uow: UnitOfWork, name: str, result: Reconciliation) -> KeptReport:
    """Keep a report under its run's name, replacing an earlier one of the same run; the oldest ones give way."""
    report = KeptReport(name, summary(result), to_html(result), to_csv(result))
    body = {"summary": dict(report.summary), "html": report.html, "csv": report.csv}
    uow.snapshots.put(SCOPE, name, body)
    for old, _ in uow.snapshots.names(SCOPE)[KEPT:]:
        uow.snapshots.drop(SCOPE, old)
    return report


def kept_report(uow: UnitOfWork, name: str = "") -> KeptReport | None:
    """Return the report of a name, the newest where none is given; None when there is none."""
    names = [kept for kept, _ in uow.snapshots.names(SCOPE)]
    wanted = name or next(iter(names), "")
    body = uow.snapshots.get(SCOPE, wanted) if wanted else None
    return KeptReport(wanted, body["summary"], body["html"], body["csv"]) if body else None
