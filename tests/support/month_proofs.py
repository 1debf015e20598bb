"""What must be true when a month is over: one claim each, and what contradicts it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from support import month_books
from support.books import general_ledger_problems
from support.month_run import Month
from typer.testing import CliRunner

from airflow_provider_mlconnector.cli import app
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import DocumentRecord

RECONCILIATION = "syspro_jaggaer_reconciliation"
FIRST_DAY = "2026-01-01"
"""The cut-over: nothing older is compared."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One claim; it holds when nothing contradicts it. ``evidence`` says what was looked at."""

    claim: str
    evidence: str
    differences: tuple[str, ...]

    def __str__(self) -> str:
        """The claim with its verdict."""
        return f"{'ok  ' if not self.differences else 'FAIL'} {self.claim} ({self.evidence})"


def prove(month: Month) -> list[Proof]:
    """Settle everything up, run a last cycle and hold both systems, the store and the people's diary together."""
    left = month.settle_up()
    before = writes(month)
    known = [(each.id, each.state, each.generation) for each in month.deployment.documents()]
    month.cycle()
    after = writes(month)
    settled = set(known)
    now = [each for each in month.deployment.documents() if not month.explained(each) and not _is_echo(each)]
    moved = [each for each in now if (each.id, each.state, each.generation) not in settled]
    books, truth = month.office.ask("ledger"), month.office.ask("truth")
    return [
        _proof("nothing is stuck", f"{len(known)} documents", map(_told, left)),
        _proof("the last cycle writes nothing", f"{sum(after.values())} writes in all", _new(before, after)),
        _proof("the last cycle takes up nothing but echoes of the one before", "every document", map(_told, moved)),
        *_between(month, books, truth),
        _proof(
            "the general ledger mirrors accounts payable",
            f"{books['syspro']['gl_entries']['count']} entries",
            general_ledger_problems(books["syspro"]) if not _has_receipts(books) else _balanced(books),
        ),
        _proof("no write took effect twice", f"{sum(after.values())} writes", month_books.repeated_writes(books)),
        _proof("the audit trail is whole", "every event", _chain(month)),
        _reconciled(month),
    ]


def writes(month: Month) -> Counter[str]:
    """Return how many writes each system was asked for, refused ones included, by call."""
    books = month.office.ask("ledger")
    found = Counter(f"SYSPRO {row['bo']} {row['type']}" for row in books["syspro"]["write_attempts"])
    found.update(f"JAGGAER {row['call']}" for row in books["jaggaer"]["write_attempts"])
    return found


def _between(month: Month, books: Mapping[str, Any], truth: Mapping[str, Any]) -> list[Proof]:
    syspro, jaggaer, diary = books["syspro"], books["jaggaer"], month.office.diary
    codes = month_books.code_differences(jaggaer["code_lists"], *month.chart())
    wanted = month_books.expected_invoices(truth, diary)
    return [
        _proof(
            "every invoice and credit memo stands in both, once and to the cent",
            f"{wanted.total()} of {len(truth)}",
            month_books.invoice_differences(truth, syspro, diary),
        ),
        _proof(
            "every order stands in both, line by line",
            f"{len(jaggaer['purchase_orders'])} orders",
            month_books.order_differences(jaggaer["purchase_orders"], syspro),
        ),
        _proof(
            "every supplier is the same in both",
            f"{len(syspro['suppliers'])} suppliers",
            month_books.supplier_differences(jaggaer["suppliers"], syspro),
        ),
        _proof(
            "every payment is told, once",
            f"{len(jaggaer['payments'])} payments",
            month_books.payment_differences(jaggaer["payments"], truth, syspro, diary),
        ),
        _proof(
            "JAGGAER offers the accounts and cost centers that are open, and no other",
            f"{len(jaggaer['code_lists'])} codes",
            codes,
        ),
        _proof(
            "what is received and not invoiced is all that is left in suspense",
            f"{len(syspro['receipts'])} receipts",
            month_books.received_differences(syspro),
        ),
    ]


def _proof(claim: str, evidence: str, differences: Iterable[str]) -> Proof:
    return Proof(claim, evidence, tuple(differences))


def _told(document: DocumentRecord) -> str:
    name = document.number or document.key
    return f"{document.route} {name}: {document.state} {document.reason_code}: {document.reason}"


def _is_echo(document: DocumentRecord) -> bool:
    """Our own write coming back: read, found to say what the target holds, and left at that (DESIGN §4)."""
    return document.state is State.SKIPPED and document.reason_code == "unchanged"


def _new(before: Counter[str], after: Counter[str]) -> list[str]:
    return [f"{count} × {what}" for what, count in (after - before).items()]


def _has_receipts(books: Mapping[str, Any]) -> bool:
    return bool(books["syspro"]["receipts"])


def _balanced(books: Mapping[str, Any]) -> list[str]:
    """Check debits against credits; receipts post journals of their own beside those of accounts payable."""
    rows = [(f"GL journal {row['journal']}", row) for row in books["syspro"]["gl_journals"]]
    rows.append(("the ledger", books["syspro"]["gl_entries"]))
    return [
        f"{name}: debit {row['debit']}, credit {row['credit']}"
        for name, row in rows
        if Decimal(row["debit"]) != Decimal(row["credit"])
    ]


def _chain(month: Month) -> list[str]:
    with month.deployment.store() as store:
        report = store.verify_chain()
    return [] if report.ok else [str(report)]


def _reconciled(month: Month) -> Proof:
    """Let the connector compare both sides itself: every difference must have its reason in the audit trail."""
    period = {"period_from": f"{FIRST_DAY}", "period_to": f"{month.hours.now():%Y-%m-%d}"}
    outcome = month.run(RECONCILIATION, period)
    path = month.home / "reconciliation.csv"
    told = CliRunner().invoke(app, ["reconcile", "--csv", str(path)])
    assert path.exists(), told.output
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["section"] == "difference"]
    unexplained = [row for row in rows if row["explained"] == "NO"]
    evidence = f"run {outcome.state}, {len(rows) - len(unexplained)} differences explained"
    return _proof(
        "the reconciliation explains every difference",
        evidence,
        (f"{row['area']} {row['label']}: {row['why']}; {row['what differs']}" for row in unexplained),
    )
