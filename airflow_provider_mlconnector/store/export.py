"""Making a proof of one document's events: read from the chain, checked on the way, keys and all (``proof``)."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from airflow_provider_mlconnector.errors import TrailAltered
from airflow_provider_mlconnector.store.chain import digest_of, genesis, open_detail, read_head
from airflow_provider_mlconnector.store.keyring import KeyRing
from airflow_provider_mlconnector.store.proof import Link, Proof, ProvenEvent, Segment
from airflow_provider_mlconnector.store.records import ChainHead
from airflow_provider_mlconnector.store.schema import documents, events
from airflow_provider_mlconnector.store.sealing import COVERED, detail_key, document_key, link, link_key

MAX_LINKS: Final = 50_000
"""Links of one event up to its anchor that a file still carries; beyond it the event is shown without the way there."""
SHOWN: Final = frozenset(
    {
        "attempt", "company", "expires_at", "field", "generation", "key", "kind", "match", "not_found", "notes",
        "our_reference", "owner", "payload_hash", "planned", "remote_reference", "result", "revision", "seen",
        "source_hash", "step", "target_reference", "was", "why",
    }
)  # fmt: skip
"""What an event's detail may hold to be shown. Anything else (a remote's own words, bytes of an answer, the values of a
corrected payload) may be content of the document, and withholds the whole text: one digest covers it."""
WITHHELD_KINDS: Final = frozenset({"supplier"})
"""Documents whose texts are never shown: what is said of a supplier may be a bank account."""


def prove(
    connection: Connection, keyring: KeyRing, store_id: str, document_id: str, anchors: Sequence[ChainHead]
) -> Proof:
    """Return the proof of a document's events.

    Args:
        connection: One snapshot of the store.
        keyring: The store's.
        store_id: Its UUID.
        document_id: The document; without events where there is none.
        anchors: Of this store, in any order.

    Raises:
        TrailAltered: A link on the way does not hold.
    """
    query = select(events).where(events.c.document_id == document_id).order_by(events.c.seq)
    rows = connection.execute(query).all()
    kind = connection.scalar(select(documents.c.document).where(documents.c.id == document_id)) or ""
    head = read_head(connection, store_id)
    ends = sorted({anchor.seq for anchor in anchors if 0 < anchor.seq <= head.seq} | {head.seq})
    spans = list(_spans([row.seq for row in rows], ends))
    segments = tuple(_segment(connection, keyring, store_id, first, last) for first, last in spans)
    met = [anchor for anchor in anchors if any(first <= anchor.seq <= last for first, last in spans)]
    return Proof(
        store_id=store_id,
        document_id=document_id,
        document_key=document_key(keyring, document_id).hex(),
        events=tuple(_event(row, keyring, kind) for row in rows),
        segments=segments,
        anchors=tuple(sorted(met, key=lambda anchor: anchor.seq)),
    )


def are_ours(proof: Proof, keyring: KeyRing) -> bool:
    """Tell whether every key in a proof is the ring's own for its subject."""
    texts = (
        (event.text_key, detail_key(keyring, proof.document_id, _moment(event), event.columns["kind"]))
        for event in proof.events
        if event.text
    )
    links = ((item.key, link_key(keyring, item.seq)) for segment in proof.segments for item in segment.links)
    keys = [(proof.document_key, document_key(keyring, proof.document_id)), *texts, *links]
    return all(shown == ours.hex() for shown, ours in keys)


def _spans(seqs: Sequence[int], ends: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Give the runs from each event to the next anchor, those that meet made one."""
    current: tuple[int, int] | None = None
    for seq in seqs:
        end = ends[bisect_left(ends, seq)]
        last = end if end - seq < MAX_LINKS else seq
        if current and seq <= current[1] + 1:
            current = current[0], max(current[1], last)
            continue
        if current:
            yield current
        current = seq, last
    if current:
        yield current


def _segment(connection: Connection, keyring: KeyRing, store_id: str, first: int, last: int) -> Segment:
    before = connection.scalar(select(events.c.mac).where(events.c.seq == first - 1))
    start = genesis(keyring, store_id) if first == 1 else str(before or "")
    query = select(events).where(events.c.seq.between(first, last)).order_by(events.c.seq)
    links: list[Link] = []
    previous = start
    for expected, row in enumerate(connection.execute(query), start=first):
        key, digest = link_key(keyring, expected), digest_of(row._asdict(), keyring)
        if row.seq != expected or link(key, previous, expected, digest) != row.mac:
            raise _altered(expected)
        links.append(Link(expected, digest, key.hex(), row.mac))
        previous = row.mac
    if len(links) != last - first + 1:
        raise _altered(first + len(links))
    return Segment(start, tuple(links))


def _altered(seq: int) -> TrailAltered:
    message = (
        f"the audit trail does not hold at event {seq}: nothing can be proven past it. Run `mlconnector audit verify`"
    )
    return TrailAltered(message, seq=seq)


def _event(row: Row[Any], keyring: KeyRing, kind: str) -> ProvenEvent:
    stored = row._asdict()
    columns = {"at": row.at.isoformat(), **{name: stored[name] for name in COVERED}}
    plain = open_detail(row, keyring)
    if not plain:
        return ProvenEvent(row.seq, columns)
    withheld = _secret(json.loads(plain), kind)
    if withheld:
        return ProvenEvent(row.seq, columns, withheld=withheld)
    key = detail_key(keyring, row.document_id, row.at, row.kind)
    return ProvenEvent(row.seq, columns, plain.decode(), key.hex())


def _secret(content: dict[str, Any], kind: str) -> str:
    """Say why a text is not shown, empty where it may be."""
    if kind in WITHHELD_KINDS:
        return f"what is said of a {kind} is not shown"
    more = sorted(content["detail"].keys() - SHOWN)
    return f"may hold content of the document: {', '.join(more)}" if more else ""


def _moment(event: ProvenEvent) -> datetime:
    return datetime.fromisoformat(event.columns["at"])
