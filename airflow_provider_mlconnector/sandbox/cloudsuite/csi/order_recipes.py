"""The kinds of purchase orders a site holds: what each label does to a plain order of two lines."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.cloudsuite.csi import recipes
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Row
from airflow_provider_mlconnector.sandbox.master import STOCK_ITEMS

Recipe = Callable[["OrderDraft", random.Random], None]
LONG_TEXT = "Torque wrench 40-200 Nm, case and papers"
"""As long as a description can be."""
AWKWARD_TEXT = 'Fräser & Bohrer <Ø8> "Café" ]]> 10er'


@dataclass(slots=True)
class OrderDraft:
    """An order before it is stored: properties of header and lines, and the share of each line that was received."""

    currency: str
    header: Row
    lines: list[Row]
    received: list[Decimal] = field(default_factory=list)


def line(rng: random.Random, currency: str, number: int, *, stocked: bool = False) -> Row:
    """Draw a line, stocked or coded to an account with its cost center."""
    row: Row = {"PoLine": number, "PoRelease": 0, "QtyOrderedConv": Decimal(rng.randint(2, 40)), "UM": "EA"}
    row["ItemCostConv"] = recipes.cash(rng, currency)
    if stocked:
        item = rng.choice(STOCK_ITEMS)
        return row | {"Item": item.code, "Description": item.description, "UM": item.uom}
    coding = {"NonInvAcct": rng.choice(recipes.ACCOUNTS), "NonInvAcctUnit1": rng.choice(recipes.CENTERS)}
    return row | {"Item": f"SERV-{number}", "Description": rng.choice(recipes.DESCRIPTIONS)} | coding


def _lines(kinds: str) -> Recipe:
    """Draw one line per letter: S for stocked, N for not."""

    def recipe(draft: OrderDraft, rng: random.Random) -> None:
        draft.lines = [line(rng, draft.currency, n, stocked=kind == "S") for n, kind in enumerate(kinds, start=1)]

    return recipe


def _header(**fields: object) -> Recipe:
    return lambda draft, _: draft.header.update(fields)


def _first_line(**fields: object) -> Recipe:
    return lambda draft, _: draft.lines[0].update(fields)


def _received(*shares: str) -> Recipe:
    def recipe(draft: OrderDraft, _: random.Random) -> None:
        draft.received = [Decimal(share) for share in shares]

    return recipe


def _complete(draft: OrderDraft, _: random.Random) -> None:
    draft.header["Stat"] = "C"
    draft.received = [Decimal(1) for _ in draft.lines]


def _history(draft: OrderDraft, rng: random.Random) -> None:
    _complete(draft, rng)
    draft.header["Stat"] = "H"


def _cancelled(draft: OrderDraft, _: random.Random) -> None:
    draft.header["Stat"] = "C"
    for each in draft.lines:
        each |= {"QtyOrderedConv": Decimal(0), "Stat": "C"}


def _blanket(draft: OrderDraft, rng: random.Random) -> None:
    """One blanket line, called off by three releases."""
    draft.header["Type"] = "B"
    first = line(rng, draft.currency, 1, stocked=True)
    draft.lines = [first | {"PoRelease": release} for release in (1, 2, 3)]


def _charges(draft: OrderDraft, rng: random.Random) -> None:
    for name in ("Freight", "MiscCharges"):
        draft.header[name] = recipes.cash(rng, draft.currency, 500, 2_000)


GOOD: dict[str, Recipe] = {
    "plain": lambda _, __: None,
    "one_line": _lines("N"),
    "stocked": _lines("S"),
    "stocked_and_not": _lines("SNS"),
    "many_lines": _lines("NNSNNSNN"),
    "eur": lambda _, __: None,
    "gbp": lambda _, __: None,
    "jpy": lambda _, __: None,
    "kwd": lambda _, __: None,
    "charges": _charges,
    "long_text": _first_line(Description=LONG_TEXT),
    "awkward_text": _first_line(Description=AWKWARD_TEXT),
    "fourth_decimal": _first_line(ItemCostConv=Decimal("1.8375")),
    "part_received": _received("0.5", "0"),
    "received": _received("1", "1"),
    "cancelled_line": _first_line(QtyOrderedConv=Decimal(0), Stat="C"),
}
"""Orders a route can carry into JAGGAER."""
OTHER: dict[str, Recipe] = {
    "planned": _header(Stat="P"),
    "complete": _complete,
    "history": _history,
    "cancelled": _cancelled,
    "blanket": _blanket,
    "vendor_inactive": lambda _, __: None,
    "vendor_on_hold": lambda _, __: None,
    "vendor_only_here": lambda _, __: None,
    "account_obsolete": _first_line(NonInvAcct="56000"),
    "account_missing": _first_line(NonInvAcct=None),
    "unit_missing": _first_line(NonInvAcct="51200", NonInvAcctUnit1=None),
    "unit_not_allowed": _first_line(NonInvAcct="52500", NonInvAcctUnit1="CC20"),
}
"""Orders that stay where they are, or wait for a cause outside."""
RECIPES = GOOD | OTHER
LABEL_VENDORS: dict[str, tuple[str, ...]] = recipes.BY_CURRENCY | {
    "vendor_inactive": ("V00050",),
    "vendor_on_hold": ("V00042",),
    "vendor_only_here": ("V00056",),
}
"""Labels whose point is the vendor; all others draw a plain one."""
