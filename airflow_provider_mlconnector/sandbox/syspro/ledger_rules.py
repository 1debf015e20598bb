"""The accounts and currencies the site's set-up names, and the double entries its postings make."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.syspro.records import ApPosting, Currency, GlAccount, GlEntry

AP_CONTROL = "00-2100"
INPUT_TAX = "00-2300"
GRN_SUSPENSE = "00-2200"
BANK = "00-1100"
STOCK = "00-1300"
OWN_ACCOUNTS = (
    GlAccount(BANK, "Bank", "A", on_hold=False, control=True),
    GlAccount(STOCK, "Stock on hand", "A", on_hold=False, control=True),
)
"""Accounts only the ledger system knows."""
CURRENCIES = (
    Currency(master.LOCAL_CURRENCY, "US dollar", Decimal(1)),
    Currency("EUR", "Euro", Decimal("1.080000")),
    Currency("GBP", "Pound sterling", Decimal("1.270000")),
    Currency("JPY", "Japanese yen", Decimal("150.000000"), "D"),
    Currency("KWD", "Kuwaiti dinar", Decimal("3.250000")),
)
"""The site's currency table. Rates are invented."""


def sign(posting_type: str) -> int:
    """Return +1 when a positive value of this type adds to what is owed, -1 when it reduces it (C and P; SIM for C)."""
    return -1 if posting_type in "CP" else 1


def gl_entries(posting: ApPosting) -> list[GlEntry]:
    """Return the balanced entries of an AP posting in company currency: lines, input tax, AP control."""
    direction = sign(posting.type)
    entries = [GlEntry(line.gl_code, direction * line.local, posting.invoice, line.notation) for line in posting.lines]
    if posting.tax_local:
        entries.append(GlEntry(INPUT_TAX, direction * posting.tax_local, posting.invoice, posting.tax_code))
    control = sum(entry.amount for entry in entries)
    entries.append(GlEntry(AP_CONTROL, -control, posting.invoice, posting.supplier))
    return entries


def summarized(entries: tuple[GlEntry, ...]) -> tuple[GlEntry, ...]:
    """Return one entry per account, as a site integrating in summary books."""
    totals: defaultdict[str, int] = defaultdict(int)
    for entry in entries:
        totals[entry.gl_code] += entry.amount
    return tuple(GlEntry(code, amount, "", "") for code, amount in totals.items() if amount)
