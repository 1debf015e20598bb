"""CloudSuite Industrial as a target of suppliers (implements ``ports.DocumentTarget``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from airflow_provider_mlconnector.documents.supplier import CodedSupplier
from airflow_provider_mlconnector.systems.cloudsuite.csi.base import CsiSystem
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.cloudsuite.csi.vendor_plan import Directory, VendorPlanner
from airflow_provider_mlconnector.systems.cloudsuite.csi.vendor_session import VendorSession
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Gateway
from airflow_provider_mlconnector.systems.ports import NO_CONTEXT, Context, Plan, StepDraft


class CsiVendorTarget(CsiSystem):
    """Sets up new vendors and changes what the other side owns of known ones.

    Args:
        name: The Airflow connection's id.
        gateway: Speaks to the tenant.
        options: Connection's and route's choices.
    """

    def __init__(self, name: str, gateway: Gateway, options: CsiOptions) -> None:
        super().__init__(name, gateway, options)
        self._known_directory: Directory | None = None

    @property
    def operator_lease(self) -> str:
        """Writing vendors disturbs nobody: each is written under its own lock."""
        return ""

    def plan(
        self,
        coded: CodedSupplier,
        reference: Mapping[str, Any],
        *,
        our_reference: str,
        context: Context = NO_CONTEXT,
    ) -> Plan:
        """Match the supplier with CSI's own, then write what differs, or set it up (see :class:`VendorPlanner`).

        Raises:
            Rejected: A cause inside the document.
            Parked: A cause outside it.
        """
        directory = self._directory(reference)
        return VendorPlanner(coded, directory, self._options, our_reference=our_reference, context=context).plan()

    def _directory(self, reference: Mapping[str, Any]) -> Directory:
        """Index the reference data once, not once per supplier."""
        known = self._known_directory
        if known is None or known.reference is not reference:
            known = self._known_directory = Directory(reference)
        return known

    def may_repost(self, step: StepDraft, *, not_found: int, minutes_since_first: float) -> bool:  # noqa: ARG002 - one rule for both steps
        """A second insert is refused by its key, a second update says the same again (reference/cloudsuite.md §4a)."""
        return not_found >= 1

    def reference_proven(self, step: str) -> bool:  # noqa: ARG002 - the port's names
        """A vendor carries no reference of ours: it is found by its number, and compared."""
        return True

    def observe_reference(self, step: str, *, proven: bool) -> None:
        """Nothing to learn."""

    @contextmanager
    def session(self) -> Iterator[VendorSession]:
        """Open a session."""
        yield VendorSession(self._ido)
