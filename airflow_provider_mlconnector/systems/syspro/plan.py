"""Checking a coded invoice against SYSPRO's rules and turning it into steps (FINANCE §1–§4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import ROUND_UP, Decimal
from typing import Any

from airflow_provider_mlconnector.documents.coding import CodedInvoice, Posting
from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.documents.journal import EntryLine, OpenEntry
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import Known, StepDraft, StepKind
from airflow_provider_mlconnector.systems.syspro import apstin, checks
from airflow_provider_mlconnector.systems.syspro.apstin import ApInvoiceItem, LedgerLine, ReceiptMatch
from airflow_provider_mlconnector.systems.syspro.clearing import clear
from airflow_provider_mlconnector.systems.syspro.gentjl import Journal, JournalLine
from airflow_provider_mlconnector.systems.syspro.keys import CENT, money, normal, whole
from airflow_provider_mlconnector.systems.syspro.options import ApGl, Journals, SysproOptions
from airflow_provider_mlconnector.systems.syspro.periods import Period

AP_INVOICE = "ap_invoice"
AP_CREDIT = "ap_credit"
GL_JOURNAL = "gl_journal"
_COMMENT_SIZE = 50


class Planner:
    """Plans one coded invoice.

    Args:
        coded: What to post.
        reference: From :func:`~.reference.read_reference`.
        options: The route's choices.
        our_reference: What makes the posting findable as ours; at most 30 characters.
        orders: What SYSPRO holds of the orders the invoice bills, by PO number as its lines write it.
    """

    def __init__(
        self,
        coded: CodedInvoice,
        reference: Mapping[str, Any],
        options: SysproOptions,
        *,
        our_reference: str,
        orders: Mapping[str, Known] | None = None,
    ) -> None:
        if not our_reference or len(our_reference) > apstin.REFERENCE_SIZE or xml.offending(our_reference):
            msg = f"our reference must be 1 to {apstin.REFERENCE_SIZE} plain characters: {our_reference!r}"
            raise ValueError(msg)
        self._coded = coded
        self._invoice = coded.invoice
        self._reference = reference
        self._options = options
        self._ours = our_reference
        self._orders = orders or {}
        self._receipts: tuple[ReceiptMatch, ...] = ()
        self._notes: list[str] = []

    @property
    def _is_credit(self) -> bool:
        return self._invoice.kind is InvoiceKind.CREDIT_MEMO

    def steps(self) -> list[StepDraft]:
        """Run every check and return the steps, in order.

        Raises:
            Rejected: A cause inside the document.
            Parked: A cause outside it.
        """
        checks.document(self._coded, company=self._options.company)
        supplier = checks.supplier(self._coded, self._reference)
        checks.currency(self._coded, supplier, self._reference)
        held = checks.hold(supplier, self._options)
        foreign = checks.is_foreign(supplier, self._reference)
        self._clear(supplier, foreign=foreign)
        checks.codes(self._coded, supplier, self._reference)
        period, note = checks.period(self._coded, self._reference, self._options)
        if note:
            self._notes.append(note)
        item = self._item(supplier, self._due_date(supplier))
        payload = {
            "item": item.model_dump(mode="json"),
            "period": [period.year, period.number],
            "foreign": foreign,
            "hold_override": held,
            # five fils are half a cent, the least SYSPRO can be told is a whole one
            "tax_variance": money(self._coded.tax_variance.quantize(CENT, rounding=ROUND_UP)),
            "notes": self._notes,
        }
        unlinked = self._options.ap_gl is ApGl.NOT_LINKED
        combined = unlinked and self._options.journals is Journals.COMBINED
        if combined:
            payload["ledger"] = self._open_entry(item, period, foreign=foreign).model_dump(mode="json")
        steps = [self._ap_step(item, payload)]
        if unlinked and not combined:
            steps.append(self._journal_step(item, [period.year, period.number], foreign=foreign))
        return steps

    def _clear(self, supplier: Mapping[str, str], *, foreign: bool) -> None:
        """Replace what receipts have accrued already, and remember which they are."""
        cleared = clear(
            self._coded,
            self._orders,
            self._reference,
            self._options,
            supplier=supplier["Supplier"],
            foreign=foreign,
        )
        checks.matched(supplier, cleared.unmatched)
        self._coded, self._receipts = cleared.coded, cleared.receipts

    def _item(self, supplier: Mapping[str, str], due: date) -> ApInvoiceItem:
        invoice, coded = self._invoice, self._coded
        return ApInvoiceItem(
            supplier=supplier["Supplier"],
            transaction_code=apstin.CREDIT if self._is_credit else apstin.INVOICE,
            branch=self._branch(supplier),
            invoice=invoice.original_number if self._is_credit else invoice.number,
            value=invoice.gross,
            # the credit's own number is nowhere else in SYSPRO: the key of a credit is its original's
            notation=invoice.number if self._is_credit else "",
            reference=self._ours,
            invoice_date=invoice.invoice_date,
            due_date=due,
            discount_date=self._discount_date(due),
            tax_code=coded.tax_code,
            tax_value=coded.tax_value,
            freight=coded.freight,
            miscellaneous=coded.miscellaneous,
            receipts=self._receipts,
            distribution=tuple(self._line(number, posting) for number, posting in enumerate(coded.postings, 1)),
        )

    def _branch(self, supplier: Mapping[str, str]) -> str:
        """Name the branch where it is not the supplier's own, which SYSPRO takes for a blank; credits have none."""
        own = self._is_credit or self._coded.branch == supplier["Branch"]
        return "" if own else self._coded.branch

    def _line(self, number: int, posting: Posting) -> LedgerLine:
        return LedgerLine(
            code=posting.gl_code,
            value=posting.amount,
            tax_code=posting.tax_code or self._coded.tax_code,
            notation=self._free(posting.notation, apstin.NOTATION_SIZE, f"notation of GL line {number}")
            if self._options.line_notations
            else "",
            analysis_code=posting.cost_center,
        )

    def _free(self, text: str, size: int, what: str) -> str:
        """Cut and reduce free text, and note what was lost."""
        reduced = xml.reduce_text(text)
        if reduced != text:
            self._notes.append(f"{what}: characters SYSPRO cannot hold were replaced ({xml.offending(text)!r})")
        cut = reduced[:size].strip()
        if cut != reduced.strip():
            self._notes.append(f"{what}: shortened from {len(reduced)} to {size} characters")
        return cut

    def _due_date(self, supplier: Mapping[str, str]) -> date:
        """Dates are always sent, never defaulted by the remote; a credit is due at once."""
        invoice = self._invoice
        if invoice.due_date is not None:
            return invoice.due_date
        if self._is_credit:
            return invoice.invoice_date
        days = invoice.terms.days if invoice.terms is not None else None
        if days is None:
            terms = self._reference["terms"].get(self._coded.terms_code or supplier["TermsCode"], {})
            days = whole(str(terms.get(self._options.terms_days_column, "")))
        if days is None:
            msg = f"invoice {invoice.number} has no due date, and neither it nor SYSPRO's terms give days"
            raise Rejected(msg, code="due_date_missing", field="due_date")
        return invoice.invoice_date + timedelta(days=days)

    def _discount_date(self, due: date) -> date:
        terms = self._invoice.terms
        if terms is not None and terms.discount_days is not None:
            return self._invoice.invoice_date + timedelta(days=terms.discount_days)
        return due

    def _ap_step(self, item: ApInvoiceItem, payload: Mapping[str, Any]) -> StepDraft:
        invoice = self._invoice
        kind = "credit memo" if self._is_credit else "invoice"
        against = f" against {item.invoice}" if self._is_credit else ""
        return StepDraft(
            name=AP_CREDIT if self._is_credit else AP_INVOICE,
            kind=StepKind.DELTA if self._is_credit else StepKind.CREATE,
            company=self._options.company,
            remote_reference="|".join((normal(item.supplier), normal(invoice.number), item.transaction_code)),
            our_reference=self._ours,
            payload=payload,
            fingerprint={
                "supplier": normal(item.supplier),
                "number": normal(invoice.number),
                "type": item.transaction_code,
                "currency": self._coded.currency,
                "gross": money(invoice.gross),
                "tax": money(self._coded.tax_value),
                "invoice_date": invoice.invoice_date.isoformat(),
                **({"original": normal(item.invoice)} if self._is_credit else {}),
            },
            text=(
                f"AP {kind} {item.supplier} {invoice.number}{against} {invoice.currency} {money(invoice.gross)}, "
                f"{len(item.distribution)} GL lines{f', {len(item.receipts)} receipts' if item.receipts else ''}"
            ),
        )

    def _journal_step(self, item: ApInvoiceItem, period: list[int], *, foreign: bool) -> StepDraft:
        """Plan the journal of a site whose AP does not reach the ledger by itself (FINANCE §1)."""
        if foreign and self._is_credit:
            msg = (
                "the journal of a credit in foreign currency needs the rate of its AP entry, which cannot be looked up"
            )
            raise Parked(msg, code="foreign_credit_journal", subject=item.supplier)
        sign = -1 if self._is_credit else 1
        lines = list(self._journal_lines(item, sign))
        for line in lines:
            checks.account(line.code, self._reference)
        journal = Journal(
            reference=self._ours,
            notation=self._free(f"AP {item.supplier} {self._invoice.number} {self._coded.currency}", 100, "journal"),
            journal_date=self._invoice.accounting_date or self._invoice.invoice_date,
            year=period[0],
            period=period[1],
            authorize=self._options.authorize_journal,
            lines=tuple(lines),
        )
        ap_code = item.transaction_code
        return StepDraft(
            name=GL_JOURNAL,
            kind=StepKind.DELTA,
            company=self._options.company,
            remote_reference="|".join((normal(item.supplier), normal(self._invoice.number), ap_code, "GL")),
            our_reference=self._ours,
            payload={
                "journal": journal.model_dump(mode="json"),
                "foreign": foreign,
                "supplier": item.supplier,
                "invoice": item.invoice,
                "notes": [],
            },
            fingerprint={"reference": self._ours, **({} if foreign else {"debit": money(journal.debit)})},
            text=f"GL journal {self._ours} for AP {item.supplier} {self._invoice.number}, {len(lines)} entries",
        )

    def _open_entry(self, item: ApInvoiceItem, period: Period, *, foreign: bool) -> OpenEntry:
        """Return what a combined journal must tell the ledger of this document."""
        sign = -1 if self._is_credit else 1
        *lines, contra = self._journal_lines(item, sign)
        for line in (*lines, contra):
            checks.account(line.code, self._reference)
        # the tax, where there is any, follows the postings and belongs to all lines
        sources = (*(posting.source_lines for posting in self._coded.postings), ())
        return OpenEntry(
            company=self._options.company,
            branch=self._coded.branch,
            year=period.year,
            period=period.number,
            entry_date=self._invoice.accounting_date or self._invoice.invoice_date,
            kind=self._invoice.kind,
            supplier=item.supplier,
            number=self._invoice.number,
            posted_as=item.invoice,
            reference=self._ours,
            currency=self._coded.currency,
            foreign=foreign,
            lines=tuple(
                EntryLine(gl_code=line.code, amount=line.amount, source_lines=source)
                for line, source in zip(lines, sources, strict=False)
            ),
            clearing_account=contra.code,
        )

    def _journal_lines(self, item: ApInvoiceItem, sign: int) -> Iterable[JournalLine]:
        for line in item.distribution:
            yield JournalLine(code=line.code, amount=sign * line.value, comment=line.notation[:_COMMENT_SIZE])
        if item.tax_value:
            yield JournalLine(code=self._tax_account(), amount=sign * item.tax_value, comment="tax")
        if not self._coded.clearing_account:
            msg = f"no clearing account is mapped for company {self._options.company}"
            raise Parked(msg, code="clearing_account_missing", subject=self._options.company)
        total = sum((line.value for line in item.distribution), Decimal(0)) + item.tax_value
        yield JournalLine(code=self._coded.clearing_account, amount=-sign * total)

    def _tax_account(self) -> str:
        row = self._reference["taxes"].get(self._coded.tax_code, {})
        code = self._options.tax_account or str(row.get("ApTaxGlCode", ""))
        if not code:
            msg = f"tax code {self._coded.tax_code} has no tax account in SYSPRO and none is configured"
            raise Parked(msg, code="tax_account_missing", subject=self._coded.tax_code)
        return code
