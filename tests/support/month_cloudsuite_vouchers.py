"""Invoices reach JAGGAER and vouchers CSI, some both; people approve, release, correct and pay them."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from support.month_cloudsuite_buying import FOREIGN
from support.month_invoices import ACCOUNTS, CENTERS, Lines, credit, draw_amount, labeled, own
from support.month_office import Body, Office, pick

Row = Mapping[str, Any]
Books = Mapping[str, Any]
JAGGAER_SHARE = 0.55
"""Of all invoices so many reach JAGGAER first, the others CSI."""
OWN_SHARE, ORDER_SHARE, CREDIT_SHARE = 0.4, 0.04, 0.06
RECEIVED, INPUT_TAX, FREIGHT = "22000", "23000", "55000"
WAYS = ("plain", "plain", "more", "tax", "freight", "credit", "foreign", "order", "order", "held", "zeros")
ELIGIBLE = {"header.workflowStatus": "Completed", "header.paymentStatus": "Payable"}


def bill(office: Office, day: int, books: Books) -> None:
    """Approve the day's invoices in JAGGAER; some bill an order, which CSI vouchers itself."""
    rng, suppliers = office.random(f"invoices of day {day}"), office.plan.shared_suppliers
    orders = [row for row in books["jaggaer"]["purchase_orders"] if row["currency"] == "USD"]
    for _ in range(office.plan.share(round(office.plan.invoices * JAGGAER_SHARE), day)):
        dice = rng.random()
        if dice < CREDIT_SHARE and office.diary.originals:
            credit(office, rng)
        elif dice < CREDIT_SHARE + ORDER_SHARE and orders:
            _bill_order(office, rng, rng.choice(orders))
        elif dice < CREDIT_SHARE + ORDER_SHARE + OWN_SHARE:
            own(office, rng, rng.choice(suppliers), partial(_type_first, office))
        else:
            labeled(office, rng, suppliers)


def _bill_order(office: Office, rng: random.Random, order: Row) -> None:
    wanted = [line for line in order["lines"] if Decimal(str(line["quantity"])) > 0]
    if wanted:
        line = rng.choice(wanted)
        body = [{"line": line["line"], "quantity": 1.0}]
        told = office.try_to("jaggaer", "po_invoice", number=order["number"], lines=body)
        if told is not None:
            office.diary.order_of[told["invoiceId"]] = order["number"]


def _type_first(office: Office, supplier: str, number: str, lines: Lines, wrong: Decimal) -> bool:
    """Let a clerk type an invoice into CSI that JAGGAER gets as well."""
    amounts = [price for price, _, _ in lines]
    amounts[0] += wrong
    typed = [
        {"account": account, "unit": center, "amount": str(amount)}
        for amount, (_, account, center) in zip(amounts, lines, strict=True)
    ]
    told = office.try_to("cloudsuite", "voucher", vendor=supplier, invoice=number, lines=typed, **_dated(office, 1))
    return told is not None


def _dated(office: Office, days: int) -> Body:
    """Return the dates of an invoice of some days ago, entered into today's books."""
    today = office.hours.now().date()
    return {"invoice_date": (today - timedelta(days=days)).isoformat(), "dist_date": today.isoformat()}


def enter(office: Office, day: int, orders: Sequence[Row]) -> None:
    """Let clerks type the day's vouchers into CSI, and release what they had held."""
    rng, suppliers = office.random(f"vouchers of day {day}"), office.plan.shared_suppliers
    for number in office.diary.on_hold:
        office.do("cloudsuite", "voucher_change", voucher=number, stat="A", **_dated(office, 1))
    office.diary.on_hold.clear()
    due = _billable(office, orders)
    rng.shuffle(due)
    for place in range(office.plan.share(round(office.plan.invoices * (1 - JAGGAER_SHARE)), day)):
        way, invoice = rng.choice(WAYS), f"K{office.plan.seed}-{day:02d}-{place:03d}"
        if way == "order" and due:
            _bill_received(office, invoice, *due.pop())
        else:
            _enter(office, rng, way, rng.choice(suppliers), invoice)


def _enter(office: Office, rng: random.Random, way: str, vendor: str, invoice: str) -> None:
    """Enter a voucher of one kind."""
    places, header = 2, _dated(office, rng.randrange(4))
    if way == "foreign":
        vendor = rng.choice(list(FOREIGN))
        places = FOREIGN[vendor]
    lines = [_part(rng, places) for _ in range(rng.randint(2, 5) if way == "more" else 1)]
    if way == "tax":
        basis = Decimal(lines[0]["amount"])
        tax = (basis / 5).quantize(Decimal("0.01"))
        header |= {"tax": str(tax), "TaxCode1": "VAT20"}
        lines.append({"account": INPUT_TAX, "amount": str(tax), "tax_code": "VAT20", "tax_basis": str(basis)})
    elif way == "freight":
        header["freight"] = "17.20"
        lines.append({"account": FREIGHT, "unit": lines[0]["unit"], "amount": "17.20"})
    elif way == "credit":
        lines = [line | {"amount": f"-{line['amount']}"} for line in lines]
    elif way == "held":
        header["stat"] = "H"
    invoice = f"00{invoice}" if way == "zeros" else invoice
    told = office.do("cloudsuite", "voucher", vendor=vendor, invoice=invoice, lines=lines, **header)
    if way == "held":
        office.diary.on_hold.append(told["voucher"])


def _part(rng: random.Random, places: int) -> Body:
    amount = draw_amount(rng) if places else Decimal(rng.randint(2_000, 90_000))
    return {"account": rng.choice(ACCOUNTS), "unit": rng.choice(CENTERS), "amount": str(amount)}


def _billable(office: Office, orders: Sequence[Row]) -> list[tuple[Row, dict[str, Decimal]]]:
    """Return the orders of which more is received than billed so far, each with what is left by line."""
    found = []
    for order in orders:
        left = {
            str(line["PoLine"]): Decimal(line["QtyReceived"] or 0)
            - Decimal(line["QtyVoucher"] or 0)
            - office.diary.billed[order["PoNum"], str(line["PoLine"])]
            for line in order["lines"]
            if not line["PoRelease"]
        }
        left = {line: quantity for line, quantity in left.items() if quantity > 0}
        if left and order["Type"] == "R" and not order["deleted"]:
            found.append((order, left))
    return found


def _bill_received(office: Office, invoice: str, order: Row, left: Mapping[str, Decimal]) -> None:
    """Voucher what was received, at the order's prices, against what is received and not vouchered."""
    costs = {str(line["PoLine"]): Decimal(line["ItemCostConv"]) for line in order["lines"]}
    billed = [{"line": line, "qty": str(quantity), "cost": str(costs[line])} for line, quantity in left.items()]
    places = 0 if order["currency"] == "JPY" else 2
    total = sum((quantity * costs[line] for line, quantity in left.items()), Decimal(0)).quantize(
        Decimal(1).scaleb(-places)
    )
    lines = [{"account": RECEIVED, "amount": str(total)}]
    body: Body = {"vendor": order["VendNum"], "invoice": invoice, "po_num": order["PoNum"], "po_lines": billed}
    if total and office.try_to("cloudsuite", "voucher", lines=lines, **body, **_dated(office, 0)):
        for line, quantity in left.items():
            office.diary.billed[order["PoNum"], line] += quantity


def approve_imported(office: Office, day: int, imported: Sequence[Row]) -> None:
    """Approve in JAGGAER a part of what was imported from CSI."""
    rng = office.random(f"approvals of day {day}")
    waiting = [row for row in imported if row["workflow"] == "Pending"]
    for row in pick(rng, waiting, len(waiting) // 2):
        office.do("jaggaer", "invoice", id=row["invoice_id"], set=ELIGIBLE)


def pay(office: Office, day: int, books: Books) -> None:
    """Pay some of what both systems had at noon: cashiers pay what is approved."""
    rng = office.random(f"payments of day {day}")
    imported = {(row["supplier"], row["number"]) for row in books["jaggaer"]["imported_invoices"]}
    for row in pick(rng, [row for row in books["cloudsuite"]["vouchers"] if _payable(row, imported)], 3):
        half = (Decimal(row["InvAmt"]) / 2).quantize(Decimal(1) if row["currency"] == "JPY" else Decimal("0.01"))
        body: Body = {} if rng.random() < 0.7 else {"amount": str(half)}
        office.try_to("cloudsuite", "pay", voucher=row["Voucher"], **body)


def _payable(row: Row, imported: Collection[tuple[str, str]]) -> bool:
    known = row["by"] == "interface" or (row["VendNum"].strip(), row["InvNum"].strip()) in imported
    return known and row["state"] == "posted" and Decimal(row["InvAmt"]) > 1 and not Decimal(row["AmtPaid"] or 0)
