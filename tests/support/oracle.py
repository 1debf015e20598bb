"""The oracle: what the simulated systems themselves hold and were asked to do, compared with what must be true.

Nothing here asks the connector's store what happened; its documents are only held against the books. A write that
comes after one of the same identity took effect is a violation even if the system refused it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from support import books as syspro_books

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import DocumentRecord
from airflow_provider_mlconnector.sync.job import our_reference

Row = Mapping[str, Any]
IN_THE_BOOKS = frozenset({State.POSTED, State.ACCEPTED})
MAY_BE_THERE = IN_THE_BOOKS | {State.SUBMITTED, State.UNCERTAIN, State.FAILED, State.PARKED}
"""States of a document that stands in the books: wholly, perhaps, or with a later step still to come."""
ECHOES = frozenset({State.SKIPPED, State.SUPERSEDED})
SESSION_GONE = "session"
"""Word in the reason of writes that SYSPRO refused because their session had been taken over."""
M3_CREATES = frozenset({"AddHead", "AddSupplier"})
"""Transactions of M3 that create under a number; its lines have none of ours."""


@dataclass(frozen=True)
class Books:
    """Everything the three systems hold: their own ledgers."""

    syspro: Row
    jaggaer: Row
    cloudsuite: Row

    @classmethod
    def of(cls, app: Any) -> Books:
        """Ask an application in this process."""
        return cls(app.syspro.ledger(), app.jaggaer.ledger(), app.cloudsuite.ledger())

    @classmethod
    def told(cls, ledger: Row) -> Books:
        """Take what ``GET /_sandbox/ledger`` answers."""
        return cls(ledger["syspro"], ledger["jaggaer"], ledger["cloudsuite"])

    def writes(self) -> Counter[str]:
        """Count all writes the systems were asked for, refused ones included."""
        sent = (row for row in self.syspro["write_attempts"] if not row["validate_only"])
        found = Counter(f"SYSPRO {row['bo']} {row['type']}" for row in sent)
        found.update(f"JAGGAER {row['call']}" for row in self.jaggaer["write_attempts"])
        found.update(f"CloudSuite {row['kind']} {row['operation']}" for row in self.cloudsuite["attempts"])
        return found


def repeated(books: Books) -> Iterator[str]:
    """Name every creating write that was asked for again after it had taken effect."""
    yield from _repeated("SYSPRO", _syspro_creates(books.syspro))
    yield from _repeated("JAGGAER", _jaggaer_creates(books.jaggaer))
    yield from _repeated("CloudSuite", _cloudsuite_creates(books.cloudsuite))
    live = Counter(
        (row["VendNum"].strip(), row["InvNum"].strip(), row["Type"])
        for row in books.cloudsuite["vouchers"]
        if row["by"] == "interface" and row["state"] in {"unposted", "posted", "purged"}
    )
    live.update((row["SUNO"], row["SINO"], "M3") for row in _batches(books))
    yield from (f"CloudSuite holds {' '.join(key)} {count} times" for key, count in live.items() if count > 1)


def _batches(books: Books) -> list[Row]:
    """Return the batches an interface entered in M3."""
    return [row for row in books.cloudsuite["m3"]["invoices"] if not row["person"]]


def _syspro_creates(ledger: Row) -> Iterator[tuple[tuple[str, ...], bool]]:
    for row in ledger["write_attempts"]:
        creates = row["bo"] in {"APSTIN", "GENTJL"} or (row["bo"] in {"PORTOI", "APSSSP"} and row["type"] == "A")
        if not creates or row["validate_only"] or SESSION_GONE in row["reason"].lower():
            continue
        yield (row["bo"], row["type"], row["reference"] or row["key"]), row["outcome"] == "posted"


def _jaggaer_creates(ledger: Row) -> Iterator[tuple[tuple[str, ...], bool]]:
    for row in ledger["write_attempts"]:
        if row["kind"] in {"invoice", "supplier"} and row["operation"].upper() in {"CREATE", "CREATED"}:
            yield (row["kind"], row["key"]), row["outcome"] != "refused"
        elif row["kind"] == "purchase_order":
            yield (row["kind"], row["key"], str(row.get("revision", ""))), row["outcome"] != "refused"


def _cloudsuite_creates(ledger: Row) -> Iterator[tuple[tuple[str, ...], bool]]:
    """What is created under a key of ours: vendors, lines of vouchers and batches, batches by number.

    A voucher's own key is CSI's, allotted anew each time: two of them are seen by what CSI holds.
    """
    for row in ledger["attempts"]:
        if (row["operation"] == "insert" and row["kind"] != "SLAptrxs") or row["operation"] in M3_CREATES:
            yield (row["kind"], row["key"].strip()), row["outcome"] == "stored"


def _repeated(where: str, asked: Iterable[tuple[tuple[str, ...], bool]]) -> Iterator[str]:
    took: Counter[tuple[str, ...]] = Counter()
    again: Counter[tuple[str, ...]] = Counter()
    for key, effect in asked:
        if took[key] and not effect:
            again[key] += 1
        took[key] += effect
    yield from (f"{where} took {' '.join(key)} {count} times" for key, count in took.items() if count > 1)
    yield from (f"{where} was asked {count} times more for {' '.join(key)} (refused)" for key, count in again.items())


def unbalanced(books: Books) -> Iterator[str]:
    """Name every journal whose debits are not its credits, in both ledgers."""
    rows = [(f"GL journal {row['journal']}", row) for row in books.syspro["gl_journals"]]
    rows.append(("the ledger", books.syspro["gl_entries"]))
    for name, row in rows:
        if Decimal(row["debit"]) != Decimal(row["credit"]):
            yield f"SYSPRO {name}: debit {row['debit']}, credit {row['credit']}"
    totals = books.cloudsuite["gl_totals"]
    if Decimal(totals["debit"]) != Decimal(totals["credit"]):
        yield f"CloudSuite: debit {totals['debit']}, credit {totals['credit']}"
    yield from (f"CloudSuite: {each}" for each in (*books.cloudsuite["violations"], *books.cloudsuite["exposed"]))
    if not books.cloudsuite["m3"]["balanced"]:
        yield "M3: a voucher's debits are not its credits"


# --- the connector's documents against the books -------------------------------------------------------------------


def examine(books: Books, site: Any, deployment: Any, documents: Sequence[DocumentRecord]) -> list[str]:
    """Return everything that contradicts exactly once, to the cent."""
    found = [*repeated(books), *unbalanced(books), *one_state_each(documents)]
    app = deployment.sandbox.app
    for route in site.routes:
        own = standing(one for one in documents if one.route == route.name)
        if route.target == "syspro" and route.document == "invoice":
            found += _into_syspro(books, app, own)
        elif route.target == "syspro" and route.document == "purchase_order":
            found += _orders_into_syspro(books, own)
        elif route.target == "cloudsuite" and route.document == "invoice":
            found += _vouchers(books, own)
        elif route.target == "jaggaer" and route.document == "invoice":
            found += _imports(books, app, own)
        found += _nothing_lost(app, site, route, own)
    return found


def newest(documents: Iterable[DocumentRecord]) -> dict[str, DocumentRecord]:
    """Return the newest revision by key."""
    found: dict[str, DocumentRecord] = {}
    for one in documents:
        if one.key not in found or found[one.key].revision < one.revision:
            found[one.key] = one
    return found


def standing(documents: Iterable[DocumentRecord]) -> dict[str, DocumentRecord]:
    """Return by key the newest revision that is more than an echo of what the target holds, or overtaken by one."""
    documents = list(documents)
    return newest(documents) | newest(one for one in documents if one.state not in ECHOES)


def one_state_each(documents: Sequence[DocumentRecord]) -> Iterator[str]:
    """Name every revision that is in the store twice."""
    count = Counter((one.route, one.key, one.revision) for one in documents)
    yield from (f"{' '.join(key)} is in the store {number} times" for key, number in count.items() if number > 1)


def _into_syspro(books: Books, app: Any, own: Mapping[str, DocumentRecord]) -> Iterator[str]:
    ledger = books.syspro
    rows = defaultdict(list)
    for row in (*ledger["ap_invoices"], *ledger["ap_transactions"]):
        if row["by"] == "api":
            rows[row["reference"]].append(row)
    for document in own.values():
        there = rows.pop(our_reference(document), [])
        if document.state in IN_THE_BOOKS and len(there) != 1:
            yield f"{document.key} is {document.state}, and AP holds it {len(there)} times"
        if there and document.state not in MAY_BE_THERE:
            yield f"{document.key} stands in AP and is said to be {document.state}: {document.reason}"
        if there and document.state in IN_THE_BOOKS and Decimal(there[0]["value"]) != Decimal(document.gross):
            yield f"{document.key}: {document.gross} in the audit, {there[0]['value']} in AP"
    yield from (f"AP holds {reference}, of no document" for reference in rows)
    posted = [key for key, one in own.items() if one.state in IN_THE_BOOKS and key in syspro_books.drafts(app)]
    if len(posted) == len(own):
        yield from syspro_books.compare(ledger, syspro_books.all_expected(app, posted))


def _orders_into_syspro(books: Books, own: Mapping[str, DocumentRecord]) -> Iterator[str]:
    there = [row for row in books.syspro["purchase_orders"] if row["by"] == "api"]
    for document in own.values():
        # the order's number and the end of our reference, where SYSPRO numbers orders itself
        named = {document.number, f"{document.number}/{our_reference(document)[-8:]}"}
        held = sum(bool(named & {row["customer_po"], row["purchase_order"].lstrip("0")}) for row in there)
        if document.state in IN_THE_BOOKS and held != 1:
            yield f"order {document.number} is {document.state}, and SYSPRO holds it {held} times"
        if held and document.state not in MAY_BE_THERE:
            yield f"order {document.number} stands in SYSPRO and is said to be {document.state}: {document.reason}"


def _vouchers(books: Books, own: Mapping[str, DocumentRecord]) -> Iterator[str]:
    live = defaultdict(list)
    for row in books.cloudsuite["vouchers"]:
        if row["by"] == "interface" and row["state"] in {"unposted", "posted", "purged"}:
            live[row["InvNum"].strip()].append(row)
    for row in _batches(books):
        live[row["SINO"]].append({"InvAmt": row["CUAM"]})
    for document in own.values():
        there = live.pop(document.number, [])
        if document.state in IN_THE_BOOKS:
            if len(there) != 1:
                yield f"{document.number} is {document.state}, and CSI holds it {len(there)} times"
            elif Decimal(there[0]["InvAmt"]) != Decimal(document.gross):
                yield f"{document.number}: {document.gross} in the audit, {there[0]['InvAmt']} in CSI"
        if there and document.state not in MAY_BE_THERE:
            yield f"{document.number} stands in CSI and is said to be {document.state}: {document.reason}"
    yield from (f"CSI holds {number}, of no document" for number in live)


def _imports(books: Books, app: Any, own: Mapping[str, DocumentRecord]) -> Iterator[str]:
    # JAGGAER shows nothing of ours: what a person typed while an import was uncertain is taken for that import
    typed = {row["number"] for row in app.jaggaer.truth().values() if row["label"] == "added"}
    live = Counter(str(row["number"]) for row in books.jaggaer["imported_invoices"])
    for document in own.values():
        there = live.pop(document.number, 0)
        if document.state in IN_THE_BOOKS and there != 1 and (there or document.number not in typed):
            yield f"{document.number} is {document.state}, and JAGGAER holds it {there} times"
        if there and document.state not in MAY_BE_THERE:
            yield f"{document.number} stands in JAGGAER and is said to be {document.state}: {document.reason}"
    yield from (f"JAGGAER holds {number}, of no document" for number in live)


def _nothing_lost(app: Any, site: Any, route: Any, own: Mapping[str, DocumentRecord]) -> Iterator[str]:
    """Name what the source holds and no document tells of."""
    if route.document == "invoice" and route.source == "jaggaer":
        imported = {str(row["invoice_id"]) for row in app.jaggaer.ledger()["imported_invoices"]}
        wanted = {str(key) for key, row in app.jaggaer.truth().items() if row["good"]} - imported
        yield from (f"invoice {key} of JAGGAER is lost" for key in sorted(wanted - own.keys()))
    elif route.document == "purchase_order" and route.source == "jaggaer":
        wanted = {str(row["number"]) for row in app.jaggaer.ledger()["purchase_orders"]}
        known = {one.number for one in own.values()} | {one.source_number for one in own.values()}
        if len(own) < len(wanted):
            yield f"orders of JAGGAER are lost: {sorted(wanted - known)}"
    elif route.source == "cloudsuite" and route.document == "invoice":
        wanted = {row["InvNum"].strip() for row in app.cloudsuite.ledger()["vouchers"] if row["by"] == "person"}
        yield from (f"voucher {number} is lost" for number in sorted(wanted - {one.number for one in own.values()}))
