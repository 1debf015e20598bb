"""PORQRY, one purchase order, and PORQPO, a list of them (reference/syspro.md §2.8)."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from airflow_provider_mlconnector.sandbox.syspro import money, sim_texts, wire
from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.documents import load, text_of
from airflow_provider_mlconnector.sandbox.syspro.orders import shown
from airflow_provider_mlconnector.sandbox.syspro.records_po import (
    CANCELLED,
    COMMENT,
    COMPLETE,
    FREIGHT,
    MISC,
    NON_STOCKED,
    OPEN,
    PRINTED,
    STOCKED,
    Order,
    OrderLine,
)
from airflow_provider_mlconnector.sandbox.syspro.wire import EnetError, leaf, node

STATUS_TEXTS = {OPEN: "Open", PRINTED: "Printed", COMPLETE: "Complete", CANCELLED: "Cancelled"}
"""OrderStatusDescription: SIM wording."""
_KINDS = {
    STOCKED: "IncludeStockedLines",
    NON_STOCKED: "IncludeNonStockedLines",
    FREIGHT: "IncludeFreightLines",
    MISC: "IncludeMiscellaneousLines",
    COMMENT: "IncludeCommentLines",
}


def order_query(books: Books, xml_in: str) -> str:
    """Answer PORQRY. Options left blank count as Y, so that a query without any shows the whole order (SIM).

    Raises:
        EnetError: If the number is blank or unknown, or an option is neither Y nor N (§2.8).
    """
    query = load(xml_in, "Query")
    sent = text_of(query.find("Key"), "PurchaseOrder")
    order = books.orders.get(sent) if sent else None
    if order is None:
        raise EnetError(sim_texts.ORDER_KEY.format(value=sent))
    options = _options(query.find("Option"))
    wanted = [line for line in order.lines.values() if _is_wanted(line, options)]
    content = _header(books, order) + node("PurchaseOrderLine", "".join(_line(line) for line in wanted))
    return wire.report("PorDetail", content + _totals(order), books.options.version)


def _options(option: etree._Element | None) -> dict[str, bool]:
    given = {} if option is None else {str(child.tag): (child.text or "").strip() for child in option}
    flags = {name: value for name, value in given.items() if name.startswith("Include")}
    for name, value in flags.items():
        if value not in {"", "Y", "N"}:
            raise EnetError(sim_texts.BAD_VALUE.format(value=value, column=name))
    return {name: value != "N" for name, value in flags.items()}


def _is_wanted(line: OrderLine, options: dict[str, bool]) -> bool:
    if line.complete and not options.get("IncludeCompletedLines", True):
        return False
    return options.get(_KINDS[line.kind], True)


def _header(books: Books, order: Order) -> str:
    supplier = books.suppliers.get(order.supplier)
    return (
        leaf("PurchaseOrder", shown(order.number))
        + leaf("Supplier", order.supplier)
        + leaf("SupplierName", supplier.name if supplier else "")
        + leaf("Currency", order.currency)
        + leaf("LocalSupplier", "Y" if order.rate == 1 else "N")
        + leaf("OrderStatus", order.status)
        + leaf("OrderStatusDescription", STATUS_TEXTS[order.status])
        + leaf("PoExchangeRate", f"{order.rate:.6f}")
        + leaf("ApInvoiceTerms", order.fields["InvoiceTerms"])
        + leaf("Warehouse", order.fields["Warehouse"])
        + leaf("OrderEntryDate", order.ordered_on.isoformat())
        + leaf("OrderDueDate", order.due.isoformat() if order.due else "")
        + leaf("Buyer", order.fields["Buyer"])
        + leaf("CustomerPoNumber", order.customer_po)
    )


def _line(line: OrderLine) -> str:
    """Return one line; the container of lines that are no merchandise is SIM."""
    if not line.is_merchandise:
        content = leaf("Line", str(line.number)) + leaf("LineType", line.kind)
        text = leaf("NComment", line.fields.get("Comment", "")) + leaf("NMscChargeValue", money.show(line.charge))
        return node("NonMerchandise", content + text)
    outstanding = max(line.quantity - line.received, type(line.quantity)())
    return node(
        "Merchandise",
        leaf("Line", str(line.number))
        + leaf("LineType", line.kind)
        + leaf("MStockCode", line.fields["StockCode"])
        + leaf("MStockDes", line.fields["StockDescription"])
        + leaf("MOrderQty", f"{line.quantity:.6f}")
        + leaf("MReceivedQty", f"{line.received:.6f}")
        + leaf("MOutstandingQty", f"{outstanding:,.6f}")
        + leaf("Unedited_MOutstandingQty", f"{outstanding:.6f}")
        + leaf("MOrderUom", line.fields["OrderUom"])
        + leaf("MPrice", f"{line.price:.5f}")
        + leaf("OrderValue", money.show(line.value))
        + leaf("MLatestDueDate", line.due.isoformat() if line.due else "")
        + leaf("MGlCode", line.fields["LedgerCode"])
        + leaf("MTaxCode", line.fields["TaxCode"])
        + leaf("MProductClass", line.fields["ProductClass"]),
    )


def _totals(order: Order) -> str:
    """Return the totals; the leaf inside each is SIM."""
    local = money.to_local(order.value, order.rate, order.mul_div)
    return node(
        "PurchaseOrderTotals",
        node("LocalValues", leaf("OrderValue", money.show(local)))
        + node("CurrentValues", leaf("OrderValue", money.show(order.value))),
    )


# PORQPO

_FILTERS: dict[str, Callable[[Order], str]] = {
    "Supplier": lambda order: order.supplier,
    "Customer": lambda order: order.fields["Customer"],
    "Currency": lambda order: order.currency,
    "Buyer": lambda order: order.fields["Buyer"],
    "Memo": lambda order: order.fields["MemoCode"],
    "PurchaseOrder": lambda order: order.number,
    "OrderDate": lambda order: order.ordered_on.isoformat(),
}


def order_list(books: Books, xml_in: str) -> str:
    """Answer PORQPO, by order number.

    Raises:
        EnetError: If a filter is none of those §2.8 names, or its type none of A, S, R.
    """
    query = load(xml_in, "Query")
    option = query.find("Option")
    left_out = set()
    if text_of(option, "IncludeCompletedOrders") != "Y":
        left_out.add(COMPLETE)
    if text_of(option, "IncludeCancelledOrders") != "Y":
        left_out.add(CANCELLED)
    given = query.find("Filter")
    tests = [] if given is None else [_filter(books, element) for element in given]
    orders = sorted(books.orders.by_number.values(), key=lambda order: order.number)
    wanted = (order for order in orders if order.status not in left_out and all(test(order) for test in tests))
    return wire.report("PorQuery", "".join(_summary(books, order) for order in wanted), books.options.version)


def _filter(books: Books, element: etree._Element) -> Callable[[Order], bool]:
    name, kind = str(element.tag), element.get("FilterType", "A")
    get = _FILTERS.get(name)
    if get is None or kind not in {"A", "S", "R"}:
        raise EnetError(sim_texts.BAD_CONDITION.format(name=f"{name} {kind}"))
    low, _, high = (part.strip() for part in element.get("FilterValue", "").partition(","))
    if name == "PurchaseOrder":
        low, high = books.orders.key(low), books.orders.key(high)
    elif name == "Supplier":
        low, high = books.supplier_key(low), books.supplier_key(high)
    if kind == "A":
        return lambda _order: True
    if kind == "S":
        return lambda order: get(order) == low
    return lambda order: low <= get(order) <= (high or "\uffff")


def _summary(books: Books, order: Order) -> str:
    supplier = books.suppliers.get(order.supplier)
    return node(
        "PurchaseOrderItem",
        leaf("PurchaseOrder", shown(order.number))
        + leaf("OrderStatus", order.status)
        + leaf("Supplier", order.supplier)
        + leaf("SupplierName", supplier.name if supplier else "")
        + leaf("Currency", order.currency)
        + leaf("OrderDate", order.ordered_on.isoformat())
        + leaf("Buyer", order.fields["Buyer"]),
    )
