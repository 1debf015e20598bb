"""Holding a voucher as CSI shows it against what was planned: is it this one, and is it still as we wrote it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.systems.cloudsuite.csi import values
from airflow_provider_mlconnector.systems.cloudsuite.csi.answers import Row
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_book import UNITS, Voucher, amount_of
from airflow_provider_mlconnector.systems.ports import StepDraft

_AMOUNTS: Final = ("InvAmt", "Freight", "MiscCharges", "SalesTax")
_DAYS: Final = ("InvDate", "DistDate")
"""``PurchAmt`` and ``DueDate`` are left out: CSI may work them out anew, and neither moves what is owed or booked."""
_TEXTS: Final = ("Ref", "TaxCode1", "ApAcct")


def mine(step: StepDraft, vouchers: Sequence[Voucher]) -> list[Voucher]:
    """Return those that carry the step's reference."""
    return [voucher for voucher in vouchers if step.our_reference and voucher.reference == step.our_reference]


def fingerprint_differences(step: StepDraft, voucher: Voucher) -> list[str]:
    """Say in what a voucher of the same vendor, number and sign is another document (FINANCE §5).

    Tax is compared where the header shows any: people also enter it as a distribution only.
    """
    wanted, row = step.fingerprint, voucher.row
    different = _amounts_differ(row, {"InvAmt": wanted["gross"]})
    if "tax" in wanted and amount_of(row, "SalesTax"):
        different += _amounts_differ(row, {"SalesTax": wanted["tax"]})
    different += _days_differ(row, {"InvDate": wanted["invoice_date"]})
    there = row.get("AptCurrCode") or row.get("CurrCode")
    if there and "currency" in wanted and there != wanted["currency"]:
        different.append(f"currency {there} there, {wanted['currency']} here")
    return different


def header_differences(header: Mapping[str, str], voucher: Voucher) -> list[str]:
    """Say which properties of an unposted voucher are not as we wrote them; those not shown are not compared."""
    row = voucher.row
    different = _amounts_differ(row, {name: header[name] for name in _AMOUNTS if row.get(name) is not None})
    different += _days_differ(row, {name: header[name] for name in _DAYS if row.get(name)})
    number = row.get("InvNum") or ""
    if comparable(number) != comparable(header["InvNum"]):
        different.append(f"InvNum {number} there, {header['InvNum']} here")
    for name in _TEXTS:
        there = (row.get(name) or "").strip()
        if name in header and row.get(name) is not None and there != header[name]:
            different.append(f"{name} {there or 'blank'} there, {header[name]} here")
    return different


def _amounts_differ(row: Row, wanted: Mapping[str, str]) -> list[str]:
    return [
        f"{name} {values.decimal_text(there)} there, {amount} here"
        for name, amount in wanted.items()
        if (there := amount_of(row, name)) != Decimal(amount)
    ]


def _days_differ(row: Row, wanted: Mapping[str, str]) -> list[str]:
    told = {name: values.to_day(row.get(name)) for name in wanted}
    return [
        f"{name} {there or 'blank'} there, {day} here"
        for name, day in wanted.items()
        if (there := told[name]) is None or there.isoformat() != day
    ]


# --- distributions -------------------------------------------------------------------------------------------------


def line_difference(line: Mapping[str, Any], row: Row) -> str:
    """Say how a distribution differs from the planned line of its number; empty when it does not."""
    there = (row["Acct"] or "").strip(), tuple((row.get(name) or "").strip() for name in UNITS)
    amount = amount_of(row, "Amount")
    here, seq = (line["account"], tuple(line["units"])), line["seq"]
    if (there, amount) == (here, Decimal(line["amount"])):
        return ""
    told = f"{_coded(*there)} {values.decimal_text(amount)}"
    return f"distribution {seq} is {told}, not {_coded(*here)} {line['amount']}"


def _coded(account: str, units: Sequence[str]) -> str:
    return "/".join([account, *units]).rstrip("/")


def line_differences(
    lines: Sequence[Mapping[str, Any]], rows: Sequence[Row]
) -> tuple[list[str], list[Mapping[str, Any]]]:
    """Return what stands among a voucher's distributions that was not planned, and the planned lines not there yet."""
    planned = {int(line["seq"]): line for line in lines}
    wrong: list[str] = []
    there: set[int] = set()
    for row in rows:
        number = values.to_whole(row["DistSeq"])
        line = planned.get(number) if number is not None else None
        if number is None or line is None:
            amount = values.decimal_text(amount_of(row, "Amount"))
            wrong.append(f"distribution {row['DistSeq']} {(row['Acct'] or '').strip()} {amount} is not ours")
            continue
        there.add(number)
        if difference := line_difference(line, row):
            wrong.append(difference)
    return wrong, [line for number, line in planned.items() if number not in there]


def total(rows: Sequence[Row]) -> Decimal:
    """Return the sum of distributions."""
    return sum((amount_of(row, "Amount") for row in rows), Decimal(0))
