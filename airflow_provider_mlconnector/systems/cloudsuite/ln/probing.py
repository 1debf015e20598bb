"""Trying what orders need of LN, changing nothing (reference/cloudsuite.md §4c)."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from airflow_provider_mlconnector.errors import MLConnectorError
from airflow_provider_mlconnector.systems.cloudsuite import named
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Finding, Gateway
from airflow_provider_mlconnector.systems.cloudsuite.ln.odata import ORDERS, LnClient, expanded
from airflow_provider_mlconnector.systems.cloudsuite.ln.options import LnOptions
from airflow_provider_mlconnector.systems.cloudsuite.ln.orders import LINES


def probe(gateway: Gateway, options: LnOptions, needed: AbstractSet[str] = frozenset()) -> Iterator[Finding]:  # noqa: ARG001 - orders are all there is
    """Read one order and look whether it shows what the options name.

    Args:
        gateway: Speaks to the tenant.
        options: Connection's and route's choices.
        needed: Kinds of documents this site transfers.
    """
    ln = LnClient(gateway, options)
    try:
        page = next(iter(ln.pages(ORDERS, "Orders", {"$expand": LINES, "$top": "1"})))
        for row in page.rows:
            named.check(row, "order", options, where=ln.where)
            for line in expanded(row, LINES):
                named.check(line, "line", options, where=ln.where)
    except MLConnectorError as error:
        yield Finding(ORDERS, ok=False, message=str(error))
        return
    told = f"readable in company {options.company}" if page.rows else "readable, without orders: fields not checked"
    yield Finding(ORDERS, ok=True, message=told, warning=not page.rows)
    if not options.change_field:
        text = "option change_field is empty: every order is read at every run, since LN's change column is not public"
        yield Finding("changes", ok=True, message=text, warning=True)
