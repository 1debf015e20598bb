"""What SYSPRO has, for reconciliation: AP, suppliers, purchase orders, balances (reference/syspro.md §4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from airflow_provider_mlconnector.documents import reconciliation as kinds
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.reconciliation import (
    AccountBalance,
    Area,
    Booking,
    Figure,
    LedgerPeriod,
    Span,
)
from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.systems.syspro.base import SysproSystem
from airflow_provider_mlconnector.systems.syspro.comfnd import Condition, Query, Where, both, in_chunks, pages, read
from airflow_provider_mlconnector.systems.syspro.keys import CENT, day, normal, number
from airflow_provider_mlconnector.systems.syspro.lookup import CREDIT_TYPE
from airflow_provider_mlconnector.systems.syspro.options import ApGl
from airflow_provider_mlconnector.systems.syspro.order_lookup import SEPARATOR
from airflow_provider_mlconnector.systems.syspro.order_rows import CANCELED, COMPLETE
from airflow_provider_mlconnector.systems.syspro.plan import AP_CREDIT, AP_INVOICE, GL_JOURNAL
from airflow_provider_mlconnector.systems.syspro.reference import key_condition, read_calendar

INVOICES: Final = Query(
    "ApInvoice",
    ("Supplier", "Invoice", "InvoiceDate", "Reference", "OrigInvValue", "MthInvBal1", "PaymGrossValue", "Currency"),
)
CREDITS: Final = Query(
    "ApInvoicePay",
    (
        *("Supplier", "Invoice", "EntryNumber", "TrnType", "JournalDate", "PaymentReference"),
        *("TrnValue", "PostCurrency"),
    ),
)
SUPPLIERS: Final = Query("ApSupplier", ("Supplier", "SupplierName", "Currency", "TermsCode", "OnHold", "TaxRegnNum"))
ORDERS: Final = Query(
    "PorMasterHdr",
    ("PurchaseOrder", "OrderStatus", "Supplier", "CustomerPoNumber", "OrderEntryDate", "Currency"),
)
LINES: Final = Query("PorMasterDetail", ("PurchaseOrder", "Line", "MStockCode", "MOrderQty", "MPrice", "MForeignPrice"))
ACCOUNTS: Final = Query(
    "GenMaster", ("GlCode", "Description", "PtdDrValue", "PtdCrValue", "CurrentBalance", "PrevPerEndBal")
)
MOST_ROWS: Final = 2000
"""Rows of one answer: a span of days with more is cut in two, since COMFND does not page a table of two keys."""
WAITING: Final = frozenset({"held", "not_created"})
"""``gl_status`` of postings the ledger does not have yet."""
_STATUS: Final = {COMPLETE: "complete", CANCELED: "canceled"}
Row = Mapping[str, str]


class SysproFigures(SysproSystem):
    """One company as the ledger's side of a reconciliation; a :class:`~...ports.LedgerFigures`."""

    @contextmanager
    def session(self) -> Iterator[None]:
        """Log on for the comparison; the caller holds :attr:`operator_lease`."""
        with self.logged_on():
            yield

    # --- accounts payable ------------------------------------------------------------------------------------------

    def invoices(self, span: Span) -> Iterator[Figure]:
        """List AP invoices by invoice date, then credits by journal date: ``ApInvoicePay`` shows no other.

        A credit may be journaled long after its date, so the credits go on to the present day.
        """
        for row in self._by_day(INVOICES, "InvoiceDate", span.start, span.end):
            yield _invoice(row)
        credit, today = Condition("TrnType", "EQ", CREDIT_TYPE), self._client.remote_time().date()
        for row in self._by_day(CREDITS, "JournalDate", span.start, max(span.end, today), also=credit):
            yield _credit(row)

    def invoices_like(self, wanted: Sequence[Figure]) -> Iterator[Figure]:
        """Look invoices up by number, whatever their date; those of other suppliers come too and are told apart."""
        numbers = dict.fromkeys(figure.number for figure in wanted)
        conditions = [key_condition("Invoice", number_) for number_ in numbers]
        for rows in in_chunks(self._client, INVOICES, conditions):
            for row in rows:
                yield _invoice(row)

    def _by_day(
        self, query: Query, column: str, start: date, end: date, *, also: Condition | None = None
    ) -> Iterator[Row]:
        parts = [Condition(column, "GE", start.isoformat()), Condition(column, "LE", end.isoformat())]
        limit = MOST_ROWS if start < end else None
        where = both(*parts, also) if also is not None else both(*parts)
        rows = read(self._client, Query(query.table, query.columns, where, rows=limit))
        if limit is None or len(rows) < limit:
            yield from rows
            return
        middle = start + (end - start) // 2
        yield from self._by_day(query, column, start, middle, also=also)
        yield from self._by_day(query, column, middle + timedelta(days=1), end, also=also)

    # --- suppliers and orders --------------------------------------------------------------------------------------

    def suppliers(self) -> Iterator[Figure]:
        """List every supplier; one on hold is there all the same."""
        for rows in pages(self._client, SUPPLIERS, key="Supplier"):
            yield from (_supplier(row) for row in rows)

    def orders(self, span: Span) -> Iterator[Figure]:
        """List orders dated in the span with their lines; freight and other charges left out."""
        local = self._local_currency()
        dates = both(
            Condition("OrderEntryDate", "GE", span.start.isoformat()),
            Condition("OrderEntryDate", "LE", span.end.isoformat()),
        )
        for rows in pages(self._client, Query(ORDERS.table, ORDERS.columns, dates), key="PurchaseOrder"):
            lines: dict[str, list[Row]] = {row["PurchaseOrder"]: [] for row in rows}
            conditions = [Condition("PurchaseOrder", "EQ", key) for key in lines]
            for found in in_chunks(self._client, LINES, conditions):
                for line in found:
                    lines[line["PurchaseOrder"]].append(line)
            yield from (_order(row, lines[row["PurchaseOrder"]], local) for row in rows)

    def _local_currency(self) -> str:
        return self._client.profile().get("localcurrencycode", "")

    # --- ledger ----------------------------------------------------------------------------------------------------

    def balances(self, accounts: Sequence[str]) -> LedgerPeriod:
        """Return GL's current period with these accounts."""
        year, period = read_calendar(self._client, self._options)["gl"]
        company = Condition("Company", "EQ", self._options.company)
        wanted: list[Condition | Where] = [Condition("GlCode", "EQ", code) for code in dict.fromkeys(accounts)]
        rows = [row for found in in_chunks(self._client, ACCOUNTS, wanted, also=company) for row in found]
        return LedgerPeriod(
            year=year,
            number=period,
            currency=self._local_currency(),
            accounts=tuple(_account(row) for row in sorted(rows, key=lambda row: row["GlCode"])),
        )

    def bookings(self, step: str, payload: Mapping[str, Any], result: Mapping[str, Any]) -> Sequence[Booking]:
        """Return the expense side of a posting; the AP control account is SYSPRO's own to book (FINANCE §1)."""
        linked = self._options.ap_gl is ApGl.LINKED
        read_as = _BOOKINGS.get(step)
        if read_as is None or (step == GL_JOURNAL) is linked:
            return ()
        currency, lines = read_as(payload)
        year, period = (result.get(f"gl_{name}") or result.get(name) for name in ("year", "period"))
        booked = result.get("gl_status") not in WAITING
        return [Booking(code, amount, currency, year, period, booked) for code, amount in lines]


def _ap_lines(payload: Mapping[str, Any]) -> tuple[str, list[tuple[str, Decimal]]]:
    item = payload["item"]
    sign = -1 if item["transaction_code"] == CREDIT_TYPE else 1
    lines = [(line["code"], sign * Decimal(line["value"])) for line in item["distribution"]]
    # a foreign supplier's values stand in its own currency, which the item does not name
    return ("" if not payload["foreign"] else "foreign", lines)


def _journal_lines(payload: Mapping[str, Any]) -> tuple[str, list[tuple[str, Decimal]]]:
    lines = [(line["code"], Decimal(line["amount"])) for line in payload["journal"]["lines"]]
    return ("" if not payload["foreign"] else "foreign", lines)


_BOOKINGS: Final[Mapping[str, Callable[[Mapping[str, Any]], tuple[str, list[tuple[str, Decimal]]]]]] = {
    AP_INVOICE: _ap_lines,
    AP_CREDIT: _ap_lines,
    GL_JOURNAL: _journal_lines,
}


def _amount(row: Row, column: str) -> Decimal:
    value = number(row[column])
    if value is None:
        msg = f"SYSPRO shows {column} {row[column]!r}, which is no amount"
        raise ProtocolError(msg)
    return value


def _invoice(row: Row) -> Figure:
    return Figure(
        area=Area.INVOICES,
        kind=kinds.INVOICE,
        key=f"{row['Supplier']}|{row['Invoice']}",
        match=f"{comparable(row['Supplier'])}|{comparable(row['Invoice'])}|{kinds.INVOICE}",
        label=f"{normal(row['Supplier'])} {row['Invoice']}",
        number=row["Invoice"],
        currency=row["Currency"],
        amount=_amount(row, "OrigInvValue"),
        day=day(row["InvoiceDate"]),
        reference=row["Reference"],
        owed=_amount(row, "MthInvBal1"),
        paid=_amount(row, "PaymGrossValue"),
    )


def _credit(row: Row) -> Figure:
    """A credit stands under the number of the invoice it credits; only its reference tells whose it is."""
    entry = f"{row['Invoice']}#{row['EntryNumber'].strip()}"
    return Figure(
        area=Area.INVOICES,
        kind=kinds.CREDIT_MEMO,
        key=f"{row['Supplier']}|{entry}",
        match=f"{comparable(row['Supplier'])}|{entry}|{kinds.CREDIT_MEMO}",
        label=f"{normal(row['Supplier'])} credit against {row['Invoice']}",
        currency=row["PostCurrency"],
        amount=abs(_amount(row, "TrnValue")),
        booked=day(row["JournalDate"]),
        status=f"journaled {row['JournalDate']}",
        reference=row["PaymentReference"],
    )


def _supplier(row: Row) -> Figure:
    key, held = row["Supplier"], row["OnHold"].upper() == "Y"
    return Figure(
        area=Area.SUPPLIERS,
        kind=kinds.SUPPLIER,
        key=key,
        match=comparable(key),
        label=f"{normal(key)} {row['SupplierName']}",
        status="on hold" if held else "active",
        facts=(
            ("active", "no" if held else "yes"),
            ("name", row["SupplierName"]),
            ("terms", row["TermsCode"]),
            ("currency", row["Currency"]),
            ("tax id", row["TaxRegnNum"]),
        ),
    )


def _order(row: Row, lines: Sequence[Row], local: str) -> Figure:
    """``CustomerPoNumber`` begins with the source's number where we added the order (see ``order_lookup``)."""
    foreign = row["Currency"] not in {"", local}
    wanted = [line for line in lines if line["MStockCode"] and _amount(line, "MOrderQty")]
    price = "MForeignPrice" if foreign else "MPrice"
    values = [_amount(line, "MOrderQty") * _amount(line, price) for line in wanted]
    quantity = sum((_amount(line, "MOrderQty") for line in wanted), Decimal(0))
    theirs, _, ours = row["CustomerPoNumber"].partition(SEPARATOR)
    key = row["PurchaseOrder"]
    return Figure(
        area=Area.ORDERS,
        kind=kinds.ORDER,
        key=key,
        match=comparable(theirs if ours else key),
        label=f"{normal(key)} of {normal(row['Supplier'])}",
        currency=row["Currency"] or local,
        amount=sum((value.quantize(CENT, ROUND_HALF_UP) for value in values), Decimal(0)),
        day=day(row["OrderEntryDate"]),
        counted=row["OrderStatus"] not in _STATUS,
        status=_STATUS.get(row["OrderStatus"], f"status {row['OrderStatus']}"),
        reference=ours,
        facts=(("lines", str(len(wanted))), ("quantity", f"{quantity.normalize():f}")),
    )


def _account(row: Row) -> AccountBalance:
    return AccountBalance(
        code=row["GlCode"],
        description=row["Description"],
        debit=_amount(row, "PtdDrValue"),
        credit=_amount(row, "PtdCrValue"),
        balance=_amount(row, "CurrentBalance"),
        previous=_amount(row, "PrevPerEndBal"),
    )
