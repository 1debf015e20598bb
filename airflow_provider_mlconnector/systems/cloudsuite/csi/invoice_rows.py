"""Vouchers of CSI as documents, read whole from wherever they are, in a form that posting does not change (§4a, §5.1).

Unposted, a voucher is a header (SLAptrxs) and distributions (SLAptrxds). Posted, the header stands in SLAptrxps and
SLVchHdrs, and the distributions are lines of the ledger. Only what both stages tell is told of either, distributions
are joined by their coding, and what differs by stage alone is left out: a voucher that is posted is no new document.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from airflow_provider_mlconnector.documents.currency import add
from airflow_provider_mlconnector.systems.cloudsuite.csi import filters, values
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import IdoClient, Query, Row
from airflow_provider_mlconnector.systems.cloudsuite.csi.listing import CHANGED, ROW
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_book import (
    LEDGER,
    LINES,
    POSTED,
    REGISTER,
    UNITS,
    UNPOSTED,
    amount_of,
    voucher_key,
)
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_find import HELD, IN_ERROR
from airflow_provider_mlconnector.systems.ports import Eligibility

KEYS: Final = ("VendNum", "Voucher")
_HEADER: Final = (*KEYS, "Type", "InvNum", "InvDate", "InvAmt", CHANGED, ROW)
_TOLD: Final = ("DueDate", "DistDate", "SalesTax", "SalesTax_2", "TaxCode1", "TaxCode2", "PoNum", "Txt")
"""Told where both stages have it."""
_STATUS: Final = ("InWorkflow", "Cancellation")
_LEDGER_NEEDS: Final = ("Acct", "DomAmount")
_LEDGER_LIKES: Final = (*UNITS, "ForAmount", "VouchSeq", "CheckNum", *KEYS, CHANGED)
"""Names from public clients; the reference knows the IDO alone."""
_ADJUSTMENT: Final = "A"


@dataclass
class Stage:
    """What was read of one voucher.

    Attributes:
        header: Its header; of a posted one, all that the two places of posted ones tell together.
        posted: Whether it has left SLAptrxs.
        lines: Its distributions, joined by account, unit codes and whether they are marked as tax.
        stamps: When each row of it was last changed (aware, UTC).
    """

    header: dict[str, Any]
    posted: bool
    lines: list[dict[str, Any]] = field(default_factory=list)
    stamps: list[datetime] = field(default_factory=list)


class InvoiceReader:
    """Reads vouchers of one configuration, whole.

    Args:
        client: Speaks to the configuration.
        zone: Of the site.
    """

    def __init__(self, client: IdoClient, zone: ZoneInfo) -> None:
        self._client = client
        self._zone = zone
        self._currencies: dict[str, str] = {}

    def has_ledger(self) -> bool:
        """Tell whether this version's ledger tells of which voucher a line is."""
        info = self._client.info(LEDGER)
        return all(info.spelled(name) for name in KEYS)

    def read(self, keys: Sequence[tuple[str, str]]) -> dict[str, Stage]:
        """Return vouchers by key; those that are nowhere any more are missing.

        Args:
            keys: ``VendNum`` and ``Voucher`` as CSI shows them.
        """
        wanted = {voucher_key(*key) for key in keys}
        numbers = list(dict.fromkeys(number for _vendor, number in keys))
        found = self._headers(UNPOSTED, numbers, wanted, posted=False)
        posted = self._headers(POSTED, numbers, wanted, posted=True)
        for key, stage in self._headers(REGISTER, numbers, wanted, posted=True).items():
            first = posted.setdefault(key, stage)
            if first is not stage:
                first.header = {**stage.header, **{name: value for name, value in first.header.items() if value}}
                first.stamps += stage.stamps
        # an adjustment of a posted voucher waits under that one's number
        found |= {key: stage for key, stage in posted.items() if key not in found or not _is_voucher(found[key].header)}
        unposted = {values.unpad(stage.header["Voucher"]) for stage in found.values() if not stage.posted}
        if unposted:
            self._distributions(found, sorted(unposted))
        self._ledger_lines({key: stage for key, stage in found.items() if stage.posted})
        return found

    def currency(self, vendor: str) -> str:
        """Return a vendor's currency, which is that of its vouchers; asked once per pass."""
        return self._currencies.get(vendor, "")

    def learn_currencies(self, vendors: Iterable[str]) -> None:
        """Read the currencies of vendors not met before, in few requests."""
        unknown = [vendor for vendor in dict.fromkeys(vendors) if vendor not in self._currencies]
        query = Query("SLVendors", ("VendNum", "CurrCode"))
        for row in self._client.rows_in(query, "VendNum", [filters.text(vendor) for vendor in unknown]):
            self._currencies[row["VendNum"] or ""] = values.unpad(row["CurrCode"])

    # --- headers ---------------------------------------------------------------------------------------------------

    def _headers(self, ido: str, numbers: Sequence[str], wanted: set[str], *, posted: bool) -> dict[str, Stage]:
        more = ("ApAcct", "VouchSeq", "AmtPaid") if posted else ("BGPostingStat",)
        query = Query(ido, _HEADER, (*self._told(), *_STATUS, *more), order=("Voucher",))
        found: dict[str, Stage] = {}
        for row in self._client.rows_in(query, "Voucher", list(numbers)):
            key = voucher_key(row["VendNum"] or "", row["Voucher"] or "")
            if key not in wanted:
                continue
            stage = Stage(dict(row), posted, stamps=self._stamps(row))
            known = found.get(key)
            if known is None or (_rank(row) < _rank(known.header)):
                found[key] = stage
        return found

    def _told(self) -> tuple[str, ...]:
        before, after = self._client.info(UNPOSTED), (self._client.info(POSTED), self._client.info(REGISTER))
        return tuple(name for name in _TOLD if before.spelled(name) and any(info.spelled(name) for info in after))

    def _stamps(self, row: Row) -> list[datetime]:
        stamp = values.to_utc(row.get(CHANGED), self._zone)
        return [] if stamp is None else [stamp]

    # --- distributions ---------------------------------------------------------------------------------------------

    def _distributions(self, found: Mapping[str, Stage], numbers: Sequence[str]) -> None:
        query = Query(LINES, (*KEYS, "DistSeq", "Acct", *UNITS, "Amount", CHANGED), ("TaxSystem", "TaxCode"))
        rows: dict[str, list[Row]] = {}
        for row in self._client.rows_in(query, "Voucher", numbers):
            rows.setdefault(voucher_key(row["VendNum"] or "", row["Voucher"] or ""), []).append(row)
        for key, lines in rows.items():
            if key in found and not found[key].posted:
                found[key].lines = joined(lines, "Amount")
                found[key].stamps += [stamp for row in lines for stamp in self._stamps(row)]

    def _ledger_lines(self, posted: Mapping[str, Stage]) -> None:
        if not posted or not self.has_ledger():
            return
        query = Query(LEDGER, _LEDGER_NEEDS, _LEDGER_LIKES)
        rows: dict[str, list[Row]] = {}
        numbers = list(dict.fromkeys(values.unpad(stage.header["Voucher"]) for stage in posted.values()))
        for row in self._client.rows_in(query, "Voucher", numbers):
            rows.setdefault(voucher_key(row["VendNum"] or "", row["Voucher"] or ""), []).append(row)
        for key, stage in posted.items():
            cost = [row for row in rows.get(key, []) if _is_cost(row, stage.header)]
            amounts = [joined(cost, name) for name in ("ForAmount", "DomAmount")]
            gross = amount_of(stage.header, "InvAmt")
            stage.lines = next((lines for lines in amounts if sum_of(lines) == gross), [])
            stage.stamps += [stamp for row in cost for stamp in self._stamps(row)]


def _rank(row: Mapping[str, Any]) -> tuple[bool, int]:
    """Order rows of one number: the voucher before its adjustments and payments, the first before later ones."""
    return not _is_voucher(row), values.to_whole(row.get("VouchSeq")) or 0


def _is_voucher(row: Mapping[str, Any]) -> bool:
    return values.unpad(row.get("Type")) == "V"


def _is_cost(row: Row, header: Mapping[str, Any]) -> bool:
    """Whether a line of the ledger is a distribution: not the AP account's side, no payment, no adjustment."""
    if values.unpad(row["Acct"]) == values.unpad(header.get("ApAcct")) or (values.to_whole(row.get("CheckNum")) or 0):
        return False
    own, line = values.to_whole(header.get("VouchSeq")), values.to_whole(row.get("VouchSeq"))
    return own is None or line is None or own == line


def joined(rows: Sequence[Row], name: str) -> list[dict[str, Any]]:
    """Join distributions of the same coding, in the order of the coding; those that cancel out disappear."""
    amounts: dict[tuple[Any, ...], Decimal] = {}
    for row in rows:
        marked = bool(values.unpad(row.get("TaxSystem")) or values.unpad(row.get("TaxCode")))
        coding = (values.unpad(row["Acct"]), *(values.unpad(row.get(unit)) for unit in UNITS), marked)
        amounts[coding] = amounts.get(coding, Decimal(0)) + amount_of(row, name)
    return [
        {"account": account, "units": list(units), "amount": values.decimal_text(amount), "tax": marked}
        for (account, *units, marked), amount in sorted(amounts.items())
        if amount
    ]


def sum_of(lines: Iterable[Mapping[str, Any]]) -> Decimal:
    """Add distributions up."""
    return add(Decimal(line["amount"]) for line in lines)


def judge(stage: Stage, types: Sequence[str]) -> tuple[Eligibility, str]:
    """Return whether a voucher is to be transferred, and the words that decided (FINANCE §4)."""
    header, where = stage.header, "posted" if stage.posted else "not posted"
    if values.to_flag(header.get("Cancellation")):
        return Eligibility.CLOSED, f"{where}, canceled"
    gross, paid = amount_of(header, "InvAmt"), amount_of(header, "AmtPaid")
    why = _kept_back(stage, types)
    if not why and gross and abs(paid) >= abs(gross):
        return Eligibility.PAID, f"paid {values.decimal_text(paid)}"
    if not why and sum_of(stage.lines) != gross:
        why = "its distributions are not " + ("in the ledger" if stage.posted else "complete")
    return (Eligibility.NOT_ELIGIBLE, f"{where}, {why}") if why else (Eligibility.ELIGIBLE, where)


def _kept_back(stage: Stage, types: Sequence[str]) -> str:
    """Tell what its own status words say against a voucher, nothing if they do not."""
    kind = values.unpad(stage.header.get("Type"))
    if kind not in types:
        return f"{'an adjustment' if kind == _ADJUSTMENT else 'no voucher'} (Type {kind})"
    if values.to_flag(stage.header.get("InWorkflow")):
        return "in workflow"
    status = "" if stage.posted else values.unpad(stage.header.get("BGPostingStat")).upper()
    return {HELD: "on hold", IN_ERROR: "refused by background posting"}.get(status, "")
