"""Combine: gather what posted invoices have left to tell the ledger into journals of their own (FINANCE §1).

A posting belongs to one journal for ever: the pair (document, journal) is in the crosswalk, written in one transaction
with the journal that has the posting frozen in it. Postings that come later go to the next journal.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from airflow_provider_mlconnector.documents.journal import CombinedJournal, JournalMember, OpenEntry
from airflow_provider_mlconnector.documents.lifecycle import IN_TARGET, State
from airflow_provider_mlconnector.errors import StaleClaim
from airflow_provider_mlconnector.points import Point, reached
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import DocumentRecord, NewDocument, StepRecord
from airflow_provider_mlconnector.sync.job import Job, Reference, content_hash, logger, reference
from airflow_provider_mlconnector.sync.links import COMPANY
from airflow_provider_mlconnector.sync.preview import keep_due, keep_extracted
from airflow_provider_mlconnector.sync.verdicts import EXECUTED

LEDGER: Final = "ledger"
"""Where a posting's payload keeps its open entry."""
MEMBER: Final = "journal_member"
"""Kind of the crosswalk's pairs (document id, journal)."""
OWN: Final = "own"
"""In place of a journal: the posting has told the ledger by itself."""
MISSING: Final = "journal_missing"
_JOURNAL_STEP: Final = "gl_journal"
_BOOKED: Final = IN_TARGET - {State.LINKED}
_PAGE = 500


@dataclass(frozen=True, order=True, slots=True)
class Group:
    """What one journal stands for."""

    company: str
    year: int
    period: int
    branch: str

    @property
    def name(self) -> str:
        """Its name for people: ``2026/09 branch 10``."""
        return f"{self.year}/{self.period:02d}{f' branch {self.branch}' if self.branch else ''}"

    def key(self, count: int) -> str:
        """Return the key of the group's n-th journal."""
        return f"{self.company}|{self.year}/{self.period:02d}|{self.branch}|{count:04d}"


def combine(job: Job, *, invoices_route: str) -> Reference:
    """Make journals of all postings of a route that belong to none yet.

    Each journal is one transaction: a worker that dies leaves whole journals, and the next one takes up the rest.

    Args:
        job: Of the journals' route.
        invoices_route: Name of the route whose postings are gathered.

    Returns:
        Counts of everything the store holds under this batch, a rerun's earlier work included.

    Raises:
        ConfigurationError: The route has no cut-over date.
        StaleClaim: Another run combines at the same time; nothing is lost, the task may be retried.
    """
    job.route.require_cut_over()
    found = _open_postings(job, invoices_route)
    if job.dry_run:
        previews = [_document(job, group, members, _next(job, group)) for group, members in sorted(found.items())]
        return reference(job, keep_extracted(job, previews) + keep_due(job))
    for group, members in sorted(found.items()):
        _freeze(job, group, members)
        reached(Point.COMBINED)
    counts = Counter[str]()
    with job.unit_of_work() as uow:
        for row in uow.documents.count_states(job.route.name, batch_id=job.batch_id):
            counts[row.state] += row.count
    return reference(job, counts)


def _open_postings(job: Job, invoices_route: str) -> dict[Group, list[JournalMember]]:
    """Return what is posted and in no journal, by the journal it belongs to."""
    found: dict[Group, list[JournalMember]] = defaultdict(list)
    after = ""
    while True:
        with job.unit_of_work() as uow:
            ids = uow.crosswalk.unpaired(
                MEMBER,
                COMPANY,
                job.route.target,
                route=invoices_route,
                states=_BOOKED,
                limit=_PAGE,
                after_id=after,
            )
            steps = uow.steps.of(ids)
            for record in uow.documents.get_many(ids):
                member = _member(record, steps[record.id])
                if member is not None:
                    found[_group(member)].append(member)
                elif not job.dry_run:
                    _without_entry(uow, job, record, steps[record.id])
        if len(ids) < _PAGE:
            return dict(found)
        after = ids[-1]


def _member(record: DocumentRecord, steps: Sequence[StepRecord]) -> JournalMember | None:
    """Return a posting with its open entry, in the period it was really posted to; None if it has left none."""
    for step in steps:
        body = step.payload["payload"].get(LEDGER)
        if body is not None and step.state in EXECUTED:
            said = step.result
            entry = OpenEntry.model_validate(body)
            year, period = said.get("year") or entry.year, said.get("period") or entry.period
            return JournalMember(
                document=record.id,
                source_key=record.key,
                entry=entry.model_copy(update={"year": year, "period": period}),
                journal=str(said.get("journal") or ""),
                position=str(said.get("entry") or ""),
            )
    return None


def _without_entry(uow: UnitOfWork, job: Job, record: DocumentRecord, steps: Sequence[StepRecord]) -> None:
    """Leave postings alone that the ledger has by another way; one it has not by any way is for a person."""
    done = [step for step in steps if step.state in EXECUTED]
    told = any(step.name == _JOURNAL_STEP for step in done)
    if told or not any(step.result.get("gl_status") == "not_linked" for step in done):
        uow.crosswalk.put(MEMBER, COMPANY, job.route.target, record.id, job.route.target, OWN, record.id)
        uow.issues.resolve(job.route.name, MISSING, record.id)
        return
    text = (
        f"{record.document} {record.number} of supplier {record.supplier} was posted when the route made a journal for "
        "each, and has none: book it in the ledger by hand"
    )
    uow.issues.open(job.route.name, MISSING, record.id, text)


def _group(member: JournalMember) -> Group:
    entry = member.entry
    return Group(entry.company, entry.year, entry.period, entry.branch)


def _next(job: Job, group: Group) -> int:
    with job.unit_of_work() as uow:
        return _count(uow, job, group) + 1


def _count(uow: UnitOfWork, job: Job, group: Group) -> int:
    """Return how many journals the group has."""
    kept = uow.cursors.get(job.route.name, group.key(0)) or {}
    return int(kept.get("last", 0))


def _freeze(job: Job, group: Group, members: Sequence[JournalMember]) -> None:
    """Write a journal with its members, and each member's pair: all of it or nothing."""
    with job.unit_of_work() as uow:
        count = _count(uow, job, group) + 1
        document = _document(job, group, members, count)
        stored = uow.documents.add_page([document])
        if not stored:
            raise _overtaken(job, f"journal {document.key} was made by another run meanwhile")
        uow.cursors.put(job.route.name, group.key(0), {"last": count})
        for member in members:
            system = job.route.target
            try:
                uow.crosswalk.put(MEMBER, COMPANY, system, member.document, system, document.key, stored[0].id)
            except ValueError as error:
                raise _overtaken(job, str(error)) from error
            uow.events.add(
                "combined",
                document_id=member.document,
                reason=f"goes into the ledger with journal {document.number} of route {job.route.name}",
                detail={"journal": document.key, "journal_document": stored[0].id},
            )
    logger.info("Journal %s has %d postings", document.key, len(members))


def _overtaken(job: Job, what: str) -> StaleClaim:
    return StaleClaim(f"{what}. Nothing was stored by {job.actor.label}; rerun it")


def _document(job: Job, group: Group, members: Sequence[JournalMember], count: int) -> NewDocument:
    key = group.key(count)
    journal = CombinedJournal(
        source_key=key,
        number=f"{group.name} no. {count}",
        company=group.company,
        branch=group.branch,
        year=group.year,
        period=group.period,
        journal_date=max(member.entry.entry_date for member in members),
        members=tuple(sorted(members, key=lambda member: member.document)),
    )
    payload = journal.model_dump_json(exclude_defaults=True).encode()
    return NewDocument(
        route=job.route.name,
        document=job.route.document,
        source=job.route.source,
        tenant=group.company,
        key=key,
        revision=journal.revision,
        source_hash=content_hash(payload),
        payload=payload,
        batch_id=job.batch_id,
        number=journal.number,
        kind=f"{len(members)} documents",
        document_date=journal.journal_date,
        business_unit=group.branch,
    )
