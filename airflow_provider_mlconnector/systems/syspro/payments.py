"""SYSPRO's payments of supplier invoices as a source (reference/syspro.md §2.5, §4 ``ApInvoicePay``)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from airflow_provider_mlconnector.documents.model import Document
from airflow_provider_mlconnector.documents.payment import Payment
from airflow_provider_mlconnector.errors import ProtocolError, Rejected
from airflow_provider_mlconnector.systems.ports import Eligibility, SourcePage, SourceRecord, Summary, Window
from airflow_provider_mlconnector.systems.reading import OpenSource
from airflow_provider_mlconnector.systems.syspro.base import SysproSystem
from airflow_provider_mlconnector.systems.syspro.comfnd import Condition, Query, both, either, in_chunks, read
from airflow_provider_mlconnector.systems.syspro.keys import day, normal, number, whole

PAYMENTS = Query(
    "ApInvoicePay",
    (
        "Supplier",
        "Invoice",
        "EntryNumber",
        "TrnType",
        "JournalDate",
        "Journal",
        "PaymentReference",
        "TrnValue",
        "PostCurrency",
    ),
)
BALANCES = Query("ApInvoice", ("Supplier", "Invoice", "Currency", "MthInvBal1"))
PAGE_ROWS = 1000
Row = Mapping[str, str]


class SysproPaymentSource(SysproSystem, OpenSource):
    """Payment entries by their journal date. An entry never changes: what is taken back is an entry of its own."""

    @contextmanager
    def session(self) -> Iterator[None]:
        """Log on for the pass."""
        with self.logged_on():
            yield

    def remote_time(self) -> datetime:
        """Return SYSPRO's clock."""
        return self._client.remote_time()

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:
        """List payment entries journaled from the window's first day on, journal by journal.

        ``JournalDate`` is a day without a time, so the whole first day is read again; known entries cost nothing.
        """
        journal, size = position or 0, PAGE_ROWS
        while True:
            rows = self._rows(window, journal, size)
            full = len(rows) >= size
            last = whole(rows[-1]["Journal"]) if rows else None
            # a page may end within a journal: that journal is read again as the first of the next page
            kept = [row for row in rows if not full or whole(row["Journal"]) != last]
            if full and not kept:
                size *= 2
                continue
            yield SourcePage(self._records(kept), None, None, last if full else None)
            if not full:
                return
            if last is None:
                msg = "SYSPRO lists payments without journal numbers, so they cannot be paged"
                raise ProtocolError(msg)
            journal, size = last, PAGE_ROWS

    def complete(self, record: SourceRecord) -> SourceRecord:
        """Return the record: the list says everything."""
        return record

    def decode(self, payload: bytes) -> Document:
        """Turn an entry into the canonical payment.

        Raises:
            Rejected: ``unreadable_field``: amount or date cannot be read.
        """
        row: dict[str, str] = json.loads(payload)
        value, when = number(row["TrnValue"]), day(row["JournalDate"])
        for name, read_as in (("TrnValue", value), ("JournalDate", when)):
            if read_as is None:
                msg = f"{name} of payment entry {_key(row)} is {row[name]!r}, which cannot be read"
                raise Rejected(msg, code="unreadable_field", field=name)
        assert value is not None  # noqa: S101 - said above
        assert when is not None  # noqa: S101 - said above
        return Payment(
            source_key=_key(row),
            revision=row["JournalDate"] or "0",
            supplier=row["Supplier"],
            invoice=row["Invoice"],
            payment_date=when,
            reference=row["PaymentReference"],
            amount=self._options.payment_sign * value,
            currency=row.get("Currency") or row["PostCurrency"],
            outstanding=number(row.get("MthInvBal1", "")),
        )

    def _rows(self, window: Window, journal: int, size: int) -> list[Row]:
        parts: list[Any] = [either(*(Condition("TrnType", "EQ", letter) for letter in self._options.payment_types))]
        if window.start is not None:
            parts.append(Condition("JournalDate", "GE", window.start.date().isoformat()))
        if journal:
            parts.append(Condition("Journal", "GE", str(journal)))
        return list(read(self._client, Query(PAYMENTS.table, PAYMENTS.columns, both(*parts), "Journal", size)))

    def _records(self, rows: Sequence[Row]) -> list[SourceRecord]:
        balances = self._balances(rows)
        return [_record({**row, **balances.get(_invoice(row), {})}) for row in rows]

    def _balances(self, rows: Sequence[Row]) -> dict[tuple[str, str], dict[str, str]]:
        """Return what is still owed on the invoices concerned."""
        wanted = {_invoice(row): row for row in rows}
        conditions = [
            both(Condition("Supplier", "EQ", row["Supplier"]), Condition("Invoice", "EQ", row["Invoice"]))
            for row in wanted.values()
        ]
        return {
            _invoice(row): {"Currency": row["Currency"], "MthInvBal1": row["MthInvBal1"]}
            for chunk in in_chunks(self._client, BALANCES, conditions)
            for row in chunk
        }


def _invoice(row: Row) -> tuple[str, str]:
    return normal(row["Supplier"]), normal(row["Invoice"])


def _key(row: Row) -> str:
    return "|".join((normal(row["Supplier"]), normal(row["Invoice"]), str(whole(row["EntryNumber"]) or 0)))


def _record(row: Row) -> SourceRecord:
    when = day(row["JournalDate"])
    return SourceRecord(
        key=_key(row),
        revision=row["JournalDate"] or "0",
        payload=json.dumps(dict(row), sort_keys=True, ensure_ascii=False).encode(),
        complete=True,
        eligibility=Eligibility.ELIGIBLE,
        status_text="journaled",
        summary=Summary(
            number=row["Invoice"], supplier=row["Supplier"], kind="payment", gross=row["TrnValue"], document_date=when
        ),
        changed_at=datetime(when.year, when.month, when.day, tzinfo=UTC) if when else None,
    )
