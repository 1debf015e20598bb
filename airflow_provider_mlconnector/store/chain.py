"""The hash chain over the audit trail (DESIGN §5).

Each event's MAC covers the MAC before it, its sequence number and a keyed digest of everything the event says. The
digest is taken over plaintext, so that re-encryption under another key leaves the chain intact. The head row, locked
last in every transaction, holds the end; a copy of it outside the database (the anchor) finds even a rewrite of both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.points import Point, reached
from airflow_provider_mlconnector.store.keyring import KeyRing
from airflow_provider_mlconnector.store.records import Actor, ChainHead, ChainReport
from airflow_provider_mlconnector.store.schema import chain_head, events
from airflow_provider_mlconnector.store.work import PendingEvent, Work, clean, to_json

_HEAD_ID = 1
_READ_AHEAD = 1000
_COVERED = (
    "document_id",
    "kind",
    "state_before",
    "state_after",
    "dag_id",
    "run_id",
    "task_id",
    "map_index",
    "try_number",
    "user_name",
    "batch_id",
    "mapping_version",
    "reason_code",
    "detail_digest",
)
_covered = itemgetter(*_COVERED)
_encode = json.JSONEncoder(separators=(",", ":")).encode


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
    digests = [_digest(row, work.keyring) for row in rows]
    work.pending = []
    query = select(chain_head.c.seq, chain_head.c.mac).where(chain_head.c.id == _HEAD_ID).with_for_update()
    seq, mac = work.connection.execute(query).one()
    for row, digest in zip(rows, digests, strict=True):
        seq += 1
        mac = _link(work.keyring, mac, seq, digest)
        row |= {"seq": seq, "mac": mac}
    work.connection.execute(insert(events), rows)
    reached(Point.DURING_CHAIN_APPEND)
    work.connection.execute(update(chain_head).where(chain_head.c.id == _HEAD_ID).values(seq=seq, mac=mac))


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
        row |= {"key_id": key_id, "detail": blob, "detail_digest": keyring.digest(plain)}
    return row


def _aad(document_id: str) -> str:
    return f"{document_id}/event"


def open_detail(row: Row[Any], keyring: KeyRing) -> bytes:
    """Return an event's decrypted reason and detail as JSON bytes, empty when it has neither."""
    return b"" if row.detail is None else keyring.decrypt(bytes(row.detail), row.key_id, aad=_aad(row.document_id))


def _digest(row: Mapping[str, Any], keyring: KeyRing) -> str:
    return keyring.digest(_encode([row["at"].isoformat(), *_covered(row)]).encode())


def _link(keyring: KeyRing, previous: str, seq: int, digest: str) -> str:
    return keyring.mac(f"{previous}\n{seq}\n{digest}".encode())


def read_head(connection: Connection, store_id: str) -> ChainHead:
    """Return the head row."""
    row = connection.execute(select(chain_head.c.seq, chain_head.c.mac).where(chain_head.c.id == _HEAD_ID)).one()
    return ChainHead(store_id=store_id, seq=row.seq, mac=row.mac)


def behind(connection: Connection, store_id: str, anchor: ChainHead) -> str:
    """Tell why this store is not the anchor's, or older than it, or has another history; empty if it is not so."""
    if anchor.store_id != store_id:
        return f"this is store {store_id}, the anchor was taken from store {anchor.store_id}"
    head = read_head(connection, store_id)
    if head.seq < anchor.seq:
        return f"the store ends at event {head.seq}, the anchor at event {anchor.seq}: it was restored or truncated"
    if anchor.seq == 0:
        return ""
    mac = connection.scalar(select(events.c.mac).where(events.c.seq == anchor.seq))
    if mac != anchor.mac:
        return f"event {anchor.seq} is not the one the anchor was taken from: the history was rewritten"
    return ""


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
    if (keyring.digest(plain) if plain else "") != row.detail_digest:
        return f"event {expected}: its detail was changed or removed"
    if _link(keyring, previous, row.seq, _digest(row._asdict(), keyring)) != row.mac:
        return f"event {expected} was changed, or is not the one that stood here"
    return ""
