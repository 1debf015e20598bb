"""People at the systems of a seed: they enter documents, and look into a target when they are asked."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING

from support.chaos_errands import ERRANDS
from support.chaos_time import START
from support.mishaps import line, on

from airflow_provider_mlconnector.store.records import Actor, DocumentRecord, StepRecord, StepState
from airflow_provider_mlconnector.sync.orders import Seen

if TYPE_CHECKING:
    from support.chaos_run import World

TODAY = START.date()
_CODES = (("51200", "CC10"), ("51300", "CC20"), ("51300", "CC10"))


def prepare(run: World) -> None:
    """Enter what the seed's business begins with: about half of it."""
    for place in range(run.site.bills // 2 + 1 if run.site.bills else 0):
        _bill(run, f"NB-{place + 1}")
    for place in range(run.site.vouchers // 2):
        _voucher(run, f"CV-{place + 1}")
    for errand, times in run.site.errands.items():
        for place in range(times // 2):
            _go(run, errand, place)
    if run.site.vouchers:
        run.app.cloudsuite.add("post_vouchers", {})
    run.time.sleep(60)


def arrive(run: World) -> None:
    """Enter the rest, now and then; the ERPs' own posting runs in between."""
    for place in range(run.site.bills // 2 + 1, run.site.bills):
        run.time.sleep(run.rng.choice([1.0, 100.0, 700.0]))
        _bill(run, f"NB-{place + 1}")
        if "m3" in run.site.chosen and run.rng.random() < 0.5:
            run.app.cloudsuite.add("m3_post", {})
    for place in range(run.site.vouchers // 2, run.site.vouchers):
        run.time.sleep(run.rng.choice([1.0, 100.0, 700.0]))
        _voucher(run, f"CV-{place + 1}")
        if run.rng.random() < 0.5:
            run.app.cloudsuite.add("post_vouchers", {})
    for errand, times in run.site.errands.items():
        for place in range(times // 2, times):
            run.time.sleep(run.rng.choice([1.0, 100.0, 700.0]))
            _go(run, errand, place)


def _go(run: World, errand: str, place: int) -> None:
    ERRANDS[errand](run, Random(f"{errand} {run.seed} {place}"), place)
    run.time.sleep(2)


def _amounts(run: World) -> list[int]:
    return [run.rng.randint(100, 90_000) for _ in range(run.rng.randint(1, 3))]


def _bill(run: World, number: str) -> None:
    cents = _amounts(run)
    lines = []
    for amount in cents:
        account, center = run.rng.choice(_CODES)
        lines.append(line(amount / 100, account=account, center=center))
    header = {
        "supplierInvoiceNumber": number,
        "invoiceType": "Invoice",
        "workflowStatus": "Completed",
        "paymentStatus": "Payable",
        "matchStatus": "Do Not Match",
        "invoiceDate": _day(-3),
        "accountingDate": _day(-3),
        "dueDate": _day(27),
        "businessUnit": "PLANT1",
        "supplier": {"supplierNumber": run.rng.choice(["V00001", "V00002"]), "name": "Sable"},
        "terms": {"daysAfter": 30, "standardPaymentTermsCode": "NET30"},
        "total": {"currency": "USD", "value": sum(cents) / 100},
    }
    run.app.jaggaer.add("invoice", {"header": header, "lineList": {"invoiceLine": lines}})
    run.time.sleep(2)


def _voucher(run: World, number: str) -> None:
    lines = []
    for amount in _amounts(run):
        account, unit = run.rng.choice(_CODES)
        lines.append({"account": account, "unit": unit, "amount": f"{amount / 100:.2f}"})
    dates = {"invoice_date": _iso(-2), "dist_date": _iso(-2), "due_date": _iso(27)}
    vendor = run.rng.choice(["V00001", "V00002"])
    run.app.cloudsuite.add("voucher", {"vendor": vendor, "invoice": number, "lines": lines, **dates})
    run.time.sleep(2)


def _day(days: int) -> str:
    return on(TODAY + timedelta(days=days))


def _iso(days: int) -> str:
    day: date = TODAY + timedelta(days=days)
    return day.isoformat()


def seen(run: World, document: DocumentRecord) -> Seen | None:
    """Say what stands in the target of an uncertain write; None where the person has nothing to look for."""
    with run.store.unit_of_work(Actor(user="ann")) as uow:
        steps = uow.steps.of([document.id])[document.id]
    step = next((one for one in steps if one.state is StepState.UNCERTAIN), None)
    route = next(one for one in run.site.routes if one.name == document.route)
    if step is None:
        return None
    if route.target == "cloudsuite":
        ledger = run.app.cloudsuite.ledger()
        held = {row["InvNum"].strip() for row in ledger["vouchers"] if row["state"] in {"unposted", "posted", "purged"}}
        held |= {row["SINO"] for row in ledger["m3"]["invoices"]}
        return None if document.number in held else Seen.ABSENT
    if route.target == "jaggaer":
        return _SEEN_IN_JAGGAER[route.document](run, document, step)
    business = "GENTJL" if "journal" in step.name else "APSTIN"
    took = any(
        row["outcome"] == "posted" and row["bo"] == business and row["reference"] == step.our_reference
        for row in run.app.syspro.ledger()["write_attempts"]
    )
    return Seen.EXECUTED if took else Seen.ABSENT


def _imported(run: World, document: DocumentRecord, _step: StepRecord) -> Seen | None:
    held = {str(row["number"]) for row in run.app.jaggaer.ledger()["imported_invoices"]}
    return None if document.number in held else Seen.ABSENT


def _told(run: World, _document: DocumentRecord, step: StepRecord) -> Seen | None:
    numbers = [row["number"] for row in run.app.jaggaer.ledger()["payments"]]
    return Seen.EXECUTED if any(number.endswith(step.our_reference) for number in numbers) else Seen.ABSENT


def _ordered(run: World, document: DocumentRecord, step: StepRecord) -> Seen | None:
    """Compare the order's states in JAGGAER with the revision that was sent."""
    rows = [row for row in run.app.jaggaer.ledger()["purchase_orders"] if row["number"] == document.number]
    sent = step.payload["payload"]["order"]["revision_number"]
    states = [state for row in rows for state in row["states"] if state["revision"] == sent]
    return Seen.EXECUTED if states else Seen.ABSENT


_SEEN_IN_JAGGAER = {"invoice": _imported, "payment": _told, "purchase_order": _ordered}
