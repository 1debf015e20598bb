"""CSI's and JAGGAER's books compared at the end of a month, by the sandbox's oracle and the people's diary alone."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from support.month_books import NEVER, plain
from support.month_office import Diary

from airflow_provider_mlconnector.sandbox import master

Row = Mapping[str, Any]
Books = Mapping[str, Any]
HELD, PLANNED, CANCELLED = "H", "P", "Cancelled"
LIVE = frozenset({"unposted", "posted"})
TERMS = {f"N{terms}": code for code, (terms, _days) in master.TERMS.items()}
Entry = tuple[str, str, str, str, Decimal]
"""(supplier, number, I or C, currency, amount without its sign)."""
_CODE = re.compile(r'^ +"?(?P<code>[A-Z0-9]+)"?: ', re.MULTILINE)


def _norm(value: object) -> Decimal:
    return Decimal(str(value)).normalize()


def live(csi: Books) -> list[Row]:
    """Return the vouchers that are whole and nobody keeps back."""
    return [row for row in csi["vouchers"] if row["state"] in LIVE and row["BGPostingStat"] != HELD]


def entry_of(row: Row) -> Entry:
    """Return a voucher's entry."""
    amount = Decimal(row["InvAmt"])
    kind = "C" if amount < 0 else "I"
    return plain(row["VendNum"]), str(row["InvNum"]).strip(), kind, row["currency"], abs(amount).normalize()


# --- invoices --------------------------------------------------------------------------------------------------------


def invoice_differences(truth: Mapping[str, Row], csi: Books, diary: Diary) -> Iterator[str]:
    """Name every invoice and credit memo, of either side, that the two systems do not agree on."""
    wanted: Counter[Entry] = Counter()
    for key, row in truth.items():
        if row["label"] in NEVER or int(key) in diary.withdrawn:
            continue
        kind = "C" if row["kind"] == "credit_memo" else "I"
        wanted[plain(row["supplier"]), str(row["number"]), kind, row["currency"], abs(_norm(row["gross"]))] += 1
    booked = Counter(entry_of(row) for row in live(csi))
    yield from (f"{' '.join(map(str, key))}: {count}× in JAGGAER only" for key, count in (wanted - booked).items())
    yield from (f"{' '.join(map(str, key))}: {count}× in CSI only" for key, count in (booked - wanted).items())


def coding_differences(truth: Mapping[str, Row], csi: Books, diary: Diary) -> Iterator[str]:
    """Name every invoice whose distributions are not its lines, account by account and unit code by unit code."""
    booked = {entry_of(row)[:3]: row for row in live(csi)}
    for key, lines in diary.coded.items():
        row = truth[str(key)]
        if key in diary.withdrawn:
            continue
        entry = (plain(row["supplier"]), row["number"], "C" if row["kind"] == "credit_memo" else "I")
        wanted: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for price, account, center in lines:
            wanted[account, center] += price
        found: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for part in booked.get(entry, {"distributions": []})["distributions"]:
            found[part["Acct"].strip(), (part["AcctUnit1"] or "").strip()] += Decimal(part["Amount"])
        if wanted != found:
            yield f"{' '.join(entry)}: {dict(wanted)} in JAGGAER, {dict(found)} in CSI"


# --- orders ----------------------------------------------------------------------------------------------------------


def order_differences(orders: Sequence[Row], csi: Books) -> Iterator[str]:
    """Name every order that is not in JAGGAER as it stands in CSI: lines, quantities, prices, cancellation."""
    held: defaultdict[str, list[Row]] = defaultdict(list)
    for order in orders:
        held[str(order["number"]).strip()].append(order)
    for row in csi["purchase_orders"]:
        number = row["PoNum"].strip()
        there = held.pop(number, [])
        if row["deleted"] or row["Stat"] == PLANNED:
            continue
        if len(there) > 1:
            yield f"order {number}: {len(there)} times in JAGGAER"
        yield from (f"order {number}: {text}" for text in order_problems(row, there[0] if there else None))
    yield from (f"order {number} stands in JAGGAER only" for number in held)


def order_problems(row: Row, there: Row | None) -> Iterator[str]:
    """Name what is not the same of one order of CSI and what JAGGAER holds under its number."""
    wanted = Counter(
        (_norm(line["QtyOrderedConv"]), _norm(line["ItemCostConv"]))
        for line in row["lines"]
        if line["Stat"] != PLANNED and Decimal(line["QtyOrderedConv"])
    )
    if there is None:
        if wanted:
            yield "missing in JAGGAER"
        return
    if (there["status"] == CANCELLED) != (not wanted):
        yield f"{'canceled' if not wanted else 'open'} in CSI, {there['status']} in JAGGAER"
    found = Counter(
        (_norm(line["quantity"]), _norm(line["price"])) for line in there["lines"] if Decimal(line["quantity"])
    )
    if wanted and wanted != found:
        yield f"lines (quantity, price) {dict(wanted - found)} in CSI only, {dict(found - wanted)} in JAGGAER only"


# --- suppliers and codes ---------------------------------------------------------------------------------------------


def supplier_differences(companies: Sequence[Row], csi: Books) -> Iterator[str]:
    """Name every supplier whose fields are not the same in both systems, by what each side decides."""
    linked = {plain(row["number"]): row for row in companies if row["number"] and row["profile"]["type"] == "SELLER"}
    for row in csi["suppliers"]:
        known = linked.pop(plain(row["VendNum"]), None)
        if known is None:
            if row["Stat"] == "A" and not row.get("VadPayHold"):
                yield f"supplier {row['VendNum'].strip()} is not in JAGGAER"
            continue
        yield from (f"supplier {row['VendNum'].strip()}: {text}" for text in _supplier_problems(known, row))
    yield from (f"supplier {number} is not in CSI" for number in linked)


def _supplier_problems(company: Row, row: Row) -> Iterator[str]:
    profile = company["profile"]
    location: Row = next(iter(company["parts"].get("LocationList", {}).values()), {})
    said = location.get("TermsAndCondition", {}).get("PaymentTerms", {}).get("StandardPaymentTermsCode", "")
    pairs = {
        "name": (profile["companyName"], row["Name"]),
        "street": (profile.get("address", ""), row.get("VadAddr_1")),
        "postal code": (profile.get("zip", ""), row.get("VadZip")),
        "e-mail": (profile.get("bizEmail", ""), row.get("ExternalEmailAddr")),
        "tax id": (profile.get("fiscalCode", ""), row.get("TaxRegNum1")),
        "currency": (profile.get("currency", ""), row["CurrCode"]),
        "terms": (said, TERMS.get(row["TermsCode"], row["TermsCode"])),
    }
    for what, (there, here) in pairs.items():
        if there != (here or ""):
            yield f"{what} {there!r} in JAGGAER, {here!r} in CSI"


def code_differences(codes: Sequence[Row], csi: Books, mapping: str, today: date) -> Iterator[str]:
    """Name every mapped code that JAGGAER offers though CSI has it out of use, or does not though it is in use."""
    offered = {(row["customFieldName"], row["value"]) for row in codes if row["active"] == "true"}
    chart = {row["Acct"].strip(): _in_use(row, today) for row in csi["accounts"]}
    sections = {name: mapping.partition(f"\n{head}\n")[2].split("\n\n")[0] for name, head in _SECTIONS.items()}
    for name, text in sections.items():
        for code in _CODE.findall(text):
            in_use = chart.get(code, False) if name == "Account" else True
            if ((name, code) in offered) != in_use:
                yield f"{name} {code} is {'in use' if in_use else 'out of use'} in CSI and JAGGAER says otherwise"


_SECTIONS = {"Account": "accounts:", "CostCenter": "  map:"}


def _in_use(row: Row, today: date) -> bool:
    begins, ends = (date.fromisoformat(row[name][:10]) if row.get(name) else None for name in ("EffDate", "ObsDate"))
    return (not begins or begins <= today) and (not ends or today < ends)


# --- the ledger, writes ----------------------------------------------------------------------------------------------


def ledger_problems(csi: Books) -> Iterator[str]:
    """Name half vouchers, bad coding that was posted, and what does not balance."""
    yield from (f"half written where posting could take it: {row}" for row in csi["exposed"])
    yield from (str(row) for row in csi["violations"])
    totals = csi["gl_totals"]
    if Decimal(totals["debit"]) != Decimal(totals["credit"]):
        yield f"the ledger: debit {totals['debit']}, credit {totals['credit']}"
    for row in csi["vouchers"]:
        if row["state"] == "unposted" and row["BGPostingStat"] != HELD:
            yield f"voucher {row['Voucher']} is not posted: {row['BGPostingStat']}"


def repeated_writes(books: Books) -> Iterator[str]:
    """Name every write that took effect twice: vouchers, imports, suppliers, and revisions told to a supplier."""
    vouchers = (row for row in live(books["cloudsuite"]) if row["by"] == "interface")
    yield from _twice("CSI", (f"voucher {' '.join(entry_of(row)[:3])}" for row in vouchers))
    stored = (row for row in books["jaggaer"]["write_attempts"] if row["outcome"] != "refused")
    created = (f"{row['kind']} {row['key']}" for row in stored if row["operation"] in {"CREATE", "created"})
    yield from _twice("JAGGAER", created)
    told = (
        f"order {order['number']} to its supplier, revision {state['revision']}"
        for order in books["jaggaer"]["purchase_orders"]
        for state in order["states"]
        if state["distributed"] and state["by"] != "person"
    )
    yield from _twice("JAGGAER", told)


def _twice(where: str, keys: Iterator[str]) -> Iterator[str]:
    for key, count in Counter(keys).items():
        if count > 1:
            yield f"{where} took {key} {count} times"
