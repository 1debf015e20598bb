"""What a connection test tries at a JAGGAER tenant: every resource the contract names, changing nothing."""

from __future__ import annotations

from airflow_provider_mlconnector.errors import MLConnectorError
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient, NotOffered
from airflow_provider_mlconnector.systems.jaggaer.listing import Finding, ListedSource
from airflow_provider_mlconnector.systems.jaggaer.orders import JaggaerOrderSource
from airflow_provider_mlconnector.systems.jaggaer.source import JaggaerInvoiceSource
from airflow_provider_mlconnector.systems.jaggaer.suppliers import JaggaerSupplierSource


def probe_tenant(client: JaggaerClient) -> list[Finding]:
    """Log in and read one page of each resource, and one detail where lists show headers only.

    The first resource the contract names must answer: after it the address and the rights are known to be right. Any
    further one may be missing at the tenant, which is said but is no failure: only its own routes need it. Payments are
    not tried, since they can only be written.
    """
    sources: list[ListedSource] = [
        JaggaerInvoiceSource(client),
        JaggaerOrderSource(client),
        JaggaerSupplierSource(client),
    ]
    offered = [source for source in sources if source.offered]
    if not offered:
        return [("contract", False, "names no path of any list, so nothing can be read from this tenant")]
    findings = offered[0].probe()
    if not all(ok for _, ok, _ in findings):
        return findings
    for source in offered[1:]:
        findings += source.probe_resource()
    return findings + _code_lists(client)


def _code_lists(client: JaggaerClient) -> list[Finding]:
    resource, name = client.contract.gl_codes, "code list"
    if not resource.list:
        return []
    try:
        page = client.list_page(
            resource.list, resource.items, start=client.contract.paging.first, condition="", name=name
        )
    except NotOffered:
        return [(name, True, "not available at this tenant; routes of ledger accounts and cost centers need it")]
    except MLConnectorError as error:
        return [(name, False, str(error))]
    known = "an unknown number of" if page.total is None else str(page.total)
    return [(name, True, f"{known} values of custom fields")]
