"""The simulated JAGGAER tenant: token endpoint, invoice list and invoice detail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.clock import SimClock
from airflow_provider_mlconnector.sandbox.generator import Generator
from airflow_provider_mlconnector.sandbox.jaggaer import fiql, recipes
from airflow_provider_mlconnector.sandbox.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.sandbox.jaggaer.store import InvoiceStore
from airflow_provider_mlconnector.sandbox.jaggaer.tokens import (
    CLIENT_ID,
    CLIENT_SECRET,
    REALM,
    TokenEndpoint,
    json_response,
    realm_of,
)

INVOICES = "/j1p/api/public/ji/v1/invoices"
PREFIXES = ("/auth/", "/j1p/")
NOT_COMPLETED = 2
"""``returnCode`` of an operation that was not completed (§2.2)."""


class JaggaerSystem:
    """Everything below ``/auth/`` and ``/j1p/`` (``reference/jaggaer.md §1.1, §2``)."""

    def __init__(self, *, seed: int, clock: SimClock, options: JaggaerOptions) -> None:
        self._clock = clock
        self.reset(seed=seed, options=options)

    def reset(self, *, seed: int, options: JaggaerOptions) -> None:
        """Start over: new invoices dated before the clock's start, no tokens, no edits."""
        self._options = options
        generator = Generator(
            seed=seed,
            count=options.invoices,
            start=self._clock.start,
            mix=options.mix,
            credit_memos=options.credit_memos,
        )
        self._store = InvoiceStore(generator, order=options.order)
        self._tokens = TokenEndpoint(clock=self._clock, options=options)
        self._drop_next = 0

    def call_name(self, path: str, query: Mapping[str, str], method: str = "GET") -> str:  # noqa: ARG002 - one seam
        """Name a call for faults and counts: Token, ListInvoices, GetInvoice or Unknown."""
        if path.startswith("/auth/"):
            return "Token"
        if path.rstrip("/") == INVOICES:
            return "ListInvoices"
        return "GetInvoice" if path.startswith(f"{INVOICES}/") else "Unknown"

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        path: str = request.scope["path"]
        if path.startswith("/auth/"):
            realm = realm_of(path)
            if realm is None:
                return json_response({"error": "HTTP 404 Not Found"}, 404)
            return await self._tokens.answer(request) if realm == REALM else json_response(_NO_REALM, 404)
        if not self._tokens.accepts(request.headers.get("authorization", "")):
            return json_response({"error": "invalid_token"}, 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        call = self.call_name(path, request.query_params)
        if call == "Unknown":
            return json_response({"error": "Not Found"}, 404)  # SIM
        if request.method != "GET":
            return json_response({"error": "Method Not Allowed"}, 405, {"Allow": "GET"})  # SIM
        return self._list(request) if call == "ListInvoices" else self._detail(path.removeprefix(f"{INVOICES}/"))

    def kill_tokens(self) -> None:
        """Make every token issued so far unknown."""
        self._tokens.revoke_all()

    def drop_rows(self, count: int) -> None:
        """Let the next list call find ``count`` fewer rows, taken from its front."""
        self._drop_next += count

    def credentials(self) -> dict[str, Any]:
        """Return what a user would enter in an Airflow connection, apart from the host."""
        return {"login": CLIENT_ID, "password": CLIENT_SECRET, "extra": {}}

    def ledger(self) -> dict[str, Any]:
        """Return ``{"invoices", "logons", "write_attempts"}``; nothing writes to this tenant yet."""
        return {
            "invoices": len(self._store.matching("")),
            "logons": {"issued": self._tokens.logons["issued"], "refused": self._tokens.logons["refused"]},
            "write_attempts": [],
        }

    def truth(self) -> dict[str, dict[str, Any]]:
        """Return per invoice id what was made: label, kind, good, currency, gross, supplier, numbers, date, edited."""
        return self._store.truth()

    def add(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """Change the tenant as a person would: edit or add an ``invoice``, or add a ``big_invoice``.

        ``invoice`` takes ``{"id", "set": {dotted.path: value}}``, a whole ``{"header", "lineList"}``, or
        ``{"label"}`` for one more generated invoice; ``big_invoice`` takes ``{"lines"}``.

        Raises:
            ValueError: Unknown kind, or a body that fits none of the forms.
        """
        now = self._clock.now()
        match kind, body:
            case "big_invoice", _:
                header = self._store.generate("plain", now, lines=int(body.get("lines", 10_000)))
            case "invoice", {"id": invoice_id, "set": dict(changes)}:
                header = self._store.edit(int(invoice_id), changes, now)
            case "invoice", {"header": dict()}:
                header = self._store.add(body, now)
            case "invoice", {"label": label} if label in recipes.RECIPES:
                header = self._store.generate(label, now)
            case _:
                message = f"jaggaer takes no {kind!r} with {sorted(body)}"
                raise ValueError(message)
        return {key: header[key] for key in ("invoiceId", "invoiceNumber", "lastUpdate")}

    def _list(self, request: Request) -> Response:
        start_text, filter_text = request.query_params.get("start", "1"), request.query_params.get("flt", "")
        if not start_text.isdecimal() or int(start_text) < 1:
            return self._refuse(f"invalid start: {start_text}", 0)
        start = int(start_text)
        try:
            if self._drop_next:
                self._store.hide_first(self._drop_next, filter_text)
                self._drop_next = 0
            ids = self._store.matching(filter_text)
        except fiql.FilterError as error:
            return self._refuse(str(error), start)
        rows = [self._row(invoice_id) for invoice_id in ids[start - 1 : start - 1 + self._options.page_size]]
        return json_response(self._envelope(rows, total=len(ids), start=start))

    def _row(self, invoice_id: int) -> dict[str, Any]:
        if self._options.list_with_lines:
            return self._store.get(invoice_id) or {}
        return {"header": self._store.header(invoice_id)}

    def _detail(self, key: str) -> Response:
        document = self._store.get(int(key)) if key.isdecimal() else None
        if document is None:
            return self._refuse(f"124(invoiceId,{key})", 0)
        return json_response(document)

    def _envelope(
        self, rows: Sequence[dict[str, Any]], *, total: int, start: int, code: int = 0, message: str = ""
    ) -> dict[str, Any]:
        counts = {"totRecords": total, "returnedRecords": len(rows), "startAt": start}
        shown = {name: str(count) for name, count in counts.items()} if self._options.counts_as_text else counts
        return {"returnCode": code, "returnMessage": message, **shown, "jiinvoiceList": {"jiinvoice": rows}}

    def _refuse(self, message: str, start: int) -> Response:
        """Answer an application error: HTTP 200 and a returnCode that is not zero (§2.2). SIM: the texts."""
        return json_response(self._envelope([], total=0, start=start, code=NOT_COMPLETED, message=message))


_NO_REALM = {"error": "Realm does not exist"}
