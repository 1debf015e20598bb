"""What CSI's sources share: lists by change, in the site's own clock (reference/cloudsuite.md §4a changed-since)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from airflow_provider_mlconnector.documents.model import Document
from airflow_provider_mlconnector.systems import zones
from airflow_provider_mlconnector.systems.cloudsuite.csi import filters, values
from airflow_provider_mlconnector.systems.cloudsuite.csi.base import CsiSystem
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import Query
from airflow_provider_mlconnector.systems.ports import SourceRecord, Window
from airflow_provider_mlconnector.systems.reading import OpenSource

CHANGED, ROW = "RecordDate", "RowPointer"
BY_CHANGE = (CHANGED, ROW)
"""The order of change, made unique by the row: change time alone would skip or repeat rows (§7.4)."""
_TICK = timedelta(milliseconds=1)


class CsiSource(CsiSystem, OpenSource, ABC):
    """Documents of one configuration that are listed by their change.

    A list is read in the order of change, by bookmark, so by key: a row that is changed meanwhile moves behind the end
    of the window, where the next window finds it; none slips between two pages. Two things are given up, both covered
    by the overlap of windows: a change that is committed after a later one was read, and deletions, which CSI shows
    nowhere (reconciliation finds what one side lacks).
    """

    @property
    def ordered_by_change(self) -> bool:
        """Lists go by change time and row, from bookmark to bookmark."""
        return True

    def remote_time(self) -> datetime:
        """Return CSI's clock (aware, UTC), read off the answer to a small load."""
        return self._ido.remote_time(self._clock())

    def complete(self, record: SourceRecord) -> SourceRecord:
        """Return the record: lists say everything."""
        return record

    @abstractmethod
    def decode(self, payload: bytes) -> Document:
        """Turn a payload into the canonical document."""

    @abstractmethod
    def _clock(self) -> Query:
        """Return something small to read, for the remote's clock."""

    def _closed(self, window: Window) -> Window:
        """Return the window with an end: what changes while a pass is on belongs to the next window."""
        return window if window.end is not None else replace(window, end=self.remote_time())

    def _within(self, window: Window, name: str = CHANGED) -> str:
        """Return the filter for rows changed in a window, by the property ``name``, in the site's time.

        Over the hour that is repeated in autumn it takes in more rather than less: rows are sorted out by the time
        they are read as, which is the later one.
        """
        if window.start is None:
            return ""  # all there is, rows without a stamp too
        parts = [filters.at_least(name, filters.moment(zones.not_after(window.start, self._zone)))]
        if window.end is not None:
            parts.append(filters.below(name, filters.moment(zones.not_before(window.end, self._zone) + _TICK)))
        return filters.both(*parts)

    def _changed(self, row: Mapping[str, str | None]) -> datetime | None:
        return values.to_utc(row.get(CHANGED), self._zone)


def inside(records: Iterable[SourceRecord], window: Window) -> list[SourceRecord]:
    """Leave out what changed after the window ended: its rows may have been read at different moments."""
    end = window.end
    return [one for one in records if end is None or one.changed_at is None or one.changed_at < end]
