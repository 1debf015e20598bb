"""Which accounting period a date belongs to, and whether AP may still post to it (FINANCE §3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from airflow_provider_mlconnector.systems.syspro.keys import day

PERIODS = 15
CLOSED = "C"
"""Flag of a closed period (GENQPP, reference/syspro.md §2.3)."""
LETTERS = ("C", "P", "B")
"""``PostingPeriod``: AP's current period, the previous one, the one before."""


@dataclass(frozen=True, order=True)
class Period:
    """A fiscal period."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year}/{self.number:02d}"


@dataclass(frozen=True)
class Calendar:
    """GL's year with its period ends and flags, and AP's own current period.

    Attributes:
        gl: GL's current period.
        ends: Last day of each period of GL's current year.
        current: Flags of that year's periods, ``C`` is closed.
        previous: Flags of the previous year's periods.
        ap: AP's current period, which need not be GL's.
        ap_flags: Flags of AP's current period and those before it, as far as the site shows them.
    """

    gl: Period
    ends: tuple[date, ...]
    current: tuple[str, ...]
    previous: tuple[str, ...]
    ap: Period
    ap_flags: tuple[str, ...] = ()

    @classmethod
    def from_reference(cls, reference: Mapping[str, Any]) -> Calendar:
        """Rebuild it from the reference data (see :func:`calendar_data`)."""
        data = reference["calendar"]
        return cls(
            gl=Period(*data["gl"]),
            ends=tuple(date.fromisoformat(end) for end in data["ends"]),
            current=tuple(data["current"]),
            previous=tuple(data["previous"]),
            ap=Period(*data["ap"]),
            ap_flags=tuple(data["ap_flags"]),
        )

    def of(self, when: date) -> Period | None:
        """Return the period of a date in GL's current or previous year, None outside of both.

        SYSPRO keeps no ends of the previous year in GenControl; they are taken to be the same days a year earlier,
        which is exact for calendar months.
        """
        number = self._in_year(when)
        if number is not None and not self._before_year(when):
            return Period(self.gl.year, number)
        later = _a_year_later(when)
        number = self._in_year(later)
        if self._before_year(when) and not self._before_year(later) and number is not None:
            return Period(self.gl.year - 1, number)
        return None

    def _in_year(self, when: date) -> int | None:
        return next((n for n, end in enumerate(self.ends, 1) if when <= end), None)

    def _before_year(self, when: date) -> bool:
        return not self.ends or _a_year_later(when) <= self.ends[-1]

    def before(self, period: Period) -> Period:
        """Return the period before ``period``."""
        if period.number > 1:
            return Period(period.year, period.number - 1)
        return Period(period.year - 1, len(self.ends))

    def letter(self, period: Period) -> str:
        """Return AP's relative name of a period, ``""`` when AP can no longer (or not yet) post to it."""
        candidate = self.ap
        for letter in LETTERS:
            if candidate == period:
                return letter
            candidate = self.before(candidate)
        return ""

    def is_closed(self, period: Period) -> bool:
        """Whether GL or AP has closed the period; one before GL's previous year counts as closed."""
        letter = self.letter(period)
        place = LETTERS.index(letter) if letter else len(self.ap_flags)
        if place < len(self.ap_flags) and self.ap_flags[place] == CLOSED:
            return True
        return self.gl_is_closed(period)

    def gl_is_closed(self, period: Period) -> bool:
        """Whether GL has closed the period, whatever AP says; one before its previous year counts as closed."""
        flags = {self.gl.year: self.current, self.gl.year - 1: self.previous}.get(period.year, ())
        return period.number > len(flags) or flags[period.number - 1] == CLOSED

    def is_future(self, period: Period) -> bool:
        """Whether AP has not reached the period yet."""
        return period > self.ap


def _a_year_later(when: date) -> date:
    try:
        return when.replace(year=when.year + 1)
    except ValueError:  # 29 February
        return when.replace(year=when.year + 1, day=28)


def calendar_data(gl: Mapping[str, str], ap: Period, ap_flags: Sequence[str]) -> dict[str, Any]:
    """Turn a GenControl row, AP's current period and its flags into JSON-able reference data."""
    ends = [day(gl[f"CurYrPrdEnd{n}"]) for n in range(1, PERIODS + 1)]
    used = [end for end in ends if end is not None]
    return {
        "gl": [int(gl["GlYear"]), int(gl["GlPeriod"])],
        "ends": [end.isoformat() for end in used],
        "current": [gl[f"CurYrPrdStat{n}"] for n in range(1, len(used) + 1)],
        "previous": [gl[f"PrvYrPrdStat{n}"] for n in range(1, len(used) + 1)],
        "ap": [ap.year, ap.number],
        "ap_flags": list(ap_flags),
    }
