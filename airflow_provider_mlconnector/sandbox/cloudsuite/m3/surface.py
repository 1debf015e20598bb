"""M3 as a surface behind the gateway: ``/{ti}/M3/m3api-rest/v2/execute`` (``reference/cloudsuite.md §4b``).

Names of calls: ``M3Execute PROGRAM Transaction`` for GET, whose path says it, and ``M3Execute`` for POST.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.cloudsuite.m3 import oracle, person, posting, setup
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.books import Books
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.execute import (
    DEFAULT_ROWS,
    Asked,
    Execution,
    Json,
    Settings,
    Terminated,
    answer,
)
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.generic import PROGRAMS
from airflow_provider_mlconnector.sandbox.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.sandbox.cloudsuite.surface import PersonAction, Site
from airflow_provider_mlconnector.sandbox.jsonio import dumps

ROOT = "m3api-rest/v2/execute"
SETTINGS = ("maxrecs", "metadata", "excludempty", "returncols", "cono", "divi", "righttrim", "extendedresult", "m3user")
"""Parameters that are no inputs of the transaction; ``metadata`` is passed over in version 2."""
_FALSE = {"", "false", "0"}


class M3Surface:
    """One M3 company."""

    prefix = "M3"

    def __init__(self, site: Site) -> None:
        self._site, self._options = site, M3Options(**site.options.m3)
        self._books: Books = setup.opened(seed=site.seed, start=site.now(), options=self._options)

    def call_name(self, path: str, query: Mapping[str, str], method: str) -> str:  # noqa: ARG002 - one seam
        """Name a call; see the module."""
        if not _below(path):
            return "M3Unknown"
        program, transaction, _ = _target(path)
        return " ".join(filter(None, ("M3Execute", program, transaction)))

    def writes(self, path: str, method: str) -> bool:
        """Tell whether a request may change the books: a transaction run by GET writes like any other."""
        if method == "POST":
            return True
        program, name, _ = _target(path) if _below(path) else ("", "", "")
        transaction = PROGRAMS.get(program, {}).get(name)
        return transaction is not None and bool(transaction.writes)

    async def handle(self, request: Request, path: str, user: str) -> Response:
        """Answer one request."""
        if not _below(path):
            return _json({"message": "Not Found"}, 404)
        posting.run(self._books, self._site.now())
        origin = self._site.origin(request, user)
        name = self.call_name(path, request.query_params, request.method)
        execution = Execution(self._books, self._site.attempts, origin, name)
        program, transaction, matrix = _target(path)
        try:
            if request.method == "GET" and transaction:
                shown = self._single(execution, program, transaction, matrix, request.query_params.multi_items())
            elif request.method == "POST" and not program:
                shown = self._bulk(execution, await request.body(), request.query_params)
            else:
                return _json({"message": "Method Not Allowed"}, 405)
        except Terminated as error:
            shown = answer([], error)
        except ValueError as error:
            return _json({"message": f"Bad Request: {error}"}, 400)
        failed = shown["wasTerminated"] or shown["nrOfFailedTransactions"]
        return _json(shown, int(self._options.mi_errors) if failed else 200)

    def ledger(self) -> dict[str, Any]:
        """Return M3's part of the oracle; see ``oracle.ledger``."""
        posting.run(self._books, self._site.now())
        return {"m3": oracle.ledger(self._books)}

    def persons(self) -> Mapping[str, PersonAction]:
        """Return what people can do in M3; see ``person``."""
        return {kind: partial(self._act, action) for kind, action in person.ACTIONS.items()}

    def _act(self, action: person.Action, body: dict[str, Any]) -> dict[str, Any]:
        posting.run(self._books, self._site.now())
        return action(self._books, self._site.person(), body)

    def _single(
        self, execution: Execution, program: str, transaction: str, matrix: Mapping[str, str],
        query: Iterable[tuple[str, str]],
    ) -> Json:  # fmt: skip
        said = dict(matrix)
        inputs: dict[str, str] = {}
        for name, value in query:
            if name not in SETTINGS:
                inputs[name] = value
            elif name != "maxrecs" or self._options.query_maxrecs:
                said.setdefault(name, value)
        settings = Settings(
            company=_whole(said.get("cono"), self._options.company),
            division=said.get("divi", ""),
            rows=_whole(said.get("maxrecs"), DEFAULT_ROWS),
            trimmed=_flag(said.get("righttrim")),
            no_empty=_flag(said.get("excludempty")),
            echo=self._options.echo_parameters and _flag(said.get("extendedresult")),
        )
        columns = tuple(filter(None, said.get("returncols", "").split(",")))
        return execution.run(program, [Asked(transaction, inputs, columns)], settings)

    def _bulk(self, execution: Execution, body: bytes, query: Mapping[str, str]) -> Json:
        """Run a bulk call; SIM: ``righttrim`` and ``excludempty`` are taken from the query here too."""
        said = json.loads(body)
        if not isinstance(said, dict) or not isinstance(said.get("transactions"), list):
            message = "an object with a list of transactions is needed"
            raise ValueError(message)  # noqa: TRY004 - a bad request like any other
        settings = Settings(
            company=_whole(said.get("cono"), self._options.company),
            division=str(said.get("divi") or ""),
            rows=_whole(said.get("maxReturnedRecords"), DEFAULT_ROWS),
            trimmed=_flag(query.get("righttrim")),
            no_empty=_flag(query.get("excludempty")),
            echo=self._options.echo_parameters,
        )
        return execution.run(str(said.get("program", "")), [_asked(each) for each in said["transactions"]], settings)


def _below(path: str) -> bool:
    bare = path.partition(";")[0].rstrip("/")
    return bare == ROOT or bare.startswith(f"{ROOT}/")


def _target(path: str) -> tuple[str, str, dict[str, str]]:
    """Return program, transaction and matrix parameters of a path, as far as it names them."""
    bare, *pairs = path.split(";")
    program, _, transaction = bare.removeprefix(ROOT).strip("/").partition("/")
    matrix = {name: value for name, _, value in (pair.partition("=") for pair in pairs)}
    return program, transaction, matrix


def _asked(entry: Any) -> Asked:  # noqa: ANN401 - whatever JSON held
    if not isinstance(entry, dict):
        message = "a transaction is an object"
        raise ValueError(message)  # noqa: TRY004 - a bad request like any other
    record = entry.get("record") or {}
    inputs = {str(name): "" if value is None else str(value) for name, value in record.items()}
    return Asked(str(entry.get("transaction", "")), inputs, tuple(entry.get("selectedColumns") or ()))


def _whole(value: object, default: int) -> int:
    """Read a whole number; raises ValueError for what is none."""
    return default if value is None or value == "" else int(str(value))


def _flag(value: object) -> bool:
    return str(value or "").lower() not in _FALSE


def _json(body: object, status: int = 200) -> Response:
    return Response(dumps(body), status, media_type="application/json")
