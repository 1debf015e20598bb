"""Payments of posted vouchers: a posted transaction of type P, and the ledger (SIM but the fields)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.sandbox.cloudsuite.csi import setup
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.posting import journal, next_sequence
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.shapes import written
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin, Refused, Row

if TYPE_CHECKING:
    from airflow_provider_mlconnector.sandbox.cloudsuite.csi.books import CsiBooks

PAYMENT = "P"
_KEPT = ("VendNum", "Voucher", "InvNum", "ExchRate", "ApAcct")


def pay(books: CsiBooks, voucher: int, amount: Decimal | None, day: date, origin: Origin) -> dict[str, Any]:
    """Pay a posted voucher, all that is open by default.

    Raises:
        Refused: If no voucher with that number is posted.
    """
    table = books.tables["SLAptrxps"]
    rows = table.matching("Voucher", voucher)
    if not rows:
        msg = f"voucher {voucher} is not posted"
        raise Refused(msg)
    first = rows[0]
    owed = sum((row["InvAmt"] for row in rows if row["Type"] != PAYMENT), Decimal(0))
    paid = first.get("AmtPaid") or Decimal(0)
    amount = owed - paid if amount is None else amount
    table.update(first, {"AmtPaid": paid + amount}, origin, checked=False)
    row: Row = {name: first[name] for name in _KEPT if name in first}
    row |= {"VouchSeq": next_sequence(books, first), "Type": PAYMENT, "CheckNum": books.register.next_check()}
    row |= {"DistDate": day, "AmtPaid": amount, "Active": True}
    table.insert(row, origin, checked=False)
    _book(books, row, amount, origin)
    return {"voucher": voucher, "paid": written(paid + amount), "open": written(owed - paid - amount)}


def _book(books: CsiBooks, row: Row, amount: Decimal, origin: Origin) -> None:
    currency = (books.vendor(row["VendNum"]) or {}).get("CurrCode")
    names = ("VendNum", "Voucher", "VouchSeq", "InvNum", "CheckNum")
    common: Row = {name: row.get(name) for name in names} | {"CurrCode": currency, "FromId": "AP Dist"}
    common["ExchRate"] = row.get("ExchRate") or Decimal(1)
    lines: list[Row] = [
        {"Acct": row.get("ApAcct") or setup.AP_CONTROL, "ForAmount": amount},
        {"Acct": setup.CASH, "ForAmount": -amount},
    ]
    journal(books, lines, common, row["DistDate"], f"APP {row['Voucher']}", origin)
