"""A duplicate refused by the target, of which the look-up cannot tell what it is: an answer all the same."""

from __future__ import annotations

import pytest

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import StepState
from airflow_provider_mlconnector.sync.verdicts import from_found
from airflow_provider_mlconnector.systems.ports import Found, FoundState, StepDraft, StepKind

DRAFT = StepDraft(
    name="invoice_import",
    kind=StepKind.CREATE,
    company="",
    remote_reference="V00001|SAME-1|credit_memo",
    our_reference="ours",
    payload={},
    fingerprint={},
    text="credit memo SAME-1",
)


@pytest.mark.parametrize("state", [each for each in FoundState if each is not FoundState.OURS])
def test_a_step_refused_as_a_duplicate_is_never_left_as_sent(state: FoundState) -> None:
    verdict = from_found(Found(state, "JAGGAER has it as an invoice"), DRAFT, refused=True)
    assert verdict.step is StepState.REFUSED
    assert verdict.state in {State.PARKED, State.LINKED, State.REJECTED}
