"""Documents that lack what only their source can add, without a change of theirs: they are asked for again."""

from __future__ import annotations

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import DocumentError
from airflow_provider_mlconnector.store.records import Change, DocumentRecord
from airflow_provider_mlconnector.sync.job import Job, logger
from airflow_provider_mlconnector.sync.revisions import stamp_of
from airflow_provider_mlconnector.systems.ports import DocumentSource, Eligibility, SourceRecord, Summary

DETAIL_MISSING = "detail_missing"
"""Reason of a document listed without its lines."""
WITHOUT_NUMBER = "supplier_without_number"
"""Reason of a document whose supplier has no number of the ERP yet (FINANCE §7): it need not change to show one."""
_READ = {
    DETAIL_MISSING: ("detail_read", "its lines have been read"),
    WITHOUT_NUMBER: ("supplier_numbered", "read again: it is not as it was"),
}
"""Why a document waits → what is kept of it once the source shows more."""
_PAGE = 500


def complete_pending(job: Job, source: DocumentSource) -> None:
    """Ask again, at the start of an extraction, for what waits for more than was read of it.

    That is one request for each such document; whatever reads the same as before goes on waiting without an event.
    """
    for code in _READ:
        _complete_all(job, source, code)


def _complete_all(job: Job, source: DocumentSource, code: str) -> None:
    after = ""
    while True:
        with job.unit_of_work() as uow:
            page = uow.documents.search(
                route=job.route.name, states={State.PARKED}, reason_code=code, limit=_PAGE, after_id=after
            )
            payloads = uow.documents.payloads([record.id for record in page])
        for record in page:
            _complete_one(job, source, record, payloads[record.id])
        if len(page) < _PAGE:
            return
        after = page[-1].id


def _complete_one(job: Job, source: DocumentSource, record: DocumentRecord, payload: bytes) -> None:
    listed = SourceRecord(
        key=record.key,
        revision=stamp_of(record.revision),
        payload=payload,
        complete=False,
        eligibility=Eligibility.ELIGIBLE,
        status_text="",
        summary=Summary(),
    )
    try:
        found = source.complete(listed)
    except DocumentError as error:
        logger.info("Document %s still has no readable detail: %s", record.id, error)
        return
    if found.revision != listed.revision:
        return  # the list brings the newer one
    if _says(source, found.payload) == _says(source, payload):
        return
    code, reason = _READ[record.reason_code]
    change = Change(record, State.EXTRACTED, reason_code=code, reason=reason)
    with job.unit_of_work() as uow:
        if uow.documents.apply_each([change])[0]:
            uow.documents.correct(record.id, found.payload)


def _says(source: DocumentSource, payload: bytes) -> object:
    """Return what a payload means, or why it cannot be read: what makes a second reading worth a verdict."""
    try:
        return source.decode(payload)
    except DocumentError as error:
        return error.code, error.message
