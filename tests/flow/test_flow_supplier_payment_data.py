"""Remit-to, terms and bank data of SYSPRO's suppliers in JAGGAER, which takes them by its XML router alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from support.flow import Flow, flow
from support.into_jaggaer import held, router_of, writes

from airflow_provider_mlconnector.documents.lifecycle import State
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
PAID = {
    "terms": "60", "BankBranch": "20-30-40", "BankAccount": "001234567", "RemitName": "Müller & Søn Factoring",
    "RemitAddr1": "1 Bank Street", "RemitAddr3": "Rostock", "RemitAddr5": "DE", "RemitPostalCode": "18055",
}  # fmt: skip
MESSAGE = "RouterSuppliers"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Flow]:
    """Both sides after first contact."""
    with flow(tmp_path, seed=3, start=NOON, router=router_of) as running:
        both(running, 2)
        yield running


def both(deployment: Flow, cycles: int = 1) -> None:
    for _ in range(cycles):
        for route in (INTO, BACK):
            deployment.for_route(route).all()
        deployment.run += 1
        deployment.clock.advance(60)


def at_syspro(deployment: Flow, **fields: Any) -> None:
    """Let a person change a supplier, and a minute pass."""
    deployment.sandbox.app.syspro.add("supplier", fields)
    deployment.sandbox.app.clock.advance(60)


def messages(deployment: Flow) -> int:
    return len(writes(deployment.sandbox, MESSAGE))


def told(deployment: Flow, number: str) -> tuple[str, str, str, str]:
    """Return what JAGGAER knows of how a supplier is paid: remit-to name and street, terms, account."""
    parts = held(deployment.sandbox, number)["parts"]
    address = parts["AddressList"][f"{number}-R1"]
    terms = parts["LocationList"][f"{number}-L1"]["TermsAndCondition"]["PaymentTerms"]
    account = parts["AccountsPayableList"][f"{number}-B1"]
    return address["Name"], address["AddressLine1"], terms["StandardPaymentTermsCode"], account["AccountId"]


def test_what_syspro_says_of_payment_reaches_jaggaer_once_and_again_when_it_changes(deployment: Flow) -> None:
    before = messages(deployment)
    at_syspro(deployment, supplier="V00001", **PAID)
    both(deployment)
    wanted = ("Müller & Søn Factoring", "1 Bank Street", "NET60", "001234567")
    assert told(deployment, "V00001") == wanted
    assert messages(deployment) == before + 1
    both(deployment, 2)
    assert messages(deployment) == before + 1, "what has not changed is not told again"
    at_syspro(deployment, supplier="V00001", BankAccount="009999999", terms="30")
    both(deployment)
    assert told(deployment, "V00001") == (*wanted[:2], "NET30", "009999999")
    assert messages(deployment) == before + 2


def test_a_supplier_new_in_syspro_gets_its_profile_before_its_payment_data(deployment: Flow) -> None:
    at_syspro(deployment, supplier="P77", name="Quarry Bolts & Nuts", **PAID)
    both(deployment)
    assert told(deployment, "P77")[3] == "001234567"
    mine = [row["call"] for row in writes(deployment.sandbox) if "P77" in str(row)]
    assert mine == ["UpsertCompanyProfile", MESSAGE]


@pytest.mark.parametrize("kind", ["reset_after", "reset_before", "cut_body"])
def test_a_message_whose_answer_is_lost_ends_in_the_same_payment_data(deployment: Flow, kind: str) -> None:
    at_syspro(deployment, supplier="V00002", **PAID)
    deployment.sandbox.app.faults.set([{"system": "jaggaer", "call": MESSAGE, "nth": 1, "kind": kind}])
    both(deployment, 3)
    assert told(deployment, "V00002")[2:] == ("NET60", "001234567")
    states = {one.state for one in deployment.documents() if (one.route, one.key) == (BACK.name, "V00002")}
    assert states <= {State.POSTED, State.SKIPPED, State.SUPERSEDED}
    after = messages(deployment)
    both(deployment, 2)
    assert messages(deployment) == after
