"""One lot of claimed documents on its way into a target: look up, commit the intent, send, record (DESIGN §4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import AmbiguousOutcome, MLConnectorError, ProtocolError, Unavailable
from airflow_provider_mlconnector.points import Point, reached
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import Change, DocumentRecord, StepRecord, StepState
from airflow_provider_mlconnector.sync.both_ways import face_in_store, from_meeting, meet, runs_both_ways
from airflow_provider_mlconnector.sync.drafts import unpack
from airflow_provider_mlconnector.sync.job import Job, logger
from airflow_provider_mlconnector.sync.links import remember_links
from airflow_provider_mlconnector.sync.proofs import prove_reference
from airflow_provider_mlconnector.sync.session import Keeper
from airflow_provider_mlconnector.sync.verdicts import EXECUTED, Verdict, from_found, from_outcome, stands
from airflow_provider_mlconnector.systems.ports import (
    DocumentTarget,
    FoundState,
    OutcomeState,
    StepDraft,
    TargetSession,
)

_FRESH = 0.9
"""Part of its lease that a waiting claim must still have when the next request begins."""
MAX_AMBIGUOUS = 5
"""Answers in a row that settle nothing before the task stops sending and leaves the rest for its retry."""


@dataclass(frozen=True, slots=True)
class Work:
    """A claimed document and its steps, in order."""

    document: DocumentRecord
    steps: tuple[StepRecord, ...]

    @property
    def current(self) -> StepRecord | None:
        """The first step not executed yet: where the document resumes."""
        return next((step for step in self.steps if step.state not in EXECUTED), None)

    @property
    def draft(self) -> StepDraft:
        """The current step as the target's draft."""
        return unpack(self._must_have())

    def _must_have(self) -> StepRecord:
        step = self.current
        if step is None:
            message = f"document {self.document.id} has no step left to send"
            raise AssertionError(message)
        return step

    def with_step(self, step: StepRecord) -> Work:
        """Return this work with one step replaced."""
        return replace(self, steps=tuple(step if old.id == step.id else old for old in self.steps))


class Lot:
    """Sends a lot of documents, step by step. Every exit leaves each document in a state of its own.

    Args:
        job: The job.
        target: Rules of the target.
        session: An open session.
        keeper: Proof that this worker may still send.
        documents: Documents in state ``posting``, claimed by this worker.
    """

    def __init__(
        self,
        job: Job,
        target: DocumentTarget,
        session: TargetSession,
        keeper: Keeper,
        documents: Sequence[DocumentRecord],
    ) -> None:
        self._job = job
        self._target = target
        self._session = session
        self._keeper = keeper
        self._ambiguous = 0
        self._claims_until = job.clock.monotonic() + job.lease_seconds
        self.counts = Counter[str]()
        with job.unit_of_work() as uow:
            steps = uow.steps.of([document.id for document in documents])
        self._open = {document.id: Work(document, tuple(steps[document.id])) for document in documents}

    def run(self) -> None:
        """Send everything, or give back what was not sent.

        Raises:
            MLConnectorError: The target cannot be used now; nothing that was not sent is lost.
        """
        done = Verdict(None, State.POSTED, code="nothing_left", reason="all of its steps were executed before")
        try:
            self._conclude([(work, done) for work in list(self._open.values()) if work.current is None])
            while self._open and not self._job.out_of_time():
                self._round()
        except MLConnectorError:
            self._give_back()
            raise
        self._give_back()

    def _round(self) -> None:
        """Take one kind of step of every document that is at it."""
        first = next(iter(self._open.values())).draft.name
        works = [work for work in self._open.values() if work.draft.name == first]
        drafts = [(work.draft, work) for work in self._look_up(works)]
        owner = {id(draft): work for draft, work in drafts}
        for batch in self._session.batches([draft for draft, _work in drafts]):
            if self._job.out_of_time():
                return
            self._keep_claims()
            self._send([owner[id(draft)] for draft in batch])

    # --- before ----------------------------------------------------------------------------------------------------

    def _look_up(self, works: Sequence[Work]) -> list[Work]:
        """Return the works the target does not hold yet; the others get their verdict here.

        Every document is looked up before it is sent, not only at first contact: hand-entered invoices and restored
        stores then need no mode of their own, at about 0.02 requests per invoice.
        """
        works = self._not_met(works)
        found = self._session.find([work.draft for work in works])
        verdicts: list[tuple[Work, Verdict]] = []
        ready: list[Work] = []
        for work, answer in zip(works, found, strict=True):
            if answer.state is FoundState.ABSENT:
                ready.append(work)
            else:
                verdicts.append((work, from_found(answer, work.draft)))
        self._conclude(verdicts)
        reached(Point.LOOKED_UP)
        return ready

    def _not_met(self, works: Sequence[Work]) -> Sequence[Work]:
        """Return the works whose invoice has not come to the other side since it was validated."""
        if not runs_both_ways(self._job.route):
            return works
        untouched = [work.document for work in works if not any(step.state in EXECUTED for step in work.steps)]
        with self._job.unit_of_work() as uow:
            met = meet(uow, self._job.route, [face_in_store(document) for document in untouched])
        verdicts = [(work, from_meeting(met[work.document.id])) for work in works if work.document.id in met]
        self._conclude(verdicts)
        return [work for work in works if work.document.id not in met]

    def _keep_claims(self) -> None:
        """Extend the claims of all that waits in this lot, once a tenth of their lease has passed."""
        left = self._claims_until - self._job.clock.monotonic()
        if left > self._job.lease_seconds * _FRESH:
            return
        self._keeper.renew()
        self._claims_until = self._job.clock.monotonic() + self._job.lease_seconds
        with self._job.unit_of_work() as uow:
            # one lost to another worker is noticed when its turn comes
            uow.documents.extend([work.document for work in self._open.values()], until=self._keeper.expires_at)

    # --- during ----------------------------------------------------------------------------------------------------

    def _send(self, batch: Sequence[Work]) -> None:
        batch = self._intend(batch)
        if not batch:
            return
        reached(Point.AFTER_INTENT)
        try:
            outcomes = self._session.post([work.draft for work in batch], fence=self._keeper)
        except (AmbiguousOutcome, ProtocolError) as error:
            self._uncertain(batch, error)
            return
        except MLConnectorError:
            # every other error is proof that nothing was executed (DESIGN §6)
            self._settle(batch, StepState.ABSENT)
            raise
        self._ambiguous = 0
        reached(Point.AFTER_RESPONSE)
        answered = list(zip(batch, outcomes, strict=True))
        duplicates = [work for work, outcome in answered if outcome.state is OutcomeState.DUPLICATE]
        verdicts = [(work, from_outcome(outcome)) for work, outcome in answered if work not in duplicates]
        # what is only handed over cannot be found yet, which proves nothing
        certain = [work.draft for work, verdict in verdicts if verdict.step in EXECUTED - {StepState.SUBMITTED}]
        self._conclude(verdicts)
        self._compare_duplicates(duplicates)
        prove_reference(self._job, self._target, self._session, certain)

    def _intend(self, batch: Sequence[Work]) -> list[Work]:
        """Commit the intent: from here on a crash means "may have happened"."""
        reached(Point.BEFORE_INTENT)
        self._keeper.renew()
        with self._job.unit_of_work() as uow:
            extended = uow.documents.extend([work.document for work in batch], until=self._keeper.expires_at)
            held = {document.id: document for document in extended}
            for work in batch:
                if work.document.id not in held:
                    logger.warning("Document %s was taken over by another worker; not sent", work.document.id)
                    self._open.pop(work.document.id, None)
            batch = [replace(work, document=held[work.document.id]) for work in batch if work.document.id in held]
            steps = [step for work in batch if (step := work.current)]
            sending = uow.steps.intend(
                steps,
                documents=[work.document for work in batch],
                at=self._job.now(),
                expires_at=self._keeper.expires_at,
            )
        batch = [work.with_step(step) for work, step in zip(batch, sending, strict=True)]
        self._open.update({work.document.id: work for work in batch})
        return batch

    # --- after -----------------------------------------------------------------------------------------------------

    def _conclude(self, verdicts: Iterable[tuple[Work, Verdict]]) -> None:
        """Write step and document in one transaction; documents with a step left stay open."""
        verdicts = list(verdicts)
        if not verdicts:
            return
        reached(Point.BEFORE_STATE)
        with self._job.unit_of_work() as uow:
            verdicts = self._still_ours(uow, verdicts)
            settled = uow.steps.settle_many(
                [
                    (step, verdict.step, dict(verdict.result), False)
                    for work, verdict in verdicts
                    if verdict.step and (step := work.current)
                ],
                at=self._job.now(),
            )
            by_id = {step.id: step for step in settled}
            changes: list[Change] = []
            for work, verdict in verdicts:
                step = work.current
                moved = work.with_step(by_id[step.id]) if step and step.id in by_id else work
                if verdict.step in EXECUTED and moved.current is not None:
                    self._open[work.document.id] = moved
                    continue
                changes.append(self._final_change(moved, verdict))
                del self._open[work.document.id]
                if issue := verdict.result.get("issue"):
                    uow.issues.open(self._job.route.name, "target_differs", work.document.id, str(issue))
            done = uow.documents.apply(changes)
            remember_links(uow, self._job.route, changes, done)
        self.counts.update(str(document.state) for document in done)
        reached(Point.AFTER_STATE)

    def _still_ours(self, uow: UnitOfWork, verdicts: Sequence[tuple[Work, Verdict]]) -> Sequence[tuple[Work, Verdict]]:
        """Lock the documents; what another worker has taken over is theirs, steps included.

        A step settled without its document would leave one that is uncertain about nothing.
        """
        ours = {document.id for document in uow.documents.hold([work.document for work, _verdict in verdicts])}
        for work, _verdict in verdicts:
            if work.document.id not in ours:
                logger.warning("Document %s was taken over by another worker; its state is theirs", work.document.id)
                del self._open[work.document.id]
        return [(work, verdict) for work, verdict in verdicts if work.document.id in ours]

    def _final_change(self, work: Work, verdict: Verdict) -> Change:
        complete = verdict.state is State.POSTED or verdict.step in EXECUTED
        state = stands(step.state for step in work.steps) if complete else verdict.state
        return Change(
            work.document,
            state,
            reason_code=verdict.code,
            reason=verdict.reason,
            reason_subject=verdict.subject,
            detail={"result": dict(verdict.result), "remote": verdict.remote_text},
            target_reference=verdict.target_reference or None,
            due_at=self._job.now() + timedelta(minutes=1) if state is State.VALIDATED else None,
        )

    def _compare_duplicates(self, works: Sequence[Work]) -> None:
        """A refused duplicate is compared: ours, entered by hand, or another document under the same number."""
        if not works:
            return
        found = self._session.find([work.draft for work in works], settling=True)
        self._conclude(
            (work, from_found(answer, work.draft, refused=True)) for work, answer in zip(works, found, strict=True)
        )

    def _uncertain(self, batch: Sequence[Work], error: MLConnectorError) -> None:
        due = self._job.now() + timedelta(seconds=self._target.settle_seconds)
        evidence = error.evidence[:2000].decode("cp1252", "replace") if isinstance(error, ProtocolError) else ""
        said = error.message.rstrip(". ")
        reached(Point.BEFORE_STATE)
        with self._job.unit_of_work() as uow:
            uow.steps.settle_many(
                [(step, StepState.UNCERTAIN, None, False) for work in batch if (step := work.current)],
                at=self._job.now(),
            )
            done, _lost = uow.documents.apply_each(
                [
                    Change(
                        work.document,
                        State.UNCERTAIN,
                        reason_code="outcome_unknown",
                        reason=f"sent, and nobody knows yet: {said}. It will be looked up in the target.",
                        detail={"evidence": evidence} if evidence else {},
                        due_at=due,
                    )
                    for work in batch
                ]
            )
        for work in batch:
            del self._open[work.document.id]
        self.counts.update(str(document.state) for document in done)
        logger.warning("%d documents are uncertain after %s", len(batch), error)
        self._ambiguous += 1
        reached(Point.AFTER_STATE)
        if self._ambiguous >= MAX_AMBIGUOUS:
            message = f"{self._ambiguous} requests in a row got no answer from {self._target.name!r}: stopped sending"
            raise Unavailable(message) from error

    def _settle(self, batch: Sequence[Work], state: StepState) -> None:
        with self._job.unit_of_work() as uow:
            settled = uow.steps.settle_many(
                [(step, state, None, False) for work in batch if (step := work.current)], at=self._job.now()
            )
        by_document = {step.document_id: step for step in settled}
        for work in batch:
            self._open[work.document.id] = work.with_step(by_document[work.document.id])

    def _give_back(self) -> None:
        """Return what was claimed but not sent.

        What is in ``sending`` stays so, and is taken up as uncertain once the claim has run out: its outcome could
        not be written, or its intent was committed although the answer to that commit was lost. So the store is asked.
        """
        claimed = list(self._open.values())
        self._open.clear()
        if not claimed:
            return
        with self._job.unit_of_work() as uow:
            steps = uow.steps.of([work.document.id for work in claimed])
            unsent = [work for work in claimed if not _in_flight(steps[work.document.id])]
            uow.documents.apply_each(
                [
                    Change(work.document, State.VALIDATED, reason_code="given_back", reason="claimed, but not sent")
                    for work in unsent
                ]
            )


def _in_flight(steps: Sequence[StepRecord]) -> bool:
    return any(step.state is StepState.SENDING for step in steps)
