"""What the pipeline must know about each kind of document beyond its codec and its target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from airflow_provider_mlconnector.documents.coded_order import CodedOrder
from airflow_provider_mlconnector.documents.coding import CodedInvoice
from airflow_provider_mlconnector.documents.invoice import Invoice, InvoiceKind
from airflow_provider_mlconnector.documents.journal import CombinedJournal
from airflow_provider_mlconnector.documents.ledger import CodedEntry, CostCenter, LedgerAccount
from airflow_provider_mlconnector.documents.model import Document
from airflow_provider_mlconnector.documents.payment import Payment
from airflow_provider_mlconnector.documents.purchase_order import PurchaseOrder
from airflow_provider_mlconnector.documents.supplier import Supplier
from airflow_provider_mlconnector.documents.translated import TranslatedInvoice, TranslatedOrder
from airflow_provider_mlconnector.documents.validation import check_invoice
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.mapping.code_lists import code_entry
from airflow_provider_mlconnector.mapping.coding import code_invoice
from airflow_provider_mlconnector.mapping.model import MappingSet
from airflow_provider_mlconnector.mapping.orders import code_order
from airflow_provider_mlconnector.mapping.payments import code_payment
from airflow_provider_mlconnector.mapping.suppliers import code_supplier
from airflow_provider_mlconnector.mapping.translate import translate_invoice, translate_order
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import DocumentRecord
from airflow_provider_mlconnector.sync.billing import billed_orders
from airflow_provider_mlconnector.sync.match import match_context, remember_billing
from airflow_provider_mlconnector.sync.originals import original_invoice
from airflow_provider_mlconnector.sync.payments import paid_invoice
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.ports import Context, DocumentTarget, Known, SelfContainedTarget


@dataclass(frozen=True, slots=True)
class Coding:
    """How codes of one system become codes of the other.

    Attributes:
        mapping: The mapping in force.
        version: Its version.
        reverse: True where the route runs from the ledger's side to the other: the maps are read backwards.
        order_first: The coding of an order line replaces that of the invoice line that bills it.
        orders: What the target holds of the orders a document refers to (:attr:`.ports.Context.orders`).
    """

    mapping: MappingSet
    version: int
    reverse: bool = False
    order_first: bool = False
    orders: Mapping[str, Known] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Extract:
    """What lists show of a document: the summary columns of the store."""

    number: str = ""
    supplier: str = ""
    kind: str = ""
    currency: str = ""
    gross: str = ""
    document_date: date | None = None


def _as_it_is(_uow: UnitOfWork, _route: Route, document: Any) -> Any:  # noqa: ANN401 - any kind of document
    return document


def _nothing_kept(_uow: UnitOfWork, _route: Route, _record: DocumentRecord, _document: Any) -> None:  # noqa: ANN401 - any kind of document
    return None


def _nothing_more(_uow: UnitOfWork, _route: Route, _document: Any, context: Context) -> Context:  # noqa: ANN401 - any kind of document
    return context


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """One kind of document.

    Attributes:
        name: Its name in routes and in the store.
        model: The canonical model, which the store keeps as JSON.
        code: Checks a document in itself and gives it the target's codes; raises Rejected or Parked.
        extract: Its summary columns.
        revisable: A revision of what the target holds is written there too. Otherwise it is only reported: an invoice
            that changes after it was posted is for a person.
        one_route: Only one route may carry a document, whatever targets there are (FINANCE §4). Master data may go to
            many.
        linked: Documents are matched with the target's own at first contact: the crosswalk's pairs are needed to plan.
        waves: Kinds within the kind that must be posted one after the other; None takes all at once.
        decode: The codec of documents the connector makes itself; None: their source has it.
        remember: Keeps what later documents must know of this one, before it is judged. A dry run keeps nothing.
        complete: Fills in what only the store knows.
        enrich: Adds to the context what only the store knows.
        unrevised: Fields in which two revisions may differ without having changed.
    """

    name: str
    model: type[Document]
    code: Callable[[Any, Coding], Any]
    extract: Callable[[Any], Extract]
    revisable: bool = False
    one_route: bool = False
    linked: bool = False
    waves: tuple[str | None, ...] = (None,)
    decode: Callable[[bytes], Any] | None = None
    remember: Callable[[UnitOfWork, Route, DocumentRecord, Any], None] = _nothing_kept
    complete: Callable[[UnitOfWork, Route, Any], Any] = _as_it_is
    enrich: Callable[[UnitOfWork, Route, Any, Context], Context] = _nothing_more
    unrevised: frozenset[str] = field(default_factory=lambda: frozenset({"revision"}))


def _invoice_extract(invoice: Invoice) -> Extract:
    return Extract(
        number=invoice.number,
        supplier=invoice.supplier,
        kind=invoice.kind,
        currency=invoice.currency,
        gross=str(invoice.gross),
        document_date=invoice.invoice_date,
    )


def _code_invoice(invoice: Invoice, coding: Coding) -> CodedInvoice | TranslatedInvoice:
    if coding.reverse:
        return translate_invoice(invoice, coding.mapping, version=coding.version)
    return code_invoice(
        check_invoice(invoice),
        coding.mapping,
        version=coding.version,
        orders={number: held.document for number, held in coding.orders.items()},
        order_first=coding.order_first,
    )


def _with_original(uow: UnitOfWork, route: Route, invoice: Invoice) -> Invoice:
    # only a ledger credits one invoice by another
    return invoice if route.mapping.reverse else original_invoice(uow, route, invoice)


def _invoice_context(uow: UnitOfWork, route: Route, invoice: Invoice, context: Context) -> Context:
    if route.mapping.reverse:
        return context  # orders are matched, received and accrued where the invoice comes from
    return billed_orders(uow, route, invoice, match_context(uow, route, invoice, context))


INVOICE: Final = DocumentKind(
    name="invoice",
    one_route=True,
    model=Invoice,
    code=_code_invoice,
    extract=_invoice_extract,
    # credit memos follow: the invoice one credits must be in the target (reference/syspro.md §2.1)
    waves=(InvoiceKind.INVOICE, InvoiceKind.CREDIT_MEMO),
    remember=remember_billing,
    complete=_with_original,
    enrich=_invoice_context,
    # validation replaces the source's own number of the original by the supplier's
    unrevised=frozenset({"revision", "original_number"}),
)


def _supplier_extract(supplier: Supplier) -> Extract:
    return Extract(
        number=supplier.number,
        supplier=supplier.name,
        kind="active" if supplier.active else "inactive",
        currency=supplier.currency or "",
    )


SUPPLIER: Final = DocumentKind(
    name="supplier",
    model=Supplier,
    code=lambda supplier, coding: code_supplier(
        supplier, coding.mapping, version=coding.version, reverse=coding.reverse
    ),
    extract=_supplier_extract,
    revisable=True,
    linked=True,
)


def _order_extract(order: PurchaseOrder) -> Extract:
    return Extract(
        number=order.number,
        supplier=order.supplier,
        kind=order.status,
        currency=order.currency,
        gross="" if order.total is None else str(order.total),
        document_date=order.order_date,
    )


def _code_order(order: PurchaseOrder, coding: Coding) -> CodedOrder | TranslatedOrder:
    code = translate_order if coding.reverse else code_order
    return code(order, coding.mapping, version=coding.version)


PURCHASE_ORDER: Final = DocumentKind(
    name="purchase_order",
    one_route=True,
    model=PurchaseOrder,
    code=_code_order,
    extract=_order_extract,
    revisable=True,
    unrevised=frozenset({"revision", "revision_number"}),
)


def _code_extract(code: LedgerAccount | CostCenter) -> Extract:
    return Extract(number=code.code, kind="active" if code.active else "inactive")


def _code_entry(code: LedgerAccount | CostCenter, coding: Coding) -> CodedEntry:
    return code_entry(code, coding.mapping, version=coding.version, reverse=coding.reverse)


LEDGER_ACCOUNT: Final = DocumentKind(
    name="ledger_account", model=LedgerAccount, code=_code_entry, extract=_code_extract, revisable=True
)
COST_CENTER: Final = DocumentKind(
    name="cost_center", model=CostCenter, code=_code_entry, extract=_code_extract, revisable=True
)


def _payment_extract(payment: Payment) -> Extract:
    return Extract(
        number=payment.invoice,
        supplier=payment.supplier,
        kind="payment",
        currency=payment.currency,
        gross=str(payment.amount),
        document_date=payment.payment_date,
    )


PAYMENT: Final = DocumentKind(
    name="payment",
    model=Payment,
    code=lambda payment, coding: code_payment(payment, coding.mapping, version=coding.version, reverse=coding.reverse),
    extract=_payment_extract,
    enrich=paid_invoice,
    # what is left of the invoice changes with every further payment, the payment itself does not
    unrevised=frozenset({"revision", "outstanding"}),
)


def _journal_extract(journal: CombinedJournal) -> Extract:
    return Extract(
        number=journal.number,
        kind=f"{len(journal.members)} documents",
        document_date=journal.journal_date,
    )


JOURNAL: Final = DocumentKind(
    name="journal",
    model=CombinedJournal,
    # its members were coded when they were posted
    code=lambda journal, _coding: journal,
    extract=_journal_extract,
    decode=CombinedJournal.model_validate_json,
)

KINDS: Final[Mapping[str, DocumentKind]] = {
    kind.name: kind for kind in (INVOICE, SUPPLIER, PURCHASE_ORDER, LEDGER_ACCOUNT, COST_CENTER, PAYMENT, JOURNAL)
}


def kind_for(route: Route, target: DocumentTarget) -> DocumentKind:
    """Return the kind of a route's documents as its target takes them.

    Raises:
        ConfigurationError: Invoices are to be matched with orders that come from the target itself.
    """
    kind = kind_of(route)
    if not (isinstance(target, SelfContainedTarget) and target.self_contained):
        return kind
    if route.match != "off":
        message = (
            f"Route {route.name!r} cannot match invoices with orders: those of {route.target!r} are its own. Set match "
            "to off; match_status says which invoices the source has matched."
        )
        raise ConfigurationError(message, field=f"route {route.name!r}, match")
    return replace(kind, complete=_as_it_is, enrich=_nothing_more)


def kind_of(route: Route) -> DocumentKind:
    """Return the kind of a route's documents."""
    return KINDS[route.document]
