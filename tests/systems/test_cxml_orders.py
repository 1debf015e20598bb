"""cXML orders in the export folder, read as any other order."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.into_jaggaer import client_of

from airflow_provider_mlconnector.documents.currency import add, round_to_minor
from airflow_provider_mlconnector.documents.invoice import Allocation, ChargeKind, PaymentTerms
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.errors import DocumentError, Parked, Rejected
from airflow_provider_mlconnector.sandbox.server import serving
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.files import FolderSource
from airflow_provider_mlconnector.systems.jaggaer.folder import LocalFolder
from airflow_provider_mlconnector.systems.jaggaer.orders import JaggaerOrderSource
from airflow_provider_mlconnector.systems.ports import Eligibility, SourceRecord, Window

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)
SECRET = "tell-nobody-77"
STAMP = "2026-01-15T10:20:30+02:00"


class Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


def reader(folder: Path, kind: str = "purchase_order", **contract: Any) -> FolderSource:
    parsed = JaggaerContract.parse(contract)
    return FolderSource(LocalFolder(folder), kind, contract=parsed, tenant="acme", connection="files", clock=Clock())


def drop(folder: Path, name: str, text: str) -> None:
    path, changed = folder / name, (NOW - timedelta(hours=1)).timestamp()
    path.write_text(text, encoding="utf-8")
    os.utime(path, (changed, changed))


def listed(source: FolderSource) -> list[SourceRecord]:
    return [record for page in source.pages(Window()) for record in page.records]


def an_order(folder: Path, text: str, **contract: Any) -> PurchaseOrder:
    drop(folder, "po.xml", text)
    source = reader(folder, **contract)
    (record,) = listed(source)
    found = source.decode(record.payload)
    assert isinstance(found, PurchaseOrder)
    return found


def money(amount: object, currency: str = "USD") -> str:
    return f"<Money currency={quoteattr(currency)}>{amount}</Money>"


def split(amount: object, **codes: str) -> str:
    segments = "".join(
        f'<AccountingSegment id={quoteattr(code)}><Name xml:lang="en">{escape(name)}</Name>'
        f'<Description xml:lang="en">-</Description></AccountingSegment>'
        for name, code in codes.items()
    )
    return f'<Distribution><Accounting name="GL">{segments}</Accounting><Charge>{money(amount)}</Charge></Distribution>'


SPLITS = split("120.00", Account="51200", CostCenter="CC10") + split("80.00", Account="51200", CostCenter="CC20")


def item(number: object = 1, quantity: object = 10, price: object = "20.00", **parts: str) -> str:
    chosen = {"detail": "", "more": "", "coding": SPLITS, "name": "Drill &amp; bits", "unit": "EA", "attributes": ""}
    chosen |= {"currency": "USD", **parts}
    return (
        f'<ItemOut quantity="{quantity}" lineNumber="{number}" requestedDeliveryDate="2026-02-01T00:00:00+02:00"'
        f" {chosen['attributes']}><ItemID><SupplierPartID>DB-8</SupplierPartID></ItemID><ItemDetail><UnitPrice>"
        f'{money(price, chosen["currency"])}</UnitPrice><Description xml:lang="en">{chosen["name"]}</Description>'
        f'<UnitOfMeasure>{chosen["unit"]}</UnitOfMeasure>{chosen["detail"]}<Classification domain="UNSPSC">27112800'
        f"</Classification></ItemDetail>{chosen['more']}{chosen['coding']}</ItemOut>"
    )


def message(
    *items: str,
    number: str = "0000000310",
    kind: str = ' type="new"',
    version: object = 1,
    header: str = '<Extrinsic name="BusinessUnit">PLANT1</Extrinsic>',
    to: str = '<Credential domain="DUNS"><Identity>123456789</Identity></Credential>'
    '<Credential domain="InternalSupplierID"><Identity>V00042</Identity></Credential>',
    stamp: str = STAMP,
) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE cXML SYSTEM "http://xml.cxml.org/schemas/cXML/1.2.014/'
        f'cXML.dtd"><cXML payloadID="po-310@acme.example" timestamp="{stamp}" xml:lang="en-US"><Header><From>'
        f'<Credential domain="NetworkID"><Identity>ACME</Identity></Credential></From><To>{to}</To><Sender>'
        f'<Credential domain="NetworkID"><Identity>SciQuest</Identity><SharedSecret>{SECRET}</SharedSecret>'
        f"</Credential><UserAgent>JAGGAER</UserAgent></Sender></Header><Request><OrderRequest><OrderRequestHeader"
        f' orderID={quoteattr(number)} orderDate="2026-01-14T23:30:00+02:00"{kind} orderVersion="{version}"><Total>'
        f'{money("200.00")}</Total><BillTo><Address><Name xml:lang="en">AP</Name></Address></BillTo>{header}'
        f"</OrderRequestHeader>{''.join(items) or item()}</OrderRequest></Request></cXML>"
    )


# --- field by field -----------------------------------------------------------------------------------------------


def test_an_order_is_read_field_by_field(tmp_path: Path) -> None:
    terms = (
        '<PaymentTerm payInNumberOfDays="10"><Discount><DiscountPercent percent="2.5"/></Discount></PaymentTerm>'
        '<PaymentTerm payInNumberOfDays="30"/><Contact role="buyer"><Name xml:lang="en">Ann Buyer</Name></Contact>'
        "<Extrinsic name='BusinessUnit'>PLANT1</Extrinsic>"
    )
    found = an_order(tmp_path, message(header=f"<Shipping>{money('7.50')}</Shipping>{terms}"))
    assert (found.source_key, found.number, found.supplier) == ("0000000310", "0000000310", "V00042")
    assert (found.revision_number, found.revision) == (1, "00001@2026-01-15T08:20:30.000000Z")
    assert (found.status, found.currency, found.total) == (OrderStatus.APPROVED, "USD", 200)
    # the day as written, in whatever zone
    assert (found.order_date, found.business_unit, found.requester) == (date(2026, 1, 14), "PLANT1", "Ann Buyer")
    assert found.terms == PaymentTerms(days=30, discount_percent=Decimal("2.5"), discount_days=10)
    assert [(each.kind, each.amount) for each in found.charges] == [(ChargeKind.FREIGHT, Decimal("7.50"))]
    (line,) = found.lines
    assert (line.number, line.item, line.description, line.unit) == (1, "DB-8", "Drill & bits", "EA")
    assert (line.quantity, line.unit_price, line.amount, line.commodity) == (10, 20, 200, "27112800")
    assert line.requested_date == date(2026, 2, 1)
    assert [(each.account, each.cost_center, each.amount) for each in line.allocations] == [
        ("51200", "CC10", 120),
        ("51200", "CC20", 80),
    ]


def test_its_record_is_complete_readable_in_lists_and_holds_no_secret(tmp_path: Path) -> None:
    mac = '<CredentialMac type="FromSenderCredentials">bWFj</CredentialMac>'
    drop(tmp_path, "po.xml", message().replace("</SharedSecret>", f"</SharedSecret>{mac}"))
    source = reader(tmp_path)
    (record,) = listed(source)
    assert (record.key, record.revision) == ("0000000310", "00001@2026-01-15T08:20:30.000000Z")
    assert record.complete
    assert record.eligibility is Eligibility.ELIGIBLE
    assert (record.summary.number, record.summary.supplier, record.summary.gross) == (
        "0000000310",
        "V00042",
        "200.00",
    )
    assert b"po-310@acme.example" in record.payload
    for secret in (SECRET, "bWFj", "SharedSecret"):
        assert secret.encode() not in record.payload


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("", OrderStatus.APPROVED),
        (' type="new"', OrderStatus.APPROVED),
        (' type="update"', OrderStatus.APPROVED),
        (' type="delete"', OrderStatus.CANCELED),
    ],
)
def test_new_update_and_delete_are_told_apart(tmp_path: Path, kind: str, status: OrderStatus) -> None:
    assert an_order(tmp_path, message(kind=kind)).status is status


def test_a_type_nobody_has_explained_is_told_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(Parked, match=r"file po\.xml: status amend"):
        an_order(tmp_path, message(kind=' type="amend"'))


def test_revisions_are_told_by_version_and_time(tmp_path: Path) -> None:
    drop(tmp_path, "a.xml", message(version=1))
    drop(tmp_path, "b.xml", message(kind=' type="update"', version=2))
    drop(tmp_path, "c.xml", message(kind=' type="update"', version=2, stamp="2026-01-16T10:00:00Z"))
    revisions = [record.revision for record in listed(reader(tmp_path))]
    assert revisions == sorted(set(revisions))
    assert len(revisions) == 3


def test_a_line_of_quantity_zero_is_canceled(tmp_path: Path) -> None:
    found = an_order(tmp_path, message(item(1), item(2, 0), kind=' type="update"'))
    assert [line.is_canceled for line in found.lines] == [False, True]


def test_tax_and_freight_of_a_line_stay_with_the_order(tmp_path: Path) -> None:
    tax = f'<Tax>{money("16.00")}<Description xml:lang="en">VAT</Description></Tax>'
    freight = f'<Shipping>{money("3.25")}<Description xml:lang="en">by air</Description></Shipping>'
    found = an_order(tmp_path, message(item(more=freight + tax)))
    assert [(each.code, each.amount) for each in found.lines[0].taxes] == [("taxCharge1", 16)]
    assert [(each.kind, each.amount) for each in found.charges] == [(ChargeKind.FREIGHT, Decimal("3.25"))]


def test_segments_in_the_older_form_and_by_other_names_are_read(tmp_path: Path) -> None:
    old = (
        '<Distribution><Accounting name="x"><Segment type="GL" id="51200" description="-"/><Segment type="Unit" id="7"'
        f' description="-"/></Accounting><Charge>{money("200.00")}</Charge></Distribution>'
    )
    contract = {"segments": {"account": "GL", "cost_center": "Unit"}}
    (part,) = an_order(tmp_path, message(item(coding=old)), **contract).lines[0].allocations
    assert (part.account, part.cost_center, part.amount) == ("51200", "7", 200)


def test_a_line_without_coding_has_none(tmp_path: Path) -> None:
    assert an_order(tmp_path, message(item(coding=""))).lines[0].allocations == ()


def test_a_description_keeps_its_short_name(tmp_path: Path) -> None:
    named = "<ShortName>Bits</ShortName> 8 mm,\n   coated"
    assert an_order(tmp_path, message(item(name=named))).lines[0].description == "Bits 8 mm, coated"


EARLY_AMOUNT = (
    '<PaymentTerm payInNumberOfDays="8"><Discount><DiscountAmount><Money currency="USD">5.00</Money></DiscountAmount>'
    "</Discount></PaymentTerm>"
)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ("", None),
        ('<PaymentTerm payInNumberOfDays="30"/>', PaymentTerms(days=30)),
        (
            '<PaymentTerm payInNumberOfDays="45"><Discount><DiscountPercent percent="0.0"/></Discount></PaymentTerm>',
            PaymentTerms(days=45),
        ),
        (
            '<PaymentTerm payInNumberOfDays="8"><Discount><DiscountPercent percent="3"/></Discount></PaymentTerm>',
            PaymentTerms(discount_percent=Decimal(3), discount_days=8),
        ),
        (
            f'<PaymentTerm payInNumberOfDays="60"/>{EARLY_AMOUNT}',
            PaymentTerms(days=60),
        ),
    ],
)
def test_terms_are_days_and_a_percentage(tmp_path: Path, terms: str, expected: PaymentTerms | None) -> None:
    assert an_order(tmp_path, message(header=terms)).terms == expected


# --- whose supplier it is -----------------------------------------------------------------------------------------


DUNS = '<Credential domain="DUNS"><Identity>123456789</Identity></Credential>'


@pytest.mark.parametrize(
    ("to", "header", "contract", "supplier"),
    [
        (DUNS, "", {}, ""),
        (DUNS, '<Extrinsic name="SupplierNumber">V00007</Extrinsic>', {}, "V00007"),
        (DUNS, '<Extrinsic name="Vendor">V7</Extrinsic>', {"supplier_extrinsic": "Vendor"}, "V7"),
        (DUNS, "", {"supplier_domains": ["duns"]}, "123456789"),
        ('<Credential domain="privateid"><Identity> V8 </Identity></Credential>', "", {}, "V8"),
        (DUNS, '<Extrinsic name="">V9</Extrinsic>', {"supplier_extrinsic": ""}, ""),
    ],
)
def test_the_supplier_is_who_the_message_is_to_or_whom_the_header_names(
    tmp_path: Path, to: str, header: str, contract: dict[str, Any], supplier: str
) -> None:
    assert an_order(tmp_path, message(to=to, header=header), exports=contract).supplier == supplier


# --- what does not fit together -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (message(number=""), "key of the order"),
        (message(item(number="")), "the line number"),
        (message(item(quantity="")), "the quantity"),
        (message(item(price="")), "the unit price"),
        (message(item(price="1,000.00")), "unitPrice"),
        (message(item(), item()), "line number 1 stands on several lines"),
        (message(item(currency="EUR")), "currency"),
        (message(item(attributes='itemType="composite"')), "10 of a composite item"),
        (message(item(detail='<PriceBasisQuantity quantity="100" conversionFactor="1"/>')), "20.00 per 100 x 1"),
        (message(version="final"), "revision"),
    ],
)
def test_what_cannot_be_right_is_named_with_the_file_and_not_guessed_at(tmp_path: Path, text: str, said: str) -> None:
    drop(tmp_path, "po.xml", text)
    source = reader(tmp_path)
    (record,) = listed(source)
    with pytest.raises(DocumentError, match=said) as caught:
        source.decode(record.payload)
    assert "file po.xml" in caught.value.message


def test_one_split_that_states_no_share_bears_all_of_its_line(tmp_path: Path) -> None:
    found = an_order(tmp_path, message(item(coding=split("", Account="51200"))))
    assert [part.percent for part in found.lines[0].allocations] == [100]


def test_a_price_for_one_is_a_unit_price(tmp_path: Path) -> None:
    basis = '<PriceBasisQuantity quantity="1" conversionFactor="1"><UnitOfMeasure>EA</UnitOfMeasure>'
    assert an_order(tmp_path, message(item(detail=f"{basis}</PriceBasisQuantity>"))).lines[0].unit_price == 20


def test_cxml_that_holds_no_order_is_told_by_the_orders_alone(tmp_path: Path) -> None:
    drop(tmp_path, "x.xml", "<cXML payloadID='1' timestamp='2'><Request><ConfirmationRequest/></Request></cXML>")
    drop(tmp_path, "y.xml", message()[:-20])
    source = reader(tmp_path)
    first, second = listed(source)
    with pytest.raises(Rejected, match=r"file x\.xml holds no OrderRequest"):
        source.decode(first.payload)
    with pytest.raises(Rejected, match=r"file y\.xml is not well-formed"):
        source.decode(second.payload)
    assert SECRET.encode() not in second.payload
    assert listed(reader(tmp_path, "invoice")) == []


def test_both_kinds_of_orders_may_lie_in_one_folder(tmp_path: Path) -> None:
    native = (
        "<PurchaseOrderMessage><Header><MessageId>m</MessageId><Timestamp>2026-01-15T10:20:30Z</Timestamp></Header>"
        "<PurchaseOrder><POHeader><PONumber>311</PONumber><AccountingDate>2026-01-15</AccountingDate><Supplier>"
        "<SupplierNumber>V00042</SupplierNumber></Supplier></POHeader><POLine linenumber='1'><Quantity>1</Quantity>"
        "<LineCharges><UnitPrice><Money currency='USD'>1</Money></UnitPrice></LineCharges></POLine></PurchaseOrder>"
        "</PurchaseOrderMessage>"
    )
    drop(tmp_path, "a.xml", message())
    drop(tmp_path, "b.xml", native)
    source = reader(tmp_path)
    found = [source.decode(record.payload) for record in listed(source)]
    assert [each.number for each in found] == ["0000000310", "311"]  # type: ignore[union-attr]


def test_entities_are_refused_and_the_dtd_is_left_alone(tmp_path: Path) -> None:
    evil = message().replace(
        '<!DOCTYPE cXML SYSTEM "http://xml.cxml.org/schemas/cXML/1.2.014/cXML.dtd">',
        '<!DOCTYPE cXML [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
    )
    drop(tmp_path, "po.xml", evil)
    source = reader(tmp_path)
    (record,) = listed(source)
    with pytest.raises(Rejected, match="entities"):
        source.decode(record.payload)


# --- there and back -----------------------------------------------------------------------------------------------


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
PRICES = st.decimals("-9999", "9999", places=4)


@st.composite
def orders(draw: st.DrawFn) -> PurchaseOrder:
    def one(number: int) -> OrderLine:
        quantity, price = Decimal(draw(st.integers(0, 999))), draw(PRICES)
        parts = tuple(
            Allocation(account=account, amount=draw(PRICES), segments={"Account": account, "CostCenter": ""})
            for account in draw(st.lists(TEXTS, max_size=3))
        )
        return OrderLine(
            number=number,
            item="DB-8",
            description=draw(TEXTS),
            quantity=quantity,
            unit=draw(TEXTS),
            unit_price=price,
            amount=(quantity * price).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP"),
            commodity="27112800",
            allocations=parts,
            requested_date=date(2026, 2, 1),
        )

    numbers = draw(st.lists(st.integers(1, 9999), min_size=1, max_size=4, unique=True))
    version = draw(st.integers(0, 99_999))
    return PurchaseOrder(
        source_key=(number := draw(TEXTS)),
        number=number,
        revision_number=version,
        revision=f"{version:05d}@2026-01-15T08:20:30.000000Z",
        status=draw(st.sampled_from([OrderStatus.APPROVED, OrderStatus.CANCELED])),
        supplier="V00042",
        business_unit="PLANT1",
        order_date=date(2026, 1, 14),
        currency="USD",
        total=Decimal(200),
        lines=tuple(one(each) for each in numbers),
    )


def written(order: PurchaseOrder) -> str:
    """Return an order as a buyer's system writes it."""
    lines = [
        item(
            line.number,
            line.quantity,
            line.unit_price,
            name=escape(line.description),
            unit=escape(line.unit),
            coding="".join(split(part.amount, Account=part.account, CostCenter="") for part in line.allocations),
        )
        for line in order.lines
    ]
    kind = "delete" if order.status is OrderStatus.CANCELED else "update"
    return message(*lines, number=order.number, kind=f' type="{kind}"', version=order.revision_number)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=orders())
def test_any_order_is_read_as_it_was_written(tmp_path: Path, order: PurchaseOrder) -> None:
    assert an_order(tmp_path, written(order)) == order


def test_the_simulated_tenant_exports_the_orders_it_lists(tmp_path: Path) -> None:
    with serving(seed=7, jaggaer={"purchase_orders": 25}) as sandbox:
        asked = requests.post(f"{sandbox.url}/_sandbox/exports", json={"kinds": ["cxml_order"]}, timeout=10)
        for file in asked.json()["files"]:
            assert 'payloadID="' in file["content"]
            drop(tmp_path, file["name"], file["content"])
        tenant = JaggaerOrderSource(client_of(sandbox))
        shown = {
            record.key: tenant.decode(tenant.complete(record).payload)
            for page in tenant.pages(Window())
            for record in page.records
            if record.eligibility is Eligibility.ELIGIBLE
        }
    source = reader(tmp_path)
    found = {record.summary.number: source.decode(record.payload) for record in listed(source)}
    by_number = {order.number: order for order in shown.values() if order.number in found}
    # the simulated tenant exports its orders in approval as well
    assert len(by_number) == len(shown) > 10
    for number, theirs in by_number.items():
        ours = found[number]
        assert isinstance(ours, PurchaseOrder)
        for name in ("supplier", "status", "currency", "order_date", "revision_number"):
            assert (number, name, getattr(ours, name)) == (number, name, getattr(theirs, name))
        for mine, other in zip(ours.lines, theirs.lines, strict=True):
            # cXML wants a part number of every line, and the simulated tenant makes one up where there is none
            assert mine.item == (other.item or "NON-CATALOG")
            if other.is_canceled:  # by a status of the line, which cXML does not know
                continue
            for name in ("number", "quantity", "unit", "unit_price", "amount", "requested_date"):
                assert (number, name, getattr(mine, name)) == (number, name, getattr(other, name))
            codes = [{(part.account, part.cost_center) for part in line.allocations} for line in (mine, other)]
            assert codes[0] == codes[1]
            if mine.allocations:
                # it does not round its charges
                charged = add(part.amount or Decimal(0) for part in mine.allocations)
                assert round_to_minor(charged, ours.currency) == mine.amount


def test_the_reader_of_xml_is_the_hardened_one() -> None:
    with pytest.raises(Exception, match="document type of its own"):
        xml.parse(b'<!DOCTYPE cXML [<!ENTITY a "b">]><cXML/>')
