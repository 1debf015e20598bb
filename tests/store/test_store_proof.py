"""A document's events as a file that proves itself: true files hold, any edit is found, nothing secret is in it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, update
from support.stores import ACTOR, AUDIT, KEY_1, KEY_2, added, ring

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import ConfigurationError, TrailAltered
from airflow_provider_mlconnector.store import KeyRing, Store, export
from airflow_provider_mlconnector.store.proof import Finding, check, from_file, to_file
from airflow_provider_mlconnector.store.records import ChainHead, Change, DocumentRecord
from airflow_provider_mlconnector.store.schema import events

SECRET = "DE89370400440532013000"
Edit = Callable[[dict[str, Any]], None]


@pytest.fixture
def document(store: Store) -> DocumentRecord:
    """The second of three invoices: parked, taken up again, parked; others' events lie in between."""
    docs = added(store, 1, 2, 3)
    (mine,) = _park(store, docs, "account 51200 is not mapped")[1:2]
    with store.unit_of_work(ACTOR) as uow:
        (mine,) = uow.documents.apply([Change(mine, State.EXTRACTED, event="replayed", detail={"why": "mapped"})])
    _park(store, [mine], "Größe €", detail={"difference": [f"iban {SECRET} → x"]})
    added(store, 4)
    return mine


def _park(store: Store, docs: list[DocumentRecord], reason: str, **fields: Any) -> list[DocumentRecord]:
    with store.unit_of_work(ACTOR, batch_id="batch-2") as uow:
        changes = [Change(doc, State.PARKED, reason_code="unmapped", reason=reason, **fields) for doc in docs]
        return uow.documents.apply(changes)


def _file(store: Store, document: DocumentRecord, *anchors: ChainHead) -> dict[str, Any]:
    body = to_file(store.prove(document.id, anchors), {"made_by": "test"})
    read: dict[str, Any] = json.loads(json.dumps(body))
    return read


def _checked(body: dict[str, Any], *anchors: ChainHead) -> Finding:
    return check(from_file(json.dumps(body)), anchors)


def test_every_event_leads_to_an_anchor_and_holds_without_the_store(store: Store, document: DocumentRecord) -> None:
    head = store.head()
    body = _file(store, document, head)
    assert [event["seq"] for event in body["events"]] == [2, 5, 7, 8]
    assert [link["seq"] for part in body["segments"] for link in part["links"]] == list(range(2, 10))
    found = _checked(body, head)
    assert (found.ok, found.anchored, found.unanchored) == (True, (2, 5, 7, 8), ())
    assert _checked(body).unanchored == (2, 5, 7, 8), "without an anchor of one's own nothing is proven"


def test_a_file_is_checked_by_its_own_words_with_nothing_but_hmac(store: Store, document: DocumentRecord) -> None:
    """The steps written in the file, followed to the letter."""
    head = store.head()
    body = _file(store, document, head)

    def code(key: str, text: str) -> str:
        return hmac.new(bytes.fromhex(key), text.encode(), hashlib.sha256).hexdigest()

    order = body["how_to_check"][1].partition("[")[2].partition("]")[0].split(", ")
    links = {link["seq"]: link for part in body["segments"] for link in part["links"]}
    for event in body["events"]:
        text = json.dumps([event["columns"][name] for name in order], separators=(",", ":"))
        assert code(body["document_key"], text) == links[event["seq"]]["digest"]
        if event["text"]:
            assert code(event["text_key"], event["text"]) == event["columns"]["detail_digest"]
    for part in body["segments"]:
        before = part["previous"]
        for link in part["links"]:
            before = code(link["key"], f"{before}\n{link['seq']}\n{link['digest']}")
            assert before == link["mac"]
    assert links[head.seq]["mac"] == head.mac


def test_a_file_goes_from_each_event_to_the_next_anchor_only(store: Store, document: DocumentRecord) -> None:
    early = _anchor_at(store, 3)
    body = _file(store, document, early)
    assert [[link["seq"] for link in part["links"]] for part in body["segments"]] == [[2, 3], [5, 6, 7, 8, 9]]
    assert [anchor["seq"] for anchor in body["anchors"]] == [3]
    found = _checked(body, early)
    assert (found.anchored, found.unanchored) == ((2,), (5, 7, 8)), "nothing is said of what came after the anchor"


def test_an_anchor_too_far_away_leaves_the_way_there_out(
    store: Store, document: DocumentRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MAX_LINKS", 3)
    body = _file(store, document)
    assert [[link["seq"] for link in part["links"]] for part in body["segments"]] == [[2], [5], [7, 8, 9]]
    assert _checked(body).ok


def _set(*path: str | int, to: Any) -> Edit:
    def edit(body: dict[str, Any]) -> None:
        place: Any = body
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = to

    return edit


def _drop_event(body: dict[str, Any]) -> None:
    del body["segments"][0]["links"][3]


def _swap_events(body: dict[str, Any]) -> None:
    first, second = body["events"][0], body["events"][1]
    first["seq"], second["seq"] = second["seq"], first["seq"]


def _forge(body: dict[str, Any]) -> None:
    """Change an event and compute everything behind it anew: whoever has the file has the keys for that."""
    from airflow_provider_mlconnector.store.sealing import content_digest, link

    body["events"][1]["columns"]["state_after"] = "posted"
    proof = from_file(json.dumps(body))
    columns = dict(proof.events[1].columns)
    from datetime import datetime

    columns["at"] = datetime.fromisoformat(columns["at"])
    links = body["segments"][0]["links"]
    before = body["segments"][0]["previous"]
    for one in links:
        if one["seq"] == 5:
            one["digest"] = content_digest(bytes.fromhex(body["document_key"]), columns)
        one["mac"] = before = link(bytes.fromhex(one["key"]), before, one["seq"], one["digest"])


@pytest.mark.parametrize(
    ("edit", "seq", "reason"),
    [
        (_set("events", 1, "columns", "state_after", to="posted"), 5, "is not the one that stood here"),
        (_set("events", 1, "columns", "at", to="2020-01-01T00:00:00+00:00"), 5, "is not the one that stood here"),
        (_set("events", 1, "columns", "user_name", to="anna"), 5, "is not the one that stood here"),
        (_set("events", 1, "columns", "document_id", to="another"), 5, "is of another document"),
        (_set("events", 1, "text", to='{"detail":{},"reason":"approved"}'), 5, "its text is not the one"),
        (_set("events", 1, "text", to=""), 5, "its text is missing"),
        (_set("events", 1, "seq", to=99), 99, "has no place"),
        (_swap_events, 5, "is not the one that stood here"),
        (_drop_event, 5, "has no place"),
        (_set("segments", 0, "links", 2, "digest", to="0" * 64), 4, "does not continue"),
        (_set("segments", 0, "links", 2, "key", to="0" * 64), 4, "does not continue"),
        (_set("segments", 0, "links", 2, "mac", to="0" * 64), 4, "does not continue"),
        (_set("segments", 0, "links", 2, "seq", to=40), 4, "is missing"),
        (_set("segments", 0, "previous", to="0" * 64), 2, "does not continue"),
        (_set("document_key", to="0" * 64), 2, "is not the one that stood here"),
        (_forge, 2, "is not the one the anchor at event 9 was taken from"),
    ],
)
def test_any_edit_of_a_file_is_found(store: Store, document: DocumentRecord, edit: Edit, seq: int, reason: str) -> None:
    head = store.head()
    body = _file(store, document, head)
    edit(body)
    found = _checked(body, head)
    assert (found.ok, found.bad_seq) == (False, seq)
    assert reason in found.reason


def test_a_forged_file_agrees_with_itself_but_not_with_the_key(store: Store, document: DocumentRecord) -> None:
    body = _file(store, document, store.head())
    body["document_key"] = "ab" * 32
    assert not store.vouches_for(from_file(json.dumps(body)))
    true = from_file(json.dumps(_file(store, document, store.head())))
    assert store.vouches_for(true)
    thief = KeyRing.parse(f"k1:{KEY_1}", KEY_2)
    assert not export.are_ours(true, thief)
    assert export.are_ours(true, KeyRing.parse(f"k2:{KEY_2}", AUDIT)), "the encryption keys have no part in it"


def test_an_anchor_of_another_store_is_the_readers_error(store: Store, document: DocumentRecord) -> None:
    found = _checked(_file(store, document), ChainHead("another", 9, "0" * 64))
    assert (found.ok, found.bad_seq) == (False, None)
    assert "the anchor of store another" in found.reason


def test_what_may_be_content_of_the_document_is_withheld_and_its_key_too(
    store: Store, document: DocumentRecord
) -> None:
    body = _file(store, document, store.head())
    text = json.dumps(body)
    assert SECRET not in text
    assert "NB-2" not in text, "nothing of the payload"
    withheld = [event for event in body["events"] if event["withheld"]]
    assert [(event["seq"], event["text"], event["text_key"]) for event in withheld] == [(8, "", "")]
    assert withheld[0]["withheld"] == "may hold content of the document: difference"
    assert "account 51200 is not mapped" in body["events"][1]["text"]


def test_nothing_said_of_a_supplier_is_shown(store: Store) -> None:
    (supplier,) = added(store, 1, document="supplier")
    _park(store, [supplier], f"bank account {SECRET} is for approval")
    body = _file(store, supplier, store.head())
    assert SECRET not in json.dumps(body)
    assert {event["withheld"] for event in body["events"]} == {"what is said of a supplier is not shown"}
    assert _checked(body, store.head()).ok


def test_of_other_documents_a_file_shows_digests_only(store: Store, document: DocumentRecord) -> None:
    others = [one for one in added(store, 50, 51) if one.id != document.id]
    text = json.dumps(_file(store, document, store.head()))
    assert [one.id for one in others if one.id in text] == []
    keys = ring()
    for one in others:
        assert keys.key_for("document", one.id).hex() not in text


def test_a_trail_that_was_edited_gives_no_proof(url: str, store: Store, document: DocumentRecord) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(update(events).where(events.c.seq == 6).values(kind="posted"))
    engine.dispose()
    with pytest.raises(TrailAltered, match="does not hold at event 6") as altered:
        store.prove(document.id)
    assert altered.value.seq == 6


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "mlconnector audit export 9"}', "null", '{"format": 1}'])
def test_what_is_no_export_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not an export"):
        from_file(text)


def _anchor_at(store: Store, seq: int) -> ChainHead:
    with store.unit_of_work(ACTOR) as uow:
        (mac,) = uow.events._work.connection.scalars(
            events.select().with_only_columns(events.c.mac).where(events.c.seq == seq)
        )
    return ChainHead(store.id, seq, mac)
