"""Orders JAGGAER holds: found by number, compared with a revision of ours (FINANCE §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.purchase_order import PurchaseOrder
from airflow_provider_mlconnector.errors import DocumentError
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.fields import at, dumps
from airflow_provider_mlconnector.systems.jaggaer.lists import Listing, Row, having
from airflow_provider_mlconnector.systems.jaggaer.names import as_documented
from airflow_provider_mlconnector.systems.jaggaer.order_steps import Operation, OrderStep, is_dead
from airflow_provider_mlconnector.systems.jaggaer.orders import JaggaerOrderSource, order_rows
from airflow_provider_mlconnector.systems.jaggaer.rows import read, scalar
from airflow_provider_mlconnector.systems.ports import Found, FoundState

LIST: Final = "purchase order list"
_WIDTH: Final = 10
"""JAGGAER pads PO numbers to this width (reference/jaggaer.md §2.4)."""


class HeldOrders:
    """Looks orders up.

    Args:
        client: For the tenant.
    """

    def __init__(self, client: JaggaerClient) -> None:
        self._client = client
        self._resource = client.contract.purchase_orders
        self._source = JaggaerOrderSource(client)

    def find(self, steps: Sequence[OrderStep], *, settling: bool) -> list[Found]:
        """Compare each revision with what JAGGAER holds: one list request for many, a detail for each that is there.

        Without a list nothing can be told: absent before the first attempt, unknown after it.
        """
        if not self._resource.list:
            state = FoundState.UNKNOWN if settling else FoundState.ABSENT
            return [
                Found(state, "this tenant offers no list of purchase orders (contract purchase_orders.list)")
            ] * len(steps)
        rows = self._rows([step.order.number for step in steps])
        return [self._found(step, rows.get(comparable(step.order.number), []), settling=settling) for step in steps]

    def shown(self, step: OrderStep) -> Mapping[str, Any]:
        """Return ``key`` and ``revision_number`` of an order as JAGGAER lists it; empty when it does not."""
        if not self._resource.list:
            return {}
        rows = self._rows([step.order.number]).get(comparable(step.order.number), [])
        return self._result(rows[0]) if rows else {}

    def _rows(self, numbers: Sequence[str]) -> dict[str, list[Row]]:
        written = dict.fromkeys(form for number in numbers for form in _forms(number))
        listing = Listing(self._resource.list, self._resource.items, LIST, self._resource.extra_filter)
        found: dict[str, list[Row]] = {}
        for row in having(self._client, listing, self._resource.number_filter, list(written)):
            number = scalar(at(as_documented(row, self._resource), "header.poNumber"))
            found.setdefault(comparable(number), []).append(row)
        return found

    def _result(self, row: Row) -> dict[str, Any]:
        key, number = scalar(at(row, self._resource.id)), scalar(at(row, self._resource.revision))
        result: dict[str, Any] = {"key": key} if key else {}
        return result | ({"revision_number": int(number)} if number.isdecimal() else {})

    def _found(self, step: OrderStep, rows: Sequence[Row], *, settling: bool) -> Found:
        if not rows:
            return Found(FoundState.ABSENT, f"order {step.order.number} is not in JAGGAER's list")
        if len(rows) > 1:
            keys = ", ".join(scalar(at(row, self._resource.id)) for row in rows)
            return Found(FoundState.UNKNOWN, f"JAGGAER has several orders {step.order.number}: {keys}")
        (row,) = rows
        result = self._result(row)
        shown = result.get("revision_number")
        if step.operation is not Operation.NEW and shown is not None and shown < step.revision_number:
            text = f"JAGGAER holds revision {shown} of order {step.order.number}, not {step.revision_number}"
            return Found(FoundState.ABSENT, text)
        try:
            held = self._source.decode(self._source.complete(read(dumps(row), order_rows(self._resource))).payload)
        except DocumentError as error:
            return Found(
                FoundState.UNKNOWN, f"order {step.order.number} in JAGGAER cannot be compared: {error.message}"
            )
        differences = _differences(step, held)
        result |= {"digest": step.digest}
        if step.operation is Operation.NEW:
            recoded = _coded_otherwise(step, held, centers=bool(self._client.contract.segments.cost_center))
            return _of_new(step, differences, recoded, result, settling=settling)
        return _of_change(step, differences, result, settling=settling, told=shown is not None)


def _of_new(
    step: OrderStep, differences: Sequence[str], recoded: Sequence[int], result: dict[str, Any], *, settling: bool
) -> Found:
    number = step.order.number
    if differences:
        text = f"PO number {number} belongs to another order in JAGGAER: {'; '.join(differences)}"
        return Found(FoundState.DIFFERENT, text, result)
    text = f"order {number} is in JAGGAER"
    if recoded and not settling:
        text += f", with other accounts or cost centers on line {', '.join(map(str, recoded))}"
        del result["digest"]  # so the ledger's next revision is written, whatever it changes
    # nothing of JAGGAER's says who wrote an order; before the first attempt it was not we
    return Found(FoundState.OURS if settling else FoundState.SAME_NOT_OURS, text, result)


def _of_change(
    step: OrderStep, differences: Sequence[str], result: Mapping[str, Any], *, settling: bool, told: bool
) -> Found:
    number = step.order.number
    if settling and not differences and (told or step.operation is Operation.CANCEL):
        return Found(FoundState.OURS, f"revision {step.revision_number} of order {number} is in JAGGAER", result)
    if settling and told:
        text = f"JAGGAER's revision {step.revision_number} of order {number} says otherwise: {'; '.join(differences)}"
        return Found(FoundState.UNKNOWN, text)
    if step.operation is Operation.CANCEL and not differences:
        return Found(FoundState.SAME_NOT_OURS, f"order {number} is canceled in JAGGAER", result)
    text = f"JAGGAER shows order {number} without a revision number" if settling else ""
    return Found(FoundState.UNKNOWN if settling else FoundState.ABSENT, text)


def _forms(number: str) -> list[str]:
    """Return a number as it may be written in JAGGAER: as it is, padded, unpadded."""
    plain = comparable(number)
    padded = [plain.zfill(_WIDTH)] if plain.isascii() and plain.isdigit() else []
    return list(dict.fromkeys((number.strip(), plain, *padded)))


def _differences(step: OrderStep, held: PurchaseOrder) -> list[str]:
    """Return what a found order says otherwise, in words; codes and texts do not count."""
    ours = step.order
    if step.operation is Operation.CANCEL:
        return [] if is_dead(held) else [f"it is {held.status}"]
    found = []
    if is_dead(held):
        found.append("it is canceled")
    if comparable(held.supplier) != comparable(ours.supplier):
        found.append(f"its supplier is {held.supplier}, not {ours.supplier}")
    if held.currency != ours.currency:
        found.append(f"its currency is {held.currency}, not {ours.currency}")
    wanted, there = (
        {line.number: (line.quantity, line.unit_price) for line in order.lines if not line.is_canceled}
        for order in (ours, held)
    )
    for number in sorted(wanted.keys() | there.keys()):
        if wanted.get(number) != there.get(number):
            shown = [
                "missing" if pair is None else f"{pair[0]:f} at {pair[1]:f}"
                for pair in (there.get(number), wanted.get(number))
            ]
            found.append(f"line {number} is {shown[0]}, not {shown[1]}")
    return found


def _coded_otherwise(step: OrderStep, held: PurchaseOrder, *, centers: bool) -> list[int]:
    """Return the lines whose accounts and cost centers are others than ours (FINANCE §5: coding compared)."""
    ours, there = (
        {
            line.number: {(part.account, part.cost_center if centers else "") for part in line.allocations}
            for line in order.lines
        }
        for order in (step.order, held)
    )
    return [number for number, codes in ours.items() if codes != there.get(number, codes)]
