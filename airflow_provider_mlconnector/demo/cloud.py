"""The CloudSuite pair in the demo: its DAGs in the order of their schedules, with what people do between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console

from airflow_provider_mlconnector.demo.cloud_facts import INTO_CSI, INTO_JAGGAER, CloudBooks, read_cloud_books
from airflow_provider_mlconnector.demo.cloud_proofs import documents_of, prove_cloud
from airflow_provider_mlconnector.demo.cloud_site import JAGGAER, CloudSite
from airflow_provider_mlconnector.demo.home import Home
from airflow_provider_mlconnector.demo.pair import (
    Flow,
    RouteFacts,
    differences_are_explained,
    only_reports_are_red,
    read_reconciliation,
    read_routes,
)
from airflow_provider_mlconnector.demo.proofs import Proof
from airflow_provider_mlconnector.demo.stage import DagFile, DagRun, Runner, Timed

DAG_FILE: Final = DagFile("cloudsuite_jaggaer.py", {'"jaggaer_default"': f'"{JAGGAER}"'})
"""This pair's JAGGAER tenant is not the other's: its connection is named at the top of the copied DAG file."""
RECONCILIATION: Final = "reconciliation-cloudsuite.html"
"""File of its page in the demo's home."""
INVOICES: Final = "cloudsuite_jaggaer_invoices"
FLOWS: Final = (
    Flow(
        "cloudsuite_jaggaer_suppliers",
        "suppliers both ways",
        {
            "jaggaer_to_cloudsuite_suppliers": "suppliers JAGGAER → CSI",
            "cloudsuite_to_jaggaer_suppliers": "suppliers CSI → JAGGAER",
        },
    ),
    Flow(
        "cloudsuite_to_jaggaer_ledger",
        "GL codes into JAGGAER",
        {
            "cloudsuite_to_jaggaer_accounts": "GL accounts CSI → JAGGAER",
            "cloudsuite_to_jaggaer_cost_centers": "unit codes CSI → JAGGAER",
        },
    ),
    Flow(
        "cloudsuite_to_jaggaer_orders",
        "purchase orders into JAGGAER",
        {"cloudsuite_to_jaggaer_orders": "purchase orders CSI → JAGGAER"},
    ),
    Flow(
        INVOICES,
        "invoices both ways",
        {INTO_CSI: "invoices JAGGAER → CSI", INTO_JAGGAER: "invoices CSI → JAGGAER"},
    ),
    Flow(INVOICES, "invoices once more, after posting and approval", {}),
    Flow("cloudsuite_jaggaer_reconciliation", "reconciliation", {}),
)


@dataclass(frozen=True, slots=True)
class CloudOutcome:
    """What became of the pair in one run.

    Attributes:
        books: The store's side of the invoices.
        routes: Where the documents of every route stand.
        proofs: What was checked.
        requests: Calls this run made, by system and call.
        written: Vouchers, invoices and orders this run wrote.
    """

    books: CloudBooks
    routes: Sequence[RouteFacts]
    proofs: Sequence[Proof]
    requests: Mapping[str, Mapping[str, int]]
    written: int


def run_cloud(home: Home, site: CloudSite, timed: Timed, out: Console, *, again: bool) -> CloudOutcome:
    """Run the pair's DAGs and look at both sides' books. Leaves the environment of ``home.enter()``."""
    if not any(row["by"] == "person" for row in site.vouchers()):
        numbers = ", ".join(site.type_in())
        out.print(f"  People have entered {numbers} by hand on the other side, the last with a wrong amount.")
    before, called = site.ask("ledger"), site.calls()
    runs = _run_flows(home, site, timed, out, again=again)
    with timed("reading both sides' books of CloudSuite and JAGGAER"):
        home.enter()
        books, routes = read_cloud_books(home), read_routes(FLOWS)
        reconciled = read_reconciliation(home.root / RECONCILIATION)
        ledger = site.ask("ledger")
        labels = site.ask("truth?system=cloudsuite")["csi"]
    proofs = prove_cloud(books, before=before, ledger=ledger, truth=site.ask("truth"), labels=labels)
    requests = {system: dict(calls - called.get(system, Counter())) for system, calls in site.calls().items()}
    written = (documents_of(ledger) - documents_of(before)).total()
    more = [only_reports_are_red(runs), differences_are_explained(reconciled)]
    return CloudOutcome(books, routes, [*proofs, *more], requests, written)


def _run_flows(home: Home, site: CloudSite, timed: Timed, out: Console, *, again: bool) -> dict[str, DagRun]:
    """Run every DAG; between both exchanges of invoices CSI posts its vouchers and JAGGAER approves its imports."""
    runner = Runner(home, again=again)
    for flow in FLOWS:
        if flow.dag_id == INVOICES and not flow.routes:
            out.print(f"  CSI's background posting has posted {site.post_vouchers()} vouchers.")
            out.print(f"  JAGGAER's approvers have passed {site.approve()} imported invoices.")
        with timed(f"the DAG {flow.dag_id}: {flow.title}"):
            runner.run(f"{flow.dag_id}, {flow.title}", flow.dag_id)
    return runner.finished()
