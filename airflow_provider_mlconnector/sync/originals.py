"""Which invoice a credit memo credits, as the target knows it."""

from __future__ import annotations

from airflow_provider_mlconnector.documents.invoice import Invoice, InvoiceKind
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import DocumentRecord
from airflow_provider_mlconnector.sync.route import Route


def original_invoice(uow: UnitOfWork, route: Route, _record: DocumentRecord, invoice: Invoice) -> Invoice:
    """Give a credit memo the supplier's number of the invoice it credits, as the target knows it.

    The source names the original by its own number (reference/jaggaer.md §2.4 ``originalInvoiceNumber``).

    Raises:
        Parked: ``original_unknown``: neither the source's nor the supplier's number is in the store.
    """
    if invoice.kind is not InvoiceKind.CREDIT_MEMO:
        return invoice
    if not invoice.original_number:
        text = f"credit memo {invoice.number} names no original invoice; SYSPRO credits an invoice. Book it by hand."
        raise Parked(text, code="original_unknown", subject=invoice.number)
    named = invoice.original_number.casefold()
    for found in uow.documents.find(invoice.original_number, route=route.name):
        is_named = named in {found.source_number.casefold(), found.number.casefold()}
        if is_named and found.supplier == invoice.supplier and found.kind != InvoiceKind.CREDIT_MEMO:
            return invoice.model_copy(update={"original_number": found.number})
    text = f"credit memo {invoice.number} credits {invoice.original_number}, which this store has never seen"
    raise Parked(text, code="original_unknown", subject=invoice.original_number)
