"""The single checks of a voucher; each passes silently or raises for a person of the trade (FINANCE §2–§4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.documents.coding import CodedInvoice
from airflow_provider_mlconnector.documents.currency import add, is_minor_exact
from airflow_provider_mlconnector.documents.invoice import Invoice
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions

LENGTHS: Mapping[str, int] = {"InvNum": 22, "Ref": 30, "Acct": 12, "AcctUnit1": 4, "TaxCode": 6}
"""Characters (reference/cloudsuite.md §5.1); the tenant's own ``/info`` wins."""
_ACTIVE = "A"
_YES = "1"
_LIMIT = Decimal("1e15")
"""``decimal(23,8)`` (§5.1)."""
_PO_LINES = "PO lines"
Row = Mapping[str, Any]


def document(coded: CodedInvoice, reference: Mapping[str, Any], options: CsiOptions) -> None:
    """Check what CSI can carry at all: company, number, decimals, sums."""
    invoice = coded.invoice
    if comparable(coded.company) != comparable(options.configuration):
        msg = f"invoice {invoice.number} is coded for company {coded.company}, this connection posts to "
        raise Parked(msg + options.configuration, code="company", subject=coded.company)
    fits("InvNum", invoice.number, reference, what="number", code="number_too_long")
    if not coded.postings:
        msg = f"invoice {invoice.number} has no lines to post"
        raise Rejected(msg, code="no_lines", field="lines")
    if invoice.gross <= 0:
        msg = f"invoice {invoice.number} totals {invoice.gross}; a credit memo is told by its kind, not by its sign"
        raise Rejected(msg, code="not_positive", field="gross")
    amounts = {"gross": invoice.gross, "tax": coded.tax_value}
    amounts |= {f"GL line {number}": posting.amount for number, posting in enumerate(coded.postings, 1)}
    for what, amount in amounts.items():
        _money(what, amount, invoice.currency)
    total = add([*(posting.amount for posting in coded.postings), coded.tax_value])
    if total != invoice.gross:
        msg = f"GL lines and tax of {invoice.number} add up to {total}, the invoice to {invoice.gross}"
        raise Rejected(msg, code="total_mismatch", field="gross")


def _money(what: str, amount: Decimal, currency: str) -> None:
    if abs(amount) >= _LIMIT:
        msg = f"{what} of {amount} is larger than CSI can hold"
        raise Rejected(msg, code="amount_too_large", field=what)
    if not is_minor_exact(amount, currency):
        msg = f"{what} of {amount} {currency} has more decimals than the currency; nothing is rounded"
        raise Rejected(msg, code="decimals", field=what)


def fits(name: str, value: str, reference: Mapping[str, Any], *, what: str, code: str = "too_long") -> None:
    """Refuse, never cut, what is longer than CSI's property."""
    size = reference.get("lengths", {}).get(name) or LENGTHS[name]
    if len(value) > size:
        msg = f"{what} {value} has {len(value)} characters, CSI takes {size}"
        raise Rejected(msg, code=code, field=what)


def vendor(wanted: str, reference: Mapping[str, Any]) -> Row:
    """Return a vendor's row; it must be active."""
    rows: list[Row] = reference["vendors"].get(comparable(wanted), [])
    if not rows:
        msg = f"supplier {wanted} does not exist in CSI"
        raise Parked(msg, code="supplier_unknown", field="supplier", subject=wanted)
    if len(rows) > 1:
        names = ", ".join(row["VendNum"].strip() for row in rows)
        msg = f"supplier {wanted} could be any of {names} in CSI"
        raise Parked(msg, code="supplier_ambiguous", field="supplier", subject=wanted)
    (row,) = rows
    if (row.get("Stat") or _ACTIVE) != _ACTIVE:
        msg = f"supplier {wanted} is inactive in CSI"
        raise Parked(msg, code="supplier_inactive", field="supplier", subject=wanted)
    return row


def hold(row: Row, options: CsiOptions) -> bool:
    """Return True when payments of the vendor are on hold and the route posts all the same."""
    if row.get("VadPayHold") != _YES:
        return False
    if options.supplier_on_hold == "park":
        why = row.get("VadPayHoldReason")
        key = row["VendNum"].strip()
        msg = f"supplier {key} is on payment hold in CSI{f' (reason {why})' if why else ''}"
        raise Parked(msg, code="supplier_on_hold", field="supplier", subject=key)
    return True


def currency(coded: CodedInvoice, row: Row, options: CsiOptions) -> None:
    """A voucher's amounts are in its vendor's currency (FINANCE §2)."""
    of_vendor = row.get("CurrCode") or options.domestic_currency
    if coded.currency != of_vendor:
        key = row["VendNum"].strip()
        msg = f"invoice {coded.invoice.currency}, supplier {key} is {of_vendor or 'without currency'}"
        raise Parked(msg, code="supplier_currency", field="currency", subject=key)


def po_lines(coded: CodedInvoice, options: CsiOptions) -> None:
    """Keep invoices of received and accrued PO lines back: their cost was booked when it was received (FINANCE §1).

    CSI vouchers such lines out of its receipts; how that is driven from outside is not public
    (reference/cloudsuite.md §4a knows the voucher and its distributions only).
    """
    if options.po_lines == "post":
        return
    unreceived = {line.place for line in coded.billed if not line.received}
    for place, line in enumerate(coded.invoice.lines):
        if not line.po_number or place in unreceived or not (line.amount or line.quantity):
            continue
        msg = (
            f"line {line.number} of invoice {coded.invoice.number} bills PO {line.po_number}, whose cost CSI accrues "
            "when it is received: voucher it there from its receipts (it is linked then), or let the route post it to "
            "its own accounts (po_lines: post) if the site accrues nothing"
        )
        raise Parked(msg, code="po_voucher", field=f"lines[{line.number}].po_number", subject=_PO_LINES)


def account(code: str, when: date, reference: Mapping[str, Any]) -> Row:
    """Return a row of the chart; it must be in force on a day: ``EffDate <= day < ObsDate`` (FINANCE §4)."""
    row: Row | None = reference["accounts"].get(code)
    if row is None:
        msg = f"account {code} does not exist in CSI"
        raise Parked(msg, code="account_unknown", field="lines", subject=code)
    begins, ends = row.get("EffDate"), row.get("ObsDate")
    if begins and when < date.fromisoformat(begins):
        msg = f"account {code} is in force from {begins} only, the accounting date is {when}"
        raise Parked(msg, code="account_not_effective", field="lines", subject=code)
    if ends and when >= date.fromisoformat(ends):
        msg = f"account {code} is obsolete since {ends}, the accounting date is {when}"
        raise Parked(msg, code="account_obsolete", field="lines", subject=code)
    return row


REQUIRED, FORBIDDEN = "R", "N"
"""``AccessUnit1``…``4``: R a unit code must stand there, A may, N must not (any other value says nothing)."""


def units(code: str, given: tuple[str, str, str, str], row: Row, reference: Mapping[str, Any]) -> None:
    """Check an account's unit codes: demanded, permitted, existing, allowed together with it."""
    for number, unit in enumerate(given, 1):
        access = row.get(f"AccessUnit{number}") or ""
        if not unit:
            if access == REQUIRED:
                msg = f"account {code} requires unit code {number} and none is mapped"
                raise Parked(msg, code="unit_required", field="lines", subject=code)
            continue
        if access == FORBIDDEN:
            msg = f"account {code} takes no unit code {number}, and {unit} is mapped"
            raise Parked(msg, code="unit_forbidden", field="lines", subject=code)
        if unit not in reference["units"].get(str(number), {}):
            msg = f"unit code {number} {unit} does not exist in CSI"
            raise Parked(msg, code="unit_unknown", field="lines", subject=unit)
        allowed = reference["allowed"].get(str(number), {}).get(code)
        if allowed and unit not in allowed:
            msg = f"unit code {number} {unit} is not allowed with account {code} in CSI"
            raise Parked(msg, code="unit_not_allowed", field="lines", subject=f"{code}/{unit}")


def still_open(when: date, reference: Mapping[str, Any]) -> None:
    """Check that the period of a distribution date has not been closed."""
    own = next((row for row in reference["periods"] or () if row["start"] <= when.isoformat() <= row["end"]), None)
    if own is not None and own["closed"]:
        msg = f"period {own['year']}/{own['number']} of {when} has been closed in CSI"
        raise Parked(msg, code="period_closed", field="accounting_date", subject=f"{own['year']}/{own['number']}")


def posting_date(coded: CodedInvoice, reference: Mapping[str, Any], options: CsiOptions) -> tuple[date, str]:
    """Return the distribution date, and a note when it is not the accounting date (FINANCE §3)."""
    wanted = coded.invoice.accounting_date or coded.invoice.invoice_date
    periods: list[Row] | None = reference["periods"]
    if periods is None:
        return wanted, ""
    own = next((row for row in periods if row["start"] <= wanted.isoformat() <= row["end"]), None)
    if own is None:
        msg = f"accounting date {wanted} lies in no period of CSI"
        raise Parked(msg, code="period_missing", field="accounting_date", subject=str(wanted.year))
    if not own["closed"]:
        return wanted, ""
    name = f"period {own['year']}/{own['number']}"
    later = next((row for row in periods if row["start"] > wanted.isoformat() and not row["closed"]), None)
    if options.closed_period == "hold" or later is None:
        msg = f"{name} of accounting date {wanted} is closed in CSI"
        raise Parked(msg, code="period_closed", field="accounting_date", subject=f"{own['year']}/{own['number']}")
    text = f"dated {later['start']}, when period {later['year']}/{later['number']} begins: {name} of accounting date "
    return date.fromisoformat(later["start"]), f"{text}{wanted} is closed"


def due_date(coded: CodedInvoice, row: Row, reference: Mapping[str, Any], *, is_credit: bool) -> date:
    """Return when it is due: as it says itself, else by terms; a credit at once. Never left to CSI."""
    invoice: Invoice = coded.invoice
    if invoice.due_date is not None:
        return invoice.due_date
    if is_credit:
        return invoice.invoice_date
    days = invoice.terms.days if invoice.terms is not None else None
    if days is None:
        days = reference["terms"].get(coded.terms_code or row.get("TermsCode") or "")
    if days is None:
        msg = f"invoice {invoice.number} has no due date, and neither it nor CSI's terms give days"
        raise Rejected(msg, code="due_date_missing", field="due_date")
    return date.fromordinal(invoice.invoice_date.toordinal() + int(days))
