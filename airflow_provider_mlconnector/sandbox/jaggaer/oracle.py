"""The tenant's books as JSON: what tests compare with."""

from __future__ import annotations

from typing import Any

from airflow_provider_mlconnector.sandbox.jaggaer import imports, payments
from airflow_provider_mlconnector.sandbox.jaggaer.books import Books


def ledger(books: Books) -> dict[str, Any]:
    """Return everything held and everything attempted.

    ``invoices`` is their count (one by one they are in ``GET truth``); ``purchase_orders`` have keys, lines and every
    state they went through; ``suppliers`` have profile, sub-users and TSM data in one row;
    ``code_lists`` are records as they are; ``payments`` every one reported, repeated ones included;
    ``imported_invoices`` are those that came in by REST or router, as they are now; ``write_attempts`` are every
    record of every write, refused ones included.
    """
    return {
        "invoices": len(books.invoices.matching("")),
        "purchase_orders": books.orders.ledger(),
        "suppliers": books.suppliers.ledger(),
        "code_lists": books.codes.ledger(),
        "payments": payments.ledger(books),
        "imported_invoices": imports.ledger(books),
        "write_attempts": [attempt.show() for attempt in books.attempts],
    }
