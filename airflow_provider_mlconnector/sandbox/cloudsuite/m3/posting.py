"""From an invoice batch to the ledger: validation, and the update of the ledger (``reference/cloudsuite.md §4b``).

Validation (APS455MI) is documented to refuse what cannot be posted, and to answer 78 where an invoice cannot be matched
to its order, for want of a receipt or over a variance; the messages stay in the batch's head. Which checks it makes
besides is SIM: that the lines make up the total, that accounts and cost centers may be posted to. The update of the
ledger is a job of M3's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.cloudsuite.m3.books import (
    ACCOUNT,
    APPROVED,
    COST_CENTER,
    ENTERED,
    IN_ERROR,
    MATCHING_FAILED,
    POSTED,
    SUPPLIER_ACTIVE,
    VALIDATED,
    ZERO,
    Batch,
    Books,
    LedgerLine,
    change,
    stamped,
)
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.fields import FIELDS, Row
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin

ITEM_LINE, ORDER_CHARGE, LINE_CHARGE, ACCOUNTING_LINE = 1, 2, 5, 8
"""RDTP (§5.2)."""
LINE_TYPES = (ITEM_LINE, ORDER_CHARGE, LINE_CHARGE, ACCOUNTING_LINE)
PAYABLE, CLEARING, RECEIVED_NOT_INVOICED, INPUT_TAX, CHARGES = "21000", "21500", "22000", "23000", "55000"
"""SIM: what accounting rules would determine."""
Flaw = tuple[int, str]
"""Status it leads to, and the message."""


def add_line(batch: Batch, values: Row, origin: Origin) -> Row:
    """Add a line to a batch, whose status is that of an entered one again; return it with its number TRNO."""
    last = max((int(str(line["TRNO"])) for line in batch.lines), default=0)
    line = stamped({**values, "INBN": batch.number, "TRNO": last + 1}, origin)
    batch.lines.append(line)
    change(batch.head, {"SUPA": ENTERED, "IBHE": 0, "IBLE": 0, "MSGD": ""}, origin)
    return line


def validate(books: Books, batch: Batch, origin: Origin) -> None:
    """Check a batch; its status says how it went, its head the first message."""
    head_flaws, line_flaws = [*_head_flaws(books, batch)], [*_line_flaws(books, batch)]
    flaws = head_flaws + line_flaws
    if not flaws:
        batch.validated = origin.at
        change(batch.head, {"SUPA": VALIDATED, "IBHE": 0, "IBLE": 0, "MSGD": ""}, origin)
        return
    status = max(flaw[0] for flaw in flaws)
    words = next(text for code, text in flaws if code == status)
    values: Row = {"SUPA": status, "IBHE": int(bool(head_flaws)), "IBLE": int(bool(line_flaws))}
    change(batch.head, values | {"MSGD": words[: FIELDS["MSGD"].width]}, origin)


def post(books: Books, batch: Batch, origin: Origin) -> None:
    """Take a validated batch into the ledger.

    Raises:
        ValueError: It is not validated, or not approved where that is asked for.
    """
    if batch.status != VALIDATED or (books.options.approval and batch.head["BIST"] != APPROVED):
        message = f"batch {batch.number} has status {batch.status} and approval {batch.head['BIST']}"
        raise ValueError(message)
    books.last_voucher += 1
    batch.voucher = books.last_voucher
    for account, center, amount in _entries(batch):
        books.ledger.append(_ledger_line(batch, account, center, amount, origin.at))
    _bill_orders(books, batch, origin)
    values: Row = {"SUPA": POSTED, "VONO": batch.voucher, "YEA4": accounting_date(batch).year}
    change(batch.head, values, origin)


def run(books: Books, now: datetime) -> None:
    """Let M3's own job post what it would have posted by ``now``."""
    wait = books.options.post_after
    if wait is None:
        return
    for batch in [*books.batches.values()]:
        approved = not books.options.approval or batch.head["BIST"] == APPROVED
        due = batch.validated and batch.validated + timedelta(seconds=wait)
        if batch.status == VALIDATED and approved and due and due <= now:
            post(books, batch, Origin(due, "APS455", person=True))


def accounting_date(batch: Batch) -> date:
    """Return the day a batch is posted to: ACDT, else the invoice date (SIM)."""
    day = batch.head.get("ACDT") or batch.head["IVDT"]
    assert isinstance(day, date)  # noqa: S101 - AddHead asks for IVDT
    return day


def money(value: object) -> Decimal:
    """Return a field's amount; an absent one is zero."""
    return Decimal(str(value or 0))


def _head_flaws(books: Books, batch: Batch) -> Iterator[Flaw]:
    head = batch.head
    supplier = books.supplier(head["SUNO"])
    if supplier is None or supplier["STAT"] != SUPPLIER_ACTIVE:
        yield IN_ERROR, f"Supplier {head['SUNO']} is not active"
    if not head.get("SINO"):
        yield IN_ERROR, "Supplier invoice number must be entered"
    tax = money(head.get("VTAM"))
    total = sum((money(line.get("NLAM")) for line in batch.lines), ZERO) + tax
    if not batch.lines or total != money(head.get("CUAM")):
        yield IN_ERROR, f"Lines and VAT of {total} differ from the amount {money(head.get('CUAM'))}"
    if f"{accounting_date(batch):%Y%m%d}" <= books.options.closed_until:
        yield IN_ERROR, f"Accounting date {accounting_date(batch):%Y%m%d} is in a closed period"
    if books.options.unique_invoices and any(_same(batch, other) for other in books.batches_of(head["SPYN"])):
        yield IN_ERROR, f"Supplier invoice number {head['SINO']} already exists"


def _same(batch: Batch, other: Batch) -> bool:
    if other is batch or other.status != POSTED:
        return False
    keys = ("SUNO", "SINO")
    years = accounting_date(batch).year == accounting_date(other).year
    return years and all(batch.head.get(key) == other.head.get(key) for key in keys)


def _line_flaws(books: Books, batch: Batch) -> Iterator[Flaw]:
    billed: dict[tuple[str, int, int], Decimal] = {}
    for line in batch.lines:
        if line["RDTP"] == ACCOUNTING_LINE and line.get("AIT1"):
            yield from _coding_flaws(books, batch, line)
        elif line["RDTP"] == ITEM_LINE:
            key = _order_key(line)
            billed[key] = billed.get(key, ZERO) + money(line.get("IVQA"))
            if text := _matching_flaw(books, batch, key, billed[key]):
                yield MATCHING_FAILED, text


def _coding_flaws(books: Books, batch: Batch, line: Row) -> Iterator[Flaw]:
    day = accounting_date(batch)
    account = books.identity(ACCOUNT, line["AIT1"])
    for dimension, code in ((ACCOUNT, line["AIT1"]), (COST_CENTER, line.get("AIT2"))):
        row = books.identity(dimension, code)
        if code and (row is None or row["LCCD"]):
            yield IN_ERROR, f"Accounting identity {code} of dimension {dimension} does not exist or is blocked"
        elif row and not _valid(row, day):
            yield IN_ERROR, f"Accounting identity {code} of dimension {dimension} is not valid on {day:%Y%m%d}"
    if account and account["ACR2"] and not line.get("AIT2"):
        yield IN_ERROR, f"Account {line['AIT1']} requires dimension 2"


def _valid(identity: Row, day: date) -> bool:
    since, until = identity.get("VFDT"), identity.get("VTDT")
    return not (isinstance(since, date) and day < since) and not (isinstance(until, date) and day > until)


def _order_key(line: Row) -> tuple[str, int, int]:
    return str(line.get("PUNO") or ""), int(str(line.get("PNLI") or 0)), int(str(line.get("PNLS") or 0))


def _matching_flaw(books: Books, batch: Batch, key: tuple[str, int, int], billed: Decimal) -> str:
    number, line_number, sub = key
    found = books.lines.get(number, {}).get((line_number, sub))
    if found is None or books.orders[number]["SUNO"] != batch.head["SUNO"]:
        return f"Purchase order line {number} {line_number} of supplier {batch.head['SUNO']} does not exist"
    open_quantity = money(found["RVQA"]) - money(found["IVQA"])
    if billed > open_quantity:
        return f"Invoiced quantity {billed} of {number} {line_number}, received and not invoiced {open_quantity}"
    return ""


def _entries(batch: Batch) -> Iterator[tuple[str, str, Decimal]]:
    """Return account, cost center and amount of every ledger line: debits as they stand, accounts payable against."""
    yield PAYABLE, "", -money(batch.head.get("CUAM"))
    if tax := money(batch.head.get("VTAM")):
        yield INPUT_TAX, "", tax
    for line in batch.lines:
        by_type = {ITEM_LINE: RECEIVED_NOT_INVOICED, ACCOUNTING_LINE: str(line.get("AIT1") or CLEARING)}
        yield by_type.get(int(str(line["RDTP"])), CHARGES), str(line.get("AIT2") or ""), money(line.get("NLAM"))


def _ledger_line(batch: Batch, account: str, center: str, amount: Decimal, at: datetime) -> LedgerLine:
    head = batch.head
    return LedgerLine(
        voucher=batch.voucher,
        batch=batch.number,
        division=str(head["DIVI"]),
        day=accounting_date(batch),
        account=account,
        cost_center=center,
        amount=amount,
        currency=str(head["CUCD"]),
        supplier=str(head["SUNO"]),
        number=str(head["SINO"]),
        origin=batch.entered,
        posted_at=at,
    )


def _bill_orders(books: Books, batch: Batch, origin: Origin) -> None:
    for line in batch.lines:
        number, line_number, sub = _order_key(line)
        ordered = books.lines.get(number, {}).get((line_number, sub))
        if line["RDTP"] == ITEM_LINE and ordered is not None:
            change(ordered, {"IVQA": money(ordered["IVQA"]) + money(line.get("IVQA"))}, origin)
