"""What M3's sources share: lists by key, asked for by day or stamp of change (reference/cloudsuite.md §4b)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from airflow_provider_mlconnector.documents.model import Document
from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.systems.cloudsuite.m3.base import M3System
from airflow_provider_mlconnector.systems.ports import SourceRecord, Window
from airflow_provider_mlconnector.systems.reading import OpenSource

LIST_ACCOUNTS: Final = ("CRS630MI", "LstAccountID")
_A_DAY = timedelta(days=1)


class M3Source(M3System, OpenSource, ABC):
    """Documents of one company that are listed by their key.

    A list is proven to its end (:meth:`~.mi.MiClient.pages`), but it is not in the order of change: two passes must
    agree. What is changed meanwhile is left to the next window.
    """

    def remote_time(self) -> datetime:
        """Return M3's clock (aware, UTC), read off the answer to a small read.

        Raises:
            ProtocolError: The answer carries no Date header.
        """
        answer = self._mi.read(*LIST_ACCOUNTS, {"AITP": str(self._options.cost_center_dimension)})
        if answer.date is None:
            msg = f"{self._mi.where}: answers carry no Date header, so M3's clock is unknown"
            raise ProtocolError(msg)
        return answer.date

    def complete(self, record: SourceRecord) -> SourceRecord:
        """Return the record: lists say everything."""
        return record

    @abstractmethod
    def decode(self, payload: bytes) -> Document:
        """Turn a payload into the canonical document."""

    def _closed(self, window: Window) -> Window:
        """Return the window with an end: what changes while a pass is on belongs to the next window."""
        return window if window.end is not None else replace(window, end=self.remote_time())

    def _first_day(self, moment: datetime) -> date:
        """Return the first day at the site on which something may have changed; a day is all that M3 compares.

        One day more, since nobody says whether days are those of the company's zone or of the user's.
        """
        return moment.astimezone(self._zone).date() - _A_DAY


def inside(records: Iterable[SourceRecord], window: Window) -> list[SourceRecord]:
    """Leave out what changed after the window ended: it belongs to the next one."""
    end = window.end
    return [one for one in records if end is None or one.changed_at is None or one.changed_at < end]
