"""A request and its answer as the systems see them. Import these from ``systems.transport``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TypeAlias

Params: TypeAlias = "Mapping[str, str] | Sequence[tuple[str, str]]"


class Effect(StrEnum):
    """What sending a call twice would do."""

    READ = "read"
    """Changes nothing: may be repeated."""
    WRITE = "write"
    """Repeating would do it twice: never re-sent without proof that it was not executed."""
    ABSOLUTE = "absolute"
    """Sets a value: repeating is safe, but the result must be read back."""


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
        path: Below the base URL.
        name: What logs and errors call it ("APSTIN post").
        refusals: Statuses that come back as an answer to a write too, because they say that nothing here takes it (404,
            405 of a resource the remote may not offer). Without them such an answer proves nothing.
    """

    method: str
    path: str
    effect: Effect
    name: str
    params: Params = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    content_type: str | None = None
    refusals: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end. ``headers`` ignore case, ``elapsed`` is in seconds, ``request_id`` is ours."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    elapsed: float
    request_id: str

    @property
    def date(self) -> datetime | None:
        """The remote's clock when it answered (HTTP ``Date``, aware, UTC), None if absent or unreadable."""
        return http_date(self.headers.get("Date", ""))


def http_date(value: str) -> datetime | None:
    """Read an HTTP date (aware, UTC), None if it is none."""
    try:
        parsed = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
