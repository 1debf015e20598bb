"""A month at SYSPRO and JAGGAER: orders and invoices into SYSPRO, its codes, terms and payments into JAGGAER."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from support import month_billing, month_books, month_buying, month_masters
from support.airflow_home import Deployment
from support.books import general_ledger_problems
from support.month_fixing import NEW_ACCOUNT, NEW_CENTER, SysproDesk
from support.month_office import START, Office, Plan
from support.month_pair import Books, Proof, proof
from support.month_run import Month

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.store.records import DocumentRecord

SUPPLIERS, LEDGER, ORDERS, INVOICES, PAYMENTS = (
    "jaggaer_syspro_suppliers",
    "syspro_to_jaggaer_ledger",
    "jaggaer_to_syspro_orders",
    "jaggaer_to_syspro_invoices",
    "syspro_to_jaggaer_payments",
)
HOURS_OF_DAY = (6, 12, 17)
SITE = {"gl_template": "{cost_center}-{account}", "cost_center_section": 1, "po_split": "largest"}
"""What a site with cost centers in its GL codes, and with orders over several of them, sets on its connection."""


class SysproPair:
    """Implements ``month_pair.Pair``."""

    system = "syspro"
    cycle = (SUPPLIERS, LEDGER, ORDERS, INVOICES, PAYMENTS)
    reconciliation = "syspro_jaggaer_reconciliation"
    mapping = "jaggaer_to_syspro.yaml"
    plan = Plan(suppliers=500, orders=2000, invoices=5000)

    def options(self, plan: Plan) -> Mapping[str, Any]:
        """Return the options of the sandbox a month begins with."""
        further, unlinked = plan.further_suppliers, plan.unlinked_suppliers
        return {
            "jaggaer": {"suppliers": further, "suppliers_unlinked": unlinked, "payments": True},
            "syspro": {"suppliers": further},
        }

    def connect(self, deployment: Deployment) -> None:
        """Define the connections of both systems."""
        router = deployment.sandbox.app.jaggaer.router()
        identity = {"router_identity": router["identity"], "router_secret": router["shared_secret"]}
        deployment.connect("jaggaer", extra={"router_url": deployment.sandbox.url, **identity})
        deployment.connect("syspro", extra={"options": SITE})

    def day(self, month: Month, day: int) -> None:
        """Morning: buyers and accountants; noon: the dock and suppliers' clerks; afternoon: invoices and payments."""
        office, hours, midnight = month.office, month.hours, START.replace(hour=0) + timedelta(days=day)
        hours.until(midnight + timedelta(hours=HOURS_OF_DAY[0]))
        books = office.ask("ledger")
        month_masters.keep_ledger(office, day, books["syspro"]["gl_journals"])
        month_masters.edit_in_jaggaer(office, day)
        received = month_buying.received_by_number(books["syspro"]["purchase_orders"])
        month_buying.change_orders(office, day, books["jaggaer"]["purchase_orders"], received)
        month_buying.approve_orders(office, day)
        for dag in (SUPPLIERS, LEDGER, ORDERS):
            month.run(dag)
        hours.until(midnight + timedelta(hours=HOURS_OF_DAY[1]))
        books = office.ask("ledger")["syspro"]
        suppliers = office.plan.shared_suppliers
        month_buying.receive(office, day, books["purchase_orders"])
        month_masters.edit_in_syspro(office, day)
        month_billing.type_by_hand(office, day, suppliers)
        month_billing.bill(office, day, suppliers, books["purchase_orders"])
        hours.until(midnight + timedelta(hours=HOURS_OF_DAY[2]))
        month.run(SUPPLIERS)
        month.run(INVOICES)
        month_billing.pay(office, day, books["ap_invoices"])
        month.run(PAYMENTS)

    def desk(self, office: Office, mapping: Path) -> SysproDesk:
        """Return the people who act on what is stuck."""
        return SysproDesk(office, mapping)

    def explained(self, office: Office, document: DocumentRecord) -> bool:
        """A payment of what a clerk typed into SYSPRO alone has no invoice to be reported on."""
        typed = document.document == "payment" and document.reason_code == "invoice_unknown"
        return typed and (document.supplier, document.number) in office.diary.by_hand

    def writes(self, books: Books) -> Counter[str]:
        """Return how many writes each system was asked for, refused ones included, by call."""
        found = Counter(f"SYSPRO {row['bo']} {row['type']}" for row in books["syspro"]["write_attempts"])
        found.update(f"JAGGAER {row['call']}" for row in books["jaggaer"]["write_attempts"])
        return found

    def proofs(self, month: Month, books: Books, truth: Mapping[str, Any]) -> list[Proof]:
        """Compare both systems' books with each other and with what people know."""
        syspro, jaggaer, diary = books["syspro"], books["jaggaer"], month.office.diary
        codes = month_books.code_differences(jaggaer["code_lists"], *_chart(month))
        wanted = month_books.expected_invoices(truth, diary)
        wrote = self.writes(books).total()
        return [
            proof(
                "every invoice and credit memo stands in both, once and to the cent",
                f"{wanted.total()} of {len(truth)}",
                month_books.invoice_differences(truth, syspro, diary),
            ),
            proof(
                "every order stands in both, line by line",
                f"{len(jaggaer['purchase_orders'])} orders",
                month_books.order_differences(jaggaer["purchase_orders"], syspro),
            ),
            proof(
                "every supplier is the same in both",
                f"{len(syspro['suppliers'])} suppliers",
                month_books.supplier_differences(jaggaer["suppliers"], syspro),
            ),
            proof(
                "every payment is told, once",
                f"{len(jaggaer['payments'])} payments",
                month_books.payment_differences(jaggaer["payments"], truth, syspro, diary),
            ),
            proof(
                "JAGGAER offers the accounts and cost centers that are open, and no other",
                f"{len(jaggaer['code_lists'])} codes",
                codes,
            ),
            proof(
                "what is received and not invoiced is all that is left in suspense",
                f"{len(syspro['receipts'])} receipts",
                month_books.received_differences(syspro),
            ),
            proof(
                "the general ledger mirrors accounts payable",
                f"{syspro['gl_entries']['count']} entries",
                _balanced(syspro) if syspro["receipts"] else general_ledger_problems(syspro),
            ),
            proof("no write took effect twice", f"{wrote} writes", month_books.repeated_writes(books)),
        ]


def _chart(month: Month) -> tuple[dict[str, bool], dict[str, bool]]:
    """Return the mapped accounts and cost centers by JAGGAER's code, and whether SYSPRO has them open."""
    text, closed = month.mapping.read_text(encoding="utf-8"), month.office.diary.closed
    accounts = {each.jaggaer_code: each.syspro_code for each in master.ACCOUNTS} | dict([NEW_ACCOUNT])
    centers = [*master.COST_CENTERS, NEW_CENTER[0]]
    open_ones = {code: ours not in closed for code, ours in accounts.items() if f'"{code}":' in text}
    return open_ones, {code: True for code in centers if f"    {code}:" in text}


def _balanced(syspro: Books) -> Iterator[str]:
    """Check debits against credits; receipts post journals of their own beside those of accounts payable."""
    rows = [(f"GL journal {row['journal']}", row) for row in syspro["gl_journals"]]
    rows.append(("the ledger", syspro["gl_entries"]))
    for name, row in rows:
        if Decimal(row["debit"]) != Decimal(row["credit"]):
            yield f"{name}: debit {row['debit']}, credit {row['credit']}"
