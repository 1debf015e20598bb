"""One table: what somebody may do to the audit trail behind the store's back, what finds it, and where.

Twelve events, an anchor kept after the third, sixth and ninth. Who has the audit key can make the chain agree with
itself again; then only the anchors, which lie elsewhere, tell, and from which event on as closely as they were taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, delete, insert, select, update
from support.stores import AUDIT, KEY_1, KEY_2, added, ring

from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.chain import digest_of, genesis
from airflow_provider_mlconnector.store.records import ChainHead
from airflow_provider_mlconnector.store.schema import chain_head, events
from airflow_provider_mlconnector.store.sealing import link, link_key

EVENTS = 12
Tamper = Callable[[Connection, str], None]
THIEF = KeyRing.parse(f"k1:{KEY_1}", KEY_2)
HEIR = KeyRing.parse(f"k2:{KEY_2}", AUDIT)
"""Has the audit key."""


def edit(connection: Connection, _store: str) -> None:
    connection.execute(update(events).where(events.c.seq == 5).values(state_after="posted"))


def drop(connection: Connection, _store: str) -> None:
    connection.execute(delete(events).where(events.c.seq == 5))


def drop_and_close_the_gap(connection: Connection, store: str) -> None:
    drop(connection, store)
    for seq in range(6, EVENTS + 1):
        connection.execute(update(events).where(events.c.seq == seq).values(seq=seq - 1))
    _head(connection, EVENTS - 1)


def swap(connection: Connection, _store: str) -> None:
    _move(connection, (5, 0), (8, 5), (0, 8))


def rotate(connection: Connection, _store: str) -> None:
    _move(connection, (5, 0), (6, 5), (7, 6), (8, 7), (0, 8))


def insert_one(connection: Connection, _store: str) -> None:
    row = connection.execute(select(events).where(events.c.seq == 5)).one()._asdict()
    connection.execute(insert(events).values(row | {"seq": EVENTS + 1}))
    connection.execute(update(chain_head).values(seq=EVENTS + 1))


def truncate(connection: Connection, _store: str) -> None:
    connection.execute(delete(events).where(events.c.seq > 7))


def truncate_with_the_head(connection: Connection, store: str) -> None:
    truncate(connection, store)
    _head(connection, 7)


def empty(connection: Connection, store: str) -> None:
    connection.execute(delete(events))
    connection.execute(update(chain_head).values(seq=0, mac=genesis(ring(), store)))


def rechain_without_the_key(connection: Connection, store: str) -> None:
    edit(connection, store)
    _rechain(connection, THIEF, store, 5)


def rechain_with_the_key(connection: Connection, store: str) -> None:
    edit(connection, store)
    _rechain(connection, HEIR, store, 5)


def drop_and_rechain_with_the_key(connection: Connection, store: str) -> None:
    drop_and_close_the_gap(connection, store)
    _rechain(connection, HEIR, store, 5)


def truncate_and_go_on_with_the_key(connection: Connection, store: str) -> None:
    """Take the tail away and write another one of the same length."""
    for seq in range(8, EVENTS + 1):
        connection.execute(update(events).where(events.c.seq == seq).values(run_id="forged"))
    _rechain(connection, HEIR, store, 8)


@pytest.mark.parametrize(
    ("tamper", "chain_says", "anchors_say"),
    [
        (edit, 5, ""),
        (drop, 5, ""),
        (drop_and_close_the_gap, 5, "the first one that differs is in 4 to 6"),
        (swap, 5, ""),
        (rotate, 5, "the first one that differs is in 4 to 6"),
        (insert_one, 13, ""),
        (truncate, 8, "event 9 is not the one"),
        (truncate_with_the_head, None, "event 8 is the first one missing"),
        (empty, None, "event 1 is the first one missing"),
        (rechain_without_the_key, 5, "the first one that differs is in 4 to 6"),
        (rechain_with_the_key, None, "the first one that differs is in 4 to 6"),
        (drop_and_rechain_with_the_key, None, "the first one that differs is in 4 to 6"),
        (truncate_and_go_on_with_the_key, None, "the first one that differs is in 7 to 9"),
    ],
)
def test_every_way_to_tamper_is_found_and_the_first_bad_event_named(
    url: str, store: Store, tamper: Tamper, chain_says: int | None, anchors_say: str
) -> None:
    anchors = _history(store)
    assert (store.verify_chain().ok, store.behind(*anchors)) == (True, "")
    _behind_its_back(url, lambda connection: tamper(connection, store.id))
    report, behind = store.verify_chain(), store.behind(*anchors)
    assert (report.ok, report.bad_seq) == (chain_says is None, chain_says)
    assert anchors_say in behind
    assert bool(anchors_say) == bool(behind)
    assert not report.ok or behind, "nothing goes unnoticed"


def test_one_anchor_tells_of_a_rewrite_but_not_closely_from_where_on(url: str, store: Store) -> None:
    newest = _history(store)[-1]
    _behind_its_back(url, lambda connection: rechain_with_the_key(connection, store.id))
    assert "the first one that differs is in 1 to 9" in store.behind(newest)


def test_what_is_rewritten_after_the_last_anchor_is_the_gap_that_stays(url: str, store: Store) -> None:
    """Why the trail is anchored at the end of each run: nobody can tell what happened since."""
    anchors = _history(store)

    def rewrite(connection: Connection) -> None:
        connection.execute(update(events).where(events.c.seq == 11).values(state_after="posted"))
        _rechain(connection, HEIR, store.id, 11)

    _behind_its_back(url, rewrite)
    assert (store.verify_chain().ok, store.behind(*anchors)) == (True, "")


def _history(store: Store) -> list[ChainHead]:
    anchors = []
    for number in range(0, EVENTS, 3):
        added(store, number, number + 1, number + 2)
        anchors.append(store.head())
    assert anchors[-1].seq == EVENTS
    return anchors[:-1]


def _behind_its_back(url: str, change: Callable[[Connection], Any]) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        change(connection)
    engine.dispose()


def _move(connection: Connection, *moves: tuple[int, int]) -> None:
    for before, after in moves:
        connection.execute(update(events).where(events.c.seq == before).values(seq=after))


def _head(connection: Connection, seq: int) -> None:
    mac = connection.scalar(select(events.c.mac).where(events.c.seq == seq))
    connection.execute(update(chain_head).values(seq=seq, mac=mac))


def _rechain(connection: Connection, keys: KeyRing, store_id: str, first: int) -> None:
    """Compute every code anew from ``first`` on, the head's included."""
    mac = connection.scalar(select(events.c.mac).where(events.c.seq == first - 1)) or genesis(keys, store_id)
    for row in connection.execute(select(events).where(events.c.seq >= first).order_by(events.c.seq)).all():
        mac = link(link_key(keys, row.seq), mac, row.seq, digest_of(row._asdict(), keys))
        connection.execute(update(events).where(events.c.seq == row.seq).values(mac=mac))
    connection.execute(update(chain_head).values(mac=mac))
