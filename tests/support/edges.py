"""A deployment with every route of the pair that invoices depend on, and the people at both systems."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from support.flow import MAPPING, Flow
from support.mishaps import coding, line, on

from airflow_provider_mlconnector.store.records import Actor, DocumentRecord
from airflow_provider_mlconnector.sync.route import MappingSource

AP_CONTROL = "00-2100"


class Office:
    """Invoices, orders and suppliers of one deployment; every route is run by name.

    What JAGGAER shows gets the simulated present as change stamp, and the clock moves on: a list shows what was changed
    before it was asked for.
    """

    def __init__(self, deployment: Flow, folder: Path, *, mapped: dict[str, str] | None = None) -> None:
        text = MAPPING.read_text()
        for old, new in (mapped or {}).items():
            assert old in text, old
            text = text.replace(old, new)
        self.invoices = deployment
        self.invoices.mapping = folder / "mapping.yaml"
        self.invoices.mapping.write_text(text)
        self.orders = self._route("orders", "purchase_order")
        self.suppliers = self._route("suppliers_in", "supplier", opposite="suppliers_out")
        self.back = self.into_jaggaer("suppliers_out", "supplier", opposite="suppliers_in")

    def _route(self, name: str, document: str, **changes: Any) -> Flow:
        update = {"name": name, "document": document, **changes}
        return self.invoices.for_route(self.invoices.route.model_copy(update=update))

    def into_jaggaer(self, name: str, document: str, **changes: Any) -> Flow:
        """Return a route from SYSPRO to JAGGAER."""
        back = {"source": "syspro", "target": "jaggaer", "mapping": MappingSource(reverse=True)}
        return self._route(name, document, **back, **changes)

    def option(self, route: Flow, **options: Any) -> Flow:
        """Return a route with other options for its target."""
        return route.for_route(route.route.model_copy(update={"options": options}))

    def jaggaer(self, kind: str, **body: Any) -> dict[str, Any]:
        """Let a person do something in JAGGAER."""
        done: dict[str, Any] = dict(self.invoices.sandbox.app.jaggaer.add(kind, body))
        self.invoices.sandbox.app.clock.advance(2)
        return done

    def syspro(self, kind: str, **body: Any) -> dict[str, Any]:
        """Let a person do something in SYSPRO."""
        return dict(self.invoices.sandbox.app.syspro.add(kind, body))

    def bill(
        self,
        number: str,
        *lines: dict[str, Any],
        supplier: object = "V00001",
        total: object = 100,
        currency: str = "USD",
        **header: Any,
    ) -> str:
        """Enter an approved invoice, by default of 100.00 USD on one line; return JAGGAER's key."""
        day = on(self.invoices.today - timedelta(days=1))
        base = {
            "supplierInvoiceNumber": number,
            "invoiceType": "Invoice",
            "workflowStatus": "Completed",
            "paymentStatus": "Payable",
            "matchStatus": "Do Not Match",
            "invoiceDate": day,
            "accountingDate": day,
            "dueDate": on(self.invoices.today + timedelta(days=27)),
            "businessUnit": "PLANT1",
            "supplier": supplier if isinstance(supplier, dict) else {"supplierNumber": supplier, "name": "Sable"},
            "terms": {"daysAfter": 30, "standardPaymentTermsCode": "NET30"},
            "total": {"currency": currency, "value": total},
        }
        body = {"header": base | header, "lineList": {"invoiceLine": list(lines) or [line()]}}
        return str(self.jaggaer("invoice", **body)["invoiceId"])

    def change(self, key: str, **header: Any) -> None:
        """Edit an invoice's header in JAGGAER; ``__`` stands for a dot."""
        paths = {f"header.{name.replace('__', '.')}": value for name, value in header.items()}
        self.jaggaer("invoice", id=int(key), set=paths)

    def header(self, key: str) -> dict[str, Any]:
        """Return what JAGGAER shows of an invoice."""
        return dict(self.invoices.sandbox.app.jaggaer.truth()[key])

    def document(self, key: str, route: Flow | None = None) -> DocumentRecord:
        """Return the newest revision of a document."""
        name = (route or self.invoices).route.name
        found = [one for one in self.invoices.documents() if (one.route, one.key) == (name, key)]
        return max(found, key=lambda one: one.revision)

    def run(self, key: str) -> DocumentRecord:
        """Run the invoices' route and return one of them."""
        self.invoices.all()
        self.invoices.clock.advance(60)
        return self.document(key)

    def exchange(self, cycles: int = 1) -> None:
        """Run both routes of suppliers."""
        for _ in range(cycles):
            for route in (self.suppliers, self.back):
                route.all()
                self.invoices.clock.advance(60)
                self.invoices.sandbox.app.clock.advance(60)

    def posting(self, number: str) -> dict[str, Any]:
        """Return the one AP posting under a number."""
        (found,) = [row for row in self.invoices.ledger()["ap_invoices"] if row["invoice"] == number]
        return dict(found)

    def booked(self, number: str) -> list[tuple[str, Decimal]]:
        """Return the distribution of an AP posting: GL code and value, in the supplier's currency."""
        return [(row["gl_code"], Decimal(row["value"])) for row in self.posting(number)["lines"]]

    def balance(self, code: str) -> Decimal:
        """Return a GL code's balance."""
        return Decimal(self.invoices.ledger()["gl_entries"]["balances"].get(code, "0"))

    def supplier(self, number: str) -> dict[str, Any]:
        """Return a supplier as SYSPRO holds it."""
        rows = self.invoices.ledger()["suppliers"]
        (found,) = [row for row in rows if row["supplier"] == number and not row["deleted"]]
        return dict(found)

    def attempts(self) -> Counter[str]:
        """Count writes that SYSPRO took, by business object."""
        rows = self.invoices.ledger()["write_attempts"]
        return Counter(row["bo"] for row in rows if row["outcome"] == "posted")

    def events(self, document: DocumentRecord) -> list[Any]:
        """Return a document's audit trail."""
        with self.invoices.store.unit_of_work(Actor(user="test")) as uow:
            return list(uow.events.of(document.id))


def thirds(account: str = "51200", centers: tuple[str, ...] = ("CC10", "CC20", "CC30")) -> dict[str, Any]:
    """Return the coding of a line split in three parts of 33.33, 33.33 and 33.34 percent."""
    shares = (33.33, 33.33, 33.34)
    parts = [coding(account, center, distributionValue=share) for center, share in zip(centers, shares, strict=True)]
    splits = [
        part["splittableFieldSetGroup"][0]["splittableFieldIndexSet"][0]["splittableFieldIndexList"][
            "splittableFieldIndex"
        ][0]
        for part in parts
    ]
    entry = {
        "context": "Line",
        "distributionType": "PercentOfPrice",
        "splittableFieldIndexList": {"splittableFieldIndex": splits},
    }
    return {"splittableFieldSetGroup": [{"splittableFieldIndexSet": [entry]}]}
