"""Vouchers wherever CSI keeps them: unposted, posted, registered (reference/cloudsuite.md §4a, §5.1).

A voucher moves from SLAptrxs to SLAptrxps and SLVchHdrs when it is posted, never back. So the unposted ones are read
first: one that moves meanwhile is seen twice rather than missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.systems.cloudsuite.csi import filters, values
from airflow_provider_mlconnector.systems.cloudsuite.csi.answers import Row
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import IdoClient, Query
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_plan import CREDIT, INVOICE
from airflow_provider_mlconnector.systems.ports import StepDraft

UNPOSTED, POSTED, REGISTER = "SLAptrxs", "SLAptrxps", "SLVchHdrs"
LINES = "SLAptrxds"
LEDGER = "SLLedgers"
HEADER: Final = ("VendNum", "Voucher", "Type", "InvNum", "InvDate", "InvAmt", "RecordDate")
"""What every one of the three shows."""
HEADER_MORE: Final = (
    *("DistDate", "DueDate", "PurchAmt", "Freight", "MiscCharges", "SalesTax", "TaxCode1", "ApAcct", "ExchRate"),
    "UpdatedBy",
)
POSTED_MORE: Final = ("Ref", "SalesTax")
CURRENCIES: Final = ("AptCurrCode", "CurrCode")
"""A version has one or the other, or none: a voucher's currency is its vendor's."""
UNITS: Final = ("AcctUnit1", "AcctUnit2", "AcctUnit3", "AcctUnit4")
LINE: Final = ("VendNum", "Voucher", "DistSeq", "Acct", *UNITS, "Amount")
LINE_MORE: Final = ("TaxCode", "TaxSystem", "TaxBasis")
_TELLING = 6
"""A number of so many digits is rare as the end of another one: it is looked for without its vendor."""


@dataclass(frozen=True, slots=True)
class Voucher:
    """One voucher of type V as CSI shows it.

    Attributes:
        vendor: ``VendNum`` as stored.
        number: ``Voucher``.
        posted: Whether it has left SLAptrxs.
        row: What was read of it.
        reference: Its ``Ref``; None where this tenant does not show it any more (once posted).
    """

    vendor: str
    number: str
    posted: bool
    row: Row
    reference: str | None

    @property
    def key(self) -> str:
        """How the voucher is known in the store, the same as in the source of CSI's own invoices."""
        return voucher_key(self.vendor, self.number)

    @property
    def amount(self) -> Decimal:
        """Its total, negative for a credit memo."""
        return amount_of(self.row, "InvAmt")

    @property
    def letter(self) -> str:
        """Invoice or credit memo, by its sign."""
        return CREDIT if self.amount < 0 else INVOICE

    @property
    def posting_status(self) -> str:
        """``BGPostingStat`` of an unposted one: H on hold, A to be posted, E in error."""
        return (self.row.get("BGPostingStat") or "").strip().upper()


def voucher_key(vendor: str, number: str) -> str:
    """Return the key of a voucher: its vendor and its number, neither padded."""
    return f"{values.unpad(vendor)}|{values.unpad(number)}"


def amount_of(row: Row, name: str) -> Decimal:
    """Read an amount; blank is zero."""
    try:
        return values.to_decimal(row.get(name)) or Decimal(0)
    except ValueError as error:
        msg = f"CSI shows {name} {row.get(name)!r} in voucher {row.get('Voucher')}, which is no amount"
        raise ProtocolError(msg) from error


class VoucherBook:
    """Reads vouchers of one configuration."""

    def __init__(self, client: IdoClient) -> None:
        self._client = client

    # --- by supplier and number ------------------------------------------------------------------------------------

    def search(self, steps: Sequence[StepDraft]) -> list[list[Voucher]]:
        """Return for each step all vouchers of its vendor, number and sign, in few requests."""
        wanted = dict.fromkeys(self._condition(step) for step in steps)
        found: dict[tuple[str, str, str], list[Voucher]] = {}
        for voucher in self._vouchers(list(wanted)):
            found.setdefault(_key_of(voucher), []).append(voucher)
        return [found.get(_key(step), []) for step in steps]

    def unposted(self, step: StepDraft) -> list[Voucher]:
        """Return those of a step's vouchers that are not posted yet."""
        rows = self._rows(UNPOSTED, [self._condition(step)])
        vouchers = [_voucher(row, posted=False) for row in rows]
        return [voucher for voucher in vouchers if _key(step) == _key_of(voucher)]

    def _condition(self, step: StepDraft) -> str:
        """Find a number in every form it may have been typed in; a short one only among its vendor's."""
        number = step.payload["number"].strip()
        plain = comparable(number)
        if plain.isascii() and plain.isdigit():
            like = f"InvNum LIKE {filters.text('%' + plain)}"
            return like if len(plain) >= _TELLING else filters.both(self._of_vendor(step.payload["vendor"]), like)
        return filters.one_of("InvNum", [filters.text(form) for form in dict.fromkeys((number, plain, number.lower()))])

    def _of_vendor(self, vendor: str) -> str:
        forms = values.key_forms(vendor, self._client.options.vendor_width)
        return filters.one_of("VendNum", [filters.text(form) for form in forms])

    # --- by voucher number -----------------------------------------------------------------------------------------

    def numbered(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Voucher]:
        """Return vouchers by ``(vendor, voucher)`` in comparable form, in few requests; missing ones are nowhere."""
        wanted = {(comparable(vendor), comparable(number)) for vendor, number in keys}
        numbers = sorted({number for _vendor, number in wanted if number.isdigit()}, key=int)
        conditions = [filters.equals("Voucher", number) for number in numbers]
        found: dict[tuple[str, str], Voucher] = {}
        for voucher in self._vouchers(conditions):
            found.setdefault((comparable(voucher.vendor), comparable(voucher.number)), voucher)
        return {key: found[key] for key in wanted if key in found}

    def booked(self, keys: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return which vouchers the ledger has lines of, where it tells that, as :meth:`numbered` names them."""
        info = self._client.info(LEDGER)
        wanted = {(comparable(vendor), comparable(number)) for vendor, number in keys}
        if not wanted or not all(info.spelled(name) for name in ("VendNum", "Voucher")):
            return set()
        numbers = sorted({number for _vendor, number in wanted if number.isdigit()}, key=int)
        rows = self._client.rows_in(Query(LEDGER, ("VendNum", "Voucher")), "Voucher", numbers)
        return {(comparable(row["VendNum"] or ""), comparable(row["Voucher"] or "")) for row in rows} & wanted

    def current(self, voucher: Voucher) -> Voucher | None:
        """Read one voucher again; None where it is nowhere any more."""
        where = filters.both(self._of_vendor(voucher.vendor), filters.equals("Voucher", voucher.number))
        return next(iter(self._vouchers([where])), None)

    def lines(self, vouchers: Sequence[Voucher]) -> dict[str, list[Row]]:
        """Return the distributions of unposted vouchers by the voucher's key, in their order."""
        numbers = list(dict.fromkeys(voucher.number for voucher in vouchers))
        found: dict[str, list[Row]] = {voucher.key: [] for voucher in vouchers}
        query = Query(LINES, LINE, LINE_MORE, order=("VendNum", "Voucher", "DistSeq"))
        for row in self._client.rows_in(query, "Voucher", numbers):
            key = voucher_key(row["VendNum"] or "", row["Voucher"] or "")
            if key in found:
                found[key].append(row)
        return found

    # --- reading ---------------------------------------------------------------------------------------------------

    def _vouchers(self, conditions: Sequence[str]) -> Iterator[Voucher]:
        """Yield each voucher once: unposted where it still is, else posted, with its reference if any place has it."""
        if not conditions:
            return
        seen: set[str] = set()
        for row in self._rows(UNPOSTED, conditions):
            voucher = _voucher(row, posted=False)
            if voucher.key not in seen:
                seen.add(voucher.key)
                yield voucher
        posted: dict[str, Voucher] = {}
        for ido in (POSTED, REGISTER):
            for row in self._rows(ido, conditions):
                voucher = _voucher(row, posted=True)
                before = posted.get(voucher.key)
                if voucher.key not in seen and (before is None or before.reference is None):
                    posted[voucher.key] = voucher
        yield from posted.values()

    def _rows(self, ido: str, conditions: Sequence[str]) -> Iterator[Row]:
        unposted = ido == UNPOSTED
        needs = (*HEADER, "Ref", "BGPostingStat") if unposted else HEADER
        likes = HEADER_MORE if unposted else POSTED_MORE
        query = Query(ido, needs, likes, variants=CURRENCIES, locks=unposted)
        also = filters.equals("Type", filters.text("V"))
        shown = self._shows(ido)
        for where in filters.any_in_chunks(conditions, room=self._client.room(query), also=also):
            for row in self._client.rows(replace(query, where=where)):
                yield {**row, "Ref": (row.get("Ref") or "").strip() if shown else None}

    def _shows(self, ido: str) -> bool:
        """Whether this place shows references at all; a blank one is an answer, a missing property is none."""
        return bool(self._client.info(ido).spelled("Ref"))

    def highest(self) -> int:
        """Return the highest voucher number anywhere, 0 where there is none."""
        top = 0
        for ido in (UNPOSTED, POSTED, REGISTER):
            page = self._client.page(Query(ido, ("Voucher",), order=("Voucher DESC",)), cap=1)
            top = max([top, *(values.to_whole(row["Voucher"]) or 0 for row in page.rows)])
        return top

    def namesakes(self, voucher: Voucher) -> list[str]:
        """Return the keys of unposted vouchers of other vendors that have the same number."""
        where = filters.equals("Voucher", voucher.number)
        rows = self._client.rows(Query(UNPOSTED, ("VendNum", "Voucher"), where=where))
        keys = (voucher_key(row["VendNum"] or "", row["Voucher"] or "") for row in rows)
        return [key for key in keys if key != voucher.key]


def _voucher(row: Row, *, posted: bool) -> Voucher:
    vendor, number = row["VendNum"], values.to_whole(row["Voucher"])
    if vendor is None or number is None:
        msg = f"CSI shows a voucher without vendor or number: {row.get('VendNum')!r}, {row.get('Voucher')!r}"
        raise ProtocolError(msg)
    return Voucher(vendor, str(number), posted, row, row["Ref"])


def _key_of(voucher: Voucher) -> tuple[str, str, str]:
    return comparable(voucher.vendor), comparable(voucher.row.get("InvNum") or ""), voucher.letter


def _key(step: StepDraft) -> tuple[str, str, str]:
    payload: Mapping[str, Any] = step.payload
    return comparable(payload["vendor"]), comparable(payload["number"]), payload["kind"]


# --- writing ---------------------------------------------------------------------------------------------------


def written_header(header: Mapping[str, str]) -> dict[str, str | None]:
    """Return a planned header as CSI writes its values."""
    days = ("InvDate", "DistDate", "DueDate")
    return {name: values.day_text(date.fromisoformat(text)) if name in days else text for name, text in header.items()}


def written_line(voucher: Voucher, line: Mapping[str, Any]) -> dict[str, str | None]:
    """Return a planned distribution of a voucher as CSI writes its values."""
    units = {name: unit for name, unit in zip(UNITS, line["units"], strict=True) if unit}
    tax = {"TaxCode": "tax_code", "TaxSystem": "tax_system", "TaxBasis": "tax_basis"}
    return {
        "VendNum": voucher.vendor,
        "Voucher": voucher.number,
        "DistSeq": str(line["seq"]),
        "Acct": line["account"],
        **units,
        "Amount": line["amount"],
        **{name: str(line[key]) for name, key in tax.items() if key in line},
    }
