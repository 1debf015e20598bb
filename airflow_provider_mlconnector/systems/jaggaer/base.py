"""One JAGGAER tenant as every target in it shares it: no log-on, no operator, nothing to rehearse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.ports import Outcome, OutcomeState, StepDraft, StepKind


class JaggaerSystem:
    """A tenant.

    Args:
        name: The Airflow connection's id.
        client: For the tenant.
        options: The route's choices.
    """

    def __init__(self, name: str, client: JaggaerClient, options: JaggaerOptions) -> None:
        self._name = name
        self._client = client
        self._options = options

    @property
    def name(self) -> str:
        """The connection's id."""
        return self._name

    @property
    def operator_lease(self) -> str:
        """Sessions do not disturb each other: a tenant knows clients, not operators."""
        return ""

    @property
    def settle_seconds(self) -> float:
        """Our own deadline plus what JAGGAER may still work after it."""
        return self._client.timeout + self._options.remote_timeout

    def may_repost(self, step: StepDraft, *, not_found: int, minutes_since_first: float) -> bool:  # noqa: ARG002 - one seam
        """Tell whether a step proven absent may be sent again: looked up by key, or safe to repeat (FINANCE §5)."""
        return step.kind is not StepKind.DELTA and not_found >= 1

    def reference_proven(self, step: str) -> bool:  # noqa: ARG002 - one seam
        """Nothing is looked up by our reference: keys are."""
        return True

    def observe_reference(self, step: str, *, proven: bool) -> None:
        """Nothing is to be learned."""


class SteadySession:
    """What sessions with a tenant have in common; the rest is each target's own."""

    def batches(self, steps: Sequence[StepDraft]) -> Iterator[Sequence[StepDraft]]:
        """Give each step a request of its own."""
        for step in steps:
            yield [step]

    def rehearse(self, steps: Sequence[StepDraft]) -> Sequence[Outcome]:
        """Say what is known without asking: JAGGAER validates nothing without storing it."""
        text = "checked against JAGGAER's lists; it offers no rehearsal"
        return [Outcome(OutcomeState.POSTED, text=text) for _step in steps]

    def observe(self, accepted: Sequence[tuple[StepDraft, Mapping[str, Any]]]) -> Sequence[Outcome]:
        """Repeat what was told: whatever JAGGAER takes has arrived."""
        return [Outcome(OutcomeState.POSTED, result=result) for _step, result in accepted]
