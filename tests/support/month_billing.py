"""Suppliers' invoices reach JAGGAER, some of them SYSPRO as well; cashiers pay."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from support.month_buying import source_number
from support.month_invoices import Lines, credit, draw_amount, labeled, own
from support.month_office import Body, Office, pick

Row = Mapping[str, Any]
OWN_SHARE, PO_SHARE, CREDIT_SHARE, OVERBILLED_SHARE, UNIT_SHARE = 0.35, 0.25, 0.04, 0.2, 0.05


def bill(office: Office, day: int, suppliers: Sequence[str], orders: Sequence[Row]) -> None:
    """Approve the day's invoices in JAGGAER.

    Args:
        office: The office.
        day: The day.
        suppliers: Numbers of USD suppliers both systems know.
        orders: SYSPRO's purchase orders, from its ledger.
    """
    rng = office.random(f"invoices of day {day}")
    due = billable(office, orders)
    rng.shuffle(due)
    for _ in range(office.plan.share(office.plan.invoices, day)):
        dice = rng.random()
        if dice < PO_SHARE and due:
            _bill_order(office, rng, *due.pop())
        elif dice < PO_SHARE + CREDIT_SHARE and office.diary.originals:
            credit(office, rng)
        elif dice < PO_SHARE + CREDIT_SHARE + OWN_SHARE:
            own(office, rng, rng.choice(suppliers), partial(_type_first, office))
        else:
            labeled(office, rng, suppliers)


def billable(office: Office, orders: Sequence[Row]) -> list[tuple[Row, dict[str, Decimal]]]:
    """Return SYSPRO's orders of which more is received than billed so far, each with what is left by line."""
    found = [(row, _left(office, row)) for row in orders if "/" in row["customer_po"]]
    return [(row, left) for row, left in found if left]


def _left(office: Office, row: Row) -> dict[str, Decimal]:
    number = source_number(row)
    left = {
        str(line["line"]): Decimal(line["received"]) - office.diary.billed[number, str(line["line"])]
        for line in row["lines"]
        if not line["removed"]
    }
    return {line: quantity for line, quantity in left.items() if quantity > 0}


def _bill_order(office: Office, rng: random.Random, order: Row, left: Mapping[str, Decimal]) -> None:
    """Bill what was received: all, a part, now and then more than that, or at another price."""
    way = rng.choice(("all", "all", "all", "part", "price", "more"))
    number, lines = source_number(order), []
    prices = {str(line["line"]): Decimal(line["price"]) for line in order["lines"]}
    for line, received in left.items():
        whole = received == received.to_integral_value()
        quantity = (received / 2).quantize(Decimal(1)) if way == "part" and whole and received > 1 else received
        if way == "more" and rng.random() < OVERBILLED_SHARE:
            quantity += 2
        body: Body = {"line": line, "quantity": float(quantity)}
        if way == "price" and order["currency"] != "JPY":
            body["price"] = float((prices[line] * Decimal("1.02")).quantize(Decimal("0.01")))
        lines.append(body)
    told = office.try_to("jaggaer", "po_invoice", number=number, lines=lines)
    if told is not None:
        office.diary.order_of[told["invoiceId"]] = number
        office.diary.lines_of[told["invoiceId"]] = list(left)
        for body in lines:
            office.diary.billed[number, body["line"]] += Decimal(str(body["quantity"]))
        units = {str(line["line"]): line["uom"] for line in order["lines"]}
        path = "lineList.invoiceLine.{}.item.unitOfMeasure.dimension"
        changes = {path.format(place): units[body["line"]] for place, body in enumerate(lines)}
        # the sandbox's supplier bills pieces; somebody in JAGGAER puts that right, but now and then forgets
        if rng.random() > UNIT_SHARE:
            office.do("jaggaer", "invoice", id=told["invoiceId"], set=changes)


def _type_first(office: Office, supplier: str, number: str, lines: Lines, wrong: Decimal) -> bool:
    """Let a clerk type an invoice into SYSPRO that JAGGAER gets as well."""
    value = sum((price for price, _, _ in lines), wrong)
    day = (office.hours.now().date() - timedelta(days=1)).isoformat()
    typed = {"supplier": supplier, "invoice": number, "value": str(value), "reference": "typed"}
    return office.try_to("syspro", "ap_invoice", **typed, tax_code="Z", invoice_date=day) is not None


def type_by_hand(office: Office, day: int, suppliers: Sequence[str]) -> None:
    """Type invoices into SYSPRO that never reach JAGGAER: rent, taxes, the canteen."""
    rng = office.random(f"typed on day {day}")
    for place in range(rng.randint(1, 3)):
        supplier, number = rng.choice(suppliers), f"HAND-{day:02d}-{place}"
        body = {"supplier": supplier, "invoice": number, "value": str(draw_amount(rng)), "tax_code": "Z"}
        if office.try_to("syspro", "ap_invoice", **body, reference="by hand"):
            office.diary.by_hand.add((supplier, number))


def pay(office: Office, day: int, invoices: Sequence[Row]) -> None:
    """Pay what is due once a week, single invoices in between, and take a payment back now and then."""
    rng = office.random(f"payments of day {day}")
    if day % 5 == 4:
        office.do("syspro", "payment_run", due_until=office.hours.now().date().isoformat(), reference=f"R{day:02d}")
    open_ones = [row for row in invoices if Decimal(row["balance"]) > 1 and not row["purged"]]
    for row in pick(rng, open_ones, 2):
        body = {"supplier": row["supplier"], "invoice": row["invoice"], "reference": f"P{day:02d}"}
        if rng.random() < 0.5:
            body["value"] = str((Decimal(row["balance"]) / 2).quantize(Decimal("0.01")))
        office.try_to("syspro", "pay_invoice", **body)
    if day % 7 == 6:
        paid = [row for row in invoices if Decimal(row["balance"]) == 0 and not row["purged"]]
        for row in pick(rng, paid, 1):
            office.try_to("syspro", "payment_reverse", supplier=row["supplier"], invoice=row["invoice"])
