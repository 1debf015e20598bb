"""M3's purchase orders as a source (reference/cloudsuite.md §4b ``PPS200MI``, ``EXPORTMI``, changed-since)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from airflow_provider_mlconnector.documents.purchase_order import PurchaseOrder
from airflow_provider_mlconnector.systems.cloudsuite import texts
from airflow_provider_mlconnector.systems.cloudsuite.m3 import order_rows, values
from airflow_provider_mlconnector.systems.cloudsuite.m3.listing import M3Source, inside
from airflow_provider_mlconnector.systems.cloudsuite.m3.mi import MiClient, Record, Row
from airflow_provider_mlconnector.systems.cloudsuite.m3.order_codec import decode
from airflow_provider_mlconnector.systems.cloudsuite.m3.values import Fields
from airflow_provider_mlconnector.systems.cloudsuite.rows import dump, load
from airflow_provider_mlconnector.systems.ports import SourcePage, SourceRecord, Summary, Window

_EVER: Final = date(1900, 1, 1)


class M3OrderSource(M3Source):
    """Purchase orders of which the head, or one of the lines, was changed: a head need not show that a line was.

    Days are all that M3 compares, so a window reads whole days; a revision known already costs nothing more. The
    orders are read in batches, whole: what of them changed does not matter.
    """

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:  # noqa: ARG002 - a pass is read from its beginning
        """List the orders changed in the window, by number, with all their lines."""
        window = self._closed(window)
        since = _EVER if window.start is None else self._first_day(window.start)
        numbers = set(changed_heads(self._mi, since))
        if window.start is not None and self._options.line_changes == "export":  # every order has a head
            numbers |= set(changed_lines(self._mi, since))
        named = sorted(numbers)
        for start in range(0, len(named), order_rows.ORDERS_AT_ONCE):
            orders = order_rows.read_orders(self._mi, named[start : start + order_rows.ORDERS_AT_ONCE])
            records = [self._record(head, lines) for head, lines in orders]
            yield SourcePage(inside(records, window), None, None, None)

    def decode(self, payload: bytes) -> PurchaseOrder:
        """Turn a payload into the canonical order (see :func:`.order_codec.decode`)."""
        return decode(load(payload, "order"), self._options)

    def _record(self, head: Row, lines: Sequence[Row]) -> SourceRecord:
        eligibility, said = order_rows.judge(lines, self._options)
        key = texts.unpad(head[order_rows.KEY])
        stamps = [moment for row in (head, *lines) if (moment := values.changed_at(row, self._zone)) is not None]
        return SourceRecord(
            key=key,
            revision=values.revision([head, *lines]),
            payload=dump({"header": head, "lines": lines}),
            complete=True,
            eligibility=eligibility,
            status_text=said,
            summary=_summary(Fields(head, f"order {key}")),
            changed_at=max(stamps, default=None),
        )


def changed_heads(mi: MiClient, since: date) -> Iterator[str]:
    """Name the orders whose head was changed on a day or later, to the proven end of the list."""

    def asking(after: str) -> Record:
        further = f" AND {order_rows.KEY}:>{after}" if after else ""
        return {"SQRY": f"{values.CHANGED_DAY}:>={values.day_text(since)}{further}"}

    for page in mi.pages(order_rows.PROGRAM, "SearchHead", order_rows.KEY, asking):
        yield from (texts.unpad(row.get(order_rows.KEY)) for row in page.rows)


def changed_lines(mi: MiClient, since: date) -> Iterator[str]:
    """Name the orders of which a line was changed on a day or later, to the proven end of the list.

    An export reads a table, with the lines of all companies in it.
    """
    own = f"IBCONO = {mi.options.company} and "

    def asking(after: str) -> Record:
        further = f" and IBPUNO > '{after}'" if after else ""
        query = f"IBPUNO from MPLINE where {own}IBLMDT >= {values.day_text(since)}{further}"
        return {"QERY": query, "SEPC": ";", "HDRS": "0"}

    for page in mi.pages("EXPORTMI", "Select", order_rows.KEY, asking, reading=_exported):
        yield from (row[order_rows.KEY] for row in page.rows)


def _exported(rows: Sequence[Row]) -> Sequence[Row]:
    """Return one row per order: a row of the export is a line's."""
    numbers = dict.fromkeys(row.get("REPL", "").split(";")[0].strip() for row in rows)
    return [{order_rows.KEY: number} for number in numbers if number]


def _summary(head: Fields) -> Summary:
    number = head.text(order_rows.KEY)
    return Summary(
        number=number,
        supplier=head.text("SUNO"),
        kind="purchase_order",
        currency=head.text("CUCD"),
        gross=head.text("NTAM"),
        document_date=texts.to_day(head.row.get("PUDT")),
        source_number=number,
    )
