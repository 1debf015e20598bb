"""The kinds of invoices a tenant holds: what each label does to a plain one-line draft."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.jaggaer.draft import MINOR_DIGITS, Draft, Line, Split, to_minor
from airflow_provider_mlconnector.sandbox.master import ACCOUNTS, COST_CENTERS, SUPPLIERS, MasterSupplier

Recipe = Callable[[Draft, random.Random], None]

SUPPLIER: dict[str, MasterSupplier] = {supplier.number: supplier for supplier in SUPPLIERS}
LABEL_SUPPLIERS: dict[str, tuple[str, ...]] = {
    "eur": ("V00031", "V00032"),
    "gbp": ("V00033",),
    "jpy": ("V00034",),
    "kwd": ("V00035",),
    "padded_supplier": ("000000000004711",),
    "supplier_unknown": ("V00099",),
    "supplier_on_hold": ("V00042",),
    "receipt_required": ("V00043",),
}
"""Labels whose point is the supplier; all others draw one of the plain USD suppliers."""
ELIGIBLE = ("Completed", "Payable")
STATUSES: dict[str, tuple[str, str]] = {
    "pending": ("Pending", "InProcess"),
    "paid": ("Completed", "Paid"),
    "cancelled": ("Cancelled", "Cancelled"),  # SIM: the JSON words for a cancelled invoice are not public
}
"""(workflowStatus, paymentStatus) of the labels that are not ``ELIGIBLE``; Paid is a word of the XML export (§2.4)."""
PLAIN_SUPPLIERS = tuple(number for number in SUPPLIER if number.startswith("V000") and number <= "V00030")
_ACCOUNTS = [account.jaggaer_code for account in ACCOUNTS if not account.on_hold]
_COST_CENTERS = list(COST_CENTERS)
_DESCRIPTIONS = (
    "Drill bits 8mm",
    "Fräser Ø8 – 10er Pack",
    "Nuts & bolts <M8>",
    'Pipe 3/4" "blank"',
    "Café supplies €",
    "O'Ring set",
    "Calibration service, on site, of the three-axis coordinate measuring machine in hall 2, report and stickers",
)


def line(rng: random.Random, currency: str, *, taxed: str | None = None) -> Line:
    """Draw a line with whole quantity and a price in minor units; ``taxed`` names a charge of 20 % put on it."""
    digits = MINOR_DIGITS.get(currency, 2)
    drawn = Line(
        description=rng.choice(_DESCRIPTIONS),
        quantity=Decimal(rng.randint(1, 20)),
        price=Decimal(rng.randint(500, 50_000)).scaleb(-digits),
        splits=[Split(rng.choice(_ACCOUNTS), rng.choice(_COST_CENTERS))],
    )
    if taxed:
        drawn.charges[taxed] = to_minor(drawn.extended / 5, currency)
    return drawn


def _multi_line(draft: Draft, rng: random.Random) -> None:
    draft.lines += [line(rng, draft.currency) for _ in range(rng.randint(1, 5))]


def _split(draft: Draft, rng: random.Random, kind: str, *shares: str | Decimal) -> None:
    """Split the first line over as many distinct cost centers as there are shares."""
    first = draft.lines[0]
    centers = rng.sample(_COST_CENTERS, len(shares))
    first.split_type = kind
    first.splits = [Split(first.splits[0].account, c, Decimal(s)) for c, s in zip(centers, shares, strict=True)]


def _split_percent(draft: Draft, rng: random.Random) -> None:
    share = Decimal(rng.choice((10, 25, 40, 50, 60)))
    _split(draft, rng, "PercentOfPrice", share, 100 - share)


def _split_thirds(draft: Draft, rng: random.Random) -> None:
    # one cent more than a multiple of three cents: no rounding of thirds alone can reproduce it
    draft.lines[0].quantity, draft.lines[0].price = Decimal(1), Decimal(rng.randint(1_000, 9_000) * 3 + 1).scaleb(-2)
    _split(draft, rng, "PercentOfPrice", "33.33", "33.33", "33.34")


def _split_amount(draft: Draft, rng: random.Random) -> None:
    amount = draft.lines[0].extended
    part = to_minor(amount * rng.randint(10, 90) / 100, draft.currency)
    _split(draft, rng, "AmountOfPrice", part, amount - part)


def _header_tax(draft: Draft, rng: random.Random) -> None:
    _multi_line(draft, rng)
    draft.charges["taxCharge1"] = to_minor(draft.goods / 5, draft.currency)


def _line_tax(draft: Draft, rng: random.Random) -> None:
    draft.lines = [line(rng, draft.currency, taxed="taxCharge1") for _ in range(rng.randint(1, 4))]


def _header_freight(draft: Draft, rng: random.Random) -> None:
    _multi_line(draft, rng)
    draft.charges |= {"shippingCharge": _cents(rng), "handlingCharge": _cents(rng)}


def _charge_repeated(draft: Draft, rng: random.Random) -> None:
    """The header restates its lines' tax and shipping; the total has them once."""
    _line_tax(draft, rng)
    for each in draft.lines:
        each.charges["shippingCharge"] = _cents(rng)
    draft.sum_up("taxCharge1")
    draft.sum_up("shippingCharge")


def _charge_additional(draft: Draft, rng: random.Random) -> None:
    """Header shipping on top of the lines' shipping, now and then of the same amount: only the total tells."""
    _multi_line(draft, rng)
    for each in draft.lines:
        each.charges["shippingCharge"] = _cents(rng)
    draft.sum_up("shippingCharge")
    draft.repeated.clear()
    if rng.random() < 0.5:  # noqa: PLR2004 - an even chance
        draft.charges["shippingCharge"] += _cents(rng)


def _charge_neither(draft: Draft, rng: random.Random) -> None:
    """Header 15 against lines 5 + 5, and a total that has 18 of it: no reading gives that."""
    _charge_parts(draft, rng, "shippingCharge", Decimal(5), Decimal(15))
    draft.adjust = Decimal(18) - 25


def _charge_ambiguous(draft: Draft, rng: random.Random) -> None:
    """Tax repeated and shipping additional gives the same total as the reverse: two readings, so none."""
    _charge_parts(draft, rng, "taxCharge1", Decimal(3), Decimal(6))
    for each in draft.lines:
        each.charges["shippingCharge"] = Decimal(3)
    draft.charges["shippingCharge"] = Decimal(6)
    draft.repeated.add("shippingCharge")


def _charge_parts(draft: Draft, rng: random.Random, name: str, per_line: Decimal, header: Decimal) -> None:
    draft.lines = [line(rng, draft.currency) for _ in range(2)]
    for each in draft.lines:
        each.charges[name] = per_line
    draft.charges[name] = header


def _discount_line(draft: Draft, rng: random.Random) -> None:
    _multi_line(draft, rng)
    first = draft.lines[0]
    first.charges["discountAmount"] = to_minor(first.extended / 10, draft.currency)


def _discount_header(draft: Draft, rng: random.Random) -> None:
    _multi_line(draft, rng)
    draft.charges["discountAmount"] = to_minor(draft.goods / 20, draft.currency)


def _negative_line(draft: Draft, rng: random.Random) -> None:
    """A returned deposit: less than half of the goods, so that the invoice stays one."""
    returned = line(rng, draft.currency)
    returned.description, returned.quantity = "Deposit returned", Decimal(1)
    returned.price = -to_minor(draft.goods * rng.randint(10, 45) / 100, draft.currency)
    draft.lines.append(returned)


def _fractional(draft: Draft, _rng: random.Random) -> None:
    """2.5 × 13.3333 = 33.33325: one line, so that rounding the line or the sum gives the same."""
    draft.lines[0].quantity, draft.lines[0].price = Decimal("2.5"), Decimal("13.3333")


def _po_lines(draft: Draft, rng: random.Random) -> None:
    _multi_line(draft, rng)
    for number, each in enumerate(draft.lines, start=1):
        each.po = (f"{draft.id % 5000:010d}", str(number))


def _kwd(draft: Draft, rng: random.Random) -> None:
    draft.lines[0].quantity, draft.lines[0].price = Decimal(1), Decimal(rng.randint(500, 5_000) * 10 + 5).scaleb(-3)


def _no_change(_draft: Draft, _rng: random.Random) -> None:
    """The label's point lies in its supplier or currency."""


def _no_lines(draft: Draft, _rng: random.Random) -> None:
    draft.adjust, draft.lines = draft.total, []


def _status(label: str) -> Recipe:
    workflow, payment = STATUSES[label]
    return _setting(workflow=workflow, payment=payment)


def _setting(**fields: object) -> Recipe:
    def recipe(draft: Draft, _rng: random.Random) -> None:
        for name, value in fields.items():
            setattr(draft, name, value)

    return recipe


def _number(pattern: str) -> Recipe:
    return lambda draft, _rng: setattr(draft, "number", pattern.format(draft.id))


def _coding(**fields: str) -> Recipe:
    """Put one code on the last line only: a bad line among good ones."""

    def recipe(draft: Draft, rng: random.Random) -> None:
        _multi_line(draft, rng)
        for name, value in fields.items():
            setattr(draft.lines[-1].splits[0], name, value)

    return recipe


def _description(text: str) -> Recipe:
    return lambda draft, _rng: setattr(draft.lines[0], "description", text)


def _before_cut_over(draft: Draft, _rng: random.Random) -> None:
    draft.invoice_date = draft.last_update.date() - timedelta(days=400)


def _cents(rng: random.Random) -> Decimal:
    return Decimal(rng.randint(100, 2_500)).scaleb(-2)


GOOD: dict[str, Recipe] = {
    "plain": _no_change,
    "multi_line": _multi_line,
    "split_percent": _split_percent,
    "split_thirds": _split_thirds,
    "split_amount": _split_amount,
    "header_tax": _header_tax,
    "line_tax": _line_tax,
    "header_freight": _header_freight,
    "charge_repeated": _charge_repeated,
    "charge_additional": _charge_additional,
    "discount_line": _discount_line,
    "discount_header": _discount_header,
    "negative_line": _negative_line,
    "fractional_price": _fractional,
    "credit_memo": _no_change,  # made from its original by the generator
    "eur": _multi_line,
    "gbp": _multi_line,
    "jpy": _header_tax,
    "padded_supplier": _no_change,
    "po_lines": _po_lines,
}
"""Labels whose total follows the rule and whose codes, supplier and text an ERP route can take."""
BAD: dict[str, Recipe] = {
    "no_lines": _no_lines,
    "total_off": _setting(adjust=Decimal("0.01")),
    "number_too_long": _number("LONGNUMBER-{}-PARTS-A"),
    "not_cp1252_text": _description("Łódź 東京 bearing"),
    "not_cp1252_number": _number("ŁÓDŹ-{}"),
    "unknown_currency": _setting(currency="XQZ"),
    "currency_mismatch": _setting(currency="EUR"),
    "empty_number": _setting(empty={"supplierInvoiceNumber"}),
    "empty_supplier": _setting(empty={"supplierNumber"}),
    "unmapped_account": _coding(account="59999"),
    "unmapped_cost_center": _coding(cost_center="CC99"),
    "unmapped_business_unit": _setting(business_unit="PLANT9"),
    "supplier_unknown": _no_change,
    "supplier_on_hold": _no_change,
    "receipt_required": _no_change,
    "account_on_hold": _coding(account="56000"),
    "pending": _status("pending"),
    "paid": _status("paid"),
    "cancelled": _status("cancelled"),
    "before_cut_over": _before_cut_over,
    "charge_neither": _charge_neither,
    "charge_ambiguous": _charge_ambiguous,
    "kwd": _kwd,
}
"""Labels that must not end as an ordinary posting, each for one reason. ``kwd`` is sound but has a third decimal."""
RECIPES: dict[str, Recipe] = GOOD | BAD
OUTSIDE_GOOD_MIX = frozenset({"po_lines"})
"""Sound labels left out of the ``good`` mix: a PO line waits for its order and receipt, which are not transferred."""
