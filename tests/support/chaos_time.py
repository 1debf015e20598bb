"""One simulated time for both sides: the pipeline's workers, the remote systems and everything on its way between them.

Workers are threads, but one at a time works: whoever sleeps hands on to the next that wakes, in the order of simulated
time. So any interleaving of workers can happen, nothing takes real time, and the same seed gives the same order.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any

from airflow_provider_mlconnector.sandbox.clock import SimClock

START = datetime(2026, 11, 17, 8, tzinfo=UTC)


class Actor:
    """A thread that waits for its turn."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.turn = threading.Semaphore(0)
        self.wakes = 0
        """Counts wake-ups: an appointment made before the last one is void."""
        self.ended = False


class Nap(Awaitable[None]):
    """What the sandbox's coroutines wait for."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __await__(self) -> Generator[float, None, None]:
        yield self._seconds


async def nap(seconds: float) -> None:
    """Stands for ``asyncio.sleep`` in the sandbox."""
    await Nap(seconds)


class Time(SimClock):
    """The clock of everybody. Also the pipeline's ``Clock``: ``now``, ``monotonic``, ``sleep``."""

    def __init__(self, start: datetime = START) -> None:
        self._seconds = 0.0
        self._zero = start
        self.start = start
        self._appointments: list[tuple[float, int, Any, int]] = []
        self._number = count()
        self._me = threading.local()
        self._me.actor = Actor("main")

    def reset(self) -> None:
        """Time goes on: the sandbox's books are made once."""

    def now(self) -> datetime:
        return self._zero + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    def advance(self, seconds: float) -> None:
        self.sleep(seconds)

    def sleep(self, seconds: float) -> None:
        """Let others work until ``seconds`` have passed."""
        me: Actor = self._me.actor
        self._appoint(me, seconds)
        self._hand_on(me)

    def wait(self) -> None:
        """Let others work until somebody calls :meth:`wake` for this thread."""
        self._hand_on(self._me.actor)

    @property
    def actor(self) -> Actor:
        """Who works now."""
        found: Actor = self._me.actor
        return found

    def wake(self, actor: Actor) -> None:
        """Let a thread that waits or sleeps go on now, after whoever is due before it."""
        self._appoint(actor, 0.0)

    def thread(self, name: str, work: Callable[[], None]) -> Actor:
        """Start a thread; it begins when its turn comes."""
        actor = Actor(name)

        def run() -> None:
            self._me.actor = actor
            actor.turn.acquire()
            try:
                work()
            finally:
                actor.ended = True
                self._hand_on(None)

        threading.Thread(target=run, name=name, daemon=True).start()
        self._appoint(actor, 0.0)
        return actor

    def spawn(self, work: Coroutine[Any, Any, Any], *, after: float = 0.0) -> None:
        """Let a coroutine of the sandbox run by itself."""
        self._appoint(work, after)

    def _appoint(self, who: Actor | Coroutine[Any, Any, Any], seconds: float) -> None:
        stamp = who.wakes if isinstance(who, Actor) else 0
        heappush(self._appointments, (self._seconds + max(seconds, 0.0), next(self._number), who, stamp))

    def _hand_on(self, me: Actor | None) -> None:
        """Give the turn to whoever is due next; return when it is ``me`` again (at once for a thread that ends)."""
        while self._appointments:
            at, _number, who, stamp = heappop(self._appointments)
            if isinstance(who, Actor):
                if stamp != who.wakes or who.ended:
                    continue
                self._seconds = max(self._seconds, at)
                who.wakes += 1
                if who is not me:
                    who.turn.release()
                    if me is not None:
                        me.turn.acquire()
                return
            self._seconds = max(self._seconds, at)
            self._go_on(who)
        if me is not None:
            message = f"everybody waits for somebody else; {me.name} was the last"
            raise AssertionError(message)

    def _go_on(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            seconds = work.send(None)
        except StopIteration:
            return
        self._appoint(work, seconds)


class Skewed(SimClock):
    """The clock of one system: everybody's time and an offset, which may be set in mid-run."""

    def __init__(self, time: Time) -> None:
        self._time, self.offset, self.start = time, 0.0, time.start

    def reset(self) -> None:
        """Time goes on, as everybody's."""

    def now(self) -> datetime:
        return self._time.now() + timedelta(seconds=self.offset)

    def advance(self, seconds: float) -> None:
        self.offset += seconds
