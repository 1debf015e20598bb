"""What people do to suppliers in JAGGAER: kinds of ``POST /_sandbox/documents {"system": "jaggaer", "kind": …}``.

``number`` is the ERP's (``extCode``); ``bravoId`` may stand in its place. Each answers bravoId, number, lastModTime.

* ``supplier_create`` takes profile fields, ``{"companyName": …}`` at least; without ``extCode`` it has no ERP number.
* ``supplier_edit`` takes ``{"number", "set": {profile field: text}}``: name, address, e-mail, status …; "" clears.
* ``supplier_contact`` takes ``{"number", "login", …}``: adds or changes the sub-user with that login.
* ``supplier_remit_to`` takes ``{"number", "address": {TSM element: text}, "key"?}``: the remit-to address of that ERP
  number, by default the first one.
* ``supplier_bank`` takes ``{"number", "account": {TSM element: text}, "key"?}``: a bank account, on the TSM side only.
* ``supplier_terms`` takes ``{"number", "code"}``: the standard payment terms code of its first location.
* ``supplier_merge`` takes ``{"number", "into"}``: the first is inactive from now on, the second shows the first's
  number as its OldERPNumber (SIM).
* ``supplier_deactivate`` takes ``{"number"}``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_mlconnector.sandbox.jaggaer.books import Books
from airflow_provider_mlconnector.sandbox.jaggaer.profiles import last_mod_time
from airflow_provider_mlconnector.sandbox.jaggaer.suppliers import INACTIVE, PROFILE_FIELDS, Supplier, terms_part
from airflow_provider_mlconnector.sandbox.master import TERMS

Body = dict[str, Any]


def _create(books: Books, body: Body) -> Body:
    if not body.get("companyName"):
        message = "a supplier needs a companyName"
        raise ValueError(message)
    return _keys(books, books.suppliers.create(_profile(body), books.clock.now(), by="person"))


def _edit(books: Books, body: Body) -> Body:
    return _changed(books, _found(books, body), _profile(body["set"]))


def _contact(books: Books, body: Body) -> Body:
    row, login = _found(books, body), str(body["login"])
    user = next((each for each in row.sub_users if each.get("login") == login), None)
    if user is None:
        user = {}
        row.sub_users.append(user)
    user |= {name: str(value) for name, value in body.items() if name not in ("number", "bravoId")}
    return _changed(books, row)


def _remit_to(books: Books, body: Body) -> Body:
    row, address = _found(books, body), dict(body["address"])
    key = _key(row, body, "AddressList", "R1")
    row.part("AddressList", key).update({"@type": "remitto", "ERPNumber": key, "Active": "true"} | address)
    return _changed(books, row)


def _bank(books: Books, body: Body) -> Body:
    row, account = _found(books, body), dict(body["account"])
    key = _key(row, body, "AccountsPayableList", "B1")
    row.part("AccountsPayableList", key).update({"ERPNumber": key, "Active": "true"} | account)
    return _changed(books, row)


def _terms(books: Books, body: Body) -> Body:
    row, code = _found(books, body), str(body["code"])
    terms = terms_part(code, TERMS[code][1])
    key = _key(row, body, "LocationList", "L1")
    location = row.part("LocationList", key)
    location.update({"ERPNumber": key, "Active": "true"} | location | {"TermsAndCondition": terms})
    return _changed(books, row)


def _merge(books: Books, body: Body) -> Body:
    row, into = _found(books, body), _found(books, {"number": body["into"]})
    if row is into:
        message = f"supplier {body['into']} cannot be merged into itself"
        raise ValueError(message)
    _changed(books, row, {"status": INACTIVE})
    into.texts["OldERPNumber"] = row.number
    return _changed(books, into)


def _deactivate(books: Books, body: Body) -> Body:
    return _changed(books, _found(books, body), {"status": INACTIVE})


def _found(books: Books, body: Body) -> Supplier:
    row = books.suppliers.get(str(body["bravoId"])) if "bravoId" in body else books.suppliers.by_number(body["number"])
    if row is None:
        message = f"no supplier {body.get('bravoId', body.get('number'))}"
        raise ValueError(message)
    return row


def _profile(fields: Body) -> dict[str, str]:
    unknown = sorted(fields.keys() - set(PROFILE_FIELDS))
    if unknown:
        message = f"a profile has no {', '.join(unknown)}"
        raise ValueError(message)
    return {name: str(value) for name, value in fields.items()}


def _key(row: Supplier, body: Body, name: str, suffix: str) -> str:
    """Return the key of the part meant: the one named, the first there is, or one made of the supplier's number."""
    return str(body.get("key") or next(iter(row.parts.get(name, {})), f"{row.number or row.bravo_id}-{suffix}"))


def _changed(books: Books, row: Supplier, profile: dict[str, str] | None = None) -> Body:
    books.suppliers.change(row, books.clock.now(), by="person", profile=profile)
    return _keys(books, row)


def _keys(books: Books, row: Supplier) -> Body:
    stamp = last_mod_time(row.changed, books.options)
    return {"bravoId": row.bravo_id, "number": row.number, "lastModTime": stamp}


COMMANDS: dict[str, Callable[[Books, Body], Body]] = {
    "supplier_create": _create,
    "supplier_edit": _edit,
    "supplier_contact": _contact,
    "supplier_remit_to": _remit_to,
    "supplier_bank": _bank,
    "supplier_terms": _terms,
    "supplier_merge": _merge,
    "supplier_deactivate": _deactivate,
}
