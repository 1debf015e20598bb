"""Matching an invoice with its purchase orders, line by line: quantity, unit price, tax and freight.

Quantity and freight are cumulative over everything billed before: a partial bill is fine, billing more than was ordered
is not. Price and tax are compared both ways: the order's are the agreed ones, and a price far too low is as often a
mistaken unit as a price far too high.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from airflow_provider_mlconnector.documents.allocation import spread
from airflow_provider_mlconnector.documents.currency import EXACT, add, minor_unit
from airflow_provider_mlconnector.documents.invoice import ChargeKind, Invoice, InvoiceKind, InvoiceLine
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.model import Amount, Document
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, PurchaseOrder
from airflow_provider_mlconnector.documents.validation import CheckedInvoice

_HUNDRED = Decimal(100)
_ZERO = Decimal(0)
ORDER_MISSING, QUANTITY, PRICE, TAX, FREIGHT = (
    f"match_{what}" for what in ("order_missing", "quantity", "price", "tax", "freight")
)
"""Codes of what keeps an invoice from matching."""


class Tolerance(Document):
    """How far a figure may be off: both limits must hold; one that is None does not count.

    Attributes:
        percent: Of the ordered figure; of nothing ordered nothing is allowed.
        absolute: In the unit of the figure: order units for quantities, the invoice's currency for everything else.
    """

    percent: Amount | None = Field(default=None, ge=0)
    absolute: Amount | None = Field(default=None, ge=0)

    def allows(self, difference: Decimal, ordered: Decimal) -> bool:
        """Tell whether a difference from the ordered figure is within both limits."""
        size = abs(difference)
        share = None if self.percent is None else EXACT.divide(EXACT.multiply(abs(ordered), self.percent), _HUNDRED)
        return all(limit is None or size <= limit for limit in (share, self.absolute))

    @property
    def text(self) -> str:
        """The limits for people: ``1 %, at most 10``."""
        percent = "" if self.percent is None else f"{self.percent:f} %"
        most = "" if self.absolute is None else f"at most {self.absolute:f}"
        return ", ".join(filter(None, (percent, most))) or "any"


def _within(percent: int, absolute: int) -> Tolerance:
    return Tolerance(percent=Decimal(percent), absolute=Decimal(absolute))


class Tolerances(Document):
    """What a route lets pass. The defaults are careful: nothing more than ordered, prices and taxes but for rounding.

    Attributes:
        quantity: Billed beyond the ordered quantity, all invoices of the order line together.
        price: Between the unit prices, as the value it makes on the line.
        tax: Between the tax of the invoice and what its order lines' rates make of it.
        freight: Billed beyond the freight of the orders, all their invoices together.
    """

    quantity: Tolerance = _within(0, 0)
    price: Tolerance = _within(1, 10)
    tax: Tolerance = _within(1, 1)
    freight: Tolerance = _within(10, 25)


@dataclass(slots=True)
class Billed:
    """What other invoices have billed already, credit memos subtracted; orders by their number in compared form."""

    quantity: defaultdict[tuple[str, int], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    freight: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, checked: CheckedInvoice, orders: Mapping[str, PurchaseOrder]) -> None:
        """Count one invoice or credit memo in."""
        sign = -1 if checked.invoice.kind is InvoiceKind.CREDIT_MEMO else 1
        values: defaultdict[str, Decimal] = defaultdict(Decimal)
        for line in checked.invoice.lines:
            if not line.po_number:
                continue
            order = comparable(line.po_number)
            values[order] += line.amount
            ordered = ordered_line(line, orders.get(order))
            if ordered is not None:
                self.quantity[order, ordered.number] += sign * line.quantity
        if values:
            unit = minor_unit(checked.invoice.currency)
            shares = spread(freight_of(checked), list(values.values()), unit)
            for order, share in zip(values, shares, strict=True):
                self.freight[order] += sign * share


class MatchState(StrEnum):
    """How an invoice stands to its orders."""

    NO_ORDER = "no_order"
    """None of its lines bills one, or it is a credit memo."""
    MATCHED = "matched"
    OUT_OF_TOLERANCE = "out_of_tolerance"
    UNMATCHED = "unmatched"
    """An order, or a line of it, is not there."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not match: its code, the order concerned, and the figures in words."""

    code: str
    order: str
    text: str


@dataclass(frozen=True, slots=True)
class Match:
    """The result for one invoice.

    Attributes:
        problems: What does not match, the order missing first.
        notes: What does, in words, line by line.
        orders: Whether any line bills an order.
    """

    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    orders: bool = False

    @property
    def state(self) -> MatchState:
        """All of it in one word."""
        if not self.orders:
            return MatchState.NO_ORDER
        if any(problem.code == ORDER_MISSING for problem in self.problems):
            return MatchState.UNMATCHED
        return MatchState.OUT_OF_TOLERANCE if self.problems else MatchState.MATCHED


def ordered_line(line: InvoiceLine, order: PurchaseOrder | None) -> OrderLine | None:
    """Return the order line an invoice line bills; one that names none bills the only line of its order."""
    if order is None:
        return None
    if not line.po_line:
        return order.lines[0] if len(order.lines) == 1 else None
    if not (line.po_line.isascii() and line.po_line.isdigit()):
        return None
    return next((each for each in order.lines if each.number == int(line.po_line)), None)


def freight_of(checked: CheckedInvoice) -> Decimal:
    """Return all freight in an invoice's total, header and lines."""
    charges = (*checked.reading.charges, *(charge for line in checked.invoice.lines for charge in line.charges))
    return add(charge.amount for charge in charges if charge.kind is ChargeKind.FREIGHT)


def match_lines(
    checked: CheckedInvoice, orders: Mapping[str, PurchaseOrder], before: Billed, tolerances: Tolerances
) -> Match:
    """Compare an invoice with the orders it bills.

    Args:
        checked: A sound invoice. A credit memo takes back what was billed and is not compared.
        orders: The orders there are, by number in compared form (:func:`.keys.comparable`).
        before: What other invoices of these orders have billed.
        tolerances: What may differ.
    """
    billing = [line for line in checked.invoice.lines if line.po_number]
    if not billing or checked.invoice.kind is InvoiceKind.CREDIT_MEMO:
        return Match()
    return _Matching(checked, orders, before, tolerances).run(billing)


class _Matching:
    """One invoice at work."""

    def __init__(
        self,
        checked: CheckedInvoice,
        orders: Mapping[str, PurchaseOrder],
        before: Billed,
        tolerances: Tolerances,
    ) -> None:
        self._checked = checked
        self._invoice: Invoice = checked.invoice
        self._orders = orders
        self._before = before
        self._tolerances = tolerances
        self._problems: list[Problem] = []
        self._notes: list[str] = []

    def run(self, billing: list[InvoiceLine]) -> Match:
        pairs = list(self._pairs(billing))
        self._quantities(pairs)
        for line, ordered in pairs:
            self._price(line, ordered)
        if len(pairs) == len(billing):
            self._tax(pairs)
            self._freight(pairs)
        problems = sorted(self._problems, key=lambda problem: problem.code != ORDER_MISSING)
        return Match(tuple(problems), tuple(self._notes), orders=True)

    def _pairs(self, billing: list[InvoiceLine]) -> Iterator[tuple[InvoiceLine, OrderLine]]:
        for line in billing:
            order = self._orders.get(comparable(line.po_number))
            ordered = ordered_line(line, order)
            if ordered is not None:
                yield line, ordered
            elif order is None:
                self._problem(ORDER_MISSING, line, f"order {line.po_number} is not there yet")
            else:
                which = f"line {line.po_line}" if line.po_line else "single line"
                self._problem(ORDER_MISSING, line, f"order {line.po_number} has no {which}")

    def _quantities(self, pairs: list[tuple[InvoiceLine, OrderLine]]) -> None:
        """Compare what is billed of each order line, by all invoices together, with what was ordered."""
        now: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
        for line, ordered in pairs:
            place = (comparable(line.po_number), ordered.number)
            if line.unit and ordered.unit and line.unit.casefold() != ordered.unit.casefold():
                text = f"bills {line.quantity:f} {line.unit}, ordered were {ordered.quantity:f} {ordered.unit}"
                self._problem(QUANTITY, line, f"{text} (order {line.po_number} line {ordered.number})")
                continue
            now[place] += line.quantity
            earlier, limit = self._before.quantity[place], self._tolerances.quantity
            total = earlier + now[place]
            said = f"{total:f} of {ordered.quantity:f} {ordered.unit}".rstrip()
            said += f", {earlier:f} of them before" if earlier else ""
            where = f"order {line.po_number} line {ordered.number}"
            if total > ordered.quantity and not limit.allows(total - ordered.quantity, ordered.quantity):
                over = f"{total - ordered.quantity:f} more than ordered (allowed {limit.text})"
                self._problem(QUANTITY, line, f"{where} is billed {said}: {over}")
            else:
                partly = "partly" if total < ordered.quantity else "fully"
                self._notes.append(f"line {line.number}: {where} {partly} billed, {said}")

    def _price(self, line: InvoiceLine, ordered: OrderLine) -> None:
        currency = self._orders[comparable(line.po_number)].currency
        where = f"order {line.po_number} line {ordered.number}"
        if currency != self._invoice.currency:
            self._problem(PRICE, line, f"is billed in {self._invoice.currency}, {where} was ordered in {currency}")
            return
        difference, limit = (line.unit_price - ordered.unit_price) * line.quantity, self._tolerances.price
        if not limit.allows(difference, ordered.unit_price * line.quantity):
            way = "more" if difference > 0 else "less"
            text = (
                f"bills {line.unit_price:f} each, {where} says {ordered.unit_price:f}: {abs(difference):f} {currency} "
                f"{way} than agreed (allowed {limit.text})"
            )
            self._problem(PRICE, line, text)

    def _tax(self, pairs: list[tuple[InvoiceLine, OrderLine]]) -> None:
        """Compare all tax with what the order lines' rates make of it, where orders state taxes and bear all lines."""
        if len(pairs) < sum(1 for line in self._invoice.lines if line.amount):
            return
        if not any(ordered.taxes for _line, ordered in pairs):
            return
        expected = add(
            EXACT.divide(EXACT.multiply(add(tax.amount for tax in ordered.taxes), line.amount), ordered.amount)
            for line, ordered in pairs
            if ordered.amount
        )
        taxes = (*self._checked.reading.taxes, *(tax for line in self._invoice.lines for tax in line.taxes))
        billed, limit = add(tax.amount for tax in taxes), self._tolerances.tax
        if not limit.allows(billed - expected, expected):
            text = f"tax of {billed:f} is billed, the orders' rates make {expected:.2f} (allowed {limit.text})"
            self._problems.append(Problem(TAX, pairs[0][0].po_number, text))

    def _freight(self, pairs: list[tuple[InvoiceLine, OrderLine]]) -> None:
        """Compare freight billed for these orders, by all invoices together, with what they allow for."""
        orders = dict.fromkeys(comparable(line.po_number) for line, _ in pairs)
        agreed = add(
            charge.amount
            for order in orders
            for charge in self._orders[order].charges
            if charge.kind is ChargeKind.FREIGHT
        )
        earlier, limit = add(self._before.freight[order] for order in orders), self._tolerances.freight
        total = freight_of(self._checked) + earlier
        if total > agreed and freight_of(self._checked) > 0 and not limit.allows(total - agreed, agreed):
            before = f", {earlier:f} of it before" if earlier else ""
            text = f"freight of {total:f} is billed{before}, the orders say {agreed:f} (allowed {limit.text})"
            self._problems.append(Problem(FREIGHT, pairs[0][0].po_number, text))

    def _problem(self, code: str, line: InvoiceLine, text: str) -> None:
        self._problems.append(Problem(code, line.po_number, f"line {line.number}: {text}"))
