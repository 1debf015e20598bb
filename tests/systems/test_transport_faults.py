"""Every ending a request can have, against a real local server: what is repeated, raised, and never shown."""

from __future__ import annotations

import logging
import socket
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
import responses
from support.raw_server import Answer, cut, drip_body, drip_headers, http, reset, serve, silent

from airflow_provider_mlconnector.errors import (
    AmbiguousOutcome,
    ConfigurationError,
    MLConnectorError,
    NotAuthenticated,
    ProtocolError,
    RateLimited,
    StaleClaim,
    Unavailable,
)
from airflow_provider_mlconnector.systems.transport import FENCE_MARGIN, Call, Effect, Transport

SECRET = "pass-word-7781"
START = datetime(2024, 9, 30, 12, 0, tzinfo=UTC)


class FakeClock:
    """Sleeps without waiting and remembers for how long."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.passed = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds


def call(effect: Effect = Effect.READ, **extra: object) -> Call:
    params = {"OperatorPassword": SECRET}
    return Call("GET", "/Rest/Thing", effect, "thing", params=params, headers={"X-Api-Key": SECRET}, **extra)


def transport(url: str, clock: FakeClock | None = None, **options: object) -> Transport:
    return Transport(url, system="SYSPRO", clock=clock or FakeClock(), allow_http=True, **options)


@pytest.mark.parametrize("fault", [reset, cut, *(http(s) for s in (408, 429, 500, 502, 503, 504))])
def test_a_read_is_repeated_until_it_succeeds(fault: Answer) -> None:
    clock = FakeClock()
    with serve(fault, fault, http(200, b"fine", Date=format_datetime(START))) as server:
        reply = transport(server.url, clock).send(call())
    assert (reply.status, reply.body, reply.date) == (200, b"fine", START)
    assert len(server.requests) == 3
    assert len(clock.slept) == 2


@pytest.mark.parametrize("fault", [reset, cut, *(http(s) for s in (301, 400, 403, 404, 408, 422, 500, 502, 503, 504))])
def test_a_write_that_left_is_never_sent_again(fault: Answer) -> None:
    with serve(fault, http(200)) as server, pytest.raises(AmbiguousOutcome, match="thing"):
        transport(server.url).send(call(Effect.WRITE))
    assert len(server.requests) == 1


@pytest.mark.parametrize("answer", [silent, drip_body, drip_headers])
def test_the_deadline_covers_the_whole_exchange(answer: Answer) -> None:
    begun = time.monotonic()
    with serve(answer) as server, pytest.raises(AmbiguousOutcome, match=r"within 0\.5 s"):
        transport(server.url, timeout=0.5).send(call(Effect.WRITE))
    assert time.monotonic() - begun < 2


def test_a_read_that_times_out_to_the_end_is_unavailable() -> None:
    with serve(silent) as server, pytest.raises(Unavailable):
        transport(server.url, timeout=0.2, retries=1).send(call())
    assert len(server.requests) == 2


def test_an_absolute_update_is_repeated_and_in_the_end_ambiguous() -> None:
    with serve(http(503), http(200)) as server:
        assert transport(server.url).send(call(Effect.ABSOLUTE)).status == 200
    with serve(reset) as server, pytest.raises(AmbiguousOutcome):
        transport(server.url, retries=2).send(call(Effect.ABSOLUTE))
    assert len(server.requests) == 3


@pytest.mark.parametrize("effect", list(Effect))
def test_401_is_the_callers_to_renew(effect: Effect) -> None:
    with serve(http(401)) as server, pytest.raises(NotAuthenticated):
        transport(server.url).send(call(effect))
    assert len(server.requests) == 1


def test_a_write_refused_with_429_is_proven_not_executed_and_sent_again() -> None:
    clock = FakeClock()
    with serve(http(429, Retry_After="7"), http(200)) as server:
        assert transport(server.url, clock).send(call(Effect.WRITE)).status == 200
    assert len(server.requests) == 2
    assert clock.slept[0] >= 7


@pytest.mark.parametrize(
    ("value", "least"),
    [
        ("5", 5),
        (format_datetime(START + timedelta(seconds=20)), 20),
        (format_datetime(START - timedelta(hours=1)), 0),
        ("soon", 0),
    ],
)
def test_retry_after_is_understood_in_every_form(value: str, least: float) -> None:
    clock = FakeClock()
    fault = http(503, Retry_After=value, Date=format_datetime(START))
    with serve(fault, http(200)) as server:
        transport(server.url, clock).send(call())
    assert least <= clock.slept[0] <= max(least, 1)


@pytest.mark.parametrize("status", [429, 503])
def test_a_huge_retry_after_ends_the_task_instead_of_waiting(status: int) -> None:
    clock = FakeClock()
    with serve(http(status, Retry_After="86400")) as server, pytest.raises(RateLimited) as caught:
        transport(server.url, clock).send(call())
    assert caught.value.retry_after == 86400
    assert clock.slept == []


def test_waits_stay_within_the_budget() -> None:
    clock = FakeClock()
    with serve(http(429, Retry_After="25")) as server, pytest.raises(RateLimited):
        transport(server.url, clock).send(call())
    assert sum(clock.slept) <= 60
    assert len(server.requests) == 3


def test_a_read_returns_the_refusals_its_caller_understands() -> None:
    with serve(http(404, b"none")) as server:
        assert transport(server.url).send(call()).status == 404


def test_a_redirect_is_not_followed() -> None:
    with (
        serve(http(200)) as elsewhere,
        serve(http(307, Location=elsewhere.url)) as server,
        pytest.raises(ConfigurationError, match="redirect"),
    ):
        transport(server.url).send(call())
    assert elsewhere.requests == []


def test_an_oversized_answer_is_not_read() -> None:
    with serve(http(200, b"x" * 200_000)) as server:
        with pytest.raises(ProtocolError) as caught:
            transport(server.url, max_bytes=100_000).send(call())
        assert caught.value.evidence.startswith(b"xxx")
        with pytest.raises(AmbiguousOutcome):
            transport(server.url, max_bytes=100_000).send(call(Effect.WRITE))


def test_a_refused_connection_proves_that_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unavailable, match="refused"):
        transport(f"http://127.0.0.1:{port}").send(call(Effect.WRITE))


def test_an_unknown_host_names_the_field() -> None:
    with pytest.raises(ConfigurationError) as caught:
        transport("http://no-such-host.invalid").send(call(Effect.WRITE))
    assert caught.value.field == "Host"


def test_a_port_without_tls_names_the_field() -> None:
    def plain(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(100)
                plain(connection)

        threading.Thread(target=speak, daemon=True).start()
        with pytest.raises(ConfigurationError) as caught:
            transport(f"https://127.0.0.1:{listener.getsockname()[1]}").send(call(Effect.WRITE))
    assert caught.value.field == "Port"


def test_a_mocked_connection_error_counts_as_ambiguous_for_a_write() -> None:
    # no connection class of ours is under a mock, so nothing proves that no byte left
    with responses.RequestsMock() as mock:
        mock.add(responses.GET, "http://erp.test/Rest/Thing", body=requests.ConnectionError("boom"))
        with pytest.raises(AmbiguousOutcome):
            transport("http://erp.test").send(call(Effect.WRITE))


def test_plain_http_must_be_allowed() -> None:
    with pytest.raises(ConfigurationError, match="plain http"):
        Transport("http://erp.test", system="SYSPRO")


def test_a_url_beyond_the_limit_is_a_defect_of_the_caller() -> None:
    client = transport("http://erp.test", max_url=50)
    assert client.url_length(call()) == len(f"http://erp.test/Rest/Thing?OperatorPassword={SECRET}")
    with pytest.raises(ValueError, match="exceeds 50"):
        client.send(call())


class Fence:
    def __init__(self, *, lost_after: int = 100) -> None:
        self.checks: list[float] = []
        self.lost_after = lost_after

    def check(self, *, needed_seconds: float) -> None:
        self.checks.append(needed_seconds)
        if len(self.checks) > self.lost_after:
            msg = "lease lost"
            raise StaleClaim(msg)


def test_the_fence_is_checked_before_every_sending_of_a_write() -> None:
    fence = Fence(lost_after=1)
    with serve(http(429), http(200)) as server, pytest.raises(StaleClaim):
        transport(server.url, timeout=12).send(call(Effect.WRITE), fence=fence)
    assert len(server.requests) == 1
    assert fence.checks == [12 + FENCE_MARGIN] * 2


def test_a_read_asks_no_fence() -> None:
    fence = Fence(lost_after=0)
    with serve(http(200)) as server:
        transport(server.url).send(call(), fence=fence)
    assert fence.checks == []


def test_a_write_does_not_trust_a_connection_that_was_idle() -> None:
    clock = FakeClock()
    with serve(http(200)) as server:
        client = transport(server.url, clock)
        client.send(call())
        client.send(call(Effect.WRITE))
        assert server.connections == 1
        clock.passed += 10
        client.send(call(Effect.WRITE))
        assert server.connections == 2
        clock.passed += 10
        client.send(call())
        assert server.connections == 2


def test_a_read_survives_a_dropped_kept_connection() -> None:
    def answer_then_drop(connection: socket.socket) -> None:
        http(200)(connection)
        reset(connection)

    with serve(answer_then_drop) as server:
        client = transport(server.url)
        assert [client.send(call()).status for _ in range(5)] == [200] * 5


class Limiter:
    def __init__(self, wait: float) -> None:
        self.wait = wait
        self.keys: list[str] = []
        self.holds: list[tuple[str, float | None]] = []

    def reserve(self, key: str, *, patience: float = float("inf")) -> float:
        assert patience == 60
        self.keys.append(key)
        return self.wait

    def held(self, key: str) -> float:
        assert key in self.keys
        return 0.0

    def hold(self, key: str, seconds: float | None) -> None:
        self.holds.append((key, seconds))


def test_the_limiter_paces_every_attempt() -> None:
    clock, limiter = FakeClock(), Limiter(1.5)
    with serve(http(503), http(200)) as server:
        transport(server.url, clock, limiter=limiter, limiter_key="tenant").send(call())
    assert limiter.keys == ["tenant", "tenant"]
    assert clock.slept.count(1.5) == 2


def test_a_limiter_without_a_slot_ends_the_task() -> None:
    with pytest.raises(RateLimited) as caught:
        transport("http://erp.test", limiter=Limiter(600)).send(call(Effect.WRITE))
    assert caught.value.retry_after == 600


@pytest.mark.parametrize("fault", [reset, cut, http(500), http(302), http(401), http(429, Retry_After="999")])
@pytest.mark.parametrize("effect", list(Effect))
def test_no_secret_reaches_a_log_an_exception_or_a_repr(
    fault: Answer, effect: Effect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(fault) as server:
        client = transport(server.url, retries=1)
        with pytest.raises(MLConnectorError) as caught:
            client.send(call(effect))
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(client) + repr(call())
    assert SECRET not in shown
    assert "OperatorPassword" not in shown
    assert caught.value.__context__ is None
    assert [record.name for record in caplog.records if "thing" in record.getMessage()]


def test_urllib3_may_speak_again_after_our_exchange(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(http(200)) as server:
        transport(server.url).send(call())
        requests.get(server.url + "/elsewhere", timeout=5)
    assert "/elsewhere" in caplog.text
    assert SECRET not in caplog.text


def test_netrc_does_not_replace_the_authorization_of_the_caller(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with serve(http(200)) as server:
        mine = Call("GET", "/x", Effect.READ, "x", headers={"Authorization": "Bearer mine"})
        transport(server.url).send(mine)
    assert b"Bearer mine" in server.requests[0]
    assert b"no-store" in server.requests[0]
