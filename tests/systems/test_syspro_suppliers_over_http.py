"""Suppliers against the simulated SYSPRO over real HTTP: listed, set up, changed, found again, under faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from airflow_provider_mlconnector.documents.supplier import (
    Address,
    CodedSupplier,
    Contact,
    NewSupplier,
    Supplier,
)
from airflow_provider_mlconnector.errors import AmbiguousOutcome, ConfigurationError, Unavailable
from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.systems.ports import (
    Context,
    DocumentSource,
    DocumentTarget,
    FoundState,
    Known,
    OutcomeState,
    Plan,
    StepDraft,
    TargetSession,
    Window,
)
from airflow_provider_mlconnector.systems.syspro.client import REST_PATH, SysproClient, SysproCredentials
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
from airflow_provider_mlconnector.systems.syspro.supplier_session import SupplierSession
from airflow_provider_mlconnector.systems.syspro.suppliers import SysproSupplierSource, SysproSupplierTarget
from airflow_provider_mlconnector.systems.transport import Transport

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NEW = NewSupplier(branch="10", bank="1", terms="30", currency="$")
ADDRESS = Address(lines=("1 Quay St", "Floor 2"), city="Rostock", region="MV", postal_code="18055", country="DE")
CONTACT = Contact(name="Zoë Ångström", email="ap@alpine.example", phone="+49 381 1", fax="+49 381 2")


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


def client_of(sandbox: RunningSandbox, max_url: int = 8192) -> SysproClient:
    given = control(sandbox, "credentials")["syspro"]
    extra = given["extra"]
    who = SysproCredentials(given["login"], given["password"], extra["company_id"], extra["company_password"])
    transport = Transport(sandbox.url + REST_PATH, system="SYSPRO", allow_http=True, retries=0, max_url=max_url)
    return SysproClient(transport, who)


def target_of(sandbox: RunningSandbox, **options: Any) -> SysproSupplierTarget:
    return SysproSupplierTarget("syspro", client_of(sandbox), SysproOptions(company="EDU1", **options))


def source_of(sandbox: RunningSandbox, **options: Any) -> SysproSupplierSource:
    return SysproSupplierSource("syspro", client_of(sandbox), SysproOptions(company="EDU1", **options))


def coded(key: str = "48999", **fields: Any) -> CodedSupplier:
    given = {"name": "Alpine & Söhne ]]> GmbH", "address": ADDRESS, "contact": CONTACT, "tax_id": "DE1"}
    terms, currency = fields.pop("terms", "60"), fields.pop("currency", "EUR")
    supplier = Supplier(**{"source_key": key, "revision": "1"} | given | fields)
    return CodedSupplier(supplier=supplier, terms=terms, currency=currency, new=NEW, mapping_version=1)


def plan(
    target: SysproSupplierTarget, session: SupplierSession, document: CodedSupplier, ours: str = "MLC1", **more: Any
) -> Plan:
    reference = json.loads(json.dumps(session.read_reference(suppliers=(), accounts=())))
    context = Context(key=document.supplier.source_key, **more)
    return target.plan(document, reference, our_reference=ours, context=context)


def step_of(planned: Plan) -> StepDraft:
    (step,) = planned.steps
    return step


def supplier_now(sandbox: RunningSandbox, key: str) -> Supplier:
    source = source_of(sandbox)
    with source.session():
        records = [record for page in source.pages(Window()) for record in page.records if record.key == key]
    return source.decode(records[0].payload)


def attempts(sandbox: RunningSandbox) -> list[tuple[str, str, str]]:
    rows = control(sandbox, "ledger")["syspro"]["write_attempts"]
    return [
        (row["type"], row["key"], row["outcome"]) for row in rows if row["bo"] == "APSSSP" and not row["validate_only"]
    ]


def test_source_target_and_session_satisfy_the_ports(sandbox: RunningSandbox) -> None:
    source: DocumentSource = source_of(sandbox)
    target: DocumentTarget = target_of(sandbox)
    assert source.complete_list
    with target.session() as session:
        opened: TargetSession = session
        assert list(opened.batches([])) == []


def test_a_new_supplier_is_set_up_once_and_found_as_ours(sandbox: RunningSandbox) -> None:
    target = target_of(sandbox)
    with target.session() as session:
        step = step_of(plan(target, session, coded()))
        assert session.find([step])[0].state is FoundState.ABSENT
        assert session.rehearse([step])[0].state is OutcomeState.POSTED
        assert session.find([step])[0].state is FoundState.ABSENT
        (outcome,) = session.post([step], fence=FENCE)
        assert outcome.state is OutcomeState.POSTED, outcome
        assert outcome.result == {"key": "JAG48999"}
        assert session.find([step], settling=True)[0].state is FoundState.OURS
        assert session.find([step])[0].state is FoundState.SAME_NOT_OURS
        assert session.post([step], fence=FENCE)[0].state is OutcomeState.DUPLICATE
    there = supplier_now(sandbox, "JAG48999")
    assert (there.name, there.currency, there.terms, there.tax_id) == ("Alpine & Söhne ]]> GmbH", "EUR", "60", "DE1")
    assert there.address == ADDRESS
    assert there.contact == CONTACT.model_copy(update={"fax": None})
    row = next(row for row in control(sandbox, "ledger")["syspro"]["suppliers"] if row["supplier"] == "JAG48999")
    assert (row["GrnMatchReqd"], row["Fax"], row["Branch"], row["Bank"]) == ("N", "+49 381 2", "10", "1")
    assert (row["BankAccount"], row["RemitName"]) == ("", "")


def test_our_own_supplier_coming_back_is_nothing_to_write(sandbox: RunningSandbox) -> None:
    target = target_of(sandbox)
    with target.session() as session:
        session.post([step_of(plan(target, session, coded()))], fence=FENCE)
        known = Known("1", coded().supplier, {"key": "JAG48999"})
        again = plan(target, session, coded(number="JAG48999", revision="2"), known=known)
        assert (again.steps, again.key, again.overruled) == ((), "JAG48999", ())


def test_a_change_touches_what_the_source_owns_and_nothing_else(sandbox: RunningSandbox) -> None:
    control(
        sandbox,
        "documents",
        {"system": "syspro", "kind": "supplier", "supplier": "V00031", "Nationality": "DEU", "SupAddr3Loc": "Altstadt",
         "MerchGlCode": "10-5120", "Telephone": "0381 9"},
    )  # fmt: skip
    before = next(row for row in control(sandbox, "ledger")["syspro"]["suppliers"] if row["supplier"] == "V00031")
    target = target_of(sandbox)
    document = coded(
        number="V00031", terms="60", currency="EUR", tax_id="DE000000031", contact=Contact(email="n@r.example")
    )
    with target.session() as session:
        planned = plan(target, session, document)
        assert [(lost.field, lost.here, lost.there) for lost in planned.overruled] == [("terms", "60", "30")]
        step = step_of(planned)
        assert session.find([step])[0].state is FoundState.ABSENT
        assert session.rehearse([step])[0].state is OutcomeState.POSTED
        (outcome,) = session.post([step], fence=FENCE)
        assert outcome.state is OutcomeState.POSTED, outcome
        assert session.find([step])[0].state is FoundState.OURS
        assert session.post([step], fence=FENCE)[0].state is OutcomeState.POSTED
    after = next(row for row in control(sandbox, "ledger")["syspro"]["suppliers"] if row["supplier"] == "V00031")
    address = {"SupAddr1", "SupAddr2", "SupAddr3", "SupAddr4", "SupAddr5", "SupPostalCode"}
    changed = {name for name in before if name[0].isupper() and before[name] != after[name]}
    assert changed == address | {"SupplierName", "SupShortName", "Email"}
    assert (after["Telephone"], after["TermsCode"], after["SupAddr3Loc"]) == ("0381 9", "30", "Altstadt")


@pytest.mark.parametrize("sandbox", [{"update_omitted": "blank"}], indirect=True)
@pytest.mark.parametrize("full_records", [True, False])
def test_where_an_update_blanks_what_is_left_out_nothing_readable_is_lost(
    sandbox: RunningSandbox, full_records: bool
) -> None:
    before = supplier_now(sandbox, "V00031")
    target = target_of(sandbox, full_records=full_records)
    with target.session() as session:
        document = coded(number="V00031", contact=None, address=None, name="Rheintal Neu", terms=None, currency=None)
        (outcome,) = session.post([step_of(plan(target, session, document))], fence=FENCE)
        assert outcome.state is OutcomeState.POSTED, outcome
    assert supplier_now(sandbox, "V00031") == before.model_copy(update={"name": "Rheintal Neu"})


@pytest.mark.parametrize("sandbox", [{"update_omitted": "blank"}], indirect=True)
@pytest.mark.parametrize("full_records", [True, False])
def test_a_column_we_do_not_name_survives_an_update_where_all_of_them_are_read(
    sandbox: RunningSandbox, full_records: bool
) -> None:
    known = {"system": "syspro", "kind": "supplier", "supplier": "V00031", "SupAddr3Loc": "Altstadt"}
    control(sandbox, "documents", known)
    target = target_of(sandbox, full_records=full_records)
    with target.session() as session:
        document = coded(number="V00031", contact=None, address=None, name="Rheintal Neu", terms=None, currency=None)
        (outcome,) = session.post([step_of(plan(target, session, document))], fence=FENCE)
        assert outcome.state is OutcomeState.POSTED, outcome
    after = next(row for row in control(sandbox, "ledger")["syspro"]["suppliers"] if row["supplier"] == "V00031")
    assert after["SupAddr3Loc"] == ("Altstadt" if full_records else "")


@pytest.mark.parametrize("sandbox", [{"update_empty": "keep"}], indirect=True)
def test_what_syspro_does_not_take_is_told_by_field(sandbox: RunningSandbox) -> None:
    target = target_of(sandbox)
    emptied = coded(number="V00031", name="Rheintal Chemie", address=None, contact=Contact())
    told = coded(number="V00031", name="Rheintal Chemie", contact=Contact(email="once@r.example")).supplier
    with target.session() as session:
        planned = plan(target, session, emptied, known=Known("1", told, {"key": "V00031"}))
        (outcome,) = session.post(planned.steps, fence=FENCE)
    assert (outcome.state, outcome.code, outcome.parked) == (OutcomeState.REFUSED, "not_taken", False)
    assert "Email 'accounts@v00031.example', wanted ''" in outcome.text


def test_a_number_in_use_is_never_taken_over(sandbox: RunningSandbox) -> None:
    target = target_of(sandbox)
    with target.session() as session:
        step = step_of(plan(target, session, coded()))
        taken = {"system": "syspro", "kind": "supplier", "supplier": "JAG48999", "name": "Somebody Else"}
        control(sandbox, "documents", taken)
        found = session.find([step])[0]
        assert found.state is FoundState.DIFFERENT
        assert "Somebody Else" in found.detail
        assert session.post([step], fence=FENCE)[0].state is OutcomeState.DUPLICATE
        assert session.find([step], settling=True)[0].state is FoundState.DIFFERENT


def test_a_numeric_number_is_kept_as_syspro_stores_it(sandbox: RunningSandbox) -> None:
    target = target_of(sandbox)
    with target.session() as session:
        step = step_of(plan(target, session, coded(number="8123")))
        (outcome,) = session.post([step], fence=FENCE)
        assert outcome.result == {"key": "000000000008123"}
        (found,) = session.find([step], settling=True)
        assert (found.state, found.result) == (FoundState.OURS, {"key": "000000000008123"})


def test_a_refusal_is_told_by_field_and_parked_when_syspros_set_up_is_at_fault(sandbox: RunningSandbox) -> None:
    target = target_of(sandbox)
    with target.session() as session:
        step = step_of(plan(target, session, coded(currency="XYZ")))
        (outcome,) = session.post([step], fence=FENCE)
    assert (outcome.state, outcome.code, outcome.subject, outcome.parked) == (
        OutcomeState.REFUSED, "currency", "XYZ", True,
    )  # fmt: skip


@pytest.mark.parametrize("number", ["", "V00031"])
def test_a_document_too_large_for_a_url_is_refused_before_it_is_sent(sandbox: RunningSandbox, number: str) -> None:
    with target_of(sandbox).session() as session:
        step = step_of(plan(target_of(sandbox), session, coded(number=number)))
    target = SysproSupplierTarget("syspro", client_of(sandbox, max_url=1500), SysproOptions(company="EDU1"))
    with target.session() as session:
        (outcome,) = session.post([step], fence=FENCE)
    assert (outcome.state, outcome.code) == (OutcomeState.REFUSED, "too_large")
    assert attempts(sandbox) == []


def test_named_suppliers_are_read_in_any_spelling_and_no_others(sandbox: RunningSandbox) -> None:
    with target_of(sandbox).session() as session:
        everything = session.read_reference(suppliers=(), accounts=())["suppliers"]
        named = session.read_reference(suppliers=("4711", " V00031", "NOBODY"), accounts=())["suppliers"]
    assert len(everything) > 30
    assert named == {key: everything[key] for key in ("4711", "V00031")}


def test_a_supplier_deleted_between_plan_and_post_is_parked(sandbox: RunningSandbox) -> None:
    control(sandbox, "documents", {"system": "syspro", "kind": "supplier", "supplier": "P1", "name": "Passing"})
    target = target_of(sandbox)
    with target.session() as session:
        step = step_of(plan(target, session, coded(number="P1")))
        control(sandbox, "documents", {"system": "syspro", "kind": "supplier_delete", "supplier": "P1"})
        assert session.find([step])[0].state is FoundState.ABSENT
        (outcome,) = session.post([step], fence=FENCE)
    assert (outcome.state, outcome.code, outcome.parked) == (OutcomeState.REFUSED, "supplier_deleted", True)
    assert attempts(sandbox) == []


FAULTS = [
    ({"kind": "reset_before"}, False),
    ({"kind": "html"}, False),
    ({"kind": "status", "code": 503}, False),
    ({"kind": "reset_after"}, True),
    ({"kind": "cut_body"}, True),
]


@pytest.mark.parametrize(("fault", "there"), FAULTS)
@pytest.mark.parametrize("call", ["SetupAdd:APSSSP", "SetupUpdate:APSSSP"])
def test_a_lost_answer_is_settled_by_looking_and_written_exactly_once(
    sandbox: RunningSandbox, call: str, fault: dict[str, Any], there: bool
) -> None:
    target = target_of(sandbox)
    adds = call.startswith("SetupAdd")
    with target.session() as session:
        step = step_of(plan(target, session, coded(number="" if adds else "V00031")))
        control(sandbox, "faults", [{"system": "syspro", "call": call, "nth": 1, **fault}])
        with pytest.raises(AmbiguousOutcome):
            session.post([step], fence=FENCE)
        assert session.find([step], settling=True)[0].state is (FoundState.OURS if there else FoundState.ABSENT)
        if not there:
            assert target.may_repost(step, not_found=1, minutes_since_first=0)
            assert session.post([step], fence=FENCE)[0].state is OutcomeState.POSTED
    key = "JAG48999" if adds else "V00031"
    assert attempts(sandbox) == [("Add" if adds else "Update", key, "posted")]
    assert supplier_now(sandbox, key).name == coded().supplier.name


@pytest.mark.parametrize("number", ["", "V00031"])
def test_a_record_that_cannot_be_read_again_leaves_the_write_open_not_undone(
    sandbox: RunningSandbox, number: str
) -> None:
    target = target_of(sandbox)
    with target.session() as session:
        step = step_of(plan(target, session, coded(number=number)))
        nth = 3 if number else 2  # a change reads both tables before it, a new one looks for its double
        fault = {"system": "syspro", "call": "Query:COMFND", "kind": "status", "code": 503}
        control(sandbox, "faults", [{**fault, "nth": nth + offset} for offset in range(6)])
        with pytest.raises(AmbiguousOutcome, match="could not be read again"):
            session.post([step], fence=FENCE)
        control(sandbox, "faults", [])
        assert session.find([step], settling=True)[0].state is FoundState.OURS


def test_a_read_that_fails_before_the_write_proves_that_nothing_was_written(sandbox: RunningSandbox) -> None:
    target = target_of(sandbox)
    with target.session() as session:
        step = step_of(plan(target, session, coded(number="V00031")))
        fault = {"system": "syspro", "call": "Query:COMFND", "kind": "status", "code": 503}
        control(sandbox, "faults", [{**fault, "nth": nth} for nth in range(1, 8)])
        with pytest.raises(Unavailable):
            session.post([step], fence=FENCE)
    assert attempts(sandbox) == []


def test_the_source_lists_everything_by_pages_without_what_changes_by_itself(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_of(sandbox)
    with source.session():
        at_once = [record for page in source.pages(Window()) for record in page.records]
        monkeypatch.setattr("airflow_provider_mlconnector.systems.syspro.comfnd.pages.__kwdefaults__", {"size": 7})
        pages = list(source.pages(Window()))
    assert len(pages) > 3
    assert [record for page in pages for record in page.records] == at_once
    assert {record.revision for record in at_once} == {""}
    payload = json.loads(next(record for record in at_once if record.key == "V00042").payload)
    assert list(payload) == sorted(payload)
    assert not {"CurrentBalance", "LastPurchDate", "TimeStamp", "DateSuppAdded"} & payload.keys()
    held = source.decode(next(record for record in at_once if record.key == "V00042").payload)
    assert (held.on_hold, held.active, held.name) == (True, True, "Heldback Supplies")
    assert held.remit_to is not None
    assert (held.remit_to.name, held.remit_to.address.lines) == ("Heldback Supplies", ("42 Foundry Road",))
    assert source.remote_time() >= NOON


def test_a_deleted_supplier_is_withdrawn_once_and_no_longer_active(sandbox: RunningSandbox) -> None:
    source = source_of(sandbox)
    with source.session():
        record = next(record for page in source.pages(Window()) for record in page.records)
    gone = source.withdrawn(record.payload)
    assert source.withdrawn(gone) == gone
    assert (source.decode(record.payload).active, source.decode(gone).active) == (True, False)


def test_where_addresses_cannot_be_read_they_are_neither_compared_nor_written(sandbox: RunningSandbox) -> None:
    target = target_of(sandbox, address_table="")
    with target.session() as session:
        step = step_of(plan(target, session, coded(number="V00031")))
        assert {name for name in step.payload["fields"] if "Addr" in name or "Postal" in name} == set()
        assert session.post([step], fence=FENCE)[0].state is OutcomeState.POSTED
    source = source_of(sandbox, address_table="")
    with source.session():
        record = next(record for page in source.pages(Window()) for record in page.records)
    assert (source.decode(record.payload).address, source.decode(record.payload).remit_to) == (None, None)


def test_a_table_syspro_does_not_show_names_the_option_to_change(sandbox: RunningSandbox) -> None:
    source = source_of(sandbox, address_table="ApSupAddresses")
    with source.session(), pytest.raises(ConfigurationError, match="address_table"):
        list(source.pages(Window()))
