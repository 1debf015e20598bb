"""What a list shows now counts, whatever its stamps say; what was read before and stored late does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, seed, settings
from hypothesis import strategies as st
from support.pipeline import Pipeline
from support.remote import FakeSource, invoice

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord
from airflow_provider_mlconnector.sync.revisions import base_revision, behind, is_reassertion, stamp_of
from airflow_provider_mlconnector.systems.ports import SourcePage, SourceRecord, Window


@dataclass
class Shown(FakeSource):
    """A source with a clock people may set; ``meanwhile`` happens once between a pass's answer and its storing."""

    skew: timedelta = timedelta()
    numbered: bool = False
    meanwhile: list[Callable[[], None]] = field(default_factory=list)

    def edit(self, key: str, **changes: Any) -> None:
        """Change an invoice now, by the source's own clock."""
        moment = self.clock.now() + self.skew
        self.put(invoice(key, revision=moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"), **changes))

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:
        self.passes += 1
        rows = [self._row(body, complete=True) for body in self.invoices.values()]
        rows = [replace(row, revision="") for row in rows] if self.numbered else rows
        while self.meanwhile:
            self.meanwhile.pop()()
        yield SourcePage(rows, len(rows), self.clock.now(), None)

    def complete(self, record: SourceRecord) -> SourceRecord:
        return record


@pytest.fixture
def shown(pipeline: Pipeline) -> Pipeline:
    pipeline.source = Shown(clock=pipeline.clock)
    return pipeline


def source_of(pipeline: Pipeline) -> Shown:
    assert isinstance(pipeline.source, Shown)
    return pipeline.source


def revisions(pipeline: Pipeline, key: str = "D") -> list[DocumentRecord]:
    """Return every revision of a key in the order of their names."""
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        found = [record for record in uow.documents.search(limit=100, after_id="") if record.key == key]
    return sorted(found, key=lambda record: record.revision)


def numbers(pipeline: Pipeline) -> list[tuple[str, State]]:
    """Return what number each revision gives its invoice, and its state."""
    found = revisions(pipeline)
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        bodies = uow.documents.payloads([record.id for record in found])
    return [(str(json.loads(bodies[record.id])["number"]), record.state) for record in found]


def read(pipeline: Pipeline) -> None:
    pipeline.clock.sleep(60)
    pipeline.extract()
    pipeline.run += 1


# --- what is shown now ---------------------------------------------------------------------------------------------


def test_an_edit_under_an_older_time_than_the_one_known_is_the_newest_and_is_posted_alone(shown: Pipeline) -> None:
    source = source_of(shown)
    source.edit("D", number="FIRST")
    read(shown)
    source.skew -= timedelta(hours=1)
    source.edit("D", number="SECOND")
    read(shown)
    shown.clock.sleep(300)
    source.edit("D", number="THIRD")
    shown.all()
    assert numbers(shown) == [
        ("FIRST", State.SUPERSEDED),
        ("SECOND", State.SUPERSEDED),
        ("THIRD", State.POSTED),
    ]
    shown.clock.sleep(7200)
    shown.all()
    assert [row["key"][1] for row in shown.target.ledger] == ["V00001|THIRD|I"]


def test_an_edit_after_posting_under_an_older_time_is_for_a_person_as_any_other(shown: Pipeline) -> None:
    source_of(shown).edit("D", gross="100.00")
    shown.clock.sleep(60)
    shown.all()
    source_of(shown).skew -= timedelta(hours=1)
    source_of(shown).edit("D", number="CHANGED")
    shown.all()
    assert [state for _, state in numbers(shown)] == [State.POSTED, State.CHANGED_AFTER_POSTING]
    assert len(shown.target.attempts) == 1


def test_a_source_that_went_back_to_a_revision_it_showed_before_is_believed(shown: Pipeline) -> None:
    source = source_of(shown)
    source.edit("D", number="FIRST")
    before = dict(source.invoices)
    read(shown)
    shown.clock.sleep(60)
    source.edit("D", number="SECOND")
    read(shown)
    source.invoices = before
    shown.all()
    assert [number for number, state in numbers(shown) if state is State.POSTED] == ["FIRST"]
    assert [state for _, state in numbers(shown)].count(State.SUPERSEDED) == 2


@seed(20)
@settings(
    max_examples=25,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.integers(-90, 90), st.integers(1, 45), st.booleans()), min_size=2, max_size=7))
@example([(0, 1, True), (-60, 1, True), (-60, 1, True), (90, 1, True), (-30, 1, True)])
def test_however_the_clock_is_set_between_edits_the_last_one_is_what_stands_in_the_end(
    new_pipeline: Callable[[], Pipeline], moves: list[tuple[int, int, bool]]
) -> None:
    pipeline = new_pipeline()
    pipeline.source = source = Shown(clock=pipeline.clock)
    for number, (jump, wait, reads) in enumerate(moves):
        source.skew += timedelta(minutes=jump)
        source.edit("D", number=f"N{number}")
        pipeline.clock.sleep(wait * 60)
        if reads:
            pipeline.extract()
            pipeline.run += 1
    pipeline.clock.sleep(90 * 60 * len(moves))
    pipeline.all()
    assert [row["key"][1] for row in pipeline.target.ledger] == [f"V00001|N{len(moves) - 1}|I"]
    assert numbers(pipeline)[-1] == (f"N{len(moves) - 1}", State.POSTED)


# --- what was read before ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("numbered", [False, True])
@pytest.mark.parametrize("back", [0, 60])
def test_a_page_that_another_worker_overtakes_is_read_again(shown: Pipeline, back: int, *, numbered: bool) -> None:
    """The page was answered before the edit; the other worker reads and stores the edit before the page is stored."""
    source = source_of(shown)
    source.numbered = numbered
    source.edit("D", number="FIRST")
    read(shown)
    shown.clock.sleep(60)
    source.edit("D", number="STALE")

    def overtake() -> None:
        source.skew -= timedelta(minutes=back)
        shown.clock.sleep(60)
        source.edit("D", number="PRESENT")
        shown.clock.sleep(60)
        shown.extract()

    source.meanwhile = [overtake]
    shown.clock.sleep(60)
    shown.all()
    shown.all()
    assert [number for number, state in numbers(shown) if state is State.POSTED] == ["PRESENT"]
    assert numbers(shown)[-1] == ("PRESENT", State.POSTED)


def test_a_key_that_another_worker_found_listed_meanwhile_is_not_withdrawn(shown: Pipeline) -> None:
    source = source_of(shown)
    source.numbered = True
    type(source).complete_list = property(lambda _self: True)  # type: ignore[assignment,method-assign]
    source.edit("OTHER")
    read(shown)

    def overtake() -> None:
        source.edit("D")
        shown.extract()

    source.meanwhile = [overtake]
    source.ordered_by_change = True
    read(shown)
    assert [record.reason_code for record in revisions(shown)] == [""]


# --- names ---------------------------------------------------------------------------------------------------------

_STAMPS = st.integers(0, 30).map(lambda second: f"2026-11-21T08:00:{second:02d}.000Z")


@given(st.lists(st.tuples(_STAMPS, st.booleans()), min_size=1, max_size=12))
def test_each_revision_shown_sorts_behind_all_before_it_and_keeps_its_stamp(shows: list[tuple[str, bool]]) -> None:
    names: list[str] = []
    for stamp, repeated in shows:
        if names and stamp_of(names[-1]) == stamp:
            continue
        names.append(behind(names[-1], stamp) if names else stamp)
        assert stamp_of(names[-1]) == stamp
        assert not is_reassertion(names[-1])
        if repeated:
            names.append(f"{names[-1]}+0001")
            assert stamp_of(names[-1]) == stamp
            assert base_revision(names[-1]) == names[-2]
    assert names == sorted(set(names))
    assert max(names) < "2027-01-01T00:00:00.000Z"
