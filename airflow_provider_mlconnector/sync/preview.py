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
from airflow_provider_mlconnector.sync.both_ways import How, decoded_faces, meet
from airflow_provider_mlconnector.sync.drafts import draft_from, draft_to
from airflow_provider_mlconnector.sync.job import Job
from airflow_provider_mlconnector.sync.kinds import DocumentKind
from airflow_provider_mlconnector.sync.links import all_links
from airflow_provider_mlconnector.sync.originals import Announced
from airflow_provider_mlconnector.sync.payments import NOT_OURS, NotOurs
from airflow_provider_mlconnector.sync.revisions import known_of
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.ports import Context, Links, OutcomeState, Plan, TargetSession

PREVIEW_CHUNK = "preview"
"""The one chunk of a dry run."""
WOULD_POST = "would_post"
_AFTERWARDS = "follows an invoice that the same run posts first; the target can check it only then"
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
    counts, announced = Counter[str](), Announced()
    with job.unit_of_work() as uow:
        waiting = [(key, body) for key, body in uow.previews.list(job.preview_id) if body["state"] == State.EXTRACTED]
    for wave in kind.waves:
        later = []
        for preview_id, body in waiting:
            document, verdict = _decoded(body, decode)
            if document is not None and _wave(kind, document) != wave:
                later.append((preview_id, body))
                continue
            with job.unit_of_work() as uow:
                if document is not None:
                    verdict = _verdict(uow, job.route, kind, body, document, plan, decode, announced)
                uow.previews.put(job.preview_id, preview_id, verdict)
            counts[verdict["state"]] += 1
            if verdict["state"] == State.VALIDATED:
                announced.add(preview_id, document)
        waiting = later
    return counts


def _wave(kind: DocumentKind, document: Any) -> str | None:  # noqa: ANN401 - any kind of document
    """Return when a real run would post a document; a kind without waves takes all at once."""
    own = kind.extract(document).kind
    return own if own in kind.waves else kind.waves[0]


def _decoded(body: Mapping[str, Any], decode: Callable[[bytes], Any]) -> tuple[Any, dict[str, Any]]:
    try:
        return decode(body["payload"].encode()), {}
    except DocumentError as error:
        return None, _objection(body, error)


def _objection(body: Mapping[str, Any], error: DocumentError) -> dict[str, Any]:
    state = State.REJECTED if isinstance(error, Rejected) else State.PARKED
    return {**body, "state": str(state), "reason_code": error.code, "reason": error.message}


def _verdict(
    uow: UnitOfWork,
    route: Route,
    kind: DocumentKind,
    body: Mapping[str, Any],
    document: Any,  # noqa: ANN401 - any kind of document
    plan: Callable[[Any, str, Context], Plan],
    decode: Callable[[bytes], Any],
    announced: Announced,
) -> dict[str, Any]:
    """Judge one document; ``follows`` names the preview that a real run posts before it."""
    original = announced.original_of(document)
    if met := meet(uow, route, decoded_faces({body["key"]: document})).get(body["key"]):
        state = State.PARKED if not met.sent_by_nobody else State.SKIPPED if met.how is How.ECHO else State.LINKED
        return {**body, "state": str(state), "reason_code": met.code, "reason": met.text}
    try:
        document = original[1] if original else kind.complete(uow, route, document)
        context = kind.enrich(uow, route, document, _context(uow, route, kind, body, decode))
        planned = plan(document, f"MLCDRY{body['key']}"[:30], context)
    except DocumentError as error:
        return _objection(body, error)
    except NotOurs as verdict:
        return {**body, "state": str(State.SKIPPED), "reason_code": NOT_OURS, "reason": str(verdict)}
    if not planned.steps:
        reason = planned.reason or "the target says the same already"
        return {**body, "state": str(State.SKIPPED), "reason_code": "nothing_to_write", "reason": reason}
    steps = [draft_to(draft) for draft in planned.steps]
    return {**body, "state": str(State.VALIDATED), "steps": steps, "follows": original[0] if original else ""}


def _context(
    uow: UnitOfWork, route: Route, kind: DocumentKind, body: Mapping[str, Any], decode: Callable[[bytes], Any]
) -> Context:
    links = all_links(uow, route) if kind.linked else Links()
    held = [other for other in uow.documents.find(body["key"], route=route.name) if other.key == body["key"]]
    newest = max((other for other in held if other.state in IN_TARGET), key=lambda o: o.revision, default=None)
    known = known_of(uow, route, kind, newest, decode) if newest and kind.revisable else None
    return Context(body["key"], known, links)


def rehearse_previews(job: Job, session: TargetSession) -> Counter[str]:
    """Let the target itself validate what would be posted, storing nothing there (SYSPRO ValidateOnly).

    Only the first step of each document can be rehearsed; the later ones build on it. So does a credit memo on an
    invoice that this very run would post: the target cannot judge it before.
    """
    with job.unit_of_work() as uow:
        waiting = {key: body for key, body in uow.previews.list(job.preview_id) if body["state"] == State.VALIDATED}
    first = {key: body for key, body in waiting.items() if not body["follows"]}
    counts, would_post = _rehearsed(job, session, first)
    rest = {key: body for key, body in waiting.items() if body["follows"]}
    for key, body in list(rest.items()):
        if body["follows"] in would_post:
            with job.unit_of_work() as uow:
                uow.previews.put(job.preview_id, key, {**body, "state": WOULD_POST, "reason": _AFTERWARDS})
            counts[WOULD_POST] += 1
            del rest[key]
    return counts + _rehearsed(job, session, rest)[0]


def _rehearsed(
    job: Job, session: TargetSession, waiting: Mapping[str, Mapping[str, Any]]
) -> tuple[Counter[str], set[str]]:
    """Rehearse documents; return counts by verdict, and which would be posted."""
    counts, would_post = Counter[str](), set[str]()
    drafts = {key: draft_from(body["steps"][0]) for key, body in waiting.items()}
    owner = {id(draft): key for key, draft in drafts.items()}
    for batch in session.batches(list(drafts.values())):
        outcomes = session.rehearse(batch)
        with job.unit_of_work() as uow:
            for draft, outcome in zip(batch, outcomes, strict=True):
                key = owner[id(draft)]
                fine = outcome.state in {OutcomeState.POSTED, OutcomeState.ACCEPTED, OutcomeState.SUBMITTED}
                state = WOULD_POST if fine else "would_be_refused"
                changed = {"state": state, "reason_code": outcome.code, "reason": outcome.text}
                uow.previews.put(job.preview_id, key, {**waiting[key], **changed})
                counts[state] += 1
                would_post |= {key} if fine else set()
    return counts, would_post
