"""What a SYSPRO connection and route can choose."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from airflow_provider_mlconnector.documents.supplier import owners


class ApGl(StrEnum):
    """Whether AP invoices reach the general ledger by themselves (FINANCE §1)."""

    LINKED = "linked"
    """APSTIN's own distribution is the booking; no journal of ours, ever."""
    NOT_LINKED = "not_linked"
    """A GENTJL journal follows as a step of its own."""


class Journals(StrEnum):
    """How postings reach the ledger where AP is not linked to it."""

    EACH = "each"
    """A journal of its own for each, as its next step."""
    COMBINED = "combined"
    """One journal per period and branch, a document of another route (FINANCE §1)."""


class ClosedPeriod(StrEnum):
    """What happens to an invoice whose accounting date lies in a closed period (FINANCE §3)."""

    HOLD = "hold"
    CURRENT_OPEN = "current_open"


class OnHold(StrEnum):
    """What happens to an invoice of a supplier on hold (FINANCE §4)."""

    PARK = "park"
    POST = "post"


class PoLines(StrEnum):
    """What happens to an invoice with lines that refer to a purchase order (FINANCE §1)."""

    RECEIPTS = "receipts"
    """What SYSPRO has received and accrued is cleared, what it has not received waits."""
    PARK = "park"
    """All of them are for a person: posting to expense what was accrued would book the cost twice."""
    POST = "post"
    """The site receives nothing in SYSPRO: the lines' own accounts bear the cost."""


class Deactivate(StrEnum):
    """What happens in SYSPRO to a supplier that was deactivated at the source."""

    PARK = "park"
    """A person decides: SYSPRO knows only the hold, which is its own side's to set (FINANCE §7)."""
    HOLD = "hold"
    """It is put on hold; nobody but a person takes it off again."""
    IGNORE = "ignore"


class PoNumbering(StrEnum):
    """Who numbers purchase orders at this site (reference/syspro.md §2.7)."""

    SYSTEM = "system"
    """SYSPRO; the source's number and our reference stand in CustomerPoNumber."""
    MANUAL = "manual"
    """Whoever adds an order: the source's number is SYSPRO's too."""


class PoSplit(StrEnum):
    """What happens to an order line split over several accounts; one of SYSPRO has one."""

    PARK = "park"
    LARGEST = "largest"
    """All of the line stands on the account with the largest share; the invoice is coded by its own splits."""


class Carrier(StrEnum):
    """How documents travel."""

    GET = "get"
    """In the query string: recorded real traffic (reference/syspro.md §1.1)."""
    POSTLD = "postld"
    """In a body, SYSPRO 8: one source only (reference/syspro.md §1.3)."""


class SysproOptions(BaseModel):
    """Choices of one connection and route; the defaults are the careful ones.

    Attributes:
        company: SYSPRO company id.
        ap_gl: Whether AP is linked to GL at this site.
        journals: Where it is not: a journal for each invoice, or combined ones.
        closed_period: Closed accounting period: hold the invoice, or book it into AP's current period.
        supplier_on_hold: Park, or post after SYSPRO itself showed the hold as its only objection.
        po_lines: Clear the receipts of invoices with PO lines, park these, or post them to the lines' own accounts.
        receipts_accrue: Receipts are booked to the suspense account when they are made. Off, invoices match them all
            the same, and the lines' own accounts bear the cost.
        receipt_invoiced_column: Column of GrnDetails with the quantity of a receipt that was invoiced. No public source
            names one; empty: worked out from the values, which is exact while receipts are matched at their own value.
        transport: By query string, or by PostLD.
        logon_path: Below the REST root; some documents call it ``/Utilities/Logon``.
        logoff_path: Below the REST root.
        max_items: Most documents of one request.
        max_body: Most bytes of one PostLD request.
        remote_timeout: Seconds SYSPRO may still work on a request after our own deadline.
        authorize_journal: D a person authorizes, A authorizes at once (GENTJL AuthorizeJournal).
        tax_account: GL code that bears recoverable tax in a journal of ours; empty takes AdmTax.ApTaxGlCode.
        line_notations: Send each GL line's text as LedgerNotation. Off, about five three-line invoices fit one GET of
            8 KB; on, about four.
        credit_reference_proven: True once ``ping`` proved that TransactionReference can be read back for credits.
        po_numbering: Who numbers purchase orders: SYSPRO, or by hand, which takes the source's number.
        po_split: An order line over several accounts: park it, or put all of it on the largest share.
        po_status: Status of orders added: 4 already printed, since the source itself sends orders to suppliers; or 1
            ready to print.
        po_stock: Look order lines up in the inventory master; off, every line is a non-stocked one.
        owners: Departures from who decides which fields of a supplier (:func:`~...documents.supplier.owners`).
        supplier_number: Number of a new supplier the source has no free number for; ``{key}`` is its key there.
        deactivate: A supplier deactivated at the source: park, put on hold, or ignore.
        shorten_names: Shorten names, contacts and addresses that are too long, and say so, instead of rejecting them.
        address_lines: What SupAddr1 to SupAddr5 (and RemitAddr1 to 5) hold at this site: line, city, region, country.
        address_table: Where suppliers' addresses live, which is inferred (reference/syspro.md §4); empty: nowhere that
            can be read, so that addresses and remit-to are never compared nor written.
        full_records: Read all columns of a supplier before it is changed (COMFND AllColumns, SYSPRO 8). Off, only the
            columns named in reference/syspro.md §4 are read and sent back.
        gl_template: How a GL code is made, such as ``{cost_center}-{account}``; empty where codes carry no cost center.
        cost_center_section: Number of the GL code's section that is the cost center, for its names (GENQST); 0: none.
        payment_sign: 1 where ApInvoicePay shows payments as positive values, -1 where negative; confirm per site.
        ap_journal_column: Column of GenJournalDetail with the number of the AP journal it came from: how an integration
            that failed at first is seen to have been made up for. Confirm per site; empty: never looked for.
        canceled_journals: ``GenJournalCtl.JnlStatus`` of journals somebody canceled. Only P, posted, is documented:
            confirm per site; empty: never told apart from those that wait.
        payment_types: ``ApInvoicePay.TrnType`` of payments: no public source lists them, confirm per site.
        ap_year_column: Column of ApControl with AP's current year. No public source names it or the next three; confirm
            them per site, ``ping`` shows whether they exist.
        ap_month_column: The same for the current period.
        ap_status_columns: Flags of AP's current period and the two before, ``C`` closed; empty: only GL's flags count.
        terms_days_column: Column of TblApTerms with the days until due, for invoices without a due date; empty: none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    company: str = Field(min_length=1, max_length=4)
    ap_gl: ApGl = ApGl.LINKED
    journals: Journals = Journals.EACH
    closed_period: ClosedPeriod = ClosedPeriod.HOLD
    supplier_on_hold: OnHold = OnHold.PARK
    po_lines: PoLines = PoLines.RECEIPTS
    receipts_accrue: bool = True
    receipt_invoiced_column: str = ""
    transport: Carrier = Carrier.GET
    logon_path: str = "/Logon"
    logoff_path: str = "/Logoff"
    max_items: int = Field(default=250, ge=1, le=1000)
    max_body: int = Field(default=1024 * 1024, ge=10_000)
    remote_timeout: float = Field(default=60.0, ge=0)
    authorize_journal: str = Field(default="D", pattern="^[DA]$")
    tax_account: str = ""
    line_notations: bool = False
    credit_reference_proven: bool = False
    po_numbering: PoNumbering = PoNumbering.SYSTEM
    po_split: PoSplit = PoSplit.PARK
    po_status: str = Field(default="4", pattern="^[14]$")
    po_stock: bool = True
    owners: dict[str, str] = Field(default_factory=dict)
    supplier_number: str = "JAG{key}"
    deactivate: Deactivate = Deactivate.PARK
    shorten_names: bool = False
    address_lines: tuple[str, str, str, str, str] = ("line", "line", "city", "region", "country")
    address_table: str = "ApSupplierAddr"
    full_records: bool = True
    gl_template: str = ""
    cost_center_section: int = Field(default=0, ge=0, le=9)
    payment_sign: int = Field(default=1, ge=-1, le=1)
    ap_journal_column: str = "SubModJournal"
    canceled_journals: tuple[str, ...] = ("C",)
    payment_types: tuple[str, ...] = ("P",)
    ap_year_column: str = "FinYear"
    ap_month_column: str = "FinPeriod"
    ap_status_columns: tuple[str, ...] = ("CurPrdStat", "Prv1PrdStat", "Prv2PrdStat")
    terms_days_column: str = "DueDays"

    @field_validator("owners")
    @classmethod
    def _known_owners(cls, chosen: dict[str, str]) -> dict[str, str]:
        owners(chosen)
        return chosen

    @field_validator("supplier_number")
    @classmethod
    def _distinct(cls, template: str) -> str:
        if template.count("{key}") != 1 or "{" in template.replace("{key}", ""):
            msg = "must contain {key} once and no other braces"
            raise ValueError(msg)
        return template

    @field_validator("address_lines")
    @classmethod
    def _told_apart(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        single = [name for name in names if name != "line"]
        if set(single) - {"city", "region", "country"} or len(set(single)) < len(single) or "line" not in names:
            msg = "must be five of line, city, region, country; only line may be repeated, and must be there"
            raise ValueError(msg)
        return names

    @model_validator(mode="after")
    def _one_producer(self) -> Self:
        if self.ap_gl is ApGl.LINKED and self.journals is Journals.COMBINED:
            msg = "journals: combined books what AP books already: it is for sites with ap_gl: not_linked"
            raise ValueError(msg)
        return self
