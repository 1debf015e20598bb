"""What people read about a document says each thing once, in whole sentences."""

from __future__ import annotations

from decimal import Decimal

import pytest

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import ChainHead
from airflow_provider_mlconnector.sync.report import Reason, Report
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


def test_a_report_writes_each_sum_as_its_currency_does_and_says_what_to_do_for_each_state() -> None:
    sums = {"JPY": "120000", "USD": "3.5", "KWD": "1.25", "???": "2", "EUR": "0.125"}
    told = Report(
        route="r",
        batch_id="b",
        counts={"rejected": 5},
        sums={"rejected": {currency: Decimal(total) for currency, total in sums.items()}},
        reasons=(),
        failing={str(state): 1 for state in State},
        head=ChainHead("store", 0, ""),
    ).text
    assert "??? 2.00, EUR 0.125, JPY 120,000, KWD 1.250, USD 3.50" in told
    assert "1 rejected: correct it at its source" in told
    assert "1 uncertain: look it up in the target, then `mlconnector replay`" in told
    assert "1 posted: see what each waits for" in told


def test_a_report_tells_a_few_of_the_causes_alike_and_how_to_list_the_others() -> None:
    causes = [Reason("order_unknown", f"PO{n}", f"order PO{n} is not there yet", 6 - n) for n in range(6)]
    told = Report(
        route="r",
        batch_id="b",
        counts={"parked": 22},
        sums={},
        reasons=[*causes, Reason("on_hold", "", "supplier V1 is on hold", 1)],
        failing={},
        head=ChainHead("store", 0, ""),
    ).text.splitlines()
    assert [line.split("×")[0].strip() for line in told if "×" in line] == ["6", "5", "4", "1", "6"]
    assert told[-2].endswith("on_hold: supplier V1 is on hold")
    assert told[-1].endswith("6 × order_unknown of others: `mlconnector documents --reason order_unknown` lists them")
