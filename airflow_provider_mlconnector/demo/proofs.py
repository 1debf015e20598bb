"""What must be true after a run. Each proof compares two accounts of it and names what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.demo.facts import Booked, Books, amount, in_ledger, plain_key
from airflow_provider_mlconnector.documents.lifecycle import IN_TARGET, State

Ledger = Mapping[str, Any]
Row = Mapping[str, Any]
LEAF = "report"
ATTENTION = (State.REJECTED, State.FAILED, State.UNCERTAIN)
"""States that turn the example DAG's runs red (its route leaves ``fail_on`` at the default)."""
NOT_ELIGIBLE = frozenset({"pending", "po_over", "po_under", "po_price"})
"""The sandbox's labels of invoices still in approval or not matched with their order: no documents yet (FINANCE §4)."""
SET_UP = "supplier_unknown"
"""The label of invoices whose supplier SYSPRO lacks at first: the suppliers' route sets it up."""
ONCE = ("APSTIN", "GENTJL")
"""Business objects whose writes must happen once; the others set things to what they shall be."""
REDUCED = "not_cp1252_text"
"""The label of invoices whose only flaw is a description SYSPRO cannot spell: posted, the loss noted in the audit."""
TYPED_IN_WRONG = "number_already_used"


@dataclass(frozen=True, slots=True)
class Proof:
    """One claim, what supports it in one line, and what contradicts it; it holds when nothing does."""

    claim: str
    evidence: str
    differences: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing contradicts the claim."""
        return not self.differences


def prove(
    books: Books, *, before: Ledger, ledger: Ledger, truth: Mapping[str, Row], tasks: Sequence[Row]
) -> list[Proof]:
    """Return every proof of one run.

    Args:
        books: The store's side.
        before: SYSPRO's ledger before the run.
        ledger: SYSPRO's ledger after it.
        truth: What the sandbox generated, by JAGGAER's invoice id.
        tasks: The run's task instances: ``task_id``, ``state``.
    """
    return [
        ledger_equals_store(books, ledger),
        debits_equal_credits(ledger),
        nothing_booked_twice(before, ledger),
        nothing_lost(books, truth),
        nothing_unsound_posted(books, truth),
        nothing_sound_refused(books, truth),
        audit_chain_holds(books),
        only_the_report_is_red(books, tasks),
    ]


def ledger_equals_store(books: Books, ledger: Ledger) -> Proof:
    """Compare both ways and document by document: supplier, number, type, currency, value, reference."""
    rows = _ap(ledger)
    ours, by_hand = Counter(in_ledger(rows, by="api")), Counter(in_ledger(rows, by="person"))
    posted, linked = Counter(books.posted), Counter(books.linked)
    differences = [
        *(f"in SYSPRO but not in the store: {each}" for each in (ours - posted).elements()),
        *(f"in the store but not in SYSPRO: {each}" for each in (posted - ours).elements()),
        *(f"linked in the store, yet nobody typed it in: {each}" for each in (linked - by_hand).elements()),
    ]
    sums = ", ".join(f"{currency} {amount(value, currency)}" for currency, value in sums_of(books.posted).items())
    evidence = f"{len(books.posted)} documents posted and {len(books.linked)} linked agree one by one; posted {sums}"
    return Proof("SYSPRO's ledger equals the store to the cent", evidence, tuple(differences))


def sums_of(booked: Iterable[Booked]) -> dict[str, Decimal]:
    """Return invoices less credits per currency."""
    sums: dict[str, Decimal] = {}
    for each in sorted(booked):
        signed = -each.value if each.type == "C" else each.value
        sums[each.currency] = sums.get(each.currency, Decimal(0)) + signed
    return dict(sorted(sums.items()))


def debits_equal_credits(ledger: Ledger) -> Proof:
    """Check the general ledger as a whole and each of its journals."""
    total = ledger["gl_entries"]
    differences = [
        f"journal {row['journal']}: debit {row['debit']}, credit {row['credit']}"
        for row in ledger["gl_journals"]
        if row["debit"] != row["credit"]
    ]
    if total["debit"] != total["credit"]:
        differences.append(f"in all: debit {total['debit']}, credit {total['credit']}")
    evidence = f"{amount(Decimal(total['debit']))} each side, {len(ledger['gl_journals'])} journals, each balanced"
    return Proof("Debits equal credits in SYSPRO's general ledger", evidence, tuple(differences))


def nothing_booked_twice(before: Ledger, ledger: Ledger) -> Proof:
    """Look for a second booking of one document, and for writes to documents that were booked before this run."""
    attempts = [row for row in ledger["write_attempts"] if row["by"] == "api" and row["bo"] in ONCE]
    booked = Counter(_write(row) for row in attempts if row["outcome"] == "posted")
    differences = [f"booked {count} times: {' '.join(write)}" for write, count in booked.items() if count > 1]
    earlier = [row for row in before["write_attempts"] if row["by"] == "api" and row["bo"] in ONCE]
    known = {_write(row) for row in earlier if row["outcome"] == "posted"}
    new = attempts[len(earlier) :]
    differences += [f"sent again though booked: {' '.join(_write(row))}" for row in new if _write(row) in known]
    fresh = sum(1 for row in new if row["outcome"] == "posted")
    evidence = f"{fresh} booked in this run, {len(known)} before it, none of them twice"
    return Proof("Nothing was posted twice", evidence, tuple(differences))


def nothing_lost(books: Books, truth: Mapping[str, Row]) -> Proof:
    """Check that each of JAGGAER's invoices is in the store, those still in approval excepted."""
    kept = {document.key for document in books.documents}
    waiting = {key for key, row in truth.items() if row["label"] in NOT_ELIGIBLE}
    differences = [
        f"JAGGAER's invoice {key} ({truth[key]['label']}) is not in the store"
        for key in sorted(truth.keys() - kept - waiting)
    ]
    differences += [f"the store's document {key} is not in JAGGAER" for key in sorted(kept - truth.keys())]
    evidence = (
        f"JAGGAER holds {len(truth)}: {len(kept)} in the store, {len(waiting - kept)} still in approval or matching"
    )
    return Proof("No invoice was lost", evidence, tuple(differences))


def nothing_unsound_posted(books: Books, truth: Mapping[str, Row]) -> Proof:
    """Check that nothing the sandbox made defective is in SYSPRO."""
    sound = {REDUCED, SET_UP}
    unsound = {key: row for key, row in truth.items() if row["good"] is False and row["label"] not in sound}
    differences = [
        f"{document.number} ({unsound[document.key]['label']}) is {document.state}"
        for document in books.documents
        if document.key in unsound and document.state in {*IN_TARGET, State.SUBMITTED}
    ]
    evidence = f"{len(unsound)} defective or closed invoices, none of them in SYSPRO"
    return Proof("Nothing unsound was posted", evidence, tuple(differences))


def nothing_sound_refused(books: Books, truth: Mapping[str, Row]) -> Proof:
    """Check that every invoice without a flaw is in SYSPRO, or waits there for something outside it."""
    held = {document.key for document in books.in_states(*IN_TARGET)}
    sound = [
        document
        for document in books.documents
        # further revisions of what SYSPRO holds say that it was paid, or nothing new
        if truth.get(document.key, {}).get("good") and (document.state in IN_TARGET or document.key not in held)
    ]
    allowed = {*IN_TARGET, State.PARKED, State.SUPERSEDED}
    differences = [
        f"{document.number} ({truth[document.key]['label']}) is {document.state}: {document.reason}"
        for document in sound
        if document.state not in allowed and document.reason_code != TYPED_IN_WRONG
    ]
    waiting = sum(1 for document in sound if document.state is State.PARKED)
    evidence = f"{len(sound)} sound invoices, {waiting or 'none'} of them waiting for something outside them"
    return Proof("No sound invoice was refused", evidence, tuple(differences))


def audit_chain_holds(books: Books) -> Proof:
    """Walk the audit trail, and check that it continues the anchor of the run before."""
    problems = [] if books.chain.ok else [f"event {books.chain.bad_seq}: {books.chain.reason}"]
    if books.behind:
        problems.append(books.behind)
    return Proof("The audit trail is unbroken", f"{books.chain.events} events verified", tuple(problems))


def only_the_report_is_red(books: Books, tasks: Sequence[Row]) -> Proof:
    """Check that every task succeeded but ``report``, which is red exactly when documents wait for a person."""
    attention = books.in_states(*ATTENTION)
    wanted = {LEAF: "failed"} if attention else {}
    differences = [
        f"task {row['task_id']} is {row['state']}, expected {wanted.get(row['task_id'], 'success')}"
        for row in tasks
        if row["state"] != wanted.get(row["task_id"], "success")
    ]
    if not any(row["task_id"] == LEAF for row in tasks):
        differences.append(f"task {LEAF} did not run")
    evidence = "report is red by design: documents wait for a person" if attention else "all of them green"
    return Proof(f"All {len(tasks)} tasks ended as they should", evidence, tuple(differences))


def _ap(ledger: Ledger) -> list[Row]:
    return [*ledger["ap_invoices"], *ledger["ap_transactions"]]


def _write(row: Row) -> tuple[str, ...]:
    """Return what makes a write the same one: our reference tells credits against one invoice apart."""
    return (row["bo"], plain_key(row["supplier"]), plain_key(row["invoice"]), row["type"], row["reference"])
