"""FSM's generic lists, page by page to their end (reference/cloudsuite.md §4d)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.systems.call import Params
from airflow_provider_mlconnector.systems.cloudsuite import rows
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Gateway
from airflow_provider_mlconnector.systems.cloudsuite.fsm.options import FsmOptions
from airflow_provider_mlconnector.systems.cloudsuite.links import onward

_SPOKEN: Final = frozenset({400})
"""A status under which FSM may say what is wrong; which ones it uses is not documented."""
Row = Mapping[str, str]


class Fields(rows.Fields):
    """One record of a business class."""

    __slots__ = ()
    system: ClassVar[str] = "FSM"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; ``date`` is the remote's clock when it answered."""

    rows: Sequence[Row]
    date: datetime | None


class LandmarkClient:
    """One tenant. Not thread-safe.

    Args:
        gateway: Carries the requests.
        options: Connection's and route's choices.
    """

    def __init__(self, gateway: Gateway, options: FsmOptions) -> None:
        self.gateway = gateway
        self.options = options

    @property
    def where(self) -> str:
        """The connection, for messages."""
        return f"connection '{self.gateway.connection}'"

    def pages(self, business_class: str, fields: Sequence[str], *, limit: int | None = None) -> Iterator[Page]:
        """Read the list of a business class to its end: the page without a link to a next one.

        Args:
            business_class: Its name.
            fields: What to read of each record.
            limit: Records per page (option ``page_size``).

        Raises:
            ProtocolError: Pages do not advance, a full page says nothing of a next one, or an answer is none of a list.
        """
        path = f"/{self.options.context.strip('/')}/fsm/soap/classes/{business_class}/lists/_generic"
        size = limit or self.options.page_size
        wanted = {"_fields": ",".join(dict.fromkeys(fields)), "_limit": str(size), "_out": "JSON", "_links": "true"}
        params: Params = [*wanted.items()]
        seen = set[str]()
        while True:
            reply = self.gateway.get(path, f"list of {business_class}", params=params, accepts=_SPOKEN)
            page = self._read(reply.body, business_class, size)
            yield Page(page.rows, reply.date)
            if not page.link:
                return
            if page.link in seen or not page.rows:
                msg = f"{self.where}: the pages of {business_class} do not advance, so they cannot be read to the end"
                raise ProtocolError(msg)
            seen.add(page.link)
            there = onward(page.link, path, tenant=self.gateway.tenant, where=self.where)
            # the link forgets that links were asked for: without it the next page would look like the last
            params = [*(pair for pair in there if pair[0] != "_links"), ("_links", "true")]

    def _read(self, body: bytes, business_class: str, size: int) -> _Listed:
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if isinstance(answer, dict) and isinstance(answer.get("_records"), list):
            return _Listed(self._records(answer["_records"], business_class, body), "")  # some setup lists: all in one
        if not isinstance(answer, list) or not answer or not isinstance(answer[0], dict) or "_fields" in answer[0]:
            said = answer.get("exception") if isinstance(answer, dict) else None
            msg = f"{self.where}: {business_class} was not answered with a list{f': {said}' if said else ''}"
            raise ProtocolError(msg, evidence=body)
        envelope, found = answer[0], self._records(answer[1:], business_class, body)
        links = envelope.get("_links")
        if links is None and len(found) >= size:
            msg = f"{self.where}: a full page of {business_class} does not say whether another follows"
            raise ProtocolError(msg, evidence=body)
        return _Listed(found, _next(links or []))

    def _records(self, records: Sequence[Any], business_class: str, body: bytes) -> list[Row]:
        found = [record.get("_fields") if isinstance(record, dict) else None for record in records]
        if not all(isinstance(one, dict) for one in found):
            msg = f"{self.where}: a record of {business_class} has no fields"
            raise ProtocolError(msg, evidence=body)
        return [{name: "" if value is None else str(value) for name, value in one.items()} for one in found if one]


@dataclass(frozen=True, slots=True)
class _Listed:
    rows: list[Row]
    link: str


def _next(links: Sequence[Any]) -> str:
    named = (link for link in links if isinstance(link, dict) and link.get("rel") == "next")
    return next((str(link.get("href") or "") for link in named), "")
