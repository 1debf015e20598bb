"""Writing a voucher: header on hold, distributions by key, release; never half a voucher that posting could take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from airflow_provider_mlconnector.errors import (
    AmbiguousOutcome,
    ConfigurationError,
    MLConnectorError,
    Refused,
    StaleClaim,
)
from airflow_provider_mlconnector.systems.call import Effect
from airflow_provider_mlconnector.systems.cloudsuite.csi import values
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import ITEM_ID, Action, Change, IdoClient, Row, Saved
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_book import (
    LINES,
    UNPOSTED,
    Voucher,
    VoucherBook,
    amount_of,
    written_header,
    written_line,
)
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_compare import (
    header_differences,
    line_differences,
    mine,
    total,
)
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_find import (
    HELD,
    RELEASED,
    LookedUp,
    locate,
    result_of,
)
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_numbers import Numbering
from airflow_provider_mlconnector.systems.cloudsuite.csi.voucher_plan import DISTRIBUTIONS, VOUCHER
from airflow_provider_mlconnector.systems.ports import Fence, Outcome, OutcomeState, StepDraft

_TRIES = 3
"""How often a release is tried again because somebody changed something else of the voucher meanwhile."""
STATUS = "BGPostingStat"
T = TypeVar("T")


class VoucherWriter:
    """Carries out one step at a time.

    Args:
        client: Speaks to the configuration.
        book: Reads vouchers.
        numbering: Who numbers vouchers here.
        looked_up: What :func:`~.voucher_find.find` has just read, by the step's reference; each entry is used once.
    """

    def __init__(self, client: IdoClient, book: VoucherBook, numbering: Numbering, looked_up: LookedUp) -> None:
        self._client = client
        self._book = book
        self._numbering = numbering
        self._looked_up = looked_up

    def write(self, step: StepDraft, fence: Fence) -> Outcome:
        """Carry a step out.

        Raises:
            AmbiguousOutcome: Something may have been written, and nobody knows.
            MLConnectorError: Any other is proof that nothing was written.
        """
        if step.name == VOUCHER:
            return self._create(step, fence)
        if step.name == DISTRIBUTIONS:
            return self._distribute(step, fence)
        return self._release(step, fence)

    # --- header ----------------------------------------------------------------------------------------------------

    def _create(self, step: StepDraft, fence: Fence) -> Outcome:
        self._must_hold()
        properties = written_header(step.payload["header"])
        try:
            saved = self._numbering.insert(properties, fence)
        except Refused as error:
            return _refused(error, "voucher_refused", step.payload["number"])
        voucher = _surely(step, lambda: self._created(step, saved))
        if voucher.posting_status != HELD:
            return self._withdraw(step, voucher, fence)
        twins = _surely(step, lambda: self._book.namesakes(voucher)) if self._numbering.guesses else []
        issue = {"issue": f"voucher {voucher.number} was numbered like {', '.join(twins)}"} if twins else {}
        return Outcome(OutcomeState.POSTED, result={"key": voucher.key, "voucher": voucher.number, **issue})

    def _must_hold(self) -> None:
        """A version without the hold would let background posting take a voucher without its distributions."""
        found = self._client.info(UNPOSTED)
        hold = found.find(STATUS)
        if found.properties and (hold is None or hold.read_only):
            msg = (
                f"{UNPOSTED} has no {STATUS} that can be written in configuration "
                f"{self._client.options.configuration!r}: a voucher could be posted before it is complete, "
                "so none is made"
            )
            raise ConfigurationError(msg, field=f"connection '{self._client.gateway.connection}', IDO {UNPOSTED}")

    def _created(self, step: StepDraft, saved: Saved) -> Voucher:
        """Return what was written as the answer shows it or, where that is silent, as our reference finds it."""
        row, number = saved.properties, values.to_whole(saved.properties.get("Voucher"))
        if number is not None and row.get(STATUS):
            shown = {**row, ITEM_ID: saved.item_id}
            return Voucher(step.payload["header"]["VendNum"], str(number), posted=False, row=shown, reference="")
        voucher = self._standing(step)
        if voucher is None:
            msg = f"CSI did not object to voucher {step.payload['number']}, and does not show it"
            raise AmbiguousOutcome(msg)
        return voucher

    def _withdraw(self, step: StepDraft, voucher: Voucher, fence: Fence) -> Outcome:
        """Take back a header that CSI did not keep on hold, if nobody has touched it since (FINANCE §6)."""
        text = f"CSI made voucher {voucher.number} with {STATUS} {voucher.posting_status or 'blank'} instead of {HELD}"
        item_id = voucher.row.get(ITEM_ID) or ""
        if voucher.posted or not item_id:
            return Outcome(OutcomeState.REFUSED, "hold_not_kept", voucher.number, f"{text}, and it is posted already")
        change = Change(Action.DELETE, item_id=item_id)
        try:
            self._client.update(UNPOSTED, change, effect=Effect.WRITE, fence=fence, refresh=False)
        except Refused as error:
            told = f"{text}, and would not delete it: put it on hold or delete it ({error.remote_text})"
            return Outcome(OutcomeState.REFUSED, "hold_not_kept", voucher.number, told)
        except AmbiguousOutcome:
            raise
        except MLConnectorError as error:
            raise _after(step, error) from error
        return Outcome(OutcomeState.REFUSED, "hold_not_kept", voucher.number, f"{text}; it was deleted again")

    # --- distributions ---------------------------------------------------------------------------------------------

    def _distribute(self, step: StepDraft, fence: Fence) -> Outcome:
        """Write the distributions that are missing, one request each, and read them back.

        Whatever ends this early leaves the step where it was: not complete, and safe to go on with by key. So no error
        but a lost answer is an open end, and a claim that grows too old is given back.
        """
        known = self._looked_up.pop(step.remote_reference, None)
        voucher = known[0] if known else self._standing(step)
        if voucher is None or voucher.posted:
            return _gone(step, voucher)
        if voucher.posting_status != HELD:
            text = f"voucher {voucher.number} was released by somebody before it had its distributions: put it on hold"
            return Outcome(OutcomeState.REFUSED, "voucher_released", voucher.number, text, parked=True)
        rows = known[1] if known else self._lines(voucher)
        wrong, missing = line_differences(step.payload["lines"], rows)
        if wrong:
            return _wrong_lines(voucher, wrong)
        for place, line in enumerate(missing):
            try:
                refused = self._insert_line(step, voucher, line, fence)
            except StaleClaim:
                if not place:
                    raise
                text = f"{place} of {len(missing)} distributions of voucher {voucher.number} written, the rest follows"
                return Outcome(OutcomeState.NOT_EXECUTED, text=text)
            if refused is not None:
                return refused
        return _checked(step, voucher, self._lines(voucher)) or Outcome(OutcomeState.POSTED, result=_kept(voucher))

    def _insert_line(self, step: StepDraft, voucher: Voucher, line: Mapping[str, Any], fence: Fence) -> Outcome | None:
        change = Change(Action.INSERT, written_line(voucher, line))
        try:
            self._client.update(LINES, change, effect=Effect.WRITE, fence=fence, refresh=False)
        except Refused as error:
            # a lost request of ours may have written this very line in the meantime: its key lets in only one
            wrong, missing = line_differences(step.payload["lines"], self._lines(voucher))
            if wrong or any(each["seq"] == line["seq"] for each in missing):
                return _refused(error, "distribution_refused", line["account"], voucher)
        return None

    # --- release ---------------------------------------------------------------------------------------------------

    def _release(self, step: StepDraft, fence: Fence) -> Outcome:
        for _ in range(_TRIES):
            outcome = self._try_release(step, fence)
            if outcome is not None:
                return outcome
        text = f"voucher {step.payload['number']} is being changed again and again: the next run releases it"
        return Outcome(OutcomeState.REFUSED, "voucher_busy", step.payload["number"], text, parked=True)

    def _try_release(self, step: StepDraft, fence: Fence) -> Outcome | None:
        """Judge and release; None when somebody changed the voucher in between, so that it must be judged anew."""
        voucher = self._standing(step)
        if voucher is None or voucher.posted:
            return _gone(step, voucher)
        if problem := self._unfit(step, voucher):
            return problem
        if voucher.posting_status == RELEASED:
            return Outcome(OutcomeState.ACCEPTED, result=result_of(voucher))
        change = Change(Action.UPDATE, {STATUS: RELEASED}, item_id=voucher.row.get(ITEM_ID) or "")
        try:
            saved = self._client.update(UNPOSTED, change, effect=Effect.WRITE, fence=fence)
        except Refused as error:
            now = self._book.current(voucher)
            unchanged = now is not None and not now.posted and now.row["RecordDate"] == voucher.row["RecordDate"]
            return _refused(error, "release_refused", voucher.number, voucher) if unchanged else None
        if saved.properties.get(STATUS) == RELEASED:
            return Outcome(OutcomeState.ACCEPTED, result=result_of(voucher))
        return _surely(step, lambda: self._released(step))

    def _unfit(self, step: StepDraft, voucher: Voucher) -> Outcome | None:
        """Tell why a voucher must not be released: a person changed it, or it is not complete."""
        if different := header_differences(step.payload["header"], voucher):
            text = (
                f"voucher {voucher.number} was changed in CSI before its release: {'; '.join(different)}. Change it "
                "back, or release it there"
            )
            return Outcome(OutcomeState.REFUSED, "voucher_changed", voucher.number, text, parked=True)
        domestic, currency = self._client.options.domestic_currency, step.fingerprint["currency"]
        foreign = bool(domestic) and currency != domestic
        if foreign and voucher.row.get("ExchRate") and amount_of(voucher.row, "ExchRate") == 1:
            text = f"voucher {voucher.number} in {currency} has exchange rate 1: enter the rate in CSI"
            return Outcome(OutcomeState.REFUSED, "exchange_rate", voucher.number, text, parked=True)
        return _checked(step, voucher, self._lines(voucher))

    def _released(self, step: StepDraft) -> Outcome:
        voucher = self._standing(step)
        if voucher is None or voucher.posted:
            return _gone(step, voucher)
        if voucher.posting_status == RELEASED:
            return Outcome(OutcomeState.ACCEPTED, result=result_of(voucher))
        text = f"CSI did not object to the release of voucher {voucher.number}, and shows {STATUS} "
        told = f"{text}{voucher.posting_status or 'blank'}"
        return Outcome(OutcomeState.REFUSED, "not_taken", voucher.number, told)

    # --- reading ---------------------------------------------------------------------------------------------------

    def _standing(self, step: StepDraft) -> Voucher | None:
        """Read the voucher of a step, among the posted ones only where it is no longer among the others."""
        ours = mine(step, self._book.unposted(step))
        if ours:
            return ours[0]
        (there,) = self._book.search([step])
        return locate(step, there)

    def _lines(self, voucher: Voucher) -> list[Row]:
        return self._book.lines([voucher])[voucher.key]


def _kept(voucher: Voucher) -> dict[str, Any]:
    return {"key": voucher.key, "voucher": voucher.number}


def _checked(step: StepDraft, voucher: Voucher, rows: Sequence[Row]) -> Outcome | None:
    """Compare what was read back with what was planned, line by line and in sum; None when it is exact."""
    wrong, missing = line_differences(step.payload["lines"], rows)
    wrong += [f"distribution {line['seq']} {line['account']} {line['amount']} is missing" for line in missing]
    gross, header = Decimal(step.payload["total"]), voucher.amount
    if not wrong and (total(rows), header) != (gross, gross):
        wrong = [f"distributions add up to {total(rows)}, the voucher to {header}, the invoice to {gross}"]
    return _wrong_lines(voucher, wrong) if wrong else None


def _wrong_lines(voucher: Voucher, wrong: Sequence[str]) -> Outcome:
    text = (
        f"voucher {voucher.number} is not as it was written: {'; '.join(wrong)}. Delete or correct these in CSI: what "
        "is missing is written again, and the voucher stays on hold until it is right"
    )
    return Outcome(
        OutcomeState.REFUSED, "distributions_differ", voucher.number, text, parked=True, result=_kept(voucher)
    )


def _gone(step: StepDraft, voucher: Voucher | None) -> Outcome:
    if voucher is not None:
        return Outcome(OutcomeState.POSTED, result=result_of(voucher))
    number = step.payload["number"]
    text = f"the voucher of invoice {number} was deleted in CSI before it was complete: enter it there if it is owed"
    return Outcome(OutcomeState.REFUSED, "voucher_deleted", number, text)


def _refused(error: Refused, code: str, subject: str, voucher: Voucher | None = None) -> Outcome:
    words = error.remote_text or error.message
    text = f"voucher {voucher.number} stays on hold in CSI: {words}" if voucher else words
    return Outcome(OutcomeState.REFUSED, code, subject, text, result=_kept(voucher) if voucher else {})


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
