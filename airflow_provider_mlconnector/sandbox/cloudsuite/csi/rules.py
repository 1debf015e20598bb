"""What the site checks and fills in when a row is written; whatever the reference does not say is SIM.

Nothing is unique but the documented keys: a voucher may repeat another's InvNum, be dated in a closed period, or be for
an inactive vendor, so that a check missing on the other side shows in the books.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.sandbox.cloudsuite.csi import setup
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.rules_ap import DistributionRules, VoucherRules
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.rules_po import LineRules, OrderRules
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Table, Write

if TYPE_CHECKING:
    from airflow_provider_mlconnector.sandbox.cloudsuite.csi.books import CsiBooks

Before = Callable[[Write], str | None]
"""Returns the words of a refusal, or None."""
SERVER_ONLY = ("SLAptrxps", "SLVchHdrs", "SLVchItemAlls", "SLLedgers", "SLPoRcpts")
"""Tables only posting and receiving write."""
REFERENCES = (
    ("SLVendors", "TermsCode", "SLTerms", "TermsCode"),
    ("SLVendors", "CurrCode", "SLCurrencyCodes", "CurrCode"),
    ("SLPos", "VendNum", "SLVendors", "VendNum"),
    ("SLPos", "TermsCode", "SLTerms", "TermsCode"),
    ("SLPoItems", "PoNum", "SLPos", "PoNum"),
    ("SLPoBlns", "PoNum", "SLPos", "PoNum"),
    ("SLAptrxs", "VendNum", "SLVendors", "VendNum"),
    ("SLAptrxs", "PoNum", "SLPos", "PoNum"),
    ("SLAptrxds", "VendNum", "SLVendors", "VendNum"),
    ("SLAptrxds", "TaxCode", "SLTaxcodes", "TaxCode"),
    *((f"SLChartUnitcd{n}s", "Acct", "SLCharts", "Acct") for n in range(1, 5)),
    *((f"SLChartUnitcd{n}s", f"Unit{n}", f"SLUnitcd{n}s", f"Unit{n}") for n in range(1, 5)),
)
"""(IDO, property, IDO it names a row of, by which property)."""
_FOLLOWERS = {"SLVendors": (("SLPos", "VendNum"), ("SLAptrxs", "VendNum"), ("SLAptrxps", "VendNum"))}
"""What keeps a row from being deleted."""


def install(books: CsiBooks) -> None:
    """Hang the rules into the tables; generated rows were written before."""
    tables = books.tables
    for table in tables.values():
        table.before_write += [_days_kept(table), _keys_kept(table)]
        if books.options.oversize == "truncate":
            table.before_write.append(_truncated(table))
        table.after_write.append(books.register.note)
    for name in SERVER_ONLY:
        tables[name].before_write.append(lambda write, name=name: f"{write.action} is not allowed on IDO {name}")  # type: ignore[misc]
    for ido, prop, target, key in REFERENCES:
        tables[ido].before_write.append(_known(prop, tables[target], key))
    for ido, followers in _FOLLOWERS.items():
        tables[ido].before_write.append(_unused(ido, [(tables[name], prop) for name, prop in followers]))
    tables["SLVendors"].before_write.append(_vendor_defaults)
    vouchers, distributions = VoucherRules(books), DistributionRules(books)
    tables["SLAptrxs"].before_write.append(vouchers.before)
    tables["SLAptrxs"].after_write.append(vouchers.after)
    tables["SLAptrxds"].before_write.append(distributions.before)
    tables["SLAptrxds"].after_write.append(distributions.after)
    orders, lines = OrderRules(books), LineRules(books)
    tables["SLPos"].before_write.append(orders.before)
    tables["SLPos"].after_write.append(orders.after)
    tables["SLPoItems"].before_write.append(lines.before)
    tables["SLPoItems"].after_write.append(lines.after)


def _days_kept(table: Table) -> Before:
    """SIM: dates are whole days; a time of day sent with one is dropped."""
    names = [column.name for column in table.columns.values() if column.kind == "date"]

    def before(write: Write) -> str | None:
        moments = {name: write.changes[name] for name in names if isinstance(write.changes.get(name), datetime)}
        write.changes.update({name: moment.date() for name, moment in moments.items()})
        return None

    return before


def _keys_kept(table: Table) -> Before:
    """SIM: keys of a row that exists cannot be changed."""

    def before(write: Write) -> str | None:
        changed = [key for key in table.keys if key in write.changes and write.changes[key] != write.row.get(key)]
        if write.action == "update" and changed:
            return f"{', '.join(changed)} cannot be changed on IDO {table.ido}"
        return None

    return before


def _truncated(table: Table) -> Before:
    def before(write: Write) -> str | None:
        for name, value in write.changes.items():
            length = table.columns[name].length
            if length and isinstance(value, str):
                write.changes[name] = value[:length]
        return None

    return before


def _known(prop: str, target: Table, key: str) -> Before:
    """Refuse what names no row; a number without its leading blanks names none."""

    def before(write: Write) -> str | None:
        value = write.changes.get(prop)
        if value in (None, "") or target.matching(key, value):
            return None
        return f"{prop} {value!r} does not exist on IDO {target.ido}"

    return before


def _unused(ido: str, followers: Iterable[tuple[Table, str]]) -> Before:
    def before(write: Write) -> str | None:
        if write.action != "delete":
            return None
        used = next((table.ido for table, prop in followers if table.matching(prop, write.row.get(prop))), None)
        return f"{ido} row cannot be deleted: {used} refers to it" if used else None

    return before


def _vendor_defaults(write: Write) -> str | None:
    if write.action == "insert":
        for name, value in (("Stat", "A"), ("CurrCode", setup.LOCAL)):
            if not write.changes.get(name):
                write.changes[name] = value
    state = write.changes.get("Stat", "A")
    return None if state in ("A", "I") else f"Stat {state!r} is not valid on IDO SLVendors"
