from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from support.stores import ACTOR, ROUTE, START, ManualClock, added

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import StaleClaim
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Change, LeaseRecord
from airflow_provider_mlconnector.systems.ports import RateLimiter, TokenCache

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

# --- watermarks and cursors ----------------------------------------------------------------------------------------


def test_a_watermark_only_moves_forward_and_each_move_is_an_event(store: Store) -> None:
    with store.unit_of_work(ACTOR) as uow:
        assert uow.watermarks.get(ROUTE) is None
        assert uow.watermarks.advance(ROUTE, START) == START
        assert uow.watermarks.advance(ROUTE, START - HOUR) == START
        assert uow.watermarks.advance(ROUTE, START) == START
        assert uow.watermarks.advance(ROUTE, START + HOUR) == START + HOUR
        assert uow.watermarks.get("other") is None
    with store.unit_of_work(ACTOR) as uow:
        assert uow.watermarks.get(ROUTE) == START + HOUR
        assert [event.kind for event in uow.events.tail(9)] == ["watermark", "watermark"]


def test_times_of_any_zone_come_back_in_utc_to_the_microsecond(store: Store) -> None:
    moment = datetime(2024, 3, 31, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with store.unit_of_work(ACTOR) as uow:
        uow.watermarks.advance(ROUTE, moment)
    with store.unit_of_work(ACTOR) as uow:
        kept = uow.watermarks.get(ROUTE)
    assert kept == moment
    assert kept is not None
    assert kept.utcoffset() == timedelta(0)


def test_a_cursor_moves_with_its_transaction(store: Store) -> None:
    with store.unit_of_work(ACTOR) as uow:
        assert uow.cursors.get(ROUTE, "window") is None
        uow.cursors.put(ROUTE, "window", {"offset": 200})
        uow.cursors.put(ROUTE, "other", {"offset": 1})
    with pytest.raises(ZeroDivisionError), store.unit_of_work(ACTOR) as uow:
        _ = uow.cursors.put(ROUTE, "window", {"offset": 400}) or 1 / 0
    with store.unit_of_work(ACTOR) as uow:
        assert uow.cursors.get(ROUTE, "window") == {"offset": 200}
        uow.cursors.clear(ROUTE, "window")
        assert uow.cursors.get(ROUTE, "window") is None
        assert uow.cursors.get(ROUTE, "other") == {"offset": 1}


# --- crosswalk, mappings, snapshots, previews ----------------------------------------------------------------------


def test_a_crosswalk_pair_is_put_once_and_never_changed(store: Store) -> None:
    pair = ("invoice", "EDU1", "jaggaer", "key-1", "syspro")
    with store.unit_of_work(ACTOR) as uow:
        uow.crosswalk.put(*pair, "V00042/NB-1", "doc")
        uow.crosswalk.put(*pair, "V00042/NB-1", "another doc")
        with pytest.raises(ValueError, match=r"V00042/NB-1.*not V00042/NB-2"):
            uow.crosswalk.put(*pair, "V00042/NB-2", "doc")
        found = uow.crosswalk.right("invoice", "EDU1", "jaggaer", "syspro", ["key-1", "key-2"])
        assert found == {"key-1": "V00042/NB-1"}
        assert uow.crosswalk.right("invoice", "EDU2", "jaggaer", "syspro", ["key-1"]) == {}


def test_a_mapping_gets_a_new_version_only_when_its_content_changes(store: Store) -> None:
    with store.unit_of_work(ACTOR) as uow:
        assert uow.mappings.current("ap") is None
        first = uow.mappings.add("ap", {"a": 1, "b": 2}, origin="file.yaml")
        same = uow.mappings.add("ap", {"b": 2, "a": 1}, origin="Variable ap")
        second = uow.mappings.add("ap", {"a": 2}, origin="file.yaml")
        back = uow.mappings.add("ap", {"a": 1, "b": 2}, origin="file.yaml")
    assert (first.version, same, second.version, back.version) == (1, first, 2, 3)
    assert back.content_hash == first.content_hash
    with store.unit_of_work(ACTOR) as uow:
        assert uow.mappings.current("ap") == back
        assert uow.mappings.get("ap", 2) == second
        assert uow.mappings.get("ap", 9) is None
        assert [item.version for item in uow.mappings.history("ap")] == [3, 2, 1]
        assert uow.mappings.history("other") == []
        assert [event.mapping_version for event in uow.events.tail(9)] == [3, 2, 1]


def test_snapshots_are_replaced_and_purged_by_age(store: Store, clock: ManualClock) -> None:
    with store.unit_of_work(ACTOR) as uow:
        uow.snapshots.put("run-1", "chart", {"accounts": ["51200"] * 1000})
        uow.snapshots.put("run-1", "chart", {"accounts": ["51300"]})
        clock.advance(60)
        uow.snapshots.put("run-2", "chart", {"accounts": []})
        assert uow.snapshots.get("run-1", "chart") == {"accounts": ["51300"]}
        assert uow.snapshots.get("run-1", "other") is None
        assert uow.snapshots.purge(START + timedelta(seconds=30)) == 1
        assert uow.snapshots.get("run-1", "chart") is None
        assert uow.snapshots.get("run-2", "chart") == {"accounts": []}


def test_previews_belong_to_their_run(store: Store) -> None:
    with store.unit_of_work(ACTOR) as uow:
        uow.previews.put("dry-1", "b", {"state": "extracted"})
        uow.previews.put("dry-1", "a", {"state": "validated"})
        uow.previews.put("dry-1", "b", {"state": "would_post"})
        assert list(uow.previews.list("dry-1")) == [("a", {"state": "validated"}), ("b", {"state": "would_post"})]
        assert list(uow.previews.list("dry-2")) == []


# --- leases --------------------------------------------------------------------------------------------------------


def acquire(store: Store, owner: str, now: datetime = START, seconds: float = 60) -> LeaseRecord | None:
    with store.unit_of_work(ACTOR) as uow:
        return uow.leases.acquire("operator", owner, seconds, now=now)


def test_a_lease_has_one_holder_and_a_generation_per_holder(store: Store) -> None:
    first = acquire(store, "a")
    assert first == LeaseRecord("operator", "a", 1, START, START + MINUTE)
    assert acquire(store, "b", START + timedelta(seconds=59)) is None
    second = acquire(store, "b", START + MINUTE)
    assert second is not None
    assert (second.owner, second.generation) == ("b", 2)


def test_the_same_owner_re_enters_its_lease(store: Store) -> None:
    acquire(store, "a")
    again = acquire(store, "a", START + timedelta(seconds=30))
    assert again == LeaseRecord("operator", "a", 1, START, START + timedelta(seconds=90))


def test_an_owner_that_let_its_lease_run_out_is_a_new_holder(store: Store) -> None:
    acquire(store, "a")
    later = START + 2 * MINUTE
    assert acquire(store, "a", later) == LeaseRecord("operator", "a", 2, later, later + MINUTE)


def test_a_holder_is_shown_until_the_lease_ends(store: Store, clock: ManualClock) -> None:
    held = acquire(store, "a")
    with store.unit_of_work(ACTOR) as uow:
        assert uow.leases.holder("operator") == held
        assert uow.leases.holder("other") is None
        clock.advance(60)
        assert uow.leases.holder("operator") is None


def test_a_lease_is_renewed_by_its_living_holder_only(store: Store) -> None:
    first = acquire(store, "a")
    assert first is not None
    with store.unit_of_work(ACTOR) as uow:
        renewed = uow.leases.renew(first, 60, now=START + timedelta(seconds=59))
        assert renewed.until == START + timedelta(seconds=119)
    with pytest.raises(StaleClaim, match="operator"), store.unit_of_work(ACTOR) as uow:
        uow.leases.renew(first, 60, now=START + timedelta(seconds=119))
    acquire(store, "b", START + 5 * MINUTE)
    with pytest.raises(StaleClaim), store.unit_of_work(ACTOR) as uow:
        uow.leases.renew(first, 60, now=START + 5 * MINUTE)


def test_a_released_lease_is_free_at_once_and_a_late_release_harms_nobody(store: Store) -> None:
    first = acquire(store, "a")
    assert first is not None
    with store.unit_of_work(ACTOR) as uow:
        uow.leases.release(first)
        assert uow.leases.holder("operator") is None
    second = acquire(store, "b")
    assert second is not None
    assert second.generation == 2
    with store.unit_of_work(ACTOR) as uow:
        uow.leases.release(first)
        assert uow.leases.holder("operator") == second


def test_of_many_who_want_a_lease_at_once_one_gets_it(store: Store, another: Callable[[], Store]) -> None:
    stores = [store, another(), another(), another()]
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda number: acquire(stores[number], f"w{number}"), range(4)))
    assert sum(lease is not None for lease in got) == 1


# --- chunks --------------------------------------------------------------------------------------------------------


def create(store: Store, size: int, limit: int) -> list[tuple[str, int]]:
    with store.unit_of_work(ACTOR) as uow:
        chunks = uow.chunks.create(ROUTE, "batch-1", [State.EXTRACTED], size=size, limit=limit, now=START)
    assert all((chunk.batch_id, chunk.route) == ("batch-1", ROUTE) for chunk in chunks)
    return [(chunk.id, chunk.count) for chunk in chunks]


def test_chunks_cover_every_due_document_once_oldest_first(store: Store) -> None:
    docs = added(store, *range(7))
    with store.unit_of_work(ACTOR) as uow:
        uow.documents.apply([Change(docs[6], State.PARKED)])
    chunks = create(store, size=4, limit=200)
    assert [count for _, count in chunks] == [4, 2]
    with store.unit_of_work(ACTOR) as uow:
        parts = [
            uow.documents.due(ROUTE, [State.EXTRACTED], now=START, limit=99, chunk_id=chunk) for chunk, _ in chunks
        ]
    assert [doc.id for part in parts for doc in part] == [doc.id for doc in docs[:6]]


def test_beyond_the_limit_chunks_grow_instead_of_becoming_more(store: Store) -> None:
    added(store, *range(10))
    assert [count for _, count in create(store, size=2, limit=3)] == [4, 4, 2]


def test_planning_again_empties_the_chunks_planned_before(store: Store) -> None:
    added(store, *range(3))
    (before,) = create(store, size=5, limit=9)
    (after,) = create(store, size=5, limit=9)
    with store.unit_of_work(ACTOR) as uow:
        assert uow.documents.due(ROUTE, [State.EXTRACTED], now=START, limit=9, chunk_id=before[0]) == []
        assert len(uow.documents.due(ROUTE, [State.EXTRACTED], now=START, limit=9, chunk_id=after[0])) == 3


def test_nothing_due_gives_no_chunk(store: Store) -> None:
    assert create(store, size=5, limit=9) == []


# --- issues --------------------------------------------------------------------------------------------------------


def test_issues_open_per_cause_follow_their_documents_and_resolve_by_themselves(
    store: Store, clock: ManualClock
) -> None:
    docs = added(store, 1, 2, 3)

    def park(count: int) -> None:
        with store.unit_of_work(ACTOR) as uow:
            changes = [
                Change(doc, State.PARKED, reason_code="unmapped", reason="account 51200", reason_subject="51200")
                for doc in docs[:count]
            ]
            docs[:count] = uow.documents.apply(changes)

    park(1)
    with store.unit_of_work(ACTOR) as uow:
        assert uow.issues.refresh(ROUTE) == (1, 0)
        assert uow.issues.refresh(ROUTE) == (0, 0)
    park(3)
    with store.unit_of_work(ACTOR) as uow:
        assert uow.issues.refresh(ROUTE) == (0, 0)
        (issue,) = uow.issues.list(ROUTE)
        assert (issue.code, issue.subject, issue.text, issue.documents) == ("unmapped", "51200", "account 51200", 3)
        assert (issue.opened_at, issue.resolved_at) == (START, None)
        assert list(uow.issues.list("other")) == []
    clock.advance(60)
    with store.unit_of_work(ACTOR) as uow:
        uow.documents.apply([Change(doc, State.VALIDATED) for doc in docs])
        assert uow.issues.refresh(ROUTE) == (0, 1)
        assert list(uow.issues.list(ROUTE)) == []
        (old,) = uow.issues.list(ROUTE, open_only=False)
        assert (old.id, old.resolved_at) == (issue.id, START + MINUTE)


def test_a_cause_that_comes_back_opens_a_new_issue(store: Store) -> None:
    (doc,) = added(store, 1, state=State.REJECTED, reason_code="totals")
    with store.unit_of_work(ACTOR) as uow:
        uow.issues.refresh(ROUTE)
        (doc,) = uow.documents.apply([Change(doc, State.EXTRACTED)])
        assert uow.issues.refresh(ROUTE) == (0, 1)
        uow.documents.apply([Change(doc, State.REJECTED, reason_code="totals")])
        assert uow.issues.refresh(ROUTE) == (1, 0)
        assert len(uow.issues.list(ROUTE, open_only=False)) == 2


def test_issues_of_their_own_stay_until_resolved(store: Store) -> None:
    with store.unit_of_work(ACTOR) as uow:
        uow.issues.open(ROUTE, "period_differs", "doc-1", "booked into 2024-10")
        uow.issues.open(ROUTE, "period_differs", "doc-1", "booked into 2024-11")
        uow.issues.refresh(ROUTE)
        (issue,) = uow.issues.list(ROUTE)
        assert issue.text == "booked into 2024-11"
        uow.issues.resolve(ROUTE, "period_differs", "doc-1")
        assert list(uow.issues.list(ROUTE)) == []


# --- tokens and pacing ---------------------------------------------------------------------------------------------


def test_a_token_is_shared_until_it_expires(store: Store, another: Callable[[], Store], clock: ManualClock) -> None:
    cache: TokenCache = store.tokens
    assert cache.get("jaggaer") is None
    cache.put("jaggaer", "first", START + MINUTE)
    cache.put("jaggaer", "second", START + HOUR)
    assert another().tokens.get("jaggaer") == ("second", START + HOUR)
    clock.advance(3600)
    assert cache.get("jaggaer") is None


def test_dropping_a_token_spares_its_successor(store: Store) -> None:
    store.tokens.put("jaggaer", "old", START + HOUR)
    store.tokens.put("jaggaer", "new", START + HOUR)
    store.tokens.drop("jaggaer", "old")
    assert store.tokens.get("jaggaer") == ("new", START + HOUR)
    store.tokens.drop("jaggaer", "new")
    assert store.tokens.get("jaggaer") is None


def test_calls_are_spaced_evenly_over_all_workers(
    store: Store, another: Callable[[], Store], clock: ManualClock
) -> None:
    first: RateLimiter = store.limiter(60)
    second: RateLimiter = another().limiter(60)
    assert [first.reserve("a"), second.reserve("a"), first.reserve("a")] == pytest.approx([0, 1, 2])
    assert first.reserve("b") == 0, "another tenant has its own pace"
    clock.advance(10)
    assert [first.reserve("a"), second.reserve("a")] == pytest.approx([0, 1])


def test_a_burst_may_go_out_at_once_after_a_pause(store: Store, clock: ManualClock) -> None:
    limiter = store.limiter(60, burst=3)
    assert [limiter.reserve("a") for _ in range(5)] == pytest.approx([0, 0, 0, 1, 2], abs=1e-5)
    clock.advance(3600)
    assert [limiter.reserve("a") for _ in range(4)] == pytest.approx([0, 0, 0, 1], abs=1e-5)


def test_never_more_calls_than_the_rate_allows_when_many_reserve_at_once(
    store: Store, another: Callable[[], Store]
) -> None:
    limiters = [store.limiter(600), another().limiter(600)]
    with ThreadPoolExecutor(2) as pool:
        waits = [
            wait
            for part in pool.map(lambda number: [limiters[number].reserve("a") for _ in range(25)], range(2))
            for wait in part
        ]
    assert sorted(waits) == pytest.approx([number * 0.1 for number in range(50)], abs=1e-4)


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_an_impossible_rate_is_refused(store: Store, rate: float, burst: int) -> None:
    with pytest.raises(ValueError, match="rate"):
        store.limiter(rate, burst=burst)
