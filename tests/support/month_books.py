"""Both systems' books compared at the end of a month, by the sandbox's oracle and the people's diary alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from support.month_buying import source_number
from support.month_office import Diary

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.jaggaer import order_recipes

Row = Mapping[str, Any]
Books = Mapping[str, Any]
NEVER = frozenset({"pending", "paid", "cancelled", "before_cut_over"})
"""Labels of invoices that are none of the connector's."""
NO_ORDERS = frozenset({"pending", "rejected"})


def money(value: object) -> Decimal:
    """Read an amount of either system."""
    return Decimal(str(value)).quantize(Decimal("0.01"))


def plain(key: object) -> str:
    """Return a key as both systems compare it: without the zeros SYSPRO pads numbers with."""
    text = str(key).strip()
    return (text.lstrip("0") or "0") if text.isdigit() else text


def local(currency: str) -> str:
    """Return SYSPRO's code of a currency."""
    return master.LOCAL_CURRENCY if currency == "USD" else currency


# --- invoices --------------------------------------------------------------------------------------------------------

Booked = tuple[str, str, str, str, Decimal]
"""(supplier, number, I or C, currency, value); a credit memo under the number of what it credits."""


def expected_invoices(truth: Mapping[str, Row], diary: Diary) -> Counter[Booked]:
    """Return what JAGGAER wants booked: everything eligible, once."""
    numbers = {row["invoice_number"]: row["number"] for row in truth.values()}
    wanted: Counter[Booked] = Counter()
    for key, row in truth.items():
        if row["label"] in NEVER or int(key) in diary.withdrawn:
            continue
        credit = row["kind"] == "credit_memo"
        number = numbers[row["original"]] if credit else row["number"]
        wanted[
            plain(row["supplier"]), plain(number), "C" if credit else "I", local(row["currency"]), money(row["gross"])
        ] += 1
    return wanted


def booked_invoices(ledger: Books, diary: Diary) -> Counter[Booked]:
    """Return what stands in AP, without what clerks typed there for their own purposes."""
    rows = [row for row in ledger["ap_invoices"] if not row["purged"]]
    rows += [row for row in ledger["ap_transactions"] if not row["purged"] and row["type"] == "C"]
    return Counter(
        (plain(row["supplier"]), plain(row["invoice"]), row["type"], row["currency"], money(row["value"]))
        for row in rows
        if (row["supplier"], row["invoice"]) not in diary.by_hand
    )


def invoice_differences(truth: Mapping[str, Row], ledger: Books, diary: Diary) -> Iterator[str]:
    """Name every invoice and credit memo the two systems do not agree on."""
    wanted, booked = expected_invoices(truth, diary), booked_invoices(ledger, diary)
    yield from (f"{' '.join(map(str, key))}: {count}× in JAGGAER only" for key, count in (wanted - booked).items())
    yield from (f"{' '.join(map(str, key))}: {count}× in SYSPRO only" for key, count in (booked - wanted).items())


def totals(rows: Counter[Booked]) -> dict[str, tuple[int, Decimal]]:
    """Return count and sum by kind and currency."""
    found: dict[str, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for (_supplier, _number, kind, currency, value), count in rows.items():
        known, total = found[f"{kind} {currency}"]
        found[f"{kind} {currency}"] = known + count, total + value * count
    return dict(found)


# --- orders ----------------------------------------------------------------------------------------------------------


def order_differences(orders: Sequence[Row], ledger: Books) -> Iterator[str]:
    """Name every order that is not in SYSPRO as it stands in JAGGAER: lines, quantities, prices, cancellation."""
    held: dict[str, list[Row]] = defaultdict(list)
    for row in ledger["purchase_orders"]:
        if row["by"] == "api":
            held[source_number(row)].append(row)
    for order in orders:
        if order["label"] in NO_ORDERS:
            continue
        there = held.pop(order["number"], [])
        if len(there) > 1:
            yield f"order {order['number']}: {len(there)} times in SYSPRO"
        yield from (f"order {order['number']}: {text}" for text in _order_problems(order, there[0] if there else None))
    yield from (f"order {number} stands in SYSPRO only" for number in held)


def _order_problems(order: Row, there: Row | None) -> Iterator[str]:
    cancelled = order["status"] == "Cancelled"
    if there is None:
        if not cancelled:
            yield "missing in SYSPRO"
        return
    if (there["status"] == "*") != cancelled:
        yield f"{order['status']} in JAGGAER, status {there['status']} in SYSPRO"
    if cancelled:
        return
    wanted = Counter(
        (Decimal(line["quantity"]).normalize(), _price(line["price"]))
        for line in order["lines"]
        if Decimal(line["quantity"])
    )
    held = Counter(
        (Decimal(line["qty"]).normalize(), _price(line["price"]))
        for line in there["lines"]
        if not line["removed"] and line["type"] in {"1", "7"} and Decimal(line["qty"])
    )
    if wanted != held:
        yield f"lines (quantity, price) {dict(wanted - held)} in JAGGAER only, {dict(held - wanted)} in SYSPRO only"


def _price(text: str) -> Decimal:
    return Decimal(text).normalize()


def received_differences(ledger: Books) -> Iterator[str]:
    """Hold the suspense account to what is received and not invoiced.

    To the cent in company currency; what a supplier bills in another one SYSPRO converts anew, line by line, so each
    such match may leave a cent behind.
    """
    suspense = ledger["grn_suspense"]
    booked, wanted = money(suspense["gl_balance"]), -money(suspense["not_invoiced"])
    rows = (*ledger["ap_invoices"], *ledger["ap_transactions"])
    foreign = sum(len(row["grn_matches"]) for row in rows if row["currency"] != master.LOCAL_CURRENCY)
    if abs(booked - wanted) > Decimal("0.01") * foreign:
        yield f"goods received, not vouchered: {booked} in GL, {wanted} received and not invoiced"


# --- suppliers -------------------------------------------------------------------------------------------------------


def supplier_differences(companies: Sequence[Row], ledger: Books) -> Iterator[str]:
    """Name every supplier whose fields are not the same in both systems, by what each side decides."""
    held = {row["supplier"]: row for row in ledger["suppliers"] if not row["deleted"]}
    linked = {row["number"]: row for row in companies if row["number"] and row["profile"].get("type") == "SELLER"}
    for number, row in held.items():
        known = linked.pop(_padded(number, linked), None)
        if known is None:
            yield f"supplier {number} is not in JAGGAER"
            continue
        yield from (f"supplier {number}: {text}" for text in _supplier_problems(known, row))
    yield from (f"supplier {number} is not in SYSPRO" for number in linked)


def _padded(number: str, known: Mapping[str, Row]) -> str:
    return number if number in known else plain(number)


def _supplier_problems(company: Row, row: Row) -> Iterator[str]:
    profile = company["profile"]
    terms = {there: here for here, (there, _days) in master.TERMS.items()}
    location: Row = next(iter(company["parts"].get("LocationList", {}).values()), {})
    said = location.get("TermsAndCondition", {}).get("PaymentTerms", {}).get("StandardPaymentTermsCode", "")
    pairs = {
        "name": (profile["companyName"], row["SupplierName"]),
        "street": (profile.get("address", ""), row["SupAddr1"]),
        "postal code": (profile.get("zip", ""), row["SupPostalCode"]),
        "e-mail": (profile.get("bizEmail", ""), row["Email"]),
        "tax id": (profile.get("fiscalCode", ""), row["TaxRegnNum"]),
        "currency": (local(profile.get("currency", "")), row["Currency"]),
        "terms": (said, terms.get(row["TermsCode"], row["TermsCode"])),
    }
    for what, (there, here) in pairs.items():
        if there != here:
            yield f"{what} {there!r} in JAGGAER, {here!r} in SYSPRO"


# --- codes, payments, writes -----------------------------------------------------------------------------------------


def payment_differences(
    payments: Sequence[Row], truth: Mapping[str, Row], ledger: Books, diary: Diary
) -> Iterator[str]:
    """Name every invoice of which JAGGAER shows another sum paid than SYSPRO has paid."""
    paid: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in ledger["payments"]:
        if (row["supplier"], row["invoice"]) not in diary.by_hand:
            paid[plain(row["supplier"]), plain(row["invoice"])] += money(row["value"])
    told: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for payment in payments:
        invoice = truth[str(payment["invoice_id"])]
        told[plain(invoice["supplier"]), plain(invoice["number"])] += money(payment["amount"])
    for key in paid.keys() | told.keys():
        if paid[key] != told[key]:
            yield f"invoice {' '.join(key)}: {paid[key]} paid in SYSPRO, {told[key]} told to JAGGAER"


def code_differences(codes: Sequence[Row], accounts: Mapping[str, bool], centers: Mapping[str, bool]) -> Iterator[str]:
    """Name every code that JAGGAER offers though it is closed in SYSPRO, or does not though it is open.

    Args:
        codes: JAGGAER's code lists.
        accounts: Mapped accounts by JAGGAER's code: whether any GL code of it is open.
        centers: Mapped cost centers, likewise.
    """
    offered = {(row["customFieldName"], row["value"]) for row in codes if row["active"] == "true"}
    for name, wanted in (("Account", accounts), ("CostCenter", centers)):
        for value, is_open in wanted.items():
            if ((name, value) in offered) != is_open:
                yield f"{name} {value} is {'open' if is_open else 'closed'} in SYSPRO and JAGGAER says otherwise"


def repeated_writes(books: Books) -> Iterator[str]:
    """Name every write that took effect twice, in either system, and every second record of one business key."""
    posted = [row for row in books["syspro"]["write_attempts"] if row["outcome"] == "posted" and _creates(row)]
    yield from _twice("SYSPRO", ((row["bo"], row["type"], row["reference"] or row["key"]) for row in posted))
    stored = [row for row in books["jaggaer"]["write_attempts"] if row["outcome"] != "refused"]
    created = (row for row in stored if row["operation"] in {"CREATE", "created"})
    yield from _twice("JAGGAER", ((row["kind"], row["key"]) for row in created))


def _creates(row: Row) -> bool:
    return not row["validate_only"] and (row["bo"] in {"APSTIN", "GENTJL"} or row["type"] == "A")


def _twice(where: str, keys: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for key, count in Counter(keys).items():
        if count > 1:
            yield f"{where} took {' '.join(key)} {count} times"


def sound_orders(orders: Sequence[Row]) -> int:
    """Return how many orders are of a sound kind."""
    return sum(row["label"] in order_recipes.GOOD for row in orders)
