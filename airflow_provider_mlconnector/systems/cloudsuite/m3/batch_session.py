"""An open session with M3's invoice batches: read, look up, write one step at a time, observe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.systems.cloudsuite.m3 import ledger
from airflow_provider_mlconnector.systems.cloudsuite.m3.batch_book import Batch, BatchBook
from airflow_provider_mlconnector.systems.cloudsuite.m3.batch_find import find
from airflow_provider_mlconnector.systems.cloudsuite.m3.batch_write import BatchWriter, standing
from airflow_provider_mlconnector.systems.cloudsuite.m3.mi import MiClient
from airflow_provider_mlconnector.systems.cloudsuite.m3.suppliers import KEY, read_suppliers
from airflow_provider_mlconnector.systems.ports import Fence, Found, Outcome, OutcomeState, StepDraft

REHEARSED = "checked against M3's codes as they are now; M3 validates nothing without storing it"
_OF_SUPPLIER = (KEY, "SUNM", "STAT", "PRSU", "CUCD", "TEPY")
_OF_IDENTITY = (ledger.KEY, "LCCD", "VFDT", "VTDT")


class BatchSession:
    """Implements ``ports.TargetSession``. Not thread-safe.

    Args:
        mi: Speaks to the company.
    """

    def __init__(self, mi: MiClient) -> None:
        self._mi = mi
        self._book = BatchBook(mi)
        self._writer = BatchWriter(mi, self._book)

    def read_reference(self, *, suppliers: Sequence[str], accounts: Sequence[str]) -> Mapping[str, Any]:  # noqa: ARG002 - lists cost less than many single reads
        """Read what plans need, as JSON-able data.

        Returns:
            ``{"suppliers": {comparable number: [record, ...]}, "accounts": {code: record}, "cost_centers": {code:
            record}}``.
        """
        found: dict[str, list[dict[str, str]]] = {}
        for row in read_suppliers(self._mi):
            kept = {name: row[name] for name in _OF_SUPPLIER if name in row}
            found.setdefault(comparable(row[KEY]), []).append(kept)
        dimensions = {"accounts": ledger.ACCOUNT, "cost_centers": self._mi.options.cost_center_dimension}
        return {"suppliers": found, **{name: self._identities(number) for name, number in dimensions.items()}}

    def _identities(self, dimension: int) -> dict[str, dict[str, str]]:
        rows = (row for page in ledger.identities(self._mi, dimension) for row in page.rows)
        return {row[ledger.KEY]: {name: row[name] for name in _OF_IDENTITY if name in row} for row in rows}

    def find(self, steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:
        """Look steps up (see :func:`.batch_find.find`)."""
        return find(self._book, steps, self._mi.options, settling=settling)

    def batches(self, steps: Sequence[StepDraft]) -> Iterator[Sequence[StepDraft]]:
        """One invoice batch at a time: a call that is broken off leaves open what it had done."""
        for step in steps:
            yield [step]

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        """Carry one step out (see :class:`.BatchWriter`).

        Raises:
            AmbiguousOutcome: Something may have been written, and nobody knows.
            MLConnectorError: Any other is proof that nothing was written.
        """
        (step,) = steps
        return [self._writer.write(step, fence)]

    def rehearse(self, steps: Sequence[StepDraft]) -> Sequence[Outcome]:
        """Return that the plan's own checks passed: nothing is sent."""
        return [Outcome(OutcomeState.POSTED, text=REHEARSED) for _step in steps]

    def observe(self, accepted: Sequence[tuple[StepDraft, Mapping[str, Any]]]) -> Sequence[Outcome]:
        """Look whether validated batches have been posted meanwhile (FINANCE §6)."""
        numbers = [str(result.get("batch", "")) for _step, result in accepted]
        there = self._book.numbered([number for number in dict.fromkeys(numbers) if number])
        return [
            self._observed(step, result, there.get(number))
            for (step, result), number in zip(accepted, numbers, strict=True)
        ]

    def _observed(self, step: StepDraft, result: Mapping[str, Any], batch: Batch | None) -> Outcome:
        number = str(result.get("batch", ""))
        if batch is None:
            text = f"thrown out: invoice batch {number} of {step.payload['number']} is no longer in M3"
            return Outcome(OutcomeState.REFUSED, "thrown_out", number, text, result=result)
        now = standing(batch, self._mi.options)
        return Outcome(now.state, now.code, now.subject, now.text, result={**result, **now.result})
