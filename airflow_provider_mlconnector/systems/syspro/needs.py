"""What each flow needs of a SYSPRO company: tables and columns, business objects, so that a test can try them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from airflow_provider_mlconnector.systems.syspro import (
    figures,
    journal_parts,
    ledger,
    lookup,
    order_rows,
    payments,
    receipts,
    reference,
    standing,
    supplier_records,
)
from airflow_provider_mlconnector.systems.syspro.comfnd import Query
from airflow_provider_mlconnector.systems.syspro.options import ApGl, Journals, PoLines, SysproOptions


class Flow(StrEnum):
    """Who needs something, in the words a person is told."""

    INVOICES = "invoices"
    RECEIPTS = "invoices of received orders (po_lines: receipts)"
    JOURNALS = "combined journals"
    ORDERS = "purchase orders"
    SUPPLIERS = "suppliers"
    SUPPLIERS_IN = "suppliers into SYSPRO"
    ACCOUNTS = "GL accounts"
    COST_CENTERS = "cost centers"
    PAYMENTS = "payment status"
    RECONCILIATION = "reconciliation"


@dataclass(frozen=True)
class Need:
    """A table with the columns that some flows read, and what a site can choose where it has no such columns."""

    query: Query
    flows: tuple[Flow, ...]
    hint: str = ""


_INTO = {
    "invoice": frozenset({Flow.INVOICES}),
    "purchase_order": frozenset({Flow.ORDERS}),
    "supplier": frozenset({Flow.SUPPLIERS, Flow.SUPPLIERS_IN}),
    "journal": frozenset({Flow.JOURNALS}),
}
_OUT_OF = {
    "supplier": frozenset({Flow.SUPPLIERS}),
    "ledger_account": frozenset({Flow.ACCOUNTS}),
    "cost_center": frozenset({Flow.COST_CENTERS}),
    "payment": frozenset({Flow.PAYMENTS}),
}
BY_DEFAULT = _INTO["invoice"]
"""What a site must have while nobody says which route is meant."""


def needed_into(document: str, options: SysproOptions) -> frozenset[Flow]:
    """Return what a route that brings documents of a kind into SYSPRO cannot do without."""
    flows = _INTO[document]
    by_receipts = document == "invoice" and options.po_lines is PoLines.RECEIPTS
    return flows | {Flow.RECEIPTS} if by_receipts else flows


def needed_out_of(document: str) -> frozenset[Flow]:
    """Return what a route that reads documents of a kind from SYSPRO cannot do without."""
    return _OUT_OF[document]


def journal_flows(options: SysproOptions) -> tuple[Flow, ...]:
    """Return who posts GENTJL journals: nobody where AP is linked to GL."""
    if options.ap_gl is ApGl.LINKED:
        return ()
    each = () if options.journals is Journals.COMBINED else (Flow.INVOICES,)
    return (*each, Flow.JOURNALS)


def tables(options: SysproOptions) -> Iterator[Need]:
    """List what is read by COMFND, by the columns this site has."""
    yield from _codes(options)
    yield from _payables(options)
    yield from _buying(options)
    yield from _suppliers(options)
    yield Need(ledger.CHART, (Flow.ACCOUNTS, Flow.COST_CENTERS))
    yield Need(payments.PAYMENTS, (Flow.PAYMENTS,))
    yield Need(payments.BALANCES, (Flow.PAYMENTS,))
    for query in (
        figures.INVOICES,
        figures.CREDITS,
        figures.SUPPLIERS,
        figures.ORDERS,
        figures.LINES,
        figures.ACCOUNTS,
    ):
        yield Need(query, (Flow.RECONCILIATION,))


def _codes(options: SysproOptions) -> Iterator[Need]:
    for query in (reference.SUPPLIERS, reference.ACCOUNTS, reference.TAXES):
        yield Need(query, (Flow.INVOICES, Flow.ORDERS))
    yield Need(reference.BRANCHES, (Flow.INVOICES, Flow.ORDERS, Flow.SUPPLIERS_IN))
    terms = "name the days in Further options, terms_days_column, or leave it empty"
    yield Need(reference.terms_query(options), (Flow.INVOICES, Flow.ORDERS, Flow.SUPPLIERS_IN), terms)


def _payables(options: SysproOptions) -> Iterator[Need]:
    yield Need(lookup.INVOICES, (Flow.INVOICES,))
    yield Need(lookup.CREDITS, (Flow.INVOICES,))
    yield Need(standing.STATUS, (Flow.INVOICES, Flow.JOURNALS))
    posting = journal_flows(options)
    if posting:
        yield Need(lookup.JOURNALS, posting)
        yield Need(journal_parts.INVOICES, posting)
        yield Need(journal_parts.CREDITS, (Flow.JOURNALS,))
    if options.ap_journal_column:
        column = "name the AP journal's column in Further options, ap_journal_column, or leave it empty"
        yield Need(standing.origin_query(options), (Flow.INVOICES,), column)


def _buying(options: SysproOptions) -> Iterator[Need]:
    yield Need(order_rows.HEADERS, (Flow.ORDERS,))
    yield Need(order_rows.DETAILS, (Flow.ORDERS,))
    if options.po_stock:
        yield Need(reference.STOCK, (Flow.ORDERS,), "or set option po_stock of the route to false")
    if options.po_lines is PoLines.RECEIPTS:
        yield Need(receipts.query(options), (Flow.RECEIPTS,), "or set po_lines of the route to park or post")


def _suppliers(options: SysproOptions) -> Iterator[Need]:
    for full, flow in ((False, Flow.SUPPLIERS), (True, Flow.SUPPLIERS_IN)):
        everything = "or set full_records to false in Further options" if full and options.full_records else ""
        yield Need(supplier_records.supplier_query(options, full=full), (flow,), everything)
        if options.address_table:
            table = everything or "name the table in Further options, address_table, or leave it empty"
            yield Need(supplier_records.address_query(options, full=full), (flow,), table)
