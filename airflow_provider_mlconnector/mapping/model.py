"""What people map: codes of the source to codes of the ledger, with effective dates and policies.

The YAML that holds a mapping, explained line by line: ``dags/mappings/jaggaer_to_syspro.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Section(BaseModel):
    # strict about keys, so that a slip of the pen is an error with a line number and not a silent default
    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, serialize_by_alias=True)


class Entry(_Section):
    """One target code and the days on which it holds, both ends included; an open end is None."""

    to: Code
    start: date | None = Field(default=None, alias="from")
    until: date | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start and self.until and self.until < self.start:
            msg = f"until {self.until} is before from {self.start}"
            raise ValueError(msg)
        return self

    def holds(self, day: date) -> bool:
        """Tell whether the entry applies on a day."""
        return (self.start is None or self.start <= day) and (self.until is None or day <= self.until)


def _as_entries(value: object) -> object:
    if isinstance(value, str):
        return [{"to": value}]
    return [value] if isinstance(value, Mapping) else value


def _disjoint(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    for one, other in pairwise(sorted(entries, key=lambda e: e.start or date.min)):
        if (one.until or date.max) >= (other.start or date.min):
            msg = f"{one.to} and {other.to} hold on the same days"
            raise ValueError(msg)
    if not entries:
        msg = "no target code"
        raise ValueError(msg)
    return entries


Entries = Annotated[tuple[Entry, ...], BeforeValidator(_as_entries), AfterValidator(_disjoint)]
CodeMap = dict[Code, Entries]


def look_up(codes: CodeMap, code: str, day: date) -> str | None:
    """Return the target code that holds on a day, None when there is none."""
    return next((entry.to for entry in codes.get(code, ()) if entry.holds(day)), None)


def look_back(codes: CodeMap, target: str, day: date) -> list[str]:
    """Return every source code that means a target code on a day: the map read backwards."""
    return [code for code, entries in codes.items() if any(e.to == target and e.holds(day) for e in entries)]


class BusinessUnit(_Section):
    """Where the documents of a business unit go."""

    company: Code
    branch: str = ""
    warehouse: str = ""
    """For its purchase orders; empty is ``orders.warehouse``."""


class CostCenterMode(StrEnum):
    """How the ledger knows cost centers."""

    GL_SECTION = "gl_section"
    """As a part of the GL code (SYSPRO: ``10-5120``)."""
    ANALYSIS = "analysis"
    """As an analysis code beside the GL code."""
    NONE = "none"
    """Not at all."""


class CostCenters(_Section):
    """Cost centers, and how they enter a GL code."""

    mode: CostCenterMode = CostCenterMode.NONE
    template: str = "{cost_center}-{account}"
    """For ``gl_section``: how section and account form a GL code."""
    analysis_category: str = ""
    map: CodeMap = Field(default_factory=dict)

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.mode is not CostCenterMode.GL_SECTION:
            return self
        names = re.findall(r"\{([^{}]*)\}", self.template)
        if sorted(names) != ["account", "cost_center"] or re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", self.template)):
            msg = "template must contain {cost_center} and {account} once each and no other braces"
            raise ValueError(msg)
        return self


class TaxPolicy(StrEnum):
    """What becomes of a tax (FINANCE §2)."""

    RECOVERABLE = "recoverable"
    """Claimed back: posted to the tax account, under a tax code."""
    NON_RECOVERABLE = "non_recoverable"
    """Becomes cost: spread over the lines, posted under the zero-rate code."""
    SELF_ASSESSED = "self_assessed"
    """Owed to the state, not to the supplier: never part of the posted value."""


class Taxes(_Section):
    """Tax treatment.

    Attributes:
        policy: For all taxes of the source.
        by_source: Other policies by the source's tax name (JAGGAER: ``taxCharge1``, ``taxCharge2``).
        codes: The target's tax codes and their rates in percent.
        code: Preferred where several codes fit an amount equally well.
        zero_code: For whatever bears no tax; the target is always told a code, never left to a default.
        variance: How far the tax the target works out from the postings may be from the invoice's, in the smallest
            amounts of its currency (5 is 0.05 USD, 5 JPY).
    """

    policy: TaxPolicy = TaxPolicy.RECOVERABLE
    by_source: dict[Code, TaxPolicy] = Field(default_factory=dict)
    codes: dict[Code, Annotated[Decimal, Field(ge=0, lt=100)]] = Field(default_factory=dict)
    code: str = ""
    zero_code: str = ""
    variance: Annotated[int, Field(ge=0, le=100)] = 5

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, code in (("code", self.code), ("zero_code", self.zero_code)):
            if code and code not in self.codes:
                msg = f"{name} {code} is not among codes"
                raise ValueError(msg)
        if self.codes and not self.zero_code:
            msg = "zero_code is missing: the code for whatever bears no tax"
            raise ValueError(msg)
        if self.zero_code and self.codes[self.zero_code]:
            msg = f"zero_code {self.zero_code} has the rate {self.codes[self.zero_code]}, not 0"
            raise ValueError(msg)
        return self

    def policy_of(self, source_code: str) -> TaxPolicy:
        """Return what becomes of a tax the source calls ``source_code``."""
        return self.by_source.get(source_code, self.policy)


class ChargeRule(_Section):
    """Account of a charge: ``account`` keeps the line's cost center, ``gl_code`` is complete and taken as it is.

    Both empty, written ``spread``: the charge goes onto the accounts of the lines.
    """

    account: str = ""
    gl_code: str = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.account and self.gl_code:
            msg = "give either account or gl_code"
            raise ValueError(msg)
        return self


def _as_rule(value: object) -> object:
    if isinstance(value, str):
        if value != "spread":
            msg = "write spread, or account: with an account of the ledger, or gl_code: with a complete GL code"
            raise ValueError(msg)
        return {}
    return value


Rule = Annotated[ChargeRule, BeforeValidator(_as_rule)]


class Charges(_Section):
    """Where charges beside the goods go; not said means ``spread``."""

    freight: Rule = ChargeRule()
    handling: Rule = ChargeRule()
    miscellaneous: Rule = ChargeRule()
    discount: Rule = ChargeRule()


class Defaults(_Section):
    """Target codes for what the source leaves empty. An unknown code of the source is never replaced by a default."""

    business_unit: str = ""
    """A key of ``business_units``."""
    account: str = ""
    cost_center: str = ""
    terms: str = ""
    """Also for terms that are not mapped."""


class NewSuppliers(_Section):
    """Target codes for suppliers the ledger does not know yet, where the source leaves them empty or cannot tell."""

    branch: str = ""
    bank: str = ""
    """The bank we pay from."""
    terms: str = ""
    currency: str = ""
    supplier_class: str = Field(default="", alias="class")
    grn_match_required: bool = False


class Orders(_Section):
    """What purchase orders need beside the codes of their lines.

    Attributes:
        warehouse: Where goods are delivered to, for business units that name none.
        buyer: The target's buyer code.
        tax_status: SYSPRO TaxStatus of the order.
        tax_code: Of lines the source calls taxable; the others get ``taxes.zero_code``.
        product_class: Of lines that are not stocked, for commodities that are not mapped.
        unit: Of lines without a unit.
        non_stocked_code: Stands in place of a stock code where a line names no item.
    """

    warehouse: str = ""
    buyer: str = ""
    tax_status: Literal["N", "E"] = "N"
    tax_code: str = ""
    product_class: str = ""
    unit: str = ""
    non_stocked_code: Code = "NON-STOCKED"


class Receipts(_Section):
    """Where the cost of received goods goes when they are invoiced (FINANCE §1). Both accounts are complete GL codes.

    Attributes:
        suspense_account: Receipts accrue on it until they are invoiced (goods received, not vouchered).
        variance_account: What the invoice asks beyond the receipts' value, or below it.
        not_received: The source's commodity codes of what nobody receives in the ledger's system, such as services: it
            goes to the accounts of the order line.
    """

    suspense_account: str = ""
    variance_account: str = ""
    not_received: tuple[Code, ...] = ()


class MappingSet(_Section):
    """Everything needed to code documents of one source for one ledger."""

    business_units: dict[Code, BusinessUnit]
    currencies: CodeMap
    accounts: CodeMap
    cost_centers: CostCenters = CostCenters()
    terms: CodeMap = Field(default_factory=dict)
    taxes: Taxes = Taxes()
    charges: Charges = Charges()
    clearing_account: str = ""
    """Contra account of the journal at sites where AP is not linked to the GL (FINANCE §1)."""
    defaults: Defaults = Defaults()
    suppliers: NewSuppliers = NewSuppliers()
    units: CodeMap = Field(default_factory=dict)
    product_classes: CodeMap = Field(default_factory=dict)
    """By the source's commodity code; for order lines that are not stocked."""
    orders: Orders = Orders()
    receipts: Receipts = Receipts()

    @model_validator(mode="after")
    def _default_exists(self) -> Self:
        unit = self.defaults.business_unit
        if unit and unit not in self.business_units:
            msg = f"defaults.business_unit {unit} is not among business_units"
            raise ValueError(msg)
        return self


def sections() -> Mapping[tuple[str, ...], type[BaseModel]]:
    """Return the model behind each place of a mapping; ``*`` stands for any key. For error messages."""
    maps = ("currencies", "accounts", "terms", "units", "product_classes")
    entries: dict[tuple[str, ...], type[Any]] = {(name, "*"): Entry for name in maps}
    charges: dict[tuple[str, ...], type[Any]] = {("charges", name): ChargeRule for name in Charges.model_fields}
    return {
        (): MappingSet,
        ("business_units", "*"): BusinessUnit,
        ("cost_centers",): CostCenters,
        ("cost_centers", "map", "*"): Entry,
        ("taxes",): Taxes,
        ("charges",): Charges,
        ("defaults",): Defaults,
        ("orders",): Orders,
        ("receipts",): Receipts,
        ("suppliers",): NewSuppliers,
        **entries,
        **charges,
    }
