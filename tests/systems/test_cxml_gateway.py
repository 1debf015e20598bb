"""What each answer to a cXML message means: taken, refused, or nobody knows (reference/jaggaer.md §4.4, FINANCE §5)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import requests
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.into_jaggaer import FENCE, client_of, cxml_of, writes
from support.purchases import invoice, invoice_line, order, part, told

from airflow_provider_mlconnector.documents.invoice import Charge, ChargeKind, Invoice, InvoiceKind, PaymentTerms, Tax
from airflow_provider_mlconnector.errors import (
    AmbiguousOutcome,
    ConfigurationError,
    MLConnectorError,
    NotAuthenticated,
    RateLimited,
    StaleClaim,
    Unavailable,
)
from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.cxml import CxmlIdentity, CxmlRequest, CxmlStatus
from airflow_provider_mlconnector.systems.jaggaer.cxml_confirmation import confirmation_request
from airflow_provider_mlconnector.systems.jaggaer.cxml_contract import CxmlContract
from airflow_provider_mlconnector.systems.jaggaer.cxml_gateway import CxmlGateway
from airflow_provider_mlconnector.systems.jaggaer.invoice_out import InvoicePlanner, InvoiceStep, invoice_step
from airflow_provider_mlconnector.systems.jaggaer.invoice_out_senders import CxmlInvoices, Ways
from airflow_provider_mlconnector.systems.jaggaer.invoice_target import JaggaerInvoiceTarget
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.jaggaer.source import JaggaerInvoiceSource
from airflow_provider_mlconnector.systems.ports import Outcome, OutcomeState, Window
from airflow_provider_mlconnector.systems.transport import Transport

BASE = "https://router.test"
PLACE = f"{BASE}/apps/Router/CXMLInvoiceImport"
SECRET = "tell-nobody-77"
NOW = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def gateway(**contract: Any) -> CxmlGateway:
    who = CxmlIdentity("jaggaer", "123456789", "ACME-T", SECRET)
    return CxmlGateway(Transport(BASE, system="JAGGAER cXML", retries=0), who, CxmlContract.model_validate(contract))


def step() -> InvoiceStep:
    planned = InvoicePlanner(JaggaerOptions()).plan(told(invoice()), {"suppliers": None, "codes": None}, ours="MLC1")
    return invoice_step(planned)


class Tenant:
    """The little a sender wants to know of its client."""

    contract, connection = JaggaerContract(), "jaggaer"


def send(opened: CxmlGateway) -> Outcome:
    sender = CxmlInvoices(Tenant(), Ways(cxml=opened))  # type: ignore[arg-type]
    return sender.send(step(), reference="MLC1", fence=FENCE)


def said(code: object, text: str = "", content: str = "") -> str:
    status = f'<Status code="{code}" text="{text}">{content}</Status>'
    return f'<?xml version="1.0"?><cXML payloadID="r" timestamp="t"><Response>{status}</Response></cXML>'


# --- taken and refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [200, 201, 204, 211, 280, 281])
def test_a_message_that_was_taken_is_submitted_and_no_more(wire: responses.RequestsMock, code: int) -> None:
    wire.add(responses.POST, PLACE, body=said(code, "OK"))
    assert send(gateway()) == Outcome(OutcomeState.SUBMITTED)
    (call,) = wire.calls
    assert call.request.headers["Content-Type"] == "application/xml"
    assert b"<SharedSecret>tell-nobody-77</SharedSecret>" in (call.request.body or b"")


@pytest.mark.parametrize("http", [200, None])
@pytest.mark.parametrize("code", [400, 402, 406, 412, 417, 450, 475, 476, 477])
def test_a_refusal_is_told_in_the_receivers_words_whatever_the_http_status(
    wire: responses.RequestsMock, code: int, http: int | None
) -> None:
    wire.add(responses.POST, PLACE, body=said(code, "Not taken", "line 1 has no price"), status=http or code)
    outcome = send(gateway())
    assert (outcome.state, outcome.code, outcome.subject) == (OutcomeState.REFUSED, f"cxml_{code}", "XN-7781")
    assert outcome.text == f"JAGGAER answered cXML status {code}: Not taken: line 1 has no price"


@pytest.mark.parametrize(("code", "text"), [(409, "Conflict"), (406, "112(supplierInvoiceNumber)")])
def test_what_is_there_already_is_a_duplicate_to_be_compared(
    wire: responses.RequestsMock, code: int, text: str
) -> None:
    wire.add(responses.POST, PLACE, body=said(code, text))
    assert send(gateway()).state is OutcomeState.DUPLICATE


@pytest.mark.parametrize(("http", "body"), [(401, ""), (200, said(401, "Unauthorized")), (403, said(403, "Forbidden"))])
def test_refused_credentials_are_tried_once_and_named(wire: responses.RequestsMock, http: int, body: str) -> None:
    wire.add(responses.POST, PLACE, body=body, status=http)
    opened = gateway()
    for _attempt in range(2):
        with pytest.raises(
            NotAuthenticated, match=r"connection 'jaggaer'.*cXML identity, cXML buyer id and cXML shared"
        ):
            send(opened)
    assert len(wire.calls) == 1


# --- nobody knows -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("http", [200, None])
@pytest.mark.parametrize("code", [500, 550, 551, 560])
def test_trouble_of_the_server_proves_nothing_in_either_place(
    wire: responses.RequestsMock, code: int, http: int | None
) -> None:
    wire.add(responses.POST, PLACE, body=said(code, "later"), status=http or code)
    with pytest.raises(AmbiguousOutcome, match="may have been executed"):
        send(gateway())
    assert len(wire.calls) == 1


@pytest.mark.parametrize("http", [200, 400, 406, 409, 413, 415, 422])
@pytest.mark.parametrize(
    "body",
    [
        "",
        "SUCCESS",
        "OK",
        "<html><body>Your session has ended</body></html>",
        said("200", "OK")[:-9],
        "<cXML><Response/></cXML>",
        said("OK", "OK"),
        said(302, "elsewhere"),
        '<!DOCTYPE cXML [<!ENTITY x "200">]><cXML><Response><Status code="200" text="&x;"/></Response></cXML>',
    ],
)
def test_an_answer_without_a_status_proves_nothing(wire: responses.RequestsMock, http: int, body: str) -> None:
    wire.add(responses.POST, PLACE, body=body, status=http)
    with pytest.raises(AmbiguousOutcome, match="looked up before anything else") as caught:
        send(gateway())
    assert SECRET not in str(caught.value)


def test_a_success_that_the_http_status_contradicts_proves_nothing(wire: responses.RequestsMock) -> None:
    wire.add(responses.POST, PLACE, body=said(200, "OK"), status=400)
    with pytest.raises(AmbiguousOutcome, match="HTTP 400, and JAGGAER answered cXML status 200"):
        send(gateway())


@pytest.mark.parametrize("error", [requests.exceptions.ConnectionError(), requests.exceptions.ReadTimeout()])
def test_a_connection_that_breaks_under_the_message_proves_nothing(
    wire: responses.RequestsMock, error: Exception
) -> None:
    wire.add(responses.POST, PLACE, body=error)
    with pytest.raises((AmbiguousOutcome, Unavailable)):
        send(gateway())
    assert len(wire.calls) == 1


# --- bare texts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["SUCCESS", " success\r\n", "ok"])
def test_a_bare_text_counts_where_the_contract_says_so_and_proves_nothing_even_then(
    wire: responses.RequestsMock, body: str
) -> None:
    wire.add(responses.POST, PLACE, body=body)
    outcome = send(gateway(plain_answers=["SUCCESS", "OK"]))
    assert outcome.state is OutcomeState.SUBMITTED
    assert "bare text" in outcome.result["warning"]


@pytest.mark.parametrize(
    ("http", "body"),
    [(200, "SUCCESSFUL"), (200, "NO SUCCESS"), (200, "SUCCESS" + " " * 100), (400, "SUCCESS"), (200, "")],
)
def test_no_other_text_does(wire: responses.RequestsMock, http: int, body: str) -> None:
    wire.add(responses.POST, PLACE, body=body, status=http)
    with pytest.raises(AmbiguousOutcome):
        send(gateway(plain_answers=["SUCCESS"]))


# --- nothing was executed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("http", [404, 405])
def test_an_address_that_takes_nothing_is_a_wrong_setting(wire: responses.RequestsMock, http: int) -> None:
    wire.add(responses.POST, PLACE, body="<html>no such place</html>", status=http)
    with pytest.raises(ConfigurationError, match=r"field cXML URL.*was not executed"):
        send(gateway())


def test_a_status_at_such_an_address_is_the_receivers_own(wire: responses.RequestsMock) -> None:
    wire.add(responses.POST, PLACE, body=said(406, "unknown order"), status=404)
    assert send(gateway()).state is OutcomeState.REFUSED


def test_too_many_requests_are_no_refusal(wire: responses.RequestsMock) -> None:
    wire.add(responses.POST, PLACE, status=429, headers={"Retry-After": "3600"})
    with pytest.raises(RateLimited):
        send(gateway())


def test_a_claim_that_was_lost_keeps_the_message_from_leaving(wire: responses.RequestsMock) -> None:
    class Lost:
        def check(self, *, needed_seconds: float) -> None:
            msg = f"lost, {needed_seconds:g} s short"
            raise StaleClaim(msg)

    sender = CxmlInvoices(Tenant(), Ways(cxml=gateway()))  # type: ignore[arg-type]
    with pytest.raises(StaleClaim):
        sender.send(step(), reference="MLC1", fence=Lost())
    assert len(wire.calls) == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(body=st.binary(max_size=200), http=st.sampled_from([200, 204, 400, 404, 406, 500, 503]))
def test_whatever_comes_back_nothing_but_a_status_is_an_answer(body: bytes, http: int) -> None:
    with responses.RequestsMock() as wire:
        wire.add(responses.POST, PLACE, body=body, status=http)
        with pytest.raises(MLConnectorError):
            send(gateway())


def test_neither_secret_nor_document_reaches_logs_or_errors(
    wire: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wire.add(responses.POST, PLACE, body=f"<echo>{SECRET}</echo>")
    opened = gateway()
    with pytest.raises(AmbiguousOutcome) as caught:
        send(opened)
    for text in (caplog.text, str(caught.value), repr(opened)):
        assert SECRET not in text


def test_the_secret_is_handed_to_the_masking_of_logs() -> None:
    masked: list[str] = []
    transport = Transport(BASE, system="JAGGAER cXML")
    CxmlGateway(transport, CxmlIdentity("c", "1", "2", SECRET), CxmlContract(), on_secret=masked.append)
    assert masked == [SECRET]


def test_without_an_address_for_cxml_a_route_by_cxml_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="field cXML URL: is empty"):
        CxmlInvoices(Tenant(), Ways())  # type: ignore[arg-type]


# --- the simulated tenant over real HTTP --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serving(seed=7) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox, request: pytest.FixtureRequest) -> RunningSandbox:
    """Return a tenant as new, with the settings a test asks for."""
    options = {"jaggaer": getattr(request, "param", {})}
    requests.post(f"{running.url}/_sandbox/reset", json=options, timeout=10).raise_for_status()
    return running


def imported(sandbox: RunningSandbox, *, document: Invoice | None = None, **cxml: Any) -> Outcome:
    """Hand the invoice to the simulated tenant."""
    target = JaggaerInvoiceTarget(
        "jaggaer", client_of(sandbox), JaggaerOptions(invoices_by="cxml"), cxml=cxml_of(sandbox, **cxml)
    )
    wanted = told(document or invoice())
    (draft,) = target.plan(wanted, {"suppliers": None, "codes": None}, our_reference="MLC1").steps
    with target.session() as session:
        (outcome,) = session.post([draft], fence=FENCE)
    return outcome


def test_the_route_chooses_cxml_and_the_tenant_takes_the_invoice(sandbox: RunningSandbox) -> None:
    outcome = imported(sandbox)
    assert outcome.state is OutcomeState.SUBMITTED
    (attempt,) = sandbox.app.jaggaer.ledger()["write_attempts"]
    assert (attempt["call"], attempt["payload_id"], attempt["outcome"]) == ("CxmlInvoice", "MLC1@mlconnector", "stored")


@pytest.mark.parametrize("wrong", [{"secret": "other"}, {"identity": "42"}])
def test_the_tenant_refuses_who_it_does_not_know(sandbox: RunningSandbox, wrong: dict[str, str]) -> None:
    with pytest.raises(NotAuthenticated, match="refused the sender"):
        imported(sandbox, **wrong)
    assert writes(sandbox) == []


@pytest.mark.parametrize("sandbox", [{"cxml_http_status": True}], indirect=True)
def test_a_tenant_whose_http_status_is_the_code_is_understood_too(sandbox: RunningSandbox) -> None:
    assert imported(sandbox).state is OutcomeState.SUBMITTED
    with pytest.raises(NotAuthenticated):
        imported(sandbox, secret="other")


@pytest.mark.parametrize("sandbox", [{"cxml_plain_success": True}], indirect=True)
def test_a_tenant_that_answers_in_a_bare_word_needs_the_contract_for_it(sandbox: RunningSandbox) -> None:
    assert imported(sandbox, plain_answers=["SUCCESS"]).state is OutcomeState.SUBMITTED
    requests.post(
        f"{sandbox.url}/_sandbox/reset", json={"jaggaer": {"cxml_plain_success": True}}, timeout=10
    ).raise_for_status()
    with pytest.raises(AmbiguousOutcome):
        imported(sandbox)


@pytest.mark.parametrize("sandbox", [{"cxml_same_payload": "conflict", "ocr_unique": "off"}], indirect=True)
def test_a_payload_id_the_tenant_has_seen_is_a_duplicate(sandbox: RunningSandbox) -> None:
    assert [imported(sandbox).state for _time in range(2)] == [OutcomeState.SUBMITTED, OutcomeState.DUPLICATE]


@pytest.mark.parametrize("sandbox", [{"purchase_orders": 1}], indirect=True)
def test_the_tenant_takes_confirmations_of_its_own_orders(sandbox: RunningSandbox) -> None:
    asked = requests.post(f"{sandbox.url}/_sandbox/exports", json={"kinds": ["cxml_order"]}, timeout=10)
    number = asked.json()["files"][0]["key"]
    request = confirmation_request(order(number=number), CxmlContract(), reference="MLC2", now=NOW)
    assert cxml_of(sandbox).send(request, fence=FENCE).taken
    (attempt,) = sandbox.app.jaggaer.ledger()["write_attempts"]
    assert (attempt["call"], attempt["payload_id"]) == ("CxmlConfirmation", "MLC2@mlconnector")


def test_a_message_at_the_wrong_place_is_refused_or_a_wrong_setting(sandbox: RunningSandbox) -> None:
    request = confirmation_request(order(), CxmlContract(), reference="MLC2", now=NOW)
    astray = CxmlRequest(request.payload_id, request.body, request.dtd, "/apps/Router/Elsewhere", request.name)
    with pytest.raises(ConfigurationError, match="field cXML URL"):
        cxml_of(sandbox).send(astray, fence=FENCE)
    swapped = CxmlRequest(request.payload_id, request.body, "", CxmlContract().invoices, request.name)
    status: CxmlStatus = cxml_of(sandbox).send(swapped, fence=FENCE)
    assert status.refused


def test_everything_an_invoice_can_carry_stands_the_tenants_own_dtd(sandbox: RunningSandbox) -> None:
    memo = invoice(
        invoice_line(
            1, po_number="310", po_line="1", allocations=(part(percent=Decimal(60)), part(percent=Decimal(40)))
        ),
        invoice_line(2, "3", "1.50", allocations=()),
        kind=InvoiceKind.CREDIT_MEMO,
        original_number="XN-1",
        charges=tuple(Charge(kind=kind, amount=Decimal("2.50")) for kind in ChargeKind),
        taxes=(Tax(code="A", amount=Decimal(20)), Tax(code="B", amount=Decimal(1))),
        terms=PaymentTerms(days=30, discount_percent=Decimal(2), discount_days=10),
        gross=Decimal("230.50"),
        notes="returned",
    )
    assert imported(sandbox, document=memo).state is OutcomeState.SUBMITTED
    source = JaggaerInvoiceSource(client_of(sandbox))
    (record,) = [record for page in source.pages(Window()) for record in page.records]
    there = source.decode(source.complete(record).payload)
    assert (there.kind, there.supplier, there.gross) == (InvoiceKind.CREDIT_MEMO, "V00042", Decimal("230.50"))
    assert [line.amount for line in there.lines] == [200, Decimal("4.50")]
    assert [share.amount for share in there.lines[0].allocations] == [120, 80]
    assert {(each.kind, each.amount) for each in there.charges} == {
        (ChargeKind.FREIGHT, Decimal("2.50")),
        (ChargeKind.HANDLING, Decimal("5.00")),
        (ChargeKind.DISCOUNT, Decimal("2.50")),
    }
    assert sum(tax.amount for tax in there.taxes) == 21
