"""What people read about a document says each thing once, in whole sentences."""

from __future__ import annotations

import pytest

from airflow_provider_mlconnector.sync.verdicts import from_found, from_outcome, in_words
from airflow_provider_mlconnector.systems.ports import Found, FoundState, Outcome, OutcomeState, StepDraft, StepKind

DRAFT = StepDraft(
    name="ap_invoice",
    kind=StepKind.CREATE,
    company="EDU1",
    remote_reference="V00001|A1|I",
    our_reference="ML-1",
    payload={},
    fingerprint={},
    text="invoice A1",
)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({}, ""),
        ({"key": "000000000000310", "lines": {"1": 1}}, "000000000000310"),
        ({"key": "V00031"}, "V00031"),
        ({"journal": "431", "entry": "2", "year": 2026, "period": 11}, "journal 431, entry 2, period 2026/11"),
        ({"key": "J1", "gl_journal": "7", "gl_status": "held"}, "J1, GL journal 7, GL held"),
    ],
)
def test_a_posted_document_is_named_by_the_key_it_has_in_the_target(result: dict[str, object], words: str) -> None:
    assert in_words(result) == words
    assert from_outcome(Outcome(OutcomeState.POSTED, result=result)).target_reference == words


def test_what_was_entered_by_hand_is_said_to_be_so_once() -> None:
    found = Found(FoundState.SAME_NOT_OURS, "reference RENT, journal 12", {"journal": "12"})
    reason = from_found(found, DRAFT).reason
    assert reason == "already in the target, entered by hand: reference RENT, journal 12"
