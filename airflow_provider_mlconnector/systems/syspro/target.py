"""SYSPRO as a target of invoices (implements ``ports.DocumentTarget``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.documents.coding import CodedInvoice
from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.systems.ports import NO_CONTEXT, Context, Plan, StepDraft, StepKind
from airflow_provider_mlconnector.systems.syspro import apstin
from airflow_provider_mlconnector.systems.syspro.base import SysproSystem
from airflow_provider_mlconnector.systems.syspro.batches import Batcher
from airflow_provider_mlconnector.systems.syspro.client import SysproClient
from airflow_provider_mlconnector.systems.syspro.keys import normal
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
from airflow_provider_mlconnector.systems.syspro.plan import AP_CREDIT, AP_INVOICE, Planner
from airflow_provider_mlconnector.systems.syspro.session import SysproSession

_SECOND_LOOK_MINUTES = 15
"""Targets without uniqueness need two not-founds this far apart (FINANCE §8)."""
_SECOND_LOOK = 2


class SysproTarget(SysproSystem):
    """Plans postings of invoices and opens sessions.

    Args:
        name: The Airflow connection's id.
        client: For the operator and company of the connection.
        options: Connection's and route's choices.
    """

    def __init__(self, name: str, client: SysproClient, options: SysproOptions) -> None:
        super().__init__(name, client, options)
        self._batcher = Batcher(client, options)
        self._proven = {AP_CREDIT} if options.credit_reference_proven else set[str]()

    def plan(
        self,
        coded: CodedInvoice,
        reference: Mapping[str, Any],
        *,
        our_reference: str,
        context: Context = NO_CONTEXT,
    ) -> Plan:
        """Check a coded invoice and turn it into steps: the AP document, then a journal where AP is not linked.

        Raises:
            Rejected: A cause inside the document.
            Parked: A cause outside it.
        """
        planner = Planner(coded, reference, self._options, our_reference=our_reference, orders=context.orders)
        steps = planner.steps()
        for step in steps:
            if not self._batcher.fits(step):
                way = "one URL; transport postld carries larger ones" if self._batcher.by_url else "one PostLD body"
                lines = len(coded.postings)
                msg = f"invoice {coded.invoice.number} with {lines} GL lines is too large for {way}"
                raise Parked(msg, code="too_large", subject=coded.invoice.number)
        return Plan(steps)

    def may_repost(self, step: StepDraft, *, not_found: int, minutes_since_first: float) -> bool:
        """Tell whether a step proven absent may be sent again by itself (FINANCE §5)."""
        if step.name == AP_INVOICE:
            return not_found >= 1  # SYSPRO refuses a duplicate number of the supplier
        if step.name == AP_CREDIT and not self.reference_proven(step.name):
            return False
        return not_found >= _SECOND_LOOK and minutes_since_first >= _SECOND_LOOK_MINUTES

    def reference_proven(self, step: str) -> bool:
        """Tell whether a look-up by our reference has been seen to find a step of this name at this site."""
        return step in self._proven

    def observe_reference(self, step: str, *, proven: bool) -> None:
        """Learn what a look-up of a step that surely happened showed; open sessions know at once."""
        (self._proven.add if proven else self._proven.discard)(step)

    def identify(
        self, *, supplier: str, number: str, kind: InvoiceKind, currency: str, gross: Decimal, document_date: date
    ) -> StepDraft:
        """Return a draft good for looking an invoice up by what the store's summary shows; credits are not found so.

        SYSPRO's own currency code is not known here, so currency is not compared.
        """
        letter = apstin.CREDIT if kind is InvoiceKind.CREDIT_MEMO else apstin.INVOICE
        return StepDraft(
            name=AP_INVOICE,
            kind=StepKind.CREATE,
            company=self._options.company,
            remote_reference="|".join((normal(supplier), normal(number), letter)),
            our_reference="",
            payload={"item": {"supplier": supplier, "invoice": number}},
            fingerprint={
                "supplier": normal(supplier),
                "number": normal(number),
                "gross": str(gross),
                "invoice_date": document_date.isoformat(),
            },
            text=f"{kind} {supplier} {number} {currency} {gross}",
        )

    @contextmanager
    def session(self) -> Iterator[SysproSession]:
        """Open a session; the caller holds :attr:`operator_lease`."""
        with self.logged_on() as client:
            yield SysproSession(client, self._options, proven=self._proven)
