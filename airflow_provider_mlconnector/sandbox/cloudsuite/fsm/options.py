"""What can be switched on the simulated FSM."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FsmOptions:
    """Settings of FSM; all but the count concern what the reference leaves open (SIM)."""

    orders: int = 0
    """How many purchase orders there are at the start."""
    default_limit: int = 100
    """Rows of a page that does not say how many."""
    most_rows: int = 1000
    """Most rows of a page, whatever ``_limit`` says."""
    records_lists: tuple[str, ...] = ()
    """Business classes whose lists come as ``{"_records": […]}``, all in one page, as some setup lists do (§4d)."""
    total_count: bool = False
    """Whether ``_count`` is that of all rows rather than of the page."""
