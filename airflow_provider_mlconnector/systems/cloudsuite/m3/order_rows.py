"""Purchase orders of M3: how they are read whole, and what their statuses say (§4b ``PPS200MI``, §5.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.systems.cloudsuite import texts
from airflow_provider_mlconnector.systems.cloudsuite.m3.mi import AT_ONCE, MiClient, Record, Row
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.systems.ports import Eligibility

PROGRAM: Final = "PPS200MI"
KEY: Final = "PUNO"
LINE, SUBLINE = "PNLI", "PNLS"
HIGHEST: Final = "PUST"
ORDERS_AT_ONCE: Final = AT_ONCE
"""Orders read together: one call for their heads, two for their lines."""
_SUBLINES = 1000
"""``PNLI`` and ``PNLS`` have three digits each."""
Body = Mapping[str, Any]


def read_orders(mi: MiClient, numbers: Sequence[str]) -> list[tuple[Row, list[Row]]]:
    """Read orders whole, in few calls; those that are not there are left out.

    Args:
        mi: Speaks to the company.
        numbers: At most :data:`ORDERS_AT_ONCE`.

    Raises:
        ProtocolError: The lines of an order cannot be read to their end.
    """
    asked = [{KEY: number} for number in numbers]
    results = mi.read_all(PROGRAM, [("GetHead", record) for record in asked])
    heads = [mi.first(f"{PROGRAM} GetHead", result) for result in results]
    listed = mi.lists(PROGRAM, "LstLine", asked, identity=line_number, onward=_from_line)
    for number, listing in zip(numbers, listed, strict=True):
        if not listing.whole:
            msg = f"{mi.where}: {PROGRAM} LstLine does not go on behind line {len(listing.rows)} of order {number}"
            raise ProtocolError(msg)
    there = zip(heads, listed, strict=True)
    return [(head, listing.rows) for head, listing in there if head is not None and _is_ours(head, mi.options)]


def _from_line(row: Row) -> Record:
    return {LINE: row[LINE].strip(), SUBLINE: row.get(SUBLINE, "").strip() or "0"}


def _is_ours(head: Row, options: M3Options) -> bool:
    """Whether an order belongs to the connection's division; changes are listed for the whole company."""
    division = head.get("DIVI", "").strip()
    return not division or not options.division or division == options.division


def line_number(row: Body) -> int | None:
    """Return the one number of a line, its subnumber in front where there is one; None if unreadable."""
    line, sub = texts.to_whole(row.get(LINE)), texts.to_whole(row.get(SUBLINE) or "0")
    return None if line is None or sub is None else sub * _SUBLINES + line


def status(row: Body) -> str:
    """Return a line's status."""
    return texts.unpad(row.get(HIGHEST))


def is_planned(row: Body, options: M3Options) -> bool:
    """Tell whether a line is not the supplier's to see yet."""
    return status(row) < min(options.order_statuses)


def is_canceled(row: Body, options: M3Options) -> bool:
    """Tell whether nothing of a line is wanted."""
    if status(row) in options.canceled_statuses:
        return True
    try:
        return texts.to_decimal(row.get("ORQA")) == 0
    except ValueError:
        return False


def judge(lines: Sequence[Row], options: M3Options) -> tuple[Eligibility, str]:
    """Return whether an order is to be transferred, and the words that decided (FINANCE §4).

    One that has ended is, since the target must hear of it; and so is one with a status nobody has explained, so that
    decoding can say so.
    """
    if not lines:
        return Eligibility.NOT_ELIGIBLE, "it has no lines yet"
    said = f"line status {' to '.join(sorted({min(map(status, lines)), max(map(status, lines))}))}"
    if all(is_planned(line, options) for line in lines):
        return Eligibility.NOT_ELIGIBLE, f"{said} (planned)"
    return Eligibility.ELIGIBLE, said


def wanted(options: M3Options) -> str:
    """Return in words which orders are transferred."""
    return f"{HIGHEST} {', '.join(options.order_statuses)} of their lines, and their end; planned lines stay"
