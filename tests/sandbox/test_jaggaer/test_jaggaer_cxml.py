from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

import pytest
import requests
from lxml import etree

from airflow_provider_mlconnector.sandbox.jaggaer.cxml_dtd import CXML_DTD


class Supplier:
    """Sends cXML to one tenant as the sender it knows, unless told otherwise."""

    def __init__(self, tenant: Any) -> None:
        self.tenant = tenant
        self.known = tenant.control("GET", "accounts")["jaggaer"]["cxml"]

    def envelope(self, body: str, *, payload: str = "p-1@erp.example", **changed: str) -> str:
        known = {name: escape(str(value)) for name, value in {**self.known, **changed}.items()}
        return (
            f'<cXML payloadID="{payload}" timestamp="2026-01-15T10:20:30+00:00" xml:lang="en-US"><Header>'
            f'<From><Credential domain="DUNS"><Identity>123456789</Identity></Credential></From>'
            f'<To><Credential domain="NetworkID"><Identity>{known["buyer"]}</Identity></Credential></To>'
            f'<Sender><Credential domain="{known["domain"]}"><Identity>{known["identity"]}</Identity>'
            f"<SharedSecret>{known['secret']}</SharedSecret></Credential><UserAgent>test</UserAgent></Sender>"
            f'</Header><Request deploymentMode="test">{body}</Request></cXML>'
        )

    def post(self, where: str, message: str | bytes, *, status: int = 200) -> str:
        data = message.encode() if isinstance(message, str) else message
        url = self.tenant.url + self.known["paths"][where]
        answer = requests.post(url, data, headers={"Content-Type": "application/xml"}, timeout=30)
        assert answer.status_code == status, answer.text
        return answer.text

    def code(self, where: str, message: str | bytes) -> tuple[str, str]:
        found = etree.fromstring(self.post(where, message).encode()).find("Response/Status")
        assert found is not None
        return found.get("code", ""), found.text or ""

    def bill(self, number: str = "NB-1", *, payload: str = "p-1@erp.example", **parts: str) -> tuple[str, str]:
        return self.code("invoices", self.envelope(invoice(number, **parts), payload=payload))

    def ledger(self) -> Any:
        return self.tenant.control("GET", "ledger")["jaggaer"]


def money(amount: str) -> str:
    return f'<Money currency="USD">{amount}</Money>'


def segment(code: str, name: str) -> str:
    return (
        f'<AccountingSegment id="{code}"><Name xml:lang="en-US">{name}</Name>'
        f'<Description xml:lang="en-US">{name}</Description></AccountingSegment>'
    )


SPLIT = "".join(
    f'<Distribution><Accounting name="GL">{segment("51200", "Account")}{segment(center, "CostCenter")}</Accounting>'
    f"<Charge>{money(amount)}</Charge></Distribution>"
    for center, amount in (("CC10", "120.00"), ("CC20", "80.00"))
)


def invoice(
    number: str,
    *,
    order: str = "0000000310",
    purpose: str = "standard",
    operation: str = "new",
    partner: str = "V00001",
    head: str = "",
    item: str = SPLIT,
) -> str:
    contact = f'<Contact role="from" addressID="{partner}"><Name xml:lang="en">N</Name></Contact>'
    contact = f"<InvoicePartner>{contact}</InvoicePartner>"
    return (
        f'<InvoiceDetailRequest><InvoiceDetailRequestHeader invoiceID="{number}" purpose="{purpose}" '
        f'operation="{operation}" invoiceDate="2026-01-10T00:00:00+00:00"><InvoiceDetailHeaderIndicator/>'
        f'<InvoiceDetailLineIndicator isAccountingInLine="yes"/>{contact if partner else ""}{head}'
        f'</InvoiceDetailRequestHeader><InvoiceDetailOrder><InvoiceDetailOrderInfo><OrderReference orderID="{order}">'
        '<DocumentReference payloadID="po-310@sim.example"/></OrderReference></InvoiceDetailOrderInfo>'
        '<InvoiceDetailItem invoiceLineNumber="1" quantity="10"><UnitOfMeasure>EA</UnitOfMeasure>'
        f'<UnitPrice>{money("20.00")}</UnitPrice><InvoiceDetailItemReference lineNumber="3"><ItemID>'
        '<SupplierPartID>DB-8</SupplierPartID></ItemID><Description xml:lang="en-US">Drill bits</Description>'
        f"</InvoiceDetailItemReference><SubtotalAmount>{money('200.00')}</SubtotalAmount>{item}</InvoiceDetailItem>"
        f"</InvoiceDetailOrder><InvoiceDetailSummary><SubtotalAmount>{money('200.00')}</SubtotalAmount>"
        f'<Tax>{money("20.00")}<Description xml:lang="en-US">Sales tax</Description></Tax>'
        f"<ShippingAmount>{money('5.00')}</ShippingAmount><NetAmount>{money('225.00')}</NetAmount>"
        f"<DueAmount>{money('225.00')}</DueAmount></InvoiceDetailSummary></InvoiceDetailRequest>"
    )


def confirmation(order: str) -> str:
    return (
        '<ConfirmationRequest><ConfirmationHeader type="detail" noticeDate="2026-01-11T00:00:00Z" confirmID="C-1"/>'
        f'<OrderReference orderID="{order}"><DocumentReference payloadID="x"/></OrderReference>'
        '<ConfirmationItem quantity="10" lineNumber="1"><UnitOfMeasure>EA</UnitOfMeasure>'
        '<ConfirmationStatus quantity="8" type="detail"><UnitOfMeasure>EA</UnitOfMeasure></ConfirmationStatus>'
        '<ConfirmationStatus quantity="2" type="backordered"><UnitOfMeasure>EA</UnitOfMeasure></ConfirmationStatus>'
        "</ConfirmationItem></ConfirmationRequest>"
    )


@pytest.fixture
def supplier(tenant: Any) -> Supplier:
    return Supplier(tenant)


def test_an_invoice_is_booked_like_one_that_came_by_another_way(supplier: Supplier) -> None:
    assert supplier.bill() == ("200", "")
    (row,) = supplier.ledger()["imported_invoices"]
    assert (row["supplier"], row["number"], row["type"], row["total"], row["by"]) == (
        "V00001", "NB-1", "Invoice", "225.0", "cxml",
    )  # fmt: skip
    shown = supplier.tenant.detail(row["invoice_id"])
    header, (line,) = shown["header"], shown["lineList"]["invoiceLine"]
    assert (header["taxCharge1"], header["shippingCharge"], header["invoiceDate"]) == (
        20.0, 5.0, "2026-01-10T00:00:00.000Z",
    )  # fmt: skip
    assert (line["quantity"], line["unitPrice"], line["poNumber"], line["poLineNumber"]) == (
        10,
        20.0,
        "0000000310",
        "3",
    )
    index_set = line["splittableFieldSetGroupList"]["splittableFieldSetGroup"][0]["splittableFieldIndexSet"][0]
    entries = index_set["splittableFieldIndexList"]["splittableFieldIndex"]
    codes = [[value["value"] for value in e["customFieldValueList"]["customFieldValue"][:2]] for e in entries]
    assert index_set["distributionType"] == "AmountOfPrice"
    assert codes == [["51200", "CC10"], ["51200", "CC20"]]
    assert [entry["distributionValue"] for entry in entries] == [120, 80]
    (attempt,) = supplier.ledger()["write_attempts"]
    assert (attempt["call"], attempt["key"], attempt["outcome"], attempt["message_id"]) == (
        "CxmlInvoice", "V00001/NB-1", "stored", "p-1@erp.example",
    )  # fmt: skip
    assert attempt["invoice_id"] == row["invoice_id"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"identity": "987"}, "401"),
        ({"domain": "NetworkID"}, "401"),
        ({"secret": "wrong"}, "401"),
        ({"buyer": "OTHER"}, "400"),
    ],
)
def test_sender_and_buyer_are_checked_in_the_message(supplier: Supplier, changed: dict[str, str], code: str) -> None:
    assert supplier.code("invoices", supplier.envelope(invoice("NB-1"), **changed))[0] == code
    (attempt,) = supplier.ledger()["write_attempts"]
    assert (attempt["outcome"], attempt["reason"][:3], attempt["key"]) == ("refused", code, "V00001/NB-1")


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("<InvoiceDetailHeaderIndicator/>", "", "406"),
        ('invoiceID="NB-1" ', "", "406"),
        ('purpose="standard"', 'purpose="gift"', "406"),
        ("<UnitOfMeasure>EA</UnitOfMeasure><UnitPrice>", "<UnitPrice>", "406"),
        ("<SubtotalAmount>", "<Subtotal>", "406"),
        ('<Description xml:lang="en-US">Sales tax</Description></Tax>', "</Tax>", "406"),
        ("InvoiceDetailRequest>", "PunchOutSetupRequest>", "406"),
        ("</cXML>", "", "406"),
    ],
)
def test_a_message_that_breaks_the_document_type_is_not_acceptable(
    supplier: Supplier, before: str, after: str, code: str
) -> None:
    sound = supplier.envelope(invoice("NB-1"))
    assert before in sound
    assert supplier.code("invoices", sound.replace(before, after, 1))[0] == code
    assert supplier.ledger()["imported_invoices"] == []


def test_another_kind_of_message_is_a_bad_request(supplier: Supplier) -> None:
    assert supplier.code("invoices", supplier.envelope(confirmation("0000010001")))[0] == "400"
    assert supplier.code("confirmations", "<cXML/>")[0] == "400"


def test_a_doctype_is_read_over_and_an_entity_refused(supplier: Supplier) -> None:
    doctype = '<!DOCTYPE cXML SYSTEM "http://xml.cxml.org/schemas/cXML/1.2.021/InvoiceDetail.dtd">'
    assert supplier.code("invoices", doctype + supplier.envelope(invoice("NB-1")))[0] == "200"
    entity = '<!DOCTYPE cXML [<!ENTITY x "NB-2">]>'
    assert supplier.code("invoices", entity + supplier.envelope(invoice("NB-2")))[0] == "406"


@pytest.mark.parametrize(
    ("parts", "code", "text"),
    [
        ({"partner": "V77777"}, "406", "124(supplierNumber,V77777)"),
        ({"partner": ""}, "406", "124(supplierNumber,)"),
        ({"operation": "delete"}, "450", "Invoices are not deleted"),
        ({"number": ""}, "406", "101(supplierInvoiceNumber)"),
    ],
)
def test_an_invoice_that_cannot_be_booked_says_why(
    supplier: Supplier, parts: dict[str, str], code: str, text: str
) -> None:
    assert supplier.bill(**parts) == (code, text)


def test_an_invoice_number_that_is_taken_is_a_conflict_where_the_tenant_cares(
    new_tenant: Callable[..., Any],
) -> None:
    supplier = Supplier(new_tenant())
    assert [supplier.bill()[0], supplier.bill(payload="p-2@erp.example")[0]] == ["200", "409"]
    supplier = Supplier(new_tenant(jaggaer={"ocr_unique": "off"}))
    assert [supplier.bill()[0], supplier.bill(payload="p-2@erp.example")[0]] == ["200", "200"]
    assert len(supplier.ledger()["imported_invoices"]) == 2


@pytest.mark.parametrize(("mode", "code", "booked"), [("book", "200", 2), ("conflict", "409", 1), ("ok", "200", 1)])
def test_the_same_payload_again_is_what_the_tenant_makes_of_it(
    new_tenant: Callable[..., Any], mode: str, code: str, booked: int
) -> None:
    supplier = Supplier(new_tenant(jaggaer={"ocr_unique": "off", "cxml_same_payload": mode}))
    assert supplier.bill()[0] == "200"
    assert supplier.bill()[0] == code
    assert len(supplier.ledger()["imported_invoices"]) == booked


def test_credit_memos_go_by_their_purpose_and_the_unit_by_extrinsic_or_order(
    new_tenant: Callable[..., Any],
) -> None:
    supplier = Supplier(new_tenant(jaggaer={"purchase_orders": 2}))
    order = supplier.ledger()["purchase_orders"][0]
    unit = '<Extrinsic name="BusinessUnit">PLANT2</Extrinsic>'
    assert supplier.bill("C-1", purpose="creditMemo", head=unit)[0] == "200"
    assert supplier.bill("C-2", order=order["number"], partner="")[0] == "200"
    first, second = supplier.ledger()["imported_invoices"]
    assert (first["type"], second["type"]) == ("Credit memo", "Invoice")
    units = [supplier.tenant.detail(row["invoice_id"])["header"]["businessUnit"] for row in (first, second)]
    assert units == ["PLANT2", order["business_unit"]]
    assert second["supplier"] == order["supplier"]


def test_an_order_has_to_be_named_as_it_was_sent_where_the_tenant_checks(new_tenant: Callable[..., Any]) -> None:
    supplier = Supplier(new_tenant(jaggaer={"purchase_orders": 1, "cxml_order_check": True}))
    assert supplier.bill("A")[0] == "406"
    (file, *_) = supplier.tenant.control("POST", "exports", {"kinds": ["cxml_order"]})["files"]
    payload = etree.fromstring(file["content"].encode()).get("payloadID")
    sent = supplier.envelope(invoice("B", order=file["key"], partner="").replace("po-310@sim.example", payload))
    assert supplier.code("invoices", sent)[0] == "200"


def test_a_confirmation_is_kept_and_one_of_no_order_refused(new_tenant: Callable[..., Any]) -> None:
    supplier = Supplier(new_tenant(jaggaer={"purchase_orders": 1}))
    number = supplier.ledger()["purchase_orders"][0]["number"]
    assert supplier.code("confirmations", supplier.envelope(confirmation(number))) == ("200", "")
    assert supplier.code("confirmations", supplier.envelope(confirmation("0000099999")))[0] == "406"
    (kept,) = supplier.ledger()["confirmations"]
    assert (kept["order"], kept["type"], kept["confirm_id"]) == (number, "detail", "C-1")
    assert kept["lines"][0]["statuses"] == [
        {"type": "detail", "quantity": "8"}, {"type": "backordered", "quantity": "2"},
    ]  # fmt: skip
    assert [a["outcome"] for a in supplier.ledger()["write_attempts"]] == ["stored", "refused"]


def test_success_may_be_a_bare_word_and_the_code_the_http_status(new_tenant: Callable[..., Any]) -> None:
    supplier = Supplier(new_tenant(jaggaer={"cxml_plain_success": True, "cxml_http_status": True}))
    assert supplier.post("invoices", supplier.envelope(invoice("NB-1"))) == "SUCCESS"
    refused = supplier.post("invoices", supplier.envelope(invoice("NB-1")), status=409)
    assert 'code="409"' in refused


def test_a_late_commit_books_after_the_gateway_gave_up(supplier: Supplier) -> None:
    supplier.tenant.control("POST", "faults", [{"kind": "reset_after", "call": "CxmlInvoice", "nth": 1}])
    with pytest.raises(requests.ConnectionError):
        supplier.bill()
    assert [row["number"] for row in supplier.ledger()["imported_invoices"]] == ["NB-1"]


def test_every_state_of_an_order_is_a_file_a_supplier_could_read(new_tenant: Callable[..., Any]) -> None:
    tenant = new_tenant(jaggaer={"purchase_orders": 14})
    orders = {row["number"]: row for row in tenant.control("GET", "ledger")["jaggaer"]["purchase_orders"]}
    files = tenant.control("POST", "exports", {"kinds": ["cxml_order"]})["files"]
    assert len(files) == sum(len(row["states"]) for row in orders.values())
    assert len({file["name"] for file in files}) == len(files)
    for file in files:
        root = etree.fromstring(file["content"].encode())
        CXML_DTD.assertValid(root)
        head = root.find("Request/OrderRequest/OrderRequestHeader")
        assert head.get("orderID") == file["key"]
        assert root.find("Header/To/Credential").findtext("Identity") == orders[file["key"]]["supplier"]
    last = {file["key"]: etree.fromstring(file["content"].encode()) for file in files}
    for number, root in last.items():
        shown = [(line.get("lineNumber"), line.get("quantity")) for line in root.iter("ItemOut")]
        assert shown == [(str(line["line"]), line["quantity"]) for line in orders[number]["lines"]]
    types = {root.find(".//OrderRequestHeader").get("type") for root in last.values()}
    assert {"new", "delete"} <= types


def test_a_later_state_of_an_order_refers_to_the_one_before(new_tenant: Callable[..., Any]) -> None:
    tenant = new_tenant(jaggaer={"purchase_orders": 14})
    sent: dict[str, list[etree._Element]] = {}
    for file in tenant.control("POST", "exports", {"kinds": ["cxml_order"]})["files"]:
        sent.setdefault(file["key"], []).append(etree.fromstring(file["content"].encode()))
    revised = [roots for roots in sent.values() if len(roots) > 1]
    assert revised
    for roots in revised:
        assert roots[0].find(".//OrderRequestHeader/DocumentReference") is None
        for before, after in itertools.pairwise(roots):
            reference = after.find(".//OrderRequestHeader/DocumentReference")
            assert reference.get("payloadID") == before.get("payloadID")


def test_orders_for_suppliers_are_exported_only_where_asked_for(new_tenant: Callable[..., Any]) -> None:
    tenant = new_tenant(jaggaer={"purchase_orders": 1})
    kinds = {file["kind"] for file in tenant.control("POST", "exports", {})["files"]}
    assert kinds == {"purchase_order", "supplier"}
