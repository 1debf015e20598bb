"""What must be true of combined journals: SYSPRO's own accounts payable and general ledger, compared line by line."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, NamedTuple

from airflow_provider_mlconnector.demo.facts import Books, amount, plain_key
from airflow_provider_mlconnector.demo.proofs import (
    Ledger,
    Proof,
    Row,
    audit_chain_holds,
    debits_equal_credits,
    ledger_equals_store,
    nothing_booked_twice,
    nothing_lost,
)
from airflow_provider_mlconnector.documents.journal import CombinedJournal
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor

CENT: Final = Decimal("0.01")


class Group(NamedTuple):
    """What one journal is for."""

    year: int
    period: int
    branch: str

    def __str__(self) -> str:
        return f"{self.year}/{self.period:02} branch {self.branch}"


class Bill(NamedTuple):
    """An invoice as AP and the journals' lines both name it."""

    supplier: str
    number: str

    def __str__(self) -> str:
        return f"{self.supplier} {self.number}"


def read_journals(route: str) -> list[CombinedJournal]:
    """Return the journals the store holds, with their frozen members. Only after ``home.enter()``."""
    from airflow_provider_mlconnector.hooks.runtime import open_runtime

    with open_runtime() as runtime, runtime.store.unit_of_work(Actor(user="demo")) as uow:
        found = uow.documents.search(route=route, limit=500, after_id="")
        payloads = uow.documents.payloads([document.id for document in found])
        return [CombinedJournal.model_validate_json(payloads[document.id]) for document in found]


def prove_unlinked(
    books: Books, frozen: Sequence[CombinedJournal], *, before: Ledger, ledger: Ledger, truth: Mapping[str, Row]
) -> list[Proof]:
    """Return every proof of one run.

    Args:
        books: The store's side of the invoices.
        frozen: Its journals.
        before: SYSPRO's ledger before the run.
        ledger: SYSPRO's ledger after it.
        truth: What the sandbox generated, by JAGGAER's invoice id.
    """
    return [
        invoices_stand_once(books, ledger, truth),
        ledger_equals_store(books, ledger),
        one_journal_each(ledger),
        lines_name_their_invoices(ledger),
        members_are_the_journals(frozen, ledger),
        debits_equal_credits(ledger),
        nothing_booked_twice(before, ledger),
        nothing_lost(books, truth),
        audit_chain_holds(books),
    ]


def invoices_stand_once(books: Books, ledger: Ledger, truth: Mapping[str, Row]) -> Proof:
    """Compare JAGGAER's invoices, all of them sound, with what stands in AP."""
    there = Counter(_bill(row["supplier"], row["invoice"]) for row in ledger["ap_invoices"])
    wanted = {_bill(row["supplier"], row["number"]) for row in truth.values()}
    differences = [f"{bill} stands {there[bill]} times in AP" for bill in sorted(wanted) if there[bill] != 1]
    differences += [f"{bill} in AP is none of JAGGAER's" for bill in sorted(there.keys() - wanted)]
    evidence = f"{len(wanted)} invoices, {len(books.in_states(State.POSTED))} posted, one AP document each"
    return Proof("Each invoice stands once in accounts payable", evidence, tuple(differences))


def one_journal_each(ledger: Ledger) -> Proof:
    """Check that each period and branch AP has posted to has one journal, and that no journal holds two of them."""
    groups = {bill: group for bill, (group, _value) in _in_ap(ledger).items()}
    differences = []
    counts = Counter[Group]()
    for journal in ledger["gl_journals"]:
        held = {groups[bill] for bill in _by_bill(journal) if bill in groups}
        counts.update(held)
        if len(held) != 1 or {(group.year, group.period) for group in held} != {(journal["year"], journal["period"])}:
            named = ", ".join(map(str, sorted(held))) or "nothing AP knows"
            differences.append(
                f"journal {journal['journal']} of {journal['year']}/{journal['period']:02} holds {named}"
            )
    wanted = set(groups.values())
    differences += [f"{group} has {counts[group]} journals" for group in sorted(wanted) if counts[group] != 1]
    if not wanted:
        differences.append("nothing was posted to AP")
    evidence = f"{len(groups)} invoices in {len(ledger['gl_journals'])} journals"
    return Proof("One combined journal for each period and branch", evidence, tuple(differences))


def lines_name_their_invoices(ledger: Ledger) -> Proof:
    """Add up the journals' lines by the invoice they name, and compare with its value in AP, in company currency."""
    values = {bill: value for bill, (_group, value) in _in_ap(ledger).items()}
    booked: defaultdict[Bill, Decimal] = defaultdict(Decimal)
    differences, lines = [], 0
    for journal in ledger["gl_journals"]:
        parts = _by_bill(journal)
        lines += sum(len(each) for each in parts.values())
        for bill, each in parts.items():
            booked[bill] += sum(each, Decimal(0))
        cleared = -sum((Decimal(row["amount"]) for row in _clearing(journal)), Decimal(0))
        owed = sum((values.get(bill, Decimal(0)) for bill in parts), Decimal(0))
        if cleared != owed:
            differences.append(f"journal {journal['journal']} clears {amount(cleared)}, AP owes {amount(owed)}")
    differences += [
        f"{bill}: {booked.get(bill, 'nothing')} in GL, {values.get(bill, 'nothing')} in AP"
        for bill in sorted(values.keys() | booked.keys())
        if values.get(bill) != booked.get(bill)
    ]
    evidence = f"{lines} lines add up to the {len(values)} invoices they name, the clearing account to their sum"
    return Proof("Every journal line names its invoice", evidence, tuple(differences))


def members_are_the_journals(frozen: Iterable[CombinedJournal], ledger: Ledger) -> Proof:
    """Compare the members the store froze with the invoices SYSPRO's journals name."""
    ours, theirs = Counter[tuple[int, int, Bill]](), Counter[tuple[int, int, Bill]]()
    for journal in frozen:
        entries = [member.entry for member in journal.members]
        ours.update((journal.year, journal.period, _bill(entry.supplier, entry.number)) for entry in entries)
    for row in ledger["gl_journals"]:
        theirs.update((row["year"], row["period"], bill) for bill in _by_bill(row))
    differences = [
        *(f"{bill} is a member in the store, not in SYSPRO" for _year, _period, bill in (ours - theirs).elements()),
        *(f"{bill} is in a journal of SYSPRO, no member" for _year, _period, bill in (theirs - ours).elements()),
        *(f"{bill} is a member {count} times" for (_year, _period, bill), count in ours.items() if count > 1),
    ]
    evidence = f"{ours.total()} members, each in one journal for ever"
    return Proof("Every journal holds its members", evidence, tuple(differences))


def _in_ap(ledger: Ledger) -> dict[Bill, tuple[Group, Decimal]]:
    """Return AP's invoices: where they belong, and their value in company currency."""
    found = {}
    for row in ledger["ap_invoices"]:
        value, rate = Decimal(row["value"]), Decimal(row["rate"])
        local = value / rate if row["mul_div"] == "D" else value * rate
        group = Group(row["year"], row["month"], row["branch"])
        found[_bill(row["supplier"], row["invoice"])] = (group, local.quantize(CENT, ROUND_HALF_UP))
    return found


def _by_bill(journal: Row) -> dict[Bill, list[Decimal]]:
    """Return the amounts of a journal's lines by the invoice each names; its comment begins with the supplier."""
    found: defaultdict[Bill, list[Decimal]] = defaultdict(list)
    for row in journal["entries"]:
        if row["reference"] != journal["reference"]:
            found[_bill(row["comment"].partition(" ")[0], row["reference"])].append(Decimal(row["amount"]))
    return dict(found)


def _clearing(journal: Row) -> list[Any]:
    """Return the lines of a journal that stand for all its invoices."""
    return [row for row in journal["entries"] if row["reference"] == journal["reference"]]


def _bill(supplier: str, number: str) -> Bill:
    return Bill(plain_key(supplier), plain_key(number))
