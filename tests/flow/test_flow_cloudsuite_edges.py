"""The edge cases of the pair that CSI meets as SYSPRO does, over HTTP, with a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.cloudsuite import AP_CONTROL, Pair, paired
from support.mishaps import line

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.sync.adopt import adopt

Open = Callable[..., Pair]
AWKWARD = "Präzision & <Maß> ]]> Söhne"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens the one pair of a test."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(paired(tmp_path, **options))


@pytest.fixture
def pair(opened: Open) -> Pair:
    return opened()


def run(pair: Pair, number: str, route: str = "invoices_in") -> Any:
    """Run a route and return one of its documents."""
    pair.run(route)
    return pair.document(route, number)


def settled(pair: Pair, number: str) -> Any:
    """Run the invoices, let CSI post, and return one that must be in the ledger now."""
    assert run(pair, number).state is State.ACCEPTED, pair.document("invoices_in", number).reason
    pair.post_vouchers()
    return run(pair, number)


def vendor(pair: Pair, number: str) -> dict[str, Any]:
    (row,) = [row for row in pair.app.cloudsuite.ledger()["suppliers"] if row["VendNum"].strip() == number]
    return dict(row)


def exchange(pair: Pair, cycles: int = 1) -> None:
    for _ in range(cycles):
        pair.run("suppliers_in", "suppliers_out")


# --- amounts ---------------------------------------------------------------------------------------------------------


def test_a_credit_memo_against_a_posted_invoice_takes_its_amount_off_the_vendors_balance(pair: Pair) -> None:
    key = pair.bill("ORIGINAL-1")
    assert settled(pair, "ORIGINAL-1").state is State.POSTED
    of = pair.app.jaggaer.truth()[key]["invoice_number"]
    pair.bill("CREDIT-1", line(40), total=40, invoiceType="Credit memo", originalInvoiceNumber=of)
    assert settled(pair, "CREDIT-1").state is State.POSTED
    assert [Decimal(pair.voucher(number)["InvAmt"]) for number in ("ORIGINAL-1", "CREDIT-1")] == [100, -40]
    balances = pair.app.cloudsuite.ledger()["gl_totals"]["balances"]
    assert (Decimal(balances[AP_CONTROL]), Decimal(balances["51300"])) == (-60, 60)
    before = pair.attempts()
    assert run(pair, "CREDIT-1").state is State.POSTED
    assert pair.attempts() == before


def test_a_line_of_quantity_zero_books_nothing_and_harms_no_other(pair: Pair) -> None:
    pair.bill("ZERO-1", line(55, "51200", "CC10", quantity=0), line(100))
    assert settled(pair, "ZERO-1").state is State.POSTED
    assert pair.booked("ZERO-1") == [("51300", "CC20", Decimal(100))]


def test_an_invoice_of_nothing_but_quantity_zero_is_rejected(pair: Pair) -> None:
    pair.bill("ZERO-2", line(55, quantity=0), total=0)
    document = run(pair, "ZERO-2")
    assert (document.state, document.reason_code) == (State.REJECTED, "nothing_to_post"), document.reason
    assert pair.vouchers() == []


def test_a_rate_a_person_fixed_on_a_voucher_stays_and_is_no_change_of_ours(pair: Pair) -> None:
    """Ours leaves the rate to CSI's own table; a clerk may fix another one until CSI posts."""
    pair.bill("RATE-1", supplier="V00031", currency="EUR")
    assert run(pair, "RATE-1").state is State.ACCEPTED
    pair.csi("voucher_change", voucher=pair.voucher("RATE-1")["Voucher"], ExchRate="1.25", FixedRate=True)
    pair.post_vouchers()
    assert run(pair, "RATE-1").state is State.POSTED
    gl = {row["Acct"].strip(): Decimal(row["DomAmount"]) for row in pair.voucher("RATE-1")["gl"]}
    assert gl == {"51300": Decimal(125), AP_CONTROL: Decimal(-125)}
    assert pair.issues() == []


# --- suppliers -------------------------------------------------------------------------------------------------------


def test_an_invoice_waits_for_a_supplier_that_has_no_number_yet_and_is_posted_once(pair: Pair) -> None:
    new = pair.jaggaer("supplier_create", companyName="Newcomer Tools", zip="18055", currency="USD")
    key = pair.bill("EARLY-1", supplier={"id": 1, "name": "Newcomer Tools", "supplierNumber": {}})
    for _ in range(2):
        document = run(pair, "EARLY-1")
        assert (document.state, document.reason_code) == (State.PARKED, "supplier_without_number")
    exchange(pair)
    (shown,) = [row for row in pair.app.jaggaer.ledger()["suppliers"] if row["bravo_id"] == new["bravoId"]]
    assert vendor(pair, shown["number"])["Name"] == "Newcomer Tools"
    pair.change_bill(key, supplier__supplierNumber=shown["number"])
    assert settled(pair, "EARLY-1").state is State.POSTED
    assert pair.voucher("EARLY-1")["VendNum"].strip() == shown["number"]


def test_a_renamed_supplier_keeps_its_number_and_its_invoices(pair: Pair) -> None:
    pair.bill("NAME-1")
    assert settled(pair, "NAME-1").state is State.POSTED
    pair.jaggaer("supplier_edit", number="V00001", set={"companyName": AWKWARD})
    pair.run("suppliers_in")
    assert vendor(pair, "V00001")["Name"] == AWKWARD
    pair.bill("NAME-2")
    assert settled(pair, "NAME-2").state is State.POSTED
    assert {pair.voucher(number)["VendNum"].strip() for number in ("NAME-1", "NAME-2")} == {"V00001"}


def test_invoices_of_a_vendor_merged_into_another_wait_for_a_person_and_are_never_moved(pair: Pair) -> None:
    pair.csi("vendor_merge", vendor="V00002", into="V00003")
    gone = pair.bill("MERGED-1", supplier="V00002")
    pair.bill("MERGED-2", supplier="V00003")
    document = run(pair, "MERGED-1")
    assert (document.state, document.reason_code) == (State.PARKED, "supplier_inactive")
    assert pair.document("invoices_in", "MERGED-2").state is State.ACCEPTED
    pair.change_bill(gone, supplier__supplierNumber="V00003")
    assert settled(pair, "MERGED-1").state is State.POSTED
    assert pair.voucher("MERGED-1")["VendNum"].strip() == "V00003"


def test_suppliers_merged_in_jaggaer_stay_two_in_csi_until_a_person_merges_them(pair: Pair) -> None:
    exchange(pair)
    shown = {row["number"]: row for row in pair.app.jaggaer.ledger()["suppliers"]}
    pair.jaggaer("supplier_merge", number="V00005", into="V00006")
    document = run(pair, shown["V00005"]["bravo_id"], "suppliers_in")
    assert (document.state, document.reason_code) == (State.PARKED, "supplier_deactivated"), document.reason
    assert (vendor(pair, "V00005")["Stat"], vendor(pair, "V00006")["Stat"]) == ("A", "A")
    pair.csi("vendor_merge", vendor="V00005", into="V00006")
    document = run(pair, shown["V00005"]["bravo_id"], "suppliers_in")
    assert document.state in {State.LINKED, State.SKIPPED, State.POSTED}, document.reason


def test_invoices_of_a_vendor_deleted_in_csi_wait_and_say_so(pair: Pair) -> None:
    pair.csi("vendor_delete", vendor="V00003")
    pair.bill("GONE-1", supplier="V00003")
    document = run(pair, "GONE-1")
    assert (document.state, document.reason_code) == (State.PARKED, "supplier_unknown")
    assert "V00003 does not exist in CSI" in document.reason


def test_awkward_and_long_names_of_vendors_reach_jaggaer_as_they_are_and_are_then_quiet(pair: Pair) -> None:
    names = {"V00777": AWKWARD, "V00778": "Ł" * 60}
    for number, name in names.items():
        pair.csi("vendor", vendor=number, name=name, city="Łódź & Söhne", postal_code="70777", currency="USD")
    exchange(pair)
    shown = {row["number"]: row["profile"]["companyName"] for row in pair.app.jaggaer.ledger()["suppliers"]}
    assert {number: shown[number] for number in names} == names
    before = len(pair.app.jaggaer.ledger()["write_attempts"]), len(pair.app.cloudsuite.ledger()["attempts"])
    exchange(pair)
    after = len(pair.app.jaggaer.ledger()["write_attempts"]), len(pair.app.cloudsuite.ledger()["attempts"])
    assert after == before
    assert {number: vendor(pair, number)["Name"] for number in names} == names


# --- orders ----------------------------------------------------------------------------------------------------------


def test_an_invoice_of_an_order_csi_does_not_have_yet_waits_and_is_taken_once_it_is_vouchered(pair: Pair) -> None:
    bought = {"qty": 1, "price": "100", "account": "51300", "unit": "CC20"}
    pair.bill("BEFORE-1", line(100, poNumber="P9", poLineNumber="1"))
    assert run(pair, "BEFORE-1").state is State.PARKED
    pair.csi("purchase_order", vendor="V00001", po_num="P9", lines=[bought])
    assert run(pair, "BEFORE-1").state is State.PARKED
    pair.csi("receive", po_num="P9")
    pair.enter("BEFORE-1", po_num="P9", po_lines=[{"line": 1, "qty": 1, "cost": "100"}])
    pair.run("invoices_out", "invoices_in")
    ends = {pair.document(route, "BEFORE-1").state for route in ("invoices_in", "invoices_out")}
    assert State.LINKED in ends <= {State.LINKED, State.SKIPPED}
    assert len(pair.vouchers("BEFORE-1")) == len(pair.imported("BEFORE-1")) == 1
    assert pair.attempts() == {}


def test_freight_and_charges_of_a_vouchers_own_reach_jaggaer_in_its_total(opened: Open) -> None:
    pair = opened(jaggaer={"ocr_status": "Completed"})
    pair.enter("CHARGED-1", {"account": "51300", "unit": "CC20", "amount": "115.50"}, freight="12.50", misc="3.00")
    pair.run("invoices_out")
    (row,) = pair.imported("CHARGED-1")
    assert Decimal(row["gross"]) == Decimal("115.50")


def test_where_nothing_is_carried_out_of_csi_an_invoice_of_an_order_is_linked_by_adopting(pair: Pair) -> None:
    pair.bill("ADOPT-1", line(100, poNumber="P9", poLineNumber="1"))
    assert run(pair, "ADOPT-1").reason_code == "po_voucher"
    pair.enter("ADOPT-1")
    assert run(pair, "ADOPT-1").state is State.PARKED, "a check that fails comes before the look into CSI"
    flow = pair["invoices_in"]
    assert adopt(flow.job("adopt"), flow.target()).states["linked"] == 1
    assert pair.document("invoices_in", "ADOPT-1").state is State.LINKED
    assert pair.attempts() == {}
