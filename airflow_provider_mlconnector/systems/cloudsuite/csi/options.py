"""What a connection to CloudSuite Industrial, or a route from or into it, can choose."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from airflow_provider_mlconnector.systems.cloudsuite.options import CloudSuiteOptions


class CsiOptions(CloudSuiteOptions):
    """Choices of one connection and route; the defaults are the careful ones.

    Attributes:
        context: See :class:`CloudSuiteOptions`.
        configuration: Mongoose configuration, which names the site's data (header ``X-Infor-MongooseConfig``).
        site: Site, for tenants that want it beside the configuration (header ``X-Infor-Site``).
        vendor_width: Width of vendor numbers, right-justified in it.
        po_width: Width of purchase order numbers.
        cost_center_unit: Which of the four unit codes is the cost center at this site.
        order_statuses: Header statuses of orders that may leave; planned ones never do (FINANCE §4).
        domestic_currency: Currency of the site. Named, a voucher in another one with exchange rate 1 is not released.
        voucher_numbering: Who numbers vouchers: CSI (``assigned``), we by the highest one and one more
            (``max_plus_one``), or CSI unless it asks for a number (``auto``).
        voucher_repost: A voucher that may have been written and is not found: left to a person, or sent again after a
            second look a quarter of an hour later. CSI refuses no second one (FINANCE §5).
        ap_account: AP account of vouchers; empty: the vendor's own, as CSI chooses it.
        tax_account: Account, with unit codes behind it where ``account_separator`` is set, that bears recoverable tax.
        tax_accounts: The same by tax code, where they differ.
        tax_system: ``TaxSystem`` of recoverable tax.
        account_separator: What stands between account and unit codes in the mapping's account codes; empty where these
            are accounts alone, and the mapping's cost center is unit code ``cost_center_unit``.
        periods_ido: IDO of the accounting periods. No public source names it or its properties: confirm them per site,
            ``ping`` shows whether they exist. Empty: only CSI itself watches closed periods.
        period_year: Its property with the fiscal year.
        period_number: The same of the period's number, where there is a row per period.
        period_start: The same of its first day; ``{n}`` stands for the number where there is a row per year.
        period_end: The same of its last day.
        period_closed: The same of what says that it is closed; empty: nothing does.
        period_closed_words: Values of that for closed periods.
        invoice_types: ``Type`` of vouchers that are invoices or credit memos (A, adjustments, never leave).
        supplier_number: Number of a new vendor the source has no free number for; ``{key}`` is its key there.
        deactivate: A supplier deactivated at the source: park, make it inactive, or ignore.
        countries: ISO 3166 code → the site's own country, where it writes them otherwise.
        shorten_names: Shorten names, contacts and addresses that are too long, and say so, instead of rejecting them.
    """

    context: str = "CSI"
    configuration: str = ""
    site: str = ""
    vendor_width: int = Field(default=7, ge=1, le=30)
    po_width: int = Field(default=10, ge=1, le=30)
    cost_center_unit: int = Field(default=1, ge=1, le=4)
    order_statuses: tuple[str, ...] = ("O",)
    domestic_currency: str = ""
    voucher_numbering: Literal["auto", "assigned", "max_plus_one"] = "auto"
    voucher_repost: Literal["person", "second_look"] = "person"
    ap_account: str = ""
    tax_account: str = ""
    tax_accounts: dict[str, str] = Field(default_factory=dict)
    tax_system: int = Field(default=1, ge=1)
    account_separator: str = ""
    periods_ido: str = "SLPeriods"
    period_year: str = "FiscalYear"
    period_number: str = "Period"
    period_start: str = "PerStart_{n}"
    period_end: str = "PerEnd_{n}"
    period_closed: str = "PerClosed_{n}"
    period_closed_words: tuple[str, ...] = ("1", "C")
    invoice_types: tuple[str, ...] = ("V",)
    supplier_number: str = "{key}"
    deactivate: Literal["park", "inactive", "ignore"] = "park"
    countries: dict[str, str] = Field(default_factory=dict)
    shorten_names: bool = False

    @field_validator("order_statuses", "invoice_types", "period_closed_words", mode="before")
    @classmethod
    def _as_list(cls, value: object) -> object:
        """Take ``O`` or ``O, C`` too, which is what a form or a DAG file holds."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("order_statuses")
    @classmethod
    def _never_planned(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or "P" in value:
            msg = "name the statuses of ordered purchase orders, such as O; P (planned) never leaves"
            raise ValueError(msg)
        return value

    @field_validator("supplier_number")
    @classmethod
    def _distinct(cls, template: str) -> str:
        if template.count("{key}") != 1 or "{" in template.replace("{key}", ""):
            msg = "must contain {key} once and no other braces"
            raise ValueError(msg)
        return template
