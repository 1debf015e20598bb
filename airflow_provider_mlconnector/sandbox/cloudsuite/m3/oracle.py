"""M3's books as JSON: what tests compare with. Amounts and dates are texts, as on the wire but without blanks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite.m3.books import Batch, Books, shown


def ledger(books: Books) -> dict[str, Any]:
    """Return everything held: suppliers, orders with lines, invoice batches with lines and origin, ledger lines.

    ``balanced`` tells whether the debits of every voucher are its credits. Attempts to write are with those of the
    whole tenant.
    """
    totals: dict[int, Decimal] = {}
    for line in books.ledger:
        totals[line.voucher] = totals.get(line.voucher, Decimal(0)) + line.amount
    return {
        "suppliers": [shown(row) for _, row in sorted(books.suppliers.items())],
        "purchase_orders": [
            shown(head)
            | {"lines": [shown(line) for line in books.lines_of(number)], "label": books.labels.get(number, "added")}
            for number, head in sorted(books.orders.items())
        ],
        "invoices": [_batch(batch) for _, batch in sorted(books.batches.items())],
        "identities": [shown(row) for _, row in sorted(books.identities.items())],
        "gl_lines": [line.show() for line in books.ledger],
        "balanced": not any(totals.values()),
    }


def _batch(batch: Batch) -> dict[str, Any]:
    return {
        **shown(batch.head),
        "lines": [shown(line) for line in batch.lines],
        "by": batch.entered.by,
        "person": batch.entered.person,
        "request_no": batch.entered.request_no,
        "entered_at": batch.entered.at.isoformat(),
    }
