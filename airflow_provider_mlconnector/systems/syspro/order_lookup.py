"""Looking purchase orders up and saying what that proves (FINANCE §5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from airflow_provider_mlconnector.systems.ports import Found, FoundState, StepDraft
from airflow_provider_mlconnector.systems.syspro.client import SysproClient
from airflow_provider_mlconnector.systems.syspro.comfnd import Condition
from airflow_provider_mlconnector.systems.syspro.keys import normal
from airflow_provider_mlconnector.systems.syspro.order_merge import (
    Pairs,
    coding_differences,
    compare_new,
    crosswalk,
    merge,
)
from airflow_provider_mlconnector.systems.syspro.order_rows import (
    CANCELED,
    StoredLine,
    StoredOrder,
    by_number,
    read_lines,
    read_orders,
)
from airflow_provider_mlconnector.systems.syspro.order_steps import (
    PO_ADD,
    PO_CANCEL,
    PO_CHANGE,
    NewOrder,
    canceled_order,
    changed_order,
    new_order,
)

SEPARATOR = "/"
"""Between the source's PO number and our reference in CustomerPoNumber."""
Orders = dict[str, StoredOrder]


def result_of(key: str, pairs: Pairs, **more: Any) -> dict[str, Any]:
    """Return what is kept of an order: SYSPRO's number and the line crosswalk."""
    return {"key": key, "lines": crosswalk(pairs), **more}


class OrderLookUp:
    """Looks steps up in few requests, one table for all steps of a name.

    Args:
        client: Logged on, or it will log on.
        proven: Names of the steps our reference has been seen to find at this site.
    """

    def __init__(self, client: SysproClient, *, proven: AbstractSet[str]) -> None:
        self._client = client
        self._proven = proven

    def find(self, steps: Sequence[StepDraft], *, settling: bool) -> list[Found]:
        """Return what SYSPRO holds of each step, in the order given."""
        judges: dict[str, Callable[[StepDraft, Orders], Found]] = {
            PO_ADD: lambda step, orders: self._judge_new(step, orders, settling=settling),
            PO_CHANGE: _judge_changed,
            PO_CANCEL: _judge_canceled,
        }
        wanted = [condition for step in steps for condition in _conditions(step)]
        orders = read_orders(self._client, wanted)
        return [judges[step.name](step, orders) for step in steps]

    def stored(self, key: str) -> StoredOrder | None:
        """Return the order of a number, None if there is none."""
        return _at(read_orders(self._client, by_number([key])), key)

    def lines(self, key: str) -> tuple[str, tuple[StoredLine, ...]]:
        """Return an order's number as stored, and its lines; ``""`` if it has none."""
        found = read_lines(self._client, by_number([key]))
        return next(((number, lines) for number, lines in found.items() if normal(number) == normal(key)), ("", ()))

    def _judge_new(self, step: StepDraft, orders: Orders, *, settling: bool) -> Found:
        order = new_order(step)
        ours = [stored for stored in orders.values() if stored.customer_po == order.head.customer_po]
        if ours:
            return _ours(order, ours)
        others = [stored for stored in orders.values() if _stands_for(stored, order)]
        if others:
            return _somebody_elses(order, others)
        if settling and not order.head.number and step.name not in self._proven:
            text = f"SYSPRO is not proven to show {order.head.customer_po} as CustomerPoNumber: a person looks"
            return Found(FoundState.UNKNOWN, text)
        return Found(FoundState.ABSENT)


def _conditions(step: StepDraft) -> list[Condition]:
    if step.name == PO_CHANGE:
        return by_number([changed_order(step).key])
    if step.name == PO_CANCEL:
        return by_number([canceled_order(step).key])
    order = new_order(step)
    forms = dict.fromkeys((order.head.customer_po, order.number, normal(order.number)))
    conditions = [Condition("CustomerPoNumber", "EQ", form) for form in forms]
    # an order of ours from another revision, which a store restored or started afresh does not know
    conditions.append(Condition("CustomerPoNumber", "LIKE", f"{order.number}{SEPARATOR}*"))
    return conditions + (by_number([order.head.number]) if order.head.number else [])


def _at(orders: Orders, key: str) -> StoredOrder | None:
    return next((stored for number, stored in orders.items() if normal(number) == normal(key)), None)


def _stands_for(stored: StoredOrder, order: NewOrder) -> bool:
    """Tell whether an order not ours stands under the source's number.

    CustomerPoNumber is anybody's text: one that equals our number on an order of another supplier is chance.
    """
    if order.head.number and normal(stored.key) == normal(order.head.number):
        return True
    typed = normal(stored.customer_po) == normal(order.number) and normal(stored.supplier) == normal(order.supplier)
    return typed or stored.customer_po.startswith(order.number + SEPARATOR)


def _ours(order: NewOrder, found: Sequence[StoredOrder]) -> Found:
    """Our reference names one write, so it is ours whatever people have changed about it since."""
    stored = found[0]
    pairs, different = compare_new(order, stored)
    issue = [f"{len(found)} orders carry our reference"] if len(found) > 1 else []
    issue += [f"changed in SYSPRO: {'; '.join(different)}"] if different else []
    more = {"issue": f"order {stored.key}: {'; '.join(issue)}"} if issue else {}
    return Found(FoundState.OURS, f"order {stored.key}", result_of(stored.key, pairs, **more))


def _somebody_elses(order: NewOrder, found: Sequence[StoredOrder]) -> Found:
    for stored in found:
        pairs, different = compare_new(order, stored)
        if not different and stored.status != CANCELED:
            coding = coding_differences(order, pairs)
            more = {"issue": f"order {stored.key}: {'; '.join(coding)}"} if coding else {}
            text = f"order {stored.key}, customer PO number {stored.customer_po or 'blank'}"
            return Found(FoundState.SAME_NOT_OURS, text, result_of(stored.key, pairs, **more))
    stored = found[0]
    _pairs, different = compare_new(order, stored)
    what = ["it is canceled"] if stored.status == CANCELED else different
    text = f"order {stored.key} stands under number {order.number} in SYSPRO and differs: {'; '.join(what)}"
    return Found(FoundState.DIFFERENT, text, {"key": stored.key})


def _judge_changed(step: StepDraft, orders: Orders) -> Found:
    order = changed_order(step)
    stored = _at(orders, order.key)
    if stored is None:
        return Found(FoundState.ABSENT)
    merged = merge(order, stored)
    if not merged.is_done:
        return Found(FoundState.ABSENT)
    return Found(FoundState.OURS, f"order {stored.key} stands as it shall", result_of(stored.key, merged.pairs))


def _judge_canceled(step: StepDraft, orders: Orders) -> Found:
    order = canceled_order(step)
    stored = _at(orders, order.key)
    if stored is None or stored.status != CANCELED:
        return Found(FoundState.ABSENT)
    result = {"key": stored.key, "lines": order.crosswalk}
    return Found(FoundState.OURS, f"order {stored.key} is canceled", result)
