"""Purchase orders of M3: how they are read whole, and what their statuses say (§4b ``PPS200MI``, §5.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from airflow_provider_mlconnector.systems.cloudsuite import texts
from airflow_provider_mlconnector.systems.cloudsuite.m3.mi import AT_ONCE, MiClient, Row
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.systems.ports import Eligibility

PROGRAM: Final = "PPS200MI"
KEY: Final = "PUNO"
LINE, SUBLINE = "PNLI", "PNLS"
HIGHEST: Final = "PUST"
ORDERS_AT_ONCE: Final = AT_ONCE // 2
"""Orders read by one call: head and lines of each."""
_SUBLINES = 1000
"""``PNLI`` and ``PNLS`` have three digits each."""
Body = Mapping[str, Any]


def read_orders(mi: MiClient, numbers: Sequence[str]) -> list[tuple[Row, list[Row]]]:
    """Read orders whole, in few calls; those that are not there are left out.

    Args:
        mi: Speaks to the company.
        numbers: At most :data:`ORDERS_AT_ONCE`.
    """
    asked = [(name, {KEY: number}) for number in numbers for name in ("GetHead", "LstLine")]
    results = mi.read_all(PROGRAM, asked)
    heads = [mi.first(f"{PROGRAM} GetHead", result) for result in results[::2]]
    lines = [list(mi.rows(f"{PROGRAM} LstLine", result)) for result in results[1::2]]
    _complete(mi, numbers, lines)
    there = zip(heads, lines, strict=True)
    return [(head, rows) for head, rows in there if head is not None and _is_ours(head, mi.options)]


def _complete(mi: MiClient, numbers: Sequence[str], lines: Sequence[list[Row]]) -> None:
    """Ask for the lines from the last one on, until no order has any more: an answer may have been cut."""
    pending = [place for place, rows in enumerate(lines) if rows]
    while pending:
        lasts = [lines[place][-1] for place in pending]
        asked = [
            ("LstLine", {KEY: numbers[place], LINE: last[LINE].strip(), SUBLINE: last.get(SUBLINE, "").strip() or "0"})
            for place, last in zip(pending, lasts, strict=True)
        ]
        further = []
        for place, result in zip(pending, mi.read_all(PROGRAM, asked), strict=True):
            known = {line_number(row) for row in lines[place]}
            more = [row for row in mi.rows(f"{PROGRAM} LstLine", result) if line_number(row) not in known]
            if more:
                lines[place] += more
                further.append(place)
        pending = further


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
