"""Invoices of CloudSuite and JAGGAER run both ways over HTTP, and none comes back (FINANCE §7)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from support.cloudsuite import Pair, paired

from airflow_provider_mlconnector.documents.lifecycle import State

BOTH = ("invoices_in", "invoices_out")


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with paired(tmp_path, jaggaer={"invoices": 0}) as opened:
        yield opened


def stands(pair: Pair, route: str, number: str) -> tuple[State, str]:
    document = pair.document(route, number)
    return document.state, document.reason_code


def held(pair: Pair, number: str) -> list[str]:
    """Return the keys of what JAGGAER holds under a supplier's number."""
    return [key for key, row in pair.app.jaggaer.truth().items() if row["number"] == number]


def test_an_invoice_of_jaggaer_does_not_come_back_from_cloudsuite(pair: Pair) -> None:
    pair.bill("NB-1")
    pair.run(*BOTH, *BOTH)
    assert stands(pair, "invoices_in", "NB-1")[0] is State.ACCEPTED
    assert stands(pair, "invoices_out", "NB-1") == (State.SKIPPED, "echo")
    pair.post_vouchers()
    pair.run(*BOTH, *BOTH)
    assert stands(pair, "invoices_in", "NB-1")[0] is State.POSTED
    assert stands(pair, "invoices_out", "NB-1") == (State.SKIPPED, "echo")
    assert (len(pair.vouchers("NB-1")), len(held(pair, "NB-1"))) == (1, 1)
    assert pair.issues() == []


def test_a_voucher_of_cloudsuite_does_not_come_back_from_jaggaer(pair: Pair) -> None:
    pair.enter("CB-1")
    pair.run("invoices_out", "invoices_out", "invoices_in", "invoices_in")
    assert stands(pair, "invoices_out", "CB-1")[0] is State.POSTED, pair.document("invoices_out", "CB-1").reason
    assert (len(pair.vouchers("CB-1")), len(held(pair, "CB-1"))) == (1, 1)
    coming_back = [one for one in pair.documents("invoices_in") if one.number == "CB-1"]
    assert {(one.state, one.reason_code) for one in coming_back} <= {(State.SKIPPED, "echo")}


def test_an_import_that_somebody_approved_in_jaggaer_is_still_ours(pair: Pair) -> None:
    pair.enter("CB-1")
    pair.run("invoices_out", "invoices_out")
    (key,) = held(pair, "CB-1")
    pair.change_bill(key, workflowStatus="Completed", paymentStatus="Payable", matchStatus="Do Not Match")
    pair.run(*BOTH, *BOTH)
    assert stands(pair, "invoices_in", "CB-1") == (State.SKIPPED, "echo")
    assert len(pair.vouchers("CB-1")) == 1


def test_an_invoice_typed_in_on_both_sides_is_sent_by_neither_route(pair: Pair) -> None:
    pair.bill("XB-1")
    pair.enter("XB-1")
    pair.run(*BOTH, *BOTH)
    states = {stands(pair, route, "XB-1")[0] for route in BOTH}
    assert states <= {State.LINKED, State.SKIPPED}
    assert State.LINKED in states
    assert (len(pair.vouchers("XB-1")), len(held(pair, "XB-1"))) == (1, 1)


def test_other_amounts_on_either_side_are_for_a_person(pair: Pair) -> None:
    pair.bill("DB-1")
    pair.enter("DB-1", {"account": "51300", "unit": "CC20", "amount": "110.00"})
    for route in BOTH:
        pair[route].extract()
    pair.pass_time(5)
    pair.run(*BOTH, *BOTH)
    assert (len(pair.vouchers("DB-1")), len(held(pair, "DB-1"))) == (1, 1)
    said = " ".join(issue.text for issue in pair.issues())
    assert "gross 110 here, 100 there" in said


@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
def test_an_import_whose_answer_is_lost_never_comes_back_nor_twice(pair: Pair, kind: str) -> None:
    pair.enter("LB-1")
    rule = {"kind": kind, "system": "jaggaer", "call": "ImportInvoice", "times": 1}
    requests.post(f"{pair.flow.sandbox.url}/_sandbox/faults", json=[rule], timeout=10).raise_for_status()
    for task in ("extract", "plan", "validate", "post"):
        getattr(pair["invoices_out"], task)()
    assert stands(pair, "invoices_out", "LB-1")[0] is State.UNCERTAIN
    for key in held(pair, "LB-1"):
        pair.change_bill(key, workflowStatus="Completed", paymentStatus="Payable", matchStatus="Do Not Match")
    if kind == "reset_before":
        pair.bill("LB-1")  # a person was quicker
    pair.run("invoices_in")
    assert stands(pair, "invoices_in", "LB-1") == (State.PARKED, "opposite_in_flight")
    pair.pass_time(3600)
    pair.run(*BOTH, *BOTH)
    assert stands(pair, "invoices_in", "LB-1") == (State.SKIPPED, "echo")
    assert (len(pair.vouchers("LB-1")), len(held(pair, "LB-1"))) == (1, 1)
