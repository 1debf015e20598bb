"""The harness can fail: each guard taken out by the test alone, and how soon the oracle notices.

Nothing of this is in the package; every sabotage replaces a piece of it for the length of a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest import mock

from support import chaos_live
from support.chaos_run import World
from support.chaos_storm import Storm
from support.remote import Killed

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.points import Point
from airflow_provider_mlconnector.store.records import Change, StepState
from airflow_provider_mlconnector.sync import extract, post, session, settle, settling
from airflow_provider_mlconnector.systems.cloudsuite.csi.base import CsiSystem
from airflow_provider_mlconnector.systems.cloudsuite.csi.vouchers import CsiVoucherTarget
from airflow_provider_mlconnector.systems.ports import Found, FoundState
from airflow_provider_mlconnector.systems.syspro.base import SysproSystem
from airflow_provider_mlconnector.systems.syspro.lookup import LookUp
from airflow_provider_mlconnector.systems.syspro.target import SysproTarget

Broken = Callable[[], AbstractContextManager[None]]


@contextmanager
def no_intent() -> Iterator[None]:
    """A worker that died while sending leaves nothing behind: its documents are taken for never sent."""

    def recover(job: Any, _target: Any) -> None:
        with job.unit_of_work() as uow:
            left = uow.documents.expired(job.route.name, now=job.now(), limit=500)
            steps = uow.steps.of([document.id for document in left])
            for document in left:
                for step in steps[document.id]:
                    if step.state is StepState.SENDING:
                        uow.steps.settle(step, StepState.ABSENT, at=job.now())
            uow.documents.apply(
                [Change(one, State.VALIDATED, reason_code="worker_lost", reason="sabotage") for one in left]
            )

    with mock.patch.object(post, "recover_expired", recover), mock.patch.object(settle, "recover_expired", recover):
        yield


@contextmanager
def no_settle_wait() -> Iterator[None]:
    """What is not found at once is taken for not executed."""
    at_once = property(lambda _self: 0.0)
    with ExitStack() as stack:
        for place in (SysproSystem, CsiSystem):
            stack.enter_context(mock.patch.object(place, "settle_seconds", at_once))
        for target in (SysproTarget, CsiVoucherTarget):
            stack.enter_context(mock.patch.object(target, "may_repost", return_value=True))
        stack.enter_context(mock.patch.object(settling, "SECOND_LOOK", timedelta(seconds=1)))
        yield


@contextmanager
def no_fence() -> Iterator[None]:
    """A worker sends although its lease has run out."""
    with mock.patch.object(session.Keeper, "check", return_value=None):
        yield


@contextmanager
def no_reference() -> Iterator[None]:
    """Nothing can be found in the target: as if our reference stood nowhere."""

    def find(_self: Any, steps: Sequence[Any], *, settling: bool = False) -> list[Found]:
        return [Found(FoundState.ABSENT, "") for _step in steps]

    with mock.patch.object(LookUp, "find", find):
        yield


@contextmanager
def no_watermark_order() -> Iterator[None]:
    """The watermark moves before its window is read."""
    read = extract._read_until_two_agree

    def early(job: Any, source: Any, span: Any, keeper: Any) -> Any:
        if span.end is not None:
            with job.unit_of_work() as uow:
                uow.watermarks.advance(job.route.name, span.end - timedelta(minutes=job.route.overlap_minutes))
        return read(job, source, span, keeper)

    with mock.patch.object(extract, "_read_until_two_agree", early):
        yield


SABOTAGES: dict[str, Broken] = {
    "intent": no_intent,
    "settle wait": no_settle_wait,
    "fence": no_fence,
    "our reference": no_reference,
    "watermark atomicity": no_watermark_order,
}


@contextmanager
def late_posts(*calls: str, seconds: float = 38.0) -> Iterator[None]:
    """SYSPRO acts when the client has long had its 504: what the settle wait is there for."""
    late = {"kind": "late_commit", "seconds": seconds, "probability": 0.7, "seed": 13}
    rules = [late | {"call": call} for call in calls or ("Post:*",)]
    with mock.patch.object(chaos_live, "weather", return_value=rules):
        yield


@contextmanager
def frozen_senders() -> Iterator[None]:
    """Workers freeze between their intent and its request for longer than lease and settle wait: the fence's case."""
    strike = World.strike

    def frozen(self: World, point: Point) -> None:
        process = self.working.get(self.time.actor)
        if self.rough and point is Point.AFTER_INTENT and process is not None and self.rng.random() < 0.25:
            self.ending.stops[point] += 1
            self.time.sleep(1200.0)
        strike(self, point)

    with mock.patch.object(World, "strike", frozen), _no_other_weather():
        yield


@contextmanager
def lost_workers() -> Iterator[None]:
    """Workers die with the 504 of a late system in hand: their intent is all that tells of the request.

    Not SYSPRO's, where the next log-on ends what the dead worker's session has not begun.
    """
    strike = World.strike
    sending: set[str] = set()

    def dying(self: World, point: Point) -> None:
        process = self.working.get(self.time.actor)
        if self.rough and process is not None and point is Point.AFTER_INTENT:
            sending.add(process.name)
        if process is not None and point is Point.AFTER_REMOTE_COMMIT and process.name in sending:
            sending.remove(process.name)
            if self.rng.random() < 0.5:
                self.ending.kills[point] += 1
                process.kill()
                raise Killed
        strike(self, point)

    with (
        mock.patch.object(World, "strike", dying),
        _no_other_weather(),
        late_posts("CsiUpdate SLAptrxs", "ImportInvoice", seconds=50.0),
    ):
        yield


def _no_other_weather() -> AbstractContextManager[Any]:
    calm = classmethod(lambda _cls, _seed: Storm(kill=0, stop=0, yields=0, faults=0, clear=0))
    return mock.patch.object(Storm, "draw", calm)


PROVOKED: dict[str, Broken] = {"intent": lost_workers, "settle wait": late_posts, "fence": frozen_senders}
"""The weather in which a guard is missed soon; the others are in any."""


@dataclass(frozen=True)
class Noticed:
    """The first seed that noticed a sabotage."""

    seed: int
    tried: int
    violation: str


def first_found(broken: Broken, within: int, *, first: int = 0) -> Noticed | None:
    """Run seeds under a sabotage until one is violated."""
    name = next((name for name, found in SABOTAGES.items() if found is broken), "")
    with PROVOKED.get(name, nullcontext)(), broken():
        for seed in range(first, first + within):
            ending = chaos_live.live(seed)
            if ending.violations:
                return Noticed(seed, seed - first + 1, f"seed {seed}: {ending.violations[0]}")
    return None
