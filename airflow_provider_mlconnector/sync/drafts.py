"""Step drafts between the target's language and the store's rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from airflow_provider_mlconnector.store.records import StepRecord
from airflow_provider_mlconnector.systems.ports import StepDraft, StepKind


def pack(draft: StepDraft) -> Mapping[str, Any]:
    """Return what a step row keeps of a draft beside its key columns."""
    return {"payload": dict(draft.payload), "fingerprint": dict(draft.fingerprint), "text": draft.text}


def unpack(step: StepRecord) -> StepDraft:
    """Return the draft a step row was made from."""
    return StepDraft(
        name=step.name,
        kind=StepKind(step.kind),
        company=step.company,
        remote_reference=step.remote_reference,
        our_reference=step.our_reference,
        payload=step.payload["payload"],
        fingerprint=step.payload["fingerprint"],
        text=step.payload["text"],
    )


def draft_to(draft: StepDraft) -> dict[str, Any]:
    """Return a draft as JSON-able data, for previews."""
    return asdict(draft)


def draft_from(data: Mapping[str, Any]) -> StepDraft:
    """Return the draft :func:`draft_to` was given."""
    return StepDraft(**{**data, "kind": StepKind(data["kind"])})
