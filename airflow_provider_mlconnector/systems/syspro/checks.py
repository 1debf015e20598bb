"""The single checks of a plan; each passes silently or raises for a person of the trade (FINANCE §2–§4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.documents.coding import CodedInvoice
from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.syspro.apstin import NUMBER_SIZE
from airflow_provider_mlconnector.systems.syspro.keys import CENT, normal
from airflow_provider_mlconnector.systems.syspro.options import ClosedPeriod, OnHold, SysproOptions
from airflow_provider_mlconnector.systems.syspro.periods import Calendar, Period

_MONEY_LIMIT = Decimal("1e12")
"""SYSPRO money is 14,2 (reference/syspro.md §4)."""


def document(coded: CodedInvoice, *, company: str) -> None:
    """Check what SYSPRO can carry at all: numbers, characters, decimals, sums, the credited invoice."""
    invoice = coded.invoice
    if normal(coded.company) != normal(company):
        msg = f"invoice {invoice.number} is coded for company {coded.company}, this connection posts to {company}"
        raise Parked(msg, code="company", subject=coded.company)
    _key("number", invoice.number)
    if invoice.kind is InvoiceKind.CREDIT_MEMO:
        if not invoice.original_number:
            msg = f"credit memo {invoice.number} does not name a known invoice that it credits"
            raise Parked(msg, code="original_unknown", field="original_number", subject=invoice.number)
        _key("original_number", invoice.original_number)
    amounts = {"gross": invoice.gross, "tax": coded.tax_value, "freight": coded.freight, "charges": coded.miscellaneous}
    amounts |= {f"GL line {number}": posting.amount for number, posting in enumerate(coded.postings, 1)}
    for what, amount in amounts.items():
        _money(what, amount, invoice.currency)
    if not coded.postings:
        msg = f"invoice {invoice.number} has no lines to post"
        raise Rejected(msg, code="no_lines", field="lines")
    if invoice.gross <= 0:
        msg = f"invoice {invoice.number} totals {invoice.gross}; SYSPRO takes only positive documents"
        raise Rejected(msg, code="not_positive", field="gross")
    total = sum((posting.amount for posting in coded.postings), Decimal(0)) + coded.tax_value
    if total != invoice.gross:
        msg = f"GL lines and tax of {invoice.number} add up to {total}, the invoice to {invoice.gross}"
        raise Rejected(msg, code="total_mismatch", field="gross")


def _key(field: str, value: str) -> None:
    if len(value) > NUMBER_SIZE:
        msg = f"number {value} has {len(value)} characters, SYSPRO takes {NUMBER_SIZE}"
        raise Rejected(msg, code="number_too_long", field=field)
    bad = xml.offending(value)
    if bad:
        msg = f"number {value} has characters SYSPRO cannot hold: {bad!r}"
        raise Rejected(msg, code="characters", field=field)


def _money(what: str, amount: Decimal, currency: str) -> None:
    if abs(amount) >= _MONEY_LIMIT:
        msg = f"{what} of {amount} is larger than SYSPRO can hold"
        raise Rejected(msg, code="amount_too_large", field=what)
    if amount != amount.quantize(CENT):
        msg = f"{what} of {amount} {currency} has a third decimal; SYSPRO keeps two and nothing is rounded"
        raise Rejected(msg, code="third_decimal", field=what)


def supplier(coded: CodedInvoice, reference: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the supplier's row."""
    wanted = coded.invoice.supplier
    rows = reference["suppliers"].get(normal(wanted), [])
    if not rows:
        msg = f"supplier {wanted} does not exist in SYSPRO"
        raise Parked(msg, code="supplier_unknown", field="supplier", subject=wanted)
    if len(rows) > 1:
        names = ", ".join(row["Supplier"] for row in rows)
        msg = f"supplier {wanted} could be any of {names} in SYSPRO"
        raise Parked(msg, code="supplier_ambiguous", field="supplier", subject=wanted)
    row: Mapping[str, str] = rows[0]
    return row


def matched(row: Mapping[str, str], unmatched: Sequence[int]) -> None:
    """Check that no line is left without a receipt where the supplier requires them; ``unmatched`` are line numbers."""
    if row["GrnMatchReqd"] == "Y" and unmatched:
        which = ", ".join(map(str, unmatched))
        msg = (
            f"supplier {row['Supplier']} requires every invoice to be matched with receipts, and of this one "
            f"{'lines' if len(unmatched) > 1 else 'line'} {which} {'take' if len(unmatched) > 1 else 'takes'} none"
        )
        raise Parked(msg, code="receipt_match", field="supplier", subject=row["Supplier"])


def hold(row: Mapping[str, str], options: SysproOptions) -> bool:
    """Return True when the supplier is on hold and the route posts all the same."""
    if row["OnHold"] != "Y":
        return False
    if options.supplier_on_hold is OnHold.PARK:
        msg = f"supplier {row['Supplier']} is on hold in SYSPRO"
        raise Parked(msg, code="supplier_on_hold", field="supplier", subject=row["Supplier"])
    return True


def is_foreign(row: Mapping[str, str], reference: Mapping[str, Any]) -> bool:
    """Whether the supplier's currency is not the company's."""
    local = reference["profile"].get("localcurrencycode", "")
    return bool(row["Currency"]) and row["Currency"] != local


def currency(coded: CodedInvoice, row: Mapping[str, str], reference: Mapping[str, Any]) -> None:
    """APSTIN has no currency: the value is taken in the supplier's (FINANCE §2)."""
    of_supplier = row["Currency"] or reference["profile"].get("localcurrencycode", "")
    if coded.currency != of_supplier:
        msg = f"invoice {coded.invoice.currency}, supplier {row['Supplier']} is {of_supplier}"
        raise Parked(msg, code="supplier_currency", field="currency", subject=row["Supplier"])


def codes(coded: CodedInvoice, row: Mapping[str, str], reference: Mapping[str, Any]) -> None:
    """Check branch, terms, tax codes and accounts against SYSPRO's tables."""
    _known("branch", coded.branch or row["Branch"], reference["branches"])
    if coded.terms_code:
        _known("terms", coded.terms_code, reference["terms"])
    if coded.tax_code or coded.tax_value:
        _known("tax_code", coded.tax_code, reference["taxes"])
    for posting in coded.postings:
        _known("tax_code", posting.tax_code or coded.tax_code, reference["taxes"])
        line = account(posting.gl_code, reference)
        if line["AnalysisRequired"] == "Y" and not posting.cost_center:
            msg = f"account {posting.gl_code} requires an analysis code and none is mapped"
            raise Parked(msg, code="analysis_required", field="lines", subject=posting.gl_code)


def _known(what: str, code: str, table: Mapping[str, Any]) -> None:
    name = what.replace("_", " ")
    if not code:
        msg = f"no {name} is mapped"
        raise Parked(msg, code=f"{what}_missing", field=what)
    if code not in table:
        msg = f"{name} {code} does not exist in SYSPRO"
        raise Parked(msg, code=f"{what}_unknown", field=what, subject=code)


def account(code: str, reference: Mapping[str, Any]) -> Mapping[str, str]:
    """Return a GL account's row; it must exist, not be on hold and not be a control account."""
    row: Mapping[str, str] | None = reference["accounts"].get(code)
    if row is None:
        msg = f"account {code} does not exist in SYSPRO"
        raise Parked(msg, code="account_unknown", field="lines", subject=code)
    if row["AccOnHldFlag"] == "Y":
        msg = f"account {code} is on hold in SYSPRO"
        raise Parked(msg, code="account_on_hold", field="lines", subject=code)
    if row["ControlAccFlag"] == "Y":
        msg = f"account {code} is a control account and never posted to directly"
        raise Parked(msg, code="control_account", field="lines", subject=code)
    return row


def period(coded: CodedInvoice, reference: Mapping[str, Any], options: SysproOptions) -> tuple[Period, str]:
    """Return the period to post to, and a note when it is not the one of the accounting date (FINANCE §3)."""
    calendar = Calendar.from_reference(reference)
    when = coded.invoice.accounting_date or coded.invoice.invoice_date
    wanted = calendar.of(when)
    if wanted is not None and calendar.letter(wanted) and not calendar.is_closed(wanted):
        return wanted, ""
    name = f"period {wanted}" if wanted else "the period"
    if when > calendar.ends[-1] or (wanted is not None and calendar.is_future(wanted)):
        msg = f"{name} of accounting date {when} has not begun in SYSPRO's AP (current {calendar.ap})"
        raise Parked(msg, code="period_future", field="accounting_date", subject=str(wanted or when.year))
    if options.closed_period is ClosedPeriod.HOLD or calendar.is_closed(calendar.ap):
        msg = f"{name} of accounting date {when} is closed in SYSPRO (AP's current period is {calendar.ap})"
        raise Parked(msg, code="period_closed", field="accounting_date", subject=str(wanted or when.year))
    return calendar.ap, f"posted to the current period {calendar.ap}: {name} of accounting date {when} is closed"
