"""A document's events as a file that proves itself: what it holds, and how anybody checks it without the store.

The file shows the document's events, and from each of them the links of the chain up to the next anchor. Of other
documents' events on the way it shows a digest each, which tells nothing. The keys in it fit these events and links
alone. Events that lead to an anchor the reader got from elsewhere stood in the trail, exactly so, when it was taken.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.store.records import ChainHead
from airflow_provider_mlconnector.store.sealing import COVERED, content_digest, detail_digest, link

FORMAT: Final = "mlconnector audit export 1"
STEPS: Final = tuple(
    " ".join(step.split())
    for step in f"""
All codes are HMAC-SHA256 in hexadecimal, keys are given in hexadecimal, texts are UTF-8.

1. Of each event, write [at, {", ".join(COVERED)}] as JSON without spaces, other than ASCII as \\u escapes; its code
under document_key is the digest that stands at the event's seq among the links.

2. Where an event shows a text, its code under text_key is the event's detail_digest. Where the text is withheld, the
digest stands for it: it can be compared once somebody shows you the text and its key.

3. Of each link, write the mac before it, its seq and its digest, one per line, no line end behind the last; the code
under the link's key is its mac. Before a segment's first link stands the segment's previous.

4. Get the anchors from where they are kept, not from this file: the mac at an anchor's seq must be the anchor's.

Proven by 1 to 4: these events were in this store, in this order and worded so, when the anchor was taken, and were not
edited since. Not proven: that there are no other events of this document (the store's own `mlconnector audit verify`
walks all of them), anything under `about`, and events no anchor follows yet. Without anchors of your own the file only
agrees with itself: whoever made it could have made it up.

Whoever holds the store's audit key can check more: `mlconnector audit check FILE --with-key` tells whether the keys in
this file are those of the store.
""".strip().split("\n\n")
)


@dataclass(frozen=True, slots=True)
class ProvenEvent:
    """One event of the document.

    Attributes:
        seq: Its place in the trail.
        columns: ``at`` in ISO 8601, and every column of ``sealing.COVERED``.
        text: Reason and detail as JSON; empty where there are none or they are withheld.
        text_key: Hex key of its digest; empty where no text is shown.
        withheld: Why a text is not shown, empty where it is or there is none.
    """

    seq: int
    columns: Mapping[str, Any]
    text: str = ""
    text_key: str = ""
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """One place of the chain: digest of the event there, the link's hex key, and the code stored with the event."""

    seq: int
    digest: str
    key: str
    mac: str


@dataclass(frozen=True, slots=True)
class Segment:
    """An unbroken run of links, and the code before its first one."""

    previous: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """What a file proves.

    Attributes:
        store_id: UUID of the store.
        document_id: The document.
        document_key: Hex key of the digests of its events.
        events: All of them, in order.
        segments: In order, each beginning at one of the events.
        anchors: Those of the store its segments lead to.
    """

    store_id: str
    document_id: str
    document_key: str
    events: tuple[ProvenEvent, ...]
    segments: tuple[Segment, ...]
    anchors: tuple[ChainHead, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        bad_seq: The first event that does not hold, None when all do.
        reason: What is wrong with it, for people; empty when nothing is.
        anchored: Events that lead to one of the reader's anchors.
        unanchored: Events that do not.
    """

    bad_seq: int | None
    reason: str
    anchored: tuple[int, ...] = ()
    unanchored: tuple[int, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the file holds."""
        return not self.reason


def check(proof: Proof, anchors: Sequence[ChainHead]) -> Finding:
    """Check a file by itself, and against anchors that did not come with it.

    Args:
        proof: As read.
        anchors: The reader's own; those of other stores are an error of the reader's and found as such.
    """
    foreign = next((anchor for anchor in anchors if anchor.store_id != proof.store_id), None)
    if foreign:
        return Finding(None, f"the file is of store {proof.store_id}, the anchor of store {foreign.store_id}")
    links = {item.seq: item for segment in proof.segments for item in segment.links}
    fault = _events_fault(proof, links) or _links_fault(proof.segments)
    if fault:
        return Finding(*fault)
    for anchor in sorted(anchors, key=lambda anchor: anchor.seq):
        if anchor.seq in links and links[anchor.seq].mac != anchor.mac:
            first = max(segment.links[0].seq for segment in proof.segments if segment.links[0].seq <= anchor.seq)
            reason = f"the trail in the file is not the one the anchor at event {anchor.seq} was taken from"
            return Finding(first, reason)
    anchored = _anchored(proof, {anchor.seq for anchor in anchors} & links.keys())
    rest = tuple(event.seq for event in proof.events if event.seq not in anchored)
    return Finding(None, "", tuple(sorted(anchored)), rest)


def _events_fault(proof: Proof, links: Mapping[int, Link]) -> tuple[int, str] | None:
    key = bytes.fromhex(proof.document_key)
    for event in proof.events:
        columns = {**event.columns, "at": datetime.fromisoformat(event.columns["at"])}
        if columns["document_id"] != proof.document_id:
            return event.seq, f"event {event.seq} is of another document"
        if event.seq not in links:
            return event.seq, f"event {event.seq} has no place in the chain shown"
        if not hmac.compare_digest(content_digest(key, columns), links[event.seq].digest):
            return event.seq, f"event {event.seq} is not the one that stood here"
        digest = columns["detail_digest"]
        if event.text and detail_digest(bytes.fromhex(event.text_key), event.text.encode()) != digest:
            return event.seq, f"event {event.seq}: its text is not the one that stood here"
        if not event.text and bool(digest) != bool(event.withheld):
            return event.seq, f"event {event.seq}: its text is missing, and the file does not say that it is withheld"
    return None


def _links_fault(segments: Sequence[Segment]) -> tuple[int, str] | None:
    for segment in segments:
        previous, expected = segment.previous, segment.links[0].seq
        for item in segment.links:
            if item.seq != expected:
                return expected, f"link {expected} is missing"
            if not hmac.compare_digest(link(bytes.fromhex(item.key), previous, item.seq, item.digest), item.mac):
                return item.seq, f"link {item.seq} does not continue the one before it"
            previous, expected = item.mac, expected + 1
    return None


def _anchored(proof: Proof, reached: set[int]) -> set[int]:
    ends = [(segment.links[0].seq, segment.links[-1].seq) for segment in proof.segments]
    spans = [
        (first, max(inside)) for first, last in ends if (inside := {seq for seq in reached if first <= seq <= last})
    ]
    return {event.seq for event in proof.events if any(first <= event.seq <= last for first, last in spans)}


# --- the file ------------------------------------------------------------------------------------------------------


def to_file(proof: Proof, about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file's content.

    Args:
        proof: The proof.
        about: What helps a reader and is not proven: the document's own columns, when and by whom the file was made.
    """
    segments = [
        {"previous": segment.previous, "links": [asdict(item) for item in segment.links]} for segment in proof.segments
    ]
    head = {"format": FORMAT, "store_id": proof.store_id, "document_id": proof.document_id, "about": dict(about)}
    return {
        **head,
        "how_to_check": list(STEPS),
        "events": [asdict(event) for event in proof.events],
        "document_key": proof.document_key,
        "segments": segments,
        "anchors": [asdict(anchor) for anchor in proof.anchors],
    }


def from_file(text: str) -> Proof:
    """Read a file.

    Raises:
        ConfigurationError: It is no export, or of another version.
    """
    try:
        body = _known(json.loads(text))
        return Proof(
            store_id=str(body["store_id"]),
            document_id=str(body["document_id"]),
            document_key=_hex(body["document_key"]),
            events=tuple(_event(item) for item in body["events"]),
            segments=tuple(_segment(item) for item in body["segments"]),
            anchors=tuple(ChainHead(**item) for item in body["anchors"]),
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        message = "the file is not an export written by `mlconnector audit export`"
        raise ConfigurationError(message, field="export file") from None


def _known(body: Mapping[str, Any]) -> Mapping[str, Any]:
    if body["format"] != FORMAT:
        raise ValueError
    return body


def _event(item: Mapping[str, Any]) -> ProvenEvent:
    columns = {name: item["columns"][name] for name in ("at", *COVERED)}
    datetime.fromisoformat(columns["at"])
    return ProvenEvent(int(item["seq"]), columns, item["text"], _hex(item["text_key"]), item["withheld"])


def _segment(item: Mapping[str, Any]) -> Segment:
    links = tuple(Link(int(one["seq"]), one["digest"], _hex(one["key"]), one["mac"]) for one in item["links"])
    if not links:
        raise ValueError
    return Segment(str(item["previous"]), links)


def _hex(text: str) -> str:
    bytes.fromhex(text)
    return text
