"""Trying what the flows need of M3, changing nothing (reference/cloudsuite.md §4b)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from airflow_provider_mlconnector.errors import ConfigurationError, MLConnectorError
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Finding, Gateway
from airflow_provider_mlconnector.systems.cloudsuite.m3 import order_rows, suppliers
from airflow_provider_mlconnector.systems.cloudsuite.m3.batch_book import PROGRAM as BATCHES
from airflow_provider_mlconnector.systems.cloudsuite.m3.ledger import ACCOUNT
from airflow_provider_mlconnector.systems.cloudsuite.m3.listing import LIST_ACCOUNTS
from airflow_provider_mlconnector.systems.cloudsuite.m3.mi import MiClient
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options

ORDERS, INVOICES, SUPPLIERS, ACCOUNTS, CENTERS = (
    "purchase_order",
    "invoice",
    "supplier",
    "ledger_account",
    "cost_center",
)
ALL: Final = frozenset({ORDERS, INVOICES, SUPPLIERS, ACCOUNTS, CENTERS})
_NOBODY: Final = "~"
"""A key that sorts behind all others: lists from it on are empty, or short."""


def probe(gateway: Gateway, options: M3Options, needed: AbstractSet[str] = frozenset()) -> Iterator[Finding]:
    """Log in and run every transaction that reads; without a company the rest is not tried.

    Args:
        gateway: Speaks to the tenant.
        options: Connection's and route's choices.
        needed: Kinds of documents this site transfers: what they need must work. What others need is tried too, and
            missed without harm. Empty: all of them.
    """
    mi = MiClient(gateway, options)
    if not options.company:
        yield Finding("company", ok=False, message="fill in field Company, such as 100")
        return
    division = f", division {options.division}" if options.division else ""
    yield Finding("company", ok=True, message=f"{options.company}{division} of tenant {gateway.tenant}")
    for (program, transaction), (record, kinds) in _reads(options).items():
        yield _runs(mi, program, transaction, record, kinds, needed or ALL)
    yield Finding("orders", ok=True, message=f"transferred are those with {order_rows.wanted(options)}")
    yield _coding(options)


def _reads(options: M3Options) -> Mapping[tuple[str, str], tuple[Mapping[str, str], tuple[str, ...]]]:
    """Return what is read of M3: program and transaction → inputs, and the kinds of documents that need it."""
    export = {"QERY": "IBPUNO from MPLINE where IBLMDT >= 99991231", "SEPC": ";", "HDRS": "0"}
    lines = {("EXPORTMI", "Select"): (export, (ORDERS,))} if options.line_changes == "export" else {}
    return {
        (order_rows.PROGRAM, "SearchHead"): ({"SQRY": "LMDT:>=99991231"}, (ORDERS,)),
        **lines,
        (suppliers.PROGRAM, "LstSuppliers"): ({"FRSU": _NOBODY}, (SUPPLIERS, INVOICES)),
        LIST_ACCOUNTS: ({"AITP": str(ACCOUNT), "AITM": _NOBODY}, (ACCOUNTS, INVOICES)),
        (BATCHES, "LstInvBatchNo"): ({"SPYN": _NOBODY}, (INVOICES,)),
    }


def _runs(
    mi: MiClient,
    program: str,
    transaction: str,
    record: Mapping[str, str],
    kinds: tuple[str, ...],
    needed: AbstractSet[str],
) -> Finding:
    name = f"{program} {transaction}"
    try:
        answer = mi.read(program, transaction, record)
        refusal = answer.results[0].refusal
        if refusal is not None and not refusal.ran:
            mi.rows(name, answer.results[0])
    except ConfigurationError as error:
        concerned = ", ".join(kinds)
        if needed.isdisjoint(kinds):
            return Finding(name, ok=True, message=f"needed by {concerned}: {error.message}", warning=True)
        return Finding(name, ok=False, message=f"{error.message}; needed by {concerned}")
    except MLConnectorError as error:
        return Finding(name, ok=False, message=str(error))
    return Finding(name, ok=True, message="runs")


def _coding(options: M3Options) -> Finding:
    if options.dimensions:
        inputs = " and ".join(options.dimensions)
        text = f"lines of invoice batches are coded by {inputs}, and read back: 15.1 has no such inputs"
        return Finding("coding", ok=True, message=text)
    text = "option account_input is empty: M3's own accounting rules code invoices, whatever the mapping says"
    return Finding("coding", ok=True, message=text, warning=True)
