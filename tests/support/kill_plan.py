"""What befalls a seed: its business, its database, and a disturbance for each try of each task, all drawn beforehand.

A draw depends on the seed and on the name of the try alone, so that what one try does to the time of another changes
nothing about what befalls it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from support import chaos_sites
from support.chaos_sites import Site
from support.kill_house import LEASE, POSTGRES, SQLITE, UNHEARD_OF

from airflow_provider_mlconnector.points import IN_TRANSACTION, Point

_ANYWHERE: Final = (Point.COMMITTED, Point.DURING_CHAIN_APPEND)
_ASKING: Final = (Point.MID_REQUEST, Point.AFTER_REMOTE_COMMIT, Point.DURING_TOKEN_RENEWAL)
_READING: Final = (Point.BEFORE_PAGE, Point.PAGE, Point.BEFORE_WATERMARK, Point.AFTER_WATERMARK)
_SENDING: Final = (
    Point.CLAIMED,
    Point.LOOKED_UP,
    Point.BEFORE_INTENT,
    Point.AFTER_INTENT,
    Point.AFTER_RESPONSE,
    Point.BEFORE_STATE,
    Point.AFTER_STATE,
)
_LOOKING: Final = (Point.DURING_SETTLE, Point.SETTLED, Point.OBSERVED)
MET_IN: Final[Mapping[str, tuple[Point, ...]]] = {
    "extract": (*_READING, *_ASKING, *_ANYWHERE),
    "combine": (Point.COMBINED, *_ANYWHERE),
    "plan": (*_ASKING, Point.COMMITTED),
    "validate": (Point.VALIDATED, *_ANYWHERE),
    "post": (*_SENDING, *_SENDING, *_ASKING, *_ANYWHERE, *_LOOKING),
    "settle": (*_LOOKING, *_SENDING, *_ASKING, *_ANYWHERE),
    "report": (Point.COMMITTED,),
    "replay": (Point.DURING_REPLAY, *_ANYWHERE),
}
"""Task → points a worker of it meets; twice what shall be drawn twice as often."""
_OFTEN: Final[Mapping[Point, int]] = {
    Point.COMMITTED: 9,
    Point.MID_REQUEST: 14,
    Point.AFTER_REMOTE_COMMIT: 7,
    Point.DURING_CHAIN_APPEND: 4,
}
"""How many times a worker meets a point; the others once or twice."""
_LEAVES_OPEN: Final = (Point.AFTER_INTENT, Point.AFTER_RESPONSE, Point.BEFORE_STATE)
_NEEDS_OPEN: Final = frozenset({Point.DURING_SETTLE, Point.SETTLED})
_ONLY_IN: Final[Mapping[Point, tuple[str, ...]]] = {
    Point.COMBINED: ("_combined",),
    Point.OBSERVED: ("_vouchers", "_unlinked"),
}
"""Points that not every business meets."""
POINTS: Final = tuple(Point)
_KINDS: Final = ("_linked", "_unlinked", "_combined", "_orders", "_vouchers", "_both_ways")
KINDS: Final = tuple(kind for kind in chaos_sites.KINDS if kind.__name__ in _KINDS)
"""Businesses drawn: those whose every write is one of money or of an order."""
_BLOWS: Final = 2
CHANCE: Final[Mapping[str, float]] = {"post": 0.75, "settle": 0.6, "replay": 0.6}
_ELSEWHERE: Final = 0.35

Kind = Literal["none", "kill", "stop", "moment", "clear", "clear and kill"]


@dataclass(frozen=True)
class Mishap:
    """What befalls one try.

    Attributes:
        kind: ``kill`` and ``stop`` at the ``nth`` time a ``point`` is reached; ``moment``: killed some ``seconds``
            after its start; ``clear``: taken for lost after some ``seconds`` while it goes on; ``clear and kill``: as
            Airflow does it, killed then.
        point: Where.
        nth: Which time.
        seconds: See ``kind``; for ``stop``, how long it stands still, 0 until its run is through without it.
    """

    kind: Kind = "none"
    point: Point | None = None
    nth: int = 1
    seconds: float = 0.0


@dataclass(frozen=True)
class Plan:
    """All draws of a seed.

    Attributes:
        seed: Its number.
        site: Its business.
        database: Its database.
        focus: The point its first two blows are for: a kill, and a stop.
    """

    seed: int
    site: Site
    database: str
    focus: Point
    overlap: bool
    runs: int
    budget: int
    faults: tuple[Mapping[str, Any], ...]
    only: tuple[str, Mishap] | None = None
    """The one task struck at its first try, and how, where nothing else is to happen."""
    text: str = ""
    """What named that."""
    without: str = ""
    """The guard taken out of every worker (:mod:`.chaos_sabotage`)."""

    @property
    def name(self) -> str:
        """What it is called: its seed, or the one blow."""
        return f"seed {self.seed}" if self.only is None else self.text

    @property
    def replay(self) -> str:
        """Options that live it once more."""
        return f"--seed {self.seed}" if self.only is None else f"--case {self.text}"

    @classmethod
    def draw(cls, seed: int) -> Plan:
        """Return a seed's plan. The points take turns, on each database in turn: 44 seeds are all of both."""
        rng = random.Random(f"kill plan {seed}")
        focus = POINTS[seed // 2 % len(POINTS)]
        names = _ONLY_IN.get(focus)
        kinds = [kind for kind in KINDS if names is None or kind.__name__ in names]
        kind = kinds[(seed // 2 + seed % 2 * len(kinds) // 2) % len(kinds)]
        return cls(
            seed=seed,
            site=kind(random.Random(f"business {seed}")),
            database=(SQLITE, POSTGRES)[seed % 2],
            focus=focus,
            overlap=rng.random() < 0.4,
            runs=2,
            budget=rng.choice([7, 8, 9]),
            faults=tuple(_faults(rng)) if rng.random() < 0.5 else (),
        )

    @classmethod
    def case(cls, text: str) -> Plan:
        """Return a plan of a single blow, as a test names it.

        ``text`` is ``business:database:kill or stop:task:point:nth:draw``, and ``:guard`` where one is taken out of the
        workers; ``draw`` draws the business.
        """
        kind, database, blow, task, point, nth, number, *guard = text.split(":")
        mishap = Mishap("stop" if blow == "stop" else "kill", Point(point), int(nth))
        (draw,) = [each for each in KINDS if each.__name__ == f"_{kind}"]
        return cls(
            seed=0,
            site=draw(random.Random(number)),
            database=database,
            focus=Point(point),
            overlap=False,
            runs=1,
            budget=1,
            faults=(),
            only=(task, mishap),
            text=text,
            without="".join(guard),
        )

    def mishap(self, name: str, task: str, attempt: int, *, blows: int, more: bool) -> Mishap:
        """Return what befalls a try.

        Args:
            name: The run's and the route's.
            task: Its task.
            attempt: Which try.
            blows: How often the point in focus was struck already.
            more: Whether anything else may happen.
        """
        if self.only is not None:
            struck, blow = self.only
            return blow if (struck, 1) == (task, attempt) else Mishap()
        rng = random.Random(f"mishap {self.seed} {name} {task} {attempt}")
        if blows < _BLOWS and self.focus in MET_IN[task]:
            if self.focus in _NEEDS_OPEN and task == "post" and attempt == 1:
                return Mishap("kill", rng.choice(_LEAVES_OPEN), 1)
            # the sensor finds something to look at only when leases have run out
            if attempt <= _BLOWS or task == "settle":
                return Mishap("kill", self.focus, 1) if not blows else self._stopped(rng, self.focus)
        return self._any(rng, task) if more else Mishap()

    def _any(self, rng: random.Random, task: str) -> Mishap:
        """Return whatever the dice give a try of a task, very often nothing."""
        if rng.random() > CHANCE.get(task, _ELSEWHERE):
            return Mishap()
        kind: Kind = rng.choices(["kill", "stop", "moment", "clear", "clear and kill"], [10, 3, 3, 1, 1])[0]
        if kind in {"moment", "clear", "clear and kill"}:
            return Mishap(kind, seconds=rng.choice([0.05, 0.2, 0.4, 0.8]))
        point = rng.choice(MET_IN[task])
        if kind == "stop":
            return self._stopped(rng, point)
        return Mishap(kind, point, rng.randint(1, _OFTEN.get(point, 2)))

    @staticmethod
    def _stopped(rng: random.Random, point: Point) -> Mishap:
        """Return a stop; inside a transaction a short one, since it holds everybody up."""
        seconds = rng.choice([1.0, LEASE + 1] if point in IN_TRANSACTION else [LEASE + 1, UNHEARD_OF, 0.0])
        return Mishap("stop", point, rng.randint(1, _OFTEN.get(point, 2)), seconds)


def _faults(rng: random.Random) -> list[dict[str, Any]]:
    """Return what the network does on top: what hides the outcome of a write without holding anybody up."""
    kinds: list[dict[str, Any]] = [
        {"kind": "late_commit", "seconds": 1.0},
        {"kind": "cut_body"},
        {"kind": "reset_after"},
        {"kind": "reset_before"},
        {"kind": "html_after", "code": 502},
        {"kind": "status", "code": 503},
        {"kind": "token_kill"},
    ]
    return [{"seed": rng.randrange(10**6), "probability": 0.02, **rule} for rule in rng.sample(kinds, 3)]
