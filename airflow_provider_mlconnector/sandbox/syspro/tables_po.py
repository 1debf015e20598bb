"""Purchasing and inventory tables (reference/syspro.md §4). InvMaster and SalProductClass columns are SIM."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.receipts import GRN_SOURCE
from airflow_provider_mlconnector.sandbox.syspro.records_po import CANCELLED, COMPLETE, Order, OrderLine
from airflow_provider_mlconnector.sandbox.syspro.tables import (
    Column,
    Indexes,
    Row,
    Table,
    amount,
    constant,
    day,
    number,
    text,
)
from airflow_provider_mlconnector.sandbox.syspro.tables_ap import stamp, yes

DELIVERY = ("DeliveryName", "DeliveryAddr1", "DeliveryAddr2", "DeliveryAddr3", "DeliveryAddr4", "DeliveryAddr5")
NUMBER_COLUMN, LINE_COLUMN = "PurchaseOrder", "Line"
_RATE = (12, 6)
_QUANTITY = (18, 6)
_PRICE = (15, 5)
DetailRow = tuple[Order, OrderLine, int]
"""An order, one of its lines, and the line's number: a stored line has one identity however it is found."""


def _text_of(name: str) -> Callable[[Row], str]:
    return lambda row: str(row.fields[name])


def _discounts(prefix: str) -> dict[str, Column]:
    return {f"{prefix}DiscPct{n}": number(lambda _r: Decimal(), 5, 2) for n in (1, 2, 3)}


def _header_columns() -> dict[str, Column]:
    return {
        NUMBER_COLUMN: text(lambda r: r.number),
        "OrderStatus": text(lambda r: r.status),
        "ActiveFlag": text(lambda r: yes(r.status not in {COMPLETE, CANCELLED})),
        "CancelledFlag": text(lambda r: yes(r.cancelled)),
        "Supplier": text(lambda r: r.supplier),
        "OrderEntryDate": day(lambda r: r.ordered_on),
        "OrderDueDate": day(lambda r: r.due),
        "DatePoCompleted": day(_completed_on),
        "OrderType": text(lambda r: "L" if r.rate == 1 else "I"),
        "Customer": text(_text_of("Customer")),
        "CustomerPoNumber": text(lambda r: r.customer_po),
        "PaymentTerms": text(_text_of("PaymentTerms")),
        "TermsCode": text(_text_of("InvoiceTerms")),
        "ShippingInstrs": text(_text_of("ShippingInstrs")),
        "Warehouse": text(_text_of("Warehouse")),
        **_discounts(""),
        "Currency": text(lambda r: r.currency),
        "TaxStatus": text(_text_of("TaxStatus")),
        "AmendedCount": number(lambda r: r.amended, 4),
        "ExchangeRate": number(lambda r: r.rate, *_RATE),
        "MulDiv": text(lambda r: r.mul_div),
        "ExchRateFixed": text(lambda r: r.fields["ExchRateFixed"] or "N"),
        "Buyer": text(_text_of("Buyer")),
        **{name: text(_text_of(name)) for name in DELIVERY},
        "ContractNumber": constant(""),
        "TimeStamp": text(lambda r: stamp(r.version)),
    }


def _headers(books: Books) -> Table:
    def numbered(key: str) -> Sequence[Order]:
        found = books.orders.by_number.get(key)
        return (found,) if found else ()

    indexes: Indexes = {
        (NUMBER_COLUMN,): numbered,
        ("CustomerPoNumber",): books.orders.of_customer_po,
        ("Supplier",): books.orders.of_supplier,
    }
    return Table("PorMasterHdr", _header_columns(), books.orders.by_number.values, indexes, (NUMBER_COLUMN,))


def _completed_on(row: Order) -> date | None:
    days = [line.last_receipt for line in row.merchandise if line.last_receipt]
    return max(days) if days and row.status == COMPLETE else None


def local_price(order: Order, line: OrderLine) -> Decimal:
    """Return a line's price in company currency."""
    return line.price * order.rate if order.mul_div == "M" else line.price / order.rate


def _detail_columns() -> dict[str, Column]:
    """Return the columns of a line: M columns hold merchandise lines, N columns the others."""

    def texts(name: str) -> Column:
        return text(lambda r: str(r[1].fields[name]))

    return {
        NUMBER_COLUMN: text(lambda r: r[0].number),
        LINE_COLUMN: number(lambda r: r[2], 4),
        "LineType": text(lambda r: r[1].kind),
        "MStockCode": texts("StockCode"),
        "MStockDes": texts("StockDescription"),
        "MWarehouse": texts("Warehouse"),
        "MOrderUom": texts("OrderUom"),
        "MOrderQty": number(lambda r: r[1].quantity, *_QUANTITY),
        "MReceivedQty": number(lambda r: r[1].received, *_QUANTITY),
        "MLatestDueDate": day(lambda r: r[1].due),
        "MOrigDueDate": day(lambda r: r[1].original_due),
        "MLastReceiptDat": day(lambda r: r[1].last_receipt),
        "MSupCatalogue": texts("SupCatalogue"),
        **_discounts("M"),
        "MPrice": number(lambda r: local_price(r[0], r[1]), *_PRICE),
        "MForeignPrice": number(lambda r: r[1].price if r[0].rate != 1 else Decimal(), *_PRICE),
        "MPriceUom": texts("PriceUom"),
        "MTaxCode": texts("TaxCode"),
        "MProductClass": texts("ProductClass"),
        "MCompleteFlag": text(lambda r: yes(r[1].complete)),
        "MJob": texts("Job"),
        "MGlCode": texts("LedgerCode"),
        "MRequisition": constant(""),
        "MRequisitionLine": number(lambda _r: 0, 4),
        "NComment": text(lambda r: str(r[1].fields.get("Comment", ""))),
        "NMscChargeValue": amount(lambda r: r[1].charge),
        "SelectionCode": constant(""),
        "CapexCode": constant(""),
        "CapexLine": number(lambda _r: 0, 4),
        "OrderLineStatus": constant(""),
        "TimeStamp": text(lambda r: stamp(r[0].version)),
    }


def _details(books: Books) -> Table:
    """One row per line of every order."""

    def spread(orders: Iterable[Order]) -> list[DetailRow]:
        return [(order, line, line.number) for order in orders for line in order.lines.values()]

    def of_order(key: str) -> list[DetailRow]:
        found = books.orders.by_number.get(key)
        return spread((found,) if found else ())

    indexes: Indexes = {(NUMBER_COLUMN,): of_order}
    return Table(
        "PorMasterDetail", _detail_columns(), lambda: spread(books.orders.by_number.values()), indexes,
        (NUMBER_COLUMN, LINE_COLUMN),
    )  # fmt: skip


def _receipts(books: Books) -> Table:
    """Values in company currency, but CurrencyValue. QtyInvoiced and DeliveryNote are SIM."""
    columns = {
        "Supplier": text(lambda r: r.supplier),
        "Grn": text(lambda r: r.grn),
        "GrnSource": constant(GRN_SOURCE),
        "Journal": number(lambda r: r.journal),
        "JournalEntry": number(lambda r: r.entry),
        "OrigReceiptDate": day(lambda r: r.received_on),
        "DebitRecGlCode": text(lambda r: r.debit_code),
        "GrnYear": number(lambda r: r.period[0], 4),
        "GrnMonth": number(lambda r: r.period[1], 2),
        "PurchaseOrder": text(lambda r: r.purchase_order),
        "PurchaseOrderLin": number(lambda r: r.line, 4),
        "StockCode": text(lambda r: r.stock_code),
        "QtyReceived": number(lambda r: r.quantity, *_QUANTITY),
        "QtyInvoiced": number(lambda r: r.matched_quantity, *_QUANTITY),
        "OrigGrnValue": amount(lambda r: r.value),
        "CurGrnValue": amount(lambda r: r.value),
        "MatchedValue": amount(lambda r: r.matched_value),
        "GrnMatchedFlag": text(lambda r: yes(r.matched)),
        "CurrencyValue": amount(lambda r: r.foreign_value),
        "PostCurrency": text(lambda r: r.currency),
        "ConvRate": number(lambda r: r.rate, *_RATE),
        "MulDiv": text(lambda r: r.mul_div),
        "DeliveryNote": text(lambda r: r.delivery_note),
    }
    indexes: Indexes = {
        ("Supplier", "Grn"): books.receipts.stored_under,
        (NUMBER_COLUMN,): books.receipts.of_order,
    }
    return Table("GrnDetails", columns, books.receipts.rows, indexes)


def _stock() -> Table:
    columns = {
        "StockCode": text(lambda r: r.code),
        "Description": text(lambda r: r.description),
        "StockUom": text(lambda r: r.uom),
        "ProductClass": text(lambda r: r.product_class),
        "MaterialCost": number(lambda r: Decimal(r.cost), *_PRICE),
    }
    return Table("InvMaster", columns, lambda: master.STOCK_ITEMS, key=("StockCode",))


def _classes() -> Table:
    columns = {"ProductClass": text(lambda r: r[0]), "Description": text(lambda r: r[1])}
    return Table("SalProductClass", columns, lambda: tuple(master.PRODUCT_CLASSES.items()), key=("ProductClass",))


def po_tables(books: Books) -> list[Table]:
    """Return the purchasing tables over ``books``."""
    return [_headers(books), _details(books), _receipts(books), _stock(), _classes()]
