"""What PORTOI makes of one order: the checks it is documented to make, and the order as it would be stored (§2.7)."""

from __future__ import annotations

from decimal import Decimal

from lxml import etree

from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.fields import Fields, Findings
from airflow_provider_mlconnector.sandbox.syspro.portoi_lines import LineCheck
from airflow_provider_mlconnector.sandbox.syspro.portoi_schema import HEADER_TEXTS, LINES, Parameters
from airflow_provider_mlconnector.sandbox.syspro.records import Currency, Origin, Supplier
from airflow_provider_mlconnector.sandbox.syspro.records_po import OPEN, Order

SUPPLIER_SIZE, NUMBER_SIZE = 15, 20
RATE_SCALE = 6
_DUE_DATE_USES = "NAL"


class OrderCheck:
    """Checks one ``Orders`` element. Whatever is wrong with a header or a line refuses the whole order (SIM)."""

    def __init__(self, element: etree._Element, *, books: Books, parameters: Parameters, origin: Origin) -> None:
        self._element = element
        self._books = books
        self._parameters = parameters
        self._origin = origin
        self.findings = Findings(parameters.ignore_warnings)
        header = element.find("OrderHeader")
        self._header = etree.Element("OrderHeader") if header is None else header
        self._fields = Fields(self._header, self.findings, oversize=books.options.oversize)

    def order(self) -> Order | None:
        """Return the order as it would be stored, its number blank if SYSPRO gives it; None with the findings filled.

        An order with findings is still what was asked for, as far as that can be made out, but must not be stored.
        """
        action = self._fields.choice("OrderActionType", "ACD", "")
        if not action and not self.findings.errors:
            self._fields.needed("OrderActionType")
        order = self._new() if action == "A" else self._stored()
        if order is not None and action == "D":
            self._cancel(order)
        elif order is not None:
            self._fill(order, adding=action == "A")
        if order is None or self.findings.errors:
            return None
        order.origins.append(self._origin)
        return order

    # Which order

    def _new(self) -> Order | None:
        number = self._number_to_add()
        supplier = self._supplier()
        if supplier is None:
            return None
        currency = self._books.currencies[supplier.currency]
        return Order(
            number=number, supplier=supplier.key, currency=currency.code, rate=self._rate(currency),
            mul_div=currency.mul_div, fields=dict.fromkeys(HEADER_TEXTS, "") | {"InvoiceTerms": supplier.terms},
            ordered_on=self._origin.at.date(), due=None, entered_as=self._parameters.status,
        )  # fmt: skip

    def _number_to_add(self) -> str:
        """Return the number of an order to add: none if the site numbers by itself, whatever was sent (SIM)."""
        if self._books.options.po_numbering == "system":
            return ""
        sent = self._fields.needed("PurchaseOrder", NUMBER_SIZE)
        if sent and self._books.orders.get(sent) is not None:
            self.findings.fail("duplicate_key", "PurchaseOrder", sent, table="PorMasterHdr")
        return self._books.orders.key(sent)

    def _supplier(self) -> Supplier | None:
        sent = self._fields.needed("Supplier", SUPPLIER_SIZE)
        supplier = self._books.suppliers.get(self._books.supplier_key(sent))
        if supplier is None and sent:
            self.findings.fail("supplier_missing", "Supplier", sent)
        elif supplier is not None and not supplier.takes_orders:
            self.findings.fail("orders_not_allowed", "Supplier", sent)
        return supplier

    def _stored(self) -> Order | None:
        """Return a copy of the order to change or cancel."""
        sent = self._fields.needed("PurchaseOrder", NUMBER_SIZE)
        stored = self._books.orders.get(sent) if sent else None
        if stored is None:
            if sent:
                self.findings.fail("order_missing", "PurchaseOrder", sent)
            return None
        supplier = self._books.supplier_key(self._fields.text("Supplier", SUPPLIER_SIZE))
        if supplier and supplier != stored.supplier:
            self.findings.fail("order_supplier", "Supplier", supplier)
        if stored.cancelled:
            self.findings.fail("order_cancelled", "PurchaseOrder", sent)
        return stored.copy()

    # What is to become of it

    def _cancel(self, order: Order) -> None:
        if order.has_receipts:
            self.findings.fail("order_received", "PurchaseOrder", order.number)
        order.cancelled = True

    def _fill(self, order: Order, *, adding: bool) -> None:
        f = self._fields
        for name, size in HEADER_TEXTS.items():
            order.fields[name] = f.text(name, size) or order.fields[name]
        f.choice("TaxStatus", "EN", "N")
        if order.fields["InvoiceTerms"] not in self._books.terms_days:
            self.findings.fail("terms_missing", "InvoiceTerms", order.fields["InvoiceTerms"])
        if order.fields["Customer"]:
            self.findings.warn("customer_missing", "Customer", order.fields["Customer"])
        order.ordered_on = f.day("OrderDate", order.ordered_on)
        if f.text("DueDate"):
            order.due = f.day("DueDate", order.ordered_on)
        if f.choice("ChgPOStatToReadyToPrint", "YN", "N") == "Y":
            order.entered_as = OPEN
        self._lines(order, adding=adding)

    def _lines(self, order: Order, *, adding: bool) -> None:
        """Apply the lines in the order they are sent, whatever their kinds."""
        all_due = self._fields.choice("ApplyDueDateToLines", _DUE_DATE_USES, "N") == "A"
        details = self._element.find("OrderDetails")
        counts = dict.fromkeys(LINES, 0)
        for element in [] if details is None else details.iterchildren(*LINES):
            tag = str(element.tag)
            counts[tag] += 1
            LineCheck(
                element, order=order, books=self._books, parameters=self._parameters, findings=self.findings,
                at=(tag, counts[tag]), adding=adding,
            ).apply()  # fmt: skip
        if all_due and order.due is not None:
            for line in order.merchandise:
                line.due = order.due

    def _rate(self, currency: Currency) -> Decimal:
        rate = self._fields.number("ExchangeRate", RATE_SCALE)
        return rate if rate and not currency.fixed and currency.rate != 1 else currency.rate
