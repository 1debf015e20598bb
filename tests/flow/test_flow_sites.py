"""Sites and tenants that are set up differently: AP not linked, journals held, PostLD, lists that move while read."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.books import all_expected, compare
from support.flow import Flow, flow

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import Unavailable
from airflow_provider_mlconnector.store.records import Actor, StepRecord

TENANT = {"invoices": 40, "mix": "good", "credit_memos": 3, "list_with_lines": True}


def _steps(deployment: Flow) -> list[StepRecord]:
    ids = [document.id for document in deployment.documents()]
    with deployment.store.unit_of_work(Actor(user="test")) as uow:
        found = uow.steps.of(ids)
    return [step for steps in found.values() for step in steps]


def _assert_books(deployment: Flow, states: set[State]) -> None:
    keys = [document.key for document in deployment.documents() if document.state in states]
    assert compare(deployment.ledger(), all_expected(deployment.sandbox.app, keys)) == []


def test_where_ap_is_not_linked_our_journal_books_the_cost_once(tmp_path: Path) -> None:
    site, options = {"ap_gl": "not_linked"}, {"ap_gl": "not_linked", "authorize_journal": "A"}
    with flow(tmp_path, jaggaer=TENANT, syspro_site=site, syspro=options) as deployment:
        deployment.all()
        documents = {document.id: document for document in deployment.documents()}
        stuck = [d for d in documents.values() if d.state not in {State.POSTED, State.ACCEPTED}]
        assert {d.reason_code for d in stuck} <= {"foreign_credit_journal"}
        _assert_books(deployment, {State.POSTED, State.ACCEPTED})
        ledger = deployment.ledger()
        done = len(documents) - len(stuck)
        assert Counter(step.name for step in _steps(deployment))["gl_journal"] == done
        assert len(ledger["gl_journals"]) == done
        assert all(journal["source"] == "GL" for journal in ledger["gl_journals"])
        assert all(journal["debit"] == journal["credit"] for journal in ledger["gl_journals"])
        assert not any(e["gl_code"] == "00-2100" for j in ledger["gl_journals"] for e in j["entries"])
        clearing = sum(
            Decimal(e["amount"]) for j in ledger["gl_journals"] for e in j["entries"] if e["gl_code"] == "00-2150"
        )
        owed = Decimal(0)
        for posting in (*ledger["ap_invoices"], *ledger["ap_transactions"]):
            rate, value = Decimal(posting["rate"]), Decimal(posting["value"])
            local = value / rate if posting["mul_div"] == "D" else value * rate
            owed += local if posting["type"] == "I" else -local
        assert abs(clearing + owed) <= Decimal("0.01") * done
        before = len(ledger["write_attempts"])
        deployment.all()
        assert len(deployment.ledger()["write_attempts"]) == before


@pytest.mark.parametrize(
    ("site", "status"),
    [({"gl_create": False}, "not_created"), ({"gl_post": False}, "created"), ({"ap_gl": "summary"}, "created")],
)
def test_what_became_of_the_ledger_journal_is_kept(tmp_path: Path, site: dict[str, Any], status: str) -> None:
    with flow(tmp_path, jaggaer=TENANT, syspro_site=site) as deployment:
        deployment.all()
        steps = _steps(deployment)
        observed = {step.result["gl_status"] for step in steps}
        # APSTIN names a journal that SYSPRO then keeps on hold just the same: no more than "created" is claimed
        assert observed == {status}
        expected = State.ACCEPTED if status == "not_created" else State.POSTED
        assert {document.state for document in deployment.documents()} == {expected}
        _assert_books(deployment, {State.POSTED, State.ACCEPTED})


def test_postld_books_the_same_as_get(tmp_path: Path) -> None:
    with flow(tmp_path, jaggaer=TENANT, syspro={"transport": "postld"}) as deployment:
        assert deployment.all().counts == {"posted": 40}
        _assert_books(deployment, {State.POSTED})
        calls = deployment.sandbox.app.requests.report()["systems"]["syspro"]["calls"]
        assert "Post:APSTIN" not in calls


def test_a_site_without_postld_says_so_and_loses_nothing(tmp_path: Path) -> None:
    with flow(tmp_path, jaggaer=TENANT, syspro_site={"post_ld": False}, syspro={"transport": "postld"}) as deployment:
        with pytest.raises(Unavailable, match="stopped sending"):
            deployment.all()
        assert deployment.ledger()["ap_invoices"] == []
        assert len(deployment.documents()) == 40
        deployment.syspro = {}
        for _ in range(3):
            deployment.clock.advance(16 * 60)
            report = deployment.all()
        _assert_books(deployment, {State.POSTED})
        assert report.counts["posted"] >= 37


def test_ten_thousand_lines_wait_for_postld_and_then_arrive_whole(tmp_path: Path) -> None:
    with flow(tmp_path, jaggaer={**TENANT, "invoices": 20, "credit_memos": 0}) as deployment:
        tenant = deployment.sandbox.app.jaggaer
        key = str(tenant.add("big_invoice", {"lines": 10_000})["invoiceId"])
        tenant.add("invoice", {"id": int(key), "set": {"header.lastUpdate": "2026-01-05T00:00:00.000Z"}})
        assert deployment.all().counts == {"posted": 20, "parked": 1}
        (parked,) = [document for document in deployment.documents() if document.state is State.PARKED]
        assert (parked.key, parked.reason_code) == (key, "too_large")
        assert "postld carries larger ones" in parked.reason.lower()
        deployment.syspro = {"transport": "postld"}
        assert deployment.all().counts == {"posted": 21}
        row = tenant.truth()[key]
        (booked,) = [r for r in deployment.ledger()["ap_invoices"] if r["invoice"] == row["number"]]
        assert Decimal(booked["value"]) == Decimal(row["gross"])
        net = sum(Decimal(line["value"]) for line in booked["lines"])
        assert net + Decimal(booked["tax_value"]) == Decimal(row["gross"])


@pytest.mark.parametrize("order", ["id", "lastUpdate"])
def test_a_list_that_moves_while_it_is_read_loses_nothing(tmp_path: Path, order: str) -> None:
    site = {**TENANT, "invoices": 120, "page_size": 20, "order": order}
    with flow(tmp_path, jaggaer=site) as deployment:
        tenant = deployment.sandbox.app.jaggaer
        keys = sorted(tenant.truth())
        pages = 0

        def edit(point: str) -> None:
            nonlocal pages
            if point == "page":
                pages += 1
                if pages <= 6:
                    stamp = (
                        (datetime.now(UTC) - timedelta(minutes=5, seconds=-pages)).isoformat().replace("+00:00", "Z")
                    )
                    tenant.add(
                        "invoice",
                        {
                            "id": int(keys[pages]),
                            "set": {"header.invoiceName": f"edited {pages}", "header.lastUpdate": stamp},
                        },
                    )

        deployment.strike = edit
        deployment.all()
        deployment.strike = lambda _point: None
        report = deployment.all()
        documents = deployment.documents()
        assert {document.key for document in documents if document.state is State.POSTED} == set(keys)
        _assert_books(deployment, {State.POSTED})
        assert set(report.counts) <= {"posted", "superseded", "skipped", "changed_after_posting"}


def test_a_list_whose_total_shrinks_is_read_again(tmp_path: Path) -> None:
    with flow(tmp_path, jaggaer={**TENANT, "invoices": 120, "page_size": 20}) as deployment:
        deployment.sandbox.app.faults.set([{"kind": "shrink_total", "call": "ListInvoices", "nth": 4, "drop": 3}])
        report = deployment.all()
        assert report.counts["posted"] >= 117
        listed = deployment.sandbox.app.requests.report()["systems"]["jaggaer"]["calls"]["ListInvoices"]
        assert listed > 2 * 6, "two passes that agree were not enough"
        _assert_books(deployment, {State.POSTED})
