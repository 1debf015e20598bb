"""Lists as J1P gives them: an envelope, a 1-based record offset, a filter, pages cut by the server (§2.2, §2.3)."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from airflow_provider_mlconnector.sandbox.jaggaer import fiql
from airflow_provider_mlconnector.sandbox.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.sandbox.jaggaer.tokens import json_response

NOT_COMPLETED = 2
"""``returnCode`` of an operation that was not completed (§2.2)."""
WITH_WARNINGS = 1
"""``returnCode`` of an operation that was completed with warnings."""
Document = dict[str, Any]


class RefusedError(ValueError):
    """The application refuses a record; the text is ``returnMessage`` (SIM, in the style of ``124(field,value)``)."""

    def __init__(self, message: str, code: int = NOT_COMPLETED) -> None:
        super().__init__(message)
        self.code = code


def amount(value: object) -> Decimal:
    """Read an amount; raises RefusedError for what is none."""
    try:
        read = Decimal(str(value))
    except InvalidOperation as error:
        message = f"125(amount,{value})"
        raise RefusedError(message) from error
    if not read.is_finite():
        message = f"125(amount,{value})"
        raise RefusedError(message)
    return read


def whole(value: object) -> int:
    """Read a whole number; raises RefusedError for what is none."""
    try:
        return int(str(value))
    except ValueError as error:
        message = f"125(number,{value})"
        raise RefusedError(message) from error


@dataclass(frozen=True, slots=True)
class Shape:
    """How a resource's lists look: where the rows are, and whether ``returnCode`` is text as in companyprofiles."""

    container: tuple[str, ...]
    text_code: bool = False

    def answer(self, code: int, message: str, **more: object) -> Response:
        """Return HTTP 200 with a return code: J1P's channel for success and application errors alike."""
        return json_response({"returnCode": self.code(code), "returnMessage": message, **more})

    def code(self, code: int) -> int | str:
        """Return a return code in this resource's form."""
        return str(code) if self.text_code else code

    def page(
        self, rows: Sequence[Document], counts: Mapping[str, object], code: int = 0, message: str = ""
    ) -> Response:
        """Return rows in their envelope."""
        held: object = rows
        for name in reversed(self.container):
            held = {name: held}
        assert isinstance(held, dict)  # noqa: S101 - a container has at least one name
        return self.answer(code, message, **counts, **held)


class Listed(Protocol):
    """A resource that can be listed; keys are whatever it counts its records by."""

    shape: Shape

    def matching(self, filter_text: str) -> Sequence[Any]:
        """Return the keys of listed records that match ``flt``, in list order; raises ``fiql.FilterError``."""

    def hide_first(self, count: int, filter_text: str) -> None:
        """Take the first ``count`` matching rows out of every list, as an archive run while a client pages."""

    def row(self, key: Any, query: Mapping[str, str]) -> Document:  # noqa: ANN401 - as ``matching`` gave it
        """Return one record as a list shows it."""


def answer_list(
    listed: Listed, request: Request, options: JaggaerOptions, *, drop: int = 0, again: bool = False
) -> Response:
    """Answer a list request, ``drop`` rows fewer than there are from now on; ``again`` with the page before.

    An unknown filter or a senseless start is an application error: HTTP 200 and a code other than zero. SIM: the texts.
    """
    query = request.query_params
    start_text, filter_text = query.get("start", "1"), query.get("flt", "")
    if not start_text.isdecimal() or int(start_text) < 1:
        return refuse_list(listed.shape, f"invalid start: {start_text}", 0, options)
    start = int(start_text)
    try:
        if drop:
            listed.hide_first(drop, filter_text)
        keys = listed.matching(filter_text)
    except fiql.FilterError as error:
        return refuse_list(listed.shape, str(error), start, options)
    first = max(start - options.page_size, 1) if again else start
    rows = [listed.row(key, query) for key in keys[first - 1 : first - 1 + options.page_size]]
    return listed.shape.page(rows, _counts(len(keys), len(rows), start, options))


def refuse_list(shape: Shape, message: str, start: int, options: JaggaerOptions) -> Response:
    """Answer that nothing could be listed or found, in the envelope of a list."""
    return shape.page([], _counts(0, 0, start, options), NOT_COMPLETED, message)


def set_path(document: Document, path: str, value: object) -> None:
    """Set a dotted path (digits index lists) in a document.

    Raises:
        ValueError: The path does not lead into the document.
    """
    *parents, last = path.split(".")
    target: Any = document
    try:
        for step in parents:
            target = target[int(step)] if isinstance(target, list) else target[step]
        target[int(last) if isinstance(target, list) else last] = value
    except (KeyError, IndexError, TypeError, ValueError) as error:
        message = f"no such path: {path}"
        raise ValueError(message) from error


def edited(document: Document, changes: Mapping[str, object]) -> Document:
    """Return a copy of ``document`` with dotted paths set; raises as ``set_path``."""
    changed = copy.deepcopy(document)
    for path, value in changes.items():
        set_path(changed, path, value)
    return changed


def _counts(total: int, returned: int, start: int, options: JaggaerOptions) -> dict[str, object]:
    counts = {"totRecords": total, "returnedRecords": returned, "startAt": start}
    return {name: str(count) for name, count in counts.items()} if options.counts_as_text else dict(counts)
