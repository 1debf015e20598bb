"""CloudSuite LN over OData, version 4 (reference/cloudsuite.md §4c): purchase orders, which is what is public."""

from __future__ import annotations

from typing import Final

from airflow_provider_mlconnector.systems.cloudsuite.dialect import Dialect
from airflow_provider_mlconnector.systems.cloudsuite.ln.options import LnOptions

_NO_SERVICE: Final = "no public source names LN's OData service for {what}; purchase orders are what can be read"

DIALECT: Final = Dialect(
    name="ln",
    title="CloudSuite LN",
    options=LnOptions,
    sources={"purchase_order": ("orders", "LnOrderSource")},
    targets={},
    probe=("probing", "probe"),
    refused={
        kind: _NO_SERVICE.format(what=what)
        for kind, what in {
            "supplier": "business partners as suppliers",
            "invoice": "purchase invoices",
            "ledger_account": "ledger accounts",
            "cost_center": "dimensions",
        }.items()
    },
)
