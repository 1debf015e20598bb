"""An invoice as BuyerInvoiceOcrMessage for the XML router (reference/jaggaer.md §3.3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from airflow_provider_mlconnector.documents.invoice import InvoiceLine
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.invoice_out import InvoiceStep
from airflow_provider_mlconnector.systems.jaggaer.message_parts import leaf, marked, money, segments_of
from airflow_provider_mlconnector.systems.jaggaer.parts import AMOUNT, PERCENT
from airflow_provider_mlconnector.systems.jaggaer.router import Message
from airflow_provider_mlconnector.systems.jaggaer.writing import KIND_WORDS

ROOT: Final = "BuyerInvoiceOcrMessage"


def ocr_message(step: InvoiceStep, contract: JaggaerContract, *, message_id: str) -> Message:
    """Build the message of one invoice.

    Args:
        step: What to tell.
        contract: Path and custom fields of the tenant.
        message_id: The same for every repetition of this document.
    """
    lines = [_line(line, step.invoice.currency, contract) for line in step.invoice.lines]
    return Message(
        root=ROOT,
        version="1.0",
        message_id=message_id,
        body=xml.element("BuyerInvoiceOcr", _header(step), *lines),
        path=contract.invoice_writes.path,
        name=f"invoice message {step.invoice.number}",
    )


def _header(step: InvoiceStep) -> xml.Element:
    invoice = step.invoice

    def paid(tag: str, amount: Decimal) -> xml.Element | None:
        return xml.element(tag, money(amount, invoice.currency)) if amount else None

    return xml.element(
        "BuyerInvoiceHeader",
        leaf("SupplierInvoiceNumber", invoice.number),
        xml.element("InvoiceType", KIND_WORDS[invoice.kind]),
        xml.element("InvoiceDate", invoice.invoice_date.isoformat()),
        xml.element("DueDate", invoice.due_date.isoformat()) if invoice.due_date else None,
        xml.element("GrandTotal", money(invoice.gross, invoice.currency)),
        xml.element("Supplier", leaf("SupplierNumber", invoice.supplier)),
        leaf("Notes", step.notes),
        marked("BusinessUnit", {"internalName": step.unit}) if step.unit else None,
        paid("ShippingCharges", step.freight),
        paid("HandlingCharges", step.handling),
        paid("Tax1", step.taxes[0]),
        paid("Tax2", step.taxes[1]),
        xml.element("AccountingDate", invoice.accounting_date.isoformat()) if invoice.accounting_date else None,
    )


def _line(line: InvoiceLine, currency: str, contract: JaggaerContract) -> xml.Element:
    return marked(
        "BuyerInvoiceLine",
        {"lineNumber": str(line.number)},
        xml.element("Item", leaf("Description", line.description), leaf("UnitOfMeasure", line.unit)),
        xml.element("Quantity", f"{line.quantity:f}"),
        xml.element("UnitPrice", money(line.unit_price, currency)),
        leaf("PONumber", line.po_number),
        leaf("POLineNumber", line.po_line),
        _splits(line, contract),
    )


def _splits(line: InvoiceLine, contract: JaggaerContract) -> xml.Element | None:
    if not line.allocations:
        return None
    kind = PERCENT if line.allocations[0].amount is None else AMOUNT
    splits = []
    for place, part in enumerate(line.allocations, start=1):
        share = part.percent if part.amount is None else part.amount
        values = segments_of(part, contract.segments, contract.invoice_writes.custom_fields).items()
        fields = [marked("CustomFieldValue", {"name": name}, leaf("Value", code)) for name, code in values]
        shown = {"distributionvalue": f"{share:f}", "splitindex": str(place)}
        splits.append(marked("SplittableFieldIndex", shown, *fields))
    index_set = marked("SplittableFieldIndexSet", {"distributiontype": kind, "context": "Line"}, *splits)
    return xml.element("SplittableFieldSetGroup", index_set)
