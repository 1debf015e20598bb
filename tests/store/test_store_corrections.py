from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import create_engine, text
from support.stores import ACTOR, added, step

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import StaleClaim
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Change, DocumentRecord, StepState

FIRST = b'{"number": "NB-1"}'
"""What ``support.stores.invoice`` holds."""


def _correct(store: Store, document: DocumentRecord, payload: bytes) -> int:
    with store.unit_of_work(ACTOR) as uow:
        return uow.documents.correct(document.id, payload)


def test_a_corrected_payload_is_in_force_and_the_sources_own_is_kept_with_every_correction(store: Store) -> None:
    doc, other = added(store, 1, 2)
    assert _correct(store, doc, b"second") == 1
    assert _correct(store, doc, b"third") == 2
    with store.unit_of_work(ACTOR) as uow:
        assert uow.documents.payloads([doc.id, other.id, "nobody"]) == {
            doc.id: b"third",
            other.id: b'{"number": "NB-2"}',
        }
        assert uow.documents.payload_versions(doc.id) == [FIRST, b"second", b"third"]
        assert uow.documents.payload_versions(other.id) == [b'{"number": "NB-2"}']
        assert uow.documents.payload_versions("nobody") == []
        assert uow.documents.get(doc.id) == doc, "identity, revision and source hash stay what the source gave"


def test_the_tenth_correction_comes_after_the_ninth(store: Store) -> None:
    (doc,) = added(store, 1)
    for number in range(1, 12):
        assert _correct(store, doc, f"correction {number}".encode()) == number
    with store.unit_of_work(ACTOR) as uow:
        assert uow.documents.payloads([doc.id]) == {doc.id: b"correction 11"}
        assert uow.documents.payload_versions(doc.id)[9:] == [b"correction 9", b"correction 10", b"correction 11"]


def test_a_correction_goes_with_its_transaction(store: Store) -> None:
    (doc,) = added(store, 1)
    with store.unit_of_work(ACTOR) as uow:
        uow.documents.apply([Change(doc, State.PARKED)])

    def correct_what_has_moved() -> None:
        with store.unit_of_work(ACTOR) as uow:
            uow.documents.correct(doc.id, b"too late")
            uow.documents.apply([Change(doc, State.REJECTED)])

    with pytest.raises(StaleClaim):
        correct_what_has_moved()
    with store.unit_of_work(ACTOR) as uow:
        assert uow.documents.payload_versions(doc.id) == [FIRST]


def test_a_correction_is_encrypted_and_readable_by_another_process(
    url: str, store: Store, another: Callable[[], Store]
) -> None:
    (doc,) = added(store, 1)
    _correct(store, doc, b"a supplier's secret")
    with another().unit_of_work(ACTOR) as uow:
        assert uow.documents.payloads([doc.id]) == {doc.id: b"a supplier's secret"}
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT part, data FROM bodies ORDER BY part")).all()
    engine.dispose()
    assert [part for part, _ in rows] == ["payload", "payload.1"]
    assert not any(b"secret" in bytes(data) for _, data in rows)


def test_a_change_may_name_its_event_and_give_a_reason_that_is_not_the_documents(store: Store) -> None:
    (doc,) = added(store, 1)
    with store.unit_of_work(ACTOR) as uow:
        (parked,) = uow.documents.apply(
            [Change(doc, State.PARKED, reason_code="unmapped", reason="not mapped", event="replayed", why="mapped now")]
        )
    assert parked.reason == "not mapped"
    with store.unit_of_work(ACTOR) as uow:
        event = uow.events.of(doc.id)[-1]
    assert (event.kind, event.before, event.after) == ("replayed", "extracted", "parked")
    assert (event.reason_code, event.reason) == ("unmapped", "mapped now")
    assert store.verify_chain().ok


def test_a_document_that_collides_takes_no_step_from_one_whose_other_step_it_wanted(store: Store) -> None:
    """Two references of one plan: one is taken for good, so the other must stay with its document as well."""
    first, second = added(store, 1, 2)
    with store.unit_of_work(ACTOR) as uow:
        uow.steps.plan([step(first), step(first, position=1, name="gl_journal", remote_reference="V00042/NB-1/GL")])
        uow.documents.apply([Change(first, State.VALIDATED)])
        claimed = uow.documents.claim(
            first.route, [State.VALIDATED], to=State.POSTING, owner="w", seconds=60, limit=9, now=first.created_at
        )
        invoice, journal = uow.steps.of([first.id])[first.id]
        (sending,) = uow.steps.intend([invoice], documents=claimed, at=first.created_at, expires_at=first.created_at)
        uow.steps.settle(sending, StepState.DONE, at=first.created_at)
        uow.documents.apply([Change(claimed[0], State.FAILED)])
    taken = [
        step(second, remote_reference="V00042/NB-1"),
        step(second, position=1, name="gl_journal", remote_reference="V00042/NB-1/GL"),
    ]
    with store.unit_of_work(ACTOR) as uow:
        assert uow.steps.plan(taken) == {second.id: first.id}
        kept = uow.steps.of([first.id])[first.id]
    assert [item.id for item in kept] == [invoice.id, journal.id]
