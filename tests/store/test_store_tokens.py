"""Who asks for a token: one of all workers at a time, and a dead one does not keep the others waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from support.stores import START, ManualClock, ring

from airflow_provider_mlconnector.errors import Unavailable
from airflow_provider_mlconnector.store import Store, shared
from airflow_provider_mlconnector.store.shared import LOCK_PATIENCE, LOCK_SECONDS
from airflow_provider_mlconnector.systems.ports import TokenCache

KEY = "ion:abc"
HOUR = timedelta(hours=1)


class _Forgetful(dict[str, threading.Lock]):
    def setdefault(self, key: str, default: threading.Lock | None = None) -> threading.Lock:  # type: ignore[override]
        assert key
        assert default is not None
        return default


@pytest.fixture
def strangers(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Make threads meet in the database alone, as processes do: each finds no lock of its own process."""
    return lambda: monkeypatch.setattr(shared, "_LOCAL", _Forgetful())


def test_one_holder_at_a_time_whatever_else_is_locked(store: Store, another: Callable[[], Store]) -> None:
    cache: TokenCache = store.tokens
    with cache.exclusive(KEY), another().tokens.exclusive("ion:other"):
        pass
    with cache.exclusive(KEY):
        pass


def test_a_holder_that_died_keeps_others_out_for_seconds_only(
    store: Store, another: Callable[[], Store], clock: ManualClock, strangers: Callable[[], None]
) -> None:
    strangers()
    dead = store.tokens.exclusive(KEY)
    dead.__enter__()
    began = clock.now()
    with another().tokens.exclusive(KEY):
        waited = (clock.now() - began).total_seconds()
    assert LOCK_SECONDS <= waited <= LOCK_SECONDS + 1


def test_a_late_holder_does_not_give_back_what_another_took_over(
    store: Store, another: Callable[[], Store], clock: ManualClock, strangers: Callable[[], None]
) -> None:
    strangers()
    late = store.tokens.exclusive(KEY)
    late.__enter__()
    clock.advance(LOCK_SECONDS)
    with another().tokens.exclusive(KEY):
        late.__exit__(None, None, None)
        began = clock.now()
        with another().tokens.exclusive(KEY):
            assert (clock.now() - began).total_seconds() >= LOCK_SECONDS - 1


def test_when_others_ask_without_end_the_task_may_run_again_later(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.StoredTokens, "_take", lambda *_: False)
    with pytest.raises(Unavailable, match="other workers have been asking"), store.tokens.exclusive(KEY):
        pytest.fail("nobody gave it back")
    assert LOCK_PATIENCE <= clock.monotonic() <= LOCK_PATIENCE + 1


def test_an_error_inside_gives_the_lock_back(store: Store, clock: ManualClock) -> None:
    began = clock.now()
    with pytest.raises(ZeroDivisionError), store.tokens.exclusive(KEY):
        _ = 1 / 0
    with store.tokens.exclusive(KEY):
        assert clock.now() == began


@pytest.mark.parametrize(("threads", "apart"), [(50, False), (12, True)])
def test_many_who_need_a_token_at_the_same_moment_ask_once(
    url: str, strangers: Callable[[], None], *, threads: int, apart: bool
) -> None:
    """Within a process, and between processes that only meet in the database."""
    if apart:
        strangers()
    asked: list[str] = []
    together = threading.Barrier(threads)

    def want(store: Store) -> str:
        cache = store.tokens
        together.wait()
        with cache.exclusive(KEY):
            kept = cache.get(KEY)
            if kept is None:
                asked.append("token-1")
                cache.put(KEY, "token-1", datetime.now(UTC) + HOUR)
        found = cache.get(KEY)
        assert found is not None
        return found[0]

    stores = [Store.open(url, ring()) for _ in range(4)]
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(want, [stores[number % 4] for number in range(threads)]))
    for store in stores:
        store.close()
    assert found == ["token-1"] * threads
    assert asked == ["token-1"]


# --- who works with it ---------------------------------------------------------------------------------------------


def test_the_last_user_is_told_so(store: Store, another: Callable[[], Store], clock: ManualClock) -> None:
    here, there = store.tokens, another().tokens
    here.join(KEY, "one", START + HOUR)
    there.join(KEY, "two", START + HOUR)
    here.join(KEY, "one", START + 2 * HOUR)
    here.join("ion:abc%", "three", START + HOUR)
    assert not here.leave(KEY, "one")
    assert there.leave(KEY, "two")
    assert there.leave(KEY, "two"), "leaving twice changes nothing"


def test_a_user_that_died_counts_until_its_token_has_ended(store: Store, clock: ManualClock) -> None:
    cache = store.tokens
    cache.join(KEY, "dead", START + HOUR)
    cache.join(KEY, "alive", START + 2 * HOUR)
    assert not cache.leave(KEY, "alive")
    clock.advance(3600)
    cache.join(KEY, "alive", START + 2 * HOUR)
    assert cache.leave(KEY, "alive")
