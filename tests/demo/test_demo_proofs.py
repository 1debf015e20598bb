"""The demo's proofs: each holds on books that agree, and names what differs on books that do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_mlconnector.demo import proofs
from airflow_provider_mlconnector.demo.facts import Booked, Books, amount, plain_key
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import ChainHead, ChainReport, DocumentRecord

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ROW = {"supplier": "V00001", "invoice": "NB-1", "type": "I", "currency": "$", "value": "120.00", "reference": "MLC1"}
POSTED = Booked("V00001", "NB-1", "I", "USD", Decimal(120), "MLC1")
TYPED_IN = {**ROW, "invoice": "000017", "value": "75.50", "reference": "typed in", "by": "person"}
LINKED = Booked("V00001", "17", "I", "USD", Decimal("75.5"))
ATTEMPT = {"by": "api", "bo": "APSTIN", "outcome": "posted", **ROW}


def document(key: str, state: State, *, number: str = "NB-1", code: str = "") -> DocumentRecord:
    return DocumentRecord(
        id=f"d{key}", route="r", document="invoice", source="s", tenant="t", key=key, revision="1", state=state,
        generation=1, batch_id="b", source_hash="", number=number, supplier="V00001", kind="invoice", currency="USD",
        gross="120.00", document_date=None, source_number="", business_unit="", reason_code=code, reason="why",
        reason_subject="", lease_owner="", lease_until=None, due_at=None, chunk_id="", mapping_version=None,
        target_reference="", created_at=NOW, updated_at=NOW,
    )  # fmt: skip


def books(*documents: DocumentRecord, **changes: Any) -> Books:
    head = ChainHead("store", 3, "mac")
    known: dict[str, Any] = {
        "posted": [POSTED],
        "linked": [LINKED],
        "chain": ChainReport(ok=True, events=3, head=head),
        "behind": "",
    }
    return Books(store_id="store", documents=documents, **(known | changes))


def ledger(**changes: Any) -> dict[str, Any]:
    journal = {"journal": 872, "debit": "120.00", "credit": "120.00"}
    known: dict[str, Any] = {
        "ap_invoices": [{**ROW, "by": "api"}, TYPED_IN],
        "ap_transactions": [],
        "gl_entries": {"debit": "120.00", "credit": "120.00"},
        "gl_journals": [journal],
        "write_attempts": [ATTEMPT],
    }
    return known | changes


def truth(**labels: str) -> dict[str, dict[str, Any]]:
    good = {"plain": True, "total_off": False, "pending": False, "not_cp1252_text": False}
    return {key.removeprefix("k"): {"label": label, "good": good[label]} for key, label in labels.items()}


TASKS = [{"task_id": name, "state": "success"} for name in ("extract", "plan", "validate", "post", "settle", "report")]


def test_books_that_agree_are_proven_equal() -> None:
    proof = proofs.ledger_equals_store(books(), ledger())
    assert proof.holds, proof.differences
    assert "USD 120.00" in proof.evidence


@pytest.mark.parametrize(
    "change",
    [
        {"value": "120.01"},
        {"currency": "EUR"},
        {"type": "C"},
        {"supplier": "V00002"},
        {"invoice": "NB-2"},
        {"reference": "MLC2"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_single_different_field_is_found_on_both_sides(change: dict[str, str]) -> None:
    proof = proofs.ledger_equals_store(books(), ledger(ap_invoices=[{**ROW, "by": "api"} | change, TYPED_IN]))
    assert [text.split(":")[0] for text in proof.differences] == [
        "in SYSPRO but not in the store",
        "in the store but not in SYSPRO",
    ]


def test_a_second_booking_of_one_document_is_found_in_the_ledger() -> None:
    twice = ledger(ap_invoices=[{**ROW, "by": "api"}, {**ROW, "by": "api"}, TYPED_IN])
    assert not proofs.ledger_equals_store(books(), twice).holds


def test_a_link_to_something_nobody_typed_in_is_found() -> None:
    proof = proofs.ledger_equals_store(
        books(), ledger(ap_invoices=[{**ROW, "by": "api"}, {**TYPED_IN, "value": "75.51"}])
    )
    assert "nobody typed it in" in proof.differences[0]


def test_credit_memos_are_subtracted_from_the_sums() -> None:
    credit = replace(POSTED, type="C", value=Decimal("20.50"))
    assert proofs.sums_of([POSTED, credit]) == {"USD": Decimal("99.50")}


def test_an_unbalanced_journal_is_named() -> None:
    unbalanced = ledger(gl_journals=[{"journal": 872, "debit": "120.00", "credit": "119.99"}])
    assert proofs.debits_equal_credits(ledger()).holds
    assert proofs.debits_equal_credits(unbalanced).differences == ("journal 872: debit 120.00, credit 119.99",)


def test_a_write_booked_twice_is_named() -> None:
    assert proofs.nothing_booked_twice(ledger(write_attempts=[]), ledger()).holds
    proof = proofs.nothing_booked_twice(ledger(write_attempts=[]), ledger(write_attempts=[ATTEMPT, ATTEMPT]))
    assert proof.differences[0].startswith("booked 2 times: APSTIN V00001 NB-1")


def test_a_refused_repetition_of_what_an_earlier_run_booked_is_named_too() -> None:
    again = ledger(write_attempts=[ATTEMPT, {**ATTEMPT, "outcome": "refused"}])
    assert not proofs.nothing_booked_twice(ledger(), again).holds
    assert proofs.nothing_booked_twice(ledger(), ledger()).evidence.startswith("0 booked in this run, 1 before it")


def test_an_invoice_missing_in_the_store_is_lost_unless_it_is_still_in_approval() -> None:
    known = books(document("1", State.POSTED))
    assert proofs.nothing_lost(known, truth(k1="plain", k2="pending")).holds
    assert "invoice 2 (total_off)" in proofs.nothing_lost(known, truth(k1="plain", k2="total_off")).differences[0]
    assert "3 is not in JAGGAER" in proofs.nothing_lost(books(document("3", State.POSTED)), {}).differences[0]


def test_a_defective_invoice_in_syspro_is_named_but_reduced_text_is_allowed() -> None:
    known = books(document("1", State.POSTED))
    assert proofs.nothing_unsound_posted(known, truth(k1="plain")).holds
    assert proofs.nothing_unsound_posted(known, truth(k1="not_cp1252_text")).holds
    assert proofs.nothing_unsound_posted(known, truth(k1="total_off")).differences == ("NB-1 (total_off) is posted",)


@pytest.mark.parametrize(("state", "holds"), [(State.POSTED, True), (State.PARKED, True), (State.FAILED, False)])
def test_a_sound_invoice_may_wait_but_not_be_refused(state: State, holds: bool) -> None:
    assert proofs.nothing_sound_refused(books(document("1", state)), truth(k1="plain")).holds is holds


def test_a_sound_invoice_whose_number_somebody_used_may_be_rejected() -> None:
    used = document("1", State.REJECTED, code="number_already_used")
    assert proofs.nothing_sound_refused(books(used), truth(k1="plain")).holds


def test_a_broken_audit_trail_is_named() -> None:
    broken = ChainReport(ok=False, events=2, head=ChainHead("store", 3, "mac"), bad_seq=2, reason="edited")
    assert proofs.audit_chain_holds(books()).holds
    assert proofs.audit_chain_holds(books(chain=broken)).differences == ("event 2: edited",)
    assert proofs.audit_chain_holds(books(behind="older")).differences == ("older",)


def test_only_the_report_may_be_red_and_must_be_when_a_person_is_needed() -> None:
    red = [row if row["task_id"] != "report" else {**row, "state": "failed"} for row in TASKS]
    calm, urgent = books(document("1", State.POSTED)), books(document("1", State.REJECTED))
    assert proofs.only_the_report_is_red(calm, TASKS).holds
    assert proofs.only_the_report_is_red(urgent, red).holds
    assert not proofs.only_the_report_is_red(calm, red).holds
    assert not proofs.only_the_report_is_red(urgent, TASKS).holds
    assert not proofs.only_the_report_is_red(calm, [{"task_id": "post", "state": "failed"}, *TASKS[-1:]]).holds
    assert proofs.only_the_report_is_red(calm, TASKS[:-1]).differences == ("task report did not run",)


@pytest.mark.parametrize(
    ("value", "currency", "shown"),
    [
        ("1234.5", "", "1,234.50"),
        ("7", "USD", "7.00"),
        ("16.355", "", "16.355"),
        ("-3.1", "EUR", "-3.10"),
        ("10001.00", "JPY", "10,001"),
        ("100.5", "JPY", "100.5"),
        ("16.35", "KWD", "16.350"),
        ("5", "XQZ", "5.00"),
    ],
)
def test_amounts_have_their_currencys_decimals_and_more_only_where_there_are(
    value: str, currency: str, shown: str
) -> None:
    assert amount(Decimal(value), currency) == shown


@pytest.mark.parametrize(("key", "plain"), [("0000000310", "310"), (" nb-1 ", "NB-1"), ("000", "000")])
def test_keys_are_compared_as_syspro_pads_them(key: str, plain: str) -> None:
    assert plain_key(key) == plain
