"""One write of a table: who asks, what for, and how it may be refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from airflow_provider_mlconnector.sandbox.cloudsuite.columns import Row

Action = Literal["insert", "update", "delete"]


class Refused(ValueError):
    """The product refuses a write; the text is what it tells the caller."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who writes, and when.

    Attributes:
        at: By the simulated clock.
        by: User name, as in ``CreatedBy``.
        request_no: Number of the request over all systems; 0 where no request made it.
        person: Typed in by hand, or done by a job of the product, rather than by an interface.
    """

    at: datetime
    by: str
    request_no: int = 0
    person: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """What hooks see of one write.

    Attributes:
        action: What is done.
        row: The row as it is (before) or has become (after); empty before an insert.
        changes: Values to set; a hook before the write may add to them or change them.
        origin: Who, and when.
    """

    action: Action
    row: Row
    changes: Row
    origin: Origin


Before = Callable[[Write], str | None]
"""Returns the words of a refusal, or None."""
After = Callable[[Write], None]
