"""What cXML documents say, and that they are built as the DTDs want them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.cxml_models import violations
from support.purchases import invoice, invoice_line, line, order, part, told

from airflow_provider_mlconnector.documents.currency import add, minor_unit, round_to_minor
from airflow_provider_mlconnector.documents.invoice import Charge, ChargeKind, Invoice, InvoiceKind, PaymentTerms, Tax
from airflow_provider_mlconnector.documents.purchase_order import OrderStatus
from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.cxml import (
    CxmlIdentity,
    CxmlRequest,
    CxmlStatus,
    envelope,
    read_response,
    response,
)
from airflow_provider_mlconnector.systems.jaggaer.cxml_confirmation import confirmation_request
from airflow_provider_mlconnector.systems.jaggaer.cxml_contract import CxmlContract
from airflow_provider_mlconnector.systems.jaggaer.cxml_invoice import invoice_request
from airflow_provider_mlconnector.systems.jaggaer.invoice_out import InvoicePlanner, InvoiceStep, invoice_step
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions

NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
SECRET = "s3cret<&>"
US = CxmlIdentity("jaggaer", "123456789", "ACME-T", SECRET)


def step_of(document: Invoice, **options: Any) -> InvoiceStep:
    planner = InvoicePlanner(JaggaerOptions(**options))
    return invoice_step(planner.plan(told(document), {"suppliers": None, "codes": None}, ours="MLC1"))


def sent(document: Invoice, *, business_unit: str = "", segments: tuple[str, ...] = (), **cxml: Any) -> xml.Element:
    """Return the message of an invoice as a receiver reads it."""
    contract = JaggaerContract.parse({"cxml": cxml, "invoice_writes": {"custom_fields": list(segments)}})
    request = invoice_request(step_of(document, business_unit=business_unit), contract, reference="MLC1")
    return received(request, contract.cxml)


def received(request: CxmlRequest, contract: CxmlContract | None = None) -> xml.Element:
    text = envelope(request, US, contract or CxmlContract(), now=NOW)
    root = xml.parse(text.encode(), encoding="utf-8")
    assert violations(root) == []
    return root


def charge(kind: ChargeKind, amount: str) -> Charge:
    return Charge(kind=kind, amount=Decimal(amount))


def money(root: xml.Element, path: str) -> Decimal:
    found = xml.child(root, f"Request/InvoiceDetailRequest/{path}/Money")
    assert found is not None, path
    assert found.get("currency") == "USD"
    return Decimal(found.text)


# --- the check itself ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("<Header><From/><To/><Sender/></Header>", "From holds []"),
        ("<Request/>", "cXML holds ['Request']"),
        ('<Response><Status code="200"/></Response>', "Status has no text"),
        ("<Response><Stray/></Response>", "Stray is unknown"),
        ('<Header/><Request deploymentMode="live"/>', "Request@deploymentMode is live"),
    ],
)
def test_the_models_find_what_is_wrong(broken: str, said: str) -> None:
    root = xml.parse(f'<cXML payloadID="1" timestamp="2">{broken}</cXML>'.encode())
    assert any(said in problem for problem in violations(root))


# --- the envelope -------------------------------------------------------------------------------------------------


def test_the_envelope_names_both_sides_and_holds_the_secret_in_the_sender_alone() -> None:
    request = invoice_request(step_of(invoice()), JaggaerContract(), reference="MLC1")
    root = received(request)
    assert (root.get("payloadID"), root.get("timestamp")) == ("MLC1@mlconnector", "2026-11-03T09:00:00+00:00")
    shown = {
        place: [
            (each.get("domain"), xml.text(each, "Identity"), xml.text(each, "SharedSecret"))
            for each in xml.children(xml.child(root, f"Header/{place}"), "Credential")
        ]
        for place in ("From", "To", "Sender")
    }
    assert shown == {
        "From": [("DUNS", "123456789", "")],
        "To": [("NetworkID", "ACME-T", "")],
        "Sender": [("DUNS", "123456789", SECRET)],
    }
    assert SECRET not in xml.write(request.body)
    for holder in (US, request):
        assert "s3cret" not in repr(holder)


@pytest.mark.parametrize(
    ("buyer", "deployment", "mode"),
    [("ACME-T", "", "test"), ("ACME", "", "production"), ("ACME-T", "production", "production")],
)
def test_a_test_id_makes_a_test_message_unless_told_otherwise(buyer: str, deployment: str, mode: str) -> None:
    contract = CxmlContract(deployment=deployment)  # type: ignore[arg-type]
    who = CxmlIdentity("jaggaer", "1", buyer, "s")
    request = confirmation_request(order(), contract, reference="R", now=NOW)
    root = xml.parse(envelope(request, who, contract, now=NOW).encode())
    assert xml.child(root, "Request").get("deploymentMode") == mode


def test_the_document_names_its_dtd_which_the_tenant_may_not_want() -> None:
    request = invoice_request(step_of(invoice()), JaggaerContract(), reference="MLC1")
    head = envelope(request, US, CxmlContract(), now=NOW).splitlines()[:2]
    assert head[0] == '<?xml version="1.0" encoding="UTF-8"?>'
    assert head[1] == '<!DOCTYPE cXML SYSTEM "http://xml.cxml.org/schemas/cXML/1.2.021/InvoiceDetail.dtd">'
    bare = invoice_request(step_of(invoice()), JaggaerContract.parse({"cxml": {"invoice_dtd": ""}}), reference="MLC1")
    assert "DOCTYPE" not in envelope(bare, US, CxmlContract(), now=NOW)


def test_a_repetition_is_the_same_document_but_for_its_time_and_another_reference_is_another() -> None:
    def text(reference: str, now: datetime) -> str:
        request = invoice_request(step_of(invoice()), JaggaerContract(), reference=reference)
        return envelope(request, US, CxmlContract(), now=now)

    later = NOW.replace(hour=11)
    assert text("MLC1", NOW) == text("MLC1", NOW.astimezone(timezone(timedelta(hours=5))))
    assert text("MLC1", NOW).replace("T09:00", "T11:00") == text("MLC1", later)
    assert 'payloadID="MLC2@mlconnector"' in text("MLC2", NOW)


# --- invoices -----------------------------------------------------------------------------------------------------


def full() -> Invoice:
    percents = (part(percent=Decimal(60)), part(center="20", percent=Decimal(40)))
    amounts = (part("5120", "10", amount=Decimal("1.00")), part("5130", "20", amount=Decimal("3.50")))
    return invoice(
        invoice_line(1, po_number="0000000310", po_line="3", allocations=percents),
        invoice_line(2, "3", "1.50", allocations=amounts, description="", unit=""),
        charges=(
            charge(ChargeKind.FREIGHT, "5.00"),
            charge(ChargeKind.HANDLING, "2.00"),
            charge(ChargeKind.MISCELLANEOUS, "0.50"),
            charge(ChargeKind.DISCOUNT, "10.00"),
        ),
        taxes=(Tax(code="ST", amount=Decimal("20.00")), Tax(code="CT", amount=Decimal("1.25"))),
        gross=Decimal("223.25"),
        supplier_name="Northbridge <Tooling>",
        terms=PaymentTerms(code="N30", days=30, discount_percent=Decimal("2.5"), discount_days=10),
        notes="second reminder",
    )


def test_an_invoice_is_told_field_by_field() -> None:
    root = sent(full(), business_unit="PLANT1")
    header = xml.child(root, "Request/InvoiceDetailRequest/InvoiceDetailRequestHeader")
    assert dict(header.attrib) == {
        "invoiceID": "XN-7781",
        "purpose": "standard",
        "operation": "new",
        "invoiceDate": "2026-11-02T00:00:00+00:00",
    }
    contact = xml.child(header, "InvoicePartner/Contact")
    assert (contact.get("role"), contact.get("addressID")) == ("from", "V00042")
    assert xml.text(contact, "Name") == "Northbridge <Tooling>"
    assert xml.child(header, "InvoiceDetailLineIndicator").get("isAccountingInLine") == "yes"
    early, net = xml.children(header, "PaymentTerm")
    assert (early.get("payInNumberOfDays"), xml.child(early, "Discount/DiscountPercent").get("percent")) == (
        "10",
        "2.5",
    )
    assert net.get("payInNumberOfDays") == "30"
    assert (xml.text(header, "Comments"), xml.text(header, "Extrinsic")) == ("second reminder MLC1", "PLANT1")
    assert xml.child(header, "Extrinsic").get("name") == "BusinessUnit"


def test_the_summary_adds_up_and_tells_the_taxes_apart() -> None:
    root = sent(full())
    told_ = {
        path: money(root, f"InvoiceDetailSummary/{path}")
        for path in (
            "SubtotalAmount",
            "Tax",
            "SpecialHandlingAmount",
            "ShippingAmount",
            "GrossAmount",
            "InvoiceDetailDiscount",
            "NetAmount",
            "DueAmount",
        )
    }
    assert {path: f"{amount}" for path, amount in told_.items()} == {
        "SubtotalAmount": "204.50",
        "Tax": "21.25",
        "SpecialHandlingAmount": "2.50",
        "ShippingAmount": "5.00",
        "GrossAmount": "233.25",
        "InvoiceDetailDiscount": "10.00",
        "NetAmount": "223.25",
        "DueAmount": "223.25",
    }
    details = [(each.get("category"), xml.text(each, "TaxAmount/Money")) for each in root.iter("TaxDetail")]
    assert details == [("tax1", "1.25"), ("tax2", "20.00")]


def test_lines_stand_with_their_order_and_shares_become_amounts() -> None:
    root = sent(full())
    (first, second) = root.iter("InvoiceDetailOrder")
    assert xml.child(first, "InvoiceDetailOrderInfo/OrderReference").get("orderID") == "0000000310"
    # an order's own payloadID is known to nobody here
    assert xml.child(first, "InvoiceDetailOrderInfo/OrderReference/DocumentReference").get("payloadID") == ""
    assert xml.child(second, "InvoiceDetailOrderInfo/OrderReference").get("orderID") is None
    item = xml.child(first, "InvoiceDetailItem")
    assert (item.get("invoiceLineNumber"), item.get("quantity")) == ("1", "10")
    assert xml.child(item, "InvoiceDetailItemReference").get("lineNumber") == "3"
    shown = [
        (
            {xml.text(each, "Name"): each.get("id") for each in split.iter("AccountingSegment")},
            xml.text(split, "Charge/Money"),
        )
        for split in item.iter("Distribution")
    ]
    assert shown == [
        ({"Account": "5120", "CostCenter": "10"}, "120.00"),
        ({"Account": "5120", "CostCenter": "20"}, "80.00"),
    ]
    other = xml.child(second, "InvoiceDetailItem")
    assert xml.text(other, "UnitOfMeasure") == "EA"
    assert [xml.text(split, "Charge/Money") for split in other.iter("Distribution")] == ["1.00", "3.50"]


def test_lines_of_one_order_stand_together_wherever_they_are() -> None:
    lines = [invoice_line(n, po_number=number) for n, number in enumerate(("A", "B", "A", ""), start=1)]
    root = sent(invoice(*lines), order_payload="po-{number}@acme.example")
    shown = [
        (
            each.find(".//DocumentReference").get("payloadID"),
            [item.get("invoiceLineNumber") for item in each.iter("InvoiceDetailItem")],
        )
        for each in root.iter("InvoiceDetailOrder")
    ]
    assert shown == [("po-A@acme.example", ["1", "3"]), ("po-B@acme.example", ["2"]), ("", ["4"])]


def test_codes_beside_account_and_cost_center_go_where_the_contract_names_them() -> None:
    coded = part("51200", "CC10", percent=Decimal(100), segments={"Project": "P7", "Grant": "G1"})
    root = sent(invoice(invoice_line(allocations=(coded,))), segments=("Project",))
    assert {xml.text(each, "Name"): each.get("id") for each in root.iter("AccountingSegment")} == {
        "Account": "51200",
        "CostCenter": "CC10",
        "Project": "P7",
    }


def test_lines_without_codes_carry_no_accounting() -> None:
    root = sent(invoice(invoice_line(allocations=())))
    assert list(root.iter("Distribution")) == []
    assert dict(xml.child(root, "Request/InvoiceDetailRequest/InvoiceDetailRequestHeader")[1].attrib) == {}


def test_a_credit_memo_says_so_and_names_its_original() -> None:
    memo = invoice(kind=InvoiceKind.CREDIT_MEMO, original_number="XN-1")
    root = sent(memo)
    header = xml.child(root, "Request/InvoiceDetailRequest/InvoiceDetailRequestHeader")
    assert (header.get("purpose"), xml.child(header, "InvoiceIDInfo").get("invoiceID")) == ("creditMemo", "XN-1")
    assert money(root, "InvoiceDetailSummary/DueAmount") == 200
    assert xml.child(sent(invoice(original_number="XN-1")), "Request").find(".//InvoiceIDInfo") is None


def test_a_tenant_may_want_credit_memos_with_negative_sums() -> None:
    memo = invoice(kind=InvoiceKind.CREDIT_MEMO, taxes=(Tax(code="A", amount=Decimal(20)),), gross=Decimal(220))
    root = sent(memo, credit_sign="negative", credit_purpose="lineLevelCreditMemo")
    header = xml.child(root, "Request/InvoiceDetailRequest/InvoiceDetailRequestHeader")
    assert header.get("purpose") == "lineLevelCreditMemo"
    amounts = {Decimal(each.text) for each in root.iter("Money") if each.getparent().tag != "UnitPrice"}
    assert amounts == {Decimal(-200), Decimal(-20), Decimal(-220)}
    (item,) = root.iter("InvoiceDetailItem")
    assert (item.get("quantity"), xml.text(item, "UnitPrice/Money")) == ("-10", "20.00")
    # an invoice keeps its signs, whatever the tenant wants of credit memos
    assert money(sent(invoice(), credit_sign="negative"), "InvoiceDetailSummary/DueAmount") == 200


def test_a_due_date_before_the_invoice_is_left_out() -> None:
    root = sent(invoice(due_date=date(2026, 11, 1), terms=None))
    assert list(root.iter("PaymentTerm")) == []


AMOUNTS = st.decimals("0.01", "99999", places=2)
CODES = st.text("ABCxyz0123&<>\"' é", min_size=1, max_size=8).filter(lambda text: text.strip() == text)


@st.composite
def invoices(draw: st.DrawFn) -> Invoice:
    """Return invoices as they come: any number of orders, splits by share or amount, taxes and charges or none."""

    def one(number: int) -> Any:
        quantity, price = draw(st.integers(-50, 500)), draw(AMOUNTS)
        amount = round_to_minor(quantity * price, "USD")
        shares = draw(st.sampled_from([(100,), (60, 40), (33, 33, 34), ()]))
        parts = tuple(part(draw(CODES), draw(CODES), percent=Decimal(share)) for share in shares)
        if parts and draw(st.booleans()):
            cut = round_to_minor(amount / 3, "USD")
            parts = (part(draw(CODES), amount=cut), part(draw(CODES), amount=amount - cut))
        fields = {"amount": amount, "allocations": parts, "po_number": draw(st.sampled_from(["", "310", "311"]))}
        return invoice_line(number, str(quantity), f"{price}", description=draw(CODES), **fields)

    lines = [one(number) for number in range(1, draw(st.integers(1, 4)) + 1)]
    charges = tuple(
        Charge(kind=kind, amount=draw(AMOUNTS)) for kind in draw(st.sets(st.sampled_from(list(ChargeKind))))
    )
    taxes = tuple(Tax(code=code, amount=draw(AMOUNTS)) for code in draw(st.sets(st.sampled_from("ABC"))))
    signs = {ChargeKind.DISCOUNT: -1}
    extra = [each.amount * signs.get(each.kind, 1) for each in charges] + [each.amount for each in taxes]
    gross = add([*(each.amount for each in lines), *extra])
    assume(gross > 0)
    return invoice(
        *lines,
        kind=draw(st.sampled_from(list(InvoiceKind))),
        charges=charges,
        taxes=taxes,
        gross=gross,
        supplier_name=draw(CODES),
        notes=draw(st.text("a\n\x00\x85\ufffe]]>", max_size=5)),
    )


@given(document=invoices(), sign=st.sampled_from(["positive", "negative"]))
def test_any_invoice_is_valid_and_comes_out_to_the_cent(document: Invoice, sign: str) -> None:
    root = sent(document, credit_sign=sign)
    factor = -1 if sign == "negative" and document.kind is InvoiceKind.CREDIT_MEMO else 1
    summary = "InvoiceDetailSummary"
    assert money(root, f"{summary}/DueAmount") == document.gross * factor
    assert money(root, f"{summary}/SubtotalAmount") == add(each.amount for each in document.lines) * factor
    parts = [money(root, f"{summary}/{path}") for path in ("SubtotalAmount", "Tax")]
    parts += [Decimal(each[0].text) for tag in ("SpecialHandlingAmount", "ShippingAmount") for each in root.iter(tag)]
    assert add(parts) == money(root, f"{summary}/GrossAmount")
    by_number = {item.get("invoiceLineNumber"): item for item in root.iter("InvoiceDetailItem")}
    assert by_number.keys() == {str(each.number) for each in document.lines}
    for each in document.lines:
        item = by_number[str(each.number)]
        charged = [Decimal(xml.text(split, "Charge/Money")) for split in item.iter("Distribution")]
        assert (add(charged) == each.amount * factor) if each.allocations else not charged
        assert all(amount % minor_unit("USD") == 0 for amount in charged)
        codes = [segment.get("id") for segment in item.iter("AccountingSegment")]
        assert codes == [code for split in each.allocations for code in (split.account, split.cost_center)]


# --- confirmations ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "answer", "items"),
    [
        (order(), "accept", []),
        (order(status=OrderStatus.CANCELED), "reject", []),
        (order(line(1), line(2, "0")), "except", [("1", "10", "accept"), ("2", "0", "reject")]),
    ],
)
def test_a_confirmation_says_what_became_of_the_order(document: Any, answer: str, items: list[Any]) -> None:
    contract = CxmlContract(order_payload="po-{number}@acme.example")
    request = confirmation_request(document, contract, reference="MLC7", now=NOW, comments="held in the ledger")
    root = received(request)
    header = xml.child(root, "Request/ConfirmationRequest/ConfirmationHeader")
    assert (header.get("type"), header.get("confirmID"), header.get("operation")) == (answer, "MLC7", "new")
    assert xml.text(header, "Comments") == "held in the ledger"
    reference = xml.child(root, "Request/ConfirmationRequest/OrderReference")
    assert (reference.get("orderID"), reference[0].get("payloadID")) == ("7700310", "po-7700310@acme.example")
    shown = [
        (item.get("lineNumber"), item.get("quantity"), xml.child(item, "ConfirmationStatus").get("type"))
        for item in root.iter("ConfirmationItem")
    ]
    assert shown == items


def test_the_total_of_an_order_goes_along_where_it_is_known() -> None:
    root = received(confirmation_request(order(total=Decimal("200.00")), CxmlContract(), reference="R", now=NOW))
    assert xml.text(root, "Request/ConfirmationRequest/ConfirmationHeader/Total/Money") == "200.00"


# --- statuses -----------------------------------------------------------------------------------------------------


@given(code=st.integers(100, 999), text=st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"])))
def test_a_status_is_read_back_as_it_was_written(code: int, text: str) -> None:
    written = response(CxmlStatus(code, text), payload="r-1@acme.example", now=NOW)
    assert violations(xml.parse(written.encode(), encoding="utf-8")) == []
    assert read_response(written.encode(), "it") == CxmlStatus(code, text)


@pytest.mark.parametrize(
    ("code", "taken", "refused"),
    [
        (200, True, False),
        (201, True, False),
        (281, True, False),
        (406, False, True),
        (450, False, True),
        (500, False, False),
        (560, False, False),
        (302, False, False),
        (100, False, False),
    ],
)
def test_codes_say_whether_a_message_was_taken_refused_or_neither(code: int, taken: bool, refused: bool) -> None:
    status = CxmlStatus(code, "")
    assert (status.taken, status.refused) == (taken, refused)


def test_what_a_status_holds_beside_its_text_is_told_too() -> None:
    body = b'<cXML><Response><Status code="406" text="Not Acceptable">line 3:\n  no price</Status></Response></cXML>'
    assert read_response(body, "it").words == "JAGGAER answered cXML status 406: Not Acceptable: line 3: no price"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"SUCCESS",
        b"<html><body>Status 200</body></html>",
        b"<cXML/>",
        b"<cXML><Response/></cXML>",
        b'<cXML><Response><Status text="OK"/></Response></cXML>',
        b'<cXML><Response><Status code="OK" text="OK"/></Response></cXML>',
        b'<cXML><Response><Status code="20" text="OK"/></Response></cXML>',
        b'<Response><Status code="200" text="OK"/></Response>',
        b'<cXML><Request><Status code="200" text="OK"/></Request></cXML>',
        b'<cXML><Response><Status code="200" text="OK"/></Response>',
        b'<!DOCTYPE cXML [<!ENTITY x "200">]><cXML><Response><Status code="&x;" text="OK"/></Response></cXML>',
    ],
)
def test_anything_else_is_no_status(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_response(body, "the answer")
