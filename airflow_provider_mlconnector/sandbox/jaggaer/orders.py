"""The tenant's purchase orders, in wire form, and how each came to be what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from airflow_provider_mlconnector.sandbox.jaggaer import fiql, order_wire, wire
from airflow_provider_mlconnector.sandbox.jaggaer.listing import Document, Shape, edited
from airflow_provider_mlconnector.sandbox.jaggaer.order_wire import CANCELLED

Event = Literal["new", "update", "cancel"]


@dataclass(frozen=True, slots=True)
class Revision:
    """One state of an order: when, by what, in which words, and whether the supplier was told."""

    at: datetime
    event: Event
    by: str
    document: Document
    request_no: int | None = None
    distributed: bool = True


class OrderBook:
    """Orders by ``poId``; what an order was before stays in its history."""

    shape = Shape(("jipurchaseorderList", "jipurchaseorder"))

    def __init__(self, *, order: str, with_lines: bool) -> None:
        self._order, self._with_lines = order, with_lines
        self._history: dict[int, list[Revision]] = {}
        self._labels: dict[int, str] = {}
        self._by_number: dict[str, int] = {}
        self._hidden: set[int] = set()

    def get(self, order_id: int) -> Document | None:
        """Return the detail of one order, or None."""
        history = self._history.get(order_id)
        return history[-1].document if history else None

    def by_number(self, po_number: object) -> Document | None:
        """Find an order by its number, padded or not."""
        order_id = self._by_number.get(_plain(po_number))
        return None if order_id is None else self.get(order_id)

    def history(self) -> Mapping[int, Sequence[Revision]]:
        """Return every state of every order, oldest first, by ``poId``."""
        return self._history

    def label(self, order_id: int) -> str:
        """Return what an order was made by: a recipe, ``added``, ``rest`` or ``router``."""
        return self._labels[order_id]

    def row(self, order_id: int, query: Mapping[str, str]) -> Document:  # noqa: ARG002 - one face for all lists
        """Return a list row: the header, or the whole document where the tenant's lists have lines."""
        document = self._history[order_id][-1].document
        return document if self._with_lines else {"header": document["header"]}

    def matching(self, filter_text: str) -> Sequence[int]:
        """Return the ids of listed orders that match ``flt``, in list order; raises ``fiql.FilterError``."""
        clauses = fiql.parse(filter_text, fiql.ORDER_KEYS)
        found = [
            order_id
            for order_id, history in self._history.items()
            if order_id not in self._hidden
            and all(clause.holds_for(history[-1].document["header"]) for clause in clauses)
        ]
        return sorted(found, key=self._last_update if self._order == "lastUpdate" else None)

    def hide_first(self, count: int, filter_text: str) -> None:
        """Take the first ``count`` matching rows out of every list."""
        self._hidden.update(self.matching(filter_text)[:count])

    def next_id(self) -> int:
        """Return the id of the next order to come."""
        return max(self._history, default=order_wire.FIRST_ID - 1) + 1

    def put(
        self,
        document: Document,
        now: datetime,
        *,
        event: Event,
        by: str,
        label: str = "",
        request_no: int | None = None,
        distributed: bool = True,
    ) -> Document:
        """Make ``document`` the present state of its order; return its header. Ids and dates are the caller's.

        No revision number is refused or counted twice: what is sent again is a further state in the history.
        """
        header: Document = document["header"]
        order_id = int(header["poId"])
        state = Revision(now, event, by, document, request_no, distributed)
        self._history.setdefault(order_id, []).append(state)
        self._labels.setdefault(order_id, label or by)
        self._by_number[_plain(header["poNumber"])] = order_id
        return header

    def revise(self, po_number: object, changes: Mapping[str, object], now: datetime, *, step: int = 1) -> Document:
        """Set dotted paths in an order as a person: revision up by ``step``, dates and total brought along.

        Raises:
            ValueError: Unknown order, or a path that does not lead into it.
        """
        order = self._known(po_number)
        header = order["header"]
        stamp = wire.timestamp(now)
        stamped: dict[str, object] = {"header.lastUpdate": stamp}
        if step:
            stamped |= {"header.revisionNumber": int(header["revisionNumber"]) + step, "header.revisionDate": stamp}
        document = order_wire.totaled(edited(order, stamped | dict(changes)))
        event: Event = "cancel" if document["header"]["status"] == CANCELLED else "update"
        return self.put(document, now, event=event, by="person", distributed=bool(step))

    def cancel_line(self, po_number: object, line_number: object, now: datetime) -> Document:
        """Cancel a line as a person: quantity 0 at a new revision.

        Raises:
            ValueError: Unknown order or line.
        """
        lines = order_wire.lines_of(self._known(po_number))
        for index, line in enumerate(lines):
            if str(line["lineNumber"]) == str(line_number):
                path = f"lineList.poLine.{index}"
                return self.revise(po_number, {f"{path}.quantity": 0, f"{path}.status": CANCELLED}, now)
        message = f"order {po_number} has no line {line_number}"
        raise ValueError(message)

    def ledger(self) -> list[dict[str, Any]]:
        """Return every order with its lines and its states, for the oracle."""
        return [self._show(order_id, history) for order_id, history in self._history.items()]

    def _known(self, po_number: object) -> Document:
        order = self.by_number(po_number)
        if order is None:
            message = f"no order {po_number}"
            raise ValueError(message)
        return order

    def _show(self, order_id: int, history: Sequence[Revision]) -> dict[str, Any]:
        order = history[-1].document
        header = order["header"]
        return {
            "po_id": order_id,
            "number": header["poNumber"],
            "label": self._labels[order_id],
            "supplier": header.get("supplier", {}).get("supplierNumber"),
            "currency": header["currency"],
            "total": str(header["total"]["value"]),
            "business_unit": header.get("businessUnit"),
            "revision": header["revisionNumber"],
            "status": header.get("status"),
            "workflow": header.get("workflowStatus"),
            "lines": [_show_line(line) for line in order_wire.lines_of(order)],
            "states": [
                {
                    "at": state.at.isoformat(),
                    "revision": state.document["header"]["revisionNumber"],
                    "event": state.event,
                    "by": state.by,
                    "request_no": state.request_no,
                    "distributed": state.distributed,
                }
                for state in history
            ],
        }

    def _last_update(self, order_id: int) -> tuple[datetime, int]:
        return fiql.moment(self._history[order_id][-1].document["header"]["lastUpdate"]), order_id


def _show_line(line: Document) -> dict[str, Any]:
    item = line.get("item", {})
    return {
        "line": line["lineNumber"],
        "catalog": item.get("catalogNumber", ""),
        "description": item.get("description", ""),
        "quantity": str(line.get("quantity")),
        "price": str(line.get("unitPrice")),
        "status": line.get("status"),
    }


def _plain(po_number: object) -> str:
    text = str(po_number).strip()
    return text.lstrip("0") if text.isdigit() else text
