"""An open session with SYSPRO's suppliers: read, look up, set up, change and read again (FINANCE §5, §7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_mlconnector.documents.matching import AMBIGUOUS
from airflow_provider_mlconnector.errors import AmbiguousOutcome, MLConnectorError
from airflow_provider_mlconnector.systems.ports import Fence, Found, FoundState, Outcome, OutcomeState, StepDraft
from airflow_provider_mlconnector.systems.syspro import apsssp
from airflow_provider_mlconnector.systems.syspro.client import SysproClient
from airflow_provider_mlconnector.systems.syspro.comfnd import read
from airflow_provider_mlconnector.systems.syspro.keys import normal
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
from airflow_provider_mlconnector.systems.syspro.reference import BRANCHES, terms_query
from airflow_provider_mlconnector.systems.syspro.supplier_codec import KEY
from airflow_provider_mlconnector.systems.syspro.supplier_compare import masked
from airflow_provider_mlconnector.systems.syspro.supplier_plan import SUPPLIER_ADD
from airflow_provider_mlconnector.systems.syspro.supplier_records import (
    Row,
    by_key,
    read_alike,
    read_records,
    record_pages,
)


class SupplierSession:
    """One log-on's work with suppliers (implements ``ports.TargetSession``), one supplier per request.

    What an update does to elements that are left out or empty is not public. So everything that can be read is read
    before, sent back, and read again after: SYSPRO's answer alone proves nothing (reference/syspro.md §2.4).
    """

    def __init__(self, client: SysproClient, options: SysproOptions) -> None:
        self._client = client
        self._options = options

    def read_reference(self, *, suppliers: Sequence[str], accounts: Sequence[str]) -> Mapping[str, Any]:  # noqa: ARG002 - suppliers have no accounts of ours
        """Read the suppliers concerned (all of them when none is named), branches and terms, as JSON-able data.

        Returns:
            ``{"suppliers": {normalized key: [record, ...]}, "branches": [code, ...], "terms": [code, ...]}``.
        """
        if suppliers:
            records = read_records(self._client, self._options, suppliers)
        else:
            records = by_key(row for page in record_pages(self._client, self._options) for row in page)
        branches = [row["Branch"] for row in read(self._client, BRANCHES)]
        terms = [row["TermsCode"] for row in read(self._client, terms_query(self._options))]
        return {"suppliers": records, "branches": branches, "terms": terms}

    def find(self, steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:
        """Compare every field a step would write with what SYSPRO holds.

        A supplier carries no reference of ours. One that is there and says the same is ours when an attempt may have
        happened, and entered by hand when none has.
        """
        keys = [step.payload["supplier"] for step in steps]
        records = read_records(self._client, self._options, keys, full=True)
        return [self._judge(step, records, settling=settling) for step in steps]

    def batches(self, steps: Sequence[StepDraft]) -> Iterator[Sequence[StepDraft]]:
        """One supplier per request: a change is read, merged, written and read again by itself."""
        for step in steps:
            yield [step]

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        """Set up or change one supplier.

        Raises:
            AmbiguousOutcome: No sure answer, or the record could not be read afterwards.
            MLConnectorError: Any other is proof that nothing was written.
        """
        (step,) = steps
        return [self._add(step, fence) if step.name == SUPPLIER_ADD else self._update(step, fence)]

    def rehearse(self, steps: Sequence[StepDraft]) -> Sequence[Outcome]:
        """Let SYSPRO validate steps without storing anything; POSTED means "would be taken"."""
        return [self._rehearse(step) for step in steps]

    def observe(self, accepted: Sequence[tuple[StepDraft, Mapping[str, Any]]]) -> Sequence[Outcome]:
        """Never asked: a supplier that is written is there."""
        return [Outcome(OutcomeState.POSTED, result=result) for _step, result in accepted]

    # --- looking ---------------------------------------------------------------------------------------------------

    def _judge(self, step: StepDraft, records: Mapping[str, list[Row]], *, settling: bool) -> Found:
        row = _named(step, records)
        if row is None:
            return Found(FoundState.ABSENT)
        different = differences(step.fingerprint, row)
        result = {"key": row[KEY]}
        if step.name != SUPPLIER_ADD:
            return Found(FoundState.ABSENT if different else FoundState.OURS, f"supplier {row[KEY]}", result)
        if not different:
            state = FoundState.OURS if settling else FoundState.SAME_NOT_OURS
            return Found(state, f"supplier {row[KEY]} {row['SupplierName']}", result)
        detail = f"SYSPRO has another supplier {row[KEY]}: {'; '.join(different)}"
        return Found(FoundState.DIFFERENT, detail, result)

    def _record(self, step: StepDraft) -> Row | None:
        return _named(step, read_records(self._client, self._options, [step.payload["supplier"]], full=True))

    def _read_again(self, step: StepDraft) -> Row | None:
        """Read after the write: from here on no failure proves that nothing was written."""
        try:
            return self._record(step)
        except MLConnectorError as error:
            msg = f"written, but supplier {step.payload['supplier']} could not be read again: {error.message}"
            raise AmbiguousOutcome(msg, request_id=error.request_id) from error

    # --- writing ---------------------------------------------------------------------------------------------------

    def _add(self, step: StepDraft, fence: Fence) -> Outcome:
        key = step.payload["supplier"]
        alike = self._double(step)
        if alike is not None:
            return alike
        refused = self._send("Add", key, step.payload["fields"], fence)
        if refused is not None and refused.code != "supplier":
            return refused
        row = self._read_again(step)
        if refused is not None:
            return refused if row is None else Outcome(OutcomeState.DUPLICATE, "duplicate", key, refused.text)
        if row is None:
            msg = f"SYSPRO did not object to new supplier {key}, and does not show it"
            raise AmbiguousOutcome(msg)
        different = differences(step.fingerprint, row)
        issue = {"issue": f"SYSPRO set up supplier {row[KEY]} otherwise: {'; '.join(different)}"} if different else {}
        return Outcome(OutcomeState.POSTED, result={"key": row[KEY], **issue})

    def _double(self, step: StepDraft) -> Outcome | None:
        """Refuse to set up a company that came into SYSPRO since the run began, as another one or by hand.

        It is parked: the next run finds the other one at first contact, and links it or says why it cannot.
        """
        key, fields = step.payload["supplier"], step.payload["fields"]
        rows = read_alike(self._client, self._options, fields)
        other = next((row for row in rows if normal(row[KEY]) != normal(key)), None)
        if other is None:
            return None
        text = (
            f"new supplier {key} {fields['SupplierName']} has the tax id, or name and postal code, of "
            f"{other[KEY]} {other['SupplierName']}, which SYSPRO has only just got"
        )
        return Outcome(OutcomeState.REFUSED, AMBIGUOUS, other[KEY], text, parked=True)

    def _update(self, step: StepDraft, fence: Fence) -> Outcome:
        row = self._record(step)
        if row is None:
            return _deleted(step.payload["supplier"])
        merged = merge(row, step.payload["fields"])
        refused = self._send("Update", row[KEY], merged, fence)
        if refused is not None:
            return _deleted(row[KEY], refused.text) if refused.code == "supplier" else refused
        after = self._read_again(step)
        different = ["it is gone"] if after is None else differences(merged, after)
        if different:
            text = f"SYSPRO did not object, and shows supplier {row[KEY]} otherwise: {'; '.join(different)}"
            return Outcome(OutcomeState.REFUSED, "not_taken", row[KEY], text, result={"key": row[KEY]})
        return Outcome(OutcomeState.POSTED, result={"key": row[KEY]})

    def _rehearse(self, step: StepDraft) -> Outcome:
        key, fields = step.payload["supplier"], step.payload["fields"]
        method: apsssp.Method = "Add"
        if step.name != SUPPLIER_ADD:
            row = self._record(step)
            if row is None:
                return _deleted(key)
            method, key, fields = "Update", row[KEY], merge(row, fields)
        refused = self._send(method, key, fields, None)
        return refused or Outcome(OutcomeState.POSTED)

    def _send(self, method: apsssp.Method, key: str, fields: Mapping[str, str], fence: Fence | None) -> Outcome | None:
        """Send one document, as a rehearsal without a fence; None when SYSPRO does not object.

        Set-up documents travel in the query string only: no body of theirs is known (reference/syspro.md §1.1, §1.3).
        """
        call = apsssp.setup_call(method, key, fields, validate_only=fence is None)
        transport = self._client.transport
        if transport.url_length(self._client.post_call(call)) > transport.max_url:
            text = f"supplier {key} with all its fields is too large for one URL; change it in SYSPRO by hand"
            return Outcome(OutcomeState.REFUSED, "too_large", key, text)
        return apsssp.read_refusal(self._client.post(call, fence=fence), key)


def merge(row: Row, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the full record to send: what SYSPRO shows, under what is to change.

    What is empty in SYSPRO is left out, and what no column shows cannot be sent back; a field that is to become empty
    is sent as empty.
    """
    kept = {element: row[element] for element in apsssp.ELEMENTS if row.get(element)}
    return kept | dict(fields)


def differences(wanted: Mapping[str, str], row: Mapping[str, str]) -> list[str]:
    """Say in which columns SYSPRO shows something else; elements without a column are not compared."""
    return [
        f"{element} {_told(element, row[element])}, wanted {_told(element, value)}"
        for element, value in wanted.items()
        if element in row and row[element] != value
    ]


def _told(element: str, value: str) -> str:
    return masked(value) if element == "BankAccount" else repr(value)


def _named(step: StepDraft, records: Mapping[str, list[Row]]) -> Row | None:
    key = step.payload["supplier"]
    rows = records.get(normal(key), [])
    return next((row for row in rows if row[KEY] == key), rows[0] if rows else None)


def _deleted(key: str, text: str = "") -> Outcome:
    told = text or f"supplier {key} is no longer in SYSPRO"
    return Outcome(OutcomeState.REFUSED, "supplier_deleted", key, told, parked=True)
