"""What a tenant must know before it is sent a document: suppliers, and the values of its code lists (FINANCE §4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from airflow_provider_mlconnector.documents.invoice import Allocation
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.systems.jaggaer import profiles
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient, NotOffered
from airflow_provider_mlconnector.systems.jaggaer.lists import Listing, Row, once
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.jaggaer.rows import among, scalar

UNIT = "businessUnit"


def read_masters(client: JaggaerClient, options: JaggaerOptions) -> Mapping[str, Any]:
    """Read what documents are checked against.

    Returns:
        ``{"suppliers": {comparable number: {"number", "name", "active"}}, "codes": {custom field: {value: active}}}``;
        each is None where the tenant offers no such list.
    """
    return {"suppliers": _suppliers(client), "codes": _codes(client, options)}


def supplier_of(number: str, reference: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the supplier as JAGGAER knows it, as the document knows it where the tenant shows none.

    Raises:
        Parked: ``supplier_unknown`` or ``supplier_inactive``; both end when suppliers have been exchanged.
    """
    suppliers: Mapping[str, Mapping[str, Any]] | None = reference["suppliers"]
    if suppliers is None:
        return {"number": number, "name": "", "active": True}
    found = suppliers.get(comparable(number)) if number else None
    if found is None:
        name = f"supplier {number}" if number else "the document names no supplier, so it"
        msg = f"{name} is not known in JAGGAER by an ERP number: exchange suppliers first, or give it the number there"
        raise Parked(msg, code="supplier_unknown", field="supplier", subject=number)
    if not found["active"]:
        msg = f"supplier {number} {found['name']} is not active in JAGGAER"
        raise Parked(msg, code="supplier_inactive", field="supplier", subject=number)
    return found


def check_codes(parts: Iterable[Allocation], reference: Mapping[str, Any], options: JaggaerOptions) -> None:
    """Check accounts and cost centers against the lists the tenant offers.

    A list without a single value is not kept at this tenant, and checks nothing.

    Raises:
        Parked: ``unknown_account``, ``inactive_account``, ``unknown_cost_center`` or ``inactive_cost_center``.
    """
    codes: Mapping[str, Mapping[str, bool]] = reference["codes"] or {}
    lists = ((options.account_list, "account"), (options.cost_center_list, "cost_center"))
    known = [(codes[name], what) for name, what in lists if codes.get(name)]
    for part in parts:
        for values, what in known:
            _check(getattr(part, what), values, what)


def _check(code: str, values: Mapping[str, bool], what: str) -> None:
    if not code or values.get(code):
        return
    state, name = ("inactive" if code in values else "unknown"), what.replace("_", " ")
    msg = f"{name} {code} is {state} in JAGGAER's code list: exchange {name}s first, or map it to another"
    raise Parked(msg, code=f"{state}_{what}", field="lines.allocations", subject=code)


def _suppliers(client: JaggaerClient) -> dict[str, dict[str, Any]] | None:
    contract, resource = client.contract, client.contract.suppliers
    listing = Listing(resource.list, resource.items, "supplier list", resource.extra_filter, profiles.INFO)
    rows = _rows(client, listing)
    if rows is None:
        return None
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        profile = profiles.profile_of(row)
        number = profiles.number_of(profile, contract)
        if not number or (resource.types and profile.get("type") and profile["type"] not in resource.types):
            continue
        status = profile.get(profiles.STATUS, "")
        active = not among(status, (*resource.inactive, *resource.pending))
        held = found.get(comparable(number))
        if held is None or (active and not held["active"]):  # of several under one number the one in use counts
            entry = {"number": number, "name": profile.get(profiles.NAME, ""), "active": active}
            found[comparable(number)] = entry
    return found


def _codes(client: JaggaerClient, options: JaggaerOptions) -> dict[str, dict[str, bool]] | None:
    resource = client.contract.gl_codes
    rows = _rows(client, Listing(resource.list, resource.items, "code list"))
    if rows is None:
        return None
    found: dict[str, dict[str, bool]] = {}
    # entries that name no unit hold for all of them, unless the unit has one of its own
    for unit in dict.fromkeys(("", options.business_unit)):
        for row in rows:
            field, value = scalar(row.get(resource.field)), scalar(row.get(resource.value))
            if field and value and scalar(row.get(UNIT)) == unit:
                active = str(row.get(resource.active)).strip().lower() != "false"
                found.setdefault(field, {})[value] = active
    return found


def _rows(client: JaggaerClient, listing: Listing) -> Sequence[Row] | None:
    """Read a list in one pass: what moves between its pages meanwhile is missed, and its document waits for a run."""
    try:
        return list(once(client, listing)) if listing.path else None
    except NotOffered:
        return None
