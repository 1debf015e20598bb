"""The ways an invoice gets into JAGGAER: one class each, alike from outside; a further one is a line in ``WAYS``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from airflow_provider_mlconnector.documents.invoice import ChargeKind
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.cxml import CONFLICT
from airflow_provider_mlconnector.systems.jaggaer.cxml_gateway import CxmlGateway
from airflow_provider_mlconnector.systems.jaggaer.cxml_invoice import invoice_request
from airflow_provider_mlconnector.systems.jaggaer.invoice_out import InvoiceStep
from airflow_provider_mlconnector.systems.jaggaer.invoice_out_json import import_body
from airflow_provider_mlconnector.systems.jaggaer.invoice_xml import ocr_message
from airflow_provider_mlconnector.systems.jaggaer.order_senders import no_router
from airflow_provider_mlconnector.systems.jaggaer.router import OK, XmlRouter
from airflow_provider_mlconnector.systems.jaggaer.writes import EXISTS, write
from airflow_provider_mlconnector.systems.ports import Fence, Outcome, OutcomeState
from airflow_provider_mlconnector.systems.transport import Effect


@dataclass(frozen=True)
class Ways:
    """What a connection opens beside the J1P interface; None where it does not."""

    router: XmlRouter | None = None
    cxml: CxmlGateway | None = None


class InvoiceSender(Protocol):
    """Hands one invoice over."""

    @property
    def timeout(self) -> float:
        """Seconds one request may take in all."""
        ...

    @property
    def missing(self) -> Collection[ChargeKind]:
        """Charges this way has no place for."""
        ...

    def send(self, step: InvoiceStep, *, reference: str, fence: Fence) -> Outcome:
        """Send it; ``reference`` is the same for every repetition of this document.

        Returns:
            SUBMITTED, or why it was refused.

        Raises:
            AmbiguousOutcome: No parsed business answer: it may have been executed.
            MLConnectorError: Any other is proof that nothing was executed.
        """
        ...


class J1pInvoices:
    """Invoices by the JSON import (reference/jaggaer.md §2.5)."""

    def __init__(self, client: JaggaerClient, ways: Ways) -> None:  # noqa: ARG002 - one seam
        self._client = client

    @property
    def timeout(self) -> float:
        """Seconds one request may take in all."""
        return self._client.timeout

    @property
    def missing(self) -> Collection[ChargeKind]:
        """Charges whose names the contract leaves empty."""
        names = self._client.contract.invoice_writes.fields
        places = {
            ChargeKind.FREIGHT: names.freight,
            ChargeKind.HANDLING: names.handling,
            ChargeKind.DISCOUNT: names.discount,
        }
        return [kind for kind, name in places.items() if not name]

    def send(self, step: InvoiceStep, *, reference: str, fence: Fence) -> Outcome:
        """POST the import of one invoice."""
        contract = self._client.contract
        answer = write(
            self._client,
            contract.invoices.create,
            import_body(step, contract, batch=reference, now=self._client.clock.now()),
            name=f"invoice import {step.invoice.number}",
            effect=Effect.WRITE,
            fence=fence,
            optional=True,
        )
        if not answer.done:
            return answer.refusal(subject=step.invoice.number)
        key = answer.text(contract.invoices.id.rpartition(".")[2])
        result = {"key": key} if key else {}
        return Outcome(OutcomeState.SUBMITTED, result=result | ({"warning": answer.message} if answer.warned else {}))


class RouterInvoices:
    """Invoices as BuyerInvoiceOcrMessage (reference/jaggaer.md §3.3).

    Raises:
        ConfigurationError: No router, or not where it takes such messages.
    """

    def __init__(self, client: JaggaerClient, ways: Ways) -> None:
        if ways.router is None:
            raise no_router(client, "invoices")
        self._contract = client.contract
        self._router = ways.router
        if not self._contract.invoice_writes.path:
            where = f"connection '{client.connection}', field Contract overrides"
            msg = (
                f"{where}: invoice_writes.path is empty; ask JAGGAER where this tenant's router takes"
                " BuyerInvoiceOcrMessage"
            )
            raise ConfigurationError(msg, field=where)

    @property
    def timeout(self) -> float:
        """Seconds one request may take in all."""
        return self._router.timeout

    @property
    def missing(self) -> Collection[ChargeKind]:
        """The message knows discounts for early payment only."""
        return [ChargeKind.DISCOUNT]

    def send(self, step: InvoiceStep, *, reference: str, fence: Fence) -> Outcome:
        """Send the message of one invoice."""
        message = ocr_message(step, self._contract, message_id=reference)
        status = self._router.send(message, effect=Effect.WRITE, fence=fence)
        if status.code != OK:
            state = OutcomeState.DUPLICATE if EXISTS.search(status.words) else OutcomeState.REFUSED
            return Outcome(state, f"router_{status.code}", step.invoice.number, status.words)
        # what it may object to all the same shows when the invoice is not seen in the list
        return Outcome(OutcomeState.SUBMITTED, result={"warning": status.text} if status.text != status.said else {})


class CxmlInvoices:
    """Invoices as cXML InvoiceDetailRequest (reference/jaggaer.md §4.3).

    Raises:
        ConfigurationError: The connection does not say where the tenant takes cXML.
    """

    def __init__(self, client: JaggaerClient, ways: Ways) -> None:
        if ways.cxml is None:
            where = f"connection '{client.connection}', field cXML URL"
            msg = f"{where}: is empty, but invoices are to go by cXML; fill it in, or choose another invoices_by"
            raise ConfigurationError(msg, field=where)
        self._contract = client.contract
        self._gateway = ways.cxml

    @property
    def timeout(self) -> float:
        """Seconds one request may take in all."""
        return self._gateway.timeout

    @property
    def missing(self) -> Collection[ChargeKind]:
        """None: the message has a place for all of them."""
        return ()

    def send(self, step: InvoiceStep, *, reference: str, fence: Fence) -> Outcome:
        """Send the message of one invoice."""
        request = invoice_request(step, self._contract, reference=reference)
        status = self._gateway.send(request, fence=fence)
        if status.refused:
            taken = status.code == CONFLICT or EXISTS.search(status.text)
            state = OutcomeState.DUPLICATE if taken else OutcomeState.REFUSED
            return Outcome(state, f"cxml_{status.code}", step.invoice.number, status.words)
        said = f"JAGGAER answered with the bare text {status.text}, which says nothing of the invoice"
        return Outcome(OutcomeState.SUBMITTED, result={"warning": said} if status.plain else {})


Way: TypeAlias = Callable[[JaggaerClient, Ways], InvoiceSender]
WAYS: Final[Mapping[str, Way]] = {"j1p": J1pInvoices, "router": RouterInvoices, "cxml": CxmlInvoices}
"""Names of ``invoices_by`` → class, called with client and what else the connection opens."""
