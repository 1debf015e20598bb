"""An open session: read, look up, cut, post, rehearse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any

from airflow_provider_mlconnector.errors import AmbiguousOutcome, ProtocolError
from airflow_provider_mlconnector.systems.ports import Fence, Found, Outcome, OutcomeState, StepDraft
from airflow_provider_mlconnector.systems.syspro import apstin, gentjl
from airflow_provider_mlconnector.systems.syspro.apstin import ApInvoiceItem, ReceiptMatch, Settings
from airflow_provider_mlconnector.systems.syspro.batches import Batcher, Shape, item_of, journal_of, shape_of
from airflow_provider_mlconnector.systems.syspro.client import PostCall, SysproClient
from airflow_provider_mlconnector.systems.syspro.comfnd import Condition, Query, both, read
from airflow_provider_mlconnector.systems.syspro.gentjl import Journal, JournalLine
from airflow_provider_mlconnector.systems.syspro.keys import CENT, number
from airflow_provider_mlconnector.systems.syspro.lookup import LookUp
from airflow_provider_mlconnector.systems.syspro.options import ApGl, Carrier, SysproOptions
from airflow_provider_mlconnector.systems.syspro.periods import Calendar, Period
from airflow_provider_mlconnector.systems.syspro.plan import GL_JOURNAL
from airflow_provider_mlconnector.systems.syspro.receipts import taken_meanwhile
from airflow_provider_mlconnector.systems.syspro.reference import read_calendar, read_reference
from airflow_provider_mlconnector.systems.syspro.standing import standing

_RATE = Query("ApInvoice", ("Supplier", "Invoice", "ConvRate", "MulDiv"))


class SysproSession:
    """One log-on's work (implements ``ports.TargetSession``). Not thread-safe: one at a time per operator."""

    def __init__(self, client: SysproClient, options: SysproOptions, *, proven: AbstractSet[str] = frozenset()) -> None:
        self._client = client
        self._options = options
        self._batcher = Batcher(client, options)
        self._lookup = LookUp(client, options, proven=proven)

    @cached_property
    def _calendar(self) -> Calendar:
        """The periods as they are now: validation may have been hours ago."""
        return Calendar.from_reference({"calendar": read_calendar(self._client, self._options)})

    def read_reference(self, *, suppliers: Sequence[str], accounts: Sequence[str]) -> Mapping[str, Any]:
        """Read what plans need; no ``accounts`` reads the whole chart (see :func:`.reference.read_reference`)."""
        return read_reference(self._client, self._options, suppliers=suppliers, accounts=accounts)

    def find(self, steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:
        """Look each step up; ``settling`` also after a duplicate refusal, so that the registered file is read."""
        return self._lookup.find(steps, settling=settling)

    def batches(self, steps: Sequence[StepDraft]) -> Iterator[Sequence[StepDraft]]:
        """Cut steps into requests; the order is kept among steps that can share one (see :meth:`.Batcher.cut`)."""
        return self._batcher.cut(steps)

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        """Send one group of :meth:`batches` as one request.

        Raises:
            AmbiguousOutcome: No sure answer for every step.
            NotAuthenticated, Retriable, StaleClaim: Nothing of the group was executed.
            ProtocolError, ConfigurationError: The same, from a look-up before it.
            ValueError: A defect of the caller: not a group of :meth:`batches`.
        """
        if steps[0].name == GL_JOURNAL:
            (step,) = steps
            return [self._post_journal(step, fence)]
        shape = _shared_shape(steps)
        letter = self._letter(shape.period)
        if not letter:
            return [_period_closed(shape.period)] * len(steps)
        if not shape.hold_override:
            return self._post_items(steps, shape, letter, fence=fence, override=False)
        (step,) = steps
        return [self._post_held(step, shape, letter, fence)]

    def rehearse(self, steps: Sequence[StepDraft]) -> Sequence[Outcome]:
        """Let SYSPRO validate steps of any mixture without storing anything; POSTED means "would be posted"."""
        outcomes: dict[int, Outcome] = {}
        places = {id(step): place for place, step in enumerate(steps)}
        for batch in self._batcher.cut(steps):
            for step, outcome in zip(batch, self._rehearse_batch(batch), strict=True):
                outcomes[places[id(step)]] = outcome
        return [outcomes[place] for place in range(len(steps))]

    def observe(self, accepted: Sequence[tuple[StepDraft, Mapping[str, Any]]]) -> Sequence[Outcome]:
        """Look up whether the journals of accepted steps have been booked meanwhile (see :mod:`.standing`)."""
        return standing(self._client, self._options, accepted)

    # --- AP ------------------------------------------------------------------------------------------------------

    def _letter(self, period: Period) -> str:
        return "" if self._calendar.is_closed(period) else self._calendar.letter(period)

    def _settings(self, shape: Shape, letter: str, *, override: bool) -> Settings:
        return shape.settings(letter, override=override)

    def _send(self, post: PostCall, fence: Fence | None) -> Any:  # noqa: ANN401 - an lxml element
        return self._client.post(post, fence=fence, large=self._options.transport is Carrier.POSTLD)

    def _post_items(
        self, steps: Sequence[StepDraft], shape: Shape, letter: str, *, fence: Fence, override: bool
    ) -> list[Outcome]:
        items = [item_of(step) for step in steps]
        outcomes = {
            place: _receipt_taken(match)
            for place, match in taken_meanwhile(self._client, self._options, items, foreign=shape.foreign).items()
        }
        places = [place for place in range(len(items)) if place not in outcomes]
        sent = [items[place] for place in places]
        if sent:
            root = self._send(apstin.post_call(sent, self._settings(shape, letter, override=override)), fence)
            answers = apstin.read_outcomes(root, sent, linked=self._options.ap_gl is ApGl.LINKED)
            outcomes |= zip(places, (_checked_period(answer, shape.period) for answer in answers), strict=True)
        return [outcomes[place] for place in range(len(items))]

    def _post_held(self, step: StepDraft, shape: Shape, letter: str, fence: Fence) -> Outcome:
        """Post for a supplier on hold: only after SYSPRO showed the hold as its sole objection (FINANCE §4)."""
        items = [item_of(step)]
        strict = self._settings(shape, letter, override=False)
        root = self._send(apstin.post_call(items, strict, validate_only=True), None)
        (shown,) = apstin.read_rehearsal(root, items)
        sole = apstin.sole_objection(root) == "supplier"
        if shown.state is not OutcomeState.POSTED and not sole:
            return shown
        return self._post_items([step], shape, letter, fence=fence, override=sole)[0]

    def _rehearse_batch(self, steps: Sequence[StepDraft]) -> list[Outcome]:
        if steps[0].name == GL_JOURNAL:
            return [self._rehearse_journal(step) for step in steps]
        shape = _shared_shape(steps)
        letter = self._letter(shape.period)
        if not letter:
            return [_period_closed(shape.period)] * len(steps)
        items: list[ApInvoiceItem] = [item_of(step) for step in steps]
        settings = self._settings(shape, letter, override=shape.hold_override)
        root = self._send(apstin.post_call(items, settings, validate_only=True), None)
        return _proven(apstin.read_rehearsal, root, items)

    # --- GL ------------------------------------------------------------------------------------------------------

    def _post_journal(self, step: StepDraft, fence: Fence) -> Outcome:
        journal = journal_of(step)
        if step.payload["foreign"]:
            converted = self._in_company_currency(step, journal)
            if converted is None:
                text = f"AP invoice {step.payload['invoice']} is not in SYSPRO yet, so its rate is unknown"
                return Outcome(OutcomeState.REFUSED, "ap_invoice_missing", step.payload["invoice"], text, parked=True)
            journal = converted
        return gentjl.read_outcome(self._send(gentjl.post_call(journal), fence))

    def _rehearse_journal(self, step: StepDraft) -> Outcome:
        # a foreign journal has the same accounts and balances in any currency
        root = self._send(gentjl.post_call(journal_of(step), validate_only=True), None)
        return _proven(lambda answer, _: [gentjl.read_outcome(answer, rehearsal=True)], root, [])[0]

    def _in_company_currency(self, step: StepDraft, journal: Journal) -> Journal | None:
        """Convert at the rate AP itself used (FINANCE §1); the last line, the contra account, takes the remainder."""
        where = both(
            Condition("Supplier", "EQ", step.payload["supplier"]), Condition("Invoice", "EQ", step.payload["invoice"])
        )
        rows = read(self._client, Query(_RATE.table, _RATE.columns, where))
        rate = number(rows[0]["ConvRate"]) if rows else None
        if not rate:
            return None
        divide = rows[0]["MulDiv"].upper() == "D"
        *lines, contra = journal.lines
        booked = [_converted(line, rate, divide=divide) for line in lines]
        rest = -sum((line.amount for line in booked), Decimal(0))
        return journal.model_copy(update={"lines": (*booked, contra.model_copy(update={"amount": rest}))})


def _converted(line: JournalLine, rate: Decimal, *, divide: bool) -> JournalLine:
    amount = line.amount / rate if divide else line.amount * rate
    return line.model_copy(update={"amount": amount.quantize(CENT, ROUND_HALF_UP)})


def _shared_shape(steps: Sequence[StepDraft]) -> Shape:
    shapes = {shape_of(step) for step in steps}
    if len(shapes) != 1:
        msg = "post takes one group of batches(): these steps cannot share a request"
        raise ValueError(msg)
    return shapes.pop()


def _receipt_taken(match: ReceiptMatch) -> Outcome:
    text = f"receipt {match.grn} has been invoiced by another document meanwhile: the next run looks what is left"
    return Outcome(OutcomeState.REFUSED, "receipt_taken", match.grn, text, parked=True)


def _period_closed(period: Period) -> Outcome:
    text = f"period {period} is no longer open in SYSPRO's AP"
    return Outcome(OutcomeState.REFUSED, "period_closed", str(period), text, parked=True)


def _checked_period(outcome: Outcome, wanted: Period) -> Outcome:
    """Note when SYSPRO booked into another period than intended (FINANCE §3)."""
    year, month = outcome.result.get("year"), outcome.result.get("period")
    if outcome.state in {OutcomeState.REFUSED, OutcomeState.DUPLICATE} or (year, month) == (wanted.year, wanted.number):
        return outcome
    issue = f"booked into {year}/{month}, intended was {wanted}"
    return replace(outcome, result={**outcome.result, "issue": issue})


def _proven(read_answer: Any, root: Any, items: Sequence[ApInvoiceItem]) -> list[Outcome]:  # noqa: ANN401 - reader, element
    """Read a rehearsal's answer; what would be ambiguous for a write is merely not understood here."""
    try:
        outcomes: list[Outcome] = read_answer(root, items)
    except AmbiguousOutcome as error:
        raise ProtocolError(error.message) from error
    return outcomes
