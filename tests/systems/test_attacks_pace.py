"""One tenant that is told to wait, and the others beside it (engineering.md §2.4, 7)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.raw_server import http, serve
from support.stores import ManualClock, ring, upgraded

from airflow_provider_mlconnector.errors import RateLimited
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.systems.transport import Call, Effect, Transport

READ = Call("GET", "/list", Effect.READ, "list")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'store.db'}", ring(), clock=clock)
    upgraded(opened)
    yield opened
    opened.close()


def test_a_tenant_told_to_wait_slows_its_own_workers_and_no_other(store: Store, clock: ManualClock) -> None:
    with serve(http(429, Retry_After="300"), http(200)) as full, serve(http(200)) as free:

        def client(url: str, key: str) -> Transport:
            limiter = store.limiter(6000)
            return Transport(url, system=key, clock=clock, limiter=limiter, limiter_key=key, allow_http=True)

        with pytest.raises(RateLimited) as caught:
            client(full.url, "tenant A").send(READ)
        assert caught.value.retry_after == 300
        begun = clock.monotonic()
        with pytest.raises(RateLimited, match="our own rate limit"):
            client(full.url, "tenant A").send(READ)
        assert len(full.requests) == 1, "another worker of A does not even ask"
        other = client(free.url, "tenant B")
        assert [other.send(READ).status for _ in range(20)] == [200] * 20
        assert clock.monotonic() - begun < 1, "B waits for its own pace alone"
        clock.advance(300)
        assert client(full.url, "tenant A").send(READ).status == 200


@pytest.mark.parametrize("share", [3, 10])
def test_a_storm_of_refusals_loses_no_call_and_repeats_no_write(store: Store, clock: ManualClock, share: int) -> None:
    """30 % of calls refused, and all but the tenth."""
    answers = [http(200 if number % 10 >= share or number % 10 == 9 else 429, Retry_After="1") for number in range(400)]
    with serve(*answers) as server:
        client = Transport(server.url, system="x", clock=clock, retries=12, allow_http=True, wait_budget=600)
        done = [client.send(Call("GET", f"/{number}", Effect.WRITE, "write")).status for number in range(20)]
    assert done == [200] * 20
    asked = [head.split(b" ")[1] for head in server.requests]
    served = [path for number, path in enumerate(asked) if number % 10 >= share or number % 10 == 9]
    assert sorted(served) == sorted(f"/{number}".encode() for number in range(20))


def test_a_tenant_that_refuses_everything_ends_the_task_with_the_time_to_come_again(clock: ManualClock) -> None:
    with serve(http(429, Retry_After="20")) as server, pytest.raises(RateLimited) as caught:
        Transport(server.url, system="x", clock=clock, allow_http=True).send(READ)
    assert caught.value.retry_after == 20
    assert clock.monotonic() <= 60
