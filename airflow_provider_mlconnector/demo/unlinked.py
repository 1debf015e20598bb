"""A second company in the demo: a plant whose AP is not linked to GL, where combined journals tell the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from airflow_provider_mlconnector.demo.facts import Books, read_books
from airflow_provider_mlconnector.demo.home import Home
from airflow_provider_mlconnector.demo.pair import Flow, RouteFacts, only_reports_are_red, read_routes
from airflow_provider_mlconnector.demo.proofs import Proof
from airflow_provider_mlconnector.demo.simulated import Simulated, sandbox_over
from airflow_provider_mlconnector.demo.stage import DagFile, DagRun, Runner, Timed
from airflow_provider_mlconnector.demo.unlinked_proofs import prove_unlinked, read_journals

SITE: Final = "unlinked_"
"""Goes before all names of the copied DAG file."""
JAGGAER, SYSPRO = "jaggaer_unlinked", "syspro_unlinked"
"""The connections."""
DAG_FILE: Final = DagFile(
    f"{SITE}syspro_jaggaer.py",
    {
        'SITE = ""': f'SITE = "{SITE}"',
        '"jaggaer_default", "syspro_default"': f'"{JAGGAER}", "{SYSPRO}"',
        'JOURNALS_OF_INVOICES = "each"': 'JOURNALS_OF_INVOICES = "combined"',
    },
    copied_from="syspro_jaggaer.py",
)
INVOICES: Final = f"{SITE}jaggaer_to_syspro_invoices"
JOURNALS: Final = f"{SITE}jaggaer_to_syspro_journals"
FLOWS: Final = (
    Flow(INVOICES, "invoices", {INVOICES: "invoices JAGGAER → SYSPRO"}),
    Flow(JOURNALS, "combined journals", {JOURNALS: "journals AP → GL"}),
)
COUNT: Final = 12
"""Invoices its JAGGAER tenant holds, all of them sound."""


class UnlinkedSite(Simulated):
    """The simulated plant and its JAGGAER tenant."""

    def connections(self) -> dict[str, dict[str, Any]]:
        """Return both connections; SYSPRO's says what kind of site it is, and that journals need nobody's approval."""
        syspro = self.connection("syspro", ap_gl="not_linked", authorize_journal="A")
        return {JAGGAER: self.connection("jaggaer", tenant=JAGGAER), SYSPRO: syspro}


@contextmanager
def running_unlinked(home: Home, *, seed: int) -> Iterator[UnlinkedSite]:
    """Run the plant's sandbox over a journal of its own for the length of a ``with`` block.

    Raises:
        StepFailed: It does not start, for example because the home was made with another seed.
    """
    more = ("--jaggaer", json.dumps({"mix": "good"}), "--syspro", json.dumps({"ap_gl": "not_linked"}))
    with sandbox_over(home, home.unlinked_journal, {"seed": seed, "invoices": COUNT}, *more) as url:
        yield UnlinkedSite(url)


@dataclass(frozen=True, slots=True)
class UnlinkedOutcome:
    """What became of the plant in one run.

    Attributes:
        books: The store's side of the invoices.
        routes: Where the documents of both routes stand.
        proofs: What was checked.
        booked: AP documents and journals this run wrote.
    """

    books: Books
    routes: Sequence[RouteFacts]
    proofs: Sequence[Proof]
    booked: int


def run_unlinked(home: Home, site: UnlinkedSite, timed: Timed, *, again: bool) -> UnlinkedOutcome:
    """Run the plant's invoices and journals and look at its books. Leaves the environment of ``home.enter()``."""
    before = site.ask("ledger")["syspro"]
    runs = _run_flows(home, timed, again=again)
    with timed("reading the books of the plant that is not linked"):
        home.enter()
        books, routes, frozen = read_books(home, INVOICES), read_routes(FLOWS), read_journals(JOURNALS)
        ledger, truth = site.ask("ledger")["syspro"], site.ask("truth")
    proofs = prove_unlinked(books, frozen, before=before, ledger=ledger, truth=truth)
    booked = _posted(ledger) - _posted(before)
    return UnlinkedOutcome(books, routes, [*proofs, only_reports_are_red(runs)], booked)


def _run_flows(home: Home, timed: Timed, *, again: bool) -> dict[str, DagRun]:
    runner = Runner(home, again=again)
    for flow in FLOWS:
        with timed(f"the DAG {flow.dag_id}: {flow.title}"):
            runner.run(flow.dag_id, flow.dag_id)
    return runner.finished()


def _posted(ledger: dict[str, Any]) -> int:
    return sum(1 for row in ledger["write_attempts"] if row["outcome"] == "posted")
