"""Suppliers' invoices reach JAGGAER, some of them SYSPRO as well; cashiers pay."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from support.month_buying import source_number
from support.month_office import Body, Office, pick

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.jaggaer import recipes

Row = Mapping[str, Any]
BAD_SHARE, OWN_SHARE, PO_SHARE, CREDIT_SHARE = 0.05, 0.35, 0.25, 0.04
TYPED_SHARE, MISTYPED_SHARE, OVERBILLED_SHARE, UNIT_SHARE = 0.02, 0.004, 0.2, 0.05
NO_DATE = ("before_cut_over",)
OUTSIDE = frozenset({"po_lines", "credit_memo"})
"""Labels not drawn here: orders are billed for real, and credited is what was invoiced in this month."""
ACCOUNTS = [each.jaggaer_code for each in master.ACCOUNTS if not each.on_hold]
CENTERS = list(master.COST_CENTERS)
UNITS = list(master.BUSINESS_UNITS)


def wire_day(day: date) -> str:
    """Write a day as JAGGAER does."""
    return f"{day.isoformat()}T00:00:00.000Z"


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
            _credit(office, rng)
        elif dice < PO_SHARE + CREDIT_SHARE + OWN_SHARE:
            _own(office, rng, rng.choice(suppliers))
        else:
            _labeled(office, rng, suppliers)


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


def _labeled(office: Office, rng: random.Random, suppliers: Sequence[str]) -> None:
    """Approve an invoice of one of the sandbox's own kinds, dated in the last days."""
    names = recipes.BAD if rng.random() < BAD_SHARE else recipes.GOOD
    label = rng.choice([name for name in names if name not in OUTSIDE])
    told = office.do("jaggaer", "invoice", label=label)
    changes: Body = {}
    if label not in NO_DATE:
        changes |= dates(office, rng)
    if label not in recipes.LABEL_SUPPLIERS and label != "empty_supplier":
        changes["header.supplier.supplierNumber"] = rng.choice(suppliers)
    office.do("jaggaer", "invoice", id=told["invoiceId"], set=changes)


def dates(office: Office, rng: random.Random) -> Body:
    """Return the dates of an invoice of the last days, as changes of its header."""
    day = office.hours.now().date() - timedelta(days=rng.randrange(4))
    due = wire_day(day + timedelta(days=rng.choice((5, 10, 30))))
    return {"header.invoiceDate": wire_day(day), "header.accountingDate": wire_day(day), "header.dueDate": due}


def coding(account: str, center: str) -> Body:
    """Return the accounting codes of a line, with one split."""
    values = [{"internalName": "Account", "value": account}, {"internalName": "CostCenter", "value": center}]
    entry = {"context": "Line", "splittableFieldIndexList": {"splittableFieldIndex": [{
        "customFieldValueList": {"customFieldValue": values}}]}}  # fmt: skip
    return {"splittableFieldSetGroup": [{"splittableFieldIndexSet": [entry]}]}


def document(office: Office, header: Body, lines: Sequence[tuple[Decimal, str, str]]) -> Body:
    """Return an invoice in wire form whose lines are (price of one piece, account, cost center)."""
    day = office.hours.now().date() - timedelta(days=1)
    total = sum((price for price, _, _ in lines), Decimal(0))
    base: Body = {
        "invoiceType": "Invoice",
        "workflowStatus": "Completed",
        "paymentStatus": "Payable",
        "matchStatus": "Do Not Match",
        "invoiceDate": wire_day(day),
        "accountingDate": wire_day(day),
        "dueDate": wire_day(day + timedelta(days=30)),
        "terms": {"daysAfter": 30, "standardPaymentTermsCode": "NET30"},
        "total": {"currency": "USD", "value": float(total)},
    }
    shown = [
        {
            "lineNumber": number,
            "quantity": 1,
            "unitPrice": float(price),
            "item": {"description": "Supplies of the month"},
            "splittableFieldSetGroupList": coding(account, center),
        }
        for number, (price, account, center) in enumerate(lines, 1)
    ]
    return {"header": base | header, "lineList": {"invoiceLine": shown}}


def _amount(rng: random.Random) -> Decimal:
    return Decimal(rng.randint(2_000, 900_000)).scaleb(-2)


def _own(office: Office, rng: random.Random, supplier: str) -> None:
    """Approve an invoice whose every line is known here, and now and then let a clerk type it into SYSPRO first."""
    lines = [(_amount(rng), rng.choice(ACCOUNTS), rng.choice(CENTERS)) for _ in range(rng.randint(1, 3))]
    number = f"M{office.plan.seed}-{office.diary.done['jaggaer invoice']:05d}"
    header = {"supplierInvoiceNumber": number, "businessUnit": rng.choice(UNITS), "supplier": {
        "supplierNumber": supplier, "name": supplier}}  # fmt: skip
    value = sum((price for price, _, _ in lines), Decimal(0))
    dice = rng.random()
    if dice < TYPED_SHARE + MISTYPED_SHARE:
        wrong = Decimal("9.99") if dice < MISTYPED_SHARE else Decimal(0)
        typed = {"supplier": supplier, "invoice": number, "value": str(value + wrong), "reference": "typed"}
        day = (office.hours.now().date() - timedelta(days=1)).isoformat()
        if office.try_to("syspro", "ap_invoice", **typed, tax_code="Z", invoice_date=day):
            office.diary.before_us.add((supplier, number))
    told = office.do("jaggaer", "invoice", **document(office, header, lines))
    if dice >= TYPED_SHARE + MISTYPED_SHARE and rng.random() < 0.3:
        office.diary.originals.append(
            {"id": told["invoiceId"], "number": told["invoiceNumber"], "supplier": supplier, "left": value / 2,
             "unit": header["businessUnit"], "coding": lines[0][1:]}
        )  # fmt: skip


def _credit(office: Office, rng: random.Random) -> None:
    """Credit a part of an invoice; no more than half of it over the month."""
    original = rng.choice(office.diary.originals)
    amount = min(_amount(rng) / 10, original["left"]).quantize(Decimal("0.01"))
    original["left"] -= amount
    if original["left"] <= 1:
        office.diary.originals.remove(original)
    if amount <= 0:
        return
    header = {
        "invoiceType": "Credit memo",
        "originalInvoiceNumber": original["number"],
        "supplierInvoiceNumber": f"C{office.plan.seed}-{office.diary.done['jaggaer invoice']:05d}",
        "businessUnit": original["unit"],
        "supplier": {"supplierNumber": original["supplier"], "name": original["supplier"]},
    }
    office.do("jaggaer", "invoice", **document(office, header, [(amount, *original["coding"])]))


def type_by_hand(office: Office, day: int, suppliers: Sequence[str]) -> None:
    """Type invoices into SYSPRO that never reach JAGGAER: rent, taxes, the canteen."""
    rng = office.random(f"typed on day {day}")
    for place in range(rng.randint(1, 3)):
        supplier, number = rng.choice(suppliers), f"HAND-{day:02d}-{place}"
        body = {"supplier": supplier, "invoice": number, "value": str(_amount(rng)), "tax_code": "Z"}
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
