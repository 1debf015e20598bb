"""A model of the life of documents, played against the store: every rule holds after every step."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule
from support.stores import ACTOR, ROUTE, ManualClock, invoice, ring, step, upgraded

from airflow_provider_mlconnector.documents.lifecycle import TRANSITIONS, State
from airflow_provider_mlconnector.errors import StaleClaim
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Change, DocumentRecord, StepRecord, StepState

LEASE = 60.0
NEVER_EXECUTED = {StepState.PLANNED, StepState.ABSENT, StepState.REFUSED}


class Lifecycle(RuleBasedStateMachine):
    """Workers, zombies and people work on a few documents; the model knows who holds what."""

    held = Bundle("held")
    """Records as some worker once claimed or read them: current ones and stale ones alike."""

    @initialize()
    def open(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="mlc-model-"))
        self.clock = ManualClock()
        self.store = Store.open(f"sqlite:///{self.home / 'store.db'}", ring(), clock=self.clock)
        upgraded(self.store)
        self.model: dict[str, tuple[State, int]] = {}
        self.executed: set[tuple[str, int]] = set()
        self.events = 0
        self.keys = 0

    @rule(target=held, count=st.integers(1, 3))
    def extract(self, count: int) -> object:
        with self.store.unit_of_work(ACTOR) as uow:
            # two invoices share each number, so that their steps want the same reference
            pages = [invoice(self.keys + n, number=f"NB-{(self.keys + n) // 2}") for n in range(count)]
            docs = uow.documents.add_page(pages)
        self.keys += count
        self.events += len(docs)
        self.model |= {doc.id: (doc.state, 0) for doc in docs}
        return multiple(*docs)

    @rule(target=held, limit=st.integers(1, 3), to=st.sampled_from([None, State.POSTING]))
    def claim(self, limit: int, to: State | None) -> object:
        states = [State.VALIDATED] if to else list(State)
        now = self.clock.now()
        with self.store.unit_of_work(ACTOR) as uow:
            docs = uow.documents.claim(ROUTE, states, to=to, owner="w", seconds=LEASE, limit=limit, now=now)
        for doc in docs:
            state, generation = self.model[doc.id]
            assert doc.generation == generation + 1
            assert doc.state is (to or state)
            self.model[doc.id] = (doc.state, doc.generation)
        self.events += len(docs) if to else 0
        return multiple(*docs)

    @rule(seconds=st.sampled_from([1.0, LEASE]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(target=held, doc=held, data=st.data(), release=st.booleans())
    def change(self, doc: DocumentRecord, data: st.DataObject, release: bool) -> object:
        allowed = sorted(TRANSITIONS[doc.state])
        if not allowed:
            return multiple()
        to = data.draw(st.sampled_from(allowed))
        change = Change(doc, to, reason_code="model", release=release)
        current = self.model[doc.id] == (doc.state, doc.generation)
        try:
            with self.store.unit_of_work(ACTOR) as uow:
                docs = uow.documents.apply([change])
        except StaleClaim:
            assert not current
            return multiple()
        assert current, "a stale record must not win"
        self.model[doc.id] = (to, doc.generation)
        self.events += 1
        return multiple(*docs)

    @rule(target=held, doc=consumes(held))
    def extend(self, doc: DocumentRecord) -> object:
        until = self.clock.now() + timedelta(seconds=LEASE)
        with self.store.unit_of_work(ACTOR) as uow:
            kept = uow.documents.extend([doc], until=until)
        if kept:
            assert self.model[doc.id] == (doc.state, doc.generation)
        return multiple(*kept)

    @rule(doc=held)
    def plan(self, doc: DocumentRecord) -> None:
        with self.store.unit_of_work(ACTOR) as uow:
            collisions = uow.steps.plan([step(doc)])
            own = uow.steps.of([doc.id])[doc.id]
        assert len(own) == (0 if collisions else 1)
        assert set(collisions) <= {doc.id}

    @rule(doc=held)
    def send(self, doc: DocumentRecord) -> None:
        with self.store.unit_of_work(ACTOR) as uow:
            planned = uow.steps.of([doc.id])[doc.id]
        if not planned:
            return
        mine = self.model[doc.id] == (State.POSTING, doc.generation)
        allowed = mine and doc.state is State.POSTING and planned[0].state in NEVER_EXECUTED
        now = self.clock.now()
        try:
            with self.store.unit_of_work(ACTOR) as uow:
                (sent,) = uow.steps.intend(planned, documents=[doc], at=now, expires_at=now)
        except StaleClaim:
            # a record read before the document began posting carries the same generation: the store looks at the state
            assert not allowed
            return
        assert mine
        assert planned[0].state in NEVER_EXECUTED
        assert (sent.id, sent.attempt) not in self.executed, "an attempt is announced once"
        self.executed.add((sent.id, sent.attempt))
        self.events += 1

    @rule(doc=held, to=st.sampled_from(StepState), missed=st.booleans())
    def settle(self, doc: DocumentRecord, to: StepState, missed: bool) -> None:
        with self.store.unit_of_work(ACTOR) as uow:
            steps: list[StepRecord] = uow.steps.of([doc.id])[doc.id]
            if not steps or steps[0].state is not StepState.SENDING:
                return
            after = uow.steps.settle(steps[0], to, not_found=missed, at=self.clock.now())
        assert (after.state, after.not_found) == (to, int(missed))
        self.events += 1

    @invariant()
    def the_store_agrees_with_the_model(self) -> None:
        if not hasattr(self, "store"):
            return
        with self.store.unit_of_work(ACTOR) as uow:
            docs = uow.documents.search(limit=1000)
            steps = [item for items in uow.steps.of([doc.id for doc in docs]).values() for item in items]
        assert {doc.id: (doc.state, doc.generation) for doc in docs} == self.model
        references = [(item.target, item.company, item.kind, item.remote_reference) for item in steps]
        assert len(references) == len(set(references)), "one reference, one step"
        assert self.store.head().seq == self.events

    def teardown(self) -> None:
        if hasattr(self, "store"):
            report = self.store.verify_chain()
            self.store.close()
            shutil.rmtree(self.home)
            assert report.ok, report.reason
            assert report.events == self.events


Lifecycle.TestCase.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck)
)
TestLifecycle = Lifecycle.TestCase
