"""One row of JAGGAER's invoice list: its key, revision, status and what people want to see of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from airflow_provider_mlconnector.systems.jaggaer.contract import EligibilityWords, JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.fields import UnreadableJson, at, dumps, loads, revision_of
from airflow_provider_mlconnector.systems.ports import Eligibility, SourceRecord, Summary

UNREADABLE = "unreadable-"
"""Prefix of the keys given to rows without a readable key or change stamp; the rest is a digest of the row."""


def read_row(payload: bytes, contract: JaggaerContract, words: EligibilityWords) -> SourceRecord:
    """Turn a row into a record; a row nobody can identify gets a key of its own, so that it is recorded, never lost.

    Such a row counts as complete and eligible: decoding it then says what is wrong with it, to a person.
    """
    try:
        row = loads(payload)
    except UnreadableJson:
        row = None
    key = _scalar(at(row, contract.invoices.id))
    revision = revision_of(at(row, contract.invoices.modified))
    if not key or not revision:
        digest = hashlib.sha256(payload).hexdigest()[:32]
        return SourceRecord(
            key=UNREADABLE + digest,
            revision="0",
            payload=payload,
            complete=True,
            eligibility=Eligibility.ELIGIBLE,
            status_text="key or time of last change unreadable",
            summary=_summary(row),
        )
    eligibility, text = judge(row, words)
    complete = isinstance(at(row, "lineList"), Mapping)
    return SourceRecord(key, revision, payload, complete, eligibility, text, _summary(row))


def completed(record: SourceRecord, detail: bytes, contract: JaggaerContract, words: EligibilityWords) -> SourceRecord:
    """Join a header-only row with its detail.

    The detail is newer than the row, so it decides, status and revision included. Where it leaves out fields of the
    header (its change stamp above all) without having changed since, the row's fill them in.
    """
    full = read_row(detail, contract, words)
    if full.key == record.key and full.revision != record.revision:
        return replace(full, complete=True)
    try:
        data, row = loads(detail), loads(record.payload)
    except UnreadableJson:
        return replace(record, payload=detail, complete=True)
    header, listed = at(data, "header"), at(row, "header")
    if isinstance(header, Mapping) and isinstance(listed, Mapping) and not header.keys() >= listed.keys():
        detail = dumps({**data, "header": {**listed, **header}})
        full = read_row(detail, contract, words)
    if full.key != record.key:
        return replace(record, payload=detail, complete=True)
    return replace(full, complete=True)


def judge(row: object, words: EligibilityWords) -> tuple[Eligibility, str]:
    """Return what the status words say, and the words that decided (FINANCE §4)."""
    workflow, payment, match = (
        _scalar(at(row, f"header.{key}")) for key in ("workflowStatus", "paymentStatus", "matchStatus")
    )
    if _among(payment, words.closed_payment):
        return Eligibility.CLOSED, f"paymentStatus {payment}"
    if _among(workflow, words.closed_workflow):
        return Eligibility.CLOSED, f"workflowStatus {workflow}"
    wanted = (("workflowStatus", workflow, words.workflow), ("paymentStatus", payment, words.payment))
    missed = [f"{key} {value or 'missing'}" for key, value, allowed in wanted if not _among(value, allowed)]
    if words.match and not _among(match, words.match):
        missed.append(f"matchStatus {match or 'missing'}")
    if missed:
        return Eligibility.NOT_ELIGIBLE, ", ".join(missed)
    return Eligibility.ELIGIBLE, f"workflowStatus {workflow}, paymentStatus {payment}"


def _among(value: str, allowed: Sequence[str]) -> bool:
    return value.casefold() in {word.casefold() for word in allowed}


def _scalar(value: object) -> str:
    """Return texts and whole numbers as text, anything else as ""."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()


def _summary(row: object) -> Summary:
    header = at(row, "header")

    def text(path: str) -> str:
        return _scalar(at(header, path))

    gross: Any = at(header, "total.value")
    return Summary(
        number=text("supplierInvoiceNumber"),
        supplier=text("supplier.supplierNumber"),
        kind=text("invoiceType").lower().replace(" ", "_"),
        currency=text("total.currency"),
        gross="" if isinstance(gross, bool | Mapping | list) or gross is None else str(gross),
        document_date=_day(text("invoiceDate")),
        source_number=text("invoiceNumber"),
        business_unit=text("businessUnit"),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
