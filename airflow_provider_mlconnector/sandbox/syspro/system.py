"""The SYSPRO e.net WCF REST service, simulated: routing, sessions, business objects (reference/syspro.md §1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.syspro import dispatch, oracle, queries, sim_texts, wire
from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.options import SysproOptions
from airflow_provider_mlconnector.sandbox.syspro.person import Person
from airflow_provider_mlconnector.sandbox.syspro.records import Origin
from airflow_provider_mlconnector.sandbox.syspro.sessions import COMPANY_PASSWORD, OPERATORS, Sessions
from airflow_provider_mlconnector.sandbox.syspro.tables_ap import ap_tables
from airflow_provider_mlconnector.sandbox.syspro.tables_gl import gl_tables
from airflow_provider_mlconnector.sandbox.syspro.tables_po import po_tables
from airflow_provider_mlconnector.sandbox.syspro.tables_setup import setup_tables
from airflow_provider_mlconnector.sandbox.syspro.wire import EnetError, HttpError

BASE = "/SYSPROWCFService/Rest"
POST_LD = "/transaction/postld"
POST_LD_ROOT = "{http://SYSPROWcfService}TransactionPostLD"
POST_LD_CHILDREN = ("UserId", "BusinessObject", "XmlParameters", "XmlIn")
_OBJECT_CALLS = ("Query", "Post", "SetupAdd", "SetupUpdate", "SetupDelete")
"""The calls that name a business object in the query string."""
_IMPLIED = {"Browse": "COMBRW", "Fetch": "COMFCH"}
"""The calls that imply their business object."""
_CALLS = {
    "/getversion": "GetVersion",
    "/logon": "Logon",
    "/utilities/logon": "Logon",
    "/logoff": "Logoff",
    "/getlogonprofile": "GetLogonProfile",
    "/query/query": "Query",
    "/query/browse": "Browse",
    "/query/fetch": "Fetch",
    "/setup/add": "SetupAdd",
    "/setup/update": "SetupUpdate",
    "/setup/delete": "SetupDelete",
    "/transaction/post": "Post",
    POST_LD: "PostLD",
}


class Clock(Protocol):
    """Whatever tells the time (UTC, aware)."""

    def now(self) -> datetime:
        """Return the current time."""


class SysproSystem:
    """One simulated site with one company. ``handle`` serves every path below ``/SYSPROWCFService/Rest``."""

    def __init__(self, *, seed: int, clock: Clock, options: SysproOptions | None = None) -> None:
        self._clock = clock
        self.reset(seed=seed, options=options or SysproOptions())

    def reset(self, *, seed: int, options: SysproOptions) -> None:
        """Start over: no sessions, no documents, master data as shipped."""
        self.options = options
        self._request_no = 0
        self._books = Books(options=options, now=self._clock.now())
        self._sessions = Sessions(seed=seed, now=self._clock.now, options=options)
        groups = (ap_tables, setup_tables, po_tables, gl_tables)
        self._tables = {table.name: table for group in groups for table in group(self._books)}

    # What tests and the control API use

    def ledger(self) -> dict[str, object]:
        """Return the oracle: documents, journals, GL totals, every write attempt, logons, sessions."""
        return {
            **oracle.ledger(self._books),
            "logons": [oracle.logon(record) for record in self._sessions.logons],
            "sessions": self._sessions.listing(),
        }

    def add(self, kind: str, body: dict[str, Any]) -> dict[str, object]:
        """Do what a person does at the screen; see ``person.Person`` for the kinds.

        Raises:
            ValueError: If the kind is unknown or SYSPRO would refuse it.
            KeyError: If the body lacks a needed part.
        """
        return Person(self._books, self._clock.now()).do(kind, body)

    def evict_all(self) -> None:
        """End every session, as people logging in as the operators would."""
        self._sessions.evict_all()

    def credentials(self) -> dict[str, object]:
        """Return what a user enters in an Airflow connection, without the host; ``OPERATORS`` lists more operators."""
        operator, password = next(iter(OPERATORS.items()))
        return {
            "login": operator,
            "password": password,
            "extra": {"company_id": master.COMPANY, "company_password": COMPANY_PASSWORD},
        }

    def call_name(self, path: str, query: Mapping[str, str], method: str = "GET") -> str:  # noqa: ARG002 - one seam
        """Name a call for fault plans and counts, such as ``Query:COMFND``, ``SetupAdd:APSSSP`` or ``PostLD``."""
        name = _CALLS.get(_below_base(path), "unknown")
        if name not in _OBJECT_CALLS:
            return name
        business_object = next((value for key, value in query.items() if key.lower() == "businessobject"), "")
        return f"{name}:{business_object.upper()}"

    # HTTP

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        # The server numbers the requests of all systems; without it, this system's own are counted.
        self._request_no += 1
        number: int = getattr(request.state, "request_no", self._request_no)
        try:
            return wire.plain(await self._answer(request, number))
        except EnetError as error:
            return wire.failed(error.text)
        except HttpError as error:
            return wire.html(error)

    async def _answer(self, request: Request, number: int) -> str:
        query_string: bytes = request.scope["query_string"]
        if len(request.scope.get("raw_path") or request.scope["path"]) + 1 + len(query_string) > self.options.url_limit:
            raise HttpError(414, "Request URL Too Long", "The request URL is too long.")
        path = _below_base(request.scope["path"])
        if path not in _CALLS or (path == POST_LD and not self.options.post_ld):
            raise HttpError(404, "Not Found", "The requested resource is not found.")
        if request.method != ("POST" if path == POST_LD else "GET"):
            raise HttpError(405, "Method Not Allowed", "The method is not allowed for this resource.")
        if path == POST_LD:
            return self._write(number, "Post", *_post_ld_document(await request.body()))
        return self._get(number, _CALLS[path], wire.query_parameters(query_string))

    def _get(self, number: int, call: str, parameters: Mapping[str, str]) -> str:
        if call == "GetVersion":
            return sim_texts.ENET_VERSION
        if call == "Logon":
            return self._logon(number, parameters)
        if call == "Logoff":
            self._sessions.logoff(*wire.required(parameters, "UserId"))
            return "0"
        if call == "GetLogonProfile":
            session = self._sessions.use(*wire.required(parameters, "UserId"))
            return queries.logon_profile(self._books, session, self._clock.now().date().isoformat())
        return self._call_object(number, call, parameters)

    def _call_object(self, number: int, call: str, parameters: Mapping[str, str]) -> str:
        """Let the business object answer that the call implies or names."""
        if call in _IMPLIED:
            user_id, xml_in = wire.required(parameters, "UserId", "XmlIn")
            return self._query(user_id, _IMPLIED[call], xml_in)
        user_id, business_object, xml_in = wire.required(parameters, "UserId", "BusinessObject", "XmlIn")
        if call == "Query":
            return self._query(user_id, business_object, xml_in)
        return self._write(number, call, user_id, business_object, parameters.get("xmlparameters", ""), xml_in)

    def _logon(self, number: int, parameters: Mapping[str, str]) -> str:
        operator, password, company, company_password = wire.required(
            parameters, "Operator", "OperatorPassword", "CompanyId", "CompanyPassword"
        )
        return self._sessions.logon(
            request_no=number, operator=operator, password=password, company=company,
            company_password=company_password,
        )  # fmt: skip

    # Business objects

    def _query(self, user_id: str, business_object: str, xml_in: str) -> str:
        self._sessions.use(user_id)
        return dispatch.query(self._books, self._tables, self._licensed(business_object), xml_in)

    def _licensed(self, business_object: str) -> str:
        name = business_object.strip().upper()
        if name in self.options.unlicensed:
            raise EnetError(wire.NOT_LICENSED)
        return name

    def _write(
        self, number: int, call: str, user_id: str, business_object: str, xml_parameters: str, xml_in: str
    ) -> str:
        operator = ""
        try:
            operator = self._sessions.use(user_id).operator
            return dispatch.write(
                self._books, call, self._licensed(business_object), xml_parameters=xml_parameters, xml_in=xml_in,
                origin=Origin(number, self._clock.now(), "api", operator),
            )  # fmt: skip
        except EnetError as error:
            origin = Origin(number, self._clock.now(), "api", operator)
            self._books.attempts.extend(dispatch.refused(call, business_object, xml_in, origin, error.text))
            raise


def _below_base(path: str) -> str:
    """Return the lower-cased path below the service's base, empty if it is not below it."""
    lowered = path.lower().rstrip("/")
    return lowered.removeprefix(BASE.lower()) if lowered.startswith(BASE.lower()) else ""


def _post_ld_document(body: bytes) -> tuple[str, str, str, str]:
    """Return UserId, BusinessObject, XmlParameters, XmlIn of a PostLD body (reference/syspro.md §1.3).

    Raises:
        HttpError: 400 if it is no such document (inferred, §1.5).
    """
    malformed = HttpError(400, "Bad Request", "The request body is not a TransactionPostLD document.")
    try:
        root = wire.read_xml(body, encoding=None)
    except EnetError as error:
        raise malformed from error
    tags = [str(child.tag) for child in root]
    namespace = POST_LD_ROOT[: POST_LD_ROOT.index("}") + 1]
    if root.tag != POST_LD_ROOT or tags != [namespace + name for name in POST_LD_CHILDREN]:
        raise malformed
    user_id, business_object, xml_parameters, xml_in = (child.text or "" for child in root)
    return user_id, business_object, xml_parameters, xml_in
