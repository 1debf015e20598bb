"""What SYSPRO already holds when the route first meets it: typed in by hand, or registered (FINANCE §5)."""

from __future__ import annotations

import copy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.flow import Flow, flow, fresh_store

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import DocumentRecord
from airflow_provider_mlconnector.sync.adopt import adopt


def _plain(deployment: Flow, count: int) -> list[dict[str, Any]]:
    """Return invoices of local suppliers, with their key."""
    truth = deployment.sandbox.app.jaggaer.truth()
    rows = [{"key": key, **row} for key, row in truth.items() if row["label"] == "plain"]
    assert len(rows) >= count
    return rows[:count]


def _type_in(deployment: Flow, row: dict[str, Any], **changes: Any) -> None:
    body = {
        "supplier": row["supplier"],
        "invoice": row["number"],
        "value": row["gross"],
        "invoice_date": row["invoice_date"],
        "tax_code": "Z",
        "reference": "typed in",
    }
    deployment.sandbox.app.syspro.add("ap_invoice", body | changes)


def _of(deployment: Flow, row: dict[str, Any]) -> DocumentRecord:
    return next(document for document in deployment.documents() if document.key == row["key"])


def _written(deployment: Flow, row: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        a
        for a in deployment.ledger()["write_attempts"]
        if (a["supplier"], a["invoice"]) == (row["supplier"], row["number"])
    ]


@pytest.mark.parametrize("uniqueness", [True, False])
def test_hand_entered_invoices_are_linked_and_never_sent(tmp_path: Path, uniqueness: bool) -> None:
    with flow(
        tmp_path,
        jaggaer={"invoices": 60, "mix": "good", "list_with_lines": True},
        syspro_site={"uniqueness": uniqueness},
    ) as deployment:
        same, other, beside, *_ = _plain(deployment, 3)
        _type_in(deployment, same)
        _type_in(deployment, other, value=str(Decimal(other["gross"]) + Decimal("0.01")))
        report = deployment.all()
        assert (_of(deployment, same).state, _of(deployment, same).reason_code) == (State.LINKED, "entered_by_hand")
        different = _of(deployment, other)
        assert (different.state, different.reason_code) == (State.REJECTED, "number_already_used")
        assert other["gross"] in different.reason
        assert _written(deployment, same) == _written(deployment, other) == []
        assert _of(deployment, beside).state is State.POSTED
        assert report.counts["posted"] + report.counts["linked"] + report.counts["rejected"] == 60


@pytest.mark.parametrize("typed", ["900{}", "0000900{}"])
def test_a_number_typed_in_with_other_zeros_is_the_same_number(tmp_path: Path, typed: str) -> None:
    with flow(
        tmp_path, jaggaer={"invoices": 60, "mix": "good", "list_with_lines": True}, syspro_site={"uniqueness": False}
    ) as deployment:
        truth = deployment.sandbox.app.jaggaer.truth()
        row = next(
            {"key": key, **row}
            for key, row in truth.items()
            if row["number"].isdigit() and row["currency"] == "USD" and row["kind"] == "invoice"
        )
        _type_in(deployment, row, invoice=typed.format(row["number"][-3:]))
        deployment.all()
        assert _of(deployment, row).state is State.LINKED
        assert _written(deployment, row) == []


def test_a_registered_invoice_is_parked_until_somebody_approves_it_there(tmp_path: Path) -> None:
    with flow(tmp_path, jaggaer={"invoices": 40, "mix": "good", "list_with_lines": True}) as deployment:
        row = _plain(deployment, 1)[0]
        body = {"supplier": row["supplier"], "invoice": row["number"], "value": row["gross"]}
        deployment.sandbox.app.syspro.add("registered_invoice", body | {"invoice_date": row["invoice_date"]})
        deployment.all()
        parked = _of(deployment, row)
        assert (parked.state, parked.reason_code) == (State.PARKED, "registered_not_posted")
        assert "approve" in parked.reason
        assert [attempt["outcome"] for attempt in _written(deployment, row)] == ["refused"]
        deployment.all()
        assert _of(deployment, row).state is State.PARKED
        booked = [invoice["invoice"] for invoice in deployment.ledger()["ap_invoices"]]
        assert row["number"] not in booked
        assert len(booked) == len(set(booked))


def test_adopt_links_what_is_there_and_sends_nothing(tmp_path: Path) -> None:
    with flow(tmp_path, jaggaer={"invoices": 40, "mix": "good", "list_with_lines": True}) as deployment:
        same, other, absent = _plain(deployment, 3)
        _type_in(deployment, same)
        _type_in(deployment, other, value=str(Decimal(other["gross"]) + 1))
        deployment.extract()
        tried = adopt(deployment.job("adopt", preview_id="try"), deployment.target())
        assert tried.states["linked"] == 1
        assert _of(deployment, same).state is State.EXTRACTED
        done = adopt(deployment.job("adopt"), deployment.target())
        assert (done.states["linked"], done.states["different"]) == (1, 1)
        assert _of(deployment, same).reason_code == "adopted"
        assert deployment.ledger()["write_attempts"] == []
        deployment.all()
        assert _written(deployment, same) == []
        assert _of(deployment, same).state is State.LINKED
        assert _of(deployment, other).state is State.REJECTED
        assert _of(deployment, absent).state is State.POSTED


def test_a_store_that_was_lost_does_not_post_again_what_it_once_posted(tmp_path: Path) -> None:
    """A fresh store finds its own postings by its own reference (DESIGN §4, rule 6)."""
    site = {"invoices": 60, "mix": "good", "list_with_lines": True, "credit_memos": 6}
    with flow(tmp_path, jaggaer=site, syspro_site={"uniqueness": False}) as deployment:
        deployment.all()
        attempts = len(deployment.ledger()["write_attempts"])
        lost = deployment.store
        with fresh_store(tmp_path / "again.db", deployment.clock) as store:
            deployment.store, deployment.run = store, 1
            report = deployment.all()
            assert report.counts == {"posted": 60}
            assert len(deployment.ledger()["write_attempts"]) == attempts
        deployment.store = lost


# --- credit memos ----------------------------------------------------------------------------------------------------


def _copy_credit(deployment: Flow, **header: Any) -> str:
    """Add one more credit memo like an existing one; returns its key."""
    tenant = deployment.sandbox.app.jaggaer
    key = next(key for key, row in tenant.truth().items() if row["label"] == "credit_memo")
    document = copy.deepcopy(tenant._store.get(int(key)))
    for name in ("invoiceId", "invoiceNumber"):
        del document["header"][name]
    document["header"] |= header
    return str(tenant.add("invoice", document)["invoiceId"])


@pytest.mark.parametrize("uniqueness", [True, False])
def test_two_equal_credits_of_one_invoice_both_arrive_once(tmp_path: Path, uniqueness: bool) -> None:
    site = {"invoices": 60, "mix": "good", "list_with_lines": True, "credit_memos": 3}
    with flow(tmp_path, jaggaer=site, syspro_site={"uniqueness": uniqueness}) as deployment:
        first = next(r for r in deployment.sandbox.app.jaggaer.truth().values() if r["label"] == "credit_memo")
        _copy_credit(deployment, supplierInvoiceNumber="CR-TWIN")
        assert deployment.all().counts == {"posted": 61}
        deployment.all()
        twins = [
            row
            for row in deployment.ledger()["ap_transactions"]
            if row["supplier"] == first["supplier"] and Decimal(row["value"]) == Decimal(first["gross"])
        ]
        assert len(twins) == 2
        assert len({row["reference"] for row in twins}) == 2
        assert len({row["request_no"] for row in twins}) == 2


def test_a_credit_of_an_invoice_nobody_knows_waits_and_harms_no_other(tmp_path: Path) -> None:
    site = {"invoices": 60, "mix": "good", "list_with_lines": True, "credit_memos": 3}
    with flow(tmp_path, jaggaer=site) as deployment:
        key = _copy_credit(deployment, supplierInvoiceNumber="CR-LOST", originalInvoiceNumber="I999999")
        report = deployment.all()
        document = _of(deployment, {"key": key})
        assert (document.state, document.reason_code) == (State.PARKED, "original_unknown")
        assert report.counts == {"posted": 60, "parked": 1}


def test_an_equal_credit_typed_in_by_hand_is_for_a_person(tmp_path: Path) -> None:
    site = {"invoices": 60, "mix": "good", "list_with_lines": True, "credit_memos": 3}
    with flow(tmp_path, jaggaer=site) as deployment:
        tenant = deployment.sandbox.app.jaggaer
        truth = tenant.truth()
        key, credit = next((key, row) for key, row in truth.items() if row["label"] == "credit_memo")
        original = next(row for row in truth.values() if row["invoice_number"] == credit["original"])
        _type_in(deployment, {**original, "key": ""})
        body = {"supplier": credit["supplier"], "invoice": original["number"], "value": credit["gross"]}
        deployment.sandbox.app.syspro.add("ap_credit", body | {"tax_code": "Z", "reference": "by hand"})
        deployment.all()
        document = _of(deployment, {"key": key})
        assert (document.state, document.reason_code) == (State.PARKED, "needs_a_person")
        assert len([row for row in deployment.ledger()["ap_transactions"] if row["invoice"] == original["number"]]) == 1
