"""One row of a JAGGAER list: its key, revision, status and what people want to see of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from airflow_provider_mlconnector.systems.jaggaer.fields import UnreadableJson, at, dumps, loads, moment_of, sortable
from airflow_provider_mlconnector.systems.jaggaer.names import as_documented
from airflow_provider_mlconnector.systems.jaggaer.resources import ResourceContract
from airflow_provider_mlconnector.systems.ports import Eligibility, SourceRecord, Summary

UNREADABLE = "unreadable-"
"""Prefix of the keys given to rows without a readable key or change stamp; the rest is a digest of the row."""


def by_change_time(_row: object, changed: datetime) -> str:
    """Return the revision of a record whose changes only their time tells apart."""
    return sortable(changed)


@dataclass(frozen=True, slots=True)
class RowForm:
    """How the rows of one resource are read.

    Attributes:
        resource: Where key and change time stand.
        judge: Tells what the status words say of a row, and the words that decided.
        summarize: Picks what people want to see of a row; copes with any JSON value.
        revise: Makes the revision of a row from the row and its change time; None when it cannot be read.
        lines: What only a complete record has, below its top; empty where a row is always the whole record.
    """

    resource: ResourceContract
    judge: Callable[[object], tuple[Eligibility, str]]
    summarize: Callable[[object], Summary]
    revise: Callable[[object, datetime], str | None] = by_change_time
    lines: str = "lineList"


def read(payload: bytes, form: RowForm) -> SourceRecord:
    """Turn a row into a record; a row nobody can identify gets a key of its own, so that it is recorded, never lost.

    Such a row counts as complete and eligible: decoding it then says what is wrong with it, to a person.
    """
    try:
        row = loads(payload)
    except UnreadableJson:
        row = None
    key = scalar(at(row, form.resource.id))
    changed = moment_of(at(row, form.resource.modified), form.resource.time_zone)
    revision = None if changed is None else form.revise(row, changed)
    row = as_documented(row, form.resource)
    if not key or revision is None:
        return unreadable(payload, "key or time of last change unreadable", form.summarize(row))
    eligibility, text = form.judge(row)
    complete = not form.lines or isinstance(at(row, form.lines), Mapping)
    return SourceRecord(key, revision, payload, complete, eligibility, text, form.summarize(row), changed)


def unreadable(payload: bytes, why: str, summary: Summary) -> SourceRecord:
    """Return the record of something listed that cannot be identified: its key is a digest of it."""
    return SourceRecord(
        key=UNREADABLE + hashlib.sha256(payload).hexdigest()[:32],
        revision="0",
        payload=payload,
        complete=True,
        eligibility=Eligibility.ELIGIBLE,
        status_text=why,
        summary=summary,
    )


def completed(record: SourceRecord, detail: bytes, form: RowForm) -> SourceRecord:
    """Join a header-only row with its detail.

    The detail is newer than the row, so it decides, status and revision included. Where it leaves out fields of the
    header (its change stamp above all) without having changed since, the row's fill them in.
    """
    full = read(detail, form)
    if full.key == record.key and full.revision != record.revision:
        return replace(full, complete=True)
    try:
        data, row = loads(detail), loads(record.payload)
    except UnreadableJson:
        return replace(record, payload=detail, complete=True)
    header, listed = at(data, "header"), at(row, "header")
    if isinstance(header, Mapping) and isinstance(listed, Mapping) and not header.keys() >= listed.keys():
        detail = dumps({**data, "header": {**listed, **header}})
        full = read(detail, form)
    if full.key != record.key:
        return replace(record, payload=detail, complete=True)
    return replace(full, complete=True)


def among(value: str, allowed: Sequence[str]) -> bool:
    """Tell whether a status word is one of those allowed; case does not matter."""
    return value.casefold() in {word.casefold() for word in allowed}


def scalar(value: object) -> str:
    """Return texts and whole numbers as text, anything else as ""."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()


def amount_text(value: Any) -> str:  # noqa: ANN401 - JSON
    """Return an amount for lists of documents, "" for what is none."""
    return "" if isinstance(value, bool | Mapping | list) or value is None else str(value)


def day(text: str) -> date | None:
    """Return the date a stamp begins with, None when it does not begin with one."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
