"""Posting periods of AP (current and two before) and GL (current and previous year), each open or closed."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

from airflow_provider_mlconnector.sandbox.syspro.records import Period

MONTHS = 12


def before(period: Period, months: int) -> Period:
    """Return the period ``months`` earlier; financial years are calendar years here."""
    year, month = divmod(period[0] * MONTHS + period[1] - 1 - months, MONTHS)
    return year, month + 1


class Periods:
    """Period state of the company; only a person moves or closes periods."""

    def __init__(self, today: date) -> None:
        self.ap_current: Period = (today.year, today.month)
        self.gl_current: Period = self.ap_current
        self._ap_open = {before(self.ap_current, back) for back in range(3)}
        self._gl_open = {(today.year, month) for month in range(1, today.month + 1)} | self._ap_open

    def ap_period(self, posting_period: str) -> Period:
        """Return the AP period of PostingPeriod C, P or B (reference/syspro.md §2.1)."""
        return before(self.ap_current, "CPB".index(posting_period))

    def ap_is_open(self, period: Period) -> bool:
        """Whether AP takes postings for the period: one of the last three, and open."""
        return period in self._ap_open and before(self.ap_current, 2) <= period <= self.ap_current

    def gl_is_open(self, period: Period) -> bool:
        """Whether GL takes postings: open, not in the future, of this year or the one before (§2.3)."""
        return (
            period in self._gl_open
            and period <= self.gl_current
            and period[0] in {self.gl_current[0], self.gl_current[0] - 1}
        )

    def set_state(self, module: str, period: Period, *, is_open: bool) -> None:
        """Open or close a period of ``AP`` or ``GL``."""
        periods = self._ap_open if module == "AP" else self._gl_open
        if is_open:
            periods.add(period)
        else:
            periods.discard(period)

    def set_current(self, module: str, period: Period) -> None:
        """Make a period the current one of ``AP`` or ``GL``, and open it."""
        if module == "AP":
            self.ap_current = period
        else:
            self.gl_current = period
        self.set_state(module, period, is_open=True)


def period_end(period: Period) -> date:
    """Return the last day of a period."""
    return date(period[0], period[1], monthrange(*period)[1])
