"""Trying what the flows need of FSM, changing nothing (reference/cloudsuite.md §4d)."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from airflow_provider_mlconnector.errors import MLConnectorError
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Finding, Gateway
from airflow_provider_mlconnector.systems.cloudsuite.fsm.landmark import LandmarkClient
from airflow_provider_mlconnector.systems.cloudsuite.fsm.options import FsmOptions

_LISTS: Final = {
    "Vendor": ("supplier", "supplier"),
    "PurchaseOrder": ("order", "purchase_order"),
    "PurchaseOrderLine": ("line", "purchase_order"),
    "GeneralLedgerChartAccount": ("account", "ledger_account"),
    "AccountingUnit": ("cost_center", "cost_center"),
}
"""Business class → what its fields are named for, and the kind of document that needs it."""


def probe(gateway: Gateway, options: FsmOptions, needed: AbstractSet[str] = frozenset()) -> Iterator[Finding]:
    """Read one record of each list and look whether it shows what the options name.

    Args:
        gateway: Speaks to the tenant.
        options: Connection's and route's choices.
        needed: Kinds of documents this site transfers: what they need must work; what others need is missed without
            harm. Empty: all of them.
    """
    fsm = LandmarkClient(gateway, options)
    for business_class, (kind, document) in _LISTS.items():
        wanted = not needed or document in needed
        names = options.names(kind)
        try:
            page = next(iter(fsm.pages(business_class, list(names.values()), limit=1)))
        except MLConnectorError as error:
            yield Finding(business_class, ok=not wanted, message=f"needed by {document}: {error}", warning=not wanted)
            continue
        missing = [f"{kind}.{what} ({name})" for what, name in names.items() for row in page.rows if name not in row]
        if missing:
            text = f"shows no {', '.join(missing)}; name them in option fields"
            yield Finding(business_class, ok=True, message=text, warning=True)
        else:
            yield Finding(business_class, ok=True, message="readable" if page.rows else "readable, without records")
