"""JAGGAER as a target of purchase orders: the ledger's orders, approved, each revision told once (FINANCE §5, §7)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from airflow_provider_mlconnector.documents.translated import TranslatedOrder
from airflow_provider_mlconnector.errors import MLConnectorError
from airflow_provider_mlconnector.systems.jaggaer.base import JaggaerSystem, SteadySession
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.masters import read_masters
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.jaggaer.order_lookup import HeldOrders
from airflow_provider_mlconnector.systems.jaggaer.order_plan import OrderPlanner
from airflow_provider_mlconnector.systems.jaggaer.order_senders import J1pOrders, OrderSender, RouterOrders, no_router
from airflow_provider_mlconnector.systems.jaggaer.order_steps import OrderStep, order_step
from airflow_provider_mlconnector.systems.jaggaer.router import XmlRouter
from airflow_provider_mlconnector.systems.ports import (
    NO_CONTEXT,
    Context,
    Fence,
    Found,
    FoundState,
    Outcome,
    OutcomeState,
    Plan,
    StepDraft,
)

log = logging.getLogger(__name__)
_SECOND_LOOK, _SECOND_LOOK_MINUTES = 2, 15
"""What may reach the supplier is repeated only after two not-founds this far apart (FINANCE §8), if at all."""
ROUTER: Final = "router"


class JaggaerOrderTarget(JaggaerSystem):
    """Purchase orders of one tenant (implements ``ports.DocumentTarget``).

    Args:
        name: The Airflow connection's id.
        client: For the tenant.
        options: The route's choices.
        router: The XML router, for tenants that take orders there.

    Raises:
        ConfigurationError: Orders go by the router, and the connection names none.
    """

    def __init__(
        self, name: str, client: JaggaerClient, options: JaggaerOptions, *, router: XmlRouter | None = None
    ) -> None:
        super().__init__(name, client, options)
        way = options.orders_by or client.contract.order_writes.by
        self._router = router if way == ROUTER else None
        if way == ROUTER and router is None:
            raise no_router(client, "orders")
        self._planner = OrderPlanner(client.contract, options, by_router=way == ROUTER)

    @property
    def settle_seconds(self) -> float:
        """Our own deadline, the router's if that is longer, plus what JAGGAER may still work after it."""
        router = self._router.timeout if self._router else 0.0
        return max(self._client.timeout, router) + self._options.remote_timeout

    def plan(
        self,
        coded: TranslatedOrder,
        reference: Mapping[str, Any],
        *,
        our_reference: str,
        context: Context = NO_CONTEXT,
    ) -> Plan:
        """Turn an order into its next revision in JAGGAER (see :meth:`.OrderPlanner.plan`)."""
        return self._planner.plan(coded, reference, ours=our_reference, context=context)

    def may_repost(self, step: StepDraft, *, not_found: int, minutes_since_first: float) -> bool:
        """Tell whether a revision proven absent may be sent again.

        Without distribution it can reach nobody twice. With it a person decides, unless the route says otherwise: the
        supplier is told of a revision once (FINANCE §7).
        """
        if not order_step(step).distribute:
            return not_found >= 1
        again = self._options.unclear_orders == "repeat"
        return again and not_found >= _SECOND_LOOK and minutes_since_first >= _SECOND_LOOK_MINUTES

    @contextmanager
    def session(self) -> Iterator[OrderSession]:
        """Open a session; nothing needs to be held for it."""
        sender: OrderSender = RouterOrders(self._client, self._router) if self._router else J1pOrders(self._client)
        yield OrderSession(self._client, self._options, sender)


class OrderSession(SteadySession):
    """Writes orders and looks them up (implements ``ports.TargetSession``)."""

    def __init__(self, client: JaggaerClient, options: JaggaerOptions, sender: OrderSender) -> None:
        self._client = client
        self._options = options
        self._sender = sender
        self._held = HeldOrders(client)

    def read_reference(self, *, suppliers: Sequence[str], accounts: Sequence[str]) -> Mapping[str, Any]:  # noqa: ARG002 - one seam
        """Read suppliers and code lists (:func:`.read_masters`)."""
        return read_masters(self._client, self._options)

    def find(self, steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:
        """Look orders up by number and compare.

        With ``settling``, a revision JAGGAER does not show is absent only where repeating it is allowed at all.
        """
        answers = self._held.find([order_step(step) for step in steps], settling=settling)
        if not settling:
            return answers
        return [self._for_a_person(order_step(step), found) for step, found in zip(steps, answers, strict=True)]

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        """Send the one revision of a group and read back which key and revision JAGGAER gave it."""
        (draft,) = steps
        step = order_step(draft)
        outcome = self._sender.send(step, message_id=f"{draft.our_reference}-po", fence=fence)
        if outcome.state is not OutcomeState.POSTED:
            return [outcome]
        result = {"revision_number": step.revision_number, "digest": step.digest, **self._shown(step), **outcome.result}
        return [Outcome(OutcomeState.POSTED, result=result)]

    def _for_a_person(self, step: OrderStep, found: Found) -> Found:
        if found.state is not FoundState.ABSENT or not step.distribute or self._options.unclear_orders == "repeat":
            return found
        text = f"{found.detail}; its supplier may have been told of it all the same, so it is not sent again by itself"
        return Found(FoundState.UNKNOWN, text, found.result)

    def _shown(self, step: OrderStep) -> Mapping[str, Any]:
        """Return key and revision as JAGGAER shows them now; what is written stays written if it cannot be read."""
        try:
            return self._held.shown(step)
        except MLConnectorError as error:
            log.warning("Order %s was written, but its key could not be read: %s", step.order.number, error)
            return {}
