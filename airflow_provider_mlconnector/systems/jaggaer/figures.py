"""What JAGGAER has, for reconciliation: read from its lists, every list until two passes agree (FINANCE §7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from sys import intern
from typing import TypeVar

from airflow_provider_mlconnector.documents import reconciliation as kinds
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.purchase_order import OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.documents.reconciliation import Area, Figure, Span
from airflow_provider_mlconnector.documents.supplier import Supplier
from airflow_provider_mlconnector.errors import DocumentError, Unavailable
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.contract import EligibilityWords
from airflow_provider_mlconnector.systems.jaggaer.fields import MAX_EXPONENT, UnreadableJson, at, loads
from airflow_provider_mlconnector.systems.jaggaer.listing import ListedSource
from airflow_provider_mlconnector.systems.jaggaer.names import as_documented
from airflow_provider_mlconnector.systems.jaggaer.orders import JaggaerOrderSource
from airflow_provider_mlconnector.systems.jaggaer.resources import InvoiceContract
from airflow_provider_mlconnector.systems.jaggaer.rows import among, scalar
from airflow_provider_mlconnector.systems.jaggaer.source import JaggaerInvoiceSource
from airflow_provider_mlconnector.systems.jaggaer.suppliers import JaggaerSupplierSource
from airflow_provider_mlconnector.systems.ports import Eligibility, SourceRecord, Window
from airflow_provider_mlconnector.systems.reading import OpenSource

MAX_PASSES = 6
_BITS = 2**64 - 1
LEAD = timedelta(days=62)
"""Lists filter by change time only, and a document may be dated later than it was last changed: so much later."""

Read = TypeVar("Read")


class JaggaerFigures(OpenSource):
    """One tenant as a side of a reconciliation; a :class:`~...ports.FiguresSource`.

    Args:
        name: The Airflow connection's id.
        client: Speaks to the tenant.
        tenant: The label under which keys are recorded; the client id when empty.
        eligibility: The route's status words; the contract's when None.
    """

    def __init__(
        self, name: str, client: JaggaerClient, *, tenant: str = "", eligibility: EligibilityWords | None = None
    ) -> None:
        self.name = name
        self.tenant = tenant or client.client_id
        self._client = client
        self._words = eligibility or client.contract.eligibility

    def invoices(self, span: Span) -> Iterator[Figure]:
        """List invoices and credit memos, those dated outside the span too as far as the list shows them anyway.

        Headers only: no detail is read.
        """
        source = JaggaerInvoiceSource(self._client, eligibility=self._words)
        yield from _settled(source, _since(span), self._invoice).values()

    def suppliers(self) -> Iterator[Figure]:
        """List every supplier of the types the contract names."""
        source = JaggaerSupplierSource(self._client)
        for record in _settled(source, Window(), _as_listed).values():
            if record.eligibility is Eligibility.ELIGIBLE:
                yield _supplier(source, record)

    def orders(self, span: Span) -> Iterator[Figure]:
        """List orders dated in the span; where the list shows headers only, each costs a request of its own."""
        source = JaggaerOrderSource(self._client)
        for record in _settled(source, _since(span), _as_listed).values():
            dated = record.summary.document_date
            if record.eligibility is Eligibility.ELIGIBLE and (dated is None or span.holds(dated)):
                yield _order(source, record)

    def _invoice(self, record: SourceRecord) -> Figure:
        summary, resource = record.summary, self._client.contract.invoices
        amount = _amount(summary.gross)
        kind = kinds.CREDIT_MEMO if "credit" in summary.kind.casefold() else kinds.INVOICE
        paid = among(_word(record, "paymentStatus", resource), self._words.closed_payment)
        approved = among(_word(record, "workflowStatus", resource), self._words.workflow)
        return Figure(
            area=Area.INVOICES,
            kind=kind,
            key=record.key,
            match=f"{comparable(summary.supplier)}|{comparable(summary.number)}|{kind}",
            label=f"{summary.supplier or '?'} {summary.number or record.key}",
            number=summary.number,
            currency=intern(summary.currency),
            amount=amount or Decimal(0),
            day=summary.document_date,
            counted=record.eligibility is Eligibility.ELIGIBLE or (paid and approved),
            status=intern(record.status_text)
            if amount is not None
            else f"amount {summary.gross or 'missing'} is unreadable",
            owed=Decimal(0) if paid else amount,
            changed_at=record.changed_at,
        )


def _since(span: Span) -> Window:
    return Window(start=datetime.combine(span.start, time(), UTC) - LEAD)


def _settled(source: ListedSource, window: Window, read: Callable[[SourceRecord], Read]) -> dict[str, Read]:
    """Read a list until two passes agree on keys and revisions; rows move between pages while others are edited."""
    before: tuple[int, int] | None = None
    for _ in range(MAX_PASSES):
        found: dict[str, Read] = {}
        digest = 0
        for record in _records(source, window):
            found[record.key] = read(record)
            # the same whatever the order, and as small for a hundred thousand records as for one
            digest = (digest + hash((record.key, record.revision))) & _BITS
        if (len(found), digest) == before:
            return found
        before = (len(found), digest)
    msg = (
        f"The {source.list_name} changed during each of {MAX_PASSES} passes, so nothing can be compared. Run it later."
    )
    raise Unavailable(msg)


def _records(source: ListedSource, window: Window) -> Iterable[SourceRecord]:
    return (record for page in source.pages(window) for record in page.records)


def _as_listed(record: SourceRecord) -> SourceRecord:
    return record


def _supplier(source: JaggaerSupplierSource, record: SourceRecord) -> Figure:
    try:
        supplier = source.decode(record.payload)
    except DocumentError as error:
        return _unreadable(Area.SUPPLIERS, kinds.SUPPLIER, record, error)
    return supplier_figure(supplier, key=record.key, changed_at=record.changed_at)


def supplier_figure(supplier: Supplier, *, key: str, changed_at: datetime | None = None) -> Figure:
    """Return a supplier's figure: what both sides tell of it is compared, addresses and bank data are not.

    A supplier on hold in the ERP is inactive here (FINANCE §7).
    """
    told = {"name": supplier.name, "terms": supplier.terms, "currency": supplier.currency, "tax id": supplier.tax_id}
    return Figure(
        area=Area.SUPPLIERS,
        kind=kinds.SUPPLIER,
        key=key,
        match=comparable(supplier.number) if supplier.number else "",
        label=f"{supplier.number or key} {supplier.name}",
        status="active" if supplier.active else "inactive",
        facts=(
            ("active", "yes" if supplier.active else "no"),
            *((name, value) for name, value in told.items() if value is not None),
        ),
        changed_at=changed_at,
    )


def _order(source: JaggaerOrderSource, record: SourceRecord) -> Figure:
    try:
        order = source.decode(source.complete(record).payload)
    except DocumentError as error:
        return _unreadable(Area.ORDERS, kinds.ORDER, record, error)
    return order_figure(order, key=record.key, changed_at=record.changed_at)


def order_figure(order: PurchaseOrder, *, key: str, changed_at: datetime | None = None) -> Figure:
    """Return an order's figure: lines still wanted, their quantities and value, charges left out."""
    wanted = [line for line in order.lines if not line.is_canceled]
    quantity = sum((line.quantity for line in wanted), Decimal(0))
    return Figure(
        area=Area.ORDERS,
        kind=kinds.ORDER,
        key=key,
        match=comparable(order.number),
        label=f"{order.number} of {order.supplier or '?'}",
        number=order.number,
        currency=order.currency,
        amount=sum((line.amount for line in wanted), Decimal(0)),
        day=order.order_date,
        counted=order.status is OrderStatus.APPROVED,
        status=order.status,
        facts=(("lines", str(len(wanted))), ("quantity", f"{quantity.normalize():f}")),
        changed_at=changed_at,
    )


def _unreadable(area: Area, kind: str, record: SourceRecord, error: DocumentError) -> Figure:
    summary = record.summary
    return Figure(
        area=area,
        kind=kind,
        key=record.key,
        match=comparable(summary.number) if summary.number else "",
        label=f"{summary.number or record.key}",
        currency="" if area is Area.SUPPLIERS else summary.currency,
        day=summary.document_date,
        status=f"unreadable: {error.message}",
        changed_at=record.changed_at,
    )


def _word(record: SourceRecord, name: str, resource: InvoiceContract) -> str:
    try:
        return scalar(at(as_documented(loads(record.payload), resource), f"header.{name}"))
    except UnreadableJson:
        return ""


def _amount(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value.adjusted()) <= MAX_EXPONENT else None
