from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

import pytest
import requests
from lxml import etree

ORDERS = "/j1p/api/public/ji/v1/purchaseorders"
PROFILES = "/j1p/api/public/ja/v1/companyprofiles"
SUPPLIERS_XML, ORDERS_XML, INVOICES_XML = (
    "SupplierSyncMessage",
    "PurchaseOrderMessage",
    "BuyerInvoiceOcrMessage",
)


class Sender:
    """Sends XML messages to one tenant's router and reads its answers."""

    def __init__(self, tenant: Any) -> None:
        self.tenant = tenant
        self.router = tenant.control("GET", "router")

    def message(self, root: str, content: str, *, identity: str | None = None, secret: str | None = None) -> str:
        identity = self.router["identity"] if identity is None else identity
        secret = self.router["shared_secret"] if secret is None else secret
        return (
            f'<{root} version="1.0"><Header><MessageId>m-1</MessageId><Timestamp>2026-01-15T10:20:30Z</Timestamp>'
            f"<Authentication><Identity>{escape(identity)}</Identity><SharedSecret>{escape(secret)}</SharedSecret>"
            f"</Authentication></Header>{content}</{root}>"
        )

    def post(self, root: str, body: str | bytes, content_type: str = "text/xml") -> etree._Element:
        data = body.encode() if isinstance(body, str) else body
        answer = requests.post(self.router["urls"][root], data, headers={"Content-Type": content_type}, timeout=30)
        assert answer.status_code == 200, answer.text
        shown = etree.fromstring(answer.content)
        assert shown.tag == root
        return shown

    def send(self, root: str, content: str, **options: str) -> etree._Element:
        return self.post(root, self.message(root, content, **options))

    def suppliers(self, *suppliers: str) -> etree._Element:
        return self.send(SUPPLIERS_XML, f"<SupplierRequestMessage>{''.join(suppliers)}</SupplierRequestMessage>")

    def ledger(self) -> Any:
        return self.tenant.control("GET", "ledger")["jaggaer"]

    def row(self, number: str) -> Any:
        return next(row for row in self.ledger()["suppliers"] if row["number"] == number)


def code(answer: etree._Element) -> str:
    return (answer.findtext(".//StatusCode") or "").strip()


def words(answer: etree._Element, path: str = ".//StatusText") -> str:
    return (answer.findtext(path) or "").strip()


def supplier(number: str, content: str) -> str:
    return f"<Supplier><ERPNumber>{number}</ERPNumber>{content}</Supplier>"


def order(number: str, head: str = "", line: str = "", *, kind: str = "", revision: int = 0) -> str:
    attribute = f' type="{kind}"' if kind else ""
    return (
        f"<PurchaseOrder><POHeader{attribute}><RevisionNumber>{revision}</RevisionNumber><PONumber>{number}</PONumber>"
        "<Supplier><SupplierNumber>V00001</SupplierNumber><Name>N</Name></Supplier>"
        f'{head}</POHeader><POLine linenumber="1"><Item><CatalogNumber>A100</CatalogNumber>'
        "<Description>Bearing</Description></Item><Quantity>10</Quantity>"
        f'<LineCharges><UnitPrice><Money currency="USD">2.50</Money></UnitPrice></LineCharges>{line}</POLine>'
        "</PurchaseOrder>"
    )


SPLIT = (
    '<CustomFieldValueSet name="Account" distributiontype="AmountOfPrice">'
    '<CustomFieldValue splitindex="1" distributionvalue="15.00"><Value>51200</Value></CustomFieldValue>'
    '<CustomFieldValue splitindex="2" distributionvalue="10.00"><Value>51300</Value></CustomFieldValue>'
    '</CustomFieldValueSet><CustomFieldValueSet name="CostCenter" distributiontype="AmountOfPrice">'
    '<CustomFieldValue splitindex="1" distributionvalue="15.00"><Value>CC10</Value></CustomFieldValue>'
    '<CustomFieldValue splitindex="2" distributionvalue="10.00"><Value>CC20</Value></CustomFieldValue>'
    "</CustomFieldValueSet>"
)


@pytest.fixture
def sender(tenant: Any) -> Sender:
    return Sender(tenant)


def test_the_router_says_where_it_takes_what(sender: Sender) -> None:
    assert set(sender.router) == {"urls", "identity", "shared_secret"}
    assert sender.router["urls"][SUPPLIERS_XML] == f"{sender.tenant.url}/apps/Router/TSMSupplierXMLImport"
    assert sender.router["urls"][ORDERS_XML] == f"{sender.tenant.url}/apps/Router/POXMLImport"
    assert requests.get(sender.router["urls"][ORDERS_XML], timeout=30).status_code == 405
    assert requests.post(f"{sender.tenant.url}/apps/Router/Other", "<x/>", timeout=30).status_code == 404


@pytest.mark.parametrize("root", [SUPPLIERS_XML, ORDERS_XML, INVOICES_XML])
@pytest.mark.parametrize(("who", "expected"), [({"identity": "nobody"}, "401"), ({"secret": "wrong"}, "403")])
def test_a_sender_is_known_by_the_credentials_in_the_message(
    sender: Sender, root: str, who: dict[str, str], expected: str
) -> None:
    answer = sender.send(root, "", **who)
    assert code(answer) == expected
    assert answer.findtext(".//RelatedMessageId", "").strip() == "m-1"
    (attempt,) = sender.ledger()["write_attempts"]
    assert (attempt["outcome"], attempt["reason"][:3], attempt["message_id"]) == ("refused", expected, "m-1")


@pytest.mark.parametrize(
    "body",
    [
        b"<not closed",
        b"",
        b"<Other/>",
        b"<SupplierSyncMessage/>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><SupplierSyncMessage><Header>&x;</Header></SupplierSyncMessage>',
    ],
)
def test_what_cannot_be_read_is_status_500_in_http_200(sender: Sender, body: bytes) -> None:
    assert code(sender.post(SUPPLIERS_XML, body)) == "500"


@pytest.mark.parametrize("content_type", ["text/xml", "application/xml", "text/plain"])
def test_content_types_in_use_are_taken_and_a_doctype_is_read_over(sender: Sender, content_type: str) -> None:
    doctype = (
        '<!DOCTYPE SupplierSyncMessage SYSTEM "https://usertest.sciquest.com/app_docs/dtd/supplier/TSMSupplier.dtd">'
    )
    request = f"<SupplierRequestMessage>{supplier('V00001', '<Active>No</Active>')}</SupplierRequestMessage>"
    assert code(sender.post(SUPPLIERS_XML, doctype + sender.message(SUPPLIERS_XML, request), content_type)) == "200"
    assert sender.row("V00001")["profile"]["status"] == "INACTIVE"


def test_a_supplier_message_and_the_profile_are_one_record(sender: Sender) -> None:
    before = sender.row("V00002")
    sender.tenant.control("POST", "clock", {"advance": 60})
    parts = (
        "<Name>  Müller &amp; Söhne\n </Name><CountryOfOrigin>DE</CountryOfOrigin><Active>Yes</Active>"
        '<BusinessUnitVendorNumberList><BusinessUnitVendorNumber businessUnitInternalName="PLANT1">V00002'
        "</BusinessUnitVendorNumber></BusinessUnitVendorNumberList>"
        "<VatIdentificationNumber>DE9</VatIdentificationNumber>"
        '<AddressList><Address type="remitto"><ERPNumber>V00002-R1</ERPNumber><City>Leeds</City></Address>'
        "</AddressList>"
        "<LocationList><Location><ERPNumber>V00002-L1</ERPNumber><TermsAndCondition><PaymentTerms>"
        "<StandardPaymentTermsCode>NET60</StandardPaymentTermsCode></PaymentTerms></TermsAndCondition></Location>"
        '</LocationList><AccountsPayableList><AccountsPayable type="check"><ERPNumber>B1</ERPNumber><AssociatedAddress>'
        "<AddressRef><ERPNumber>V00002-R1</ERPNumber></AddressRef></AssociatedAddress><AccountId>0010777</AccountId>"
        "</AccountsPayable></AccountsPayableList>"
    )
    answer = sender.suppliers(supplier("V00002", parts))
    assert (code(answer), words(answer)) == (
        "200",
        "OK - documents attempted: 1, completed: 1, successful without warnings: 1",
    )
    row = sender.row("V00002")
    assert (row["profile"]["companyName"], row["profile"]["isoCountry"]) == ("Müller & Söhne", "DE")
    assert row["vendor_numbers"] == {"PLANT1": "V00002"}
    address = row["parts"]["AddressList"]["V00002-R1"]
    kept = before["parts"]["AddressList"]["V00002-R1"]["AddressLine1"]
    assert (address["City"], address["AddressLine1"]) == ("Leeds", kept)
    terms = row["parts"]["LocationList"]["V00002-L1"]["TermsAndCondition"]["PaymentTerms"]
    assert terms == {"StandardPaymentTermsCode": "NET60"}
    assert row["parts"]["AccountsPayableList"]["B1"]["AccountId"] == "0010777"
    shown = sender.tenant.raw("GET", PROFILES, params={"flt": "extCode==V00002"}).json()["returnCompanyData"][0]
    assert shown["returnCompanyInfo"]["euVat"] == "DE9"
    assert (row["changed_by"], row["at"] > before["at"]) == ("router", True)


def test_what_the_profile_has_no_field_for_is_kept_and_an_empty_element_clears_it(sender: Sender) -> None:
    parent = "<ParentSupplier><ERPNumber>V00001</ERPNumber></ParentSupplier>"
    assert code(sender.suppliers(supplier("V00002", f"<DoingBusinessAs>X</DoingBusinessAs>{parent}"))) == "200"
    assert sender.row("V00002")["tsm"] == {"DoingBusinessAs": "X", "ParentSupplier": {"ERPNumber": "V00001"}}
    assert code(sender.suppliers(supplier("V00002", "<DoingBusinessAs/><DUNS/>"))) == "200"
    assert sender.row("V00002")["tsm"] == {"ParentSupplier": {"ERPNumber": "V00001"}}


def test_a_supplier_is_found_by_each_of_its_keys_and_made_when_new(sender: Sender) -> None:
    sq_id = sender.row("V00003")["sq_id"]
    new = "<Supplier><ThirdPartyRefNumber>T-1</ThirdPartyRefNumber><Name>New Co</Name></Supplier>"
    by_sq = f"<Supplier><ERPNumber>V00703</ERPNumber><SQIntegrationNumber>{sq_id}</SQIntegrationNumber></Supplier>"
    by_old = "<Supplier><ERPNumber>V00704</ERPNumber><OldERPNumber>V00004</OldERPNumber></Supplier>"
    again = "<Supplier><ERPNumber>V00099X</ERPNumber><ThirdPartyRefNumber>T-1</ThirdPartyRefNumber></Supplier>"
    assert code(sender.suppliers(new, by_sq, by_old, again)) == "200"
    assert [a["operation"] for a in sender.ledger()["write_attempts"]] == ["created", "updated", "updated", "updated"]
    assert sender.row("V00703")["sq_id"] == sq_id
    assert sender.row("V00704")["tsm"]["OldERPNumber"] == "V00004"
    assert sender.row("V00099X")["profile"]["companyName"] == "New Co"
    assert sender.row("V00703")["profile"]["extUniqueCode"] == "V00703"


FAULTY = [
    ("<Supplier><Name>X</Name></Supplier>", "ErrorMessage", "is required"),
    (supplier("V70", ""), "ErrorMessage", "Name is required"),
    (supplier("V00001", "<Active>Perhaps</Active>"), "ErrorMessage", "Yes or No"),
    (
        supplier(
            "V00001",
            "<AddressList><Address><ERPNumber>A</ERPNumber><IsoCountryCode>usa</IsoCountryCode></Address></AddressList>",
        ),
        "AddressErrors/ErrorMessage",
        "Unknown country usa",
    ),
    (
        supplier(
            "V00001",
            "<LocationList><Location><ERPNumber>L</ERPNumber><TermsAndCondition><PaymentTerms><StandardPaymentTermsCode>"
            "NET7</StandardPaymentTermsCode></PaymentTerms></TermsAndCondition></Location></LocationList>",
        ),
        "LocationErrors/ErrorMessage",
        "NET7",
    ),
    (
        supplier(
            "V00001",
            "<AccountsPayableList><AccountsPayable><ERPNumber>B</ERPNumber><AssociatedAddress><AddressRef><ERPNumber>"
            "NOWHERE</ERPNumber></AddressRef></AssociatedAddress></AccountsPayable></AccountsPayableList>",
        ),
        "AccountsPayableErrors/ErrorMessage",
        "NOWHERE",
    ),
    (
        supplier(
            "V00001",
            "<CustomElementList><CustomElement><CustomElementIdentifier>Mood</CustomElementIdentifier></CustomElement>"
            "</CustomElementList>",
        ),
        "CustomElementErrors/CustomElementIdentifier",
        "Mood",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("faulty", "path", "text"), FAULTY)
def test_a_faulty_supplier_is_406_beside_a_stored_one(sender: Sender, faulty: str, path: str, text: str) -> None:
    before = sender.row("V00001")
    answer = sender.suppliers(faulty, supplier("V00002", "<Active>No</Active>"))
    assert code(answer) == "406"
    (errors,) = answer.findall(".//SupplierErrors")
    assert text in words(errors, path)
    assert sender.row("V00001") == before
    assert sender.row("V00002")["profile"]["status"] == "INACTIVE"
    assert [a["outcome"] for a in sender.ledger()["write_attempts"]] == ["refused", "stored"]


def test_a_tenant_may_refuse_the_whole_message_for_one_faulty_supplier(new_tenant: Callable[..., Any]) -> None:
    sender = Sender(new_tenant(jaggaer={"tsm_partial": False}))
    answer = sender.suppliers(supplier("V00002", "<Active>No</Active>"), supplier("V70", ""))
    assert (code(answer), len(answer.findall(".//SupplierErrors"))) == ("406", 1)
    assert sender.row("V00002")["profile"]["status"] == "ACTIVE"


@pytest.mark.parametrize("stops", [True, False])
def test_children_out_of_order_end_the_reading_with_500(new_tenant: Callable[..., Any], stops: bool) -> None:
    sender = Sender(new_tenant(jaggaer={"tsm_stops_at_violation": stops}))
    disordered = supplier("V00003", "<Active>No</Active><Name>After</Name>")
    answer = sender.suppliers(
        supplier("V00002", "<Active>No</Active>"), disordered, supplier("V00004", "<Active>No</Active>")
    )
    assert code(answer) == "500"
    assert "Supplier" in words(answer)
    states = [sender.row(f"V0000{n}")["profile"]["status"] for n in (2, 3, 4)]
    assert states == ["INACTIVE" if stops else "ACTIVE", "ACTIVE", "ACTIVE"]


@pytest.mark.parametrize(("padded", "blanks"), [(True, True), (False, False)])
def test_texts_of_answers_are_padded_unless_switched_off(
    new_tenant: Callable[..., Any], padded: bool, blanks: bool
) -> None:
    sender = Sender(new_tenant(jaggaer={"padded_texts": padded}))
    text = sender.suppliers(supplier("V00002", "<Active>No</Active>")).findtext(".//StatusCode") or ""
    assert (text.strip(), text != "200") == ("200", blanks)


def test_an_order_is_imported_updated_and_canceled(sender: Sender) -> None:
    answer = sender.send(ORDERS_XML, order("310", line=SPLIT))
    assert (code(answer), words(answer)) == ("200", "success")
    row = sender.ledger()["purchase_orders"][0]
    assert (row["number"], row["total"], row["label"]) == ("0000000310", "25.0", "router")
    shown = sender.tenant.raw("GET", f"{ORDERS}/{row['po_id']}").json()["lineList"]["poLine"][0]
    coding = shown["splittableFieldSetGroupList"]["splittableFieldSetGroup"][0]["splittableFieldIndexSet"][0]
    values = [
        [each["value"] for each in split["customFieldValueList"]["customFieldValue"][:2]] + [split["distributionValue"]]
        for split in coding["splittableFieldIndexList"]["splittableFieldIndex"]
    ]
    assert (coding["distributionType"], values) == ("AmountOfPrice", [["51200", "CC10", 15], ["51300", "CC20", 10]])
    zero = order("310", kind="update", revision=1).replace("<Quantity>10", "<Quantity>0")
    assert code(sender.send(ORDERS_XML, zero)) == "200"
    assert code(sender.send(ORDERS_XML, order("310", kind="cancel", revision=2))) == "200"
    row = sender.ledger()["purchase_orders"][0]
    assert (row["status"], [state["event"] for state in row["states"]]) == ("Cancelled", ["new", "update", "cancel"])
    assert [a["revision"] for a in sender.ledger()["write_attempts"]] == [0, 1, 2]


def test_distribute_revision_false_tells_no_supplier(sender: Sender) -> None:
    quiet = order("310").replace("<PONumber>", "<DistributeRevision>false</DistributeRevision><PONumber>")
    assert code(sender.send(ORDERS_XML, quiet)) == "200"
    assert [state["distributed"] for state in sender.ledger()["purchase_orders"][0]["states"]] == [False]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (order("9", kind="update"), "124(poNumber,9)"),
        (order("9", kind="cancel"), "124(poNumber,9)"),
        (order("9").replace("V00001", "NOBODY"), "NOBODY"),
        (order("9", '<CustomFieldValueSet name="Mood"/>'), "(Mood)"),
        (order("9", kind="replace"), "operationCode"),
        (order("9").replace("<Quantity>10", "<Quantity>ten"), "125(amount,ten)"),
        (order("9").replace("<RevisionNumber>0", "<RevisionNumber>one"), "125(number,one)"),
    ],
)
def test_a_refused_order_is_named_among_the_object_errors(sender: Sender, content: str, text: str) -> None:
    answer = sender.send(ORDERS_XML, content + order("310"))
    assert (code(answer), words(answer)) == ("406", "failure")
    (ref,) = answer.findall(".//ObjectErrors/PurchaseOrderRef")
    assert ref.get("ponumber") == "9"
    assert text in words(ref, "Error/ErrorMessage")
    assert [row["number"] for row in sender.ledger()["purchase_orders"]] == ["0000000310"]


def test_an_order_out_of_order_is_500(sender: Sender) -> None:
    wrong = (
        order("310")
        .replace("<PONumber>310</PONumber>", "")
        .replace("</Supplier>", "</Supplier><PONumber>310</PONumber>")
    )
    assert code(sender.send(ORDERS_XML, wrong)) == "500"
    assert sender.ledger()["purchase_orders"] == []


def ocr(number: str, supplier_number: str = "V00001") -> str:
    return (
        f"<BuyerInvoiceOcr><BuyerInvoiceHeader><SupplierInvoiceNumber>{number}</SupplierInvoiceNumber>"
        "<InvoiceType>Invoice</InvoiceType><InvoiceDate>2026-01-10</InvoiceDate>"
        '<GrandTotal><Money currency="USD">22.00</Money></GrandTotal>'
        f"<Supplier><SupplierNumber>{supplier_number}</SupplierNumber></Supplier>"
        '<BusinessUnit internalName="PLANT1"/><Tax1><Money currency="USD">2.00</Money></Tax1></BuyerInvoiceHeader>'
        '<BuyerInvoiceLine lineNumber="1"><Item><UnitOfMeasure>EA</UnitOfMeasure></Item><Quantity>10</Quantity>'
        '<UnitPrice><Money currency="USD">2.00</Money></UnitPrice><SplittableFieldSetGroup>'
        '<SplittableFieldIndexSet distributiontype="PercentOfPrice" context="Line">'
        '<SplittableFieldIndex distributionvalue="60" splitindex="1"><CustomFieldValue name="CostCenter"><Value>CC10'
        "</Value></CustomFieldValue></SplittableFieldIndex></SplittableFieldIndexSet></SplittableFieldSetGroup>"
        "</BuyerInvoiceLine></BuyerInvoiceOcr>"
    )


def test_an_invoice_message_makes_an_invoice_and_refuses_it_twice(sender: Sender) -> None:
    assert words(sender.send(INVOICES_XML, ocr("X-1"))) == "success"
    (imported,) = sender.ledger()["imported_invoices"]
    assert (imported["supplier"], imported["number"], imported["total"], imported["by"]) == (
        "V00001", "X-1", "22.0", "router",
    )  # fmt: skip
    shown = sender.tenant.detail(imported["invoice_id"])
    assert (shown["header"]["taxCharge1"], shown["header"]["invoiceDate"]) == (2.0, "2026-01-10T00:00:00.000Z")
    assert "CC10" in str(shown["lineList"])
    again = sender.send(INVOICES_XML, ocr("X-1") + ocr("X-2", "NOBODY") + ocr("X-3"))
    assert code(again) == "406"
    assert "X-1" in words(again)
    assert "NOBODY" in words(again)
    assert [row["number"] for row in sender.ledger()["imported_invoices"]] == ["X-1", "X-3"]
    assert [a["outcome"] for a in sender.ledger()["write_attempts"]] == ["stored", "refused", "refused", "stored"]


def test_the_path_of_the_invoice_import_is_the_tenants_own(new_tenant: Callable[..., Any]) -> None:
    sender = Sender(new_tenant(jaggaer={"ocr_path": "/apps/Router/Ap"}))
    assert sender.router["urls"][INVOICES_XML].endswith("/apps/Router/Ap")
    assert words(sender.send(INVOICES_XML, ocr("X-1"))) == "success"


def test_faults_reach_the_router_by_its_call_names(sender: Sender) -> None:
    sender.tenant.control("POST", "faults", [{"call": "RouterSuppliers", "kind": "html", "code": 502}])
    body = sender.message(SUPPLIERS_XML, "")
    answer = requests.post(sender.router["urls"][SUPPLIERS_XML], body, timeout=30)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (502, "text/html")
    assert code(sender.send(ORDERS_XML, order("310"))) == "200"
