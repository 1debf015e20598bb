"""The gateway's client against scripted answers: what each status means, and what is never said."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.errors import (
    AmbiguousOutcome,
    ConfigurationError,
    MLConnectorError,
    NotAuthenticated,
    ProtocolError,
    StaleClaim,
    Unavailable,
)
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Gateway
from airflow_provider_mlconnector.systems.cloudsuite.gateway import (
    ALLOWANCE,
    DEFAULT_TIMEOUT,
    SHORTEST_TIMEOUT,
    GatewayClient,
)
from airflow_provider_mlconnector.systems.cloudsuite.ionapi import IonApi
from airflow_provider_mlconnector.systems.cloudsuite.words import said
from airflow_provider_mlconnector.systems.ports import Fence
from airflow_provider_mlconnector.systems.transport import RETRIED_STATUSES, Call, Effect, Reply

SECRET = "client-secret-1"
IONAPI = IonApi.parse(
    {
        "ti": "ACME_TST",
        "ci": "ACME_TST~client",
        "cs": SECRET,
        "iu": "https://ion.example",
        "pu": "https://sso.example/ACME_TST/as/",
        "ot": "token.oauth2",
    },
    label="file",
)
Answer = tuple[int, bytes] | tuple[int, bytes, Mapping[str, str]] | MLConnectorError
WRITES = [Effect.WRITE, Effect.ABSOLUTE]


PAGE = (
    b"<html><head><title>504</title><style>p {}</style></head><body><h1>504 Gateway Timeout</h1>"
    b"<script>x()</script><p>a &amp; b</p></body></html>"
)
KEYS = st.sampled_from(["message", "fault", "detail", "x"])
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=6,
)


class Wire:
    """Stands for both hosts: tokens are token-1, token-2, …, other calls get the scripted answers."""

    timeout = 90.0

    def __init__(self, *answers: Answer) -> None:
        self.calls: list[Call] = []
        self.fences: list[Fence | None] = []
        self.issued = 0
        self._answers = list(answers)

    def send(self, call: Call, *, fence: Fence | None = None) -> Reply:
        if call.name == "token request":
            self.issued += 1
            return Reply(200, {}, json.dumps({"access_token": f"token-{self.issued}"}).encode(), 0.1, "t")
        self.calls.append(call)
        self.fences.append(fence)
        answer = self._answers.pop(0) if self._answers else (200, b"{}")
        if isinstance(answer, MLConnectorError):
            raise answer
        if not (answer[0] // 100 == 2 or call.effect is Effect.READ or answer[0] in call.refusals):
            message = "as the transport does"
            raise AmbiguousOutcome(message)
        return Reply(answer[0], answer[2] if len(answer) > 2 else {}, answer[1], 0.1, "ours-1")

    def close(self) -> None:
        self.calls.clear()


def client(wire: Wire) -> GatewayClient:
    return GatewayClient.between("cloudsuite_default", IONAPI, gateway=wire, login=wire)  # type: ignore[arg-type]


def post(wire: Wire, effect: Effect = Effect.WRITE, **more: Any) -> Reply:
    return client(wire).post("/CSI/x", "update of SLAptrxs", {"Changes": []}, effect=effect, **more)


def test_the_client_is_a_gateway_as_dialects_see_it() -> None:
    seen: Gateway = client(Wire())
    assert (seen.connection, seen.tenant, seen.timeout) == ("cloudsuite_default", "ACME_TST", 90)


def test_every_path_begins_with_the_tenant_and_every_call_carries_the_token() -> None:
    wire = Wire()
    gateway = client(wire)
    gateway.get("/CSI/load/SLPos", "load", params={"filter": "a = N'b'"}, headers={"X-Infor-MongooseConfig": "MAIN"})
    gateway.post("/M3/execute", "execute", {"cono": 1}, effect=Effect.READ)
    assert [call.path for call in wire.calls] == ["/ACME_TST/CSI/load/SLPos", "/ACME_TST/M3/execute"]
    assert wire.calls[0].headers == {
        "Authorization": "Bearer token-1",
        "Accept": "application/json",
        "X-Infor-MongooseConfig": "MAIN",
    }
    assert wire.calls[0].params == {"filter": "a = N'b'"}
    assert wire.issued == 1


def test_a_path_without_slash_is_a_defect_of_the_caller() -> None:
    with pytest.raises(ValueError, match="start with a slash"):
        client(Wire()).get("CSI/load", "load")


def test_a_body_is_json_with_decimals_as_plain_numbers() -> None:
    wire = Wire()
    client(wire).post("/x", "x", {"amount": Decimal("1250.10"), "text": "Ä"}, effect=Effect.READ)
    assert wire.calls[0].body == '{"amount":1250.10,"text":"Ä"}'.encode()
    assert wire.calls[0].content_type == "application/json"


def test_the_fence_goes_with_a_write() -> None:
    class Open:
        def check(self, *, needed_seconds: float) -> None: ...

    wire, fence = Wire(), Open()
    post(wire, fence=fence)
    assert wire.fences == [fence]
    with pytest.raises(StaleClaim):
        post(Wire(StaleClaim("lost")), fence=fence)


# --- 401 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("effect", list(Effect))
def test_a_token_ended_before_its_time_is_renewed_once(effect: Effect) -> None:
    wire = Wire(NotAuthenticated("401"))
    post(wire, effect)
    assert [call.headers["Authorization"] for call in wire.calls] == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize("effect", list(Effect))
def test_a_fresh_token_refused_is_said_plainly_and_not_tried_again(effect: Effect) -> None:
    wire = Wire(*[NotAuthenticated("401", request_id="r9")] * 3)
    with pytest.raises(NotAuthenticated, match="just issued, for update of SLAptrxs; nothing was executed") as caught:
        post(wire, effect)
    assert len(wire.calls) == 2
    assert "token-" not in str(caught.value)
    assert caught.value.request_id == "r9"


def test_what_happens_after_the_renewal_is_not_hidden() -> None:
    with pytest.raises(Unavailable):
        client(Wire(NotAuthenticated("401"), Unavailable("down"))).get("/x", "x")
    with pytest.raises(AmbiguousOutcome):
        post(Wire(NotAuthenticated("401"), (502, b"")))


# --- statuses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize(
    ("status", "named"),
    [
        (403, "scopes, or the permissions and license"),
        (404, "check the API suite's context"),
        (405, "does not take update of SLAptrxs by this verb"),
    ],
)
def test_what_the_gateway_refuses_for_good_is_configuration_and_was_not_executed(
    effect: Effect, status: int, named: str
) -> None:
    with pytest.raises(ConfigurationError, match=named) as caught:
        post(Wire((status, b'{"message": "no such API"}')), effect)
    assert f"HTTP {status}, no such API" in str(caught.value)
    assert str(caught.value.field).startswith("connection 'cloudsuite_default', field ")


@pytest.mark.parametrize("effect", WRITES)
@pytest.mark.parametrize("status", [201, 204, 400, 409, 422])
def test_an_answer_to_a_write_that_nobody_can_read_is_ambiguous_with_its_words(effect: Effect, status: int) -> None:
    with pytest.raises(AmbiguousOutcome, match=f"HTTP {status}, something else; it may have been executed"):
        post(Wire((status, b'{"Message": "something else"}')), effect)


@pytest.mark.parametrize("status", sorted(RETRIED_STATUSES - {429}))
def test_a_gateway_error_after_a_write_is_ambiguous_with_its_words(status: int) -> None:
    with pytest.raises(AmbiguousOutcome, match="target silent"):
        post(Wire((status, b'{"fault": {"message": "target silent"}}')))


def test_statuses_that_repeat_an_absolute_update_are_left_to_the_transport() -> None:
    wire = Wire()
    post(wire, Effect.ABSOLUTE)
    post(wire, Effect.WRITE)
    absolute, write = (call.refusals for call in wire.calls)
    assert not absolute & RETRIED_STATUSES
    assert RETRIED_STATUSES - {429} <= write
    assert not {401, 429} & (absolute | write)


@pytest.mark.parametrize("status", [201, 400, 409, 500])
def test_an_unread_answer_to_a_read_is_kept_as_evidence(status: int) -> None:
    with pytest.raises(ProtocolError, match=f"HTTP {status}, odd") as caught:
        client(Wire((status, b"odd"))).get("/x", "x")
    assert caught.value.evidence == b"odd"


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("status", [201, 400, 404, 500])
def test_a_status_the_caller_reads_itself_is_handed_over(effect: Effect, status: int) -> None:
    assert post(Wire((status, b"mine")), effect, accepts=frozenset({status})).body == b"mine"


def test_a_get_hands_over_what_the_caller_reads_and_tells_the_transport() -> None:
    wire = Wire((503, b"mine"))
    assert client(wire).get("/x", "x", accepts=frozenset({503})).status == 503
    assert wire.calls[0].refusals == {503}


# --- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"message": "m"}', "m"),
        (b'{"Message": "M", "Success": false}', "M"),
        (b'{"fault": {"message": "f", "detail": "d"}}', "f"),
        (b'{"fault": {"detail": "d"}}', "d"),
        (b'{"responseMessage": "r"}', "r"),
        (b'{"error": "e", "error_description": "described"}', "described"),
        (b'{"message": "", "responseMessage": "r"}', "r"),
        (b'{"message": {"nested": 1}}', ""),
        (b'{"other": "x"}', ""),
        (b'"plain"', "plain"),
        (b"[1, 2]", ""),
        (b'{"cut": ', ""),
        (b"", ""),
        (b"  upstream\n timed  out ", "upstream timed out"),
        (PAGE, "504 Gateway Timeout a & b"),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_the_remotes_words_are_found_in_every_known_shape(body: bytes, words: str) -> None:
    assert said(body) == words


def test_long_words_are_cut_and_secrets_hidden() -> None:
    assert len(said(b"x" * 5000)) == 300
    assert said(f"secret {SECRET}".encode(), hidden=[SECRET]) == "secret ***"


@given(st.binary(max_size=200))
def test_any_answer_has_words_or_none(body: bytes) -> None:
    text = said(body)
    assert len(text) <= 300
    assert "\n" not in text


@given(BODIES)
def test_any_json_answer_has_words_or_none(body: Any) -> None:
    assert len(said(json.dumps(body).encode())) <= 300


# --- tracing and secrets -------------------------------------------------------------------------------------------


def test_the_gateways_own_ids_are_logged_and_part_of_an_error(caplog: pytest.LogCaptureFixture) -> None:
    headers = {"X-Request-Id": "gw-7", "X-Correlation-ID": "c-8", "traceparent": "t-9", "Date": "x"}
    with caplog.at_level(logging.DEBUG, logger="airflow_provider_mlconnector"):
        client(Wire((200, b"{}", headers))).get("/x", "thing")
    assert "request ours-1, X-Request-Id gw-7, X-Correlation-ID c-8, traceparent t-9" in caplog.text
    with pytest.raises(ProtocolError) as caught:
        client(Wire((400, b"", headers))).get("/x", "thing")
    assert caught.value.request_id == "ours-1, X-Request-Id gw-7, X-Correlation-ID c-8, traceparent t-9"


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_secret_the_remote_echoes_is_not_shown(effect: Effect, status: int, caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(MLConnectorError) as caught,
    ):
        post(Wire((status, f'{{"message": "{SECRET} Bearer token-1"}}'.encode())), effect)
    assert SECRET not in str(caught.value) + caplog.text
    assert "token-1" not in str(caught.value) + caplog.text


def test_the_default_timeout_outlasts_the_gateways_own_and_the_pace_stays_below_the_allowance() -> None:
    assert DEFAULT_TIMEOUT > SHORTEST_TIMEOUT > 60
    assert 0.97 < ALLOWANCE < 1
