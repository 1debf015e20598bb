"""The simulated CloudSuite with a JAGGAER tenant of its own, and the people at both."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final

from airflow_provider_mlconnector.demo.home import Home
from airflow_provider_mlconnector.demo.simulated import Simulated, sandbox_over

JAGGAER, CLOUDSUITE = "jaggaer_cloudsuite", "cloudsuite_default"
"""The connections. JAGGAER's is not the other pair's: an invoice belongs to one route only (FINANCE §4)."""
INVOICES, VOUCHERS, ORDERS = 36, 27, 28
"""Invoices JAGGAER holds at the start; vouchers and orders CSI holds, one of each kind the sandbox knows."""
PER_MINUTE: Final = 3000
"""Requests a minute the gateway lets through, the most that is published (reference/cloudsuite.md §3.2)."""
TYPED_IN: Final = frozenset({"plain", "multi_line", "split_percent", "split_thirds", "fractional_price"})
"""Kinds of the two invoices a clerk types into CSI by hand: sound ones, just of lines."""
UNPOSTED: Final = "more_parts"
"""Kind of the CSI voucher that somebody has entered in JAGGAER as well."""
Row = Mapping[str, Any]


class CloudSite(Simulated):
    """The simulated tenants of the pair."""

    def connections(self) -> dict[str, dict[str, Any]]:
        """Return both connections; CloudSuite's is the `.ionapi` file pasted whole, and what the file does not say."""
        found = self.ask("credentials")["cloudsuite"]["extra"]
        filled_in = {
            "configuration": found["configuration"],
            "requests_per_minute": PER_MINUTE,
            "allow_http": True,
            "options": {"domestic_currency": "USD"},
        }
        cloudsuite = {
            "conn_type": "mlconnector_cloudsuite",
            "port": 443,  # without one, Test of Airflow 3.3.1 and 3.3.2 refuses any connection (apache/airflow#73298)
            "password": json.dumps(found["ionapi"]),
            "extra": json.dumps(filled_in),
        }
        # the simulated tenants share a client id, by which the store would take them for one: so each has a label
        return {JAGGAER: self.connection("jaggaer", tenant=JAGGAER), CLOUDSUITE: cloudsuite}

    def vouchers(self) -> list[dict[str, Any]]:
        """Return CSI's vouchers of any state, as its own books have them."""
        found: list[dict[str, Any]] = self.ask("ledger")["cloudsuite"]["vouchers"]
        return found

    def type_in(self) -> list[str]:
        """Let people enter on both sides what the other side has already; return the numbers, the wrong one last."""
        truth = self.ask("truth")
        rows = [truth[key] for key in sorted(truth, key=int) if truth[key]["label"] in TYPED_IN][:2]
        number = self._enter_in_jaggaer()
        for row in rows:
            self._enter_in_csi(row, Decimal(row["gross"]) + (10 if row is rows[-1] else 0))
        return [number, *(str(row["number"]) for row in rows)]

    def post_vouchers(self) -> int:
        """Let CSI's background posting run; return how many vouchers it posted."""
        answer = self.ask("documents", {"system": "cloudsuite", "kind": "post_vouchers"})
        return len(answer["posted"])

    def approve(self) -> int:
        """Let JAGGAER's approvers pass what was imported: now those invoices look like any other; return how many."""
        waiting = [row for row in self.ask("ledger")["jaggaer"]["imported_invoices"] if row["workflow"] != "Completed"]
        passed = {"header.workflowStatus": "Completed", "header.paymentStatus": "Payable"}
        for row in waiting:
            self.ask("documents", {"system": "jaggaer", "kind": "invoice", "id": row["invoice_id"], "set": passed})
        return len(waiting)

    def _enter_in_csi(self, row: Row, value: Decimal) -> None:
        day = row["invoice_date"]
        voucher = {
            "vendor": row["supplier"],
            "invoice": row["number"],
            "invoice_date": day,
            "dist_date": day,
            "lines": [{"account": "51300", "unit": "CC20", "amount": str(value)}],
        }
        self.ask("documents", {"system": "cloudsuite", "kind": "voucher", **voucher})

    def _enter_in_jaggaer(self) -> str:
        """Enter a voucher of CSI in JAGGAER as an invoice not yet approved; return its number."""
        kinds = self.ask("truth?system=cloudsuite")["csi"]["vouchers"]
        voucher = next(row for row in self.vouchers() if kinds.get(str(row["Voucher"])) == UNPOSTED)
        amount = float(voucher["InvAmt"])
        line = {"invoiceLineNumber": "1", "description": "As on paper", "quantity": 1, "unitPrice": amount}
        header = {
            "supplierInvoiceNumber": voucher["InvNum"],
            "invoiceType": "Invoice",
            "workflowStatus": "Pending",
            "paymentStatus": "InProcess",
            "matchStatus": "Do Not Match",
            "invoiceDate": f"{voucher['InvDate']}T00:00:00Z",
            "businessUnit": "PLANT1",
            "supplier": {"supplierNumber": voucher["VendNum"].strip(), "name": "as on paper"},
            "total": {"currency": voucher["currency"], "value": amount},
        }
        invoice = {"header": header, "lineList": {"invoiceLine": [line]}}
        self.ask("documents", {"system": "jaggaer", "kind": "invoice", **invoice})
        return str(voucher["InvNum"])


@contextmanager
def running_tenants(home: Home, *, seed: int) -> Iterator[CloudSite]:
    """Run their sandbox over a journal of its own for the length of a ``with`` block.

    Raises:
        StepFailed: It does not start, for example because the home was made with another seed.
    """
    counts = {"seed": seed, "invoices": INVOICES, "ledger-orders": ORDERS, "ledger-vouchers": VOUCHERS}
    policy = json.dumps({"max_requests_per_period": PER_MINUTE})
    with sandbox_over(home, home.cloud_journal, counts, "--cloudsuite", policy) as url:
        yield CloudSite(url)
