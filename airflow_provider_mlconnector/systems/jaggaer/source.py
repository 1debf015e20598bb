"""JAGGAER invoices as a document source: pages of the list, details, eligibility (reference/jaggaer.md §2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from airflow_provider_mlconnector.documents.invoice import Invoice
from airflow_provider_mlconnector.errors import MLConnectorError, Parked, ProtocolError
from airflow_provider_mlconnector.systems.jaggaer import invoices
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient, ListPage
from airflow_provider_mlconnector.systems.jaggaer.contract import EligibilityWords
from airflow_provider_mlconnector.systems.jaggaer.fields import revision_of
from airflow_provider_mlconnector.systems.jaggaer.rows import UNREADABLE, completed, read_row
from airflow_provider_mlconnector.systems.ports import SourcePage, SourceRecord, Window
from airflow_provider_mlconnector.systems.reading import OpenSource

LIST, DETAIL = "invoice list", "invoice detail"
CLOCK_SKEW = timedelta(minutes=5)
"""A larger difference between our clock and JAGGAER's is reported by :meth:`JaggaerInvoiceSource.probe`."""


class JaggaerInvoiceSource(OpenSource):
    """Supplier invoices of one tenant; satisfies :class:`~airflow_provider_mlconnector.systems.ports.DocumentSource`.

    Args:
        client: Speaks to the tenant.
        tenant: The label under which keys are recorded; the client id when empty, because one tenant has one client.
        eligibility: The route's status words; the contract's when None.
    """

    def __init__(self, client: JaggaerClient, *, tenant: str = "", eligibility: EligibilityWords | None = None) -> None:
        self._client = client
        self._contract = client.contract
        self._tenant = tenant or client.client_id
        self._words = eligibility or client.contract.eligibility

    @property
    def tenant(self) -> str:
        """The tenant the keys belong to."""
        return self._tenant

    def remote_time(self) -> datetime:
        """Return JAGGAER's clock (aware, UTC), read off the answer to an empty list.

        Raises:
            ProtocolError: The answer carries no Date header.
        """
        soon = self._client.clock.now() + timedelta(days=2)
        page = self._list(self._contract.paging.first, Window(start=soon))
        if page.date is None:
            where = f"connection '{self._client.connection}'"
            msg = f"{where}: JAGGAER's answers carry no Date header, so its clock is unknown"
            raise ProtocolError(msg)
        return page.date

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:
        """Read one pass over the invoices changed in the window.

        The list is paged by record offset and JAGGAER's order is not documented: records edited meanwhile may move, so
        one pass may miss some and repeat others (FINANCE §7). The caller repeats passes until two agree.

        Args:
            window: Change times. The start filters at JAGGAER, to the second; the end is applied here.
            position: Record offset to start from; the first record when None.

        Raises:
            ProtocolError: The pages contradict each other: the same page again, or an empty page before the end.
        """
        start = self._contract.paging.first if position is None else position
        before: list[bytes] = []
        while True:
            page = self._checked_page(start, window, before)
            # the smaller of what was stated and what came: reading some again is safe, skipping is not
            step = min(len(page.rows), page.returned or len(page.rows))
            ahead = start + step
            last = step == 0 or (page.total is not None and ahead >= self._contract.paging.first + page.total)
            yield SourcePage(
                records=[r for r in self._records(page) if window.end is None or not _is_after(r, window.end)],
                total=page.total,
                remote_time=page.date,
                next_position=None if last else ahead,
            )
            if last:
                return
            start, before = ahead, list(page.rows)

    def complete(self, record: SourceRecord) -> SourceRecord:
        """Return the record with its lines; revision and eligibility may have changed since it was listed.

        Raises:
            Parked: JAGGAER lists the invoice but has no detail of it (``detail_missing``).
        """
        if record.complete:
            return record
        detail = self._client.record(
            self._contract.invoices.get, record.key, self._contract.invoices.items, name=DETAIL
        )
        if detail is None:
            msg = f"JAGGAER lists invoice {record.key} but shows no detail of it; it is asked again on every run"
            raise Parked(msg, code="detail_missing", subject=record.key)
        return completed(record, detail, self._contract, self._words)

    def decode(self, payload: bytes) -> Invoice:
        """Turn a complete payload into the canonical invoice (see :func:`.invoices.decode`)."""
        return invoices.decode(payload, self._contract)

    def probe(self) -> list[tuple[str, bool, str]]:
        """Try what this source needs and return ``(check, ok, message)`` for each; stops at the first failure."""
        checks: list[tuple[str, bool, str]] = []
        step = "log in"
        try:
            self._client.tokens.token()
            checks.append((step, True, "token received"))
            step = LIST
            page = self._list(self._contract.paging.first, Window())
            known = "an unknown number of" if page.total is None else str(page.total)
            checks.append((step, True, f"{known} invoices; transferred are those with {self._words}"))
            step = "clock"
            checks.append((step, *_clock_check(page.date, self._client.clock.now())))
            step = DETAIL
            checks.append((step, True, self._probe_detail(page)))
        except MLConnectorError as error:
            checks.append((step, False, str(error)))
        return checks

    def _probe_detail(self, page: ListPage) -> str:
        record = next((r for r in self._records(page) if not r.key.startswith(UNREADABLE)), None)
        if record is None:
            return "not tried: the list is empty"
        if record.complete:
            return "not needed: the list contains the lines"
        self.complete(record)
        return "readable; the list contains headers only, so every invoice costs one more request"

    def _records(self, page: ListPage) -> list[SourceRecord]:
        return [read_row(row, self._contract, self._words) for row in page.rows]

    def _list(self, start: int, window: Window) -> ListPage:
        return self._client.list_page(
            self._contract.invoices.list,
            self._contract.invoices.items,
            start=start,
            condition=self._condition(window),
            name=LIST,
        )

    def _condition(self, window: Window) -> str:
        if window.start is None:
            return ""
        filters = self._contract.filter
        stamp = window.start.astimezone(UTC).strftime(filters.time_format)
        return f"{self._contract.invoices.modified_filter}{filters.greater_or_equal}{stamp}"

    def _checked_page(self, start: int, window: Window, before: list[bytes]) -> ListPage:
        """Read a page; one that contradicts the pages before is asked for once more: a cache may be at fault."""
        problem = ""
        for _ in range(2):
            page = self._list(start, window)
            problem = self._contradiction(page, start, before)
            if not problem:
                return page
        msg = f"connection '{self._client.connection}': {problem}; check the contract's paging"
        raise ProtocolError(msg)

    def _contradiction(self, page: ListPage, start: int, before: list[bytes]) -> str:
        if page.rows and list(page.rows) == before:
            return f"the {LIST} shows the same page again at record {start}"
        expected = 0 if page.total is None else self._contract.paging.first + page.total - start
        if not page.rows and expected > 0:
            return f"the {LIST} is empty at record {start}, though {page.total} are announced"
        return ""


def _is_after(record: SourceRecord, end: datetime) -> bool:
    return not record.key.startswith(UNREADABLE) and record.revision >= revision_of(end.isoformat())


def _clock_check(remote: datetime | None, ours: datetime) -> tuple[bool, str]:
    if remote is None:
        return False, "the answers carry no Date header, so JAGGAER's clock is unknown"
    skew = remote - ours
    ahead = "ahead of" if skew > timedelta(0) else "behind"
    return abs(skew) <= CLOCK_SKEW, f"JAGGAER's clock is {abs(skew.total_seconds()):.0f} s {ahead} ours"
