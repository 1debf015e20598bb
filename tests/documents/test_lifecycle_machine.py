"""The life of documents against a model, over the real store: workers who claim, lose and come late, people who replay.

Hypothesis chooses what happens; after every step the store must say what the model says.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from support.stores import ACTOR, ROUTE, ManualClock, invoice, ring, upgraded

from airflow_provider_mlconnector.documents.lifecycle import (
    DUE_FOR_POSTING,
    DUE_FOR_VALIDATION,
    IN_FLIGHT,
    IN_TARGET,
    REPLACEABLE,
    TRANSITIONS,
    State,
)
from airflow_provider_mlconnector.errors import StaleClaim
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Change, DocumentRecord

WORKERS = ("one", "two", "three")
LEASE = 60.0
CLAIMS: dict[str, tuple[frozenset[State], State | None]] = {
    "validate": (DUE_FOR_VALIDATION, None),
    "post": (DUE_FOR_POSTING, State.POSTING),
    "settle": (frozenset({State.UNCERTAIN}), None),
    "observe": (frozenset({State.ACCEPTED, State.SUBMITTED}), None),
}
BY_A_PERSON = (State.REJECTED, State.FAILED, State.SKIPPED, State.PARKED)


@dataclass
class Believed:
    """What the model holds of one document."""

    key: str
    revision: str
    state: State
    generation: int = 0
    owner: str = ""
    until: datetime | None = None
    due_at: datetime | None = None
    trail: list[tuple[str, str]] = field(default_factory=list)

    def free(self, now: datetime) -> bool:
        return (self.until is None or self.until <= now) and (self.due_at is None or self.due_at <= now)

    def go(self, to: State) -> None:
        self.trail.append((self.state, to))
        self.state = to


class Lives(RuleBasedStateMachine):
    """Three workers and a person, few documents, leases that end."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.folder = Path(tempfile.mkdtemp())
        self.store = Store.open(f"sqlite:///{self.folder / 'store.db'}", ring(), clock=self.clock)
        upgraded(self.store)
        self.model: dict[str, Believed] = {}
        self.hands: dict[str, list[DocumentRecord]] = {worker: [] for worker in WORKERS}
        self.seen: list[DocumentRecord] = []
        """Records as somebody once read them, most of them outdated."""
        self.quiet = 0

    def teardown(self) -> None:
        assert self.store.verify_chain().ok
        self.store.close()
        shutil.rmtree(self.folder)

    # --- what the source does --------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.extract([1, 2], 1)

    @rule(numbers=st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True), revision=st.integers(1, 3))
    def extract(self, numbers: list[int], revision: int) -> None:
        known = {(one.key, one.revision) for one in self.model.values()}
        wanted = [invoice(number, revision=f"{revision:04}") for number in numbers]
        with self.store.unit_of_work(ACTOR) as uow:
            stored = uow.documents.add_page(wanted)
        assert [doc.key for doc in stored] == [doc.key for doc in wanted if (doc.key, doc.revision) not in known]
        for doc in stored:
            self.model[doc.id] = Believed(doc.key, doc.revision, State.EXTRACTED, trail=[("", State.EXTRACTED)])
        self.seen += stored

    @rule()
    def supersede(self) -> None:
        """Older revisions of what never left give way, as extract and validation have it."""
        newest = {
            one.key: max(o.revision for o in self.model.values() if o.key == one.key) for one in self.model.values()
        }
        older = [
            doc for doc in self.current() if doc.state in REPLACEABLE and self.model[doc.id].revision < newest[doc.key]
        ]
        with self.store.unit_of_work(ACTOR) as uow:
            done, lost = uow.documents.apply_each([Change(doc, State.SUPERSEDED) for doc in older])
        assert (len(done), lost) == (len(older), [])
        for doc in done:
            self.moved(doc.id, State.SUPERSEDED)

    # --- what workers do -------------------------------------------------------------------------------------------

    @rule(worker=st.sampled_from(WORKERS), task=st.sampled_from(sorted(CLAIMS)), limit=st.integers(1, 3))
    def claim(self, worker: str, task: str, limit: int) -> None:
        states, to = CLAIMS[task]
        now = self.clock.now()
        with self.store.unit_of_work(ACTOR) as uow:
            taken = uow.documents.claim(ROUTE, states, to=to, owner=worker, seconds=LEASE, limit=limit, now=now)
        free = sorted(key for key, one in self.model.items() if one.state in states and one.free(now))
        assert [doc.id for doc in taken] == free[:limit], "the oldest that nobody holds, and no others"
        for doc in taken:
            one = self.model[doc.id]
            one.generation, one.owner, one.until = one.generation + 1, worker, now + timedelta(seconds=LEASE)
            if to is not None:
                one.go(to)
        self.hands[worker] += taken
        self.seen += taken

    @rule(worker=st.sampled_from(WORKERS), data=st.data())
    def decide(self, worker: str, data: st.DataObject) -> None:
        """A worker writes what became of a document it once claimed; it may have lost it long ago."""
        if not self.hands[worker]:
            return
        doc = data.draw(st.sampled_from(self.hands[worker]))
        to = data.draw(st.sampled_from(sorted(TRANSITIONS[doc.state] or State)))
        self.hands[worker].remove(doc)
        self.change(doc, to)

    @rule(data=st.data(), to=st.sampled_from(sorted(State)))
    def decide_by_an_old_record(self, data: st.DataObject, to: State) -> None:
        """Somebody acts on what was read at any time before."""
        self.change(data.draw(st.sampled_from(self.seen)), to)

    @rule(worker=st.sampled_from(WORKERS))
    def extend(self, worker: str) -> None:
        until = self.clock.now() + timedelta(seconds=LEASE)
        kept = [doc for doc in self.hands[worker] if self.held(doc)]
        with self.store.unit_of_work(ACTOR) as uow:
            still = uow.documents.extend(self.hands[worker], until=until)
        assert sorted(doc.id for doc in still) == sorted(doc.id for doc in kept)
        for doc in still:
            self.model[doc.id].until = until
        self.hands[worker] = still

    @rule(worker=st.sampled_from(WORKERS))
    def give_back(self, worker: str) -> None:
        records, self.hands[worker] = self.hands[worker], []
        with self.store.unit_of_work(ACTOR) as uow:
            given = uow.documents.release(records)
        assert sorted(doc.id for doc in given) == sorted(doc.id for doc in records if self.fits(doc))
        for doc in given:
            self.model[doc.id].owner, self.model[doc.id].until = "", None

    @rule()
    def find_the_killed(self) -> None:
        """Whoever let a claim run out in mid-posting leaves an uncertain document behind."""
        now = self.clock.now()
        with self.store.unit_of_work(ACTOR) as uow:
            expired = uow.documents.expired(ROUTE, now=now, limit=100)
            uow.documents.apply([Change(doc, State.UNCERTAIN) for doc in expired])
        due = {
            key for key, one in self.model.items() if one.state is State.POSTING and not (one.until and one.until > now)
        }
        assert {doc.id for doc in expired} == due
        for key in due:
            self.moved(key, State.UNCERTAIN)

    @rule(seconds=st.sampled_from([1.0, LEASE / 2, LEASE, 3600.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    # --- what people do --------------------------------------------------------------------------------------------

    @precondition(lambda self: any(one.state in BY_A_PERSON for one in self.model.values()))
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        doc = data.draw(st.sampled_from([doc for doc in self.current() if doc.state in BY_A_PERSON]))
        self.change(doc, State.EXTRACTED)
        assert self.model[doc.id].state is State.EXTRACTED

    # --- the store says what the model says ------------------------------------------------------------------------

    @invariant()
    def every_document_is_where_the_model_has_it(self) -> None:
        for doc in self.current():
            one = self.model[doc.id]
            assert (doc.state, doc.generation, doc.lease_owner, doc.lease_until) == (
                one.state, one.generation, one.owner, one.until,
            )  # fmt: skip
        assert len(self.current()) == len(self.model)

    @invariant()
    def each_has_one_owner_at_most(self) -> None:
        holders = [doc.id for records in self.hands.values() for doc in records if self.held(doc)]
        assert len(holders) == len(set(holders))

    @invariant()
    def every_step_is_in_the_table_and_has_one_event(self) -> None:
        with self.store.unit_of_work(ACTOR) as uow:
            trails = {key: [(event.before, event.after) for event in uow.events.of(key)] for key in self.model}
        for key, one in self.model.items():
            assert trails[key] == one.trail
            assert all(not before or after in TRANSITIONS[State(before)] for before, after in one.trail)

    @invariant()
    def the_chain_verifies(self) -> None:
        assert self.store.verify_chain().ok

    @invariant()
    def what_reached_the_target_is_never_sent_again_unless_proven_absent(self) -> None:
        """The table's own promise: from states in the target no way leads back to posting."""
        for one in self.model.values():
            final = next(
                (place for place, (_, after) in enumerate(one.trail) if after in IN_TARGET - {State.ACCEPTED}), None
            )
            if final is not None:
                assert not any(after in IN_FLIGHT for _, after in one.trail[final + 1 :])

    # --- inside ----------------------------------------------------------------------------------------------------

    def current(self) -> list[DocumentRecord]:
        with self.store.unit_of_work(ACTOR) as uow:
            return uow.documents.search(limit=1000, after_id="")

    def fits(self, doc: DocumentRecord) -> bool:
        one = self.model[doc.id]
        return (doc.state, doc.generation) == (one.state, one.generation)

    def held(self, doc: DocumentRecord) -> bool:
        until = self.model[doc.id].until
        return self.fits(doc) and until is not None and until > self.clock.now()

    def moved(self, key: str, to: State) -> None:
        one = self.model[key]
        one.go(to)
        one.owner, one.until = "", None

    def change(self, doc: DocumentRecord, to: State) -> None:
        """Make one transition by a record that may be outdated, and see that only a good one is made."""
        before = self.store.head()
        if to not in TRANSITIONS[doc.state]:
            with pytest.raises(ValueError, match="may not go"), self.store.unit_of_work(ACTOR) as uow:
                uow.documents.apply([Change(doc, to)])
        elif not self.fits(doc):
            with pytest.raises(StaleClaim), self.store.unit_of_work(ACTOR) as uow:
                uow.documents.apply([Change(doc, to)])
        else:
            with self.store.unit_of_work(ACTOR) as uow:
                self.seen += uow.documents.apply([Change(doc, to)])
            self.moved(doc.id, to)
            return
        assert self.store.head() == before, "a refused transition leaves no trace"


def test_whatever_workers_and_people_do_the_store_keeps_to_the_model() -> None:
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=10,
            stateful_step_count=30,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
