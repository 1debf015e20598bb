"""The flows around the invoices: what each did, and what must be true of both systems after it."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from airflow_provider_mlconnector.demo.facts import amount, plain_key
from airflow_provider_mlconnector.demo.home import Home
from airflow_provider_mlconnector.demo.proofs import LEAF, Proof
from airflow_provider_mlconnector.demo.stage import DagRun
from airflow_provider_mlconnector.documents.lifecycle import IN_TARGET, State
from airflow_provider_mlconnector.store.records import Actor

Ledger = Mapping[str, Any]
Row = Mapping[str, Any]
CENT: Final = Decimal("0.01")
LOCAL: Final = "$"
"""How the simulated site codes its own currency."""
STUCK: Final = (State.REJECTED, State.PARKED, State.FAILED, State.UNCERTAIN, State.CHANGED_AFTER_POSTING)


@dataclass(frozen=True, slots=True)
class Flow:
    """One example DAG as the demo runs it: its title, and its routes with a name for people each."""

    dag_id: str
    title: str
    routes: Mapping[str, str]


INVOICES: Final = "jaggaer_to_syspro_invoices"
ORDERS: Final = "jaggaer_to_syspro_orders"
MATCHING: Final = "jaggaer_to_syspro_matching"
PAYMENTS: Final = "syspro_to_jaggaer_payments"
SUPPLIERS_OUT: Final = "syspro_to_jaggaer_suppliers"
FLOWS: Final = (
    Flow(
        "jaggaer_syspro_suppliers",
        "suppliers both ways",
        {
            "jaggaer_to_syspro_suppliers": "suppliers JAGGAER → SYSPRO",
            SUPPLIERS_OUT: "suppliers SYSPRO → JAGGAER",
        },
    ),
    Flow(
        "syspro_to_jaggaer_ledger",
        "GL codes into JAGGAER",
        {
            "syspro_to_jaggaer_accounts": "GL accounts SYSPRO → JAGGAER",
            "syspro_to_jaggaer_cost_centers": "cost centers SYSPRO → JAGGAER",
        },
    ),
    Flow(
        "jaggaer_to_syspro_orders", "purchase orders", {"jaggaer_to_syspro_orders": "purchase orders JAGGAER → SYSPRO"}
    ),
    Flow(MATCHING, "matching of invoices with orders", {}),
    Flow(INVOICES, "invoices", {INVOICES: "invoices JAGGAER → SYSPRO"}),
    Flow(PAYMENTS, "payment status", {PAYMENTS: "payments SYSPRO → JAGGAER"}),
    Flow("syspro_jaggaer_reconciliation", "reconciliation", {}),
)
"""In the order their schedules keep: master data before documents."""


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """Where a route's documents stand: counts by state; ``waiting`` holds cause, count and a sample of its words."""

    name: str
    title: str
    counts: Mapping[str, int]
    waiting: Sequence[tuple[str, int, str]]


def read_routes(flows: Sequence[Flow]) -> list[RouteFacts]:
    """Read the counts and causes of every route of these flows from the store. Only after ``home.enter()``."""
    from airflow_provider_mlconnector.hooks.runtime import open_runtime

    found = []
    with open_runtime() as runtime, runtime.store.unit_of_work(Actor(user="demo")) as uow:
        for flow in flows:
            for name, title in flow.routes.items():
                counts = Counter[str]()
                for row in uow.documents.count_states(name):
                    counts[str(row.state)] += row.count
                causes = Counter[str]()
                samples: dict[str, str] = {}
                for code, _subject, sample, count in uow.documents.reasons(name, STUCK):
                    causes[code] += count
                    samples.setdefault(code, sample)
                waiting = [(code, count, samples[code]) for code, count in causes.most_common()]
                found.append(RouteFacts(name, title, dict(counts), waiting))
    return found


def read_reconciliation(page: Path) -> Mapping[str, Any]:
    """Return the newest reconciliation's summary, and write its page to ``page``. Only after ``home.enter()``."""
    from airflow_provider_mlconnector.hooks.runtime import open_runtime
    from airflow_provider_mlconnector.sync.kept_reports import kept_report

    with open_runtime() as runtime, runtime.store.unit_of_work(Actor(user="demo")) as uow:
        report = kept_report(uow, "")
    if report is None:
        return {}
    page.write_text(report.html, encoding="utf-8", newline="")
    return report.summary


def read_matching(home: Home) -> Mapping[str, int]:
    """Return what the matching's newest run counted: invoices by how they match their orders, from Airflow's XCom."""
    newest = "SELECT value FROM xcom WHERE dag_id = ? AND task_id = 'match' AND key = 'return_value'"
    with closing(sqlite3.connect(home.airflow / "airflow.db")) as database:
        row = database.execute(f"{newest} ORDER BY timestamp DESC LIMIT 1", (MATCHING,)).fetchone()
    found = json.loads(row[0]) if row else {}
    # a value that came by Airflow's own API is JSON within JSON
    counts: dict[str, int] = (json.loads(found) if isinstance(found, str) else found).get("counts", {})
    return counts


def prove_pair(
    routes: Sequence[RouteFacts],
    runs: Mapping[str, DagRun],
    reconciled: Mapping[str, Any],
    matched: Mapping[str, int],
    *,
    syspro: Ledger,
    jaggaer: Ledger,
) -> list[Proof]:
    """Return the proofs of the flows around the invoices.

    Args:
        routes: What the store says.
        runs: The DAG runs.
        reconciled: Summary of the reconciliation.
        matched: From :func:`read_matching`.
        syspro: SYSPRO's own books after the run.
        jaggaer: JAGGAER's.
    """
    by_name = {route.name: route for route in routes}
    return [
        only_reports_are_red(runs),
        invoices_were_matched(matched),
        orders_stand_once(by_name[ORDERS], syspro, jaggaer),
        suppliers_agree(syspro, jaggaer),
        payment_data_is_syspros(by_name[SUPPLIERS_OUT], syspro, jaggaer),
        receipts_are_cleared(syspro),
        payments_are_told(by_name[PAYMENTS], syspro, jaggaer),
        differences_are_explained(reconciled),
    ]


def only_reports_are_red(runs: Mapping[str, DagRun]) -> Proof:
    """Check that no task of any DAG failed but the reports, which name what waits for a person."""
    differences = [
        f"task {row['task_id']} of {dag_id} is {row['state']}"
        for dag_id, run in runs.items()
        for row in run.tasks
        if row["state"] != "success" and not row["task_id"].endswith(LEAF)
    ]
    tasks = sum(len(run.tasks) for run in runs.values())
    return Proof(f"All {len(runs)} DAGs went through", f"{tasks} tasks, only reports may be red", tuple(differences))


def invoices_were_matched(matched: Mapping[str, int]) -> Proof:
    """Check that the matching compared what was due, and read all of it but what is no sound invoice."""
    told = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in sorted(matched.items()))
    problems = () if sum(matched.values()) else ("nothing was compared",)
    return Proof("What was due was matched with its orders first", told, problems)


def differences_are_explained(reconciled: Mapping[str, Any]) -> Proof:
    """Check that the reconciliation compared something, and that the audit knows why where the sides differ."""
    areas = reconciled.get("areas", {})
    agree, differ = (sum(counts[what] for counts in areas.values()) for what in ("agree", "differences"))
    unexplained = reconciled.get("unexplained", 0)
    problems = [f"{unexplained} differences nobody can explain: see the page"] if unexplained else []
    if not agree:
        problems.append("nothing was compared")
    evidence = f"{agree} agree, {differ} differ, each with its reason"
    return Proof("Both systems are equal, or the audit knows why not", evidence, tuple(problems))


def orders_stand_once(orders: RouteFacts, syspro: Ledger, jaggaer: Ledger) -> Proof:
    """Compare every order of JAGGAER that SYSPRO has from us: one each, the same quantities at the same prices."""
    wanted = {row["number"]: row for row in jaggaer["purchase_orders"]}
    there = Counter(row["customer_po"].partition("/")[0] for row in syspro["purchase_orders"] if row["customer_po"])
    differences = [f"order {number} stands {count} times in SYSPRO" for number, count in there.items() if count > 1]
    compared = 0
    for row in syspro["purchase_orders"]:
        order = wanted.get(row["customer_po"].partition("/")[0])
        if order is None or row["status"] == "*":
            continue
        compared += 1
        ours = _worth((line["qty"], line["price"]) for line in row["lines"] if line["stock_code"])
        theirs = _worth((line["quantity"], line["price"]) for line in order["lines"] if line["status"] != "Cancelled")
        if ours != theirs:
            differences.append(f"order {order['number']}: {amount(ours)} in SYSPRO, {amount(theirs)} in JAGGAER")
    posted = sum(orders.counts.get(str(state), 0) for state in IN_TARGET)
    evidence = f"{compared} orders compared line for line in value, {posted} revisions written"
    if posted and not compared:
        differences.append("the store wrote orders, and SYSPRO shows none")
    return Proof("Every order stands in SYSPRO once, as JAGGAER approved it", evidence, tuple(differences))


def _worth(lines: Any) -> Decimal:  # noqa: ANN401 - pairs of texts
    return sum((Decimal(quantity) * Decimal(price) for quantity, price in lines), Decimal(0)).normalize()


def suppliers_agree(syspro: Ledger, jaggaer: Ledger) -> Proof:
    """Compare the names and tax ids of every supplier both sides know under one number."""
    ours = {plain_key(row["supplier"]): row for row in syspro["suppliers"]}
    differences = []
    compared = 0
    for row in jaggaer["suppliers"]:
        profile = row["profile"]
        there = ours.get(plain_key(row["number"])) if row["number"] else None
        if there is None or profile.get("type") != "SELLER":
            continue
        compared += 1
        for field, value in (("SupplierName", profile.get("companyName", "")), ("TaxRegnNum", _tax_id(profile))):
            if there[field] and value and there[field] != value:
                differences.append(f"{row['number']} {field}: {there[field]!r} in SYSPRO, {value!r} in JAGGAER")
    evidence = f"{compared} suppliers known to both under one number agree in name and tax id"
    return Proof("Suppliers are the same on both sides", evidence, tuple(differences))


def _tax_id(profile: Row) -> str:
    return str(profile.get("euVat") or profile.get("fiscalCode") or "")


def payment_data_is_syspros(out: RouteFacts, syspro: Ledger, jaggaer: Ledger) -> Proof:
    """Compare the account each supplier is paid to: SYSPRO's word, which JAGGAER takes by its XML router alone."""
    ours = {plain_key(row["supplier"]): row for row in syspro["suppliers"] if not row["deleted"]}
    differences, agree, untold = [], 0, []
    for row in jaggaer["suppliers"]:
        there = ours.get(plain_key(row["number"])) if row["number"] else None
        if there is None or not there["BankAccount"]:
            continue
        accounts = [part["AccountId"] for part in row["parts"].get("AccountsPayableList", {}).values()]
        if not accounts:
            untold.append(row["number"])
        elif accounts == [there["BankAccount"]]:
            agree += 1
        else:
            differences.append(f"{row['number']} is paid to another account in JAGGAER than in SYSPRO")
    waiting = sum(count for _code, count, _sample in out.waiting)
    if len(untold) > waiting or not agree:
        differences.append(f"JAGGAER knows no account of {', '.join(untold) or 'any supplier'}, and {waiting} wait")
    evidence = f"{agree} accounts agree, {len(untold)} not told because their supplier waits"
    return Proof("Suppliers are paid where SYSPRO says", evidence, tuple(differences))


def receipts_are_cleared(syspro: Ledger) -> Proof:
    """Compare what receipts accrued and no invoice has cleared with the balance of the suspense account.

    A receipt in foreign currency may leave a cent: it and its invoice are each converted and rounded by SYSPRO.
    """
    suspense = syspro["grn_suspense"]
    balance, open_value = Decimal(suspense["gl_balance"]), Decimal(suspense["not_invoiced"])
    foreign = sum(1 for row in syspro["receipts"] if row["currency"] != LOCAL and Decimal(row["matched_qty"]))
    evidence = (
        f"{amount(open_value)} received and not invoiced yet, {amount(-balance)} in the suspense account; "
        f"{foreign} receipts cleared in foreign currency, a cent of rounding each"
    )
    same = abs(open_value + balance) <= CENT * foreign
    return Proof("One cost, one booking", evidence, () if same else (f"balance {balance}, not invoiced {open_value}",))


def payments_are_told(payments: RouteFacts, syspro: Ledger, jaggaer: Ledger) -> Proof:
    """Check that JAGGAER was told of each payment of an invoice it knows, once."""
    told = Counter((row["invoice_id"], row["number"]) for row in jaggaer["payments"])
    differences = [f"payment {key} told {count} times" for key, count in told.items() if count > 1]
    sent = payments.counts.get(str(State.POSTED), 0)
    if sent != len(jaggaer["payments"]):
        differences.append(f"the store told {sent} payments, JAGGAER has {len(jaggaer['payments'])}")
    evidence = f"{len(syspro['payments'])} payments in SYSPRO, {sent} of them told to JAGGAER"
    return Proof("JAGGAER knows what was paid", evidence, tuple(differences))
