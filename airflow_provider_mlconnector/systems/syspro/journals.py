"""SYSPRO as a target of combined journals, at sites whose AP is not linked to GL (FINANCE §1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

from airflow_provider_mlconnector.documents.journal import CombinedJournal
from airflow_provider_mlconnector.errors import AmbiguousOutcome, ConfigurationError, Parked, ProtocolError
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import (
    NO_CONTEXT,
    Context,
    Fence,
    Found,
    Outcome,
    OutcomeState,
    Plan,
    StepDraft,
    StepKind,
)
from airflow_provider_mlconnector.systems.syspro import checks, gentjl
from airflow_provider_mlconnector.systems.syspro.apstin import REFERENCE_SIZE
from airflow_provider_mlconnector.systems.syspro.base import SysproSystem
from airflow_provider_mlconnector.systems.syspro.batches import Batcher, journal_of
from airflow_provider_mlconnector.systems.syspro.client import SysproClient
from airflow_provider_mlconnector.systems.syspro.gentjl import Journal
from airflow_provider_mlconnector.systems.syspro.journal_parts import (
    Part,
    entries_of,
    in_company_currency,
    journal,
    part_of,
    read_rates,
)
from airflow_provider_mlconnector.systems.syspro.keys import money, normal
from airflow_provider_mlconnector.systems.syspro.lookup import LookUp
from airflow_provider_mlconnector.systems.syspro.options import ApGl, Carrier, ClosedPeriod, SysproOptions
from airflow_provider_mlconnector.systems.syspro.periods import Calendar, Period
from airflow_provider_mlconnector.systems.syspro.plan import GL_JOURNAL
from airflow_provider_mlconnector.systems.syspro.reference import read_calendar, read_codes
from airflow_provider_mlconnector.systems.syspro.standing import standing

_SECOND_LOOK, _SECOND_LOOK_MINUTES = 2, 15
"""Targets without uniqueness need two not-founds this far apart (FINANCE §8)."""


class SysproJournalTarget(SysproSystem):
    """Plans the GENTJL journals of combined journals.

    Args:
        name: The Airflow connection's id.
        client: For the operator and company of the connection.
        options: Connection's and route's choices.

    Raises:
        ConfigurationError: AP is linked to GL at this site: it has booked these costs already.
    """

    def __init__(self, name: str, client: SysproClient, options: SysproOptions) -> None:
        if options.ap_gl is ApGl.LINKED:
            msg = (
                f"AP of {name!r} is linked to GL: its invoices reach the ledger by themselves, and a journal would "
                "book them twice. Combined journals are for sites with ap_gl: not_linked"
            )
            raise ConfigurationError(msg, field="ap_gl")
        super().__init__(name, client, options)
        self._batcher = Batcher(client, options)
        self._proven: set[str] = set()

    def plan(
        self,
        coded: CombinedJournal,
        reference: Mapping[str, Any],
        *,
        our_reference: str,
        context: Context = NO_CONTEXT,  # noqa: ARG002 - a journal stands for itself
    ) -> Plan:
        """Turn a journal into as many GENTJL journals as its carrier's requests demand: by PostLD nearly always one.

        Raises:
            Parked: ``company``, ``period_closed``, ``period_future``, ``account_unknown``, ``account_on_hold``,
                ``control_account``, ``too_large``.
        """
        if normal(coded.company) != normal(self._options.company):
            msg = f"journal {coded.number} is of company {coded.company}, this connection posts to {self.tenant}"
            raise Parked(msg, code="company", subject=coded.company)
        period, notes = self._period(coded, reference)
        coded = coded.model_copy(update={"year": period.year, "period": period.number})
        for member in coded.members:
            for code in (*(line.gl_code for line in member.entry.lines), member.entry.clearing_account):
                checks.account(code, reference)
        entries = [entries_of(member) for member in coded.members]
        parts = [part_of(member) for member in coded.members]
        empty = self._journal(coded, parts, [], our_reference, 0).model_copy(update={"lines": _widest(parts)})
        steps = []
        for count, places in enumerate(self._batcher.cut_journal(empty, entries), 1):
            own = [line for place in places for line in entries[place]]
            chosen = [parts[place] for place in places]
            booked = self._journal(coded, chosen, own, our_reference, count)
            steps.append(self._step(coded, booked, chosen, places, notes))
        return Plan(steps)

    def _journal(
        self, coded: CombinedJournal, parts: Sequence[Part], lines: Sequence[gentjl.JournalLine], ours: str, count: int
    ) -> Journal:
        suffix = f"-{count}"
        reference = f"{ours[: REFERENCE_SIZE - len(suffix)]}{suffix}"  # only a dry run's is so long that it is cut
        return journal(coded, parts, lines, reference=reference, authorize=self._options.authorize_journal)

    def _step(
        self, coded: CombinedJournal, booked: Journal, parts: Sequence[Part], places: range, notes: Sequence[str]
    ) -> StepDraft:
        foreign = any(part.foreign for part in parts)
        members = f"{places.start + 1}-{places.stop}"
        step = StepDraft(
            name=GL_JOURNAL,
            kind=StepKind.DELTA,
            company=self._options.company,
            # the members are part of the key: cut anew, a journal partly sent must not pass for the same
            remote_reference=f"GL|{coded.source_key}|{members}",
            our_reference=booked.reference,
            payload={
                "journal": booked.model_dump(mode="json"),
                "foreign": foreign,
                "parts": [part.model_dump(mode="json") for part in parts],
                "notes": list(notes),
            },
            fingerprint={"reference": booked.reference, **({} if foreign else {"debit": money(booked.debit)})},
            text=f"GL journal {booked.reference} {coded.number}, documents {members}, {len(booked.lines)} entries",
        )
        if not self._batcher.fits(step):
            way = "one URL; transport postld carries larger ones" if self._batcher.by_url else "one PostLD body"
            msg = f"document {parts[0].number} has {parts[0].entries} ledger entries, too many for {way}"
            raise Parked(msg, code="too_large", subject=parts[0].number)
        return step

    def _period(self, coded: CombinedJournal, reference: Mapping[str, Any]) -> tuple[Period, list[str]]:
        calendar = Calendar.from_reference(reference)
        wanted = Period(coded.year, coded.period)
        if wanted > calendar.gl:
            msg = f"period {wanted} of journal {coded.number} has not begun in SYSPRO's GL (current {calendar.gl})"
            raise Parked(msg, code="period_future", field="period", subject=str(wanted))
        if not calendar.gl_is_closed(wanted):
            return wanted, []
        if self._options.closed_period is ClosedPeriod.HOLD or calendar.gl_is_closed(calendar.gl):
            msg = f"period {wanted} of journal {coded.number} is closed in SYSPRO's GL (current {calendar.gl})"
            raise Parked(msg, code="period_closed", field="period", subject=str(wanted))
        return calendar.gl, [f"posted to GL's current period {calendar.gl}: {wanted} is closed"]

    def may_repost(self, step: StepDraft, *, not_found: int, minutes_since_first: float) -> bool:  # noqa: ARG002 - one kind of step
        """Tell whether a journal proven absent may be sent again by itself: after a second look (FINANCE §5)."""
        return not_found >= _SECOND_LOOK and minutes_since_first >= _SECOND_LOOK_MINUTES

    def reference_proven(self, step: str) -> bool:
        """Tell whether a look-up by our reference has been seen to find a journal at this site."""
        return step in self._proven

    def observe_reference(self, step: str, *, proven: bool) -> None:
        """Learn what a look-up of a journal that surely was posted showed."""
        (self._proven.add if proven else self._proven.discard)(step)

    @contextmanager
    def session(self) -> Iterator[SysproJournalSession]:
        """Open a session; the caller holds :attr:`operator_lease`."""
        with self.logged_on() as client:
            yield SysproJournalSession(client, self._options)


class SysproJournalSession:
    """One log-on's work with journals (implements ``ports.TargetSession``)."""

    def __init__(self, client: SysproClient, options: SysproOptions) -> None:
        self._client = client
        self._options = options
        self._lookup = LookUp(client, options, proven=frozenset())

    def read_reference(self, *, suppliers: Sequence[str], accounts: Sequence[str]) -> Mapping[str, Any]:
        """Read the chart and the periods; see :func:`.reference.read_codes`."""
        codes = read_codes(self._client, self._options, suppliers=suppliers, accounts=accounts)
        return {**codes, "calendar": read_calendar(self._client, self._options)}

    def find(self, steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:
        """Look journals up by our reference."""
        return self._lookup.find(steps, settling=settling)

    def batches(self, steps: Sequence[StepDraft]) -> Iterator[Sequence[StepDraft]]:
        """Yield each journal on its own: one item per document (reference/syspro.md §2.3)."""
        yield from ([step] for step in steps)

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        """Read the rates AP used, convert, and send one journal.

        Raises:
            AmbiguousOutcome: No sure answer.
            NotAuthenticated, Retriable, StaleClaim, ProtocolError, ConfigurationError: Nothing was executed.
        """
        (step,) = steps
        booked, parts = journal_of(step), [Part.model_validate(part) for part in step.payload["parts"]]
        rates = read_rates(self._client, parts)
        missing = next((p for n, p in enumerate(parts) if p.foreign and n not in rates), None)
        if missing is not None:
            text = f"AP shows no rate for {missing.supplier} {missing.number}, so its value here is unknown"
            return [Outcome(OutcomeState.REFUSED, "ap_invoice_missing", missing.number, text, parked=True)]
        if rates:
            booked = in_company_currency(booked, parts, rates)
        large = self._options.transport is Carrier.POSTLD
        root = self._client.post(gentjl.post_call(booked), fence=fence, large=large)
        return [_checked_period(gentjl.read_outcome(root), booked)]

    def rehearse(self, steps: Sequence[StepDraft]) -> Sequence[Outcome]:
        """Let SYSPRO validate journals without storing anything; they balance in document currencies as well."""
        large = self._options.transport is Carrier.POSTLD
        outcomes = []
        for step in steps:
            root = self._client.post(gentjl.post_call(journal_of(step), validate_only=True), fence=None, large=large)
            try:
                outcomes.append(gentjl.read_outcome(root, rehearsal=True))
            except AmbiguousOutcome as error:
                raise ProtocolError(error.message, evidence=xml.write(root).encode()[:65536]) from error
        return outcomes

    def observe(self, accepted: Sequence[tuple[StepDraft, Mapping[str, Any]]]) -> Sequence[Outcome]:
        """Look up whether journals that wait for somebody have been booked (see :mod:`.standing`)."""
        return standing(self._client, self._options, accepted)


def _widest(parts: Sequence[Part]) -> tuple[gentjl.JournalLine, ...]:
    """Return contra entries as long as they can get, for measuring."""
    comment = f"clearing of {len(parts)} documents"
    codes = dict.fromkeys(part.clearing for part in parts)
    return tuple(gentjl.JournalLine(code=code, amount=-_LARGEST, comment=comment) for code in codes)


_LARGEST = Decimal("999999999999.99")
"""SYSPRO money is 14,2 (reference/syspro.md §4)."""


def _checked_period(outcome: Outcome, booked: Journal) -> Outcome:
    """Note when SYSPRO booked into another period than intended (FINANCE §3)."""
    year, period = outcome.result.get("year"), outcome.result.get("period")
    if outcome.state is OutcomeState.REFUSED or (year, period) == (booked.year, booked.period):
        return outcome
    issue = f"booked into {year}/{period}, intended was {Period(booked.year, booked.period)}"
    return replace(outcome, result={**outcome.result, "issue": issue})
