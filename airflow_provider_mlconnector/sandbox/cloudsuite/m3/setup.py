"""M3's books as they are at the start: master data both sides agree on, orders, and invoices typed in by hand."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.cloudsuite.m3 import posting, sample
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.books import (
    ACCOUNT,
    CANCELED,
    COST_CENTER,
    DIVISIONS,
    ORDERED,
    PART_RECEIVED,
    PLANNED,
    RECEIVED,
    SUPPLIER_ACTIVE,
    SUPPLIER_BLOCKED,
    Books,
    stamped,
)
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.fields import Row, Value
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin
from airflow_provider_mlconnector.sandbox.master import ACCOUNTS, COST_CENTERS, MasterSupplier

TERMS = {"N30": 30, "N60": 60, "N10": 10}
"""TEPY → days."""
CURRENCIES = ("USD", "EUR", "GBP", "JPY", "KWD")
_COUNTRIES = {"USD": "US", "EUR": "DE", "GBP": "GB", "JPY": "JP", "KWD": "KW"}
_FIRST_ORDER = 2_000_000
_GENERATOR = "M3SRVADM"
_CLERK = "CLERK"
COMPANY_ACCOUNTS = {
    posting.PAYABLE: "Accounts payable",
    posting.CLEARING: "Invoices in clearing",
    posting.RECEIVED_NOT_INVOICED: "Received, not invoiced",
    posting.INPUT_TAX: "Input tax",
    posting.CHARGES: "Freight inward",
}


def opened(*, seed: int, start: datetime, options: M3Options) -> Books:
    """Return the books of a company as it starts."""
    books = Books(options)
    start = start.replace(second=0, microsecond=0)  # a restarted sandbox dates everything alike
    for index, supplier in enumerate(sample.suppliers()):
        row = _supplier(supplier)
        books.suppliers[str(row["SUNO"])] = stamped(row, _at(start - timedelta(hours=7 * index + 1)))
    _chart(books, start)
    for order in sample.orders(seed=seed, count=options.orders, start=start):
        _put_order(books, order)
    for index in range(1, options.invoices + 1):
        _put_invoice(books, seed, index, start)
    return books


def order_number(index: int) -> str:
    """Return the PUNO of a generated order."""
    return str(_FIRST_ORDER + index)


def order_line(order: str, line: sample.OrderLine, status: str) -> Row:
    """Return a PO line without stamps; COCE is the cost center of what is not stocked."""
    return {
        "PUNO": order, "PNLI": line.number, "PNLS": 0, "ITNO": line.item or "NONSTOCK", "SITE": line.item,
        "PITD": line.description[:30], "PITT": line.description[:60], "ORQA": line.quantity, "CFQA": line.quantity,
        "RVQA": line.received, "IVQA": line.invoiced, "PUUN": line.unit, "PPUN": line.unit, "PUPR": line.price,
        "LNAM": sample.cents(line.quantity * line.price), "DWDT": line.due, "CODT": line.due, "PUST": status,
        "PUSL": status, "VTCD": 10, "TXID": 0, "COCE": "" if line.item else line.cost_center,
    }  # fmt: skip


def line_status(line: sample.OrderLine, *, planned: bool = False) -> str:
    """Return the status of a PO line."""
    if planned:
        return PLANNED
    if not line.quantity:
        return CANCELED
    if line.received:
        return RECEIVED if line.received >= line.quantity else PART_RECEIVED
    return ORDERED


def head_of(number: str, supplier: Row, currency: str, ordered: date, unit: str) -> Row:
    """Return a PO head without stamps and totals."""
    division = DIVISIONS[unit]
    return {
        "CONO": None, "DIVI": division, "PUNO": number, "SUNO": supplier["SUNO"], "PRSU": supplier["SUNO"],
        "ORTY": "L10", "PUDT": ordered, "DWDT": ordered + timedelta(days=14), "BUYE": "BUYER1", "PURC": "BUYER1",
        "FACI": f"{division[0]}01", "WHLO": f"{division[0]}10", "CUCD": currency, "TEPY": supplier["TEPY"],
        "OURR": "BUYER1", "YRE1": f"{unit} purchasing", "PROJ": "",
    }  # fmt: skip


def _at(moment: datetime, by: str = _GENERATOR, *, person: bool = False) -> Origin:
    return Origin(moment, by, person=person)


def _supplier(known: MasterSupplier) -> Row:
    number = sample.number_of(known)
    country = _COUNTRIES[known.currency]
    return {
        "SUNO": number, "SUNM": known.name, "SUTY": 0, "STAT": SUPPLIER_BLOCKED if known.on_hold else SUPPLIER_ACTIVE,
        "ALSU": known.name.upper()[:10], "CORG": "", "VRNO": known.tax_number, "PHNO": "", "TFNO": "", "CSCD": country,
        "ECAR": "OH" if country == "US" else "", "LNCD": "DE" if country == "DE" else "GB", "CUCD": known.currency,
        "TEPY": f"N{known.terms}", "PYME": "CHK", "TEDL": "EXW", "MODL": "TRK", "SUCL": "GEN", "BUYE": "BUYER1",
        "PRSU": number, "TINO": known.tax_number,
    }  # fmt: skip


def _chart(books: Books, start: datetime) -> None:
    always: dict[str, Value] = {"VFDT": date(2000, 1, 1), "VTDT": None, "LCCD": 0, "ACR2": 1}
    rows = [
        (ACCOUNT, a.jaggaer_code, a.description, always | {"LCCD": int(a.on_hold), "ACR2": int(a.type == "E")})
        for a in ACCOUNTS
    ]
    rows += [(ACCOUNT, code, words, always | {"ACR2": 0}) for code, words in COMPANY_ACCOUNTS.items()]
    last_year = date(start.year - 1, 12, 31)
    rows.append((ACCOUNT, "57000", "Closed at the end of last year", always | {"VTDT": last_year}))
    rows.append((ACCOUNT, "57500", "From next year on", always | {"VFDT": date(start.year + 1, 1, 1)}))
    rows += [(COST_CENTER, code, words, always | {"ACR2": 0}) for code, (_, words) in COST_CENTERS.items()]
    rows.append((COST_CENTER, "CC80", "Dissolved department", always | {"LCCD": 1, "ACR2": 0}))
    for index, (dimension, code, words, more) in enumerate(rows):
        row: Row = {"AITP": dimension, "AITM": code, "TX15": words[:15], "TX40": words, "AICL": ""}
        row |= {f"ACR{number}": 0 for number in range(3, 8)} | more
        books.identities[dimension, code] = stamped(row, _at(start - timedelta(days=400, minutes=-index)))


def _put_order(books: Books, order: sample.Order) -> None:
    number, supplier = order_number(order.index), books.suppliers[sample.number_of(order.supplier)]
    unit = "PLANT2" if order.index % 5 == 0 else "PLANT1"
    origin = _at(order.changed, "BUYER1", person=True)
    books.orders[number] = stamped(head_of(number, supplier, order.currency, order.ordered, unit), origin)
    books.lines[number] = {}
    books.labels[number] = order.kind
    for line in order.lines:
        status = CANCELED if order.kind == "canceled" else line_status(line, planned=order.kind == "planned")
        books.lines[number][line.number, 0] = stamped(order_line(number, line, status), origin)
    books.total(number, None)


def _put_invoice(books: Books, seed: int, index: int, start: datetime) -> None:
    """Type an invoice in: in turn left as entered, validated, posted, and posted as a credit memo."""
    rng = random.Random(f"m3 invoice {seed} {index}")  # noqa: S311 - reproducible test data
    able = [row for row in books.suppliers.values() if row["STAT"] == SUPPLIER_ACTIVE and row["CUCD"] == "USD"]
    supplier = rng.choice(able)
    sign = -1 if index % 4 == 0 else 1
    amounts = [sign * Decimal(rng.randint(1_000, 400_000)) / 100 for _ in range(rng.randint(1, 3))]
    entered = start - timedelta(seconds=rng.randrange(20 * 86_400))
    origin = _at(entered, _CLERK, person=True)
    head: Row = {
        "DIVI": books.options.division, "IBTP": "20", "SUNO": supplier["SUNO"], "SPYN": supplier["SUNO"],
        "SINO": f"HAND-{index:05d}", "IVDT": entered.date(), "ACDT": entered.date(), "CUCD": "USD",
        "CUAM": sum(amounts, Decimal(0)), "VTAM": Decimal(0), "TEPY": supplier["TEPY"], "PYME": supplier["PYME"],
    }  # fmt: skip
    batch = books.new_batch(head, origin)
    for amount in amounts:
        account = rng.choice([each.jaggaer_code for each in ACCOUNTS if not each.on_hold])
        line: Row = {"RDTP": posting.ACCOUNTING_LINE, "NLAM": amount, "AIT1": account}
        posting.add_line(batch, line | {"AIT2": rng.choice(list(COST_CENTERS))}, origin)
    if index % 4 != 1:
        posting.validate(books, batch, origin)
    if index % 4 in (3, 0):
        posting.post(books, batch, origin)
