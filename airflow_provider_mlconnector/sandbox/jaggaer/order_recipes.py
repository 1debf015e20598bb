"""The kinds of purchase orders a tenant holds: what each label does to a plain order, revision by revision.

A recipe changes the draft of revision 0 and returns the changes of later revisions, each a function of the draft.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.jaggaer.draft import MINOR_DIGITS, Split, to_minor
from airflow_provider_mlconnector.sandbox.jaggaer.order_wire import CANCELLED, OrderDraft, OrderLine
from airflow_provider_mlconnector.sandbox.master import ACCOUNTS, COST_CENTERS, STOCK_ITEMS

Change = Callable[[OrderDraft], None]
Recipe = Callable[[OrderDraft, random.Random], list[Change]]

LABEL_SUPPLIERS: dict[str, tuple[str, ...]] = {
    "eur": ("V00031", "V00032"),
    "gbp": ("V00033",),
    "jpy": ("V00034",),
    "kwd": ("V00035",),
    "supplier_unknown": ("V00099",),
    "supplier_on_hold": ("V00042",),
}
"""Labels whose point is the supplier; all others draw one of the plain USD suppliers."""
LONG_TEXT = "Calibrated torque wrench 40-200 Nm, with case and certificate"[:60]
"""Sixty characters where an ERP's description takes fifty or fewer."""
AWKWARD_TEXT = 'Fräser & Bohrer <Ø8> "Café" ]]> 10er'
_ACCOUNTS = [account.jaggaer_code for account in ACCOUNTS if not account.on_hold]
_CENTERS = list(COST_CENTERS)
_SERVICES = ("Grinding, per hour", "Site inspection", "Safety training", "Special fixture", "Freight crate")


def line(rng: random.Random, currency: str, *, stocked: bool) -> OrderLine:
    """Draw a line with whole quantity and a price in minor units."""
    item = rng.choice(STOCK_ITEMS) if stocked else None
    return OrderLine(
        description=item.description if item else rng.choice(_SERVICES),
        quantity=Decimal(rng.randint(2, 40)),
        price=Decimal(rng.randint(500, 50_000)).scaleb(-MINOR_DIGITS.get(currency, 2)),
        splits=[Split(rng.choice(_ACCOUNTS), rng.choice(_CENTERS))],
        catalog=item.code if item else "",
        unit=item.uom if item else "EA",
    )


def _lines(draft: OrderDraft, rng: random.Random, kinds: str) -> list[Change]:
    """Draw one line per letter: S for stocked, N for not."""
    draft.lines = [line(rng, draft.currency, stocked=kind == "S") for kind in kinds]
    return []


def _kinds(kinds: str) -> Recipe:
    return lambda draft, rng: _lines(draft, rng, kinds)


def _split(kind: str, *percents: str) -> Recipe:
    """Split the one line over as many cost centers as there are percents; by amount, the last takes the remainder."""

    def recipe(draft: OrderDraft, rng: random.Random) -> list[Change]:
        _lines(draft, rng, "N")
        first, account = draft.lines[0], draft.lines[0].splits[0].account
        shares = [Decimal(percent) for percent in percents]
        if kind == "AmountOfPrice":
            whole = first.quantity * first.price
            shares = [to_minor(whole * share / 100, draft.currency) for share in shares[:-1]]
            shares.append(whole - sum(shares))
        centers = rng.sample(_CENTERS, len(shares))
        first.splits = [Split(account, center, share) for center, share in zip(centers, shares, strict=True)]
        first.split_type = kind
        return []

    return recipe


def _revised(draft: OrderDraft, rng: random.Random) -> list[Change]:
    """Three revisions: a larger quantity, another price, one more line."""
    _lines(draft, rng, "SN")
    extra = line(rng, draft.currency, stocked=True)

    def more(now: OrderDraft) -> None:
        now.lines[0].quantity += 5

    def dearer(now: OrderDraft) -> None:
        now.lines[1].price += Decimal(1)

    def longer(now: OrderDraft) -> None:
        now.lines.append(extra)

    return [more, dearer, longer]


def _line_cancelled(draft: OrderDraft, rng: random.Random) -> list[Change]:
    _lines(draft, rng, "SS")

    def cancel(now: OrderDraft) -> None:
        now.lines[-1].quantity = Decimal(0)

    return [cancel]


def _cancelled(draft: OrderDraft, rng: random.Random) -> list[Change]:
    _lines(draft, rng, "S")

    def cancel(now: OrderDraft) -> None:
        now.status = CANCELLED

    return [cancel]


def _text(text: str) -> Recipe:
    def recipe(draft: OrderDraft, rng: random.Random) -> list[Change]:
        _lines(draft, rng, "N")
        draft.lines[0].description = text
        return []

    return recipe


def _fractional(draft: OrderDraft, rng: random.Random) -> list[Change]:
    _lines(draft, rng, "N")
    draft.lines[0].quantity, draft.lines[0].price = Decimal("2.5"), Decimal("13.3333")
    return []


def _third_decimal(draft: OrderDraft, rng: random.Random) -> list[Change]:
    _lines(draft, rng, "N")
    draft.lines[0].price = Decimal(rng.randint(500, 5_000) * 10 + 5).scaleb(-3)
    return []


def _setting(**fields: str) -> Recipe:
    """Set fields of the order itself."""

    def recipe(draft: OrderDraft, rng: random.Random) -> list[Change]:
        _lines(draft, rng, "N")
        for name, value in fields.items():
            setattr(draft, name, value)
        return []

    return recipe


def _coding(**fields: str) -> Recipe:
    """Put one code on the last line only: a bad line beside a good one."""

    def recipe(draft: OrderDraft, rng: random.Random) -> list[Change]:
        _lines(draft, rng, "SN")
        for name, value in fields.items():
            setattr(draft.lines[-1].splits[0], name, value)
        return []

    return recipe


def _unknown_stock_code(draft: OrderDraft, rng: random.Random) -> list[Change]:
    _lines(draft, rng, "S")
    draft.lines[0].catalog = "NO-SUCH-CODE"
    return []


GOOD: dict[str, Recipe] = {
    "stocked": _kinds("SS"),
    "non_stocked": _kinds("N"),
    "mixed": _kinds("SNS"),
    "revised": _revised,
    "line_cancelled": _line_cancelled,
    "cancelled": _cancelled,
    "split_percent": _split("PercentOfPrice", "60", "40"),
    "split_thirds": _split("PercentOfPrice", "33.33", "33.33", "33.34"),
    "split_amount": _split("AmountOfPrice", "25", "75"),
    "fractional": _fractional,
    "long_description": _text(LONG_TEXT),
    "awkward_text": _text(AWKWARD_TEXT),
    "eur": _kinds("SN"),
    "gbp": _kinds("N"),
    "jpy": _kinds("S"),
}
"""Orders an ERP can take as they are, the description of ``long_description`` shortened."""
BAD: dict[str, Recipe] = {
    "supplier_unknown": _kinds("S"),
    "supplier_on_hold": _kinds("S"),
    "unmapped_account": _coding(account="59999"),
    "unmapped_cost_center": _coding(cost_center="CC99"),
    "unmapped_business_unit": _setting(business_unit="PLANT9"),
    "unknown_stock_code": _unknown_stock_code,
    "not_cp1252_text": _text("Łódź 東京 bearing"),
    "pending": _setting(workflow="Pending", status="Pending"),
    "rejected": _setting(workflow="Rejected", status="Rejected"),
    "kwd": _third_decimal,
}
"""Orders that must not arrive as they are, each for one reason."""
RECIPES: dict[str, Recipe] = GOOD | BAD
