"""Invoice lines that bill order lines: paired, kept apart, coded from the order where they have no account."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.invoices import allocation, invoice, line, some
from support.orders import line as ordered
from support.orders import order

from airflow_provider_mlconnector.documents.coding import CodedInvoice
from airflow_provider_mlconnector.documents.currency import add
from airflow_provider_mlconnector.documents.invoice import Charge, ChargeKind, Invoice
from airflow_provider_mlconnector.documents.purchase_order import PurchaseOrder
from airflow_provider_mlconnector.documents.validation import check_invoice
from airflow_provider_mlconnector.errors import ConfigurationError, Parked, Rejected
from airflow_provider_mlconnector.mapping.coding import code_invoice
from airflow_provider_mlconnector.mapping.load import load_mapping

TEXT = """
business_units: {PLANT1: {company: EDU1, branch: "10"}}
currencies: {USD: "$"}
accounts: {"51200": "5120", "51300": "5130"}
cost_centers: {mode: gl_section, map: {CC10: "10", CC20: "20"}}
taxes: {codes: {Z: 0}, zero_code: Z}
charges: {freight: {gl_code: 10-5500}}
receipts:
  suspense_account: "00-2200"
  not_received: ["81100000"]
"""
MAPPING = load_mapping(TEXT, origin="tests")
PO = "0000000310"


def code(document: Invoice, held: PurchaseOrder | None = None, **options: Any) -> CodedInvoice:
    orders = {PO: held or order(ordered(1), ordered(2))}
    return code_invoice(check_invoice(document), MAPPING, version=1, orders=orders, **options)


def postings(coded: CodedInvoice) -> list[tuple[str, str, int | None]]:
    return [(each.gl_code, f"{each.amount:.2f}", each.billed) for each in coded.postings]


def test_lines_of_an_order_stay_apart_and_all_others_are_joined() -> None:
    free, billed = line("10.00"), {"po_number": PO}
    coded = code(invoice(free, line("20.00", po_line="1", **billed), free, line("30.00", po_line="2", **billed)))
    assert postings(coded) == [("10-5120", "20.00", None), ("10-5120", "20.00", 1), ("10-5120", "30.00", 3)]
    assert [(each.place, each.order, each.order_line) for each in coded.billed] == [(1, PO, 1), (3, PO, 2)]


def test_a_charge_with_an_account_of_its_own_is_no_cost_of_the_order_line() -> None:
    charges = (Charge(kind=ChargeKind.FREIGHT, amount=Decimal(5)), Charge(kind=ChargeKind.HANDLING, amount=Decimal(2)))
    coded = code(invoice(line("20.00", po_number=PO, po_line="1", charges=charges), gross="27.00"))
    assert postings(coded) == [("10-5120", "22.00", 0), ("10-5500", "5.00", None)]


@pytest.mark.parametrize(("po_line", "pairs"), [("1", [1]), ("0002", [2]), ("", []), ("9", []), ("1a", [])])
def test_lines_are_paired_by_number(po_line: str, pairs: list[int]) -> None:
    coded = code(invoice(line("20.00", po_number=PO, po_line=po_line)))
    assert [each.order_line for each in coded.billed] == pairs


def test_a_line_that_names_no_order_line_bills_the_only_one() -> None:
    coded = code(invoice(line("20.00", po_number=PO)), order(ordered(7, commodity="81100000")))
    assert [(each.order_line, each.received) for each in coded.billed] == [(7, False)]


def test_a_line_without_an_account_takes_that_of_its_order_line_or_waits() -> None:
    held = order(ordered(1, allocations=(allocation("51300", "CC20"),)))
    bare = line("20.00", po_number=PO, po_line="1", allocations=())
    assert postings(code(invoice(bare), held)) == [("20-5130", "20.00", 0)]
    with pytest.raises(Parked) as caught:
        code(invoice(bare.model_copy(update={"po_line": "9"})), held)
    assert (caught.value.code, caught.value.subject) == ("order_line_unknown", PO)


def test_a_line_without_an_account_of_an_order_nobody_knows_here_waits_and_is_not_called_uncoded() -> None:
    bare = line("20.00", po_number="other", po_line="1", allocations=())
    with pytest.raises(Parked) as caught:
        code(invoice(bare))
    assert (caught.value.code, caught.value.subject) == ("po_voucher", "other")
    with pytest.raises(Rejected, match="code it at the source"):
        code(invoice(line("20.00", allocations=())))


def test_a_slip_in_the_section_is_named_with_its_line() -> None:
    with pytest.raises(ConfigurationError, match=r"(?s)line 9.*suspense_acount"):
        load_mapping(TEXT.replace("suspense_account", "suspense_acount"), origin="tests")


@some
@given(
    shares=st.lists(st.integers(1, 99), min_size=1, max_size=4),
    cents=st.lists(st.integers(1, 1_000_000), min_size=1, max_size=4),
    by_amount=st.booleans(),
)
def test_what_the_order_bears_in_any_proportion_adds_up_to_what_is_billed(
    shares: list[int], cents: list[int], by_amount: bool
) -> None:
    split = tuple(
        allocation("51200", ("CC10", "CC20")[n % 2], **{"amount" if by_amount else "percent": share})
        for n, share in enumerate(shares)
    )
    held = order(*(ordered(n, allocations=split) for n in range(1, len(cents) + 1)))
    lines = [line(str(Decimal(c) / 100), po_number=PO, po_line=str(n), allocations=()) for n, c in enumerate(cents, 1)]
    coded = code(invoice(*lines), held)
    for place, amount in enumerate(cents):
        assert add(each.amount for each in coded.postings if each.billed == place) == Decimal(amount) / 100
