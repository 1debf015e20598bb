"""What a connection to CloudSuite Industrial, or a route from or into it, can choose."""

from __future__ import annotations

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
    """

    context: str = "CSI"
    configuration: str = ""
    site: str = ""
    vendor_width: int = Field(default=7, ge=1, le=30)
    po_width: int = Field(default=10, ge=1, le=30)
    cost_center_unit: int = Field(default=1, ge=1, le=4)
    order_statuses: tuple[str, ...] = ("O",)

    @field_validator("order_statuses", mode="before")
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
