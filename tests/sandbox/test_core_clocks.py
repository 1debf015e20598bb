"""A system may have a clock of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow_provider_mlconnector.sandbox.app import SandboxApp
from airflow_provider_mlconnector.sandbox.clock import SimClock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_one_systems_clock_may_differ_from_the_others() -> None:
    ahead = SimClock(NOON + timedelta(hours=2))
    app = SandboxApp(start=NOON, jaggaer={"invoices": 0}, clocks={"jaggaer": ahead})
    entered = app.jaggaer.add("supplier_create", {"companyName": "Ahead"})
    (there,) = [row for row in app.jaggaer.ledger()["suppliers"] if row["bravo_id"] == entered["bravoId"]]
    app.syspro.add("supplier", {"supplier": "V77", "name": "On time"})
    (here,) = [row for row in app.syspro.ledger()["suppliers"] if row["supplier"] == "V77"]
    stamps = [datetime.fromisoformat(row["at"]) for row in (here, there)]
    assert timedelta(hours=2) - timedelta(minutes=1) < stamps[1] - stamps[0] < timedelta(hours=2, minutes=1)
