"""What the demo prints: for people as tables, for scripts as JSON."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from airflow_provider_mlconnector.demo.cloud import CloudOutcome
from airflow_provider_mlconnector.demo.cloud_facts import INTO_CSI, INTO_JAGGAER
from airflow_provider_mlconnector.demo.facts import Books, amount
from airflow_provider_mlconnector.demo.pair import RouteFacts
from airflow_provider_mlconnector.demo.proofs import ATTENTION, Proof
from airflow_provider_mlconnector.demo.stage import DagRun
from airflow_provider_mlconnector.demo.unlinked import UnlinkedOutcome
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import DocumentRecord

STUCK = (State.REJECTED, State.PARKED, State.FAILED, State.UNCERTAIN, State.CHANGED_AFTER_POSTING)
NOTES = {
    State.POSTED: "in {target}, by us",
    State.ACCEPTED: "in {target}, not in its ledger yet",
    State.SUBMITTED: "handed over, not seen in {target} yet",
    State.LINKED: "in {target} already, typed in by hand",
    State.PARKED: "a cause outside the invoice: tried again on every run",
    State.REJECTED: "a cause inside the invoice: a person corrects it",
    State.FAILED: "{target} refused it",
    State.UNCERTAIN: "sent, outcome not known yet",
    State.SKIPPED: "paid, cancelled, dated before the cut-over, or our own coming back",
}
NAMES = {"cloudsuite": "CloudSuite", "jaggaer": "its JAGGAER tenant"}
MOST_DIFFERENCES = 20
_CAUSES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything there is to tell about one run.

    Attributes:
        books: The store's side of the invoices after the run.
        routes: Where the documents of every route of the SYSPRO pair stand.
        proofs: What was checked.
        run: The invoices' DAG run.
        seconds: Time per part of the demo, in order.
        requests: Calls this run made, by system and call.
        booked: AP documents this run posted.
        unlinked: The plant whose AP is not linked to GL.
        cloud: The CloudSuite pair.
    """

    books: Books
    routes: Sequence[RouteFacts]
    proofs: Sequence[Proof]
    run: DagRun
    seconds: dict[str, float]
    requests: dict[str, dict[str, int]]
    booked: int
    unlinked: UnlinkedOutcome
    cloud: CloudOutcome

    @property
    def holds(self) -> bool:
        """Whether every proof of both pairs holds."""
        return all(proof.holds for proof in (*self.proofs, *self.unlinked.proofs, *self.cloud.proofs))

    def per_document(self, system: str) -> float | None:
        """Return a system's requests per invoice: read from JAGGAER, or posted to SYSPRO by this run; None for none."""
        count = self.booked if system == "syspro" else len(self.books.documents)
        return sum(self.requests.get(system, {}).values()) / count if count else None


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as JSON-able data."""
    return {
        "holds": outcome.holds,
        "store": outcome.books.store_id,
        "logical_date": outcome.run.logical_date,
        "tasks": [{name: row[name] for name in ("task_id", "state")} for row in outcome.run.tasks],
        "documents": len(outcome.books.documents),
        "counts": dict(Counter(str(document.state) for document in outcome.books.documents)),
        "sums": {str(state): _texts(sums) for state, sums in _sums(outcome.books.documents).items()},
        "stuck": _stuck_json(outcome.books.documents),
        "routes": _routes_json(outcome.routes),
        "proofs": _proofs_json(outcome.proofs),
        "booked_in_this_run": outcome.booked,
        "requests": outcome.requests,
        "requests_per_posted_invoice": outcome.per_document("syspro"),
        "unlinked": {
            "booked_in_this_run": outcome.unlinked.booked,
            "routes": _routes_json(outcome.unlinked.routes),
            "proofs": _proofs_json(outcome.unlinked.proofs),
        },
        "cloudsuite": _cloud_json(outcome.cloud),
        "seconds": {name: round(seconds, 1) for name, seconds in outcome.seconds.items()},
    }


def _cloud_json(cloud: CloudOutcome) -> dict[str, Any]:
    return {
        "written_in_this_run": cloud.written,
        "stuck": {route: _stuck_json(documents) for route, documents in cloud.books.documents.items()},
        "routes": _routes_json(cloud.routes),
        "proofs": _proofs_json(cloud.proofs),
        "requests": cloud.requests,
    }


def _stuck_json(documents: Sequence[DocumentRecord]) -> list[dict[str, Any]]:
    return [
        {
            "state": str(state),
            "code": code,
            "documents": [
                {"number": one.number or one.key, "supplier": one.supplier, "reason": one.reason} for one in group
            ],
        }
        for (state, code), group in _causes(documents)
    ]


def _routes_json(routes: Sequence[RouteFacts]) -> dict[str, Any]:
    return {
        route.name: {"counts": dict(route.counts), "waiting": {code: count for code, count, _ in route.waiting}}
        for route in routes
    }


def _proofs_json(proofs: Sequence[Proof]) -> list[dict[str, Any]]:
    return [
        {"claim": proof.claim, "holds": proof.holds, "evidence": proof.evidence, "differences": proof.differences}
        for proof in proofs
    ]


def tell(outcome: Outcome, out: Console) -> None:
    """Print the outcome: SYSPRO's pair, its second company, then CloudSuite's pair, then what they took."""
    out.rule("SYSPRO and JAGGAER: what happened to the invoices")
    out.print(_states_table(outcome.books.documents, target="SYSPRO"))
    if attention := outcome.books.in_states(*ATTENTION):
        out.print(
            f"The DAG run is red at its last task, [bold]report[/bold]. That is by design: {len(attention)} documents "
            "need a person. All other tasks are green, and everything that could be posted is."
        )
    _tell_stuck(outcome.books.documents, out)
    out.rule("Every flow of the pair")
    _tell_flows(outcome.routes, outcome.proofs, out)
    out.rule("A second company, whose AP is not linked to GL: combined journals")
    _tell_flows(outcome.unlinked.routes, outcome.unlinked.proofs, out)
    _tell_cloud(outcome.cloud, out)
    _tell_cost(outcome, out)


def _tell_cloud(cloud: CloudOutcome, out: Console) -> None:
    for title, route, target in (("into CSI", INTO_CSI, "CSI"), ("into JAGGAER", INTO_JAGGAER, "JAGGAER")):
        out.rule(f"CloudSuite and JAGGAER: what happened to the invoices {title}")
        documents = cloud.books.documents[route]
        out.print(_states_table(documents, target=target))
        _tell_stuck(documents, out)
    out.rule("Every flow of the pair")
    _tell_flows(cloud.routes, cloud.proofs, out)


def _tell_flows(routes: Sequence[RouteFacts], proofs: Sequence[Proof], out: Console) -> None:
    out.print(_routes_table(routes))
    out.rule("Is it true?")
    for proof in proofs:
        _tell_proof(proof, out)


def _states_table(documents: Sequence[DocumentRecord], *, target: str) -> Table:
    sums = _sums(documents)
    counts = Counter(document.state for document in documents)
    memos = Counter(document.state for document in documents if _is_credit(document))
    table = Table("state", "in all", "credit memos", "gross, less credit memos", "meaning", box=None, pad_edge=False)
    for column in table.columns[1:3]:
        column.justify = "right"
    for state, count in sorted(counts.items(), key=lambda item: -item[1]):
        shown = ", ".join(f"{currency} {amount(value, currency)}" for currency, value in sums[state].items())
        row = (f"[bold]{state}[/bold]", str(count), str(memos[state] or ""), shown)
        table.add_row(*row, NOTES.get(state, "").format(target=target))
    return table


def _routes_table(routes: Sequence[RouteFacts]) -> Table:
    table = Table("flow", "written", "linked", "nothing to write", "waiting", "why", box=None, pad_edge=False)
    for column in table.columns[1:5]:
        column.justify = "right"
    for route in routes:
        waiting = sum(count for _code, count, _sample in route.waiting)
        why = ", ".join(f"{count} {code}" for code, count, _sample in route.waiting[:_CAUSES_SHOWN])
        more = "" if len(route.waiting) <= _CAUSES_SHOWN else ", …"
        states = (State.POSTED, State.LINKED, State.SKIPPED)
        numbers = [str(route.counts.get(str(state), 0) or "") for state in states]
        table.add_row(route.title, *numbers, str(waiting or ""), escape(why + more))
    return table


def _tell_stuck(documents: Sequence[DocumentRecord], out: Console) -> None:
    causes = _causes(documents)
    total = sum(len(group) for _cause, group in causes)
    out.rule(f"{total} wait, each for a reason")
    for (state, code), group in causes:
        out.print(f"[bold]{len(group)} {state}[/bold]: {code}")
        by_reason: dict[str, list[DocumentRecord]] = defaultdict(list)
        for document in group:
            by_reason[document.reason].append(document)
        for reason, alike in by_reason.items():
            numbers = ", ".join(document.number or document.source_number or document.key for document in alike)
            out.print(Padding(f"[cyan]{escape(numbers)}[/cyan]  {escape(reason)}", (0, 0, 0, 3), expand=False))


def _tell_proof(proof: Proof, out: Console) -> None:
    mark = "[green]✓[/green]" if proof.holds else "[red]✗[/red]"
    out.print(f"{mark} [bold]{escape(proof.claim)}[/bold]: {escape(proof.evidence)}")
    for difference in proof.differences[:MOST_DIFFERENCES]:
        out.print(Padding(f"[red]{escape(difference)}[/red]", (0, 0, 0, 4), expand=False))
    if len(proof.differences) > MOST_DIFFERENCES:
        out.print(f"    [red]… and {len(proof.differences) - MOST_DIFFERENCES} more[/red]")


def _tell_cost(outcome: Outcome, out: Console) -> None:
    out.rule("What it took")
    for system, calls in sorted(outcome.requests.items()):
        named = ", ".join(f"{count} {call}" for call, count in sorted(calls.items(), key=lambda item: -item[1]))
        rate = outcome.per_document(system)
        what = "posted" if system == "syspro" else "known"
        shown = f", {rate:.2f} per invoice {what}" if rate is not None else ""
        out.print(f"{system.upper()}: {sum(calls.values())} requests{shown} ({named})")
    for system, called in sorted(outcome.cloud.requests.items()):
        named = ", ".join(f"{count} {call}" for call, count in sorted(called.items(), key=lambda item: -item[1]))
        out.print(f"{NAMES[system]}: {sum(called.values())} requests ({named})")
    parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in outcome.seconds.items())
    out.print(f"{sum(outcome.seconds.values()):.0f} s in all: {parts}")


def _sums(documents: Iterable[DocumentRecord]) -> dict[State, dict[str, Decimal]]:
    """Return gross less credits per state and currency; what no amount can be read from is only counted."""
    sums: dict[State, dict[str, Decimal]] = defaultdict(dict)
    for document in documents:
        by_currency = sums[document.state]
        if document.gross and document.currency:
            value = Decimal(document.gross)
            signed = -value if _is_credit(document) else value
            by_currency[document.currency] = by_currency.get(document.currency, Decimal(0)) + signed
    return {state: dict(sorted(by_currency.items())) for state, by_currency in sums.items()}


def _is_credit(document: DocumentRecord) -> bool:
    return "credit" in document.kind.casefold()


def _texts(sums: dict[str, Decimal]) -> dict[str, str]:
    return {currency: str(value) for currency, value in sums.items()}


def _causes(documents: Sequence[DocumentRecord]) -> list[tuple[tuple[State, str], list[DocumentRecord]]]:
    """Group what waits by state and cause, most first."""
    groups: dict[tuple[State, str], list[DocumentRecord]] = defaultdict(list)
    for document in documents:
        if document.state in STUCK:
            groups[document.state, document.reason_code].append(document)
    return sorted(groups.items(), key=lambda item: (STUCK.index(item[0][0]), -len(item[1]), item[0][1]))
