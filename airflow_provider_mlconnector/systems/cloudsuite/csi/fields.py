"""Rows of an IDO read field by field, in words a person understands when one cannot be read."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from airflow_provider_mlconnector.systems.cloudsuite import rows
from airflow_provider_mlconnector.systems.cloudsuite.csi import values
from airflow_provider_mlconnector.systems.cloudsuite.rows import dump, load, rounded, smallest

__all__ = ["Fields", "dump", "load", "rounded", "smallest"]


class Fields(rows.Fields):
    """One row of an IDO."""

    __slots__ = ()
    system: ClassVar[str] = "CSI"

    def read_day(self, value: str | None) -> date | None:
        """Read a calendar day as CSI writes it."""
        return values.to_day(value)
