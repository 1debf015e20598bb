"""FSM as a surface behind the gateway: ``/{ti}/FSM/fsm/soap/classes/{BC}/lists/_generic`` (§4d).

Reads only. A page is a list whose first element is the envelope with ``_count`` and ``_links``, each further one a
row. The link to the next page comes with ``_links=true`` alone, is relative to ``…/lists/``, and drops that very
parameter. Names of calls: ``FsmList {BC}``; ``FsmUnknown``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.cloudsuite.fsm.books import KEYS, Row, opened
from airflow_provider_mlconnector.sandbox.cloudsuite.fsm.options import FsmOptions
from airflow_provider_mlconnector.sandbox.cloudsuite.surface import PersonAction, Site
from airflow_provider_mlconnector.sandbox.jsonio import dumps

_PATH = re.compile(r"fsm/soap/classes/(?P<name>\w+)/lists/_generic/?")
_TERM = re.compile(r'\s*(?P<field>\w+)\s*(?P<op>!=|=)\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*')
CURSOR = "_lk"
"""Last key of the page before."""
_TRUE = "true"


class FsmError(ValueError):
    """A request is refused (SIM: statuses and bodies are undocumented)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class FsmSurface:
    """One FSM data area."""

    prefix = "FSM"

    def __init__(self, site: Site) -> None:
        self._site, self._options = site, FsmOptions(**site.options.fsm)
        self._books = opened(seed=site.seed, start=site.now(), options=self._options)

    def call_name(self, path: str, query: Mapping[str, str], method: str) -> str:  # noqa: ARG002 - one seam
        """Name a call; see the module."""
        found = _PATH.fullmatch(path)
        return f"FsmList {found['name']}" if found else "FsmUnknown"

    def writes(self, path: str, method: str) -> bool:  # noqa: ARG002 - one seam
        """Tell that nothing is written."""
        return False

    async def handle(self, request: Request, path: str, user: str) -> Response:  # noqa: ARG002 - one seam
        """Answer one request."""
        try:
            return _json(self._list(request, path))
        except FsmError as error:
            return _json({"exception": str(error)}, error.status)

    def ledger(self) -> dict[str, Any]:
        """Return every class with its rows, for the oracle."""
        return {"fsm": self._books.rows}

    def persons(self) -> Mapping[str, PersonAction]:
        """Return what people can do: nothing, FSM's records are as they were generated."""
        return {}

    def _list(self, request: Request, path: str) -> Any:  # noqa: ANN401 - a list, or an object by option
        found = _PATH.fullmatch(path)
        if found is None or found["name"] not in KEYS:
            raise FsmError(404, f"Business class of {path} does not exist")
        if request.method != "GET":
            raise FsmError(405, "Method not allowed")
        name, params = found["name"], dict(request.query_params)
        rows = self._wanted(name, params)
        if params.get("_recordCountOnly") == _TRUE:
            return [{"_count": len(rows)}]
        fields = self._fields(name, params.get("_fields", "_all"))
        if name in self._options.records_lists:
            return {"_records": [{"_fields": {each: row[each] for each in fields}} for row in rows]}
        return self._page(name, rows, fields, params)

    def _page(self, name: str, rows: list[Row], fields: list[str], params: dict[str, str]) -> list[Any]:
        start = 0
        if CURSOR in params:
            start = sum(_cursor(name, row) <= params[CURSOR] for row in rows)
        stop = start + self._limit(params)
        shown = rows[start:stop]
        envelope: dict[str, Any] = {}
        if params.get("_omitCountValue") != _TRUE:
            envelope["_count"] = len(rows) if self._options.total_count else len(shown)
        if params.get("_links") == _TRUE:
            envelope["_links"] = [_next(name, shown[-1], params)] if stop < len(rows) else []
        return [envelope, *({"_fields": {each: row[each] for each in fields}} for row in shown)]

    def _limit(self, params: Mapping[str, str]) -> int:
        text = params.get("_limit") or str(self._options.default_limit)
        if not text.isdecimal() or not int(text):
            raise FsmError(400, f"_limit {text} is no number of rows")
        return min(int(text), self._options.most_rows)

    def _wanted(self, name: str, params: Mapping[str, str]) -> list[Row]:
        """Return the rows both filters and ``_fts`` leave, in the order of their keys."""
        rows = self._books.rows[name]
        for field, operator, value in [*_lpl(params.get("_lplFilter", "")), *_filter(params.get("_filter", ""))]:
            self._fields(name, field)
            rows = [row for row in rows if (row[field] == value) is (operator == "=")]
        if since := params.get("_fts"):
            moment = _moment(since)
            rows = [row for row in rows if self._books.stamp(name, row) >= moment]
        return rows

    def _fields(self, name: str, wanted: str) -> list[str]:
        rows = self._books.rows[name]
        known = list(rows[0]) if rows else list(KEYS[name])
        if wanted == "_all":
            return known
        for each in wanted.split(","):
            if rows and each not in known:  # SIM: of a class without records, any field may be one of its own
                raise FsmError(400, f"Field {each} of {name} does not exist")
        return wanted.split(",")


def _next(name: str, last: Row, params: Mapping[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in params.items() if key not in ("_links", CURSOR)}
    query = urlencode(kept | {CURSOR: _cursor(name, last)}, quote_via=quote, safe=",")
    return {"rel": "next", "href": f"../lists/_generic?{query}"}


def _cursor(name: str, row: Row) -> str:
    return "\x1f".join(row[key] for key in KEYS[name])


def _lpl(text: str) -> list[tuple[str, str, str]]:
    """Read an ``_lplFilter``: comparisons joined by ``and``, the whole in parentheses or not."""
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    found: list[tuple[str, str, str]] = []
    while text:
        term = _TERM.match(text)
        if term is None:
            raise FsmError(400, f"LPL filter is not valid at {text}")
        found.append((term["field"], term["op"], re.sub(r"\\(.)", r"\1", term["value"])))
        text = text[term.end() :]
        if text and not text.startswith("and "):
            raise FsmError(400, f"LPL filter is not valid at {text}")
        text = text.removeprefix("and ")
    return found


def _filter(text: str) -> list[tuple[str, str, str]]:
    """Read a ``_filter``: ``Field::Value|Field::Value``."""
    pairs = [part.partition("::") for part in filter(None, text.split("|"))]
    return [(name, "=", value) for name, _, value in pairs]


def _moment(text: str) -> datetime:
    """Read ``_fts`` as ``yyyyMMddHHmmss`` in UTC (SIM: its form is not documented)."""
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise FsmError(400, f"_fts {text} is no moment") from error


def _json(body: object, status: int = 200) -> Response:
    return Response(dumps(body), status, media_type="application/json")
