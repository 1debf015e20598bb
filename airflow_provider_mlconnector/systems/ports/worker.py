"""What carries the systems: time, shared tokens, pace, and the proof that a worker may still send."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time, injected so that tests own it."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds``."""
        time.sleep(seconds)


class TokenCache(Protocol):
    """Tokens shared by all workers of a deployment, encrypted at rest.

    A key names connection and grant; a changed credential is a changed key, so a stale token is never met.
    """

    def get(self, key: str) -> tuple[str, datetime] | None:
        """Return ``(token, expires_at)`` or None."""
        ...

    def put(self, key: str, token: str, expires_at: datetime) -> None:
        """Keep a token until ``expires_at`` (aware, UTC)."""
        ...

    def drop(self, key: str, token: str) -> None:
        """Forget ``token`` if it is still the one kept under ``key``."""
        ...

    def exclusive(self, key: str) -> AbstractContextManager[None]:
        """Let one caller of all workers at a time ask for the token of ``key``; look into the cache again inside.

        A holder that dies, or takes longer than some seconds, does not keep the others out: two tokens are better than
        none.
        """
        ...

    def join(self, key: str, user: str, until: datetime) -> None:
        """Note that ``user`` (a unique name) works with the token of ``key``, at the longest ``until``."""
        ...

    def leave(self, key: str, user: str) -> bool:
        """Note that ``user`` no longer does; return True when nobody does."""
        ...


class RateLimiter(Protocol):
    """Paces calls to one tenant over all workers."""

    def reserve(self, key: str, *, patience: float = ...) -> float:
        """Take the next slot of ``key`` and return the seconds to wait before using it (0 when free).

        Args:
            key: Whose pace it is.
            patience: A slot that comes later than this is not taken; the wait is returned all the same.
        """
        ...

    def held(self, key: str) -> float:
        """Return the seconds all calls of ``key`` are still held back after a refusal, 0 when they are not."""
        ...

    def hold(self, key: str, seconds: float | None) -> None:
        """Hold all workers' calls of ``key`` back because the remote refused one (429).

        Args:
            key: Whose calls.
            seconds: What the remote asked for, None when it named nothing.
        """
        ...


class Fence(Protocol):
    """Proof that this worker may still send. Checked right before every write leaves (DESIGN §4, rule 3)."""

    def check(self, *, needed_seconds: float) -> None:
        """Return if the lease outlives ``needed_seconds``.

        Raises:
            StaleClaim: The lease is lost or ends too early: nothing may be sent.
        """
        ...
