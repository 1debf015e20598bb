"""A replay of thousands of documents at once, at a tenant that takes so many calls a minute."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from support.pipeline import Pipeline
from support.remote import FakeTarget, invoice

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.orders import Order
from airflow_provider_mlconnector.sync.replay import Replay, Selection
from airflow_provider_mlconnector.systems.ports import Fence, Found, FoundState, Outcome, StepDraft

COUNT, LOT = 2_000, 8
CALLS_A_MINUTE = 300
HELD = "V00042"


@dataclass
class Paced(FakeTarget):
    """A target whose calls keep to the tenant's pace, and whose supplier is on hold for as long as it is told to be."""

    held: list[str] = field(default_factory=lambda: [HELD])
    limiter: Any = None
    calls: list[float] = field(default_factory=list)
    here: set[str] = field(default_factory=set)

    def read_reference(self, *, suppliers: Sequence[str], accounts: Sequence[str]) -> Mapping[str, Any]:
        return {"on_hold": self.held}

    def batches(self, steps: Sequence[StepDraft]) -> Iterator[Sequence[StepDraft]]:
        yield from (steps[start : start + LOT] for start in range(0, len(steps), LOT))

    def find(self, steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:
        self._wait_for_a_slot()
        return [Found(FoundState.OURS if step.our_reference in self.here else FoundState.ABSENT) for step in steps]

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        self._wait_for_a_slot()
        self.here |= {step.our_reference for step in steps}
        return super().post(steps, fence=fence)

    def _wait_for_a_slot(self) -> None:
        self.clock.sleep(self.limiter.reserve("tenant", patience=60.0))
        self.calls.append(self.clock.monotonic())


def _replayed(pipeline: Pipeline) -> int:
    replay = Replay(pipeline.store, Actor(user="anna"), Order("released"), batch_id="replay.1", clock=pipeline.clock)
    return sum(not one.refused for one in replay.run(replay.survey(Selection(route="r"))))


@pytest.mark.timeout(180)
def test_thousands_at_once_are_posted_once_each_within_the_tenants_pace(
    new_pipeline: Callable[[], Pipeline],
) -> None:
    pipeline = new_pipeline()
    target = pipeline.target = Paced(pipeline.clock, limiter=pipeline.store.limiter(CALLS_A_MINUTE))
    pipeline.route = pipeline.route.model_copy(update={"claim_size": 200, "chunk_size": 500})
    pipeline.source.page_size = 500
    pipeline.source.put(*(invoice(f"A{number:05d}", supplier=HELD) for number in range(COUNT)))
    pipeline.all()
    assert Counter(pipeline.states().values()) == {State.PARKED: COUNT}

    target.held.clear()
    started = time.monotonic()
    assert _replayed(pipeline) == COUNT
    print(f"{COUNT} documents replayed in {time.monotonic() - started:.1f} s")
    assert Counter(pipeline.states().values()) == {State.EXTRACTED: COUNT}
    pipeline.all()
    assert Counter(pipeline.states().values()) == {State.POSTED: COUNT}
    assert max(Counter(target.attempts).values()) == 1
    assert len(target.ledger) == COUNT
    busiest = max(Counter(int(at // 60) for at in target.calls).values())
    assert busiest <= CALLS_A_MINUTE + 1, "no minute sees more than the tenant allows"
    assert len(target.calls) >= COUNT // LOT

    assert _replayed(pipeline) == 0, "what is posted is not taken up again"
    pipeline.all()
    assert len(target.ledger) == COUNT
