"""`mlconnector reconcile`: the kept reports, newest first, as text, JSON, page and CSV."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from airflow_provider_mlconnector.documents.reconciliation import INVOICE, Area, Figure, Span
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.differences import Findings, Gap, because, unclear
from airflow_provider_mlconnector.sync.kept_reports import KEPT, SCOPE, keep_report
from airflow_provider_mlconnector.sync.reconcile import Reconciliation


def _keep(store: Store, name: str, *, explained: bool = True) -> None:
    findings = Findings()
    figure = Figure(Area.INVOICES, INVOICE, "K1", "m", "V1 [red]NB-1[/red]", "", "USD", Decimal(5), date(2026, 1, 3))
    findings.add(Gap(Area.INVOICES, figure, None), (because if explained else unclear)("cause", "why"))
    result = Reconciliation(
        "jaggaer", "syspro", Span(date(2026, 1, 1), date(2026, 1, 31)), datetime(2026, 2, 1, tzinfo=UTC), store.id,
        (Area.INVOICES,), findings,
    )  # fmt: skip
    with store.unit_of_work(Actor(user="test")) as uow:
        keep_report(uow, name, result)


def test_without_a_report_it_says_which_dag_makes_one(run: Any, store: Store) -> None:
    result = run("reconcile")
    assert result.exit_code == 1
    assert "no reconciliation is kept yet: run the DAG syspro_jaggaer_reconciliation" in result.output


def test_it_shows_the_newest_report_and_writes_page_and_csv(run: Any, store: Store, tmp_path: Path) -> None:
    _keep(store, "run-1", explained=False)
    _keep(store, "run-2")
    page, sheet = tmp_path / "r.html", tmp_path / "r.csv"
    result = run("reconcile", "--html", page, "--csv", sheet)
    assert result.exit_code == 0
    assert "kept as run-2" in result.output
    assert "unexplained: 0" in result.output
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert sheet.read_bytes().startswith(b"\xef\xbb\xbfsection,")
    assert b"\r\n" in sheet.read_bytes()
    assert b"\r\r\n" not in sheet.read_bytes()


def test_an_unexplained_difference_shows_in_the_exit_code_and_json_has_the_counts(run: Any, store: Store) -> None:
    _keep(store, "run-1", explained=False)
    _keep(store, "run-2")
    result = run("reconcile", "run-1", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert (told["report"], told["unexplained"], told["areas"]["invoices"]["unexplained"]) == ("run-1", 1, 1)


def test_a_report_nobody_made_is_said_to_be_missing(run: Any, store: Store) -> None:
    result = run("reconcile", "run-9")
    assert result.exit_code == 1
    assert "no reconciliation 'run-9' is kept" in result.output


def test_a_file_that_cannot_be_written_is_named(run: Any, store: Store, tmp_path: Path) -> None:
    _keep(store, "run-1")
    result = run("reconcile", "--csv", tmp_path / "nowhere" / "r.csv")
    assert result.exit_code == 1
    assert "cannot be written: No such file or directory" in result.output


def test_a_repeated_run_replaces_its_report_and_the_oldest_give_way(store: Store) -> None:
    for number in range(KEPT + 3):
        _keep(store, f"run-{number:03d}")
    _keep(store, "run-062")
    with store.unit_of_work(Actor(user="test")) as uow:
        names = [name for name, _ in uow.snapshots.names(SCOPE)]
    assert len(names) == KEPT
    assert names[0] == "run-062"


def test_reports_outlive_the_reference_data_that_is_purged_with_every_run(store: Store) -> None:
    from airflow_provider_mlconnector.sync.session import LASTING

    _keep(store, "run-1")
    with store.unit_of_work(Actor(user="test")) as uow:
        uow.snapshots.put("batch#1", "syspro", {"chart": []})
        purged = uow.snapshots.purge(datetime.now(UTC) + timedelta(days=1), spared=LASTING)
        assert (purged, len(uow.snapshots.names(SCOPE))) == (1, 1)
