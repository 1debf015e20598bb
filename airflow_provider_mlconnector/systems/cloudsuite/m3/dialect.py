"""CloudSuite M3 over MI REST, version 2 (reference/cloudsuite.md §4b)."""

from __future__ import annotations

from typing import Final

from airflow_provider_mlconnector.systems.cloudsuite.dialect import Dialect
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options

DIALECT: Final = Dialect(
    name="m3",
    title="CloudSuite M3",
    options=M3Options,
    sources={
        "purchase_order": ("orders", "M3OrderSource"),
        "supplier": ("suppliers", "M3SupplierSource"),
        "ledger_account": ("ledger", "M3AccountSource"),
        "cost_center": ("ledger", "M3CostCenterSource"),
    },
    targets={
        "invoice": ("batches", "M3BatchTarget"),
        "supplier": ("vendors", "M3SupplierTarget"),
    },
    probe=("probing", "probe"),
    refused={
        "invoice": (
            "M3 lists supplier invoices per payee only, and no public source tells how those changed since a moment "
            "are found; let invoices come into M3, not out of it"
        ),
    },
)
