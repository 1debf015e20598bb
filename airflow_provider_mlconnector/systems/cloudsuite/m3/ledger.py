"""M3's accounts and cost centers as sources: identities of two accounting dimensions (§4b ``CRS630MI``, §5.2).

Both are listed completely at every pass: an identity opens and closes by its dates alone, without any change of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from airflow_provider_mlconnector.documents.ledger import CostCenter, LedgerAccount
from airflow_provider_mlconnector.documents.model import Document
from airflow_provider_mlconnector.systems.cloudsuite.m3.listing import LIST_ACCOUNTS, M3Source
from airflow_provider_mlconnector.systems.cloudsuite.m3.mi import MiClient, Page, Record, Row
from airflow_provider_mlconnector.systems.cloudsuite.m3.values import Fields
from airflow_provider_mlconnector.systems.cloudsuite.rows import dump, load
from airflow_provider_mlconnector.systems.ports import Eligibility, SourcePage, SourceRecord, Summary, Window

KEY: Final = "AITM"
ACCOUNT: Final = 1
"""The dimension of accounts (AITP)."""
_WITHDRAWN: Final = "withdrawn"
_BLOCKED: Final = "LCCD"


def identities(mi: MiClient, dimension: int) -> Iterator[Page]:
    """List the identities of a dimension, to the proven end."""

    def asking(after: str) -> Record:
        return {"AITP": str(dimension), **({KEY: after} if after else {})}

    yield from mi.pages(*LIST_ACCOUNTS, KEY, asking)


def is_open(row: Mapping[str, Any], day: date) -> bool:
    """Tell whether an identity may be posted to on a day: not blocked, within its dates, both ends included."""
    entry = Fields(row, f"code {row.get(KEY, '')}")
    starts, ends = entry.day("VFDT"), entry.day("VTDT")
    if entry.text(_BLOCKED) not in {"", "0"}:
        return False
    return (starts is None or starts <= day) and (ends is None or day <= ends)


class _IdentitySource(M3Source):
    """Lists every identity there is, whatever the window; one is a new revision when its content is."""

    @property
    def complete_list(self) -> bool:
        """Every pass lists all codes: one no longer listed has been deleted."""
        return True

    @property
    def _dimension(self) -> int:
        return ACCOUNT

    def withdrawn(self, payload: bytes) -> bytes:
        """Mark a code that M3 no longer has."""
        return dump({**load(payload, "code"), _WITHDRAWN: True})

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:  # noqa: ARG002 - a pass lists everything
        """List every code."""
        for page in identities(self._mi, self._dimension):
            today = (page.date or self.remote_time()).astimezone(self._zone).date()
            records = [_record(row, today) for row in page.rows if row.get(KEY)]
            yield SourcePage(records, None, page.date, None)


class M3AccountSource(_IdentitySource):
    """Accounts: dimension 1."""

    def decode(self, payload: bytes) -> Document:
        """Turn a record into the canonical account."""
        body = load(payload, "account")
        return LedgerAccount(
            source_key=body["code"],
            revision=body["code"],
            code=body["code"],
            description=body["description"],
            group=body["group"],
            active=bool(body["active"]) and not body.get(_WITHDRAWN),
        )


class M3CostCenterSource(_IdentitySource):
    """The identities of the dimension that is the cost center at this site."""

    @property
    def _dimension(self) -> int:
        return self._options.cost_center_dimension

    def decode(self, payload: bytes) -> Document:
        """Turn a record into the canonical cost center."""
        body = load(payload, "cost center")
        return CostCenter(
            source_key=body["code"],
            revision=body["code"],
            code=body["code"],
            description=body["description"],
            active=bool(body["active"]) and not body.get(_WITHDRAWN),
        )


def _record(row: Row, today: date) -> SourceRecord:
    entry = Fields(row, f"code {row[KEY]}")
    code, active = entry.text(KEY), is_open(row, today)
    told = {"description": entry.first("TX40", "TX15"), "group": entry.text("AICL")}
    return SourceRecord(
        key=code,
        revision="",
        payload=dump({"code": code, "active": active, **told}),
        complete=True,
        eligibility=Eligibility.ELIGIBLE,
        status_text="open" if active else "blocked, or outside its dates",
        summary=Summary(number=code),
    )
