"""What SYSPRO says in HTTP 200, and what each text means for a session, a query and a posting."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable

import pytest
import requests
import responses

from airflow_provider_mlconnector.errors import (
    AmbiguousOutcome,
    ConfigurationError,
    MLConnectorError,
    NotAuthenticated,
    ProtocolError,
    Unavailable,
)
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.syspro.client import PostCall, SysproClient, SysproCredentials
from airflow_provider_mlconnector.systems.transport import Effect, Transport

BASE = "https://erp.test/SYSPROWCFService/Rest"
GUID = "0123456789ABCDEF0123456789ABCDEF00"
LOST = (
    "ERROR: The supplied UserID is invalid. Either you were not logged in; or your session has expired. "
    "You will need to logon again."
)
PASSWORD = "hunter-of-ledgers"
POST = PostCall("APSTIN", "<PostApInvoice/>", "<PostApInvoice><Item/></PostApInvoice>")


@pytest.fixture
def wire() -> responses.RequestsMock:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add(responses.GET, f"{BASE}/Logon", body=f"{GUID}  ", content_type="application/octet-stream")
        yield mock


@pytest.fixture
def secrets() -> list[str]:
    return []


@pytest.fixture
def client(secrets: list[str]) -> SysproClient:
    transport = Transport(BASE, system="SYSPRO", retries=0)
    who = SysproCredentials("MLCONN", PASSWORD, "EDU1", "company-word")
    return SysproClient(transport, who, on_secret=secrets.append)


def sent(wire: responses.RequestsMock, path: str) -> list[str]:
    return [call.request.url or "" for call in wire.calls if path in (call.request.url or "")]


def test_the_session_id_is_sent_without_its_blanks_and_masked(
    wire: responses.RequestsMock, client: SysproClient, secrets: list[str]
) -> None:
    wire.add(responses.GET, f"{BASE}/Query/Query", body="<ApInvoice/>")
    client.query("COMFND", "<Query/>")
    assert f"UserId={GUID}&BusinessObject=COMFND" in sent(wire, "/Query/Query")[0]
    assert set(secrets) == {PASSWORD, "company-word", GUID}
    assert PASSWORD not in repr(client)


@pytest.mark.parametrize("path", ["Utilities/Logon", "/Utilities/Logon"])
def test_the_log_on_path_can_be_another_one(wire: responses.RequestsMock, path: str) -> None:
    wire.replace(responses.GET, f"{BASE}/Logon", body="ERROR: not here")
    wire.add(responses.GET, f"{BASE}/Utilities/Logon", body=f'"{GUID}  "')
    client = SysproClient(Transport(BASE, system="SYSPRO"), SysproCredentials("O", "p", "C"), logon_path=path)
    client.logon()
    assert client.logged_on


@pytest.mark.parametrize("prefix", ["ERROR: ", "Error: "])
def test_a_wrong_password_is_never_tried_again(wire: responses.RequestsMock, client: SysproClient, prefix: str) -> None:
    wire.replace(responses.GET, f"{BASE}/Logon", body=f"{prefix}Invalid operator password")
    with pytest.raises(NotAuthenticated, match="password of operator MLCONN, company EDU1"):
        client.query("COMFND", "<Query/>")
    assert len(sent(wire, "/Logon")) == 1


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ("ERROR: The company does not exist", 200, NotAuthenticated),
        ("ERROR: Maximum number of licensed users reached", 200, Unavailable),
        ("<html><body>It works</body></html>", 200, ConfigurationError),
        ("", 200, ConfigurationError),
        ("no such page", 404, ConfigurationError),
        ("<xml/>", 200, ConfigurationError),
    ],
)
def test_a_refused_or_strange_log_on_is_sorted_by_what_to_do(
    wire: responses.RequestsMock, client: SysproClient, body: str, status: int, error: type[MLConnectorError]
) -> None:
    wire.replace(responses.GET, f"{BASE}/Logon", body=body, status=status)
    with pytest.raises(error):
        client.logon()
    assert not client.logged_on


def test_an_expired_session_is_renewed_once_and_the_post_sent_again(
    wire: responses.RequestsMock, client: SysproClient
) -> None:
    wire.add(responses.GET, f"{BASE}/Transaction/Post", body=LOST)
    wire.add(responses.GET, f"{BASE}/Transaction/Post", body="<postapinvoice/>")
    assert xml.name(client.post(POST)) == "postapinvoice"
    assert len(sent(wire, "/Logon")) == 2


def test_http_401_is_honored_like_the_text(wire: responses.RequestsMock, client: SysproClient) -> None:
    wire.add(responses.GET, f"{BASE}/Transaction/Post", status=401)
    wire.add(responses.GET, f"{BASE}/Transaction/Post", body="<postapinvoice/>")
    assert xml.name(client.post(POST)) == "postapinvoice"


@pytest.mark.parametrize("answer", [{"body": LOST}, {"status": 401}])
def test_a_session_lost_twice_is_in_use_elsewhere(
    wire: responses.RequestsMock, client: SysproClient, answer: dict[str, object]
) -> None:
    wire.add(responses.GET, f"{BASE}/Transaction/Post", **answer)
    with pytest.raises(NotAuthenticated, match="MLCONN is in use elsewhere"):
        client.post(POST)
    assert len(sent(wire, "/Transaction/Post")) == 2


STRANGE = [
    "ERROR: e.net exception raised: 100000",
    "ERROR: something else entirely",
    "<html><body>Service Unavailable</body></html>",
    "<postapinvoice><Item><Transac",
    "",
]


@pytest.mark.parametrize("body", STRANGE)
def test_a_write_without_a_business_answer_is_ambiguous(
    wire: responses.RequestsMock, client: SysproClient, body: str
) -> None:
    wire.add(responses.GET, f"{BASE}/Transaction/Post", body=body)
    with pytest.raises(AmbiguousOutcome):
        client.post(POST)
    assert len(sent(wire, "/Transaction/Post")) == 1


@pytest.mark.parametrize("body", STRANGE)
def test_a_rehearsal_or_query_without_an_answer_is_not_understood(
    wire: responses.RequestsMock, client: SysproClient, body: str
) -> None:
    wire.add(responses.GET, f"{BASE}/Transaction/Post", body=body)
    wire.add(responses.GET, f"{BASE}/Query/Query", body=body)
    rehearsal = PostCall("APSTIN", "", "", Effect.READ)
    tries: list[Callable[[], object]] = [lambda: client.post(rehearsal), lambda: client.query("COMFND", "<Query/>")]
    for attempt in tries:
        with pytest.raises(ProtocolError) as caught:
            attempt()
        assert caught.value.evidence == body.encode()


def test_a_large_post_carries_both_documents_in_order(wire: responses.RequestsMock, client: SysproClient) -> None:
    wire.add(responses.POST, f"{BASE}/Transaction/PostLD", body=LOST)
    wire.add(responses.POST, f"{BASE}/Transaction/PostLD", body="<postapinvoice/>")
    document = xml.write(xml.element("PostApInvoice", xml.element("Notation", "a ]]> b & c")))
    client.post(PostCall("APSTIN", "<PostApInvoice/>", document), large=True)
    request = wire.calls[-1].request
    assert request.headers["Content-Type"] == "application/xml"
    assert isinstance(request.body, bytes)
    root = xml.parse(request.body, encoding="utf-8")
    assert [xml.name(item) for item in root] == ["userid", "businessobject", "xmlparameters", "xmlin"]
    assert xml.text(root, "UserId") == GUID
    assert xml.text(xml.parse(xml.text(root, "XmlIn").encode(), encoding="utf-8"), "Notation") == "a ]]> b & c"


def test_characters_outside_ascii_travel_in_the_query(wire: responses.RequestsMock, client: SysproClient) -> None:
    wire.add(responses.GET, f"{BASE}/Query/Query", body="<a>Müller €</a>".encode("cp1252"))
    root = client.query("COMFND", xml.write(xml.element("Query", "Müller & Söhne €")))
    assert "M%C3%BCller+%26amp%3B+S%C3%B6hne+%E2%82%AC" in sent(wire, "/Query/Query")[0]
    assert xml.text(root) == "Müller €"


def test_log_off_ends_quietly_whatever_happens(
    wire: responses.RequestsMock, client: SysproClient, caplog: pytest.LogCaptureFixture
) -> None:
    wire.add(responses.GET, f"{BASE}/Logoff", body=requests.ConnectionError("gone"))
    client.logon()
    client.logoff()
    client.logoff()
    assert not client.logged_on
    assert "seat stays taken" in caplog.text
    assert len(sent(wire, "/Logoff")) == 1


def test_no_password_and_no_session_id_is_ever_shown(
    wire: responses.RequestsMock, client: SysproClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wire.add(responses.GET, f"{BASE}/Transaction/Post", status=500)
    with pytest.raises(AmbiguousOutcome) as caught:
        client.post(POST)
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert PASSWORD not in shown
    assert GUID not in shown
    assert "APSTIN post" in shown
