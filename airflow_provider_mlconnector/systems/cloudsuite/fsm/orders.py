"""FSM's purchase orders as a source (reference/cloudsuite.md §4d ``PurchaseOrder``, ``PurchaseOrderLine``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from airflow_provider_mlconnector.documents.purchase_order import PurchaseOrder
from airflow_provider_mlconnector.systems.cloudsuite import named, texts
from airflow_provider_mlconnector.systems.cloudsuite.fsm.base import FsmSource
from airflow_provider_mlconnector.systems.cloudsuite.fsm.landmark import Fields, Row
from airflow_provider_mlconnector.systems.cloudsuite.rows import dump, load
from airflow_provider_mlconnector.systems.ports import SourcePage, SourceRecord, Summary, Window

HEADS, LINES = "PurchaseOrder", "PurchaseOrderLine"


class FsmOrderSource(FsmSource):
    """Purchase orders with their lines; one is a new revision when its content is.

    Lines are read first: an order that is entered meanwhile is then left to the next pass rather than taken without
    its lines.
    """

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:  # noqa: ARG002 - a pass lists everything
        """List every order."""
        lines = named.line_keys(self._rows(LINES, "line"), self._options.called("line.order"))
        names = list(self._options.names("order").values())
        key = self._options.called("order.number")
        for page in self._fsm.pages(HEADS, names):
            heads = [row for row in page.rows if self._is_ours(row, "order")]
            records = [self._record(head, lines.get(texts.unpad(head.get(key)), [])) for head in heads]
            yield SourcePage(records, None, page.date, None)

    def decode(self, payload: bytes) -> PurchaseOrder:
        """Turn a payload into the canonical order (see :func:`.named.decode`)."""
        return named.decode(load(payload, "order"), self._options, Fields)

    def _rows(self, business_class: str, kind: str) -> list[Row]:
        names = list(self._options.names(kind).values())
        rows = [row for page in self._fsm.pages(business_class, names) for row in page.rows]
        for row in rows[:1]:
            named.check(row, kind, self._options, where=self._fsm.where)
        return [row for row in rows if self._is_ours(row, kind)]

    def _is_ours(self, row: Row, kind: str) -> bool:
        company = row.get(self._options.called(f"{kind}.company"), "").strip()
        return not company or not self._options.company or company == self._options.company

    def _record(self, head: Row, lines: Sequence[Row]) -> SourceRecord:
        named.check(head, "order", self._options, where=self._fsm.where)
        names = self._options.names("order")
        order = Fields(head, "order")
        key = order.text(names["number"])
        eligibility, said = named.judge(head, self._options)
        by_number = sorted(lines, key=lambda row: texts.to_whole(row.get(self._options.called("line.number"))) or 0)
        return SourceRecord(
            key=key,
            revision="",
            payload=dump({"header": head, "lines": by_number}),
            complete=True,
            eligibility=eligibility,
            status_text=said,
            summary=Summary(
                number=key,
                supplier=order.text(names["supplier"]),
                kind="purchase_order",
                currency=order.text(names["currency"]),
                document_date=texts.to_day(order.text(names["date"])),
                source_number=key,
            ),
        )
