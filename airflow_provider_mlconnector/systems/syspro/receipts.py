"""Receipts SYSPRO has accrued and nobody has invoiced: GrnDetails (reference/syspro.md §2.1, §4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from airflow_provider_mlconnector.documents.currency import add
from airflow_provider_mlconnector.errors import ConfigurationError, ProtocolError
from airflow_provider_mlconnector.systems.syspro.apstin import ApInvoiceItem, ReceiptMatch
from airflow_provider_mlconnector.systems.syspro.client import SysproClient
from airflow_provider_mlconnector.systems.syspro.comfnd import Condition, Query, both, in_chunks, read
from airflow_provider_mlconnector.systems.syspro.keys import CENT, normal, number
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions

MATCHED = "Y"
PAGE_ROWS = 1000
_COLUMNS = (
    "Supplier",
    "Grn",
    "GrnSource",
    "Journal",
    "JournalEntry",
    "OrigReceiptDate",
    "PurchaseOrder",
    "PurchaseOrderLin",
    "QtyReceived",
    "CurGrnValue",
    "MatchedValue",
    "CurrencyValue",
    "GrnMatchedFlag",
)
_SIX = Decimal("0.000001")
"""Quantities have six decimals (reference/syspro.md §4)."""

_ROUNDING = 2 * CENT
"""How far the value of what was matched may be from its part of the receipt: half a cent per invoice that took one."""
_ZERO = Decimal(0)
_OPEN = Condition("GrnMatchedFlag", "NE", MATCHED)
_KEY = {"supplier": "Supplier", "grn": "Grn", "flag": "GrnSource", "journal": "Journal", "entry": "JournalEntry"}

Row = Mapping[str, str]


class Receipt(BaseModel):
    """What is left to invoice of one receipt of one order line.

    Attributes:
        supplier: The whole key as stored, likewise ``grn``, ``flag`` (GrnSource), ``journal``, ``entry``.
        quantity: Left to invoice.
        value: Of that, in company currency.
        foreign: Of that, in the supplier's currency.
        blur: How far ``quantity`` may be from the truth, by value, where it had to be worked out from the values.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    supplier: str
    grn: str
    flag: str
    journal: str
    entry: str
    quantity: Decimal
    value: Decimal
    foreign: Decimal
    blur: Decimal = Decimal(0)

    def is_nothing(self, quantity: Decimal, blur: Decimal) -> bool:
        """Tell whether a quantity is none, or so little that it may stem from what is not known to the cent."""
        return quantity <= 0 or (blur > 0 and self.value * quantity / self.quantity <= blur)

    def worth(self, *, foreign: bool) -> Decimal:
        """Return what is left in the supplier's currency."""
        return self.foreign if foreign else self.value


def key_of(receipt: Receipt | ReceiptMatch) -> str:
    """Return the key of a receipt in the form in which keys are compared."""
    parts = (receipt.supplier, receipt.grn, receipt.flag, receipt.journal, receipt.entry)
    return "|".join(map(normal, parts))


def query(options: SysproOptions) -> Query:
    """Ask for receipts, by the columns this site has."""
    further = (options.receipt_invoiced_column,) if options.receipt_invoiced_column else ()
    return Query("GrnDetails", (*_COLUMNS, *further))


def read_receipts(client: SysproClient, options: SysproOptions) -> dict[str, list[dict[str, Any]]]:
    """Read every receipt that is not fully invoiced.

    Returns:
        ``{order line: [receipt, …]}``, JSON-able, by :func:`order_line`, oldest receipt first.

    Raises:
        ConfigurationError: The columns are other ones at this site.
        ProtocolError: A receipt cannot be read.
    """
    rows = sorted((row for page in _pages(client, options) for row in page), key=_age)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["GrnMatchedFlag"] != MATCHED and row["PurchaseOrder"]:
            place = order_line(row["PurchaseOrder"], row["PurchaseOrderLin"])
            found.setdefault(place, []).append(_receipt(row, options).model_dump(mode="json"))
    return found


def order_line(order: str, line: str) -> str:
    """Return the key of an order line in compared form."""
    return f"{normal(order)}|{normal(line)}"


def taken_meanwhile(
    client: SysproClient, options: SysproOptions, items: Sequence[ApInvoiceItem], *, foreign: bool
) -> dict[int, ReceiptMatch]:
    """Return, by its place among the items, which receipt of an item no longer has what the item takes.

    Plans are made from what one run read at its start. Whether SYSPRO itself refuses to match more than is left is not
    documented, so nothing is sent on that assumption.
    """
    wanted = {(match.supplier, match.grn) for item in items for match in item.receipts}
    if not wanted:
        return {}
    keys = [both(Condition("Supplier", "EQ", whose), Condition("Grn", "EQ", grn)) for whose, grn in sorted(wanted)]
    rows = [row for chunk in in_chunks(client, query(options), keys) for row in chunk]
    receipts = [_receipt(row, options) for row in rows if row["GrnMatchedFlag"] != MATCHED]
    left = {key_of(receipt): receipt for receipt in receipts}
    gone: dict[int, ReceiptMatch] = {}
    for place, item in enumerate(items):
        for match in item.receipts:
            receipt = left.get(key_of(match))
            together = [other for other in item.receipts if key_of(other) == key_of(match)]
            if receipt is None or not _still_covers(receipt, together, foreign=foreign):
                gone.setdefault(place, match)
    return gone


def _still_covers(receipt: Receipt, matches: Sequence[ReceiptMatch], *, foreign: bool) -> bool:
    """Whether a receipt has what one invoice takes of it.

    Who takes the last of it must take all of its value: parts planned side by side from the same state need not add up
    to it by some cents.
    """
    taken = add(match.quantity for match in matches)
    left = receipt.quantity - taken
    if not receipt.is_nothing(left, receipt.blur) and not any(match.whole for match in matches):
        return True
    exact = receipt.is_nothing(abs(left), receipt.blur)
    return exact and receipt.worth(foreign=foreign) == add(match.value for match in matches)


def _receipt(row: Row, options: SysproOptions) -> Receipt:
    received, value, matched = (_number(row, column) for column in ("QtyReceived", "CurGrnValue", "MatchedValue"))
    left, blur = value - matched, _ZERO
    if options.receipt_invoiced_column:
        quantity = received - _number(row, options.receipt_invoiced_column)
    elif matched and value:
        quantity, blur = (received * left / value).quantize(_SIX), _ROUNDING
    else:
        quantity = received
    total = _number(row, "CurrencyValue")
    foreign = (total * left / value).quantize(CENT) if value else total
    key = {name: row[column] for name, column in _KEY.items()}
    return Receipt(**key, quantity=quantity, value=left, foreign=foreign, blur=blur)


def _number(row: Row, column: str) -> Decimal:
    """Read a number; what is blank is none, what is there must be readable: money is matched by it."""
    if not row[column]:
        return _ZERO
    value = number(row[column])
    if value is None:
        msg = f"SYSPRO shows {column} {row[column]!r} on receipt {row['Grn']}"
        raise ProtocolError(msg)
    return value


def _age(row: Row) -> tuple[str, Decimal, Decimal]:
    return row["OrigReceiptDate"], _number(row, "Journal"), _number(row, "JournalEntry")


def _pages(client: SysproClient, options: SysproOptions) -> Iterator[list[dict[str, str]]]:
    """Read the open receipts supplier by supplier: a page may end in the middle of one, who is then read anew."""
    asked, last = query(options), ""
    while True:
        beyond = (Condition("Supplier", "GT", last),) if last else ()
        rows = _read(client, replace(asked, where=both(_OPEN, *beyond), order_by="Supplier", rows=PAGE_ROWS))
        if len(rows) < PAGE_ROWS:
            yield rows
            return
        cut = rows[-1]["Supplier"]
        whole = [row for row in rows if row["Supplier"] != cut]
        if not whole:
            whole, last = _read(client, replace(asked, where=both(_OPEN, Condition("Supplier", "EQ", cut)))), cut
        else:
            last = whole[-1]["Supplier"]
        yield whole


def _read(client: SysproClient, asked: Query) -> list[dict[str, str]]:
    try:
        return read(client, asked)
    except ProtocolError as error:
        msg = f"SYSPRO does not show {asked.table} {', '.join(asked.columns)}: {error.message}"
        raise ConfigurationError(msg, field="po lines, receipt invoiced column") from error
