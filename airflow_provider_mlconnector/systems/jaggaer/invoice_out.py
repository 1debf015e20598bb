"""An invoice of the ledger on its way into JAGGAER: checked, and what the import is told of it (FINANCE §2, §4).

The import takes header sums only and works the total out itself, so what it cannot reproduce does not leave.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from airflow_provider_mlconnector.documents.charges import Reading
from airflow_provider_mlconnector.documents.currency import EXACT, add, round_to_minor
from airflow_provider_mlconnector.documents.invoice import Charge, ChargeKind, Invoice, Tax
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.model import Amount
from airflow_provider_mlconnector.documents.translated import TranslatedInvoice
from airflow_provider_mlconnector.documents.validation import check_invoice
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.systems.jaggaer.masters import check_codes, supplier_of
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.ports import StepDraft, StepKind

INVOICE: Final = "invoice_import"
"""Name of the step."""
_SLOTS: Final = 2


class InvoiceStep(BaseModel):
    """What the import is told.

    Attributes:
        invoice: In JAGGAER's codes.
        unit: Business unit.
        freight: Of header and lines together, likewise the others.
        handling: Miscellaneous charges included: the import has no place of its own for them.
        discount: Positive; reduces the total.
        taxes: What the total holds of each of JAGGAER's two taxes.
        notes: Remarks, with our reference for whoever looks for the document.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    invoice: Invoice
    unit: str = ""
    freight: Amount
    handling: Amount
    discount: Amount
    taxes: tuple[Amount, Amount]
    notes: str


def invoice_step(draft: StepDraft) -> InvoiceStep:
    """Return the payload of an :data:`INVOICE` step."""
    return InvoiceStep.model_validate(draft.payload["invoice"])


@dataclass(frozen=True)
class InvoicePlanner:
    """Plans invoices.

    Attributes:
        options: The route's choices.
        missing: Charges the import has no place for.
    """

    options: JaggaerOptions
    missing: Collection[ChargeKind] = ()

    def plan(self, coded: TranslatedInvoice, reference: Mapping[str, Any], *, ours: str) -> StepDraft:
        """Check an invoice and return its one step.

        Raises:
            Rejected: It is not sound in itself.
            Parked: ``supplier_unknown``, ``unknown_account`` and the like, or ``total_not_reproducible``.
        """
        reading = check_invoice(coded.invoice).reading
        supplier = supplier_of(coded.invoice.supplier, reference)
        invoice = coded.invoice.model_copy(
            update={
                "supplier": supplier["number"],
                "supplier_name": supplier["name"] or coded.invoice.supplier_name,
            }
        )
        check_codes((part for line in invoice.lines for part in line.allocations), reference, self.options)
        charges = [*reading.charges, *(charge for line in invoice.lines for charge in line.charges)]
        misc = _sum(charges, ChargeKind.MISCELLANEOUS)
        step = InvoiceStep(
            invoice=invoice,
            unit=self.options.business_unit or invoice.business_unit,
            freight=_sum(charges, ChargeKind.FREIGHT),
            handling=add((_sum(charges, ChargeKind.HANDLING), misc)),
            discount=_sum(charges, ChargeKind.DISCOUNT),
            taxes=_taxes(invoice, reading),
            notes=" ".join(filter(None, (invoice.notes, ours))),
        )
        _check_total(step, self.missing)
        return _draft(step, ours, list(_notes(invoice, reading, misc)))


def draft_of(invoice: Invoice, *, ours: str, payload: Mapping[str, Any]) -> StepDraft:
    """Return the step of an invoice, as far as look-ups go."""
    supplier, number = comparable(invoice.supplier), comparable(invoice.number)
    return StepDraft(
        name=INVOICE,
        kind=StepKind.CREATE,
        company="",
        remote_reference=f"{supplier}|{number}|{invoice.kind}",
        our_reference=ours,
        payload={"supplier": invoice.supplier, "number": invoice.number, "kind": str(invoice.kind), **payload},
        fingerprint={
            "supplier": supplier,
            "number": number,
            "kind": str(invoice.kind),
            "currency": invoice.currency,
            "gross": f"{invoice.gross:f}",
            "invoice_date": invoice.invoice_date.isoformat(),
        },
        text=(
            f"{invoice.kind.replace('_', ' ')} {invoice.number} of {invoice.supplier}: {invoice.currency}"
            f" {invoice.gross:f}, {len(invoice.lines)} lines"
        ),
    )


def _draft(step: InvoiceStep, ours: str, notes: list[str]) -> StepDraft:
    return draft_of(step.invoice, ours=ours, payload={"invoice": step.model_dump(mode="json"), "notes": notes})


def _notes(invoice: Invoice, reading: Reading, misc: Decimal) -> Iterable[str]:
    if misc:
        yield f"miscellaneous charges of {misc:f} go as handling"
    taxed = bool(invoice.taxes) or any(line.taxes for line in invoice.lines)
    if taxed and not reading.tax_in_total:
        yield "taxes stand outside the total and are not sent"


def _sum(charges: Iterable[Charge], kind: ChargeKind) -> Decimal:
    return add(charge.amount for charge in charges if charge.kind is kind)


def _taxes(invoice: Invoice, reading: Reading) -> tuple[Decimal, Decimal]:
    """Return what the total holds of the first tax code and of all others."""
    if not reading.tax_in_total:
        return Decimal(0), Decimal(0)
    taxes: list[Tax] = [*reading.taxes, *(tax for line in invoice.lines for tax in line.taxes)]
    codes = sorted({tax.code for tax in taxes})
    slots = [add(tax.amount for tax in taxes if min(codes.index(tax.code), _SLOTS - 1) == n) for n in range(_SLOTS)]
    return slots[0], slots[1]


def _check_total(step: InvoiceStep, missing: Collection[ChargeKind]) -> None:
    """Make sure that the import arrives at the total, whether it rounds each line or only their sum.

    Raises:
        Parked: ``total_not_reproducible``, with the arithmetic.
    """
    invoice = step.invoice
    exact = [EXACT.multiply(line.quantity, line.unit_price) for line in invoice.lines]
    by_line = add(round_to_minor(amount, invoice.currency) for amount in exact)
    goods = sorted({by_line, round_to_minor(add(exact), invoice.currency)})
    parts = (
        ("freight", step.freight, ChargeKind.FREIGHT),
        ("handling", step.handling, ChargeKind.HANDLING),
        ("discount", -step.discount, ChargeKind.DISCOUNT),
        ("tax", add(step.taxes), None),
    )
    taken = [(name, amount) for name, amount, kind in parts if amount and kind not in missing]
    left = [f"{name} {abs(amount):f}" for name, amount, kind in parts if amount and kind in missing]
    reached = [add((each, *(amount for _name, amount in taken))) for each in goods]
    if reached == [invoice.gross]:
        return
    shown = f"lines {_either(goods)}" + "".join(
        f" {'-' if amount < 0 else '+'} {name} {abs(amount):f}" for name, amount in taken
    )
    but = f", and has no place for {' and '.join(left)}" if left else ""
    msg = (
        f"JAGGAER's import works out {shown} = {_either(reached)}{but}, but the total is"
        f" {invoice.gross:f} {invoice.currency}; enter the invoice in JAGGAER by hand"
    )
    raise Parked(msg, code="total_not_reproducible", field="gross")


def _either(amounts: Iterable[Decimal]) -> str:
    return " or ".join(f"{amount:f}" for amount in amounts)
