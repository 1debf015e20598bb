"""SYSPRO as a target of purchase orders (implements ``ports.DocumentTarget``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from airflow_provider_mlconnector.documents.coded_order import CodedOrder
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.systems.ports import NO_CONTEXT, Context, Plan, StepDraft, StepKind
from airflow_provider_mlconnector.systems.syspro import portoi
from airflow_provider_mlconnector.systems.syspro.base import SysproSystem
from airflow_provider_mlconnector.systems.syspro.batches import SESSION_ROOM
from airflow_provider_mlconnector.systems.syspro.client import SysproClient
from airflow_provider_mlconnector.systems.syspro.options import Carrier, SysproOptions
from airflow_provider_mlconnector.systems.syspro.order_plan import OrderPlanner
from airflow_provider_mlconnector.systems.syspro.order_session import OrderSession, add_call, change_call
from airflow_provider_mlconnector.systems.syspro.order_steps import PO_ADD, PO_CHANGE, changed_order, new_order
from airflow_provider_mlconnector.systems.syspro.portoi import LineAction, OrderHead

_SECOND_LOOK_MINUTES = 15
"""Targets without uniqueness need two not-founds this far apart (FINANCE §8)."""
_SECOND_LOOK = 2


class SysproOrderTarget(SysproSystem):
    """Plans purchase orders and opens sessions for them.

    Args:
        name: The Airflow connection's id.
        client: For the operator and company of the connection.
        options: Connection's and route's choices.
    """

    def __init__(self, name: str, client: SysproClient, options: SysproOptions) -> None:
        super().__init__(name, client, options)
        self._proven = set[str]()

    def plan(
        self, coded: CodedOrder, reference: Mapping[str, Any], *, our_reference: str, context: Context = NO_CONTEXT
    ) -> Plan:
        """Check a coded order and turn it into the one step it needs: add, change or cancel; none if nothing differs.

        Raises:
            Rejected: A cause inside the document.
            Parked: A cause outside it.
        """
        plan = OrderPlanner(coded, reference, self._options, our_reference=our_reference, context=context).plan()
        for step in plan.steps:
            if self._size(step) > self._limit:
                way = "one PostLD body" if self._by_body else "one URL; transport postld carries larger ones"
                msg = f"order {coded.order.number} with {len(coded.lines)} lines is too large for {way}"
                raise Parked(msg, code="too_large", subject=coded.order.number)
        return plan

    def may_repost(self, step: StepDraft, *, not_found: int, minutes_since_first: float) -> bool:
        """Tell whether a step proven absent may be sent again by itself (FINANCE §5).

        SYSPRO refuses a second order under one number, and changes are absolute. An order it numbers itself would come
        into being twice: absence must have been seen twice, at a site where presence has been seen at all.
        """
        if step.kind is not StepKind.DELTA:
            return not_found >= 1
        proven = self.reference_proven(step.name)
        return proven and not_found >= _SECOND_LOOK and minutes_since_first >= _SECOND_LOOK_MINUTES

    def reference_proven(self, step: str) -> bool:
        """Tell whether a look-up by CustomerPoNumber has been seen to find an order of ours at this site."""
        return step in self._proven

    def observe_reference(self, step: str, *, proven: bool) -> None:
        """Learn what a look-up of an order that surely exists showed; open sessions know at once."""
        (self._proven.add if proven else self._proven.discard)(step)

    @contextmanager
    def session(self) -> Iterator[OrderSession]:
        """Open a session; the caller holds :attr:`operator_lease`."""
        with self.logged_on() as client:
            yield OrderSession(client, self._options, proven=self._proven)

    # --- size ------------------------------------------------------------------------------------------------------

    @property
    def _by_body(self) -> bool:
        return self._options.transport is Carrier.POSTLD

    @property
    def _limit(self) -> int:
        return self._options.max_body if self._by_body else self._client.transport.max_url - SESSION_ROOM

    def _size(self, step: StepDraft) -> int:
        """Measure a step as it will travel; a change as if all of it had to be sent."""
        if step.name == PO_ADD:
            post = add_call(new_order(step), self._options)
        elif step.name == PO_CHANGE:
            post = change_call(*_largest(step), self._options)
        else:
            return 0
        if self._by_body:
            return len(self._client.post_ld_call(post).body or b"")
        return self._client.transport.url_length(self._client.post_call(post))


def _largest(step: StepDraft) -> tuple[OrderHead, list[LineAction]]:
    order = changed_order(step)
    head = OrderHead(
        action=portoi.CHANGE,
        supplier=order.supplier,
        number=order.key,
        tax_status="N",
        terms="00",
        customer_po="0" * portoi.CUSTOMER_PO_SIZE,
        order_date=order.due,
        due=order.due,
        buyer="0" * portoi.NUMBER_SIZE,
        warehouse="0" * 10,
    )
    lines = [LineAction(portoi.CHANGE, 9999, line) for line in order.lines]
    lines += [LineAction(portoi.DELETE, 9999) for _line in order.canceled]
    return head, lines + [LineAction(portoi.ADD, 0, charge, charge.tag) for charge in order.charges or ()]
