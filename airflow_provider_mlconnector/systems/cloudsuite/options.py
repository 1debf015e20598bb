"""What a connection to CloudSuite, or a route from or into it, can choose; each dialect adds its own."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from airflow_provider_mlconnector.documents.supplier import owners


class CloudSuiteOptions(BaseModel):
    """Choices every dialect knows; the defaults are the careful ones.

    Attributes:
        context: First part of all paths below the tenant; the administrator names the API suite. Empty: the dialect's.
        time_zone: Zone of the site's change times, which the wire does not name.
        page_size: Rows per page of a list.
        remote_timeout: Seconds the product may still work on a request after our own deadline: the gateway gives up
            after 60, or what its target-timeout policy says (reference/cloudsuite.md §3.3).
        owners: Departures from who decides which fields of a supplier (:func:`~...documents.supplier.owners`).
        closed_period: Rule of the route.
        supplier_on_hold: Rule of the route.
        po_lines: Rule of the route.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    context: str = ""
    time_zone: str = "UTC"
    page_size: int = Field(default=500, ge=1, le=1000)
    remote_timeout: float = Field(default=60.0, ge=0, le=300)
    owners: dict[str, str] = Field(default_factory=dict)
    closed_period: Literal["hold", "current_open"] = "hold"
    supplier_on_hold: Literal["park", "post"] = "park"
    po_lines: Literal["receipts", "park", "post"] = "receipts"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, OSError, ValueError):  # unknown, a folder, or no name at all
            msg = f"{name!r} is no time zone such as Europe/Berlin"
            raise ValueError(msg) from None
        return name

    @field_validator("owners")
    @classmethod
    def _known_owners(cls, chosen: dict[str, str]) -> dict[str, str]:
        owners(chosen)
        return chosen
