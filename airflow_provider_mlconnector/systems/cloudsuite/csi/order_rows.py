"""Purchase orders of CSI: what is read of them, what their statuses say, how lines are numbered (§4a, §5.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from airflow_provider_mlconnector.systems.cloudsuite.csi import values
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import Query
from airflow_provider_mlconnector.systems.cloudsuite.csi.listing import CHANGED, ROW
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.ports import Eligibility

PLANNED, COMPLETE, HISTORY = "P", "C", "H"
ENDED: Final = frozenset({COMPLETE, HISTORY})
BLANKET: Final = "B"
CURRENCIES: Final = ("PoCurrCode", "VenCurrCode")
"""The name varies by version (§5.1)."""
HEADS: Final = Query(
    "SLPos",
    needs=("PoNum", "Type", "Stat", "VendNum", "OrderDate", CHANGED, ROW),
    likes=(
        *("VendorName", "TermsCode", "Buyer", "Freight", "MiscCharges", "SalesTax", "SalesTax2", "TaxCode1"),
        *("TaxCode2", "PoCost"),
    ),
    variants=CURRENCIES,
)
LINES: Final = Query(
    "SLPoItems",
    needs=("PoNum", "PoLine", "PoRelease", "Stat", "UM", "QtyOrderedConv", "ItemCostConv", CHANGED, ROW),
    likes=(
        *("Item", "Description", "VendItem", "DueDate", "QtyReceived", "QtyVoucher", "NonInvAcct"),
        *("NonInvAcctUnit1", "NonInvAcctUnit2", "NonInvAcctUnit3", "NonInvAcctUnit4", "TaxCode1"),
    ),
    order=("PoNum", "PoLine", "PoRelease"),
)
_RELEASE: Final = 100_000
Row = Mapping[str, Any]


def line_number(row: Row) -> int | None:
    """Return the one number of a line: its own, with the release in front where there is one; None if unreadable.

    ``PoLine`` is a 16-bit number, so 100,000 times the release keeps both apart for ever.
    """
    line, release = values.to_whole(row.get("PoLine")), values.to_whole(row.get("PoRelease") or "0")
    return None if line is None or release is None else release * _RELEASE + line


def line_and_release(number: int) -> tuple[int, int]:
    """Return ``PoLine`` and ``PoRelease`` of a line's number."""
    release, line = divmod(number, _RELEASE)
    return line, release


def is_planned(line: Row) -> bool:
    """Tell whether a line is not ordered yet: it does not leave (FINANCE §4)."""
    return values.unpad(line.get("Stat")) == PLANNED


def is_canceled(line: Row) -> bool:
    """Tell whether nothing of a line is wanted: no quantity, or ended without anything received or vouchered."""
    if _is_zero(line.get("QtyOrderedConv")):
        return True
    ended = values.unpad(line.get("Stat")) in ENDED
    return ended and all(_is_zero(line.get(name)) for name in ("QtyReceived", "QtyVoucher"))


def _is_zero(value: str | None) -> bool:
    try:
        return values.to_decimal(value) == 0
    except ValueError:
        return False


def judge(head: Row, lines: Sequence[Row], options: CsiOptions) -> tuple[Eligibility, str]:
    """Return whether an order is to be transferred, and the words that decided (FINANCE §4).

    One that has ended is, since the target must hear of it; and so is one with a status nobody has explained, so that
    decoding can say so.
    """
    status, kind = (values.unpad(head.get(name)) for name in ("Stat", "Type"))
    said = f"Stat {status or 'missing'}"
    if kind == BLANKET:
        return Eligibility.NOT_ELIGIBLE, f"blanket order (Type {kind}), which orders nothing by itself; {said}"
    if status == PLANNED:
        return Eligibility.NOT_ELIGIBLE, f"{said} (planned)"
    if status in options.order_statuses and all(is_planned(line) for line in lines):
        why = "none of its lines is ordered yet" if lines else "it has no lines yet"
        return Eligibility.NOT_ELIGIBLE, f"{said}, but {why}"
    return Eligibility.ELIGIBLE, said


def wanted(options: CsiOptions) -> str:
    """Return in words which orders are transferred."""
    return f"Stat {' or '.join(options.order_statuses)} of regular orders, and their end; planned and blanket ones stay"


def stamps(head: Row, lines: Sequence[Row], zone: ZoneInfo) -> list[datetime]:
    """Return when each row of an order was last changed (aware, UTC); a header alone does not tell (§4a, §7.12)."""
    found = (values.to_utc(row.get(CHANGED), zone) for row in (head, *lines))
    return [stamp for stamp in found if stamp is not None]


def revision(found: Sequence[datetime]) -> str:
    """Return the revision of an order: its newest change, then the sum of all its changes in milliseconds.

    Header and lines are read by two requests. Should one of them have been changed between the two, the newest change
    alone could already be that of the other, and the missed one would never make a new revision; the sum, which every
    change makes greater, does.
    """
    if not found:
        return ""
    total = sum(round(stamp.timestamp() * 1000) for stamp in found)
    return f"{values.sortable(max(found))}/{total:018d}"
