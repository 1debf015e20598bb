"""Answers to writes: what a return code means, and what is no answer at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import pytest
from support.into_jaggaer import FENCE

from airflow_provider_mlconnector.errors import AmbiguousOutcome, ConfigurationError, NotAuthenticated
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.call import Call, Effect, Reply
from airflow_provider_mlconnector.systems.jaggaer.auth import Credentials
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient, NotOffered
from airflow_provider_mlconnector.systems.jaggaer.router import Message, RouterCredentials, Status, XmlRouter
from airflow_provider_mlconnector.systems.jaggaer.writes import Answer, write
from airflow_provider_mlconnector.systems.ports import OutcomeState

NOW = datetime(2026, 1, 15, 10, 20, 30, tzinfo=UTC)


class Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


class Remote:
    """Answers every data call alike and keeps what was sent."""

    timeout = 5.0

    def __init__(self, body: bytes, status: int = 200) -> None:
        self.body, self.status = body, status
        self.sent: list[Call] = []

    def send(self, call: Call, *, fence: object = None) -> Reply:
        if call.path.startswith("/auth/"):
            return Reply(200, {}, b'{"access_token": "t", "expires_in": 3600}', 0.0, "r1")
        self.sent.append(call)
        return Reply(self.status, {}, self.body, 0.0, "r1")


def answered(body: Any, *, status: int = 200, optional: bool = False, path: str = "/p") -> Answer:
    remote = Remote(body if isinstance(body, bytes) else json.dumps(body).encode(), status)
    client = JaggaerClient(remote, Credentials("jaggaer", "https://j.example", "c", "s"), clock=Clock())  # type: ignore[arg-type]
    answer = write(client, path, {"a": 1}, name="thing", effect=Effect.WRITE, fence=FENCE, optional=optional)
    (call,) = remote.sent
    assert (call.effect, call.content_type, call.body) == (Effect.WRITE, "application/json", b'{"a":1}')
    return answer


@pytest.mark.parametrize(
    ("code", "done", "warned"), [(0, True, False), ("0", True, False), ("1", True, True), (2, False, False)]
)
def test_return_codes_come_as_numbers_and_as_texts(code: object, done: bool, warned: bool) -> None:
    answer = answered({"returnCode": code, "returnMessage": "said"})
    assert (answer.done, answer.warned, answer.message) == (done, warned, "said")


@pytest.mark.parametrize(
    ("code", "message", "state", "named"),
    [
        (2, "124(code,TenderCode)", OutcomeState.REFUSED, "jaggaer_2"),
        (2, "112(loginSubUser)", OutcomeState.DUPLICATE, "jaggaer_2"),
        (-996, "super user", OutcomeState.DUPLICATE, "jaggaer_996"),
        (2, "5112(x)", OutcomeState.REFUSED, "jaggaer_2"),
    ],
)
def test_what_exists_already_is_told_from_other_refusals(
    code: int, message: str, state: OutcomeState, named: str
) -> None:
    outcome = answered({"returnCode": code, "returnMessage": message}).refusal(subject="V1")
    assert (outcome.state, outcome.code, outcome.subject) == (state, named, "V1")
    assert message in outcome.text


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", {"returnMessage": "OK"}, {"returnCode": None}, {"returnCode": True}]
)
def test_an_answer_without_a_code_says_nothing_about_what_was_executed(body: Any) -> None:
    with pytest.raises(AmbiguousOutcome, match="looked up"):
        answered(body)


def test_a_status_other_than_ok_is_no_answer() -> None:
    with pytest.raises(AmbiguousOutcome):
        answered({"returnCode": 0}, status=202)


@pytest.mark.parametrize("status", [403, 404, 405])
def test_a_resource_that_tenants_may_lack_is_told_from_an_uncertain_write(status: int) -> None:
    with pytest.raises(NotOffered, match="thing"):
        answered(b"", status=status, optional=True)


def test_a_resource_without_a_path_is_a_setting_to_correct() -> None:
    with pytest.raises(ConfigurationError, match="Contract overrides"):
        answered({}, path="")


# --- the XML router -----------------------------------------------------------------------------------------------


def routed(body: str | bytes, *, status: int = 200) -> tuple[Status, Call]:
    remote = Remote(body if isinstance(body, bytes) else body.encode(), status)
    router = XmlRouter(remote, RouterCredentials("jaggaer", "Acme & Co", "s<3"), clock=Clock())  # type: ignore[arg-type]
    message = Message("SupplierSyncMessage", "1.0", "sup-1", xml.element("Body", "Ørsted"), "/apps/x", "supplier V1")
    answer = router.send(message, effect=Effect.ABSOLUTE, fence=FENCE)
    return answer, remote.sent[0]


def reply(inner: str) -> str:
    return (
        "<SupplierSyncMessage><Header/><SupplierResponseMessage>"
        f"{inner}</SupplierResponseMessage></SupplierSyncMessage>"
    )


FINE = reply("<Status><StatusCode>\n 200 </StatusCode><StatusText> \nOK </StatusText></Status>")


def test_a_message_carries_header_identity_and_secret_in_the_order_seen() -> None:
    status, call = routed(FINE)
    assert status == Status("200", "OK", {}, "OK")
    root = xml.parse(call.body or b"", encoding="utf-8")
    assert (root.tag, root.get("version")) == ("SupplierSyncMessage", "1.0")
    assert [item.tag for item in root.iter()] == [
        "SupplierSyncMessage",
        "Header",
        "MessageId",
        "Timestamp",
        "Authentication",
        "Identity",
        "SharedSecret",
        "Body",
    ]
    assert root.findtext("Header/Timestamp") == "2026-01-15T10:20:30.000Z"
    assert root.findtext(".//SharedSecret") == "s<3"
    assert root.findtext("Body") == "Ørsted"
    assert call.content_type == "application/xml"
    assert "s<3" not in repr(call) + str(call)


def test_errors_are_read_per_record_with_the_part_they_are_about() -> None:
    inner = """<Status><StatusCode>406</StatusCode><StatusText>Not Acceptable</StatusText>
      <Errors><ErrorMessage type="Error">2 of 3</ErrorMessage></Errors></Status>
      <SupplierErrors><SupplierRef><ERPNumber> V1 </ERPNumber></SupplierRef><ErrorMessage>Name
        missing</ErrorMessage><AddressErrors><AddressRef><ERPNumber>V1-R1</ERPNumber></AddressRef>
        <ErrorMessage>Unknown country</ErrorMessage></AddressErrors></SupplierErrors>"""
    status, _ = routed(reply(inner))
    assert (status.code, status.text) == ("406", "Not Acceptable; 2 of 3")
    assert status.errors == {"V1": ["Name missing", "Address: Unknown country"]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Bad Gateway</body></html>",
        b"OK",
        FINE.replace("SupplierSyncMessage", "PurchaseOrderMessage").encode(),
        reply("<Status><StatusText>OK</StatusText></Status>").encode(),
        FINE.encode()[:-20],
        b'<!DOCTYPE x [<!ENTITY a "b">]>' + FINE.encode(),
    ],
)
def test_whatever_is_no_status_of_this_message_leaves_it_uncertain(body: bytes) -> None:
    with pytest.raises(AmbiguousOutcome, match="looked up") as told:
        routed(body)
    assert "s<3" not in str(told.value)


@pytest.mark.parametrize("http", [400, 404, 405, 406, 500])
def test_a_status_of_the_router_counts_whatever_http_says(http: int) -> None:
    status, call = routed(FINE.replace("200", "406"), status=http)
    assert status.code == "406"
    assert http in call.refusals or http == HTTPStatus.INTERNAL_SERVER_ERROR


@pytest.mark.parametrize("http", [404, 405])
@pytest.mark.parametrize("body", ["", "<html><body>Not Found</body></html>"])
def test_an_address_without_a_router_is_a_setting_and_proof_that_nothing_was_done(http: int, body: str) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing takes messages at /apps/x \(HTTP 40[45]\)") as told:
        routed(body, status=http)
    assert told.value.field == "connection 'jaggaer', field Router URL"


@pytest.mark.parametrize("http", [400, 403, 409, 500])
def test_any_other_status_without_a_message_leaves_it_uncertain(http: int) -> None:
    with pytest.raises(AmbiguousOutcome, match=f"HTTP {http}"):
        routed("<html><body>Sorry</body></html>", status=http)


def test_what_is_said_of_orders_is_read_by_order_and_line() -> None:
    message = Message("PurchaseOrderMessage", "2.0", "po-1", xml.element("Body"), "/apps/x", "order 310")
    body = """<PurchaseOrderMessage><Header/><ResponseMessage><Status><StatusCode>406</StatusCode>
      <StatusText> failed </StatusText></Status><ObjectErrors>
      <PurchaseOrderRef ponumber="310"><Error type="x"><ErrorMessage>No such
        supplier</ErrorMessage></Error></PurchaseOrderRef>
      <PurchaseOrderLineRef ponumber="310" linenumber="2"><Error><ErrorMessage>No unit</ErrorMessage></Error>
      </PurchaseOrderLineRef></ObjectErrors></ResponseMessage></PurchaseOrderMessage>"""
    remote = Remote(body.encode())
    router = XmlRouter(remote, RouterCredentials("jaggaer", "A", "S"), clock=Clock())  # type: ignore[arg-type]
    status = router.send(message, effect=Effect.WRITE, fence=FENCE)
    assert (status.said, status.errors) == ("failed", {"310": ["No such supplier", "line 2: No unit"]})
    assert status.words == "the XML router answered status 406: No such supplier; line 2: No unit"
    assert HTTPStatus.INTERNAL_SERVER_ERROR in remote.sent[0].refusals


@pytest.mark.parametrize("code", ["401", "403"])
def test_a_refused_secret_proves_that_nothing_was_executed(code: str) -> None:
    with pytest.raises(NotAuthenticated, match="tried once"):
        routed(FINE.replace("200", code))
