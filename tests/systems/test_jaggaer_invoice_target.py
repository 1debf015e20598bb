"""What an invoice of the ledger becomes on the wire, and which do not leave."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.into_jaggaer import FENCE
from support.purchases import invoice, invoice_line, part, told

from airflow_provider_mlconnector.documents.currency import add, round_to_minor
from airflow_provider_mlconnector.documents.invoice import Charge, ChargeKind, Invoice, InvoiceKind, InvoiceLine, Tax
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.fields import dumps
from airflow_provider_mlconnector.systems.jaggaer.invoice_out import InvoicePlanner, InvoiceStep, invoice_step
from airflow_provider_mlconnector.systems.jaggaer.invoice_out_json import import_body
from airflow_provider_mlconnector.systems.jaggaer.invoice_out_senders import RouterInvoices, Ways
from airflow_provider_mlconnector.systems.jaggaer.invoice_xml import ocr_message
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.jaggaer.router import Message, Status
from airflow_provider_mlconnector.systems.ports import OutcomeState, StepDraft

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def planned(document: Invoice, *, missing: tuple[ChargeKind, ...] = (), **options: Any) -> StepDraft:
    planner = InvoicePlanner(JaggaerOptions(**options), missing)
    return planner.plan(told(document), {"suppliers": None, "codes": None}, ours="MLC1")


def step_of(document: Invoice, **options: Any) -> InvoiceStep:
    return invoice_step(planned(document, **options))


def as_json(step: InvoiceStep, **contract: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        dumps(import_body(step, JaggaerContract.parse(contract), batch="MLC1", now=NOW)), parse_float=Decimal
    )
    return found


def as_xml(step: InvoiceStep, **contract: Any) -> xml.Element:
    body = ocr_message(step, JaggaerContract.parse(contract), message_id="MLC1").body
    return xml.parse(xml.write(body).encode(), encoding="utf-8")


def charge(kind: ChargeKind, amount: str) -> Charge:
    return Charge(kind=kind, amount=Decimal(amount))


# --- codecs -------------------------------------------------------------------------------------------------------


def test_the_json_import_says_what_was_captured_and_the_rest_like_jaggaers_own_invoices() -> None:
    step = step_of(
        invoice(
            invoice_line(po_number="310", po_line="2"),
            charges=(charge(ChargeKind.FREIGHT, "5.00"), charge(ChargeKind.DISCOUNT, "1.00")),
            taxes=(Tax(code="A", amount=Decimal("20.00")), Tax(code="B", amount=Decimal("0.50"))),
            gross=Decimal("224.50"),
            notes="second reminder",
        ),
        business_unit="PLANT1",
    )
    body = as_json(step)
    assert (body["batchId"], body["batchInfo"]["batchNumber"]) == ("MLC1", "MLC1")
    header, (line,) = body["invoiceOcr"]["invoiceOcrHeader"], body["invoiceOcr"]["invoiceOcrLineList"]["invoiceOcrLine"]
    assert header == {
        "supplierInvoiceNumber": "XN-7781",
        "invoiceType": "Invoice",
        "invoiceDate": "2026-11-02T00:00:00.000Z",
        "dueDate": "2026-12-02T00:00:00.000Z",
        "businessUnit": {"internalName": "PLANT1"},
        "terms": {"standardPaymentTermsCode": "N30"},
        "notes": "second reminder MLC1",
        "supplier": {"supplierNumber": "V00042"},
        "total": {"currency": "USD", "value": Decimal("224.50")},
        "shippingCharge": Decimal("5.00"),
        "discountAmount": Decimal("1.00"),
        "taxCharge1": Decimal("20.00"),
        "taxCharge2": Decimal("0.50"),
    }
    assert line["ocrItem"] == {"description": "Drill bits 8mm", "unitOfMeasure": "EACH"}
    assert line["unitPrice"] == {"currency": "USD", "money": Decimal("20.00")}
    assert (line["poNumber"], line["poLineNumber"], line["quantity"]) == ("310", "2", 10)


def test_casing_and_names_are_the_tenants() -> None:
    writes = {"prefix": "invoiceOCR", "fields": {"due": "", "total": "grandTotal", "splits": ""}}
    body = as_json(step_of(invoice()), invoice_writes=writes)
    header = body["invoiceOCR"]["invoiceOCRHeader"]
    assert "dueDate" not in header
    assert "" not in header
    assert header["grandTotal"] == {"currency": "USD", "value": 200}
    assert "splittableFieldSetGroupList" not in body["invoiceOCR"]["invoiceOCRLineList"]["invoiceOCRLine"][0]


def test_segments_leave_only_where_the_contract_names_them() -> None:
    segments = {"Account": "not this", "Project": "P7", "Grant": "G1"}
    coded = part("51200", "CC10", percent=Decimal(100), segments=segments)
    step = step_of(invoice(invoice_line(allocations=(coded,))))
    allowed = {"custom_fields": ["Project"]}
    (line,) = as_json(step, invoice_writes=allowed)["invoiceOcr"]["invoiceOcrLineList"]["invoiceOcrLine"]
    index_set = line["splittableFieldSetGroupList"]["splittableFieldSetGroup"][0]["splittableFieldIndexSet"][0]
    (split,) = index_set["splittableFieldIndexList"]["splittableFieldIndex"]
    expected = {"Account": "51200", "CostCenter": "CC10", "Project": "P7"}
    assert {
        each["internalName"]: each["value"] for each in split["customFieldValueList"]["customFieldValue"]
    } == expected
    root = as_xml(step, invoice_writes=allowed)
    assert {each.get("name"): xml.text(each, "Value") for each in root.iter("CustomFieldValue")} == expected


@st.composite
def invoices(draw: st.DrawFn) -> Invoice:
    """Return sound invoices, some with lines that no currency holds exactly."""
    lines = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        quantity, price = draw(st.decimals("0.01", 999, places=2)), draw(st.decimals("-99", "999", places=3))
        exact = quantity * price
        lines.append(
            InvoiceLine(
                number=number,
                quantity=quantity,
                unit_price=price,
                amount=round_to_minor(exact, "USD"),
                taxes=draw(st.sampled_from([(), (Tax(code="A", amount=Decimal("1.25")),)])),
                charges=draw(st.sampled_from([(), (charge(ChargeKind.FREIGHT, "2.00"),)])),
            )
        )
    charges = tuple(
        charge(kind, "3.10") for kind in ChargeKind if kind is not ChargeKind.DISCOUNT and draw(st.booleans())
    )
    taxes = draw(
        st.sampled_from([(), (Tax(code="A", amount=Decimal("7.77")),), (Tax(code="C", amount=Decimal("0.01")),)])
    )
    extra = [each.amount for each in (*charges, *taxes)]
    extra += [each.amount for line in lines for each in (*line.charges, *line.taxes)]
    gross = add([*(line.amount for line in lines), *extra])
    return invoice(*lines, charges=charges, taxes=taxes, gross=gross)


def worked_out(header: dict[str, Any], lines: list[dict[str, Any]]) -> set[Decimal]:
    """Return the totals an import may arrive at: rounding each line, or their sum only."""
    exact = [Decimal(line["quantity"]) * Decimal(line["unitPrice"]["money"]) for line in lines]
    names = ("shippingCharge", "handlingCharge", "taxCharge1", "taxCharge2")
    extra = add(Decimal(header.get(name, 0)) for name in names)
    by_line = add(round_to_minor(amount, "USD") for amount in exact)
    return {by_line + extra, round_to_minor(add(exact), "USD") + extra}


@given(invoices())
def test_whatever_leaves_is_worked_out_to_its_total_and_nothing_else_leaves(document: Invoice) -> None:
    exact = add(line.quantity * line.unit_price for line in document.lines)
    one_by_one = add(line.amount for line in document.lines)
    if document.gross < 0:
        with pytest.raises(Rejected):
            planned(document)
        return
    if round_to_minor(exact, "USD") != one_by_one:
        with pytest.raises(Parked, match="JAGGAER's import works out"):
            planned(document)
        return
    step = step_of(document)
    body = as_json(step)["invoiceOcr"]
    assert worked_out(body["invoiceOcrHeader"], body["invoiceOcrLineList"]["invoiceOcrLine"]) == {document.gross}


@given(invoices())
def test_both_ways_tell_the_same(document: Invoice) -> None:
    try:
        step = step_of(document)
    except (Parked, Rejected):
        return
    body, root = as_json(step)["invoiceOcr"], as_xml(step)
    header = xml.child(root, "BuyerInvoiceHeader")
    told_by_json = body["invoiceOcrHeader"]
    assert Decimal(xml.text(header, "GrandTotal/Money")) == told_by_json["total"]["value"]
    for tag, name in (
        ("ShippingCharges", "shippingCharge"),
        ("HandlingCharges", "handlingCharge"),
        ("Tax1", "taxCharge1"),
    ):
        assert Decimal(xml.text(header, f"{tag}/Money") or 0) == told_by_json.get(name, 0)
    amounts = [
        (int(each.get("lineNumber")), Decimal(xml.text(each, "Quantity")), Decimal(xml.text(each, "UnitPrice/Money")))
        for each in root.iter("BuyerInvoiceLine")
    ]
    assert amounts == [
        (each["lineNumber"], each["quantity"], each["unitPrice"]["money"])
        for each in body["invoiceOcrLineList"]["invoiceOcrLine"]
    ]


# --- plans --------------------------------------------------------------------------------------------------------


def test_an_invoice_is_known_by_supplier_number_and_kind() -> None:
    draft = planned(invoice(number=" 0007781 "))
    assert draft.remote_reference == "V00042|7781|invoice"
    assert planned(invoice(kind=InvoiceKind.CREDIT_MEMO)).remote_reference == "V00042|XN-7781|credit_memo"


def test_taxes_outside_the_total_are_not_sent() -> None:
    draft = planned(invoice(taxes=(Tax(code="USE", amount=Decimal("16.00")),)))
    assert invoice_step(draft).taxes == (0, 0)
    assert draft.payload["notes"] == ["taxes stand outside the total and are not sent"]


def test_miscellaneous_charges_go_as_handling_and_it_is_said() -> None:
    draft = planned(
        invoice(
            charges=(charge(ChargeKind.MISCELLANEOUS, "3.00"), charge(ChargeKind.HANDLING, "2.00")),
            gross=Decimal("205.00"),
        )
    )
    assert invoice_step(draft).handling == 5
    assert draft.payload["notes"] == ["miscellaneous charges of 3.00 go as handling"]


def test_three_tax_codes_share_two_taxes() -> None:
    taxes = tuple(Tax(code=code, amount=Decimal(amount)) for code, amount in (("A", "1"), ("B", "2"), ("C", "4")))
    assert step_of(invoice(taxes=taxes, gross=Decimal(207))).taxes == (1, 6)


def test_lines_that_round_differently_one_by_one_do_not_leave() -> None:
    lines = [
        InvoiceLine(number=n, quantity=Decimal(1), unit_price=Decimal("0.335"), amount=Decimal("0.34")) for n in (1, 2)
    ]
    with pytest.raises(Parked, match=r"lines 0\.67 or 0\.68 = 0\.67 or 0\.68, but the total is 0\.68 USD") as raised:
        planned(invoice(*lines, gross=Decimal("0.68")))
    assert raised.value.code == "total_not_reproducible"


def test_three_decimals_stay_three_decimals() -> None:
    step = step_of(invoice(invoice_line(1, "1", "200.125", amount=Decimal("200.125")), currency="KWD"))
    assert as_json(step)["invoiceOcr"]["invoiceOcrHeader"]["total"] == {"currency": "KWD", "value": Decimal("200.125")}


# --- answers of the router ----------------------------------------------------------------------------------------


class Answering:
    """A router that answers one status."""

    timeout = 5.0

    def __init__(self, status: Status) -> None:
        self.status = status

    def send(self, message: Message, **_how: Any) -> Status:
        assert (message.root, message.path) == ("BuyerInvoiceOcrMessage", "/apps/Ocr")
        return self.status


class Tenant:
    """A client of which only the contract is asked."""

    connection = "jaggaer"
    contract = JaggaerContract.parse({"invoice_writes": {"path": "/apps/Ocr"}})


@pytest.mark.parametrize(
    ("code", "text", "state"),
    [
        ("200", "Success", OutcomeState.SUBMITTED),
        ("406", "112(supplierInvoiceNumber,XN-7781)", OutcomeState.DUPLICATE),
        ("406", "no such supplier", OutcomeState.REFUSED),
        ("500", "DTD", OutcomeState.REFUSED),
    ],
)
def test_the_routers_status_decides(code: str, text: str, state: OutcomeState) -> None:
    sender = RouterInvoices(Tenant(), Ways(router=Answering(Status(code, text, {}, text))))  # type: ignore[arg-type]
    outcome = sender.send(step_of(invoice()), reference="MLC1", fence=FENCE)
    assert outcome.state is state
    assert state is OutcomeState.SUBMITTED or text in outcome.text
