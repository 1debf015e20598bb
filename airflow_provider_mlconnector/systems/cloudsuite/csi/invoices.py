"""CSI's vouchers as a source of invoices (FINANCE §6: unposted and posted ones; reference/cloudsuite.md §4a)."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Final

from airflow_provider_mlconnector.documents.invoice import Invoice, InvoiceKind
from airflow_provider_mlconnector.systems.cloudsuite.csi import values
from airflow_provider_mlconnector.systems.cloudsuite.csi.fields import dump, load
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import Query
from airflow_provider_mlconnector.systems.cloudsuite.csi.invoice_codec import decode, payload_of
from airflow_provider_mlconnector.systems.cloudsuite.csi.invoice_rows import KEYS, InvoiceReader, Stage, judge
from airflow_provider_mlconnector.systems.cloudsuite.csi.listing import BY_CHANGE, CHANGED, ROW, CsiSource, inside
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_book import (
    LEDGER,
    LINES,
    POSTED,
    REGISTER,
    UNPOSTED,
    amount_of,
    voucher_key,
)
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Gateway
from airflow_provider_mlconnector.systems.ports import SourcePage, SourceRecord, Summary, Window

_CHANGES: Final = (*KEYS, CHANGED, ROW)
BATCH: Final = 100
"""Vouchers read together, in at most six requests."""
_REMEMBERED: Final = 20_000
_EVER: Final = datetime.min.replace(tzinfo=UTC)


class CsiInvoiceSource(CsiSource):
    """Vouchers by their change, wherever they are when it is noticed.

    Lists of changes of all places are read in the order of change and merged; the vouchers themselves are then read in
    batches, whole. One that is posted between two polls, or while a pass is on, is found among the posted ones: posting
    is a change there. The revision is left to its content, which posting does not change.

    A voucher that one of our own routes has written is listed like any other.

    Args:
        name: The Airflow connection's id.
        gateway: Speaks to the tenant.
        options: Connection's and route's choices.
    """

    def __init__(self, name: str, gateway: Gateway, options: CsiOptions) -> None:
        super().__init__(name, gateway, options)
        self._reader = InvoiceReader(self._ido, self._zone)

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:  # noqa: ARG002 - a pass is read from its beginning
        """List the vouchers changed in the window, in the order of change, with their distributions."""
        window = self._closed(window)
        read: dict[str, datetime] = {}
        batch: dict[str, tuple[str, str]] = {}
        for changed, vendor, number in self._changes(window):
            key = voucher_key(vendor, number)
            if key not in batch and changed > read.get(key, _EVER):
                batch[key] = vendor, number
            if len(batch) == BATCH:
                yield self._page(batch, window, read)
                batch = {}
        yield self._page(batch, window, read)

    def decode(self, payload: bytes) -> Invoice:
        """Turn a payload into the canonical invoice (see :func:`.invoice_codec.decode`)."""
        return decode(load(payload, "voucher"), self._options)

    def _clock(self) -> Query:
        return Query(UNPOSTED, KEYS)

    def _changes(self, window: Window) -> Iterator[tuple[datetime, str, str]]:
        """Tell which vouchers changed, one entry per row changed; every voucher has a header, so all need no lines."""
        idos = [UNPOSTED, POSTED, REGISTER]
        if window.start is not None:
            idos += [LINES, *([LEDGER] if self._reader.has_ledger() else [])]
        where = self._within(window)
        lists = (self._ido.rows(Query(ido, _CHANGES, where=where, order=BY_CHANGE)) for ido in idos)
        told = (
            ((self._changed(row) or _EVER, row["VendNum"] or "", values.unpad(row["Voucher"])) for row in rows)
            for rows in lists
        )
        for changed, vendor, number in heapq.merge(*told, key=itemgetter(0)):
            if vendor and values.to_whole(number):  # lines of the ledger belong to other things as well
                yield changed, vendor, number

    def _page(self, batch: dict[str, tuple[str, str]], window: Window, read: dict[str, datetime]) -> SourcePage:
        """Read a batch of vouchers; one that has been deleted meanwhile is left out."""
        stages = self._reader.read(list(batch.values())) if batch else {}
        self._reader.learn_currencies(stage.header["VendNum"] for stage in stages.values())
        records = [self._record(key, stages[key]) for key in batch if key in stages]
        if len(read) > _REMEMBERED:
            read.clear()
        read |= {record.key: record.changed_at or _EVER for record in records}
        return SourcePage(inside(records, window), None, None, None)

    def _record(self, key: str, stage: Stage) -> SourceRecord:
        eligibility, said = judge(stage, self._options.invoice_types)
        currency = self._reader.currency(stage.header["VendNum"])
        body = payload_of(stage, currency, eligibility, said, self._options)
        return SourceRecord(
            key=key,
            revision="",
            payload=dump(body),
            complete=True,
            eligibility=eligibility,
            status_text=said,
            summary=_summary(stage, currency, self._options.configuration),
            changed_at=max(stage.stamps, default=None),
        )


def _summary(stage: Stage, currency: str, configuration: str) -> Summary:
    gross = amount_of(stage.header, "InvAmt")
    kind = InvoiceKind.CREDIT_MEMO if gross < 0 else InvoiceKind.INVOICE
    return Summary(
        number=values.unpad(stage.header.get("InvNum")),
        supplier=values.unpad(stage.header["VendNum"]),
        kind=kind,
        currency=currency,
        gross=values.decimal_text(abs(gross)),
        document_date=values.to_day(stage.header.get("InvDate")),
        source_number=values.unpad(stage.header["Voucher"]),
        business_unit=configuration,
    )


def wanted(types: Sequence[str]) -> str:
    """Return in words which vouchers are transferred."""
    return f"Type {' or '.join(types)}, complete, neither on hold nor in workflow; of paid and canceled ones only news"
