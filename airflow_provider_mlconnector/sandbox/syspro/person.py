"""What a person does at a SYSPRO screen: ``POST /_sandbox/documents`` with ``{"system": "syspro", "kind": …, …}``.

What SYSPRO would refuse is refused here too, and what is stored is marked ``by: person`` and makes no write attempt.
Amounts are text or numbers in the supplier's currency; optional parts are in brackets.

Invoices
    ``ap_invoice``, ``ap_credit``  supplier, invoice, value [tax_value, tax_code, reference, branch, invoice_date,
        due_date, posting_period C/P/B, lines of gl_code, value, tax_code, notation]
    ``registered_invoice``  supplier, invoice, value [reference, invoice_date, due_date]
    ``approve_invoice``  supplier, invoice [lines]: posts a registered invoice
    ``purge_invoice``  supplier, invoice
Payments
    ``pay_invoice``  supplier, invoice [value, reference]
    ``payment_reverse``  supplier, invoice [entry]: the last payment, or that of an EntryNumber
    ``payment_run``  [due_until, supplier, reference]: everything due, in one journal
Suppliers
    ``supplier``  supplier [name, currency, branch, terms, on_hold, grn_match_required, orders_allowed, tax_number, and
        any field by its element's name]: adds, renames, holds, changes
    ``supplier_merge``  supplier, into [delete]: the old one on hold, or deleted
    ``supplier_delete``  supplier
Purchasing
    ``purchase_order``  supplier, lines of stock_code, qty [description, price, uom, gl_code, product_class, due_date]
        [customer_po, buyer, warehouse, order_date, due_date, purchase_order where orders are numbered by hand]
    ``purchase_order_change``  purchase_order [the same; a line with ``line`` is changed, or deleted by action D]
    ``purchase_order_cancel``  purchase_order
    ``receipt``  purchase_order [lines of line, qty; date, delivery_note]: without lines all that is outstanding
    ``receipt_reverse``  purchase_order, grn
General ledger
    ``gl_account``  gl_code [description, type, on_hold, control]: adds or changes
    ``gl_section``  section [description, closed]: a cost center
    ``period``  module AP or GL, year, month [open, current]
    ``currency``  currency [rate, fixed]: a row of the currency table
    ``gl_journal``  lines of gl_code, value [reference, notation, year, period, hold]
    ``gl_journal_authorize``, ``gl_journal_post``, ``gl_journal_cancel``  journal
    ``gl_integration_run``  makes the GL journals AP could not make
"""

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
