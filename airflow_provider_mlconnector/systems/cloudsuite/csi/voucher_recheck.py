"""Looking again right before a voucher is written: CSI itself minds neither vendor, account nor period (FINANCE §4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from airflow_provider_mlconnector.errors import DocumentError
from airflow_provider_mlconnector.systems.cloudsuite.csi import checks
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import IdoClient
from airflow_provider_mlconnector.systems.cloudsuite.csi.reference import read_reference
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_plan import RELEASE, VOUCHER
from airflow_provider_mlconnector.systems.ports import Outcome, OutcomeState, StepDraft

TOGETHER: Final = 50
"""Vouchers for which CSI is asked again at a time: what they are checked against is a few minutes old at most."""


class Recheck:
    """Checks vouchers against CSI as it is now; days may lie between the check of a plan and its posting.

    A voucher made in this session is not looked at once more when it is released.

    Args:
        client: Speaks to the configuration.
    """

    def __init__(self, client: IdoClient) -> None:
        self._client = client
        self._looked_at: set[tuple[str, str]] = set()
        self._objections: dict[str, Outcome] = {}

    def look(self, steps: Sequence[StepDraft]) -> None:
        """Judge steps that are about to be carried out."""
        due = [step for step in steps if step.name in {VOUCHER, RELEASE} and _named(step) not in self._looked_at]
        if not due:
            return
        vendors = {str(step.payload["header"]["VendNum"]) for step in due}
        accounts = {line["account"] for step in due for line in step.payload["lines"]}
        reference = read_reference(self._client, suppliers=sorted(vendors), accounts=sorted(accounts))
        for step in due:
            self._looked_at.add(_named(step))
            try:
                self._check(step.payload, reference)
            except DocumentError as error:
                told = Outcome(OutcomeState.REFUSED, error.code, error.subject or "", error.message, parked=True)
                self._objections[step.remote_reference] = told

    def objection(self, step: StepDraft) -> Outcome | None:
        """Return why a step is not carried out now, None when nothing speaks against it."""
        return self._objections.pop(step.remote_reference, None)

    def _check(self, payload: Mapping[str, Any], reference: Mapping[str, Any]) -> None:
        checks.hold(checks.vendor(payload["header"]["VendNum"].strip(), reference), self._client.options)
        when = date.fromisoformat(payload["header"]["DistDate"])
        checks.still_open(when, reference)
        for line in payload["lines"]:
            first, second, third, fourth = line["units"]
            row = checks.account(line["account"], when, reference)
            checks.units(line["account"], (first, second, third, fourth), row, reference)


def _named(step: StepDraft) -> tuple[str, str]:
    return step.payload["header"]["VendNum"], f"{step.payload['kind']} {step.payload['number']}"
