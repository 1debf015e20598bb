"""Whether an invoice is sound in itself (FINANCE §2); what needs master data is the mapping's and the target's part."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from airflow_provider_mlconnector.documents.charges import Reading, read_charges
from airflow_provider_mlconnector.documents.currency import add, is_minor_exact, minor_unit
from airflow_provider_mlconnector.documents.invoice import Allocation, Invoice, InvoiceKind, InvoiceLine
from airflow_provider_mlconnector.errors import Rejected

MAX_LINES = 20_000
MAX_AMOUNT = Decimal(1_000_000_000_000)
"""Twelve digits before the point, as SYSPRO's 12.2 fields hold (reference/syspro.md §2.1)."""
MAX_KEY = 200
EARLIEST, LATEST = date(1990, 1, 1), date(2099, 12, 31)
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class CheckedInvoice:
    """An invoice whose parts add up, and the reading of its charges under which they do."""

    invoice: Invoice
    reading: Reading


def check_invoice(invoice: Invoice) -> CheckedInvoice:
    """Check everything an invoice can be checked for by itself.

    Args:
        invoice: As decoded from the source.

    Returns:
        The invoice with the one reading of its header charges that reproduces the total.

    Raises:
        Rejected: The gravest problem, with the arithmetic. Codes, gravest first: ``no_lines``, ``unknown_currency``,
            ``limit_exceeded``, ``control_character``, ``too_many_decimals``, ``implausible_date``, ``negative_total``,
            ``total_mismatch``, ``ambiguous_charges``, ``allocation_mismatch``.
    """
    for check in _CHECKS:
        check(invoice)
    reading = read_charges(invoice)
    for index, line in enumerate(invoice.lines):
        _check_allocations(line, index)
    return CheckedInvoice(invoice, reading)


def _check_lines(invoice: Invoice) -> None:
    if not invoice.lines:
        msg = "the invoice has no lines: there is nothing to code"
        raise Rejected(msg, code="no_lines", field="lines")
    if len(invoice.lines) > MAX_LINES:
        msg = f"the invoice has {len(invoice.lines)} lines, more than {MAX_LINES}: split it at the source"
        raise Rejected(msg, code="limit_exceeded", field="lines")


def _check_currency(invoice: Invoice) -> None:
    minor_unit(invoice.currency)


def _check_limits(invoice: Invoice) -> None:
    for field, amount in _amounts(invoice):
        if abs(amount) >= MAX_AMOUNT:
            msg = f"{field} is {amount:E}: larger than any ledger can hold"
            raise Rejected(msg, code="limit_exceeded", field=field)


def _check_keys(invoice: Invoice) -> None:
    named = {
        "number": invoice.number,
        "original_number": invoice.original_number,
        "supplier": invoice.supplier,
        "business_unit": invoice.business_unit,
    }
    for field, text in named.items():
        if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
            msg = f"{field} {text!r} contains a control character: correct it at the source"
            raise Rejected(msg, code="control_character", field=field)
        if len(text) > MAX_KEY:
            msg = f"{field} has {len(text)} characters, more than {MAX_KEY}: correct it at the source"
            raise Rejected(msg, code="limit_exceeded", field=field)


def _check_decimals(invoice: Invoice) -> None:
    for field, amount in _amounts(invoice):
        if not is_minor_exact(amount, invoice.currency):
            unit = minor_unit(invoice.currency)
            finest = f"the smallest amount of {invoice.currency} is {unit:f}"
            msg = f"{field} is {amount:f}, but {finest}: correct it at the source"
            raise Rejected(msg, code="too_many_decimals", field=field)


def _check_dates(invoice: Invoice) -> None:
    for field in ("invoice_date", "due_date", "accounting_date"):
        day: date | None = getattr(invoice, field)
        if day is not None and not EARLIEST <= day <= LATEST:
            msg = f"{field.replace('_', ' ')} {day.isoformat()} is not plausible: correct it at the source"
            raise Rejected(msg, code="implausible_date", field=field)


def _check_sign(invoice: Invoice) -> None:
    if invoice.gross < 0:
        this, other = ("invoice", "credit memo") if invoice.kind is InvoiceKind.INVOICE else ("credit memo", "invoice")
        msg = f"the total is {invoice.gross:f}: enter a negative {this} as {other} at the source"
        raise Rejected(msg, code="negative_total", field="gross")


_CHECKS: tuple[Callable[[Invoice], None], ...] = (
    _check_lines,
    _check_currency,
    _check_limits,
    _check_keys,
    _check_decimals,
    _check_dates,
    _check_sign,
)


def _amounts(invoice: Invoice) -> Iterator[tuple[str, Decimal]]:
    """Yield every amount that must fit the currency, with the canonical field it stands in."""
    yield "gross", invoice.gross
    for i, tax in enumerate(invoice.taxes):
        yield f"taxes[{i}]", tax.amount
    for i, charge in enumerate(invoice.charges):
        yield f"charges[{i}]", charge.amount
    for n, line in enumerate(invoice.lines):
        yield f"lines[{n}].amount", line.amount
        for i, tax in enumerate(line.taxes):
            yield f"lines[{n}].taxes[{i}]", tax.amount
        for i, charge in enumerate(line.charges):
            yield f"lines[{n}].charges[{i}]", charge.amount
        for i, part in enumerate(line.allocations):
            if part.amount is not None:
                yield f"lines[{n}].allocations[{i}]", part.amount


def _check_allocations(line: InvoiceLine, index: int) -> None:
    parts = line.allocations
    if not parts:
        return
    percents = [part.percent for part in parts if part.percent is not None]
    amounts = [part.amount for part in parts if part.amount is not None]
    problem = ""
    if any(_unclear(part) for part in parts) or (percents and amounts):
        problem = "its splits must all be percentages or all be amounts"
    elif percents:
        problem = _percent_problem(percents)
    elif add(amounts) != line.amount:
        problem = f"its splits {_joined(amounts)} = {add(amounts):f}, but the line is {line.amount:f}"
    if problem:
        msg = f"line {line.number}: {problem}; correct the accounting codes at the source"
        raise Rejected(msg, code="allocation_mismatch", field=f"lines[{index}].allocations")


def _unclear(part: Allocation) -> bool:
    return (part.amount is None) == (part.percent is None)


def _percent_problem(percents: list[Decimal]) -> str:
    if any(not 0 <= percent <= _HUNDRED for percent in percents):
        return f"its splits {_joined(percents)} % are not all between 0 and 100"
    if add(percents) != _HUNDRED:
        return f"its splits {_joined(percents)} % = {add(percents):f} %, not 100 %"
    return ""


def _joined(values: list[Decimal]) -> str:
    shown = " + ".join(f"{value:f}" for value in values[:6])
    return f"{shown} + …" if len(values) > 6 else shown  # noqa: PLR2004 - enough to recognize the line
