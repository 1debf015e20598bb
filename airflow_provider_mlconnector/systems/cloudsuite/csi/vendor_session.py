"""An open session with CSI's vendors: read, look up, set up, change under a lock and read again (FINANCE §5, §7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.errors import AmbiguousOutcome, MLConnectorError, Refused
from airflow_provider_mlconnector.systems.call import Effect
from airflow_provider_mlconnector.systems.cloudsuite.csi import filters, values
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import ITEM_ID, Action, Change, IdoClient, Query
from airflow_provider_mlconnector.systems.cloudsuite.csi.listing import CHANGED
from airflow_provider_mlconnector.systems.cloudsuite.csi.reference import TERMS
from airflow_provider_mlconnector.systems.cloudsuite.csi.suppliers import VENDORS
from airflow_provider_mlconnector.systems.cloudsuite.csi.vendor_codec import KEY, SIZES, same
from airflow_provider_mlconnector.systems.cloudsuite.csi.vendor_plan import VENDOR_ADD
from airflow_provider_mlconnector.systems.ports import Fence, Found, FoundState, Outcome, OutcomeState, StepDraft

_TRIES: Final = 3
"""How often a change is tried again because somebody changed the vendor meanwhile."""
_QUERY: Final = Query(VENDORS.ido, VENDORS.needs, (*VENDORS.likes, "BankCode"), order=(KEY,))
Row = Mapping[str, Any]


class VendorSession:
    """Implements ``ports.TargetSession``; one vendor per request.

    A change names only what is to be changed, under the lock of the record as it was read, and is read back: CSI's
    answer alone proves nothing.

    Args:
        client: Speaks to the configuration.
    """

    def __init__(self, client: IdoClient) -> None:
        self._client = client

    def read_reference(self, *, suppliers: Sequence[str], accounts: Sequence[str]) -> Mapping[str, Any]:  # noqa: ARG002 - suppliers have no accounts of ours
        """Read the vendors concerned (all of them when none is named) and the terms, as JSON-able data.

        Returns:
            ``{"vendors": {comparable number: [row, ...]}, "terms": [code, ...], "lengths": {property: characters},
            "writable": [property, ...]}``; rows hold the properties this version has.
        """
        info = self._client.info(_QUERY.ido)
        written = {name: info.find(name) for name in (*SIZES, "Stat", "VadPayHold")}
        unknown = not info.properties  # a tenant that describes nothing: all are taken for there
        return {
            "vendors": _by_key(self._read(suppliers)),
            "terms": [values.unpad(row["TermsCode"]) for row in self._client.rows(TERMS)],
            "lengths": {name: there.length for name, there in written.items() if there and there.length},
            "writable": [
                name for name, there in written.items() if unknown or (there is not None and not there.read_only)
            ],
        }

    def find(self, steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:
        """Compare every property a step would write with what CSI holds.

        A vendor carries no reference of ours. One that is there and says the same is ours when an attempt may have
        happened, and entered by hand when none has.
        """
        there = _by_key(self._read([step.payload["supplier"] for step in steps]))
        return [_judge(step, _named(step, there), settling=settling) for step in steps]

    def batches(self, steps: Sequence[StepDraft]) -> Iterator[Sequence[StepDraft]]:
        """One vendor per request: several changes of one request may be carried out in part."""
        for step in steps:
            yield [step]

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        """Set up or change one vendor.

        Raises:
            AmbiguousOutcome: No sure answer, or the vendor could not be read afterwards.
            MLConnectorError: Any other is proof that nothing was written.
        """
        (step,) = steps
        return [self._add(step, fence) if step.name == VENDOR_ADD else self._update(step, fence)]

    def rehearse(self, steps: Sequence[StepDraft]) -> Sequence[Outcome]:
        """Return that the plan's own checks passed: CSI validates nothing without storing it, so nothing is sent."""
        text = "checked against CSI's codes as they are now; CSI offers no validation without storing"
        return [Outcome(OutcomeState.POSTED, text=text) for _step in steps]

    def observe(self, accepted: Sequence[tuple[StepDraft, Mapping[str, Any]]]) -> Sequence[Outcome]:
        """Never asked: a vendor that is written is there."""
        return [Outcome(OutcomeState.POSTED, result=result) for _step, result in accepted]

    # --- reading ---------------------------------------------------------------------------------------------------

    def _read(self, keys: Sequence[str], *, locks: bool = False) -> list[dict[str, Any]]:
        query = replace(_QUERY, locks=locks)
        told = [name for name, there in self._client.spelled(query).items() if there]
        told += [ITEM_ID] if locks else []
        width = self._client.options.vendor_width
        if keys:
            forms = dict.fromkeys(filters.text(form) for key in keys for form in values.key_forms(key, width))
            rows = self._client.rows_in(query, KEY, list(forms))
        else:
            rows = self._client.rows(query)
        kept = told if locks else [name for name in told if name != CHANGED]
        return [{name: row.get(name) for name in kept} for row in rows]

    def _current(self, step: StepDraft) -> Row | None:
        return _named(step, _by_key(self._read([step.payload["supplier"]], locks=True)))

    def _read_again(self, step: StepDraft) -> Row | None:
        """Read after the write: from here on no failure proves that nothing was written."""
        try:
            return self._current(step)
        except MLConnectorError as error:
            msg = f"written, but supplier {step.payload['supplier']} could not be read again: {error.message}"
            raise AmbiguousOutcome(msg, request_id=error.request_id) from error

    # --- writing ---------------------------------------------------------------------------------------------------

    def _add(self, step: StepDraft, fence: Fence) -> Outcome:
        key = step.payload["supplier"]
        fields = {KEY: values.pad(key, self._client.options.vendor_width), **step.payload["fields"]}
        change = Change(Action.INSERT, fields)
        try:
            self._client.update(_QUERY.ido, change, effect=Effect.WRITE, fence=fence)
        except Refused as error:
            words = error.remote_text or error.message
            there = self._current(step) is not None
            return Outcome(
                OutcomeState.DUPLICATE if there else OutcomeState.REFUSED,
                "duplicate" if there else "supplier_refused",
                key,
                words,
            )
        row = self._read_again(step)
        if row is None:
            msg = f"CSI did not object to new supplier {key}, and does not show it"
            raise AmbiguousOutcome(msg)
        number, different = values.unpad(row[KEY]), _differences(step.fingerprint, row)
        issue = {"issue": f"CSI set up supplier {number} otherwise: {'; '.join(different)}"} if different else {}
        return Outcome(OutcomeState.POSTED, result={"key": number, **issue})

    def _update(self, step: StepDraft, fence: Fence) -> Outcome:
        for _ in range(_TRIES):
            row = self._current(step)
            if row is None:
                return _deleted(step.payload["supplier"])
            outcome = self._try_update(step, row, fence)
            if outcome is not None:
                return outcome
        key = step.payload["supplier"]
        text = f"supplier {key} is being changed again and again: the next run writes it"
        return Outcome(OutcomeState.REFUSED, "supplier_busy", key, text, parked=True)

    def _try_update(self, step: StepDraft, row: Row, fence: Fence) -> Outcome | None:
        """Write what differs under the record's lock; None when somebody changed it in between."""
        key = values.unpad(row[KEY])
        changed = {name: value for name, value in step.payload["fields"].items() if not same(row, name, value)}
        if not changed:
            return Outcome(OutcomeState.POSTED, result={"key": key})
        properties = {name: value or None for name, value in changed.items()}
        change = Change(Action.UPDATE, properties, item_id=row.get(ITEM_ID) or "")
        try:
            self._client.update(_QUERY.ido, change, effect=Effect.WRITE, fence=fence)
        except Refused as error:
            now = self._current(step)
            if now is not None and now[CHANGED] == row[CHANGED]:
                words = error.remote_text or error.message
                return Outcome(OutcomeState.REFUSED, "supplier_refused", key, words, result={"key": key})
            return None
        after = self._read_again(step)
        different = ["it is gone"] if after is None else _differences(step.fingerprint, after)
        if different:
            text = f"CSI did not object, and shows supplier {key} otherwise: {'; '.join(different)}"
            return Outcome(OutcomeState.REFUSED, "not_taken", key, text, result={"key": key})
        return Outcome(OutcomeState.POSTED, result={"key": key})


def _judge(step: StepDraft, row: Row | None, *, settling: bool) -> Found:
    if row is None:
        return Found(FoundState.ABSENT)
    key = values.unpad(row[KEY])
    different, result = _differences(step.fingerprint, row), {"key": key}
    if step.name != VENDOR_ADD:
        return Found(FoundState.ABSENT if different else FoundState.OURS, f"supplier {key}", result)
    if not different:
        state = FoundState.OURS if settling else FoundState.SAME_NOT_OURS
        return Found(state, f"supplier {key} {values.unpad(row.get('Name'))}", result)
    return Found(FoundState.DIFFERENT, f"CSI has another supplier {key}: {'; '.join(different)}", result)


def _differences(wanted: Mapping[str, str], row: Row) -> list[str]:
    return [
        f"{name} {values.unpad(row.get(name))!r}, wanted {value!r}"
        for name, value in wanted.items()
        if name in row and not same(row, name, value)
    ]


def _by_key(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Row]]:
    grouped: dict[str, dict[str, Row]] = {}
    for row in rows:
        grouped.setdefault(comparable(row[KEY] or ""), {})[row[KEY] or ""] = row
    return {key: list(spelled.values()) for key, spelled in grouped.items()}


def _named(step: StepDraft, rows: Mapping[str, list[Row]]) -> Row | None:
    key = step.payload["supplier"]
    found = rows.get(comparable(key), [])
    return next((row for row in found if values.unpad(row[KEY]) == key), found[0] if found else None)


def _deleted(key: str) -> Outcome:
    return Outcome(OutcomeState.REFUSED, "supplier_deleted", key, f"supplier {key} is no longer in CSI", parked=True)
