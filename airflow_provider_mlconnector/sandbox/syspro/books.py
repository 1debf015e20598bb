"""The company's books: master data, the AP sub-ledger and a double-entry general ledger, with indexes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import chain

from airflow_provider_mlconnector.sandbox import master
from airflow_provider_mlconnector.sandbox.syspro import sim_texts
from airflow_provider_mlconnector.sandbox.syspro.ledger_rules import CURRENCIES, OWN_ACCOUNTS, gl_entries, summarized
from airflow_provider_mlconnector.sandbox.syspro.options import SysproOptions
from airflow_provider_mlconnector.sandbox.syspro.orders import Orders
from airflow_provider_mlconnector.sandbox.syspro.periods import Periods
from airflow_provider_mlconnector.sandbox.syspro.receipts import Receipts
from airflow_provider_mlconnector.sandbox.syspro.records import (
    ApInvoice,
    ApPosting,
    ApTransaction,
    GlAccount,
    GlJournal,
    Origin,
    Period,
    RegisteredInvoice,
    Section,
    Supplier,
    WriteAttempt,
)
from airflow_provider_mlconnector.sandbox.syspro.supplier_fields import shipped

KEY_LENGTH = 15
Key = tuple[str, str]
"""(supplier, invoice)."""


@dataclass(frozen=True, slots=True)
class GlOutcome:
    """What became of the GL journal an AP journal should spawn."""

    period: Period
    journal: GlJournal | None
    error: str = ""
    message: str = ""


class Books:
    """Everything the company has stored. Changes go through the methods, so that indexes and balances agree."""

    def __init__(self, *, options: SysproOptions, now: datetime) -> None:
        self.options = options
        self.periods = Periods(now.date())
        self.currencies = {currency.code: currency for currency in CURRENCIES}
        self.tax_rates = {code: Decimal(rate) for code, rate in master.TAX_CODES.items()}
        self.terms_days = dict(master.TERMS.values())
        setup = Origin(0, now, "person", "SETUP")
        known = (*(m for m in master.SUPPLIERS if m.in_syspro), *master.more_suppliers(options.suppliers))
        self.suppliers = {m.number: Supplier(m.number, shipped(m), setup) for m in known}
        self.deleted_suppliers: list[Supplier] = []
        self.accounts = {
            code: GlAccount(code, a.description, a.type, a.on_hold, a.control) for code, a in master.gl_codes().items()
        }
        self.accounts |= {own.code: replace(own, balances={}) for own in OWN_ACCOUNTS}
        self.sections = {code: Section(code, name) for code, name in (("00", "Company"), *master.COST_CENTERS.values())}
        self.invoices: list[ApInvoice] = []
        self.purged: list[ApPosting] = []
        self.transactions: list[ApTransaction] = []
        self.registered: dict[Key, list[RegisteredInvoice]] = {}
        self.approved: list[RegisteredInvoice] = []
        self.orders = Orders(options, self.next_version)
        self.receipts = Receipts(self.orders.key)
        self.journals: list[GlJournal] = []
        self.attempts: list[WriteAttempt] = []
        self._invoices_by_key: dict[Key, list[ApInvoice]] = {}
        self._invoices_by_supplier: defaultdict[str, list[ApInvoice]] = defaultdict(list)
        self._invoices_by_number: defaultdict[str, list[ApInvoice]] = defaultdict(list)
        self._transactions_by_key: defaultdict[Key, list[ApTransaction]] = defaultdict(list)
        self._postings_by_journal: defaultdict[int, list[ApPosting]] = defaultdict(list)
        self._journals_by_reference: defaultdict[str, list[GlJournal]] = defaultdict(list)
        self._journals_by_number: dict[int, GlJournal] = {}
        self._not_integrated: list[int] = []
        self._ap_journal = 430
        self._gl_journal = 871
        self._version = 0

    # Look-ups

    def supplier_key(self, text: str) -> str:
        """Return a supplier as stored: numeric ones are padded with zeros to 15 (reference/syspro.md §4, per site)."""
        return text.zfill(KEY_LENGTH) if self.options.numeric_keys and text.isascii() and text.isdigit() else text

    def invoices_under(self, supplier: str, invoice: str) -> Sequence[ApInvoice]:
        """Return the invoices stored under a key: one, or none; more only with uniqueness switched off."""
        return self._invoices_by_key.get((supplier, invoice), ())

    def invoices_of(self, supplier: str) -> Sequence[ApInvoice]:
        """Return a supplier's invoices."""
        return self._invoices_by_supplier.get(supplier, ())

    def invoices_numbered(self, invoice: str) -> Sequence[ApInvoice]:
        """Return the invoices of this number, of whatever supplier."""
        return self._invoices_by_number.get(invoice, ())

    def transactions_under(self, supplier: str, invoice: str) -> Sequence[ApTransaction]:
        """Return the transactions against an invoice."""
        return self._transactions_by_key.get((supplier, invoice), ())

    def postings_under(self, supplier: str, invoice: str) -> list[ApPosting]:
        """Return everything AP journals hold under a key, purged or not."""
        purged = [row for row in self.purged if (row.supplier, row.invoice) == (supplier, invoice)]
        return [*self.invoices_under(supplier, invoice), *self.transactions_under(supplier, invoice), *purged]

    def postings_of_journal(self, journal: int) -> Sequence[ApPosting]:
        """Return what an AP journal posted."""
        return self._postings_by_journal.get(journal, ())

    def journals_referenced(self, reference: str) -> Sequence[GlJournal]:
        """Return the GL journals with this reference."""
        return self._journals_by_reference.get(reference, ())

    def journal_numbered(self, journal: int) -> GlJournal | None:
        """Return the GL journal with this number; numbers never repeat here."""
        return self._journals_by_number.get(journal)

    def postings(self) -> Iterator[ApPosting]:
        """Yield everything AP journals hold, purged or not."""
        return chain(self.invoices, self.transactions, self.purged)

    @property
    def next_gl_journal(self) -> int:
        """The number the next GL journal gets."""
        return self._gl_journal + 1

    def next_version(self) -> int:
        """Return a new row version."""
        self._version += 1
        return self._version

    # Suppliers

    def put_supplier(self, key: str, fields: dict[str, str], origin: Origin) -> Supplier:
        """Store a supplier with all its fields, new or in place of what is there."""
        supplier = self.suppliers.setdefault(key, Supplier(key, fields, origin))
        supplier.fields, supplier.origin, supplier.version = fields, origin, self.next_version()
        return supplier

    def supplier_in_use(self, key: str) -> bool:
        """Whether anything stored refers to the supplier."""
        registered = any(supplier == key for supplier, _ in self.registered)
        return registered or bool(self.invoices_of(key)) or bool(self.orders.of_supplier(key))

    def remove_supplier(self, key: str, origin: Origin) -> None:
        """Delete a supplier; the oracle keeps it."""
        gone = self.suppliers.pop(key)
        gone.origin = origin
        self.deleted_suppliers.append(gone)

    # Accounts payable

    def new_ap_journal(self) -> int:
        """Return a new AP journal number."""
        self._ap_journal += 1
        return self._ap_journal

    def register(self, row: RegisteredInvoice) -> RegisteredInvoice:
        """Put an invoice into the registered file, besides any under the same key, and return it as stored."""
        rows = self.registered.setdefault((row.supplier, row.invoice), [])
        rows.append(replace(row, entry=len(rows) + 1))
        return rows[-1]

    def approve(self, key: Key) -> None:
        """Take the first invoice under a key out of the registered file; the oracle keeps it."""
        rows = self.registered[key]
        self.approved.append(rows.pop(0))
        if not rows:
            del self.registered[key]

    def all_registered(self) -> Iterator[RegisteredInvoice]:
        """Yield the registered file."""
        return chain.from_iterable(self.registered.values())

    def add_invoice(self, invoice: ApInvoice) -> None:
        """Store an invoice, besides any under the same key."""
        invoice.version = self.next_version()
        self.invoices.append(invoice)
        self._invoices_by_key.setdefault((invoice.supplier, invoice.invoice), []).append(invoice)
        self._invoices_by_supplier[invoice.supplier].append(invoice)
        self._invoices_by_number[invoice.invoice].append(invoice)
        self._postings_by_journal[invoice.journal].append(invoice)

    def add_transaction(self, transaction: ApTransaction, balance_change: int) -> None:
        """Store a transaction against the first invoice under its key and change that one's balance."""
        original = self.invoices_under(transaction.supplier, transaction.invoice)[0]
        transaction.sequence = original.next_entry
        original.next_entry += 1
        original.balance += balance_change
        if transaction.type == "P":
            original.paid += transaction.value
        else:
            original.adjustments += balance_change
        original.version = self.next_version()
        self.transactions.append(transaction)
        self._transactions_by_key[transaction.supplier, transaction.invoice].append(transaction)
        self._postings_by_journal[transaction.journal].append(transaction)

    def purge(self, supplier: str, invoice: str) -> None:
        """Forget an invoice and its transactions, as the purge does; journals and the oracle keep them."""
        for row in self._invoices_by_key.pop((supplier, invoice)):
            self.invoices.remove(row)
            self._invoices_by_supplier[supplier].remove(row)
            self._invoices_by_number[invoice].remove(row)
            self.purged.append(row)
        for transaction in self._transactions_by_key.pop((supplier, invoice), ()):
            self.transactions.remove(transaction)
            self.purged.append(transaction)

    # General ledger

    def add_journal(self, journal: GlJournal) -> None:
        """Store a journal; if it is posted, its entries reach the account balances."""
        self.journals.append(journal)
        self._journals_by_number[journal.journal] = journal
        self._journals_by_reference[journal.reference].append(journal)
        if journal.status == sim_texts.JOURNAL_POSTED:
            self._reach_balances(journal)

    def new_gl_journal(self) -> int:
        """Return a new GL journal number."""
        self._gl_journal += 1
        return self._gl_journal

    def post_held(self, journal: GlJournal) -> None:
        """Post a journal that was stored but not posted, authorizing it.

        Raises:
            ValueError: If it is posted or cancelled already, does not balance, or its period is closed.
        """
        waiting = journal.status in {sim_texts.JOURNAL_HELD, sim_texts.JOURNAL_NOT_POSTED}
        if (
            not waiting
            or journal.debit != journal.credit
            or not self.periods.gl_is_open((journal.year, journal.period))
        ):
            msg = f"journal {journal.journal} is posted or cancelled, does not balance, or its period is closed"
            raise ValueError(msg)
        journal.status = sim_texts.JOURNAL_POSTED
        journal.authorized = True
        self._reach_balances(journal)

    def _reach_balances(self, journal: GlJournal) -> None:
        for entry in journal.entries:
            balances = self.accounts[entry.gl_code].balances
            debit, credit = balances.get((journal.year, journal.period), (0, 0))
            if entry.amount >= 0:
                debit += entry.amount
            else:
                credit -= entry.amount
            balances[journal.year, journal.period] = (debit, credit)

    def integrate(self, ap_journal: int, origin: Origin, *, run_by_person: bool = False) -> GlOutcome | None:
        """Make the GL journal of an AP journal as the site's set-up says; None when AP is not linked to GL.

        A journal that cannot be made waits for the integration run: the AP posting stands (reference/syspro.md §2.1).
        """
        if self.options.ap_gl == "not_linked":
            return None
        postings = self._postings_by_journal[ap_journal]
        period = (postings[0].year, postings[0].month)
        if not self.periods.gl_is_open(period):
            number, text = sim_texts.GL_PERIOD_CLOSED
            self._wait(ap_journal)
            return GlOutcome(period, None, number, text.format(period=period[1], year=period[0]))
        if not (self.options.gl_create or run_by_person):
            self._wait(ap_journal)
            return GlOutcome(period, None, *sim_texts.GL_NOT_CREATED)
        status = sim_texts.JOURNAL_POSTED if self.options.gl_post or run_by_person else sim_texts.JOURNAL_HELD
        entries = tuple(chain.from_iterable(gl_entries(posting) for posting in postings))
        journal = GlJournal(
            year=period[0], period=period[1], journal=self.new_gl_journal(), source="AP",
            reference=f"AP journal {ap_journal:05d}", notation="", journal_date=origin.at.date(), status=status,
            authorized=status == sim_texts.JOURNAL_POSTED,
            entries=summarized(entries) if self.options.ap_gl == "summary" else entries,
            origin=origin, ap_journal=ap_journal,
        )  # fmt: skip
        self.add_journal(journal)
        return GlOutcome(period, journal)

    def _wait(self, ap_journal: int) -> None:
        if ap_journal not in self._not_integrated:
            self._not_integrated.append(ap_journal)

    def run_integration(self, origin: Origin) -> list[GlOutcome]:
        """Make the GL journals that are missing, as a person running the AP to GL integration does."""
        waiting, self._not_integrated = self._not_integrated, []
        outcomes = [self.integrate(ap_journal, origin, run_by_person=True) for ap_journal in waiting]
        return [outcome for outcome in outcomes if outcome is not None]
