"""APSTIN, posting supplier invoices and credits: documents out, outcomes in (reference/syspro.md §2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from airflow_provider_mlconnector.errors import AmbiguousOutcome
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import Outcome, OutcomeState
from airflow_provider_mlconnector.systems.syspro.answers import ItemAnswer, assign, read_items, refusal
from airflow_provider_mlconnector.systems.syspro.client import PostCall
from airflow_provider_mlconnector.systems.syspro.keys import money, whole
from airflow_provider_mlconnector.systems.transport import Effect

BUSINESS_OBJECT = "APSTIN"
INVOICE = "I"
CREDIT = "C"
CREDIT_SIGN = Decimal(1)
"""Credits are sent as positive values; the sign SYSPRO wants with TransactionCode C is not documented."""
REFERENCE_SIZE = 30
NUMBER_SIZE = 20
NOTATION_SIZE = 30
"""Sizes: reference/syspro.md §4; that of the notations is not documented, 30 is what their neighbors have."""


class LedgerLine(BaseModel):
    """One ``LedgerDistribution``: value without tax, in the supplier's currency when the supplier is foreign."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    value: Decimal
    tax_code: str
    notation: str = ""
    analysis_code: str = ""


class ReceiptMatch(BaseModel):
    """One ``GrnDetails``: what an invoice takes of one receipt, named by its key as stored.

    Attributes:
        supplier: Part of the key, likewise ``grn``, ``flag`` (GrnSource), ``journal``, ``entry``.
        quantity: Taken.
        value: Of that, at the receipt's own value, in the supplier's currency. In which currency SYSPRO takes a partial
            value is not documented; that of all other values of the item is assumed.
        whole: All that is left of the receipt is taken (GrnMatchType O), so that SYSPRO needs no figures.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    supplier: str
    grn: str
    flag: str
    journal: str
    entry: str
    quantity: Decimal
    value: Decimal
    whole: bool


class ApInvoiceItem(BaseModel):
    """One ``Item``. ``value`` includes tax; for a credit ``invoice`` is the number of the invoice credited."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    supplier: str
    transaction_code: str
    branch: str
    invoice: str
    value: Decimal
    notation: str
    reference: str
    invoice_date: date
    due_date: date
    discount_date: date
    tax_code: str
    tax_value: Decimal
    freight: Decimal = Decimal(0)
    miscellaneous: Decimal = Decimal(0)
    receipts: tuple[ReceiptMatch, ...] = ()
    distribution: tuple[LedgerLine, ...]


@dataclass(frozen=True)
class Settings:
    """What one request says for all its items.

    Attributes:
        period: C current, P previous, B the one before, of AP's own calendar.
        foreign: The suppliers are foreign: ledger values are in their currency.
        analysis: Some line carries an analysis code.
        warnings: N: a warning rejects the item; W only for a hold that was shown to be the sole objection.
        variance: PermissibleTaxVariance.
    """

    period: str
    foreign: bool
    analysis: bool
    warnings: str
    variance: Decimal

    def document(self, *, validate_only: bool) -> str:
        """Write the parameter document; every element the schema demands is explicit."""
        values = {
            "PostingPeriod": self.period,
            "IgnoreWarnings": self.warnings,
            "ApplyIfEntireDocumentValid": "N",
            "ValidateOnly": "Y" if validate_only else "N",
            "PostZeroAdjustments": "N",
            "DefaultDiscountDate": "",
            "DefaultDueDate": "",
            "LedgerDistributionCurrency": "F" if self.foreign else "L",
            "AutomaticTaxCalculation": "N",
            "PermissibleTaxVariance": money(self.variance),
            "ApArContraTrx": "N",
        }
        if self.analysis:
            values["IgnoreAnalysis"] = "N"  # optional, its default is Y
        parameters = xml.element("Parameters", *(xml.element(tag, value) for tag, value in values.items()))
        return xml.write(xml.with_schema("PostApInvoice", "APSTIN.XSD", parameters))


def item_element(item: ApInvoiceItem) -> xml.Element:
    """Write one item: the elements the schema demands, empty where unused, optional ones only with content."""
    sign = CREDIT_SIGN if item.transaction_code == CREDIT else Decimal(1)
    e = xml.element
    return e(
        "Item",
        e("Supplier", item.supplier),
        e("TransactionCode", item.transaction_code),
        e("Branch", item.branch) if item.branch else None,
        e("Invoice", item.invoice),
        e("TransactionValue", money(sign * item.value)),
        e("FreightCharge", money(item.freight)) if item.freight else None,
        e("MiscellaneousCharge", money(item.miscellaneous)) if item.miscellaneous else None,
        e("Notation", item.notation),
        e("TransactionReference", item.reference),
        e("JournalNotation"),
        e("InvoiceDate", item.invoice_date.isoformat()),
        e("DueDate", item.due_date.isoformat()),
        e("DiscountDate", item.discount_date.isoformat()),
        e("FixedExchRate"),
        e("TaxBasis", "E"),
        e("CalculateQstOnTax"),
        e("TaxCode", item.tax_code),
        e("TaxValue", money(sign * item.tax_value)),
        e("SecondTaxCode"),
        e("SecondTaxValue"),
        *(_receipt_element(match) for match in item.receipts),
        *(_ledger_element(line, sign) for line in item.distribution),
    )


def _receipt_element(match: ReceiptMatch) -> xml.Element:
    e = xml.element
    return e(
        "GrnDetails",
        e("GrnMatchType", "O" if match.whole else "P"),
        None if match.whole else e("GrnPartialMatchQuantity", f"{match.quantity:f}"),
        None if match.whole else e("GrnPartialMatchValue", money(match.value)),
        e("GrnSupplier", match.supplier),
        e("GrnGrn", match.grn),
        e("GrnFlag", match.flag),
        e("GrnJournal", match.journal),
        e("GrnEntry", match.entry),
    )


def _ledger_element(line: LedgerLine, sign: Decimal) -> xml.Element:
    e = xml.element
    value = money(sign * line.value)
    analysis = e("AnalysisLineEntry", e("AnalysisCode1", line.analysis_code), e("EntryAmount", value))
    return e(
        "LedgerDistribution",
        e("LedgerCode", line.code),
        e("PasswordForLedgerCode"),
        e("LedgerTaxCode", line.tax_code),
        e("LedgerSecondTaxCode"),
        e("LedgerNotation", line.notation),
        e("LedgerValue", value),
        analysis if line.analysis_code else None,
    )


def post_call(items: Sequence[ApInvoiceItem], settings: Settings, *, validate_only: bool = False) -> PostCall:
    """Build one request for several items."""
    document = xml.write(xml.with_schema("PostApInvoice", "APSTINDOC.XSD", *(item_element(item) for item in items)))
    effect = Effect.READ if validate_only else Effect.WRITE
    return PostCall(BUSINESS_OBJECT, settings.document(validate_only=validate_only), document, effect)


def read_outcomes(root: xml.Element, items: Sequence[ApInvoiceItem], *, linked: bool) -> list[Outcome]:
    """Read the outcome of each item posted, in the order sent.

    Raises:
        AmbiguousOutcome: An item has no sure answer, or looks accepted but has no journal.
    """
    answers = assign(read_items(root, "PostApInvoice"), [(item.supplier, item.invoice) for item in items])
    ledger = _gl_result(root, linked=linked)
    return [_outcome(answer, item, ledger) for answer, item in zip(answers, items, strict=True)]


def read_rehearsal(root: xml.Element, items: Sequence[ApInvoiceItem]) -> list[Outcome]:
    """Read what SYSPRO says to a ValidateOnly request; POSTED means "would be posted"."""
    read = read_items(root, "PostApInvoice")
    if not read:
        # a clean validation may list no item at all, only counters (reference/syspro.md §3)
        return [Outcome(OutcomeState.POSTED) for _ in items]
    answers = assign(read, [(item.supplier, item.invoice) for item in items])
    return [
        _refused(answer, item) if answer.problems else Outcome(OutcomeState.POSTED, result=_warned(answer))
        for answer, item in zip(answers, items, strict=True)
    ]


def sole_objection(root: xml.Element) -> str:
    """Return the field of the only problem of a one-item rehearsal, ``""`` when there is none or more than one."""
    problems = [problem for answer in read_items(root, "PostApInvoice") for problem in answer.problems]
    return problems[0].field if len(problems) == 1 else ""


def _refused(answer: ItemAnswer, item: ApInvoiceItem) -> Outcome:
    # only for I does an objection to the number mean that it is taken; C, D, A need it to exist
    if item.transaction_code == INVOICE:
        return refusal(answer, duplicate_field="invoice")
    refused = refusal(answer)
    missing = any(problem.field == "invoice" for problem in answer.problems)
    return replace(refused, code="original_missing", subject=item.invoice, parked=True) if missing else refused


def _outcome(answer: ItemAnswer, item: ApInvoiceItem, ledger: dict[str, object]) -> Outcome:
    if answer.problems:
        return _refused(answer, item)
    journal = answer.said("Journal")
    if not whole(journal):
        msg = f"SYSPRO neither refused {item.supplier} {item.invoice} nor named its journal"
        raise AmbiguousOutcome(msg)
    result = {
        "journal": journal,
        "year": whole(answer.said("TrnYear")),
        "period": whole(answer.said("TrnMonth")),
        "entry": answer.said("EntryNumber"),
        **ledger,
        **_warned(answer),
    }
    in_ledger = ledger["gl_status"] in {"created", "not_linked"}
    return Outcome(OutcomeState.POSTED if in_ledger else OutcomeState.ACCEPTED, result=result)


def _warned(answer: ItemAnswer) -> dict[str, object]:
    return {"warnings": list(answer.warnings)} if answer.warnings else {}


def _gl_result(root: xml.Element, *, linked: bool) -> dict[str, object]:
    """Read how AP reached the ledger; the invoice can be posted while its GL journal failed."""
    if not linked:
        return {"gl_status": "not_linked"}
    block = xml.child(root, "StatusOfItems/GlJournal")
    journal = "" if block is None else xml.text(block, "GlJournal")
    error = "" if block is None else xml.text(block, "GlJournalError")
    message = "" if block is None else xml.text(block, "GlJournalMessage")
    created = bool(whole(journal))
    failed = bool(error.strip("0"))
    # SYSPRO names a journal it keeps on hold just the same: "created" is all the answer proves
    status = ("held" if failed else "created") if created else "not_created"
    result: dict[str, object] = {"gl_status": status}
    if created and block is not None:
        result |= {"gl_journal": journal, "gl_year": whole(xml.text(block, "GlYear"))}
        result["gl_period"] = whole(xml.text(block, "GlPeriod"))
    if failed or message:
        result["gl_message"] = " ".join(part for part in (error, message) if part)
    return result
