"""A person types by hand what the connector is about to send: it must be found and linked, and never sent after that.

People look before they type, as they would; what the connector has under way at that moment may still arrive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from support import books as syspro_books
from support.mishaps import line
from support.oracle import standing

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import DocumentRecord
from airflow_provider_mlconnector.sync.job import our_reference

if TYPE_CHECKING:
    from support.chaos_process import Process
    from support.chaos_run import World

OPEN = frozenset({State.EXTRACTED, State.VALIDATED, State.POSTING, State.UNCERTAIN, State.SUBMITTED, State.PARKED})
UNDER_WAY = frozenset({State.POSTING, State.UNCERTAIN, State.SUBMITTED})
GRACE = 3000.0
"""Seconds after which nothing that was under way when a person typed can still be sent: two of the longest stops."""
THERE = frozenset({"unposted", "posted", "purged"})


@dataclass
class Hand:
    """One document typed in by hand.

    Attributes:
        route: The route that carries it.
        document: Its key there.
        number: Number under which it was typed.
        writes: Our own writes of it, counted when none that was under way can be among those to come.
    """

    route: str
    document: str
    number: str
    writes: int | None = None


def typist(run: World, number: int) -> Process:
    """Let somebody type one open document into its target in the middle of it all."""
    rng = Random(f"typist {run.seed} {number}")

    def work() -> None:
        typed = _sometime(run, rng)
        if typed is None:
            return
        run.hands.append(typed)
        run.ending.others["typed in by hand"] += 1
        run.tell(f"typist {number} typed {typed.number} of {typed.route}")
        run.time.sleep(GRACE)
        typed.writes = our_writes(run, typed)

    return run.aside(f"typist {number}", work)


def _sometime(run: World, rng: Random) -> Hand | None:
    """Wait for something to type: mostly for a document whose outcome nobody knows at that moment."""
    wanted = UNDER_WAY if rng.random() < 0.7 else OPEN
    run.time.sleep(rng.choice([5.0, 60.0, 600.0]))
    for _ in range(200):
        chances = [one for one in run.documents() if one.state in wanted and _may_type(run, one)]
        if chances:
            chosen = rng.choice(chances)
            return _TYPE_INTO[_target(run, chosen)](run, chosen)
        run.time.sleep(rng.choice([1.0, 7.0, 30.0]))
    return None


def _may_type(run: World, document: DocumentRecord) -> bool:
    route = next(one for one in run.site.routes if one.name == document.route)
    return route.document == "invoice" and _target(run, document) in _TYPE_INTO


def _target(run: World, document: DocumentRecord) -> str:
    return next(one.target for one in run.site.routes if one.name == document.route)


def _into_syspro(run: World, document: DocumentRecord) -> Hand | None:
    (draft,) = syspro_books.all_expected(run.app, [document.key])
    ledger = run.app.syspro.ledger()
    rows = (*ledger["ap_invoices"], *ledger["ap_transactions"])
    if any((row["supplier"], row["invoice"], row["type"]) == draft.key for row in rows):
        return None
    body = {
        "supplier": draft.supplier,
        "invoice": draft.number,
        "value": str(draft.gross),
        "tax_code": "Z",
        "invoice_date": draft.invoice_date,
        "reference": "by hand",
    }
    try:
        run.app.syspro.add("ap_invoice" if draft.kind == "I" else "ap_credit", body)
    except ValueError as refused:
        run.tell(f"SYSPRO refused what was typed: {refused}")
        return None
    return Hand(document.route, document.key, draft.number)


def _into_cloudsuite(run: World, document: DocumentRecord) -> Hand | None:
    shown = run.app.jaggaer.truth()[document.key]
    if run.deployment.m3:
        return _into_m3(run, document, shown)
    vouchers = run.app.cloudsuite.ledger()["vouchers"]
    if any(row["InvNum"].strip() == document.number and row["state"] in THERE for row in vouchers):
        return None
    line_of = {"account": "51300", "unit": "CC20", "amount": shown["gross"]}
    dates = dict.fromkeys(("invoice_date", "dist_date", "due_date"), shown["invoice_date"])
    # some sites leave the number to whoever enters a voucher
    free = {"voucher": max((row["Voucher"] for row in vouchers), default=0) + 500}
    body = {"vendor": shown["supplier"], "invoice": document.number, "lines": [line_of], **dates, **free}
    run.app.cloudsuite.add("voucher", body)
    return Hand(document.route, document.key, document.number)


def _into_m3(run: World, document: DocumentRecord, shown: dict[str, Any]) -> Hand | None:
    if any(row["SINO"] == document.number for row in run.app.cloudsuite.ledger()["m3"]["invoices"]):
        return None
    entered = {"account": "51300", "cost_center": "CC20", "amount": shown["gross"]}
    body = {"supplier": shown["supplier"], "number": document.number, "lines": [entered], "date": shown["invoice_date"]}
    run.app.cloudsuite.add("m3_invoice", body)
    return Hand(document.route, document.key, document.number)


def _into_jaggaer(run: World, document: DocumentRecord) -> Hand | None:
    if any(row["number"] == document.number for row in run.app.jaggaer.truth().values()):
        return None
    vouchers = run.app.cloudsuite.ledger()["vouchers"]
    voucher = next(row for row in vouchers if row["InvNum"].strip() == document.number)
    day = f"{voucher['InvDate'][:10]}T00:00:00.000Z"
    amount = float(Decimal(voucher["InvAmt"]))
    header = {
        "supplierInvoiceNumber": document.number,
        "invoiceType": "Invoice",
        "workflowStatus": "Completed",
        "paymentStatus": "Payable",
        "matchStatus": "Do Not Match",
        "invoiceDate": day,
        "accountingDate": day,
        "dueDate": day,
        "businessUnit": "PLANT1",
        "supplier": {"supplierNumber": voucher["VendNum"].strip(), "name": "Sable"},
        "terms": {"daysAfter": 30, "standardPaymentTermsCode": "NET30"},
        "total": {"currency": "USD", "value": amount},
    }
    run.app.jaggaer.add("invoice", {"header": header, "lineList": {"invoiceLine": [line(amount)]}})
    return Hand(document.route, document.key, document.number)


_TYPE_INTO = {"syspro": _into_syspro, "cloudsuite": _into_cloudsuite, "jaggaer": _into_jaggaer}


# --- what must be true ---------------------------------------------------------------------------------------------


def our_writes(run: World, hand: Hand) -> int:
    """Count the writes that would create a document, by the target's own records, taken or refused."""
    target = next(one.target for one in run.site.routes if one.name == hand.route)
    if target == "cloudsuite":
        ledger = run.app.cloudsuite.ledger()
        entered = sum(not row["person"] and row["SINO"] == hand.number for row in ledger["m3"]["invoices"])
        rows = ledger["vouchers"]
        return entered + sum(row["by"] == "interface" and row["InvNum"].strip() == hand.number for row in rows)
    if target == "jaggaer":
        rows = run.app.jaggaer.ledger()["write_attempts"]
        return sum(row["kind"] == "invoice" and hand.number in row["key"] for row in rows)
    references = {our_reference(one) for one in run.documents() if (one.route, one.key) == (hand.route, hand.document)}
    rows = run.app.syspro.ledger()["write_attempts"]
    return sum(row["bo"] == "APSTIN" and not row["validate_only"] and row["reference"] in references for row in rows)


def linked(run: World) -> Iterator[str]:
    """Name what was typed by hand and sent all the same, or is not known to be there."""
    for hand in run.hands:
        now = our_writes(run, hand)
        if hand.writes is not None and now > hand.writes:
            yield f"{hand.number} was typed in by hand, and sent {now - hand.writes} times long after that"
        newest = standing(one for one in run.documents() if one.route == hand.route)[hand.document]
        # the opposite route may have been the first to see it on both sides; a credit like ours is a person's to tell
        known = newest.state is State.LINKED or newest.reason_code == "echo"
        # JAGGAER shows nothing of ours, so an import that was uncertain is taken for what the person typed
        known |= _target(run, newest) == "jaggaer" and newest.state in {State.POSTED, State.ACCEPTED}
        if known or _stands(run, newest) or "not ours: a person decides" in newest.reason:
            continue
        yield f"{hand.number} was typed in by hand and is {newest.state}: {newest.reason}"


def _stands(run: World, document: DocumentRecord) -> bool:
    """Whether ours arrived as well: it was under way when the person looked."""
    hand = Hand(document.route, document.key, document.number)
    return document.state in {State.POSTED, State.ACCEPTED, State.PARKED} and _taken(run, hand, document) > 0


def _taken(run: World, hand: Hand, document: DocumentRecord) -> int:
    books: dict[str, Any] = run.app.syspro.ledger()
    if _target(run, document) != "syspro":
        return our_writes(run, hand)
    rows = (*books["ap_invoices"], *books["ap_transactions"])
    return sum(row["reference"] == our_reference(document) for row in rows)
