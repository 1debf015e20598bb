"""The two ways an order gets into JAGGAER: one class each, alike from outside."""

from __future__ import annotations

import re
from typing import Final, Protocol

from airflow_provider_mlconnector.errors import AmbiguousOutcome, ConfigurationError
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.names import as_tenants
from airflow_provider_mlconnector.systems.jaggaer.order_json import order_body
from airflow_provider_mlconnector.systems.jaggaer.order_steps import OrderStep
from airflow_provider_mlconnector.systems.jaggaer.order_xml import order_message
from airflow_provider_mlconnector.systems.jaggaer.router import OK, Status, XmlRouter
from airflow_provider_mlconnector.systems.jaggaer.writes import write
from airflow_provider_mlconnector.systems.ports import Fence, Outcome, OutcomeState
from airflow_provider_mlconnector.systems.transport import Effect

_NO_FIELD: Final = re.compile(r"no custom field found.*\(([^()]+)\)", re.IGNORECASE | re.DOTALL)
"""What the router says to a custom field the tenant has not configured (reference/jaggaer.md §3.2)."""
_SUCCESS: Final = "success"


class OrderSender(Protocol):
    """Sends one revision of an order."""

    def send(self, step: OrderStep, *, message_id: str, fence: Fence) -> Outcome:
        """Send it. The result holds JAGGAER's ``key`` where the answer says it.

        Raises:
            AmbiguousOutcome: No parsed business answer: it may have been executed.
            MLConnectorError: Any other is proof that nothing was executed.
        """
        ...


class J1pOrders:
    """Orders by REST (reference/jaggaer.md §2.8)."""

    def __init__(self, client: JaggaerClient) -> None:
        self._client = client

    def send(self, step: OrderStep, *, message_id: str, fence: Fence) -> Outcome:  # noqa: ARG002 - J1P names no messages
        """POST the record of the order."""
        resource = self._client.contract.purchase_orders
        answer = write(
            self._client,
            resource.upsert,
            as_tenants(order_body(step, self._client.contract), resource),
            name=f"purchase order {step.order.number}",
            # a repetition could tell the supplier twice
            effect=Effect.WRITE,
            fence=fence,
            optional=True,
        )
        if not answer.done:
            return answer.refusal(subject=step.order.number)
        key = answer.text(resource.id.rpartition(".")[2])
        result = {"key": key} if key else {}
        return Outcome(OutcomeState.POSTED, result=result | ({"warning": answer.message} if answer.warned else {}))


class RouterOrders:
    """Orders as PurchaseOrderMessage (reference/jaggaer.md §3.2)."""

    def __init__(self, client: JaggaerClient, router: XmlRouter) -> None:
        self._contract = client.contract
        self._router = router

    def send(self, step: OrderStep, *, message_id: str, fence: Fence) -> Outcome:
        """Send the message of the order; the router is keyed on the word success, as its known client is."""
        message = order_message(step, self._contract, message_id=message_id)
        status = self._router.send(message, effect=Effect.WRITE, fence=fence)
        said = status.said.casefold() == _SUCCESS
        if status.code == OK and said and not any(status.errors.values()):
            return Outcome(OutcomeState.POSTED)
        if status.code == OK and not any(status.errors.values()):
            msg = (
                f"the XML router answered order {step.order.number} with status 200 and {status.text!r}, which is"
                " neither success nor an error; it is looked up before anything else"
            )
            raise AmbiguousOutcome(msg)
        return self._refusal(step, status)

    def _refusal(self, step: OrderStep, status: Status) -> Outcome:
        missing = _NO_FIELD.search(status.words)
        if missing is None:
            return Outcome(OutcomeState.REFUSED, f"router_{status.code}", step.order.number, status.words)
        name = missing[1].strip()
        text = (
            f"JAGGAER has no custom field {name} for purchase orders: have it configured there, or take it off the"
            f" contract (segments, order_writes). {status.words}"
        )
        return Outcome(OutcomeState.REFUSED, "custom_field_missing", name, text, parked=True)


def no_router(client: JaggaerClient, what: str) -> ConfigurationError:
    """Return the error for documents that go by a router nobody named."""
    where = f"connection '{client.connection}', field Router URL"
    msg = f"{where}: {what} are to go by the XML router, and none is named; fill in its address, identity and secret"
    return ConfigurationError(msg, field=where)
