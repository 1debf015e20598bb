"""What PORTOI makes of one line of an order (reference/syspro.md §2.7)."""

from __future__ import annotations

from decimal import Decimal

from lxml import etree

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.fields import Fields, Findings
from airflow_provider_mlconnector.sandbox.syspro.portoi_schema import LINE_TEXTS, Parameters
from airflow_provider_mlconnector.sandbox.syspro.records_po import (
    COMMENT,
    FREIGHT,
    MISC,
    NON_STOCKED,
    STOCKED,
    LineKind,
    Order,
    OrderLine,
)

PRICE_METHODS = {"", "M", "CC", "LC", "LP", "LPP", "S", "F"}
QUANTITY_SCALE, PRICE_SCALE = 6, 5
COMMENT_SIZE, COMMENT_PART = 990, 45
DEFAULT_WAREHOUSE, NO_WAREHOUSE = "MN", "**"
STOCK = {item.code: item for item in master.STOCK_ITEMS}
_CHARGES: dict[str, tuple[LineKind, str]] = {
    "MiscChargeLine": (MISC, "MiscChargeValue"),
    "FreightLine": (FREIGHT, "FreightValue"),
}


class LineCheck:
    """Checks one line and applies it to ``order``, a copy that is stored only if nothing is wrong."""

    def __init__(
        self, element: etree._Element, *, order: Order, books: Books, parameters: Parameters, findings: Findings,
        at: tuple[str, int], adding: bool,
    ) -> None:  # fmt: skip
        self._tag = at[0]
        self._order = order
        self._books = books
        self._parameters = parameters
        self._findings = findings
        self._fields = Fields(element, findings, oversize=books.options.oversize, at=at)
        self._adding = adding

    def apply(self) -> None:
        """Add, change or delete the line as its LineActionType says; of an order to add, every line is added."""
        action = "A" if self._adding else self._fields.choice("LineActionType", "ACD", "A")
        if action == "A":
            self._add()
            return
        sent = self._fields.needed("PurchaseOrderLine")
        line = self._order.lines.get(int(sent)) if sent.isascii() and sent.isdigit() else None
        if line is None:
            self._fail("line_missing", "PurchaseOrderLine", sent)
        elif action == "D":
            self._delete(line)
        else:
            self._change(line)

    def _fail(self, kind: str, element: str, value: str, **parts: object) -> None:
        self._findings.fail(kind, element, value, self._fields.at, **parts)

    def _warn(self, kind: str, element: str, value: str) -> None:
        self._findings.warn(kind, element, value, self._fields.at)

    def _delete(self, line: OrderLine) -> None:
        """Take the line out (SIM: SYSPRO might keep it, marked)."""
        if line.received:
            self._fail("line_received", "PurchaseOrderLine", str(line.number))
        self._order.removed.append(self._order.lines.pop(line.number))

    # Adding

    def _add(self) -> None:
        if self._tag == "StockLine":
            self._add_merchandise()
        elif self._tag == "CommentLine":
            comment = self._fields.text("Comment", COMMENT_SIZE)
            for start in range(0, max(len(comment), 1), COMMENT_PART):
                part = comment[start : start + COMMENT_PART]
                self._order.add_line(OrderLine(0, COMMENT, dict.fromkeys(LINE_TEXTS, "") | {"Comment": part}))
        else:
            kind, element = _CHARGES[self._tag]
            line = OrderLine(0, kind, dict.fromkeys(LINE_TEXTS, ""))
            self._charge(line, element)
            self._order.add_line(line)

    def _add_merchandise(self) -> None:
        code = self._fields.needed("StockCode", LINE_TEXTS["StockCode"])
        item = STOCK.get(code)
        if item is None and code and not self._non_stock_allowed():
            self._fail("stock_missing", "StockCode", code)
        texts = dict.fromkeys(LINE_TEXTS, "")
        if item is not None:
            texts |= {"StockDescription": item.description, "OrderUom": item.uom, "ProductClass": item.product_class}
        texts["Warehouse"] = (self._order.fields["Warehouse"] or DEFAULT_WAREHOUSE) if item else NO_WAREHOUSE
        line = OrderLine(0, STOCKED if item else NON_STOCKED, texts, due=self._order.due)
        if item is not None:
            line.price = Decimal(item.cost)
        self._fill(line)
        if not self._fields.text("OrderQty"):
            self._fail("blank", "OrderQty", "")
        elif not line.quantity:
            self._fail("not_positive", "OrderQty", self._fields.text("OrderQty"))
        line.original_due = line.due
        self._order.add_line(line)

    def _non_stock_allowed(self) -> bool:
        asked = self._parameters.non_stock
        return asked == "Y" or (asked == "S" and self._fields.choice("NonStockedLine", "YN", "N") == "Y")

    # Changing

    def _change(self, line: OrderLine) -> None:
        if self._tag in _CHARGES:
            self._charge(line, _CHARGES[self._tag][1])
        elif self._tag == "CommentLine":
            line.fields["Comment"] = self._fields.text("Comment", COMMENT_PART)
        else:
            code = self._fields.text("StockCode")
            if code and code != line.fields["StockCode"]:
                self._fail("line_stock_code", "StockCode", code)
            self._fill(line)
            if line.quantity < line.received:
                self._fail("below_received", "OrderQty", self._fields.text("OrderQty"))

    def _charge(self, line: OrderLine, element: str) -> None:
        amount = self._fields.amount(element)
        line.charge = line.charge if amount is None else amount
        line.fields["StockDescription"] = self._fields.text("MiscDescription") or line.fields["StockDescription"]
        if not line.charge:
            self._warn("zero_charge", element, self._fields.text(element))

    # Both

    def _fill(self, line: OrderLine) -> None:
        """Put what is sent into the line; what is blank or left out stays as it was (SIM)."""
        f = self._fields
        for name, size in LINE_TEXTS.items():
            line.fields[name] = f.text(name, size) or line.fields[name]
        quantity, price = f.number("OrderQty", QUANTITY_SCALE), f.number("Price", PRICE_SCALE)
        line.quantity = line.quantity if quantity is None else quantity
        line.price = line.price if price is None else price
        if f.text("LatestDueDate"):
            line.due = f.day("LatestDueDate", self._order.ordered_on)
        for name, value in (("OrderQty", line.quantity), ("Price", line.price)):
            if value < 0:
                self._fail("not_positive", name, f.text(name))
        if not line.price and not self._parameters.zero_price:
            self._fail("zero_price", "Price", f.text("Price"))
        if line.fields["PriceMethod"] not in PRICE_METHODS:
            self._warn("price_method", "PriceMethod", line.fields["PriceMethod"])
        if line.fields["Job"]:
            self._warn("job_missing", "Job", line.fields["Job"])
        self._references(line)

    def _references(self, line: OrderLine) -> None:
        fields = line.fields
        if line.kind == NON_STOCKED:
            fields["PriceMethod"] = "M"
            self._ledger_code(fields)
            if not fields["ProductClass"]:
                self._fail("blank", "ProductClass", "")
        elif fields["Warehouse"] not in master.WAREHOUSES:
            self._fail("warehouse_missing", "Warehouse", fields["Warehouse"])
        if fields["ProductClass"] and fields["ProductClass"] not in master.PRODUCT_CLASSES:
            self._warn("class_missing", "ProductClass", fields["ProductClass"])

    def _ledger_code(self, fields: dict[str, str]) -> None:
        """Check a non-stocked line's code: an invalid one is only a warning (§2.0), stored if that is ignored."""
        code = fields["LedgerCode"]
        account = self._books.accounts.get(code)
        if not code:
            if not self._parameters.blank_ledger and not fields["Job"]:
                self._fail("blank", "LedgerCode", "")
        elif account is None:
            self._warn("ledger_missing", "LedgerCode", code)
        elif account.on_hold:
            self._warn("ledger_on_hold", "LedgerCode", code)
        elif account.control:
            self._warn("ledger_control", "LedgerCode", code)
