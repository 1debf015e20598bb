"""What a route that writes into JAGGAER can choose."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from airflow_provider_mlconnector.documents.supplier import owners


class JaggaerOptions(BaseModel):
    """Choices of one route; the defaults are the careful ones.

    Attributes:
        owners: Departures from who decides which fields of a supplier (:func:`~...documents.supplier.owners`).
        remote_timeout: Seconds JAGGAER may still work on a request after our own deadline.
        account_list: Name of the custom field that holds GL accounts (``customFieldName``).
        cost_center_list: The same for cost centers.
        business_unit: Internal name of the business unit in supplier and code-list messages, empty for all.
        batch_size: Entries of a code list in one request.
        invoices_route: For payments: name of the route that takes this tenant's invoices into the ledger.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    owners: dict[str, str] = Field(default_factory=dict)
    remote_timeout: float = Field(default=60.0, ge=0)
    account_list: str = Field(default="Account", min_length=1)
    cost_center_list: str = Field(default="CostCenter", min_length=1)
    business_unit: str = ""
    batch_size: int = Field(default=100, ge=1, le=1000)
    invoices_route: str = ""

    @field_validator("owners")
    @classmethod
    def _known(cls, chosen: dict[str, str]) -> dict[str, str]:
        owners(chosen)
        return chosen
