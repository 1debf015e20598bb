"""Pairing the figures of two sides, counting and summing them, and naming everything that does not agree. Pure.

What holds of every report: per area, kind, period and currency, left minus right equals the differences listed, in
number and in amount. Nothing can disagree without being named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.documents.currency import EXACT
from airflow_provider_mlconnector.documents.reconciliation import OPEN_ITEM, Area, Figure, Span

Row = tuple[str, str, str, str]
"""Area, kind, period (``2026-01``, empty where it does not matter) and currency: one line of the report's totals."""
UNDATED = "undated"
GROSS = "gross"
"""Fact of an open item: the amount of the invoice it is left of."""
TWICE = "a second one of the same document"


@dataclass(slots=True)
class Tally:
    """Count and sum of both sides on one line of the report."""

    left_count: int = 0
    left_sum: Decimal = Decimal(0)
    right_count: int = 0
    right_sum: Decimal = Decimal(0)
    agree: int = 0
    """Pairs that agree in everything."""
    by_hand: int = 0
    """Of these, entered on the right side by hand."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that does not agree: one side alone, or both with what differs in words."""

    area: Area
    left: Figure | None
    right: Figure | None
    what: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a gap is there, as far as the audit knows."""

    code: str
    text: str
    explained: bool


def because(code: str, text: str) -> Reason:
    """Return a reason the audit knows: nobody has to look."""
    return Reason(code, text, explained=True)


def unclear(code: str, text: str) -> Reason:
    """Return what can be said of a gap that the audit cannot explain: somebody must look."""
    return Reason(code, text, explained=False)


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of the report's list of differences.

    Attributes:
        row: The line of totals it belongs to.
        label: What people call the record.
        left: What it adds to the left sum, None when the left does not count it.
        right: Likewise.
        reason: Why.
        what: What differs, in words.
        left_key: The left system's key.
        right_key: The right system's key.
    """

    row: Row
    label: str
    left: Decimal | None
    right: Decimal | None
    reason: Reason
    what: str = ""
    left_key: str = ""
    right_key: str = ""


class Matcher:
    """Pairs figures of one area; takes the whole left side first, then meets each figure of the right.

    Args:
        area: Whose figures.
        span: Document dates that count; None counts all.
        ours: How our own references begin.
        links: Keys known to belong together: right key → left key.
    """

    def __init__(
        self, area: Area, *, span: Span | None = None, ours: str = "", links: Mapping[str, str] | None = None
    ) -> None:
        self.area = area
        self.tallies: dict[Row, Tally] = {}
        self._span = span
        self._ours = ours
        self._links = dict(links or {})
        self._linked = set(self._links.values())
        self._left: dict[str, Figure] = {}
        self._by_match: dict[str, list[str]] = {}
        self._met: set[str] = set()

    def add(self, left: Figure) -> None:
        """Take a figure of the left side; the same key again replaces it."""
        if left.key not in self._left and left.match and left.key not in self._linked:
            self._by_match.setdefault(left.match, []).append(left.key)
        self._left[left.key] = left

    def known(self, key: str) -> Figure | None:
        """Return a figure of the left side that has not been paired yet."""
        return self._left.get(key)

    def meet(self, right: Figure, *, left_key: str = "") -> Iterator[Gap]:
        """Pair a figure of the right side and yield what does not agree.

        Args:
            right: The figure.
            left_key: The left key, where it is known from elsewhere.
        """
        left = self._partner(right, left_key)
        inside = self._inside(right)
        if left is None:
            if inside:
                self._count_right(right)
                if right.counted or self.area is Area.INVOICES:
                    twice = (TWICE,) if left_key and left_key in self._met else ()
                    yield Gap(self.area, None, right, twice)
            return
        outside = self._span is not None and not self._inside(left)
        if outside and (right.day is None or not inside):
            return  # of another period altogether
        if right.day is None:
            right = replace(right, day=left.day)
        self._count_right(right)
        if not outside:
            self._count_left(left)
        what = differing(left, right)
        if outside or what:
            yield Gap(self.area, replace(left, counted=left.counted and not outside), right, tuple(what))
        else:
            tally = self._tally(row_of(left))
            tally.agree += left.counted
            tally.by_hand += bool(self._ours) and left.counted and not right.reference.startswith(self._ours)
        if not outside:
            yield from self._owed(left, right)

    def rest(self) -> Iterator[Gap]:
        """Yield the left figures nothing was paired with."""
        for left in self._left.values():
            if self._inside(left) and (left.counted or self.area is Area.INVOICES):
                self._count_left(left)
                yield Gap(self.area, left, None)

    def _partner(self, right: Figure, left_key: str) -> Figure | None:
        named = left_key or self._links.get(right.key, "")
        candidates: Sequence[str] = [named] if named else self._by_match.get(right.match, ())
        for key in candidates:
            if (left := self._left.pop(key, None)) is not None:
                if left_key:
                    self._met.add(left_key)
                return left
        return None

    def _inside(self, figure: Figure) -> bool:
        dated = figure.day or figure.booked
        return self._span is None or dated is None or self._span.holds(dated)

    def _tally(self, row: Row) -> Tally:
        return self.tallies.setdefault(row, Tally())

    def _count_left(self, left: Figure) -> None:
        if left.counted:
            tally = self._tally(row_of(left))
            tally.left_count += 1
            tally.left_sum = EXACT.add(tally.left_sum, left.amount)

    def _count_right(self, right: Figure) -> None:
        if right.counted:
            tally = self._tally(row_of(right))
            tally.right_count += 1
            tally.right_sum = EXACT.add(tally.right_sum, right.amount)

    def _owed(self, left: Figure, right: Figure) -> Iterator[Gap]:
        """Compare what both sides say is still owed, on a line of totals of its own."""
        if left.owed is None or right.owed is None or not left.counted:
            return
        day = left.day or right.day
        here = _open_item(left, left.owed, day)
        there = _open_item(right, right.owed, day)
        self._count_left(here)
        self._count_right(there)
        if (left.owed, left.currency) == (right.owed, right.currency):
            self._tally(row_of(here)).agree += 1
        else:
            yield Gap(Area.BALANCES, here, there, (f"owed {left.owed} and {right.owed}",))


def _open_item(figure: Figure, owed: Decimal, day: date | None) -> Figure:
    gross = ((GROSS, str(figure.amount)),)
    return replace(figure, area=Area.BALANCES, kind=OPEN_ITEM, day=day, amount=owed, counted=bool(owed), facts=gross)


def row_of(figure: Figure) -> Row:
    """Return the line of totals a figure belongs to."""
    dated = figure.day or figure.booked
    period = "" if figure.area in {Area.SUPPLIERS, Area.ORDERS} else (f"{dated:%Y-%m}" if dated else UNDATED)
    return (figure.area, figure.kind, period, "" if figure.area is Area.SUPPLIERS else figure.currency)


def differing(left: Figure, right: Figure) -> list[str]:
    """Name what differs between two figures of the same thing; empty when nothing does."""
    found = []
    if not left.counted and not right.counted:
        return []  # closed or canceled on both sides: nothing is left to compare
    if left.counted != right.counted:
        found.append(f"{left.status or 'counted'} here, {right.status or 'counted'} there")
    if left.currency != right.currency:
        found.append(f"currency {left.currency or 'none'} and {right.currency or 'none'}")
    if left.amount != right.amount:
        found.append(f"amount {left.amount} and {right.amount}")
    if left.day is not None and right.day is not None and left.day != right.day:
        found.append(f"dated {left.day} and {right.day}")
    theirs = dict(right.facts)
    for name, value in left.facts:
        if name in theirs and _plain(value) != _plain(theirs[name]):
            found.append(f"{name} {value or 'none'} and {theirs[name] or 'none'}")
    return found


def difference_lines(gap: Gap, reason: Reason) -> list[Difference]:
    """Turn an explained gap into lines of the report: two where its sides belong to different lines of totals."""
    left, right = gap.left, gap.right
    shown: dict[str, Any] = {
        "reason": reason,
        "what": "; ".join(gap.what),
        "label": (left or right or _NOBODY).label,
        "left_key": left.key if left else "",
        "right_key": right.key if right else "",
    }
    here = left.amount if left and left.counted else None
    there = right.amount if right and right.counted else None
    rows = {row_of(side) for side in (left, right) if side is not None}
    if left is not None and right is not None and len(rows) > 1:
        return [
            Difference(row_of(left), left=here, right=None, **shown),
            Difference(row_of(right), left=None, right=there, **shown),
        ]
    return [Difference(row_of(left or right or _NOBODY), left=here, right=there, **shown)]


def _plain(value: str) -> str:
    return "".join(char for char in value.casefold() if char.isalnum())


_NOBODY = Figure(Area.INVOICES, "", "", "", "")


@dataclass(slots=True)
class Findings:
    """Everything a reconciliation found: lines of totals and differences, in a stable order."""

    tallies: dict[Row, Tally] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    def add(self, gap: Gap, reason: Reason) -> None:
        """Take in one gap and why it is there."""
        self.differences += difference_lines(gap, reason)

    @property
    def unexplained(self) -> int:
        """How many differences nobody can explain."""
        return sum(not difference.reason.explained for difference in self.differences)
