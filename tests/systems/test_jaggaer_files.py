from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.invoices import keys

from airflow_provider_mlconnector.documents.allocation import allocate
from airflow_provider_mlconnector.documents.invoice import Invoice, InvoiceKind, PaymentTerms
from airflow_provider_mlconnector.documents.purchase_order import OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.documents.validation import check_invoice
from airflow_provider_mlconnector.errors import ConfigurationError, Parked, Rejected
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.files import FILES_AT_ONCE, MAX_BYTES, FolderSource
from airflow_provider_mlconnector.systems.jaggaer.folder import LocalFolder
from airflow_provider_mlconnector.systems.ports import DocumentSource, Eligibility, SourceRecord, Window

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=1)
SECRET = "tell-nobody-77"


class Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


def reader(folder: Path, kind: str = "purchase_order", **contract: Any) -> FolderSource:
    parsed = JaggaerContract.parse(contract)
    place = LocalFolder(folder)
    return FolderSource(place, kind, contract=parsed, tenant="acme", connection="jaggaer_files", clock=Clock())


def drop(folder: Path, name: str, text: str | bytes, *, changed: datetime = LONG_AGO) -> None:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(path, (changed.timestamp(), changed.timestamp()))


def message(root: str, *documents: str, stamp: str = "2026-01-15T10:20:30.000Z") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><{root} version="2.0"><Header><MessageId>m-1</MessageId>'
        f"<Timestamp>{stamp}</Timestamp><Authentication><Identity>AcmeERP</Identity>"
        f"<SharedSecret>{SECRET}</SharedSecret></Authentication></Header>{''.join(documents)}</{root}>"
    )


SPLIT = """<CustomFieldValueSet name="Account" label="Account"><CustomFieldValue><Value>51200</Value></CustomFieldValue>
</CustomFieldValueSet><CustomFieldValueSet name="CostCenter" distributiontype="PercentOfPrice">
<CustomFieldValue distributionvalue="60" splitindex="1"><Value>CC10</Value></CustomFieldValue>
<CustomFieldValue distributionvalue="40" splitindex="2"><Value>CC20</Value></CustomFieldValue></CustomFieldValueSet>"""
LINE = f"""<POLine linenumber="1"><Item><CatalogNumber>DB-8</CatalogNumber><Description>Drill &amp; bits</Description>
<ProductUnitOfMeasure type="supplier"><Measurement><MeasurementUnit>EA</MeasurementUnit></Measurement>
</ProductUnitOfMeasure></Item><Quantity> 10 </Quantity><Taxable>true</Taxable>
<LineCharges><UnitPrice><Money currency="USD">20.00</Money></UnitPrice></LineCharges>
<DeliveryInfo><RequestedDeliveryDate>2026-02-01</RequestedDeliveryDate></DeliveryInfo>{SPLIT}</POLine>"""


def po(number: str = "0000000310", *, revision: int = 1, kind: str = "", lines: str = LINE, more: str = "") -> str:
    type_ = f' type="{kind}"' if kind else ""
    return (
        f"<PurchaseOrder><POHeader{type_}><RevisionNumber>{revision}</RevisionNumber><PONumber>{number}</PONumber>"
        "<Requestor><UserProfile username='buyer1'/></Requestor><AccountingDate>2026-01-15</AccountingDate>"
        "<Supplier><Name>Northbridge</Name><SupplierNumber>V00042</SupplierNumber></Supplier>"
        "<PaymentInfo><Terms><Discount unit='percent'>2</Discount><Days>10</Days><Net>30</Net></Terms></PaymentInfo>"
        "<CustomFieldValueSet name='BusinessUnit'><CustomFieldValue><Value>PLANT1</Value></CustomFieldValue>"
        f"</CustomFieldValueSet>{more}</POHeader>{lines}</PurchaseOrder>"
    )


def orders(*documents: str, **fields: str) -> str:
    return message("PurchaseOrderMessage", *documents, **fields)


INVOICE_LINE = """<InvoiceLine><Quantity>10</Quantity><UnitPrice>20.00</UnitPrice><PONumber>0000000310</PONumber>
<POLineNumber>1</POLineNumber><Item><Description>Drill bits</Description><UnitOfMeasureDimension>EA
</UnitOfMeasureDimension></Item><SplittableFieldSetGroup><SplittableFieldIndexSet distributiontype="PercentOfPrice"
context="Line"><SplittableFieldIndex distributionvalue="33.3333" splitindex="1">
<CustomFieldValue name="CostCenter"><Value>CC10</Value></CustomFieldValue></SplittableFieldIndex>
<SplittableFieldIndex distributionvalue="66.6667" splitindex="2"><CustomFieldValue name="CostCenter"><Value>CC20</Value>
</CustomFieldValue></SplittableFieldIndex></SplittableFieldIndexSet></SplittableFieldSetGroup>
<CustomFieldValueSet name="Account"><CustomFieldValue><Value>51200</Value></CustomFieldValue></CustomFieldValueSet>
</InvoiceLine>"""
TOTAL = '<GrandTotal><Money currency="USD">225.00</Money></GrandTotal>'


def bill(
    number: str = "I000101", *, status: str = "Approved", lines: str = INVOICE_LINE, total: str = TOTAL, more: str = ""
) -> str:
    return (
        f'<Invoice><InvoiceHeader status="{status}"><InvoiceNumber>{number}</InvoiceNumber>'
        "<SupplierInvoiceNo>NB-7781</SupplierInvoiceNo><InvoiceType>Invoice</InvoiceType>"
        "<InvoiceDate>2026-01-10</InvoiceDate><DueDate>2026-02-09</DueDate><Currency>USD</Currency>"
        "<Supplier><SupplierNumber>V00042</SupplierNumber><Name>Northbridge</Name></Supplier>"
        '<BusinessUnit internalName="PLANT1"/><Terms><Type>Net</Type><DaysAfter>30</DaysAfter></Terms>'
        f"<Tax1>20.00</Tax1><ShippingCharges>5.00</ShippingCharges>{total}{more}</InvoiceHeader>{lines}</Invoice>"
    )


def bills(*documents: str, **fields: str) -> str:
    return message("BuyerInvoiceExportMessage", *documents, **fields)


def listed(source: FolderSource, window: Window | None = None) -> list[SourceRecord]:
    return [record for page in source.pages(window or Window()) for record in page.records]


def only(source: FolderSource) -> SourceRecord:
    found = listed(source)
    assert len(found) == 1
    return found[0]


def an_order(folder: Path, text: str, **contract: Any) -> PurchaseOrder:
    drop(folder, "po.xml", text)
    source = reader(folder, **contract)
    found = source.decode(only(source).payload)
    assert isinstance(found, PurchaseOrder)
    return found


def an_invoice(folder: Path, text: str, **contract: Any) -> Invoice:
    drop(folder, "inv.xml", text)
    source = reader(folder, "invoice", **contract)
    found = source.decode(only(source).payload)
    assert isinstance(found, Invoice)
    return found


def test_an_exported_order_is_read_field_by_field(tmp_path: Path) -> None:
    found = an_order(tmp_path, orders(po()))
    assert (found.source_key, found.number, found.supplier) == ("0000000310", "0000000310", "V00042")
    assert (found.revision_number, found.revision) == (1, "00001@2026-01-15T10:20:30.000000Z")
    assert (found.status, found.currency, found.business_unit) == (OrderStatus.APPROVED, "USD", "PLANT1")
    assert (found.order_date, found.requester) == (date(2026, 1, 15), "buyer1")
    assert found.terms == PaymentTerms(days=30, discount_percent=Decimal(2), discount_days=10)
    line = found.lines[0]
    assert (line.number, line.item, line.description, line.unit) == (1, "DB-8", "Drill & bits", "EA")
    assert (line.quantity, line.unit_price, line.amount) == (10, 20, 200)
    assert (line.taxable, line.requested_date) == (True, date(2026, 2, 1))
    shares = [(part.account, part.cost_center, part.percent) for part in line.allocations]
    assert shares == [("51200", "CC10", 60), ("51200", "CC20", 40)]


def test_it_is_a_document_source_whose_records_are_complete_and_readable_in_lists(tmp_path: Path) -> None:
    drop(tmp_path, "po.xml", orders(po()))
    source: DocumentSource = reader(tmp_path)
    assert (source.tenant, source.remote_time()) == ("acme", NOW)
    record = next(iter(source.pages(Window()))).records[0]
    assert record.complete
    assert source.complete(record) is record
    assert (record.key, record.revision) == ("0000000310", "00001@2026-01-15T10:20:30.000000Z")
    assert record.changed_at == datetime(2026, 1, 15, 10, 20, 30, tzinfo=UTC)
    assert (record.summary.number, record.summary.supplier) == ("0000000310", "V00042")
    assert record.summary.document_date == date(2026, 1, 15)


def test_an_update_a_canceled_line_and_a_canceled_order_are_told_apart(tmp_path: Path) -> None:
    canceled_line = LINE.replace("<Quantity> 10 </Quantity>", "<Quantity>0</Quantity>")
    drop(tmp_path, "r2.xml", orders(po(revision=2, kind="update", lines=canceled_line)))
    drop(tmp_path, "r3.xml", orders(po(revision=3, kind="cancel")))
    source = reader(tmp_path)
    updated, canceled = (source.decode(record.payload) for record in listed(source))
    assert isinstance(updated, PurchaseOrder)
    assert isinstance(canceled, PurchaseOrder)
    assert (updated.status, updated.lines[0].is_canceled) == (OrderStatus.APPROVED, True)
    assert canceled.status is OrderStatus.CANCELED
    assert updated.revision < canceled.revision
    drop(tmp_path, "r4.xml", orders(po(revision=4, kind="amend")))
    with pytest.raises(Parked, match=r"file r4\.xml: status amend"):
        source.decode(listed(source)[-1].payload)


def test_the_order_of_files_and_elements_does_not_matter(tmp_path: Path) -> None:
    body = po()
    header, lines = body.index("<POHeader"), body.index("<POLine")
    turned = "<PurchaseOrder>" + body[lines : -len("</PurchaseOrder>")] + body[header:lines] + "</PurchaseOrder>"
    assert an_order(tmp_path, orders(turned)) == an_order(tmp_path, orders(body))


def test_one_message_may_carry_many_orders_and_a_prefix_and_a_doctype(tmp_path: Path) -> None:
    text = orders(po("0000000310"), po("0000000311"))
    text = text.replace("?>", '?><!DOCTYPE PurchaseOrderMessage SYSTEM "https://dtd.example/po/PO.dtd">', 1)
    drop(tmp_path, "two.XML", text)
    assert [record.key for record in listed(reader(tmp_path))] == ["0000000310", "0000000311"]


def test_an_exported_invoice_is_read_field_by_field_and_stands_the_checks(tmp_path: Path) -> None:
    found = an_invoice(tmp_path, bills(bill()))
    assert (found.source_key, found.number, found.supplier) == ("I000101", "NB-7781", "V00042")
    assert (found.kind, found.currency, found.gross) == (InvoiceKind.INVOICE, "USD", 225)
    assert (found.invoice_date, found.due_date, found.business_unit) == (date(2026, 1, 10), date(2026, 2, 9), "PLANT1")
    assert found.terms == PaymentTerms(days=30)
    assert (found.lines[0].po_number, found.lines[0].po_line) == ("0000000310", "1")
    shares = [(share.allocation.cost_center, share.cost, share.amount) for share in _shares(found)]
    assert shares == [
        ("CC10", "goods", Decimal("66.67")),
        ("CC20", "goods", Decimal("133.33")),
        ("CC10", "freight", Decimal("1.67")),
        ("CC20", "freight", Decimal("3.33")),
    ]
    assert {share.allocation.account for share in _shares(found)} == {"51200"}


def _shares(found: Invoice) -> Iterable[Any]:
    return allocate(check_invoice(found), cost_taxes=lambda _tax: False)


@pytest.mark.parametrize(
    ("status", "lines", "expected"),
    [
        ("Approved", INVOICE_LINE, Eligibility.ELIGIBLE),
        ("approved", "", Eligibility.ELIGIBLE),
        ("Cancelled", "", Eligibility.CLOSED),
        ("Cancelled", INVOICE_LINE, Eligibility.CLOSED),
        ("Paid", INVOICE_LINE, Eligibility.PAID),
        ("", "", Eligibility.CLOSED),
        ("Withdrawn", "", Eligibility.CLOSED),
        ("In Process", INVOICE_LINE, Eligibility.NOT_ELIGIBLE),
        ("Halted", INVOICE_LINE, Eligibility.ELIGIBLE),
        ("", INVOICE_LINE, Eligibility.ELIGIBLE),
    ],
)
def test_status_and_missing_lines_decide_about_an_invoice(
    tmp_path: Path, status: str, lines: str, expected: Eligibility
) -> None:
    drop(tmp_path, "inv.xml", bills(bill(status=status, lines=lines)))
    source = reader(tmp_path, "invoice")
    record = only(source)
    assert record.eligibility is expected
    if expected is Eligibility.ELIGIBLE and status.lower() != "approved":
        with pytest.raises(Parked) as caught:
            source.decode(record.payload)
        assert caught.value.code == "unknown_status"


def test_the_contract_settles_what_a_message_leaves_out(tmp_path: Path) -> None:
    bare = bills(bill(status="").replace('<BusinessUnit internalName="PLANT1"/>', ""))
    bare = bare.replace("GrandTotal", "Total").replace("<Currency>USD</Currency>", "").replace(' currency="USD"', "")
    settled = {"status": "Approved", "business_unit": "PLANT9", "currency": "EUR", "total": "Total"}
    found = an_invoice(tmp_path, bare, exports=settled)
    assert (found.business_unit, found.currency, found.gross) == ("PLANT9", "EUR", 225)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (bills(bill(total="")), "the total (value) is empty"),
        (bills(bill().replace("20.00</UnitPrice>", "twenty</UnitPrice>")), "line 1: unitPrice"),
        (bills(bill().replace("<SupplierInvoiceNo>NB-7781</SupplierInvoiceNo>", "")), "the supplier's invoice number"),
        (bills(bill(), stamp=""), "the time of the last change"),
        (bills(bill("")), "JAGGAER's key of the invoice"),
    ],
)
def test_what_is_missing_in_a_file_is_named_with_the_file(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(Rejected) as caught:
        an_invoice(tmp_path, text)
    assert caught.value.message.startswith("file inv.xml: ")
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (LINE + LINE.replace("USD", "EUR").replace('linenumber="1"', 'linenumber="2"'), "USD/EUR"),
        (LINE.replace('"PercentOfPrice"', '"ByMood"'), "distributionType"),
        (LINE.replace('distributionvalue="60"', ""), "the split's share"),
        (
            LINE.replace(
                '<CustomFieldValueSet name="Account" label="Account"><CustomFieldValue>',
                '<CustomFieldValueSet name="Account"><CustomFieldValue splitindex="1" distributionvalue="50">'
                "<Value>51300</Value></CustomFieldValue><CustomFieldValue splitindex='2' distributionvalue='50'>",
            ),
            "60",
        ),
    ],
)
def test_lines_that_contradict_each_other_are_refused_in_words(tmp_path: Path, lines: str, words: str) -> None:
    with pytest.raises(Rejected) as caught:
        an_order(tmp_path, orders(po(lines=lines)))
    assert words in caught.value.message


BROKEN = {
    "ampersand": (orders(po()).replace("&amp;", "&"), "it contains an & that is not written as &amp;"),
    "cut": (orders(po())[:-40], "is not well-formed XML"),
    "empty": ("", "is not well-formed XML"),
    "entity": ('<!DOCTYPE a [<!ENTITY x "y">]>' + orders(po()).partition("?>")[2], "declares entities"),
    "text": ("hello, PurchaseOrderMessage", "is not well-formed XML"),
    "latin": (orders(po()).replace("Drill", "Fräser").encode("latin-1"), "is not well-formed XML"),
    "nothing": (orders(), "holds no PurchaseOrder"),
    "stranger": ("<Payroll><Salary>1</Salary></Payroll>", "holds a payroll, which nothing here can read"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_becomes_a_rejected_document_that_names_it_and_spoils_no_other(tmp_path: Path, name: str) -> None:
    text, words = BROKEN[name]
    drop(tmp_path, "a.xml", orders(po("0000000001")))
    drop(tmp_path, "b.xml", text)
    drop(tmp_path, "c.xml", orders(po("0000000003")))
    source = reader(tmp_path)
    first, broken, last = listed(source)
    assert (first.key, last.key) == ("0000000001", "0000000003")
    assert broken.key.startswith("unreadable-")
    assert (broken.eligibility, broken.complete) == (Eligibility.ELIGIBLE, True)
    with pytest.raises(Rejected) as caught:
        source.decode(broken.payload)
    assert caught.value.message.startswith("file b.xml ")
    assert words in caught.value.message
    assert listed(source)[1].key == broken.key
    drop(tmp_path, "b.xml", orders(po("0000000002")))
    assert [record.key for record in listed(source)] == ["0000000001", "0000000002", "0000000003"]


def test_a_file_that_may_still_be_written_is_waited_for(tmp_path: Path) -> None:
    source = reader(tmp_path)
    drop(tmp_path, "po.xml", orders(po())[:-40], changed=NOW - timedelta(minutes=4))
    assert listed(source) == []
    drop(tmp_path, "po.xml", orders(po()), changed=NOW)
    assert only(source).key == "0000000310"
    drop(tmp_path, "po.xml", orders(po())[:-40], changed=NOW + timedelta(days=365))
    assert only(source).key.startswith("unreadable-")


def test_hidden_files_other_kinds_and_folders_are_left_alone(tmp_path: Path) -> None:
    drop(tmp_path, ".po.xml", orders(po()))
    drop(tmp_path, "po.xml.part", orders(po()))
    (tmp_path / "done.xml").mkdir()
    drop(tmp_path, "inv.xml", bills(bill()))
    drop(tmp_path, "broken-inv.xml", bills(bill())[:-30])
    assert listed(reader(tmp_path)) == []
    assert len(listed(reader(tmp_path, "invoice"))) == 2


def test_a_file_beyond_all_measure_is_reported_unread(tmp_path: Path) -> None:
    drop(tmp_path, "big.xml", b" " * (MAX_BYTES + 1))
    source = reader(tmp_path)
    with pytest.raises(Rejected, match=r"file big\.xml is larger than"):
        source.decode(only(source).payload)


def test_no_secret_of_a_file_is_kept(tmp_path: Path) -> None:
    drop(tmp_path, "a.xml", orders(po()))
    drop(tmp_path, "b.xml", orders(po()).replace("&amp;", "&"))
    drop(tmp_path, "c.xml", orders(po())[: orders(po()).index(SECRET) + len(SECRET)])
    found = listed(reader(tmp_path))
    assert len(found) == 3
    assert all(SECRET.encode() not in record.payload for record in found)
    assert b"AcmeERP" not in found[0].payload


def test_every_file_is_read_in_every_pass_whatever_its_times_up_to_the_end_of_the_window(tmp_path: Path) -> None:
    for n in range(FILES_AT_ONCE + 5):
        drop(tmp_path, f"po-{n:03d}.xml", orders(po(f"{n:010d}")), changed=LONG_AGO - timedelta(days=900))
    source = reader(tmp_path)
    pages = list(source.pages(Window(start=NOW)))
    assert [len(page.records) for page in pages] == [FILES_AT_ONCE, 5]
    assert [page.next_position for page in pages] == [FILES_AT_ONCE, None]
    assert len(next(iter(source.pages(Window(), position=FILES_AT_ONCE))).records) == 5
    assert listed(source, Window(end=datetime(2026, 1, 15, 10, 20, 30, tzinfo=UTC))) == []


def test_a_folder_that_is_not_there_names_the_connection(tmp_path: Path) -> None:
    source = reader(tmp_path / "gone")
    with pytest.raises(ConfigurationError, match=r"connection 'jaggaer_files'.*cannot be read on this worker"):
        listed(source)
    assert source.probe()[1] is False
    drop(tmp_path, "a.xml", orders(po()))
    assert reader(tmp_path).probe() == ("export folder", True, "1 files")


_XML_TEXT = keys.filter(lambda text: all(char.isprintable() for char in text))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    number=_XML_TEXT, description=_XML_TEXT, quantity=st.decimals(0, 9999, places=3), revision=st.integers(0, 99_999)
)
def test_any_texts_and_numbers_of_an_order_come_through(
    tmp_path: Path, number: str, description: str, quantity: Decimal, revision: int
) -> None:
    line = LINE.replace("Drill &amp; bits", escape(description)).replace(" 10 ", str(quantity))
    found = an_order(tmp_path, orders(po(escape(number), revision=revision, lines=line)))
    assert (found.number, found.revision_number) == (number, revision)
    assert (found.lines[0].description, found.lines[0].quantity) == (description, quantity)
    assert json.loads(only(reader(tmp_path)).payload)["file"] == "po.xml"
