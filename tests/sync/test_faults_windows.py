"""Clocks, change times and pages that lie (engineering.md §2.4, 8 to 10): nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from support.pipeline import Pipeline
from support.remote import START, FakeSource, invoice

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import Unavailable
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.systems.ports import Eligibility, SourcePage, Window


@dataclass
class ClockedSource(FakeSource):
    """A source with a clock of its own, which somebody may set."""

    skew: timedelta = timedelta()
    windows: list[Window] = field(default_factory=list)

    def remote_time(self) -> datetime:
        return self.clock.now() + self.skew

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:
        self.windows.append(window)
        yield from super().pages(window, position=position)

    def edit(self, key: str, **changes: Any) -> None:
        """Change an invoice now, by the source's own clock."""
        stamp = self.remote_time().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.put(invoice(key, revision=stamp, **changes))


@pytest.fixture
def clocked(pipeline: Pipeline) -> Pipeline:
    pipeline.source = ClockedSource(clock=pipeline.clock)
    return pipeline


def source_of(pipeline: Pipeline) -> ClockedSource:
    assert isinstance(pipeline.source, ClockedSource)
    return pipeline.source


def watermark(pipeline: Pipeline) -> datetime:
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        found = uow.watermarks.get(pipeline.route.name)
    assert found is not None
    return found


def read(pipeline: Pipeline) -> None:
    """One run, its extract alone."""
    pipeline.extract()
    pipeline.run += 1


def minutes(pipeline: Pipeline, count: float) -> None:
    pipeline.clock.sleep(count * 60)


# --- clocks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("back", "after"), [(5, 1), (60, 30), (60, 90), (600, 30)])
def test_what_changes_after_the_sources_clock_was_set_back_is_read(clocked: Pipeline, back: int, after: int) -> None:
    source = source_of(clocked)
    source.edit("before")
    minutes(clocked, 1)
    read(clocked)
    minutes(clocked, after / 2)
    source.skew -= timedelta(minutes=back)
    source.edit("right after")
    minutes(clocked, after / 2)
    source.edit("later")
    minutes(clocked, 1)
    read(clocked)
    assert len(clocked.states()) == 3
    minutes(clocked, 2 * back)
    source.edit("caught up")
    minutes(clocked, 1)
    read(clocked)
    assert len(clocked.states()) == 4


@seed(20)
@settings(
    max_examples=12,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.integers(-90, 90), st.integers(1, 45)), min_size=2, max_size=5))
def test_however_the_sources_clock_is_set_between_two_runs_every_change_is_read(
    new_pipeline: Callable[[], Pipeline], moves: list[tuple[int, int]]
) -> None:
    pipeline = new_pipeline()
    pipeline.source = source = ClockedSource(clock=pipeline.clock)
    for number, (jump, wait) in enumerate(moves):
        source.skew += timedelta(minutes=jump)
        source.edit(f"D{number}")
        minutes(pipeline, wait)
        read(pipeline)
    # what bears a time the source has gone back from is read once its clock gets there again
    minutes(pipeline, 90 * len(moves))
    read(pipeline)
    assert set(pipeline.states()) == {f"D{number}" for number in range(len(moves))}


@pytest.mark.parametrize("skew", [-5, 5, -720, 720])
def test_a_clock_that_differs_from_ours_costs_nothing(clocked: Pipeline, skew: int) -> None:
    source = source_of(clocked)
    source.skew = timedelta(minutes=skew)
    for number in range(3):
        source.edit(f"D{number}")
        minutes(clocked, 20)
        read(clocked)
    assert len(clocked.states()) == 3
    assert watermark(clocked) == source.remote_time() - timedelta(minutes=clocked.route.overlap_minutes)
    read_back = source.remote_time() - timedelta(minutes=20 + clocked.route.overlap_minutes)
    assert source.windows[-1].start == read_back, "no more than the overlap is read again"


def test_our_own_clock_set_back_loses_nothing(clocked: Pipeline) -> None:
    source = source_of(clocked)
    source.edit("A")
    minutes(clocked, 30)
    read(clocked)
    clocked.clock.offset -= 3600
    source.skew += timedelta(hours=1)
    minutes(clocked, 5)
    source.edit("B")
    minutes(clocked, 5)
    read(clocked)
    assert set(clocked.states()) == {"A", "B"}


def test_a_change_time_in_the_future_moves_no_watermark_and_is_read_when_its_time_has_come(clocked: Pipeline) -> None:
    source = source_of(clocked)
    source.put(invoice("FUTURE", revision="2026-11-23T08:00:00.000Z"))
    source.edit("NOW")
    minutes(clocked, 1)
    clocked.all()
    assert set(clocked.states()) == {"NOW"}
    assert watermark(clocked) < clocked.clock.now()
    source.edit("NEXT")
    minutes(clocked, 1)
    clocked.all()
    assert clocked.states()["NEXT"] is State.POSTED
    minutes(clocked, 3 * 24 * 60)
    clocked.all()
    assert clocked.states()["FUTURE"] is State.POSTED


def test_a_late_commit_with_an_older_time_is_found_inside_the_overlap(clocked: Pipeline) -> None:
    source = source_of(clocked)
    stamp = (START - timedelta(minutes=5)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    clocked.all()
    source.put(invoice("LATE", revision=stamp))
    minutes(clocked, 1)
    clocked.all()
    assert clocked.states() == {"LATE": State.POSTED}


def test_more_equal_change_times_than_a_page_holds_are_all_read_and_never_twice(clocked: Pipeline) -> None:
    source = source_of(clocked)
    source.page_size = 3
    for number in range(10):
        source.edit(f"D{number}")
    minutes(clocked, 1)
    clocked.all()
    clocked.all()
    assert len(clocked.states()) == 10
    assert len(clocked.target.ledger) == 10


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2026-11-21T07:55:00.000000Z", "2026-11-21T07:55:00.000001Z"),
        ("2026-11-21T07:55:00.000Z", "2026-11-21T07:55:00.001Z"),
    ],
)
def test_two_changes_a_moment_apart_are_two_revisions_in_order(clocked: Pipeline, first: str, second: str) -> None:
    clocked.source.put(invoice("D", revision=first))
    clocked.extract()
    clocked.source.put(invoice("D", revision=second))
    clocked.all()
    with clocked.store.unit_of_work(Actor(user="test")) as uow:
        found = {record.revision: record.state for record in uow.documents.search(limit=10, after_id="")}
    assert found == {first: State.SUPERSEDED, second: State.POSTED}
    assert len(clocked.target.ledger) == 1


# --- order ---------------------------------------------------------------------------------------------------------


def test_a_message_of_a_third_revision_that_is_read_before_the_second_stays_the_newest(clocked: Pipeline) -> None:
    clocked.source.lists_messages = True
    third = invoice("D", revision="2026-11-21T07:58:00.000Z")
    second = invoice("D", revision="2026-11-21T07:57:00.000Z", number="OLD")
    clocked.source.put(third)
    clocked.extract()
    clocked.source.put(second)
    clocked.all()
    assert [row["key"][1] for row in clocked.target.ledger] == ["V00001|D|I"]
    clocked.source.put(third)
    clocked.all()
    assert len(clocked.target.ledger) == 1


def test_a_cancellation_of_what_was_never_heard_of_sends_nothing_and_older_messages_neither(clocked: Pipeline) -> None:
    clocked.source.lists_messages = True
    clocked.source.put(invoice("D", revision="2026-11-21T07:58:00.000Z"))
    clocked.source.eligibility["D"] = Eligibility.CLOSED
    clocked.all()
    clocked.source.put(invoice("D", revision="2026-11-21T07:57:00.000Z"))
    clocked.source.eligibility.clear()
    clocked.all()
    assert clocked.target.attempts == []
    assert State.POSTED not in clocked.states().values()


# --- pages ---------------------------------------------------------------------------------------------------------


@dataclass
class Paged(FakeSource):
    """Arranges the pages of its passes as told."""

    arrange: Callable[[list[SourcePage], int], list[SourcePage]] = lambda pages, _number: pages

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:
        found = list(super().pages(window, position=position))
        yield from self.arrange(found, self.passes)


def empty(page: SourcePage) -> SourcePage:
    return SourcePage([], page.total, page.remote_time, None)


ARRANGED: dict[str, Callable[[list[SourcePage], int], list[SourcePage]]] = {
    "a page twice": lambda pages, number: [pages[0], *pages] if number == 1 else pages,
    "a page twice in every pass": lambda pages, _: [*pages, pages[-1]],
    "an empty page in the middle": lambda pages, _: [pages[0], empty(pages[0]), *pages[1:]],
    "backwards": lambda pages, number: pages[::-1] if number % 2 else pages,
    "one page for all": lambda pages, _: [
        SourcePage([row for page in pages for row in page.records], pages[0].total, pages[0].remote_time, None)
    ],
    "a page missing once": lambda pages, number: pages[1:] if number == 2 else pages,
}


@pytest.mark.parametrize("how", ARRANGED)
def test_pages_in_any_arrangement_lose_nothing_and_double_nothing(pipeline: Pipeline, how: str) -> None:
    pipeline.source = Paged(clock=pipeline.clock, page_size=3, arrange=ARRANGED[how])
    pipeline.source.put(*(invoice(f"D{number}") for number in range(10)))
    pipeline.all()
    assert set(pipeline.states()) == {f"D{number}" for number in range(10)}
    assert len(pipeline.target.ledger) == 10


def test_a_list_that_never_agrees_with_itself_fails_and_leaves_the_watermark(pipeline: Pipeline) -> None:
    pipeline.source = Paged(
        clock=pipeline.clock, page_size=3, arrange=lambda pages, number: pages[: 1 + number % 2] if number else pages
    )
    pipeline.source.put(*(invoice(f"D{number}") for number in range(10)))
    with pytest.raises(Unavailable, match="cannot be proven complete"):
        pipeline.extract()
    with pipeline.store.unit_of_work(Actor(user="test")) as uow:
        assert uow.watermarks.get(pipeline.route.name) is None
