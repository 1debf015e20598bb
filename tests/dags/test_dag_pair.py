"""Every example DAG of the pair through `dag.test()`: twice, cleared in the middle, one group red, assets told."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from airflow.models.asset import AssetEvent
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from sqlalchemy import select
from support import airflow_home
from support.airflow_home import TASKS, Deployment, Outcome, Try, clear, parse

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(180)]
SUPPLIERS, LEDGER = "jaggaer_syspro_suppliers", "syspro_to_jaggaer_ledger"
ORDERS, INVOICES = "jaggaer_to_syspro_orders", "jaggaer_to_syspro_invoices"
JOURNALS, PAYMENTS = "jaggaer_to_syspro_journals", "syspro_to_jaggaer_payments"
RECONCILIATION = "syspro_jaggaer_reconciliation"
IN_ORDER = (SUPPLIERS, LEDGER, ORDERS, INVOICES, JOURNALS, PAYMENTS)
TENANT = {"invoices": 8, "mix": "good", "purchase_orders": 6, "payments": True}
NEW = {"companyName": "Newcomer & Söhne", "zip": "18055", "currency": "USD"}
LONG = {"companyName": "Internationale Präzisionswerkzeuge & Meßtechnik Gesellschaft", "zip": "1", "currency": "USD"}


def writes(deployment: Deployment) -> Counter[tuple[str, ...]]:
    """Return what either system was made to write: never the same twice, unless it is an update."""
    there = deployment.sandbox.app
    syspro = [
        ("syspro", row["bo"], row["type"], row["key"] or row["reference"])
        for row in there.syspro.ledger()["write_attempts"]
        if row["outcome"] == "posted"
    ]
    jaggaer = [("jaggaer", row["kind"], str(row)) for row in there.jaggaer.ledger()["write_attempts"]]
    return Counter([*syspro, *jaggaer])


def run_green(deployment: Deployment, dag_id: str, **options: Any) -> Outcome:
    outcome = deployment.run(dag_id=dag_id, **options)
    assert outcome.state == "success", (dag_id, dict(outcome.tasks), outcome.errors)
    return outcome


def events_of(outcome: Outcome) -> list[tuple[str, str]]:
    """Return what a run told those that wait for it: (task, asset)."""
    with create_session() as session:
        rows = session.scalars(select(AssetEvent).where(AssetEvent.source_run_id == outcome.run_id)).all()
        return [(str(row.source_task_id), row.asset.name) for row in rows]


class Clearing:
    """Clears the task that writes in mid-run: twice before it ran, then after the last one, alone and with the rest."""

    def __init__(self, deployment: Deployment, dag_id: str) -> None:
        self._deployment = deployment
        self.task, last = WRITES[dag_id], parse(dag_id).leaves[-1].task_id
        group = self.task.rpartition(".")[0]
        first, second = (f"{group}.{name}".lstrip(".") for name in TASKS[:2])
        self.left = [(first, False), (second, True), (last, False), (self.task, True)]
        self.written: Counter[tuple[str, ...]] = Counter()

    def __call__(self, ti: TaskInstance, go: Try) -> None:
        go()
        if self.left and ti.task_id == self.left[0][0]:
            if len(self.left) == LATER:
                self.written = writes(self._deployment)
            _, downstream = self.left.pop(0)
            clear(ti, self.task, downstream=downstream)

    def wrote_nothing_twice(self, outcome: Outcome) -> None:
        """Check what the clearing must not have changed."""
        assert (self.left, outcome.tries[self.task]) == ([], 3), "run once, and cleared twice after that"
        assert self.written
        assert writes(self._deployment) == self.written


WRITES = {
    SUPPLIERS: "into_syspro.post",
    LEDGER: "accounts.post",
    ORDERS: "post",
    INVOICES: "post",
    JOURNALS: "post",
    PAYMENTS: "post",
}
"""DAG → the task that is cleared."""
LATER = 2
"""Of a DAG's clearings so many come after its last task."""


def test_every_dag_runs_is_cleared_in_the_middle_and_a_second_round_writes_nothing(
    deploy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a site whose AP is not linked, with combined journals: the only one where every DAG has something to do."""
    deployment: Deployment = deploy(jaggaer=TENANT, syspro={"ap_gl": "not_linked"})
    deployment.connect("syspro", extra={"ap_gl": "not_linked", "authorize_journal": "A"})
    monkeypatch.setattr(airflow_home, "parse", _with_combined_journals)
    deployment.sandbox.app.jaggaer.add("supplier_create", NEW)
    deployment.sandbox.app.clock.advance(5)  # a run reads what was changed before the second in which it begins
    told = {}
    for dag_id in IN_ORDER:
        if dag_id == PAYMENTS:
            deployment.sandbox.app.syspro.add("payment_run", {"due_until": "2099-12-31"})
        clearing = Clearing(deployment, dag_id)
        outcome = run_green(deployment, dag_id, director=clearing)
        clearing.wrote_nothing_twice(outcome)
        told[dag_id] = set(events_of(outcome))
    assert told.pop(SUPPLIERS) == {("into_jaggaer.settle", "syspro_jaggaer_suppliers")}
    assert told.pop(LEDGER) == {("cost_centers.settle", "syspro_jaggaer_ledger_codes")}
    assert set(map(len, told.values())) == {0}
    run_green(deployment, RECONCILIATION)
    done = writes(deployment)
    kinds = {(system, what) for system, what, *_ in done}
    assert {("syspro", name) for name in ("APSSSP", "PORTOI", "APSTIN", "GENTJL")} <= kinds
    assert {("jaggaer", name) for name in ("supplier", "code", "payment")} <= kinds
    assert Counter((one.document, str(one.state)) for one in deployment.documents())["payment", "posted"] == 8
    once = Counter(key for key in done.elements() if key[1] in {"APSTIN", "GENTJL", "PORTOI"} or key[2] == "Add")
    assert set(once.values()) == {1}

    for dag_id in (*IN_ORDER, RECONCILIATION):
        run_green(deployment, dag_id)
    assert writes(deployment) == done
    with deployment.store() as store:
        assert store.verify_chain().ok


def _with_combined_journals(dag_id: str = INVOICES) -> Any:
    """Return an example DAG of a site that has chosen combined journals at the top of the file."""
    dag = parse(dag_id)
    for task in dag.tasks:
        if _route(task).get("document") == "invoice":
            _route(task)["journals"] = "combined"
    return dag


def _route(task: Any) -> dict[str, Any]:
    route: dict[str, Any] = task.partial_kwargs["route"] if task.is_mapped else getattr(task, "route", {})
    return route


def test_a_red_report_of_one_group_leaves_the_other_untouched_and_the_assets_told(deploy: Any) -> None:
    deployment: Deployment = deploy(jaggaer={"invoices": 0})
    deployment.sandbox.app.jaggaer.add("supplier_create", LONG)  # SYSPRO's names end at 50 characters
    deployment.sandbox.app.syspro.add("supplier", {"supplier": "P77", "name": "Quarry Bolts"})
    deployment.sandbox.app.clock.advance(5)  # a run reads what was changed before the second in which it begins
    outcome = deployment.run(dag_id=SUPPLIERS)
    assert outcome.state == "failed"
    red = [task for task, state in outcome.tasks.items() if state != "success"]
    assert red == ["into_syspro.report"], outcome.errors
    assert "1 rejected" in str(outcome.errors["into_syspro.report"][0])
    assert outcome.tries["into_syspro.report"] == 1
    assert events_of(outcome) == [("into_jaggaer.settle", "syspro_jaggaer_suppliers")]
    names = [row["number"] for row in deployment.sandbox.app.jaggaer.ledger()["suppliers"]]
    assert "P77" in names


def test_matching_reads_new_invoices_says_what_does_not_match_and_posts_nothing(deploy: Any) -> None:
    deployment: Deployment = deploy(jaggaer=TENANT)
    told = deployment.sandbox.app.jaggaer.add("purchase_order", {"label": "non_stocked"})
    bill = {"number": told["poNumber"], "lines": [{"line": 1, "quantity": "1"}]}
    key = str(deployment.sandbox.app.jaggaer.add("po_invoice", bill)["invoiceId"])
    deployment.sandbox.app.clock.advance(5)
    before = writes(deployment)
    outcome = run_green(deployment, "jaggaer_to_syspro_matching")
    assert writes(deployment) == before
    (found,) = [one for one in deployment.documents() if one.key == key]
    assert str(found.state) == "extracted"
    survey = outcome.result("match")
    assert [number for number, _figures in survey["problems"]] == [found.number]
    assert "order" in str(survey["problems"][0][1])
