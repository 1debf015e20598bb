"""A voucher's payload, and the canonical invoice made of it (reference/cloudsuite.md §5.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any, Final

from airflow_provider_mlconnector.documents.currency import add
from airflow_provider_mlconnector.documents.invoice import Allocation, Invoice, InvoiceKind, InvoiceLine, Tax
from airflow_provider_mlconnector.errors import Rejected
from airflow_provider_mlconnector.systems.cloudsuite.csi import values
from airflow_provider_mlconnector.systems.cloudsuite.csi.fields import Fields
from airflow_provider_mlconnector.systems.cloudsuite.csi.invoice_rows import Stage
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_book import amount_of, voucher_key
from airflow_provider_mlconnector.systems.ports import Eligibility

WAITS, CANCELED = "waits", "canceled"
"""Marks of a payload: what keeps a voucher back, and that it was taken back. Each makes another revision."""
_DAYS: Final = ("InvDate", "DueDate", "DistDate")
_TEXTS: Final = ("InvNum", "Type", "TaxCode1", "TaxCode2", "PoNum", "Txt")
_AMOUNTS: Final = ("InvAmt", "SalesTax", "SalesTax_2")
_HUNDRED: Final = Decimal(100)


def payload_of(stage: Stage, currency: str, eligibility: Eligibility, said: str, options: CsiOptions) -> dict[str, Any]:
    """Return what is kept of a voucher: the same for one that is posted as before."""
    header = stage.header
    tax = add((amount_of(header, "SalesTax"), amount_of(header, "SalesTax_2")))
    days = {name: values.to_day(header.get(name)) for name in _DAYS}
    marks: dict[str, Any] = {WAITS: said} if eligibility is Eligibility.NOT_ELIGIBLE else {}
    marks |= {CANCELED: True} if eligibility is Eligibility.CLOSED else {}
    return {
        "VendNum": values.unpad(header["VendNum"]),
        "Voucher": values.unpad(header["Voucher"]),
        "CurrCode": currency,
        **{name: values.unpad(header.get(name)) for name in _TEXTS},
        **{name: day.isoformat() if day else "" for name, day in days.items()},
        **{name: values.decimal_text(amount_of(header, name)) for name in _AMOUNTS},
        "lines": _split_tax(stage.lines, tax, _tax_accounts(options)),
        **marks,
    }


def _tax_accounts(options: CsiOptions) -> set[str]:
    codes = (options.tax_account, *options.tax_accounts.values())
    separator = options.account_separator
    return {(code.split(separator)[0] if separator else code).strip() for code in codes if code}


def _split_tax(lines: Sequence[Mapping[str, Any]], tax: Decimal, accounts: AbstractSet[str]) -> list[dict[str, Any]]:
    """Leave out the distributions that are the header's tax.

    They are marked so or, once posted, those on the tax accounts or, where these are not named, on the only account
    whose lines add up to it. Where nothing adds up to it, all of them are costs.
    """
    of_tax = _tax_lines(lines, tax, accounts)
    costs: dict[tuple[str, ...], Decimal] = {}
    for place, line in enumerate(lines):
        if place not in of_tax:
            coding = (line["account"], *line["units"])
            costs[coding] = costs.get(coding, Decimal(0)) + Decimal(line["amount"])
    return [
        {"account": account, "units": units, "amount": values.decimal_text(amount)}
        for (account, *units), amount in sorted(costs.items())
        if amount
    ]


def _tax_lines(lines: Sequence[Mapping[str, Any]], tax: Decimal, accounts: AbstractSet[str]) -> set[int]:
    if not tax:
        return set()
    marked = {place for place, line in enumerate(lines) if line["tax"]}
    named = {place for place, line in enumerate(lines) if line["account"] in accounts}
    for places in (named, marked):
        if places and add(Decimal(lines[place]["amount"]) for place in places) == tax:
            return places
    by_account: dict[str, set[int]] = {}
    for place, line in enumerate(lines):
        by_account.setdefault(line["account"], set()).add(place)
    fitting = [
        places for places in by_account.values() if add(Decimal(lines[place]["amount"]) for place in places) == tax
    ]
    return fitting[0] if len(fitting) == 1 else set()


def decode(body: Mapping[str, Any], options: CsiOptions) -> Invoice:
    """Turn a payload into the canonical invoice.

    Lines are the distributions: each has one account, with the cost center of option ``cost_center_unit`` and the other
    unit codes as segments. Freight and other charges are among them, on their own accounts.

    Raises:
        Rejected: A field is missing or cannot be read.
    """
    key = voucher_key(body.get("VendNum") or "", body.get("Voucher") or "")
    voucher = Fields(body, f"voucher {key}")
    gross = voucher.amount("InvAmt", "total")
    sign = -1 if gross < 0 else 1
    invoice_date = voucher.day("InvDate") or voucher.missing("InvDate", "invoice date")
    taxes = _taxes(voucher, body["lines"], gross, sign)
    return Invoice(
        kind=InvoiceKind.CREDIT_MEMO if gross < 0 else InvoiceKind.INVOICE,
        source_key=key,
        source_number=voucher.text("Voucher"),
        revision=key,  # the store numbers revisions by content
        number=voucher.needed("InvNum", "invoice number"),
        supplier=voucher.needed("VendNum", "vendor"),
        invoice_date=invoice_date,
        due_date=voucher.day("DueDate"),
        accounting_date=voucher.day("DistDate"),
        currency=voucher.needed("CurrCode", "currency of its vendor"),
        gross=sign * gross,
        taxes=taxes,
        lines=tuple(_line(number, line, voucher, sign, options) for number, line in enumerate(body["lines"], 1)),
        notes=voucher.text("Txt"),
    )


def _taxes(voucher: Fields, lines: Sequence[Mapping[str, Any]], gross: Decimal, sign: int) -> tuple[Tax, ...]:
    """Return the header's taxes, unless they are among the distributions already."""
    told = (("SalesTax", "TaxCode1"), ("SalesTax_2", "TaxCode2"))
    taxes = tuple(
        Tax(amount=sign * amount, code=voucher.text(code))
        for name, code in told
        if (amount := voucher.number(name) or Decimal(0))
    )
    goods = add(Decimal(line["amount"]) for line in lines)
    if goods == gross:
        return ()
    if add((goods, *(sign * tax.amount for tax in taxes))) != gross:
        msg = f"{voucher.place}: distributions add up to {goods} and taxes do not make up for it: the total is {gross}"
        raise Rejected(msg, code="total_mismatch", field="gross")
    return taxes


def _line(number: int, line: Mapping[str, Any], voucher: Fields, sign: int, options: CsiOptions) -> InvoiceLine:
    amount = sign * Decimal(line["amount"])
    place = options.cost_center_unit
    others = {f"Unit{n}": unit for n, unit in enumerate(line["units"], 1) if unit and n != place}
    allocation = Allocation(
        account=line["account"], cost_center=line["units"][place - 1], percent=_HUNDRED, segments=others
    )
    return InvoiceLine(
        number=number,
        quantity=Decimal(1),
        unit_price=amount,
        amount=amount,
        allocations=(allocation,),
        po_number=voucher.text("PoNum"),
    )
