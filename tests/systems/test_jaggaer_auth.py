from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from airflow_provider_mlconnector.errors import ConfigurationError, NotAuthenticated, ProtocolError
from airflow_provider_mlconnector.systems.jaggaer.auth import (
    LONGEST_LIFETIME,
    UNKNOWN_LIFETIME,
    Credentials,
    MemoryTokenCache,
    TokenSource,
)
from airflow_provider_mlconnector.systems.jaggaer.contract import AuthContract
from airflow_provider_mlconnector.systems.ports import TokenCache
from airflow_provider_mlconnector.systems.transport import Call, Effect, Reply

START = datetime(2026, 1, 15, tzinfo=UTC)
SECRET = "s3cret&+="
GOOD = {"token_type": "Bearer", "expires_in": 3600}


class Clock:
    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return (self.time - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Realm:
    """Answers token requests; hands out token-1, token-2 and so on."""

    def __init__(self, answer: Callable[[int], tuple[int, object]] | None = None) -> None:
        self.calls: list[Call] = []
        self._answer = answer or (lambda _: (200, GOOD))

    def send(self, call: Call) -> Reply:
        self.calls.append(call)
        status, body = self._answer(len(self.calls))
        if status == 401:
            message = "refused"
            raise NotAuthenticated(message, request_id="r1")
        if isinstance(body, dict) and status == 200:
            body = {"access_token": f"token-{len(self.calls)}"} | body
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Reply(status, {}, data, 0.1, "r1")


def source(
    server: Realm,
    *,
    clock: Clock | None = None,
    cache: TokenCache | None = None,
    secret: str = SECRET,
    seen: list[str] | None = None,
    **auth: object,
) -> TokenSource:
    return TokenSource(
        server,  # type: ignore[arg-type]
        Credentials("jaggaer_default", "https://prep-reg01.api.jaggaer.com", "client-1", secret),
        AuthContract.model_validate(auth),
        cache=cache or MemoryTokenCache(),
        clock=clock or Clock(),
        on_secret=(seen if seen is not None else []).append,
    )


def test_the_form_is_that_of_the_reference() -> None:
    realm = Realm()
    assert source(realm).token() == "token-1"
    call = realm.calls[0]
    assert (call.method, call.path) == ("POST", "/auth/realms/J1p-integrations/protocol/openid-connect/token")
    assert call.effect is Effect.READ
    assert call.content_type == "application/x-www-form-urlencoded"
    assert call.body is not None
    assert parse_qs(call.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["client-1"],
        "client_secret": ["s3cret&+="],
    }
    assert "Authorization" not in call.headers


def test_basic_authentication_keeps_the_secret_out_of_the_form() -> None:
    realm = Realm()
    source(realm, client_auth="basic", scope="profile").token()
    call = realm.calls[0]
    assert base64.b64decode(call.headers["Authorization"].removeprefix("Basic ")) == b"client-1:s3cret%26%2B%3D"
    assert call.body is not None
    assert parse_qs(call.body.decode()) == {"grant_type": ["client_credentials"], "scope": ["profile"]}


def test_a_token_is_kept_until_the_margin_before_its_end() -> None:
    realm, clock = Realm(), Clock()
    tokens = source(realm, clock=clock)
    assert tokens.token() == "token-1"
    clock.sleep(3539)
    assert tokens.token() == "token-1"
    clock.sleep(2)
    assert tokens.token() == "token-2"


def test_a_lifetime_shorter_than_the_margin_does_not_mean_a_token_per_call() -> None:
    realm, clock = Realm(lambda _: (200, {"expires_in": 30})), Clock()
    tokens = source(realm, clock=clock)
    assert [tokens.token() for _ in range(3)] == ["token-1"] * 3
    clock.sleep(16)
    assert tokens.token() == "token-2"


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ({}, UNKNOWN_LIFETIME),
        ({"expires_in": 0}, UNKNOWN_LIFETIME),
        ({"expires_in": -5}, UNKNOWN_LIFETIME),
        ({"expires_in": None}, UNKNOWN_LIFETIME),
        ({"expires_in": "soon"}, UNKNOWN_LIFETIME),
        ({"expires_in": {}}, UNKNOWN_LIFETIME),
        ({"expires_in": "3600"}, 3600),
        ({"expires_in": 1e300}, LONGEST_LIFETIME),
    ],
)
def test_any_statement_of_the_lifetime_is_survived(stated: dict[str, object], seconds: float) -> None:
    cache = MemoryTokenCache()
    realm = Realm(lambda _: (200, {"expires_in": None} | stated if stated else {}))
    if not stated:
        realm = Realm(lambda _: (200, {}))
    tokens = source(realm, cache=cache, refresh_margin_s=0)
    tokens.token()
    kept = cache.get(
        Credentials("x", "https://prep-reg01.api.jaggaer.com", "client-1", "s3cret&+=").cache_key(AuthContract())
    )
    assert kept == ("token-1", START + timedelta(seconds=seconds))


def test_workers_share_one_token_and_another_secret_is_another_token() -> None:
    realm, cache = Realm(), MemoryTokenCache()
    assert source(realm, cache=cache).token() == "token-1"
    assert source(realm, cache=cache).token() == "token-1"
    assert source(realm, cache=cache, secret="changed").token() == "token-2"
    assert source(realm, cache=cache, realm="other").token() == "token-3"


def test_fifty_threads_ask_once() -> None:
    realm = Realm()
    tokens = source(realm)
    threads = [threading.Thread(target=tokens.token) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(realm.calls) == 1


def test_fifty_tasks_of_one_deployment_ask_once() -> None:
    realm, cache, found = Realm(), MemoryTokenCache(), []
    together = threading.Barrier(50)

    def want() -> None:
        tokens = source(realm, cache=cache)
        together.wait()
        found.append(tokens.token())

    threads = [threading.Thread(target=want) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["token-1"] * 50
    assert len(realm.calls) == 1


def test_a_rejected_token_is_renewed_once_for_all() -> None:
    realm, cache = Realm(), MemoryTokenCache()
    one, other = source(realm, cache=cache), source(realm, cache=cache)
    rejected = one.token()
    assert one.renew(rejected) == "token-2"
    assert other.renew(rejected) == "token-2"
    assert len(realm.calls) == 2


@pytest.mark.parametrize(
    "answer", [(401, {}), (400, {"error": "invalid_client"}), (400, {"error": "unauthorized_client"})]
)
def test_a_refused_secret_is_tried_once_and_the_fields_are_named(answer: tuple[int, object]) -> None:
    realm = Realm(lambda _: answer)
    tokens = source(realm)
    for _ in range(3):
        with pytest.raises(NotAuthenticated, match=r"connection 'jaggaer_default'.*Client id and Client secret"):
            tokens.token()
    assert len(realm.calls) == 1


def test_an_unknown_realm_names_the_field() -> None:
    with pytest.raises(ConfigurationError, match="no realm 'J1p-integrations'") as caught:
        source(Realm(lambda _: (404, {"error": "Realm does not exist"}))).token()
    assert caught.value.field == "connection 'jaggaer_default', field Realm"


def test_another_oauth_error_is_a_matter_of_configuration() -> None:
    with pytest.raises(ConfigurationError, match="answered unsupported_grant_type"):
        source(Realm(lambda _: (400, {"error": "unsupported_grant_type"}))).token()


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>"),
        (200, b"[]"),
        (200, {"access_token": ""}),
        (200, {"access_token": 5}),
        (500, b"x"),
        (400, b"{}"),
    ],
)
def test_an_answer_that_is_no_token_stops(answer: tuple[int, object]) -> None:
    with pytest.raises(ProtocolError):
        source(Realm(lambda _: answer)).token()


def test_an_error_that_echoes_the_secret_does_not_show_it() -> None:
    with pytest.raises(ProtocolError) as caught:
        source(Realm(lambda _: (400, {"error": "bad client_secret s3cret&+="}))).token()
    assert "s3cret" not in str(caught.value)


def test_every_secret_is_reported_for_masking_and_none_is_in_a_repr() -> None:
    seen: list[str] = []
    tokens = source(Realm(), seen=seen)
    tokens.token()
    assert seen == ["s3cret&+=", "token-1"]
    assert "s3cret" not in repr(Credentials("c", "https://h", "i", "s3cret"))
