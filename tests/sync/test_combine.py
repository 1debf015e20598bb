"""Postings gathered into journals: each in one for ever, whoever dies on the way."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from support.pipeline import Pipeline
from support.remote import FakeTarget, Killed, invoice

from airflow_provider_mlconnector.documents.coding import CodedInvoice
from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.documents.journal import CombinedJournal, EntryLine, OpenEntry
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import ConfigurationError, StaleClaim
from airflow_provider_mlconnector.store.crosswalk import Crosswalk
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord
from airflow_provider_mlconnector.sync.combine import combine
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.ports import NO_CONTEXT, Context, Outcome, Plan, StepDraft

JOURNALS = Route(name="j", document="journal", source="src", target="ledger", start_at=date(2026, 10, 1))


@dataclass
class UnlinkedTarget(FakeTarget):
    """A ledger whose postings leave an open entry, branch by the cost center of their first line."""

    leaves: bool = True

    def plan(
        self, coded: CodedInvoice, reference: Mapping[str, Any], *, our_reference: str, context: Context = NO_CONTEXT
    ) -> Plan:
        plan = super().plan(coded, reference, our_reference=our_reference, context=context)
        if not self.leaves:
            return plan
        first, *rest = plan.steps
        entry = _entry(coded, our_reference).model_dump(mode="json")
        return Plan([replace(first, payload={**first.payload, "ledger": entry}), *rest])

    def _book(self, step: StepDraft) -> Outcome:
        outcome = super()._book(step)
        return replace(outcome, result={**outcome.result, "gl_status": "not_linked"})


def _entry(coded: CodedInvoice, ours: str) -> OpenEntry:
    document = coded.invoice
    sign = -1 if document.kind is InvoiceKind.CREDIT_MEMO else 1
    return OpenEntry(
        company="EDU1",
        branch=coded.postings[0].gl_code[:2],
        year=document.invoice_date.year,
        period=document.invoice_date.month,
        entry_date=document.invoice_date,
        kind=document.kind,
        supplier=document.supplier,
        number=document.number,
        posted_as=document.number,
        reference=ours,
        currency=coded.currency,
        foreign=False,
        lines=tuple(
            EntryLine(gl_code=p.gl_code, amount=sign * p.amount, source_lines=p.source_lines) for p in coded.postings
        ),
        clearing_account="00-2150",
    )


@pytest.fixture
def books(pipeline: Pipeline) -> Pipeline:
    """A pipeline into such a ledger."""
    pipeline.target = UnlinkedTarget(pipeline.clock)
    return pipeline


def _some(count: int, *, start: int = 0) -> list[dict[str, Any]]:
    """Return invoices of two months and two cost centers."""
    made = []
    for n in range(start, start + count):
        body = invoice(f"A{n}", invoice_date="2026-11-10" if n % 2 else "2026-10-20")
        body["lines"][0]["allocations"][0]["cost_center"] = "CC10" if n % 3 else "CC20"
        made.append(body)
    return made


def _put(books: Pipeline, *bodies: dict[str, Any]) -> None:
    """Put invoices changed a minute ago: the list is read from the last run on."""
    changed = (books.clock.now() - timedelta(minutes=1)).isoformat()
    books.source.put(*(body | {"revision": changed} for body in bodies))


def _combine(books: Pipeline, **changes: Any) -> Any:
    with books.mortal():
        return combine(books.job("combine", **({"route": JOURNALS} | changes)), invoices_route="r")


def _journals(books: Pipeline) -> dict[str, CombinedJournal]:
    with books.store.unit_of_work(Actor(user="test")) as uow:
        found = uow.documents.search(route="j", limit=1000)
        payloads = uow.documents.payloads([record.id for record in found])
    return {record.key: CombinedJournal.model_validate_json(payloads[record.id]) for record in found}


def _posted(books: Pipeline) -> list[DocumentRecord]:
    with books.store.unit_of_work(Actor(user="test")) as uow:
        return uow.documents.search(route="r", states={State.POSTED}, limit=1000)


def _assert_each_in_one(books: Pipeline) -> None:
    members = Counter(member.document for journal in _journals(books).values() for member in journal.members)
    assert members == {record.id: 1 for record in _posted(books)}
    assert books.store.verify_chain().ok


def test_postings_are_grouped_by_period_and_branch(books: Pipeline) -> None:
    _put(books, *_some(12))
    books.all()
    _combine(books)
    _assert_each_in_one(books)
    found = _journals(books).values()
    assert sorted((j.year, j.period, j.branch) for j in found) == [
        (2026, 10, "10"),
        (2026, 10, "20"),
        (2026, 11, "10"),
        (2026, 11, "20"),
    ]
    for journal in found:
        entries = [member.entry for member in journal.members]
        assert {(e.year, e.period, e.branch) for e in entries} == {(journal.year, journal.period, journal.branch)}
        assert journal.journal_date == max(entry.entry_date for entry in entries)
        assert [m.document for m in journal.members] == sorted(m.document for m in journal.members)


def test_a_second_run_makes_nothing_and_late_ones_go_to_the_next_journal(books: Pipeline) -> None:
    _put(books, *_some(6))
    books.all()
    _combine(books)
    first = _journals(books)
    _combine(books)
    assert _journals(books) == first
    _put(books, *_some(4, start=6))
    books.all()
    _combine(books)
    assert {key: journal for key, journal in _journals(books).items() if key in first} == first
    assert {key.rpartition("|")[2] for key in _journals(books).keys() - first.keys()} == {"0002"}
    _assert_each_in_one(books)


def test_what_is_not_posted_waits(books: Pipeline) -> None:
    _put(books, *_some(3), invoice("B1", supplier="V00042"))
    books.all()
    _combine(books)
    assert sum(len(journal.members) for journal in _journals(books).values()) == 3


def test_credits_reduce_the_journal_of_their_group(books: Pipeline) -> None:
    _put(books, invoice("A1"), invoice("C1", kind="credit_memo", original_number="IA1"))
    books.all()
    _combine(books)
    (journal,) = _journals(books).values()
    assert sum(line.amount for member in journal.members for line in member.entry.lines) == Decimal(0)


@pytest.mark.parametrize("killed_at", [1, 2, 3])
def test_a_worker_killed_between_journals_loses_none_and_repeats_none(books: Pipeline, killed_at: int) -> None:
    _put(books, *_some(12))
    books.all()
    points = iter(range(1, 100))
    books.dies = lambda point: point == "combined" and next(points) == killed_at
    with pytest.raises(Killed):
        _combine(books)
    assert len(_journals(books)) == killed_at
    books.dies = lambda _point: False
    _combine(books)
    assert len(_journals(books)) == 4
    _assert_each_in_one(books)


@pytest.mark.parametrize("killed_at", [1, 2, 5, 9, 12])
def test_a_worker_killed_inside_a_journal_leaves_whole_journals_only(
    books: Pipeline, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    _put(books, *_some(12))
    books.all()
    put: Callable[..., None] = Crosswalk.put
    calls = 0

    def dying(self: Crosswalk, *arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == killed_at:
            raise Killed
        put(self, *arguments)

    monkeypatch.setattr(Crosswalk, "put", dying)
    with pytest.raises(Killed):
        _combine(books)
    monkeypatch.undo()
    members = {member.document for journal in _journals(books).values() for member in journal.members}
    with books.store.unit_of_work(Actor(user="test")) as uow:
        assert dict(uow.crosswalk.pairs("journal_member", "", "ledger", "ledger")).keys() == members
    _combine(books)
    _assert_each_in_one(books)


def test_of_two_workers_at_the_same_time_one_gives_up_and_nothing_is_twice(books: Pipeline) -> None:
    _put(books, *_some(6))
    books.all()
    other: list[Any] = []

    def meanwhile(point: str) -> bool:
        if point == "combined" and not other:
            other.append(True)
            other.append(_combine(books))
        return False

    books.dies = meanwhile
    with pytest.raises(StaleClaim, match="rerun it"):
        _combine(books)
    assert len(other) == 2
    _combine(books)
    _assert_each_in_one(books)


def test_whatever_dies_in_whatever_order_every_posting_is_in_one_journal(books: Pipeline) -> None:
    chance = random.Random(7)
    books.dies = lambda point: point in {"combined", "after_state"} and chance.random() < 0.3
    for start in range(0, 30, 5):
        _put(books, *_some(5, start=start))
        for work in (books.all, lambda: _combine(books)):
            try:
                work()
            except Killed:
                books.clock.sleep(300)
    books.dies = lambda _point: False
    for _run in range(2):
        books.clock.sleep(300)
        books.all()
    _combine(books)
    assert len(_posted(books)) == 30
    _assert_each_in_one(books)


def test_postings_with_a_journal_of_their_own_are_left_alone_and_one_without_any_is_for_a_person(
    books: Pipeline,
) -> None:
    assert isinstance(books.target, UnlinkedTarget)
    books.target.leaves, books.target.journal = False, True
    _put(books, invoice("A1"))
    books.all()
    books.target.journal = False
    _put(books, invoice("A2"))
    books.all()
    for _again in range(2):
        _combine(books)
    assert _journals(books) == {}
    with books.store.unit_of_work(Actor(user="test")) as uow:
        (issue,) = uow.issues.list("j")
    assert (issue.code, "A2" in issue.text) == ("journal_missing", True)


def test_a_dry_run_freezes_nothing(books: Pipeline) -> None:
    _put(books, *_some(4))
    books.all()
    found = _combine(books, preview_id="dry")
    assert (found.count, _journals(books)) == (4, {})
    with books.store.unit_of_work(Actor(user="test")) as uow:
        assert len(uow.previews.list("dry")) == 4
        assert uow.crosswalk.pairs("journal_member", "", "ledger", "ledger") == []


def test_a_route_without_cut_over_combines_nothing(books: Pipeline) -> None:
    with pytest.raises(ConfigurationError, match="cut-over"):
        _combine(books, route=JOURNALS.model_copy(update={"start_at": None}))
