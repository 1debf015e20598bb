"""Where documents go: the target and an open session with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.systems.ports.steps import NO_CONTEXT, Context, Found, Outcome, Plan, StepDraft
from airflow_provider_mlconnector.systems.ports.worker import Fence


class TargetSession(Protocol):
    """An open session with a target. Not thread-safe; one at a time per operator."""

    def read_reference(self, *, suppliers: Sequence[str], accounts: Sequence[str]) -> Mapping[str, Any]:
        """Read once what validation needs (chart, suppliers, periods, branches, terms, taxes) as JSON-able data."""
        ...

    def find(self, steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:
        """Look each step up in the target, in few requests; answers in the order given.

        Args:
            steps: The steps to look for.
            settling: True when an attempt may have happened (a delta target then needs proof, not just a baseline).
        """
        ...

    def batches(self, steps: Sequence[StepDraft]) -> Iterator[Sequence[StepDraft]]:
        """Cut steps into groups that fit one request each.

        Every step given is in exactly one group, the very object; the order may change between steps that cannot share
        a request.
        """
        ...

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        """Send one group as one request and read the outcome per step, in the order given.

        Raises:
            AmbiguousOutcome: No parsed business answer: every step of the group may have been executed.
            MLConnectorError: Any other is proof that nothing was executed.
        """
        ...

    def rehearse(self, steps: Sequence[StepDraft]) -> Sequence[Outcome]:
        """Let the target validate the group without storing anything (dry run)."""
        ...

    def observe(self, accepted: Sequence[tuple[StepDraft, Mapping[str, Any]]]) -> Sequence[Outcome]:
        """Look up how accepted and submitted steps stand now, in the order given (FINANCE §6).

        Args:
            accepted: Steps with the result kept of each; ``post`` puts there what this needs (when it was handed over).

        Returns:
            POSTED once the step is in the ledger, ACCEPTED as long as it is not, SUBMITTED as long as it is not even
            seen (with code ``NOT_SEEN`` and a text once a person should look), REFUSED when it was thrown out there;
            with the result as it is now, which is kept of what has moved.
        """
        ...


class DocumentTarget(Protocol):
    """Where documents of one kind go."""

    @property
    def name(self) -> str:
        """The target connection's id."""
        ...

    @property
    def operator_lease(self) -> str:
        """Name of the lease that serializes sessions (operator and company), empty when none is needed."""
        ...

    @property
    def settle_seconds(self) -> float:
        """How long a request may still take effect after we lost sight of it (our timeout plus the remote's own)."""
        ...

    def plan(
        self,
        coded: Any,  # noqa: ANN401 - the target's own kind of coded document
        reference: Mapping[str, Any],
        *,
        our_reference: str,
        context: Context = NO_CONTEXT,
    ) -> Plan:
        """Check a coded document against the target's reference data and rules and turn it into steps, in order.

        Raises:
            Rejected: A cause inside the document (25-character number, characters outside cp1252, third decimal).
            Parked: A cause outside it (supplier unknown or on hold, account on hold, closed period, currency).
        """
        ...

    def may_repost(self, step: StepDraft, *, not_found: int, minutes_since_first: float) -> bool:
        """Tell whether a step proven absent ``not_found`` times may be sent again by itself (FINANCE §5)."""
        ...

    def reference_proven(self, step: str) -> bool:
        """Tell whether a look-up by our reference has been seen to find a step of this name at this site."""
        ...

    def observe_reference(self, step: str, *, proven: bool) -> None:
        """Learn what a look-up of a step that surely happened showed; until proven, absence proves nothing."""
        ...

    def session(self) -> AbstractContextManager[TargetSession]:
        """Open a session (a fresh logon, which evicts any zombie's) and close it at the end."""
        ...


@runtime_checkable
class SelfContainedTarget(DocumentTarget, Protocol):
    """A target of invoices that needs to know of no other document to take one.

    A credit memo of it credits its vendor, not one certain invoice, and orders are its own: it tells itself what of
    them was received.
    """

    @property
    def self_contained(self) -> bool:
        """Whether that is so."""
        ...


@runtime_checkable
class AdoptingTarget(DocumentTarget, Protocol):
    """A target whose documents can be looked up by what the store's summary columns hold, before any is planned."""

    def identify(
        self, *, supplier: str, number: str, kind: InvoiceKind, currency: str, gross: Decimal, document_date: date
    ) -> StepDraft:
        """Return a draft good for :meth:`TargetSession.find` only, from what the store's summary columns hold."""
        ...
