"""What a person does at a SYSPRO screen: typing documents in, changing master data and periods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from lxml import etree

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.syspro import apstin, money
from airflow_provider_mlconnector.sandbox.syspro.apstin_check import ItemCheck
from airflow_provider_mlconnector.sandbox.syspro.apstin_schema import Parameters
from airflow_provider_mlconnector.sandbox.syspro.books import BANK, Books
from airflow_provider_mlconnector.sandbox.syspro.records import (
    ApInvoice,
    ApTransaction,
    GlAccount,
    Line,
    Origin,
    RegisteredInvoice,
    Supplier,
)

Body = Mapping[str, Any]
OPERATOR = "PERSON"
DEFAULT_LEDGER_CODE = "10-5120"
PARAMETERS = Parameters(ignore_warnings="Y", lines_local=False)


class Person:
    """A clerk working on the books; every method returns what was stored, in short."""

    def __init__(self, books: Books, at: datetime) -> None:
        self._books = books
        self._origin = Origin(0, at, "person", OPERATOR)

    def do(self, kind: str, body: Body) -> dict[str, object]:
        """Do what ``kind`` names.

        Raises:
            ValueError: If the kind is unknown or SYSPRO would refuse it.
            KeyError: If the body lacks a needed part.
        """
        actions: dict[str, Callable[[Body], dict[str, object]]] = {
            "ap_invoice": self._invoice,
            "ap_credit": self._credit,
            "registered_invoice": self._register,
            "pay_invoice": self._pay,
            "purge_invoice": self._purge,
            "supplier": self._supplier,
            "gl_account": self._account,
            "period": self._period,
            "gl_integration_run": self._integrate,
            "gl_journal_post": self._post_journal,
        }
        if kind not in actions:
            msg = f"unknown kind {kind!r}; known: {', '.join(actions)}"
            raise ValueError(msg)
        return actions[kind](body)

    def _invoice(self, body: Body) -> dict[str, object]:
        return self._transaction("I", body)

    def _credit(self, body: Body) -> dict[str, object]:
        return self._transaction("C", body)

    def _transaction(self, posting_type: str, body: Body) -> dict[str, object]:
        """Type in an AP transaction; ledger values are in the supplier's currency, one default line if none given."""
        period = self._books.periods.ap_period(body.get("posting_period", "C"))
        checker = ItemCheck(
            _item(posting_type, body), books=self._books, parameters=PARAMETERS, today=self._origin.at.date(),
            earlier=frozenset(),
        )  # fmt: skip
        draft = checker.draft(period)
        if draft is None:
            raise ValueError(checker.findings.reason())
        journal = self._books.new_ap_journal()
        posting = apstin.book(self._books, draft, period=period, journal=journal, entry=1, origin=self._origin)
        self._books.integrate(journal, self._origin)
        return {"supplier": posting.supplier, "invoice": posting.invoice, "journal": journal}

    def _register(self, body: Body) -> dict[str, object]:
        key = (self._books.supplier_key(str(body["supplier"])), str(body["invoice"]))
        if self._books.invoices_under(*key) or key in self._books.registered:
            msg = f"invoice {key[1]} of {key[0]} exists or is registered already"
            raise ValueError(msg)
        self._books.registered[key] = RegisteredInvoice(
            *key, money.cents(str(body["value"])), self._day(body), body.get("reference", ""), self._origin
        )
        return {"supplier": key[0], "invoice": key[1]}

    def _day(self, body: Body) -> date:
        given = body.get("invoice_date")
        return money.iso_date(given) if given else self._origin.at.date()

    def _stored(self, body: Body) -> ApInvoice:
        key = (self._books.supplier_key(str(body["supplier"])), str(body["invoice"]))
        found = self._books.invoices_under(*key)
        if not found:
            msg = f"invoice {key[1]} of {key[0]} not found"
            raise ValueError(msg)
        return found[0]

    def _pay(self, body: Body) -> dict[str, object]:
        """Pay an invoice, its whole balance unless a value is given."""
        paid = self._stored(body)
        value = money.cents(str(body["value"])) if "value" in body else paid.balance
        local = money.to_local(value, paid.rate, paid.mul_div)
        year, month = self._books.periods.ap_current
        journal = self._books.new_ap_journal()
        payment = ApTransaction(
            supplier=paid.supplier, invoice=paid.invoice, type="P", value=value, tax_value=0, tax_local=0,
            tax_code="", currency=paid.currency, rate=paid.rate, mul_div=paid.mul_div,
            reference=body.get("reference", ""), notation="", year=year, month=month, journal=journal, entry=1,
            posted_on=self._origin.at.date(), lines=(Line(BANK, value, "", "payment", local),), origin=self._origin,
            sequence=0,
        )  # fmt: skip
        self._books.add_transaction(payment, -value)
        self._books.integrate(journal, self._origin)
        return {"supplier": paid.supplier, "invoice": paid.invoice, "balance": money.show(paid.balance)}

    def _purge(self, body: Body) -> dict[str, object]:
        gone = self._stored(body)
        self._books.purge(gone.supplier, gone.invoice)
        return {"supplier": gone.supplier, "invoice": gone.invoice}

    def _supplier(self, body: Body) -> dict[str, object]:
        """Change a supplier, or add it with the site's defaults."""
        if body.get("currency", master.LOCAL_CURRENCY) not in self._books.currencies:
            msg = f"currency {body['currency']!r} is not in the currency table"
            raise ValueError(msg)
        key = self._books.supplier_key(str(body["supplier"]))
        new = Supplier(key, key, master.LOCAL_CURRENCY, "10", "30", on_hold=False, grn_match_required=False)
        row = self._books.suppliers.setdefault(key, new)
        self._change(row, body, ("name", "currency", "branch", "terms", "on_hold", "grn_match_required", "tax_number"))
        return {"supplier": key}

    def _account(self, body: Body) -> dict[str, object]:
        """Change a ledger account, or add it."""
        code = body["gl_code"]
        row = self._books.accounts.setdefault(code, GlAccount(code, code, "E", on_hold=False, control=False))
        self._change(row, body, ("description", "type", "on_hold", "control"))
        return {"gl_code": code}

    def _change(self, row: Supplier | GlAccount, body: Body, names: tuple[str, ...]) -> None:
        for name in names:
            if name in body:
                setattr(row, name, body[name])
        row.version = self._books.next_version()

    def _period(self, body: Body) -> dict[str, object]:
        """Open or close a period of AP or GL, or make it the current one."""
        module, period = body["module"], (int(body["year"]), int(body["month"]))
        if module not in {"AP", "GL"}:
            msg = f"module must be AP or GL, not {module!r}"
            raise ValueError(msg)
        if body.get("current"):
            self._books.periods.set_current(module, period)
        if "open" in body:
            self._books.periods.set_state(module, period, is_open=bool(body["open"]))
        return {"module": module, "year": period[0], "month": period[1]}

    def _integrate(self, _body: Body) -> dict[str, object]:
        """Run the AP to GL integration for AP journals that have no GL journal yet."""
        outcomes = self._books.run_integration(self._origin)
        return {"journals": [outcome.journal.journal for outcome in outcomes if outcome.journal is not None]}

    def _post_journal(self, body: Body) -> dict[str, object]:
        """Authorize and post a GL journal that is on hold or was not posted."""
        journal = self._books.journal_numbered(int(body["journal"]))
        if journal is None:
            msg = f"GL journal {body['journal']} not found"
            raise ValueError(msg)
        self._books.post_held(journal)
        return {"journal": journal.journal, "status": journal.status}


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
