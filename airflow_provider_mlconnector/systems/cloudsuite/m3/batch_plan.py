"""Turning a coded invoice into a batch's three steps: head, accounting lines, validation (FINANCE §5, §6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from airflow_provider_mlconnector.documents.coding import CodedInvoice, Posting
from airflow_provider_mlconnector.documents.currency import minor_unit
from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.systems.cloudsuite.m3 import batch_checks as checks
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.systems.cloudsuite.m3.values import day_text
from airflow_provider_mlconnector.systems.ports import StepDraft, StepKind

BATCH, LINES, VALIDATION = "invoice_batch", "batch_lines", "batch_validation"
INVOICE, CREDIT = "I", "C"
"""Ours: both are the same ``IBTP`` in M3, a credit memo with negative amounts."""
ACCOUNTING: Final = "8"
"""``RDTP`` of a line that goes straight to the ledger (§5.2)."""


class BatchPlanner:
    """Plans one coded invoice.

    Args:
        coded: What to post.
        reference: From :func:`~.batch_session.read_reference`.
        options: The connection's and the route's choices.
        our_reference: What makes the batch findable as ours.
    """

    def __init__(
        self, coded: CodedInvoice, reference: Mapping[str, Any], options: M3Options, *, our_reference: str
    ) -> None:
        self._coded = coded
        self._invoice = coded.invoice
        self._reference = reference
        self._options = options
        self._ours = our_reference
        self._notes: list[str] = []
        self._letter = CREDIT if self._invoice.kind is InvoiceKind.CREDIT_MEMO else INVOICE

    def steps(self) -> list[StepDraft]:
        """Run every check and return the steps, in order.

        Raises:
            Rejected: A cause inside the document.
            Parked: A cause outside it.
        """
        checks.document(self._coded, self._options)
        checks.fits("CORI", self._ours, what="our reference")
        supplier = checks.supplier(self._coded, self._reference, self._options)
        checks.po_lines(self._coded, self._options)
        lines = list(self._lines())
        where = {
            "supplier": supplier["SUNO"],
            "payee": supplier.get("PRSU") or supplier["SUNO"],
            "number": self._invoice.number,
            "kind": self._letter,
            "head": self._head(supplier),
        }
        return [
            self._step(BATCH, StepKind.CREATE, where, f"invoice batch {self._named()}"),
            self._step(
                LINES, StepKind.ABSOLUTE, {**where, "lines": lines}, f"{len(lines)} lines of batch {self._named()}"
            ),
            self._step(VALIDATION, StepKind.ABSOLUTE, {**where, "lines": lines}, f"validate batch {self._named()}"),
        ]

    def _named(self) -> str:
        kind = "credit memo " if self._letter == CREDIT else ""
        invoice = self._invoice
        return f"{kind}{invoice.supplier} {invoice.number} {invoice.currency} {self._text(invoice.gross)}"

    def _head(self, supplier: Mapping[str, Any]) -> dict[str, str]:
        """Return the inputs of ``AddHead`` (§5.2): no date but a due date M3 works out by the terms is left to it."""
        coded, invoice = self._coded, self._invoice
        head = {
            **self._options.head_inputs,
            "SUNO": supplier["SUNO"],
            "SPYN": supplier.get("PRSU") or supplier["SUNO"],
            "IBTP": self._options.invoice_type,
            "SINO": invoice.number,
            "IVDT": day_text(invoice.invoice_date),
            "ACDT": day_text(invoice.accounting_date or invoice.invoice_date),
            "CUCD": coded.currency,
            "CUAM": self._text(invoice.gross),
            "VTAM": self._text(coded.tax_value),
        }
        checks.fits("CUCD", coded.currency, what="currency")
        if coded.terms_code:
            checks.fits("TEPY", coded.terms_code, what="terms")
            head["TEPY"] = coded.terms_code
        if invoice.due_date is not None:
            head["DUDT"] = day_text(invoice.due_date)
        else:
            self._notes.append("no due date is told: M3 works it out by the terms")
        if self._options.reference_field:
            head[self._options.reference_field] = self._ours
        return head

    def _lines(self) -> Iterator[dict[str, str]]:
        """Return the inputs of ``AddLine`` per posting; the batch's number is not known yet."""
        when = self._invoice.accounting_date or self._invoice.invoice_date
        for posting in self._coded.postings:
            line = {"RDTP": ACCOUNTING, "NLAM": self._text(posting.amount)}
            told = {"account": posting.gl_code, "cost_center": posting.cost_center}
            for name, what in self._options.dimensions.items():
                if told[what]:
                    checks.identity(what, told[what], when, self._reference)
                    line[name] = told[what]
            yield line | self._vat(posting)

    def _vat(self, posting: Posting) -> dict[str, str]:
        code = checks.vat_code(posting.tax_code or self._coded.tax_code)
        if not code:
            return {}
        return {"VTCD": code, **({"VTA1": self._text(posting.tax_amount)} if posting.tax_amount else {})}

    def _text(self, amount: Decimal) -> str:
        """Write an amount with the currency's decimals, credits negative."""
        signed = (-amount if self._letter == CREDIT else amount).quantize(minor_unit(self._invoice.currency))
        return f"{signed or abs(signed):f}"

    def _step(self, name: str, kind: StepKind, payload: Mapping[str, Any], text: str) -> StepDraft:
        key = "|".join((comparable(payload["supplier"]), comparable(self._invoice.number), self._letter))
        return StepDraft(
            name=name,
            kind=kind,
            company=self._options.company,
            remote_reference=key if name == BATCH else f"{key}|{name}@{self._ours}",
            our_reference=self._ours,
            payload={**payload, "notes": self._notes},
            fingerprint={
                "supplier": comparable(payload["supplier"]),
                "number": comparable(self._invoice.number),
                "type": self._letter,
                "currency": self._coded.currency,
                "gross": self._text(self._invoice.gross),
                "tax": self._text(self._coded.tax_value),
                "invoice_date": self._invoice.invoice_date.isoformat(),
            },
            text="; ".join([text, *self._notes]) if name == BATCH else text,
        )
