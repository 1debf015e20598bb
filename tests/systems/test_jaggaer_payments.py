"""Payments into the simulated tenant over real HTTP: sums that add up, and nobody to ask when an answer is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import requests
from support.into_jaggaer import FENCE, client_of

from airflow_provider_mlconnector.documents.payment import CodedPayment, Payment
from airflow_provider_mlconnector.errors import AmbiguousOutcome, ConfigurationError
from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.jaggaer.payments import JaggaerPaymentTarget
from airflow_provider_mlconnector.systems.ports import Context, FoundState, OutcomeState, StepDraft

CALL = "PostPayment"
OPTIONS = JaggaerOptions(invoices_route="invoices")


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serving(seed=7, jaggaer={"invoices": 20, "mix": "good", "credit_memos": 0}) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox, request: pytest.FixtureRequest) -> RunningSandbox:
    """Return a tenant as new that takes payments, with the further settings a test asks for."""
    options = {"jaggaer": {"payments": True} | getattr(request, "param", {})}
    requests.post(f"{running.url}/_sandbox/reset", json=options, timeout=10).raise_for_status()
    return running


def payable(sandbox: RunningSandbox) -> tuple[str, Decimal]:
    """Return key and gross of an invoice that is to be paid."""
    key, truth = next((key, truth) for key, truth in sandbox.app.jaggaer.truth().items() if truth["good"])
    return key, Decimal(truth["gross"])


def header(sandbox: RunningSandbox, key: str) -> dict[str, Any]:
    body = client_of(sandbox).record("/j1p/api/public/ji/v1/invoices/{id}", key, "x", name="detail")
    assert body is not None
    found: dict[str, Any] = json.loads(body)["header"]
    return found


def target_of(sandbox: RunningSandbox, **contract: Any) -> JaggaerPaymentTarget:
    return JaggaerPaymentTarget("jaggaer", client_of(sandbox, **contract), OPTIONS)


def step_of(
    target: JaggaerPaymentTarget, invoice: str, amount: str, *, left: str = "0", entry: int = 1, ours: str = "MLC1"
) -> StepDraft:
    payment = Payment(
        source_key=f"V00001|NB-1|{entry}",
        revision="2026-01-01",
        supplier="V00001",
        invoice="NB-1",
        payment_date=date(2026, 1, 15),
        reference="CHQ 7",
        amount=Decimal(amount),
        currency="$",
        outstanding=Decimal(left),
    )
    coded = CodedPayment(payment=payment, currency="USD", mapping_version=1)
    (step,) = target.plan(coded, {}, our_reference=ours, context=Context(invoice=invoice)).steps
    return step


def test_partial_payments_add_up_until_the_invoice_is_paid(sandbox: RunningSandbox) -> None:
    key, gross = payable(sandbox)
    target = target_of(sandbox)
    part = (gross / 3).quantize(Decimal("0.01"))
    with target.session() as session:
        first, second = step_of(target, key, str(part), left="1"), step_of(target, key, str(gross - part), entry=2)
        assert session.find([first, second])[0].state is FoundState.ABSENT
        assert session.post([first], fence=FENCE)[0].state is OutcomeState.POSTED
        assert header(sandbox, key)["paymentStatus"] == "Payable"
        assert session.post([second], fence=FENCE)[0].state is OutcomeState.POSTED
    assert header(sandbox, key)["paymentStatus"] == "Paid"
    paid = sandbox.app.jaggaer.ledger()["payments"]
    assert [each["amount"] for each in paid] == [str(part), str(gross - part)]
    assert {(each["number"], each["date"]) for each in paid} == {("CHQ 7 MLC1", "2026-01-15")}


def test_an_invoice_a_person_marked_as_paid_is_not_paid_again(sandbox: RunningSandbox) -> None:
    key, gross = payable(sandbox)
    target = target_of(sandbox)
    with target.session() as session:
        session.post([step_of(target, key, str(gross))], fence=FENCE)
        (found,) = session.find([step_of(target, key, str(gross), entry=2, ours="MLC2")])
    assert found.state is FoundState.SAME_NOT_OURS


@pytest.mark.parametrize(("kind", "arrived"), [("reset_before", False), ("reset_after", True), ("cut_body", True)])
def test_a_lost_answer_is_never_repeated_and_settled_where_the_invoice_shows_it(
    sandbox: RunningSandbox, kind: str, arrived: bool
) -> None:
    key, gross = payable(sandbox)
    target = target_of(sandbox)
    rule = {"kind": kind, "system": "jaggaer", "call": CALL, "times": 1}
    requests.post(f"{sandbox.url}/_sandbox/faults", json=[rule], timeout=10).raise_for_status()
    step = step_of(target, key, str(gross))
    with target.session() as session:
        with pytest.raises(AmbiguousOutcome):
            session.post([step], fence=FENCE)
        (found,) = session.find([step], settling=True)
    assert found.state is (FoundState.OURS if arrived else FoundState.UNKNOWN)
    assert len(sandbox.app.jaggaer.ledger()["payments"]) == arrived
    assert not target.may_repost(step, not_found=1, minutes_since_first=60)


def test_a_lost_partial_payment_is_for_a_person(sandbox: RunningSandbox) -> None:
    key, _ = payable(sandbox)
    target = target_of(sandbox)
    step = step_of(target, key, "0.01", left="5")
    with target.session() as session:
        session.post([step], fence=FENCE)
        (found,) = session.find([step], settling=True)
    assert found.state is FoundState.UNKNOWN
    assert "payments.shown" in found.detail


@pytest.mark.parametrize(("shown", "state"), [("CHQ 7 MLC1", FoundState.OURS), ("CHQ 7 MLC2", FoundState.ABSENT)])
def test_a_tenant_that_shows_single_payments_tells_for_certain(
    sandbox: RunningSandbox, shown: str, state: FoundState
) -> None:
    key, _ = payable(sandbox)
    change = {"id": key, "set": {"header.paymentList": [{"paymentNumber": shown}]}}
    body = {"system": "jaggaer", "kind": "invoice", **change}
    requests.post(f"{sandbox.url}/_sandbox/documents", json=body, timeout=10).raise_for_status()
    target = target_of(sandbox, payments={"shown": "header.paymentList"})
    step = step_of(target, key, "0.01", left="5")
    with target.session() as session:
        (found,) = session.find([step], settling=True)
    assert found.state is state


@pytest.mark.parametrize(
    "sandbox", [{"payments": False}, {"payments": False, "payments_off_status": 405}], indirect=True
)
def test_a_tenant_without_payments_says_what_to_ask_jaggaer_for(sandbox: RunningSandbox) -> None:
    key, _ = payable(sandbox)
    target = target_of(sandbox)
    with target.session() as session, pytest.raises(ConfigurationError, match="Ask JAGGAER to enable payments"):
        session.post([step_of(target, key, "1")], fence=FENCE)


def test_what_the_route_or_contract_lacks_is_told_before_anything_is_read(sandbox: RunningSandbox) -> None:
    with pytest.raises(ConfigurationError, match="invoices_route"):
        JaggaerPaymentTarget("jaggaer", client_of(sandbox), JaggaerOptions())
    with pytest.raises(ConfigurationError, match="Ask JAGGAER"):
        target_of(sandbox, payments={"upsert": ""})


def test_a_refused_payment_keeps_jaggaers_words(sandbox: RunningSandbox) -> None:
    target = target_of(sandbox)
    step = step_of(target, "1", "1")
    with target.session() as session:
        assert session.find([step])[0].state is FoundState.UNKNOWN
        (outcome,) = session.post([step], fence=FENCE)
    assert (outcome.state, outcome.code) == (OutcomeState.REFUSED, "jaggaer_2")
    assert "124(invoiceId,1)" in outcome.text
