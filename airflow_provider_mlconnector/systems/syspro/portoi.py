"""PORTOI, writing purchase orders: documents out, answers in (reference/syspro.md §2.7).

One order per request: PORTOI has no all-or-nothing switch, and an answer to one order cannot be mistaken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from airflow_provider_mlconnector.errors import AmbiguousOutcome
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import Outcome, OutcomeState
from airflow_provider_mlconnector.systems.syspro.answers import problems_in
from airflow_provider_mlconnector.systems.syspro.client import PostCall
from airflow_provider_mlconnector.systems.syspro.keys import money, whole
from airflow_provider_mlconnector.systems.transport import Effect

BUSINESS_OBJECT = "PORTOI"
ADD, CHANGE, DELETE = "A", "C", "D"
NUMBER_SIZE = 20
CUSTOMER_PO_SIZE = 30
STOCK_CODE_SIZE = 30
CATALOG_SIZE = 50
DESCRIPTION_SIZE = 50
"""Sizes: reference/syspro.md §4."""
PRICE_SCALE, QUANTITY_SCALE = 5, 6
PRICE_LIMIT, QUANTITY_LIMIT = Decimal("1e10"), Decimal("1e12")
_TARGET_SIDE = {
    "supplier": "supplier",
    "ledgercode": "ledgercode",
    "passwordforledgercode": "ledgercode",
    "taxcode": "tax_code",
    "invoiceterms": "terms",
    "warehouse": "warehouse",
    "productclass": "product_class",
    "buyer": "buyer",
    "orderuom": "unit",
    "priceuom": "unit",
    "stockcode": "stock_code",
    "exchangerate": "exchange_rate",
    "purchaseorder": "purchase_order",
    "purchaseorderline": "purchase_order",
}
"""Fields whose refusal lies outside the document, and the code that groups documents with that cause."""


class OrderLineItem(BaseModel):
    """A merchandise line as it shall stand in SYSPRO; ``number`` is the source's line number.

    A stocked line takes description, product class and accounts from the stock code; those fields are empty then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    stocked: bool
    stock_code: str
    description: str = ""
    catalog: str = ""
    warehouse: str = ""
    quantity: Decimal
    unit: str
    price: Decimal
    tax_code: str = ""
    due: date
    ledger_code: str = ""
    product_class: str = ""


class OrderCharge(BaseModel):
    """A charge of the whole order, in its currency."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    freight: bool
    amount: Decimal
    description: str = ""

    @property
    def tag(self) -> str:
        """The element it is written as."""
        return "FreightLine" if self.freight else "MiscChargeLine"


class OrderHead(BaseModel):
    """A header. What is None or empty is not sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: str
    supplier: str
    number: str = ""
    """SYSPRO's number; on an order to add only where the site numbers by hand."""
    tax_status: str = ""
    terms: str = ""
    customer_po: str = ""
    order_date: date | None = None
    due: date | None = None
    buyer: str = ""
    warehouse: str = ""


@dataclass(frozen=True)
class LineAction:
    """One line of a request: what is done (A, C, D) to which SYSPRO line (0: a new one), and what it shall hold."""

    action: str
    line: int
    item: OrderLineItem | OrderCharge | None = None
    tag: str = "StockLine"


def post_call(head: OrderHead, lines: Sequence[LineAction], *, status: str, validate_only: bool = False) -> PostCall:
    """Build the request of one order.

    Args:
        head: Its header.
        lines: What is done to its lines.
        status: 1 ready to print, 4 already printed.
        validate_only: A rehearsal; sent explicitly either way, because the schema's default stores nothing.
    """
    free = any(isinstance(line.item, OrderLineItem) and not line.item.price for line in lines)
    parameters = {
        "ValidateOnly": "Y" if validate_only else "N",
        "IgnoreWarnings": "N",  # an invalid ledger code is only a warning here (reference/syspro.md §2.0)
        "AllowNonStockItems": "S",
        "AllowZeroPrice": "Y" if free else "N",
        "ValidateWorkingDays": "N",
        "AllowPoWhenBlanketPo": "N",
        "FixedExchangeRate": "N",
        "AllowBlankLedgerCode": "N",
        "CalcDueDate": "N",
        "Status": status,
    }
    e = xml.element
    orders = e("Orders", _head(head), e("OrderDetails", *map(_line, lines)) if lines else None)
    return PostCall(
        BUSINESS_OBJECT,
        xml.write(_root("PORTOI.XSD", e("Parameters", *(e(tag, value) for tag, value in parameters.items())))),
        xml.write(_root("PORTOIDOC.XSD", orders)),
        Effect.READ if validate_only else Effect.WRITE,
    )


def _root(schema: str, content: xml.Element) -> xml.Element:
    return xml.with_schema("PostPurchaseOrders", schema, content)


def _elements(tag: str, values: dict[str, str]) -> xml.Element:
    return xml.element(tag, *(xml.element(name, value) for name, value in values.items() if value))


def _head(head: OrderHead) -> xml.Element:
    return _elements(
        "OrderHeader",
        {
            "OrderActionType": head.action,
            "Supplier": head.supplier,
            "TaxStatus": head.tax_status,
            "InvoiceTerms": head.terms,
            "CustomerPoNumber": head.customer_po,
            "OrderDate": head.order_date.isoformat() if head.order_date else "",
            "DueDate": head.due.isoformat() if head.due else "",
            # every line brings its own date
            "ApplyDueDateToLines": "" if head.action == DELETE else "N",
            "Buyer": head.buyer,
            "Warehouse": head.warehouse,
            "PurchaseOrder": head.number,
        },
    )


def _line(action: LineAction) -> xml.Element:
    values = {"PurchaseOrderLine": str(action.line) if action.line else "", "LineActionType": action.action}
    if isinstance(action.item, OrderLineItem):
        values |= _merchandise(action.item)
    elif action.item is not None and action.item.freight:
        values |= {"FreightValue": money(action.item.amount)}
    elif action.item is not None:
        values |= {"MiscChargeValue": money(action.item.amount), "MiscDescription": action.item.description}
    return _elements(action.tag, values)


def _merchandise(item: OrderLineItem) -> dict[str, str]:
    return {
        "StockCode": item.stock_code,
        "StockDescription": item.description,
        "Warehouse": item.warehouse,
        "SupCatalogue": item.catalog,
        "OrderQty": plain(item.quantity),
        "OrderUom": item.unit,
        "PriceMethod": "M",  # the agreed price, not SYSPRO's own
        "Price": plain(item.price),
        "PriceUom": item.unit,
        "TaxCode": item.tax_code,
        "LatestDueDate": item.due.isoformat(),
        "LedgerCode": item.ledger_code,
        "ProductClass": item.product_class,
        "NonStockedLine": "" if item.stocked else "Y",
    }


def plain(value: Decimal) -> str:
    """Write a number without exponent and without needless zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def read_answer(root: xml.Element, head: OrderHead, *, rehearsal: bool = False) -> tuple[Outcome | None, str]:
    """Read the answer to the one order sent.

    Returns:
        The refusal and ``""``, or None and the order number SYSPRO names (empty when it names none, as after a clean
        import of which only counters are told, reference/syspro.md §3).

    Raises:
        AmbiguousOutcome: The document is not PORTOI's answer to one order, or says two things at once.
    """
    if xml.name(root) != "postpurchaseorders":
        msg = f"SYSPRO answered with a document of {xml.name(root)} instead of postpurchaseorders"
        raise AmbiguousOutcome(msg)
    named = [number for order in xml.children(root, "Order") if (number := xml.text(order, "Key/PurchaseOrder"))]
    number = named[0] if named else ""
    refused = _refusal(root, head)
    processed = whole(xml.text(root, "StatusOfItems/ItemsProcessed")) or 0
    if refused is not None:
        by_system = head.action == ADD and not head.number
        if processed or (named and by_system):
            msg = f"SYSPRO refuses the order and says that it was processed: {refused.text}"
            raise AmbiguousOutcome(msg)
        return refused, ""
    if whole(xml.text(root, "StatusOfItems/ItemsInvalid")) or len(named) > 1:
        msg = "SYSPRO counts an invalid order without explaining it, or names several orders for one"
        raise AmbiguousOutcome(msg)
    if not named and not processed and not rehearsal:
        msg = "SYSPRO neither refused the order nor says that it was processed"
        raise AmbiguousOutcome(msg)
    return None, number


def _refusal(root: xml.Element, head: OrderHead) -> Outcome | None:
    problems = problems_in(root)
    if not problems:
        return None
    text = "; ".join(dict.fromkeys(problem.text for problem in problems))
    if head.action == ADD and head.number and any(problem.field == "purchaseorder" for problem in problems):
        return Outcome(OutcomeState.DUPLICATE, "duplicate", head.number, text)
    for problem in problems:
        if problem.field in _TARGET_SIDE:
            return Outcome(OutcomeState.REFUSED, _TARGET_SIDE[problem.field], problem.value, text, parked=True)
    return Outcome(OutcomeState.REFUSED, problems[0].field, problems[0].value, text)
