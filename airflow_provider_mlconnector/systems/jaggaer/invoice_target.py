"""JAGGAER as a target of the ledger's invoices: imported once, submitted until its list shows them (FINANCE §5, §6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.documents.invoice import Invoice, InvoiceKind
from airflow_provider_mlconnector.documents.translated import TranslatedInvoice
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.systems.jaggaer.base import JaggaerSystem, SteadySession
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.cxml_gateway import CxmlGateway
from airflow_provider_mlconnector.systems.jaggaer.invoice_lookup import HeldInvoices
from airflow_provider_mlconnector.systems.jaggaer.invoice_out import InvoicePlanner, draft_of, invoice_step
from airflow_provider_mlconnector.systems.jaggaer.invoice_out_senders import WAYS, InvoiceSender, Ways
from airflow_provider_mlconnector.systems.jaggaer.masters import read_masters
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.jaggaer.router import XmlRouter
from airflow_provider_mlconnector.systems.ports import (
    NO_CONTEXT,
    NOT_SEEN,
    Context,
    Fence,
    Found,
    FoundState,
    Outcome,
    OutcomeState,
    Plan,
    StepDraft,
)

SUBMITTED_AT = "submitted_at"
"""Key of a result: when it was handed over."""


class JaggaerInvoiceTarget(JaggaerSystem):
    """Supplier invoices of one tenant (implements ``ports.AdoptingTarget``).

    Args:
        name: The Airflow connection's id.
        client: For the tenant.
        options: The route's choices.
        router: The XML router, for tenants that take invoices there.
        cxml: The same for cXML.

    Raises:
        ConfigurationError: The way chosen is not open, or the tenant offers no list to look invoices up in.
    """

    def __init__(
        self,
        name: str,
        client: JaggaerClient,
        options: JaggaerOptions,
        *,
        router: XmlRouter | None = None,
        cxml: CxmlGateway | None = None,
    ) -> None:
        super().__init__(name, client, options)
        if not client.contract.invoices.list:
            where = f"connection '{client.connection}', field Contract overrides"
            msg = (
                f"{where}: no path is named for the invoice list; without it nobody could tell whether an invoice is in"
                " JAGGAER already, so none is sent"
            )
            raise ConfigurationError(msg, field=where)
        self._sender = WAYS[options.invoices_by or client.contract.invoice_writes.by](client, Ways(router, cxml))
        self._planner = InvoicePlanner(options, self._sender.missing)

    @property
    def settle_seconds(self) -> float:
        """Our own deadline plus what JAGGAER may still work after it."""
        return max(self._client.timeout, self._sender.timeout) + self._options.remote_timeout

    def plan(
        self,
        coded: TranslatedInvoice,
        reference: Mapping[str, Any],
        *,
        our_reference: str,
        context: Context = NO_CONTEXT,  # noqa: ARG002 - an invoice is written once
    ) -> Plan:
        """Turn an invoice into its one step (see :meth:`.InvoicePlanner.plan`)."""
        return Plan([self._planner.plan(coded, reference, ours=our_reference)])

    def may_repost(self, step: StepDraft, *, not_found: int, minutes_since_first: float) -> bool:  # noqa: ARG002 - one seam
        """Never: an import takes its time, and nothing proves that it will not come (FINANCE §5)."""
        return False

    def identify(
        self, *, supplier: str, number: str, kind: InvoiceKind, currency: str, gross: Decimal, document_date: date
    ) -> StepDraft:
        """Return a draft good for looking an invoice up by what the store's summary shows.

        JAGGAER's own currency code is not known here, so currency is not compared.
        """
        invoice = Invoice(
            kind=kind,
            source_key=number,
            revision="-",
            number=number,
            supplier=supplier,
            invoice_date=document_date,
            currency=currency,
            gross=gross,
            lines=(),
        )
        draft = draft_of(invoice, ours="", payload={})
        told = {name: value for name, value in draft.fingerprint.items() if name != "currency"}
        return StepDraft(
            name=draft.name,
            kind=draft.kind,
            company=draft.company,
            remote_reference=draft.remote_reference,
            our_reference="",
            payload=draft.payload,
            fingerprint=told,
            text=draft.text,
        )

    @contextmanager
    def session(self) -> Iterator[InvoiceSession]:
        """Open a session; nothing needs to be held for it."""
        yield InvoiceSession(self._client, self._options, self._sender)


class InvoiceSession(SteadySession):
    """Imports invoices and looks for them (implements ``ports.TargetSession``)."""

    def __init__(self, client: JaggaerClient, options: JaggaerOptions, sender: InvoiceSender) -> None:
        self._client = client
        self._options = options
        self._sender = sender
        self._held = HeldInvoices(client)

    def read_reference(self, *, suppliers: Sequence[str], accounts: Sequence[str]) -> Mapping[str, Any]:  # noqa: ARG002 - one seam
        """Read suppliers and code lists (:func:`.read_masters`)."""
        return read_masters(self._client, self._options)

    def find(self, steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:
        """Look invoices up by supplier, number and type, and compare what the list shows."""
        return self._held.find(steps, settling=settling)

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        """Hand the one invoice of a group over."""
        (draft,) = steps
        outcome = self._sender.send(invoice_step(draft), reference=draft.our_reference, fence=fence)
        if outcome.state is not OutcomeState.SUBMITTED:
            return [outcome]
        at = {SUBMITTED_AT: self._client.clock.now().isoformat()}
        return [Outcome(OutcomeState.SUBMITTED, result={**outcome.result, **at})]

    def observe(self, accepted: Sequence[tuple[StepDraft, Mapping[str, Any]]]) -> Sequence[Outcome]:
        """Look for what was handed over: posted once the list shows it, for a person if it never does."""
        found = self._held.find([step for step, _result in accepted], settling=True)
        return [self._stands(step, result, seen) for (step, result), seen in zip(accepted, found, strict=True)]

    def _stands(self, step: StepDraft, result: Mapping[str, Any], seen: Found) -> Outcome:
        result = {**result, **seen.result}
        if seen.state is FoundState.OURS:
            return Outcome(OutcomeState.POSTED, result=result)
        number = step.payload["number"]
        if seen.state is FoundState.DIFFERENT:
            text = f"JAGGAER took {number} otherwise than it was sent: {seen.detail}. Correct or delete it there"
            return Outcome(OutcomeState.REFUSED, "not_as_sent", number, text, result=result)
        since = datetime.fromisoformat(str(result[SUBMITTED_AT]))
        hours = (self._client.clock.now() - since).total_seconds() / 3600
        if hours < self._options.unseen_hours:
            return Outcome(OutcomeState.SUBMITTED, result=result)
        text = (
            f"handed over at {since:%Y-%m-%d %H:%M} UTC and not in JAGGAER's invoice list since: look there for"
            f" {number} of {step.payload['supplier']} among imports that failed"
        )
        return Outcome(OutcomeState.SUBMITTED, NOT_SEEN, number, text, result=result)
