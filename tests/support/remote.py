"""A source and a target in memory, for tests of the pipeline alone: every ending a write can have, on demand.

Not a simulation of any product (the sandbox is that): the target accepts whatever it is sent, twice if need be, so that
a missing guard of ours shows in its ledger.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from airflow_provider_mlconnector.documents.coding import CodedInvoice
from airflow_provider_mlconnector.documents.invoice import Invoice, InvoiceKind
from airflow_provider_mlconnector.errors import AmbiguousOutcome, Parked, Rejected, Unavailable
from airflow_provider_mlconnector.systems.ports import (
    NO_CONTEXT,
    NOT_SEEN,
    Context,
    Eligibility,
    Fence,
    Found,
    FoundState,
    Outcome,
    OutcomeState,
    Plan,
    SourcePage,
    SourceRecord,
    StepDraft,
    StepKind,
    Summary,
    Window,
)
from airflow_provider_mlconnector.systems.reading import OpenSource

START = datetime(2026, 11, 21, 8, tzinfo=UTC)


class FakeClock:
    """A clock that only moves when told, or when somebody sleeps."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.offset)

    def monotonic(self) -> float:
        return self.offset

    def sleep(self, seconds: float) -> None:
        self.offset += seconds


class Killed(BaseException):
    """A worker dies: nothing after this point of its code runs."""


def invoice(key: str, **changes: Any) -> dict[str, Any]:
    """Return a sound one-line invoice of 100.00 USD as the fake source holds it."""
    body: dict[str, Any] = {
        "kind": "invoice",
        "source_key": key,
        "source_number": f"I{key}",
        "revision": "2026-11-20T10:00:00.000Z",
        "number": key,
        "supplier": "V00001",
        "business_unit": "PLANT1",
        "invoice_date": "2026-11-10",
        "currency": "USD",
        "gross": "100.00",
        "lines": [
            {
                "number": 1,
                "quantity": "1",
                "unit_price": "100.00",
                "amount": "100.00",
                "allocations": [{"account": "51200", "cost_center": "CC10", "percent": "100"}],
            }
        ],
    }
    return body | changes


def decode(payload: bytes) -> Invoice:
    """The fake source's codec."""
    try:
        return Invoice.model_validate_json(payload)
    except ValidationError as error:
        field_ = ".".join(map(str, error.errors()[0]["loc"]))
        raise Rejected(f"{field_} cannot be read", code="unreadable_field", field=field_) from None


@dataclass
class FakeSource(OpenSource):
    """A list of invoices; ``eligibility`` by key where it is not eligible."""

    invoices: dict[str, dict[str, Any]] = field(default_factory=dict)
    eligibility: dict[str, Eligibility] = field(default_factory=dict)
    page_size: int = 7
    ordered_by_change: bool = False
    lists_messages: bool = False
    passes: int = 0
    details_read: int = 0
    shrink_passes: int = 0
    clock: FakeClock = field(default_factory=FakeClock)
    tenant: str = "acme"

    def put(self, *bodies: dict[str, Any]) -> None:
        self.invoices |= {body["source_key"]: body for body in bodies}

    def remote_time(self) -> datetime:
        return self.clock.now()

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:
        self.passes += 1
        bodies = [b for b in self.invoices.values() if not window.start or _stamp(b) >= window.start]
        if self.shrink_passes:
            self.shrink_passes -= 1
            bodies = bodies[:-1]
        for start in range(0, len(bodies), self.page_size):
            rows = [self._row(body) for body in bodies[start : start + self.page_size]]
            yield SourcePage(rows, len(bodies), self.clock.now(), None)

    def _row(self, body: dict[str, Any], *, complete: bool = False) -> SourceRecord:
        payload = json.dumps(body if complete else {"source_key": body["source_key"]}).encode()
        return SourceRecord(
            key=body["source_key"],
            revision=body["revision"],
            payload=payload,
            complete=complete,
            eligibility=self.eligibility.get(body["source_key"], Eligibility.ELIGIBLE),
            status_text="workflowStatus Pending",
            summary=Summary(
                number=str(body["number"]),
                supplier=str(body["supplier"]),
                kind=body["kind"],
                currency=body["currency"],
                gross=body["gross"],
                document_date=date.fromisoformat(body["invoice_date"]),
                source_number=body["source_number"],
            ),
        )

    def complete(self, record: SourceRecord) -> SourceRecord:
        self.details_read += 1
        return self._row(self.invoices[record.key], complete=True)

    def decode(self, payload: bytes) -> Invoice:
        return decode(payload)


def _stamp(body: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(body["revision"])


@dataclass
class FakeTarget:
    """A ledger that takes anything. ``endings`` is what the next posts end like, then ``ok``.

    Endings: ``ok`` · ``lost_before`` (no answer, not executed) · ``lost_after`` (no answer, executed) · ``late``
    (no answer, executed ``late_seconds`` later) · ``unavailable`` · ``refuse`` · ``crash_after`` (executed, then the
    worker dies) · ``accept`` (taken, not booked yet) · ``submit`` (handed over, not seen yet); ``booking`` is how those
    stand when looked at later.
    """

    clock: FakeClock
    endings: list[str] = field(default_factory=list)
    chance: random.Random | None = None
    ledger: list[dict[str, Any]] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)
    pending: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    refused_accounts: set[str] = field(default_factory=set)
    booking: OutcomeState = OutcomeState.ACCEPTED
    unseen: str = ""
    """What asks for a person, where the target has not shown for long what was handed over."""
    observations: int = 0
    journal: bool = False
    batch: int = 4
    logons: int = 0
    late_seconds: float = 20.0
    proven: dict[str, bool] = field(default_factory=dict)
    on_crash: Callable[[], None] = lambda: None
    name: str = "ledger"
    operator_lease: str = "ledger:operator"
    settle_seconds: float = 60.0

    # --- DocumentTarget --------------------------------------------------------------------------------------------

    def plan(
        self, coded: CodedInvoice, reference: Mapping[str, Any], *, our_reference: str, context: Context = NO_CONTEXT
    ) -> Plan:
        invoice = coded.invoice
        if invoice.supplier in reference["on_hold"]:
            raise Parked(f"supplier {invoice.supplier} is on hold", code="supplier_on_hold", subject=invoice.supplier)
        if len(invoice.number) > 20:
            raise Rejected(f"invoice number {invoice.number} is too long", code="number_too_long", field="number")
        draft = self.identify(
            supplier=invoice.supplier,
            number=invoice.number,
            kind=invoice.kind,
            currency=invoice.currency,
            gross=invoice.gross,
            document_date=invoice.invoice_date,
        )
        payload = {"accounts": [posting.gl_code for posting in coded.postings]}
        first = _replaced(draft, our_reference, payload)
        if not self.journal:
            return Plan([first])
        return Plan([first, _replaced(draft, our_reference, payload, name="gl_journal", kind=StepKind.DELTA)])

    def identify(
        self, *, supplier: str, number: str, kind: InvoiceKind, currency: str, gross: Decimal, document_date: date
    ) -> StepDraft:
        credit = kind is InvoiceKind.CREDIT_MEMO
        return StepDraft(
            name="ap_credit" if credit else "ap_invoice",
            kind=StepKind.DELTA if credit else StepKind.CREATE,
            company="EDU1",
            remote_reference=f"{supplier}|{number}|{'C' if credit else 'I'}",
            our_reference="",
            payload={},
            fingerprint={"gross": str(gross), "currency": currency, "date": document_date.isoformat()},
            text=f"{kind} {supplier} {number} {currency} {gross}",
        )

    def may_repost(self, step: StepDraft, *, not_found: int, minutes_since_first: float) -> bool:
        return step.kind is StepKind.CREATE or self.proven.get(step.name, False) or minutes_since_first >= 15

    def reference_proven(self, step: str) -> bool:
        return self.proven.get(step, False)

    def observe_reference(self, step: str, *, proven: bool) -> None:
        self.proven[step] = proven

    @contextmanager
    def session(self) -> Iterator[FakeTarget]:
        self.logons += 1
        yield self

    # --- TargetSession ---------------------------------------------------------------------------------------------

    def read_reference(self, *, suppliers: Sequence[str], accounts: Sequence[str]) -> Mapping[str, Any]:
        return {"on_hold": ["V00042"]}

    def find(self, steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:
        self._let_late_ones_through()
        return [self._find(step) for step in steps]

    def _find(self, step: StepDraft) -> Found:
        rows = [row for row in self.ledger if row["key"] == (step.name, step.remote_reference)]
        if not rows:
            return Found(FoundState.ABSENT)
        if any(row["ours"] == step.our_reference for row in rows):
            return Found(FoundState.OURS, step.text)
        same = rows[0]["fingerprint"] == dict(step.fingerprint)
        return Found(FoundState.SAME_NOT_OURS if same else FoundState.DIFFERENT, step.text)

    def batches(self, steps: Sequence[StepDraft]) -> Iterator[Sequence[StepDraft]]:
        for start in range(0, len(steps), self.batch):
            yield steps[start : start + self.batch]

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        fence.check(needed_seconds=35)
        self._let_late_ones_through()
        ending = self.endings.pop(0) if self.endings else self._by_chance()
        self.attempts += [step.remote_reference for step in steps]
        if ending == "unavailable":
            raise Unavailable("nobody there")
        if ending == "lost_before":
            raise AmbiguousOutcome("connection reset")
        if ending == "late":
            due = self.clock.monotonic() + self.late_seconds
            self.pending += [(due, self._entry(step)) for step in steps]
            raise AmbiguousOutcome("504 from a gateway")
        if ending == "refuse":
            return [Outcome(OutcomeState.REFUSED, code="refused", text="no") for _ in steps]
        if ending == "accept":
            self.ledger += [self._entry(step) for step in steps]
            return [Outcome(OutcomeState.ACCEPTED, result={"gl_status": "held"}) for _ in steps]
        if ending == "submit":
            return [Outcome(OutcomeState.SUBMITTED, result={"job": "7"}) for _ in steps]
        outcomes = [self._book(step) for step in steps]
        if ending == "crash_after":
            self.on_crash()
            raise Killed
        if ending == "lost_after":
            raise AmbiguousOutcome("timeout")
        return outcomes

    def observe(self, accepted: Sequence[tuple[StepDraft, Mapping[str, Any]]]) -> Sequence[Outcome]:
        self.observations += len(accepted)
        return [
            Outcome(
                self.booking,
                code=NOT_SEEN if self.unseen else "",
                text=self.unseen or ("as the clerk decided" if self.booking is OutcomeState.REFUSED else ""),
                result=result,
            )
            for _step, result in accepted
        ]

    def rehearse(self, steps: Sequence[StepDraft]) -> Sequence[Outcome]:
        return [Outcome(OutcomeState.POSTED) for _ in steps]

    # --- inside ----------------------------------------------------------------------------------------------------

    def _by_chance(self) -> str:
        kinds = ("ok", "ok", "ok", "lost_before", "lost_after", "late", "unavailable", "crash_after")
        return self.chance.choice(kinds) if self.chance else "ok"

    def _book(self, step: StepDraft) -> Outcome:
        if self.refused_accounts & set(step.payload.get("accounts", ())):
            return Outcome(OutcomeState.REFUSED, code="account_on_hold", text="account on hold", parked=True)
        self.ledger.append(self._entry(step))
        return Outcome(OutcomeState.POSTED, text=step.text, result={"journal": str(len(self.ledger))})

    def _entry(self, step: StepDraft) -> dict[str, Any]:
        key = (step.name, step.remote_reference)
        return {"key": key, "ours": step.our_reference, "fingerprint": dict(step.fingerprint)}

    def _let_late_ones_through(self) -> None:
        now = self.clock.monotonic()
        self.ledger += [entry for due, entry in self.pending if due <= now]
        self.pending = [(due, entry) for due, entry in self.pending if due > now]

    def keys(self) -> list[tuple[str, str]]:
        """What was booked, everything that is still late included."""
        return sorted(row["key"] for row in [*self.ledger, *(entry for _due, entry in self.pending)])


def _replaced(
    draft: StepDraft, ours: str, payload: Mapping[str, Any], *, name: str = "", kind: StepKind | None = None
) -> StepDraft:
    return StepDraft(
        name=name or draft.name,
        kind=kind or draft.kind,
        company=draft.company,
        remote_reference=draft.remote_reference,
        our_reference=ours,
        payload=payload,
        fingerprint=draft.fingerprint,
        text=draft.text,
    )
