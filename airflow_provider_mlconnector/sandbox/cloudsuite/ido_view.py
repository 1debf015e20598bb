"""An IDO as one site's product shows it: its table, less what this version lacks, in the site's local time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from airflow_provider_mlconnector.sandbox.cloudsuite import ido_text
from airflow_provider_mlconnector.sandbox.cloudsuite.columns import Column, Row
from airflow_provider_mlconnector.sandbox.cloudsuite.surface import IdoBooks, Site
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Table

_ITEM_ID = re.compile(r"PBT=\[(?P<table>\w+)\](?: \w+\.DT=\[(?P<date>[^\]]*)\] \w+\.ID=\[(?P<id>[^\]]*)\])?")


class IdoError(ValueError):
    """The product refuses in band; the message goes to the caller. All of their words are SIM (§9.4)."""


@dataclass(frozen=True, slots=True)
class ItemId:
    """What an ``_ItemId`` says: the table, and of a row its pointer and its change stamp as shown."""

    table: str
    date: str = ""
    row_pointer: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One IDO on one site.

    Attributes:
        table: Its rows.
        columns: By name, without those the product's version lacks.
        zone: Of the site's clock.
        now: The present on that clock, without a zone.
    """

    table: Table
    columns: dict[str, Column]
    zone: ZoneInfo
    now: datetime

    def column(self, name: str) -> Column:
        """Return a property.

        Raises:
            IdoError: There is none; it fails the whole request (§7.5).
        """
        if name not in self.columns:
            message = f"Property {name} not found on IDO {self.table.ido}"
            raise IdoError(message)
        return self.columns[name]

    def compared(self, column: Column, row: Row) -> Any:  # noqa: ANN401 - as columns are
        """Return what a row is compared and ordered by."""
        return ido_text.compared(column, self.table.value(row, column.name), self.zone)

    def shown(self, column: Column, row: Row) -> str | None:
        """Return a property of a row as the wire has it."""
        return ido_text.shown(column, self.table.value(row, column.name), self.zone)

    def item_id(self, row: Row) -> str:
        """Return a row's ``_ItemId``: its change stamp, which locks it, and its pointer (§4a)."""
        alias = self.table.alias
        return f"PBT=[{self.table.base_table}] {alias}.DT=[{self.stamp(row)}] {alias}.ID=[{row['RowPointer']}]"

    def stamp(self, row: Row) -> str:
        """Return the row's change stamp in the dashed form."""
        changed: datetime = row["RecordDate"]
        return changed.astimezone(self.zone).replace(tzinfo=None).isoformat(" ", "milliseconds")

    def read_item_id(self, text: str) -> ItemId:
        """Take an ``_ItemId`` apart.

        Raises:
            IdoError: It is none of this IDO's.
        """
        found = _ITEM_ID.fullmatch(text.strip())
        if found is None or found["table"] != self.table.base_table:
            message = f"Invalid item id for IDO {self.table.ido}"
            raise IdoError(message)
        return ItemId(found["table"], found["date"] or "", found["id"] or "")


def view(site: Site, books: IdoBooks, ido: str) -> View:
    """Return an IDO of the site.

    Raises:
        IdoError: There is none.
    """
    absent = site.options.absent
    table = books.tables.get(ido)
    if table is None or ido in absent:
        message = f"IDO {ido} not found"
        raise IdoError(message)
    lacking = {name.removeprefix(f"{ido}.") for name in absent if name.startswith(f"{ido}.")}
    zone = ZoneInfo(site.options.time_zone)
    now = site.now().astimezone(zone).replace(tzinfo=None)
    return View(table, {name: column for name, column in table.columns.items() if name not in lacking}, zone, now)


def privileged(site: Site, ido: str, action: str) -> None:
    """Refuse what the user has no privilege for (§4a, texts seen).

    Raises:
        IdoError: With the words seen in the field.
    """
    if {ido, f"{ido}:{action}"} & {*site.options.unprivileged}:
        message = f"User requires [{action}] privilege for IDO {ido}"
        raise IdoError(message)
