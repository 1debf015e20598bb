"""The gateway's client over real HTTP: tokens, refusals for too many calls, and every way an exchange can break."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from support.stores import ManualClock, ring, upgraded

from airflow_provider_mlconnector.errors import (
    AmbiguousOutcome,
    ConfigurationError,
    MLConnectorError,
    NotAuthenticated,
    RateLimited,
    Unavailable,
)
from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.systems.cloudsuite.gateway import GatewayClient
from airflow_provider_mlconnector.systems.cloudsuite.ionapi import IonApi
from airflow_provider_mlconnector.systems.cloudsuite.login import AuthOptions
from airflow_provider_mlconnector.systems.ports import Clock, RateLimiter, TokenCache
from airflow_provider_mlconnector.systems.transport import Effect, Reply, Transport

START = datetime(2026, 3, 2, 12, 0, 20, tzinfo=UTC)
IDO = "/CSI/IDORequestService/ido"
HEADERS = {"X-Infor-MongooseConfig": "ACME_TST_MAIN"}
Make = Callable[..., GatewayClient]


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serving(seed=1, start=START) as site:
        yield site


@pytest.fixture
def site(running: RunningSandbox) -> RunningSandbox:
    configure(running)
    return running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path / 'store.db'}", ring(), clock=ManualClock(START))
    upgraded(opened)
    yield opened
    opened.close()


@pytest.fixture
def make(site: RunningSandbox) -> Iterator[Make]:
    opened: list[GatewayClient] = []

    def build(
        *,
        clock: Clock | None = None,
        cache: TokenCache | None = None,
        limiter: RateLimiter | None = None,
        auth: AuthOptions | None = None,
        file: dict[str, str] | None = None,
        timeout: float = 5,
    ) -> GatewayClient:
        opened.append(client(site.url, clock, cache, limiter, auth, file or {}, timeout))
        return opened[-1]

    yield build
    for gateway in opened:
        gateway.close()


def client(
    url: str,
    clock: Clock | None,
    cache: TokenCache | None,
    limiter: RateLimiter | None,
    auth: AuthOptions | None,
    file: dict[str, str],
    timeout: float,
) -> GatewayClient:
    offered = requests.get(f"{url}/_sandbox/credentials", timeout=10).json()["cloudsuite"]["extra"]["ionapi"]
    ionapi = IonApi.parse({**offered, **file}, label="sandbox", allow_http=True)
    parts = urlsplit(ionapi.login_server)
    clock = clock or Quick()
    login = Transport(
        f"{parts.scheme}://{parts.netloc}", system="login", allow_http=True, retries=0, wait_budget=0, clock=clock
    )
    gateway = Transport(
        ionapi.gateway,
        system="ION",
        allow_http=True,
        clock=clock,
        timeout=timeout,
        limiter=limiter,
        limiter_key=ionapi.limit_key,
    )
    return GatewayClient.between("c", ionapi, gateway=gateway, login=login, cache=cache, clock=clock, auth=auth)


class Quick(ManualClock):
    """Waiting takes no time, but is noted."""

    def __init__(self) -> None:
        super().__init__(START)
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        super().sleep(seconds)


class Together(Quick):
    """The simulated tenant's time goes by too."""

    def __init__(self, site: RunningSandbox) -> None:
        super().__init__()
        self._site = site

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._site.app.clock.advance(seconds)


def configure(site: RunningSandbox, **options: Any) -> None:
    """Start over with options of the tenant, and without faults."""
    site.app.reset(cloudsuite=options)
    _post(site, "faults", [])


def spoil(site: RunningSandbox, kind: str, call: str = "CsiConfigurations", **more: Any) -> None:
    _post(site, "faults", [{"system": "cloudsuite", "kind": kind, "call": call, **more}])


def _post(site: RunningSandbox, what: str, body: Any) -> None:
    requests.post(f"{site.url}/_sandbox/{what}", json=body, timeout=30).raise_for_status()


def ledger(site: RunningSandbox) -> dict[str, Any]:
    found: dict[str, Any] = site.app.cloudsuite.ledger()
    return found


def read(gateway: GatewayClient) -> Reply:
    return gateway.get(f"{IDO}/configurations", "configurations", headers=HEADERS)


def write(gateway: GatewayClient, effect: Effect = Effect.WRITE) -> Reply:
    body = {"Changes": []}
    return gateway.post(f"{IDO}/update/SLVendors", "update of SLVendors", body, effect=effect, headers=HEADERS)


# --- logging in ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client_auth", ["basic", "body"])
@pytest.mark.parametrize("service_account", [True, False])
def test_both_grants_and_both_client_authentications_are_understood(
    site: RunningSandbox, make: Make, *, client_auth: Any, service_account: bool
) -> None:
    configure(site, service_account=service_account)
    assert read(make(auth=AuthOptions(client_auth=client_auth))).status == 200
    call = ledger(site)["tokens"]["calls"][0]
    assert call["grant"] == ("password" if service_account else "client_credentials")
    assert call["client_auth"] == client_auth


@pytest.mark.parametrize("rotate", [True, False])
def test_tokens_are_refreshed_before_they_end_over_a_day(site: RunningSandbox, make: Make, *, rotate: bool) -> None:
    configure(site, rotate_refresh=rotate)
    clock = Quick()
    gateway = make(clock=clock)
    for _ in range(4):
        read(gateway)
        clock.advance(7150)
        site.app.clock.advance(7150)
    assert ledger(site)["tokens"]["issued_by_grant"] == {"password": 1, "refresh_token": 3}


def test_a_killed_token_is_renewed_once_and_a_killed_refresh_token_by_logging_in(
    site: RunningSandbox, make: Make
) -> None:
    gateway = make()
    read(gateway)
    site.app.cloudsuite.kill_tokens()
    assert read(gateway).status == 200
    site.app.cloudsuite.kill_tokens()
    site.app.cloudsuite.kill_refresh()
    assert write(gateway).status == 200
    assert ledger(site)["tokens"]["issued_by_grant"] == {"password": 2, "refresh_token": 1}


def test_a_token_of_another_tenant_is_refused_plainly(make: Make) -> None:
    with pytest.raises(NotAuthenticated, match="just issued"):
        read(make(file={"ti": "OTHER_TST"}))


@pytest.mark.parametrize(
    ("file", "named"),
    [({"sask": "wrong"}, "`saak` and `sask`"), ({"cs": "wrong"}, "`ci` and `cs`"), ({"ot": "nope"}, "`pu` and `ot`")],
)
def test_what_is_wrong_in_the_file_is_named_and_tried_once(
    site: RunningSandbox, make: Make, file: dict[str, str], named: str
) -> None:
    gateway = make(file=file)
    for _ in range(2):
        with pytest.raises((NotAuthenticated, ConfigurationError), match=named):
            read(gateway)
    assert ledger(site)["tokens"]["refused"] <= 1


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_full_minute_of_logins_is_waited_for(site: RunningSandbox, make: Make, form: str) -> None:
    configure(site, logins_per_minute=1, retry_after=form)
    read(make())
    clock = Together(site)
    assert read(make(clock=clock)).status == 200
    assert 38 <= sum(clock.slept) <= 60
    assert ledger(site)["tokens"]["refused"] == 1


def test_the_last_task_revokes_what_it_used(site: RunningSandbox, make: Make, store: Store) -> None:
    auth = AuthOptions(revoke=True)
    one, other = make(cache=store.tokens, auth=auth), make(cache=store.tokens, auth=auth)
    read(one)
    read(other)
    one.close()
    assert ledger(site)["tokens"]["revoked"] == {}
    assert read(other).status == 200
    other.close()
    assert ledger(site)["tokens"]["revoked"] == {"access": 1, "refresh": 1}
    assert ledger(site)["tokens"]["issued"] == 1


def test_a_day_of_288_runs_with_four_workers_stays_under_20_tokens(
    site: RunningSandbox, make: Make, store: Store
) -> None:
    clock = ManualClock(START)
    store._clock = clock
    workers = [make(clock=clock, cache=store.tokens) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for _run in range(288):
            assert [reply.status for reply in pool.map(read, workers)] == [200] * 4
            clock.advance(300)
            site.app.clock.set(START + (clock.now() - START))
    counts = ledger(site)
    assert counts["tokens"]["issued"] == 12, "far below the hundred a day a client may have"
    assert counts["tokens"]["refused"] == 0
    assert counts["gateway"]["refused_by_status"] == {}, "no call went out with an ended token"


# --- too many calls ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_refusal_that_says_when_to_come_again_is_waited_out(
    site: RunningSandbox, make: Make, store: Store, form: str
) -> None:
    configure(site, max_requests_per_period=1, retry_after=form)
    store._clock = clock = Together(site)
    gateway = make(clock=clock, limiter=store.limiter(6000))
    assert [read(gateway).status for _ in range(2)] == [200, 200]
    assert ledger(site)["gateway"]["refused"] == {"throttled": 1}
    assert 38 <= sum(clock.slept) <= 60


def test_a_refusal_pauses_the_other_workers_before_they_collect_one_each(
    site: RunningSandbox, make: Make, store: Store
) -> None:
    store._clock = clock = Together(site)
    workers = [make(clock=clock, cache=store.tokens, limiter=store.limiter(6000)) for _ in range(4)]
    for gateway in workers:
        read(gateway)
    spoil(site, "rate_limit", nth=1, retry_after=900)
    with pytest.raises(RateLimited) as first:
        read(workers[0])
    assert first.value.retry_after == 900
    asked = calls(site)
    for gateway in workers[1:]:
        with pytest.raises(RateLimited, match="our own rate limit"):
            read(gateway)
    assert calls(site) == asked, "nobody else asked"
    clock.sleep(880)
    slept = sum(clock.slept)
    assert [read(gateway).status for gateway in workers] == [200] * 4
    assert 19 < sum(clock.slept) - slept < 21


def test_calls_the_gateway_delays_are_answered_all_the_same(site: RunningSandbox, make: Make) -> None:
    configure(site, delay_after_count=2, delay_factor_ms=20)
    gateway = make()
    assert [read(gateway).status for _ in range(5)] == [200] * 5
    assert sum(period["delayed"] for period in ledger(site)["gateway"]["per_period"].values()) == 3


def calls(site: RunningSandbox, name: str = "CsiConfigurations") -> int:
    return int(site.app.requests.report()["systems"].get("cloudsuite", {}).get("calls", {}).get(name, 0))


# --- broken exchanges ----------------------------------------------------------------------------------------------

READ_AGAIN = [
    {"kind": "reset_before"},
    {"kind": "reset_after"},
    {"kind": "status", "code": 502},
    {"kind": "status", "code": 503},
    {"kind": "gateway_timeout", "seconds": 0.01},
    {"kind": "cut_body"},
    {"kind": "rate_limit"},
    {"kind": "rate_limit", "retry_after": 2},
]


@pytest.mark.parametrize("fault", READ_AGAIN, ids=lambda fault: "-".join(map(str, fault.values())))
def test_a_read_survives_every_broken_exchange(site: RunningSandbox, make: Make, fault: dict[str, Any]) -> None:
    gateway = make()
    spoil(site, nth=1, **fault)
    assert read(gateway).status == 200


def test_a_gateway_that_stays_down_is_unavailable(site: RunningSandbox, make: Make) -> None:
    spoil(site, "status", code=503)
    with pytest.raises(Unavailable):
        read(make())


LOST = [
    {"kind": "reset_before"},
    {"kind": "reset_after"},
    {"kind": "status", "code": 502},
    {"kind": "status", "code": 500},
    {"kind": "gateway_timeout", "seconds": 0.01},
    {"kind": "html_after"},
    {"kind": "cut_body"},
]


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: "-".join(map(str, fault.values())))
def test_a_write_without_a_parsed_answer_is_ambiguous_and_left_once(
    site: RunningSandbox, make: Make, fault: dict[str, Any]
) -> None:
    gateway = make()
    spoil(site, call="CsiUpdate*", **fault)
    if fault["kind"] == "html_after":  # status 200: the dialect cannot read it, the gateway does not try
        assert b"<html" in write(gateway).body
        return
    with pytest.raises(AmbiguousOutcome):
        write(gateway)
    assert calls(site, "CsiUpdate SLVendors") == 1


@pytest.mark.parametrize("body", ["message", "fault", "html", "empty"])
def test_every_shape_of_the_gateways_errors_is_understood(site: RunningSandbox, make: Make, body: str) -> None:
    configure(site, error_body=body)
    with pytest.raises(ConfigurationError, match="HTTP 404, " + ("without words" if body == "empty" else ".*NOPE")):
        make().get("/NOPE/x", "something else")


def test_a_silent_gateway_ends_at_the_deadline(site: RunningSandbox, make: Make) -> None:
    spoil(site, "timeout_after", call="CsiUpdate*", seconds=3)
    with pytest.raises(AmbiguousOutcome):
        write(make(timeout=0.5))


@pytest.mark.parametrize("call", ["Token", "CsiConfigurations"])
@pytest.mark.parametrize(
    "fault", [*READ_AGAIN, {"kind": "html"}, {"kind": "status", "code": 401}, {"kind": "html_after"}]
)
def test_no_secret_is_in_any_error_of_any_call(
    site: RunningSandbox, make: Make, call: str, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    gateway = make()
    spoil(site, call=call, **fault)
    told = ""
    try:
        read(gateway)
    except MLConnectorError as error:
        told = str(error)
    hidden = [*gateway.ionapi.secrets, *gateway.tokens.secrets]
    assert not any(secret in told + caplog.text for secret in hidden)
