"""FSM's vendors, accounts and accounting units as sources (reference/cloudsuite.md §4d)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Final

from airflow_provider_mlconnector.documents.ledger import CostCenter, LedgerAccount
from airflow_provider_mlconnector.documents.model import Document
from airflow_provider_mlconnector.documents.supplier import Supplier
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.systems.cloudsuite.fsm.base import COST_CENTERS, FsmSource
from airflow_provider_mlconnector.systems.cloudsuite.fsm.landmark import Fields, Row
from airflow_provider_mlconnector.systems.cloudsuite.rows import digest, dump, load
from airflow_provider_mlconnector.systems.ports import Eligibility, SourcePage, SourceRecord, Summary, Window

VENDORS: Final = "Vendor"
ACCOUNTS: Final = "GeneralLedgerChartAccount"
_WITHDRAWN: Final = "withdrawn"


class _ListedSource(FsmSource):
    """Records of one business class, all of them at every pass; one is a new revision when its content is."""

    business_class: str
    kind: str
    key: str

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:  # noqa: ARG002 - a pass lists everything
        """List every record."""
        names = self._options.names(self.kind)
        for page in self._fsm.pages(self.business_class, list(names.values())):
            records = [self._record(row, names) for row in page.rows]
            yield SourcePage(records, None, page.date, None)

    def _record(self, row: Row, names: Mapping[str, str]) -> SourceRecord:
        key = row.get(names[self.key], "").strip()
        if not key:
            msg = (
                f"{self._fsm.where}: records of {self.business_class} show no {names[self.key]}; name the field in "
                f"option fields ({self.kind}.{self.key})"
            )
            raise ConfigurationError(msg, field=f"{self._fsm.where}, field Further options (fields)")
        body = {what: row[name].strip() for what, name in names.items() if name in row}
        return SourceRecord(
            key=key,
            revision="",
            payload=dump(body),
            complete=True,
            eligibility=Eligibility.ELIGIBLE,
            status_text="active" if self._is_active(body) else "inactive",
            summary=self._summary(key, body),
        )

    def _is_active(self, body: Mapping[str, Any]) -> bool:
        said = str(body.get("active") or body.get("status") or "")
        return said.lower() in self._options.active_words and not body.get(_WITHDRAWN)

    @abstractmethod
    def _summary(self, key: str, body: Mapping[str, str]) -> Summary:
        """Return what people see of a record."""


class FsmSupplierSource(_ListedSource):
    """Vendors; their addresses and contacts stand in business classes whose fields are not public."""

    business_class, kind, key = VENDORS, "supplier", "number"

    def decode(self, payload: bytes) -> Document:
        """Turn a record into the canonical supplier.

        Raises:
            Rejected: It has no name.
        """
        body = load(payload, "supplier")
        return Supplier(
            source_key=body["number"],
            revision=digest(body),
            number=body["number"],
            name=Fields(body, f"supplier {body['number']}").needed("name", "name"),
            active=self._is_active(body),
            currency=body.get("currency"),
            terms=body.get("terms"),
            tax_id=body.get("tax_id"),
        )

    def _summary(self, key: str, body: Mapping[str, str]) -> Summary:
        kind = "active" if self._is_active(body) else "inactive"
        return Summary(number=key, supplier=body.get("name", ""), kind=kind, currency=body.get("currency", ""))


class _CodeSource(_ListedSource):
    key = "code"

    @property
    def complete_list(self) -> bool:
        """Every pass lists all codes: one no longer listed has been deleted."""
        return True

    def withdrawn(self, payload: bytes) -> bytes:
        """Mark a code that FSM no longer has."""
        return dump({**load(payload, "code"), _WITHDRAWN: True})

    def _summary(self, key: str, body: Mapping[str, str]) -> Summary:  # noqa: ARG002 - a code is all there is
        return Summary(number=key)


class FsmAccountSource(_CodeSource):
    """Accounts of the general ledger's chart."""

    business_class, kind = ACCOUNTS, "account"

    def decode(self, payload: bytes) -> Document:
        """Turn a record into the canonical account."""
        body = load(payload, "account")
        return LedgerAccount(
            source_key=body["code"],
            revision=digest(body),
            code=body["code"],
            description=body.get("description", ""),
            kind=body.get("kind", ""),
            active=self._is_active(body),
        )


class FsmCostCenterSource(_CodeSource):
    """Accounting units, which are FSM's cost centers."""

    business_class, kind = COST_CENTERS, "cost_center"

    def decode(self, payload: bytes) -> Document:
        """Turn a record into the canonical cost center."""
        body = load(payload, "cost center")
        return CostCenter(
            source_key=body["code"],
            revision=digest(body),
            code=body["code"],
            description=body.get("description", ""),
            active=self._is_active(body),
        )
