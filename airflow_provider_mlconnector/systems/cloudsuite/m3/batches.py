"""CloudSuite M3 as a target of invoices: supplier invoice batches (implements ``ports.DocumentTarget``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.documents.coding import CodedInvoice
from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.systems.cloudsuite.m3.base import M3System
from airflow_provider_mlconnector.systems.cloudsuite.m3.batch_plan import BATCH, CREDIT, INVOICE, BatchPlanner
from airflow_provider_mlconnector.systems.cloudsuite.m3.batch_session import BatchSession
from airflow_provider_mlconnector.systems.ports import NO_CONTEXT, Context, Plan, StepDraft, StepKind


class M3BatchTarget(M3System):
    """Plans invoice batches and opens sessions."""

    @property
    def operator_lease(self) -> str:
        """M3 numbers batches itself: writing them disturbs nobody."""
        return ""

    @property
    def self_contained(self) -> bool:
        """Whether no other document is needed to take an invoice: a credit memo credits its supplier."""
        return True

    def plan(
        self,
        coded: CodedInvoice,
        reference: Mapping[str, Any],
        *,
        our_reference: str,
        context: Context = NO_CONTEXT,  # noqa: ARG002 - invoices refer to nothing of M3's that the store knows better
    ) -> Plan:
        """Check a coded invoice and turn it into steps: head, lines, validation.

        Raises:
            Rejected: A cause inside the document.
            Parked: A cause outside it.
        """
        return Plan(BatchPlanner(coded, reference, self._options, our_reference=our_reference).steps())

    def may_repost(self, step: StepDraft, *, not_found: int, minutes_since_first: float) -> bool:  # noqa: ARG002 - no time makes it safe
        """Tell whether a step proven absent may be sent again by itself (FINANCE §5).

        A head never, since M3 takes a second one; lines and validation only complete what is there.
        """
        return step.name != BATCH and not_found >= 1

    def reference_proven(self, step: str) -> bool:  # noqa: ARG002 - the port's names
        """Whether batches carry our reference: the field is documented for head and look-up alike (§5.2)."""
        return bool(self._options.reference_field)

    def observe_reference(self, step: str, *, proven: bool) -> None:
        """Nothing to learn: a head is never repeated."""

    def identify(
        self, *, supplier: str, number: str, kind: InvoiceKind, currency: str, gross: Decimal, document_date: date
    ) -> StepDraft:
        """Return a draft good for looking an invoice up by what the store's summary shows.

        The payee is taken for the supplier itself; M3's own currency code is not known here and not compared.
        """
        letter = CREDIT if kind is InvoiceKind.CREDIT_MEMO else INVOICE
        return StepDraft(
            name=BATCH,
            kind=StepKind.CREATE,
            company=self._options.company,
            remote_reference="|".join((comparable(supplier), comparable(number), letter)),
            our_reference="",
            payload={"supplier": comparable(supplier), "payee": comparable(supplier), "number": number, "kind": letter},
            fingerprint={
                "supplier": comparable(supplier),
                "number": comparable(number),
                "gross": str(-abs(gross) if letter == CREDIT else gross),
                "invoice_date": document_date.isoformat(),
            },
            text=f"{kind} {supplier} {number} {currency} {gross}",
        )

    @contextmanager
    def session(self) -> Iterator[BatchSession]:
        """Open a session."""
        yield BatchSession(self._mi)
