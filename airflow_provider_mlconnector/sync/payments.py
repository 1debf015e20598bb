"""Which invoice of the other side a payment pays."""

from __future__ import annotations

from dataclasses import replace

from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.lifecycle import IN_TARGET
from airflow_provider_mlconnector.documents.payment import Payment
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.ports import Context

INVOICES_ROUTE = "invoices_route"
"""Option of a payment route: name of the route that took the invoices into the system the payments come from."""


def paid_invoice(uow: UnitOfWork, route: Route, payment: Payment, context: Context) -> Context:
    """Name the invoice by its key at the payment's target, which is where the invoice came from.

    Raises:
        Parked: ``invoice_unknown``: the invoices' route has not brought such an invoice into the ledger.
    """
    wanted = comparable(payment.supplier), comparable(payment.invoice)
    invoices = str(route.options.get(INVOICES_ROUTE, ""))
    # the ledger may pad numbers with zeros that the invoice itself does not have
    for number in dict.fromkeys((payment.invoice, wanted[1])):
        for found in uow.documents.find(number, route=invoices):
            same = (comparable(found.supplier), comparable(found.number)) == wanted
            if same and found.kind == InvoiceKind.INVOICE and found.state in IN_TARGET:
                return replace(context, invoice=found.key)
    text = (
        f"payment {payment.reference or payment.source_key} pays invoice {payment.invoice} of supplier"
        f" {payment.supplier}, which route {invoices!r} has not brought into the ledger"
    )
    raise Parked(text, code="invoice_unknown", field="invoice", subject=f"{payment.supplier} {payment.invoice}")
