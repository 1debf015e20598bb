"""Extract: read what changed at the source into the store, page by page, until two passes agree."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta

from airflow_provider_mlconnector.documents.lifecycle import IN_TARGET, State
from airflow_provider_mlconnector.errors import DocumentError, Parked, Unavailable
from airflow_provider_mlconnector.points import Point, reached
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import DocumentRecord, NewDocument
from airflow_provider_mlconnector.sync.arrivals import Arrivals, known_of_page, nth, present
from airflow_provider_mlconnector.sync.details import complete_pending
from airflow_provider_mlconnector.sync.job import Job, Reference, content_hash, logger, reference
from airflow_provider_mlconnector.sync.kinds import kind_of
from airflow_provider_mlconnector.sync.preview import keep_due, keep_extracted
from airflow_provider_mlconnector.sync.revisions import base_revision, supersede
from airflow_provider_mlconnector.sync.session import Keeper, source_session
from airflow_provider_mlconnector.systems.ports import DocumentSource, Eligibility, SourceRecord, Window

NOT_ELIGIBLE = "not_eligible"
"""Counted beside the states: not a document yet, looked at again when it changes (FINANCE §4)."""
_PAGE = 500


@dataclass(slots=True)
class _Pass:
    """What one pass over the list saw: an order-independent digest in constant memory."""

    listed: set[str] | None = None
    """Every key seen, for sources whose lists are complete."""
    began: int = 0
    """The store's place in time when the pass began."""
    settled: bool = True
    """Whether nothing had to be left out because another worker stored something of it meanwhile."""
    total: int = 0
    digest: int = 0
    not_eligible: int = 0
    previewed: Counter[str] = field(default_factory=Counter)

    def see(self, record: SourceRecord) -> None:
        revision = record.revision or content_hash(record.payload)
        seen = hashlib.sha256(f"{record.key}\x1f{revision}".encode()).digest()
        self.digest = (self.digest + int.from_bytes(seen, "big")) % 2**256
        self.total += 1
        if self.listed is not None:
            self.listed.add(record.key)

    def agrees_with(self, other: _Pass | None) -> bool:
        return other is not None and (self.total, self.digest) == (other.total, other.digest)


def extract(job: Job, source: DocumentSource, *, window: Window | None = None) -> Reference:
    """Read one window of changes into the store.

    An offset list loses rows when others are edited while it is read, so it is read until two passes agree on its keys.
    One that is ordered by change and goes on by key is read once. A revision already known costs nothing, so a rerun is
    cheap and needs no cursor. The watermark moves once, at the end; an explicit window leaves it alone.

    Args:
        job: The job.
        source: Where to read.
        window: An explicit window; None continues behind the watermark.

    Returns:
        Counts of everything the store holds under this batch, a rerun's earlier work included.

    Raises:
        ConfigurationError: The route has no cut-over date.
        Unavailable: The list kept changing over the allowed passes. Nothing read is lost; the watermark stays.
    """
    job.route.require_cut_over()
    with source_session(job, source) as keeper:
        if not job.dry_run:
            complete_pending(job, source)
        began = job.clock.now()
        span = window or _next_window(job, source)
        seen = _read_until_two_agree(job, source, span, keeper)
    if seen.listed is not None and not job.dry_run:
        _withdraw(job, source, seen.listed, began=seen.began)
    if job.dry_run:
        seen.previewed.update(keep_due(job))
        return reference(job, {**seen.previewed, NOT_ELIGIBLE: seen.not_eligible})
    reached(Point.BEFORE_WATERMARK)
    with job.unit_of_work() as uow:
        if window is None and span.end is not None:
            uow.watermarks.advance(job.route.name, span.end - _overlap(job), read_at=began)
        counts = Counter[str]()
        for row in uow.documents.count_states(job.route.name, batch_id=job.batch_id):
            counts[row.state] += row.count
    reached(Point.AFTER_WATERMARK)
    return reference(job, {**counts, NOT_ELIGIBLE: seen.not_eligible})


def _next_window(job: Job, source: DocumentSource) -> Window:
    """Continue behind the watermark, or earlier where the source's clock was set back since.

    What changed there meanwhile bears times before the watermark. Nothing of it is older than the source's time now
    less what has passed since the last read by our own clock.
    """
    with job.unit_of_work() as uow:
        start, read_at = uow.watermarks.get(job.route.name), uow.watermarks.read_at(job.route.name)
    end = source.remote_time()
    if start is not None and read_at is not None:
        passed = max(job.clock.now() - read_at, timedelta())
        start = min(start, end - passed - _overlap(job))
    return Window(start=start, end=end)


def _overlap(job: Job) -> timedelta:
    return timedelta(minutes=job.route.overlap_minutes)


def _read_until_two_agree(job: Job, source: DocumentSource, span: Window, keeper: Keeper) -> _Pass:
    previous: _Pass | None = None
    for number in range(1, job.route.max_passes + 1):
        current = _Pass(set() if source.complete_list else None, began=present(job))
        for page in source.pages(span):
            keeper.renew()
            records = [record for record in page.records if _inside(record, span)]
            for record in records:
                current.see(record)
            reached(Point.BEFORE_PAGE)
            _take_page(job, source, records, current)
            reached(Point.PAGE)
        logger.info("Pass %d over %s: %d records in the window", number, job.route.source, current.total)
        if current.settled and (source.ordered_by_change or current.agrees_with(previous)):
            return current
        previous = current
    message = (
        f"The list of {job.route.document}s at {job.route.source!r} changed during each of {job.route.max_passes} "
        "passes, so it cannot be proven complete. Everything read is kept and the watermark has not moved. Rerun at a "
        "quieter time, or read an explicit, older window."
    )
    raise Unavailable(message)


def _inside(record: SourceRecord, span: Window) -> bool:
    changed = record.changed_at or _stamp(record.revision)
    return span.end is None or changed is None or changed < span.end


def _stamp(revision: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(revision)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _take_page(job: Job, source: DocumentSource, records: Sequence[SourceRecord], seen: _Pass) -> None:
    """Store the new revisions of one page, with their consequences for older ones, in one transaction."""
    unique = list({(record.key, record.revision): record for record in records}.values())
    arrivals = known_of_page(job, source, unique, began=seen.began)
    fresh: list[NewDocument] = []
    for record in unique:
        if arrivals.knows(record):
            continue
        # the approved revision of what may be revised is in the target until the next one is approved
        waits = kind_of(job.route).revisable or not arrivals.of(record.key)
        if record.eligibility is Eligibility.NOT_ELIGIBLE and waits:
            seen.not_eligible += 1
        elif arrivals.overtaken(record.key):
            seen.settled = False
        elif (document := _new_document(job, source, record, arrivals)) is not None:
            fresh.append(document)
    if job.dry_run:
        seen.previewed.update(keep_extracted(job, fresh))
        return
    if fresh:
        with job.unit_of_work() as uow:
            _supersede_older(uow, uow.documents.add_page(fresh), arrivals.history)


def _withdraw(job: Job, source: DocumentSource, listed: AbstractSet[str], *, began: int) -> None:
    """Record that keys known before the pass began are gone, for sources that list everything there is."""
    newest: dict[str, DocumentRecord] = {}
    after = ""
    while True:
        with job.unit_of_work() as uow:
            page = uow.documents.search(route=job.route.name, limit=_PAGE, after_id=after)
        newest |= {record.key: record for record in page if record.key not in listed}
        if len(page) < _PAGE:
            break
        after = page[-1].id
    with job.unit_of_work() as uow:
        later = uow.events.begun_after(began, [record.id for record in newest.values()])
    gone = [record for record in newest.values() if record.id not in later]
    for start in range(0, len(gone), _PAGE):
        with job.unit_of_work() as uow:
            lot = gone[start : start + _PAGE]
            payloads = uow.documents.payloads([record.id for record in lot])
            pages = [(record, source.withdrawn(payloads[record.id])) for record in lot]
            uow.documents.add_page(
                [_withdrawal(job, record, payload) for record, payload in pages if payload != payloads[record.id]]
            )


def _withdrawal(job: Job, record: DocumentRecord, payload: bytes) -> NewDocument:
    kept = {field.name: getattr(record, field.name) for field in fields(NewDocument) if hasattr(record, field.name)}
    return NewDocument(
        **kept
        | {
            "revision": nth(int(base_revision(record.revision)) + 1),
            "source_hash": content_hash(payload),
            "payload": payload,
            "batch_id": job.batch_id,
            "state": State.EXTRACTED,
            "reason_code": "withdrawn",
            "reason": "no longer listed at the source",
        }
    )


def _new_document(job: Job, source: DocumentSource, record: SourceRecord, arrivals: Arrivals) -> NewDocument | None:
    """Return what to store of a row; None where its detail turns out to be known."""
    history = arrivals.of(record.key)
    state, code, reason = _triage(job, record, history)
    if state is State.EXTRACTED and not record.complete:
        try:
            record = source.complete(record)
            state, code, reason = _triage(job, record, history)  # the detail is newer than the list
        except DocumentError as error:
            # listed, but its detail is gone or unreadable: recorded with the header, so that it cannot get lost
            state = State.PARKED if isinstance(error, Parked) else State.REJECTED
            code, reason = error.code, error.message
        else:
            if arrivals.knows(record):
                return None
    summary = record.summary
    return NewDocument(
        route=job.route.name,
        document=job.route.document,
        source=job.route.source,
        tenant=source.tenant,
        key=record.key,
        revision=arrivals.revision(record),
        source_hash=content_hash(record.payload),
        payload=record.payload,
        batch_id=job.batch_id,
        state=state,
        reason_code=code,
        reason=reason,
        number=summary.number,
        supplier=summary.supplier,
        kind=summary.kind,
        currency=summary.currency,
        gross=summary.gross,
        document_date=summary.document_date,
        source_number=summary.source_number,
        business_unit=summary.business_unit,
    )


def _triage(job: Job, record: SourceRecord, history: Sequence[DocumentRecord]) -> tuple[State, str, str]:
    """Decide the first state of a revision from the source's status words and the cut-over date (FINANCE §4)."""
    if record.eligibility is Eligibility.PAID:
        return State.SKIPPED, "paid_at_source", f"paid at the source: {record.status_text}"
    if record.eligibility is not Eligibility.ELIGIBLE:
        if not kind_of(job.route).revisable and any(older.state in IN_TARGET for older in history):
            text = f"posted, but the source now says: {record.status_text}. Decide whether to reverse it in the target"
            return State.CHANGED_AFTER_POSTING, "withdrawn_after_posting", text
        if record.eligibility is Eligibility.CLOSED:
            return State.SKIPPED, "closed_at_source", f"canceled at the source: {record.status_text}"
        return State.SKIPPED, "no_longer_eligible", f"no longer eligible: {record.status_text}"
    cut_over = job.route.require_cut_over()
    dated = record.summary.document_date
    if dated is not None and dated < cut_over:
        return State.SKIPPED, "before_cut_over", f"dated {dated}, before the cut-over on {cut_over}"
    return State.EXTRACTED, "", ""


def _supersede_older(
    uow: UnitOfWork, added: Sequence[DocumentRecord], history: Mapping[str, Sequence[DocumentRecord]]
) -> None:
    """Take older revisions out of the way unless a worker holds them; validation looks again."""
    for newer in added:
        older = [other for other in history.get(newer.key, []) if other.revision < newer.revision]
        if older:
            supersede(uow, older, by=newer.revision)
