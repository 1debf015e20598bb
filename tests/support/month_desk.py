"""People who act on documents that wait for somebody: what they do whichever ledger it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from support.month_office import Office

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import DocumentRecord

Remedy = Callable[[Any, DocumentRecord], None]
"""What somebody at a desk does about a document."""


@dataclass
class Desk:
    """People who read the report of stuck documents and act on it. Everything is done once per cause."""

    office: Office
    mapping: Path
    books: Mapping[str, Any] = field(default_factory=dict)
    truth: Mapping[str, Any] = field(default_factory=dict)
    replays: set[tuple[str, State]] = field(default_factory=set)
    said: list[tuple[str, ...]] = field(default_factory=list)
    """Further arguments of `mlconnector replay`, one tuple per document: what somebody saw or did."""
    helpless: list[DocumentRecord] = field(default_factory=list)
    _once: set[str] = field(default_factory=set)

    remedies: ClassVar[Mapping[str, Mapping[str, Remedy]]] = {}
    """Kind of document → reason code → what somebody does about it."""

    def put_right(self, stuck: Iterable[DocumentRecord]) -> None:
        """Act on every document; those nobody knows a way for are left in ``helpless``."""
        self.books, self.truth = self.office.ask("ledger"), self.office.ask("truth")
        self.helpless, self.replays, self.said, self._once = [], set(), [], set()
        for document in stuck:
            remedy = self.remedies.get(document.document, {}).get(document.reason_code)
            if remedy is None:
                self.helpless.append(document)
                continue
            remedy(self, document)

    def once(self, what: str) -> bool:
        """Tell whether this is the first document of this round with that cause."""
        fresh = what not in self._once
        self._once.add(what)
        return fresh

    def replay(self, document: DocumentRecord) -> None:
        """Let the document's route take it up again: the cause is gone and the document has not changed."""
        self.replays.add((document.route, State(document.state)))

    def wait(self, _document: DocumentRecord) -> None:
        """Do nothing: the next run goes on by itself."""

    def map(self, section: str, line: str) -> None:
        """Add a line to a section of the mapping file."""
        text = self.mapping.read_text(encoding="utf-8")
        if line not in text:
            assert f"\n{section}\n" in text, section
            self.mapping.write_text(text.replace(f"\n{section}\n", f"\n{section}\n{line}\n", 1), encoding="utf-8")

    def map_currency(self, _document: DocumentRecord) -> None:
        """Map the dinar, which the ledger knows by its ISO code."""
        self.map("currencies:", "  KWD: KWD")

    # --- JAGGAER's invoices and suppliers ----------------------------------------------------------------------------

    def edit(self, document: DocumentRecord, **changes: Any) -> None:
        """Correct the invoice in JAGGAER."""
        paths = {name.replace("__", "."): value for name, value in changes.items()}
        self.office.do("jaggaer", "invoice", id=int(document.key), set=paths)

    def withdraw(self, document: DocumentRecord) -> None:
        """Take the invoice back in JAGGAER: no ERP will ever book it."""
        self.office.diary.withdrawn[int(document.key)] = document.reason_code
        self.edit(document, header__workflowStatus="Cancelled", header__paymentStatus="Cancelled")

    def renumber(self, document: DocumentRecord) -> None:
        """Enter the number as it stands on the supplier's paper."""
        self.edit(document, header__supplierInvoiceNumber=f"FIX-{document.key}")

    def complete(self, document: DocumentRecord) -> None:
        """Fill in what is missing: number or supplier."""
        if self.truth[document.key]["number"] is None:
            self.renumber(document)
        else:
            self.edit(document, header__supplier__supplierNumber="V00001")

    def correct_total(self, document: DocumentRecord) -> None:
        """Take off the cent too much, where that is all; otherwise the supplier has to send another invoice."""
        if self.truth[document.key]["label"] == "total_off":
            total = Decimal(self.truth[document.key]["gross"]) - Decimal("0.01")
            self.edit(document, header__total__value=float(total))
        else:
            self.withdraw(document)

    def in_dollars(self, document: DocumentRecord) -> None:
        """Correct the currency of an invoice of a USD supplier."""
        self.edit(document, header__total__currency="USD")

    def merge(self, document: DocumentRecord) -> None:
        """Merge a double into the one that is linked."""
        if document.route.startswith("jaggaer"):
            self.office.do("jaggaer", "supplier_merge", bravoId=document.key, into=document.reason_subject)
        else:
            self.helpless.append(document)


WAITING: Mapping[str, Remedy] = {
    "unmapped_currency": Desk.map_currency,
    "supplier_unknown": Desk.wait,
    "outcome_unknown": Desk.wait,
    "not_found_yet": Desk.wait,
    "earlier_in_flight": Desk.wait,
}
"""What is the same for every kind of document at every ledger."""
INVOICES: Mapping[str, Remedy] = {
    "number_too_long": Desk.renumber,
    "characters": Desk.renumber,
    "missing_field": Desk.complete,
    "supplier_without_number": Desk.complete,
    "total_mismatch": Desk.correct_total,
    "no_lines": Desk.withdraw,
    "ambiguous_charges": Desk.withdraw,
    "third_decimal": Desk.withdraw,
    "unknown_currency": Desk.in_dollars,
    "supplier_currency": Desk.in_dollars,
}
"""What is wrong with invoices of JAGGAER whichever ledger they go to."""
