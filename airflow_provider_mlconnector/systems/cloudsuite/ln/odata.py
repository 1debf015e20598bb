"""LN's OData services, version 4: lists to their proven end (reference/cloudsuite.md §4c)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any, ClassVar, Final

from airflow_provider_mlconnector.errors import ConfigurationError, ProtocolError
from airflow_provider_mlconnector.systems.call import Params, Reply
from airflow_provider_mlconnector.systems.cloudsuite import rows
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Gateway
from airflow_provider_mlconnector.systems.cloudsuite.links import onward
from airflow_provider_mlconnector.systems.cloudsuite.ln.options import LnOptions

ORDERS: Final = "tdapi.purPurchaseOrder"
NEXT: Final = "@odata.nextLink"
_NO_DAY: Final = date(1970, 1, 1)
"""LN's way to say that there is none."""
_SPOKEN: Final = frozenset({400, 403, 404, 405, 406, 422})
"""Statuses under which LN speaks itself (§4c)."""
Row = Mapping[str, Any]


class Fields(rows.Fields):
    """One row of an entity set."""

    __slots__ = ()
    system: ClassVar[str] = "LN"

    def day(self, name: str) -> date | None:
        """Return a calendar day; the first of January 1970 is none."""
        return None if self.read_day(self.text(name)) == _NO_DAY else super().day(name)


@dataclass(frozen=True, slots=True)
class Page:
    """One page: rows with texts only, but for rows expanded below them; ``date`` is the remote's clock."""

    rows: Sequence[Row]
    date: datetime | None


class LnClient:
    """One company of one tenant. Not thread-safe.

    Args:
        gateway: Carries the requests.
        options: Connection's and route's choices.
    """

    def __init__(self, gateway: Gateway, options: LnOptions) -> None:
        self.gateway = gateway
        self.options = options

    @property
    def where(self) -> str:
        """The connection, for messages."""
        return f"connection '{self.gateway.connection}'"

    def pages(self, service: str, entity_set: str, query: Mapping[str, str]) -> Iterator[Page]:
        """Read a list to its end, which the count of the first page proves.

        Raises:
            ConfigurationError: The service is not active for the company, or not allowed.
            ProtocolError: Rows are missing at the end, pages do not advance, or an answer is none of a list.
        """
        path = f"/{self.options.context.strip('/')}/lnapi/odata/{service}/{entity_set}"
        params: Params = [*query.items(), ("$count", "true")]
        total, seen, links = None, 0, set[str]()
        while True:
            reply, body = self._get(path, f"{service} {entity_set}", params)
            found = body.get("value")
            if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
                msg = f"{self.where}: {entity_set} was not answered with a list of rows"
                raise ProtocolError(msg, evidence=reply.body, request_id=reply.request_id)
            total = body.get("@odata.count", total)
            seen += len(found)
            yield Page([_row(row) for row in found], reply.date)
            link = body.get(NEXT)
            if not link:
                break
            if link in links or not found:
                msg = f"{self.where}: the pages of {entity_set} do not advance, so the list cannot be read to its end"
                raise ProtocolError(msg)
            links.add(link)
            params = onward(str(link), path, tenant=self.gateway.tenant, where=self.where)
        if total is not None and seen < int(total):
            msg = f"{self.where}: {entity_set} has {total} rows and ends after {seen}"
            raise ProtocolError(msg)

    def _get(self, path: str, name: str, params: Params) -> tuple[Reply, dict[str, Any]]:
        if not self.options.company:
            msg = f"{self.where}: LN needs the number of the company; fill in field Company"
            raise ConfigurationError(msg, field=f"{self.where}, field Company")
        headers = {"X-Infor-LnCompany": self.options.company, "Content-Language": "en-US"}
        reply = self.gateway.get(path, name, params=params, headers=headers, accepts=_SPOKEN)
        try:
            body = json.loads(reply.body, parse_float=Decimal)
        except ValueError:
            body = None
        if reply.status != HTTPStatus.OK:
            raise self._refused(reply, name, body)
        if not isinstance(body, dict):
            msg = f"{self.where}: {name} was not answered with JSON"
            raise ProtocolError(msg, evidence=reply.body, request_id=reply.request_id)
        return reply, body

    def _refused(self, reply: Reply, name: str, body: object) -> ConfigurationError | ProtocolError:
        msg = f"{self.where}: LN refused {name} (HTTP {reply.status}): {words(body)}"
        if reply.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
            msg += f"; the service must be activated for company {self.options.company} and its user may read it"
            return ConfigurationError(msg, field=f"{self.where}, LN service {name}", request_id=reply.request_id)
        return ProtocolError(msg, evidence=reply.body, request_id=reply.request_id)


def words(body: object) -> str:
    """Return what an error says, in either of the shapes that LN's have (§4c)."""
    told = body.get("error", body) if isinstance(body, dict) else None
    if not isinstance(told, dict):
        return "no reason given"
    return str(told.get("Message") or told.get("message") or "no reason given")


def _row(row: Mapping[str, Any]) -> Row:
    return {name: value if isinstance(value, list) else _text(value) for name, value in row.items()}


def expanded(row: Row, name: str) -> list[Row]:
    """Return the rows expanded below one."""
    return [_row(one) for one in row.get(name, ()) if isinstance(one, dict)]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
