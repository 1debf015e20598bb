"""Any J1P list as a document source: pages by record offset, change times, details, probe (reference/jaggaer.md §2)."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from airflow_provider_mlconnector.documents.model import Document
from airflow_provider_mlconnector.errors import ConfigurationError, MLConnectorError, Parked, ProtocolError
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient, ListPage, NotOffered
from airflow_provider_mlconnector.systems.jaggaer.rows import UNREADABLE, RowForm, completed, read
from airflow_provider_mlconnector.systems.ports import SourcePage, SourceRecord, Window
from airflow_provider_mlconnector.systems.reading import OpenSource
from airflow_provider_mlconnector.systems.zones import not_after

CLOCK_SKEW = timedelta(minutes=5)
"""A larger difference between our clock and JAGGAER's is reported by :meth:`ListedSource.probe`."""
Finding = tuple[str, bool, str]
"""What was tried, whether it worked, and what there is to say about it."""


class ListedSource(OpenSource, ABC):
    """Documents of one tenant that a list shows; a :class:`~airflow_provider_mlconnector.systems.ports.DocumentSource`.

    Args:
        client: Speaks to the tenant.
        form: How a row becomes a record.
        noun: What one document is called ("invoice").
        wanted: Which documents are transferred, in words.
        tenant: The label under which keys are recorded; the client id when empty, because one tenant has one client.
    """

    def __init__(self, client: JaggaerClient, form: RowForm, *, noun: str, wanted: str, tenant: str = "") -> None:
        self._client = client
        self._contract = client.contract
        self._form = form
        self._noun = noun
        self._wanted = wanted
        self._tenant = tenant or client.client_id

    @property
    def tenant(self) -> str:
        """The tenant the keys belong to."""
        return self._tenant

    @property
    def list_name(self) -> str:
        """What logs, errors and checks call the list."""
        return f"{self._noun} list"

    @property
    def offered(self) -> bool:
        """Whether the contract names a path of the list."""
        return bool(self._form.resource.list)

    @property
    def _detail_name(self) -> str:
        return f"{self._noun} detail"

    @abstractmethod
    def decode(self, payload: bytes) -> Document:
        """Turn a complete payload into the canonical document."""

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
        """Read one pass over the documents changed in the window.

        The list is paged by record offset and JAGGAER's order is not documented: records edited meanwhile may move, so
        one pass may miss some and repeat others (FINANCE §7). The caller repeats passes until two agree.

        Args:
            window: Change times. The start filters at JAGGAER, as finely as its filter does; the end is applied here.
            position: Record offset to start from; the first record when None.

        Raises:
            ProtocolError: The pages contradict each other: the same page again, or an empty page before the end.
        """
        start = self._contract.paging.first if position is None else position
        seen: set[bytes] = set()
        while True:
            page = self._checked_page(start, window, seen)
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
            seen.add(_digest(page))
            start = ahead

    def complete(self, record: SourceRecord) -> SourceRecord:
        """Return the record with its lines; revision and eligibility may have changed since it was listed.

        Raises:
            Parked: JAGGAER lists the document but has no detail of it (``detail_missing``).
            ConfigurationError: The list shows no lines, and the contract names no path of the detail.
        """
        if record.complete:
            return record
        resource = self._form.resource
        if not resource.get:
            raise self._not_configured(self._detail_name)
        detail = self._client.record(resource.get, record.key, resource.items, name=self._detail_name)
        if detail is None:
            msg = f"JAGGAER lists {self._noun} {record.key} but shows no detail of it; it is asked again on every run"
            raise Parked(msg, code="detail_missing", subject=record.key)
        return completed(record, detail, self._form)

    def probe(self) -> list[Finding]:
        """Try what this source needs and return ``(check, ok, message)`` for each; stops at the first failure."""
        checks: list[Finding] = []
        step = "log in"
        try:
            self._client.tokens.token()
            checks.append((step, True, "token received"))
            step = self.list_name
            page = self._list(self._contract.paging.first, Window())
            checks.append((step, True, self._listed(page)))
            step = "clock"
            checks.append((step, *_clock_check(page.date, self._client.clock.now())))
            step = self._detail_name
            checks.append((step, True, self._probe_detail(page)))
        except MLConnectorError as error:
            checks.append((step, False, str(error)))
        return checks

    def probe_resource(self) -> list[Finding]:
        """Try this resource alone; one the tenant does not offer is no failure, but said."""
        step = self.list_name
        checks: list[Finding] = []
        try:
            page = self._list(self._contract.paging.first, Window())
            checks.append((step, True, self._listed(page)))
            step = self._detail_name
            checks.append((step, True, self._probe_detail(page)))
        except NotOffered:
            checks.append((step, True, f"not available at this tenant; routes of {self._noun}s need it"))
        except MLConnectorError as error:
            checks.append((step, False, str(error)))
        return checks

    def _listed(self, page: ListPage) -> str:
        known = "an unknown number of" if page.total is None else str(page.total)
        return f"{known} {self._noun}s; transferred are those with {self._wanted}"

    def _probe_detail(self, page: ListPage) -> str:
        record = next((r for r in self._records(page) if not r.key.startswith(UNREADABLE)), None)
        if record is None:
            return "not tried: the list is empty" if not page.rows else "not tried: no row has a readable key"
        if record.complete:
            return "not needed: the list contains the lines" if self._form.lines else "not needed: rows are complete"
        self.complete(record)
        return f"readable; the list contains headers only, so every {self._noun} costs one more request"

    def _records(self, page: ListPage) -> list[SourceRecord]:
        return [read(row, self._form) for row in page.rows]

    def _list(self, start: int, window: Window) -> ListPage:
        resource = self._form.resource
        if not resource.list:
            raise self._not_configured(self.list_name)
        return self._client.list_page(
            resource.list,
            resource.items,
            start=start,
            condition=self._condition(window),
            name=self.list_name,
            components=resource.components,
        )

    def _condition(self, window: Window) -> str:
        resource, filters = self._form.resource, self._contract.filter
        conditions = [resource.extra_filter]
        if window.start is not None:
            stamp = _filter_stamp(window.start, resource.time_format or filters.time_format, resource.time_zone)
            conditions.append(f"{resource.modified_filter}{filters.greater_or_equal}{stamp}")
        return filters.conjunction.join(condition for condition in conditions if condition)

    def _not_configured(self, name: str) -> ConfigurationError:
        where = f"connection '{self._client.connection}', field Contract overrides"
        msg = f"{where}: no path is named for the {name}, so {self._noun}s cannot be read from this tenant"
        return ConfigurationError(msg, field=where)

    def _checked_page(self, start: int, window: Window, seen: AbstractSet[bytes]) -> ListPage:
        """Read a page; one that contradicts the pages before is asked for once more: a cache may be at fault."""
        problem = ""
        for _ in range(2):
            page = self._list(start, window)
            problem = self._contradiction(page, start, seen)
            if not problem:
                return page
        msg = f"connection '{self._client.connection}': {problem}; check the contract's paging"
        raise ProtocolError(msg)

    def _contradiction(self, page: ListPage, start: int, seen: AbstractSet[bytes]) -> str:
        if page.rows and _digest(page) in seen:
            return f"the {self.list_name} shows the same page again at record {start}"
        expected = 0 if page.total is None else self._contract.paging.first + page.total - start
        if not page.rows and expected > 0:
            return f"the {self.list_name} is empty at record {start}, though {page.total} are announced"
        return ""


def _digest(page: ListPage) -> bytes:
    """Tell a page from others: a tenant that goes round in a circle without stating a total would never end."""
    return hashlib.sha256(b"\x1f".join(page.rows)).digest()


def _filter_stamp(moment: datetime, form: str, zone: str) -> str:
    """Write the beginning of a window as the filter wants it: in the tenant's zone, unless the form itself says UTC.

    Over the hour that is repeated in autumn the window takes in more rather than less.
    """
    if form.endswith("Z"):
        return moment.astimezone(UTC).strftime(form)
    local = ZoneInfo(zone)
    return not_after(moment, local).replace(tzinfo=local).strftime(form)


def _is_after(record: SourceRecord, end: datetime) -> bool:
    return record.changed_at is not None and record.changed_at >= end


def _clock_check(remote: datetime | None, ours: datetime) -> tuple[bool, str]:
    if remote is None:
        return False, "the answers carry no Date header, so JAGGAER's clock is unknown"
    seconds = round((remote - ours).total_seconds())
    if not seconds:
        return True, "JAGGAER's clock and ours are in step"
    ahead = "ahead of" if seconds > 0 else "behind"
    return abs(remote - ours) <= CLOCK_SKEW, f"JAGGAER's clock is {abs(seconds)} s {ahead} ours"
