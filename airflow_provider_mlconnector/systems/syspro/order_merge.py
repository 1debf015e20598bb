"""Comparing an order as it shall be with the order SYSPRO holds; pure, so that finding and posting judge alike.

A change is worked out against the live rows, never against what was once sent: what is there already is not sent again,
so that a repeated change adds no line twice, and receipts made meanwhile are seen (FINANCE §7).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from airflow_provider_mlconnector.systems.ports import Outcome, OutcomeState
from airflow_provider_mlconnector.systems.syspro.keys import normal
from airflow_provider_mlconnector.systems.syspro.order_rows import (
    CHARGE_LINE,
    FREIGHT_LINE,
    StoredLine,
    StoredOrder,
    merchandise,
)
from airflow_provider_mlconnector.systems.syspro.order_steps import ChangedOrder, NewOrder
from airflow_provider_mlconnector.systems.syspro.portoi import (
    ADD,
    CHANGE,
    DELETE,
    LineAction,
    OrderCharge,
    OrderHead,
    OrderLineItem,
    plain,
)

Pairs = dict[int, StoredLine]
"""The source's line number → SYSPRO's line."""


def parked(code: str, subject: str, text: str) -> Outcome:
    """Return a refusal of our own: the cause lies in SYSPRO, so the document is due again on every run."""
    return Outcome(OutcomeState.REFUSED, code, subject, text, parked=True)


def crosswalk(pairs: Pairs) -> dict[str, str]:
    """Return pairs as they are kept: the source's line number → SYSPRO's, as text."""
    return {str(number): str(line.number) for number, line in sorted(pairs.items())}


# --- orders to add -------------------------------------------------------------------------------------------------


def compare_new(order: NewOrder, stored: StoredOrder) -> tuple[Pairs, list[str]]:
    """Compare an order to add with one stored, as :func:`compare_lines` does, and their suppliers."""
    pairs, different = compare_lines(order, stored.lines)
    if normal(stored.supplier) != normal(order.supplier):
        different.insert(0, f"supplier {stored.supplier} there, {order.supplier} here")
    return pairs, different


def compare_lines(order: NewOrder, stored: Sequence[StoredLine]) -> tuple[Pairs, list[str]]:
    """Pair the lines of an order to add with those stored, in order, and name what differs in words."""
    ordered = merchandise(stored)
    pairs = dict(zip((line.number for line in order.lines), ordered, strict=False))
    different = []
    if len(ordered) != len(order.lines):
        different.append(f"{len(ordered)} lines there, {len(order.lines)} here")
    for line in order.lines:
        if line.number in pairs:
            different += _line_differences(line, pairs[line.number], foreign=order.foreign)
    return pairs, different


def coding_differences(order: NewOrder, pairs: Pairs) -> list[str]:
    """Name the lines that stand on another GL account than ours."""
    return [
        f"line {line.number} on account {pairs[line.number].ledger_code or 'none'} there, {line.ledger_code} here"
        for line in order.lines
        if not line.stocked and line.number in pairs and pairs[line.number].ledger_code != line.ledger_code
    ]


def _line_differences(line: OrderLineItem, there: StoredLine, *, foreign: bool) -> Iterator[str]:
    """Compare what makes two lines the same order; how a line that is not stocked is called does not."""
    if line.stocked and normal(there.stock_code) != normal(line.stock_code):
        yield f"line {line.number}: stock code {there.stock_code} there, {line.stock_code} here"
    if there.quantity != line.quantity:
        yield f"line {line.number}: quantity {plain(there.quantity)} there, {plain(line.quantity)} here"
    if there.price(foreign=foreign) != line.price:
        yield f"line {line.number}: price {plain(there.price(foreign=foreign))} there, {plain(line.price)} here"


# --- orders to change ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Merged:
    """What is left to do for a change.

    Attributes:
        head: The whole header as it shall be, None when nothing of it differs.
        actions: What is left to do to the lines.
        pairs: Which line is which, as far as they are there.
        refusal: Why it must not be done, None when it may.
    """

    head: OrderHead | None
    actions: tuple[LineAction, ...]
    pairs: Pairs
    refusal: Outcome | None = None

    @property
    def is_done(self) -> bool:
        """Whether the order already is as it shall be."""
        return self.refusal is None and self.head is None and not self.actions


def merge(order: ChangedOrder, stored: StoredOrder) -> Merged:
    """Work out what is left to do to the order SYSPRO holds."""
    pairs = _known_pairs(order, stored)
    if pairs is None:
        text = f"order {stored.key} has other lines in SYSPRO than it had when it was linked: change it there by hand"
        return Merged(None, (), {}, parked("order_differs", stored.key, text))
    merger = _Merger(order, stored, pairs)
    actions = merger.actions()
    head = head_of(order, stored) if _head_differs(order, stored) else None
    refusal = merger.refusal
    if refusal is None and stored.is_closed and (actions or head):
        text = f"order {stored.key} is {'canceled' if stored.status == '*' else 'complete'} in SYSPRO: it cannot change"
        refusal = parked("order_closed", stored.key, text)
    return Merged(head, tuple(actions), merger.pairs, refusal)


def head_of(order: ChangedOrder, stored: StoredOrder) -> OrderHead:
    """Return the header of a change: what SYSPRO holds with our differences over it.

    All of it is sent, because nothing says whether PORTOI keeps or blanks an element that is left out.
    """
    return OrderHead(
        action=CHANGE,
        supplier=stored.supplier,
        number=stored.key,
        tax_status=stored.tax_status,
        terms=order.terms or stored.terms,
        customer_po=stored.customer_po,
        order_date=stored.order_date,
        due=order.due or stored.due,
        buyer=stored.buyer,
        warehouse=stored.warehouse,
    )


def _head_differs(order: ChangedOrder, stored: StoredOrder) -> bool:
    due = order.due is not None and order.due != stored.due
    return due or (order.terms is not None and order.terms != stored.terms)


def _known_pairs(order: ChangedOrder, stored: StoredOrder) -> Pairs | None:
    """Pair by the crosswalk; an order typed by hand has none, and is paired line by line while it has as many."""
    lines = {str(line.number): line for line in stored.merchandise}
    if order.crosswalk:
        return {int(number): lines[there] for number, there in order.crosswalk.items() if there in lines}
    if len(lines) != len(order.held):
        return None
    return dict(zip(order.held, stored.merchandise, strict=True))


class _Merger:
    """Works through the wanted lines; ``pairs`` grows by lines found to be there already."""

    def __init__(self, order: ChangedOrder, stored: StoredOrder, pairs: Pairs) -> None:
        self._order = order
        self._stored = stored
        self.pairs = dict(pairs)
        self.refusal: Outcome | None = None

    def actions(self) -> list[LineAction]:
        found = [action for number in self._order.canceled for action in self._canceled(number)]
        found += [action for line in self._order.lines for action in self._wanted(line)]
        return found + list(self._charges())

    def _canceled(self, number: int) -> Iterator[LineAction]:
        there = self.pairs.pop(number, None)
        if there is None:
            return
        if there.received:
            self._below_received(number, there, "0")
        yield LineAction(DELETE, there.number)

    def _wanted(self, line: OrderLineItem) -> Iterator[LineAction]:
        there = self.pairs.get(line.number)
        if there is not None and normal(there.stock_code) != normal(line.stock_code):
            # another item: a line's stock code cannot change
            yield from self._canceled(line.number)
        replaced = there is not None and line.number not in self.pairs
        if line.number not in self.pairs and (claimed := self._unclaimed(line)):
            self.pairs[line.number] = claimed
        there = self.pairs.get(line.number)
        if there is None:
            if not replaced and str(line.number) in self._order.crosswalk:
                gone = f"line {self._order.crosswalk[str(line.number)]} of order {self._stored.key}"
                self._refuse("line_gone", f"{gone} was taken out in SYSPRO: decide there, or cancel it at the source")
            yield LineAction(ADD, 0, line)
        elif self._differs(line, there):
            if line.quantity < there.received:
                self._below_received(line.number, there, plain(line.quantity))
            yield LineAction(CHANGE, there.number, line)

    def _unclaimed(self, line: OrderLineItem) -> StoredLine | None:
        """Find a line nobody claims that is what we would add: an earlier try of this change may have added it."""
        taken = {there.number for there in self.pairs.values()} | {int(n) for n in self._order.crosswalk.values()}
        return next(
            (
                there
                for there in self._stored.merchandise
                if there.number not in taken
                and normal(there.stock_code) == normal(line.stock_code)
                and (line.stocked or there.description == line.description)
            ),
            None,
        )

    def _differs(self, line: OrderLineItem, there: StoredLine) -> bool:
        wanted = (line.quantity, line.price, line.due)
        if wanted != (there.quantity, there.price(foreign=self._order.foreign), there.due):
            return True
        if (line.unit and normal(line.unit) != normal(there.unit)) or (
            line.tax_code and line.tax_code != there.tax_code
        ):
            return True
        own = (line.description, line.ledger_code, line.product_class)
        return not line.stocked and own != (there.description, there.ledger_code, there.product_class)

    def _charges(self) -> Iterator[LineAction]:
        if self._order.charges is None:
            return
        for freight, kind in ((True, FREIGHT_LINE), (False, CHARGE_LINE)):
            there = [line for line in self._stored.lines if line.kind == kind]
            yield from _charge_actions([c for c in self._order.charges if c.freight is freight], there, freight=freight)

    def _below_received(self, number: int, there: StoredLine, wanted: str) -> None:
        text = (
            f"line {number} of order {self._stored.key} shall have quantity {wanted}, but {plain(there.received)} are "
            "received in SYSPRO"
        )
        self._refuse("below_received", text)

    def _refuse(self, code: str, text: str) -> None:
        self.refusal = self.refusal or parked(code, self._stored.key, text)


def _charge_actions(
    wanted: Sequence[OrderCharge], there: Sequence[StoredLine], *, freight: bool
) -> Iterator[LineAction]:
    """Make the charges of one kind what they shall be, one by one in order."""
    tag = "FreightLine" if freight else "MiscChargeLine"
    for charge, line in zip(wanted, there, strict=False):
        if line.charge != charge.amount:
            yield LineAction(CHANGE, line.number, charge, tag)
    for line in there[len(wanted) :]:
        yield LineAction(DELETE, line.number, tag=tag)
    for charge in wanted[len(there) :]:
        yield LineAction(ADD, 0, charge, tag)
