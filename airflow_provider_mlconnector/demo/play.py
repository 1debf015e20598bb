"""The demo from start to end."""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.markup import escape

from airflow_provider_mlconnector.demo import cloud, unlinked
from airflow_provider_mlconnector.demo.cloud_site import CloudSite, running_tenants
from airflow_provider_mlconnector.demo.desk import open_desk
from airflow_provider_mlconnector.demo.facts import read_books
from airflow_provider_mlconnector.demo.home import Home
from airflow_provider_mlconnector.demo.pair import (
    FLOWS,
    INVOICES,
    PAYMENTS,
    prove_pair,
    read_matching,
    read_reconciliation,
    read_routes,
)
from airflow_provider_mlconnector.demo.proofs import ONCE, prove
from airflow_provider_mlconnector.demo.simulated import Site, running_site
from airflow_provider_mlconnector.demo.stage import DagRun, Runner, prepare
from airflow_provider_mlconnector.demo.tell import Outcome, as_json, tell
from airflow_provider_mlconnector.demo.unlinked import UnlinkedSite, running_unlinked


class Watch:
    """Names each part of the demo while it runs, and keeps how long it took."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Time one part."""
        began = time.monotonic()
        with self._out.status(escape(name)):
            yield
        self.seconds[name] = time.monotonic() - began
        self._out.print(f"  [green]✓[/green] {escape(name)} [dim]{self.seconds[name]:.1f} s[/dim]")


def play(*, home: Path, invoices: int, seed: int, ui: bool, json: bool) -> tuple[bool, dict[str, Any]]:
    """Run the demo; with ``ui`` it then leaves Airflow open until interrupted.

    A home that was used before is gone on with: the same Airflow, store and simulated books.

    Args:
        home: The folder everything is kept in.
        invoices: How many invoices JAGGAER holds.
        seed: Which ones.
        ui: Leave Airflow's pages open.
        json: Print progress to stderr and no tables.

    Returns:
        Whether every proof holds, and the outcome as JSON-able data.

    Raises:
        ConfigurationError: The home is in use.
        StepFailed: A command failed; its log's end is in the message.
    """
    signal.signal(signal.SIGTERM, _leave)
    out = Console(stderr=json, highlight=False, width=None if sys.stdout.isatty() else 120)
    place = Home(home)
    with (
        place.alone(),
        running_site(place, seed=seed, invoices=invoices) as site,
        running_tenants(place, seed=seed) as tenants,
        running_unlinked(place, seed=seed) as plant,
    ):
        outcome = _run(place, site, tenants, plant, out)
        if not json:
            tell(outcome, out)
            _close(outcome, place, out, ui=ui)
        if ui:
            open_desk(place, out)
    return outcome.holds, as_json(outcome)


def _run(home: Home, site: Site, tenants: CloudSite, plant: UnlinkedSite, out: Console) -> Outcome:
    again = not home.is_new
    watch = Watch(out)
    told = "once more, over all of both sides' lists: nothing may be posted twice" if again else "for the first time"
    out.print(f"The example DAGs run in {escape(str(home.root))} {told}.")
    connections = {**site.connections(), **tenants.connections(), **plant.connections()}
    prepare(home, connections, (cloud.DAG_FILE, unlinked.DAG_FILE), watch.timed)
    if not any(row["by"] == "person" for row in site.ask("ledger")["syspro"]["ap_invoices"]):
        numbers = site.type_in()
        out.print(f"  A clerk has typed {', '.join(numbers)} into SYSPRO by hand, the last with a wrong amount.")
    before, called = site.ask("ledger")["syspro"], site.calls()
    runs = _run_flows(home, site, watch, out, again=again)
    with watch.timed("reading both sides' books of SYSPRO and JAGGAER"):
        home.enter()
        books, routes = read_books(home), read_routes(FLOWS)
        reconciled, matched = read_reconciliation(home.root / "reconciliation.html"), read_matching(home)
        ledgers, truth = site.ask("ledger"), site.ask("truth")
    ledger, run = ledgers["syspro"], runs[INVOICES]
    proofs = prove(books, before=before, ledger=ledger, truth=truth, tasks=run.tasks)
    proofs += prove_pair(routes, runs, reconciled, matched, syspro=ledger, jaggaer=ledgers["jaggaer"])
    return Outcome(
        books=books,
        routes=routes,
        proofs=proofs,
        run=run,
        seconds=watch.seconds,
        requests={system: dict(calls - called.get(system, Counter())) for system, calls in site.calls().items()},
        booked=_posted(ledger) - _posted(before),
        unlinked=unlinked.run_unlinked(home, plant, watch.timed, again=again),
        cloud=cloud.run_cloud(home, tenants, watch.timed, out, again=again),
    )


def _run_flows(home: Home, site: Site, watch: Watch, out: Console, *, again: bool) -> dict[str, DagRun]:
    """Run every DAG of the pair, with what people do in SYSPRO between them."""
    runner = Runner(home, again=again)
    for flow in FLOWS:
        if flow.dag_id == INVOICES and (received := site.receive_goods()):
            out.print(f"  The warehouse has received the goods of {received} orders in SYSPRO.")
        if flow.dag_id == PAYMENTS and (paid := site.pay()):
            out.print(f"  Accounts payable has paid {paid} invoices in SYSPRO.")
        with watch.timed(f"the DAG {flow.dag_id}: {flow.title}"):
            runner.run(flow.dag_id, flow.dag_id)
    return runner.finished()


def _posted(ledger: dict[str, Any]) -> int:
    return sum(1 for row in ledger["write_attempts"] if row["outcome"] == "posted" and row["bo"] in ONCE)


def _close(outcome: Outcome, home: Home, out: Console, *, ui: bool) -> None:
    out.rule()
    if outcome.holds:
        out.print("[bold green]Every proof holds.[/bold green] Run it again: nothing will be posted twice.")
    else:
        out.print("[bold red]Not every proof holds.[/bold red] The differences stand above.")
    pages = " and ".join(escape(str(home.root / name)) for name in ("reconciliation.html", cloud.RECONCILIATION))
    out.print(f"The reconciliations, to look at: {pages}.")
    out.print(f"Logs of every command: {escape(str(home.logs))}. To start over: delete {escape(str(home.root))}.")
    if not ui:
        out.print("To click through this Airflow: [bold]make ui[/bold] (or mlconnector demo --ui).")


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + signal.SIGTERM)
