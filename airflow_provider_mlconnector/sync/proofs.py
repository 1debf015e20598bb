"""Whether a site lets us find our own writes: learned from one that surely happened, kept in the store.

Targets without uniqueness (credit memos, journals) are settled by looking for our own reference. The column it lands in
is known from one source only (FINANCE §5), so absence proves nothing until presence has been seen once at this site.
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_mlconnector.sync.job import Job
from airflow_provider_mlconnector.systems.ports import DocumentTarget, FoundState, StepDraft, StepKind, TargetSession

_NAME = "reference_proofs"


def _scope(target: DocumentTarget) -> str:
    return f"connection:{target.name}"


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
    open_question = (
        draft for draft in certain if draft.kind is StepKind.DELTA and not target.reference_proven(draft.name)
    )
    draft = next(open_question, None)
    if draft is None:
        return
    found = session.find([draft], settling=True)[0]
    target.observe_reference(draft.name, proven=found.state is FoundState.OURS)
    with job.unit_of_work() as uow:
        kept = dict(uow.snapshots.get(_scope(target), _NAME) or {})
        kept[draft.name] = target.reference_proven(draft.name)
        uow.snapshots.put(_scope(target), _NAME, kept)
