"""Whether an account may be posted to with its unit codes (reference/cloudsuite.md §5.1 SLCharts)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from airflow_provider_mlconnector.sandbox.cloudsuite.csi import setup
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Row

if TYPE_CHECKING:
    from airflow_provider_mlconnector.sandbox.cloudsuite.csi.books import CsiBooks


def coding_flaw(books: CsiBooks, row: Row, day: date | None, prefix: str = "Acct") -> str | None:
    """Return what is wrong with ``Acct`` and ``AcctUnit1…4`` of a row on a day, or None (SIM: the words)."""
    code = row.get(prefix)
    account = books.tables["SLCharts"].get(code) if code else None
    if account is None:
        return f"Account {code} does not exist"
    if day and ((account.get("EffDate") or day) > day or (account.get("ObsDate") or date.max) <= day):
        return f"Account {code} is not in effect on {day}"
    flaws = (_unit_flaw(books, account, number, row.get(f"{prefix}Unit{number}") or "") for number in range(1, 5))
    return next((flaw for flaw in flaws if flaw), None)


def _unit_flaw(books: CsiBooks, account: Row, number: int, unit: str) -> str | None:
    """Check one unit code: access of the account, that it exists, and the account's own list where it has one."""
    access = account.get(f"AccessUnit{number}") or setup.NOT_ACCESSIBLE
    name = f"Unit code {number} {unit}".rstrip()
    if not unit:
        return f"{name} is required for account {account['Acct']}" if access == setup.REQUIRED else None
    if access == setup.NOT_ACCESSIBLE:
        return f"{name} is not accessible for account {account['Acct']}"
    if books.tables[f"SLUnitcd{number}s"].get(unit) is None:
        return f"{name} does not exist"
    allowed = books.tables[f"SLChartUnitcd{number}s"].matching("Acct", account["Acct"])
    if allowed and all(row[f"Unit{number}"] != unit for row in allowed):
        return f"{name} is not allowed for account {account['Acct']}"
    return None
