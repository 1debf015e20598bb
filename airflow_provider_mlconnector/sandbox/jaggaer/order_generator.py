"""The purchase orders a tenant holds at the start, with their earlier revisions, and the invoices that bill them.

Both come from random streams of their own: the plain invoices of a seed stay what they are.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import cycle, islice

from airflow_provider_mlconnector.sandbox.jaggaer import fiql, order_recipes, order_wire
from airflow_provider_mlconnector.sandbox.jaggaer.draft import Draft, to_minor
from airflow_provider_mlconnector.sandbox.jaggaer.listing import Document
from airflow_provider_mlconnector.sandbox.jaggaer.order_wire import OrderDraft
from airflow_provider_mlconnector.sandbox.jaggaer.orders import Event, OrderBook
from airflow_provider_mlconnector.sandbox.master import BUSINESS_UNITS, SUPPLIERS, MasterSupplier

BAD_SHARE = 0.12
UPDATE_DAYS = 30
"""Days before the clock's start over which orders are spread."""
BILLING: tuple[str, ...] = (
    "po_full",
    "po_partial",
    "po_rest",
    "po_over",
    "po_under",
    "po_price",
    "po_unknown_order",
)
"""How an invoice bills its order; ``po_rest`` bills what the ``po_partial`` before it left over."""
UNKNOWN_ORDER = "0000099999"
_UNITS = tuple(BUSINESS_UNITS)
_DELIVERY_DAYS = 14


class OrderGenerator:
    """Generates orders and their invoices; the same (seed, counts, start, suppliers) gives the same ones.

    With ``count`` ≥ 60 every label of ``order_recipes.RECIPES`` occurs.
    """

    def __init__(self, *, seed: int, start: datetime, suppliers: Sequence[MasterSupplier] = ()) -> None:
        self._seed, self._start = seed, start.replace(microsecond=0)
        plain = [s for s in SUPPLIERS if s.number.startswith("V000") and s.number <= "V00030"]
        self._plain = [*plain, *suppliers]
        self.suppliers = {supplier.number: supplier for supplier in (*SUPPLIERS, *suppliers)}

    def fill(self, book: OrderBook, count: int) -> None:
        """Put ``count`` orders into an empty book, each with all its revisions."""
        rng = self._random("orders")
        for label in _labels(rng, count):
            moment = self._start - timedelta(seconds=rng.randrange(3_600, UPDATE_DAYS * 86_400))
            self.order(book, label, moment, rng, until=self._start)

    def order(
        self, book: OrderBook, label: str, moment: datetime, rng: random.Random, *, until: datetime | None = None
    ) -> Document:
        """Put one order made by ``label`` into the book and return its header.

        Its revisions are spread between ``moment`` and ``until``; without ``until`` all are of ``moment``.
        """
        numbers = order_recipes.LABEL_SUPPLIERS.get(label)
        supplier = self.suppliers[rng.choice(numbers)] if numbers else rng.choice(self._plain)
        draft = OrderDraft(
            id=book.next_id(),
            label=label,
            supplier=supplier,
            currency=supplier.currency,
            business_unit=rng.choice(_UNITS),
            created=moment,
            last_update=moment,
        )
        changes = order_recipes.RECIPES[label](draft, rng)
        wanted = (moment + timedelta(days=_DELIVERY_DAYS)).date()
        header = book.put(order_wire.document(draft, wanted), moment, event="new", by="generator", label=label)
        for change in changes:
            draft = copy.deepcopy(draft)
            change(draft)
            draft.revision += 1
            if until:
                draft.last_update += (until - draft.last_update) * rng.random()
            event: Event = "cancel" if draft.status == order_wire.CANCELLED else "update"
            header = book.put(order_wire.document(draft, wanted), draft.last_update, event=event, by="generator")
        return header

    def invoices(self, book: OrderBook, count: int, *, first_id: int, variance_status: str) -> Iterator[Draft]:
        """Yield ``count`` invoices that bill the book's sound orders in every way of ``BILLING``.

        Raises:
            ValueError: There are not enough sound orders.
        """
        rng = self._random("invoices for orders")
        orders = [history[-1].document for history in book.history().values() if _billable(book, history[-1].document)]
        rng.shuffle(orders)
        left = iter(orders)
        order: Document = {}
        for invoice_id, kind in zip(range(first_id, first_id + count), cycle(BILLING), strict=False):
            if kind != "po_rest":
                order = next(left, {})
                if not order:
                    message = f"{len(orders)} sound purchase orders cannot carry {count} invoices"
                    raise ValueError(message)
            since = fiql.moment(order["header"]["lastUpdate"])
            moment = since + (self._start - since) * rng.random()
            yield self.invoice(order, kind, invoice_id, moment, variance_status=variance_status)

    def invoice(self, order: Document, kind: str, invoice_id: int, moment: datetime, *, variance_status: str) -> Draft:
        """Make an invoice of ``moment`` that bills every open line of ``order`` in the way ``kind``.

        Raises:
            KeyError: A kind that is not one of ``BILLING``.
        """
        quantity, price = _WAYS[kind]
        currency = order["header"]["currency"]
        lines = []
        for line in order_wire.lines_of(order):
            if ordered := Decimal(str(line["quantity"])):
                unit_price = Decimal(str(line["unitPrice"]))
                if price != 1:
                    unit_price = to_minor(unit_price * price, currency)
                lines.append(order_wire.invoice_line(order, line, _billed(ordered, quantity), unit_price))
        draft = self.billing(order, kind, invoice_id, moment)
        draft.lines = lines
        if kind in ("po_over", "po_under", "po_price"):
            draft.match = variance_status
        if kind == "po_unknown_order":
            for each in draft.lines:
                each.po = (UNKNOWN_ORDER, (each.po or ("", "1"))[1])
        return draft

    def billing(self, order: Document, label: str, invoice_id: int, moment: datetime) -> Draft:
        """Return an invoice of the order's supplier, unit and currency, without lines yet."""
        header = order["header"]
        number = str(header["supplier"]["supplierNumber"])
        known = self.suppliers.get(number)
        return Draft(
            id=invoice_id,
            label=label,
            supplier=known or MasterSupplier(number, str(header["supplier"].get("name", number))),
            currency=header["currency"],
            number=f"NB-{invoice_id}",
            business_unit=str(header.get("businessUnit", _UNITS[0])),
            invoice_date=moment.date(),
            last_update=moment,
            lines=[],
        )

    def _random(self, stream: str) -> random.Random:
        return random.Random(f"{self._seed}: {stream}")  # noqa: S311 - reproducible test data


_WAYS: dict[str, tuple[str, Decimal]] = {
    "po_full": ("all", Decimal(1)),
    "po_partial": ("half", Decimal(1)),
    "po_rest": ("rest", Decimal(1)),
    "po_over": ("more", Decimal(1)),
    "po_under": ("all", Decimal("0.97")),
    "po_price": ("all", Decimal("1.05")),
    "po_unknown_order": ("all", Decimal(1)),
}
"""How much of each line, and at which share of its price."""


def _billed(ordered: Decimal, how: str) -> Decimal:
    half = max(Decimal(1), ordered // 2)
    return {"all": ordered, "half": half, "rest": ordered - half, "more": ordered + max(Decimal(1), ordered // 10)}[how]


def _billable(book: OrderBook, order: Document) -> bool:
    """Tell whether an order is sound, alive, and each open line large enough to be billed in two parts."""
    header = order["header"]
    sound = book.label(header["poId"]) in order_recipes.GOOD and header["status"] != order_wire.CANCELLED
    return sound and all(line["quantity"] == 0 or line["quantity"] > 1 for line in order_wire.lines_of(order))


def _labels(rng: random.Random, count: int) -> list[str]:
    """Deal the labels: good and bad ones in turn, shuffled."""
    bad = max(round(BAD_SHARE * count), min(len(order_recipes.BAD), count * 2 // 5))
    labels = [*islice(cycle(order_recipes.BAD), bad), *islice(cycle(order_recipes.GOOD), count - bad)]
    rng.shuffle(labels)
    return labels
