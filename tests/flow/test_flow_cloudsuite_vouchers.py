"""Invoices of JAGGAER become vouchers of CSI, over HTTP, with a store: each to the cent, or it says why it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.cloudsuite import AP_CONTROL, TAX_ACCOUNT, Pair, paired
from support.edges import thirds
from support.mishaps import line, on

from airflow_provider_mlconnector.documents.lifecycle import State

Open = Callable[..., Pair]
KWD = {"  JPY: JPY": "  JPY: JPY\n  KWD: KWD"}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens the one pair of a test."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(paired(tmp_path, **options))


@pytest.fixture
def pair(opened: Open) -> Pair:
    return opened()


def arrive(pair: Pair, number: str) -> Any:
    """Run the route and return the invoice, which must be in CSI now."""
    pair.run("invoices_in")
    document = pair.document("invoices_in", number)
    assert document.state is State.ACCEPTED, (document.state, document.reason_code, document.reason)
    return document


def wait(pair: Pair, number: str) -> tuple[str, str]:
    """Run the route and return state and reason of an invoice that must not be in CSI."""
    pair.run("invoices_in")
    document = pair.document("invoices_in", number)
    assert pair.vouchers(number) == []
    return str(document.state), document.reason_code


def check_books(pair: Pair) -> None:
    """Post what is ready and check that nothing went wrong on the way, and that the ledger balances."""
    pair.post_vouchers()
    books = pair.app.cloudsuite.ledger()
    assert (books["violations"], books["exposed"]) == ([], [])
    assert books["gl_totals"]["debit"] == books["gl_totals"]["credit"]


# --- the way of one invoice ------------------------------------------------------------------------------------------


def test_an_invoice_becomes_a_voucher_is_released_and_seen_posted(pair: Pair) -> None:
    pair.bill("THIN-1")
    arrive(pair, "THIN-1")
    voucher = pair.voucher("THIN-1")
    assert (voucher["state"], voucher["BGPostingStat"], Decimal(voucher["InvAmt"])) == ("unposted", "A", 100)
    assert pair.booked("THIN-1") == [("51300", "CC20", Decimal(100))]
    check_books(pair)
    pair.run("invoices_in")
    assert pair.document("invoices_in", "THIN-1").state is State.POSTED
    assert pair.voucher("THIN-1")["state"] == "posted"
    gl = {(row["Acct"].strip(), Decimal(row["DomAmount"])) for row in pair.voucher("THIN-1")["gl"]}
    assert gl == {("51300", Decimal(100)), (AP_CONTROL, Decimal(-100))}


def test_a_voucher_thrown_out_by_a_person_is_told_and_not_written_again(pair: Pair) -> None:
    pair.bill("OUT-1")
    arrive(pair, "OUT-1")
    pair.csi("voucher_delete", voucher=pair.voucher("OUT-1")["Voucher"])
    pair.run("invoices_in", "invoices_in")
    document = pair.document("invoices_in", "OUT-1")
    assert document.state is State.FAILED, (document.state, document.reason)
    assert pair.vouchers("OUT-1") == []
    assert len(pair.vouchers("OUT-1", gone=True)) == 1


def test_a_site_that_does_not_number_vouchers_gets_them_numbered(opened: Open) -> None:
    pair = opened(cloudsuite={"csi": {"auto_voucher": False, "vouchers": 20}})
    keys = [f"NUM-{n}" for n in range(3)]
    for key in keys:
        pair.bill(key)
    pair.run("invoices_in")
    numbers = {pair.voucher(key)["Voucher"] for key in keys}
    assert len(numbers) == len(keys)
    assert [str(pair.document("invoices_in", key).state) for key in keys] == ["accepted"] * 3


# --- amounts ---------------------------------------------------------------------------------------------------------


def test_a_credit_memo_is_a_voucher_of_negative_amounts(pair: Pair) -> None:
    pair.bill("CREDIT-1", line(40), total=40, invoiceType="Credit memo")
    arrive(pair, "CREDIT-1")
    assert Decimal(pair.voucher("CREDIT-1")["InvAmt"]) == -40
    assert pair.booked("CREDIT-1") == [("51300", "CC20", Decimal(-40))]
    check_books(pair)
    pair.run("invoices_in")
    assert pair.document("invoices_in", "CREDIT-1").state is State.POSTED


def test_a_credit_memo_and_an_invoice_of_one_number_are_two_vouchers(pair: Pair) -> None:
    pair.bill("BOTH-1")
    pair.bill("BOTH-1", line(40), total=40, invoiceType="Credit memo")
    pair.run("invoices_in", "invoices_in")
    assert sorted(Decimal(row["InvAmt"]) for row in pair.vouchers("BOTH-1")) == [-40, 100]


def test_a_split_in_three_that_does_not_divide_evenly_gives_the_rest_to_the_largest_remainder(pair: Pair) -> None:
    pair.bill("THIRDS-1", line(100.01, splittableFieldSetGroupList=thirds()), total=100.01)
    arrive(pair, "THIRDS-1")
    # 33.333333, 33.333333 and 33.343334: the cent left over is the third one's
    assert pair.booked("THIRDS-1") == [
        ("51200", "CC10", Decimal("33.33")),
        ("51200", "CC20", Decimal("33.33")),
        ("51200", "CC30", Decimal("33.35")),
    ]
    check_books(pair)


def test_recoverable_tax_is_a_distribution_of_its_own_with_code_and_basis(pair: Pair) -> None:
    pair.bill("TAX-1", total=120, taxCharge1=20)
    arrive(pair, "TAX-1")
    assert pair.booked("TAX-1") == [("51300", "CC20", Decimal(100)), (TAX_ACCOUNT, "", Decimal(20))]
    cost, tax = pair.voucher("TAX-1")["distributions"]
    assert (cost["TaxCode"] or "", tax["TaxCode"], Decimal(tax["TaxBasis"]), int(tax["TaxSystem"])) == (
        "",
        "VAT20",
        Decimal(100),
        1,
    )
    assert (Decimal(pair.voucher("TAX-1")["SalesTax"]), Decimal(pair.voucher("TAX-1")["PurchAmt"])) == (20, 100)
    check_books(pair)


def test_tax_inside_the_prices_is_told_and_not_guessed(pair: Pair) -> None:
    pair.bill("TAX-2", line(120), total=120, taxCharge1=20)
    assert wait(pair, "TAX-2") == ("rejected", "total_mismatch")


def test_freight_keeps_its_account_and_handling_is_spread(pair: Pair) -> None:
    pair.bill("FREIGHT-1", total=115.5, shippingCharge=12.5, handlingCharge=3)
    arrive(pair, "FREIGHT-1")
    assert sorted(pair.booked("FREIGHT-1")) == [("51300", "CC20", Decimal(103)), ("55000", "CC20", Decimal("12.5"))]
    assert Decimal(pair.voucher("FREIGHT-1")["Freight"]) == Decimal("12.5")
    check_books(pair)


def test_yen_are_split_in_whole_yen_and_half_a_yen_is_rejected(pair: Pair) -> None:
    split = line(10_001, splittableFieldSetGroupList=thirds())
    pair.bill("YEN-1", split, supplier="V00034", total=10_001, currency="JPY")
    pair.bill("YEN-2", line(100.5), supplier="V00034", total=100.5, currency="JPY")
    arrive(pair, "YEN-1")
    assert [amount for _, _, amount in pair.booked("YEN-1")] == [3333, 3333, 3335]
    assert pair.document("invoices_in", "YEN-2").state is State.REJECTED
    check_books(pair)


def test_dinars_keep_their_three_decimals(opened: Open) -> None:
    pair = opened(mapped=KWD)
    pair.bill("DINAR-1", line(100.255), supplier="V00035", total=100.255, currency="KWD")
    pair.bill("DINAR-2", line(100.2555), supplier="V00035", total=100.2555, currency="KWD")
    arrive(pair, "DINAR-1")
    assert pair.booked("DINAR-1") == [("51300", "CC20", Decimal("100.255"))]
    assert pair.document("invoices_in", "DINAR-2").state is State.REJECTED
    check_books(pair)


def test_an_invoice_in_the_vendors_foreign_currency_is_released_at_csis_own_rate(pair: Pair) -> None:
    pair.bill("EURO-1", supplier="V00031", currency="EUR")
    arrive(pair, "EURO-1")
    voucher = pair.voucher("EURO-1")
    assert (voucher["currency"], Decimal(voucher["InvAmt"])) == ("EUR", 100)
    assert Decimal(voucher["ExchRate"]) != 1
    check_books(pair)


def test_an_invoice_in_another_currency_than_the_vendors_waits(pair: Pair) -> None:
    pair.bill("EURO-2", supplier="V00001", currency="EUR")
    assert wait(pair, "EURO-2") == ("parked", "supplier_currency")
    assert "invoice EUR, supplier V00001 is USD" in pair.document("invoices_in", "EURO-2").reason


def test_an_invoice_whose_lines_do_not_add_up_is_rejected_beside_a_good_one(pair: Pair) -> None:
    pair.bill("SUM-1", line(99), total=100)
    pair.bill("SUM-2")
    arrive(pair, "SUM-2")
    assert pair.document("invoices_in", "SUM-1").state is State.REJECTED
    assert pair.vouchers("SUM-1") == []


# --- coding ----------------------------------------------------------------------------------------------------------


def test_an_obsolete_account_waits(pair: Pair) -> None:
    pair.bill("OBSOLETE-1", line(100, "56000"))
    assert wait(pair, "OBSOLETE-1") == ("parked", "account_obsolete")


def _obsolete(pair: Pair) -> None:
    pair.csi("account_obsolete", account="51300", date=(pair.today - timedelta(days=10)).isoformat())


def _closed(pair: Pair) -> None:
    day = pair.today - timedelta(days=1)
    pair.csi("period", year=day.year, period=day.month)


def _removed(pair: Pair) -> None:
    pair.csi("unit_code_remove", unit="CC20")


@pytest.mark.parametrize(
    ("change", "code"),
    [(_obsolete, "account_obsolete"), (_closed, "period_closed"), (_removed, "unit_unknown")],
    ids=["account obsolete", "period closed", "unit code removed"],
)
def test_what_ends_in_csi_between_check_and_posting_keeps_the_voucher_back(
    pair: Pair, change: Callable[[Pair], None], code: str
) -> None:
    pair.bill("ENDED-1")
    route = pair["invoices_in"]
    route.extract()
    route.plan()
    route.validate()
    assert pair.document("invoices_in", "ENDED-1").state is State.VALIDATED
    change(pair)
    route.post()
    route.settle()
    route.run += 1
    assert pair.app.cloudsuite.ledger()["attempts"] == []
    assert wait(pair, "ENDED-1") == ("parked", code)


def test_a_unit_code_that_is_required_and_missing_waits(pair: Pair) -> None:
    pair.bill("UNIT-1", line(100, "51300", ""))
    assert wait(pair, "UNIT-1") == ("parked", "unit_required")


def test_a_unit_code_removed_in_csi_waits_until_it_is_back(pair: Pair) -> None:
    pair.csi("unit_code_remove", unit="CC20")
    pair.bill("UNIT-2")
    assert wait(pair, "UNIT-2") == ("parked", "unit_unknown")
    pair.csi("unit_code", unit="CC20", description="Machining")
    pair.csi("account_unit", account="51300", unit="CC20")
    arrive(pair, "UNIT-2")


def test_a_unit_code_not_allowed_with_its_account_waits(pair: Pair) -> None:
    pair.csi("account_unit", account="51300", unit="CC20", remove=True)
    pair.bill("UNIT-3")
    assert wait(pair, "UNIT-3") == ("parked", "unit_not_allowed")


def test_a_closed_period_waits_or_goes_into_the_next_open_one_as_the_route_says(pair: Pair) -> None:
    first = pair.today.replace(day=1)
    day = first - timedelta(days=1)
    pair.csi("period", year=day.year, period=day.month)
    pair.bill("PERIOD-1", accountingDate=on(day), invoiceDate=on(day))
    assert wait(pair, "PERIOD-1") == ("parked", "period_closed")
    pair.choose("invoices_in", closed_period="current_open")
    arrive(pair, "PERIOD-1")
    assert pair.voucher("PERIOD-1")["DistDate"] == first.isoformat()
    assert pair.voucher("PERIOD-1")["InvDate"] == day.isoformat()


def test_a_line_of_an_order_waits_for_the_receipts_of_csi_or_is_posted_where_the_site_has_none(pair: Pair) -> None:
    pair.csi(
        "purchase_order",
        vendor="V00001",
        po_num="P1",
        lines=[{"qty": 1, "price": "100", "account": "51300", "unit": "CC20"}],
    )
    pair.bill("BILLED-1", line(100, poNumber="P1", poLineNumber="1"))
    assert wait(pair, "BILLED-1") == ("parked", "po_voucher")
    pair.choose("invoices_in", po_lines="post")
    arrive(pair, "BILLED-1")


# --- vendors ---------------------------------------------------------------------------------------------------------


def test_an_invoice_that_arrives_before_its_supplier_waits_until_csi_has_it(pair: Pair) -> None:
    pair.bill("EARLY-1", supplier="V00099")
    assert wait(pair, "EARLY-1") == ("parked", "supplier_unknown")
    pair.run("suppliers_in", "suppliers_out")
    arrive(pair, "EARLY-1")


@pytest.mark.parametrize(
    ("change", "code"), [({"active": False}, "supplier_inactive"), ({"hold": True}, "supplier_on_hold")]
)
def test_a_vendor_stopped_between_check_and_posting_gets_no_voucher_until_it_is_free(
    pair: Pair, change: dict[str, bool], code: str
) -> None:
    pair.bill("STOP-1", supplier="V00002")
    route = pair["invoices_in"]
    route.extract()
    route.plan()
    route.validate()
    assert pair.document("invoices_in", "STOP-1").state is State.VALIDATED
    pair.csi("vendor", vendor="V00002", **change)
    route.post()
    route.settle()
    route.run += 1
    assert pair.app.cloudsuite.ledger()["attempts"] == []
    assert wait(pair, "STOP-1") == ("parked", code)
    pair.csi("vendor", vendor="V00002", **{name: not value for name, value in change.items()})
    arrive(pair, "STOP-1")


def test_a_vendor_on_hold_is_posted_to_where_the_route_says_so(pair: Pair) -> None:
    pair.choose("invoices_in", supplier_on_hold="post")
    pair.bill("HOLD-1", supplier="V00042")
    arrive(pair, "HOLD-1")
    assert len(pair.vouchers("HOLD-1")) == 1


# --- texts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["É&Ü<1>", "A]]>B", 'O\'Neill "5"', "100%_x", "0000000310"])
def test_an_awkward_number_arrives_to_the_letter_and_is_found_again(pair: Pair, number: str) -> None:
    key = pair.bill(number)
    arrive(pair, key)
    assert pair.voucher(number)["InvNum"].strip() == number
    pair.run("invoices_in")
    assert len(pair.vouchers(number)) == 1


def test_a_number_of_25_characters_is_refused_and_never_cut(pair: Pair) -> None:
    number = "N" * 25
    pair.bill(number)
    pair.bill("N" * 22)
    arrive(pair, "N" * 22)
    assert wait(pair, number) == ("rejected", "number_too_long")


# --- found in CSI ----------------------------------------------------------------------------------------------------


def test_a_voucher_typed_by_hand_before_ours_is_linked_and_nothing_is_written(pair: Pair) -> None:
    day = (pair.today - timedelta(days=1)).isoformat()
    pair.enter("HAND-1", invoice_date=day)
    pair.bill("HAND-1")
    pair.run("invoices_in")
    document = pair.document("invoices_in", "HAND-1")
    assert document.state is State.LINKED, (document.state, document.reason)
    assert len(pair.vouchers("HAND-1")) == 1
    assert pair.app.cloudsuite.ledger()["attempts"] == []


def test_a_number_used_by_another_voucher_is_rejected(pair: Pair) -> None:
    pair.enter("HAND-2", {"account": "51300", "unit": "CC20", "amount": "77.00"})
    pair.bill("HAND-2")
    pair.run("invoices_in")
    document = pair.document("invoices_in", "HAND-2")
    assert document.state is State.REJECTED, (document.state, document.reason)
    assert len(pair.vouchers("HAND-2")) == 1
