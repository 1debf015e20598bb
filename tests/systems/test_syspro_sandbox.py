"""Client, codecs and target against the simulated SYSPRO over real HTTP: planned, posted, found and proven."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from support.syspro_samples import ACCOUNTS, coded

from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.errors import AmbiguousOutcome, NotAuthenticated
from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.systems.ports import FoundState, OutcomeState, StepDraft
from airflow_provider_mlconnector.systems.syspro.client import REST_PATH, SysproClient, SysproCredentials
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
from airflow_provider_mlconnector.systems.syspro.session import SysproSession
from airflow_provider_mlconnector.systems.syspro.target import SysproTarget
from airflow_provider_mlconnector.systems.transport import Transport

SUPPLIERS = ("V00001", "V00031", "V00042", "V00043", "4711", "V00099")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class OpenFence:
    def check(self, *, needed_seconds: float) -> None:
        assert needed_seconds > 0


FENCE = OpenFence()


def control(sandbox: RunningSandbox, path: str, body: object = None) -> Any:
    url = f"{sandbox.url}/_sandbox/{path}"
    answer = requests.get(url, timeout=10) if body is None else requests.post(url, json=body, timeout=10)
    assert answer.ok, answer.text
    return answer.json()


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[RunningSandbox]:
    with serving(seed=7, start=NOON, syspro=getattr(request, "param", None)) as running:
        yield running


def client_of(sandbox: RunningSandbox, **changes: str) -> SysproClient:
    given = control(sandbox, "credentials")["syspro"]
    known = {
        "operator": given["login"],
        "password": given["password"],
        "company": given["extra"]["company_id"],
        "company_password": given["extra"]["company_password"],
    }
    transport = Transport(sandbox.url + REST_PATH, system="SYSPRO", allow_http=True)
    return SysproClient(transport, SysproCredentials(**(known | changes)))


def target_of(sandbox: RunningSandbox, **options: Any) -> SysproTarget:
    return SysproTarget("syspro_default", client_of(sandbox), SysproOptions(company="EDU1", **options))


def plan(target: SysproTarget, session: SysproSession, invoice: Any, ours: str) -> list[StepDraft]:
    reference = json.loads(json.dumps(session.read_reference(suppliers=SUPPLIERS, accounts=ACCOUNTS)))
    return list(target.plan(invoice, reference, our_reference=ours).steps)


@pytest.mark.parametrize("transport", ["get", "postld"])
def test_an_invoice_is_posted_found_and_refused_the_second_time(sandbox: RunningSandbox, transport: str) -> None:
    target = target_of(sandbox, transport=transport)
    with target.session() as session:
        steps = plan(target, session, coded(), "ML-0001")
        assert [found.state for found in session.find(steps)] == [FoundState.ABSENT]
        (rehearsed,) = session.rehearse(steps)
        assert rehearsed.state is OutcomeState.POSTED
        assert session.find(steps)[0].state is FoundState.ABSENT
        (outcome,) = session.post(steps, fence=FENCE)
        assert outcome.state is OutcomeState.POSTED, outcome
        assert outcome.result["gl_status"] == "created"
        assert (outcome.result["year"], outcome.result["period"]) == (2026, 11)
        (stands,) = session.observe([(steps[0], outcome.result)])
        assert (stands.state, stands.result["gl_status"]) == (OutcomeState.POSTED, "booked")
        (found,) = session.find(steps, settling=True)
        assert found.state is FoundState.OURS, found
        assert session.post(steps, fence=FENCE)[0].state is OutcomeState.DUPLICATE


def test_the_same_number_by_hand_or_with_another_value_is_told_apart(sandbox: RunningSandbox) -> None:
    target = target_of(sandbox)
    with target.session() as session:
        (step,) = plan(target, session, coded("310"), "ML-0001")
        session.post([step], fence=FENCE)
        (other,) = plan(target, session, coded("0000000310"), "ML-0002")
        (dearer,) = plan(target, session, coded("310", amounts=("9.99",)), "ML-0003")
        assert [found.state for found in session.find([step, other, dearer])] == [
            FoundState.OURS,
            FoundState.SAME_NOT_OURS,
            FoundState.DIFFERENT,
        ]


def test_one_bad_invoice_does_not_block_the_good_ones(sandbox: RunningSandbox) -> None:
    target = target_of(sandbox)
    with target.session() as session:
        steps = [plan(target, session, coded(f"N-{n}"), f"ML-{n}")[0] for n in range(5)]
        for n in (1, 4):  # the account was deleted between validation and posting
            item = steps[n].payload["item"]
            gone = [{**line, "code": "99-9999"} for line in item["distribution"]]
            steps[n] = replace(steps[n], payload={**steps[n].payload, "item": {**item, "distribution": gone}})
        (batch,) = session.batches(steps)
        outcomes = session.post(batch, fence=FENCE)
    good, bad = OutcomeState.POSTED, OutcomeState.REFUSED
    assert [outcome.state for outcome in outcomes] == [good, bad, good, good, bad]
    assert (outcomes[1].code, outcomes[1].subject, outcomes[1].parked) == ("ledgercode", "99-9999", True)
    assert {outcome.result["entry"] for outcome in outcomes if outcome.state is good} == {"001", "002", "003"}


def test_a_credit_reduces_its_invoice_and_is_found_by_our_reference(sandbox: RunningSandbox) -> None:
    target = target_of(sandbox, credit_reference_proven=True)
    with target.session() as session:
        session.post(plan(target, session, coded(), "ML-0001"), fence=FENCE)
        credit = coded("CM-1", kind=InvoiceKind.CREDIT_MEMO, amounts=("25.00",))
        steps = plan(target, session, credit, "ML-0002")
        assert session.find(steps)[0].state is FoundState.ABSENT
        (outcome,) = session.post(steps, fence=FENCE)
        assert outcome.state is OutcomeState.POSTED, outcome
        (found,) = session.find(steps, settling=True)
        assert found.state is FoundState.OURS, found


@pytest.mark.parametrize("sandbox", [{"ap_gl": "not_linked"}], indirect=True)
def test_where_ap_is_not_linked_a_journal_follows_and_is_found(sandbox: RunningSandbox) -> None:
    target = target_of(sandbox, ap_gl="not_linked")
    with target.session() as session:
        invoice, journal = plan(
            target, session, coded(tax="20.00", tax_code="A", amounts=("60.00", "40.00")), "ML-0001"
        )
        (posted,) = session.post([invoice], fence=FENCE)
        assert (posted.state, posted.result["gl_status"]) == (OutcomeState.POSTED, "not_linked")
        (booked,) = session.post([journal], fence=FENCE)
        assert booked.state in {OutcomeState.POSTED, OutcomeState.ACCEPTED}, booked
        (found,) = session.find([journal], settling=True)
        assert found.state is FoundState.OURS, found


@pytest.mark.parametrize("sandbox", [{"ap_gl": "not_linked"}], indirect=True)
def test_a_foreign_journal_uses_the_rate_ap_used(sandbox: RunningSandbox) -> None:
    target = target_of(sandbox, ap_gl="not_linked")
    with target.session() as session:
        foreign = coded("EU-1", supplier="V00031", currency=("EUR", "EUR"), amounts=("33.33", "33.33", "33.34"))
        invoice, journal = plan(target, session, foreign, "ML-0001")
        (early,) = session.post([journal], fence=FENCE)
        assert (early.code, early.parked) == ("ap_invoice_missing", True)
        (posted,) = session.post([invoice], fence=FENCE)
        assert posted.state is OutcomeState.POSTED, posted
        (booked,) = session.post([journal], fence=FENCE)
        assert booked.state in {OutcomeState.POSTED, OutcomeState.ACCEPTED}, booked


def test_a_supplier_on_hold_is_posted_only_when_the_hold_is_the_sole_objection(sandbox: RunningSandbox) -> None:
    target = target_of(sandbox, supplier_on_hold="post")
    with target.session() as session:
        (step,) = plan(target, session, coded(supplier="V00042"), "ML-0001")
        (outcome,) = session.post([step], fence=FENCE)
        assert outcome.state is OutcomeState.POSTED, outcome
        assert outcome.result["warnings"]
        (again,) = session.post([step], fence=FENCE)
        assert again.state is not OutcomeState.POSTED


def test_padded_supplier_numbers_are_one_key(sandbox: RunningSandbox) -> None:
    target = target_of(sandbox)
    with target.session() as session:
        (step,) = plan(target, session, coded(supplier="4711"), "ML-0001")
        assert step.payload["item"]["supplier"] == "000000000004711"
        (outcome,) = session.post([step], fence=FENCE)
        assert outcome.state is OutcomeState.POSTED, outcome


def test_an_eviction_is_survived_once_and_named_when_it_repeats(sandbox: RunningSandbox) -> None:
    client, person = client_of(sandbox), client_of(sandbox)
    client.logon()
    person.logon()
    assert client.profile()["companyname"]
    person.logon()
    logon = client.logon

    def evicted_again() -> None:
        logon()
        person.logon()

    client.logon = evicted_again  # type: ignore[method-assign]
    with pytest.raises(NotAuthenticated, match="in use elsewhere"):
        client.profile()


def test_the_whole_chart_is_read_by_pages(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    target = target_of(sandbox)
    with target.session() as session:
        at_once = session.read_reference(suppliers=(), accounts=())["accounts"]
        monkeypatch.setattr("airflow_provider_mlconnector.systems.syspro.comfnd.pages.__kwdefaults__", {"size": 7})
        paged = session.read_reference(suppliers=(), accounts=())["accounts"]
    assert len(at_once) > 30
    assert paged == at_once


@pytest.mark.parametrize(
    ("fault", "there"),
    [
        ({"kind": "reset_before"}, FoundState.ABSENT),
        ({"kind": "reset_after"}, FoundState.OURS),
        ({"kind": "cut_body"}, FoundState.OURS),
        ({"kind": "html"}, FoundState.ABSENT),
        ({"kind": "status", "code": 503}, FoundState.ABSENT),
    ],
)
def test_a_post_that_breaks_is_ambiguous_and_the_look_up_tells(
    sandbox: RunningSandbox, fault: dict[str, Any], there: FoundState
) -> None:
    target = target_of(sandbox)
    with target.session() as session:
        (step,) = plan(target, session, coded(), "ML-0001")
        control(sandbox, "faults", [{"system": "syspro", "call": "Post:APSTIN", "nth": 1, **fault}])
        with pytest.raises(AmbiguousOutcome):
            session.post([step], fence=FENCE)
        assert session.find([step], settling=True)[0].state is there


def test_a_lost_session_in_mid_work_costs_one_log_on_and_nothing_else(sandbox: RunningSandbox) -> None:
    target = target_of(sandbox)
    with target.session() as session:
        (step,) = plan(target, session, coded(), "ML-0001")
        control(sandbox, "faults", [{"system": "syspro", "call": "Post:APSTIN", "nth": 1, "kind": "evict"}])
        (outcome,) = session.post([step], fence=FENCE)
    assert outcome.state is OutcomeState.POSTED


def test_a_registered_invoice_is_told_from_an_absent_one(sandbox: RunningSandbox) -> None:
    registered = {
        "system": "syspro",
        "kind": "registered_invoice",
        "supplier": "V00001",
        "invoice": "NB-7781",
        "value": "225.00",
    }
    control(sandbox, "documents", registered)
    target = target_of(sandbox)
    with target.session() as session:
        (step,) = plan(target, session, coded(), "ML-0001")
        (outcome,) = session.post([step], fence=FENCE)
        assert outcome.state is OutcomeState.DUPLICATE
        (found,) = session.find([step], settling=True)
    assert found.state is FoundState.AWAITING
