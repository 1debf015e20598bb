"""Whole lists of a tenant, as what writing into it must know beforehand (FINANCE §7: offset-only lists)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_mlconnector.errors import ConfigurationError, ProtocolError, Unavailable
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.fields import UnreadableJson, loads

log = logging.getLogger(__name__)
MAX_PASSES = 6
AT_ONCE = 40
"""Values one filter names; more make a long URL."""
_PLAIN = re.compile(r"[\w.@/ -]+", re.ASCII)
"""Values that mean nothing else in a filter."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of the contract.

    Attributes:
        path: The resource; empty where the tenant does not offer it.
        items: Dotted path of the array in the envelope.
        name: What logs and errors call it.
        condition: Filter of every request.
        components: Components to ask for.
    """

    path: str
    items: str
    name: str
    condition: str = ""
    components: str = ""


def whole(client: JaggaerClient, listing: Listing) -> list[Row]:
    """Read a list until two passes agree: rows move between the pages of an offset list while others are edited.

    Raises:
        Unavailable: It kept changing.
        ConfigurationError: The tenant does not offer it.
        ProtocolError: A row or page cannot be read: what it holds must be known before anything is written.
    """
    before: list[Row] | None = None
    for _ in range(MAX_PASSES):
        rows = list(once(client, listing))
        if rows == before:
            return rows
        before = rows
    msg = f"connection '{client.connection}': the {listing.name} changed during each of {MAX_PASSES} passes; try later"
    raise Unavailable(msg)


def having(client: JaggaerClient, listing: Listing, field: str, values: Sequence[str]) -> list[Row]:
    """Return the rows with one of these values in a field, in few requests.

    Rows beyond what was asked for may come too: a value that a filter cannot name makes this read the whole list.
    """
    values = list(dict.fromkeys(values))
    if not all(_PLAIN.fullmatch(value) for value in values):
        return whole(client, listing)
    filters = client.contract.filter
    rows: list[Row] = []
    for start in range(0, len(values), AT_ONCE):
        part = values[start : start + AT_ONCE]
        one_of = f"{field}{filters.among}({','.join(part)})"
        wanted = f"{field}{filters.equal}{part[0]}" if len(part) == 1 else one_of
        condition = filters.conjunction.join(filter(None, (listing.condition, wanted)))
        narrowed = Listing(listing.path, listing.items, listing.name, condition, listing.components)
        rows += once(client, narrowed)
    return rows


def once(client: JaggaerClient, listing: Listing) -> Iterator[Row]:
    """Read a list in one pass, which may miss rows that move meanwhile: enough where that costs no more than a repeat.

    Raises:
        ConfigurationError: The tenant does not offer it.
        ProtocolError: A row or page cannot be read.
    """
    if not listing.path:
        where = f"connection '{client.connection}', field Contract overrides"
        msg = f"{where}: no path is named for the {listing.name}; ask JAGGAER which one this tenant has"
        raise ConfigurationError(msg, field=where)
    start = client.contract.paging.first
    end: int | None = None
    while end is None or start < end:
        page = client.list_page(
            listing.path,
            listing.items,
            start=start,
            condition=listing.condition,
            name=listing.name,
            components=listing.components,
        )
        yield from (_row(client, listing, row) for row in page.rows)
        step = min(len(page.rows), page.returned or len(page.rows))
        if page.total is not None:
            end = client.contract.paging.first + page.total
        if step == 0:
            return
        start += step


def _row(client: JaggaerClient, listing: Listing, row: bytes) -> Row:
    try:
        read = loads(row)
    except UnreadableJson:
        read = None
    if isinstance(read, Mapping):
        return read
    msg = f"connection '{client.connection}': a row of the {listing.name} cannot be read"
    raise ProtocolError(msg, evidence=row)
