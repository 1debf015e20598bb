"""The demo's second company: what stands at the top of its DAG file, and proofs that name what differs."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_mlconnector.demo import unlinked_proofs as proofs
from airflow_provider_mlconnector.demo.facts import Booked, Books
from airflow_provider_mlconnector.demo.home import Home, StepFailed
from airflow_provider_mlconnector.demo.stage import edit
from airflow_provider_mlconnector.demo.unlinked import COUNT, DAG_FILE, JAGGAER, SYSPRO, running_unlinked
from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.documents.journal import CombinedJournal, EntryLine, JournalMember, OpenEntry
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import ChainHead, ChainReport, DocumentRecord

DAGS = Path(__file__).parents[2] / "dags"
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def posting(number: str, value: str, *, branch: str = "10", rate: str = "1") -> dict[str, Any]:
    return {
        "supplier": "V00001", "invoice": number, "type": "I", "value": value, "currency": "$" if rate == "1" else "EUR",
        "rate": rate, "mul_div": "M", "year": 2026, "month": 10, "branch": branch, "by": "api",
        "reference": f"MLC{number}",
    }  # fmt: skip


def journal(number: int, *amounts: tuple[str, str]) -> dict[str, Any]:
    """Return a journal of lines (invoice, amount) and what clears them."""
    entries = [
        {"gl_code": "10-5120", "amount": value, "reference": bill, "comment": f"V00001 $ {value} line 1"}
        for bill, value in amounts
    ]
    total = str(sum(Decimal(value) for _bill, value in amounts))
    cleared = {"gl_code": "00-2150", "amount": f"-{total}", "reference": f"J{number}", "comment": "clearing of some"}
    return {
        "journal": number, "year": 2026, "period": 10, "reference": f"J{number}", "debit": total, "credit": total,
        "entries": [*entries, cleared],
    }  # fmt: skip


def attempt(bo: str, number: str, reference: str) -> dict[str, str]:
    what = {"bo": bo, "supplier": "V00001", "invoice": number, "type": "I", "reference": reference}
    return {**what, "by": "api", "outcome": "posted"}


LEDGER: dict[str, Any] = {
    "ap_invoices": [posting("A1", "100.00"), posting("A2", "20.00", rate="1.10"), posting("B1", "7.50", branch="20")],
    "ap_transactions": [],
    "gl_journals": [journal(1, ("A1", "60.00"), ("A1", "40.00"), ("A2", "22.00")), journal(2, ("B1", "7.50"))],
    "gl_entries": {"debit": "129.50", "credit": "129.50"},
    "write_attempts": [
        *(attempt("APSTIN", number, f"MLC{number}") for number in ("A1", "A2", "B1")),
        attempt("GENTJL", "", "J1"),
        attempt("GENTJL", "", "J2"),
    ],
}
"""Three invoices of two branches in two journals, one of them in foreign currency."""
TRUTH = {str(key): {"label": "plain", "supplier": "V00001", "number": n} for key, n in enumerate(("A1", "A2", "B1"))}


def books() -> Books:
    documents = [
        DocumentRecord(
            id=f"d{key}", route="r", document="invoice", source="s", tenant="t", key=key, revision="1",
            state=State.POSTED, generation=1, batch_id="b", source_hash="", number=row["number"], supplier="V00001",
            kind="invoice", currency="USD", gross="1", document_date=None, source_number="", business_unit="",
            reason_code="", reason="", reason_subject="", lease_owner="", lease_until=None, due_at=None, chunk_id="",
            mapping_version=None, target_reference="", created_at=NOW, updated_at=NOW,
        )
        for key, row in TRUTH.items()
    ]  # fmt: skip
    posted = [
        Booked("V00001", "A1", "I", "USD", Decimal("100.00"), "MLCA1"),
        Booked("V00001", "A2", "I", "EUR", Decimal("20.00"), "MLCA2"),
        Booked("V00001", "B1", "I", "USD", Decimal("7.50"), "MLCB1"),
    ]
    chain = ChainReport(ok=True, events=3, head=ChainHead("store", 3, "mac"))
    return Books("store", documents, posted, [], chain, "")


def frozen(branch: str, *numbers: str) -> CombinedJournal:
    members = tuple(
        JournalMember(
            document=f"d{number}",
            source_key=number,
            entry=OpenEntry(
                company="EDU1", branch=branch, year=2026, period=10, entry_date=date(2026, 10, 5),
                kind=InvoiceKind.INVOICE, supplier="V00001", number=number, posted_as=number,
                reference=f"MLC{number}", currency="$", foreign=False,
                lines=(EntryLine(gl_code="10-5120", amount=Decimal(1)),), clearing_account="00-2150",
            ),
        )
        for number in numbers
    )  # fmt: skip
    return CombinedJournal(
        source_key=branch, number=branch, company="EDU1", branch=branch, year=2026, period=10,
        journal_date=date(2026, 10, 5), members=members,
    )  # fmt: skip


FROZEN = [frozen("10", "A1", "A2"), frozen("20", "B1")]


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    """Return the ledger with one value replaced."""
    ledger = deepcopy(LEDGER)
    place: Any = ledger
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = to
    return ledger


def test_books_that_agree_prove_everything() -> None:
    found = proofs.prove_unlinked(books(), FROZEN, before=LEDGER, ledger=LEDGER, truth=TRUTH)
    assert {proof.claim: proof.differences for proof in found if not proof.holds} == {}
    assert len({proof.claim for proof in found}) == len(found) == 9


def test_an_invoice_that_is_missing_or_stands_twice_is_named() -> None:
    twice = changed("ap_invoices", to=[posting("A1", "100.00"), posting("A1", "100.00"), posting("C1", "1.00")])
    assert proofs.invoices_stand_once(books(), twice, TRUTH).differences == (
        "V00001 A1 stands 2 times in AP",
        "V00001 A2 stands 0 times in AP",
        "V00001 B1 stands 0 times in AP",
        "V00001 C1 in AP is none of JAGGAER's",
    )


def test_a_second_journal_of_a_branch_and_one_of_two_branches_are_found() -> None:
    second = [journal(1, ("A1", "100.00")), journal(3, ("A2", "22.00")), journal(2, ("B1", "7.50"))]
    told = proofs.one_journal_each(changed("gl_journals", to=second))
    assert told.differences == ("2026/10 branch 10 has 2 journals",)
    mixed = [journal(1, ("A1", "100.00"), ("A2", "22.00"), ("B1", "7.50"))]
    told = proofs.one_journal_each(changed("gl_journals", to=mixed))
    assert told.differences == ("journal 1 of 2026/10 holds 2026/10 branch 10, 2026/10 branch 20",)


def test_no_journal_nothing_in_ap_and_a_journal_of_another_period_are_found() -> None:
    assert len(proofs.one_journal_each(changed("gl_journals", to=[])).differences) == 2
    assert not proofs.one_journal_each({"ap_invoices": [], "gl_journals": []}).holds
    late = proofs.one_journal_each(changed("gl_journals", 0, "period", to=11))
    assert late.differences == ("journal 1 of 2026/11 holds 2026/10 branch 10",)


def test_lines_that_do_not_add_up_to_their_invoice_or_name_none_are_found() -> None:
    more = proofs.lines_name_their_invoices(changed("gl_journals", 0, "entries", 0, "amount", to="60.01"))
    assert more.differences == ("V00001 A1: 100.01 in GL, 100.00 in AP",)
    stray = proofs.lines_name_their_invoices(changed("gl_journals", 1, "entries", 0, "reference", to="X9"))
    assert "V00001 X9: 7.50 in GL, nothing in AP" in stray.differences
    assert "V00001 B1: nothing in GL, 7.50 in AP" in stray.differences
    assert "journal 2 clears 7.50, AP owes 0.00" in stray.differences


def test_a_member_that_syspro_does_not_name_and_one_frozen_twice_are_found() -> None:
    one_less = proofs.members_are_the_journals(FROZEN, changed("gl_journals", to=[LEDGER["gl_journals"][0]]))
    assert one_less.differences == ("V00001 B1 is a member in the store, not in SYSPRO",)
    assert "V00001 B1 is a member 2 times" in proofs.members_are_the_journals([*FROZEN, FROZEN[1]], LEDGER).differences
    assert proofs.members_are_the_journals(FROZEN[:1], LEDGER).differences == (
        "V00001 B1 is in a journal of SYSPRO, no member",
    )


def test_a_journal_written_again_is_found() -> None:
    again = changed("write_attempts", to=[*LEDGER["write_attempts"], attempt("GENTJL", "", "J2")])
    found = proofs.prove_unlinked(books(), FROZEN, before=LEDGER, ledger=again, truth=TRUTH)
    assert [proof.claim for proof in found if not proof.holds] == ["Nothing was posted twice"]
    broken = replace(books(), behind="older")
    assert not proofs.prove_unlinked(broken, FROZEN, before=LEDGER, ledger=LEDGER, truth=TRUTH)[-1].holds


def test_the_copy_of_the_dag_file_is_set_apart_once_and_for_all(tmp_path: Path) -> None:
    example = (DAGS / DAG_FILE.copied_from).read_text(encoding="utf-8")
    (tmp_path / DAG_FILE.copied_from).write_text(example, encoding="utf-8")
    edit(tmp_path, DAG_FILE)
    copy = (tmp_path / DAG_FILE.name).read_text(encoding="utf-8")
    assert (tmp_path / DAG_FILE.copied_from).read_text(encoding="utf-8") == example
    differing = [new for old, new in zip(example.splitlines(), copy.splitlines(), strict=True) if old != new]
    assert len(differing) == len(DAG_FILE.edits) == 3
    (tmp_path / DAG_FILE.name).write_text(f"{copy}# and what somebody added\n", encoding="utf-8")
    edit(tmp_path, DAG_FILE)
    assert (tmp_path / DAG_FILE.name).read_text(encoding="utf-8") == f"{copy}# and what somebody added\n"


def test_the_plant_is_not_linked_and_all_its_invoices_are_sound(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with running_unlinked(home, seed=1) as plant:
        connections, truth = plant.connections(), plant.ask("truth")
        assert plant.ask("ledger")["syspro"]["gl_journals"] == []
    assert set(connections) == {JAGGAER, SYSPRO}
    assert json.loads(connections[JAGGAER]["extra"])["tenant"] == JAGGAER, "not taken for the first company's tenant"
    assert '"ap_gl": "not_linked"' in connections[SYSPRO]["extra"]
    assert len(truth) == COUNT
    assert all(row["good"] for row in truth.values())
    with pytest.raises(StepFailed, match="was made with seed 1"), running_unlinked(home, seed=2):
        pass
