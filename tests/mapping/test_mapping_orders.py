from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from support.orders import MAPPING, coded, line, order, split

from airflow_provider_mlconnector.documents.invoice import Allocation, PaymentTerms
from airflow_provider_mlconnector.documents.purchase_order import OrderStatus
from airflow_provider_mlconnector.errors import ConfigurationError, DocumentError
from airflow_provider_mlconnector.mapping.load import load_mapping


def test_every_code_of_an_order_is_the_targets() -> None:
    result = coded(order(line(taxable=True, commodity="31160000"), line(2, item=""), terms=PaymentTerms(code="NET60")))
    assert (result.company, result.branch, result.currency, result.terms_code) == ("EDU1", "10", "$", "60")
    assert (result.warehouse, result.tax_status) == ("MN", "N")
    assert [(c.unit, c.product_class, c.tax_code) for c in result.lines] == [("EA", "MRO", "A"), ("EA", "GEN", "Z")]
    assert [share.gl_code for share in result.lines[0].shares] == ["10-5120"]


def test_a_business_unit_may_have_a_warehouse_of_its_own() -> None:
    assert coded(order(business_unit="PLANT2")).warehouse == "S2"


def test_parts_of_one_account_are_one_share() -> None:
    (result,) = coded(order(line(allocations=split(("CC10", "30"), ("CC20", "30"), ("CC10", "40"))))).lines
    assert [(share.gl_code, share.weight) for share in result.shares] == [("10-5120", 70), ("20-5120", 30)]


def test_amounts_weigh_as_amounts() -> None:
    parts = (
        Allocation(account="51200", cost_center="CC10", amount=Decimal("25.50")),
        Allocation(account="51300", cost_center="CC10", amount=Decimal("99.50")),
    )
    (result,) = coded(order(line(allocations=parts))).lines
    assert [(share.gl_code, str(share.weight)) for share in result.shares] == [
        ("10-5120", "25.50"),
        ("10-5130", "99.50"),
    ]


def test_a_line_nobody_is_named_for_has_no_shares_unless_there_is_a_default_account() -> None:
    bare = order(line(allocations=()))
    assert coded(bare).lines[0].shares == ()
    (share,) = coded(bare, MAPPING + 'defaults: {account: "5120", cost_center: "20"}\n').lines[0].shares
    assert share.gl_code == "20-5120"


def test_codes_with_dates_are_those_of_the_order_date() -> None:
    text = MAPPING.replace("EA: EA", "EA: [{to: EA, until: 2026-11-30}, {to: ST, from: 2026-12-01}]")
    days = (date(2026, 11, 30), date(2026, 12, 1))
    assert [coded(order(order_date=day), text).lines[0].unit for day in days] == ["EA", "ST"]


@pytest.mark.parametrize(
    ("changes", "code", "subject"),
    [
        ({"business_unit": "PLANT9"}, "unmapped_business_unit", "PLANT9"),
        ({"business_unit": ""}, "unmapped_business_unit", ""),
        ({"currency": "GBP"}, "unmapped_currency", "GBP"),
        ({"terms": PaymentTerms(code="NET99")}, "unmapped_terms", "NET99"),
        ({"lines": (line(unit="PAL"),)}, "unmapped_unit", "PAL"),
        (
            {"lines": (line(allocations=(Allocation(account="59999", percent=Decimal(100)),)),)},
            "missing_cost_center",
            None,
        ),
        ({"lines": (line(allocations=split(("CC99", "100"))),)}, "unmapped_cost_center", "CC99"),
    ],
)
def test_what_is_not_mapped_is_named(changes: dict[str, object], code: str, subject: str | None) -> None:
    with pytest.raises(DocumentError) as caught:
        coded(order(**changes))
    assert (caught.value.code, caught.value.subject) == (code, subject)


def test_what_is_canceled_needs_no_codes() -> None:
    dead = line(2, quantity="0", unit="PAL", allocations=split(("CC99", "100")))
    assert [each.line.number for each in coded(order(line(), dead)).lines] == [1]
    assert coded(order(dead, status=OrderStatus.CANCELED, currency="GBP")).lines == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("orders: {warehose: MN}", "unknown key orders.warehose (did you mean warehouse?)"),
        ("units:\n  EA: {too: EA}", "unknown key units.EA.too (did you mean to?)"),
        ("product_clases: {}", "unknown key product_clases (did you mean product_classes?)"),
        ("orders: {tax_status: Y}", "orders.tax_status"),
    ],
)
def test_a_slip_in_the_sections_of_orders_is_named_with_its_line(text: str, words: str) -> None:
    head = MAPPING.split("\nunits:")[0] + "\n"
    with pytest.raises(ConfigurationError) as caught:
        load_mapping(head + text + "\n", origin="file x.yaml")
    assert words in caught.value.message
    assert f"line {len(head.splitlines()) + 1 + text.count(chr(10))}" in caught.value.message
