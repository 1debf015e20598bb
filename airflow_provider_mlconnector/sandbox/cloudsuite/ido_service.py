"""CSI's IDO REST service, version 2: load, update, invoke, info, configurations (``reference/cloudsuite.md §4a``).

Failures come as HTTP 200 with ``Success: false``. Names of calls, for faults and counts: ``CsiLoad SLPos``,
``CsiUpdate SLAptrxs``, ``CsiInvoke``, ``CsiInfo``, ``CsiConfigurations``, ``CsiUnknown``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.cloudsuite import ido_load
from airflow_provider_mlconnector.sandbox.cloudsuite.attempts import Attempt, Outcome
from airflow_provider_mlconnector.sandbox.cloudsuite.columns import Column
from airflow_provider_mlconnector.sandbox.cloudsuite.gateway import gateway_error
from airflow_provider_mlconnector.sandbox.cloudsuite.ido_filter import FilterError
from airflow_provider_mlconnector.sandbox.cloudsuite.ido_load import Loader
from airflow_provider_mlconnector.sandbox.cloudsuite.ido_text import TextError
from airflow_provider_mlconnector.sandbox.cloudsuite.ido_update import Updater
from airflow_provider_mlconnector.sandbox.cloudsuite.ido_view import IdoError, privileged, view
from airflow_provider_mlconnector.sandbox.cloudsuite.surface import IdoBooks, PersonAction, Site
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Refused, whole
from airflow_provider_mlconnector.sandbox.jsonio import dumps

BASE = "IDORequestService/ido/"
METHODS = {"load": "GET", "info": "GET", "configurations": "GET", "update": "POST", "invoke": "POST"}
EMPTY: dict[str, dict[str, Any]] = {
    "load": {"Items": None, "Bookmark": None, "MoreRowsExist": False},
    "update": {"RefreshItems": None, "Bookmark": None},
    "invoke": {"Parameters": None, "ReturnValue": None},
    "info": {"Keys": [], "Properties": [], "SubCollections": []},
}
"""What else an answer holds when it is a failure; of ``info`` empty lists are documented."""
TYPES = {
    "text": ("String", "nvarchar", "System.String"),
    "number": ("Decimal", "decimal", "System.Decimal"),
    "int": ("Long Integer", "int", "System.Int32"),
    "flag": ("Byte", "tinyint", "System.Byte"),
    "date": ("Date", "datetime", "System.DateTime"),
    "stamp": ("Date", "datetime", "System.DateTime"),
}
"""Kind → DataType, ColumnDataType and ClrTypeName of ``info`` (SIM: their values)."""


class IdoService:
    """The surface of CSI; what it serves are the books'."""

    prefix = "CSI"

    def __init__(self, site: Site, books: IdoBooks) -> None:
        self._site, self._books, self._loader = site, books, Loader()

    def call_name(self, path: str, query: Mapping[str, str], method: str) -> str:  # noqa: ARG002 - one seam
        """Name a call; see the module for the names."""
        call, ido = _parts(path)
        name = f"Csi{call.capitalize()}" if call else "CsiUnknown"
        return f"{name} {ido}" if call in ("load", "update") else name

    def writes(self, path: str, method: str) -> bool:  # noqa: ARG002 - one seam
        """Tell whether a request may change the books."""
        return method == "POST"

    def ledger(self) -> dict[str, Any]:
        """Return the books."""
        self._books.tick()
        return self._books.ledger()

    def persons(self) -> Mapping[str, PersonAction]:
        """Return what people can do."""
        self._books.tick()
        return self._books.persons()

    def truth(self) -> dict[str, Any]:
        """Return which kind of document each generated one is."""
        return self._books.truth()

    async def handle(self, request: Request, path: str, user: str) -> Response:
        """Answer one request."""
        call, ido = _parts(path)
        options = self._site.options
        if not call:
            return gateway_error(options, 404, "No such path in this API")
        if request.method != METHODS[call]:
            return gateway_error(options, 405, f"{request.method} is not allowed here")
        body = await request.body()
        self._books.tick()
        if call == "configurations":
            return _json({"Success": True, "Message": None, "Configurations": [*options.configurations]})
        if request.headers.get("x-infor-mongooseconfig", "") not in options.configurations:
            failure = {"Message": "The configuration is missing or unknown", "Success": False}
            return _json(EMPTY.get(call, {}) | failure, options.config_error)
        try:
            return _json(self._answer(request, call, ido, user, body))
        except (IdoError, FilterError, TextError, Refused) as error:
            return _json(EMPTY.get(call, {}) | {"Message": str(error), "Success": False})

    def _answer(self, request: Request, call: str, ido: str, user: str, body: bytes) -> dict[str, Any]:
        parameters = {name.lower(): value for name, value in request.query_params.items()}
        if call == "load":
            return self._load(ido, parameters)
        if call == "info":
            return self._info(ido)
        if call == "invoke":
            return self._invoke(request, ido, parameters.get("method", ""), user, _document(body))
        origin = self._site.origin(request, user)
        updater = Updater(self._site, self._books, view(self._site, self._books, ido), origin)
        return updater.update(_document(body), refresh=parameters.get("refresh", "").lower() == "true")

    def _load(self, ido: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        found = view(self._site, self._books, ido)
        privileged(self._site, ido, "Read")
        asked = ido_load.read(found, parameters, self._site.options)
        # derived properties read other tables: any change may be one of this list
        version = sum(table.version for table in self._books.tables.values())
        return self._loader.load(found, asked, version)

    def _invoke(self, request: Request, ido: str, name: str, user: str, body: Any) -> dict[str, Any]:  # noqa: ANN401
        method = self._books.methods.get((ido, name))
        if method is None:
            message = f"Method {name} not found on IDO {ido}"
            raise IdoError(message)
        if not isinstance(body, list) or not all(value is None or isinstance(value, str) for value in body):
            message = "Parameters must be a list of strings"
            raise IdoError(message)
        origin = self._site.origin(request, user)
        try:
            with whole(self._books.tables.values()):
                returned = method([*body], origin)
        except Refused as error:
            self._site.attempts.append(Attempt(origin, "CsiInvoke", ido, "", name, "refused", str(error)))
            raise
        outcome: Outcome = "stored" if returned.value == "0" else "refused"
        sent = {"parameters": body, "returned": returned.parameters}
        self._site.attempts.append(Attempt(origin, "CsiInvoke", ido, "", name, outcome, detail=sent))
        answer = {"Parameters": returned.parameters, "ReturnValue": returned.value}
        return {"Message": None, "Success": True} | answer

    def _info(self, ido: str) -> dict[str, Any]:
        found = view(self._site, self._books, ido)
        return {
            "Message": None,
            "Success": self._site.options.info_success,
            "Keys": [*found.table.keys],
            "Properties": [_property(column) for column in found.columns.values()],
            "SubCollections": [],
            "PrimaryBaseTable": found.table.base_table,
            "PrimaryBaseTableAlias": found.table.alias,
        }


def _parts(path: str) -> tuple[str, str]:
    """Return call and IDO of a path, empty if it is none of the service's."""
    call, _, ido = path.removeprefix(BASE).partition("/") if path.startswith(BASE) else ("", "", "")
    fits = call in METHODS and "/" not in ido and bool(ido) == (call != "configurations")
    return (call, ido) if fits else ("", "")


def _document(body: bytes) -> Any:  # noqa: ANN401 - whatever JSON came
    try:
        return json.loads(body)
    except ValueError as error:  # SIM: maybe 400
        message = "The body is not JSON"
        raise IdoError(message) from error


def _property(column: Column) -> dict[str, Any]:
    data, stored, runtime = TYPES[column.kind]
    return {
        "Name": column.name,
        "DataType": data,
        "ColumnDataType": stored,
        "ClrTypeName": runtime,
        "Length": column.length or 0,
        "DecimalPos": column.decimals if column.kind == "number" else 0,
        "ReadOnly": not column.writable,
        "Required": column.required,
    }


def _json(body: object, status: int = 200) -> Response:
    return Response(dumps(body), status, media_type="application/json")
