"""What a person does to invoices at a SYSPRO screen."""

from __future__ import annotations

from datetime import date, timedelta

from lxml import etree

from airflow_provider_mlconnector.sandbox.syspro import apstin, money
from airflow_provider_mlconnector.sandbox.syspro.apstin_check import Earlier, ItemCheck
from airflow_provider_mlconnector.sandbox.syspro.apstin_schema import Parameters
from airflow_provider_mlconnector.sandbox.syspro.clerk import Action, Body, Clerk
from airflow_provider_mlconnector.sandbox.syspro.records import RegisteredInvoice, Supplier

DEFAULT_LEDGER_CODE = "10-5120"
PARAMETERS = Parameters(ignore_warnings="Y", lines_local=False)


class InvoiceClerk(Clerk):
    """Types invoices and credits, registers and approves, purges."""

    def actions(self) -> dict[str, Action]:
        """Return what can be done, by name."""
        return {
            "ap_invoice": self._invoice,
            "ap_credit": self._credit,
            "registered_invoice": self._register,
            "approve_invoice": self._approve,
            "purge_invoice": self._purge,
        }

    def _invoice(self, body: Body) -> dict[str, object]:
        return self._transaction("I", body)

    def _credit(self, body: Body) -> dict[str, object]:
        return self._transaction("C", body)

    def _transaction(self, posting_type: str, body: Body) -> dict[str, object]:
        """Type in an AP transaction; ledger values are in the supplier's currency, one default line if none given."""
        period = self._books.periods.ap_period(body.get("posting_period", "C"))
        checker = ItemCheck(
            _item(posting_type, body), books=self._books, parameters=PARAMETERS, today=self._origin.at.date(),
            earlier=Earlier(),
        )  # fmt: skip
        draft = checker.draft(period)
        if draft is None:
            raise ValueError(checker.findings.reason())
        journal = self._books.new_ap_journal()
        posting = apstin.book(self._books, draft, period=period, journal=journal, entry=1, origin=self._origin)
        self._books.integrate(journal, self._origin)
        return {"supplier": posting.supplier, "invoice": posting.invoice, "journal": journal}

    def _register(self, body: Body) -> dict[str, object]:
        supplier = self._stored_supplier(body["supplier"])
        key = (supplier.key, str(body["invoice"]))
        if self._books.invoices_under(*key) or key in self._books.registered:
            msg = f"invoice {key[1]} of {key[0]} exists or is registered already"
            raise ValueError(msg)
        day = self._day(body, "invoice_date")
        due = money.iso_date(body["due_date"]) if "due_date" in body else self._due(supplier, day)
        self._books.register(
            RegisteredInvoice(
                *key, value=money.cents(str(body["value"])), invoice_date=day, due_date=due, branch=supplier.branch,
                reference=body.get("reference", ""), origin=self._origin,
            )
        )  # fmt: skip
        return {"supplier": key[0], "invoice": key[1]}

    def _due(self, supplier: Supplier, invoiced_on: date) -> date:
        return invoiced_on + timedelta(days=self._books.terms_days[supplier.terms])

    def _approve(self, body: Body) -> dict[str, object]:
        """Approve a registered invoice: the ledger lines are typed in now."""
        rows = self._books.registered.get((self._key(body["supplier"]), str(body["invoice"])), [])
        value = money.show(rows[0].value) if rows else "0"
        return self._transaction("P", {"value": value, **body})

    def _purge(self, body: Body) -> dict[str, object]:
        gone = self._stored_invoice(body)
        self._books.purge(gone.supplier, gone.invoice)
        return {"supplier": gone.supplier, "invoice": gone.invoice}


def _item(posting_type: str, body: Body) -> etree._Element:
    """Return the APSTIN item of what was typed in."""
    item = etree.Element("Item")
    fields = {
        "Supplier": body["supplier"], "TransactionCode": posting_type, "Branch": body.get("branch", ""),
        "Invoice": body["invoice"], "TransactionValue": body["value"],
        "TransactionReference": body.get("reference", ""), "InvoiceDate": body.get("invoice_date", ""),
        "DueDate": body.get("due_date", ""), "TaxCode": body.get("tax_code", ""),
        "TaxValue": body.get("tax_value", ""),
    }  # fmt: skip
    for name, value in fields.items():
        etree.SubElement(item, name).text = str(value)
    net = money.cents(str(body["value"])) - money.cents(str(body.get("tax_value") or 0))
    lines = body.get("lines") or [{"gl_code": DEFAULT_LEDGER_CODE, "value": money.show(net)}]
    for line in lines:
        element = etree.SubElement(item, "LedgerDistribution")
        etree.SubElement(element, "LedgerCode").text = line["gl_code"]
        etree.SubElement(element, "LedgerTaxCode").text = line.get("tax_code", "")
        etree.SubElement(element, "LedgerNotation").text = line.get("notation", "")
        etree.SubElement(element, "LedgerValue").text = str(line["value"])
    return item
