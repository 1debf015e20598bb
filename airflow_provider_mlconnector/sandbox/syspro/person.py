"""What a person does at a SYSPRO screen, as the control API's ``documents`` of system ``syspro`` offer it."""

from __future__ import annotations

from datetime import datetime

from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.clerk import Action, Body
from airflow_provider_mlconnector.sandbox.syspro.person_invoices import InvoiceClerk
from airflow_provider_mlconnector.sandbox.syspro.person_ledger import LedgerClerk
from airflow_provider_mlconnector.sandbox.syspro.person_orders import OrderClerk
from airflow_provider_mlconnector.sandbox.syspro.person_payments import PaymentClerk
from airflow_provider_mlconnector.sandbox.syspro.person_receipts import ReceiptClerk
from airflow_provider_mlconnector.sandbox.syspro.person_suppliers import SupplierClerk
from airflow_provider_mlconnector.sandbox.syspro.records import Origin

OPERATOR = "PERSON"
CLERKS = (InvoiceClerk, PaymentClerk, SupplierClerk, OrderClerk, ReceiptClerk, LedgerClerk)


class Person:
    """Someone working on the books, at one moment."""

    def __init__(self, books: Books, at: datetime) -> None:
        origin = Origin(0, at, "person", OPERATOR)
        self._actions: dict[str, Action] = {}
        for clerk in CLERKS:
            self._actions |= clerk(books, origin).actions()

    def do(self, kind: str, body: Body) -> dict[str, object]:
        """Do what ``kind`` names and return what was stored, in short.

        Raises:
            ValueError: If the kind is unknown or SYSPRO would refuse it.
            KeyError: If the body lacks a needed part.
        """
        if kind not in self._actions:
            msg = f"unknown kind {kind!r}; known: {', '.join(self._actions)}"
            raise ValueError(msg)
        return self._actions[kind](body)
