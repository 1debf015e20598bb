"""Whether a site lets us find our own writes: learned from one that surely happened, kept in the store.

Targets without uniqueness (credit memos, journals) are settled by looking for our own reference. The column it lands in
is known from one source only (FINANCE §5), so absence proves nothing until presence has been seen once at this site.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airflow_provider_mlconnector.sync.job import Job
from airflow_provider_mlconnector.sync.session import LASTING
from airflow_provider_mlconnector.systems.ports import (
    DocumentTarget,
    Found,
    FoundState,
    StepDraft,
    StepKind,
    TargetSession,
)

_NAME = "reference_proofs"


def _scope(target: DocumentTarget) -> str:
    return f"{LASTING}{target.name}"


def restore_proofs(job: Job, target: DocumentTarget) -> None:
    """Tell the target what earlier runs have proven."""
    with job.unit_of_work() as uow:
        kept = uow.snapshots.get(_scope(target), _NAME) or {}
    for step, proven in kept.items():
        target.observe_reference(step, proven=bool(proven))


def prove_reference(job: Job, target: DocumentTarget, session: TargetSession, certain: Sequence[StepDraft]) -> None:
    """Look one certainly executed delta up by our reference, unless that was proven before.

    Args:
        job: The job.
        target: The target to tell.
        session: An open session.
        certain: Steps whose execution the target has confirmed.
    """
    draft = next((draft for draft in certain if _is_open(target, draft)), None)
    if draft is not None:
        found = session.find([draft], settling=True)[0]
        _learn(job, target, draft, proven=found.state is FoundState.OURS)


def learn_from(job: Job, target: DocumentTarget, looked_up: Iterable[tuple[StepDraft, Found]]) -> None:
    """Take what settling found by our reference as proof: the worker that sent it may have died before its own."""
    for draft, found in looked_up:
        if found.state is FoundState.OURS and _is_open(target, draft):
            _learn(job, target, draft, proven=True)


def _is_open(target: DocumentTarget, draft: StepDraft) -> bool:
    return draft.kind is StepKind.DELTA and not target.reference_proven(draft.name)


def _learn(job: Job, target: DocumentTarget, draft: StepDraft, *, proven: bool) -> None:
    target.observe_reference(draft.name, proven=proven)
    with job.unit_of_work() as uow:
        kept = dict(uow.snapshots.get(_scope(target), _NAME) or {})
        uow.snapshots.put(_scope(target), _NAME, {**kept, draft.name: proven})
