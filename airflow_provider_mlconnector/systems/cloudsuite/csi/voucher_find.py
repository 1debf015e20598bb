"""What a look-up of a voucher's step proves (FINANCE §5, §6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.systems.cloudsuite.csi.answers import Row
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_book import Voucher, VoucherBook
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_compare import (
    fingerprint_differences,
    header_differences,
    line_differences,
    mine,
)
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_plan import DISTRIBUTIONS, VOUCHER
from airflow_provider_mlconnector.systems.ports import Found, FoundState, OutcomeState, StepDraft

RELEASED = "A"
HELD = "H"
IN_ERROR = "E"
"""``BGPostingStat`` (reference/cloudsuite.md §5.1)."""


LookedUp = dict[str, tuple[Voucher, list[Row]]]
"""Vouchers and their distributions as a look-up has just read them, by the step's remote reference."""


def find(book: VoucherBook, steps: Sequence[StepDraft], *, settling: bool, looked_up: LookedUp) -> list[Found]:
    """Look steps up, in few requests; answers in the order given.

    Args:
        book: Reads vouchers.
        steps: The steps.
        settling: Whether an attempt may have happened.
        looked_up: Receives what was read for steps that complete distributions, which saves reading it again.
    """
    there = book.search(steps)
    written = [locate(step, vouchers) for step, vouchers in zip(steps, there, strict=True)]
    unposted = [
        voucher
        for step, voucher in zip(steps, written, strict=True)
        if step.name == DISTRIBUTIONS and voucher is not None and not voucher.posted
    ]
    lines = book.lines(unposted) if unposted else {}
    for step, voucher in zip(steps, written, strict=True):
        if voucher is not None and step.name == DISTRIBUTIONS and voucher.key in lines:
            looked_up[step.remote_reference] = voucher, lines[voucher.key]
    return [
        _voucher(step, vouchers, settling=settling) if step.name == VOUCHER else _later(step, voucher, lines)
        for step, vouchers, voucher in zip(steps, there, written, strict=True)
    ]


def locate(step: StepDraft, vouchers: Sequence[Voucher]) -> Voucher | None:
    """Return the voucher that an earlier step of the document has made, None where it is gone.

    It carries our reference. Once posted, a tenant may not show that any more: then the one of its number and content.
    """
    ours = mine(step, vouchers)
    if ours:
        return ours[0]
    alike = (each for each in vouchers if each.reference is None and not fingerprint_differences(step, each))
    return next(alike, None)


def result_of(voucher: Voucher, **more: Any) -> dict[str, Any]:
    """Return what is kept of a voucher."""
    status = "booked" if voucher.posted else "held"
    return {"key": voucher.key, "voucher": voucher.number, "gl_status": status, **more}


def _voucher(step: StepDraft, vouchers: Sequence[Voucher], *, settling: bool) -> Found:
    if not vouchers:
        return Found(FoundState.ABSENT)
    ours = mine(step, vouchers)
    if ours:
        return _ours(step, ours)
    same = [voucher for voucher in vouchers if not fingerprint_differences(step, voucher)]
    if not same:
        told = "; ".join(fingerprint_differences(step, vouchers[0]))
        detail = f"number already used by voucher {vouchers[0].number}: {told}"
        return Found(FoundState.DIFFERENT, detail, result_of(vouchers[0]))
    if settling and same[0].reference is None:
        detail = (
            f"voucher {same[0].number} says the same and is posted, and CSI does not show the reference of posted "
            "vouchers: look whether it is ours or was entered by hand"
        )
        return Found(FoundState.UNKNOWN, detail, result_of(same[0]))
    reference = same[0].reference
    detail = f"voucher {same[0].number}, reference {'not shown' if reference is None else reference or 'blank'}"
    return Found(FoundState.SAME_NOT_OURS, detail, result_of(same[0]))


def _ours(step: StepDraft, ours: Sequence[Voucher]) -> Found:
    voucher = ours[0]
    result: Mapping[str, Any] = result_of(voucher)
    if len(ours) > 1:
        numbers = ", ".join(each.number for each in ours)
        result = {**result, "issue": f"{len(ours)} vouchers carry our reference ({numbers}): delete or reverse one"}
    if different := fingerprint_differences(step, voucher):
        detail = f"voucher {voucher.number} carries our reference but differs: {'; '.join(different)}"
        return Found(FoundState.DIFFERENT, detail, result)
    return Found(FoundState.OURS, f"voucher {voucher.number}", result)


def _later(step: StepDraft, voucher: Voucher | None, lines: Mapping[str, Sequence[Row]]) -> Found:
    """Judge a step that comes after the voucher's own: has the target what it says?"""
    if voucher is None:
        return Found(FoundState.ABSENT, "the voucher is no longer in CSI")
    if voucher.posted:
        return Found(FoundState.OURS, f"voucher {voucher.number} is posted", result_of(voucher))
    if step.name == DISTRIBUTIONS:
        wrong, missing = line_differences(step.payload["lines"], lines[voucher.key])
        state = FoundState.ABSENT if wrong or missing else FoundState.OURS
        return Found(state, f"voucher {voucher.number}", result_of(voucher))
    if voucher.posting_status != RELEASED:
        return Found(FoundState.ABSENT, f"voucher {voucher.number} is not released")
    different = header_differences(step.payload["header"], voucher)
    issue = {"issue": f"voucher {voucher.number} was changed after its release: {'; '.join(different)}"}
    result = result_of(voucher, **(issue if different else {}))
    return Found(FoundState.OURS, f"voucher {voucher.number}", result, OutcomeState.ACCEPTED)


def standing(
    book: VoucherBook, accepted: Sequence[tuple[StepDraft, Mapping[str, Any]]]
) -> list[tuple[Voucher | None, bool]]:
    """Return where the vouchers of accepted steps are now, and whether the ledger has those that are nowhere else.

    They are looked up by the number kept of each. A number may have been given to another voucher since, after ours was
    deleted: the reference, or the invoice's number where CSI shows none any more, tells. Posted vouchers are purged
    some day, lines of the ledger are not.
    """
    keys = [_named(result) for _step, result in accepted]
    there = book.numbered([key for key in keys if key is not None])
    located = [
        voucher if (voucher := there.get(key) if key else None) is not None and _is_ours(step, voucher) else None
        for (step, _result), key in zip(accepted, keys, strict=True)
    ]
    gone = [key for key, voucher in zip(keys, located, strict=True) if key and voucher is None and key not in there]
    booked = book.booked(gone)
    return [(voucher, key in booked) for key, voucher in zip(keys, located, strict=True)]


def _is_ours(step: StepDraft, voucher: Voucher) -> bool:
    if voucher.reference is not None:
        return voucher.reference == step.our_reference
    return comparable(voucher.row.get("InvNum") or "") == step.fingerprint["number"]


def _named(result: Mapping[str, Any]) -> tuple[str, str] | None:
    vendor, mark, number = str(result.get("key", "")).rpartition("|")
    return (comparable(vendor), comparable(number)) if mark else None
