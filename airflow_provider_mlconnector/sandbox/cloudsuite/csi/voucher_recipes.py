"""The kinds of vouchers typed into CSI itself: what each label does to a plain voucher of one distribution."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.cloudsuite.csi import recipes
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.setup import CURRENCIES, FREIGHT, INPUT_TAX, RECEIVED, VARIANCE
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Row

Recipe = Callable[["VoucherDraft", random.Random], None]
NUMBER_LENGTH = 22


@dataclass(slots=True)
class VoucherDraft:
    """A voucher before it is stored: header, distributions, and how it goes on."""

    currency: str
    header: Row
    parts: list[Row]
    posted: bool = False
    paid: bool = False
    adjusted: Decimal | None = None
    bills_order: bool = False
    billed: list[Row] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        """Sum of the distributions."""
        return sum((part["Amount"] for part in self.parts), Decimal(0))


def part(rng: random.Random, currency: str) -> Row:
    """Draw a distribution to an expense account with its cost center."""
    coding = {"Acct": rng.choice(recipes.ACCOUNTS), "AcctUnit1": rng.choice(recipes.CENTERS)}
    return coding | {"Amount": recipes.cash(rng, currency)}


def _more_parts(draft: VoucherDraft, rng: random.Random) -> None:
    draft.parts += [part(rng, draft.currency) for _ in range(rng.randint(1, 4))]


def _tax(draft: VoucherDraft, _: random.Random) -> None:
    """Recoverable tax of 20 % on an account of its own."""
    basis, places = draft.total, CURRENCIES[draft.currency].places
    tax = (basis / 5).quantize(Decimal(1).scaleb(-places))
    draft.header |= {"SalesTax": tax, "TaxCode1": "VAT20"}
    taxed = {"TaxCode": "VAT20", "TaxSystem": 1, "TaxBasis": basis}
    draft.parts.append({"Acct": INPUT_TAX, "Amount": tax} | taxed)


def _freight(draft: VoucherDraft, rng: random.Random) -> None:
    amount = recipes.cash(rng, draft.currency, 500, 2_000)
    draft.header["Freight"] = amount
    draft.parts.append({"Acct": FREIGHT, "AcctUnit1": draft.parts[0]["AcctUnit1"], "Amount": amount})


def _credit(draft: VoucherDraft, _: random.Random) -> None:
    """A credit memo: the amounts are negative (SIM: as CSI has no type of its own for it)."""
    for each in draft.parts:
        each["Amount"] = -each["Amount"]


def _header(**fields: object) -> Recipe:
    return lambda draft, _: draft.header.update(fields)


def _number(form: str) -> Recipe:
    """Write the invoice number in another form."""
    return lambda draft, _: draft.header.update(InvNum=form.format(draft.header["InvNum"])[:NUMBER_LENGTH])


def _posted(recipe: Recipe | None = None) -> Recipe:
    """Let a voucher have been posted when the site starts."""

    def posted(draft: VoucherDraft, rng: random.Random) -> None:
        if recipe is not None:
            recipe(draft, rng)
        draft.posted = True

    return posted


def _paid(draft: VoucherDraft, _: random.Random) -> None:
    draft.posted = draft.paid = True


def _adjusted(draft: VoucherDraft, rng: random.Random) -> None:
    """A posted voucher with an unposted adjustment (Type A) of a tenth of its amount."""
    draft.posted = True
    places = CURRENCIES[draft.currency].places
    draft.adjusted = (draft.total / rng.choice((-10, 10))).quantize(Decimal(1).scaleb(-places))


def _order(draft: VoucherDraft, _: random.Random) -> None:
    draft.bills_order = True


def bill(draft: VoucherDraft, order: Row, lines: list[Row], rng: random.Random) -> None:
    """Let a voucher bill received order lines: the received account at order cost, a variance to its own account."""
    draft.header |= {"PoNum": order["PoNum"], "VendNum": order["VendNum"], "PostFromPo": True}
    draft.parts = []
    for each in lines:
        cost = each["ItemCostConv"]
        draft.billed.append(
            {"PoLine": each["PoLine"], "PoRelease": each["PoRelease"], "Qty": each["QtyReceived"], "Cost": cost}
        )
        draft.parts.append({"Acct": RECEIVED, "Amount": each["QtyReceived"] * cost})
    if rng.randint(0, 1):
        places = CURRENCIES[draft.currency].places
        draft.parts.append({"Acct": VARIANCE, "Amount": Decimal(rng.randint(1, 300)).scaleb(-places)})


_UNPOSTED: dict[str, Recipe] = {
    "plain": lambda _, __: None,
    "more_parts": _more_parts,
    "tax": _tax,
    "freight": _freight,
    "eur": lambda _, __: None,
    "gbp": lambda _, __: None,
    "jpy": lambda _, __: None,
    "kwd": lambda _, __: None,
    "credit_memo": _credit,
    "long_number": _number("LANGE-NUMMER-{}-2026"),
    "zeros_in_front": _number("00{}"),
    "lower_case": _number("r {}"),
}
GOOD: dict[str, Recipe] = _UNPOSTED | {
    "posted": _posted(),
    "posted_more_parts": _posted(_more_parts),
    "posted_tax": _posted(_tax),
    "posted_eur": _posted(),
    "posted_credit_memo": _posted(_credit),
    "posted_order": _posted(_order),
}
"""Vouchers a route can carry into JAGGAER."""
OTHER: dict[str, Recipe] = {
    "held": _header(BGPostingStat="H"),
    "in_workflow": _header(InWorkflow=True),
    "posted_paid": _paid,
    "posted_adjusted": _adjusted,
    "same_number": lambda _, __: None,
    "vendor_on_hold": lambda _, __: None,
    "vendor_only_here": lambda _, __: None,
    "account_obsolete": lambda draft, _: draft.parts[0].update(Acct="56000"),
    "unit_missing": lambda draft, _: draft.parts[0].update(Acct="51200", AcctUnit1=None),
}
"""Vouchers that stay where they are, or wait for a cause outside; ``same_number`` repeats its predecessor's InvNum."""
RECIPES = GOOD | OTHER
LABEL_VENDORS: dict[str, tuple[str, ...]] = (
    recipes.BY_CURRENCY
    | {"posted_eur": ("V00031", "V00032"), "vendor_on_hold": ("V00042",), "vendor_only_here": ("V00056",)}
    | {"same_number": ("V00001",)}
)
"""Labels whose point is the vendor; all others draw a plain one."""
