"""An open session for purchase orders: read, look up, post one order per request, read back, rehearse."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, TypeVar

from airflow_provider_mlconnector.errors import AmbiguousOutcome, MLConnectorError, ProtocolError
from airflow_provider_mlconnector.systems.ports import Fence, Found, Outcome, OutcomeState, StepDraft
from airflow_provider_mlconnector.systems.syspro import portoi
from airflow_provider_mlconnector.systems.syspro.client import PostCall, SysproClient
from airflow_provider_mlconnector.systems.syspro.comfnd import Condition, Query, in_chunks
from airflow_provider_mlconnector.systems.syspro.keys import normal
from airflow_provider_mlconnector.systems.syspro.options import Carrier, OnHold, SysproOptions
from airflow_provider_mlconnector.systems.syspro.order_lookup import OrderLookUp, result_of
from airflow_provider_mlconnector.systems.syspro.order_merge import Merged, compare_lines, head_of, merge, parked
from airflow_provider_mlconnector.systems.syspro.order_rows import CANCELED, StoredOrder
from airflow_provider_mlconnector.systems.syspro.order_steps import (
    PO_ADD,
    PO_CANCEL,
    PO_CHANGE,
    CanceledOrder,
    ChangedOrder,
    NewOrder,
    canceled_order,
    changed_order,
    new_order,
)
from airflow_provider_mlconnector.systems.syspro.portoi import LineAction, OrderHead
from airflow_provider_mlconnector.systems.syspro.reference import read_codes, read_stock

T = TypeVar("T")
_HOLDS = Query("ApSupplier", ("Supplier", "OnHold"))


class OrderSession:
    """One log-on's work on purchase orders (implements ``ports.TargetSession``). Not thread-safe.

    Args:
        client: Logged on, or it will log on.
        options: Connection's and route's choices.
        proven: Names of the steps our reference has been seen to find at this site.
    """

    def __init__(self, client: SysproClient, options: SysproOptions, *, proven: AbstractSet[str] = frozenset()) -> None:
        self._client = client
        self._options = options
        self._lookup = OrderLookUp(client, proven=proven)
        self._held: dict[str, bool] = {}

    def read_reference(self, *, suppliers: Sequence[str], accounts: Sequence[str]) -> Mapping[str, Any]:
        """Read what plans need: the codes of :func:`.reference.read_codes`, and ``stock``, normalized → stored code."""
        codes = read_codes(self._client, self._options, suppliers=suppliers, accounts=accounts)
        return {**codes, "stock": read_stock(self._client) if self._options.po_stock else {}}

    def find(self, steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:
        """Look each step up; ``settling`` needs proof that our reference can be found before absence says anything."""
        return self._lookup.find(steps, settling=settling)

    def batches(self, steps: Sequence[StepDraft]) -> Iterator[Sequence[StepDraft]]:
        """One order per request; the suppliers' holds are read for all of them at once."""
        suppliers = {_supplier_of(step) for step in steps} - {""}
        conditions = [Condition("Supplier", "EQ", supplier) for supplier in sorted(suppliers)]
        rows = (row for chunk in in_chunks(self._client, _HOLDS, conditions) for row in chunk)
        self._held |= {normal(row["Supplier"]): row["OnHold"] == "Y" for row in rows}
        yield from ([step] for step in steps)

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        """Send one order; a change is worked out anew against what SYSPRO holds at this moment.

        Raises:
            AmbiguousOutcome: No sure answer, or it was executed and cannot be read back.
            NotAuthenticated, Retriable, StaleClaim, ProtocolError: Nothing was executed.
        """
        (step,) = steps
        return [self._write(step, fence)]

    def rehearse(self, steps: Sequence[StepDraft]) -> Sequence[Outcome]:
        """Let SYSPRO validate without storing anything; POSTED means "would be written"."""
        return [self._write(step, None) for step in steps]

    def observe(self, accepted: Sequence[tuple[StepDraft, Mapping[str, Any]]]) -> Sequence[Outcome]:
        """Answer that they stand: an order is in SYSPRO or it is not, there is no ledger behind it."""
        return [Outcome(OutcomeState.POSTED, result=result) for _step, result in accepted]

    def _write(self, step: StepDraft, fence: Fence | None) -> Outcome:
        """Write one step; without a fence it is only rehearsed."""
        supplier = _supplier_of(step)
        if supplier and self._held.get(normal(supplier)) and self._options.supplier_on_hold is OnHold.PARK:
            return parked("supplier_on_hold", supplier, f"supplier {supplier} was put on hold in SYSPRO meanwhile")
        if step.name == PO_ADD:
            return self._add(new_order(step), fence)
        if step.name == PO_CHANGE:
            return self._change(changed_order(step), fence)
        return self._cancel(canceled_order(step), fence)

    # --- add -------------------------------------------------------------------------------------------------------

    def _add(self, order: NewOrder, fence: Fence | None) -> Outcome:
        refused, number = self._send(add_call(order, self._options, rehearsal=fence is None), order.head, fence)
        if refused is not None or fence is None:
            return refused or Outcome(OutcomeState.POSTED)
        key = number or order.head.number
        if not key:
            msg = f"SYSPRO processed order {order.number} without naming its number"
            raise AmbiguousOutcome(msg)
        stored, lines = self._after(key, lambda: self._lookup.lines(key))
        if not stored:
            msg = f"SYSPRO says that it wrote order {key}, which is not in PorMasterDetail"
            raise AmbiguousOutcome(msg)
        pairs, different = compare_lines(order, lines)
        if order.head.number and normal(stored) != normal(order.head.number):
            different.insert(0, "SYSPRO numbered it itself, though po_numbering is manual")
        more = {"issue": f"order {stored}: {'; '.join(different)}"} if different else {}
        return Outcome(OutcomeState.POSTED, result=result_of(stored, pairs, **more))

    @staticmethod
    def _after(key: str, read: Callable[[], T]) -> T:
        """Read an order just written. It was executed, so whatever fails here must not look as if it was not."""
        try:
            return read()
        except MLConnectorError as error:
            msg = f"order {key} was written, but cannot be read back: {error.message}"
            raise AmbiguousOutcome(msg) from error

    def _read_back(self, key: str) -> StoredOrder:
        stored = self._after(key, lambda: self._lookup.stored(key))
        if stored is None:
            msg = f"SYSPRO says that it wrote order {key}, which is not in PorMasterHdr"
            raise AmbiguousOutcome(msg)
        return stored

    # --- change and cancel -----------------------------------------------------------------------------------------

    def _change(self, order: ChangedOrder, fence: Fence | None) -> Outcome:
        stored = self._lookup.stored(order.key)
        if stored is None:
            return _missing(order)
        merged = merge(order, stored)
        if merged.refusal is not None:
            return merged.refusal
        if merged.is_done:
            return Outcome(OutcomeState.POSTED, result=result_of(stored.key, merged.pairs))
        head = merged.head or head_of(order, stored)
        call = change_call(head, merged.actions, self._options, rehearsal=fence is None)
        refused, _number = self._send(call, head, fence)
        if refused is not None or fence is None:
            return refused or Outcome(OutcomeState.POSTED)
        stored = self._read_back(order.key)
        merged = merge(order, stored)
        return Outcome(OutcomeState.POSTED, result=result_of(stored.key, merged.pairs, **_left(merged, stored)))

    def _cancel(self, order: CanceledOrder, fence: Fence | None) -> Outcome:
        stored = self._lookup.stored(order.key)
        if stored is None:
            return _missing(order)
        result = {"key": stored.key, "lines": order.crosswalk}
        if stored.status == CANCELED:
            return Outcome(OutcomeState.POSTED, result=result)
        if stored.has_receipts:
            text = (
                f"order {stored.key} has receipts in SYSPRO, so it cannot be canceled: return them, or close it there"
            )
            return parked("order_has_receipts", stored.key, text)
        if stored.is_closed:
            return parked("order_closed", stored.key, f"order {stored.key} is complete in SYSPRO")
        head = OrderHead(action=portoi.DELETE, supplier=stored.supplier, number=stored.key)
        refused, _number = self._send(change_call(head, (), self._options, rehearsal=fence is None), head, fence)
        if refused is not None or fence is None:
            return refused or Outcome(OutcomeState.POSTED)
        status = self._read_back(order.key).status
        if status != CANCELED:
            result["issue"] = f"order {stored.key} was canceled, but SYSPRO shows status {status}"
        return Outcome(OutcomeState.POSTED, result=result)

    def _send(self, call: PostCall, head: OrderHead, fence: Fence | None) -> tuple[Outcome | None, str]:
        root = self._client.post(call, fence=fence, large=self._options.transport is Carrier.POSTLD)
        try:
            return portoi.read_answer(root, head, rehearsal=fence is None)
        except AmbiguousOutcome as error:
            if fence is None:  # nothing can have been stored: it is merely not understood
                raise ProtocolError(error.message) from error
            raise


def add_call(order: NewOrder, options: SysproOptions, *, rehearsal: bool = False) -> PostCall:
    """Build the request that adds an order."""
    lines = [LineAction(portoi.ADD, 0, line) for line in order.lines]
    lines += [LineAction(portoi.ADD, 0, charge, charge.tag) for charge in order.charges]
    return portoi.post_call(order.head, lines, status=options.po_status, validate_only=rehearsal)


def change_call(
    head: OrderHead, actions: Sequence[LineAction], options: SysproOptions, *, rehearsal: bool = False
) -> PostCall:
    """Build the request that changes or cancels an order."""
    return portoi.post_call(head, actions, status=options.po_status, validate_only=rehearsal)


def _supplier_of(step: StepDraft) -> str:
    """Return whom something is ordered from by a step, ``""`` by one that only cancels."""
    return "" if step.name == PO_CANCEL else str(step.payload["order"]["supplier"])


def _missing(order: ChangedOrder | CanceledOrder) -> Outcome:
    text = f"order {order.key} ({order.number}) is no longer in SYSPRO"
    return parked("order_missing", order.key, text)


def _left(merged: Merged, stored: StoredOrder) -> dict[str, str]:
    """Say what of a change SYSPRO took and does not show."""
    if merged.is_done:
        return {}
    lines = ", ".join(f"{action.action} line {action.line or 'new'}" for action in merged.actions)
    what = merged.refusal.text if merged.refusal is not None else lines or "its header"
    return {"issue": f"order {stored.key} does not stand as it was changed: {what}"}
