"""What a route that writes into JAGGAER can choose."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from airflow_provider_mlconnector.documents.supplier import owners


class JaggaerOptions(BaseModel):
    """Choices of one route; the defaults are the careful ones.

    Attributes:
        owners: Departures from who decides which fields of a supplier (:func:`~...documents.supplier.owners`).
        remote_timeout: Seconds JAGGAER may still work on a request after our own deadline.
        account_list: Name of the custom field that holds GL accounts (``customFieldName``).
        cost_center_list: The same for cost centers.
        business_unit: Internal name of the business unit in supplier and code-list messages, empty for all; for orders
            and invoices the one they belong to, empty for their own.
        batch_size: Entries of a code list in one request.
        invoices_route: For payments: name of the route that takes this tenant's invoices into the ledger.
        orders_by: How orders are written; empty is the contract's ``order_writes.by``.
        invoices_by: How invoices are written; empty is the contract's ``invoice_writes.by``.
        distribute_orders: Whether JAGGAER tells the supplier of each revision of an order, once.
        unclear_orders: What to do with an order whose answer was lost and whose revision JAGGAER does not show, while
            its supplier may be told of it: leave it to a ``person``, or ``repeat`` it after two look-ups 15 minutes
            apart, at the risk of telling the supplier twice.
        unseen_hours: After how long an imported invoice that JAGGAER's list does not show is for a person.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    owners: dict[str, str] = Field(default_factory=dict)
    remote_timeout: float = Field(default=60.0, ge=0)
    account_list: str = Field(default="Account", min_length=1)
    cost_center_list: str = Field(default="CostCenter", min_length=1)
    business_unit: str = ""
    batch_size: int = Field(default=100, ge=1, le=1000)
    invoices_route: str = ""
    orders_by: Literal["", "j1p", "router"] = ""
    invoices_by: Literal["", "j1p", "router", "cxml"] = ""
    distribute_orders: bool = True
    unclear_orders: Literal["person", "repeat"] = "person"
    unseen_hours: float = Field(default=24.0, gt=0)

    @field_validator("owners")
    @classmethod
    def _known(cls, chosen: dict[str, str]) -> dict[str, str]:
        owners(chosen)
        return chosen
