"""A simulated month of business, day by day through the DAGs: people at work, faults on the wire, settling up."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support import airflow_home, month_billing, month_buying, month_masters
from support.airflow_home import Deployment, Outcome, Try
from support.month_fixing import NEW_ACCOUNT, NEW_CENTER, Desk
from support.month_office import START, TIMEOUT, Hours, Office, Plan
from typer.testing import CliRunner

from airflow_provider_mlconnector.cli import app
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.server import RunningSandbox
from airflow_provider_mlconnector.store.records import DocumentRecord

SUPPLIERS, LEDGER, ORDERS, INVOICES, PAYMENTS = (
    "jaggaer_syspro_suppliers",
    "syspro_to_jaggaer_ledger",
    "jaggaer_to_syspro_orders",
    "jaggaer_to_syspro_invoices",
    "syspro_to_jaggaer_payments",
)
CYCLE = (SUPPLIERS, LEDGER, ORDERS, INVOICES, PAYMENTS)
POKE_SECONDS = 20.0
"""Simulated seconds between two looks of a sensor."""
LEASE_SECONDS = 30
HOURS_OF_DAY = (6, 12, 17)
ENDS = frozenset({State.POSTED, State.LINKED, State.SKIPPED, State.SUPERSEDED})
"""States in which a document stays."""
SITE = {"gl_template": "{cost_center}-{account}", "cost_center_section": 1, "po_split": "largest"}
"""What a site with cost centers in its GL codes, and with orders over several of them, sets on its connection."""


@dataclass
class Tally:
    """What the month took."""

    runs: Counter[str] = field(default_factory=Counter)
    red: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))


class Month:
    """One month at one installation.

    Args:
        sandbox: Where the systems are.
        patch: Undone when the month is over.
        home: Folder of the store.
        plan: How much business.
        say: Takes a line of progress.
    """

    def __init__(self, sandbox: RunningSandbox, patch: pytest.MonkeyPatch, home: Path, plan: Plan, say: Any) -> None:
        self.plan, self.say, self.tally, self.home = plan, say, Tally(), home
        self.hours = Hours(sandbox.url, patch)
        self.hours.take_over()
        self.office = Office(sandbox.url, plan, self.hours)
        self.mapping = home / "dags" / "mappings" / "jaggaer_to_syspro.yaml"
        self.deployment = _deployed(sandbox, patch, home)

    # --- days --------------------------------------------------------------------------------------------------------

    def live(self) -> None:
        """Live through the days."""
        for day in range(self.plan.days):
            began = time.monotonic()
            self.office.storm(day)
            self._day(day)
            self.tally.hits += self.office.calm()
            states = Counter(str(document.state) for document in self.deployment.documents())
            self.say(f"day {day + 1:>2}  {time.monotonic() - began:6.1f} s  {dict(states.most_common())}")

    def _day(self, day: int) -> None:
        """Morning: buyers and accountants; noon: the dock and suppliers' clerks; afternoon: invoices and payments."""
        office, midnight = self.office, START.replace(hour=0) + timedelta(days=day)
        self.hours.until(midnight + timedelta(hours=HOURS_OF_DAY[0]))
        books = office.ask("ledger")
        month_masters.keep_ledger(office, day, books["syspro"]["gl_journals"])
        month_masters.edit_in_jaggaer(office, day)
        received = month_buying.received_by_number(books["syspro"]["purchase_orders"])
        month_buying.change_orders(office, day, books["jaggaer"]["purchase_orders"], received)
        month_buying.approve_orders(office, day)
        for dag in (SUPPLIERS, LEDGER, ORDERS):
            self.run(dag)
        self.hours.until(midnight + timedelta(hours=HOURS_OF_DAY[1]))
        books = office.ask("ledger")["syspro"]
        suppliers = month_masters.shared_suppliers(office)
        month_buying.receive(office, day, books["purchase_orders"])
        month_masters.edit_in_syspro(office, day)
        month_billing.type_by_hand(office, day, suppliers)
        month_billing.bill(office, day, suppliers, books["purchase_orders"])
        self.hours.until(midnight + timedelta(hours=HOURS_OF_DAY[2]))
        self.run(SUPPLIERS)
        self.run(INVOICES)
        month_billing.pay(office, day, books["ap_invoices"])
        self.run(PAYMENTS)

    # --- the end -----------------------------------------------------------------------------------------------------

    def settle_up(self, *, rounds: int = 8) -> list[DocumentRecord]:
        """Run without faults while people put right whatever is stuck; return what nobody could move."""
        stuck: list[DocumentRecord] = []
        for number in range(rounds):
            self.cycle()
            stuck = self.stuck()
            self.say(f"settling up, round {number + 1}: {dict(Counter(_cause(each) for each in stuck).most_common())}")
            if not stuck:
                break
            desk = Desk(self.office, self.mapping)
            desk.put_right(stuck)
            for route, state in sorted(desk.replays):
                self._replay("--route", route, "--state", state)
            for said in desk.said:
                self._replay(*said)
        return stuck

    def keep_books(self, path: Path) -> None:
        """Write down what both systems hold, for whoever looks into a difference."""
        path.write_text(json.dumps({"ledger": self.office.ask("ledger"), "truth": self.office.ask("truth")}))

    def stuck(self) -> list[DocumentRecord]:
        """Return the documents that are on no end state."""
        return [each for each in self.deployment.documents() if each.state not in ENDS and not self.explained(each)]

    def explained(self, document: DocumentRecord) -> bool:
        """A payment of what a clerk typed into SYSPRO alone has no invoice to be reported on."""
        typed = document.document == "payment" and document.reason_code == "invoice_unknown"
        return typed and (document.supplier, document.number) in self.office.diary.by_hand

    def chart(self) -> tuple[dict[str, bool], dict[str, bool]]:
        """Return the mapped accounts and cost centers by JAGGAER's code, and whether SYSPRO has them open."""
        text, closed = self.mapping.read_text(encoding="utf-8"), self.office.diary.closed
        accounts = {each.jaggaer_code: each.syspro_code for each in master.ACCOUNTS} | dict([NEW_ACCOUNT])
        centers = [*master.COST_CENTERS, NEW_CENTER[0]]
        open_ones = {code: ours not in closed for code, ours in accounts.items() if f'"{code}":' in text}
        return open_ones, {code: True for code in centers if f"    {code}:" in text}

    def _replay(self, *which: str) -> None:
        said = ["--why", "the cause is gone", "--user", "clerk", "--yes"]
        result = CliRunner().invoke(app, ["replay", *which, *said])
        assert result.exit_code == 0, result.output

    # --- runs --------------------------------------------------------------------------------------------------------

    def cycle(self) -> dict[str, Outcome]:
        """Run every DAG once, in the order their assets give them."""
        self.hours.wait(3600)
        return {dag: self.run(dag) for dag in CYCLE}

    def run(self, dag: str, conf: Mapping[str, Any] | None = None) -> Outcome:
        """Run one DAG."""
        began = time.monotonic()
        outcome = self.deployment.run(conf, dag_id=dag, director=self._direct)
        self.tally.runs[dag] += 1
        self.tally.seconds[dag] += time.monotonic() - began
        if outcome.state != "success":
            self.tally.red[dag] += 1
        for task, errors in outcome.errors.items():
            for error in errors:
                self.tally.errors[f"{dag}.{task}: {type(error).__name__}: {str(error)[:160]}"] += 1
        return outcome

    def _direct(self, ti: Any, go: Try) -> None:
        """Run a task try; time passes before each look of a sensor, and behind what is still under way."""
        if ti.task_id.endswith("settle"):
            self.hours.wait(POKE_SECONDS)
        go()


def _cause(document: DocumentRecord) -> str:
    return f"{document.document} {document.state} {document.reason_code}"


def _deployed(sandbox: RunningSandbox, patch: pytest.MonkeyPatch, home: Path) -> Deployment:
    # people edit the mapping beside their own copy of the DAGs
    shutil.copytree(airflow_home.DAGS, home / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    patch.setattr(airflow_home, "DAGS", home / "dags")
    deployment = Deployment(sandbox, patch, timeout=TIMEOUT)
    deployment.set_up()
    router = sandbox.app.jaggaer.router()
    identity = {"router_identity": router["identity"], "router_secret": router["shared_secret"]}
    deployment.connect("jaggaer", extra={"router_url": sandbox.url, **identity})
    deployment.connect("syspro", extra={"options": SITE})
    patch.setenv("AIRFLOW_VAR_MLCONNECTOR_CUT_OVER", "2026-01-01")
    patch.setenv("AIRFLOW__MLCONNECTOR__LEASE_SECONDS", str(LEASE_SECONDS))
    deployment.use_local_store(home)
    with deployment.store() as store:
        store.upgrade()
    return deployment


def systems(plan: Plan) -> Mapping[str, Any]:
    """Return the options of the sandbox a month begins with."""
    office = Office("", plan, Hours.__new__(Hours))
    further, unlinked = month_masters.further_suppliers(office), month_masters.unlinked_suppliers(office)
    return {
        "seed": plan.seed,
        "start": START,
        "jaggaer": {"suppliers": further, "suppliers_unlinked": unlinked, "payments": True},
        "syspro": {"suppliers": further},
    }
