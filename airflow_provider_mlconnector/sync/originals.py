"""Which invoice a credit memo credits, as the target knows it."""

from __future__ import annotations

from typing import Any

from airflow_provider_mlconnector.documents.invoice import Invoice, InvoiceKind
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.sync.route import Route


def original_invoice(uow: UnitOfWork, route: Route, invoice: Invoice) -> Invoice:
    """Give a credit memo the supplier's number of the invoice it credits, as the target knows it.

    The source names the original by its own number (reference/jaggaer.md §2.4 ``originalInvoiceNumber``).

    Raises:
        Parked: ``original_unknown``: neither the source's nor the supplier's number is in the store.
    """
    if invoice.kind is not InvoiceKind.CREDIT_MEMO:
        return invoice
    if not invoice.original_number:
        text = (
            f"credit memo {invoice.number} names no original invoice, and the target credits one invoice by another;"
            " name it in the source, or book the memo by hand"
        )
        raise Parked(text, code="original_unknown", subject=invoice.number)
    named = invoice.original_number.casefold()
    for found in uow.documents.find(invoice.original_number, route=route.name):
        is_named = named in {found.source_number.casefold(), found.number.casefold()}
        if is_named and found.supplier == invoice.supplier and found.kind != InvoiceKind.CREDIT_MEMO:
            return invoice.model_copy(update={"original_number": found.number})
    text = f"credit memo {invoice.number} credits {invoice.original_number}, which this store has never seen"
    raise Parked(text, code="original_unknown", subject=invoice.original_number)


class Announced:
    """Invoices a dry run would post, so that credit memos for them are judged as the real run judges them."""

    def __init__(self) -> None:
        self._by_number: dict[tuple[str, str], tuple[str, str]] = {}

    def add(self, preview: str, document: Any) -> None:  # noqa: ANN401 - any kind of document
        """Remember an invoice by the numbers a credit memo may name it by; everything else is nobody's original."""
        if isinstance(document, Invoice) and document.kind is not InvoiceKind.CREDIT_MEMO:
            for number in (document.number, document.source_number):
                self._by_number[document.supplier, number.casefold()] = (preview, document.number)

    def original_of(self, document: Any) -> tuple[str, Invoice] | None:  # noqa: ANN401 - any kind of document
        """Return the preview of the invoice a credit memo credits, and the memo with the supplier's number of it."""
        if not isinstance(document, Invoice) or document.kind is not InvoiceKind.CREDIT_MEMO:
            return None
        named = (document.original_number or "").casefold()
        found = self._by_number.get((document.supplier, named)) if named else None
        return found and (found[0], document.model_copy(update={"original_number": found[1]}))
