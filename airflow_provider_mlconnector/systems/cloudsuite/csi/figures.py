"""What CSI has, for reconciliation: vouchers, vendors, purchase orders, ledger (reference/cloudsuite.md §4a, §5.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.reconciliation import (
    AccountBalance,
    Booking,
    Figure,
    LedgerPeriod,
    Span,
)
from airflow_provider_mlconnector.systems.cloudsuite.csi import filters, order_rows, values
from airflow_provider_mlconnector.systems.cloudsuite.csi.base import CsiSystem
from airflow_provider_mlconnector.systems.cloudsuite.csi.figure_rows import (
    CURRENCIES,
    amount_of,
    order_figure,
    supplier_figure,
    voucher_figure,
)
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import Query, Row
from airflow_provider_mlconnector.systems.cloudsuite.csi.ledger import CHART
from airflow_provider_mlconnector.systems.cloudsuite.csi.listing import CHANGED
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.cloudsuite.csi.orders import BATCH, KEY, read_orders
from airflow_provider_mlconnector.systems.cloudsuite.csi.reference import read_periods
from airflow_provider_mlconnector.systems.cloudsuite.csi.suppliers import VENDORS
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_book import POSTED, REGISTER, UNPOSTED
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_plan import RELEASE
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Gateway

_NEEDS: Final = ("VendNum", "Voucher", "InvNum", "InvDate", "InvAmt")
_SILENT: Final = (*CURRENCIES, CHANGED)
VOUCHERS: Final = (
    Query(UNPOSTED, _NEEDS, ("Ref", "BGPostingStat"), variants=_SILENT),
    Query(POSTED, _NEEDS, ("Ref", "AmtPaid", "AmtDisc"), variants=_SILENT),
    Query(REGISTER, _NEEDS, variants=("Ref", *_SILENT)),
)
"""Unposted first: a voucher that is posted meanwhile is seen twice rather than missed."""
LEDGER: Final = Query("SLLedgers", ("Acct", "TransDate", "DomAmount"))
"""Names from public clients; the reference knows the IDO alone."""
_A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Period:
    year: int
    number: int
    start: date
    end: date


class CsiFigures(CsiSystem):
    """One configuration as the ledger's side of a reconciliation; a :class:`~...ports.LedgerFigures`.

    Args:
        name: The Airflow connection's id.
        gateway: Speaks to the tenant.
        options: Connection's and route's choices.
    """

    def __init__(self, name: str, gateway: Gateway, options: CsiOptions) -> None:
        super().__init__(name, gateway, options)
        self._known_periods: list[_Period] | None = None

    @property
    def operator_lease(self) -> str:
        """Reading disturbs nobody."""
        return ""

    def session(self) -> AbstractContextManager[None]:
        """Nothing has to be opened."""
        return nullcontext()

    # --- accounts payable ------------------------------------------------------------------------------------------

    def invoices(self, span: Span) -> Iterator[Figure]:
        """List invoices and credit memos dated in the span: unposted, posted, or in the register alone."""
        yield from self._vouchers([_dated("InvDate", span)])

    def invoices_like(self, wanted: Sequence[Figure]) -> Iterator[Figure]:
        """Look invoices up by number in every written form; those of other vendors come too and are told apart."""
        conditions = [_numbered(number) for number in dict.fromkeys(figure.number for figure in wanted) if number]
        if conditions:
            yield from self._vouchers(conditions)

    def _vouchers(self, conditions: Sequence[str]) -> Iterator[Figure]:
        invoices = filters.one_of("Type", [filters.text(kind) for kind in self._options.invoice_types])
        currencies: dict[str, str] = {}
        seen: set[str] = set()
        for query in VOUCHERS:
            for where in filters.any_in_chunks(conditions, room=self._ido.room(query), also=invoices):
                for page in self._ido.pages(replace(query, where=where)):
                    self._add_currencies(page.rows, currencies)
                    for row in page.rows:
                        figure = voucher_figure(row, query.ido, currencies, self._zone)
                        if figure.key not in seen:
                            seen.add(figure.key)
                            yield figure

    def _add_currencies(self, rows: Sequence[Row], known: dict[str, str]) -> None:
        """Look up the currency of vendors whose vouchers do not show it: a voucher's is always its vendor's."""
        unknown = {row["VendNum"] or "" for row in rows if not any(row[name] for name in CURRENCIES)} - known.keys()
        if not unknown:
            return
        known |= dict.fromkeys(unknown, self._options.domestic_currency)
        query = Query(VENDORS.ido, ("VendNum", "CurrCode"))
        for row in self._ido.rows_in(query, "VendNum", [filters.text(key) for key in sorted(unknown)]):
            known[row["VendNum"] or ""] = values.unpad(row["CurrCode"]) or self._options.domestic_currency

    # --- vendors and orders ----------------------------------------------------------------------------------------

    def suppliers(self) -> Iterator[Figure]:
        """List every vendor; one inactive or on hold is there all the same."""
        for row in self._ido.rows(replace(VENDORS, order=("VendNum",))):
            yield supplier_figure(row, self._zone)

    def orders(self, span: Span) -> Iterator[Figure]:
        """List ordered and ended orders dated in the span with their lines; freight and other charges left out."""
        kept = filters.both(_dated("OrderDate", span), f"Stat <> {filters.text(order_rows.PLANNED)}")
        keys: list[str] = []
        for row in self._ido.rows(Query(order_rows.HEADS.ido, (KEY, "Type"), where=kept, order=(KEY,))):
            if values.unpad(row["Type"]) != order_rows.BLANKET:
                keys.append(row[KEY] or "")
            if len(keys) == BATCH:
                yield from self._orders(keys)
                keys = []
        if keys:
            yield from self._orders(keys)

    def _orders(self, keys: Sequence[str]) -> Iterator[Figure]:
        for head, lines in read_orders(self._ido, keys):
            yield order_figure(head, lines, self._options, self._zone)

    # --- ledger ----------------------------------------------------------------------------------------------------

    def balances(self, accounts: Sequence[str]) -> LedgerPeriod:
        """Return the period of today with these accounts, and what the ledger has on each in it.

        The service shows ledger entries and no balances, so ``balance`` is the period's movement and ``previous`` zero.
        """
        today = self._ido.remote_time(Query(CHART.ido, ("Acct",))).astimezone(self._zone).date()
        period = self._period_of(today)
        literals = [filters.text(code) for code in dict.fromkeys(accounts)]
        moved: dict[str, list[Decimal]] = {}
        query = replace(LEDGER, where=_dated("TransDate", Span(period.start, period.end)))
        for row in self._ido.rows_in(query, "Acct", literals):
            moved.setdefault(values.unpad(row["Acct"]), []).append(amount_of(row, "DomAmount") or Decimal(0))
        chart = self._ido.rows_in(replace(CHART, order=()), "Acct", literals)
        found = {values.unpad(row["Acct"]): values.unpad(row["Description"]) for row in chart}
        return LedgerPeriod(
            year=period.year,
            number=period.number,
            currency=self._options.domestic_currency,
            accounts=tuple(_account(code, found[code], moved.get(code, [])) for code in sorted(found)),
        )

    def bookings(self, step: str, payload: Mapping[str, Any], result: Mapping[str, Any]) -> Sequence[Booking]:
        """Return the expense side of a voucher, which its release puts into the ledger; AP's side is CSI's own."""
        if step != RELEASE:
            return ()
        dated = date.fromisoformat(payload["header"]["DistDate"])
        period, booked = self._period_of(dated), result.get("gl_status") == "booked"
        domestic = self._options.domestic_currency
        return [
            Booking(
                account=line["account"],
                amount=Decimal(line["amount"]),
                currency="" if line["currency"] == domestic else line["currency"],
                year=period.year,
                period=period.number,
                booked=booked,
            )
            for line in payload["lines"]
        ]

    def _period_of(self, day: date) -> _Period:
        """Return the period of a day; at sites that show none, the calendar month."""
        if self._known_periods is None:
            self._known_periods = [_period(row) for row in read_periods(self._ido) or ()]
        month = day.replace(day=1)
        last = (month + 31 * _A_DAY).replace(day=1) - _A_DAY
        known = (period for period in self._known_periods if period.start <= day <= period.end)
        return next(known, _Period(day.year, day.month, month, last))


def _dated(name: str, span: Span) -> str:
    first, behind = filters.day(span.start), filters.day(span.end + _A_DAY)
    return filters.both(filters.at_least(name, first), filters.below(name, behind))


def _numbered(number: str) -> str:
    """Find a number in every form it may have been typed in: digits with any zeros in front."""
    plain = comparable(number)
    if plain.isascii() and plain.isdigit():
        return f"InvNum LIKE {filters.text('%' + plain)}"
    return filters.one_of("InvNum", [filters.text(form) for form in dict.fromkeys((number, plain))])


def _period(row: Mapping[str, Any]) -> _Period:
    """Return a period; where a site names years or periods in words, those of its first day stand for them."""
    start, end = (date.fromisoformat(row[name]) for name in ("start", "end"))
    year, number = (values.to_whole(row[name]) for name in ("year", "number"))
    return _Period(year or start.year, number or start.month, start, end)


def _account(code: str, description: str, moved: Sequence[Decimal]) -> AccountBalance:
    debit = sum((amount for amount in moved if amount > 0), Decimal(0))
    credit = -sum((amount for amount in moved if amount < 0), Decimal(0))
    return AccountBalance(code, description, debit, credit, debit - credit, Decimal(0))
