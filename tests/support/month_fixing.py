"""What people do about documents that wait for somebody: they put the cause right, at its source, and say replay."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from support.month_buying import source_number
from support.month_office import Office

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.store.records import DocumentRecord

STUCK = (State.PARKED, State.REJECTED, State.FAILED, State.UNCERTAIN, State.CHANGED_AFTER_POSTING, State.ACCEPTED)
NEW_ACCOUNT, NEW_CENTER, NEW_UNIT = ("59999", "5990"), ("CC99", "50"), "PLANT9"
"""Codes that JAGGAER uses and nobody has mapped yet, with what SYSPRO will call them."""
CHART = [each.syspro_code for each in master.ACCOUNTS]
_REFERENCE = re.compile(r"\bMLC[0-9A-F]+\b")
TEXT = "Bearing, description spelled anew"
SENT, CANCELLED = "Sent", "Cancelled"


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

    def put_right(self, stuck: Iterable[DocumentRecord]) -> None:
        """Act on every document; those nobody knows a way for are left in ``helpless``."""
        self.books, self.truth = self.office.ask("ledger"), self.office.ask("truth")
        self.helpless, self.replays, self.said, self._once = [], set(), [], set()
        for document in stuck:
            remedies = REMEDIES.get(document.document, {})
            remedy = remedies.get(document.reason_code)
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

    # --- mapping and chart -------------------------------------------------------------------------------------------

    def map(self, section: str, line: str) -> None:
        """Add a line to a section of the mapping file."""
        text = self.mapping.read_text(encoding="utf-8")
        if line not in text:
            assert f"\n{section}\n" in text, section
            self.mapping.write_text(text.replace(f"\n{section}\n", f"\n{section}\n{line}\n", 1), encoding="utf-8")

    def map_account(self, _document: DocumentRecord) -> None:
        """Open the account in SYSPRO and map it."""
        if not self.once("account"):
            return
        theirs, ours = NEW_ACCOUNT
        for section in [each for each, _ in master.COST_CENTERS.values()]:
            self.office.do("syspro", "gl_account", gl_code=f"{section}-{ours}", description="Sundries")
        self.map("accounts:", f'  "{theirs}": "{ours}"')

    def map_center(self, _document: DocumentRecord) -> None:
        """Open the cost center in SYSPRO, with every account, and map it."""
        if not self.once("center"):
            return
        theirs, ours = NEW_CENTER
        self.office.do("syspro", "gl_section", section=ours, description="Projects")
        for account in {*CHART, NEW_ACCOUNT[1]} - self.office.diary.closed:
            self.office.do("syspro", "gl_account", gl_code=f"{ours}-{account}", description=f"Projects {account}")
        self.map("  map:", f'    {theirs}: "{ours}"')

    def map_unit(self, _document: DocumentRecord) -> None:
        """Say where the third plant's documents belong."""
        self.map("business_units:", f'  {NEW_UNIT}: {{company: {master.COMPANY}, branch: "10"}}')

    def map_currency(self, _document: DocumentRecord) -> None:
        """Map the dinar, which SYSPRO knows by its ISO code."""
        self.map("currencies:", "  KWD: KWD")

    def release_account(self, _document: DocumentRecord) -> None:
        """Take the accounts off hold that invoices are coded to."""
        if self.once("held accounts"):
            for account in ("5600", "5210"):
                self.office.hold_account(account, held=False)

    # --- suppliers ---------------------------------------------------------------------------------------------------

    def release_supplier(self, document: DocumentRecord) -> None:
        """Take the supplier off hold in SYSPRO."""
        number = document.supplier if document.document == "invoice" else document.reason_subject or document.supplier
        if self.once(f"hold {number}"):
            self.office.do("syspro", "supplier", supplier=number, on_hold=False)

    def trust_supplier(self, document: DocumentRecord) -> None:
        """Take invoices of the supplier without a receipt."""
        if self.once(f"receipt {document.supplier}"):
            self.office.do("syspro", "supplier", supplier=document.supplier, grn_match_required=False)

    def merge(self, document: DocumentRecord) -> None:
        """Merge a double into the one that is linked."""
        if document.route.startswith("jaggaer"):
            self.office.do("jaggaer", "supplier_merge", bravoId=document.key, into=document.reason_subject)
        else:
            self.helpless.append(document)

    # --- invoices ----------------------------------------------------------------------------------------------------

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

    def in_units(self, document: DocumentRecord) -> None:
        """Bill in the unit that was ordered."""
        number = self.office.diary.order_of[int(document.key)]
        order = next(row for row in self.books["syspro"]["purchase_orders"] if source_number(row) == number)
        units = {str(line["line"]): line["uom"] for line in order["lines"]}
        path, lines = (
            "lineList.invoiceLine.{}.item.unitOfMeasure.dimension",
            self.office.diary.lines_of[int(document.key)],
        )
        changes = {path.format(place): units[line] for place, line in enumerate(lines)}
        self.office.do("jaggaer", "invoice", id=int(document.key), set=changes)

    def untype(self, document: DocumentRecord) -> None:
        """Take the mistyped invoice out of SYSPRO and let the right one in."""
        if self.office.try_to("syspro", "purge_invoice", supplier=document.supplier, invoice=document.number):
            self.office.diary.before_us.discard((document.supplier, document.number))
            self.replay(document)

    # --- orders ------------------------------------------------------------------------------------------------------

    def cancel_order(self, document: DocumentRecord) -> None:
        """Cancel an order no ERP can take."""
        self.office.do("jaggaer", "purchase_order_cancel", number=document.number)

    def respell(self, document: DocumentRecord) -> None:
        """Describe the goods in letters SYSPRO has."""
        changes = {"lineList.poLine.0.item.description": TEXT}
        self.office.do("jaggaer", "purchase_order_revise", number=document.number, set=changes)

    def take_back_change(self, document: DocumentRecord) -> None:
        """Give an order back what it has in SYSPRO, where goods came in before the buyer changed or canceled it."""
        order = next(row for row in self.books["syspro"]["purchase_orders"] if source_number(row) == document.number)
        asked = next(row for row in self.books["jaggaer"]["purchase_orders"] if row["number"] == document.number)
        held = {str(line["line"]): line for line in order["lines"] if not line["removed"]}
        changes: dict[str, Any] = {}
        for place, line in enumerate(asked["lines"]):
            there = held.get(str(line["line"]), {"qty": "0", "price": line["price"]})
            changes[f"lineList.poLine.{place}.quantity"] = _number(there["qty"])
            changes[f"lineList.poLine.{place}.unitPrice"] = _number(there["price"])
        if asked["status"] == CANCELLED:
            changes["header.status"] = SENT
        self.office.do("jaggaer", "purchase_order_revise", number=document.number, set=changes)

    # --- others ------------------------------------------------------------------------------------------------------

    def close(self, document: DocumentRecord) -> None:
        """Say that nothing is to be done about an invoice that JAGGAER calls paid since SYSPRO has paid it."""
        paid = {str(payment["invoice_id"]) for payment in self.books["jaggaer"]["payments"]}
        if document.key in paid:
            self.said.append((document.id, "--handled"))
        else:
            self.helpless.append(document)

    def look_up(self, document: DocumentRecord) -> None:
        """Look into JAGGAER for a payment whose answer was lost, and say whether it is there."""
        references = set(_REFERENCE.findall(document.reason))
        payments = self.books["jaggaer"]["payments"]
        seen = next((row["number"] for row in payments if references & set(row["number"].split())), None)
        told = ("--settled", "absent") if seen is None else ("--settled", "executed", "--target-reference", seen)
        self.said.append((document.id, *told))

    def wait(self, _document: DocumentRecord) -> None:
        """Do nothing: the next run goes on by itself."""


def _number(text: str) -> float | int:
    value = Decimal(text)
    return int(value) if value == value.to_integral_value() else float(value)


Remedy = Callable[[Desk, DocumentRecord], None]
_CODES: dict[str, Remedy] = {
    "unmapped_account": Desk.map_account,
    "unmapped_cost_center": Desk.map_center,
    "unmapped_business_unit": Desk.map_unit,
    "unmapped_currency": Desk.map_currency,
    "supplier_on_hold": Desk.release_supplier,
    "account_on_hold": Desk.release_account,
    "supplier_unknown": Desk.wait,
    "outcome_unknown": Desk.wait,
    "not_found_yet": Desk.wait,
    "earlier_in_flight": Desk.wait,
}
REMEDIES: dict[str, dict[str, Remedy]] = {
    "invoice": _CODES
    | {
        "receipt_match": Desk.trust_supplier,
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
        "order_unit": Desk.in_units,
        "not_received": Desk.withdraw,
        "receipt_taken": Desk.wait,
        "number_already_used": Desk.untype,
        "withdrawn_after_posting": Desk.close,
    },
    "purchase_order": _CODES
    | {
        "third_decimal": Desk.cancel_order,
        "too_many_decimals": Desk.cancel_order,
        "characters": Desk.respell,
        "order_closed": Desk.take_back_change,
        "order_has_receipts": Desk.take_back_change,
        "below_received": Desk.take_back_change,
    },
    "supplier": _CODES | {"supplier_ambiguous": Desk.merge},
    "ledger_account": {},
    "cost_center": {},
    "payment": {"needs_a_person": Desk.look_up},
}
"""Kind of document → reason code → what somebody does about it."""
