"""IDOs of the general ledger: chart, unit codes, periods, ledger (reference/cloudsuite.md §4a, §5.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite.columns import Column, Row
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.shapes import (
    account,
    amounts,
    days,
    flags,
    texts,
    vend_num,
    whole,
)
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Table

PERIODS = 12
"""Periods of a fiscal year; the product has room for 13."""
Lookup = Callable[[str, str], Callable[[Row], Any]]
"""(property that holds a key, property of the row it names) → derived property."""


def _chart() -> Table:
    columns = [
        Column("Acct", 12, required=True),
        *texts(Description=40, Type=1),
        *days("EffDate", "ObsDate"),
        *texts(ReportsToAcct=12, AccessUnit1=1, AccessUnit2=1, AccessUnit3=1, AccessUnit4=1, TransMethod=1),
        *flags("UseBuyRate"),
    ]
    return Table.of("SLCharts", "chart", "cha", ["Acct"], columns)


def _periods() -> Table:
    """SIM: one row a fiscal year, with start, end and closed flag of each period; the reference has no such IDO."""
    columns = [Column("FiscalYear", kind="int", required=True), *whole("CurPer"), *flags("Closed")]
    for number in range(1, 14):
        columns += [*days(f"PerStart_{number}", f"PerEnd_{number}"), *flags(f"PerClosed_{number}")]
    return Table.of("SLPeriods", "periods", "per", ["FiscalYear"], columns)


def _ledger(of_account: Lookup) -> Table:
    """One row a ledger line; DomAmount is the debit, negative for a credit, in local currency."""
    columns = [
        *whole("TransNum"),
        *account("Acct"),
        *days("TransDate"),
        *amounts("DomAmount", "ForAmount", "ExchRate"),
        *texts(CurrCode=3, Ref=30, FromId=10),
        vend_num(),
        *texts(InvNum=22),
        *whole("Voucher", "VouchSeq", "CheckNum", "ControlYear", "ControlPeriod", "ControlNumber"),
        *texts(ControlPrefix=6),
        Column("ChaDescription", 40, derive=of_account("Acct", "Description")),
    ]
    return Table.of("SLLedgers", "ledger", "led", ["TransNum"], columns)


def gl_tables(of_account: Lookup) -> list[Table]:
    """Return the empty tables; ``of_account`` joins a property of the chart."""
    tables = [_chart(), _periods(), _ledger(of_account)]
    for number in range(1, 5):
        unit = f"Unit{number}"
        code, acct = Column(unit, 4, required=True), Column("Acct", 12, required=True)
        tables += [
            Table.of(f"SLUnitcd{number}s", f"unitcd{number}", f"un{number}", [unit], [code, *texts(Description=40)]),
            Table.of(f"SLChartUnitcd{number}s", f"chart_unitcd{number}", f"cu{number}", ["Acct", unit], [acct, code]),
        ]
    return tables
