"""What people at SYSPRO and JAGGAER do about documents that wait for somebody: they put the cause right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from support.month_buying import source_number
from support.month_desk import INVOICES, WAITING, Desk, Remedy

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.store.records import DocumentRecord

NEW_ACCOUNT, NEW_CENTER, NEW_UNIT = ("59999", "5990"), ("CC99", "50"), "PLANT9"
"""Codes that JAGGAER uses and nobody has mapped yet, with what SYSPRO will call them."""
CHART = [each.syspro_code for each in master.ACCOUNTS]
_REFERENCE = re.compile(r"\bMLC[0-9A-F]+\b")
TEXT = "Bearing, description spelled anew"
SENT, CANCELLED = "Sent", "Cancelled"


@dataclass
class SysproDesk(Desk):
    """People at SYSPRO and JAGGAER."""

    # --- mapping and chart -------------------------------------------------------------------------------------------

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

    # --- invoices ----------------------------------------------------------------------------------------------------

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


def _number(text: str) -> float | int:
    value = Decimal(text)
    return int(value) if value == value.to_integral_value() else float(value)


_CODES: dict[str, Remedy] = {
    **WAITING,
    "unmapped_account": SysproDesk.map_account,
    "unmapped_cost_center": SysproDesk.map_center,
    "unmapped_business_unit": SysproDesk.map_unit,
    "supplier_on_hold": SysproDesk.release_supplier,
    "account_on_hold": SysproDesk.release_account,
}
SysproDesk.remedies = {
    "invoice": _CODES
    | {
        **INVOICES,
        "receipt_match": SysproDesk.trust_supplier,
        "order_unit": SysproDesk.in_units,
        "not_received": SysproDesk.withdraw,
        "receipt_taken": SysproDesk.wait,
        "number_already_used": SysproDesk.untype,
        "withdrawn_after_posting": SysproDesk.close,
    },
    "purchase_order": _CODES
    | {
        "third_decimal": SysproDesk.cancel_order,
        "too_many_decimals": SysproDesk.cancel_order,
        "characters": SysproDesk.respell,
        "order_closed": SysproDesk.take_back_change,
        "order_has_receipts": SysproDesk.take_back_change,
        "below_received": SysproDesk.take_back_change,
    },
    "supplier": _CODES | {"supplier_ambiguous": SysproDesk.merge},
    "payment": {"needs_a_person": SysproDesk.look_up},
}
