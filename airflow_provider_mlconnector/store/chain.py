"""The hash chain over the audit trail (DESIGN §5).

Each event's MAC covers the MAC before it, its sequence number and a keyed digest of everything the event says
(``sealing``). The digest is taken over plaintext, so that re-encryption under another key leaves the chain intact. The
head row, locked last in every transaction, holds the end; copies of it outside the database (the anchors) find even a
rewrite of both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.points import Point, reached
from airflow_provider_mlconnector.store.keyring import KeyRing
from airflow_provider_mlconnector.store.records import Actor, ChainHead, ChainReport
from airflow_provider_mlconnector.store.schema import chain_head, events
from airflow_provider_mlconnector.store.sealing import (
    content_digest,
    detail_digest,
    detail_key,
    document_key,
    link,
    link_key,
)
from airflow_provider_mlconnector.store.work import PendingEvent, Work, clean, to_json

_HEAD_ID = 1
_READ_AHEAD = 1000
_LOCK_HEAD = select(chain_head.c.seq, chain_head.c.mac).where(chain_head.c.id == _HEAD_ID).with_for_update()
_APPEND = insert(events)
_MOVE_HEAD = update(chain_head).where(chain_head.c.id == _HEAD_ID)


def genesis(keyring: KeyRing, store_id: str) -> str:
    """Return what the first event's MAC covers in place of a predecessor: the store it belongs to."""
    return keyring.mac(f"store {store_id}".encode())


def flush(work: Work) -> None:
    """Write the noted events. Call once per transaction, right before commit: the head row is the last lock taken.

    Raises:
        StaleClaim: Some of the work had lost its claim, so none of it may be stored.
    """
    if work.lost:
        raise work.lost
    if not work.pending:
        return
    rows = [_row(event, work.actor, work.keyring) for event in work.pending]
    digests = [digest_of(row, work.keyring) for row in rows]
    work.pending = []
    seq, mac = work.connection.execute(_LOCK_HEAD).one()
    for row, digest in zip(rows, digests, strict=True):
        seq += 1
        mac = link(link_key(work.keyring, seq), mac, seq, digest)
        row |= {"seq": seq, "mac": mac}
    work.connection.execute(_APPEND, rows)
    reached(Point.DURING_CHAIN_APPEND)
    work.connection.execute(_MOVE_HEAD, {"seq": seq, "mac": mac})


def _row(event: PendingEvent, actor: Actor, keyring: KeyRing) -> dict[str, Any]:
    """Return the event as stored. Reason and detail may hold a document's text, so they are encrypted."""
    row: dict[str, Any] = {
        "document_id": event.document_id,
        "at": event.at,
        "kind": clean(event.kind),
        "state_before": event.before,
        "state_after": event.after,
        "dag_id": actor.dag_id,
        "run_id": actor.run_id,
        "task_id": actor.task_id,
        "map_index": actor.map_index,
        "try_number": actor.try_number,
        "user_name": clean(actor.user),
        "batch_id": event.batch_id,
        "mapping_version": event.mapping_version,
        "reason_code": clean(event.reason_code),
        "key_id": "",
        "detail": None,
        "detail_digest": "",
    }
    if event.reason or event.detail:
        plain = to_json({"reason": event.reason, "detail": event.detail}).encode()
        blob, key_id = keyring.encrypt(plain, aad=_aad(event.document_id))
        key = detail_key(keyring, event.document_id, event.at, row["kind"])
        row |= {"key_id": key_id, "detail": blob, "detail_digest": detail_digest(key, plain)}
    return row


def _aad(document_id: str) -> str:
    return f"{document_id}/event"


def open_detail(row: Row[Any], keyring: KeyRing) -> bytes:
    """Return an event's decrypted reason and detail as JSON bytes, empty when it has neither."""
    return b"" if row.detail is None else keyring.decrypt(bytes(row.detail), row.key_id, aad=_aad(row.document_id))


def digest_of(row: Mapping[str, Any], keyring: KeyRing) -> str:
    """Return the digest of an event as stored."""
    return content_digest(document_key(keyring, row["document_id"]), row)


def read_head(connection: Connection, store_id: str) -> ChainHead:
    """Return the head row."""
    row = connection.execute(select(chain_head.c.seq, chain_head.c.mac).where(chain_head.c.id == _HEAD_ID)).one()
    return ChainHead(store_id=store_id, seq=row.seq, mac=row.mac)


def behind(connection: Connection, store_id: str, anchors: Sequence[ChainHead]) -> str:
    """Tell why this store is not the anchors', or older than them, or has another history; empty if it is not so.

    Args:
        connection: To the store.
        store_id: Its UUID.
        anchors: Copies of the head taken at different times; the more there are, the closer is a rewrite located.
    """
    foreign = next((anchor for anchor in anchors if anchor.store_id != store_id), None)
    if foreign:
        return f"this is store {store_id}, the anchor was taken from store {foreign.store_id}"
    known = sorted({anchor.seq: anchor for anchor in anchors if anchor.seq}.values(), key=lambda anchor: anchor.seq)
    if not known:
        return ""
    head, last_good = read_head(connection, store_id), 0
    found = _macs(connection, [anchor.seq for anchor in known])
    for anchor in known:
        if anchor.seq > head.seq:
            text = f"the store ends at event {head.seq}, the anchor at event {anchor.seq}: it was restored or truncated"
            return f"{text}, event {head.seq + 1} is the first one missing"
        if found.get(anchor.seq) != anchor.mac:
            where = f"the first one that differs is in {last_good + 1} to {anchor.seq}"
            return f"event {anchor.seq} is not the one the anchor was taken from: the history was rewritten, {where}"
        last_good = anchor.seq
    return ""


def _macs(connection: Connection, seqs: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for start in range(0, len(seqs), _READ_AHEAD):
        query = select(events.c.seq, events.c.mac).where(events.c.seq.in_(seqs[start : start + _READ_AHEAD]))
        found |= {row.seq: row.mac for row in connection.execute(query)}
    return found


def verify(connection: Connection, keyring: KeyRing, store_id: str) -> ChainReport:
    """Walk the whole chain, streaming, and stop at the first event that does not hold."""
    head = read_head(connection, store_id)
    previous, expected = genesis(keyring, store_id), 0
    for row in _stream(connection):
        expected += 1
        reason = _fault(row, expected, previous, keyring)
        if reason:
            return ChainReport(ok=False, events=expected - 1, head=head, bad_seq=expected, reason=reason)
        previous = row.mac
    if head.seq != expected:
        reason = f"the trail ends at event {expected}, its head says {head.seq}: events at the end are missing"
        return ChainReport(ok=False, events=expected, head=head, bad_seq=expected + 1, reason=reason)
    if head.mac != previous:
        reason = "the head row does not carry the code of the last event"
        return ChainReport(ok=False, events=expected, head=head, bad_seq=expected, reason=reason)
    return ChainReport(ok=True, events=expected, head=head)


def _stream(connection: Connection) -> Iterator[Row[Any]]:
    result = connection.execution_options(yield_per=_READ_AHEAD).execute(select(events).order_by(events.c.seq))
    for partition in result.partitions():
        rows: Sequence[Row[Any]] = partition
        yield from rows


def _fault(row: Row[Any], expected: int, previous: str, keyring: KeyRing) -> str:
    """Return what is wrong with an event at its place, empty when nothing is."""
    if row.seq != expected:
        return f"event {expected} is missing, the next one found is {row.seq}"
    try:
        plain = open_detail(row, keyring)
    except ConfigurationError as error:
        return f"event {expected}: {error.message}"
    key = detail_key(keyring, row.document_id, row.at, row.kind)
    if (detail_digest(key, plain) if plain else "") != row.detail_digest:
        return f"event {expected}: its detail was changed or removed"
    if link(link_key(keyring, row.seq), previous, row.seq, digest_of(row._asdict(), keyring)) != row.mac:
        return f"event {expected} was changed, or is not the one that stood here"
    return ""
