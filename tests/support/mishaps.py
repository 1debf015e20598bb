"""One good invoice beside a bad one: a tenant with both, and the scripts by which the bad one comes to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from support.flow import Flow

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import DocumentRecord
from airflow_provider_mlconnector.sync.job import our_reference

Changes = Mapping[str, Any]
GOOD, BAD = "GOOD-1", "BAD-1"
GROSS = Decimal("100.00")
AGE = timedelta(days=3)
"""How long ago both invoices are dated: on the first days of a month they belong to the month before."""
NUMBER, SUPPLIER = "header.supplierInvoiceNumber", "header.supplier.supplierNumber"
LINE = "lineList.invoiceLine.0"
CODING = f"{LINE}.splittableFieldSetGroupList"
ACCOUNT, CENTER = (
    f"{CODING}.splittableFieldSetGroup.0.splittableFieldIndexSet.0.splittableFieldIndexList.splittableFieldIndex.0"
    f".customFieldValueList.customFieldValue.{place}.value"
    for place in (0, 1)
)


def coding(account: object, center: object, **share: Any) -> dict[str, Any]:
    """The accounting codes of a line, with one split."""
    values = [{"internalName": "Account", "value": account}, {"internalName": "CostCenter", "value": center}]
    split = {"customFieldValueList": {"customFieldValue": values}, **share}
    entry = {"context": "Line", "splittableFieldIndexList": {"splittableFieldIndex": [split]}}
    return {"splittableFieldSetGroup": [{"splittableFieldIndexSet": [entry]}]}


def line(price: float = 100, account: str = "51300", center: str = "CC20", **more: Any) -> dict[str, Any]:
    """One line of quantity 1."""
    base = {"quantity": 1, "unitPrice": price, "item": {"description": "Drill bits"}}
    return {**base, "splittableFieldSetGroupList": coding(account, center), **more}


def stamp(minutes_ago: float) -> str:
    """A change stamp that lies inside the window of a run that starts now."""
    moment = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def on(day: date) -> str:
    """A day as JAGGAER writes it."""
    return f"{day.isoformat()}T00:00:00.000Z"


def today() -> date:
    """The machine's present day, on which a sandbox begins; ``Flow.today`` is the one it has come to."""
    return datetime.now(UTC).date()


@dataclass
class Desk:
    """A deployment whose tenant gets one good invoice of 100.00 USD and a bad one; scripts drive the runs."""

    flow: Flow
    folder: Path
    good: str = ""
    bad: str = ""

    def add_good(self) -> None:
        """Add the good invoice."""
        self.good = self.add(GOOD, "V00001", line(account="51200", center="CC10"))

    def add(self, number: str, supplier: str, *lines: dict[str, Any]) -> str:
        """Add a sound invoice of 100.00 USD and return its key."""
        header = {
            "supplierInvoiceNumber": number,
            "invoiceType": "Invoice",
            "lastUpdate": stamp(5),
            "workflowStatus": "Completed",
            "paymentStatus": "Payable",
            "matchStatus": "Do Not Match",
            "invoiceDate": on(self.flow.today - AGE),
            "accountingDate": on(self.flow.today - AGE),
            "dueDate": on(self.flow.today + timedelta(days=27)),
            "businessUnit": "PLANT1",
            "supplier": {"supplierNumber": supplier, "name": "Sable Logistics"},
            "terms": {"daysAfter": 30, "standardPaymentTermsCode": "NET30"},
            "total": {"currency": "USD", "value": float(GROSS)},
        }
        body = {"header": header, "lineList": {"invoiceLine": list(lines)}}
        return str(self.flow.sandbox.app.jaggaer.add("invoice", body)["invoiceId"])

    def add_bad(self, changes: Changes | None = None) -> None:
        """Add the bad invoice: like the good one, of another supplier and coding, with ``changes``."""
        self.bad = self.add(BAD, "V00002", line())
        self.change(changes or {}, minutes_ago=5)

    def add_both(self, changes: Changes | None = None) -> None:
        """Add the good invoice and the bad one: they travel together."""
        self.add_good()
        self.add_bad(changes)

    def change(self, changes: Changes, *, minutes_ago: float = 3) -> None:
        """Edit the bad invoice at the source."""
        changes = {"header.lastUpdate": stamp(minutes_ago), **changes}
        self.flow.sandbox.app.jaggaer.add("invoice", {"id": int(self.bad), "set": changes})

    def add_labeled(self, label: str) -> None:
        """Add the good invoice and let the sandbox make the bad one."""
        self.add_good()
        self.bad = str(self.flow.sandbox.app.jaggaer.add("invoice", {"label": label})["invoiceId"])
        self.change({}, minutes_ago=5)

    def number(self, key: str) -> str:
        """Return JAGGAER's own number of an invoice."""
        number: str = self.flow.sandbox.app.jaggaer.truth()[key]["invoice_number"]
        return number

    def add_credit(self, changes: Changes | None = None, *, of: str) -> None:
        """Add the bad document as a credit memo of 100.00 USD of the invoice that JAGGAER numbers ``of``."""
        credit = {"header.invoiceType": "Credit memo", "header.originalInvoiceNumber": of, NUMBER: "CREDIT-1"}
        self.add_bad({**credit, SUPPLIER: "V00001", **(changes or {})})

    def mapping(self, old: str, new: str) -> None:
        """Edit the mapping of this deployment."""
        text = self.flow.mapping.read_text()
        assert old in text
        self.flow.mapping = self.folder / "mapping.yaml"
        self.flow.mapping.write_text(text.replace(old, new))

    def type_in(self, kind: str = "ap_invoice", **changes: Any) -> None:
        """Let a person type the bad invoice into SYSPRO."""
        body = {"supplier": "V00002", "invoice": BAD, "value": str(GROSS), "reference": "by hand"}
        day = (self.flow.today - AGE).isoformat()
        self.person(kind, **(body | {"tax_code": "Z", "invoice_date": day} | changes))

    def person(self, kind: str, **body: Any) -> None:
        """Let a person do something in SYSPRO."""
        self.flow.sandbox.app.syspro.add(kind, body)

    def faults(self, *rules: dict[str, Any]) -> None:
        """Set the sandbox's faults."""
        self.flow.sandbox.app.faults.set(list(rules))

    def at(self, point: str, action: Callable[[], None]) -> None:
        """Do something the first time a task reaches a point of its work."""
        reached: list[str] = []

        def strike(now: str) -> None:
            if now == point and not reached:
                reached.append(now)
                action()

        self.flow.strike = strike

    def calm(self) -> None:
        """End everything a script has set in motion."""
        self.faults()
        self.flow.strike = lambda _point: None

    def revisions(self, key: str) -> list[DocumentRecord]:
        """Return every revision of a document."""
        return [document for document in self.flow.documents() if document.key == key]

    def postings_of(self, key: str) -> list[Mapping[str, Any]]:
        """Return what stands in AP under our reference to any revision of a document."""
        ledger, references = self.flow.ledger(), {our_reference(document) for document in self.revisions(key)}
        rows = (*ledger["ap_invoices"], *ledger["ap_transactions"])
        return [row for row in rows if row["reference"] in references]


Script = Callable[[Desk], None]


@dataclass(frozen=True)
class Case:
    """How a bad document comes to its end, and what must then be said of it.

    Attributes:
        state: Where it ends.
        code: Its reason code.
        words: What a person must be able to read in the reason.
        script: Adds the bad document and drives the runs.
        booked: How many postings the bad document has in AP by the connector's hand.
        site: Options of the sandbox and the flow.
    """

    state: State
    code: str
    words: str
    script: Script
    booked: int = 0
    site: Mapping[str, Any] = field(default_factory=dict)


def edited(changes: Changes) -> Script:
    """The bad invoice differs from a good one by ``changes``."""

    def script(desk: Desk) -> None:
        desk.add_both(changes)
        desk.flow.all()

    return script


def labeled(label: str) -> Script:
    """The bad invoice is one of the sandbox's own."""

    def script(desk: Desk) -> None:
        desk.add_labeled(label)
        desk.flow.all()

    return script


def prepared(action: Script, changes: Changes | None = None) -> Script:
    """Something is so at the site before the run begins."""

    def script(desk: Desk) -> None:
        desk.add_both(changes)
        action(desk)
        desk.flow.all()

    return script


def meanwhile(point: str, action: Script, changes: Changes | None = None) -> Script:
    """Something happens at the site while the run is at a point of its work."""

    def script(desk: Desk) -> None:
        desk.add_both(changes)
        desk.at(point, lambda: action(desk))
        desk.flow.all()

    return script
