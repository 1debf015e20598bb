"""CSI's GL accounts and cost centers as sources (reference/cloudsuite.md §4a ``SLCharts``, ``SLUnitcd1s``; §5.1).

Both are listed completely at every pass. An account opens and closes by its dates alone, without any change of its
row; a unit code has no status at all and is withdrawn by being deleted.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from airflow_provider_mlconnector.documents.ledger import CostCenter, LedgerAccount
from airflow_provider_mlconnector.documents.model import Document
from airflow_provider_mlconnector.systems.cloudsuite.csi import values
from airflow_provider_mlconnector.systems.cloudsuite.csi.fields import Fields, dump, load
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import Query
from airflow_provider_mlconnector.systems.cloudsuite.csi.listing import CsiSource
from airflow_provider_mlconnector.systems.ports import Eligibility, SourcePage, SourceRecord, Summary, Window

CHART: Final = Query(
    "SLCharts", needs=("Acct",), likes=("Description", "Type", "EffDate", "ObsDate", "ReportsToAcct"), order=("Acct",)
)
WITHDRAWN: Final = "withdrawn"
Body = Mapping[str, Any]


def unit_codes(unit: int) -> Query:
    """Return the query of one of the four unit codes."""
    return Query(f"SLUnitcd{unit}s", needs=(f"Unit{unit}",), likes=("Description",), order=(f"Unit{unit}",))


class _CodeSource(CsiSource):
    """Lists every code there is, whatever the window; a code is a new revision when its content is."""

    @property
    def complete_list(self) -> bool:
        """Every pass lists all codes: one no longer listed has been deleted."""
        return True

    @property
    def ordered_by_change(self) -> bool:
        """The list goes by key: a code that is added or deleted meanwhile shows in the next run alone.

        One pass would do for that, but a code the pass missed would count as withdrawn, so two must agree.
        """
        return False

    def withdrawn(self, payload: bytes) -> bytes:
        """Mark a code that CSI no longer has."""
        return dump({**load(payload, "code"), WITHDRAWN: True})

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:  # noqa: ARG002 - a pass lists everything
        """List every code, page by page."""
        for page in self._ido.pages(self._query()):
            today = (page.date or self.remote_time()).astimezone(self._zone).date()
            bodies = [self._body(Fields(row, "the code"), today) for row in page.rows]
            yield SourcePage([_record(body) for body in bodies if body["code"]], None, page.date, None)

    def _clock(self) -> Query:
        query = self._query()
        return Query(query.ido, query.needs)

    @abstractmethod
    def _query(self) -> Query:
        """Return what to list."""

    @abstractmethod
    def _body(self, row: Fields, today: date) -> Body:
        """Return what is kept of a row; ``today`` is the site's day."""


class CsiAccountSource(_CodeSource):
    """GL accounts; one is open from its effective date until before its obsolete date (FINANCE §4)."""

    def decode(self, payload: bytes) -> Document:
        """Turn a record into the canonical account."""
        body = load(payload, "account")
        return LedgerAccount(
            source_key=body["code"],
            revision=body["code"],
            code=body["code"],
            description=body["description"],
            kind=body["kind"],
            group=body["group"],
            active=bool(body["active"]) and not body.get(WITHDRAWN),
        )

    def _query(self) -> Query:
        return CHART

    def _body(self, row: Fields, today: date) -> Body:
        return {
            "code": row.text("Acct"),
            "description": row.text("Description"),
            "kind": row.text("Type"),
            "group": row.text("ReportsToAcct"),
            "active": is_open(row.row, today),
        }


class CsiCostCenterSource(_CodeSource):
    """The codes of the unit that names cost centers at this site."""

    def decode(self, payload: bytes) -> Document:
        """Turn a record into the canonical cost center."""
        body = load(payload, "cost center")
        return CostCenter(
            source_key=body["code"],
            revision=body["code"],
            code=body["code"],
            description=body["description"],
            active=bool(body["active"]) and not body.get(WITHDRAWN),
        )

    def _query(self) -> Query:
        return unit_codes(self._options.cost_center_unit)

    def _body(self, row: Fields, today: date) -> Body:  # noqa: ARG002 - unit codes have no dates
        code = row.text(f"Unit{self._options.cost_center_unit}")
        return {"code": code, "description": row.text("Description"), "active": True}


def is_open(row: Mapping[str, str | None], day: date) -> bool:
    """Tell whether an account may be posted to on a day: from ``EffDate`` on, before ``ObsDate``."""
    starts, ends = values.to_day(row.get("EffDate")), values.to_day(row.get("ObsDate"))
    return (starts is None or starts <= day) and (ends is None or day < ends)


def _record(body: Body) -> SourceRecord:
    return SourceRecord(
        key=body["code"],
        revision="",
        payload=dump(body),
        complete=True,
        eligibility=Eligibility.ELIGIBLE,
        status_text="open" if body["active"] else "not effective, or obsolete",
        summary=Summary(number=body["code"]),
    )
