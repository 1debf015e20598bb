"""Adopt: link the documents the target already holds, so that cut-over starts from the truth (FINANCE §4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.store.records import Change, DocumentRecord
from airflow_provider_mlconnector.sync.job import Job, Reference, reference
from airflow_provider_mlconnector.sync.revisions import never_left
from airflow_provider_mlconnector.sync.session import target_session
from airflow_provider_mlconnector.systems.ports import (
    AdoptingTarget,
    DocumentTarget,
    FoundState,
    StepDraft,
    TargetSession,
)

ADOPTABLE = frozenset({
    State.EXTRACTED, State.VALIDATED, State.PARKED, State.REJECTED, State.FAILED, State.SKIPPED,
})  # fmt: skip
_LOT = 200


def adopt(job: Job, target: DocumentTarget) -> Reference:
    """Look every document that never left up in the target and link those that are there with the same figures.

    Nothing is sent and nothing else changes state; a dry run only counts.

    Args:
        job: The job.
        target: Where to look.

    Returns:
        Counts: ``linked``, ``different`` (same number, other figures: for a person), ``absent``, ``unreadable``.

    Raises:
        ConfigurationError: Documents of this kind are matched by the route itself, at first contact.
    """
    if not isinstance(target, AdoptingTarget):
        message = (
            f"Route {job.route.name!r} matches its {job.route.document}s with the target's own by itself: just run it"
        )
        raise ConfigurationError(message, field=f"route {job.route.name!r}, document")
    counts = Counter[str]()
    after = ""
    with target_session(job, target) as (session, _keeper):
        while True:
            with job.unit_of_work() as uow:
                page = uow.documents.search(route=job.route.name, states=ADOPTABLE, limit=_LOT, after_id=after)
            counts.update(_adopt_page(job, target, session, page))
            if len(page) < _LOT:
                return reference(job, counts)
            after = page[-1].id


def _adopt_page(
    job: Job, target: AdoptingTarget, session: TargetSession, page: Sequence[DocumentRecord]
) -> Counter[str]:
    counts = Counter[str]()
    with job.unit_of_work() as uow:
        page = never_left(uow, page)
    readable = [(document, draft) for document in page if (draft := _draft(target, document))]
    counts["unreadable"] = len(page) - len(readable)
    found = session.find([draft for _document, draft in readable])
    changes: list[Change] = []
    for (document, _), answer in zip(readable, found, strict=True):
        if answer.state in {FoundState.OURS, FoundState.SAME_NOT_OURS}:
            changes.append(
                Change(
                    document,
                    State.LINKED,
                    reason_code="adopted",
                    reason=f"already in the target: {answer.detail}",
                    target_reference=answer.detail,
                    detail={"result": dict(answer.result)},
                )
            )
        counts["different" if answer.state is FoundState.DIFFERENT else "absent"] += answer.state not in {
            FoundState.OURS,
            FoundState.SAME_NOT_OURS,
        }
    if job.dry_run:
        counts["linked"] = len(changes)
        return counts
    with job.unit_of_work() as uow:
        done, _lost = uow.documents.apply_each(changes)
        uow.steps.drop([document.id for document in done])
    counts["linked"] = len(done)
    return counts


def _draft(target: AdoptingTarget, document: DocumentRecord) -> StepDraft | None:
    if not (document.number and document.supplier and document.currency and document.document_date):
        return None
    try:
        gross = Decimal(document.gross)
    except InvalidOperation:
        return None
    kind = InvoiceKind.CREDIT_MEMO if "credit" in document.kind.casefold() else InvoiceKind.INVOICE
    return target.identify(
        supplier=document.supplier,
        number=document.number,
        kind=kind,
        currency=document.currency,
        gross=gross,
        document_date=document.document_date,
    )
