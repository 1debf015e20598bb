from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import MetaData, create_engine, select
from sqlalchemy.exc import StatementError
from support.stores import ACTOR, ROUTE, START, ManualClock, added, invoice

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Change


def test_a_page_is_returned_in_order_as_stored(store: Store) -> None:
    docs = added(store, 3, 1, 2, document_date=date(2024, 8, 30), business_unit="BU1")
    assert [doc.number for doc in docs] == ["NB-3", "NB-1", "NB-2"]
    assert [doc.id for doc in docs] == sorted(doc.id for doc in docs)
    with store.unit_of_work(ACTOR) as uow:
        assert uow.documents.get_many([doc.id for doc in docs]) == docs
    assert docs[0].state is State.EXTRACTED
    assert docs[0].created_at == START
    assert docs[0].document_date == date(2024, 8, 30)


def test_a_known_revision_is_not_stored_again_and_writes_no_event(store: Store) -> None:
    added(store, 1, 2)
    before = store.head()
    again = added(store, 1, 2, 3)
    assert [doc.number for doc in again] == ["NB-3"]
    assert store.head().seq == before.seq + 1


def test_the_same_key_twice_in_a_page_is_stored_once(store: Store) -> None:
    assert len(added(store, 1, 1)) == 1


def test_another_revision_route_source_or_tenant_is_another_document(store: Store) -> None:
    added(store, 1)
    for change in ({"revision": "2"}, {"route": "other"}, {"source": "other"}, {"tenant": "other"}):
        assert len(added(store, 1, **change)) == 1


def test_revisions_come_oldest_first_and_unknown_keys_are_missing(store: Store) -> None:
    for revision in ("b", "a"):
        added(store, 1, revision=revision)
    with store.unit_of_work(ACTOR) as uow:
        found = uow.documents.revisions(ROUTE, "jaggaer", "acme", ["key-1", "key-9"])
        assert {key: [doc.revision for doc in docs] for key, docs in found.items()} == {"key-1": ["b", "a"]}
        assert uow.documents.revisions(ROUTE, "jaggaer", "acme", []) == {}


def test_payloads_and_canonicals_come_back_as_stored(store: Store) -> None:
    first, second = added(store, 1, 2)
    with store.unit_of_work(ACTOR) as uow:
        uow.documents.apply([Change(first, State.VALIDATED, canonical=b"canonical \xff")])
    with store.unit_of_work(ACTOR) as uow:
        ids = [first.id, second.id, "unknown"]
        assert uow.documents.payloads(ids) == {first.id: invoice(1).payload, second.id: invoice(2).payload}
        assert uow.documents.canonicals(ids) == {first.id: b"canonical \xff"}


@pytest.mark.parametrize("wanted", ["NB-7", "nb-7", " key-7 ", "KEY-7", "ji7"])
def test_a_document_is_found_by_what_people_call_it(store: Store, wanted: str) -> None:
    docs = added(store, 7, 77)
    with store.unit_of_work(ACTOR) as uow:
        assert uow.documents.find(wanted) == [docs[0]]
        assert uow.documents.find(docs[0].id.upper()) == [docs[0]]
        assert uow.documents.find(wanted, route="other") == []


def test_search_filters_and_lists_newest_first(store: Store) -> None:
    docs = added(store, 1, 2, 3)
    other = added(store, 4, supplier="V2", batch_id="batch-2", state=State.SKIPPED, reason_code="cut_over")
    with store.unit_of_work(ACTOR) as uow:
        search = uow.documents.search
        assert search(limit=2) == [other[0], docs[2]]
        assert search(supplier="V2") == search(batch_id="batch-2") == search(reason_code="cut_over") == other
        assert search(states=[State.EXTRACTED]) == docs[::-1]
        assert search(states=[]) == search(route="other") == []
        assert uow.documents.get("unknown") is None


def test_search_pages_upwards_from_an_id(store: Store) -> None:
    docs = added(store, *range(5))
    seen, after = [], ""
    with store.unit_of_work(ACTOR) as uow:
        while page := uow.documents.search(limit=2, after_id=after):
            seen += page
            after = page[-1].id
    assert seen == docs


def test_only_documents_that_are_due_and_free_are_due(store: Store, clock: ManualClock) -> None:
    now, later, held = added(store, "now", "later", "held")
    with store.unit_of_work(ACTOR) as uow:
        uow.documents.apply([Change(later, State.PARKED, due_at=START + timedelta(hours=1))])
        uow.documents.claim_ids([held.id], states=[State.EXTRACTED], to=None, owner="w", seconds=60, now=START)
    states = [State.EXTRACTED, State.PARKED]
    with store.unit_of_work(ACTOR) as uow:
        assert uow.documents.due(ROUTE, states, now=START, limit=9) == [now]
        assert uow.documents.count_due(ROUTE, states, now=START) == 1
        assert uow.documents.count_due(ROUTE, states, now=START + timedelta(seconds=60)) == 2
        assert uow.documents.count_due(ROUTE, states, now=START + timedelta(hours=1)) == 3
        assert uow.documents.due(ROUTE, states, now=START, limit=9, chunk_id="none") == []


def test_states_are_counted_and_summed_exactly_per_currency(store: Store) -> None:
    added(store, *range(10), gross="0.1")
    added(store, "kw", gross="1.234", currency="KWD")
    added(store, "bad", gross="1e400")
    added(store, "worse", gross="n/a")
    with store.unit_of_work(ACTOR) as uow:
        counts = {row.currency: row for row in uow.documents.count_states(ROUTE)}
        assert (counts["USD"].count, counts["USD"].gross) == (12, Decimal("1.0"))
        assert (counts["KWD"].count, counts["KWD"].gross) == (1, Decimal("1.234"))
        assert uow.documents.count_states(batch_id="other") == []


@pytest.mark.parametrize("kind", ["credit_memo", "Credit memo"])
def test_credit_memos_are_subtracted_from_the_sums(store: Store, kind: str) -> None:
    added(store, 1, gross="10.00")
    added(store, 2, gross="2.50", kind=kind)
    with store.unit_of_work(ACTOR) as uow:
        [row] = uow.documents.count_states(ROUTE)
    assert (row.count, row.gross) == (2, Decimal("7.5"))


def test_reasons_group_documents_by_cause_largest_first(store: Store) -> None:
    docs = added(store, 1, 2, 3)
    subjects = ["51200", "51200", "51300"]
    changes = [
        Change(doc, State.PARKED, reason_code="unmapped", reason=f"account {subject}", reason_subject=subject)
        for doc, subject in zip(docs, subjects, strict=True)
    ]
    with store.unit_of_work(ACTOR) as uow:
        uow.documents.apply(changes)
        assert uow.documents.reasons(ROUTE, [State.PARKED]) == [
            ("unmapped", "51200", "account 51200", 2),
            ("unmapped", "51300", "account 51300", 1),
        ]


def test_poison_in_one_document_spoils_neither_itself_nor_its_page(store: Store) -> None:
    poison = {
        "key": "key\x00\ud800",
        "number": "a\x00b\ud800" + "x" * 10_000_000,
        "supplier": "😀" * 400,
        "gross": "NaN",
        "reason": "r\x00" * 5000,
        "payload": b"\x00\xff",
        "source_number": "\udfff",
    }
    docs = [invoice(1), invoice("p", **poison), invoice(2)]
    with store.unit_of_work(ACTOR) as uow:
        stored = uow.documents.add_page(docs)
    assert len(stored) == 3
    with store.unit_of_work(ACTOR) as uow:
        assert uow.documents.get_many([doc.id for doc in stored]) == stored
        assert uow.documents.payloads([stored[1].id]) == {stored[1].id: b"\x00\xff"}
        assert len(stored[1].number) == 255
        assert uow.events.of(stored[1].id)[0].reason == "r\x00" * 5000
    assert store.verify_chain().ok


def test_an_error_inside_a_unit_of_work_leaves_no_trace(store: Store) -> None:
    before = store.head()
    with pytest.raises(ZeroDivisionError), store.unit_of_work(ACTOR) as uow:
        _ = uow.documents.add_page([invoice(1)]) and 1 / 0
    with store.unit_of_work(ACTOR) as uow:
        assert uow.documents.search() == []
    assert store.head() == before


def test_two_workers_storing_overlapping_pages_store_each_document_once(
    store: Store, another: Callable[[], Store]
) -> None:
    stores = [store, another()]

    def extract(worker: int) -> list[str]:
        stored = []
        for start in range(0, 200, 20):
            page = [invoice(number) for number in range(start, start + 40)]
            with stores[worker].unit_of_work(ACTOR) as uow:
                stored += uow.documents.add_page(page if worker else page[::-1])
        return [doc.key for doc in stored]

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(extract, range(2))
    assert sorted(first + second) == sorted(f"key-{number}" for number in range(220))
    assert store.verify_chain().ok


def test_sensitive_content_is_not_in_the_database_in_plain_text(url: str, store: Store) -> None:
    secret = "Confidential-Widget"
    docs = added(store, 1, payload=f'{{"text": "{secret}"}}'.encode(), source_hash="h")
    with store.unit_of_work(ACTOR) as uow:
        uow.documents.apply(
            [Change(docs[0], State.VALIDATED, canonical=secret.encode(), detail={"text": secret}, reason="")]
        )
        uow.events.add("note", document_id=docs[0].id, reason=secret)
        uow.snapshots.put("s", "n", {"text": secret})
        uow.previews.put("r", docs[0].id, {"text": secret})
    store.tokens.put("conn", secret, START + timedelta(hours=1))
    engine = create_engine(url)
    tables = MetaData()
    with warnings.catch_warnings(action="ignore"):  # indexes on expressions cannot be read back from SQLite
        tables.reflect(engine)
    with engine.connect() as connection:
        everything = repr([connection.execute(select(table)).all() for table in tables.sorted_tables])
    engine.dispose()
    assert "NB-1" in everything
    assert secret not in everything


def test_naive_times_are_refused(store: Store) -> None:
    with pytest.raises(StatementError, match="aware times only"), store.unit_of_work(ACTOR) as uow:
        uow.watermarks.advance(ROUTE, START.replace(tzinfo=None))


def test_documents_of_a_route_are_found_by_any_number_of_numbers_in_one_query(store: Store) -> None:
    added(store, 1, 2, 3)
    added(store, 1, route="other")
    with store.unit_of_work(ACTOR) as uow:
        found = uow.documents.numbered(ROUTE, ["nb-3", "NB-1", "NB-1", "NB-9"])
        assert [(doc.route, doc.number) for doc in found] == [(ROUTE, "NB-1"), (ROUTE, "NB-3")]
        assert uow.documents.numbered(ROUTE, []) == []
