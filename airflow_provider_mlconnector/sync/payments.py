"""Which invoice of the other side a payment pays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

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


NOT_OURS: Final = "not_ours"
"""Reason code of payments of invoices that no route will ever bring over."""
GRACE: Final = timedelta(days=30)
"""How much later than its payment an invoice may still come: typed in and paid at once, approved later."""


class NotOurs(Exception):
    """The payment is no news to its target, which has no such invoice."""


def paid_invoice(uow: UnitOfWork, route: Route, payment: Payment, context: Context) -> Context:
    """Name the invoice by its key at the payment's target, which is where the invoice came from.

    Raises:
        Parked: ``invoice_unknown``: the invoices' route has not brought such an invoice into the ledger yet.
        NotOurs: It never will: somebody typed the invoice into the ledger, and the other side never had it.
    """
    wanted = comparable(payment.supplier), comparable(payment.invoice)
    invoices = str(route.options.get(INVOICES_ROUTE, ""))
    # the ledger may pad numbers with zeros that the invoice itself does not have
    known = [
        found
        for number in dict.fromkeys((payment.invoice, wanted[1]))
        for found in uow.documents.find(number, route=invoices)
        if (comparable(found.supplier), comparable(found.number)) == wanted
    ]
    for found in known:
        if found.kind == InvoiceKind.INVOICE and found.state in IN_TARGET:
            return replace(context, invoice=found.key)
    text = (
        f"payment {payment.reference or payment.source_key} pays invoice {payment.invoice} of supplier"
        f" {payment.supplier}, which route {invoices!r} has not brought into the ledger"
    )
    # reckoned from how far that route has read, not from today: one that stands still has not looked
    read_to = uow.watermarks.get(invoices)
    if not known and read_to is not None and read_to.date() > payment.payment_date + GRACE:
        message = (
            f"{text} and has not seen in {GRACE.days} days since: it was typed into the ledger alone. Replay the"
            " payment if its invoice comes after all"
        )
        raise NotOurs(message)
    raise Parked(text, code="invoice_unknown", field="invoice", subject=f"{payment.supplier} {payment.invoice}")
