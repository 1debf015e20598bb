from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from support.stores import ACTOR, ROUTE, START, ManualClock, added

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import StaleClaim
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Change, DocumentRecord

FRESH = [State.EXTRACTED]


def claim(store: Store, **changes: Any) -> list[DocumentRecord]:
    values: dict[str, Any] = {"to": None, "owner": "worker", "seconds": 60, "limit": 10, "now": START}
    states = changes.pop("states", FRESH)
    with store.unit_of_work(ACTOR) as uow:
        return uow.documents.claim(ROUTE, states, **{**values, **changes})


def validated(store: Store, *numbers: int) -> list[DocumentRecord]:
    docs = added(store, *numbers)
    with store.unit_of_work(ACTOR) as uow:
        return uow.documents.apply([Change(doc, State.VALIDATED) for doc in docs])


def test_a_claim_takes_the_oldest_first_and_names_its_holder(store: Store) -> None:
    docs = added(store, 1, 2, 3)
    before = store.head()
    taken = claim(store, limit=2)
    assert [doc.id for doc in taken] == [docs[0].id, docs[1].id]
    assert {(doc.generation, doc.lease_owner, doc.lease_until) for doc in taken} == {
        (1, "worker", START + timedelta(seconds=60))
    }
    assert store.head() == before, "taking without moving writes no event"


def test_a_claimed_document_is_not_claimed_again_until_its_lease_ends(store: Store) -> None:
    added(store, 1)
    claim(store)
    assert claim(store, now=START + timedelta(seconds=59)) == []
    (taken,) = claim(store, owner="other", now=START + timedelta(seconds=60))
    assert (taken.generation, taken.lease_owner) == (2, "other")


def test_a_claim_that_moves_the_state_writes_one_event_each(store: Store) -> None:
    validated(store, 1)
    (doc,) = claim(store, states=[State.VALIDATED], to=State.POSTING)
    assert doc.state is State.POSTING
    with store.unit_of_work(ACTOR) as uow:
        event = uow.events.of(doc.id)[-1]
    assert (event.kind, event.before, event.after) == ("claimed", "validated", "posting")
    assert event.detail == {"generation": 1, "owner": "worker"}


def test_each_claimed_document_names_the_state_it_came_from(store: Store) -> None:
    (fresh,) = added(store, 1)
    parked_doc = added(store, 2)[0]
    with store.unit_of_work(ACTOR) as uow:
        uow.documents.apply([Change(parked_doc, State.PARKED)])
    claim(store, states=[State.EXTRACTED, State.PARKED], to=State.VALIDATED)
    with store.unit_of_work(ACTOR) as uow:
        assert [uow.events.of(doc.id)[-1].before for doc in (fresh, parked_doc)] == ["extracted", "parked"]


def test_a_claim_towards_a_forbidden_state_is_refused(store: Store) -> None:
    added(store, 1)
    with pytest.raises(ValueError, match="extracted to posting"):
        claim(store, to=State.POSTING)


def test_claims_can_be_narrowed_to_route_chunk_and_kind(store: Store) -> None:
    added(store, 1)
    memo = added(store, 2, kind="credit_memo")
    with store.unit_of_work(ACTOR) as uow:
        assert uow.documents.claim("other", FRESH, to=None, owner="w", seconds=1, limit=9, now=START) == []
    assert claim(store, chunk_id="none") == []
    assert [doc.id for doc in claim(store, kind="credit_memo")] == [memo[0].id]


def test_named_documents_are_claimed_if_free(store: Store) -> None:
    docs = added(store, 1, 2)
    claim(store, limit=1)
    with store.unit_of_work(ACTOR) as uow:
        ids = [doc.id for doc in docs]
        taken = uow.documents.claim_ids(ids, states=FRESH, to=None, owner="w", seconds=60, now=START)
    assert [doc.id for doc in taken] == [docs[1].id]


def test_a_killed_workers_documents_are_expired_once_their_lease_has_ended(store: Store) -> None:
    validated(store, 1, 2)
    docs = claim(store, states=[State.VALIDATED], to=State.POSTING)
    with store.unit_of_work(ACTOR) as uow:
        assert uow.documents.expired(ROUTE, now=START + timedelta(seconds=59), limit=9) == []
        assert uow.documents.expired(ROUTE, now=START + timedelta(seconds=60), limit=9) == docs
        assert uow.documents.expired(ROUTE, now=START + timedelta(seconds=60), limit=1) == docs[:1]


def test_extending_keeps_live_claims_and_leaves_out_lost_ones(store: Store, clock: ManualClock) -> None:
    added(store, 1, 2)
    first, second = claim(store)
    with store.unit_of_work(ACTOR) as uow:
        uow.documents.apply([Change(second, State.PARKED)])
    clock.advance(30)
    until = START + timedelta(seconds=120)
    with store.unit_of_work(ACTOR) as uow:
        kept = uow.documents.extend([first, second], until=until)
        assert [(doc.id, doc.lease_until, doc.generation) for doc in kept] == [(first.id, until, first.generation)]
        assert uow.documents.extend([], until=until) == []


def test_a_claim_that_has_ended_cannot_be_extended_even_if_nobody_took_it(store: Store, clock: ManualClock) -> None:
    added(store, 1)
    docs = claim(store)
    clock.advance(60)
    with store.unit_of_work(ACTOR) as uow:
        assert uow.documents.extend(docs, until=START + timedelta(hours=1)) == []


def test_a_claim_given_back_is_free_at_once_and_writes_no_event(store: Store) -> None:
    added(store, 1, 2)
    first, second = claim(store)
    (stolen,) = claim(store, owner="other", now=START + timedelta(seconds=60), limit=1)
    before = store.head()
    with store.unit_of_work(ACTOR) as uow:
        assert [doc.id for doc in uow.documents.release([first, second])] == [second.id]
    assert store.head() == before
    assert [doc.id for doc in claim(store, owner="third")] == [second.id]
    with store.unit_of_work(ACTOR) as uow:
        assert uow.documents.get(stolen.id) == stolen


def test_a_worker_that_lost_its_claim_can_no_longer_write(store: Store) -> None:
    added(store, 1)
    (zombie,) = claim(store)
    (winner,) = claim(store, owner="other", now=START + timedelta(seconds=60))
    with pytest.raises(StaleClaim, match="NB-1"), store.unit_of_work(ACTOR) as uow:
        uow.documents.apply([Change(zombie, State.REJECTED)])
    with store.unit_of_work(ACTOR) as uow:
        (done,) = uow.documents.apply([Change(winner, State.PARKED)])
    assert (done.state, done.lease_owner, done.lease_until) == (State.PARKED, "", None)


def test_workers_claiming_at_once_share_the_documents_without_overlap(
    store: Store, another: Callable[[], Store]
) -> None:
    validated(store, *range(120))
    stores = [store, another(), another(), another()]

    def work(worker: int) -> list[str]:
        mine: list[str] = []
        while taken := claim(stores[worker], states=[State.VALIDATED], to=State.POSTING, owner=f"w{worker}", limit=7):
            mine += [doc.id for doc in taken]
        return mine

    with ThreadPoolExecutor(4) as pool:
        shares = list(pool.map(work, range(4)))
    everything = [doc_id for share in shares for doc_id in share]
    assert len(everything) == len(set(everything)) == 120
    assert store.verify_chain().ok
