"""Suppliers into the simulated tenant over real HTTP: created, changed, found again, and what is lost on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from support.flow import ShiftedClock, fresh_store
from support.into_jaggaer import FENCE, Rig, client_of, coded, held, route, router_of, supplier, writes

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.documents.supplier import Contact, RemitTo
from airflow_provider_mlconnector.errors import AmbiguousOutcome, NotAuthenticated
from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Actor, Change
from airflow_provider_mlconnector.systems.jaggaer import supplier_target
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.jaggaer.supplier_target import JaggaerSupplierTarget
from airflow_provider_mlconnector.systems.jaggaer.writes import write
from airflow_provider_mlconnector.systems.ports import Context, FoundState, Links, Outcome, OutcomeState, StepDraft

PROFILE, MESSAGE, LIST = "UpsertCompanyProfile", "RouterSuppliers", "ListCompanyProfiles"


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serving(seed=7) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox, request: pytest.FixtureRequest) -> RunningSandbox:
    """Return a tenant as new, with the settings a test asks for."""
    options = {"jaggaer": getattr(request, "param", {})}
    requests.post(f"{running.url}/_sandbox/reset", json=options, timeout=10).raise_for_status()
    requests.delete(f"{running.url}/_sandbox/faults", timeout=10).raise_for_status()
    return running


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
def store(tmp_path: Path, clock: ShiftedClock) -> Iterator[Store]:
    with fresh_store(tmp_path / "store.db", clock) as opened:
        yield opened


@pytest.fixture
def rig(sandbox: RunningSandbox, store: Store, clock: ShiftedClock) -> Rig:
    return Rig(
        sandbox,
        store,
        clock,
        route("supplier", opposite="back"),
        lambda client: JaggaerSupplierTarget(
            "jaggaer", client, JaggaerOptions(business_unit="PLANT1"), router=router_of(sandbox, clock=clock)
        ),
    )


def fault(sandbox: RunningSandbox, kind: str, call: str, **rule: Any) -> None:
    rule = {"kind": kind, "system": "jaggaer", "call": call, "times": 1, **rule}
    requests.post(f"{sandbox.url}/_sandbox/faults", json=[rule], timeout=10).raise_for_status()


def person(sandbox: RunningSandbox, kind: str, **body: Any) -> Any:
    answer = requests.post(
        f"{sandbox.url}/_sandbox/documents", json={"system": "jaggaer", "kind": kind, **body}, timeout=10
    )
    assert answer.ok, answer.text
    return answer.json()


def new(number: str = "V20001", **changes: Any) -> Any:
    return supplier(number, **({"name": "Ørsted & Søn ]]> <Tools>"} | changes))


def steps_of(target: JaggaerSupplierTarget, document: Any, **context: Any) -> list[StepDraft]:
    with target.session() as session:
        reference = json.loads(json.dumps(session.read_reference(suppliers=(), accounts=())))
    given = Context(document.source_key, **context)
    return list(target.plan(coded(document), reference, our_reference="MLC1", context=given).steps)


# --- the usual course ---------------------------------------------------------------------------------------------


def test_a_new_supplier_gets_a_profile_and_then_what_profiles_cannot_hold(rig: Rig, sandbox: RunningSandbox) -> None:
    rig.give(new())
    rig.all()
    row = held(sandbox, "V20001")
    assert rig.state("V20001") == "posted"
    assert row["profile"]["companyName"] == "Ørsted & Søn ]]> <Tools>"
    assert row["profile"]["extUniqueCode"] == "V20001"
    assert (row["profile"]["currency"], row["profile"]["fiscalCode"]) == ("USD", "TX0020001")
    assert row["vendor_numbers"] == {"PLANT1": "V20001"}
    assert row["parts"]["AddressList"]["V20001-R1"]["AddressLine1"] == "1 Bank Street"
    terms = row["parts"]["LocationList"]["V20001-L1"]["TermsAndCondition"]["PaymentTerms"]
    assert terms["StandardPaymentTermsCode"] == "NET30"
    assert row["parts"]["AccountsPayableList"]["V20001-B1"]["AccountId"] == "001000000001"
    assert [each["operation"] for each in writes(sandbox)] == ["CREATE", "updated"]
    with rig.store.unit_of_work(Actor(user="test")) as uow:
        assert uow.crosswalk.pairs("supplier", "", "syspro", "jaggaer") == [("V20001", row["bravo_id"])]


def test_a_second_run_writes_nothing(rig: Rig, sandbox: RunningSandbox) -> None:
    rig.give(new())
    rig.all()
    before = len(writes(sandbox))
    rig.all()
    rig.all()
    assert len(writes(sandbox)) == before


def test_only_what_changed_is_written(rig: Rig, sandbox: RunningSandbox) -> None:
    rig.give(new())
    rig.all()
    rig.give(new(tax_id="GB 77"))
    rig.all()
    assert held(sandbox, "V20001")["profile"]["fiscalCode"] == "GB 77"
    assert [each["call"] for each in writes(sandbox)] == [PROFILE, MESSAGE, PROFILE]
    rig.give(new(tax_id="GB 77", terms="60"))
    rig.all()
    assert [each["call"] for each in writes(sandbox)] == [PROFILE, MESSAGE, PROFILE, MESSAGE]
    # neither the last revision nor the one before planned a message: what was written last is not forgotten
    rig.give(new(tax_id="GB 78", terms="60"))
    rig.all()
    assert [each["call"] for each in writes(sandbox)][4:] == [PROFILE]


def test_on_hold_in_the_ledger_is_not_active_in_jaggaer_and_back(rig: Rig, sandbox: RunningSandbox) -> None:
    rig.give(new())
    rig.all()
    rig.give(new(on_hold=True))
    rig.all()
    assert held(sandbox, "V20001")["profile"]["status"] == "INACTIVE"
    rig.give(new(on_hold=False))
    rig.all()
    assert held(sandbox, "V20001")["profile"]["status"] == "ACTIVE"
    assert rig.state("V20001") == "posted"


def test_remit_to_and_bank_that_are_gone_become_inactive(rig: Rig, sandbox: RunningSandbox) -> None:
    rig.give(new())
    rig.all()
    rig.give(new(remit_to=RemitTo(), bank=new().bank.model_copy(update={"account": ""})))
    rig.all()
    parts = held(sandbox, "V20001")["parts"]
    assert parts["AddressList"]["V20001-R1"]["Active"] == "false"
    assert parts["AccountsPayableList"]["V20001-B1"]["Active"] == "false"


def test_the_first_meeting_links_a_known_supplier_without_writing_what_jaggaer_owns(
    rig: Rig, sandbox: RunningSandbox
) -> None:
    name = held(sandbox, "V00001")["profile"]["companyName"]
    rig.give(supplier("V00001", name=name, contact=Contact(name="Someone Else", email="else@v.example")))
    rig.all()
    assert rig.state("V00001") == "posted"  # the message, which nothing can tell to be superfluous
    assert [each["call"] for each in writes(sandbox)] == [MESSAGE]
    assert held(sandbox, "V00001")["profile"]["bizEmail"] == "accounts@v00001.example"


@pytest.mark.parametrize("sandbox", [{"suppliers": 6, "suppliers_unlinked": 3}], indirect=True)
def test_an_unlinked_supplier_is_found_by_tax_id_or_name_and_gets_its_number(rig: Rig, sandbox: RunningSandbox) -> None:
    known = {
        f"V{n}": supplier(f"V{n}", name=f"Workshop Partner {n - 10_000}", tax_id=f"TX{n:07d}")
        for n in (10_001, 10_002, 10_003)
    }
    count = len(sandbox.app.jaggaer.ledger()["suppliers"])
    rig.give(*known.values())
    rig.all()
    assert [rig.state(key) for key in known] == ["posted", "posted", "parked"]
    assert rig.newest("V10003").reason_code == "supplier_ambiguous"  # a twin stands beside it
    assert held(sandbox, "V10001")["profile"]["extUniqueCode"] == "V10001"
    assert held(sandbox, "V10002")["profile"]["fiscalCode"] == "TX0010002"
    assert len(sandbox.app.jaggaer.ledger()["suppliers"]) == count


def test_a_person_who_empties_the_ledgers_fields_in_jaggaer_is_overruled_at_the_next_change(
    rig: Rig, sandbox: RunningSandbox
) -> None:
    rig.give(new())
    rig.all()
    person(sandbox, "supplier_edit", number="V20001", set={"fiscalCode": "WRONG", "bizPhone": "555"})
    rig.give(new(terms="60"))
    rig.all()
    profile = held(sandbox, "V20001")["profile"]
    assert profile["fiscalCode"] == "TX0020001"
    assert profile["bizPhone"] == "555"  # JAGGAER's own, and repeated with the update


def test_a_supplier_on_hold_that_jaggaer_does_not_know_is_not_created(rig: Rig, sandbox: RunningSandbox) -> None:
    rig.give(new(on_hold=True))
    rig.all()
    assert rig.state("V20001") == "skipped"
    assert writes(sandbox) == []


def test_without_a_router_the_profile_says_itself_whether_a_supplier_is_active(
    rig: Rig, sandbox: RunningSandbox
) -> None:
    rig.target = lambda client: JaggaerSupplierTarget("jaggaer", client, JaggaerOptions())
    rig.give(new())
    rig.all()
    rig.give(new(active=False))
    rig.all()
    assert held(sandbox, "V20001")["profile"]["status"] == "INACTIVE"
    assert [each["call"] for each in writes(sandbox)] == [PROFILE, PROFILE]


# --- what gets lost -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [PROFILE, MESSAGE])
@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "cut_body", "html", "late_commit"])
def test_a_lost_answer_neither_loses_nor_doubles_a_supplier(
    rig: Rig, sandbox: RunningSandbox, kind: str, call: str
) -> None:
    fault(sandbox, kind, call, **({"seconds": 0.2} if kind == "late_commit" else {}))
    rig.give(new())
    rig.all()
    if rig.state("V20001") != "posted":
        rig.all()  # proven absent: sent by the next run
    assert rig.state("V20001") == "posted"
    row = held(sandbox, "V20001")
    assert row["parts"]["LocationList"]["V20001-L1"]["Active"] == "true"
    assert len(writes(sandbox, PROFILE)) == 1


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "cut_body"])
def test_a_lost_answer_to_an_update_is_settled_by_reading_it_back(rig: Rig, sandbox: RunningSandbox, kind: str) -> None:
    rig.give(new())
    rig.all()
    fault(sandbox, kind, PROFILE, times=9)
    rig.give(new(tax_id="GB 77"))
    rig.all()
    requests.delete(f"{sandbox.url}/_sandbox/faults", timeout=10)
    rig.all()
    rig.all()
    assert rig.state("V20001") == "posted"
    assert held(sandbox, "V20001")["profile"]["fiscalCode"] == "GB 77"


def test_an_update_that_cannot_be_read_back_is_uncertain_not_refused(sandbox: RunningSandbox) -> None:
    target = JaggaerSupplierTarget("jaggaer", client_of(sandbox, clock=ShiftedClock()), JaggaerOptions())
    name = held(sandbox, "V00001")["profile"]["companyName"]
    (step,) = steps_of(target, supplier("V00001", name=name, tax_id="NEW 1"))
    fault(sandbox, "status", LIST, nth=[2, 3, 4], times=3)
    with target.session() as session, pytest.raises(AmbiguousOutcome, match="read back"):
        session.post([step], fence=FENCE)
    requests.delete(f"{sandbox.url}/_sandbox/faults", timeout=10)
    with target.session() as session:
        assert session.find([step], settling=True)[0].state is FoundState.OURS


def test_a_withdrawn_token_is_renewed_and_the_write_sent_once(rig: Rig, sandbox: RunningSandbox) -> None:
    fault(sandbox, "token_kill", PROFILE)
    rig.give(new())
    rig.all()
    assert rig.state("V20001") == "posted"
    assert len(writes(sandbox, PROFILE)) == 1


# --- read, merge, write, reread -----------------------------------------------------------------------------------


def updated_while(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, **cleared: str
) -> tuple[dict[str, Any], Outcome]:
    """Update a tax id in a tenant that changes further fields on the way; return what was sent and the outcome."""
    sent: dict[str, Any] = {}

    def write_and_change(*arguments: Any, **options: Any) -> Any:
        sent.update(arguments[2]["company"]["companyInfo"])
        answer = write(*arguments, **options)
        person(sandbox, "supplier_edit", number="V00001", set=cleared)
        return answer

    person(sandbox, "supplier_edit", number="V00001", set={"webSite": "https://one.example"})
    target = JaggaerSupplierTarget("jaggaer", client_of(sandbox), JaggaerOptions())
    name = held(sandbox, "V00001")["profile"]["companyName"]
    (step,) = steps_of(target, supplier("V00001", name=name, tax_id="NEW 1"))
    monkeypatch.setattr(supplier_target, "write", write_and_change)
    with target.session() as session:
        (outcome,) = session.post([step], fence=FENCE)
    return sent, outcome


def test_an_update_repeats_what_it_read_but_nothing_of_the_super_user(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, outcome = updated_while(sandbox, monkeypatch)
    assert outcome.state is OutcomeState.POSTED
    assert (sent["bravoId"], sent["fiscalCode"], sent["webSite"]) == (
        held(sandbox, "V00001")["bravo_id"],
        "NEW 1",
        "https://one.example",
    )
    assert not [name for name in sent if name.startswith("user") or name in {"lastModTime", "registrationDate"}]
    assert "issue" not in outcome.result


def test_what_an_update_cost_besides_becomes_an_issue(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    _, outcome = updated_while(sandbox, monkeypatch, webSite="")
    assert outcome.state is OutcomeState.POSTED
    assert "also changed webSite" in outcome.result["issue"]


def test_a_field_that_was_not_taken_is_no_success(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    _, outcome = updated_while(sandbox, monkeypatch, fiscalCode="OLD")
    assert (outcome.state, outcome.code, outcome.subject) == (OutcomeState.REFUSED, "not_taken", "fiscalCode")


# --- refusals -----------------------------------------------------------------------------------------------------


def test_a_number_that_somebody_else_took_meanwhile_is_told(sandbox: RunningSandbox) -> None:
    target = JaggaerSupplierTarget("jaggaer", client_of(sandbox), JaggaerOptions())
    (step,) = steps_of(target, new())
    person(sandbox, "supplier_create", companyName="Another Firm", extCode="V20001")
    with target.session() as session:
        (outcome,) = session.post([step], fence=FENCE)
        assert outcome.state is OutcomeState.DUPLICATE
        assert "112(ext" in outcome.text
        (found,) = session.find([step], settling=True)
    assert found.state is FoundState.DIFFERENT
    assert "Another Firm" in found.detail


def test_a_company_that_is_gone_parks_its_supplier(sandbox: RunningSandbox) -> None:
    target = JaggaerSupplierTarget("jaggaer", client_of(sandbox), JaggaerOptions())
    (step,) = steps_of(
        target, supplier("V00001", tax_id="X"), links=Links({"V00001": held(sandbox, "V00001")["bravo_id"]})
    )
    gone = StepDraft(
        **{name: getattr(step, name) for name in StepDraft.__slots__} | {"payload": {**step.payload, "key": "9"}}
    )
    with target.session() as session:
        (outcome,) = session.post([gone], fence=FENCE)
    assert (outcome.state, outcome.code, outcome.parked) == (OutcomeState.REFUSED, "supplier_gone", True)


def test_unknown_terms_are_refused_by_the_router_in_its_own_words(rig: Rig, sandbox: RunningSandbox) -> None:
    target = JaggaerSupplierTarget("jaggaer", client_of(sandbox), JaggaerOptions(), router=router_of(sandbox))
    steps = steps_of(target, supplier("V00001"))
    wrong = coded(supplier("V00001"), terms="NET31")
    with target.session() as session:
        reference = session.read_reference(suppliers=(), accounts=())
        *_, message = target.plan(wrong, reference, our_reference="MLC2", context=Context("V00001")).steps
        (outcome,) = session.post([message], fence=FENCE)
        assert (outcome.state, outcome.code) == (OutcomeState.REFUSED, "router_406")
        assert "Location: Unknown StandardPaymentTermsCode NET31" in outcome.text
        (fine,) = session.post([steps[-1]], fence=FENCE)
        assert fine.state is OutcomeState.POSTED


def test_a_wrong_shared_secret_is_tried_once_and_never_told(sandbox: RunningSandbox) -> None:
    router = router_of(sandbox, secret="wr0ng-s3cret")
    target = JaggaerSupplierTarget("jaggaer", client_of(sandbox), JaggaerOptions(), router=router)
    *_, step = steps_of(target, supplier("V00001"))
    assert "s3cret" not in json.dumps(dict(step.payload))
    with target.session() as session:
        for _ in range(2):
            with pytest.raises(NotAuthenticated, match="Router shared secret") as told:
                session.post([step], fence=FENCE)
            assert "wr0ng" not in str(told.value)
    assert len(writes(sandbox, MESSAGE, outcome="refused")) == 1


@pytest.mark.parametrize("sandbox", [{"padded_texts": True}], indirect=True)
def test_padded_texts_of_the_router_are_read(rig: Rig, sandbox: RunningSandbox) -> None:
    rig.give(new())
    rig.all()
    assert rig.state("V20001") == "posted"


def test_a_refused_message_is_planned_anew_once_its_cause_is_gone(rig: Rig, sandbox: RunningSandbox) -> None:
    rig.give(new(terms="99"))
    rig.mapping = rig.mapping.replace('NET10: "10"', 'NET99: "99"')
    rig.all()
    assert (rig.state("V20001"), rig.newest("V20001").reason_code) == ("failed", "router_406")
    document = rig.newest("V20001")
    with rig.store.unit_of_work(Actor(user="test")) as uow:
        uow.documents.apply([Change(document, State.EXTRACTED, reason_code="replayed", reason="mapping corrected")])
    rig.mapping = rig.mapping.replace('NET99: "99"', "").replace('NET30: "30"', 'NET30: "99"')
    rig.all()
    assert rig.state("V20001") == "posted"
    terms = held(sandbox, "V20001")["parts"]["LocationList"]["V20001-L1"]["TermsAndCondition"]["PaymentTerms"]
    assert terms["StandardPaymentTermsCode"] == "NET30"
    assert len(writes(sandbox, PROFILE)) == 1
