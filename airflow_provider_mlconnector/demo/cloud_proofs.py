"""What must be true of CloudSuite and its JAGGAER tenant after a run, from the simulated systems' own books."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from airflow_provider_mlconnector.demo.cloud_facts import (
    INTO_CSI,
    INTO_JAGGAER,
    WRITTEN,
    Bill,
    CloudBooks,
    imported,
    vouchers,
)
from airflow_provider_mlconnector.demo.cloud_site import PER_MINUTE
from airflow_provider_mlconnector.demo.facts import amount, plain_key
from airflow_provider_mlconnector.demo.proofs import NOT_ELIGIBLE, Proof
from airflow_provider_mlconnector.documents.lifecycle import State

LOGINS_PER_MINUTE: Final = 20
TOKENS_PER_DAY: Final = 100
"""What Infor allows a tenant (reference/cloudsuite.md §3.2)."""
BY_HAND: Final = frozenset({"imported", "added"})
"""Labels of what came into JAGGAER since: by our imports or a person, and perhaps not approved yet."""
NOT_FINISHED: Final = frozenset({"held", "in_workflow"})
"""Labels of vouchers that people in CSI are still working on."""
Ledger = Mapping[str, Any]
Row = Mapping[str, Any]


def prove_cloud(books: CloudBooks, *, before: Ledger, ledger: Ledger, truth: Ledger, labels: Ledger) -> list[Proof]:
    """Return the proofs of one run.

    Args:
        books: The store's side.
        before: Both systems' books before the run, by system.
        ledger: The same after it.
        truth: What the sandbox generated in JAGGAER, by invoice id.
        labels: What it generated in CSI: ``vouchers`` by number.
    """
    csi, jaggaer = ledger["cloudsuite"], ledger["jaggaer"]
    return [
        vouchers_stand_once(books, csi),
        no_half_voucher_was_posted(csi),
        debits_equal_credits(csi),
        imports_stand_once(books, jaggaer),
        nothing_came_back(csi, jaggaer),
        nothing_lost_either_way(books, truth, labels),
        nothing_written_twice(before, ledger),
        orders_are_equal(csi, jaggaer),
        suppliers_are_equal(csi, jaggaer),
        limits_are_kept(csi),
        audit_chain_holds(books),
    ]


def vouchers_stand_once(books: CloudBooks, csi: Ledger) -> Proof:
    """Compare what the store says it wrote or found in CSI with CSI's vouchers, one by one and both ways."""
    ours, others = (Counter(vouchers(csi["vouchers"], by=by)) for by in ("interface", "others"))
    written, linked = Counter(books.bills(INTO_CSI, *WRITTEN)), Counter(books.bills(INTO_CSI, State.LINKED))
    differences = [*_differences(ours, written, "CSI"), *_unknown_links(linked, others, "CSI")]
    evidence = f"{written.total()} vouchers of ours and {linked.total()} typed in by hand agree; {_sums(written)}"
    return Proof("CSI holds each of JAGGAER's invoices once, to the cent", evidence, tuple(differences))


def no_half_voucher_was_posted(csi: Ledger) -> Proof:
    """Look for a voucher of ours that was ready for posting, or posted, before all its distributions were there."""
    ours = [row for row in csi["vouchers"] if row["by"] == "interface" and row["state"] != "deleted"]
    differences = [
        f"voucher {row['Voucher']} ({row['InvNum']}): {row['InvAmt']} in its header, {total} distributed"
        for row in ours
        if (total := sum((Decimal(part["Amount"]) for part in row["distributions"]), Decimal(0)))
        != Decimal(row["InvAmt"])
    ]
    differences += [f"ready for posting without being whole: {row}" for row in csi["exposed"]]
    differences += [f"posted though it was not whole, or coded badly: {row}" for row in csi["violations"]]
    posted = sum(1 for row in ours if row["state"] == "posted")
    evidence = f"{posted} of {len(ours)} posted by CSI's background posting, each with all its distributions"
    return Proof("No half voucher was posted", evidence, tuple(differences))


def debits_equal_credits(csi: Ledger) -> Proof:
    """Check CSI's general ledger as a whole, and each voucher's lines in it."""
    total = csi["gl_totals"]
    per_voucher: defaultdict[object, Decimal] = defaultdict(Decimal)
    for line in csi["gl_lines"]:
        per_voucher[line["Ref"]] += Decimal(line["DomAmount"])
    differences = [f"{ref}: off by {rest}" for ref, rest in per_voucher.items() if rest]
    if Decimal(total["debit"]) != Decimal(total["credit"]):
        differences.append(f"in all: debit {total['debit']}, credit {total['credit']}")
    evidence = f"{amount(Decimal(total['debit']))} each side, {len(per_voucher)} transactions, each balanced"
    return Proof("Debits equal credits in CSI's general ledger", evidence, tuple(differences))


def imports_stand_once(books: CloudBooks, jaggaer: Ledger) -> Proof:
    """Compare what the store says it gave JAGGAER with the invoices JAGGAER imported, one by one and both ways."""
    there, written = Counter(imported(jaggaer["imported_invoices"])), Counter(books.bills(INTO_JAGGAER, *WRITTEN))
    differences = _differences(there, written, "JAGGAER")
    linked = len(books.bills(INTO_JAGGAER, State.LINKED))
    evidence = f"{written.total()} imported, {linked} found there already; {_sums(written)}"
    return Proof("JAGGAER holds each of CSI's invoices once, to the cent", evidence, tuple(differences))


def nothing_came_back(csi: Ledger, jaggaer: Ledger) -> Proof:
    """Look for an invoice that a route wrote into one system and the other route took back to where it came from."""
    here, there = set(vouchers(csi["vouchers"], by="interface")), set(imported(jaggaer["imported_invoices"]))
    keys = {(bill.supplier, bill.number) for bill in here} & {(bill.supplier, bill.number) for bill in there}
    differences = [f"{supplier} {number} was written into both" for supplier, number in sorted(keys)]
    approved = sum(1 for row in jaggaer["imported_invoices"] if row["workflow"] == "Completed")
    posted = sum(1 for row in csi["vouchers"] if row["by"] == "interface" and row["state"] == "posted")
    evidence = f"{approved} imports were approved in JAGGAER and {posted} vouchers posted in CSI, none was sent back"
    return Proof("No invoice came back to where it came from", evidence, tuple(differences))


def nothing_lost_either_way(books: CloudBooks, truth: Ledger, labels: Ledger) -> Proof:
    """Check that the store knows every approved invoice of JAGGAER, and every voucher of CSI that may leave."""
    known = {document.key for document in books.documents[INTO_CSI]}
    waiting = {key for key, row in truth.items() if row["label"] in NOT_ELIGIBLE or row["label"] in BY_HAND}
    differences = [
        f"JAGGAER's invoice {key} ({truth[key]['label']}) is not in the store"
        for key in sorted(truth.keys() - known - waiting)
    ]
    there = {document.key.rpartition("|")[2] for document in books.documents[INTO_JAGGAER]}
    kept = {key for key, label in labels["vouchers"].items() if label in NOT_FINISHED}
    differences += [
        f"CSI's voucher {key} is not in the store" for key in sorted(labels["vouchers"].keys() - there - kept)
    ]
    evidence = (
        f"{len(known)} of JAGGAER's {len(truth)}, {len(there)} of CSI's vouchers; "
        f"{len(waiting - known)} still in approval, {len(kept - there)} held or in a workflow"
    )
    return Proof("No invoice was lost", evidence, tuple(differences))


def nothing_written_twice(before: Ledger, ledger: Ledger) -> Proof:
    """Count the documents this run wrote into either system: none that an earlier run, or this one, wrote already."""
    known, now = documents_of(before), documents_of(ledger)
    twice = [f"written {count} times: {' '.join(key)}" for key, count in sorted(now.items()) if count > 1]
    fresh = now - known
    evidence = f"{fresh.total()} documents written in this run, {known.total()} before it, none of them twice"
    return Proof("Nothing was written twice", evidence, tuple(twice))


def documents_of(ledger: Ledger) -> Counter[tuple[str, ...]]:
    """Count the vouchers, imported invoices and new orders our interfaces wrote, what was deleted since included."""
    csi, jaggaer = ledger["cloudsuite"], ledger["jaggaer"]
    found: Counter[tuple[str, ...]] = Counter()
    for row in csi["vouchers"]:
        if row["by"] == "interface":
            sign = "credit" if Decimal(row["InvAmt"]) < 0 else "invoice"
            found["CSI voucher", plain_key(row["VendNum"]), plain_key(row["InvNum"]), sign] += 1
    for row in jaggaer["imported_invoices"]:
        found["JAGGAER invoice", plain_key(row["supplier"]), plain_key(row["number"]), row["type"]] += 1
    for order in jaggaer["purchase_orders"]:
        for revision, count in Counter(str(state["revision"]) for state in order["states"]).items():
            found["JAGGAER order", order["number"], revision, ""] += count
    return found


def orders_are_equal(csi: Ledger, jaggaer: Ledger) -> Proof:
    """Compare JAGGAER's orders with CSI's line by line: item, quantity, price, supplier, currency."""
    ours = {row["PoNum"].strip(): row for row in csi["purchase_orders"] if not row["deleted"]}
    there = Counter(row["number"] for row in jaggaer["purchase_orders"])
    differences = [f"order {number} stands {count} times in JAGGAER" for number, count in there.items() if count > 1]
    lines = 0
    for row in jaggaer["purchase_orders"]:
        order = ours.get(row["number"])
        if order is None:
            differences.append(f"order {row['number']} is not in CSI")
            continue
        mine, theirs = _order_of_csi(order), _order_of_jaggaer(row)
        lines += len(mine[1])
        if mine != theirs:
            differences.append(f"order {row['number']}: {mine} in CSI, {theirs} in JAGGAER")
    if not there:
        differences.append("JAGGAER has no order")
    evidence = f"{len(jaggaer['purchase_orders'])} orders, {lines} lines: supplier, currency, item, quantity and price"
    return Proof("Every order stands in JAGGAER once, line by line as in CSI", evidence, tuple(differences))


def _order_of_csi(order: Row) -> tuple[tuple[str, str], Counter[tuple[str, Decimal, Decimal]]]:
    lines = (line for line in order["lines"] if Decimal(line["QtyOrderedConv"]))
    return (plain_key(order["VendNum"]), order["currency"]), Counter(
        (line["Item"], Decimal(line["QtyOrderedConv"]), Decimal(line["ItemCostConv"])) for line in lines
    )


def _order_of_jaggaer(order: Row) -> tuple[tuple[str, str], Counter[tuple[str, Decimal, Decimal]]]:
    lines = (line for line in order["lines"] if Decimal(line["quantity"]))
    return (plain_key(order["supplier"]), order["currency"]), Counter(
        (line["catalog"], Decimal(line["quantity"]), Decimal(line["price"])) for line in lines
    )


def suppliers_are_equal(csi: Ledger, jaggaer: Ledger) -> Proof:
    """Compare names and tax ids of every supplier both sides know under one number."""
    ours = {plain_key(row["VendNum"]): row for row in csi["suppliers"]}
    differences, compared = [], 0
    for row in jaggaer["suppliers"]:
        profile, vendor = row["profile"], ours.get(plain_key(row["number"] or ""))
        if vendor is None or profile.get("type") != "SELLER":
            continue
        compared += 1
        tax = profile.get("euVat") or profile.get("fiscalCode") or ""
        for field, value in (("Name", profile.get("companyName", "")), ("TaxRegNum1", tax)):
            mine = vendor.get(field)
            if mine and value and mine != value:
                differences.append(f"{row['number']} {field}: {mine!r} in CSI, {value!r} in JAGGAER")
    evidence = f"{compared} suppliers known to both under one number agree in name and tax id"
    if not compared:
        differences.append("no supplier is known to both")
    return Proof("Suppliers are the same on both sides", evidence, tuple(differences))


def limits_are_kept(csi: Ledger) -> Proof:
    """Check the tenant's own counts: requests and logins per minute, tokens per day, nothing refused for too many."""
    gateway = csi["gateway"]
    logins = Counter(call["at"][:16] for call in csi["tokens"]["calls"] if call["grant"] != "refresh_token")
    counts = {
        "requests in a minute": (max((row["asked"] for row in gateway["per_period"].values()), default=0), PER_MINUTE),
        "logins in a minute": (max(logins.values(), default=0), LOGINS_PER_MINUTE),
        "tokens in a day": (max(gateway["tokens_per_day"].values(), default=0), TOKENS_PER_DAY),
    }
    differences = [f"{most} {what}, {allowed} allowed" for what, (most, allowed) in counts.items() if most > allowed]
    differences += [f"{count} requests refused: {reason}" for reason, count in gateway["refused"].items()]
    evidence = "; ".join(f"at most {most} {what} of {allowed}" for what, (most, allowed) in counts.items())
    return Proof("The tenant's limits were kept", evidence, tuple(differences))


def audit_chain_holds(books: CloudBooks) -> Proof:
    """Walk the audit trail of the store, which both pairs share."""
    problems = [] if books.chain.ok else [f"event {books.chain.bad_seq}: {books.chain.reason}"]
    problems += [books.behind] if books.behind else []
    return Proof("The audit trail is unbroken", f"{books.chain.events} events of both pairs verified", tuple(problems))


def _differences(there: Counter[Bill], written: Counter[Bill], system: str) -> list[str]:
    return [
        *(f"in {system} but not in the store: {bill}" for bill in (there - written).elements()),
        *(f"in the store but not in {system}: {bill}" for bill in (written - there).elements()),
    ]


def _unknown_links(linked: Counter[Bill], others: Counter[Bill], system: str) -> list[str]:
    return [f"linked in the store, yet nobody entered it in {system}: {bill}" for bill in (linked - others).elements()]


def _sums(bills: Iterable[Bill] | Counter[Bill]) -> str:
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    each: Sequence[Bill] = [*(bills.elements() if isinstance(bills, Counter) else bills)]
    for bill in each:
        sums[bill.currency] += bill.value
    return ", ".join(f"{currency} {amount(value, currency)}" for currency, value in sorted(sums.items()))
