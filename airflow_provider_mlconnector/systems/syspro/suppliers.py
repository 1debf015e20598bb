"""SYSPRO's suppliers as a source and as a target (reference/syspro.md §2.4, §2.9; FINANCE §5, §7)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from airflow_provider_mlconnector.documents.supplier import CodedSupplier, Supplier
from airflow_provider_mlconnector.systems.ports import (
    NO_CONTEXT,
    Context,
    Eligibility,
    Plan,
    SourcePage,
    SourceRecord,
    StepDraft,
    Summary,
    Window,
)
from airflow_provider_mlconnector.systems.syspro import supplier_codec as codec
from airflow_provider_mlconnector.systems.syspro.base import SysproSystem
from airflow_provider_mlconnector.systems.syspro.client import SysproClient
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
from airflow_provider_mlconnector.systems.syspro.supplier_plan import Directory, SupplierPlanner
from airflow_provider_mlconnector.systems.syspro.supplier_records import record_pages
from airflow_provider_mlconnector.systems.syspro.supplier_session import SupplierSession


class SysproSupplierSource(SysproSystem):
    """Lists every supplier at every pass: SYSPRO keeps no change dates, the store tells changes by content."""

    @property
    def complete_list(self) -> bool:
        """A supplier no longer listed has been deleted."""
        return True

    @property
    def lists_messages(self) -> bool:
        """A row is the record as it stands."""
        return False

    @property
    def ordered_by_change(self) -> bool:
        """SYSPRO keeps no change dates."""
        return False

    @contextmanager
    def session(self) -> Iterator[None]:
        """Log on for the pass."""
        with self.logged_on():
            yield

    def remote_time(self) -> datetime:
        """Return SYSPRO's clock, as the answer to a harmless call tells it."""
        return self._client.remote_time()

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:  # noqa: ARG002 - nothing tells when a supplier changed
        """List every supplier with its addresses, by ranges of keys, whatever the window."""
        for rows in record_pages(self._client, self._options):
            yield SourcePage([_record(row) for row in rows], None, None, None)

    def complete(self, record: SourceRecord) -> SourceRecord:
        """Return the record: the list says everything."""
        return record

    def withdrawn(self, payload: bytes) -> bytes:
        """Mark a supplier that SYSPRO has deleted."""
        return _dump({**json.loads(payload), codec.WITHDRAWN: True})

    def decode(self, payload: bytes) -> Supplier:
        """Turn a record into the canonical supplier (see :func:`.supplier_codec.decode`)."""
        return codec.decode(json.loads(payload), self._options.address_lines)


def _record(row: Mapping[str, str]) -> SourceRecord:
    key, held = row[codec.KEY], row["OnHold"].upper() == "Y"
    return SourceRecord(
        key=key,
        revision="",
        payload=_dump(row),
        complete=True,
        eligibility=Eligibility.ELIGIBLE,
        status_text="on hold" if held else "active",
        summary=Summary(number=key, supplier=row["SupplierName"], kind="active", currency=row["Currency"]),
    )


def _dump(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class SysproSupplierTarget(SysproSystem):
    """Sets up new suppliers and changes what the other side owns of known ones.

    Args:
        name: The Airflow connection's id.
        client: For the operator and company of the connection.
        options: Connection's and route's choices.
    """

    def __init__(self, name: str, client: SysproClient, options: SysproOptions) -> None:
        super().__init__(name, client, options)
        self._known_directory: Directory | None = None

    def plan(
        self,
        coded: CodedSupplier,
        reference: Mapping[str, Any],
        *,
        our_reference: str,
        context: Context = NO_CONTEXT,
    ) -> Plan:
        """Match the supplier with SYSPRO's own, then write what differs, or set it up (see :class:`SupplierPlanner`).

        Raises:
            Rejected: A cause inside the document.
            Parked: A cause outside it.
        """
        directory = self._directory(reference)
        return SupplierPlanner(coded, directory, self._options, our_reference=our_reference, context=context).plan()

    def _directory(self, reference: Mapping[str, Any]) -> Directory:
        """Index the reference data once, not once per supplier."""
        known = self._known_directory
        if known is None or known.reference is not reference:
            known = self._known_directory = Directory(reference)
        return known

    def may_repost(self, step: StepDraft, *, not_found: int, minutes_since_first: float) -> bool:  # noqa: ARG002 - one rule for both steps
        """A second Add is refused by its key, a second Update says the same again (FINANCE §5)."""
        return not_found >= 1

    def reference_proven(self, step: str) -> bool:  # noqa: ARG002 - the port's names
        """A supplier carries no reference of ours: it is found by its key, and compared."""
        return True

    def observe_reference(self, step: str, *, proven: bool) -> None:
        """Nothing to learn."""

    @contextmanager
    def session(self) -> Iterator[SupplierSession]:
        """Open a session; the caller holds :attr:`operator_lease`."""
        with self.logged_on() as client:
            yield SupplierSession(client, self._options)
