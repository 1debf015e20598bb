"""Two routes from one source to two ledgers: an invoice is carried by one of them, whatever both mappings say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from support.pipeline import Pipeline
from support.remote import FakeTarget, invoice

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.carrying import CARRIED_ELSEWHERE
from airflow_provider_mlconnector.sync.mappings import MappingText
from airflow_provider_mlconnector.sync.route import Route


@pytest.fixture
def other(pipeline: Pipeline) -> Pipeline:
    """The same source and store with a route into another ledger."""
    route = Route(name="r2", source="src", target="ledger2", start_at=date(2026, 10, 1), claim_size=5)
    return replace(pipeline, route=route, target=FakeTarget(pipeline.clock, name="ledger2"), chunks=[])


def states(run: Pipeline) -> dict[str, State]:
    with run.store.unit_of_work(Actor(user="test")) as uow:
        return {d.key: State(d.state) for d in uow.documents.search(route=run.route.name, limit=100)}


def reasons(run: Pipeline) -> list[tuple[str, str]]:
    with run.store.unit_of_work(Actor(user="test")) as uow:
        found = uow.documents.search(route=run.route.name, limit=100)
        return [(d.reason_code, d.reason_subject) for d in found if d.state == State.PARKED]


def test_what_one_route_posts_the_other_parks_for_good(pipeline: Pipeline, other: Pipeline) -> None:
    pipeline.source.put(invoice("A1"), invoice("A2"))
    pipeline.all()
    for _ in range(2):
        other.all()
    assert states(pipeline) == {"A1": State.POSTED, "A2": State.POSTED}
    assert states(other) == {"A1": State.PARKED, "A2": State.PARKED}
    assert reasons(other) == [(CARRIED_ELSEWHERE, "r")] * 2
    assert other.target.keys() == []


def test_two_routes_in_the_middle_of_their_runs_never_both_hold_an_invoice(pipeline: Pipeline, other: Pipeline) -> None:
    pipeline.source.put(invoice("A1"))
    for run in (pipeline, other):
        run.extract()
        run.plan()
    other.validate()
    pipeline.validate()
    for run in (pipeline, other):
        run.post()
    assert (states(pipeline), states(other)) == ({"A1": State.PARKED}, {"A1": State.POSTED})
    assert (pipeline.target.keys(), len(other.target.keys())) == ([], 1)


def test_a_route_that_lets_an_invoice_go_leaves_it_to_the_one_that_finds_it_valid(
    pipeline: Pipeline, other: Pipeline
) -> None:
    pipeline.source.put(invoice("A1"))
    pipeline.extract()
    pipeline.plan()
    pipeline.validate()
    unmapped = MappingText(origin="test", text=pipeline.mapping.text.replace("PLANT1", "PLANT7"))
    pipeline.source.put(invoice("A1", revision="2026-11-21T08:45:00.000Z", notes="again"))
    pipeline.clock.sleep(3600)
    replace(pipeline, mapping=unmapped, run=2).all()
    assert set(states(pipeline).values()) <= {State.PARKED, State.SUPERSEDED}
    other.all()
    assert other.target.keys() == [("ap_invoice", "V00001|A1|I")]
