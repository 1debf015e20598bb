"""Coded invoices, and a CSI configuration that takes them."""

from __future__ import annotations

from typing import Any

from support.fake_csi import FakeCsi
from support.syspro_samples import coded as coded_invoice

from airflow_provider_mlconnector.documents.coding import CodedInvoice
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions

CONFIGURATION = "ACME_TST_MAIN"
VENDOR = " V00042"
ACCOUNTS = ("51200", "51300", "52100")


def options(**changes: Any) -> CsiOptions:
    """Return options of the configuration; recoverable tax goes to 13400."""
    return CsiOptions(**{"configuration": CONFIGURATION, "tax_account": "13400", **changes})


def coded(number: str = "NB-7781", **changes: Any) -> CodedInvoice:
    """Return a coded invoice of vendor V00042 in USD over accounts of this configuration."""
    base: dict[str, Any] = {"supplier": "V00042", "accounts": ACCOUNTS, "currency": ("USD", "USD")}
    return coded_invoice(number, **{**base, "company": CONFIGURATION, **changes})


def csi(**settings: Any) -> FakeCsi:
    """Return a configuration with vendors, a chart, unit codes, terms and periods of 2026, nine of them closed."""
    fake = FakeCsi(**settings)
    fake.put("SLVendors", VendNum=VENDOR, Name="Northwind Bolts GmbH", CurrCode="USD", TermsCode="30", Stat="A")
    fake.put("SLVendors", VendNum=" V00043", Name="Kuwait Steel", CurrCode="KWD", TermsCode="30", Stat="A")
    for account in (*ACCOUNTS, "13400"):
        access = {"AccessUnit1": "A", "AccessUnit2": "N", "AccessUnit3": "N", "AccessUnit4": "N"}
        fake.put("SLCharts", Acct=account, Description=f"account {account}", **access)
    for unit in ("100", "200"):
        fake.put("SLUnitcd1s", Unit1=unit, Description=f"unit {unit}")
    fake.put("SLTerms", TermsCode="30", DueDays=30)
    ends = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    year: dict[str, Any] = {"FiscalYear": "2026"}
    for month, end in enumerate(ends, 1):
        year[f"PerStart_{month}"] = f"2026{month:02d}01 00:00:00.000"
        year[f"PerEnd_{month}"] = f"2026{month:02d}{end} 00:00:00.000"
        year[f"PerClosed_{month}"] = "1" if month <= 9 else "0"
    fake.put("SLPeriods", **year)
    return fake


class OpenFence:
    """Lets everything pass."""

    def check(self, *, needed_seconds: float) -> None:
        """Return."""
