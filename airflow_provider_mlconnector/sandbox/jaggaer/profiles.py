"""companyprofiles: suppliers over the ja module of REST (``reference/jaggaer.md §2.6``, §2.2).

Return codes are text. SIM: which fields a filter knows, that an omitted field is kept and an empty one cleared, that
an unknown field is ignored (the ledger names it), and what CREATEUPDATE matches by (``options.match_key``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.jaggaer import fiql, wire
from airflow_provider_mlconnector.sandbox.jaggaer.books import Books, json_body
from airflow_provider_mlconnector.sandbox.jaggaer.listing import WITH_WARNINGS, Document, RefusedError, Shape
from airflow_provider_mlconnector.sandbox.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.sandbox.jaggaer.suppliers import PROFILE_FIELDS, Supplier, SupplierBook

SHAPE = Shape(("returnCompanyData",), text_code=True)
SUPER_USER_EXISTS = -996
_DAY = "%Y%m%d"
_KEYS: fiql.Keys = {
    **{name: ((name,), "text") for name in ("bravoId", *PROFILE_FIELDS)},
    "LASTMODTIME": (("lastModTime",), "date"),
    "SUBUSERLOGIN": (("subUserLogin",), "text"),
}
_SUB_USER_FIELDS = frozenset({
    "name", "surName", "email", "login", "userId", "phoneNumber", "mobilePhoneNumber", "division", "businessUnit",
    "rightsProfile", "language", "timezone", "ssoCodeData",
})  # fmt: skip


class ProfileList:
    """The list of companies; ``comp`` names the components a row shows."""

    shape = SHAPE

    def __init__(self, book: SupplierBook, options: JaggaerOptions) -> None:
        self._book, self._options = book, options
        self._hidden: set[str] = set()

    def matching(self, filter_text: str) -> Sequence[Supplier]:
        """Return the listed companies that match ``flt``, by bravoId; raises ``fiql.FilterError``."""
        clauses = fiql.parse(filter_text, _KEYS)
        return [
            row
            for row in self._book
            if row.bravo_id not in self._hidden and all(clause.holds_for(self._filtered(row)) for clause in clauses)
        ]

    def hide_first(self, count: int, filter_text: str) -> None:
        """Take the first ``count`` matching rows out of every list."""
        self._hidden.update(row.bravo_id for row in self.matching(filter_text)[:count])

    def row(self, key: Supplier, query: Mapping[str, str]) -> Document:
        """Return a company's components. SIM: without ``comp``, returnCompanyInfo alone."""
        components = query.get("comp") or "returnCompanyInfo"
        made = {name: _COMPONENTS[name](self, key) for name in components.split(";") if name in _COMPONENTS}
        return made or {"returnCompanyInfo": self.info(key)}

    def info(self, row: Supplier) -> Document:
        """Return ``returnCompanyInfo``; absent values are absent keys."""
        shown = {name: row.profile[name] for name in PROFILE_FIELDS if name in row.profile}
        return {"bravoId": row.bravo_id, **shown, "lastModTime": last_mod_time(row.changed, self._options)}

    def _filtered(self, row: Supplier) -> Document:
        return self.info(row) | {"subUserLogin": [user.get("login") for user in row.sub_users]}


def last_mod_time(moment: datetime, options: JaggaerOptions) -> str:
    """Write ``lastModTime`` in one of the forms seen (§2.3): ISO in UTC, the others by the tenant's clock."""
    if options.last_mod_time == "iso":
        return wire.timestamp(moment)
    local = moment.astimezone(ZoneInfo(options.profile_time_zone))
    return local.strftime(_DAY if options.last_mod_time == "day" else f"{_DAY}%H%M%S")


async def upsert(books: Books, request: Request, _key: str) -> Response:
    """Create or change one company and its sub-users; answers ``{returnCode, returnMessage, bravoId}``."""
    body = await json_body(request)
    company, info = _parts(body)
    operation = str(company.get("operationCode", ""))
    fields = {name: str(value).strip() for name, value in info.items() if name in PROFILE_FIELDS and value is not None}
    detail: dict[str, Any] = {
        "ignored": sorted(name for name in info if name not in PROFILE_FIELDS and name != "bravoId"),
        "mailed": str(company.get("sendEMail", "false")).lower() == "true",
    }
    attempt: dict[str, Any] = {"by": "rest", "call": "UpsertCompanyProfile", "kind": "supplier", "operation": operation}
    key = fields.get("extCode") or str(info.get("bravoId", ""))
    try:
        row, done = _store(books, operation, str(info.get("bravoId", "")), fields)
    except RefusedError as error:
        books.attempt(request, **attempt, key=key, outcome="refused", reason=str(error), detail=detail)
        return SHAPE.answer(error.code, str(error))
    warning = _sub_users(row, body.get("subUsers"))
    detail |= {"bravo_id": row.bravo_id, "done": done}
    outcome = "stored with warnings" if warning else "stored"
    books.attempt(request, **attempt, key=key, outcome=outcome, reason=warning, detail=detail)
    return SHAPE.answer(WITH_WARNINGS if warning else 0, warning or "OK", bravoId=row.bravo_id)


def _parts(body: Document) -> tuple[Document, Document]:
    company = body.get("company")
    company = company if isinstance(company, dict) else {}
    info = company.get("companyInfo")
    return company, info if isinstance(info, dict) else {}


def _store(books: Books, operation: str, bravo_id: str, fields: dict[str, str]) -> tuple[Supplier, str]:
    if operation not in ("CREATE", "UPDATE", "CREATEUPDATE"):
        # CREATE_FROM_TEMPLATE and the _RESET codes exist, what they do is not public: not simulated
        message = f"130(operationCode,{operation})"
        raise RefusedError(message)
    found = None if operation == "CREATE" else _match(books, operation, bravo_id, fields)
    now = books.clock.now()
    _check_alias(books, found, fields)
    if found is not None:
        books.suppliers.change(found, now, by="rest", profile=fields)
        return found, "updated"
    if not fields.get("companyName"):
        message = "101(companyName)"
        raise RefusedError(message)
    _check_codes(books, fields)
    return books.suppliers.create({k: v for k, v in fields.items() if v}, now, by="rest"), "created"


def _match(books: Books, operation: str, bravo_id: str, fields: dict[str, str]) -> Supplier | None:
    if operation == "UPDATE" or (bravo_id and books.options.match_key in ("auto", "bravoId")):
        found = books.suppliers.get(bravo_id)
        if found is None:
            message = f"124(bravoId,{bravo_id})"
            raise RefusedError(message)
        return found
    names = {"auto": ("extUniqueCode", "extCode"), "bravoId": ()}.get(books.options.match_key)
    for name in (books.options.match_key,) if names is None else names:
        found = books.suppliers.first(name, fields.get(name, ""))
        if found is not None:
            return found
    return None


def _check_alias(books: Books, found: Supplier | None, fields: dict[str, str]) -> None:
    taken = books.suppliers.first("userAlias", fields.get("userAlias", ""))
    if taken is not None and taken is not found:
        message = "112(USER_ALIAS)"
        raise RefusedError(message, SUPER_USER_EXISTS)


def _check_codes(books: Books, fields: dict[str, str]) -> None:
    """Refuse a number that is taken, where the tenant does so."""
    for name in ("extUniqueCode", "extCode") if books.options.unique_ext_code else ():
        if books.suppliers.first(name, fields.get(name, "")):
            message = f"112({name})"
            raise RefusedError(message)


def _sub_users(row: Supplier, sent: object) -> str:
    """Create or change sub-users; one whose login is taken is left out, which is the returned warning."""
    if not isinstance(sent, dict):
        return ""
    create = str(sent.get("operationCode", "CREATEUPDATE")) == "CREATE"
    refused = []
    for each in sent.get("subUser", []):
        user = {name: str(value) for name, value in each.items() if name in _SUB_USER_FIELDS and value is not None}
        known = next((other for other in row.sub_users if other.get("login") == user.get("login")), None)
        if known is not None and create:
            refused.append("112(loginSubUser)")
        elif known is not None:
            known |= user
        else:
            row.sub_users.append(user)
    return "; ".join(refused)


def _basic(_list: ProfileList, row: Supplier) -> Document:
    """Return the custom data elements: a category, and an attachment, which has type 4."""
    category = {"deValue": "Preferred", "id": f"{row.bravo_id}1", "restricted": "false"}
    paper = {"deValue": "w9.pdf", "id": f"{row.bravo_id}2", "secureToken": f"st-{row.bravo_id}", "restricted": "true"}
    return {
        "deInfo": [
            {"name": "CATEGORY", "type": "1", "defaultLabel": "Category", "values": {"value": [category]}},
            {"name": "TAX_FORM", "type": "4", "defaultLabel": "Tax form", "values": {"value": [paper]}},
        ]
    }


def _sub_user_list(_list: ProfileList, row: Supplier) -> Document:
    return {"subUser": row.sub_users}


_COMPONENTS: dict[str, Callable[[ProfileList, Supplier], Document]] = {
    "returnCompanyInfo": ProfileList.info,
    "deBasic": _basic,
    "returnSubUser": _sub_user_list,
}
