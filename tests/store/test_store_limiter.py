"""The pace all workers keep together: pauses after a refusal, patience, the day's quota, and four real processes."""

from __future__ import annotations

import heapq
import logging
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from support.ion_load import collect, new_store, start
from support.postgres import PostgresServer
from support.stores import START, ManualClock

from airflow_provider_mlconnector.sandbox.server import serving
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.pace import FIRST_HOLD, LONGEST_HOLD, StoredLimiter, Usage
from airflow_provider_mlconnector.systems.cloudsuite.gateway import ALLOWANCE
from airflow_provider_mlconnector.systems.ports import RateLimiter

KEY = "ION ion.example ACME_TST"


# --- refusals ------------------------------------------------------------------------------------------------------


def test_a_refusal_pauses_all_workers_for_as_long_as_the_remote_asks(
    store: Store, another: Callable[[], Store], clock: ManualClock
) -> None:
    one: RateLimiter = store.limiter(60)
    other: RateLimiter = another().limiter(60)
    assert (one.reserve(KEY), one.held(KEY)) == (0, 0)
    one.hold(KEY, 30)
    assert other.held(KEY) == pytest.approx(30)
    assert [other.reserve(KEY), one.reserve(KEY)] == pytest.approx([30, 31])
    assert other.reserve("another tenant") == 0
    clock.advance(30)
    assert (one.held(KEY), other.held(KEY)) == (0, 0)


def test_a_burst_does_not_go_out_while_calls_are_held(store: Store, clock: ManualClock) -> None:
    limiter = store.limiter(60, burst=5)
    limiter.reserve(KEY)
    limiter.hold(KEY, 3)
    assert limiter.reserve(KEY, patience=2) == pytest.approx(3)
    assert [limiter.reserve(KEY) for _ in range(5)] == pytest.approx([3] * 5)
    assert limiter.reserve(KEY) == pytest.approx(4)
    clock.advance(60)
    assert [limiter.reserve(KEY) for _ in range(6)] == pytest.approx([0] * 5 + [1], abs=1e-5)


def test_refusals_of_calls_under_way_count_as_one_and_the_longest_wish_stands(store: Store, clock: ManualClock) -> None:
    limiter = store.limiter(60)
    limiter.reserve(KEY)
    for seconds in (None, None, None, 2):
        limiter.hold(KEY, seconds)
    assert limiter.held(KEY) == pytest.approx(FIRST_HOLD)
    limiter.hold(KEY, 20)
    limiter.hold(KEY, 1)
    assert limiter.held(KEY) == pytest.approx(20)


def test_without_a_wish_each_further_refusal_doubles_the_pause_up_to_a_minute(store: Store, clock: ManualClock) -> None:
    limiter, pauses = store.limiter(60), []
    limiter.reserve(KEY)
    for _ in range(6):
        limiter.hold(KEY, None)
        pauses.append(limiter.held(KEY))
        clock.advance(pauses[-1] + 0.5)
    assert pauses == pytest.approx([5, 10, 20, 40, LONGEST_HOLD, LONGEST_HOLD])
    clock.advance(301)
    limiter.hold(KEY, None)
    assert limiter.held(KEY) == pytest.approx(FIRST_HOLD)


def test_a_refusal_of_what_was_never_paced_here_holds_nobody(store: Store) -> None:
    limiter = store.limiter(60)
    limiter.hold(KEY, 30)
    assert limiter.held(KEY) == 0
    assert limiter.reserve(KEY) == 0


def test_a_slot_that_comes_too_late_stays_free(store: Store) -> None:
    limiter = store.limiter(60)
    assert [limiter.reserve(KEY) for _ in range(3)] == pytest.approx([0, 1, 2])
    assert [limiter.reserve(KEY, patience=2) for _ in range(5)] == pytest.approx([3] * 5)
    assert limiter.reserve(KEY, patience=3) == pytest.approx(3)
    assert limiter.reserve(KEY) == pytest.approx(4)
    assert limiter.usage(KEY).used == 5, "calls never made are not counted"


# --- the day's quota -----------------------------------------------------------------------------------------------


def test_the_calls_of_a_day_are_counted_for_all_and_told_once_at_four_fifths_and_at_the_end(
    store: Store, another: Callable[[], Store], clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    limiters = [store.limiter(6000, quota=10), another().limiter(6000, quota=10)]
    with caplog.at_level(logging.WARNING):
        for number in range(12):
            limiters[number % 2].reserve(KEY)
            assert limiters[1].usage(KEY).near == (number >= 7)
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        f"{KEY}: 8 of the 10 calls a day are used (08:00 UTC); the rest of the day may be refused",
        f"{KEY}: all 10 calls of the day are used (08:00 UTC)",
    ]
    assert limiters[0].usage(KEY) == Usage(12, 10)
    clock.current = datetime(2024, 9, 3, tzinfo=UTC)
    assert limiters[0].usage(KEY) == Usage(0, 10)
    limiters[0].reserve(KEY)
    assert limiters[0].usage(KEY) == Usage(1, 10)


def test_without_a_quota_nothing_is_told(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    limiter = store.limiter(6000)
    for _ in range(20):
        limiter.reserve(KEY)
    assert (limiter.usage(KEY), caplog.records) == (Usage(20, None), [])
    assert not limiter.usage(KEY).near


@pytest.mark.parametrize("quota", [0, -5])
def test_an_impossible_quota_is_refused(store: Store, quota: int) -> None:
    with pytest.raises(ValueError, match="quota"):
        store.limiter(60, quota=quota)


# --- the allowance -------------------------------------------------------------------------------------------------


def arrivals(
    limiter: RateLimiter, key: str, clock: ManualClock, *, workers: int, minutes: int, seed: int
) -> list[float]:
    """Let workers call without a break and return when their calls reach the gateway, in seconds."""
    draw, times = random.Random(seed), []
    due = [(draw.uniform(0, 1), worker) for worker in range(workers)]
    heapq.heapify(due)
    while due[0][0] < minutes * 60:
        now, worker = heapq.heappop(due)
        clock.current = START
        clock.advance(now)
        sent = now + limiter.reserve(key)
        times.append(sent + draw.uniform(0, 0.55))  # the way there takes its time
        heapq.heappush(due, (times[-1] + draw.uniform(0.05, 1.2), worker))
    return times


@pytest.mark.parametrize("seed", range(3))
def test_four_workers_use_97_percent_of_every_minute_and_never_one_call_more_than_allowed(
    sqlite_store: Store, seed: int
) -> None:
    print(f"seed {seed}")
    clock = ManualClock()
    limiter = StoredLimiter(sqlite_store._engine, clock, per_minute=100 * ALLOWANCE, burst=1)
    times = arrivals(limiter, f"tenant {seed}", clock, workers=4, minutes=6, seed=seed)
    for phase in (0.0, 7.3, 29.9, 41.7, 59.5):
        counts = Counter(int((moment - phase) // 60) for moment in times)
        whole = [counts[number] for number in range(1, 4)]
        assert max(counts.values()) <= 100, phase
        assert min(whole) >= 97, phase


@pytest.mark.postgres
def test_four_processes_on_postgres_share_one_pace_and_one_token(postgres: PostgresServer) -> None:
    database = postgres.fresh_url()
    new_store(database)
    policy = {"period_ms": 1000, "max_requests_per_period": 30}  # twice the pace: no hiccup of this machine counts
    with serving(seed=1, cloudsuite=policy) as site:
        tallies = collect([start(site.url, database, 4, 900) for _ in range(4)], 100)
        ledger = site.app.cloudsuite.ledger()
    assert [tally.failed for tally in tallies] == [[]] * 4
    assert all(tally.calls for tally in tallies), "every process got slots"
    periods = ledger["gateway"]["per_period"]
    passed = [periods[key]["passed"] for key in sorted(periods)]
    assert sum(passed) == sum(tally.calls for tally in tallies)
    assert ledger["gateway"]["refused"] == {}
    assert ledger["tokens"]["issued"] == 1
    stamps = [datetime.fromisoformat(key).timestamp() for key in sorted(periods)]
    assert all(later > earlier for earlier, later in pairwise(stamps))
    assert sum(passed) <= 15 * (stamps[-1] - stamps[0] + 1) + 4, "no process had a pace of its own"
