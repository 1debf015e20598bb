"""Master data of the CSI site; numbers, names and codes are those JAGGAER knows, in CSI's shape. All invented.

JAGGAER's supplier ``V00042`` is VendNum ``" V00042"`` (right-justified in 7, reference/cloudsuite.md §5.1), its account
``51200`` is Acct ``51200``, its cost center ``CC10`` is unit code 1 ``CC10``, and its terms ``NET30`` are ``N30``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.master import MasterSupplier

LOCAL = "USD"
AP_CONTROL, RECEIVED, INPUT_TAX, CASH, INVENTORY, FREIGHT, VARIANCE = (
    "21000", "22000", "23000", "10100", "14000", "55000", "59000",
)  # fmt: skip
"""Accounts payable · received not vouchered · input tax · cash · inventory · freight inward · purchase variance."""
REQUIRED, ACCESSIBLE, NOT_ACCESSIBLE = "R", "A", "N"
"""AccessUnit1…4: SIM letters for the three choices of the form (required, accessible, not accessible)."""
VENDOR_WIDTH, ORDER_WIDTH = 7, 10
COUNTRIES = {"USD": "US", "EUR": "DE", "GBP": "GB", "JPY": "JP", "KWD": "KW"}
"""A vendor's country by its currency; SIM: this site writes ISO codes."""


@dataclass(frozen=True, slots=True)
class Account:
    """A row of the chart; dates as (years from the year of the start, month, day)."""

    acct: str
    description: str
    type: str = "E"
    access: str = "RNNN"
    eff: tuple[int, int, int] = (-10, 1, 1)
    obs: tuple[int, int, int] | None = None


def _accounts() -> tuple[Account, ...]:
    shared = [
        Account(
            known.jaggaer_code,
            known.description,
            type=known.type,
            access="ANNN" if known.type == "A" else "RNNN",
            obs=(-1, 1, 1) if known.on_hold else None,
        )
        for known in master.ACCOUNTS
    ]
    own = [
        Account(CASH, "Cash", "A", "NNNN"),
        Account(INVENTORY, "Inventory", "A", "NNNN"),
        Account(AP_CONTROL, "Accounts payable", "L", "NNNN"),
        Account(RECEIVED, "Received, not vouchered", "L", "NNNN"),
        Account(INPUT_TAX, "Input tax", "A", "NNNN"),
        Account("40000", "Revenue", "R", "ARNN"),
        Account(VARIANCE, "Purchase price variance", "E", "ANNN"),
        Account("52500", "Laboratory of the first hall", "E", "RNNN"),
        Account("57000", "Not in use yet", "E", "RNNN", eff=(1, 1, 1)),
        Account("57500", "Project expense, two unit codes", "E", "RRNN"),
        Account("S9000", "Headcount", "S", "ANNN"),
    ]
    return (*shared, *own)


ACCOUNTS = _accounts()
UNIT_CODES: tuple[dict[str, str], ...] = (
    {code: name for code, (_, name) in master.COST_CENTERS.items()} | {"CC50": "Shipping"},
    {"P100": "Pumps", "P200": "Valves"},
    {"REGN": "North"},
    {"PLT1": "Plant 1"},
)
"""Unit codes 1 … 4 with descriptions; the cost center is unit code 1. ``CC50`` is unknown to JAGGAER."""
CHART_UNITS: tuple[tuple[str, tuple[str, ...]], ...] = (("51300", tuple(master.COST_CENTERS)), ("52500", ("CC10",)))
"""Accounts that allow only these unit codes 1; any other account allows each of them."""
TERMS: dict[str, tuple[str, int]] = {f"N{days}": (name, days) for name, (_, days) in master.TERMS.items()}
"""Terms code → (description, days)."""
TAX_CODES: dict[str, tuple[str, Decimal]] = {
    "VAT20": ("Input tax 20 %", Decimal(20)),
    "VAT05": ("Input tax 5 %", Decimal(5)),
    "EXEMPT": ("No tax", Decimal(0)),
}
"""Tax code → (description, percent), all of tax system 1."""


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency; ``rate`` multiplies its amounts into the local currency."""

    code: str
    description: str
    places: int
    rate: Decimal


CURRENCIES: dict[str, Currency] = {
    each.code: each
    for each in (
        Currency("USD", "US dollar", 2, Decimal(1)),
        Currency("EUR", "Euro", 2, Decimal("1.08")),
        Currency("GBP", "Pound sterling", 2, Decimal("1.27")),
        Currency("JPY", "Yen", 0, Decimal("0.0067")),
        Currency("KWD", "Kuwaiti dinar", 3, Decimal("3.25")),
    )
}


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor as the site holds it at the start; ``fields`` are further properties of ``SLVendors``."""

    number: str
    name: str
    currency: str = LOCAL
    terms: str = "N30"
    tax_number: str = ""
    street: str = ""
    city: str = ""
    postal_code: str = ""
    email: str = ""
    label: str = "shared"
    fields: dict[str, str | bool] = field(default_factory=dict)


def vend_num(number: str) -> str:
    """Return a number as CSI stores it: without the zeros other systems put in front, right-justified in 7."""
    bare = number.lstrip("0") if number.isdigit() else number
    return bare.rjust(VENDOR_WIDTH)


def _shared(known: MasterSupplier) -> Vendor:
    held: dict[str, str | bool] = {"VadPayHold": True, "VadPayHoldReason": "DISP"} if known.on_hold else {}
    return Vendor(
        known.number,
        known.name,
        currency=known.currency,
        terms=f"N{known.terms}",
        tax_number=known.tax_number,
        street=known.street,
        city=known.city,
        postal_code=known.postal_code,
        email=known.email,
        fields=held,
    )


_ONLY_HERE: tuple[Vendor, ...] = (
    Vendor("V00050", "Dormant Castings", tax_number="TX0000050", label="inactive", fields={"Stat": "I"}),
    Vendor("V00051", "Disputed Freight", tax_number="TX0000051", label="hold", fields={"VadPayHold": True}),
    Vendor("V00052", "Northbridge Tooling 6 Ltd", tax_number="TX9000052", label="similar name"),
    Vendor("V00053", "Northbridge Tools 12", tax_number="TX0000012", label="shared tax number"),
    Vendor("V00054", "Heldback Supply", label="similar name"),
    Vendor("V00055", "No Tax Number Works", label="no tax number"),
    Vendor("V00056", "Elbe Pumpen", currency="EUR", tax_number="DE000000056", label="only here"),
    Vendor("310", "Plain Number Works", tax_number="TX0000310", label="only here"),
)


def vendors(more: int) -> list[Vendor]:
    """Return every vendor of the start: those JAGGAER has too, those only here, and ``more`` of both systems."""
    known = [each for each in master.SUPPLIERS if each.in_syspro]
    here = [
        Vendor(
            each.number, each.name, currency=each.currency, terms=each.terms, tax_number=each.tax_number,
            street=f"{int(''.join(filter(str.isdigit, each.number)))} Harbor Lane", city="Eastport",
            postal_code=f"{70000 + index}", email=f"billing@{each.number.lower()}.example", label=each.label,
            fields=each.fields,
        )
        for index, each in enumerate(_ONLY_HERE)
    ]  # fmt: skip
    return [*map(_shared, known), *here, *map(_shared, master.more_suppliers(more))]


def on_day(offset: tuple[int, int, int], start: date) -> date:
    """Return a day given as (years from the start's, month, day)."""
    return date(start.year + offset[0], offset[1], offset[2])
