from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest
from sqlalchemy import event
from support.stores import ACTOR, ROUTE, START, ManualClock, added

from airflow_provider_mlconnector.documents.lifecycle import TRANSITIONS, State
from airflow_provider_mlconnector.errors import StaleClaim
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Actor, Change


def test_a_transition_replaces_what_it_names_and_keeps_the_rest(store: Store, clock: ManualClock) -> None:
    (doc,) = added(store, 1, reason_code="old", reason="old reason", document_date=date(2024, 8, 1))
    clock.advance(5)
    due = START + timedelta(hours=1)
    change = Change(
        doc,
        State.PARKED,
        reason_code="unmapped",
        reason="account 51200 is not mapped",
        reason_subject="51200",
        due_at=due,
        gross="10.5",
        currency="EUR",
        mapping_version=4,
    )
    with store.unit_of_work(ACTOR) as uow:
        (parked,) = uow.documents.apply([change])
    assert (parked.reason_code, parked.reason, parked.reason_subject) == (
        "unmapped", "account 51200 is not mapped", "51200",
    )  # fmt: skip
    assert (parked.due_at, parked.gross, parked.currency, parked.mapping_version) == (due, "10.5", "EUR", 4)
    assert (parked.number, parked.document_date, parked.created_at) == ("NB-1", date(2024, 8, 1), START)
    assert parked.updated_at == START + timedelta(seconds=5)
    with store.unit_of_work(ACTOR) as uow:
        assert uow.documents.get(doc.id) == parked
        (validated,) = uow.documents.apply([Change(parked, State.VALIDATED)])
        assert (validated.reason, validated.mapping_version, validated.gross) == ("", 4, "10.5")
        assert uow.documents.count_states()[0].gross == Decimal("10.5")


def test_every_transition_writes_an_event_that_names_actor_batch_and_cause(store: Store) -> None:
    (doc,) = added(store, 1)
    actor = Actor("dag", "run", "validate", 3, 2, "")
    detail = {"lines": [1, 2], "amount": Decimal("1.50")}
    with store.unit_of_work(actor, batch_id="batch-2") as uow:
        uow.documents.apply(
            [Change(doc, State.REJECTED, reason_code="totals", reason="off by 0.01", detail=detail, mapping_version=7)]
        )
    with store.unit_of_work(ACTOR) as uow:
        first, second = uow.events.of(doc.id)
    assert (first.kind, first.before, first.after, first.actor, first.batch_id) == (
        "extracted", "", "extracted", ACTOR, "batch-1",
    )  # fmt: skip
    assert (second.kind, second.before, second.after) == ("rejected", "extracted", "rejected")
    assert (second.actor, second.batch_id, second.mapping_version) == (actor, "batch-2", 7)
    assert (second.reason_code, second.reason) == ("totals", "off by 0.01")
    assert second.detail == {"lines": [1, 2], "amount": "1.50"}
    assert (second.seq, second.at) == (first.seq + 1, START)


@pytest.mark.parametrize(("before", "after"), list(product(State, State)))
def test_the_store_makes_exactly_the_transitions_of_the_table(sqlite_store: Store, before: State, after: State) -> None:
    store = sqlite_store
    (doc,) = added(store, f"{before}-{after}", state=before)
    if after in TRANSITIONS[before]:
        with store.unit_of_work(ACTOR) as uow:
            assert uow.documents.apply([Change(doc, after)])[0].state is after
    else:
        with pytest.raises(ValueError, match=f"from {before} to {after}"), store.unit_of_work(ACTOR) as uow:
            uow.documents.apply_each([Change(doc, after)])


def test_one_lost_document_undoes_the_whole_transaction(store: Store) -> None:
    first, second = added(store, 1, 2)
    with store.unit_of_work(ACTOR) as uow:
        uow.documents.apply([Change(second, State.PARKED)])
    before = store.head()
    with pytest.raises(StaleClaim, match="NB-2"), store.unit_of_work(ACTOR) as uow:
        uow.documents.apply([Change(first, State.VALIDATED), Change(second, State.VALIDATED)])
    with store.unit_of_work(ACTOR) as uow:
        assert uow.documents.get(first.id) == first
    assert store.head() == before


def test_a_lost_claim_cannot_be_swallowed(store: Store) -> None:
    first, second = added(store, 1, 2)
    with store.unit_of_work(ACTOR) as uow:
        uow.documents.apply([Change(second, State.PARKED)])
    with pytest.raises(StaleClaim), store.unit_of_work(ACTOR) as uow, suppress(StaleClaim):
        uow.documents.apply([Change(first, State.VALIDATED), Change(second, State.VALIDATED)])
    with store.unit_of_work(ACTOR) as uow:
        assert uow.documents.get(first.id) == first


def test_apply_each_returns_the_losers_and_keeps_the_winners(store: Store) -> None:
    first, second = added(store, 1, 2)
    with store.unit_of_work(ACTOR) as uow:
        uow.documents.apply([Change(first, State.PARKED)])
    late = Change(first, State.VALIDATED, canonical=b"late")
    with store.unit_of_work(ACTOR) as uow:
        done, lost = uow.documents.apply_each([late, Change(second, State.VALIDATED, canonical=b"good")])
    assert [doc.id for doc in done] == [second.id]
    assert lost == [late]
    with store.unit_of_work(ACTOR) as uow:
        assert uow.documents.canonicals([first.id, second.id]) == {second.id: b"good"}
        assert [event.kind for event in uow.events.of(first.id)] == ["extracted", "parked"]
        assert uow.documents.apply_each([]) == ([], [])


def test_a_change_may_keep_the_claim(store: Store) -> None:
    added(store, 1)
    with store.unit_of_work(ACTOR) as uow:
        (doc,) = uow.documents.claim(ROUTE, [State.EXTRACTED], to=None, owner="w", seconds=60, limit=1, now=START)
        (kept,) = uow.documents.apply([Change(doc, State.VALIDATED, release=False)])
        assert (kept.lease_owner, kept.lease_until, kept.generation) == ("w", doc.lease_until, doc.generation)
        (free,) = uow.documents.apply([Change(kept, State.VALIDATED)])
        assert (free.lease_owner, free.lease_until) == ("", None)


def test_a_document_named_twice_is_a_defect(store: Store) -> None:
    (doc,) = added(store, 1)
    changes = [Change(doc, State.VALIDATED), Change(doc, State.PARKED)]
    with pytest.raises(ValueError, match="twice"), store.unit_of_work(ACTOR) as uow:
        uow.documents.apply(changes)


def test_a_thousand_changes_are_a_handful_of_statements(store: Store) -> None:
    docs = added(store, *range(1000))
    statements = []
    event.listen(store._engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with store.unit_of_work(ACTOR) as uow:
        uow.documents.apply([Change(doc, State.VALIDATED, canonical=b"c") for doc in docs])
    assert len(statements) <= 12, statements
