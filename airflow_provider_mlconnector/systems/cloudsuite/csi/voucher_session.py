"""An open session with CSI's vouchers: read, look up, write one step at a time, observe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import IdoClient
from airflow_provider_mlconnector.systems.cloudsuite.csi.reference import read_reference
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_book import Voucher, VoucherBook
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_find import (
    IN_ERROR,
    LookedUp,
    find,
    result_of,
    standing,
)
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_numbers import Numbering
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_recheck import TOGETHER, Recheck
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_write import VoucherWriter
from airflow_provider_mlconnector.systems.ports import Fence, Found, Outcome, OutcomeState, StepDraft

REHEARSED = "checked against CSI's codes as they are now; CSI offers no validation without storing"


class VoucherSession:
    """Implements ``ports.TargetSession``. Not thread-safe.

    Args:
        client: Speaks to the configuration.
    """

    def __init__(self, client: IdoClient) -> None:
        self._client = client
        self._book = VoucherBook(client)
        self._recheck = Recheck(client)
        self._looked_up: LookedUp = {}
        self._writer = VoucherWriter(client, self._book, Numbering(client, self._book), self._looked_up)

    def read_reference(self, *, suppliers: Sequence[str], accounts: Sequence[str]) -> Mapping[str, Any]:
        """Read what plans need (see :func:`.reference.read_reference`)."""
        return read_reference(self._client, suppliers=suppliers, accounts=accounts)

    def find(self, steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:
        """Look steps up (see :func:`.voucher_find.find`)."""
        return find(self._book, steps, settling=settling, looked_up=self._looked_up)

    def batches(self, steps: Sequence[StepDraft]) -> Iterator[Sequence[StepDraft]]:
        """One voucher at a time: whether several changes of one request are all carried out is not documented."""
        for start in range(0, len(steps), TOGETHER):
            together = steps[start : start + TOGETHER]
            self._recheck.look(together)
            for step in together:
                yield [step]

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        """Carry one step out.

        Distributions are one request each; an unknown end of any of them is that of the step, which the next attempt
        completes by their keys.

        Raises:
            AmbiguousOutcome: Something may have been written, and nobody knows.
            MLConnectorError: Any other is proof that nothing was written.
        """
        (step,) = steps
        if told := self._recheck.objection(step):
            return [told]
        return [self._writer.write(step, fence)]

    def rehearse(self, steps: Sequence[StepDraft]) -> Sequence[Outcome]:
        """Return that the plan's own checks passed: CSI validates nothing without storing it, so nothing is sent."""
        return [Outcome(OutcomeState.POSTED, text=REHEARSED) for _step in steps]

    def observe(self, accepted: Sequence[tuple[StepDraft, Mapping[str, Any]]]) -> Sequence[Outcome]:
        """Look whether released vouchers have been posted meanwhile (FINANCE §6)."""
        there = standing(self._book, accepted)
        return [
            _observed(step, result, voucher, booked=booked)
            for (step, result), (voucher, booked) in zip(accepted, there, strict=True)
        ]


def _observed(step: StepDraft, result: Mapping[str, Any], voucher: Voucher | None, *, booked: bool) -> Outcome:
    name = f"voucher {result.get('voucher', '')}".strip()
    if voucher is None and booked:
        return Outcome(OutcomeState.POSTED, result={**result, "gl_status": "booked"})
    if voucher is None:
        text = f"thrown out: {name} of {step.payload['number']} was deleted in CSI before it was posted"
        return Outcome(OutcomeState.REFUSED, "thrown_out", str(result.get("voucher", "")), text, result=result)
    if voucher.posted:
        return Outcome(OutcomeState.POSTED, result={**result, **result_of(voucher)})
    if voucher.posting_status == IN_ERROR:
        text = f"CSI's background posting could not post {name}: see its messages there, correct the cause, then replay"
        return Outcome(OutcomeState.REFUSED, "background_posting", voucher.number, text, result=result)
    return Outcome(OutcomeState.ACCEPTED, result=result)
