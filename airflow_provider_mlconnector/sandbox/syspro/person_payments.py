"""What a person does to payments at a SYSPRO screen. Invoices are paid at the rate they were booked at."""

from __future__ import annotations

from airflow_provider_mlconnector.sandbox.syspro import money
from airflow_provider_mlconnector.sandbox.syspro.clerk import Action, Body, Clerk
from airflow_provider_mlconnector.sandbox.syspro.ledger_rules import BANK
from airflow_provider_mlconnector.sandbox.syspro.records import ApInvoice, ApTransaction, Line


class PaymentClerk(Clerk):
    """Pays invoices one by one or in runs, and takes payments back."""

    def actions(self) -> dict[str, Action]:
        """Return what can be done, by name."""
        return {"pay_invoice": self._pay, "payment_reverse": self._reverse, "payment_run": self._run}

    def _pay(self, body: Body) -> dict[str, object]:
        """Pay an invoice, its whole balance unless a value is given."""
        paid = self._stored_invoice(body)
        value = money.cents(str(body["value"])) if "value" in body else paid.balance
        journal = self._books.new_ap_journal()
        self._post(paid, value, journal=journal, entry=1, reference=str(body.get("reference", "")))
        self._books.integrate(journal, self._origin)
        return {"supplier": paid.supplier, "invoice": paid.invoice, "balance": money.show(paid.balance)}

    def _post(self, paid: ApInvoice, value: int, *, journal: int, entry: int, reference: str) -> None:
        year, month = self._books.periods.ap_current
        local = money.to_local(value, paid.rate, paid.mul_div)
        payment = ApTransaction(
            supplier=paid.supplier, invoice=paid.invoice, type="P", value=value, tax_value=0, tax_local=0,
            tax_code="", currency=paid.currency, rate=paid.rate, mul_div=paid.mul_div, reference=reference, notation="",
            year=year, month=month, journal=journal, entry=entry, posted_on=self._origin.at.date(),
            lines=(Line(BANK, value, "", "payment", local),), origin=self._origin, matches=(), sequence=0,
        )  # fmt: skip
        self._books.add_transaction(payment, -value)

    def _reverse(self, body: Body) -> dict[str, object]:
        """Take a payment back by a negative row: the last one, or the one whose EntryNumber is ``entry``."""
        paid = self._stored_invoice(body)
        standing = [
            row
            for row in self._books.transactions_under(paid.supplier, paid.invoice)
            if row.type == "P" and row.value > 0 and not row.reversed and body.get("entry") in {None, row.sequence}
        ]
        if not standing:
            msg = f"invoice {paid.invoice} of {paid.supplier} has no such payment"
            raise ValueError(msg)
        payment = standing[-1]
        payment.reversed = True
        journal = self._books.new_ap_journal()
        self._post(paid, -payment.value, journal=journal, entry=1, reference=payment.reference)
        self._books.integrate(journal, self._origin)
        return {"supplier": paid.supplier, "invoice": paid.invoice, "balance": money.show(paid.balance)}

    def _run(self, body: Body) -> dict[str, object]:
        """Pay every open invoice due by ``due_until`` (default today), of one ``supplier`` if given; none on hold.

        One AP journal; each supplier is paid under a reference of its own, ``reference`` and a number.
        """
        until = self._day(body, "due_until")
        only = self._key(body["supplier"]) if "supplier" in body else ""
        held = {key for key, row in self._books.suppliers.items() if row.on_hold}
        due = [
            row
            for row in self._books.invoices
            if row.balance > 0 and row.due_date <= until and row.supplier not in held and only in {"", row.supplier}
        ]
        references: dict[str, str] = {}
        journal = self._books.new_ap_journal() if due else 0
        for entry, row in enumerate(due, 1):
            reference = references.setdefault(row.supplier, f"{body.get('reference', 'RUN')}-{len(references) + 1:03d}")
            self._post(row, row.balance, journal=journal, entry=entry, reference=reference)
        if due:
            self._books.integrate(journal, self._origin)
        return {"journal": journal, "invoices": len(due), "references": references}
