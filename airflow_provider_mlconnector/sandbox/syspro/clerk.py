"""What everyone at a SYSPRO screen has in common: the books, a name and a moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from airflow_provider_mlconnector.sandbox.syspro import money
from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.records import ApInvoice, Origin, Supplier

Body = Mapping[str, Any]
Action = Callable[[Body], dict[str, object]]
"""Does one thing and returns what was stored, in short; ``ValueError`` for what SYSPRO would refuse."""


class Clerk:
    """Works on the books as ``origin`` says."""

    def __init__(self, books: Books, origin: Origin) -> None:
        self._books = books
        self._origin = origin

    def _key(self, supplier: object) -> str:
        return self._books.supplier_key(str(supplier))

    def _stored_supplier(self, text: object) -> Supplier:
        supplier = self._books.suppliers.get(self._key(text))
        if supplier is None:
            msg = f"supplier {text} not found"
            raise ValueError(msg)
        return supplier

    def _day(self, body: Body, name: str) -> date:
        """Return a date of the body, today if it has none."""
        given = body.get(name)
        return money.iso_date(given) if given else self._origin.at.date()

    def _stored_invoice(self, body: Body) -> ApInvoice:
        key = (self._key(body["supplier"]), str(body["invoice"]))
        found = self._books.invoices_under(*key)
        if not found:
            msg = f"invoice {key[1]} of {key[0]} not found"
            raise ValueError(msg)
        return found[0]
