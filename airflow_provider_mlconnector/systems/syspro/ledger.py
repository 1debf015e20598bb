"""SYSPRO's GL accounts and cost centers as sources (reference/syspro.md §2.6, §4 ``GenMaster``).

SYSPRO keeps no change dates: every pass lists the whole chart, and a code that is listed no more has been deleted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from airflow_provider_mlconnector.documents.ledger import CostCenter, LedgerAccount
from airflow_provider_mlconnector.documents.model import Document
from airflow_provider_mlconnector.errors import Rejected
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import Eligibility, SourcePage, SourceRecord, Summary, Window
from airflow_provider_mlconnector.systems.syspro.base import SysproSystem
from airflow_provider_mlconnector.systems.syspro.client import SysproClient
from airflow_provider_mlconnector.systems.syspro.comfnd import Condition, Query, Where, pages

CHART = Query("GenMaster", ("GlCode", "Description", "AccountType", "GlGroup", "ControlAccFlag", "AccOnHldFlag"))
WITHDRAWN = "withdrawn"
_PAGE = 500
Row = Mapping[str, str]


class _ChartSource(SysproSystem):
    """Lists codes made out of the chart."""

    @property
    def complete_list(self) -> bool:
        """Every pass lists the whole chart."""
        return True

    @property
    def lists_messages(self) -> bool:
        """A row is the record as it stands."""
        return False

    @property
    def ordered_by_change(self) -> bool:
        """Nothing tells when a code changed."""
        return False

    @contextmanager
    def session(self) -> Iterator[None]:
        """Log on for the pass."""
        with self.logged_on():
            yield

    def remote_time(self) -> datetime:
        """Return SYSPRO's clock, as the answer to a harmless call tells it."""
        return self._client.remote_time()

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:  # noqa: ARG002 - nothing tells when a code changed
        """List every code, in pages of a few hundred, whatever the window."""
        records = [_record(body) for body in self._bodies()]
        for start in range(0, len(records), _PAGE):
            yield SourcePage(records[start : start + _PAGE], len(records), None, None)

    def complete(self, record: SourceRecord) -> SourceRecord:
        """Return the record: the list says everything."""
        return record

    def withdrawn(self, payload: bytes) -> bytes:
        """Mark a code that the chart no longer has."""
        return _dump({**json.loads(payload), WITHDRAWN: True})

    def _chart(self) -> Iterator[Row]:
        of_company = Where("And", (Condition("Company", "EQ", self._options.company),))
        for rows in pages(self._client, Query(CHART.table, CHART.columns, of_company), key="GlCode"):
            yield from rows

    def _bodies(self) -> Sequence[dict[str, Any]]:
        raise NotImplementedError

    def _parts(self, code: str) -> tuple[str, str]:
        """Return account and cost center of a GL code; one that does not fit the site's template is an account."""
        pattern = _pattern(self._options.gl_template)
        found = pattern.fullmatch(code) if pattern is not None else None
        return (found["account"], found["cost_center"]) if found else (code, "")


class SysproAccountSource(_ChartSource):
    """GL accounts. Where cost centers are part of the GL code, all codes of one account are one record.

    Such an account is open as long as one of its codes is.
    """

    def decode(self, payload: bytes) -> Document:
        """Turn a record into the canonical account."""
        body = _load(payload)
        return LedgerAccount(
            source_key=body["code"],
            revision=body["code"],
            code=body["code"],
            description=body["description"],
            kind=body["kind"],
            group=body["group"],
            active=bool(body["active"]) and not body.get(WITHDRAWN),
        )

    def _bodies(self) -> Sequence[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for row in self._chart():
            account, _ = self._parts(row["GlCode"])
            body = found.setdefault(
                account,
                {
                    "code": account,
                    "description": row["Description"],
                    "kind": row["AccountType"],
                    "group": row["GlGroup"],
                    "active": False,
                },
            )
            body["active"] = body["active"] or _is_open(row)
        return [found[code] for code in sorted(found)]


class SysproCostCenterSource(_ChartSource):
    """Cost centers: the section of the GL code that names them (GENQST tells their names), or none."""

    def decode(self, payload: bytes) -> Document:
        """Turn a record into the canonical cost center."""
        body = _load(payload)
        return CostCenter(
            source_key=body["code"],
            revision=body["code"],
            code=body["code"],
            description=body["description"],
            active=bool(body["active"]) and not body.get(WITHDRAWN),
        )

    def _bodies(self) -> Sequence[dict[str, Any]]:
        names = self._names()
        found: dict[str, bool] = {}
        for row in self._chart():
            _, center = self._parts(row["GlCode"])
            if center:
                found[center] = found.get(center, False) or _is_open(row)
        return [
            {"code": center, "description": names.get(center, ""), "active": found[center]} for center in sorted(found)
        ]

    def _names(self) -> dict[str, str]:
        section = self._options.cost_center_section
        return section_names(self._client, section) if section else {}


def section_names(client: SysproClient, section: int) -> dict[str, str]:
    """Return the names of a section's codes, as the GL structure has them (GENQST).

    Raises:
        ProtocolError: The company's GL codes have no such section.
    """
    document = xml.with_schema("Query", "GENQST.XSD", xml.element("Option", xml.element("Section", str(section))))
    root = client.query("GENQST", xml.write(document))
    return {
        xml.text(item, "SectionCode"): xml.text(item, "Description")
        for item in root.iter()
        if xml.name(item) == "item" and xml.text(item, "SectionCode")
    }


def _pattern(template: str) -> re.Pattern[str] | None:
    if not template:
        return None
    escaped = re.escape(template)
    for name in ("account", "cost_center"):
        escaped = escaped.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>.+?)")
    return re.compile(escaped)


def _is_open(row: Row) -> bool:
    """Whether documents may be coded to it: not on hold, and no control account."""
    return row["AccOnHldFlag"] != "Y" and row["ControlAccFlag"] != "Y"


def _record(body: Mapping[str, Any]) -> SourceRecord:
    return SourceRecord(
        key=body["code"],
        revision="",
        payload=_dump(body),
        complete=True,
        eligibility=Eligibility.ELIGIBLE,
        status_text="open" if body["active"] else "on hold or of control",
        summary=Summary(number=body["code"]),
    )


def _dump(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, ensure_ascii=False).encode()


def _load(payload: bytes) -> dict[str, Any]:
    try:
        body = json.loads(payload)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not body.get("code"):
        msg = "the code is not readable as it was extracted"
        raise Rejected(msg, code="unreadable_field", field="code")
    return body
