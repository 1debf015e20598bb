"""Orders and invoices of the ledger in the other side's codes: the maps read backwards."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.documents.invoice import (
    Allocation,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    PaymentTerms,
)
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.documents.translated import TranslatedInvoice, TranslatedOrder
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.mapping.load import load_mapping
from airflow_provider_mlconnector.mapping.model import look_up
from airflow_provider_mlconnector.mapping.translate import translate_invoice, translate_order
from airflow_provider_mlconnector.sync.kinds import INVOICE, PURCHASE_ORDER, Coding

TEXT = """
business_units: {PLANT1: {company: MAIN}}
currencies: {USD: USD, EUR: EU, YEN: JPY}
accounts:
  "51200": "5120"
  "51300":
    - {to: "5130", until: 2026-12-31}
    - {to: "5131", from: 2027-01-01}
  "51400": "5140"
  "51450": "5140"
cost_centers: {mode: analysis, map: {CC10: "10", CC20: "20"}}
terms: {NET30: N30, NET60: N60, N45: N60}
units: {EA: EACH, HUR: HR}
"""
MAPPING = load_mapping(TEXT, origin="test")
DAY = date(2026, 6, 1)


def part(account: str = "5120", center: str = "10", **share: Any) -> Allocation:
    return Allocation(account=account, cost_center=center, **(share or {"percent": Decimal(100)}))


def order(*parts: Allocation, **changes: Any) -> PurchaseOrder:
    line = OrderLine(
        number=1,
        description="Drill bits",
        quantity=changes.pop("quantity", Decimal(10)),
        unit=changes.pop("unit", "EACH"),
        unit_price=Decimal(20),
        amount=Decimal(200),
        allocations=parts or (part(),),
    )
    fields: dict[str, Any] = {
        "source_key": "310",
        "number": "310",
        "revision": "1",
        "status": OrderStatus.APPROVED,
        "supplier": "V00042",
        "order_date": DAY,
        "currency": "USD",
        "terms": PaymentTerms(code="N30", days=30),
        "lines": (line,),
    }
    return PurchaseOrder(**(fields | changes))


def invoice(*parts: Allocation, **changes: Any) -> Invoice:
    gross = changes.get("gross", Decimal(200))
    line = InvoiceLine(
        number=1, quantity=Decimal(1), unit_price=gross, unit="EACH", amount=gross, allocations=parts or (part(),)
    )
    fields: dict[str, Any] = {
        "kind": InvoiceKind.INVOICE,
        "source_key": "1",
        "revision": "1",
        "number": "NB-7781",
        "supplier": "V00042",
        "invoice_date": DAY,
        "currency": "USD",
        "gross": gross,
        "lines": (line,),
    }
    return Invoice(**(fields | changes))


def translated(document: PurchaseOrder) -> TranslatedOrder:
    return translate_order(document, MAPPING, version=3)


def test_every_code_of_an_order_is_the_other_sides() -> None:
    result = translated(order(part(), currency="EU"))
    line = result.order.lines[0]
    assert (result.order.currency, result.order.terms, result.mapping_version) == (
        "EUR",
        PaymentTerms(code="NET30", days=30),
        3,
    )
    assert (line.unit, line.allocations[0].account, line.allocations[0].cost_center) == ("EA", "51200", "CC10")
    assert (result.order.supplier, line.quantity, line.unit_price) == ("V00042", Decimal(10), Decimal(20))


def test_every_code_of_an_invoice_is_the_other_sides() -> None:
    result = translate_invoice(invoice(part("5120", "20")), MAPPING, version=4)
    line = result.invoice.lines[0]
    assert (line.allocations[0].account, line.allocations[0].cost_center, line.unit) == ("51200", "CC20", "EA")
    assert (result.invoice.currency, result.mapping_version) == ("USD", 4)


def test_an_account_or_cost_center_that_is_not_mapped_goes_by_its_own_name() -> None:
    (parts,) = translated(order(part("9999", "77"))).order.lines[0].allocations
    assert (parts.account, parts.cost_center) == ("9999", "77")


def test_no_code_stays_none() -> None:
    result = translated(order(part("", ""), unit="", terms=None)).order
    assert (result.lines[0].allocations[0].account, result.lines[0].unit, result.terms) == ("", "", None)
    days_only = PaymentTerms(days=14)
    assert translated(order(terms=days_only)).order.terms == days_only


def test_codes_hold_on_the_day_of_the_order_and_on_the_accounting_date_of_the_invoice() -> None:
    late = date(2027, 1, 1)
    assert translated(order(part("5131"), order_date=late)).order.lines[0].allocations[0].account == "51300"
    assert translated(order(part("5131"))).order.lines[0].allocations[0].account == "5131"
    booked = translate_invoice(invoice(part("5131"), accounting_date=late), MAPPING, version=1)
    assert booked.invoice.lines[0].allocations[0].account == "51300"


@pytest.mark.parametrize(
    ("changes", "account", "code", "subject"),
    [
        ({}, "5140", "ambiguous_account", "5140"),
        ({}, "51200", "code_clash", "51200"),
        ({"currency": "GBP"}, "5120", "unmapped_currency", "GBP"),
        ({"terms": PaymentTerms(code="N60")}, "5120", "unmapped_terms", "N60"),
        ({"terms": PaymentTerms(code="N90")}, "5120", "unmapped_terms", "N90"),
        ({"unit": "KG"}, "5120", "unmapped_unit", "KG"),
    ],
)
def test_a_code_without_one_name_is_for_a_person(
    changes: dict[str, Any], account: str, code: str, subject: str
) -> None:
    with pytest.raises(Parked) as told:
        translated(order(part(account), **changes))
    assert (told.value.code, told.value.subject) == (code, subject)
    assert subject in told.value.message


def test_a_cost_center_with_two_names_is_for_a_person() -> None:
    twice = load_mapping(TEXT.replace('CC20: "20"', 'CC20: "10"'), origin="test")
    with pytest.raises(Parked, match="CC10, CC20") as told:
        translate_order(order(), twice, version=1)
    assert told.value.code == "ambiguous_cost_center"


def test_what_is_canceled_needs_no_codes() -> None:
    canceled = translated(order(part("5140"), status=OrderStatus.CANCELED, currency="GBP", unit="KG")).order
    assert (canceled.currency, canceled.lines[0].allocations, canceled.lines[0].unit) == ("GBP", (), "")
    line = translated(order(part("5140"), quantity=Decimal(0), unit="KG")).order.lines[0]
    assert (line.allocations, line.unit) == ((), "")


def test_a_mapping_without_units_takes_them_as_they_are() -> None:
    bare = load_mapping(TEXT[: TEXT.index("units: {EA")], origin="test")
    assert translate_order(order(unit="KG"), bare, version=1).order.lines[0].unit == "KG"


def test_an_invoice_that_is_not_sound_is_refused_in_the_currency_it_will_have() -> None:
    with pytest.raises(Rejected) as told:
        translate_invoice(invoice(gross=Decimal("200.50"), currency="JPY"), MAPPING, version=1)
    assert told.value.code == "unknown_currency"  # YEN is no currency: the map names a wrong one
    with pytest.raises(Rejected) as told:
        translate_invoice(invoice(gross=Decimal("200.505")), MAPPING, version=1)
    assert told.value.code == "too_many_decimals"


def test_only_a_route_that_reads_backwards_translates() -> None:
    backwards, forwards = Coding(MAPPING, 1, reverse=True), Coding(MAPPING, 1)
    assert isinstance(PURCHASE_ORDER.code(order(), backwards), TranslatedOrder)
    assert isinstance(INVOICE.code(invoice(), backwards), TranslatedInvoice)
    with pytest.raises(Parked, match="business unit"):
        PURCHASE_ORDER.code(order(), forwards)


@given(st.sampled_from(["51200", "51300"]), st.sampled_from(["CC10", "CC20"]), st.sampled_from(["EA", "HUR"]))
def test_there_and_back_is_where_it_began(account: str, center: str, unit: str) -> None:
    there = (
        look_up(MAPPING.accounts, account, DAY),
        look_up(MAPPING.cost_centers.map, center, DAY),
        look_up(MAPPING.units, unit, DAY),
    )
    assert all(there)
    line = translated(order(part(str(there[0]), str(there[1])), unit=str(there[2]))).order.lines[0]
    assert (line.allocations[0].account, line.allocations[0].cost_center, line.unit) == (account, center, unit)
