"""Invoice batches as M3 shows them, and what a look-up of one proves (§4b ``APS450MI``, §5.2; FINANCE §5).

Only the batch number is unique. So batches are listed by payee and supplier, the number of the invoice is compared, and
our reference tells ours from one that was typed in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.systems.cloudsuite import texts
from airflow_provider_mlconnector.systems.cloudsuite.m3.batch_plan import CREDIT, INVOICE
from airflow_provider_mlconnector.systems.cloudsuite.m3.mi import MiClient, Record, Row
from airflow_provider_mlconnector.systems.ports import StepDraft

PROGRAM: Final = "APS450MI"
KEY: Final = "INBN"
_ERRORS: Final = {"IBHE": "head", "IBLE": "lines"}
_SHOWN: Final = ("CUAM", "VTAM")


@dataclass(frozen=True, slots=True)
class Batch:
    """One invoice batch.

    Attributes:
        number: ``INBN``.
        row: What was read of it.
        reference: Our reference in it; None where this tenant does not show the field.
    """

    number: str
    row: Row
    reference: str | None

    @property
    def amount(self) -> Decimal:
        """Its total, negative for a credit memo."""
        return amount_of(self.row, "CUAM")

    @property
    def status(self) -> str:
        """``SUPA``."""
        return texts.unpad(self.row.get("SUPA"))

    @property
    def voucher(self) -> str:
        """Number of its voucher in the ledger, empty while it has none."""
        return str(texts.to_whole(self.row.get("VONO")) or "")

    @property
    def errors(self) -> str:
        """What validation found wrong, in words (``IBHE``, ``IBLE``); empty where nothing."""
        return " and ".join(what for name, what in _ERRORS.items() if texts.unpad(self.row.get(name)) not in {"", "0"})


def amount_of(row: Mapping[str, str], name: str) -> Decimal:
    """Read an amount; blank is zero."""
    try:
        return texts.to_decimal(row.get(name)) or Decimal(0)
    except ValueError as error:
        msg = f"M3 shows {name} {row.get(name)!r} in a supplier invoice, which is no amount"
        raise ProtocolError(msg) from error


class BatchBook:
    """Reads invoice batches of one company."""

    def __init__(self, mi: MiClient) -> None:
        self._mi = mi

    def search(self, steps: Sequence[StepDraft]) -> list[list[Batch]]:
        """Return for each step all batches of its supplier, number and sign, in few calls.

        Raises:
            ProtocolError: The batches of a supplier cannot be listed to their end.
        """
        parties = list(dict.fromkeys((step.payload["payee"], step.payload["supplier"]) for step in steps))
        asked = [{"SPYN": payee, "SUNO": supplier} for payee, supplier in parties]
        listed = self._mi.lists(PROGRAM, "LstInvBatchNo", asked, identity=_number, onward=_from_batch)
        for (payee, supplier), listing in zip(parties, listed, strict=True):
            if not listing.whole:
                msg = (
                    f"{self._mi.where}: {PROGRAM} LstInvBatchNo does not go on behind {len(listing.rows)} batches of "
                    f"supplier {supplier}, payee {payee}"
                )
                raise ProtocolError(msg)
        of_party = dict(zip(parties, (listing.rows for listing in listed), strict=True))
        wanted = {comparable(step.payload["number"]) for step in steps}
        named = {_number(row): row for rows in of_party.values() for row in rows if _invoice_number(row) in wanted}
        there = self.numbered(list(named))
        found = [there[number] for number in named if number in there]
        return [[batch for batch in found if _is_for(step, batch)] for step in steps]

    def numbered(self, numbers: Sequence[str]) -> dict[str, Batch]:
        """Return batches by number; those M3 does not know are left out."""
        results = self._mi.read_all(PROGRAM, [("GetHead", {KEY: number}) for number in numbers])
        rows = [self._mi.first(f"{PROGRAM} GetHead", result) for result in results]
        return {
            number: self._batch({**row, KEY: number})
            for number, row in zip(numbers, rows, strict=True)
            if row is not None
        }

    def lines(self, batch: Batch) -> tuple[list[Row], bool]:
        """Return the lines of a batch, and whether these are surely all of them."""
        asked = [{KEY: batch.number}]
        (listing,) = self._mi.lists(PROGRAM, "LstLines", asked, identity=_line_number, onward=_from_line)
        return listing.rows, listing.whole

    def _batch(self, row: Row) -> Batch:
        field = self._mi.options.reference_field
        return Batch(_number(row), row, row[field].strip() if field in row else None)


def _number(row: Row) -> str:
    number = texts.to_whole(row.get(KEY))
    if number is None:
        msg = f"M3 shows a supplier invoice with the batch number {row.get(KEY)!r}"
        raise ProtocolError(msg)
    return str(number)


def _line_number(row: Row) -> object:
    return texts.to_whole(row.get("TRNO"))


def _from_batch(row: Row) -> Record:
    return {KEY: _number(row)}


def _from_line(row: Row) -> Record:
    return {"TRNO": texts.unpad(row.get("TRNO"))}


def _invoice_number(row: Row) -> str:
    return comparable(row.get("SINO", ""))


def _is_for(step: StepDraft, batch: Batch) -> bool:
    payload: Mapping[str, Any] = step.payload
    letter = CREDIT if batch.amount < 0 else INVOICE
    here = comparable(payload["supplier"]), comparable(payload["number"]), payload["kind"]
    return here == (comparable(batch.row.get("SUNO", "")), _invoice_number(batch.row), letter)


# --- comparing -------------------------------------------------------------------------------------------------


def mine(step: StepDraft, batches: Sequence[Batch]) -> list[Batch]:
    """Return those that carry the step's reference."""
    return [batch for batch in batches if step.our_reference and batch.reference == step.our_reference]


def head_differences(step: StepDraft, batch: Batch) -> list[str]:
    """Say in what a batch of the same supplier, number and sign is another document; what is not shown is not."""
    wanted, row = step.fingerprint, batch.row
    amounts = {"CUAM": wanted["gross"], **({"VTAM": wanted["tax"]} if "tax" in wanted else {})}
    different = [
        f"{name} {texts.decimal_text(there)} there, {amount} here"
        for name, amount in amounts.items()
        if row.get(name) and (there := amount_of(row, name)) != Decimal(amount)
    ]
    day = texts.to_day(row.get("IVDT"))
    if day is None or day.isoformat() != wanted["invoice_date"]:
        different.append(f"invoice date {day or 'blank'} there, {wanted['invoice_date']} here")
    currency = texts.unpad(row.get("CUCD"))
    if currency and "currency" in wanted and currency != wanted["currency"]:
        different.append(f"currency {currency} there, {wanted['currency']} here")
    return different


def line_differences(
    planned: Sequence[Mapping[str, str]], rows: Sequence[Row], dimensions: Sequence[str]
) -> tuple[list[str], list[Mapping[str, str]]]:
    """Return what stands among a batch's lines that was not planned, and the planned lines not there yet.

    Lines are numbered by M3, so they are told apart by what they say; two alike are counted.
    """
    there = Counter(_said(row, dimensions) for row in rows)
    missing: list[Mapping[str, str]] = []
    for line in planned:
        said = _said(line, dimensions)
        if there[said]:
            there[said] -= 1
        else:
            missing.append(line)
    wrong = [" ".join(part for part in said if part) for said, count in there.items() for _ in range(count)]
    return wrong, missing


def _said(line: Mapping[str, str], dimensions: Sequence[str]) -> tuple[str, ...]:
    kind = str(texts.to_whole(line.get("RDTP")) or "")
    return kind, *(texts.unpad(line.get(name)) for name in dimensions), texts.decimal_text(amount_of(line, "NLAM"))
