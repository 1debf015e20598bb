"""CloudSuite Industrial as a target of invoices (implements ``ports.DocumentTarget``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.documents.coding import CodedInvoice
from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.systems.cloudsuite.csi.base import CsiSystem
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_numbers import lease
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_plan import CREDIT, INVOICE, VOUCHER, VoucherPlanner
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_session import VoucherSession
from airflow_provider_mlconnector.systems.ports import NO_CONTEXT, Context, Plan, StepDraft, StepKind

_SECOND_LOOK_MINUTES = 15
"""Targets without uniqueness need two not-founds this far apart (FINANCE §8)."""
_SECOND_LOOK = 2


class CsiVoucherTarget(CsiSystem):
    """Plans vouchers and opens sessions."""

    @property
    def operator_lease(self) -> str:
        """One worker at a time writes vouchers, unless CSI surely numbers them itself."""
        if self._options.voucher_numbering == "assigned":
            return ""
        return lease(self._gateway.tenant, self._options.configuration)

    @property
    def self_contained(self) -> bool:
        """A negative voucher credits its vendor, and purchase orders are CSI's own."""
        return True

    def plan(
        self,
        coded: CodedInvoice,
        reference: Mapping[str, Any],
        *,
        our_reference: str,
        context: Context = NO_CONTEXT,  # noqa: ARG002 - invoices refer to nothing of CSI's that the store knows better
    ) -> Plan:
        """Check a coded invoice and turn it into steps: header on hold, distributions, release.

        Raises:
            Rejected: A cause inside the document.
            Parked: A cause outside it.
        """
        return Plan(VoucherPlanner(coded, reference, self._options, our_reference=our_reference).steps())

    def may_repost(self, step: StepDraft, *, not_found: int, minutes_since_first: float) -> bool:
        """Tell whether a step proven absent may be sent again by itself (FINANCE §5).

        A header only where the site says so, since CSI refuses no second one; distributions and release only complete
        what is there.
        """
        if step.name != VOUCHER:
            return not_found >= 1
        twice = not_found >= _SECOND_LOOK and minutes_since_first >= _SECOND_LOOK_MINUTES
        return twice and self._options.voucher_repost == "second_look"

    def reference_proven(self, step: str) -> bool:  # noqa: ARG002 - the port's names
        """``Ref`` of an unposted voucher is a documented, readable property (reference/cloudsuite.md §5.1)."""
        return True

    def observe_reference(self, step: str, *, proven: bool) -> None:
        """Nothing to learn: the repeat of a header depends on no proof."""

    def identify(
        self, *, supplier: str, number: str, kind: InvoiceKind, currency: str, gross: Decimal, document_date: date
    ) -> StepDraft:
        """Return a draft good for looking an invoice up by what the store's summary shows.

        CSI's own currency code is not known here, so currency is not compared.
        """
        letter = CREDIT if kind is InvoiceKind.CREDIT_MEMO else INVOICE
        return StepDraft(
            name=VOUCHER,
            kind=StepKind.CREATE,
            company=self._options.configuration,
            remote_reference="|".join((comparable(supplier), comparable(number), letter)),
            our_reference="",
            payload={"vendor": supplier, "number": number, "kind": letter},
            fingerprint={
                "supplier": comparable(supplier),
                "number": comparable(number),
                "gross": str(-abs(gross) if letter == CREDIT else gross),
                "invoice_date": document_date.isoformat(),
            },
            text=f"{kind} {supplier} {number} {currency} {gross}",
        )

    @contextmanager
    def session(self) -> Iterator[VoucherSession]:
        """Open a session; the caller holds :attr:`operator_lease`."""
        yield VoucherSession(self._ido)
