"""The single checks of an invoice batch; each passes silently or raises for a person of the trade (FINANCE §2-§4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from airflow_provider_mlconnector.documents.coding import CodedInvoice
from airflow_provider_mlconnector.documents.currency import add, is_minor_exact
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems.cloudsuite.m3.ledger import is_open
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.systems.cloudsuite.m3.suppliers import is_active

LENGTHS: Final[Mapping[str, int]] = {"SINO": 24, "CORI": 36, "TEPY": 3, "CUCD": 3}
"""Characters (reference/cloudsuite.md §5.2); inputs that are longer are refused by M3, never cut by us."""
_LIMIT: Final = Decimal("1e13")
"""Amounts are N17, decimals included."""
Row = Mapping[str, Any]


def document(coded: CodedInvoice, options: M3Options) -> None:
    """Check what M3 can carry at all: company, number, decimals, sums."""
    invoice = coded.invoice
    if comparable(coded.company) != comparable(options.company):
        msg = f"invoice {invoice.number} is coded for company {coded.company}, this connection posts to "
        raise Parked(msg + options.company, code="company", subject=coded.company)
    fits("SINO", invoice.number, what="number", code="number_too_long")
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
        msg = f"{what} of {amount} is larger than M3 can hold"
        raise Rejected(msg, code="amount_too_large", field=what)
    if not is_minor_exact(amount, currency):
        msg = f"{what} of {amount} {currency} has more decimals than the currency; nothing is rounded"
        raise Rejected(msg, code="decimals", field=what)


def fits(name: str, value: str, *, what: str, code: str = "too_long") -> None:
    """Refuse, never cut, what is longer than M3's field."""
    size = LENGTHS[name]
    if len(value) > size:
        msg = f"{what} {value} has {len(value)} characters, M3 takes {size}"
        raise Rejected(msg, code=code, field=what)


def supplier(coded: CodedInvoice, reference: Mapping[str, Any], options: M3Options) -> Row:
    """Return the supplier's record; it must be there once, and active."""
    wanted = coded.invoice.supplier
    rows: list[Row] = reference["suppliers"].get(comparable(wanted), [])
    if not rows:
        msg = f"supplier {wanted} does not exist in M3"
        raise Parked(msg, code="supplier_unknown", field="supplier", subject=wanted)
    if len(rows) > 1:
        msg = f"supplier {wanted} could be any of {', '.join(row['SUNO'] for row in rows)} in M3"
        raise Parked(msg, code="supplier_ambiguous", field="supplier", subject=wanted)
    (row,) = rows
    if not is_active(row, options):
        msg = f"supplier {row['SUNO']} has status {row.get('STAT')} in M3, which no invoice may be entered for"
        raise Parked(msg, code="supplier_inactive", field="supplier", subject=wanted)
    return row


def po_lines(coded: CodedInvoice, options: M3Options) -> None:
    """Keep invoices of received PO lines back: M3 accrued their cost when it received them (FINANCE §1)."""
    if options.po_lines == "post":
        return
    unreceived = {line.place for line in coded.billed if not line.received}
    for place, line in enumerate(coded.invoice.lines):
        if not line.po_number or place in unreceived or not (line.amount or line.quantity):
            continue
        msg = (
            f"line {line.number} of invoice {coded.invoice.number} bills PO {line.po_number}, whose cost M3 accrues "
            "when it is received: enter it there against its receipts (it is linked then), or let the route post it to "
            "its own accounts (po_lines: post) if the site accrues nothing"
        )
        raise Parked(msg, code="po_voucher", field=f"lines[{line.number}].po_number", subject="PO lines")


def identity(kind: str, code: str, when: date, reference: Mapping[str, Any]) -> None:
    """Check that an account or cost center is there and open on the accounting date (``VFDT``, ``VTDT``, ``LCCD``).

    Args:
        kind: ``account`` or ``cost_center``.
        code: The code.
        when: The accounting date.
        reference: From :func:`~.batch_session.read_reference`.
    """
    words = kind.replace("_", " ")
    row: Row | None = reference[f"{kind}s"].get(code)
    if row is None:
        msg = f"{words} {code} does not exist in M3"
        raise Parked(msg, code=f"{kind}_unknown", field="lines", subject=code)
    if not is_open(row, when):
        msg = f"{words} {code} is blocked in M3, or not valid on the accounting date {when}"
        raise Parked(msg, code=f"{kind}_closed", field="lines", subject=code)


def vat_code(code: str) -> str:
    """Return a tax code of the mapping as M3's VAT code, a number of two digits."""
    if not code:
        return ""
    if not (code.isascii() and code.isdigit() and len(code) <= 2):  # noqa: PLR2004 - VTCD is N2
        msg = f"tax code {code} is no VAT code of M3, which has two digits: correct taxes.codes of the mapping"
        raise Parked(msg, code="tax_code_unfit", subject=code)
    return code
