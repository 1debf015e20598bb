"""Crash points: the named places of the pipeline where a test can pull the plug.

Nothing is armed in production, where a point costs one ``is None``. A test arms a strike by code, in its own process or
in a child it starts; no environment variable and no setting can::

    with armed(lambda point: os.kill(os.getpid(), signal.SIGKILL) if point is Point.AFTER_INTENT else None):
        post(job, target)

One strike is armed per process. It is called in the thread that reached the point, and may raise, kill, or stop the
process, move a clock, or let another worker run before it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final, TypeAlias


class Point(StrEnum):
    """Where a worker may die, in the order one document meets them."""

    BEFORE_PAGE = "before_page"
    """A page of the source's list is read, and nothing of it stored."""
    PAGE = "page"
    """A page's documents are stored; the watermark has not moved."""
    BEFORE_WATERMARK = "before_watermark"
    """The window is read to its end; the watermark has not moved."""
    AFTER_WATERMARK = "after_watermark"
    """The watermark has moved."""
    COMBINED = "combined"
    """A journal and its frozen members are stored."""
    VALIDATED = "validated"
    """A lot of documents has its verdicts."""
    CLAIMED = "claimed"
    """A lot is this worker's and in ``posting``; nothing is sent."""
    LOOKED_UP = "looked_up"
    """The target was asked what it holds already; no intent."""
    BEFORE_INTENT = "before_intent"
    """About to commit the intent."""
    AFTER_INTENT = "after_intent"
    """The intent is committed; no byte has left."""
    MID_REQUEST = "mid_request"
    """Bytes of a request have left (met after its head, and again after its body); no answer is read."""
    AFTER_REMOTE_COMMIT = "after_remote_commit"
    """The remote has answered; the answer is on the wire, its body not read."""
    AFTER_RESPONSE = "after_response"
    """The answer to a posting is read and understood; nothing of it is stored."""
    BEFORE_STATE = "before_state"
    """About to write what became of sent documents: answered, refused, or uncertain."""
    AFTER_STATE = "after_state"
    """What became of sent documents is written."""
    DURING_SETTLE = "during_settle"
    """An uncertain document was looked up; what was found is not written."""
    SETTLED = "settled"
    """A lot of uncertain documents has its verdicts."""
    OBSERVED = "observed"
    """A lot of accepted or submitted documents was looked up and written."""
    DURING_REPLAY = "during_replay"
    """A person's order has changed documents; neither their steps nor the transaction is written."""
    DURING_TOKEN_RENEWAL = "during_token_renewal"  # noqa: S105 - a place, not a token
    """The remote has issued a token or session; no cache and no other worker knows it."""
    DURING_CHAIN_APPEND = "during_chain_append"
    """Events are inserted, the chain's head is not moved, the transaction is open."""
    COMMITTED = "committed"
    """A transaction of the store, any of them, is committed."""


Strike: TypeAlias = Callable[[Point], None]

IN_TRANSACTION: Final = frozenset({Point.DURING_REPLAY, Point.DURING_CHAIN_APPEND})
"""Points met inside an open transaction: a strike there must not open another one."""

_strike: Strike | None = None


def reached(point: Point) -> None:
    """Tell that this worker is at ``point``; raises whatever the armed strike raises."""
    if _strike is not None:
        _strike(point)


@contextmanager
def armed(strike: Strike | None) -> Iterator[None]:
    """Call ``strike`` at every point reached inside, in whatever thread; what was armed before comes back after.

    Args:
        strike: None disarms.
    """
    global _strike  # noqa: PLW0603 - one per process, as a kill is
    before, _strike = _strike, strike
    try:
        yield
    finally:
        _strike = before


def arm(strike: Strike | None) -> None:
    """Arm ``strike`` for the rest of the process; None disarms."""
    global _strike  # noqa: PLW0603 - as above
    _strike = strike
