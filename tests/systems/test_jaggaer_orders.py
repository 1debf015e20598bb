from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.invoices import allocations, currencies, days, keys, nonzero, texts

from airflow_provider_mlconnector.documents.currency import EXACT, round_to_minor
from airflow_provider_mlconnector.documents.invoice import Allocation, Charge, ChargeKind, PaymentTerms
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.fields import dumps
from airflow_provider_mlconnector.systems.jaggaer.orders import decode, order_rows
from airflow_provider_mlconnector.systems.jaggaer.rows import completed, read
from airflow_provider_mlconnector.systems.ports import Eligibility

FORM = order_rows(JaggaerContract().purchase_orders)
STAMP = "2026-01-15T10:20:30.400Z"


def order(lines: list[dict[str, Any]] | None = None, **header: Any) -> dict[str, Any]:
    base = {
        "poId": 700001,
        "poNumber": "0000000310",
        "revisionNumber": 2,
        "createDate": "2026-01-10T08:00:00.000Z",
        "lastUpdate": STAMP,
        "status": "Sent",
        "workflowStatus": "Completed",
        "businessUnit": "PLANT1",
        "supplier": {"supplierNumber": "V00042", "name": "Northbridge Tooling"},
        "requestor": {"username": "buyer1"},
        "terms": {"standardPaymentTermsCode": "NET30", "daysAfter": 30},
        "currency": "USD",
        "total": {"currency": "USD", "value": 200.0},
    }
    return {"header": base | header, "lineList": {"poLine": [line()] if lines is None else lines}}


def line(**fields: Any) -> dict[str, Any]:
    base = {
        "lineNumber": 1,
        "item": {"catalogNumber": "DB-8", "description": "Drill bits 8mm", "unitOfMeasure": {"dimension": "EA"}},
        "quantity": 10,
        "unitPrice": 20.0,
        "taxable": "true",
        "requestedDeliveryDate": "2026-02-01T00:00:00.000Z",
    }
    return base | fields


def read_order(data: dict[str, Any], **contract: Any) -> PurchaseOrder:
    return decode(json.dumps(data).encode(), JaggaerContract.parse(contract))


def row(**header: Any) -> Any:
    return read(json.dumps({"header": order(**header)["header"]}).encode(), FORM)


def test_an_order_is_read_field_by_field() -> None:
    found = read_order(order())
    assert (found.source_key, found.number, found.supplier) == ("700001", "0000000310", "V00042")
    assert (found.revision_number, found.revision) == (2, "00002@2026-01-15T10:20:30.400000Z")
    assert (found.status, found.currency, found.total) == (OrderStatus.APPROVED, "USD", Decimal(200))
    assert (found.order_date, found.requester, found.business_unit) == (date(2026, 1, 10), "buyer1", "PLANT1")
    assert found.terms == PaymentTerms(code="NET30", days=30)
    only = found.lines[0]
    assert (only.number, only.item, only.unit, only.amount) == (1, "DB-8", "EA", Decimal("200.00"))
    assert (only.taxable, only.requested_date, only.is_canceled) == (True, date(2026, 2, 1), False)


def test_a_row_shows_key_revision_time_and_what_people_want_to_see() -> None:
    found = row()
    assert (found.key, found.revision, found.complete) == ("700001", "00002@2026-01-15T10:20:30.400000Z", False)
    assert found.changed_at == datetime(2026, 1, 15, 10, 20, 30, 400000, tzinfo=UTC)
    shown = found.summary
    assert (shown.number, shown.supplier, shown.kind) == ("0000000310", "V00042", "purchase_order")
    assert (shown.currency, shown.gross, shown.document_date) == ("USD", "200.0", date(2026, 1, 10))


def test_revisions_sort_by_their_number_before_their_time() -> None:
    stamps = [(2, "2026-01-20"), (10, "2026-01-15T00:00:00Z"), (10, "2026-01-15T00:00:00.001Z"), (99_999, "2025-01-01")]
    revisions = [row(revisionNumber=number, lastUpdate=stamp).revision for number, stamp in stamps]
    assert revisions == sorted(set(revisions))


def test_a_tenant_without_revision_numbers_is_ordered_by_time_alone() -> None:
    body = order()
    del body["header"]["revisionNumber"]
    assert read_order(body).revision == "00000@2026-01-15T10:20:30.400000Z"
    assert row(revisionNumber={}).revision == "00000@2026-01-15T10:20:30.400000Z"
    assert row(revisionNumber="3").revision.startswith("00003@")


@pytest.mark.parametrize("number", ["A", -1, 1.5, 100_000, "9" * 5000, True])
def test_a_revision_number_that_cannot_be_ordered_is_recorded_and_refused(number: Any) -> None:
    found = row(revisionNumber=number)
    assert found.key.startswith("unreadable-")
    with pytest.raises(Rejected, match="revisionNumber"):
        read_order(order(revisionNumber=number))


@pytest.mark.parametrize(
    ("status", "workflow", "expected"),
    [
        ("Sent", "Completed", OrderStatus.APPROVED),
        ("approved", "", OrderStatus.APPROVED),
        ("", "Completed", OrderStatus.APPROVED),
        ("Partially received", "Completed", OrderStatus.APPROVED),
        ("Received", "Completed", OrderStatus.CLOSED),
        ("Closed", "", OrderStatus.CLOSED),
        ("Cancelled", "Completed", OrderStatus.CANCELED),
        ("Cancelled", "Rejected", OrderStatus.CANCELED),
        ("Cancelled", "Pending", None),
        ("Sent", "Pending", None),
        ("Pending", "Pending", None),
        ("Rejected", "Rejected", None),
        ("Draft", "", None),
    ],
)
def test_status_words_decide_what_an_order_is(status: str, workflow: str, expected: OrderStatus | None) -> None:
    found = row(status=status, workflowStatus=workflow)
    assert found.eligibility is (Eligibility.NOT_ELIGIBLE if expected is None else Eligibility.ELIGIBLE)
    assert found.status_text == f"status {status or 'missing'}, workflowStatus {workflow or 'missing'}"
    if expected is not None:
        assert read_order(order(status=status, workflowStatus=workflow)).status is expected


@pytest.mark.parametrize(("status", "workflow"), [("Halted", "Completed"), ("Sent", "Odd"), ("", "")])
def test_a_status_nobody_has_explained_is_taken_and_waits_for_the_contract(status: str, workflow: str) -> None:
    body = order(status=status, workflowStatus=workflow)
    assert row(status=status, workflowStatus=workflow).eligibility is Eligibility.ELIGIBLE
    with pytest.raises(Parked) as caught:
        read_order(body)
    assert caught.value.code == "unknown_status"
    if status == "Halted":
        assert read_order(body, purchase_orders={"canceled": ["Halted"]}).status is OrderStatus.CANCELED


def test_a_line_is_canceled_by_quantity_zero_or_by_its_status() -> None:
    lines = [line(quantity=0), line(lineNumber=2, status="cancelled"), line(lineNumber=3, status="Sent")]
    found = read_order(order(lines))
    assert [entry.is_canceled for entry in found.lines] == [True, True, False]
    assert [entry.amount for entry in found.lines] == [0, 0, 200]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"poNumber": {}}, "missing_field", "the PO number (poNumber) is empty"),
        ({"createDate": ""}, "missing_field", "the date of the order"),
        ({"currency": "", "total": {}}, "missing_field", "the currency"),
        ({"currency": "EUR"}, "unreadable_field", "USD, the currency of the total"),
        ({"currency": "ABC", "total": 5}, "unknown_currency", "ABC"),
        ({"lastUpdate": "soon"}, "unreadable_field", "lastUpdate"),
        ({"poId": ""}, "missing_field", "JAGGAER's key of the order"),
    ],
)
def test_what_is_missing_or_wrong_in_the_header_is_named(change: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(Rejected) as caught:
        read_order(order(**change))
    assert caught.value.code == code
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lineNumber": None}, "line 1: the line number (lineNumber) is empty"),
        ({"lineNumber": 1.5}, "line 1: lineNumber is 1.5, but should be a whole number"),
        ({"quantity": ""}, "line 1: the quantity"),
        ({"unitPrice": "abc"}, 'line 1: unitPrice is "abc"'),
    ],
)
def test_what_is_missing_or_wrong_in_a_line_is_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Rejected) as caught:
        read_order(order([line(**change)]))
    assert words in caught.value.message


def test_a_line_number_that_stands_twice_is_refused_because_revisions_could_not_be_matched() -> None:
    with pytest.raises(Rejected) as caught:
        read_order(order([line(), line()]))
    assert (caught.value.code, caught.value.subject) == ("duplicate_line", "1")


def test_an_order_without_supplier_number_is_read_since_the_number_may_come_later() -> None:
    assert read_order(order(supplier={})).supplier == ""


def test_freight_stands_in_the_header_or_else_in_the_lines() -> None:
    in_lines = read_order(order([line(shippingCharge=3), line(lineNumber=2, shippingCharge=4)]))
    assert [charge.amount for charge in in_lines.charges] == [3, 4]
    in_both = read_order(order([line(shippingCharge=7)], shippingCharge=7))
    assert in_both.charges == (Charge(kind=ChargeKind.FREIGHT, amount=Decimal(7)),)


def test_a_header_only_row_takes_lines_and_status_from_its_detail() -> None:
    detail = order(revisionNumber=3, status="Cancelled", lastUpdate="2026-01-16T00:00:00Z")
    found = completed(row(), json.dumps(detail).encode(), FORM)
    assert (found.revision, found.complete) == ("00003@2026-01-16T00:00:00.000000Z", True)
    assert read_order(json.loads(found.payload)).status is OrderStatus.CANCELED


def test_places_and_names_of_a_tenant_are_followed() -> None:
    body = order()
    header = body["header"]
    header["orderKey"], header["version"], header["changed"] = header.pop("poId"), 7, 20260115102030
    contract = {
        "purchase_orders": {
            "id": "header.orderKey",
            "revision": "header.version",
            "modified": "header.changed",
            "time_zone": "Europe/Rome",
        }
    }
    found = read_order(body, **contract)
    assert (found.source_key, found.revision) == ("700001", "00007@2026-01-15T09:20:30.000000Z")


# --- any order -----------------------------------------------------------------------------------------------------


@st.composite
def lines(draw: st.DrawFn, number: int, currency: str) -> OrderLine:
    quantity = draw(st.decimals(0, 10_000, places=3))
    price = draw(st.decimals(0, 10_000, places=4))
    amount = round_to_minor(EXACT.multiply(quantity, price), currency)
    return OrderLine(
        number=number,
        item=draw(texts),
        description=draw(texts),
        quantity=quantity,
        unit=draw(texts),
        unit_price=price,
        amount=amount,
        commodity=draw(texts),
        taxable=draw(st.sampled_from([None, True, False])),
        allocations=draw(allocations(amount, currency)),
        requested_date=draw(st.none() | days),
    )


@st.composite
def orders(draw: st.DrawFn) -> PurchaseOrder:
    currency, number = draw(currencies), draw(st.integers(0, 99_999))
    stamp = draw(st.datetimes(datetime(1990, 1, 1))).strftime("%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: DTZ001 - hypothesis wants it so
    freight = draw(st.none() | nonzero(currency))
    numbers = draw(st.lists(st.integers(1, 500), unique=True, max_size=3))
    return PurchaseOrder(
        source_key=draw(keys),
        number=draw(keys),
        revision_number=number,
        revision=f"{number:05d}@{stamp}",
        status=draw(st.sampled_from(OrderStatus)),
        supplier=draw(texts),
        supplier_name=draw(texts),
        business_unit=draw(texts),
        order_date=draw(days),
        currency=currency,
        total=draw(st.none() | nonzero(currency)),
        charges=(Charge(kind=ChargeKind.FREIGHT, amount=freight),) if freight else (),
        lines=tuple(draw(lines(line_number, currency)) for line_number in numbers),
        requester=draw(texts),
    )


_WORDS = {OrderStatus.APPROVED: "Sent", OrderStatus.CANCELED: "Cancelled", OrderStatus.CLOSED: "Closed"}


def _split(index: int, part: Allocation) -> dict[str, Any]:
    values = [{"internalName": name, "value": value or {}} for name, value in part.segments.items()]
    share = part.amount if part.amount is not None else part.percent
    return {
        "splitIndex": index,
        "distributionType": "PercentOfPrice" if part.amount is None else "AmountOfPrice",
        "distributionValue": share,
        "customFieldValueList": {"customFieldValue": values},
    }


def _written(found: OrderLine) -> dict[str, Any]:
    splits = [_split(n, part) for n, part in enumerate(found.allocations)]
    entry = {"splittableFieldIndexList": {"splittableFieldIndex": splits}}
    return {
        "lineNumber": found.number,
        "item": {
            "catalogNumber": found.item,
            "description": found.description,
            "unitOfMeasure": {"dimension": found.unit},
            "commodityCode": found.commodity,
        },
        "quantity": found.quantity,
        "unitPrice": found.unit_price,
        "taxable": {None: {}, True: "true", False: "false"}[found.taxable],
        "requestedDeliveryDate": f"{found.requested_date}T00:00:00.000Z" if found.requested_date else None,
        "splittableFieldSetGroupList": {"splittableFieldSetGroup": [{"splittableFieldIndexSet": [entry]}]},
    }


@settings(max_examples=50, deadline=None)
@given(orders())
def test_any_order_in_jaggaers_words_is_read_as_it_is(found: PurchaseOrder) -> None:
    header = {
        "poId": found.source_key,
        "poNumber": found.number,
        "revisionNumber": found.revision_number,
        "lastUpdate": found.revision.partition("@")[2],
        "createDate": f"{found.order_date}T00:00:00.000Z",
        "status": _WORDS[found.status],
        "workflowStatus": "Completed",
        "supplier": {"supplierNumber": found.supplier, "name": found.supplier_name},
        "businessUnit": found.business_unit,
        "requestor": {"username": found.requester},
        "shippingCharge": found.charges[0].amount if found.charges else {},
        "currency": found.currency,
        "total": found.total,
    }
    payload = dumps({"header": header, "lineList": {"poLine": [_written(entry) for entry in found.lines]}})
    assert decode(payload) == found
    listed = read(payload, FORM)
    assert (listed.key, listed.revision, listed.complete) == (found.source_key, found.revision, True)
