"""Writing an invoice batch: head, lines, and validation only of what was read back as planned (FINANCE §6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, TypeVar

from airflow_provider_mlconnector.errors import AmbiguousOutcome, MLConnectorError, Refused
from airflow_provider_mlconnector.systems.call import Effect
from airflow_provider_mlconnector.systems.cloudsuite import texts
from airflow_provider_mlconnector.systems.cloudsuite.m3.answers import NOT_RUN
from airflow_provider_mlconnector.systems.cloudsuite.m3.batch_book import (
    KEY,
    PROGRAM,
    Batch,
    BatchBook,
    amount_of,
    head_differences,
    line_differences,
)
from airflow_provider_mlconnector.systems.cloudsuite.m3.batch_find import is_posted, locate, result_of
from airflow_provider_mlconnector.systems.cloudsuite.m3.batch_plan import BATCH, LINES
from airflow_provider_mlconnector.systems.cloudsuite.m3.mi import AT_ONCE, MiClient, Row
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.systems.ports import Fence, Outcome, OutcomeState, StepDraft

_VALIDATION: Final = "APS455MI"
_APPROVAL: Final = "APS110MI"
T = TypeVar("T")


class BatchWriter:
    """Carries out one step at a time.

    Args:
        mi: Speaks to the company.
        book: Reads batches.
    """

    def __init__(self, mi: MiClient, book: BatchBook) -> None:
        self._mi = mi
        self._book = book
        self._options = mi.options

    def write(self, step: StepDraft, fence: Fence) -> Outcome:
        """Carry a step out.

        Raises:
            AmbiguousOutcome: Something may have been written, and nobody knows.
            MLConnectorError: Any other is proof that nothing was written.
        """
        if step.name == BATCH:
            return self._create(step, fence)
        batch = self._standing(step)
        if batch is None:
            return _gone(step)
        if is_posted(batch, self._options):
            return Outcome(OutcomeState.POSTED, result=result_of(batch, self._options))
        if different := head_differences(step, batch):
            text = (
                f"invoice batch {batch.number} was changed in M3 before it was complete: {'; '.join(different)}. "
                "Change it back, or validate it there"
            )
            return Outcome(OutcomeState.REFUSED, "batch_changed", batch.number, text, parked=True)
        return self._add_lines(step, batch, fence) if step.name == LINES else self._validate(step, batch, fence)

    def _standing(self, step: StepDraft) -> Batch | None:
        (there,) = self._book.search([step])
        return locate(step, there)

    # --- head ------------------------------------------------------------------------------------------------------

    def _create(self, step: StepDraft, fence: Fence) -> Outcome:
        try:
            row = self._mi.write_one(PROGRAM, "AddHead", step.payload["head"], effect=Effect.WRITE, fence=fence)
        except Refused as error:
            return Outcome(OutcomeState.REFUSED, "batch_refused", step.payload["number"], error.remote_text or "")
        number = texts.to_whole(row.get(KEY))
        if number is None:
            msg = f"M3 did not object to invoice {step.payload['number']}, and names no batch ({KEY})"
            raise AmbiguousOutcome(msg)
        return Outcome(OutcomeState.POSTED, result={"key": str(number), "batch": str(number)})

    # --- lines -----------------------------------------------------------------------------------------------------

    def _add_lines(self, step: StepDraft, batch: Batch, fence: Fence) -> Outcome:
        rows, whole = self._book.lines(batch)
        wrong, missing = self._compared(step, rows)
        if problem := self._uncoded(batch, rows) or _lines_problem(batch, wrong, whole=whole):
            return problem
        for start in range(0, len(missing), AT_ONCE):
            some = [("AddLine", {KEY: batch.number, **line}) for line in missing[start : start + AT_ONCE]]
            try:
                answer = self._mi.write(PROGRAM, some, effect=Effect.WRITE, fence=fence)
            except AmbiguousOutcome:
                raise
            except MLConnectorError as error:
                if not start:
                    raise
                raise _after(step, error) from error
            refused = [result.refusal for result in answer.results if result.refusal is not None]
            if refused:
                text = f"invoice batch {batch.number} stays as it is entered in M3: {refused[0]}"
                return Outcome(OutcomeState.REFUSED, "line_refused", batch.number, text, result=_kept(batch))
        return _surely(step, lambda: self._checked(step, batch)) or Outcome(OutcomeState.POSTED, result=_kept(batch))

    def _checked(self, step: StepDraft, batch: Batch) -> Outcome | None:
        """Compare what was read back with what was planned, line by line and in sum; None when it is exact."""
        rows, whole = self._book.lines(batch)
        if problem := self._uncoded(batch, rows):
            return problem
        wrong, missing = self._compared(step, rows)
        wrong += [f"{line['NLAM']} is missing" for line in missing]
        gross, tax = Decimal(step.fingerprint["gross"]), Decimal(step.fingerprint["tax"])
        total = sum((amount_of(row, "NLAM") for row in rows), tax)
        if not wrong and (total, batch.amount) != (gross, gross):
            wrong = [f"lines and VAT add up to {total}, the batch to {batch.amount}, the invoice to {gross}"]
        return _lines_problem(batch, wrong, whole=whole)

    def _uncoded(self, batch: Batch, rows: Sequence[Row]) -> Outcome | None:
        """Tell that this version takes no account on lines, so that the mapping's coding would be lost (§9.13)."""
        account = next(iter(self._options.dimensions), "")
        if not account or not rows or any(texts.unpad(row.get(account)) for row in rows):
            return None
        text = (
            f"the lines of invoice batch {batch.number} show no {account}: this version of M3 takes no account on "
            "lines. Delete the batch; name the inputs it takes (options account_input, cost_center_input), or leave "
            "account_input empty if M3's accounting rules shall code them"
        )
        return Outcome(OutcomeState.REFUSED, "dimensions_not_taken", batch.number, text, result=_kept(batch))

    def _compared(self, step: StepDraft, rows: Sequence[Row]) -> tuple[list[str], list[Any]]:
        wrong, missing = line_differences(step.payload["lines"], rows, list(self._options.dimensions))
        return wrong, list(missing)

    # --- validation ------------------------------------------------------------------------------------------------

    def _validate(self, step: StepDraft, batch: Batch, fence: Fence) -> Outcome:
        if problem := self._checked(step, batch):
            return problem
        refused = self._call_validation(batch, fence)
        if refused is not None:
            return refused
        if self._options.approve:
            try:
                self._write(_APPROVAL, "ApproveInvoice", batch, fence)
            except Refused as error:
                return _held(batch, "approval_refused", error.remote_text or "")
        there = _surely(step, lambda: self._book.numbered([batch.number]).get(batch.number))
        return _gone(step) if there is None else standing(there, self._options)

    def _call_validation(self, batch: Batch, fence: Fence) -> Outcome | None:
        """Validate by the first transaction the site has; None once one ran."""
        said = ""
        for name in self._options.validation:
            try:
                self._write(_VALIDATION, name, batch, fence)
            except Refused as error:
                said = error.remote_text or ""
                if error.code != NOT_RUN:
                    return _held(batch, "validation_refused", said)
            else:
                return None
        names = ", ".join(self._options.validation)
        return _held(batch, "validation_missing", f"{_VALIDATION} has none of {names} (option validation): {said}")

    def _write(self, program: str, transaction: str, batch: Batch, fence: Fence) -> None:
        """Run one transaction on a batch: repeating it says the same again, and it is looked up before."""
        self._mi.write_one(program, transaction, {KEY: batch.number}, effect=Effect.WRITE, fence=fence)


def standing(batch: Batch, options: M3Options) -> Outcome:
    """Return how a validated batch stands: in the ledger, waiting for it, or with errors M3 has found."""
    result = result_of(batch, options)
    if is_posted(batch, options):
        return Outcome(OutcomeState.POSTED, result=result)
    if batch.errors:
        text = (
            f"M3's validation found errors in {batch.errors} of invoice batch {batch.number} (status {batch.status}): "
            "see them in APS450 and correct their cause, then replay; or correct and validate it there"
        )
        return Outcome(OutcomeState.REFUSED, "validation_errors", batch.number, text, result=result)
    return Outcome(OutcomeState.ACCEPTED, result=result)


def _kept(batch: Batch) -> dict[str, Any]:
    return {"key": batch.number, "batch": batch.number}


def _held(batch: Batch, code: str, words: str) -> Outcome:
    text = f"invoice batch {batch.number} stays as it is entered in M3: {words}"
    return Outcome(OutcomeState.REFUSED, code, batch.number, text, result=_kept(batch))


def _lines_problem(batch: Batch, wrong: Sequence[str], *, whole: bool) -> Outcome | None:
    if wrong:
        text = (
            f"invoice batch {batch.number} is not as it was written: {'; '.join(wrong)}. Delete or correct these in "
            "M3: what is missing is written again, and the batch is not validated until it is right"
        )
        return Outcome(OutcomeState.REFUSED, "lines_differ", batch.number, text, parked=True, result=_kept(batch))
    if not whole:
        text = f"M3 does not list all lines of invoice batch {batch.number}: check and validate it there"
        return Outcome(OutcomeState.REFUSED, "lines_cut_off", batch.number, text, parked=True, result=_kept(batch))
    return None


def _gone(step: StepDraft) -> Outcome:
    number = step.payload["number"]
    text = f"the invoice batch of {number} was deleted in M3 before it was complete: enter it there if it is owed"
    return Outcome(OutcomeState.REFUSED, "batch_deleted", number, text)


def _surely(step: StepDraft, read: Callable[[], T]) -> T:
    """Read after a write: from here on no failure proves that nothing was written."""
    try:
        return read()
    except AmbiguousOutcome:
        raise
    except MLConnectorError as error:
        raise _after(step, error) from error


def _after(step: StepDraft, error: MLConnectorError) -> AmbiguousOutcome:
    msg = f"part of {step.text} is written; then: {error.message}"
    return AmbiguousOutcome(msg, request_id=error.request_id)
