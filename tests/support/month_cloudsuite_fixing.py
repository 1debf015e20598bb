"""What people at CSI and JAGGAER do about documents that wait for somebody: they put the cause right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from support.month_cloudsuite_books import order_problems
from support.month_cloudsuite_masters import CLOSING_ACCOUNT, use_again
from support.month_desk import INVOICES, WAITING, Desk, Remedy
from support.month_invoices import MISTYPED, wire_day

from airflow_provider_mlconnector.store.records import DocumentRecord

NEW_ACCOUNT, NEW_CENTER, NEW_UNIT = "59999", "CC99", "PLANT9"
"""Codes that JAGGAER uses and nobody has mapped yet; CSI gets them under the same name."""
RETIRED = "56000"
OWN_COMPANY = "ACME_TST_MAIN"
RESTRICTED = "51300"
"""Account that names the unit codes it allows."""
COUNTER_ACCOUNT, COUNTER_CENTER = "51200", "CC10"


@dataclass
class CloudSuiteDesk(Desk):
    """People at CSI and JAGGAER."""

    # --- mapping and chart -------------------------------------------------------------------------------------------

    def map_account(self, document: DocumentRecord) -> None:
        """Open the account in CSI where JAGGAER has it first, and map it."""
        code = document.reason_subject
        if not self.once(f"account {code}"):
            return
        if code == NEW_ACCOUNT:
            self.office.do("cloudsuite", "account", account=code, description="Sundries", access1="A")
        self.map("accounts:", f'  "{code}": "{code}"')

    def map_center(self, document: DocumentRecord) -> None:
        """Open the unit code in CSI where JAGGAER has it first, with every account, and map it."""
        code = document.reason_subject
        if not self.once(f"center {code}"):
            return
        if code == NEW_CENTER:
            self.office.do("cloudsuite", "unit_code", unit=code, description="Projects")
            self.office.do("cloudsuite", "account_unit", account=RESTRICTED, unit=code)
        self.map("  map:", f"    {code}: {code}")

    def map_unit(self, _document: DocumentRecord) -> None:
        """Say where the third plant's documents belong."""
        self.map("business_units:", f"  {NEW_UNIT}: {{company: {OWN_COMPANY}}}")

    def bring_back(self, _document: DocumentRecord) -> None:
        """Bring the accounts back that invoices are coded to."""
        if self.once("accounts out of use"):
            for account in (RETIRED, CLOSING_ACCOUNT):
                use_again(self.office, account)

    def redate(self, document: DocumentRecord) -> None:
        """Enter the invoice into this month's books: the last month's are closed."""
        self.edit(document, header__accountingDate=wire_day(self.office.hours.now().date()))

    # --- suppliers ---------------------------------------------------------------------------------------------------

    def release_supplier(self, document: DocumentRecord) -> None:
        """Lift the vendor's hold in CSI."""
        number = document.supplier if document.document == "invoice" else document.reason_subject or document.supplier
        if self.once(f"hold {number}"):
            self.office.do("cloudsuite", "vendor", vendor=number, hold=False)

    def reactivate(self, document: DocumentRecord) -> None:
        """Lift what keeps a supplier out of use: it is on hold or inactive in CSI."""
        number = document.reason_subject or document.supplier
        if self.once(f"hold {number}"):
            self.office.do("cloudsuite", "vendor", vendor=number, hold=False, active=True)

    def identify(self, document: DocumentRecord) -> None:
        """Correct a tax id in CSI that is another vendor's; merge doubles in JAGGAER."""
        if document.route.startswith("jaggaer"):
            self.merge(document)
        elif self.once(f"tax id {document.key}"):
            self.office.do("cloudsuite", "vendor", vendor=document.key, tax_number=f"TX7{document.key[-5:]}")

    # --- invoices ----------------------------------------------------------------------------------------------------

    def voucher(self, document: DocumentRecord) -> None:
        """Voucher an invoice of an order in CSI, by CSI's own way; what it bills of the order is left open there."""
        if document.key in self.office.diary.vouchered:
            return  # seen in CSI by the route that brings it to JAGGAER first
        self.office.diary.vouchered.add(document.key)
        row = self.truth[document.key]
        lines = [{"account": COUNTER_ACCOUNT, "unit": COUNTER_CENTER, "amount": row["gross"]}]
        body = {"vendor": row["supplier"], "invoice": row["number"], "invoice_date": row["invoice_date"]}
        today = self.office.hours.now().date().isoformat()
        self.office.do("cloudsuite", "voucher", lines=lines, dist_date=today, **body)

    def agree(self, document: DocumentRecord) -> None:
        """Look at the paper where both sides have another amount: the clerk at CSI was right."""
        if not document.route.startswith("jaggaer"):
            self.replay(document)
            return
        total = Decimal(self.truth[document.key]["gross"]) + MISTYPED
        price = self.office.diary.coded[int(document.key)][0][0] + MISTYPED
        paths = {"header.total.value": float(total), "lineList.invoiceLine.0.unitPrice": float(price)}
        self.office.do("jaggaer", "invoice", id=int(document.key), set=paths)
        _, *others = self.office.diary.coded[int(document.key)]
        self.office.diary.coded[int(document.key)] = [
            (price, *self.office.diary.coded[int(document.key)][0][1:]),
            *others,
        ]

    def look_up(self, document: DocumentRecord) -> None:
        """Look into the other system for what may have been written, and say whether it is there."""
        seen = self._seen(document)
        told = ("--settled", "absent") if seen is None else ("--settled", "executed", "--target-reference", seen)
        self.said.append((document.id, *told))

    def _seen(self, document: DocumentRecord) -> str | None:
        if document.document == "purchase_order":
            return self._order_of(document)
        return self._voucher_of(document) if document.route.startswith("jaggaer") else self._import_of(document)

    def _order_of(self, document: DocumentRecord) -> str | None:
        """An order whose lines are the same in both was told; of another one the last change was not."""
        asked = next(row for row in self.books["cloudsuite"]["purchase_orders"] if row["PoNum"].strip() == document.key)
        orders = self.books["jaggaer"]["purchase_orders"]
        there = next((row for row in orders if row["number"] == document.key), None)
        return document.key if there and not list(order_problems(asked, there)) else None

    def _voucher_of(self, document: DocumentRecord) -> str | None:
        rows = self.books["cloudsuite"]["vouchers"]
        there = [row for row in rows if row["state"] in {"unposted", "posted"} and row["by"] == "interface"]
        return next((str(row["Voucher"]) for row in there if _is_of(row, document)), None)

    def _import_of(self, document: DocumentRecord) -> str | None:
        rows = self.books["jaggaer"]["imported_invoices"]
        wanted = (document.supplier.lstrip("0"), document.number)
        return next(
            (str(row["invoice_id"]) for row in rows if (row["supplier"].lstrip("0"), row["number"]) == wanted), None
        )


def _is_of(row: Mapping[str, Any], document: DocumentRecord) -> bool:
    """Tell whether a voucher is that of an invoice: vendor, number, and whether it is a credit."""
    mine = (document.supplier.lstrip("0"), document.number)
    credit = document.kind == "credit_memo"
    same = (row["VendNum"].strip().lstrip("0"), row["InvNum"].strip()) == mine
    return same and (Decimal(row["InvAmt"]) < 0) is credit


_CODES: dict[str, Remedy] = {
    **WAITING,
    "unmapped_account": CloudSuiteDesk.map_account,
    "unmapped_cost_center": CloudSuiteDesk.map_center,
    "unmapped_business_unit": CloudSuiteDesk.map_unit,
    "supplier_on_hold": CloudSuiteDesk.release_supplier,
    "account_obsolete": CloudSuiteDesk.bring_back,
    "inactive_account": CloudSuiteDesk.bring_back,
    "supplier_inactive": CloudSuiteDesk.reactivate,
    "opposite_in_flight": CloudSuiteDesk.wait,
    "needs_a_person": CloudSuiteDesk.look_up,
}
CloudSuiteDesk.remedies = {
    "invoice": _CODES
    | {
        **INVOICES,
        "period_closed": CloudSuiteDesk.redate,
        "po_voucher": CloudSuiteDesk.voucher,
        "number_already_used": CloudSuiteDesk.agree,
        "not_found_yet": CloudSuiteDesk.look_up,
    },
    "purchase_order": _CODES,
    "supplier": _CODES | {"supplier_ambiguous": CloudSuiteDesk.identify, "supplier_deactivated": CloudSuiteDesk.wait},
}
