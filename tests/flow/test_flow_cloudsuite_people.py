"""What a month of business showed at CSI and JAGGAER: things for people are said, and our own hand is no news."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from support.cloudsuite import Pair, paired
from support.mishaps import line

from airflow_provider_mlconnector.documents.lifecycle import State


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with paired(tmp_path, jaggaer={"invoices": 0}) as opened:
        yield opened


def test_a_vendor_on_hold_is_inactive_in_jaggaer_and_that_is_no_deactivation(pair: Pair) -> None:
    both = ("suppliers_in", "suppliers_out")
    pair.run(*both, *both)
    pair.csi("vendor", vendor="V00007", hold=True)
    pair.run(*both, *both)
    assert _status(pair, "V00007") == "INACTIVE"
    assert [one.reason for one in pair.documents() if one.reason_code == "supplier_deactivated"] == []
    pair.csi("vendor", vendor="V00007", hold=False)
    pair.run(*both, *both)
    assert _status(pair, "V00007") == "ACTIVE"


def _status(pair: Pair, number: str) -> str:
    (found,) = [row for row in pair.app.jaggaer.ledger()["suppliers"] if row["number"] == number]
    return str(found["profile"]["status"]).upper()


def test_an_account_out_of_use_in_csi_is_offered_by_no_business_unit_of_jaggaer(pair: Pair) -> None:
    assert _offered(pair, "56000"), "nothing to withdraw"
    pair.run("accounts")
    assert not _offered(pair, "56000")
    assert _offered(pair, "51300")


def _offered(pair: Pair, code: str) -> bool:
    rows = pair.app.jaggaer.ledger()["code_lists"]
    return any(row["active"] == "true" for row in rows if (row["customFieldName"], row["value"]) == ("Account", code))


def test_a_lost_voucher_that_is_not_found_twice_asks_for_a_person_in_words(pair: Pair) -> None:
    pair.bill("LOST-1")
    rule = {"kind": "reset_before", "system": "cloudsuite", "call": "CsiUpdate SLAptrxs", "times": 1}
    requests.post(f"{pair.flow.sandbox.url}/_sandbox/faults", json=[rule], timeout=10).raise_for_status()
    pair.run("invoices_in")
    for _ in range(2):
        pair.pass_time(16 * 60)
        pair.run("invoices_in")
    lost = pair.document("invoices_in", "LOST-1")
    assert (lost.state, lost.reason_code) == (State.UNCERTAIN, "not_found_yet")
    assert "it is not sent again by itself" in lost.reason
    assert pair.vouchers("LOST-1") == []


def test_an_invoice_of_what_goes_into_stock_has_no_account_waits_for_csis_voucher_and_is_linked(pair: Pair) -> None:
    billed = line(100, poNumber="P1", poLineNumber="1")
    del billed["splittableFieldSetGroupList"]
    pair.bill("STOCK-1", billed)
    pair.run("invoices_in")
    waiting = pair.document("invoices_in", "STOCK-1")
    assert (waiting.state, waiting.reason_code, waiting.reason_subject) == (State.PARKED, "po_voucher", "P1")
    pair.enter("STOCK-1")
    pair.run("invoices_out", "invoices_in")
    stand = {pair.document(route, "STOCK-1").state for route in ("invoices_in", "invoices_out")}
    assert stand <= {State.LINKED, State.SKIPPED}
    assert State.LINKED in stand
    assert len(pair.vouchers("STOCK-1")) == len([one for one in pair.imported() if one["number"] == "STOCK-1"]) == 1


def test_an_import_that_was_lost_and_typed_in_by_hand_meanwhile_stands_once_and_is_taken_for_ours(pair: Pair) -> None:
    """JAGGAER's list says of no invoice who entered it: docs/delivery.md tells so."""
    pair.enter("HAND-1")
    rule = {"kind": "reset_before", "system": "jaggaer", "call": "ImportInvoice", "times": 1}
    pair.app.faults.set([rule])
    pair.run("invoices_out")
    assert pair.app.faults.rules[0].hits == 1
    assert pair.document("invoices_out", "HAND-1").state in {State.UNCERTAIN, State.SUBMITTED}
    pair.bill("HAND-1")
    for _ in range(2):
        pair.pass_time(16 * 60)
        pair.run("invoices_in", "invoices_out")
    assert pair.document("invoices_out", "HAND-1").state is State.POSTED, pair.document("invoices_out", "HAND-1").reason
    assert pair.document("invoices_in", "HAND-1").state in {State.LINKED, State.SKIPPED}, "and does not go to CSI"
    assert (len(pair.vouchers("HAND-1")), len(pair.imported("HAND-1"))) == (1, 1)
    assert [row for row in pair.app.jaggaer.ledger()["write_attempts"] if row["kind"] == "invoice"] == []
