"""An invoice as cXML InvoiceDetailRequest (reference/jaggaer.md §4.3); the order of children is the DTD's.

Freight, handling, discount and taxes are told once, in the summary, as the import of either other way takes them.
cXML has no place for an accounting date.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from airflow_provider_mlconnector.documents.allocation import apportion
from airflow_provider_mlconnector.documents.currency import EXACT, add, minor_unit
from airflow_provider_mlconnector.documents.invoice import InvoiceKind, InvoiceLine
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.cxml import (
    CxmlRequest,
    day,
    order_reference,
    payload_id,
    spoken,
    sum_of,
)
from airflow_provider_mlconnector.systems.jaggaer.cxml_contract import CxmlContract
from airflow_provider_mlconnector.systems.jaggaer.invoice_out import InvoiceStep
from airflow_provider_mlconnector.systems.jaggaer.message_parts import clean, marked, segments_of

EACH = "EA"
"""Unit of a line that names none: the DTD demands one."""


def invoice_request(step: InvoiceStep, contract: JaggaerContract, *, reference: str) -> CxmlRequest:
    """Build the message of one invoice.

    Args:
        step: What to tell.
        contract: Path and habits of the tenant, names of its segments.
        reference: The same for every repetition of this document.
    """
    invoice, names = step.invoice, contract.cxml
    sign = -1 if invoice.kind is InvoiceKind.CREDIT_MEMO and names.credit_sign == "negative" else 1
    writer = _Writer(step, contract, Decimal(sign))
    orders: dict[str, list[InvoiceLine]] = {}
    for line in invoice.lines:
        orders.setdefault(line.po_number, []).append(line)
    return CxmlRequest(
        payload_id=payload_id(reference, names),
        body=xml.element(
            "InvoiceDetailRequest",
            writer.header(),
            *(writer.order(number, lines) for number, lines in orders.items()),
            writer.summary(),
        ),
        dtd=names.invoice_dtd,
        path=names.invoices,
        name=f"cXML invoice {invoice.number}",
    )


class _Writer:
    """Writes the parts of one invoice; ``sign`` is that of its quantities and sums."""

    def __init__(self, step: InvoiceStep, contract: JaggaerContract, sign: Decimal) -> None:
        self._step = step
        self._invoice = step.invoice
        self._contract = contract
        self._names: CxmlContract = contract.cxml
        self._sign = sign

    def header(self) -> xml.Element:
        invoice, names = self._invoice, self._names
        credit = invoice.kind is InvoiceKind.CREDIT_MEMO
        original = invoice.original_number if credit else ""
        coded = any(line.allocations for line in invoice.lines)
        attributes = {
            "invoiceID": invoice.number,
            "purpose": names.credit_purpose if credit else "standard",
            "operation": "new",
            "invoiceDate": day(invoice.invoice_date),
        }
        unit = self._step.unit if names.business_unit else ""
        return marked(
            "InvoiceDetailRequestHeader",
            attributes,
            xml.element("InvoiceDetailHeaderIndicator"),
            marked("InvoiceDetailLineIndicator", {"isAccountingInLine": "yes"} if coded else {}),
            self._partner(),
            marked("InvoiceIDInfo", {"invoiceID": original}) if original else None,
            *self._terms(),
            spoken("Comments", self._step.notes, names) if self._step.notes else None,
            marked("Extrinsic", {"name": names.business_unit}, clean(unit)) if unit else None,
        )

    def order(self, number: str, lines: list[InvoiceLine]) -> xml.Element:
        info = xml.element("InvoiceDetailOrderInfo", order_reference(number, self._names))
        return xml.element("InvoiceDetailOrder", info, *(self._line(line) for line in lines))

    def summary(self) -> xml.Element:
        step, names, taxes = self._step, self._names, add(self._step.taxes)
        gross = add((self._invoice.gross, step.discount))
        goods = add((gross, -step.freight, -step.handling, -taxes))
        details = [
            marked("TaxDetail", {"category": category}, self._sum("TaxAmount", tax))
            for category, tax in zip(names.tax_categories, step.taxes, strict=True)
            if tax
        ]
        return xml.element(
            "InvoiceDetailSummary",
            self._sum("SubtotalAmount", goods),
            self._sum("Tax", taxes, spoken("Description", "Tax", names), *details),
            self._sum("SpecialHandlingAmount", step.handling) if step.handling else None,
            self._sum("ShippingAmount", step.freight) if step.freight else None,
            self._sum("GrossAmount", gross),
            self._sum("InvoiceDetailDiscount", step.discount) if step.discount else None,
            self._sum("NetAmount", self._invoice.gross),
            self._sum("DueAmount", self._invoice.gross),
        )

    def _partner(self) -> xml.Element:
        invoice, names = self._invoice, self._names
        who = {"role": names.supplier_role, "addressID": invoice.supplier}
        called = spoken("Name", invoice.supplier_name or invoice.supplier, names)
        return xml.element("InvoicePartner", marked("Contact", who, called))

    def _terms(self) -> Iterator[xml.Element]:
        """Yield the days of an early payment's discount, and those until the whole is due."""
        invoice = self._invoice
        terms = invoice.terms
        if terms and terms.discount_percent and terms.discount_days is not None:
            percent = marked("DiscountPercent", {"percent": f"{terms.discount_percent:f}"})
            days = {"payInNumberOfDays": str(terms.discount_days)}
            yield marked("PaymentTerm", days, xml.element("Discount", percent))
        due = (invoice.due_date - invoice.invoice_date).days if invoice.due_date else terms.days if terms else None
        if due is not None and due >= 0:
            yield marked("PaymentTerm", {"payInNumberOfDays": str(due)})

    def _line(self, line: InvoiceLine) -> xml.Element:
        quantity = EXACT.multiply(line.quantity, self._sign)
        referred = {"lineNumber": line.po_line or str(line.number)}
        return marked(
            "InvoiceDetailItem",
            {"invoiceLineNumber": str(line.number), "quantity": f"{quantity:f}"},
            xml.element("UnitOfMeasure", clean(line.unit) or EACH),
            sum_of("UnitPrice", line.unit_price, self._invoice.currency),
            marked(
                "InvoiceDetailItemReference",
                referred,
                spoken("Description", line.description, self._names) if line.description else None,
            ),
            self._sum("SubtotalAmount", line.amount),
            *self._distributions(line),
        )

    def _distributions(self, line: InvoiceLine) -> Iterator[xml.Element]:
        """Yield one for each account; shares become amounts that add up to the line."""
        parts = line.allocations
        amounts = [part.amount for part in parts if part.amount is not None]
        if not amounts and parts:
            shares = [part.percent or Decimal(0) for part in parts]
            amounts = apportion(line.amount, shares, minor_unit(self._invoice.currency))
        for part, amount in zip(parts, amounts, strict=True):
            codes = segments_of(part, self._contract.segments, self._contract.invoice_writes.custom_fields)
            segments = [self._segment(name, code) for name, code in codes.items()]
            if segments:  # the DTD knows no accounting without a segment
                accounting = marked("Accounting", {"name": "GL"}, *segments)
                yield xml.element("Distribution", accounting, self._sum("Charge", amount))

    def _segment(self, name: str, code: str) -> xml.Element:
        named = (spoken("Name", name, self._names), spoken("Description", name, self._names))
        return marked("AccountingSegment", {"id": code}, *named)

    def _sum(self, tag: str, amount: Decimal, *more: xml.Element) -> xml.Element:
        return sum_of(tag, EXACT.multiply(amount, self._sign), self._invoice.currency, *more)
