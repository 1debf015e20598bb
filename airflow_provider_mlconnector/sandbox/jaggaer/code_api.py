"""Writing code lists: ``POST /j1p/api/public/ji/v1/customfieldvalues`` (``reference/jaggaer.md §2.8``; SIM).

A record is ``{customFieldName, value, description, active, businessUnit?, parent?}``. The body is one record, or
several under ``jicustomFieldValueList.jicustomFieldValue``. It sets what it names, by field, value and business unit;
one faulty record refuses the whole request. A tenant whose code lists are read-only (``options.code_writes``) answers
405.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.jaggaer.books import BodyError, Books, json_body
from airflow_provider_mlconnector.sandbox.jaggaer.code_book import FIELDS
from airflow_provider_mlconnector.sandbox.jaggaer.listing import Document, RefusedError
from airflow_provider_mlconnector.sandbox.jaggaer.tokens import json_response

CALL = "UpsertCustomFieldValues"


async def upsert(books: Books, request: Request, _key: str) -> Response:
    """Create or change code values and answer how many."""
    records = _records(await json_body(request))
    if not books.options.code_writes:
        _attempts(books, request, records, "405 Method Not Allowed")
        return json_response({"error": "Method Not Allowed"}, 405, {"Allow": "GET"})
    try:
        checked = [_checked(books, record) for record in records]
    except RefusedError as error:
        _attempts(books, request, records, str(error))
        return books.codes.shape.answer(error.code, str(error))
    done = [books.codes.put(record, books.clock.now(), by="rest") for record in checked]
    for record, operation in zip(checked, done, strict=True):
        books.attempt(request, **_attempt(record), operation=operation, outcome="stored", detail={"record": record})
    return books.codes.shape.answer(0, "", totRecords=len(done))


def _records(body: Document) -> list[Document]:
    held = body.get("jicustomFieldValueList")
    records = held.get("jicustomFieldValue", []) if isinstance(held, dict) else [body]
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        message = "jicustomFieldValue must be a list of objects"
        raise BodyError(message)
    return records


def _checked(books: Books, record: Document) -> dict[str, str]:
    """Return a record as text; ``active`` may be a JSON boolean or ji's word."""
    texts = {name: str(record[name]) for name in FIELDS if record.get(name) is not None}
    for name in ("customFieldName", "value"):
        if not texts.get(name):
            message = f"101({name})"
            raise RefusedError(message)
    if texts["customFieldName"] not in books.options.code_fields:
        message = f"124(customFieldName,{texts['customFieldName']})"
        raise RefusedError(message)
    if "active" in texts:
        texts["active"] = texts["active"].lower()
        if texts["active"] not in ("true", "false"):
            message = f"125(active,{record['active']})"
            raise RefusedError(message)
    return texts


def _attempts(books: Books, request: Request, records: list[Document], reason: str) -> None:
    for record in records:
        books.attempt(request, **_attempt(record), operation="UPSERT", outcome="refused", reason=reason)


def _attempt(record: Document) -> dict[str, Any]:
    key = f"{record.get('customFieldName', '')}/{record.get('value', '')}"
    return {"by": "rest", "call": CALL, "kind": "code", "key": key}
