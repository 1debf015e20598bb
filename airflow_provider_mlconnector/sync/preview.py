"""Dry runs: what would happen, written under the run's own id and nowhere else.

A dry run moves no watermark, state, crosswalk or mapping version, so that a dry run followed by a real run equals the
real run alone (DESIGN §3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow_provider_mlconnector.documents.lifecycle import DUE_FOR_POSTING, DUE_FOR_VALIDATION, IN_TARGET, State
from airflow_provider_mlconnector.errors import DocumentError, Rejected
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import DocumentRecord, NewDocument
from airflow_provider_mlconnector.sync.drafts import draft_from, draft_to
from airflow_provider_mlconnector.sync.job import Job
from airflow_provider_mlconnector.sync.kinds import DocumentKind
from airflow_provider_mlconnector.sync.links import all_links
from airflow_provider_mlconnector.sync.revisions import known_of
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.ports import Context, Links, OutcomeState, Plan, TargetSession

PREVIEW_CHUNK = "preview"
"""The one chunk of a dry run."""
_PAGE = 500


def keep_extracted(job: Job, documents: Sequence[NewDocument]) -> Counter[str]:
    """Keep freshly read documents as previews and count them by the state they would get."""
    counts = Counter[str]()
    with job.unit_of_work() as uow:
        for document in documents:
            body = {
                "key": document.key,
                "revision": document.revision,
                "number": document.number,
                "supplier": document.supplier,
                "state": str(document.state),
                "reason_code": document.reason_code,
                "reason": document.reason,
                "payload": document.payload.decode(),
            }
            uow.previews.put(job.preview_id, f"{document.key}@{document.revision}", body)
            counts[document.state] += 1
    return counts


def keep_due(job: Job) -> Counter[str]:
    """Keep what the store already has waiting as previews too: a real run would take it up."""
    counts = Counter[str]()
    after = ""
    while True:
        with job.unit_of_work() as uow:
            page = uow.documents.search(
                route=job.route.name, states=DUE_FOR_VALIDATION | DUE_FOR_POSTING, limit=_PAGE, after_id=after
            )
            payloads = uow.documents.payloads([record.id for record in page])
            for record in page:
                uow.previews.put(job.preview_id, f"{record.key}@{record.revision}", _due_body(record, payloads))
                counts["due"] += 1
        if len(page) < _PAGE:
            return counts
        after = page[-1].id


def _due_body(record: DocumentRecord, payloads: Mapping[str, bytes]) -> dict[str, Any]:
    return {
        "key": record.key,
        "revision": record.revision,
        "number": record.number,
        "supplier": record.supplier,
        "state": str(State.EXTRACTED),
        "reason_code": "",
        "reason": "",
        "payload": payloads[record.id].decode(),
    }


def preview_verdicts(
    job: Job, kind: DocumentKind, plan: Callable[[Any, str, Context], Plan], decode: Callable[[bytes], Any]
) -> Counter[str]:
    """Judge every preview as validation would and keep what would be posted.

    Args:
        job: The dry run.
        kind: The kind of document.
        plan: Checks, maps and plans one document under a reference of ours.
        decode: The source's codec.
    """
    counts = Counter[str]()
    with job.unit_of_work() as uow:
        previews = uow.previews.list(job.preview_id)
    for document_id, body in previews:
        if body["state"] == State.EXTRACTED:
            with job.unit_of_work() as uow:
                verdict = _verdict(uow, job.route, kind, body, plan, decode)
                uow.previews.put(job.preview_id, document_id, verdict)
            counts[verdict["state"]] += 1
    return counts


def _verdict(
    uow: UnitOfWork,
    route: Route,
    kind: DocumentKind,
    body: Mapping[str, Any],
    plan: Callable[[Any, str, Context], Plan],
    decode: Callable[[bytes], Any],
) -> dict[str, Any]:
    try:
        document = decode(body["payload"].encode())
        context = kind.enrich(uow, route, document, _context(uow, route, kind, body, decode))
        planned = plan(document, f"MLCDRY{body['key']}"[:30], context)
    except DocumentError as error:
        state = State.REJECTED if isinstance(error, Rejected) else State.PARKED
        return {**body, "state": str(state), "reason_code": error.code, "reason": error.message}
    if not planned.steps:
        reason = planned.reason or "the target says the same already"
        return {**body, "state": str(State.SKIPPED), "reason_code": "nothing_to_write", "reason": reason}
    return {**body, "state": str(State.VALIDATED), "steps": [draft_to(draft) for draft in planned.steps]}


def _context(
    uow: UnitOfWork, route: Route, kind: DocumentKind, body: Mapping[str, Any], decode: Callable[[bytes], Any]
) -> Context:
    links = all_links(uow, route) if kind.linked else Links()
    held = [other for other in uow.documents.find(body["key"], route=route.name) if other.key == body["key"]]
    newest = max((other for other in held if other.state in IN_TARGET), key=lambda o: o.revision, default=None)
    known = known_of(uow, kind, newest, decode) if newest and kind.revisable else None
    return Context(body["key"], known, links)


def rehearse_previews(job: Job, session: TargetSession) -> Counter[str]:
    """Let the target itself validate what would be posted, storing nothing there (SYSPRO ValidateOnly).

    Only the first step of each document can be rehearsed; the later ones build on it.
    """
    counts = Counter[str]()
    with job.unit_of_work() as uow:
        waiting = {key: body for key, body in uow.previews.list(job.preview_id) if body["state"] == State.VALIDATED}
    drafts = {key: draft_from(body["steps"][0]) for key, body in waiting.items()}
    owner = {id(draft): key for key, draft in drafts.items()}
    for batch in session.batches(list(drafts.values())):
        outcomes = session.rehearse(batch)
        with job.unit_of_work() as uow:
            for draft, outcome in zip(batch, outcomes, strict=True):
                key = owner[id(draft)]
                fine = outcome.state in {OutcomeState.POSTED, OutcomeState.ACCEPTED}
                state = "would_post" if fine else "would_be_refused"
                changed = {"state": state, "reason_code": outcome.code, "reason": outcome.text}
                uow.previews.put(job.preview_id, key, {**waiting[key], **changed})
                counts[state] += 1
    return counts
