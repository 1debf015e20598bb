"""CloudSuite Industrial (SyteLine) over the IDO REST service, version 2 (reference/cloudsuite.md §4a)."""

from __future__ import annotations

from typing import Final

from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Dialect

DIALECT: Final = Dialect(
    name="csi",
    title="CloudSuite Industrial (SyteLine)",
    options=CsiOptions,
    sources={
        "purchase_order": ("orders", "CsiOrderSource"),
        "supplier": ("suppliers", "CsiSupplierSource"),
        "ledger_account": ("ledger", "CsiAccountSource"),
        "cost_center": ("ledger", "CsiCostCenterSource"),
        "invoice": ("invoices", "CsiInvoiceSource"),
    },
    targets={
        "invoice": ("vouchers", "CsiVoucherTarget"),
        "supplier": ("vendors", "CsiVendorTarget"),
    },
    probe=("probing", "probe"),
    ledger=("figures", "CsiFigures"),
)
