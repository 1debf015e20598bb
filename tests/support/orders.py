"""Purchase orders for tests of the SYSPRO side; codes fit the sandbox's master data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from support.syspro_samples import COMPANY, account_row, supplier_row

from airflow_provider_mlconnector.documents.coded_order import CodedOrder
from airflow_provider_mlconnector.documents.invoice import Allocation
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.mapping.load import load_mapping
from airflow_provider_mlconnector.mapping.model import MappingSet
from airflow_provider_mlconnector.mapping.orders import code_order
from airflow_provider_mlconnector.systems.ports import Eligibility, Known, SourcePage, SourceRecord, Summary, Window
from airflow_provider_mlconnector.systems.reading import OpenSource

MAPPING = """
business_units:
  PLANT1: {company: EDU1, branch: "10"}
  PLANT2: {company: EDU1, branch: "20", warehouse: S2}
currencies: {USD: "$", EUR: EUR, JPY: JPY, KWD: KWD}
accounts: {"51200": "5120", "51300": "5130"}
cost_centers:
  mode: gl_section
  map: {CC10: "10", CC20: "20"}
terms: {NET30: "30", NET60: "60"}
taxes: {codes: {A: 20, Z: 0}, zero_code: Z}
units: {EA: EA, KG: KG}
product_classes: {"31160000": MRO}
orders: {warehouse: MN, product_class: GEN, unit: EA, tax_code: A}
"""


def mapping(text: str = MAPPING) -> MappingSet:
    """Return the tests' mapping."""
    return load_mapping(text, origin="tests")


def line(number: int = 1, quantity: str = "10", price: str = "12.50", **changes: Any) -> OrderLine:
    """Return a line of a stock item; ``item=""`` makes it a non-stocked one."""
    values = {
        "number": number,
        "item": "A100",
        "description": "Bearing housing",
        "quantity": Decimal(quantity),
        "unit": "EA",
        "unit_price": Decimal(price),
        "amount": (Decimal(quantity) * Decimal(price)).quantize(Decimal("0.01")),
        "allocations": (Allocation(account="51200", cost_center="CC10", percent=Decimal(100)),),
        "requested_date": date(2026, 12, 4),
    }
    return OrderLine(**values | changes)


def split(*shares: tuple[str, str]) -> tuple[Allocation, ...]:
    """Return allocations of (cost center, percent)."""
    return tuple(Allocation(account="51200", cost_center=center, percent=Decimal(share)) for center, share in shares)


def order(*lines: OrderLine, revision: int = 0, **changes: Any) -> PurchaseOrder:
    """Return an approved order of 20 November 2026 to V00001."""
    values = {
        "source_key": "700310",
        "number": "0000000310",
        "revision_number": revision,
        "revision": f"{revision:05d}@2026-11-20T10:00:00Z",
        "status": OrderStatus.APPROVED,
        "supplier": "V00001",
        "business_unit": "PLANT1",
        "order_date": date(2026, 11, 20),
        "currency": "USD",
        "lines": lines or (line(),),
    }
    return PurchaseOrder(**values | changes)


def coded(purchase_order: PurchaseOrder, text: str = MAPPING) -> CodedOrder:
    """Return the order with the tests' codes."""
    return code_order(purchase_order, mapping(text), version=1)


def known(purchase_order: PurchaseOrder, key: str = "000000000004711", lines: Mapping[str, str] | None = None) -> Known:
    """Return what SYSPRO holds of an order: by default its open lines under 1, 2 and so on."""
    opened = [each.number for each in purchase_order.lines if not each.is_canceled]
    pairs = {str(number): str(place) for place, number in enumerate(opened, 1)} if lines is None else lines
    return Known(purchase_order.revision, purchase_order, {"key": key, "lines": dict(pairs)})


def order_reference(stock: Iterable[str] = ("A100", "A200", "B100"), **changes: Any) -> dict[str, Any]:
    """Return reference data as the session reads it for orders."""
    accounts = {code: account_row(code) for code in ("10-5120", "20-5120", "10-5130", "20-5130")}
    accounts["10-5600"] = account_row("10-5600", on_hold="Y")
    accounts["00-2100"] = account_row("00-2100", control="Y")
    return {
        "profile": {"localcurrencycode": "$"},
        "suppliers": {"V00001": [supplier_row(PurchOrdAllowed="Y")]},
        "accounts": accounts,
        "branches": {"10": {"Branch": "10"}, "20": {"Branch": "20"}},
        "terms": {"30": {"TermsCode": "30"}, "60": {"TermsCode": "60"}},
        "taxes": {"Z": {"TaxCode": "Z"}, "A": {"TaxCode": "A"}},
        "stock": {code: code for code in stock},
    } | changes


class PaperSource(OpenSource):
    """A source that holds whichever revisions it is given, older ones after newer ones if need be."""

    tenant = "paper"
    lists_messages = True

    def __init__(self) -> None:
        self.orders: list[PurchaseOrder] = []

    def remote_time(self) -> datetime:
        return datetime.now(UTC)

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:
        yield SourcePage([_record(each) for each in self.orders], len(self.orders), None, None)

    def complete(self, record: SourceRecord) -> SourceRecord:
        return record

    def decode(self, payload: bytes) -> PurchaseOrder:
        return PurchaseOrder.model_validate_json(payload)


def _record(each: PurchaseOrder) -> SourceRecord:
    summary = Summary(number=each.number, supplier=each.supplier, document_date=each.order_date)
    payload = each.model_dump_json().encode()
    return SourceRecord(each.source_key, each.revision, payload, True, Eligibility.ELIGIBLE, "", summary)  # noqa: FBT003 - complete


__all__ = [
    "COMPANY",
    "MAPPING",
    "PaperSource",
    "coded",
    "known",
    "line",
    "mapping",
    "order",
    "order_reference",
    "split",
]
