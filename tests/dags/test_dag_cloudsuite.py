"""Every example DAG of CloudSuite and JAGGAER through `dag.test()`: twice, cleared in the middle; a dry run before."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from airflow.models.taskinstance import TaskInstance
from support.airflow_home import TASKS, Deployment, Outcome, Try, clear, parse

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(300)]
SUPPLIERS, LEDGER = "cloudsuite_jaggaer_suppliers", "cloudsuite_to_jaggaer_ledger"
ORDERS, INVOICES = "cloudsuite_to_jaggaer_orders", "cloudsuite_jaggaer_invoices"
RECONCILIATION = "cloudsuite_jaggaer_reconciliation"
IN_ORDER = (SUPPLIERS, LEDGER, ORDERS, INVOICES)
TENANT = {"invoices": 8, "mix": "good", "ocr_status": "Completed"}
SITE = {"csi": {"purchase_orders": 6, "vouchers": 6, "mix": "good"}}
CHOSEN = {"domestic_currency": "USD", "tax_account": "23000"}
WRITES = {SUPPLIERS: "into_jaggaer.post", LEDGER: "accounts.post", ORDERS: "post", INVOICES: "into_cloudsuite.post"}
"""DAG → the task that is cleared."""


def connect(deployment: Deployment) -> None:
    """Define the connections of both systems."""
    deployment.connect("jaggaer")
    ionapi = json.dumps(deployment.sandbox.app.cloudsuite.ionapi(deployment.sandbox.url))
    chosen = {"configuration": "ACME_TST_MAIN", "requests_per_minute": 3000, "options": CHOSEN}
    deployment.connect("cloudsuite", password=ionapi, extra=chosen)


def writes(deployment: Deployment) -> Counter[tuple[str, ...]]:
    """Return what either system was made to write."""
    there = deployment.sandbox.app
    csi = [
        ("cloudsuite", row["kind"], row["operation"], row["key"], str(row.get("properties", "")))
        for row in there.cloudsuite.ledger()["attempts"]
        if row["outcome"] == "stored"
    ]
    jaggaer = [
        ("jaggaer", row["kind"], row["operation"], row["key"], str(row["request_no"]))
        for row in there.jaggaer.ledger()["write_attempts"]
    ]
    return Counter([*csi, *jaggaer])


def run_green(deployment: Deployment, dag_id: str, **options: Any) -> Outcome:
    """Run a DAG, which must succeed."""
    outcome = deployment.run(dag_id=dag_id, **options)
    assert outcome.state == "success", (dag_id, dict(outcome.tasks), outcome.errors)
    return outcome


class Clearing:
    """Clears the task that writes: twice before it ran, then after the last one, alone and with the rest.

    Both systems' time goes on before anything is read: what a DAG wrote into CSI and reads there in the same second is
    the next run's news, and whether it is the same second no test knows.
    """

    def __init__(self, deployment: Deployment, dag_id: str) -> None:
        self._deployment = deployment
        self.task, last = WRITES[dag_id], parse(dag_id).leaves[-1].task_id
        group = self.task.rpartition(".")[0]
        first, second = (f"{group}.{name}".lstrip(".") for name in TASKS[:2])
        self.left = [(first, False), (second, True), (last, False), (self.task, True)]
        self.written: Counter[tuple[str, ...]] = Counter()

    def __call__(self, ti: TaskInstance, go: Try) -> None:
        if ti.task_id.endswith("extract"):
            self._deployment.sandbox.app.clock.advance(2)
        go()
        if self.left and ti.task_id == self.left[0][0]:
            _, downstream = self.left.pop(0)
            if len(self.left) == 1:  # the run has come to its end once
                self.written = writes(self._deployment)
            clear(ti, self.task, downstream=downstream)


def test_every_dag_runs_is_cleared_in_the_middle_and_a_second_round_writes_nothing(deploy: Any) -> None:
    deployment: Deployment = deploy(jaggaer=TENANT, cloudsuite=SITE)
    connect(deployment)
    app = deployment.sandbox.app
    app.jaggaer.add("supplier_create", {"companyName": "Newcomer & Söhne", "zip": "18055", "currency": "USD"})
    app.cloudsuite.add("vendor", {"vendor": "V00777", "name": "Fresh Bolts", "city": "Eastport"})
    app.clock.advance(5)  # a run reads what was changed before the second in which it begins
    for dag_id in IN_ORDER:
        clearing = Clearing(deployment, dag_id)
        outcome = run_green(deployment, dag_id, director=clearing)
        assert (clearing.left, outcome.tries[clearing.task]) == ([], 3), "run once, and cleared twice after that"
        assert clearing.written
        assert writes(deployment) == clearing.written
    run_green(deployment, RECONCILIATION)
    done = writes(deployment)
    kinds = {(system, kind) for system, kind, *_ in done}
    assert {("cloudsuite", name) for name in ("SLVendors", "SLAptrxs", "SLAptrxds")} <= kinds
    assert {("jaggaer", name) for name in ("supplier", "code", "purchase_order", "invoice")} <= kinds
    app.cloudsuite.add("post_vouchers", {})
    app.clock.advance(5)

    for dag_id in IN_ORDER:
        run_green(deployment, dag_id)
    assert writes(deployment) == done
    books = app.cloudsuite.ledger()
    assert (books["violations"], books["exposed"]) == ([], [])
    sent = [one for one in deployment.documents() if one.route == "jaggaer_to_cloudsuite_invoices" and one.number]
    ours = Counter(row["InvNum"].strip() for row in books["vouchers"] if row["by"] == "interface")
    carried = [one.number for one in sent if str(one.state) == "posted"]
    assert carried
    assert ours == Counter(carried), "each once, and observed when CSI has posted it"
    with deployment.store() as store:
        assert store.verify_chain().ok


def test_a_dry_run_writes_nothing_and_the_real_run_after_it_is_as_foreseen(deploy: Any) -> None:
    deployment: Deployment = deploy(jaggaer=TENANT, cloudsuite=SITE)
    connect(deployment)
    run_green(deployment, SUPPLIERS)
    before, known = writes(deployment), len(deployment.documents())
    for dag_id in (ORDERS, INVOICES):
        run_green(deployment, dag_id, conf={"dry_run": True})
    assert writes(deployment) == before
    assert len(deployment.documents()) == known
    for dag_id in (ORDERS, INVOICES):
        run_green(deployment, dag_id)
    made = writes(deployment) - before
    states = Counter((one.document, str(one.state)) for one in deployment.documents())
    assert states["purchase_order", "posted"] == sum(key[1] == "purchase_order" for key in made) > 0
    assert sum(key[1] == "SLAptrxs" and key[2] == "insert" for key in made) == states["invoice", "accepted"] > 0
