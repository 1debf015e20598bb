"""LN's purchase orders as a source (reference/cloudsuite.md §4c ``tdapi.purPurchaseOrder``)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from airflow_provider_mlconnector.documents.purchase_order import PurchaseOrder
from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.systems.cloudsuite import named, texts
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Gateway
from airflow_provider_mlconnector.systems.cloudsuite.ln.odata import NEXT, ORDERS, Fields, LnClient, Row, expanded
from airflow_provider_mlconnector.systems.cloudsuite.ln.options import LnOptions
from airflow_provider_mlconnector.systems.cloudsuite.rows import dump, load
from airflow_provider_mlconnector.systems.ports import SourcePage, SourceRecord, Summary, Window
from airflow_provider_mlconnector.systems.reading import OpenSource

LINES = "LineRefs"


class LnOrderSource(OpenSource):
    """Purchase orders with their lines; all of them where no column tells when they were changed.

    Args:
        name: The Airflow connection's id.
        gateway: Speaks to the tenant.
        options: Connection's and route's choices.
    """

    def __init__(self, name: str, gateway: Gateway, options: LnOptions) -> None:
        self.name = name
        self._options = options
        self._ln = LnClient(gateway, options)

    @property
    def tenant(self) -> str:
        """The company: its keys are its own."""
        return self._options.company

    def remote_time(self) -> datetime:
        """Return the remote's clock (aware, UTC), as the answer to a small list tells it.

        Raises:
            ProtocolError: The answer carries no Date header.
        """
        key = self._options.called("order.number")
        page = next(iter(self._ln.pages(ORDERS, "Orders", {"$filter": f"{key} eq ''"})))
        if page.date is None:
            msg = f"{self._ln.where}: answers carry no Date header, so LN's clock is unknown"
            raise ProtocolError(msg)
        return page.date

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:  # noqa: ARG002 - a pass is read from its beginning
        """List the orders, those changed in the window where LN tells."""
        key, changed = self._options.called("order.number"), self._options.change_field
        query = {"$expand": LINES, "$orderby": key}
        if changed and window.start is not None:
            query["$filter"] = f"{changed} ge {window.start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        for page in self._ln.pages(ORDERS, "Orders", query):
            records = [self._record(row) for row in page.rows]
            yield SourcePage(records, None, page.date, None)

    def complete(self, record: SourceRecord) -> SourceRecord:
        """Return the record: the list says everything."""
        return record

    def decode(self, payload: bytes) -> PurchaseOrder:
        """Turn a payload into the canonical order (see :func:`.named.decode`)."""
        return named.decode(load(payload, "order"), self._options, Fields)

    def _record(self, row: Row) -> SourceRecord:
        head = {name: value for name, value in row.items() if isinstance(value, str) and not name.startswith("@")}
        named.check(head, "order", self._options, where=self._ln.where)
        lines = self._lines(row, head)
        for line in lines:
            named.check(line, "line", self._options, where=self._ln.where)
        key = texts.unpad(head[self._options.called("order.number")])
        eligibility, said = named.judge(head, self._options)
        changed = head.get(self._options.change_field, "") if self._options.change_field else ""
        moment = _moment(changed)
        revision = texts.sortable(moment) if moment else ""
        body: dict[str, Any] = {"header": head, "lines": lines}
        return SourceRecord(
            key=key,
            revision=revision,
            payload=dump({**body, "changed": revision} if revision else body),
            complete=True,
            eligibility=eligibility,
            status_text=said,
            summary=self._summary(Fields(head, f"order {key}"), key),
            changed_at=moment,
        )

    def _lines(self, row: Row, head: Row) -> list[Row]:
        """Return the lines of an order; those that did not fit below it are read by themselves."""
        if f"{LINES}{NEXT}" not in row:
            return expanded(row, LINES)
        key = self._options.called("order.number")
        quoted = head[key].replace("'", "''")
        query = {"$filter": f"{key} eq '{quoted}'", "$orderby": self._options.called("line.number")}
        return [line for page in self._ln.pages(ORDERS, "Lines", query) for line in page.rows]

    def _summary(self, head: Fields, key: str) -> Summary:
        names = self._options.names("order")
        return Summary(
            number=key,
            supplier=head.text(names["supplier"]),
            kind="purchase_order",
            currency=head.text(names["currency"]),
            document_date=head.read_day(head.text(names["date"])),
            source_number=key,
        )


def _moment(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
