from __future__ import annotations

import base64
import json
import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qs

import pytest

from airflow_provider_mlconnector.errors import (
    ConfigurationError,
    MLConnectorError,
    NotAuthenticated,
    ProtocolError,
    RateLimited,
    Unavailable,
)
from airflow_provider_mlconnector.systems.cloudsuite.auth import ATTEMPTS, REFUSED_SECONDS, IonTokens
from airflow_provider_mlconnector.systems.cloudsuite.ionapi import IonApi
from airflow_provider_mlconnector.systems.cloudsuite.login import AuthOptions, LoginServer
from airflow_provider_mlconnector.systems.oauth import LONGEST_LIFETIME, UNKNOWN_LIFETIME, MemoryTokenCache
from airflow_provider_mlconnector.systems.transport import Call, Effect, Reply

START = datetime(2026, 11, 21, 8, tzinfo=UTC)
FILE = {
    "ti": "ACME_TST",
    "ci": "ACME_TST~client",
    "cs": "client-secret&+=",
    "iu": "https://ion.example",
    "pu": "https://sso.example:443/ACME_TST/as/",
    "ot": "token.oauth2",
    "or": "revoke_token.oauth2",
    "saak": "ACME_TST#access",
    "sask": "secret-key-1",
}
SECRETS = [FILE[key] for key in ("ci", "cs", "saak", "sask")]
GOOD = {"token_type": "Bearer", "expires_in": 7200}
Answer = tuple[int, object] | MLConnectorError


class Clock:
    def __init__(self) -> None:
        self.time = START
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return (self.time - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)


class Server:
    """Answers token requests; hands out token-1, token-2 and so on."""

    def __init__(self, *answers: Answer, refresh: bool = False) -> None:
        self.calls: list[Call] = []
        self.issued = 0
        self._answers = list(answers)
        self._refresh = refresh
        self.closed = False

    def send(self, call: Call) -> Reply:
        self.calls.append(call)
        answer = self._answers.pop(0) if self._answers else (200, GOOD)
        if isinstance(answer, MLConnectorError):
            raise answer
        status, body = answer
        if status == 200 and isinstance(body, dict) and not call.path.endswith("revoke_token.oauth2"):
            self.issued += 1
            body = {"access_token": f"token-{self.issued}"} | body
            if self._refresh:
                body = {"refresh_token": f"refresh-{self.issued}"} | body
        return Reply(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode(), 0.1, "r1")

    def close(self) -> None:
        self.closed = True

    def form(self, number: int) -> dict[str, str]:
        body = self.calls[number].body
        assert body is not None
        return {key: values[0] for key, values in parse_qs(body.decode(), keep_blank_values=True).items()}

    @property
    def grants(self) -> list[str]:
        return [self.form(number).get("grant_type", "revoke") for number in range(len(self.calls))]


def tokens(
    server: Server,
    *,
    clock: Clock | None = None,
    cache: MemoryTokenCache | None = None,
    seen: list[str] | None = None,
    file: dict[str, Any] | None = None,
    **auth: Any,
) -> IonTokens:
    ionapi = IonApi.parse({**FILE, **(file or {})}, label="file")
    options = AuthOptions(**auth)
    return IonTokens(
        LoginServer(server, ionapi, connection="cloudsuite_default", auth=options),  # type: ignore[arg-type]
        ionapi,
        cache=cache or MemoryTokenCache(),
        clock=clock or Clock(),
        auth=options,
        on_secret=(seen if seen is not None else []).append,
    )


def test_the_password_form_is_that_of_the_reference_with_the_client_as_basic() -> None:
    server = Server()
    assert tokens(server).token() == "token-1"
    call = server.calls[0]
    assert (call.method, call.path) == ("POST", "/ACME_TST/as/token.oauth2")
    assert (call.effect, call.content_type) == (Effect.READ, "application/x-www-form-urlencoded")
    assert server.form(0) == {"grant_type": "password", "username": "ACME_TST#access", "password": "secret-key-1"}
    assert b"ACME_TST%23access" in (call.body or b"")
    assert base64.b64decode(call.headers["Authorization"].removeprefix("Basic ")) == (
        b"ACME_TST~client:client-secret%26%2B%3D"
    )


def test_client_authentication_in_the_body_sends_no_basic_header() -> None:
    server = Server()
    tokens(server, client_auth="body", file={"sc": "a,b"}).token()
    assert "Authorization" not in server.calls[0].headers
    assert server.form(0) == {
        "grant_type": "password",
        "username": "ACME_TST#access",
        "password": "secret-key-1",
        "client_id": "ACME_TST~client",
        "client_secret": "client-secret&+=",
        "scope": "a b",
    }


@pytest.mark.parametrize(
    ("chosen", "file", "sent"),
    [
        ("auto", {}, "password"),
        ("auto", {"saak": "", "sask": ""}, "client_credentials"),
        ("client_credentials", {}, "client_credentials"),
        ("password", {}, "password"),
    ],
)
def test_the_grant_follows_the_file_unless_chosen(chosen: str, file: dict[str, str], sent: str) -> None:
    server = Server()
    tokens(server, grant=chosen, file=file).token()
    assert server.grants == [sent]


def test_the_password_grant_without_service_account_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ConfigurationError, match="no keys `saak` and `sask`") as caught:
        tokens(Server(), grant="password", file={"saak": "", "sask": ""})
    assert caught.value.field == "connection 'cloudsuite_default', field Grant"


def test_a_token_is_kept_until_a_minute_before_its_end() -> None:
    server, clock = Server(), Clock()
    source = tokens(server, clock=clock)
    assert source.token() == "token-1"
    clock.sleep(7139)
    assert source.token() == "token-1"
    clock.sleep(2)
    assert source.token() == "token-2"


def test_a_short_life_is_not_all_margin() -> None:
    server, clock = Server((200, {"expires_in": 30})), Clock()
    source = tokens(server, clock=clock)
    source.token()
    clock.sleep(26)
    assert source.token() == "token-1"
    clock.sleep(2)
    assert source.token() == "token-2"


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ({"expires_in": "7200"}, 7200),
        ({}, UNKNOWN_LIFETIME),
        ({"expires_in": 0}, UNKNOWN_LIFETIME),
        ({"expires_in": "soon"}, UNKNOWN_LIFETIME),
        ({"expires_in": 1e300}, LONGEST_LIFETIME),
    ],
)
def test_any_statement_of_the_lifetime_is_survived(stated: dict[str, object], seconds: float) -> None:
    server, clock = Server((200, stated)), Clock()
    source = tokens(server, clock=clock, margin=0)
    source.token()
    clock.sleep(seconds - 1)
    assert source.token() == "token-1"
    clock.sleep(1)
    assert source.token() == "token-2"


# --- refresh -------------------------------------------------------------------------------------------------------


def test_a_refresh_token_is_used_before_logging_in_again_and_a_new_one_replaces_it() -> None:
    server, clock, cache = Server(refresh=True), Clock(), MemoryTokenCache()
    tokens(server, clock=clock, cache=cache).token()
    clock.sleep(7200)
    assert tokens(server, clock=clock, cache=cache).token() == "token-2"
    clock.sleep(7200)
    tokens(server, clock=clock, cache=cache).token()
    assert server.grants == ["password", "refresh_token", "refresh_token"]
    assert [server.form(number)["refresh_token"] for number in (1, 2)] == ["refresh-1", "refresh-2"]


def test_an_answer_without_refresh_token_keeps_the_old_one() -> None:
    server, clock = Server((200, {"refresh_token": "kept", **GOOD})), Clock()
    source = tokens(server, clock=clock)
    for _ in range(3):
        source.token()
        clock.sleep(7200)
    assert [server.form(number)["refresh_token"] for number in (1, 2)] == ["kept", "kept"]


@pytest.mark.parametrize("answer", [(400, {"error": "invalid_grant"}), (401, b"<html>"), (400, b"")])
def test_a_refused_refresh_falls_back_once_to_logging_in(answer: Answer) -> None:
    server, clock = Server((200, {"refresh_token": "old", **GOOD}), answer, (200, GOOD)), Clock()
    source = tokens(server, clock=clock)
    source.token()
    clock.sleep(7200)
    assert source.token() == "token-2"
    assert server.grants == ["password", "refresh_token", "password"]
    clock.sleep(7200)
    source.token()
    assert server.grants[3:] == ["password"], "the refused refresh token is forgotten"


def test_a_login_server_that_is_down_is_no_reason_to_forget_the_refresh_token() -> None:
    down = Unavailable("down")
    server, clock = Server((200, {"refresh_token": "old", **GOOD}), down, (200, GOOD)), Clock()
    source = tokens(server, clock=clock)
    source.token()
    clock.sleep(7200)
    assert source.token() == "token-2"
    assert server.grants == ["password", "refresh_token", "refresh_token"]


# --- one token for all ---------------------------------------------------------------------------------------------


def test_connections_with_the_same_file_share_a_token_and_another_file_gets_its_own() -> None:
    server, cache = Server(), MemoryTokenCache()
    assert tokens(server, cache=cache).token() == tokens(server, cache=cache).token() == "token-1"
    others: list[dict[str, Any]] = [{"cs": "changed"}, {"sask": "changed"}, {"saak": "ACME_TST#b"}, {"ti": "ACME_PRD"}]
    assert [tokens(server, cache=cache, file=file).token() for file in others] == [f"token-{n}" for n in (2, 3, 4, 5)]
    assert tokens(server, cache=cache, grant="client_credentials").token() == "token-6"


def test_fifty_threads_with_a_client_each_ask_once() -> None:
    server, cache, found = Server(), MemoryTokenCache(), []
    together = threading.Barrier(50)

    def want() -> None:
        source = tokens(server, cache=cache)
        together.wait()
        found.append(source.token())

    threads = [threading.Thread(target=want) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["token-1"] * 50
    assert len(server.calls) == 1


def test_a_rejected_token_is_renewed_once_for_all() -> None:
    server, cache = Server(), MemoryTokenCache()
    one, other = tokens(server, cache=cache), tokens(server, cache=cache)
    rejected = one.token()
    assert one.renew(rejected) == other.renew(rejected) == "token-2"
    assert len(server.calls) == 2


# --- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ((400, {"error": "invalid_grant", "error_description": "bad key"}), r"`saak` and `sask`.*bad key"),
        ((401, {"error": "invalid_client"}), "`ci` and `cs`"),
        ((400, {"error": "invalid_client"}), "`ci` and `cs`"),
        ((401, b"<html><title>no</title><body>who are you</body></html>"), "the credentials .*who are you"),
        ((401, b""), "the credentials"),
    ],
)
def test_a_refused_credential_is_tried_once_and_its_keys_are_named(answer: Answer, named: str) -> None:
    server = Server(answer)
    source = tokens(server)
    for _ in range(3):
        with pytest.raises(NotAuthenticated, match=rf"connection 'cloudsuite_default'.*{named}"):
            source.token()
    assert len(server.calls) == 1


def test_other_workers_leave_a_refused_credential_alone_for_a_while_but_try_a_corrected_one_at_once() -> None:
    server, cache, clock = Server((400, {"error": "invalid_grant"})), MemoryTokenCache(), Clock()
    with pytest.raises(NotAuthenticated):
        tokens(server, cache=cache, clock=clock).token()
    with pytest.raises(NotAuthenticated, match="nobody tries again before 08:10 UTC"):
        tokens(server, cache=cache, clock=clock).token()
    assert len(server.calls) == 1
    assert tokens(server, cache=cache, clock=clock, file={"sask": "corrected"}).token() == "token-1"
    clock.sleep(REFUSED_SECONDS)
    assert tokens(server, cache=cache, clock=clock).token() == "token-2"


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ((400, {"error": "unsupported_grant_type"}), "field Grant"),
        ((400, {"error": "unauthorized_client"}), "field Grant"),
        ((400, {"error": "invalid_scope"}), "key `sc`"),
        ((404, b"<html>"), "keys `pu` and `ot`"),
        ((405, b""), "keys `pu` and `ot`"),
        ((403, b"blocked by policy"), "keys `pu` and `ot`"),
        ((400, {"error": "something_new"}), "keys `pu` and `ot`"),
    ],
)
def test_what_is_no_refusal_of_credentials_names_what_to_correct(answer: Answer, field: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        tokens(Server(answer)).token()
    assert caught.value.field == f"connection 'cloudsuite_default', {field}"


@pytest.mark.parametrize("answer", [(200, b"<html>"), (200, b"[]"), (200, b'{"access_token": 5}'), (400, b"{}")])
def test_an_answer_that_is_no_token_stops(answer: Answer) -> None:
    with pytest.raises(ProtocolError):
        tokens(Server(answer)).token()


def test_no_secret_the_server_echoes_is_shown() -> None:
    echoed = {"error": "invalid_grant", "error_description": f"wrong: {' '.join(SECRETS)}"}
    with pytest.raises(NotAuthenticated) as caught:
        tokens(Server((400, echoed))).token()
    assert not any(secret in str(caught.value) for secret in SECRETS)
    assert "wrong: *** *** *** ***" in str(caught.value)


# --- waiting -------------------------------------------------------------------------------------------------------


def test_a_full_login_server_is_waited_for_as_long_as_it_asks() -> None:
    server, clock = Server(RateLimited("full", retry_after=25), (200, GOOD)), Clock()
    assert tokens(server, clock=clock).token() == "token-1"
    assert clock.slept[0] >= 25


def test_a_wait_longer_than_a_call_may_take_ends_the_task_with_its_length() -> None:
    server, clock = Server(RateLimited("full", retry_after=120)), Clock()
    with pytest.raises(RateLimited) as caught:
        tokens(server, clock=clock).token()
    assert caught.value.retry_after == 120
    assert clock.slept == []


def test_a_login_server_that_stays_away_is_asked_a_few_times() -> None:
    server = Server(*[Unavailable("away")] * 20)
    with pytest.raises(Unavailable):
        tokens(server).token()
    assert len(server.calls) <= ATTEMPTS


def test_while_one_waits_another_may_find_what_a_third_got() -> None:
    cache, clock = MemoryTokenCache(), Clock()
    helper = tokens(Server(), cache=cache, clock=clock)

    class Waiting(Clock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            helper.token()

    server = Server(RateLimited("full", retry_after=3))
    assert tokens(server, cache=cache, clock=Waiting()).token() == "token-1"
    assert len(server.calls) == 1, "the second look into the cache found the helper's token"


# --- the end -------------------------------------------------------------------------------------------------------


def test_tokens_live_on_for_the_next_task_unless_asked_otherwise() -> None:
    server, cache = Server(refresh=True), MemoryTokenCache()
    source = tokens(server, cache=cache)
    source.token()
    source.close()
    assert server.closed
    assert tokens(server, cache=cache).token() == "token-1"


def test_the_last_user_revokes_both_tokens_where_asked() -> None:
    server, cache = Server(refresh=True), MemoryTokenCache()
    one, other = (tokens(server, cache=cache, revoke=True) for _ in range(2))
    one.token()
    other.token()
    one.close()
    assert server.grants == ["password"], "somebody still works with it"
    other.close()
    assert [call.path for call in server.calls[1:]] == ["/ACME_TST/as/revoke_token.oauth2"] * 2
    assert [server.form(number) for number in (1, 2)] == [
        {"token": "refresh-1", "token_type_hint": "refresh_token"},
        {"token": "token-1", "token_type_hint": "access_token"},
    ]
    assert tokens(server, cache=cache).token() == "token-2"


@pytest.mark.parametrize("answer", [(503, b""), (400, {"error": "x"}), Unavailable("away"), ConfigurationError("gone")])
def test_a_failing_revocation_never_fails_a_task(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    server = Server((200, GOOD), answer)
    source = tokens(server, revoke=True)
    source.token()
    with caplog.at_level(logging.WARNING):
        source.close()
    assert "was not revoked and lives on" in caplog.text
    assert "token-1" not in caplog.text
    assert server.closed


def test_a_file_without_path_to_revoke_at_is_no_failure_either(caplog: pytest.LogCaptureFixture) -> None:
    source = tokens(Server(), revoke=True, file={"or": ""})
    source.token()
    source.close()
    assert "names no path to revoke at (key `or`)" in caplog.text


def test_every_secret_and_token_is_told_for_masking() -> None:
    seen: list[str] = []
    tokens(Server(refresh=True), seen=seen).token()
    assert set(seen) == {*SECRETS, "token-1", "refresh-1"}


# --- the day of the issue ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refresh", [True, False])
def test_a_day_of_runs_every_five_minutes_with_four_workers_takes_twelve_tokens(*, refresh: bool) -> None:
    server, clock, cache = Server(refresh=refresh), Clock(), MemoryTokenCache()
    for _run in range(288):
        for _worker in range(4):
            assert tokens(server, clock=clock, cache=cache).token() == f"token-{server.issued}"
        clock.sleep(300)
    assert len(server.calls) == 12


_KINDS: list[Literal["auto", "client_credentials"]] = ["auto", "client_credentials"]


@pytest.mark.parametrize("grant", _KINDS)
def test_the_cache_key_tells_nothing(grant: Literal["auto", "client_credentials"]) -> None:
    keys: list[str] = []

    class Noting(MemoryTokenCache):
        def get(self, key: str) -> tuple[str, datetime] | None:
            keys.append(key)
            return super().get(key)

    tokens(Server(), cache=Noting(), grant=grant).token()
    assert not any(secret in key for secret in SECRETS for key in keys)
