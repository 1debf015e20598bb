"""The ledger's codes into the simulated tenant's code lists, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from support.flow import ShiftedClock, fresh_store
from support.into_jaggaer import FENCE, Rig, client_of, route, writes

from airflow_provider_mlconnector.documents.ledger import CodedEntry, CodeList, CostCenter, LedgerAccount
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.systems.jaggaer.code_lists import JaggaerCodeListTarget
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.ports import FoundState, OutcomeState, StepDraft

CALL = "UpsertCustomFieldValues"


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
def store(tmp_path: Path) -> Iterator[Store]:
    with fresh_store(tmp_path / "store.db", ShiftedClock()) as opened:
        yield opened


def rig(sandbox: RunningSandbox, store: Store, kind: str = "ledger_account", **options: Any) -> Rig:
    clock = ShiftedClock()
    return Rig(
        sandbox,
        store,
        clock,
        route(kind),
        lambda client: JaggaerCodeListTarget("jaggaer", client, JaggaerOptions(**options)),
    )


def account(code: str, description: str = "Consumables", *, active: bool = True) -> LedgerAccount:
    return LedgerAccount(source_key=code, revision=code, code=code, description=description, active=active)


def listed(sandbox: RunningSandbox, field: str = "Account") -> dict[str, tuple[str, str]]:
    rows = sandbox.app.jaggaer.ledger()["code_lists"]
    return {row["value"]: (row["description"], row["active"]) for row in rows if row["customFieldName"] == field}


def entry(value: str, *more: str, description: str = "", active: bool = True) -> CodedEntry:
    return CodedEntry(
        field=CodeList.ACCOUNT,
        values=(value, *more),
        description=description,
        active=active,
        ledger_code="x",
        mapping_version=1,
    )


def planned(sandbox: RunningSandbox, *entries: CodedEntry, **options: Any) -> tuple[Any, list[StepDraft]]:
    target = JaggaerCodeListTarget("jaggaer", client_of(sandbox), JaggaerOptions(**options))
    with target.session() as session:
        reference = session.read_reference(suppliers=(), accounts=())
        steps = [
            step
            for number, each in enumerate(entries)
            for step in target.plan(each, reference, our_reference=f"MLC{number}").steps
        ]
        return session, steps


def test_codes_are_named_by_the_mapping_and_written_only_where_they_differ(
    sandbox: RunningSandbox, store: Store
) -> None:
    route_in = rig(sandbox, store)
    route_in.give(account("5120"), account("5130", "Laboratory goods"), account("5700", "Travel"), account("2100"))
    route_in.all()
    found = listed(sandbox)
    assert found["51200"] == ("Consumables", "true")
    assert found["51300"] == ("Laboratory goods", "true")
    assert found["57000"] == ("Travel", "true")
    assert found["2100"] == ("Consumables", "true")  # not mapped: under its own name
    assert sorted(each["key"] for each in writes(sandbox)) == ["Account/2100", "Account/51300", "Account/57000"]
    assert len({each["request_no"] for each in writes(sandbox)}) == 1
    assert [route_in.state(key) for key in ("5120", "5130", "5700", "2100")] == ["linked", "posted", "posted", "posted"]
    route_in.all()
    assert len(writes(sandbox)) == 3


def test_a_code_closed_in_the_ledger_becomes_inactive_and_active_again(sandbox: RunningSandbox, store: Store) -> None:
    route_in = rig(sandbox, store)
    route_in.give(account("5120"))
    route_in.all()
    route_in.give(account("5120", active=False))
    route_in.all()
    assert listed(sandbox)["51200"] == ("Consumables", "false")
    route_in.give(account("5120"))
    route_in.all()
    assert listed(sandbox)["51200"] == ("Consumables", "true")
    assert len(writes(sandbox)) == 2


def test_a_closed_code_jaggaer_never_had_is_not_added(sandbox: RunningSandbox, store: Store) -> None:
    route_in = rig(sandbox, store)
    route_in.give(account("9999", active=False))
    route_in.all()
    assert "9999" not in listed(sandbox)
    assert writes(sandbox) == []


def test_cost_centers_go_into_their_own_list(sandbox: RunningSandbox, store: Store) -> None:
    route_in = rig(sandbox, store, "cost_center")
    center = CostCenter(source_key="20", revision="20", code="20", description="Turning and milling")
    route_in.give(center)
    route_in.all()
    assert listed(sandbox, "CostCenter")["CC20"] == ("Turning and milling", "true")


def test_several_names_of_one_code_keep_their_own_descriptions_and_close_together(sandbox: RunningSandbox) -> None:
    _, steps = planned(sandbox, entry("51200", "51300", description="Goods", active=False))
    assert [(step.payload["value"], step.payload["entry"]["description"]) for step in steps] == [
        ("51200", "Consumables"),
        ("51300", "Laboratory supplies"),
    ]
    assert {step.payload["key"] for step in steps} == {"51200"}


def test_an_empty_description_of_the_ledger_erases_none(sandbox: RunningSandbox) -> None:
    assert planned(sandbox, entry("51200"))[1] == []


def test_lists_of_other_business_units_are_other_lists(sandbox: RunningSandbox) -> None:
    session, steps = planned(sandbox, entry("51200", description="Consumables"), business_unit="PLANT1")
    assert session.post(steps, fence=FENCE)[0].state is OutcomeState.POSTED
    (written,) = [row for row in sandbox.app.jaggaer.ledger()["code_lists"] if row["changed_by"] == "rest"]
    assert written["businessUnit"] == "PLANT1"
    assert planned(sandbox, entry("51200", description="Consumables"), business_unit="PLANT1")[1] == []


def test_a_request_is_full_and_never_names_a_value_twice(sandbox: RunningSandbox) -> None:
    entries = [entry(f"7{n:03d}", description="a") for n in range(7)]
    session, steps = planned(sandbox, *entries, entry("7000", description="b"), batch_size=3)
    groups = list(session.batches(steps))
    assert [len(group) for group in groups] == [3, 3, 2]
    assert [step for group in groups for step in group] == steps
    again, twice = planned(sandbox, entry("7000", description="a"), entry("7000", description="b"))
    assert [len(group) for group in again.batches(twice)] == [1, 1]


def test_one_faulty_value_is_refused_alone(sandbox: RunningSandbox) -> None:
    session, steps = planned(sandbox, *(entry(f"7{n:03d}", description="a") for n in range(5)))
    payload = {**steps[3].payload, "list": "NoSuchField"}
    steps[3] = StepDraft(**{name: getattr(steps[3], name) for name in StepDraft.__slots__} | {"payload": payload})
    outcomes = session.post(steps, fence=FENCE)
    assert [outcome.state is OutcomeState.POSTED for outcome in outcomes] == [True, True, True, False, True]
    assert "124(customFieldName,NoSuchField)" in outcomes[3].text
    assert {"7000", "7001", "7002", "7004"} <= set(listed(sandbox))


def test_to_find_one_faulty_value_among_64_takes_twice_six_further_calls_at_most(sandbox: RunningSandbox) -> None:
    session, steps = planned(sandbox, *(entry(f"8{n:03d}", description="a") for n in range(64)))
    payload = {**steps[41].payload, "list": "NoSuchField"}
    steps[41] = StepDraft(**{name: getattr(steps[41], name) for name in StepDraft.__slots__} | {"payload": payload})
    outcomes = session.post(steps, fence=FENCE)
    assert [place for place, outcome in enumerate(outcomes) if outcome.state is not OutcomeState.POSTED] == [41]
    calls = sandbox.app.requests.report()["systems"]["jaggaer"]["calls"][CALL]
    assert calls <= 1 + 2 * 6


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "cut_body", "html"])
def test_a_lost_answer_neither_loses_nor_doubles_a_code(sandbox: RunningSandbox, store: Store, kind: str) -> None:
    rule = {"kind": kind, "system": "jaggaer", "call": CALL, "times": 3}
    requests.post(f"{sandbox.url}/_sandbox/faults", json=[rule], timeout=10).raise_for_status()
    route_in = rig(sandbox, store)
    route_in.give(account("5120", "Things"), account("5700", "Travel"))
    route_in.all()
    route_in.all()
    assert [route_in.state(key) for key in ("5120", "5700")] == ["posted", "posted"]
    assert (listed(sandbox)["51200"][0], listed(sandbox)["57000"][0]) == ("Things", "Travel")


def test_what_settling_finds_is_compared_with_what_was_sent(sandbox: RunningSandbox) -> None:
    session, steps = planned(sandbox, entry("7000", description="a"))
    assert session.find(steps, settling=True)[0].state is FoundState.ABSENT
    session.post(steps, fence=FENCE)
    assert session.find(steps, settling=True)[0].state is FoundState.OURS


@pytest.mark.parametrize("sandbox", [{"code_writes": False}], indirect=True)
def test_a_tenant_whose_lists_are_read_only_is_a_setting_to_correct_and_nothing_stays_uncertain(
    sandbox: RunningSandbox, store: Store
) -> None:
    route_in = rig(sandbox, store)
    route_in.give(account("5700", "Travel"))
    with pytest.raises(ConfigurationError, match="code list update"):
        route_in.all()
    assert route_in.state("5700") == "validated"
