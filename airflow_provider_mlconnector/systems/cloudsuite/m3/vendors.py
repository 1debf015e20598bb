"""CloudSuite M3 as a target of suppliers (implements ``ports.DocumentTarget``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from airflow_provider_mlconnector.documents.supplier import CodedSupplier
from airflow_provider_mlconnector.systems.cloudsuite.dialect import Gateway
from airflow_provider_mlconnector.systems.cloudsuite.m3.base import M3System
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.systems.cloudsuite.m3.supplier_plan import Directory, SupplierPlanner
from airflow_provider_mlconnector.systems.cloudsuite.m3.supplier_session import SupplierSession
from airflow_provider_mlconnector.systems.ports import NO_CONTEXT, Context, Plan, StepDraft


class M3SupplierTarget(M3System):
    """Sets up new suppliers and changes what the other side owns of known ones.

    Args:
        name: The Airflow connection's id.
        gateway: Speaks to the tenant.
        options: Connection's and route's choices.
    """

    def __init__(self, name: str, gateway: Gateway, options: M3Options) -> None:
        super().__init__(name, gateway, options)
        self._known_directory: Directory | None = None

    @property
    def operator_lease(self) -> str:
        """Writing suppliers disturbs nobody."""
        return ""

    def plan(
        self,
        coded: CodedSupplier,
        reference: Mapping[str, Any],
        *,
        our_reference: str,
        context: Context = NO_CONTEXT,
    ) -> Plan:
        """Match the supplier with M3's own, then write what differs, or set it up (see :class:`SupplierPlanner`).

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
        """A second supplier of a number is refused by its key, a second update says the same again."""
        return not_found >= 1

    def reference_proven(self, step: str) -> bool:  # noqa: ARG002 - the port's names
        """A supplier carries no reference of ours: it is found by its number, and compared."""
        return True

    def observe_reference(self, step: str, *, proven: bool) -> None:
        """Nothing to learn."""

    @contextmanager
    def session(self) -> Iterator[SupplierSession]:
        """Open a session."""
        yield SupplierSession(self._mi)
