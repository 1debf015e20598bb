"""What a connection test tries at a JAGGAER tenant: every resource the contract names, changing nothing."""

from __future__ import annotations

from airflow_provider_mlconnector.errors import MLConnectorError
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient, NotOffered
from airflow_provider_mlconnector.systems.jaggaer.listing import Finding, ListedSource
from airflow_provider_mlconnector.systems.jaggaer.orders import JaggaerOrderSource
from airflow_provider_mlconnector.systems.jaggaer.source import JaggaerInvoiceSource
from airflow_provider_mlconnector.systems.jaggaer.suppliers import JaggaerSupplierSource

CODES = frozenset({"ledger_account", "cost_center"})
"""Kinds of document that are values of custom fields here."""


def probe_tenant(client: JaggaerClient, *, needed: str = "") -> list[Finding]:
    """Log in and read one page of each resource, and one detail where lists show headers only.

    The first resource the contract names must answer: after it the address and the rights are known to be right. Any
    further one may be missing at the tenant, which is said but is no failure: only its own routes need it. Payments are
    not tried, since they can only be written.

    Args:
        client: Speaks to the tenant.
        needed: Kind of document a route moves: its resource must answer, instead of the first one.
    """
    sources: dict[str, ListedSource] = {
        "invoice": JaggaerInvoiceSource(client),
        "purchase_order": JaggaerOrderSource(client),
        "supplier": JaggaerSupplierSource(client),
    }
    offered = [source for kind, source in sources.items() if source.offered or kind == needed]
    if not offered:
        return [("contract", False, "names no path of any list, so nothing can be read from this tenant")]
    offered.sort(key=lambda source: source is not sources.get(needed))
    findings = offered[0].probe()
    if not all(ok for _, ok, _ in findings):
        return findings
    for source in offered[1:]:
        findings += source.probe_resource()
    return findings + _code_lists(client, needed=needed in CODES)


def _code_lists(client: JaggaerClient, *, needed: bool) -> list[Finding]:
    resource, name = client.contract.gl_codes, "code list"
    if not resource.list:
        return [(name, False, "the contract names no path of it")] if needed else []
    try:
        page = client.list_page(
            resource.list, resource.items, start=client.contract.paging.first, condition="", name=name
        )
    except NotOffered:
        return [(name, not needed, "not available at this tenant; routes of ledger accounts and cost centers need it")]
    except MLConnectorError as error:
        return [(name, False, str(error))]
    known = "an unknown number of" if page.total is None else str(page.total)
    return [(name, True, f"{known} values of custom fields")]
