"""The simulated JAGGAER tenant: ``/auth/``, ``/j1p/``, ``/apps/`` and ``/aso/`` (``reference/jaggaer.md §1–§4``).

Names of calls, for faults and counts: Token, ListInvoices, GetInvoice, ListPurchaseOrders, GetPurchaseOrder,
UpsertPurchaseOrder, ListCompanyProfiles, UpsertCompanyProfile, ImportInvoice,
ListCustomFieldValues, UpsertCustomFieldValues, PostPayment; of the XML router RouterSuppliers,
RouterPurchaseOrders, RouterInvoices; of others CxmlInvoice, CxmlConfirmation,
AsoToken, AsoEvents; Unknown. What people do in it is in ``person``.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.clock import SimClock
from airflow_provider_mlconnector.sandbox.jaggaer import (
    aso,
    code_api,
    cxml,
    exports,
    imports,
    oracle,
    order_api,
    payments,
    person,
    profiles,
    router,
)
from airflow_provider_mlconnector.sandbox.jaggaer.books import BodyError, Books, opened
from airflow_provider_mlconnector.sandbox.jaggaer.listing import Listed, answer_list, refuse_list
from airflow_provider_mlconnector.sandbox.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.sandbox.jaggaer.tokens import (
    CLIENT_ID,
    CLIENT_SECRET,
    REALM,
    TokenEndpoint,
    json_response,
    realm_of,
)

JI, JA = "/j1p/api/public/ji/v1", "/j1p/api/public/ja/v1"
INVOICES = f"{JI}/invoices"
PREFIXES = ("/auth/", "/j1p/", "/apps/", aso.PREFIX)
Handler = Callable[[Books, Request, str], Awaitable[Response]]


class JaggaerSystem:
    """One tenant, its identity server beside it."""

    def __init__(self, *, seed: int, clock: SimClock, options: JaggaerOptions) -> None:
        self._clock = clock
        self.reset(seed=seed, options=options)

    def reset(self, *, seed: int, options: JaggaerOptions) -> None:
        """Start over: new records dated before the clock's start, no tokens, no edits."""
        self._books = opened(seed=seed, clock=self._clock, options=options)
        self._options, self._store = options, self._books.invoices
        self._lists: dict[str, Listed] = {
            "ListInvoices": self._store,
            "ListPurchaseOrders": self._books.orders,
            "ListCustomFieldValues": self._books.codes,
            "ListCompanyProfiles": profiles.ProfileList(self._books.suppliers, options),
        }
        self._tokens = TokenEndpoint(clock=self._clock, options=options)
        self._router_paths = router.PATHS | {options.ocr_path: "RouterInvoices"}
        self._cxml = cxml.Receiver(self._books)
        self._aso = aso.AsoDomain(clock=self._clock, options=options)
        self._drop_next, self._touch_next, self._repeat_next = 0, (0, timedelta(0)), False

    def call_name(self, path: str, query: Mapping[str, str], method: str = "GET") -> str:  # noqa: ARG002 - one seam
        """Name a call for faults and counts; see the module for the names."""
        return self._route(path, method)[0]

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        path: str = request.scope["path"]
        call, key = self._route(path, request.method)
        if call == "Token":
            return await self._token(request, path)
        if path.startswith(("/apps/", aso.PREFIX)):
            return await self._beside(call, request, path)
        if not self._tokens.accepts(request.headers.get("authorization", "")):
            return json_response({"error": "invalid_token"}, 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if call == "Unknown":
            return json_response({"error": "Not Found"}, 404)  # SIM
        method = "POST" if call in WRITES else "GET"
        if request.method != method:
            return json_response({"error": "Method Not Allowed"}, 405, {"Allow": method})  # SIM
        return await self._resource(call, request, key)

    def kill_tokens(self) -> None:
        """Make every token issued so far unknown."""
        self._tokens.revoke_all()

    def drop_rows(self, count: int) -> None:
        """Let the next list call find ``count`` fewer rows, taken from its front."""
        self._drop_next += count

    def touch_rows(self, count: int, ahead: timedelta) -> None:
        """Let the next list of invoices find its first rows saved anew, stamped so far ahead of the present."""
        self._touch_next = (count, ahead)

    def repeat_page(self) -> None:
        """Let the next list call get the page before the one it asks for."""
        self._repeat_next = True

    def credentials(self) -> dict[str, Any]:
        """Return what a user would enter in an Airflow connection, apart from the host; and cXML's and ASO's own."""
        options = self._options
        sender = {"domain": options.cxml_domain, "identity": options.cxml_identity, "secret": options.cxml_secret}
        paths = {"invoices": cxml.INVOICES, "confirmations": cxml.CONFIRMATIONS}
        others = {"cxml": {**sender, "buyer": options.cxml_buyer, "paths": paths}, "aso": self._aso.credentials()}
        return {"login": CLIENT_ID, "password": CLIENT_SECRET, "extra": {}, **others}

    def router(self) -> dict[str, Any]:
        """Return where the XML router takes which message, and the credentials a message must carry."""
        paths = {router.ENDPOINTS[call].root: path for path, call in self._router_paths.items()}
        return {"paths": paths, "identity": self._options.router_identity, "shared_secret": self._options.router_secret}

    def export(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return what changed as exported XML messages; body and errors are those of ``exports``."""
        return exports.export(self._books, body)

    def ledger(self) -> dict[str, Any]:
        """Return all the tenant holds and every write that was asked for; see ``oracle.ledger``."""
        logons = {"issued": self._tokens.logons["issued"], "refused": self._tokens.logons["refused"]}
        return oracle.ledger(self._books) | {"logons": logons, "confirmations": self._cxml.confirmations}

    def truth(self) -> dict[str, dict[str, Any]]:
        """Return per invoice id what was made: label, kind, good, currency, gross, supplier, numbers, date, edited."""
        return self._store.truth()

    def add(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """Change the tenant as a person would; kinds, bodies and errors are those of ``person``."""
        return person.act(self._books, kind, body)

    async def _token(self, request: Request, path: str) -> Response:
        realm = realm_of(path)
        if realm is None:
            return json_response({"error": "HTTP 404 Not Found"}, 404)
        return await self._tokens.answer(request) if realm == REALM else json_response(_NO_REALM, 404)

    async def _beside(self, call: str, request: Request, path: str) -> Response:
        """Answer what knows no tokens of ours: ASO, and the router of XML and cXML."""
        if path.startswith(aso.PREFIX):
            return await self._aso.answer(request, call)
        if call == "Unknown":
            return Response("Not Found", 404, media_type="text/plain")  # SIM
        if request.method != "POST":
            return Response("Method Not Allowed", 405, {"Allow": "POST"}, media_type="text/plain")  # SIM
        if call in cxml.PATHS.values():
            return await self._cxml.answer(request, call)
        return await router.answer(self._books, request, call)

    async def _resource(self, call: str, request: Request, key: str) -> Response:
        if call in self._lists:
            drop, self._drop_next = self._drop_next, 0
            again, self._repeat_next = self._repeat_next, False
            (touch, ahead), self._touch_next = self._touch_next, (0, timedelta(0))
            if touch and call == "ListInvoices":
                self._store.touch_first(touch, request.query_params.get("flt", ""), self._clock.now() + ahead)
            return answer_list(self._lists[call], request, self._options, drop=drop, again=again)
        try:
            return await HANDLERS[call](self._books, request, key)
        except BodyError as error:
            return json_response({"error": f"Bad Request: {error}"}, 400)  # SIM

    def _route(self, path: str, method: str) -> tuple[str, str]:
        """Return a path's call and the key in it; a list is named by GET, a write to the same path by POST."""
        if path.startswith("/auth/"):
            return "Token", ""
        if path.startswith(("/apps/", aso.PREFIX)):
            return (self._router_paths | cxml.PATHS | aso.PATHS).get(path.rstrip("/"), "Unknown"), ""
        resource = RESOURCES.get(path.rstrip("/"))
        if resource:
            return resource.get(method, resource["GET"]), ""
        paid = _PAYMENTS.fullmatch(path)
        if paid:
            return "PostPayment", paid["id"]
        parent, _, key = path.rstrip("/").rpartition("/")
        return DETAILS.get(parent, "Unknown"), key


async def _invoice(books: Books, _request: Request, key: str) -> Response:
    document = books.invoices.get(int(key)) if key.isdecimal() else None
    if document is None:
        return refuse_list(books.invoices.shape, f"124(invoiceId,{key})", 0, books.options)
    return json_response(document)


RESOURCES: dict[str, dict[str, str]] = {
    INVOICES: {"GET": "ListInvoices"},
    f"{INVOICES}/ocr": {"GET": "GetInvoice", "POST": "ImportInvoice"},
    f"{JI}/purchaseorders": {"GET": "ListPurchaseOrders", "POST": "UpsertPurchaseOrder"},
    f"{JI}/customfieldvalues": {"GET": "ListCustomFieldValues", "POST": "UpsertCustomFieldValues"},
    f"{JA}/companyprofiles": {"GET": "ListCompanyProfiles", "POST": "UpsertCompanyProfile"},
}
"""Path → method → call."""
DETAILS: dict[str, str] = {
    INVOICES: "GetInvoice",
    f"{JI}/purchaseorders": "GetPurchaseOrder",
}
"""Path above a key → call."""
HANDLERS: dict[str, Handler] = {
    "GetInvoice": _invoice,
    "ImportInvoice": imports.post,
    "GetPurchaseOrder": order_api.detail,
    "UpsertPurchaseOrder": order_api.upsert,
    "UpsertCompanyProfile": profiles.upsert,
    "UpsertCustomFieldValues": code_api.upsert,
    "PostPayment": payments.post,
}
WRITES = frozenset(
    {"ImportInvoice", "UpsertPurchaseOrder", "UpsertCompanyProfile", "UpsertCustomFieldValues", "PostPayment"}
)
_PAYMENTS = re.compile(f"{re.escape(INVOICES)}/(?P<id>[^/]+)/payments/?")
_NO_REALM = {"error": "Realm does not exist"}
