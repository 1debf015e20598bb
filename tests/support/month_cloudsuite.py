"""A month at Infor CloudSuite and JAGGAER: orders and codes into JAGGAER, suppliers and invoices both ways."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from support import month_cloudsuite_books as books_of
from support import month_cloudsuite_buying as buying
from support import month_cloudsuite_masters as masters
from support import month_cloudsuite_vouchers as vouchers
from support import month_masters
from support.airflow_home import Deployment
from support.month_cloudsuite_fixing import CloudSuiteDesk
from support.month_office import START, TIMEOUT, Office, Plan
from support.month_pair import Books, Proof, proof
from support.month_run import Month

from airflow_provider_mlconnector.store.records import DocumentRecord

SUPPLIERS, LEDGER, ORDERS, INVOICES = (
    "cloudsuite_jaggaer_suppliers",
    "cloudsuite_to_jaggaer_ledger",
    "cloudsuite_to_jaggaer_orders",
    "cloudsuite_jaggaer_invoices",
)
HOURS_OF_DAY = (6, 12, 17)
SITE = {
    "configuration": "ACME_TST_MAIN",
    "domestic_currency": "USD",
    "tax_account": "23000",
    "remote_timeout": TIMEOUT,
}
PER_MINUTE = 3000
"""What the simulated gateway takes; at the default pace simulated time would outrun what is still under way."""
POSTING_MINUTES = 0.5
"""How often CSI's background posting runs: often enough to take a half voucher while it is being written."""


class CloudSuitePair:
    """Implements ``month_pair.Pair``."""

    system = "cloudsuite"
    cycle = (SUPPLIERS, LEDGER, ORDERS, INVOICES)
    reconciliation = "cloudsuite_jaggaer_reconciliation"
    mapping = "jaggaer_to_cloudsuite.yaml"
    plan = Plan(suppliers=200, orders=800, invoices=2000)

    def options(self, plan: Plan) -> Mapping[str, Any]:
        """Return the options of the sandbox a month begins with: a twentieth of its orders and vouchers is there."""
        further, unlinked = plan.further_suppliers, plan.unlinked_suppliers
        site = {
            "vendors": further,
            "purchase_orders": plan.orders // 20,
            "vouchers": plan.invoices // 20,
            "mix": "good",
            "post_every_minutes": POSTING_MINUTES,
            "check_periods": True,
        }
        return {
            "jaggaer": {"suppliers": further, "suppliers_unlinked": unlinked},
            "cloudsuite": {"csi": site},
        }

    def connect(self, deployment: Deployment) -> None:
        """Define the connections of both systems."""
        sandbox = deployment.sandbox
        router = sandbox.app.jaggaer.router()
        identity = {"router_identity": router["identity"], "router_secret": router["shared_secret"]}
        deployment.connect("jaggaer", extra={"router_url": sandbox.url, **identity})
        ionapi = json.dumps(sandbox.app.cloudsuite.ionapi(sandbox.url))
        more = {"options": SITE, "requests_per_minute": PER_MINUTE}
        deployment.connect("cloudsuite", password=ionapi, extra=more)

    def day(self, month: Month, day: int) -> None:
        """Morning: buyers and accountants; noon: the dock and both sides' clerks; afternoon: invoices, payments."""
        office, hours, midnight = month.office, month.hours, START.replace(hour=0) + timedelta(days=day)
        hours.until(midnight + timedelta(hours=HOURS_OF_DAY[0]))
        masters.keep_ledger(office, day)
        month_masters.edit_in_jaggaer(office, day)
        buying.change_orders(office, day, office.ask("ledger")["cloudsuite"]["purchase_orders"])
        buying.enter_orders(office, day)
        for dag in (SUPPLIERS, LEDGER, ORDERS):
            month.run(dag)
        hours.until(midnight + timedelta(hours=HOURS_OF_DAY[1]))
        books = office.ask("ledger")
        buying.receive(office, day, books["cloudsuite"]["purchase_orders"])
        masters.edit_in_csi(office, day)
        vouchers.enter(office, day, books["cloudsuite"]["purchase_orders"])
        vouchers.bill(office, day, books)
        vouchers.approve_imported(office, day, books["jaggaer"]["imported_invoices"])
        month.run(ORDERS)
        hours.until(midnight + timedelta(hours=HOURS_OF_DAY[2]))
        month.run(SUPPLIERS)
        month.run(INVOICES)
        vouchers.pay(office, day, books)

    def desk(self, office: Office, mapping: Path) -> CloudSuiteDesk:
        """Return the people who act on what is stuck."""
        return CloudSuiteDesk(office, mapping)

    def explained(self, office: Office, document: DocumentRecord) -> bool:
        """Nothing may stay where it is."""
        return False

    def writes(self, books: Books) -> Counter[str]:
        """Return how many writes each system was asked for, refused ones included, by call."""
        found = Counter(f"CSI {row['kind']} {row['operation']}" for row in books["cloudsuite"]["attempts"])
        found.update(f"JAGGAER {row['call']}" for row in books["jaggaer"]["write_attempts"])
        return found

    def proofs(self, month: Month, books: Books, truth: Mapping[str, Any]) -> list[Proof]:
        """Compare both systems' books with each other and with what people know."""
        csi, jaggaer, diary = books["cloudsuite"], books["jaggaer"], month.office.diary
        mapping = month.mapping.read_text(encoding="utf-8")
        posted = [row for row in csi["vouchers"] if row["state"] == "posted"]
        return [
            proof(
                "every invoice and credit memo stands in both, once and to the cent",
                f"{len(truth)} in JAGGAER, {len(csi['vouchers'])} in CSI",
                books_of.invoice_differences(truth, csi, diary),
            ),
            proof(
                "every invoice of known lines is booked to their accounts and unit codes",
                f"{len(diary.coded)} invoices",
                books_of.coding_differences(truth, csi, diary),
            ),
            proof(
                "every order stands in both, line by line",
                f"{len(csi['purchase_orders'])} orders",
                books_of.order_differences(jaggaer["purchase_orders"], csi),
            ),
            proof(
                "every supplier is the same in both",
                f"{len(csi['suppliers'])} suppliers",
                books_of.supplier_differences(jaggaer["suppliers"], csi),
            ),
            proof(
                "JAGGAER offers the accounts and cost centers that are open, and no other",
                f"{len(jaggaer['code_lists'])} codes",
                books_of.code_differences(jaggaer["code_lists"], csi, mapping, month.hours.now().date()),
            ),
            proof(
                "no voucher was ever half written where posting could take it, and the ledger balances",
                f"{len(posted)} posted vouchers, {csi['gl_totals']['count']} ledger lines",
                books_of.ledger_problems(csi),
            ),
            proof(
                "no write took effect twice", f"{self.writes(books).total()} writes", books_of.repeated_writes(books)
            ),
        ]
