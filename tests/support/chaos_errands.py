"""What else people do while the routes of a seed run: buy in CSI, look after suppliers, pay; what must come of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from support.chaos_run import World

Errand = Callable[["World", Random, int], None]
_CODES = (("51200", "CC10"), ("51300", "CC20"), ("51300", "CC10"))
_TERMS = {"syspro": ("30", "60", "10"), "cloudsuite": ("N30", "N60", "N10")}
SHARED = tuple(f"V{number:05d}" for number in range(1, 9))
"""Suppliers that both sides know."""


def buy(run: World, rng: Random, place: int) -> None:
    """Enter an order in CSI, or change, shorten or cancel one of before."""
    mine = [row for row in run.app.cloudsuite.ledger()["purchase_orders"] if row["PoNum"].strip().startswith("P7")]
    alive = [row for row in mine if any(Decimal(line["QtyOrderedConv"]) for line in row["lines"])]
    if not alive or place % 2 == 0:
        lines = [_bought(rng) for _ in range(rng.randint(1, 3))]
        body = {"vendor": rng.choice(SHARED[:2]), "po_num": f"P7{place:03d}", "lines": lines}
        run.app.cloudsuite.add("purchase_order", body)
        return
    row = rng.choice(alive)
    line = rng.choice([each for each in row["lines"] if Decimal(each["QtyOrderedConv"])])
    way = rng.random()
    if way < 0.6:
        changed = {"line": line["PoLine"], "qty": rng.randint(1, 60)}
        run.app.cloudsuite.add("purchase_order_change", {"po_num": row["PoNum"], "lines": [changed]})
    elif way < 0.8:
        run.app.cloudsuite.add("purchase_order_cancel_line", {"po_num": row["PoNum"], "line": line["PoLine"]})
    else:
        run.app.cloudsuite.add("purchase_order_cancel", {"po_num": row["PoNum"]})


def _bought(rng: Random) -> dict[str, Any]:
    account, unit = rng.choice(_CODES)
    price = str(Decimal(rng.randint(100, 90_000)).scaleb(-2))
    named = {"account": account, "unit": unit, "uom": "EA", "description": "Drill"}
    return {"qty": rng.randint(1, 40), "price": price, **named}


def look_after_suppliers(ledger: str) -> Errand:
    """Return the errand of those who look after suppliers, in JAGGAER and in an ERP at once."""

    def errand(run: World, rng: Random, place: int) -> None:
        # what a look-up by attributes must tell apart differs in all of them
        name = f"Newcomer {place} of {run.seed}"
        mail, street, code = f"desk{place}@new{place}.example", f"{place + 1} Quay", f"9{place:04d}"
        way = rng.choice(("new in JAGGAER", "new in the ERP", "edited in JAGGAER", "edited in the ERP"))
        number = rng.choice(SHARED)
        if way == "new in JAGGAER":
            new = {"companyName": name, "zip": code, "city": "Rostock", "isoCountry": "DE", "address": street}
            told = {"bizEmail": mail, "currency": "EUR", "fiscalCode": f"DE{place:05d}", "userAlias": f"new{place}"}
            run.app.jaggaer.add("supplier_create", new | told)
        elif way == "edited in JAGGAER":
            edit = rng.choice(({"address": f"{place} Mill Lane"}, {"companyName": name}, {"bizEmail": mail}))
            run.app.jaggaer.add("supplier_edit", {"number": number, "set": edit})
        elif way == "edited in the ERP":
            edit = rng.choice(({"terms": rng.choice(_TERMS[ledger])}, {"tax_number": f"TX{place:04d}"}))
            _into_erp(run, ledger, number, **edit)
        else:
            known = {"name": name, "currency": "USD" if ledger == "cloudsuite" else "$", "tax_number": f"TY{place:04d}"}
            placed = {
                "syspro": {"SupAddr1": street, "SupPostalCode": code},
                "cloudsuite": {"street": street, "postal_code": code, "city": "Eastport"},
            }
            _into_erp(run, ledger, f"N{place:05d}", **known, **placed[ledger])

    return errand


def _into_erp(run: World, ledger: str, number: str, **fields: Any) -> None:
    if ledger == "syspro":
        run.app.syspro.add("supplier", {"supplier": number, **fields})
    else:
        run.app.cloudsuite.add("vendor", {"vendor": number, **fields})


def pay(run: World, rng: Random, place: int) -> None:
    """Pay an invoice of ours in SYSPRO, in part or all of it, or take a payment back."""
    rows = [row for row in run.app.syspro.ledger()["ap_invoices"] if row["by"] == "api" and Decimal(row["balance"])]
    if not rows:
        return
    row = rng.choice(rows)
    part = (Decimal(row["balance"]) * rng.choice([1, 3, 7]) / 10).quantize(Decimal("0.01"))
    body = {"supplier": row["supplier"], "invoice": row["invoice"]}
    if part and rng.random() < 0.6:
        body["value"] = str(part)
    run.app.syspro.add("pay_invoice", body)


ERRANDS: Mapping[str, Errand] = {
    "buy in CSI": buy,
    "suppliers of SYSPRO": look_after_suppliers("syspro"),
    "suppliers of CSI": look_after_suppliers("cloudsuite"),
    "pay in SYSPRO": pay,
}


# --- what must come of it ------------------------------------------------------------------------------------------


def done(run: World) -> Iterator[str]:
    """Name what people did and the other side does not show."""
    for errand in run.site.errands:
        yield from _CHECKS[errand](run)


def _bought_there(run: World) -> Iterator[str]:
    """JAGGAER holds every order of CSI once, with the quantities and prices CSI has now."""
    held = defaultdict(list)
    for row in run.app.jaggaer.ledger()["purchase_orders"]:
        held[row["number"]].append(row)
    for row in run.app.cloudsuite.ledger()["purchase_orders"]:
        number = row["PoNum"].strip()
        if not number.startswith("P7"):
            continue
        wanted = sorted(
            (Decimal(line["QtyOrderedConv"]), Decimal(line["ItemCostConv"]))
            for line in row["lines"]
            if Decimal(line["QtyOrderedConv"])
        )
        there = held[number]
        if not there and not wanted:
            continue  # canceled before anybody was told of it
        if len(there) != 1:
            yield f"order {number}: JAGGAER holds it {len(there)} times"
            continue
        shown = sorted(
            (Decimal(line["quantity"]), Decimal(line["price"]))
            for line in there[0]["lines"]
            if Decimal(line["quantity"]) and there[0]["status"] != "Cancelled"
        )
        if shown != wanted:
            yield f"order {number} is {shown} in JAGGAER and {wanted} in CSI: {_said(run, number)}"


def _said(run: World, number: str) -> str:
    return "; ".join(f"{one.state} {one.reason}" for one in run.documents() if one.number == number)


def _suppliers_of_syspro(run: World) -> Iterator[str]:
    rows = {
        row["supplier"]: (row["SupplierName"], row["SupAddr1"], row["Email"])
        for row in run.app.syspro.ledger()["suppliers"]
        if not row["deleted"]
    }
    yield from _converged(run, rows)


def _suppliers_of_csi(run: World) -> Iterator[str]:
    rows = {
        row["VendNum"].strip(): (row["Name"], row.get("VadAddr_1"), row.get("ExternalEmailAddr"))
        for row in run.app.cloudsuite.ledger()["suppliers"]
    }
    yield from _converged(run, rows)


def _converged(run: World, rows: Mapping[str, tuple[str, str, str]]) -> Iterator[str]:
    """What people touched is on both sides, once on each, and says the same of name, street and mail."""
    shown = defaultdict(list)
    for row in run.app.jaggaer.ledger()["suppliers"]:
        profile = row["profile"]
        told = tuple(profile.get(name) or "" for name in ("companyName", "address", "bizEmail"))
        shown[row["number"]].append(told)
        if told[0].startswith("Newcomer") and row["number"] not in rows:
            yield f"supplier {told[0]} ({row['number'] or 'no number'}) of JAGGAER is lost"
    names = Counter(row[0] for row in rows.values() if row[0].startswith("Newcomer"))
    yield from (f"the ERP holds supplier {name} {count} times" for name, count in names.items() if count > 1)
    for number, told in rows.items():
        if number not in SHARED and not told[0].startswith("Newcomer"):
            continue
        if len(shown[number]) != 1:
            yield f"supplier {number}: JAGGAER holds it {len(shown[number])} times"
        elif shown[number][0] != tuple(value or "" for value in told):
            yield f"supplier {number} is {shown[number][0]} in JAGGAER and {told} in the ERP"


def _paid_there(run: World) -> Iterator[str]:
    """JAGGAER was told of every payment of our invoices once: the sums are those of SYSPRO."""
    truth = run.app.jaggaer.truth()
    told: Counter[str] = Counter()
    for row in run.app.jaggaer.ledger()["payments"]:
        told[truth[str(row["invoice_id"])]["number"]] += Decimal(row["amount"])  # type: ignore[assignment] - money
    paid: Counter[str] = Counter()
    for row in run.app.syspro.ledger()["payments"]:
        paid[row["invoice"]] += Decimal(row["value"])  # type: ignore[assignment] - money
    for number in told.keys() | paid.keys():
        if told[number] != paid[number]:
            yield f"of {number} {paid[number]} was paid, and JAGGAER was told {told[number]}"


_CHECKS: Mapping[str, Callable[[World], Iterator[str]]] = {
    "buy in CSI": _bought_there,
    "suppliers of SYSPRO": _suppliers_of_syspro,
    "suppliers of CSI": _suppliers_of_csi,
    "pay in SYSPRO": _paid_there,
}
