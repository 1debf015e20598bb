"""What M3 holds: suppliers, purchase orders, supplier invoice batches, accounting identities and the ledger.

Rows are dicts by field name; ``LMDT``, ``LMTS``, ``CHNO`` and ``CHID`` move with every change of a row and of nothing
else (SIM: ``LMTS`` counts milliseconds since 1970; dates are those of UTC). Nothing is unique but the keys of the
tables here, least of all a supplier's invoice number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite.m3.fields import FIELDS, Row
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin

ZERO = Decimal(0)
SUPPLIER_ACTIVE, SUPPLIER_BLOCKED = "20", "90"
"""STAT of a supplier: 20 is in use (§5.3 †); 90 SIM."""
PLANNED, ORDERED, PART_RECEIVED, RECEIVED, CANCELED = "15", "20", "50", "75", "99"
"""Statuses of purchase order lines (SIM); a head shows the lowest (PUSL) and the highest (PUST) of its lines."""
ENTERED, IN_ERROR, VALIDATED, MATCHING_FAILED, POSTED = 10, 15, 20, 78, 90
"""SUPA of an invoice batch: 78 is documented (§5.2), the others are SIM."""
APPROVED = 1
"""BIST of an approved batch (SIM)."""
ACCOUNT, COST_CENTER = 1, 2
"""AITP (§4b)."""
DIVISIONS = {"PLANT1": "AAA", "PLANT2": "BBB"}
"""Business unit → division; each has one facility and one warehouse of its own letter."""


@dataclass(slots=True)
class Batch:
    """A supplier invoice batch: its head, its lines in the order they came, and who entered it.

    ``validated`` is when it passed validation, ``voucher`` the number it was posted under.
    """

    head: Row
    entered: Origin
    lines: list[Row] = field(default_factory=list)
    validated: datetime | None = None
    voucher: int = 0

    @property
    def number(self) -> int:
        """The batch number INBN."""
        return int(str(self.head["INBN"]))

    @property
    def status(self) -> int:
        """SUPA."""
        return int(str(self.head["SUPA"]))


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One line in the ledger; a positive amount is a debit. ``origin`` is who entered the batch."""

    voucher: int
    batch: int
    division: str
    day: date
    account: str
    cost_center: str
    amount: Decimal
    currency: str
    supplier: str
    number: str
    origin: Origin
    posted_at: datetime

    def show(self) -> dict[str, Any]:
        """Return the line as JSON."""
        return {
            "voucher": self.voucher,
            "batch": self.batch,
            "division": self.division,
            "date": self.day.isoformat(),
            "account": self.account,
            "cost_center": self.cost_center,
            "amount": str(self.amount),
            "currency": self.currency,
            "supplier": self.supplier,
            "number": self.number,
            "by": self.origin.by,
            "person": self.origin.person,
            "request_no": self.origin.request_no,
            "posted_at": self.posted_at.isoformat(),
        }


@dataclass(slots=True)
class Books:
    """All of one company."""

    options: M3Options
    suppliers: dict[str, Row] = field(default_factory=dict)
    orders: dict[str, Row] = field(default_factory=dict)
    lines: dict[str, dict[tuple[int, int], Row]] = field(default_factory=dict)
    """Lines by PUNO, then by (PNLI, PNLS)."""
    labels: dict[str, str] = field(default_factory=dict)
    """By PUNO, which kind of order a generated one is; see ``sample.KINDS``."""
    batches: dict[int, Batch] = field(default_factory=dict)
    by_payee: dict[str, dict[int, Batch]] = field(default_factory=dict)
    """The same batches by SPYN."""
    identities: dict[tuple[int, str], Row] = field(default_factory=dict)
    """Accounting identities by (AITP, AITM)."""
    ledger: list[LedgerLine] = field(default_factory=list)
    last_batch: int = 500_000
    last_voucher: int = 4_000_000

    def supplier(self, number: object) -> Row | None:
        """Return a supplier."""
        return self.suppliers.get(str(number or ""))

    def lines_of(self, number: object) -> list[Row]:
        """Return the lines of an order by (PNLI, PNLS)."""
        return [row for _, row in sorted(self.lines.get(str(number), {}).items())]

    def all_lines(self) -> Iterator[Row]:
        """Return every order line, orders by number."""
        for number in sorted(self.orders):
            yield from self.lines_of(number)

    def batches_of(self, payee: object) -> Iterable[Batch]:
        """Return the batches of a payee by number."""
        return [*self.by_payee.get(str(payee), {}).values()]

    def identity(self, dimension: int, code: object) -> Row | None:
        """Return an account or a cost center."""
        return self.identities.get((dimension, str(code or "")))

    def new_batch(self, head: Row, origin: Origin) -> Batch:
        """Enter an invoice batch; it gets the next number."""
        self.last_batch += 1
        known = {"INBN": self.last_batch, "SUPA": ENTERED, "BIST": 0, "IBHE": 0, "IBLE": 0, "VONO": 0}
        batch = Batch(stamped({**head, **known}, origin), origin)
        self.batches[self.last_batch] = batch
        self.by_payee.setdefault(str(head["SPYN"]), {})[self.last_batch] = batch
        return batch

    def drop_batch(self, batch: Batch) -> None:
        """Delete a batch with its lines."""
        del self.batches[batch.number]
        del self.by_payee[str(batch.head["SPYN"])][batch.number]

    def total(self, number: str, origin: Origin | None) -> None:
        """Sum an order up again after a change of its lines: statuses and amounts of its head.

        The head's stamps move with an ``origin`` only: totals that are merely computed leave them alone.
        """
        head, lines = self.orders[number], self.lines_of(number)
        statuses = [str(line["PUST"]) for line in lines]
        value = sum((Decimal(str(line["LNAM"])) for line in lines), ZERO)
        changes: Row = {"PUSL": min(statuses), "PUST": max(statuses), "COAM": value, "NTAM": value}
        head.update(changes)
        if origin:
            change(head, {}, origin)


def stamped(row: Row, origin: Origin) -> Row:
    """Return a new row with the stamps of its making."""
    day = origin.at.astimezone(UTC).date()
    return {**row, "RGDT": day, "LMDT": day, "LMTS": stamp(origin.at), "CHNO": 1, "CHID": origin.by[:10]}


def change(row: Row, values: Row, origin: Origin) -> None:
    """Change a row in place and move its stamps, also where nothing differs."""
    row.update(values)
    count = int(str(row.get("CHNO") or 0)) + 1
    row.update(
        LMDT=origin.at.astimezone(UTC).date(),
        LMTS=stamp(origin.at),
        CHNO=count % 1000,
        CHID=origin.by[:10],
    )


def stamp(moment: datetime) -> int:
    """Return a moment as LMTS."""
    return int(moment.timestamp() * 1000)


def shown(row: Row, names: Iterable[str] | None = None) -> dict[str, str]:
    """Return a row as untrimmed JSON texts, for the oracle."""
    return {name: FIELDS[name].show(row.get(name)) for name in (names or row)}
