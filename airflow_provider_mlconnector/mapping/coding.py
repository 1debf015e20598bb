"""An invoice coded for one ledger: every code of the source replaced by the target's (FINANCE §1, §2, §4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from airflow_provider_mlconnector.documents.allocation import Share, allocate, apportion
from airflow_provider_mlconnector.documents.coding import CodedInvoice, Posting
from airflow_provider_mlconnector.documents.currency import EXACT, add, minor_unit
from airflow_provider_mlconnector.documents.invoice import ChargeKind, Invoice, Tax
from airflow_provider_mlconnector.documents.validation import CheckedInvoice
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.mapping.billing import Orders, billed_lines, check_coded, with_order_coding
from airflow_provider_mlconnector.mapping.coder import Account, Coder
from airflow_provider_mlconnector.mapping.model import BusinessUnit, MappingSet, TaxPolicy, look_up
from airflow_provider_mlconnector.mapping.taxing import (
    TaxedShare,
    assign_tax_codes,
    permitted_variance,
    recoverable_tax,
    variance_problem,
)


def code_invoice(
    checked: CheckedInvoice,
    mapping: MappingSet,
    *,
    version: int,
    orders: Orders | None = None,
    order_first: bool = False,
) -> CodedInvoice:
    """Fill in every code of the target.

    Codes with effective dates are those of the accounting date, else of the invoice date. Postings to the same GL code
    under the same tax code are joined. What lines cost that bill an order line stays apart, line by line: it may have
    been accrued when it was received.

    Args:
        checked: A sound invoice.
        mapping: The code maps and policies.
        version: Which version of the mapping this is; kept for the audit.
        orders: The purchase orders the target holds, by PO number as the invoice lines write it.
        order_first: The coding of the order line replaces the invoice line's own. Otherwise it only fills in for lines
            without an account.

    Raises:
        Parked: A code is not mapped, and is the subject: ``unmapped_business_unit``, ``unmapped_currency``,
            ``unmapped_account``, ``unmapped_cost_center``, ``unmapped_terms``, ``unmapped_tax``; or ``tax_variance``,
            ``order_line_unknown``, ``po_voucher``.
        Rejected: A line has no account (``missing_account``) or cost center (``missing_cost_center``), the total
            contradicts the tax policy (``total_mismatch``), or all amounts cancel out (``nothing_to_post``).
    """
    invoice = checked.invoice
    billed = billed_lines(invoice, orders or {}, not_received=mapping.receipts.not_received)
    checked = with_order_coding(checked, billed, orders or {}, order_first=order_first)
    if not mapping.defaults.account:
        check_coded(checked.invoice, orders or {})
    coder = Coder(mapping, invoice.accounting_date or invoice.invoice_date, {line.place: line for line in billed})
    unit = _business_unit(invoice, mapping)
    currency = coder.mapped(mapping.currencies, invoice.currency, "currency")
    tax = recoverable_tax(checked, mapping)
    shares = allocate(checked, cost_taxes=_becomes_cost(mapping))
    postings = _fitting_postings(checked, assign_tax_codes(checked, shares, mapping), tax, coder)
    return CodedInvoice(
        invoice=invoice,
        company=unit.company,
        branch=unit.branch,
        currency=currency,
        terms_code=_terms(invoice, coder),
        tax_code=_main_tax_code(postings, mapping),
        tax_value=tax,
        tax_variance=permitted_variance(mapping, invoice.currency),
        freight=_charged(shares, ChargeKind.FREIGHT),
        miscellaneous=_charged(shares, ChargeKind.HANDLING, ChargeKind.MISCELLANEOUS),
        postings=_with_tax(postings, tax, checked, mapping),
        clearing_account=mapping.clearing_account,
        billed=billed,
        suspense_account=mapping.receipts.suspense_account,
        variance_account=mapping.receipts.variance_account,
        mapping_version=version,
    )


def _becomes_cost(mapping: MappingSet) -> Callable[[Tax], bool]:
    return lambda tax: mapping.taxes.policy_of(tax.code) is TaxPolicy.NON_RECOVERABLE


def _business_unit(invoice: Invoice, mapping: MappingSet) -> BusinessUnit:
    name = invoice.business_unit or mapping.defaults.business_unit
    unit = mapping.business_units.get(name)
    if unit is None:
        what = f"business unit {name} is not mapped" if name else "the invoice names no business unit"
        msg = f"{what}: it is not known which company it belongs to"
        raise Parked(msg, code="unmapped_business_unit", subject=name)
    return unit


def _terms(invoice: Invoice, coder: Coder) -> str:
    default = coder.mapping.defaults.terms
    code = invoice.terms.code if invoice.terms else ""
    if not code:
        return default
    if default:
        return look_up(coder.mapping.terms, code, coder.day) or default
    return coder.mapped(coder.mapping.terms, code, "terms")


def _fitting_postings(
    checked: CheckedInvoice, taxed: Sequence[TaxedShare], tax: Decimal, coder: Coder
) -> list[Posting]:
    """Post lines together, or one by one where only that makes the tax work out."""
    problem = ""
    for together in (True, False):
        postings = _postings(checked, taxed, coder, together=together)
        if not postings:
            msg = "all amounts of the invoice cancel out: there is nothing to post"
            raise Rejected(msg, code="nothing_to_post", field="lines")
        problem = variance_problem(postings, tax, checked, coder.mapping)
        if not problem:
            return postings
    raise Parked(problem, code="tax_variance", field="taxes")


def _postings(checked: CheckedInvoice, taxed: Iterable[TaxedShare], coder: Coder, *, together: bool) -> list[Posting]:
    """Join shares with the same account and tax code (and line); those that cancel out disappear."""
    joined: dict[tuple[Account, str, int, int | None], list[Share]] = {}
    lines = checked.invoice.lines
    for item in taxed:
        share = item.share
        account = coder.account_of(share, lines[share.line].number)
        joined.setdefault((account, item.code, 0 if together else share.line, coder.billed_by(share)), []).append(share)
    return [
        Posting(
            gl_code=account.gl_code,
            amount=amount,
            tax_code=code,
            tax_amount=Decimal(0),
            cost_center=account.cost_center,
            analysis_category=account.analysis_category,
            notation=_notation(checked.invoice, shares),
            source_lines=tuple(dict.fromkeys(lines[share.line].number for share in shares)),
            source_account=account.source_account,
            billed=billed,
        )
        for (account, code, _, billed), shares in joined.items()
        if (amount := add(share.amount for share in shares))
    ]


def _notation(invoice: Invoice, shares: Sequence[Share]) -> str:
    """Name the goods where one line alone is posted, else nothing."""
    lines = {share.line for share in shares}
    return invoice.lines[lines.pop()].description if len(lines) == 1 else ""


def _with_tax(
    postings: Sequence[Posting], tax: Decimal, checked: CheckedInvoice, mapping: MappingSet
) -> tuple[Posting, ...]:
    """State each posting's part of the tax: what its rate gives, corrected so that the parts add up to the tax."""
    if not tax:
        return tuple(postings)
    weights = [EXACT.multiply(posting.amount, mapping.taxes.codes[posting.tax_code]) for posting in postings]
    if not add(weights):  # what bore the tax cancels out, and cents are left
        return (postings[0].model_copy(update={"tax_amount": tax}), *postings[1:])
    parts = apportion(tax, weights, minor_unit(checked.invoice.currency))
    return tuple(posting.model_copy(update={"tax_amount": part}) for posting, part in zip(postings, parts, strict=True))


def _main_tax_code(postings: Sequence[Posting], mapping: MappingSet) -> str:
    """Return the code that most of the value is taxed under; the zero-rate code when nothing is taxed."""
    values: dict[str, Decimal] = {}
    for posting in postings:
        if mapping.taxes.codes.get(posting.tax_code):
            values[posting.tax_code] = EXACT.add(values.get(posting.tax_code, Decimal(0)), abs(posting.amount))
    return max(values, key=lambda code: values[code], default=mapping.taxes.zero_code)


def _charged(shares: Iterable[Share], *kinds: ChargeKind) -> Decimal:
    costs = {kind.value for kind in kinds}
    return add(share.amount for share in shares if share.cost.value in costs)
