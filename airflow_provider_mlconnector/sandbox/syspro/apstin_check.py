"""The checks APSTIN is documented to make on one item, and no others (reference/syspro.md §2.1, §3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from lxml import etree

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.syspro import money
from airflow_provider_mlconnector.sandbox.syspro.apstin_schema import Parameters
from airflow_provider_mlconnector.sandbox.syspro.books import Books, Key
from airflow_provider_mlconnector.sandbox.syspro.distribution import Distribution, LineDraft
from airflow_provider_mlconnector.sandbox.syspro.documents import children
from airflow_provider_mlconnector.sandbox.syspro.fields import Fields, Findings
from airflow_provider_mlconnector.sandbox.syspro.grn_match import GrnCheck
from airflow_provider_mlconnector.sandbox.syspro.receipts import Match
from airflow_provider_mlconnector.sandbox.syspro.records import Currency, Period, RegisteredInvoice, Supplier

SUPPLIER_SIZE, INVOICE_SIZE, BRANCH_SIZE, REFERENCE_SIZE, GL_CODE_SIZE = 15, 20, 10, 30, 35
POSTABLE = "IACDP"
KNOWN_TYPES = "IACDPVE"


@dataclass(frozen=True, slots=True)
class ApDraft:
    """An item that passed every check."""

    supplier: Supplier
    invoice: str
    type: str
    branch: str
    tax_code: str
    reference: str
    notation: str
    invoice_date: date
    due_date: date
    discount_date: date
    distribution: Distribution
    matches: tuple[Match, ...]

    @property
    def key(self) -> Key:
        """The (supplier, invoice) it is stored under."""
        return self.supplier.key, self.invoice


@dataclass(slots=True)
class Earlier:
    """What the valid items before one in the same document are about to store: invoices, and quantities of receipts."""

    invoices: set[Key] = field(default_factory=set)
    taken: dict[str, Decimal] = field(default_factory=dict)

    def add(self, draft: ApDraft) -> None:
        """Count one more valid item."""
        if draft.type in {"I", "P"}:
            self.invoices.add(draft.key)
        for match in draft.matches:
            self.taken[match.receipt.key] = self.taken.get(match.receipt.key, Decimal()) + match.quantity


class ItemCheck:
    """Checks one item against the books and against the valid items before it in the same document."""

    def __init__(
        self, item: etree._Element, *, books: Books, parameters: Parameters, today: date, earlier: Earlier
    ) -> None:
        self._item = item
        self._books = books
        self._parameters = parameters
        self._today = today
        self._earlier = earlier
        self.findings = Findings(parameters.ignore_warnings)
        self._fields = Fields(item, self.findings, oversize=books.options.oversize)

    def draft(self, period: Period) -> ApDraft | None:
        """Return the item ready to post, or None with the findings filled."""
        f = self._fields
        supplier = self._supplier()
        posting_type = f.choice("TransactionCode", KNOWN_TYPES, "I")
        if posting_type not in POSTABLE:
            self.findings.fail("not_available", "TransactionCode", posting_type)
        invoice = f.needed("Invoice", INVOICE_SIZE)
        branch = self._branch(posting_type, supplier)
        reference = f.text("TransactionReference", REFERENCE_SIZE)
        if supplier is not None and invoice:
            self._uniqueness(posting_type, (supplier.key, invoice))
        tax_code = self._tax_code("TaxCode", "TaxCode", f)
        approved = self._approved(posting_type, supplier, invoice)
        distribution = self._distribution(posting_type, supplier, tax_code, approved)
        matches = self._matches(supplier)
        if not self._books.periods.ap_is_open(period):
            self.findings.fail("period_closed", "PostingPeriod", f"{period[0]}/{period[1]:02d}")
        invoice_date, due_date, discount_date = self._dates(supplier, approved)
        if self.findings.errors or supplier is None or distribution is None:
            return None
        return ApDraft(
            supplier=supplier, invoice=invoice, type=posting_type, branch=approved.branch if approved else branch,
            tax_code=tax_code, reference=reference, notation=f.text("Notation"), invoice_date=invoice_date,
            due_date=due_date, discount_date=discount_date, distribution=distribution, matches=matches,
        )  # fmt: skip

    def _supplier(self) -> Supplier | None:
        sent = self._fields.needed("Supplier", SUPPLIER_SIZE)
        if not sent:
            return None
        supplier = self._books.suppliers.get(self._books.supplier_key(sent))
        if supplier is None:
            self.findings.fail("supplier_missing", "Supplier", sent)
        elif supplier.on_hold:
            self.findings.warn("supplier_on_hold", "Supplier", sent)
        return supplier

    def _branch(self, posting_type: str, supplier: Supplier | None) -> str:
        branch = self._fields.text("Branch", BRANCH_SIZE) if posting_type == "I" else ""
        if branch and branch not in master.BRANCHES:
            self.findings.fail("branch_missing", "Branch", branch)
        return branch or (supplier.branch if supplier else "")

    def _uniqueness(self, posting_type: str, key: Key) -> None:
        exists = bool(self._books.invoices_under(*key)) or key in self._earlier.invoices
        if posting_type == "I":
            if not self._books.options.uniqueness:
                return
            if exists:
                self.findings.fail("invoice_exists", "Invoice", key[1], supplier=key[0])
            elif key in self._books.registered:
                self.findings.fail("invoice_registered", "Invoice", key[1], supplier=key[0])
        elif posting_type != "P" and not exists:
            self.findings.fail("invoice_missing", "Invoice", key[1], supplier=key[0])

    def _approved(self, posting_type: str, supplier: Supplier | None, invoice: str) -> RegisteredInvoice | None:
        """Return the registered invoice a P approves: it must be there and not posted yet (§2.1)."""
        if posting_type != "P" or supplier is None or not invoice:
            return None
        key = (supplier.key, invoice)
        if key not in self._books.registered or key in self._earlier.invoices:
            self.findings.fail("invoice_not_registered", "Invoice", invoice, supplier=supplier.key)
            return None
        return self._books.registered[key][0]

    def _dates(self, supplier: Supplier | None, approved: RegisteredInvoice | None) -> tuple[date, date, date]:
        invoice_date = self._fields.day("InvoiceDate", approved.invoice_date if approved else self._today)
        days = self._books.terms_days.get(supplier.terms, 0) if supplier else 0
        by_terms = invoice_date + timedelta(days=days)
        due_date = self._fields.day("DueDate", approved.due_date if approved else by_terms)
        return invoice_date, due_date, self._fields.day("DiscountDate", invoice_date)

    def _tax_code(self, element: str, kind: str, fields: Fields) -> str:
        """Return a tax code; a blank one is not validated, and without tax distribution none matters (§2.1)."""
        code = fields.text(kind)
        if code and self._books.options.tax_distribution and code not in self._books.tax_rates:
            fields.findings.fail("tax_code", element, code, fields.at)
        return code

    def _value(self, posting_type: str) -> int | None:
        if posting_type == "P":  # only its registration has one
            return None
        sent = self._fields.text("TransactionValue")
        value = self._fields.amount("TransactionValue")
        if not sent:
            self.findings.fail("numeric", "TransactionValue", sent)
        if value is None:
            return None
        zero_allowed = posting_type == "A" and self._parameters.zero_adjustments
        if (value < 0 and posting_type != "A") or (value == 0 and not zero_allowed):
            self.findings.fail("not_positive", "TransactionValue", sent)
        return value

    def _tax_value(self, value: int, tax_code: str) -> int:
        tax = self._fields.amount("TaxValue")
        if not self._books.options.tax_distribution:
            return 0
        if tax is None and self._parameters.automatic_tax:
            rate = self._books.tax_rates.get(tax_code, Decimal())
            return money.rounded(value * rate / (1 + rate))
        return tax or 0

    def _rate(self, currency: Currency) -> Decimal:
        """Return the rate to use: the table's, or ExchRateAtEntry of a foreign supplier; a fixed one must agree."""
        sent = self._fields.text("ExchRateAtEntry")
        if currency.code == master.LOCAL_CURRENCY or not sent:
            return currency.rate
        try:
            rate = money.decimal(sent)
        except ValueError:
            self.findings.fail("numeric", "ExchRateAtEntry", sent)
            return currency.rate
        if rate < 0 or (rate and currency.fixed and rate != currency.rate):
            self.findings.fail("exchange_rate", "ExchRateAtEntry", sent)
        return rate if rate > 0 else currency.rate

    def _distribution(
        self, posting_type: str, supplier: Supplier | None, tax_code: str, approved: RegisteredInvoice | None
    ) -> Distribution | None:
        """Return the distribution; a P takes its value from the registered file, whatever was sent (§2.1)."""
        value = approved.value if approved else self._value(posting_type)
        inclusive = self._fields.choice("TaxBasis", "EI", "E") == "I"
        lines = self._lines(tax_code)
        if value is None or supplier is None or not lines:
            return None
        currency = self._books.currencies[supplier.currency]
        distribution = Distribution(
            value=value, tax=self._tax_value(value, tax_code), inclusive=inclusive, lines=tuple(lines),
            lines_local=self._parameters.lines_local, rate=self._rate(currency), mul_div=currency.mul_div,
        )  # fmt: skip
        if not self.findings.errors:
            self._amounts(distribution)
        return distribution

    def _amounts(self, distribution: Distribution) -> None:
        checks_tax = self._books.options.tax_distribution and not distribution.inclusive
        if checks_tax and distribution.tax_gap(self._books.tax_rates) > self._parameters.tax_variance:
            self.findings.fail("tax_variance", "TaxValue", money.show(distribution.tax))
        elif not distribution.is_balanced():
            self.findings.fail("distribution", "TransactionValue", money.show(distribution.value))

    def _lines(self, item_tax_code: str) -> list[LineDraft]:
        lines = []
        for number, element in enumerate(children(self._item, "LedgerDistribution"), 1):
            f = Fields(element, self.findings, oversize=self._books.options.oversize, at=("LedgerDistribution", number))
            code = f.text("LedgerCode", GL_CODE_SIZE)
            if self._books.options.ap_gl != "not_linked" and code not in self._books.accounts:
                self.findings.fail("ledger_missing", "LedgerCode", code, f.at)
            tax_code = self._tax_code("LedgerTaxCode", "LedgerTaxCode", f) or item_tax_code
            lines.append(LineDraft(code, f.amount("LedgerValue") or 0, tax_code, f.text("LedgerNotation")))
        return lines

    def _matches(self, supplier: Supplier | None) -> tuple[Match, ...]:
        """Return the receipts the item takes; a supplier that requires matching takes no invoice without (§2.1)."""
        if supplier is None:
            return ()
        if supplier.grn_match_required and self._item.find("GrnDetails") is None:
            self.findings.fail("grn_required", "Supplier", supplier.key)
        checker = GrnCheck(
            self._item, books=self._books, supplier=supplier.key, findings=self.findings, taken=self._earlier.taken
        )
        return checker.matches()
