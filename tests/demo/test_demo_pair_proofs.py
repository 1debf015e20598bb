"""The demo's proofs about the flows around the invoices: each names what differs."""

from __future__ import annotations

import ast
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_mlconnector.demo import cloud, pair, unlinked
from airflow_provider_mlconnector.demo.home import Home
from airflow_provider_mlconnector.demo.pair import Flow, RouteFacts
from airflow_provider_mlconnector.demo.stage import DagRun

SYSPRO: dict[str, Any] = {
    "suppliers": [
        {"supplier": "V1", "SupplierName": "One", "TaxRegnNum": "T1", "BankAccount": "001", "deleted": False},
        {"supplier": "V2", "SupplierName": "Two", "TaxRegnNum": "", "BankAccount": "002", "deleted": False},
    ],
    "purchase_orders": [
        {"customer_po": "PO1/ab", "status": "4", "lines": [{"stock_code": "S", "qty": "2", "price": "1.50"}]}
    ],
    "grn_suspense": {"gl_balance": "-5.00", "not_invoiced": "5.00"},
    "receipts": [],
    "payments": [{}],
}
JAGGAER: dict[str, Any] = {
    "suppliers": [
        {
            "number": number,
            "profile": {"type": "SELLER", "companyName": name, "fiscalCode": tax_id},
            "parts": {"AccountsPayableList": {f"{number}-B1": {"AccountId": account}}},
        }
        for number, name, tax_id, account in (("V1", "One", "T1", "001"), ("V2", "Two", "", "002"))
    ],
    "purchase_orders": [{"number": "PO1", "lines": [{"status": "Approved", "quantity": "2", "price": "1.5"}]}],
    "payments": [{"invoice_id": 1, "number": "P1"}],
}
ORDERS = RouteFacts(pair.ORDERS, "orders", {"posted": 1}, [])
OUT = RouteFacts(pair.SUPPLIERS_OUT, "suppliers", {"posted": 2}, [])
PAYMENTS = RouteFacts(pair.PAYMENTS, "payments", {"posted": 1}, [])
RECONCILED = {"areas": {"invoices": {"agree": 3, "differences": 1}}, "unexplained": 0}
DAGS = Path(__file__).parents[2] / "dags"


def unlinked_id(flow: Flow) -> str:
    """Return the name of a second company's DAG in the file it was copied from."""
    return flow.dag_id.removeprefix(unlinked.SITE)


def changed(ledger: dict[str, Any], *path: str | int, to: Any) -> dict[str, Any]:
    """Return a ledger with one value replaced."""
    copy = deepcopy(ledger)
    place: Any = copy
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = to
    return copy


def run(state: str, task: str = "post") -> dict[str, DagRun]:
    return {"d": DagRun("d", "now", [{"task_id": task, "state": state}])}


@pytest.mark.parametrize(
    ("file", "flows"),
    [
        ("syspro_jaggaer.py", (*pair.FLOWS, *(replace(flow, dag_id=unlinked_id(flow)) for flow in unlinked.FLOWS))),
        ("cloudsuite_jaggaer.py", cloud.FLOWS),
    ],
)
def test_the_demo_runs_every_dag_of_the_file(file: str, flows: Sequence[Flow]) -> None:
    """Its names stand with their schedules at the top."""
    tree = ast.parse((DAGS / file).read_text(encoding="utf-8"))
    (schedules,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "SCHEDULES" and node.value
    ]
    assert isinstance(schedules, ast.Dict)
    assert {key.value for key in schedules.keys if isinstance(key, ast.Constant)} == {flow.dag_id for flow in flows}


def test_books_that_agree_prove_everything() -> None:
    routes = [ORDERS, OUT, PAYMENTS]
    found = pair.prove_pair(routes, run("success"), RECONCILED, {"matched": 4}, syspro=SYSPRO, jaggaer=JAGGAER)
    assert {proof.claim: proof.differences for proof in found if not proof.holds} == {}
    assert len({proof.claim for proof in found}) == len(found) == 8


def test_an_order_that_stands_twice_or_with_another_value_is_named() -> None:
    twice = changed(SYSPRO, "purchase_orders", to=SYSPRO["purchase_orders"] * 2)
    assert pair.orders_stand_once(ORDERS, twice, JAGGAER).differences == ("order PO1 stands 2 times in SYSPRO",)
    other = changed(SYSPRO, "purchase_orders", 0, "lines", 0, "price", to="1.51")
    assert pair.orders_stand_once(ORDERS, other, JAGGAER).differences == ("order PO1: 3.02 in SYSPRO, 3.00 in JAGGAER",)
    assert not pair.orders_stand_once(ORDERS, changed(SYSPRO, "purchase_orders", to=[]), JAGGAER).holds


def test_a_supplier_called_otherwise_on_the_other_side_is_named() -> None:
    other = changed(JAGGAER, "suppliers", 0, "profile", "companyName", to="Uno")
    assert pair.suppliers_agree(SYSPRO, other).differences == ("V1 SupplierName: 'One' in SYSPRO, 'Uno' in JAGGAER",)


def test_a_supplier_paid_elsewhere_is_named_and_its_account_is_not_shown() -> None:
    path = ("suppliers", 0, "parts", "AccountsPayableList", "V1-B1", "AccountId")
    found = pair.payment_data_is_syspros(OUT, SYSPRO, changed(JAGGAER, *path, to="666"))
    assert found.differences == ("V1 is paid to another account in JAGGAER than in SYSPRO",)


@pytest.mark.parametrize(("waiting", "holds"), [([], False), ([("unmapped_currency", 1, "KWD")], True)])
def test_an_account_jaggaer_was_not_told_needs_a_supplier_that_waits(waiting: list[Any], holds: bool) -> None:
    untold = changed(JAGGAER, "suppliers", 1, "parts", to={})
    facts = RouteFacts("s", "suppliers", {"posted": 1}, waiting)
    assert pair.payment_data_is_syspros(facts, SYSPRO, untold).holds is holds
    nothing = changed(untold, "suppliers", 0, "parts", to={})
    assert not pair.payment_data_is_syspros(facts, SYSPRO, nothing).holds


def test_a_suspense_account_off_by_a_cent_is_named() -> None:
    off = changed(SYSPRO, "grn_suspense", "not_invoiced", to="5.01")
    assert pair.receipts_are_cleared(SYSPRO).holds
    assert pair.receipts_are_cleared(off).differences == ("balance -5.00, not invoiced 5.01",)


def test_a_payment_told_twice_or_not_at_all_is_named() -> None:
    twice = changed(JAGGAER, "payments", to=JAGGAER["payments"] * 2)
    assert len(pair.payments_are_told(PAYMENTS, SYSPRO, twice).differences) == 2
    assert not pair.payments_are_told(PAYMENTS, SYSPRO, changed(JAGGAER, "payments", to=[])).holds


def test_a_red_task_that_is_no_report_is_named() -> None:
    assert pair.only_reports_are_red(run("failed", "into_syspro.report")).holds
    assert pair.only_reports_are_red(run("failed")).differences == ("task post of d is failed",)


def test_differences_nobody_can_explain_and_a_comparison_of_nothing_are_told() -> None:
    assert not pair.differences_are_explained({**RECONCILED, "unexplained": 1}).holds
    assert pair.differences_are_explained({}).differences == ("nothing was compared",)


def test_a_matching_that_saw_nothing_proves_nothing() -> None:
    assert pair.invoices_were_matched({}).differences == ("nothing was compared",)
    assert pair.invoices_were_matched({"out_of_tolerance": 1, "matched": 2}).evidence == "2 matched, 1 out of tolerance"


@pytest.mark.parametrize("nested", [False, True], ids=["JSON", "JSON within JSON"])
def test_of_several_matching_runs_the_newest_is_read(tmp_path: Path, nested: bool) -> None:
    home = Home(tmp_path)
    with closing(sqlite3.connect(home.airflow / "airflow.db")) as database:
        database.execute("CREATE TABLE xcom (dag_id, task_id, key, value, timestamp)")
        assert pair.read_matching(home) == {}
        for day, count in ((2, 7), (1, 5)):
            body = json.dumps({"route": "r", "counts": {"matched": count}})
            row = (pair.MATCHING, "match", "return_value", json.dumps(body) if nested else body, f"2026-11-0{day}")
            database.execute("INSERT INTO xcom VALUES (?, ?, ?, ?, ?)", row)
        database.commit()
        assert pair.read_matching(home) == {"matched": 7}
