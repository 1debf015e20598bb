"""Lines of purchase orders: what they take of which receipt, where their cost goes, and what is for a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.invoices import allocation, invoice, line, some
from support.orders import known, order
from support.orders import line as ordered
from support.syspro_samples import account_row, reference, supplier_row

from airflow_provider_mlconnector.documents.currency import add
from airflow_provider_mlconnector.documents.invoice import Charge, ChargeKind, Invoice, InvoiceKind, InvoiceLine, Tax
from airflow_provider_mlconnector.documents.validation import check_invoice
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.mapping.coding import code_invoice
from airflow_provider_mlconnector.mapping.load import load_mapping
from airflow_provider_mlconnector.mapping.model import MappingSet
from airflow_provider_mlconnector.systems.ports import Context, Known, StepDraft
from airflow_provider_mlconnector.systems.syspro.client import SysproClient, SysproCredentials
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
from airflow_provider_mlconnector.systems.syspro.receipts import Receipt, _receipt
from airflow_provider_mlconnector.systems.syspro.target import SysproTarget
from airflow_provider_mlconnector.systems.transport import Transport

MAPPING = """
business_units: {PLANT1: {company: EDU1, branch: "10"}}
currencies: {USD: "$", EUR: EUR}
accounts: {"51200": "5120", "51300": "5130"}
cost_centers: {mode: gl_section, map: {CC10: "10", CC20: "20"}}
taxes: {codes: {A: 20, Z: 0}, zero_code: Z}
receipts: {suspense_account: "00-2200", variance_account: "00-5900", not_received: ["81100000"]}
"""
PO, KEY = "0000000310", "000000000004711"
SUSPENSE, VARIANCE = "00-2200", "00-5900"
OPTIONS = SysproOptions(company="EDU1")
GIVEN: dict[str, Any] = {
    "Supplier": "V00001",
    "Grn": "000000000000881",
    "GrnSource": "G",
    "Journal": "201",
    "JournalEntry": "1",
    "OrigReceiptDate": "2026-11-01",
    "PurchaseOrder": KEY,
    "PurchaseOrderLin": "1",
    "CurrencyValue": "0.00",
    "MatchedValue": "0.00",
    "GrnMatchedFlag": "N",
}


def row(quantity: str, value: str, **changes: str) -> dict[str, str]:
    """Return a row of GrnDetails."""
    return {**GIVEN, "QtyReceived": quantity, "CurGrnValue": value, **changes}


def receipts(*rows: Mapping[str, str], options: SysproOptions = OPTIONS) -> dict[str, Any]:
    """Return what the session reads: receipts of line 1."""
    return {"4711|1": [json.loads(_receipt(each, options).model_dump_json()) for each in rows]}


def billing(quantity: str = "10", price: str = "12.50", *, number: str = "1", **changes: Any) -> InvoiceLine:
    amount = (Decimal(quantity) * Decimal(price)).quantize(Decimal("0.01"))
    figures = {"quantity": Decimal(quantity), "unit_price": Decimal(price)}
    return line(str(amount), **{**figures, "po_number": PO, "po_line": number, **changes})


def bill(*lines: InvoiceLine, **header: Any) -> Invoice:
    return invoice(*lines, **{"supplier": "V00001", "invoice_date": "2026-11-10", "due_date": "2026-12-10", **header})


def accounts() -> dict[str, Any]:
    codes = ("10-5120", "20-5120", "10-5130", "20-5130", SUSPENSE, VARIANCE, "00-2150", "00-2300")
    return {code: account_row(code) for code in codes}


@cache
def loaded(text: str) -> MappingSet:
    return load_mapping(text, origin="tests")


@cache
def client() -> SysproClient:
    transport = Transport("https://erp.test:31002/SYSPROWCFService/Rest", system="SYSPRO")
    return SysproClient(transport, SysproCredentials("MLConn", "p", "EDU1"))


def plan(
    document: Invoice,
    open_receipts: Mapping[str, Any],
    held: Known | None = None,
    *,
    mapping: str = MAPPING,
    order_first: bool = False,
    supplier: Mapping[str, str] | None = None,
    **options: Any,
) -> list[StepDraft]:
    """Plan an invoice as validation does."""
    orders = {PO: held or known(order())}
    coded = code_invoice(
        check_invoice(document),
        loaded(mapping),
        version=1,
        orders={number: one.document for number, one in orders.items()},
        order_first=order_first,
    )
    target = SysproTarget("syspro", client(), SysproOptions(company="EDU1", **options))
    rows = {"V00001": [supplier_row(**(supplier or {}))]}
    data = reference(accounts=accounts(), suppliers=rows, receipts=open_receipts)
    planned = target.plan(coded, data, our_reference="ML-1", context=Context(orders=orders))
    return list(planned.steps)


def item(*arguments: Any, **options: Any) -> dict[str, Any]:
    step: dict[str, Any] = plan(*arguments, **options)[0].payload["item"]
    return step


def ledger(posted: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [(each["code"], each["value"], each["tax_code"]) for each in posted["distribution"]]


def objection(*arguments: Any, **options: Any) -> Parked:
    with pytest.raises(Parked) as caught:
        plan(*arguments, **options)
    return caught.value


def test_a_receipt_billed_as_a_whole_is_taken_at_its_outstanding_value() -> None:
    posted = item(bill(billing()), receipts(row("10", "125.00")))
    assert ledger(posted) == [(SUSPENSE, "125.00", "Z")]
    (match,) = posted["receipts"]
    assert (match["grn"], match["journal"], match["entry"], match["whole"]) == ("000000000000881", "201", "1", True)


def test_the_oldest_receipts_are_taken_first_and_the_last_in_part() -> None:
    rows = (row("4", "50.00"), row("4", "50.00", Journal="202"), row("4", "52.00", Journal="203"))
    posted = item(bill(billing("10")), receipts(*rows))
    taken = [(each["journal"], Decimal(each["quantity"]), each["value"], each["whole"]) for each in posted["receipts"]]
    assert taken == [("201", 4, "50.00", True), ("202", 4, "50.00", True), ("203", 2, "26.00", False)]
    assert ledger(posted) == [(SUSPENSE, "126.00", "Z"), (VARIANCE, "-1.00", "Z")]


def test_two_lines_of_one_order_line_share_its_receipt() -> None:
    posted = item(bill(billing("3.333"), billing("6.667")), receipts(row("10", "125.00")))
    assert [each["whole"] for each in posted["receipts"]] == [False, False]
    assert add(Decimal(each["value"]) for each in posted["receipts"]) == 125
    assert add(Decimal(each["quantity"]) for each in posted["receipts"]) == 10
    assert objection(bill(billing("6"), billing("6")), receipts(row("10", "125.00"))).code == "not_received"


def test_tax_stays_with_the_goods_and_a_charge_without_tax_is_variance_of_its_own() -> None:
    charge = Charge(kind=ChargeKind.HANDLING, amount=Decimal("5.00"))
    taxed = billing(taxes=(Tax(amount=Decimal("25.00"), code="taxCharge1"),), charges=(charge,))
    posted = item(bill(taxed, gross="155.00"), receipts(row("10", "120.00")))
    assert posted["tax_value"] == "25.00"
    values: dict[str, Decimal] = {}
    for code, value, _ in ledger(posted):
        values[code] = values.get(code, Decimal(0)) + Decimal(value)
    assert values == {SUSPENSE: Decimal("120.00"), VARIANCE: Decimal("10.00")}
    assert ledger(posted)[0] == (SUSPENSE, "120.00", "A")


def test_lines_without_an_order_keep_their_account_beside_it() -> None:
    other = line("50.00", allocations=(allocation("51300", "CC20"),))
    posted = item(bill(billing(), other), receipts(row("10", "125.00")))
    assert ledger(posted) == [("20-5130", "50.00", "Z"), (SUSPENSE, "125.00", "Z")]


def test_what_nobody_receives_goes_to_the_accounts_of_the_order_line() -> None:
    split = (allocation("51200", "CC10", percent="33.33"), allocation("51200", "CC20", percent="66.67"))
    service = order(ordered(commodity="81100000", allocations=split))
    posted = item(bill(billing(allocations=())), {}, known(service))
    assert ledger(posted) == [("10-5120", "41.66", "Z"), ("20-5120", "83.34", "Z")]
    assert posted["receipts"] == []


@pytest.mark.parametrize(("order_first", "code"), [(False, "20-5130"), (True, "10-5120")])
def test_whose_coding_comes_first_is_the_routes_choice(order_first: bool, code: str) -> None:
    service = known(order(ordered(commodity="81100000")))
    own = bill(billing(allocations=(allocation("51300", "CC20"),)))
    assert ledger(item(own, {}, service, order_first=order_first)) == [(code, "125.00", "Z")]


def test_amounts_of_the_order_line_are_proportions_of_what_is_billed() -> None:
    split = (allocation("51200", "CC10", amount="100.00"), allocation("51200", "CC20", amount="25.00"))
    service = known(order(ordered(commodity="81100000", allocations=split)))
    assert ledger(item(bill(billing("1", allocations=())), {}, service)) == [
        ("10-5120", "10.00", "Z"),
        ("20-5120", "2.50", "Z"),
    ]


def test_stocked_goods_need_no_account_of_their_own() -> None:
    uncoded = known(order(ordered(allocations=())))
    posted = item(bill(billing(allocations=())), receipts(row("10", "125.00")), uncoded)
    assert ledger(posted) == [(SUSPENSE, "125.00", "Z")]


def test_where_receipts_are_not_accrued_they_are_matched_and_the_lines_account_bears_the_cost() -> None:
    posted = item(bill(billing()), receipts(row("10", "125.00")), receipts_accrue=False)
    assert ledger(posted) == [("10-5120", "125.00", "Z")]
    assert len(posted["receipts"]) == 1


def test_a_line_of_nothing_takes_nothing() -> None:
    posted = item(bill(billing(), billing("0")), receipts(row("10", "125.00")))
    assert len(posted["receipts"]) == 1


def test_the_journal_of_an_unlinked_site_says_the_same() -> None:
    _, journal = plan(
        bill(billing(price="12.60")),
        receipts(row("10", "125.00")),
        ap_gl="not_linked",
        mapping=(MAPPING + 'clearing_account: "00-2150"\n'),
    )
    lines = [(each["code"], each["amount"]) for each in journal.payload["journal"]["lines"]]
    assert lines == [(SUSPENSE, "125.00"), (VARIANCE, "1.00"), ("00-2150", "-126.00")]


CREDIT = {"kind": InvoiceKind.CREDIT_MEMO, "original_number": "NB-1"}
OPEN = receipts(row("10", "125.00"))
PARKED: dict[str, tuple[Invoice, Any, Known | None, dict[str, Any], str, str]] = {
    "not received": (bill(billing()), {}, None, {}, "not_received", "has 0 received"),
    "not enough": (bill(billing("11")), OPEN, None, {}, "not_received", "bills 11 of line 1 of SYSPRO's order"),
    "of another supplier": (
        bill(billing()),
        receipts(row("10", "125.00", Supplier="V00002")),
        None,
        {},
        "not_received",
        "has 0 received",
    ),
    "credit": (bill(billing(), **CREDIT), OPEN, None, {}, "credit_of_receipt", "book it by hand"),
    "returned line": (
        bill(billing("-1"), line("500")),
        OPEN,
        None,
        {},
        "credit_of_receipt",
        "gives back goods",
    ),
    "returned goods": (
        bill(billing()),
        receipts(row("10", "125.00"), row("-2", "-25.00", Journal="202")),
        None,
        {},
        "receipt_returned",
        "returned goods",
    ),
    "no such line": (bill(billing(number="7")), OPEN, None, {}, "order_line_unknown", "bills line 7"),
    "no line in SYSPRO": (
        bill(billing()),
        OPEN,
        known(order(), lines={}),
        {},
        "order_line_unknown",
        "which line of SYSPRO's order 000000000004711",
    ),
    "order of another supplier": (
        bill(billing()),
        OPEN,
        known(order(supplier="V00009")),
        {},
        "order_supplier",
        "V00009",
    ),
    "order in another currency": (bill(billing()), OPEN, known(order(currency="EUR")), {}, "order_currency", "in EUR"),
    "another unit": (bill(billing(unit="BOX")), OPEN, None, {}, "order_unit", "ordered in EA"),
    "route keeps back": (bill(billing()), OPEN, None, {"po_lines": "park"}, "po_receipt_unknown", "po_lines: receipts"),
    "no suspense account": (
        bill(billing()),
        OPEN,
        None,
        {"mapping": MAPPING.replace('suspense_account: "00-2200", ', "")},
        "suspense_account_missing",
        "receipts.suspense_account",
    ),
    "no variance account": (
        bill(billing(price="13")),
        OPEN,
        None,
        {"mapping": MAPPING.replace('variance_account: "00-5900", ', "")},
        "variance_account_missing",
        "receipts.variance_account",
    ),
    "matching required": (
        bill(billing(), line("50.00"), line("1.00")),
        OPEN,
        None,
        {"supplier": {"GrnMatchReqd": "Y"}},
        "receipt_match",
        "lines 2, 3 take none",
    ),
}


@pytest.mark.parametrize("case", PARKED.values(), ids=PARKED)
def test_each_cause_is_told_apart(case: tuple[Invoice, Any, Known | None, dict[str, Any], str, str]) -> None:
    document, open_receipts, held, options, code, words = case
    error = objection(document, open_receipts, held, **options)
    assert error.code == code
    assert words in error.message


def test_a_supplier_that_requires_matching_passes_when_every_line_is_matched() -> None:
    posted = item(bill(billing()), OPEN, supplier={"GrnMatchReqd": "Y"})
    assert len(posted["receipts"]) == 1


def test_the_quantity_left_comes_from_its_column_where_the_site_has_one() -> None:
    options = SysproOptions(company="EDU1", receipt_invoiced_column="QtyInvoiced")
    partly = row("10", "125.00", MatchedValue="99.00", QtyInvoiced="4")
    assert _receipt(partly, options).quantity == 6
    assert _receipt(partly, OPTIONS).quantity == Decimal("2.08")


def test_a_foreign_receipt_is_taken_in_the_suppliers_currency() -> None:
    euro = receipts(row("10", "108.00", CurrencyValue="100.00"))
    foreign = {"currency": "EUR"}
    posted = item(
        bill(billing("4", "10.00"), **foreign),
        euro,
        known(order(currency="EUR")),
        supplier={"Currency": "EUR"},
    )
    assert ledger(posted) == [(SUSPENSE, "40.00", "Z")]
    assert posted["receipts"][0]["value"] == "40.00"


prices = st.integers(500, 100_000).map(lambda n: Decimal(n) / 100)
quantities = st.integers(10, 50_000).map(lambda n: Decimal(n) / 10)


@some
@given(
    unit=prices,
    quantities_received=st.lists(quantities, min_size=1, max_size=4),
    parts=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    price=prices,
)
def test_any_invoices_of_all_that_was_received_clear_all_that_was_accrued(
    unit: Decimal, quantities_received: list[Decimal], parts: list[int], price: Decimal
) -> None:
    """SYSPRO shows only values: what is left of a receipt is worked out anew for each invoice of more than cents."""
    received = [(quantity, (quantity * unit).quantize(Decimal("0.01"))) for quantity in quantities_received]
    rows = [row(f"{q:f}", f"{v:f}", Journal=str(201 + n)) for n, (q, v) in enumerate(received)]
    whole = add(quantity for quantity, _ in received)
    shares = [(whole * part / sum(parts)).quantize(Decimal("0.000001")) for part in parts[:-1]]
    shares.append(whole - add(shares))
    suspense = Decimal(0)
    for quantity in shares:
        if not quantity:
            continue
        posted = item(bill(billing(f"{quantity:f}", f"{price:f}")), receipts(*open_rows(rows)))
        assert add(Decimal(value) for _, value, _ in ledger(posted)) == Decimal(posted["value"])
        suspense += add(Decimal(value) for code, value, _ in ledger(posted) if code == SUSPENSE)
        for match in posted["receipts"]:
            taken = rows[int(match["journal"]) - 201]
            taken["MatchedValue"] = str(Decimal(taken["MatchedValue"]) + Decimal(match["value"]))
            taken["GrnMatchedFlag"] = "Y" if match["whole"] else "N"
    assert suspense == add(value for _, value in received)
    assert open_rows(rows) == []


def open_rows(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [each for each in rows if each["GrnMatchedFlag"] == "N"]


def test_receipts_survive_json() -> None:
    (kept,) = OPEN["4711|1"]
    assert Receipt.model_validate(kept).value == Decimal("125.00")
