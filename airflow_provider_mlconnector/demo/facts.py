"""What the demo knows after a run, read from both sides: our store, and the sandbox's own books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.demo.home import Home
from airflow_provider_mlconnector.documents.currency import minor_unit
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import Rejected
from airflow_provider_mlconnector.store.records import Actor, ChainReport, DocumentRecord, StepRecord, StepState

if TYPE_CHECKING:
    from airflow_provider_mlconnector.store import Store

ROUTE = "jaggaer_to_syspro_invoices"
AP_STEPS = {"ap_invoice": "I", "ap_credit": "C"}
"""Steps that write to accounts payable, and SYSPRO's letter for what they write."""
LOCAL_CURRENCY = {"$": "USD"}
"""How the simulated site codes its own currency (reference/syspro.md §4); foreign ones are ISO there too."""
CENT = Decimal("0.01")
_PAGE = 500


@dataclass(frozen=True, slots=True, order=True)
class Booked:
    """One AP document as both sides must know it.

    ``number`` is SYSPRO's key: a credit memo stands under its original's. ``reference`` is ours, empty for what a
    person typed in.
    """

    supplier: str
    number: str
    type: str
    currency: str
    value: Decimal
    reference: str = ""

    def __str__(self) -> str:
        kind = "credit against" if self.type == "C" else "invoice"
        return f"{self.supplier} {kind} {self.number}: {self.currency} {amount(self.value, self.currency)}"


@dataclass(frozen=True, slots=True)
class Books:
    """The store's side.

    Attributes:
        store_id: The store's UUID.
        documents: Every document of the route.
        posted: AP documents the store says it posted.
        linked: Those it says a person had entered.
        chain: The audit trail, walked.
        behind: Why the store does not continue the last run's anchor, empty when it does.
    """

    store_id: str
    documents: Sequence[DocumentRecord]
    posted: Sequence[Booked]
    linked: Sequence[Booked]
    chain: ChainReport
    behind: str

    def in_states(self, *states: State) -> list[DocumentRecord]:
        """Return the documents in these states."""
        return [document for document in self.documents if document.state in states]


def read_books(home: Home, route: str = ROUTE) -> Books:
    """Read a route from the store and walk its audit trail; then anchor its end outside the database.

    Only after ``home.enter()``.
    """
    from airflow_provider_mlconnector.hooks.runtime import open_runtime

    with open_runtime() as runtime:
        store = runtime.store
        documents: list[DocumentRecord] = []
        steps: dict[str, list[StepRecord]] = {}
        with store.unit_of_work(Actor(user="demo")) as uow:
            while page := uow.documents.search(
                route=route, limit=_PAGE, after_id=documents[-1].id if documents else ""
            ):
                documents += page
                steps |= uow.steps.of([document.id for document in page])
        chain, behind = walk_trail(store, home)
        return Books(store.id, documents, _posted(documents, steps), _linked(documents), chain, behind)


def walk_trail(store: Store, home: Home) -> tuple[ChainReport, str]:
    """Walk the audit trail and anchor its end outside the database; also say why it does not continue its anchors."""
    from airflow_provider_mlconnector.hooks.anchor import behind_anchor, write_anchor

    chain, behind = store.verify_chain(), behind_anchor(store, home.anchor)
    if chain.ok and not behind:
        write_anchor(store, home.anchor)
    return chain, behind


def _posted(documents: Sequence[DocumentRecord], steps: Mapping[str, Sequence[StepRecord]]) -> list[Booked]:
    """Return what the store says it wrote to AP: every executed step, whatever became of its document since."""
    found = []
    for document in documents:
        for step in steps.get(document.id, ()):
            executed = step.state in {StepState.DONE, StepState.ACCEPTED, StepState.SUBMITTED}
            if step.name in AP_STEPS and executed and document.state is not State.LINKED:
                number = step.payload["fingerprint"].get("original", document.number)
                kind = AP_STEPS[step.name]
                found.append(_booked(document, number=number, kind=kind, reference=step.our_reference))
    return found


def _linked(documents: Sequence[DocumentRecord]) -> list[Booked]:
    return [
        _booked(document, number=document.number, kind="I") for document in documents if document.state is State.LINKED
    ]


def _booked(document: DocumentRecord, *, number: str, kind: str, reference: str = "") -> Booked:
    return Booked(
        plain_key(document.supplier), plain_key(number), kind, document.currency, Decimal(document.gross), reference
    )


def in_ledger(rows: Sequence[Mapping[str, Any]], *, by: str) -> list[Booked]:
    """Return the sandbox's AP documents written by ``api`` or ``person``; payments are neither side's business here."""
    return [
        Booked(
            plain_key(row["supplier"]),
            plain_key(row["invoice"]),
            row["type"],
            LOCAL_CURRENCY.get(row["currency"], row["currency"]),
            Decimal(row["value"]),
            row["reference"] if by == "api" else "",
        )
        for row in rows
        if row["by"] == by and row["type"] in AP_STEPS.values()
    ]


def amount(value: Decimal, currency: str = "") -> str:
    """Return an amount for people, with its currency's decimals (two where none is named) and more where there are."""
    try:
        unit = minor_unit(currency) if currency else CENT
    except Rejected:  # a currency that does not exist: the reason of an invoice that waits
        unit = CENT
    shown = value.quantize(unit)
    return f"{shown:,f}" if shown == value else f"{value:,f}"


def plain_key(key: str) -> str:
    """Return the form keys are compared in: SYSPRO pads numbers with zeros and blanks (reference/syspro.md §4)."""
    text = key.strip().upper()
    return text.lstrip("0") or text
