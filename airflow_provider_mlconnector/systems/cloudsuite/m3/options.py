"""What a connection to CloudSuite M3, or a route from or into it, can choose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator

from airflow_provider_mlconnector.systems.cloudsuite.options import CloudSuiteOptions


class M3Options(CloudSuiteOptions):
    """Choices of one connection and route; the defaults are the careful ones.

    Statuses and dimensions marked † are not documented: they are what the reference infers, so that a site can say
    otherwise (reference/cloudsuite.md §5.2, §9.13).

    Attributes:
        context: See :class:`CloudSuiteOptions`.
        company: Company number (CONO); part of every call.
        division: Division (DIVI); empty where the company has none.
        closed_period: M3 shows its periods to nobody outside and refuses closed ones when it validates: only ``hold``.
        active_supplier_statuses: ``STAT`` of suppliers that may be used †.
        order_statuses: ``PUST`` of order lines the supplier may see; below the first one they are planned †.
        canceled_statuses: ``PUST`` of lines nothing is wanted of any more †.
        closed_statuses: ``PUST`` of lines nothing more is expected on †.
        line_changes: How changes of order lines are found, which the head need not show: by ``EXPORTMI Select`` on
            MPLINE, or by the head's own change date alone where EXPORTMI is not permitted.
        cost_center_dimension: Accounting dimension (AITP) that is the cost center; 1 is the account.
        account_input: Input of ``APS450MI AddLine`` for the account, of which 15.1 has none †. Empty: M3's own
            accounting rules code the lines, whatever the mapping says.
        cost_center_input: The same for the cost center †.
        reference_field: Field of the invoice head that carries our reference; M3 keeps nothing else of ours unique.
        invoice_type: ``IBTP`` of invoice batches (20 is the normal one).
        head_inputs: Further inputs of ``AddHead``, such as ``{"APCD": "APUSER"}`` for the authorized user.
        validation: Transactions of APS455MI that validate a batch: ``ValidByBatchNo`` at 15.1, newer ones
            ``ValidateByBatchNo``. The first one that the site has is used.
        approve: Approve validated batches through ``APS110MI ApproveInvoice``, instead of leaving that to people.
        posted_statuses: ``SUPA`` of invoices that are in the ledger †.
        supplier_number: Number of a new supplier the source has no free number for; ``{key}`` is its key there.
        new_supplier: Inputs of ``AddSupplier`` that no source tells, of which 15.1 requires up to 23.
        deactivate: A supplier deactivated at the source: park, give it ``inactive_supplier_status``, or ignore.
        inactive_supplier_status: ``STAT`` of suppliers that may not be used †.
        countries: ISO 3166 code → the site's own country code, where it writes them otherwise.
        shorten_names: Shorten names that are too long, and say so, instead of rejecting them.
    """

    context: str = "M3"
    company: str = ""
    division: str = ""
    closed_period: Literal["hold"] = "hold"
    active_supplier_statuses: tuple[str, ...] = ("20",)
    order_statuses: tuple[str, ...] = ("20", "25", "30", "35", "40", "45", "50", "55", "60", "65", "70", "75")
    canceled_statuses: tuple[str, ...] = ("99",)
    closed_statuses: tuple[str, ...] = ("80", "85", "90")
    line_changes: Literal["export", "head"] = "export"
    cost_center_dimension: int = Field(default=2, ge=2, le=7)
    account_input: str = "AIT1"
    cost_center_input: str = "AIT2"
    reference_field: str = "CORI"
    invoice_type: str = "20"
    head_inputs: dict[str, str] = Field(default_factory=dict)
    validation: tuple[str, ...] = ("ValidateByBatchNo", "ValidByBatchNo")
    approve: bool = False
    posted_statuses: tuple[str, ...] = ("90",)
    supplier_number: str = "{key}"
    new_supplier: dict[str, str] = Field(default_factory=dict)
    deactivate: Literal["park", "inactive", "ignore"] = "park"
    inactive_supplier_status: str = "90"
    countries: dict[str, str] = Field(default_factory=dict)
    shorten_names: bool = False

    @field_validator(
        "active_supplier_statuses",
        "order_statuses",
        "canceled_statuses",
        "closed_statuses",
        "posted_statuses",
        "validation",
        mode="before",
    )
    @classmethod
    def _as_list(cls, value: object) -> object:
        """Take ``20, 25`` too, which is what a form or a DAG file holds."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("company", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        text = str(value or "").strip()
        if text and not (text.isascii() and text.isdigit() and len(text) <= _COMPANY_DIGITS):
            msg = "must be a company number of up to three digits, such as 100"
            raise ValueError(msg)
        return text

    @field_validator("supplier_number")
    @classmethod
    def _distinct(cls, template: str) -> str:
        if template.count("{key}") != 1 or "{" in template.replace("{key}", ""):
            msg = "must contain {key} once and no other braces"
            raise ValueError(msg)
        return template

    @property
    def dimensions(self) -> Mapping[str, str]:
        """Input of a batch's line → what it takes (``account``, ``cost_center``); empty where M3 codes by itself."""
        named = {self.account_input: "account", self.cost_center_input: "cost_center"}
        return {name: what for name, what in named.items() if name and self.account_input}


_COMPANY_DIGITS = 3
