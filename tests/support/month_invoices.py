"""Invoices reach JAGGAER: of every kind the sandbox knows, of known lines, and credits of what was invoiced."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from support.month_office import Body, Office

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.jaggaer import recipes

Lines = Sequence[tuple[Decimal, str, str]]
"""(price of one piece, account, cost center), in JAGGAER's codes."""
TypeFirst = Callable[[str, str, Lines, Decimal], bool]
"""Lets a clerk type an invoice into the ledger: (supplier, number, lines, by how much it is off) → taken or not."""
BAD_SHARE, TYPED_SHARE, MISTYPED_SHARE = 0.05, 0.02, 0.004
NO_DATE = ("before_cut_over",)
OUTSIDE = frozenset({"po_lines", "credit_memo"})
"""Labels not drawn here: orders are billed for real, and credited is what was invoiced in this month."""
ACCOUNTS = [each.jaggaer_code for each in master.ACCOUNTS if not each.on_hold]
CENTERS = list(master.COST_CENTERS)
UNITS = list(master.BUSINESS_UNITS)
MISTYPED = Decimal("9.99")
"""By how much a clerk's typing may be off."""


def wire_day(day: date) -> str:
    """Write a day as JAGGAER does."""
    return f"{day.isoformat()}T00:00:00.000Z"


def labeled(office: Office, rng: random.Random, suppliers: Sequence[str]) -> None:
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


def draw_amount(rng: random.Random) -> Decimal:
    return Decimal(rng.randint(2_000, 900_000)).scaleb(-2)


def own(office: Office, rng: random.Random, supplier: str, type_first: TypeFirst) -> None:
    """Approve an invoice whose every line is known here, and now and then let a clerk type it into the ledger first."""
    lines = [(draw_amount(rng), rng.choice(ACCOUNTS), rng.choice(CENTERS)) for _ in range(rng.randint(1, 3))]
    number = f"M{office.plan.seed}-{office.diary.done['jaggaer invoice']:05d}"
    header = {"supplierInvoiceNumber": number, "businessUnit": rng.choice(UNITS), "supplier": {
        "supplierNumber": supplier, "name": supplier}}  # fmt: skip
    value = sum((price for price, _, _ in lines), Decimal(0))
    dice = rng.random()
    if dice < TYPED_SHARE + MISTYPED_SHARE:
        wrong = MISTYPED if dice < MISTYPED_SHARE else Decimal(0)
        if type_first(supplier, number, lines, wrong):
            office.diary.before_us.add((supplier, number))
    told = office.do("jaggaer", "invoice", **document(office, header, lines))
    office.diary.coded[told["invoiceId"]] = lines
    if dice >= TYPED_SHARE + MISTYPED_SHARE and rng.random() < 0.3:
        office.diary.originals.append(
            {"id": told["invoiceId"], "number": told["invoiceNumber"], "supplier": supplier, "left": value / 2,
             "unit": header["businessUnit"], "coding": lines[0][1:]}
        )  # fmt: skip


def credit(office: Office, rng: random.Random) -> None:
    """Credit a part of an invoice; no more than half of it over the month."""
    original = rng.choice(office.diary.originals)
    amount = min(draw_amount(rng) / 10, original["left"]).quantize(Decimal("0.01"))
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
