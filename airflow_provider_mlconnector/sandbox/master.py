"""Master data both simulated systems agree on: suppliers, ledger accounts, cost centers, terms, taxes.

All names and numbers are invented. The JAGGAER side knows an account as ``51200`` and a cost center as ``CC10``; the
SYSPRO side joins them into one GL code ``10-5120`` (section, dash, account), which is what a mapping has to bridge.
"""

from __future__ import annotations

from dataclasses import dataclass

COMPANY = "EDU1"
COMPANY_NAME = "Edu Machine Works"
LOCAL_CURRENCY = "$"
BUSINESS_UNITS: dict[str, tuple[str, str]] = {"PLANT1": (COMPANY, "10"), "PLANT2": (COMPANY, "20")}
"""JAGGAER business unit → (SYSPRO company, AP branch). ``PLANT9`` occurs on invoices and is mapped nowhere."""


@dataclass(frozen=True, slots=True)
class MasterSupplier:
    """A supplier as both systems hold it; ``currency`` is ISO, SYSPRO shows ``$`` for the local one."""

    number: str
    name: str
    currency: str = "USD"
    branch: str = "10"
    terms: str = "30"
    on_hold: bool = False
    grn_match_required: bool = False
    in_syspro: bool = True
    tax_number: str = ""

    @property
    def _serial(self) -> int:
        return int("".join(filter(str.isdigit, self.number)))

    @property
    def street(self) -> str:
        """Street and number, the same in both systems."""
        return f"{self._serial} Foundry Road"

    @property
    def city(self) -> str:
        """City, the same in both systems."""
        return "Millbrook"

    @property
    def postal_code(self) -> str:
        """Postal code, the same in both systems and of no other supplier."""
        return f"{40000 + self._serial}"

    @property
    def email(self) -> str:
        """Address of the supplier's accounts department."""
        return f"accounts@{self.number.lower()}.example"

    @property
    def bank_account(self) -> str:
        """Account number, which is the ledger system's to keep."""
        return f"0010{self._serial:08d}"


@dataclass(frozen=True, slots=True)
class MasterAccount:
    """A GL account without its cost-center section."""

    jaggaer_code: str
    syspro_code: str
    description: str
    type: str = "E"
    on_hold: bool = False
    control: bool = False


def _suppliers() -> tuple[MasterSupplier, ...]:
    names = ("Northbridge Tooling", "Alpine Reagents", "Harbor Steel", "Quill Office", "Sable Logistics", "Tern Optics")
    plain = [
        MasterSupplier(
            f"V{n:05d}", f"{names[n % len(names)]} {n}", branch="10" if n % 3 else "20", tax_number=f"TX{n:07d}"
        )
        for n in range(1, 31)
    ]
    special = [
        MasterSupplier("V00031", "Rheintal Chemie", currency="EUR", tax_number="DE000000031"),
        MasterSupplier("V00032", "Seine Instruments", currency="EUR", tax_number="FR000000032"),
        MasterSupplier("V00033", "Thames Castings", currency="GBP", tax_number="GB000000033"),
        MasterSupplier("V00034", "Kanda Bearings", currency="JPY"),
        MasterSupplier("V00035", "Gulf Valves", currency="KWD"),
        MasterSupplier("V00042", "Heldback Supplies", on_hold=True),
        MasterSupplier("V00043", "Receipt First Metals", grn_match_required=True),
        MasterSupplier("000000000004711", "Numbered Supply Co"),
        MasterSupplier("V00099", "Not Yet In Ledger", in_syspro=False),
    ]
    return tuple(plain + special)


SUPPLIERS = _suppliers()
ACCOUNTS: tuple[MasterAccount, ...] = (
    MasterAccount("51200", "5120", "Consumables"),
    MasterAccount("51300", "5130", "Laboratory supplies"),
    MasterAccount("52100", "5210", "Maintenance and repair"),
    MasterAccount("53000", "5300", "Professional services"),
    MasterAccount("54000", "5400", "Software and subscriptions"),
    MasterAccount("55000", "5500", "Freight inward"),
    MasterAccount("15000", "1500", "Plant and equipment", type="A"),
    MasterAccount("56000", "5600", "Retired account, on hold", on_hold=True),
)
COST_CENTERS: dict[str, tuple[str, str]] = {
    "CC10": ("10", "Assembly"),
    "CC20": ("20", "Machining"),
    "CC30": ("30", "Quality"),
    "CC40": ("40", "Administration"),
}
"""JAGGAER cost center → (GL section, description). ``CC99`` occurs on invoices and is mapped nowhere."""
COMPANY_ACCOUNTS: tuple[MasterAccount, ...] = (
    MasterAccount("", "00-2100", "Accounts payable control", type="L", control=True),
    MasterAccount("", "00-2150", "AP clearing (unlinked sites)", type="L"),
    MasterAccount("", "00-2200", "Goods received not vouchered", type="L"),
    MasterAccount("", "00-2300", "Input tax", type="A"),
    MasterAccount("", "00-5900", "Purchase price variance"),
)
"""Accounts that exist once per company, under their full GL code."""
TAX_CODES: dict[str, str] = {"A": "0.20000", "B": "0.05000", "Z": "0.00000"}
"""SYSPRO tax code → rate. ``Z`` is the zero rate."""
TERMS: dict[str, tuple[str, int]] = {"NET30": ("30", 30), "NET60": ("60", 60), "NET10": ("10", 10)}
"""JAGGAER standard payment terms code → (SYSPRO terms code, days)."""
BRANCHES: dict[str, str] = {"10": "Main plant", "20": "Second plant"}
BANKS: dict[str, str] = {"1": "Main account", "2": "Foreign payments"}
"""SYSPRO bank code → description."""
PRODUCT_CLASSES: dict[str, str] = {
    "GEN": "General supplies",
    "LAB": "Laboratory",
    "MRO": "Maintenance",
    "IT": "Software and devices",
    "SRV": "Services",
    "RAW": "Raw material",
}
"""SYSPRO product class → description; a non-stocked order line needs one."""
WAREHOUSES: dict[str, str] = {"MN": "Main warehouse", "S2": "Second warehouse"}


@dataclass(frozen=True, slots=True)
class StockItem:
    """A row of SYSPRO's inventory master; ``cost`` is in the local currency, with up to 5 decimals."""

    code: str
    description: str
    uom: str
    product_class: str
    cost: str


STOCK_ITEMS: tuple[StockItem, ...] = (
    StockItem("A100", "Bearing housing", "EA", "RAW", "12.50"),
    StockItem("A200", "Shaft, ground 20 mm", "EA", "RAW", "48.75"),
    StockItem("B100", "Sheet steel 2 mm", "KG", "RAW", "1.83500"),
    StockItem("B200", "Solvent, technical", "LT", "LAB", "4.20"),
    StockItem("C100", "Packing carton", "EA", "GEN", "0.31250"),
)
"""Stock codes an order line may name; any other code is a non-stocked line, where the order allows those."""


def more_suppliers(count: int) -> tuple[MasterSupplier, ...]:
    """Return ``count`` further suppliers ``V10001 …`` for runs that need hundreds; every tenth is a EUR supplier."""
    return tuple(
        MasterSupplier(
            f"V{n}",
            f"Workshop Partner {n - 10_000}",
            currency="USD" if n % 10 else "EUR",
            branch="10" if n % 3 else "20",
            terms=("30", "60", "10")[n % 3],
            tax_number=f"TX{n:07d}",
        )
        for n in range(10_001, 10_001 + count)
    )


def gl_codes() -> dict[str, MasterAccount]:
    """Return the SYSPRO chart by GL code: each account under each cost-center section, and the company accounts."""
    chart = {
        f"{section}-{account.syspro_code}": account for section, _ in COST_CENTERS.values() for account in ACCOUNTS
    }
    return chart | {account.syspro_code: account for account in COMPANY_ACCOUNTS}
