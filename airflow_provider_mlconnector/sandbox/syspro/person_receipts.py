"""What a person at the receiving dock types into SYSPRO."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from airflow_provider_mlconnector.sandbox.syspro import money
from airflow_provider_mlconnector.sandbox.syspro.clerk import Action, Body, Clerk
from airflow_provider_mlconnector.sandbox.syspro.ledger_rules import GRN_SUSPENSE, STOCK
from airflow_provider_mlconnector.sandbox.syspro.orders import shown
from airflow_provider_mlconnector.sandbox.syspro.receipts import Receipt
from airflow_provider_mlconnector.sandbox.syspro.records import GlEntry, GlJournal, Period
from airflow_provider_mlconnector.sandbox.syspro.records_po import STOCKED, Order, OrderLine
from airflow_provider_mlconnector.sandbox.syspro.sim_texts import JOURNAL_POSTED


class ReceiptClerk(Clerk):
    """Receives ordered goods, and takes receipts back."""

    def actions(self) -> dict[str, Action]:
        """Return what can be done, by name."""
        return {"receipt": self._receive, "receipt_reverse": self._reverse}

    def _order(self, body: Body) -> Order:
        order = self._books.orders.get(str(body["purchase_order"]))
        if order is None or order.cancelled:
            msg = f"purchase order {body['purchase_order']} not found, or cancelled"
            raise ValueError(msg)
        return order.copy()

    def _receive(self, body: Body) -> dict[str, object]:
        """Receive the quantities given by line, or all that is outstanding; each line is an entry of one note."""
        order, day = self._order(body), self._day(body, "date")
        period = self._open_period()
        wanted = {int(line["line"]): Decimal(str(line["qty"])) for line in body.get("lines", ())} or {
            line.number: line.quantity - line.received for line in order.merchandise if not line.complete
        }
        lines = [self._debit(order, number, quantity) for number, quantity in wanted.items()]
        if not lines:
            msg = f"nothing of purchase order {order.number} is left to receive"
            raise ValueError(msg)
        grn, journal = self._books.receipts.new_grn(), self._books.receipts.new_journal()
        rows = []
        for entry, (line, quantity, debit_code) in enumerate(lines, 1):
            line.received += quantity
            line.last_receipt = day
            foreign = money.rounded(quantity * line.price * 100)
            row = Receipt(
                supplier=order.supplier, grn=grn, journal=journal, entry=entry, purchase_order=order.number,
                line=line.number, stock_code=line.fields["StockCode"], debit_code=debit_code, period=period,
                received_on=day, quantity=quantity, value=money.to_local(foreign, order.rate, order.mul_div),
                foreign_value=foreign, currency=order.currency, rate=order.rate, mul_div=order.mul_div,
                delivery_note=str(body.get("delivery_note", "")), origin=self._origin,
            )  # fmt: skip
            self._books.receipts.add(row)
            rows.append(row)
        self._books.orders.put(order)
        self._accrue(rows, period)
        return {"grn": shown(grn), "journal": journal, "entries": [row.entry for row in rows], "status": order.status}

    def _open_period(self) -> Period:
        period = self._books.periods.gl_current
        if not self._books.periods.gl_is_open(period):
            msg = f"GL period {period} is closed"
            raise ValueError(msg)
        return period

    def _debit(self, order: Order, number: int, quantity: Decimal) -> tuple[OrderLine, Decimal, str]:
        """Return a line to receive and the account to debit: stock, or the line's own."""
        line = order.lines.get(number)
        if line is None or not line.is_merchandise or quantity <= 0:
            msg = f"purchase order {order.number} has no line {number} to receive {quantity} of"
            raise ValueError(msg)
        code = STOCK if line.kind == STOCKED else line.fields["LedgerCode"]
        if code not in self._books.accounts:
            msg = f"line {number} of purchase order {order.number} has no valid ledger code"
            raise ValueError(msg)
        return line, quantity, code

    def _accrue(self, rows: Sequence[Receipt], period: Period, direction: int = 1) -> None:
        """Book the receipts, or with ``direction`` -1 take them back."""
        if not self._books.options.receipts_accrue:
            return
        entries = []
        for row in rows:
            amount, order = direction * row.value, shown(row.purchase_order)
            entries += [GlEntry(row.debit_code, amount, order, ""), GlEntry(GRN_SUSPENSE, -amount, order, row.supplier)]
        self._books.add_journal(
            GlJournal(
                year=period[0], period=period[1], journal=self._books.new_gl_journal(), source="IN",
                reference=f"GRN {shown(rows[0].grn)}", notation="", journal_date=self._origin.at.date(),
                status=JOURNAL_POSTED, authorized=True, entries=tuple(entries), origin=self._origin,
            )
        )  # fmt: skip

    def _reverse(self, body: Body) -> dict[str, object]:
        """Take a whole note back, none of which may have been invoiced."""
        order = self._order(body)
        rows = [row for row in self._books.receipts.of_order(order.number) if shown(row.grn) == str(body["grn"])]
        if not rows or any(row.matched_quantity for row in rows):
            msg = f"receipt {body['grn']} of purchase order {order.number} not found, or invoiced"
            raise ValueError(msg)
        period = self._open_period()
        for row in rows:
            order.lines[row.line].received -= row.quantity
            self._books.receipts.take_back(row)
        self._books.orders.put(order)
        self._accrue(rows, period, -1)
        return {"grn": str(body["grn"]), "status": order.status}
