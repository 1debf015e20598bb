"""LN as a surface behind the gateway: ``/{ti}/LN/lnapi/odata/{service}/{EntitySet}`` (``reference/cloudsuite.md §4c``).

Reads only. Names of calls: ``LnRead Orders``, ``LnRead Lines``; ``LnUnknown``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.cloudsuite.ln import query
from airflow_provider_mlconnector.sandbox.cloudsuite.ln.books import SERVICE, Row, opened
from airflow_provider_mlconnector.sandbox.cloudsuite.ln.options import LnOptions
from airflow_provider_mlconnector.sandbox.cloudsuite.surface import PersonAction, Site
from airflow_provider_mlconnector.sandbox.jsonio import dumps

_PATH = re.compile(r"lnapi/odata/(?P<service>[\w.]+)/(?P<set>\w+)(?:\((?P<key>[^()]*)\))?/?")
KEYS = {"Orders": ("PurchaseOrder",), "Lines": ("PurchaseOrder", "Line", "Sequence")}
"""Entity set → its keys."""
NAVIGATIONS = {"Orders": {"LineRefs": "Lines"}, "Lines": {"OrderRef": "Orders"}}
"""Entity set → navigation → entity set (§4c names more)."""
SKIP_TOKEN = "$skiptoken"  # noqa: S105 - a query option


class LnError(ValueError):
    """A request is refused; the text is the message of the error body."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class LnSurface:
    """One LN company."""

    prefix = "LN"

    def __init__(self, site: Site) -> None:
        self._site, self._options = site, LnOptions(**site.options.ln)
        self._books = opened(seed=site.seed, start=site.now(), options=self._options)
        self._sets: dict[str, list[Row]] = {"Orders": self._books.orders, "Lines": self._books.lines}

    def call_name(self, path: str, query: Mapping[str, str], method: str) -> str:  # noqa: ARG002 - one seam
        """Name a call; see the module."""
        found = _PATH.fullmatch(path)
        return f"LnRead {found['set']}" if found else "LnUnknown"

    def writes(self, path: str, method: str) -> bool:  # noqa: ARG002 - one seam
        """Tell that nothing is written."""
        return False

    async def handle(self, request: Request, path: str, user: str) -> Response:
        """Answer one request."""
        try:
            return self._read(request, path)
        except query.QueryError as error:
            return self._error(request, LnError(400, str(error)), user)
        except LnError as error:
            return self._error(request, error, user)

    def ledger(self) -> dict[str, Any]:
        """Return the orders with their lines, for the oracle."""
        orders = [order | {"LineRefs": self._books.lines_of(order)} for order in self._books.orders]
        return {"ln": {"purchase_orders": orders}}

    def persons(self) -> Mapping[str, PersonAction]:
        """Return what people can do: nothing, LN's orders are as they were generated."""
        return {}

    def _read(self, request: Request, path: str) -> Response:
        self._check_company(request)
        found = _PATH.fullmatch(path)
        if found is None or found["service"] != SERVICE or SERVICE not in self._options.active:
            raise LnError(404, f"Service {found['service'] if found else path} is not active")
        if found["set"] not in KEYS:
            raise LnError(404, f"Entity set {found['set']} does not exist")
        if request.method != "GET":
            raise LnError(405, "Method not allowed")
        if found["key"] is not None:
            return self._entity(found["set"], found["key"], request)
        return self._page(found["set"], request)

    def _check_company(self, request: Request) -> None:
        """Refuse a request without ``X-Infor-LnCompany`` (SIM: the status)."""
        named = request.headers.get("x-infor-lncompany", "")
        if not named.isdecimal() or int(named) != self._options.company:
            raise LnError(400, f"Company {named!r} of X-Infor-LnCompany does not exist")

    def _page(self, name: str, request: Request) -> Response:
        options = dict(request.query_params)
        asked = self._asked(name, options)
        rows = [row for row in self._sets[name] if asked.matches(row)]
        for column, descending in reversed(asked.order):
            rows.sort(key=lambda row: query.comparable(row[column]), reverse=descending)
        start = int(options.get(SKIP_TOKEN, asked.skip))
        end = len(rows) if asked.top is None else min(len(rows), asked.skip + asked.top)
        stop = min(end, start + self._options.page_size)
        shown: dict[str, Any] = {"@odata.context": f"$metadata#{name}"}
        if asked.count:
            shown["@odata.count"] = len(rows)
        shown["value"] = [self._shown(name, row, asked) for row in rows[start:stop]]
        if stop < end:
            link = f"{name}?{urlencode(options | {SKIP_TOKEN: str(stop)}, quote_via=quote, safe='$')}"
            absolute = str(request.url.replace(query=None)).rpartition("/")[0]
            shown["@odata.nextLink"] = link if self._options.next_link == "relative" else f"{absolute}/{link}"
        return Response(dumps(shown), media_type="application/json")

    def _entity(self, name: str, key: str, request: Request) -> Response:
        parts = [part.rpartition("=")[2].strip().strip("'") for part in key.split(",")]
        for row in self._sets[name]:
            if [str(row[column]) for column in KEYS[name]] == parts:
                asked = self._asked(name, dict(request.query_params))
                return Response(dumps(self._shown(name, row, asked)), media_type="application/json")
        raise LnError(404, f"{name}({key}) does not exist")

    def _asked(self, name: str, options: dict[str, str]) -> query.Query:
        leads = {each: self._columns(other) for each, other in NAVIGATIONS[name].items()}
        return query.read(options, self._columns(name), leads)

    def _columns(self, name: str) -> tuple[str, ...]:
        return tuple(self._sets[name][0]) if self._sets[name] else KEYS[name]

    def _shown(self, name: str, row: Row, asked: query.Query) -> Row:
        shown = {column: row[column] for column in asked.select or row}
        for navigation, columns in asked.expand.items():
            found = [
                {column: other[column] for column in columns or other}
                for other in self._sets[NAVIGATIONS[name][navigation]]
                if other["PurchaseOrder"] == row["PurchaseOrder"]
            ]
            shown[navigation] = found if navigation == "LineRefs" else found[0]
        return shown

    def _error(self, request: Request, error: LnError, user: str) -> Response:
        inner = {
            "StatusCode": error.status,
            "RequestId": f"sandbox-{request.state.request_no}",
            "TenantId": request.scope["path"].split("/")[1],
            "LnUser": user,
            "Company": request.headers.get("x-infor-lncompany", ""),
        }
        body: dict[str, Any] = {"Code": f"LN{error.status}", "Message": str(error), "Details": [], "InnerError": inner}
        if self._options.errors == "odata":
            body = {"error": {"message": str(error), "details": []}}
        return Response(dumps(body), error.status, media_type="application/json")
