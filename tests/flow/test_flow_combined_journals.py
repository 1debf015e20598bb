"""A site whose AP is not linked to GL, where postings reach the ledger in combined journals (FINANCE §1)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from support.flow import Flow, flow

from airflow_provider_mlconnector.documents.journal import CombinedJournal
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord, StepRecord
from airflow_provider_mlconnector.sync.combine import MEMBER
from airflow_provider_mlconnector.sync.links import COMPANY

CLEARING, AP_CONTROL, INPUT_TAX = "00-2150", "00-2100", "00-2300"
CENT = Decimal("0.01")
TENANT = {"invoices": 60, "mix": "good", "credit_memos": 6, "list_with_lines": True}
OPTIONS = {"ap_gl": "not_linked", "journals": "combined", "authorize_journal": "A", "transport": "postld"}


class Books:
    """Invoices and journals of one deployment, each by its route."""

    def __init__(self, invoices: Flow) -> None:
        self.invoices = invoices
        route = invoices.route.model_copy(update={"name": "journals", "document": "journal"})
        self.journals = invoices.for_route(route)

    def all(self) -> None:
        """Run the invoices' DAG, then the journals'."""
        self.invoices.all()
        self.journals.all()

    def ledger(self) -> dict[str, Any]:
        found: dict[str, Any] = self.invoices.ledger()
        return found

    def documents(self, kind: str = "journal") -> list[DocumentRecord]:
        return [record for record in self.invoices.documents() if record.document == kind]

    def frozen(self) -> dict[str, CombinedJournal]:
        ids = [record.id for record in self.documents()]
        with self.invoices.store.unit_of_work(Actor(user="test")) as uow:
            payloads = uow.documents.payloads(ids)
        return {key: CombinedJournal.model_validate_json(body) for key, body in payloads.items()}

    def steps(self) -> list[StepRecord]:
        ids = [record.id for record in self.documents()]
        with self.invoices.store.unit_of_work(Actor(user="test")) as uow:
            return [step for steps in uow.steps.of(ids).values() for step in steps]

    def at_the_site(self, **body: Any) -> None:
        self._control("documents", {"system": "syspro", **body})

    def faults(self, *rules: Mapping[str, Any]) -> None:
        self._control("faults", [{"system": "syspro", **rule} for rule in rules])

    def _control(self, path: str, body: Any) -> None:
        answer = requests.post(f"{self.invoices.sandbox.url}/_sandbox/{path}", data=json.dumps(body), timeout=10)
        assert answer.ok, answer.text

    def one_more_invoice(self) -> None:
        """Somebody approves an invoice in JAGGAER, a minute ago: the list is read up to the present second."""
        tenant = self.invoices.sandbox.app.jaggaer
        stamp = (datetime.now(UTC) - timedelta(minutes=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        key = tenant.add("invoice", {"label": "plain"})["invoiceId"]
        tenant.add("invoice", {"id": key, "set": {"header.lastUpdate": stamp}})

    def gentjl(self) -> Counter[str]:
        return Counter(a["outcome"] for a in self.ledger()["write_attempts"] if a["bo"] == "GENTJL")


@contextmanager
def books_in(folder: Path, *, tenant: Mapping[str, Any] = TENANT, **options: Any) -> Iterator[Books]:
    with flow(folder, jaggaer=tenant, syspro_site={"ap_gl": "not_linked"}, syspro={**OPTIONS, **options}) as deployment:
        yield Books(deployment)


def local(value: str, posting: Mapping[str, Any]) -> Decimal:
    rate, amount = Decimal(posting["rate"]), Decimal(value)
    exact = amount / rate if posting["mul_div"] == "D" else amount * rate
    return exact.quantize(CENT, ROUND_HALF_UP)


def assert_ledger_equals_ap(books: Books) -> None:
    """Compare what the ledger holds with AP's own documents, account by account, period by period."""
    ledger = books.ledger()
    postings = [row for row in (*ledger["ap_invoices"], *ledger["ap_transactions"]) if row["by"] == "api"]
    booked: defaultdict[tuple[str, int, int], Decimal] = defaultdict(Decimal)
    for journal in ledger["gl_journals"]:
        assert Decimal(journal["debit"]) == Decimal(journal["credit"])
        for entry in journal["entries"]:
            booked[entry["gl_code"], journal["year"], journal["period"]] += Decimal(entry["amount"])
    wanted: defaultdict[tuple[str, int, int], Decimal] = defaultdict(Decimal)
    slack: Counter[tuple[str, int, int]] = Counter()
    for posting in postings:
        sign, when = (-1 if posting["type"] == "C" else 1), (posting["year"], posting["month"])
        lines = [(line["gl_code"], line["value"]) for line in posting["lines"]]
        lines += [(INPUT_TAX, posting["tax_value"])] if Decimal(posting["tax_value"]) else []
        for code, value in lines:
            wanted[code, *when] += sign * local(value, posting)
            slack[code, *when] += posting["currency"] != "$"
        wanted[CLEARING, *when] -= sign * local(posting["value"], posting)
    for place in wanted.keys() | booked.keys():
        # the clearing account agrees with AP to the cent; lines in foreign currency may be off by their rounding
        allowed = 0 if place[0] == CLEARING else CENT * slack[place]
        assert abs(booked[place] - wanted[place]) <= allowed, place
    assert not any(code == AP_CONTROL for code, *_ in booked)


def assert_every_posting_is_in_one_journal(books: Books) -> None:
    posted = {record.id for record in books.documents("invoice") if record.state is State.POSTED}
    members = Counter(member.document for journal in books.frozen().values() for member in journal.members)
    assert set(members.values()) <= {1}
    assert set(members) == posted
    with books.invoices.store.unit_of_work(Actor(user="test")) as uow:
        pairs = uow.crosswalk.pairs(MEMBER, COMPANY, "syspro", "syspro")
    assert {left for left, _right in pairs} == posted


def test_sixty_invoices_become_one_journal_per_period_and_branch(tmp_path: Path) -> None:
    with books_in(tmp_path) as books:
        books.all()
        invoices = books.documents("invoice")
        assert {record.state for record in invoices} == {State.POSTED}
        assert {"USD", "EUR", "JPY"} <= {record.currency for record in invoices}
        assert Counter(record.kind for record in invoices)["credit_memo"] == 6
        frozen = list(books.frozen().values())
        groups = Counter((journal.year, journal.period, journal.branch) for journal in frozen)
        assert len({group[:2] for group in groups}) > 1
        assert len({group[2] for group in groups}) > 1
        assert set(groups.values()) == {1}
        assert {record.state for record in books.documents()} == {State.POSTED}
        ledger = books.ledger()
        assert len(ledger["gl_journals"]) == len(groups), "one GENTJL each"
        assert_every_posting_is_in_one_journal(books)
        assert_ledger_equals_ap(books)
        before = len(ledger["write_attempts"])
        books.all()
        assert len(books.ledger()["write_attempts"]) == before
        assert books.invoices.store.verify_chain().ok


def test_every_ledger_entry_names_its_invoice_and_its_value_there(tmp_path: Path) -> None:
    with books_in(tmp_path, tenant={**TENANT, "invoices": 20, "credit_memos": 2}) as books:
        books.all()
        members = {m.entry.number: m for journal in books.frozen().values() for m in journal.members}
        seen = Counter[str]()
        for journal in books.ledger()["gl_journals"]:
            for entry in journal["entries"]:
                if entry["gl_code"] == CLEARING:
                    assert entry["comment"].startswith("clearing of ")
                    continue
                entered = members[entry["reference"]].entry
                assert entry["comment"].startswith(f"{entered.supplier} {entered.currency} ")
                seen[entry["reference"]] += 1
        assert seen == {number: len(member.entry.lines) for number, member in members.items()}
        goods = [line for m in members.values() for line in m.entry.lines if line.gl_code != INPUT_TAX]
        assert all(line.source_lines for line in goods)


def test_by_url_a_journal_takes_as_many_requests_as_it_needs(tmp_path: Path) -> None:
    with books_in(tmp_path, transport="get") as books:
        books.all()
        steps = books.steps()
        assert len(steps) > len(books.documents())
        assert {record.state for record in books.documents()} == {State.POSTED}
        assert_every_posting_is_in_one_journal(books)
        assert_ledger_equals_ap(books)


def test_late_postings_go_to_the_next_journal(tmp_path: Path) -> None:
    with books_in(tmp_path, tenant={**TENANT, "invoices": 12, "credit_memos": 0}) as books:
        books.all()
        first = {key: len(journal.members) for key, journal in books.frozen().items()}
        for _late in range(3):
            books.one_more_invoice()
        books.all()
        frozen = books.frozen()
        assert {key: len(frozen[key].members) for key in first} == first
        assert sum(len(journal.members) for key, journal in frozen.items() if key not in first) == 3
        assert_ledger_equals_ap(books)


@pytest.mark.parametrize("lost", [(), ({"kind": "reset_after", "nth": 1, "call": "PostLD"},)], ids=["told", "lost"])
def test_a_journal_nobody_authorized_is_accepted_until_somebody_has(tmp_path: Path, lost: tuple[Any, ...]) -> None:
    site = {"ap_gl": "not_linked", "authorize_journals": True}
    tenant = {**TENANT, "invoices": 6, "credit_memos": 0}
    options = {**OPTIONS, "authorize_journal": "D"}
    with flow(tmp_path, jaggaer=tenant, syspro_site=site, syspro=options) as deployment:
        books = Books(deployment)
        books.invoices.all()
        books.faults(*lost)
        books.journals.all()
        assert {record.state for record in books.documents()} == {State.ACCEPTED}
        for journal in books.ledger()["gl_journals"]:
            books.at_the_site(kind="gl_journal_authorize", journal=journal["journal"])
            books.at_the_site(kind="gl_journal_post", journal=journal["journal"])
        books.all()
        assert {record.state for record in books.documents()} == {State.POSTED}
        assert books.gentjl() == {"posted": len(books.documents())}
        assert_ledger_equals_ap(books)


@pytest.mark.parametrize("cause", ["period", "account"])
def test_a_refused_journal_resumes_alone(tmp_path: Path, cause: str) -> None:
    def change(books: Books, *, usable: bool) -> None:
        if cause == "account":
            books.at_the_site(kind="gl_account", gl_code=CLEARING, on_hold=not usable)
            return
        for record in books.documents("invoice"):
            assert record.document_date
            when = {"year": record.document_date.year, "month": record.document_date.month}
            books.at_the_site(kind="period", module="GL", **when, open=usable)

    with books_in(tmp_path, tenant={**TENANT, "invoices": 10, "credit_memos": 0}) as books:
        books.invoices.all()
        books.journals.extract()
        books.journals.plan()
        books.journals.validate()
        change(books, usable=False)
        books.journals.post()
        assert {record.state for record in books.documents()} == {State.PARKED}
        refused = books.gentjl()["refused"]
        books.all()
        codes = {record.reason_code for record in books.documents()}
        assert codes == {"account_on_hold" if cause == "account" else "period_closed"}
        change(books, usable=True)
        books.all()
        assert {record.state for record in books.documents()} == {State.POSTED}
        assert books.gentjl() == {"refused": refused, "posted": len(books.documents())}
        assert_ledger_equals_ap(books)


@pytest.mark.parametrize(
    ("transport", "kind"),
    [("get", "reset_before"), ("get", "reset_after"), ("postld", "reset_after"), ("postld", "cut_body")],
)
def test_whatever_becomes_of_the_answer_each_journal_is_booked_once(tmp_path: Path, transport: str, kind: str) -> None:
    tenant = {**TENANT, "invoices": 12, "credit_memos": 1}
    with books_in(tmp_path, tenant=tenant, transport=transport) as books:
        books.invoices.all()
        call = "PostLD" if transport == "postld" else "Post:GENTJL"
        books.faults({"kind": kind, "nth": 1, "call": call}, {"kind": kind, "nth": 2, "call": call})
        for _run in range(5):
            books.journals.all()
            books.journals.clock.advance(16 * 60)
        assert {record.state for record in books.documents()} == {State.POSTED}
        references = [journal["reference"] for journal in books.ledger()["gl_journals"]]
        assert len(references) == len(set(references)) == len(books.steps())
        assert_ledger_equals_ap(books)


def test_a_dry_run_shows_the_journals_and_freezes_nothing(tmp_path: Path) -> None:
    with books_in(tmp_path, tenant={**TENANT, "invoices": 10, "credit_memos": 0}) as books:
        books.invoices.all()
        books.journals.all(preview_id="preview")
        assert books.documents() == []
        with books.invoices.store.unit_of_work(Actor(user="test")) as uow:
            bodies = [body for _key, body in uow.previews.list("preview")]
            assert uow.crosswalk.pairs(MEMBER, COMPANY, "syspro", "syspro") == []
        assert {body["state"] for body in bodies} == {"would_post"}
        books.all()
        assert len(books.documents()) == len(bodies)


def test_invoices_of_a_time_with_journals_of_their_own_are_left_alone(tmp_path: Path) -> None:
    with books_in(tmp_path, tenant={**TENANT, "invoices": 6, "credit_memos": 0}, journals="each") as books:
        books.invoices.all()
        before = len(books.ledger()["gl_journals"])
        books.invoices.syspro = {**OPTIONS}
        books.all()
        assert len(books.ledger()["gl_journals"]) == before
        assert books.documents() == []
        books.one_more_invoice()
        books.all()
        (journal,) = books.frozen().values()
        assert len(journal.members) == 1
