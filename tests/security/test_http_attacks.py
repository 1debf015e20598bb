"""What a hostile or broken server can do to its client, over real sockets (engineering.md §2.4, 20; §5)."""

from __future__ import annotations

import gzip
import json
import time
import traceback
import tracemalloc
from collections.abc import Callable
from functools import partial

import pytest
from support.raw_server import Answer, Server, drip_body, http, serve
from support.remote import FakeClock

from airflow_provider_mlconnector.errors import (
    AmbiguousOutcome,
    ConfigurationError,
    MLConnectorError,
    NotAuthenticated,
    ProtocolError,
    Unavailable,
)
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.cloudsuite.gateway import GatewayClient
from airflow_provider_mlconnector.systems.cloudsuite.ionapi import IonApi
from airflow_provider_mlconnector.systems.jaggaer.auth import Credentials
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.router import Message, RouterCredentials, XmlRouter
from airflow_provider_mlconnector.systems.syspro.client import PostCall, SysproClient, SysproCredentials
from airflow_provider_mlconnector.systems.transport import Call, Effect, Transport

SECRETS = ("client-secret-1", "operator-password-1", "router-secret-1", "token-value-1", "sask-value-1")
TOKEN = http(200, json.dumps({"access_token": SECRETS[3], "expires_in": 3600}).encode())
SESSION = http(200, b"C2BB3ABF6A9D4A489F1C2D3E4F5A6B7C00  ")


class Open:
    def check(self, *, needed_seconds: float) -> None: ...


def transport(url: str, **options: object) -> Transport:
    return Transport(url, system="remote", allow_http=True, **{"retries": 0, "timeout": 5, **options})  # type: ignore[arg-type]


def jaggaer(url: str, **options: object) -> JaggaerClient:
    return JaggaerClient(
        transport(url, **options), Credentials("jaggaer_default", url, "client-1", SECRETS[0]), on_secret=None
    )


def cloudsuite(url: str, **options: object) -> GatewayClient:
    file = {"ti": "T", "ci": "T~c", "cs": SECRETS[0], "iu": url, "pu": f"{url}/T/as/", "ot": "token.oauth2"}
    ionapi = IonApi.parse({**file, "saak": "T#a", "sask": SECRETS[4]}, label="file", allow_http=True)
    return GatewayClient.between(
        "cloudsuite_default",
        ionapi,
        gateway=transport(url, **options),
        login=transport(url, **options),
        clock=FakeClock(),
    )


def syspro(url: str, **options: object) -> SysproClient:
    return SysproClient(transport(url, **options), SysproCredentials("OP", SECRETS[1], "C", ""))


def route(url: str, **options: object) -> object:
    router = XmlRouter(transport(url, **options), RouterCredentials("jaggaer_default", "us", SECRETS[2]))
    message = Message("SupplierSyncMessage", "2.0", "m1", xml.element("x"), "/router", "supplier message")
    return router.send(message, effect=Effect.WRITE, fence=Open())


def list_page(url: str, **options: object) -> object:
    return jaggaer(url, **options).list_page("/list", "rows", start=1, condition="", name="invoice list")


def load(url: str, **options: object) -> object:
    return cloudsuite(url, **options).get("/CSI/load", "load of SLPos")


def update(url: str, **options: object) -> object:
    gateway = cloudsuite(url, **options)
    return gateway.post("/CSI/update", "update of SLAptrxs", {"a": 1}, effect=Effect.WRITE, fence=Open())


def query(url: str, **options: object) -> object:
    return syspro(url, **options).query("COMFND", "<Query/>")


def post(url: str, **options: object) -> object:
    client = syspro(url, **options)
    client.logon()
    return client.post(PostCall("APSTIN", "<P/>", "<D/>"), fence=Open())


CALLS: dict[str, tuple[Callable[..., object], tuple[Answer, ...]]] = {
    "JAGGAER's token": (list_page, ()),
    "JAGGAER's list": (list_page, (TOKEN,)),
    "Infor's token": (load, ()),
    "a load": (load, (TOKEN,)),
    "an update": (update, (TOKEN,)),
    "SYSPRO's log-on": (query, ()),
    "a query": (query, (SESSION,)),
    "a posting": (post, (SESSION,)),
    "the XML router": (route, ()),
}
WRITES = {"an update", "a posting", "the XML router"}
"""Of these nobody knows afterwards whether they were carried out."""


def ended(what: str, answer: Answer, **options: object) -> tuple[MLConnectorError, Server]:
    """Have a call answered so; return its error, and the server."""
    call, before = CALLS[what]
    # what came before is kept open: a connection closed unannounced under the next request is another fault
    with serve(*before, partial(_closing, answer)) as server:
        with pytest.raises(MLConnectorError) as caught:
            call(server.url, **options)
        shown = "".join(traceback.format_exception(caught.value))
        assert not any(secret in shown for secret in SECRETS)
        if what in WRITES:
            assert len(server.requests) == len(before) + 1, "a write is never sent again"
        return caught.value, server


def _closing(answer: Answer, connection: object) -> None:
    answer(connection)  # type: ignore[arg-type]
    connection.close()  # type: ignore[attr-defined]


# --- redirects -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("what", CALLS)
def test_no_redirect_is_followed_and_no_credential_leaves_for_another_host(what: str, status: int) -> None:
    with serve(http(200)) as elsewhere:
        error, _ = ended(what, http(status, Location=f"{elsewhere.url}/stolen"))
        assert elsewhere.connections == 0
    assert isinstance(error, AmbiguousOutcome if what in WRITES else ConfigurationError)


# --- bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", CALLS)
def test_a_body_beyond_the_limit_is_cut_off(what: str) -> None:
    error, _ = ended(what, http(200, b"<" * 3_000_000), max_bytes=100_000)
    assert isinstance(error, AmbiguousOutcome if what in WRITES else ProtocolError)


@pytest.mark.parametrize("what", CALLS)
def test_a_body_that_drips_is_cut_off_at_the_deadline(what: str) -> None:
    begun = time.monotonic()
    error, _ = ended(what, drip_body, timeout=0.3)
    assert time.monotonic() - begun < 5
    assert isinstance(error, AmbiguousOutcome if what in WRITES else Unavailable)


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip"])
def test_a_body_that_grows_without_end_when_unpacked_is_cut_off_with_little_memory(coding: str) -> None:
    body = gzip.compress(bytes(100_000_000))
    if "," in coding:
        body = gzip.compress(body)
    tracemalloc.start()
    try:
        with serve(http(200, body, Content_Encoding=coding)) as server, pytest.raises(ProtocolError, match="exceeds"):
            transport(server.url, max_bytes=1_000_000).send(Call("GET", "/x", Effect.READ, "list"))
        assert tracemalloc.get_traced_memory()[1] < 90_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip", "gzip, gzip, gzip, gzip, gzip, gzip, gzip"])
def test_a_body_that_is_not_packed_as_it_says_is_a_lost_answer(coding: str) -> None:
    error, _ = ended("an update", http(200, b'{"Success":true}', Content_Encoding=coding))
    assert isinstance(error, AmbiguousOutcome)


@pytest.mark.parametrize("what", sorted(set(CALLS) - {"a load", "an update"}))  # theirs: test_json_attacks.py
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html><body>Sign in</body></html>", "text/html"),
        (b"%PDF-1.7 ...", "application/pdf"),
        (b"\x00\x01\x02", "application/octet-stream"),
        (b"", "application/json"),
        (b'"fine"', "application/json"),
    ],
)
def test_an_answer_of_another_kind_is_told_apart_from_an_empty_one(what: str, body: bytes, kind: str) -> None:
    error, _ = ended(what, http(200, body, Content_Type=kind))
    assert isinstance(error, AmbiguousOutcome if what in WRITES else (ProtocolError, ConfigurationError))


# --- headers -------------------------------------------------------------------------------------------------------


def many_headers(connection: object) -> None:
    lines = b"".join(b"X-%d: y\r\n" % n for n in range(500))
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n")  # type: ignore[attr-defined]


def long_header(connection: object) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n")  # type: ignore[attr-defined]


def no_http(connection: object) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")  # type: ignore[attr-defined]


def two_lengths(connection: object) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\nhello")  # type: ignore[attr-defined]


@pytest.mark.parametrize("answer", [many_headers, long_header, no_http, two_lengths])
@pytest.mark.parametrize("what", ["an update", "a posting", "JAGGAER's list"])
def test_headers_beyond_measure_are_a_lost_answer(what: str, answer: Answer) -> None:
    error, _ = ended(what, answer)
    assert isinstance(error, AmbiguousOutcome if what in WRITES else Unavailable)


@pytest.mark.parametrize("token", ["a\r\nX-Evil: 1", "a\nb", "a b", "a\u2028b", "a\x00", "é" * 8, "字"])
@pytest.mark.parametrize("call", [list_page, load])
def test_a_token_that_would_write_headers_of_its_own_is_none(call: Callable[..., object], token: str) -> None:
    answer = http(200, json.dumps({"access_token": token}).encode())
    with serve(partial(_closing, answer)) as server, pytest.raises(ProtocolError, match="that a header can carry"):
        call(server.url)
    assert len(server.requests) == 1
    assert b"X-Evil" not in server.received


@pytest.mark.parametrize("value", ["MAIN\r\nX-Evil: 1", "MAIN\nX", "字"])
@pytest.mark.parametrize("effect", list(Effect))
def test_a_header_from_the_configuration_cannot_write_another_one(value: str, effect: Effect) -> None:
    with serve(http(200)) as server:
        with pytest.raises(ConfigurationError):
            transport(server.url).send(Call("GET", "/x", effect, "load", headers={"X-Infor-MongooseConfig": value}))
        assert server.requests == []


@pytest.mark.parametrize("key", ["a b", "a\r\nHost: evil", "a/../../x", "?a=b", "#x", "//evil", "a%2fb", "é", "\x00"])
def test_a_key_of_a_record_stays_one_part_of_the_path(key: str) -> None:
    with serve(TOKEN, partial(_closing, http(404))) as server:
        assert jaggaer(server.url).record("/invoices/{id}", key, "rows", name="detail") is None
        line = server.requests[1].split(b"\r\n")[0]
    assert line.startswith(b"GET /invoices/")
    assert line.count(b"/") == 3, line
    assert line.count(b" ") == 2
    assert b"?" not in line


@pytest.mark.parametrize("key", [".", ".."])
def test_a_key_that_is_a_step_to_another_place_is_no_key(key: str) -> None:
    with serve(TOKEN) as server:
        assert jaggaer(server.url).record("/invoices/{id}", key, "rows", name="detail") is None
        assert server.requests == []


# --- other hosts ---------------------------------------------------------------------------------------------------

ELSEWHERE = [
    "https://evil.example/x",
    "//evil.example/x",
    "/\\evil.example/x",
    "\\\\evil.example/x",
    "/x\r\nHost: evil.example",
    "/x?redirect=https://evil.example",
    "/x#y",
    "/../admin",
    "/x/../../admin",
    "x",
]


@pytest.mark.parametrize("path", ELSEWHERE)
@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("invoices", "list"),
        ("invoices", "create"),
        ("purchase_orders", "upsert"),
        ("auth", "token_path"),
        ("order_writes", "path"),
        ("invoice_writes", "path"),
        ("tsm", "path"),
    ],
)
def test_a_path_of_a_contract_names_no_other_host(part: str, name: str, path: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{part}\.{name}"):
        JaggaerContract.parse({part: {name: path}}, field="contract")


@pytest.mark.parametrize(
    "path", ["//evil.example/x", "https://evil.example/x", "evil.example/x", "@evil.example/x", ""]
)
def test_the_client_itself_sends_nothing_to_a_path_that_could_be_a_host(path: str) -> None:
    with serve(http(200)) as server, pytest.raises(ValueError, match="one slash"):
        transport(server.url).send(Call("GET", path, Effect.READ, "list"))


@pytest.mark.parametrize("path", ["/@evil.example/x", "/:80/x", "/;x", "/%2f%2fevil.example"])
def test_whatever_follows_the_slash_stays_on_the_connections_own_host(path: str) -> None:
    with serve(http(200)) as server:
        transport(server.url).send(Call("GET", path, Effect.READ, "list"))
        assert len(server.requests) == 1


@pytest.mark.parametrize("key", ["ot", "or"])
@pytest.mark.parametrize("path", ["https://evil.example/t", "//evil.example/t", "@evil.example"])
def test_paths_of_an_ionapi_file_stay_on_its_login_server(key: str, path: str) -> None:
    file = {"ti": "T", "ci": "c", "cs": "s-1234", "iu": "https://ion.example", "pu": "https://sso.example/", "ot": "t"}
    try:
        ionapi = IonApi.parse({**file, key: path}, label="file")
    except ConfigurationError:
        return
    assert not (ionapi.token_path + ionapi.revoke_path).startswith(("/", "http"))
    assert ionapi.login_server == "https://sso.example/"


# --- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 503])
@pytest.mark.parametrize("what", CALLS)
def test_a_server_that_sends_back_all_it_was_sent_betrays_nothing(what: str, status: int) -> None:
    def echo(server: list[Server], connection: object) -> None:
        body = bytes(server[0].received)
        head = f"HTTP/1.1 {status} X\r\nX-Request-Id: 1\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)  # type: ignore[attr-defined]
        connection.close()  # type: ignore[attr-defined]

    call, before = CALLS[what]
    holder: list[Server] = []
    with serve(*before, partial(echo, holder)) as server:
        holder.append(server)
        with pytest.raises(MLConnectorError) as caught:
            call(server.url)
    shown = "".join(traceback.format_exception(caught.value))
    sent = bytes(server.received).decode("latin-1")
    assert any(secret in sent for secret in SECRETS) or "Basic " in sent, "else this shows nothing"
    assert not any(secret in shown for secret in SECRETS)
    assert not any(part.split(" ")[0].strip() in shown for part in sent.split("Basic ")[1:])
    assert not isinstance(caught.value, NotAuthenticated) or status in {400, 401, 403}
