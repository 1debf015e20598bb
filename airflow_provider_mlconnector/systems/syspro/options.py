"""What a SYSPRO connection and route can choose."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class ApGl(StrEnum):
    """Whether AP invoices reach the general ledger by themselves (FINANCE §1)."""

    LINKED = "linked"
    """APSTIN's own distribution is the booking; no journal of ours, ever."""
    NOT_LINKED = "not_linked"
    """A GENTJL journal follows as a step of its own."""


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

    PARK = "park"
    """Whether SYSPRO has accrued the receipt is not known, and posting to expense could book the cost twice."""
    POST = "post"
    """The site receives nothing in SYSPRO: the lines' own accounts bear the cost."""


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
        closed_period: Closed accounting period: hold the invoice, or book it into AP's current period.
        supplier_on_hold: Park, or post after SYSPRO itself showed the hold as its only objection.
        po_lines: Park invoices with PO lines, or post them to the lines' own accounts.
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
        owners: Departures from who decides which fields of a supplier (:func:`~...documents.supplier.owners`).
        ap_year_column: Column of ApControl with AP's current year. No public source names it or the next three; confirm
            them per site, ``ping`` shows whether they exist.
        ap_month_column: The same for the current period.
        ap_status_columns: Flags of AP's current period and the two before, ``C`` closed; empty: only GL's flags count.
        terms_days_column: Column of TblApTerms with the days until due, for invoices without a due date; empty: none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    company: str = Field(min_length=1, max_length=4)
    ap_gl: ApGl = ApGl.LINKED
    closed_period: ClosedPeriod = ClosedPeriod.HOLD
    supplier_on_hold: OnHold = OnHold.PARK
    po_lines: PoLines = PoLines.PARK
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
    owners: dict[str, str] = Field(default_factory=dict)
    ap_year_column: str = "FinYear"
    ap_month_column: str = "FinPeriod"
    ap_status_columns: tuple[str, ...] = ("CurPrdStat", "Prv1PrdStat", "Prv2PrdStat")
    terms_days_column: str = "DueDays"
