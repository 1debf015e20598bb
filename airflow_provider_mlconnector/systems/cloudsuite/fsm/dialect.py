"""Financials and Supply Management by its generic lists (reference/cloudsuite.md §4d): reading only."""

from __future__ import annotations

from typing import Final

from airflow_provider_mlconnector.systems.cloudsuite.dialect import Dialect
from airflow_provider_mlconnector.systems.cloudsuite.fsm.options import FsmOptions

DIALECT: Final = Dialect(
    name="fsm",
    title="CloudSuite Financials and Supply Management",
    options=FsmOptions,
    sources={
        "purchase_order": ("orders", "FsmOrderSource"),
        "supplier": ("masters", "FsmSupplierSource"),
        "ledger_account": ("masters", "FsmAccountSource"),
        "cost_center": ("masters", "FsmCostCenterSource"),
    },
    targets={},
    probe=("probing", "probe"),
    refused={
        "invoice": (
            "the fields, numbering and error answers of FSM's payables invoices are not public, so that a lost answer "
            "could not be settled"
        ),
    },
)
