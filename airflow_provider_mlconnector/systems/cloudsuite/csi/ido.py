"""Mongoose IDO REST v2: load, update, invoke, info, configurations (reference/cloudsuite.md §4a).

Failures come inside HTTP 200. A load returns 200 rows and stops unless told otherwise, so every list is read by
bookmark to its last row. One property that a tenant's version lacks fails a whole load, so what an IDO has is asked
once per client.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, urlencode

import msgspec

from airflow_provider_mlconnector.errors import ConfigurationError, ProtocolError
from airflow_provider_mlconnector.systems.call import Effect, Reply
from airflow_provider_mlconnector.systems.cloudsuite.csi import answers, filters, replies
from airflow_provider_mlconnector.systems.cloudsuite.csi.answers import ITEM_ID, Info, Invoked, Page, Row, Saved
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.cloudsuite.csi.requests import Action, Change, Query
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Gateway
from airflow_provider_mlconnector.systems.ports import Fence

__all__ = ["ITEM_ID", "Action", "Change", "IdoClient", "Info", "Invoked", "Page", "Query", "Row", "Saved"]

log = logging.getLogger(__name__)

LONGEST_QUERY = 7000
"""Characters of a query: http.sys refuses request lines near 16 KB, proxies earlier; room is left for host and path."""
_BOOKMARK_ROOM = 1200
_EQUAL_PAGES = 3
"""How often a page may come back in one list: rows of few properties may be equal by chance, a circle never ends."""
_IN_BAND = frozenset({400})
"""A status besides 200 under which the service may speak itself; which ones it uses is not known (§9.4)."""


class IdoClient:
    """One configuration of one tenant. Not thread-safe.

    Args:
        gateway: Carries the requests.
        options: Connection's and route's choices.
    """

    def __init__(self, gateway: Gateway, options: CsiOptions) -> None:
        self.gateway = gateway
        self.options = options
        self._known: dict[str, Info] = {}
        self._warned: set[str] = set()
        self._root = f"/{options.context.strip('/')}/IDORequestService/ido"
        headers = {"X-Infor-MongooseConfig": options.configuration, "X-Infor-Site": options.site}
        self._headers = {name: value for name, value in headers.items() if value}

    # --- reading ---------------------------------------------------------------------------------------------------

    def rows(self, query: Query) -> Iterator[Row]:
        """Load all records of a query, to the last one; one page at a time is held.

        Raises:
            ConfigurationError: The version lacks a property that is needed, or the user a privilege.
            ProtocolError: Pages do not advance, or the answer is none of a load.
            Unavailable: CSI was too busy.
        """
        for page in self.pages(query):
            yield from page.rows

    def rows_in(self, query: Query, key: str, literals: Sequence[str]) -> Iterator[Row]:
        """Load the records of a query whose ``key`` is one of ``literals``, in as few requests as URLs allow."""
        for where in filters.in_chunks(key, literals, room=self.room(query), also=query.where):
            yield from self.rows(replace(query, where=where))

    def pages(self, query: Query, *, bookmark: str = "") -> Iterator[Page]:
        """Load page by page, from ``bookmark`` on; see :meth:`rows`. A list without records is one empty page."""
        seen = {bookmark}
        before: tuple[Row, ...] = ()
        times = Counter[bytes]()
        while True:
            page = self.page(query, bookmark=bookmark)
            bookmark = page.bookmark
            times[shown := _digest(page)] += 1
            if bookmark and (bookmark in seen or not page.rows or page.rows == before or times[shown] > _EQUAL_PAGES):
                msg = f"{self._where}: the pages of {query.ido} do not advance, so the list cannot be read to its end"
                raise ProtocolError(msg)
            yield page
            if not bookmark:
                return
            seen.add(bookmark)
            before = page.rows

    def page(self, query: Query, *, bookmark: str = "", cap: int | None = None) -> Page:
        """Load one page of at most ``cap`` records (option ``page_size``); see :meth:`rows`."""
        spelled = self.spelled(query)
        params = {
            **_fixed(spelled, query),
            "recordCap": str(cap or self.options.page_size),
            "loadType": "NEXT" if bookmark else "FIRST",
            **({"filter": query.where} if query.where else {}),
            **({"bookmark": bookmark} if bookmark else {}),
        }
        name = f"load of {query.ido}"
        reply = self._get(f"/load/{query.ido}", name, params)
        body = replies.decoded(reply, answers.Loaded, where=self._where, name=name)
        if not body.success:
            raise replies.refused_read(body.message, reply, where=self._where, name=name)
        if body.more_rows_exist is msgspec.UNSET or (body.more_rows_exist and not body.bookmark):
            msg = f"{self._where}: the answer to the {name} does not say whether, or where, more records follow"
            raise ProtocolError(msg, evidence=reply.body, request_id=reply.request_id)
        items = replies.items(reply, body, self.info(query.ido).keys or query.needs, where=self._where, name=name)
        rows = tuple(_row(item, spelled) for item in items)
        return Page(rows, (body.bookmark or "") if body.more_rows_exist else "", reply.date)

    def remote_time(self, query: Query) -> datetime:
        """Return the remote's clock (aware, UTC), as the answer to a load of one record tells it.

        Raises:
            ProtocolError: The answer carries no Date header.
        """
        page = self.page(query, cap=1)
        if page.date is None:
            msg = f"{self._where}: answers carry no Date header, so CSI's clock is unknown"
            raise ProtocolError(msg)
        return page.date

    def room(self, query: Query) -> int:
        """Return how many characters of a URL are left for the filter of a query."""
        fixed = _fixed(self.spelled(query), query)
        return LONGEST_QUERY - len(urlencode(fixed, quote_via=quote_plus, safe="/")) - _BOOKMARK_ROOM

    # --- what an IDO has -------------------------------------------------------------------------------------------

    def info(self, ido: str) -> Info:
        """Return what an IDO has in the tenant's version; asked once per client."""
        if ido not in self._known:
            name = f"info of {ido}"
            reply = self._get(f"/info/{ido}", name, {})
            body = replies.decoded(reply, answers.Described, where=self._where, name=name)
            known = answers.read_info(ido, body)
            if not known.properties:
                log.warning("%s: CSI describes no properties of %s, so all are taken for there", self._where, ido)
            self._known[ido] = known
        return self._known[ido]

    def spelled(self, query: Query) -> dict[str, str]:
        """Return our name → the tenant's spelling of each property it has, empty of each optional one it lacks.

        Raises:
            ConfigurationError: One that is needed is missing.
        """
        info = self.info(query.ido)
        names = {name: info.spelled(name) for name in dict.fromkeys((*query.needs, *query.likes, *query.variants))}
        if missing := [name for name in query.needs if not names[name]]:
            msg = (
                f"{self._where}: {query.ido} has no property {', '.join(missing)} in configuration"
                f" {self.options.configuration!r}, and this flow needs it; ask CSI's administrator"
            )
            raise ConfigurationError(msg, field=f"{self._where}, IDO {query.ido}")
        lacking = [name for name in query.likes if not names[name]]
        if lacking and query.ido not in self._warned:
            self._warned.add(query.ido)
            log.warning("%s: %s has no %s in this version; read as empty", self._where, query.ido, ", ".join(lacking))
        return names

    def configurations(self) -> tuple[str, ...]:
        """List the configurations of the tenant."""
        name = "configurations"
        reply = self.gateway.get(f"{self._root}/configurations", name, params={"configGroup": ""}, accepts=_IN_BAND)
        body = replies.decoded(reply, answers.Listed, where=self._where, name=name)
        if not body.success:
            raise replies.refused_read(body.message, reply, where=self._where, name=name)
        found = (one.get("Name") if isinstance(one, dict) else one for one in body.configurations or ())
        return tuple(str(one) for one in found if one)

    # --- writing ---------------------------------------------------------------------------------------------------

    def update(
        self,
        ido: str,
        change: Change,
        *,
        effect: Effect,
        fence: Fence | None = None,
        refresh: bool = True,
        name: str = "",
    ) -> Saved:
        """Write one record; several changes in one request may be carried out in part (reference/cloudsuite.md §4a).

        Args:
            ido: The IDO.
            change: What to write.
            effect: ``WRITE``, or ``ABSOLUTE`` where repeating is safe.
            fence: Checked right before the bytes leave.
            refresh: Ask for the record as it is afterwards.
            name: What logs and errors call the request.

        Raises:
            Refused: CSI said no: nothing was written; ``remote_text`` has its words.
            AmbiguousOutcome: No answer that could be read: it may have been written.
            MLConnectorError: Any other is proof that nothing was written.
        """
        name = name or f"{change.action.name.lower()} in {ido}"
        body = {"IDOName": ido, "RefreshAfterSave": refresh, "Changes": [self._written(ido, change)]}
        reply = self._post(f"/update/{ido}", name, body, {"refresh": str(refresh).lower()}, effect=effect, fence=fence)
        answer = replies.business(reply, answers.Updated, where=self._where, name=name, effect=effect)
        properties, item_id = answers.read_refreshed(answer.refresh_items)
        return Saved(properties, item_id, answer.message or "", reply.request_id)

    def invoke(
        self,
        ido: str,
        method: str,
        parameters: Sequence[str | None],
        *,
        effect: Effect,
        fence: Fence | None = None,
    ) -> Invoked:
        """Run a method; errors as :meth:`update`. A return value other than 0 is a refusal.

        Args:
            ido: The IDO.
            method: Its method.
            parameters: By position, outputs as empty texts.
            effect: See :meth:`update`.
            fence: See :meth:`update`.
        """
        name = f"{ido}.{method}"
        reply = self._post(f"/invoke/{ido}", name, list(parameters), {"method": method}, effect=effect, fence=fence)
        answer = replies.business(reply, answers.Invocation, where=self._where, name=name, effect=effect)
        given = tuple(answer.parameters or ())
        if str(answer.return_value or "0") != "0":
            # the text stands in the Infobar, an output parameter, the last one by custom
            words = next((value for value in reversed(given) if value), "") or answer.message or ""
            raise replies.refused_write(words, reply, where=self._where, name=name, effect=effect)
        return Invoked(given, answer.message or "", reply.request_id)

    def _written(self, ido: str, change: Change) -> dict[str, Any]:
        info = self.info(ido)
        names = self.spelled(Query(ido, tuple(change.properties)))
        item_id = change.item_id
        if not item_id and change.action is Action.INSERT and info.base_table:
            item_id = f"PBT=[{info.base_table}]"
        properties = [
            {"Name": names[name], "Value": value or "", "Modified": True, "IsNull": value is None}
            for name, value in change.properties.items()
        ]
        return {
            "Action": int(change.action),
            "ItemId": item_id,
            "ItemNo": 0,
            "UpdateLocking": 0,
            "Properties": properties,
        }

    # --- requests and answers --------------------------------------------------------------------------------------

    @property
    def _where(self) -> str:
        return f"connection '{self.gateway.connection}'"

    def _get(self, path: str, name: str, params: Mapping[str, str]) -> Reply:
        self._need_configuration(name)
        return self.gateway.get(self._root + path, name, params=params, headers=self._headers, accepts=_IN_BAND)

    def _post(
        self, path: str, name: str, body: object, params: Mapping[str, str], *, effect: Effect, fence: Fence | None
    ) -> Reply:
        self._need_configuration(name)
        return self.gateway.post(
            self._root + path,
            name,
            body,
            effect=effect,
            params=params,
            headers=self._headers,
            fence=fence,
            accepts=_IN_BAND,
        )

    def _need_configuration(self, name: str) -> None:
        if not self.options.configuration:
            msg = f"{self._where}: the {name} needs the Mongoose configuration; fill in field Configuration"
            raise ConfigurationError(msg, field=f"{self._where}, field Configuration")


def _digest(page: Page) -> bytes:
    return hashlib.sha256(msgspec.json.encode(page.rows)).digest()


def _fixed(spelled: Mapping[str, str], query: Query) -> dict[str, str]:
    """Return the parameters that do not change from page to page, the filter aside."""
    by = {"orderBy": ",".join(spelled.get(name) or name for name in query.order)} if query.order else {}
    properties = ",".join(there for there in spelled.values() if there)
    return {"properties": properties, **by, "readOnly": "false" if query.locks else "true"}


def _row(item: Mapping[str, str | None], spelled: Mapping[str, str]) -> Row:
    row = {name: item.get(there) if there else None for name, there in spelled.items()}
    if ITEM_ID in item:
        row[ITEM_ID] = item[ITEM_ID]
    return row
