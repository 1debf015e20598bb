"""What a look-up of a batch's step proves (FINANCE §5, §6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_mlconnector.systems.cloudsuite.m3.batch_book import (
    Batch,
    BatchBook,
    head_differences,
    line_differences,
    mine,
)
from airflow_provider_mlconnector.systems.cloudsuite.m3.batch_plan import BATCH, LINES
from airflow_provider_mlconnector.systems.cloudsuite.m3.options import M3Options
from airflow_provider_mlconnector.systems.ports import Found, FoundState, StepDraft


def find(book: BatchBook, steps: Sequence[StepDraft], options: M3Options, *, settling: bool) -> list[Found]:
    """Look steps up, in few calls; answers in the order given.

    Args:
        book: Reads batches.
        steps: The steps.
        options: What statuses mean.
        settling: Whether an attempt may have happened.
    """
    return [
        _batch(step, batches, options, settling=settling)
        if step.name == BATCH
        else _later(book, step, locate(step, batches), options)
        for step, batches in zip(steps, book.search(steps), strict=True)
    ]


def locate(step: StepDraft, batches: Sequence[Batch]) -> Batch | None:
    """Return the batch that an earlier step of the document has made, None where it is gone.

    It carries our reference; where a tenant shows none, it is the one of this number and content.
    """
    ours = mine(step, batches)
    if ours:
        return ours[0]
    alike = [each for each in batches if each.reference is None and not head_differences(step, each)]
    return alike[0] if len(alike) == 1 else None


def is_posted(batch: Batch, options: M3Options) -> bool:
    """Tell whether a batch is in the ledger."""
    return batch.status in options.posted_statuses


def result_of(batch: Batch, options: M3Options, **more: Any) -> dict[str, Any]:
    """Return what is kept of a batch."""
    status = "booked" if is_posted(batch, options) else "held"
    voucher = {"voucher": batch.voucher} if batch.voucher else {}
    return {"key": batch.number, "batch": batch.number, "gl_status": status, **voucher, **more}


def _batch(step: StepDraft, batches: Sequence[Batch], options: M3Options, *, settling: bool) -> Found:
    if not batches:
        return Found(FoundState.ABSENT)
    ours = mine(step, batches)
    if ours:
        return _ours(step, ours, options)
    same = [batch for batch in batches if not head_differences(step, batch)]
    if not same:
        told = "; ".join(head_differences(step, batches[0]))
        detail = f"number already used by invoice batch {batches[0].number}: {told}"
        return Found(FoundState.DIFFERENT, detail, result_of(batches[0], options))
    found = same[0]
    if settling and found.reference is None:
        detail = (
            f"invoice batch {found.number} says the same, and M3 does not show {options.reference_field or 'any'} "
            "reference: look whether it is ours or was entered by hand"
        )
        return Found(FoundState.UNKNOWN, detail, result_of(found, options))
    told = "not shown" if found.reference is None else found.reference or "blank"
    detail = f"invoice batch {found.number}, reference {told}"
    return Found(FoundState.SAME_NOT_OURS, detail, result_of(found, options))


def _ours(step: StepDraft, ours: Sequence[Batch], options: M3Options) -> Found:
    batch = ours[0]
    result: Mapping[str, Any] = result_of(batch, options)
    if len(ours) > 1:
        numbers = ", ".join(each.number for each in ours)
        result = {**result, "issue": f"{len(ours)} invoice batches carry our reference ({numbers}): delete one"}
    if different := head_differences(step, batch):
        detail = f"invoice batch {batch.number} carries our reference but differs: {'; '.join(different)}"
        return Found(FoundState.DIFFERENT, detail, result)
    return Found(FoundState.OURS, f"invoice batch {batch.number}", result)


def _later(book: BatchBook, step: StepDraft, batch: Batch | None, options: M3Options) -> Found:
    """Judge a step that comes after the batch's own: has M3 what it says?"""
    if batch is None:
        return Found(FoundState.ABSENT, "the invoice batch is no longer in M3")
    named, result = f"invoice batch {batch.number}", result_of(batch, options)
    if is_posted(batch, options):
        return Found(FoundState.OURS, f"{named} is posted", result)
    if step.name == LINES:
        rows, whole = book.lines(batch)
        wrong, missing = line_differences(step.payload["lines"], rows, list(options.dimensions))
        state = FoundState.ABSENT if wrong or missing or not whole else FoundState.OURS
        return Found(state, named, result)
    return Found(FoundState.ABSENT, f"{named} is not posted yet; validating it once more changes nothing")
