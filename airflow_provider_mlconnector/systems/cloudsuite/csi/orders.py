"""CSI's purchase orders as a source (reference/cloudsuite.md §4a ``SLPos``, ``SLPoItems``, changed-since)."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Final

from airflow_provider_mlconnector.documents.purchase_order import PurchaseOrder
from airflow_provider_mlconnector.systems.cloudsuite.csi import filters, order_rows, values
from airflow_provider_mlconnector.systems.cloudsuite.csi.fields import Fields, dump, load
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import IdoClient, Query
from airflow_provider_mlconnector.systems.cloudsuite.csi.listing import BY_CHANGE, CHANGED, ROW, CsiSource, inside
from airflow_provider_mlconnector.systems.cloudsuite.csi.order_codec import decode
from airflow_provider_mlconnector.systems.cloudsuite.csi.order_rows import HEADS, LINES, Row
from airflow_provider_mlconnector.systems.ports import SourcePage, SourceRecord, Summary, Window

KEY: Final = "PoNum"
_CHANGES: Final = (KEY, CHANGED, ROW)
BATCH: Final = 100
"""Orders read together: two requests for all of them, header and lines."""
_REMEMBERED: Final = 20_000
"""Orders a pass remembers having read, so that an order of many changes is not read once for each."""
_EVER: Final = datetime.min.replace(tzinfo=UTC)


class CsiOrderSource(CsiSource):
    """Purchase orders by their change, or that of one of their lines: a header need not show that a line changed.

    Both lists of changes are read in the order of change and merged, which keeps that order. The orders themselves are
    then read in batches, whole: what of them changed does not matter. An order of which something changes after the
    window ended is left to the next window.
    """

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:  # noqa: ARG002 - a pass is read from its beginning
        """List the orders changed in the window, in the order of change, with all their lines."""
        window = self._closed(window)
        read: dict[str, datetime] = {}
        batch: dict[str, None] = {}
        for changed, key in self._changes(window):
            if key not in batch and changed > read.get(key, _EVER):
                batch[key] = None
            if len(batch) == BATCH:
                yield self._page(list(batch), window, read)
                batch.clear()
        yield self._page(list(batch), window, read)

    def decode(self, payload: bytes) -> PurchaseOrder:
        """Turn a payload into the canonical order (see :func:`.order_codec.decode`)."""
        return decode(load(payload, "order"), self._options, self._zone)

    def _clock(self) -> Query:
        return Query(HEADS.ido, (KEY,))

    def _changes(self, window: Window) -> Iterator[tuple[datetime, str]]:
        """Tell which orders changed, one entry per row changed; every order has a header, so all need no lines."""
        idos = (HEADS.ido, LINES.ido) if window.start is not None else (HEADS.ido,)
        where = self._within(window)
        lists = (self._ido.rows(Query(ido, _CHANGES, where=where, order=BY_CHANGE)) for ido in idos)
        told = (((self._changed(row) or _EVER, row[KEY] or "") for row in rows) for rows in lists)
        yield from heapq.merge(*told, key=itemgetter(0))

    def _page(self, keys: Sequence[str], window: Window, read: dict[str, datetime]) -> SourcePage:
        """Read a batch of orders; one that has been deleted meanwhile is left out."""
        orders = read_orders(self._ido, keys)
        records = [self._record(head, lines) for head, lines in orders]
        if len(read) > _REMEMBERED:
            read.clear()
        for (head, _), record in zip(orders, records, strict=True):
            read[head[KEY] or ""] = record.changed_at or _EVER
        return SourcePage(inside(records, window), None, None, None)

    def _record(self, head: Row, lines: Sequence[Row]) -> SourceRecord:
        stamps = order_rows.stamps(head, lines, self._zone)
        eligibility, said = order_rows.judge(head, lines, self._options)
        key = values.unpad(head[KEY])
        return SourceRecord(
            key=key,
            revision=order_rows.revision(stamps),
            payload=dump({"header": head, "lines": lines}),
            complete=True,
            eligibility=eligibility,
            status_text=said,
            summary=_summary(Fields(head, f"order {key}")),
            changed_at=max(stamps, default=None),
        )


def read_orders(ido: IdoClient, keys: Sequence[str]) -> list[tuple[Row, list[Row]]]:
    """Read orders whole, header and lines, in two requests; those that are not there are left out.

    Args:
        ido: Speaks to the configuration.
        keys: ``PoNum`` as CSI shows it.
    """
    literals = [filters.text(key) for key in keys]
    heads = {row[KEY] or "": row for row in ido.rows_in(HEADS, KEY, literals)}
    lines: dict[str, list[Row]] = {key: [] for key in heads}
    for line in ido.rows_in(LINES, KEY, literals if heads else []):
        lines.get(line[KEY] or "", []).append(line)
    return [(heads[key], lines[key]) for key in keys if key in heads]


def _summary(head: Fields) -> Summary:
    number = head.text(KEY)
    return Summary(
        number=number,
        supplier=head.text("VendNum"),
        kind="purchase_order",
        currency=head.first(*order_rows.CURRENCIES),
        gross=_total(head),
        document_date=values.to_day(head.row.get("OrderDate")),
        source_number=number,
    )


def _total(head: Fields) -> str:
    try:
        total = values.to_decimal(head.row.get("PoCost"))
    except ValueError:
        return ""
    return "" if total is None else values.decimal_text(total)
