"""Documents of which only a list's header is known: their lines are asked for again until the source shows them."""

from __future__ import annotations

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import DocumentError
from airflow_provider_mlconnector.store.records import Change, DocumentRecord
from airflow_provider_mlconnector.sync.job import Job, logger
from airflow_provider_mlconnector.systems.ports import DocumentSource, Eligibility, SourceRecord, Summary

DETAIL_MISSING = "detail_missing"
"""Reason of a document listed without its lines: asked for again at the start of every extraction."""
_PAGE = 500


def complete_pending(job: Job, source: DocumentSource) -> None:
    """Ask again for the lines of documents that were listed without any, or taken up from a header-only list."""
    after = ""
    while True:
        with job.unit_of_work() as uow:
            page = uow.documents.search(
                route=job.route.name, states={State.PARKED}, reason_code=DETAIL_MISSING, limit=_PAGE, after_id=after
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
        revision=record.revision,
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
    if found.revision != record.revision:
        return  # the list brings the newer one
    change = Change(record, State.EXTRACTED, reason_code="detail_read", reason="its lines have been read")
    with job.unit_of_work() as uow:
        if uow.documents.apply_each([change])[0]:
            uow.documents.correct(record.id, found.payload)
