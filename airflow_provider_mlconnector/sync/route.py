"""A route: which documents go from where to where, and under which rules of the house."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.documents.matching_lines import Tolerances
from airflow_provider_mlconnector.documents.model import Document, Key
from airflow_provider_mlconnector.errors import ConfigurationError


class MappingSource(Document):
    """Where people edit the mapping: a YAML file or an Airflow Variable. Both empty: only versions already imported."""

    file: str = ""
    variable: str = ""
    reverse: bool = False
    """Read backwards: the route runs from the ledger's side of the mapping to the other."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.file and self.variable:
            msg = "give either file or variable, not both"
            raise ValueError(msg)
        return self


class Route(Document):
    """Names source, target, document and the options of FINANCE that a site decides.

    Attributes:
        name: Key of everything the store keeps for this route. Never rename a route in use.
        document: Kind of document.
        source: Airflow connection id of the source system.
        target: Airflow connection id of the target system.
        opposite: Name of the route that runs the other way, where a document is kept in step both ways.
        owners: Which system decides a group of fields of a supplier: ``erp`` or ``jaggaer`` (FINANCE §7).
        options: Choices of the target that are no rules of the house (``po_numbering``, …), checked by it.
        source_options: The same of the source (``gl_template``, …).
        start_at: Cut-over date. Documents dated before it are recorded as skipped; without it nothing runs.
        workflow_status: Source words that make a document eligible, likewise ``payment_status`` and ``match_status``.
        closed_period: What to do with a document whose accounting date lies in a closed period.
        supplier_on_hold: What to do with documents of a supplier on hold in the target.
        po_lines: What to do with invoices whose lines refer to purchase orders. ``receipts``: clear what the target has
            received and accrued, wait for what it has not. ``post``: the site receives nothing there, the lines' own
            accounts bear the cost. ``park``: keep them all back.
        orders_route: Name of the route that brings those orders into the target; empty: any between the same systems.
        coding: ``invoice_first``: lines without an account take account and cost center from their order line;
            ``order_first``: all lines do.
        match: Whether invoices are compared with the orders they bill, where the source does not do so already:
            ``off``, ``warn`` (said in the audit and as an issue), ``park`` (kept back until they match).
        tolerances: What may differ.
        journals: Where the target's AP does not reach its ledger by itself: ``each`` invoice gets a journal of its own;
            ``combined``, another route takes them up, one journal per period and branch (:mod:`.combine`).
        fail_on: States that turn the run red at its end.
        overlap_minutes: How far each window reaches back behind the last one, for changes that commit late.
        max_passes: Passes over a source list until two agree, before giving up loudly.
        chunk_size: Documents per mapped validation task.
        claim_size: Documents a posting task holds at a time: the more, the fuller each request to the target.
        settle_wait_minutes: How long a run waits for uncertain writes to be settled before it reports them.
    """

    name: Key
    document: Literal[
        "invoice", "purchase_order", "supplier", "ledger_account", "cost_center", "payment", "journal"
    ] = "invoice"
    source: Key
    target: Key
    opposite: str = ""
    owners: Mapping[str, Literal["erp", "jaggaer"]] = Field(default_factory=dict)
    options: Mapping[str, str | int | bool] = Field(default_factory=dict)
    source_options: Mapping[str, str | int | bool] = Field(default_factory=dict)
    mapping: MappingSource = Field(default_factory=MappingSource)
    start_at: date | None = None
    workflow_status: tuple[str, ...] = ("Completed",)
    payment_status: tuple[str, ...] = ("Payable",)
    match_status: tuple[str, ...] = ("Matched", "Do Not Match")
    closed_period: Literal["hold", "current_open"] = "hold"
    supplier_on_hold: Literal["park", "post"] = "park"
    po_lines: Literal["receipts", "park", "post"] = "receipts"
    orders_route: str = ""
    coding: Literal["invoice_first", "order_first"] = "invoice_first"
    match: Literal["off", "warn", "park"] = "off"
    tolerances: Tolerances = Field(default_factory=Tolerances)
    journals: Literal["each", "combined"] = "each"
    fail_on: tuple[State, ...] = (State.REJECTED, State.FAILED, State.UNCERTAIN)
    overlap_minutes: int = Field(default=10, ge=0)
    max_passes: int = Field(default=6, ge=2)
    chunk_size: int = Field(default=500, ge=1)
    claim_size: int = Field(default=1000, ge=1, le=1000)
    settle_wait_minutes: int = Field(default=5, ge=0)

    @field_validator("start_at", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if isinstance(value, str) and value.strip() in {"", "None"} else value

    @classmethod
    def parse(cls, value: Route | dict[str, Any]) -> Route:
        """Build a route from what a DAG file holds.

        Raises:
            ConfigurationError: Names each wrong option in one line.
        """
        if isinstance(value, Route):
            return value
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, item['loc'])) or 'route'}: {item['msg']}" for item in error.errors())
            name = value.get("name", "?") if isinstance(value, dict) else "?"
            message = f"Route {name!r} is not usable: {wrong}. Correct the route at the top of the DAG file."
            raise ConfigurationError(message, field=f"route {name!r}") from None

    def require_cut_over(self) -> date:
        """Return the cut-over date.

        Raises:
            ConfigurationError: None is set: nothing may be extracted or posted (FINANCE §4).
        """
        if self.start_at is None:
            message = (
                f"Route {self.name!r} has no cut-over date. Set start_at to the first document date this route shall "
                "post; everything dated earlier stays with whoever typed it in."
            )
            raise ConfigurationError(message, field=f"route {self.name!r}, start_at")
        return self.start_at
