"""M3's suppliers as a source (reference/cloudsuite.md §4b ``CRS620MI``, §5.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from airflow_provider_mlconnector.documents.supplier import Contact, Supplier
from airflow_provider_mlconnector.systems.cloudsuite.m3 import values
from airflow_provider_mlconnector.systems.cloudsuite.m3.listing import M3Source, inside
from airflow_provider_mlconnector.systems.cloudsuite.m3.mi import MiClient, Record, Row
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.systems.cloudsuite.m3.values import Fields
from airflow_provider_mlconnector.systems.cloudsuite.rows import digest, dump, load
from airflow_provider_mlconnector.systems.ports import Eligibility, SourcePage, SourceRecord, Summary, Window

PROGRAM: Final = "CRS620MI"
KEY: Final = "SUNO"
_TICK = timedelta(milliseconds=1)


class M3SupplierSource(M3Source):
    """Suppliers by number; inactive ones too, since the target must hear of it.

    The list names them, ``GetBasicData`` tells the rest: which of both shows what differs by version.
    """

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:  # noqa: ARG002 - a pass is read from its beginning
        """List the suppliers changed in the window."""
        window = self._closed(window)

        def asking(after: str) -> Record:
            since = {} if window.start is None else {"LMTS": values.stamp_text(window.start - _TICK)}
            return {**since, **({"FRSU": after} if after else {})}

        for page in self._mi.pages(PROGRAM, "LstSuppliers", KEY, asking):
            records = [self._record(row) for row in with_details(self._mi, page.rows)]
            yield SourcePage(inside(records, window), None, page.date, None)

    def decode(self, payload: bytes) -> Supplier:
        """Turn a record into the canonical supplier (see :func:`decode`)."""
        return decode(load(payload, "supplier"), self._options)

    def _record(self, row: Row) -> SourceRecord:
        supplier = Fields(row, "supplier")
        key, active = supplier.text(KEY), is_active(row, self._options)
        return SourceRecord(
            key=key,
            revision=values.revision([row]),
            payload=dump(row),
            complete=True,
            eligibility=Eligibility.ELIGIBLE,
            status_text=f"STAT {supplier.text('STAT') or 'not shown'}",
            summary=Summary(
                number=key,
                supplier=supplier.text("SUNM"),
                kind="active" if active else "inactive",
                currency=supplier.text("CUCD"),
            ),
            changed_at=values.changed_at(row, self._zone),
        )


def read_suppliers(mi: MiClient) -> Iterator[Row]:
    """Read every supplier, with its details where the list does not show its status."""

    def asking(after: str) -> Record:
        return {"FRSU": after} if after else {}

    for page in mi.pages(PROGRAM, "LstSuppliers", KEY, asking):
        shown = all("STAT" in row for row in page.rows)
        yield from page.rows if shown else with_details(mi, page.rows)


def with_details(mi: MiClient, rows: Sequence[Row]) -> list[Row]:
    """Return listed suppliers with what ``GetBasicData`` tells; one deleted meanwhile is left out."""
    results = mi.read_all(PROGRAM, [("GetBasicData", {KEY: row[KEY]}) for row in rows])
    details = [mi.first(f"{PROGRAM} GetBasicData", result) for result in results]
    return [{**row, **more} for row, more in zip(rows, details, strict=True) if more is not None]


def is_active(row: Mapping[str, Any], options: M3Options) -> bool:
    """Tell whether a supplier may be used; one whose status is not shown may."""
    status = str(row.get("STAT") or "").strip()
    return not status or status in options.active_supplier_statuses


def decode(row: Mapping[str, Any], options: M3Options) -> Supplier:
    """Turn a record into the canonical supplier.

    Street and city stand in addresses of their own, which no public source shows how to list, and whom payments go to
    in others: both are not told. A field the record lacks is one this version does not show.

    Raises:
        Rejected: It has no number or no name.
    """
    number = Fields(row, "the supplier").needed(KEY, "number")
    supplier = Fields(row, f"supplier {number}")
    ways = {"PHNO", "TFNO"} & row.keys()
    return Supplier(
        source_key=number,
        revision=values.revision([row]) or digest(row),
        number=number,
        name=supplier.needed("SUNM", "name"),
        active=is_active(row, options),
        currency=_told(supplier, "CUCD"),
        terms=_told(supplier, "TEPY"),
        tax_id=_told(supplier, "VRNO"),
        contact=Contact(phone=supplier.text("PHNO"), fax=_told(supplier, "TFNO")) if ways else None,
    )


def _told(supplier: Fields, name: str) -> str | None:
    return supplier.text(name) if name in supplier.row else None
