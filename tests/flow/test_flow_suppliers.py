"""Suppliers both ways over HTTP: first contact, a change on either side, on both at once, and then quiet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from support.flow import Flow, flow

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord
from airflow_provider_mlconnector.sync.route import MappingSource, Route

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
INTO = Route(
    name="suppliers_in", document="supplier", source="jaggaer", target="syspro", opposite="suppliers_out",
    start_at=date(2020, 1, 1),
)  # fmt: skip
BACK = Route(
    name="suppliers_out", document="supplier", source="syspro", target="jaggaer", opposite="suppliers_in",
    start_at=date(2020, 1, 1), mapping=MappingSource(reverse=True),
)  # fmt: skip
NEW = {"companyName": "Alpine & Söhne ]]> GmbH", "zip": "18055", "city": "Rostock", "isoCountry": "DE",
       "address": "1 Quay", "bizEmail": "ap@alpine.example", "currency": "EUR", "fiscalCode": "DE77"}  # fmt: skip


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """Both sides after first contact; each test has suppliers of its own and leaves both in step."""
    with flow(tmp_path_factory.mktemp("suppliers"), seed=3, start=NOON) as running:
        both(running, 2)
        yield running


def both(deployment: Flow, cycles: int = 1) -> None:
    for _ in range(cycles):
        for route in (INTO, BACK):
            one = deployment.for_route(route)
            one.all()
        deployment.run += 1
        deployment.clock.advance(60)


def writes(deployment: Flow) -> tuple[int, int]:
    syspro = [row for row in deployment.ledger()["write_attempts"] if row["bo"] == "APSSSP"]
    jaggaer = [row for row in deployment.sandbox.app.jaggaer.ledger()["write_attempts"] if row["kind"] == "supplier"]
    return len(syspro), len(jaggaer)


def newest(deployment: Flow, route: Route) -> dict[str, DocumentRecord]:
    """Return the newest revision of every supplier of a route."""
    mine = [record for record in deployment.documents() if record.route == route.name]
    return {record.key: record for record in sorted(mine, key=lambda record: record.revision)}


def in_syspro(deployment: Flow, number: str) -> dict[str, Any]:
    rows = [row for row in deployment.ledger()["suppliers"] if row["supplier"] == number and not row["deleted"]]
    return dict(rows[0]) if rows else {}


def in_jaggaer(deployment: Flow, name: str) -> dict[str, str]:
    """Return the profile of a company by name."""
    rows = deployment.sandbox.app.jaggaer.ledger()["suppliers"]
    (found,) = [row for row in rows if row["profile"]["companyName"] == name]
    return {"bravoId": found["bravo_id"], **found["profile"]}


def by_hand(deployment: Flow, system: str, kind: str, **body: Any) -> dict[str, Any]:
    """Let a person do something, and a minute pass: a list shows what was changed before it was asked for."""
    place = deployment.sandbox.app.syspro if system == "syspro" else deployment.sandbox.app.jaggaer
    done: dict[str, Any] = dict(place.add(kind, body))
    deployment.sandbox.app.clock.advance(60)
    return done


def quiet(deployment: Flow) -> None:
    """Nothing more is written by either side, however often both run."""
    before = writes(deployment)
    both(deployment, 2)
    assert writes(deployment) == before


def applied(deployment: Flow) -> Counter[tuple[str, str]]:
    """Count what SYSPRO was made to do per supplier."""
    rows = deployment.ledger()["write_attempts"]
    return Counter((row["type"], row["key"]) for row in rows if row["bo"] == "APSSSP" and row["outcome"] == "posted")


def test_known_suppliers_are_linked_at_first_contact_completed_and_then_left_alone(deployment: Flow) -> None:
    states = Counter((str(record.state), record.reason_code) for record in newest(deployment, INTO).values())
    # the Kuwaiti dinar is mapped nowhere; one supplier is not in SYSPRO yet, and gets there
    assert states[("parked", "unmapped_currency")] == 1
    assert states["parked", "unmapped_currency"] + states["posted", ""] + states["skipped", "nothing_to_write"] == 39
    assert applied(deployment)["Add", "V00099"] == 1
    assert set(applied(deployment).values()) == {1}
    assert (in_syspro(deployment, "V00001")["SupAddr5"], in_syspro(deployment, "V00001")["Contact"]) == (
        "US", "Robin Account",
    )  # fmt: skip
    quiet(deployment)


def test_a_supplier_new_in_jaggaer_gets_a_number_in_syspro_and_jaggaer_learns_it(deployment: Flow) -> None:
    key = by_hand(deployment, "jaggaer", "supplier_create", **NEW)["bravoId"]
    both(deployment)
    number = f"JAG{key}"
    row = in_syspro(deployment, number)
    assert (row["SupplierName"], row["Currency"], row["TaxRegnNum"]) == (NEW["companyName"], "EUR", "DE77")
    assert (row["GrnMatchReqd"], row["TermsCode"], row["BankAccount"]) == ("N", "30", "")
    profile = in_jaggaer(deployment, NEW["companyName"])
    assert (profile["extCode"], profile["extUniqueCode"]) == (number, number)
    quiet(deployment)
    assert applied(deployment)["Add", number] == 1


def test_a_supplier_new_in_syspro_reaches_jaggaer_and_its_echo_writes_nothing(deployment: Flow) -> None:
    by_hand(deployment, "syspro", "supplier", supplier="P77", name="Quarry Bolts & Nuts", SupPostalCode="12345")
    both(deployment, 2)
    assert in_jaggaer(deployment, "Quarry Bolts & Nuts")["extCode"] == "P77"
    quiet(deployment)
    assert {key for _method, key in applied(deployment)} & {"P77"} == set()


def test_both_sides_edited_in_one_interval_converge_by_owner_and_are_then_quiet(deployment: Flow) -> None:
    by_hand(deployment, "syspro", "supplier", supplier="V00001", name="Typed In Wrong", terms="60", TaxRegnNum="TX9")
    changes = {"bizEmail": "new@v1.example", "currency": "EUR", "fiscalCode": "TX8"}
    by_hand(deployment, "jaggaer", "supplier_edit", number="V00001", set=changes)
    both(deployment)
    row = in_syspro(deployment, "V00001")
    name = row["SupplierName"]
    profile = in_jaggaer(deployment, name)
    assert (name, row["Email"], row["Currency"], row["TermsCode"], row["TaxRegnNum"]) == (
        "Alpine Reagents 1", "new@v1.example", "$", "60", "TX9",
    )  # fmt: skip
    assert (profile["bizEmail"], profile["currency"], profile["fiscalCode"]) == ("new@v1.example", "USD", "TX9")
    (lost,) = [
        event.detail["overruled"]
        for record in deployment.documents()
        if record.route == INTO.name and record.key == profile["bravoId"]
        for event in _events(deployment, record)
        if "overruled" in event.detail
    ]
    assert set(lost) == {"currency: 'EUR' loses against '$'", "tax_id: 'TX8' loses against 'TX9'"}
    quiet(deployment)


def _events(deployment: Flow, record: DocumentRecord) -> Any:
    with deployment.store.unit_of_work(Actor(user="test")) as uow:
        return uow.events.of(record.id)


def test_a_name_typed_into_syspro_alone_is_put_right_within_the_next_cycle(deployment: Flow) -> None:
    by_hand(deployment, "syspro", "supplier", supplier="V00002", name="Typed In Wrong")
    both(deployment, 2)
    assert in_syspro(deployment, "V00002")["SupplierName"] == _name("V00002")
    quiet(deployment)
    by_hand(deployment, "syspro", "supplier", supplier="V00002", name="Typed In Wrong")
    both(deployment, 2)
    assert in_syspro(deployment, "V00002")["SupplierName"] == _name("V00002")
    quiet(deployment)


def test_a_repetition_asked_for_is_not_lost_to_a_change_that_says_nothing_new(deployment: Flow) -> None:
    by_hand(deployment, "syspro", "supplier", supplier="V00003", name="Typed In Wrong")
    deployment.for_route(BACK).all()  # asks JAGGAER's route for its name once more
    deployment.run += 1
    deployment.clock.advance(60)
    by_hand(deployment, "jaggaer", "supplier_edit", number="V00003", set={"webSite": "https://v00003.example"})
    both(deployment)
    assert in_syspro(deployment, "V00003")["SupplierName"] == _name("V00003")
    quiet(deployment)


@pytest.mark.parametrize("kind", ["reset_after", "reset_before", "cut_body"])
def test_lost_answers_are_settled_and_every_supplier_is_written_once(deployment: Flow, kind: str) -> None:
    name = f"Lost & Found {kind}"
    key = by_hand(deployment, "jaggaer", "supplier_create", companyName=name, zip="1", currency="USD")["bravoId"]
    by_hand(deployment, "jaggaer", "supplier_edit", number="V00005", set={"city": f"Elsewhere {kind}"})
    plan = [
        {"system": "syspro", "call": call, "nth": 1, "kind": kind} for call in ("SetupAdd:APSSSP", "SetupUpdate:APSSSP")
    ]
    before = applied(deployment)
    deployment.sandbox.app.faults.set(plan)
    both(deployment, 3)
    written = applied(deployment) - before
    assert written == {("Add", f"JAG{key}"): 1, ("Update", "V00005"): 1}
    assert in_syspro(deployment, "V00005")["SupAddr3"] == f"Elsewhere {kind}"
    assert newest(deployment, INTO)[key].state in {State.POSTED, State.SKIPPED}
    quiet(deployment)


def test_a_supplier_deleted_in_syspro_is_deactivated_in_jaggaer_and_stays_away(deployment: Flow) -> None:
    by_hand(deployment, "syspro", "supplier_delete", supplier="V00003")
    both(deployment, 3)
    assert in_jaggaer(deployment, _name("V00003"))["status"] != "ACTIVE"
    quiet(deployment)
    assert in_syspro(deployment, "V00003") == {}


def test_a_supplier_deactivated_in_jaggaer_waits_for_a_person(deployment: Flow) -> None:
    by_hand(deployment, "jaggaer", "supplier_deactivate", number="V00004")
    both(deployment)
    record = newest(deployment, INTO)[in_jaggaer(deployment, _name("V00004"))["bravoId"]]
    assert (record.state, record.reason_code, record.reason_subject) == (State.PARKED, "supplier_deactivated", "V00004")
    by_hand(deployment, "syspro", "supplier", supplier="V00004", on_hold=True)
    both(deployment, 2)
    record = newest(deployment, INTO)[record.key]
    assert record.state is State.SKIPPED
    quiet(deployment)


def test_suppliers_merged_on_one_side_wait_until_they_are_merged_on_the_other(deployment: Flow) -> None:
    by_hand(deployment, "jaggaer", "supplier_merge", number="V00007", into="V00008")
    both(deployment, 2)
    key = in_jaggaer(deployment, _name("V00007"))["bravoId"]
    assert newest(deployment, INTO)[key].reason_code == "supplier_deactivated"
    by_hand(deployment, "syspro", "supplier_merge", supplier="V00007", into="V00008")
    by_hand(deployment, "syspro", "supplier_merge", supplier="V00009", into="V00008")
    both(deployment, 2)
    assert newest(deployment, INTO)[key].state is State.SKIPPED
    assert in_jaggaer(deployment, _name("V00009"))["status"] != "ACTIVE"
    quiet(deployment)


def _name(number: str) -> str:
    return next(known.name for known in master.SUPPLIERS if known.number == number)


def test_suppliers_without_a_number_are_recognized_or_wait_for_a_person(tmp_path: Path) -> None:
    by_tax_id, by_name, doubled = (known.number for known in master.more_suppliers(3))
    tenant, site = {"suppliers": 3, "suppliers_unlinked": 3}, {"suppliers": 3}
    with flow(tmp_path, seed=3, start=NOON, jaggaer=tenant, syspro_site=site) as deployment:
        both(deployment, 2)
        rows = deployment.sandbox.app.jaggaer.ledger()["suppliers"]
        numbered = Counter(row["number"] for row in rows if row["number"] > "V1")
        waiting = [r for r in newest(deployment, INTO).values() if r.reason_code == "supplier_ambiguous"]
        # of two companies that are one supplier in SYSPRO the first is taken, and the second waits for a person
        assert numbered == {by_tax_id: 1, by_name: 1, doubled: 1}
        assert [record.reason_subject for record in waiting] == [doubled]
        assert {key for method, key in applied(deployment) if method == "Add"} == {"V00099"}
        quiet(deployment)


@pytest.mark.parametrize("same", [{"fiscalCode": "DE4711"}, {"zip": "4711"}], ids=["tax id", "name and postal code"])
def test_of_two_new_companies_that_are_one_in_the_same_run_only_the_first_gets_a_number(
    deployment: Flow, same: dict[str, str]
) -> None:
    named = {"companyName": f"Twin {next(iter(same))}", "zip": "1", "currency": "USD", **same}
    first, second = (by_hand(deployment, "jaggaer", "supplier_create", **named)["bravoId"] for _ in range(2))
    both(deployment, 2)
    added = {key for method, key in applied(deployment) if method == "Add"}
    assert f"JAG{first}" in added
    assert f"JAG{second}" not in added
    waiting = newest(deployment, INTO)[second]
    assert (waiting.state, waiting.reason_code, waiting.reason_subject) == (
        State.PARKED, "supplier_ambiguous", f"JAG{first}",
    )  # fmt: skip
    quiet(deployment)


def test_a_company_typed_into_syspro_between_the_check_and_the_writing_is_linked_and_not_set_up_again(
    deployment: Flow,
) -> None:
    named = {"companyName": "Late & Co", "zip": "77", "currency": "USD", "fiscalCode": "DE0815"}
    key = by_hand(deployment, "jaggaer", "supplier_create", **named)["bravoId"]
    into = deployment.for_route(INTO)
    into.extract()
    into.plan()
    into.validate()
    by_hand(deployment, "syspro", "supplier", supplier="L77", name="Late & Co", TaxRegnNum="DE0815")
    into.post()
    deployment.run += 1
    assert newest(deployment, INTO)[key].reason_code == "supplier_ambiguous"
    both(deployment, 2)
    assert ("Add", f"JAG{key}") not in applied(deployment)
    assert in_jaggaer(deployment, "Late & Co")["extCode"] == "L77"
    quiet(deployment)


def test_a_dry_run_validates_with_syspro_and_writes_nothing(deployment: Flow) -> None:
    key = by_hand(deployment, "jaggaer", "supplier_create", companyName="Rehearsal Ltd", zip="2")["bravoId"]
    by_hand(deployment, "jaggaer", "supplier_edit", number="V00006", set={"city": "Elsewhere"})
    before = applied(deployment)
    deployment.for_route(INTO).all(preview_id="rehearsal")
    tried = {
        (row["type"], row["key"]) for row in deployment.ledger()["write_attempts"] if row["outcome"] == "validated"
    }
    assert {("Add", f"JAG{key}"), ("Update", "V00006")} <= tried
    assert applied(deployment) == before
    deployment.run += 1
    both(deployment)
    assert applied(deployment) - before == {("Add", f"JAG{key}"): 1, ("Update", "V00006"): 1}
    quiet(deployment)
