"""Replay: what a person does about documents that wait for one (DESIGN §4).

Refused, parked, rejected and skipped documents become due again; one that is partly in the target resumes at the step
that was refused. An uncertain write is never sent again from here (FINANCE §5): it is looked up, or a person says what
they saw in the target. Nothing is sent by this module: the next run of the route does that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.points import Point, reached
from airflow_provider_mlconnector.store import Store, UnitOfWork
from airflow_provider_mlconnector.store.records import Actor, Change, DocumentRecord, StepState
from airflow_provider_mlconnector.sync.orders import TAKEN_UP, Decision, Order, decide, refuse
from airflow_provider_mlconnector.systems.ports import NOT_SEEN, Clock

REPLAYED: Final = "replayed"
"""Kind of the event, and reason code of what waits for its next run or was settled by a person's word."""
HANDLED: Final = "handled"
"""Reason code of a change after posting that somebody has carried out in the target by hand."""
ALREADY: Final = "was replayed by this very order before"
"""Said of a document that an order given once finds again."""
_LOT = 200


@dataclass(frozen=True, slots=True)
class Selection:
    """Which documents: those of ``keys`` (anything :meth:`DocumentQueries.find` understands), or all there are.

    Everything else narrows down either; without ``keys`` and ``states``, what a replay can do something about is meant.

    Attributes:
        keys: Ids, keys or numbers.
        route: Only of this route.
        states: Only in one of these states.
        reason: Only stuck for this reason code.
        run: Only what this run has an event about: a DAG run id, or a batch id.
        dated_from: Only documents dated so or later; what has no date is not meant then.
        dated_to: Only documents dated so or earlier.
    """

    keys: Sequence[str] = ()
    route: str | None = None
    states: frozenset[State] = frozenset()
    reason: str | None = None
    run: str | None = None
    dated_from: date | None = None
    dated_to: date | None = None

    @property
    def narrow(self) -> bool:
        """Whether somebody has said what is meant: documents, a run, or something about those of a route."""
        dated = self.dated_from or self.dated_to
        return bool(self.keys or self.run or (self.route and (self.states or self.reason or dated)))

    def has(self, document: DocumentRecord) -> bool:
        """Tell whether a document is meant, as far as it tells by itself."""
        start, end = self.dated_from or date.min, self.dated_to or date.max
        undated = not (self.dated_from or self.dated_to)
        return (
            (not self.states or document.state in self.states)
            and self.reason in {None, document.reason_code}
            and (undated or (document.document_date is not None and start <= document.document_date <= end))
        )


class Replay:
    """One order of one person over any number of documents.

    Args:
        store: The store.
        actor: Named in every event.
        order: What shall be done, and why.
        batch_id: Label of the events.
        clock: Time.
        once: Leave alone what was replayed under this very batch before: the order of a task that may be run again.
    """

    def __init__(
        self, store: Store, actor: Actor, order: Order, *, batch_id: str, clock: Clock, once: bool = False
    ) -> None:
        self._store = store
        self._actor = actor
        self._order = order
        self._batch_id = batch_id
        self._clock = clock
        self._once = once

    def survey(self, selection: Selection) -> list[Decision]:
        """Tell what the order would do with each selected document, oldest first; changes nothing."""
        decisions: list[Decision] = []
        for page in self._pages(selection):
            with self._store.unit_of_work(self._actor) as uow:
                decisions += self._decide(uow, page)
        return decisions

    def run(self, surveyed: Sequence[Decision]) -> list[Decision]:
        """Do what was surveyed.

        Each document is judged again on the way: one that has moved since, or is in a worker's hands, is left alone and
        its decision says so.

        Args:
            surveyed: From :meth:`survey`; refused ones are passed over.

        Returns:
            The decisions as carried out, without those refused before.

        Raises:
            StaleClaim: A worker settled a write in the same moment; documents before it are done, its lot is not.
            ValueError: What somebody saw, or a correction, is for one document, and several were given: a defect.
        """
        wanted = [decision for decision in surveyed if not decision.refused]
        if (self._order.seen or self._order.correction) and len(wanted) > 1:
            msg = "what somebody saw, or a corrected payload, concerns exactly one document"
            raise ValueError(msg)
        done: list[Decision] = []
        for start in range(0, len(wanted), _LOT):
            done += self._carry_out(wanted[start : start + _LOT])
        return done

    # --- which -----------------------------------------------------------------------------------------------------

    def _pages(self, selection: Selection) -> Iterator[Sequence[DocumentRecord]]:
        if selection.keys:
            yield self._named(selection)
            return
        after, states = "", selection.states or TAKEN_UP
        while True:
            with self._store.unit_of_work(self._actor) as uow:
                page = uow.documents.search(
                    route=selection.route, states=states, reason_code=selection.reason, limit=_LOT, after_id=after
                )
                meant = _meant(uow, selection, page)
            yield meant
            if len(page) < _LOT:
                return
            after = page[-1].id

    def _named(self, selection: Selection) -> list[DocumentRecord]:
        found: dict[str, DocumentRecord] = {}
        with self._store.unit_of_work(self._actor) as uow:
            for key in selection.keys:
                named = uow.documents.find(key, route=selection.route, limit=_LOT)
                found |= {document.id: document for document in _meant(uow, selection, named)}
        return [found[document_id] for document_id in sorted(found)]

    # --- what ------------------------------------------------------------------------------------------------------

    def _decide(self, uow: UnitOfWork, documents: Sequence[DocumentRecord]) -> list[Decision]:
        ids = [document.id for document in documents]
        steps, now = uow.steps.of(ids), self._clock.now()
        before = uow.events.touching(self._batch_id, ids) if self._once else set()
        return [
            refuse(document, ALREADY)
            if document.id in before
            else decide(document, steps[document.id], self._order, outdated=_outdated(uow, document), now=now)
            for document in documents
        ]

    def _carry_out(self, lot: Sequence[Decision]) -> list[Decision]:
        surveyed = {decision.document.id: decision for decision in lot}
        with self._store.unit_of_work(self._actor, batch_id=self._batch_id) as uow:
            decided = self._decide(uow, uow.documents.get_many(surveyed))
            agreed = [decision for decision in decided if decision.agrees_with(surveyed[decision.document.id])]
            changed, _lost = uow.documents.apply_each([self._change(decision) for decision in agreed])
            done = {document.id for document in changed}
            carried_out = [decision for decision in agreed if decision.document.id in done]
            reached(Point.DURING_REPLAY)
            self._settle(uow, carried_out)
            for told in (decision.document for decision in carried_out if decision.document.reason_code == NOT_SEEN):
                uow.issues.resolve(told.route, NOT_SEEN, told.id)
            if self._order.correction and done:
                uow.documents.correct(self._order.correction.document_id, self._order.correction.payload)
        return [
            decision if decision.document.id in done else refuse(decision.document, "has moved meanwhile: look again")
            for decision in lot
        ]

    def _settle(self, uow: UnitOfWork, decisions: Sequence[Decision]) -> None:
        settled = [decision.settles for decision in decisions if decision.settles]
        result = {"told_by": self._who, "target_reference": self._order.target_reference}
        uow.steps.settle_many(
            [(step, to, result if to is StepState.DONE else None, False) for step, to in settled],
            at=self._clock.now(),
        )

    @property
    def _who(self) -> str:
        return self._actor.user or self._actor.label

    def _change(self, decision: Decision) -> Change:
        document, order = decision.document, self._order
        why = f"{order.why} (corrected: {order.correction.in_words})" if order.correction else order.why
        change = Change(
            document,
            decision.to or document.state,
            event=REPLAYED,
            reason_code=HANDLED if decision.to is State.SKIPPED else REPLAYED,
            reason=f"{self._who}: {why}",
            why=why,
            detail=self._detail(decision),
            due_at=decision.due_at,
            target_reference=order.target_reference or None,
        )
        if decision.to is not State.UNCERTAIN:
            return change
        # looking once more changes nothing about what is known of the write
        known = {name: getattr(document, name) for name in ("reason_code", "reason", "reason_subject")}
        return replace(change, **known)

    def _detail(self, decision: Decision) -> Mapping[str, Any]:
        """Return what the audit trail keeps beside the reason; encrypted like every detail."""
        order = self._order
        detail: dict[str, Any] = {"why": order.why, "was": decision.document.reason_code}
        if order.correction:
            detail |= {
                "difference": list(order.correction.differences),
                "payload_hash": order.correction.payload_hash,
            }
        if decision.settles:
            step = decision.settles[0]
            detail |= {"step": step.name, "seen": str(order.seen), "target_reference": order.target_reference}
        return detail


def unknown_keys(selection: Selection, found: Sequence[Decision]) -> list[str]:
    """Return the keys of a selection under which nothing was found."""
    documents = [decision.document for decision in found]
    known = {name.casefold() for one in documents for name in (one.id, one.key, one.number, one.source_number)}
    return [key for key in selection.keys if key.strip().casefold() not in known]


def _meant(uow: UnitOfWork, selection: Selection, documents: Sequence[DocumentRecord]) -> list[DocumentRecord]:
    chosen = [document for document in documents if selection.has(document)]
    if not selection.run or not chosen:
        return chosen
    touched = uow.events.touching(selection.run, [document.id for document in chosen])
    return [document for document in chosen if document.id in touched]


def _outdated(uow: UnitOfWork, document: DocumentRecord) -> bool:
    """Whether a newer revision is known; asked only where it matters, for one query each."""
    if document.state is not State.FAILED:
        return False
    known = uow.documents.revisions(document.route, document.source, document.tenant, [document.key])
    return any(other.revision > document.revision for other in known[document.key])
