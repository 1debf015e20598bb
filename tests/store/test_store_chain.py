from __future__ import annotations

import dataclasses
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, delete, insert, select, text, update
from support.stores import ACTOR, AUDIT, KEY_1, KEY_2, START, ManualClock, added, invoice, ring

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.chain import digest_of, genesis
from airflow_provider_mlconnector.store.records import Actor, ChainHead, Change
from airflow_provider_mlconnector.store.schema import chain_head, events
from airflow_provider_mlconnector.store.sealing import link, link_key

EVENTS = 12


@pytest.fixture
def history(store: Store) -> ChainHead:
    """Twelve events, every second one with a detail; returns the anchor taken after them."""
    docs = added(store, *range(6))
    with store.unit_of_work(ACTOR, batch_id="batch-2") as uow:
        uow.documents.apply([Change(doc, State.PARKED, reason_code="unmapped", reason="account") for doc in docs])
    assert store.verify_chain().ok
    head = store.head()
    assert head.seq == EVENTS
    return head


@pytest.fixture
def tamper(url: str) -> Callable[[Callable[[Connection], Any]], None]:
    """Change the database behind the store's back."""

    def run(change: Callable[[Connection], Any]) -> None:
        engine = create_engine(url)
        with engine.begin() as connection:
            change(connection)
        engine.dispose()

    return run


Tamper = Callable[[Callable[[Connection], Any]], None]


def bad_seq(store: Store) -> int | None:
    report = store.verify_chain()
    assert report.ok == (report.bad_seq is None)
    assert report.ok == (report.reason == "")
    return report.bad_seq


def test_an_untouched_chain_verifies_from_the_first_event(store: Store) -> None:
    empty = store.verify_chain()
    assert (empty.ok, empty.events, empty.head.seq) == (True, 0, 0)
    added(store, 1, 2, 3)
    full = store.verify_chain()
    assert (full.ok, full.events, full.head) == (True, 3, store.head())


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("document_id", "another"), ("at", START.replace(year=2023)), ("kind", "posted"), ("state_before", "x"),
        ("state_after", "posted"), ("dag_id", "x"), ("run_id", "x"), ("task_id", "x"), ("map_index", 9),
        ("try_number", 9), ("user_name", "x"), ("batch_id", "x"), ("mapping_version", 9), ("reason_code", "x"),
        ("key_id", "x"), ("detail", b"x" * 40), ("detail", None), ("detail_digest", "0" * 64), ("mac", "0" * 64),
    ],
)  # fmt: skip
def test_an_edit_of_any_column_is_found_and_its_event_named(
    store: Store, history: ChainHead, tamper: Tamper, column: str, value: object
) -> None:
    tamper(lambda connection: connection.execute(update(events).where(events.c.seq == 7).values({column: value})))
    assert bad_seq(store) == 7


def test_a_removed_detail_is_found_even_if_its_digest_is_removed_too(
    store: Store, history: ChainHead, tamper: Tamper
) -> None:
    gone = {"detail": None, "detail_digest": "", "key_id": ""}
    tamper(lambda connection: connection.execute(update(events).where(events.c.seq == 7).values(gone)))
    assert bad_seq(store) == 7


@pytest.mark.parametrize("seq", [1, 5])
def test_a_deleted_event_is_found(store: Store, history: ChainHead, tamper: Tamper, seq: int) -> None:
    tamper(lambda connection: connection.execute(delete(events).where(events.c.seq == seq)))
    assert bad_seq(store) == seq


def test_deleting_an_event_and_closing_the_gap_is_found(store: Store, history: ChainHead, tamper: Tamper) -> None:
    def close_gap(connection: Connection) -> None:
        connection.execute(delete(events).where(events.c.seq == 5))
        for seq in range(6, EVENTS + 1):
            connection.execute(update(events).where(events.c.seq == seq).values(seq=seq - 1))

    tamper(close_gap)
    assert bad_seq(store) == 5


def test_swapped_events_are_found(store: Store, history: ChainHead, tamper: Tamper) -> None:
    def swap(connection: Connection) -> None:
        for before, after in ((3, 0), (4, 3), (0, 4)):
            connection.execute(update(events).where(events.c.seq == before).values(seq=after))

    tamper(swap)
    assert bad_seq(store) == 3


def test_details_swapped_between_events_of_one_document_are_found(
    store: Store, history: ChainHead, tamper: Tamper
) -> None:
    def swap(connection: Connection) -> None:
        query = select(events.c.detail).where(events.c.seq.in_([1, 7])).order_by(events.c.seq)
        first, second = connection.scalars(query)
        connection.execute(update(events).where(events.c.seq == 1).values(detail=second))
        connection.execute(update(events).where(events.c.seq == 7).values(detail=first))

    tamper(swap)
    assert bad_seq(store) == 1


def test_an_inserted_event_is_found(store: Store, history: ChainHead, tamper: Tamper) -> None:
    def append(connection: Connection) -> None:
        row = connection.execute(select(events).where(events.c.seq == EVENTS)).one()._asdict()
        connection.execute(insert(events).values(row | {"seq": EVENTS + 1}))
        connection.execute(update(chain_head).values(seq=EVENTS + 1))

    tamper(append)
    assert bad_seq(store) == EVENTS + 1


def test_a_truncated_tail_is_found_by_the_head_row(store: Store, history: ChainHead, tamper: Tamper) -> None:
    tamper(lambda connection: connection.execute(delete(events).where(events.c.seq > 9)))
    report = store.verify_chain()
    assert (report.ok, report.events, report.bad_seq) == (False, 9, 10)


def test_a_truncated_tail_with_its_head_row_is_found_by_the_anchor(
    store: Store, history: ChainHead, tamper: Tamper
) -> None:
    def truncate(connection: Connection) -> None:
        connection.execute(delete(events).where(events.c.seq > 9))
        mac = connection.scalar(select(events.c.mac).where(events.c.seq == 9))
        connection.execute(update(chain_head).values(seq=9, mac=mac))

    tamper(truncate)
    assert store.verify_chain().ok, "from inside, a truncated database is a consistent older one"
    assert "ends at event 9" in store.behind(history)
    assert "ends at event 9" in store.check(history).problems[0]


def test_a_changed_head_row_is_found(store: Store, history: ChainHead, tamper: Tamper) -> None:
    tamper(lambda connection: connection.execute(update(chain_head).values(mac="0" * 64)))
    assert bad_seq(store) == EVENTS


def test_a_chain_rewritten_with_the_audit_key_is_found_by_the_anchor(
    store: Store, history: ChainHead, tamper: Tamper
) -> None:
    def rewrite(connection: Connection) -> None:
        keys, mac = ring(), genesis(ring(), store.id)
        for row in connection.execute(select(events).order_by(events.c.seq)).all():
            values = row._asdict() | ({"dag_id": "forged"} if row.seq == 4 else {})
            mac = link(link_key(keys, row.seq), mac, row.seq, digest_of(values, keys))
            connection.execute(update(events).where(events.c.seq == row.seq).values(dag_id=values["dag_id"], mac=mac))
        connection.execute(update(chain_head).values(mac=mac))

    tamper(rewrite)
    assert store.verify_chain().ok, "whoever has the audit key can forge a chain, which is why there is an anchor"
    assert "rewritten" in store.behind(history)


def test_a_chain_rewritten_without_the_audit_key_is_found(store: Store, history: ChainHead, tamper: Tamper) -> None:
    def rewrite(connection: Connection) -> None:
        thief = KeyRing.parse(f"k1:{KEY_1}", KEY_2)
        mac = connection.scalar(select(events.c.mac).where(events.c.seq == 3)) or ""
        for row in connection.execute(select(events).where(events.c.seq > 3).order_by(events.c.seq)).all():
            values = row._asdict() | ({"dag_id": "forged"} if row.seq == 4 else {})
            mac = link(link_key(thief, row.seq), mac, row.seq, digest_of(values, thief))
            connection.execute(update(events).where(events.c.seq == row.seq).values(dag_id=values["dag_id"], mac=mac))
        connection.execute(update(chain_head).values(mac=mac))

    tamper(rewrite)
    assert bad_seq(store) == 4


def test_the_anchor_fits_as_long_as_the_store_only_grows(store: Store, history: ChainHead) -> None:
    assert store.behind(history) == ""
    added(store, 99)
    assert store.behind(history) == ""
    assert store.behind(ChainHead(store.id, 0, "anything")) == ""
    assert store.check(history).ok


def test_an_anchor_of_another_store_is_named(store: Store, history: ChainHead) -> None:
    foreign = dataclasses.replace(history, store_id="another")
    assert f"this is store {store.id}" in store.behind(foreign)


def test_rotation_in_mid_run_keeps_the_chain_verifiable(url: str, store: Store, clock: ManualClock) -> None:
    added(store, 1)
    rotated = Store.open(url, KeyRing.parse(f"k2:{KEY_2},k1:{KEY_1}", AUDIT), clock=clock)
    try:
        added(rotated, 2)
        added(store, 3)
        report = rotated.verify_chain()
        assert (report.ok, report.events) == (True, 3)
        with rotated.unit_of_work(ACTOR) as uow:
            docs = uow.documents.search()
            assert len(uow.documents.payloads([doc.id for doc in docs])) == 3
    finally:
        rotated.close()


def test_the_same_events_under_another_key_have_the_same_digests(url: str, store: Store, tamper: Tamper) -> None:
    """Re-encryption leaves the chain as it is: it covers plaintext."""
    added(store, 1, 2)
    keys = KeyRing.parse(f"k2:{KEY_2},k1:{KEY_1}", AUDIT)

    def reencrypt(connection: Connection) -> None:
        for row in connection.execute(select(events)).all():
            aad = f"{row.document_id}/event"
            blob, key_id = keys.encrypt(ring().decrypt(row.detail, row.key_id, aad=aad), aad=aad)
            connection.execute(update(events).where(events.c.seq == row.seq).values(detail=blob, key_id=key_id))

    tamper(reencrypt)
    rotated = Store.open(url, keys)
    assert rotated.verify_chain().ok
    rotated.close()


def test_events_tell_actor_batch_and_span(store: Store) -> None:
    added(store, 1)
    person = Actor(user="ann")
    with store.unit_of_work(person) as uow:
        uow.events.add("approved", detail={"amount": "5"}, reason="four eyes", reason_code="ok", before="a", after="b")
    other = dataclasses.replace(ACTOR, task_id="post", map_index=4)
    with store.unit_of_work(other, batch_id="batch-1") as uow:
        uow.events.add("note")
        uow.events.add("note")
    with store.unit_of_work(ACTOR) as uow:
        assert uow.events.span("batch-1") == (1, 4)
        assert uow.events.span("batch-1", actor_task="post") == (3, 4)
        assert uow.events.span("none") == (None, None)
        latest, _, approved = uow.events.tail(3)
    assert (latest.seq, latest.actor, latest.batch_id) == (4, other, "batch-1")
    assert (approved.actor, approved.kind, approved.reason, approved.reason_code) == (
        person, "approved", "four eyes", "ok",
    )  # fmt: skip
    assert (approved.before, approved.after, approved.detail) == ("a", "b", {"amount": "5"})


def test_writers_at_once_form_one_unbroken_chain(store: Store, another: Callable[[], Store]) -> None:
    stores = [store, another(), another()]

    def write(worker: int) -> None:
        for number in range(30):
            with stores[worker].unit_of_work(ACTOR) as uow:
                uow.events.add("note", detail={"worker": worker, "number": number})

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, range(3)))
    report = store.verify_chain()
    assert (report.ok, report.events) == (True, 90)


def test_verifying_needs_no_more_memory_for_a_longer_chain(sqlite_store: Store) -> None:
    def peak(count: int) -> int:
        with sqlite_store.unit_of_work(ACTOR) as uow:
            for _ in range(count):
                uow.events.add("note", detail={"text": "x" * 500})
        tracemalloc.start()
        try:
            assert sqlite_store.verify_chain().ok
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(3000)
    short, long = peak(0), peak(12_000)
    assert long < short + 2_000_000


def test_a_page_of_new_documents_is_one_unbroken_run_of_events(store: Store) -> None:
    with store.unit_of_work(ACTOR, batch_id="b") as uow:
        docs = uow.documents.add_page([invoice(number, batch_id="b") for number in range(50)])
    with store.unit_of_work(ACTOR) as uow:
        assert uow.events.span("b") == (1, 50)
        assert [event.document_id for event in uow.events.tail(50)][::-1] == [doc.id for doc in docs]


def test_seq_numbers_have_no_gap_after_a_rollback(url: str, store: Store) -> None:
    added(store, 1)
    with pytest.raises(ZeroDivisionError), store.unit_of_work(ACTOR) as uow:
        _ = uow.events.add("note") or 1 / 0
    added(store, 2)
    engine = create_engine(url)
    with engine.connect() as connection:
        assert list(connection.scalars(text("SELECT seq FROM events ORDER BY seq"))) == [1, 2]
    engine.dispose()
