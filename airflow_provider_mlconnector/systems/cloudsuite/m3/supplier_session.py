"""An open session with M3's suppliers: read, look up, set up, change, and read again (FINANCE §5, §7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.errors import AmbiguousOutcome, MLConnectorError, Refused
from airflow_provider_mlconnector.systems.call import Effect
from airflow_provider_mlconnector.systems.cloudsuite import texts
from airflow_provider_mlconnector.systems.cloudsuite.m3.mi import MiClient, Row
from airflow_provider_mlconnector.systems.cloudsuite.m3.supplier_codec import same
from airflow_provider_mlconnector.systems.cloudsuite.m3.supplier_plan import SUPPLIER_ADD
from airflow_provider_mlconnector.systems.cloudsuite.m3.suppliers import KEY, PROGRAM, read_suppliers, with_details
from airflow_provider_mlconnector.systems.cloudsuite.m3.values import CHANGED_DAY, CHANGES, STAMP
from airflow_provider_mlconnector.systems.ports import Fence, Found, FoundState, Outcome, OutcomeState, StepDraft

REHEARSED = "checked against M3's suppliers as they are now; M3 validates nothing without storing it"
_OF_A_CHANGE = frozenset({CHANGED_DAY, STAMP, CHANGES, "CHID"})


class SupplierSession:
    """Implements ``ports.TargetSession``; one supplier per call.

    M3 has no lock: what is written are only the inputs that differ from what was read right before, and the record is
    read again: M3's answer alone proves nothing.

    Args:
        mi: Speaks to the company.
    """

    def __init__(self, mi: MiClient) -> None:
        self._mi = mi

    def read_reference(self, *, suppliers: Sequence[str], accounts: Sequence[str]) -> Mapping[str, Any]:  # noqa: ARG002 - the list costs less than many single reads
        """Read every supplier, as JSON-able data: ``{"suppliers": {comparable number: [record, ...]}}``."""
        found: dict[str, list[dict[str, str]]] = {}
        for row in _detailed(self._mi):
            kept = {name: value for name, value in row.items() if name not in _OF_A_CHANGE}
            found.setdefault(comparable(row[KEY]), []).append(kept)
        return {"suppliers": found}

    def find(self, steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:
        """Compare every input a step would write with what M3 holds.

        A supplier carries no reference of ours. One that is there and says the same is ours when an attempt may have
        happened, and entered by hand when none has.
        """
        asked = [("GetBasicData", {KEY: step.payload["supplier"]}) for step in steps]
        results = self._mi.read_all(PROGRAM, asked)
        rows = [self._mi.first(f"{PROGRAM} GetBasicData", result) for result in results]
        return [_judge(step, row, settling=settling) for step, row in zip(steps, rows, strict=True)]

    def batches(self, steps: Sequence[StepDraft]) -> Iterator[Sequence[StepDraft]]:
        """One supplier per call: one that is broken off leaves open what it had done."""
        for step in steps:
            yield [step]

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        """Set up or change one supplier.

        Raises:
            AmbiguousOutcome: No sure answer, or the supplier could not be read afterwards.
            MLConnectorError: Any other is proof that nothing was written.
        """
        (step,) = steps
        return [self._add(step, fence) if step.name == SUPPLIER_ADD else self._update(step, fence)]

    def rehearse(self, steps: Sequence[StepDraft]) -> Sequence[Outcome]:
        """Return that the plan's own checks passed: nothing is sent."""
        return [Outcome(OutcomeState.POSTED, text=REHEARSED) for _step in steps]

    def observe(self, accepted: Sequence[tuple[StepDraft, Mapping[str, Any]]]) -> Sequence[Outcome]:
        """Never asked: a supplier that is written is there."""
        return [Outcome(OutcomeState.POSTED, result=result) for _step, result in accepted]

    # --- reading ---------------------------------------------------------------------------------------------------

    def _current(self, key: str) -> Row | None:
        return self._mi.one(PROGRAM, "GetBasicData", {KEY: key})

    def _read_again(self, key: str) -> Row | None:
        """Read after the write: from here on no failure proves that nothing was written."""
        try:
            return self._current(key)
        except MLConnectorError as error:
            msg = f"written, but supplier {key} could not be read again: {error.message}"
            raise AmbiguousOutcome(msg, request_id=error.request_id) from error

    # --- writing ---------------------------------------------------------------------------------------------------

    def _add(self, step: StepDraft, fence: Fence) -> Outcome:
        key = step.payload["supplier"]
        record = {KEY: key, **step.payload["fields"]}
        try:
            self._mi.write_one(PROGRAM, "AddSupplier", record, effect=Effect.WRITE, fence=fence)
        except Refused as error:
            there = self._current(key) is not None
            state, code = (OutcomeState.DUPLICATE, "duplicate") if there else (OutcomeState.REFUSED, "supplier_refused")
            return Outcome(state, code, key, _hint(error, there=there))
        row = self._read_again(key)
        if row is None:
            msg = f"M3 did not object to new supplier {key}, and does not show it"
            raise AmbiguousOutcome(msg)
        different = _differences(step.fingerprint, row)
        issue = {"issue": f"M3 set up supplier {key} otherwise: {'; '.join(different)}"} if different else {}
        return Outcome(OutcomeState.POSTED, result={"key": texts.unpad(row.get(KEY)) or key, **issue})

    def _update(self, step: StepDraft, fence: Fence) -> Outcome:
        key = step.payload["supplier"]
        row = self._current(key)
        if row is None:
            text = f"supplier {key} is no longer in M3"
            return Outcome(OutcomeState.REFUSED, "supplier_deleted", key, text, parked=True)
        changed = {name: value for name, value in step.payload["fields"].items() if not same(row, name, value)}
        if not changed:
            return Outcome(OutcomeState.POSTED, result={"key": key})
        try:
            self._mi.write_one(PROGRAM, "UpdSupplier", {KEY: key, **changed}, effect=Effect.ABSOLUTE, fence=fence)
        except Refused as error:
            words = error.remote_text or error.message
            return Outcome(OutcomeState.REFUSED, "supplier_refused", key, words, result={"key": key})
        after = self._read_again(key)
        different = ["it is gone"] if after is None else _differences(step.fingerprint, after)
        if different:
            text = f"M3 did not object, and shows supplier {key} otherwise: {'; '.join(different)}"
            return Outcome(OutcomeState.REFUSED, "not_taken", key, text, result={"key": key})
        return Outcome(OutcomeState.POSTED, result={"key": key})


def _detailed(mi: MiClient) -> Iterator[Row]:
    """Yield every supplier with its tax id, which the list need not show."""
    batch: list[Row] = []
    for row in read_suppliers(mi):
        batch.append(row)
        if len(batch) == _BATCH:
            yield from _shown(mi, batch)
            batch = []
    yield from _shown(mi, batch)


def _shown(mi: MiClient, rows: Sequence[Row]) -> Sequence[Row]:
    return rows if all("VRNO" in row for row in rows) else with_details(mi, rows)


_BATCH = 500


def _hint(error: Refused, *, there: bool) -> str:
    words = error.remote_text or error.message
    return words if there else f"{words}; inputs the source does not tell stand in the connection's option new_supplier"


def _judge(step: StepDraft, row: Row | None, *, settling: bool) -> Found:
    if row is None:
        return Found(FoundState.ABSENT)
    key = texts.unpad(row.get(KEY)) or step.payload["supplier"]
    different, result = _differences(step.fingerprint, row), {"key": key}
    if step.name != SUPPLIER_ADD:
        return Found(FoundState.ABSENT if different else FoundState.OURS, f"supplier {key}", result)
    if not different:
        state = FoundState.OURS if settling else FoundState.SAME_NOT_OURS
        return Found(state, f"supplier {key} {texts.unpad(row.get('SUNM'))}", result)
    return Found(FoundState.DIFFERENT, f"M3 has another supplier {key}: {'; '.join(different)}", result)


def _differences(wanted: Mapping[str, str], row: Row) -> list[str]:
    return [
        f"{name} {texts.unpad(row.get(name))!r}, wanted {value!r}"
        for name, value in wanted.items()
        if name in row and not same(row, name, value)
    ]
