"""Both sides of a reconciliation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from airflow_provider_mlconnector.documents.reconciliation import Booking, Figure, LedgerPeriod, Span


class FiguresSource(Protocol):
    """One side of a reconciliation: reads figures, writes nothing, keeps nothing."""

    @property
    def name(self) -> str:
        """The connection's id."""
        ...

    @property
    def tenant(self) -> str:
        """The tenant or company the keys belong to."""
        ...

    @property
    def operator_lease(self) -> str:
        """Name of the lease that serializes sessions, empty when reading disturbs nobody."""
        ...

    def session(self) -> AbstractContextManager[None]:
        """Open what reading needs (a logon), and close it at the end; the caller holds :attr:`operator_lease`."""
        ...

    def invoices(self, span: Span) -> Iterator[Figure]:
        """List at least the invoices and credit memos dated in the span, and those booked from its start on."""
        ...

    def suppliers(self) -> Iterator[Figure]:
        """List every supplier."""
        ...

    def orders(self, span: Span) -> Iterator[Figure]:
        """List purchase orders dated in the span; ``counted`` are those still open."""
        ...


class LedgerFigures(FiguresSource, Protocol):
    """The side that has the ledger."""

    def invoices_like(self, wanted: Sequence[Figure]) -> Iterator[Figure]:
        """Look invoices (no credit memos) of the other side up by supplier and number, whatever their date."""
        ...

    def balances(self, accounts: Sequence[str]) -> LedgerPeriod:
        """Return the current period with these accounts; unknown ones are missing."""
        ...

    def bookings(self, step: str, payload: Mapping[str, Any], result: Mapping[str, Any]) -> Sequence[Booking]:
        """Return what a step of ours put into the ledger, empty for steps that book nothing there.

        Args:
            step: The step's name.
            payload: The payload of its draft (:attr:`StepDraft.payload`).
            result: What is kept of its answer.
        """
        ...
