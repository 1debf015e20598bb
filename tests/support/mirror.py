"""Two systems in which an invoice may begin on either side: what one is sent, its own list shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date
from decimal import Decimal
from typing import Any

from support.pipeline import Pipeline
from support.remote import FakeClock, FakeSource, FakeTarget, invoice

from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.ports import Found, FoundState, Outcome, SourcePage, StepDraft, Window

NUMBER_WIDTH = 12


@dataclass
class Mirror(FakeTarget):
    """A side as a target.

    ``blind``: its look-ups find nothing but our own reference. ``tells_keys``: answers name the new key. ``pads``: it
    keeps keys padded.
    """

    source: Side = field(default=None)  # type: ignore[assignment]
    blind: bool = False
    tells_keys: bool = True
    pads: bool = False

    def find(self, steps: Any, *, settling: bool = False) -> Any:
        self._let_late_ones_through()
        found = [self._find(step) for step in steps]
        return [Found(FoundState.ABSENT) if self.blind and one.state is not FoundState.OURS else one for one in found]

    def _find(self, step: StepDraft) -> Found:
        if step.name == "gl_journal":
            return super()._find(step)
        rows = [row for row in self.rows() if row["reference"] == step.remote_reference]
        if not rows:
            return Found(FoundState.ABSENT)
        mine = [row for row in rows if row["ours"] == step.our_reference]
        row = (mine or rows)[0]
        same = Decimal(row["body"]["gross"]) == Decimal(step.fingerprint["gross"])
        state = FoundState.OURS if mine else FoundState.SAME_NOT_OURS if same else FoundState.DIFFERENT
        return Found(state, step.text, {"key": row["body"]["source_key"]} if self.tells_keys else {})

    def rows(self) -> list[dict[str, Any]]:
        """Return every invoice here, typed or written by us; what is still late is not here yet."""
        typed = [{"ours": "", "reference": _reference(body), "body": body} for body in self.source.typed]
        return typed + [row for row in self.ledger if row["key"][0] != "gl_journal"]

    def there(self) -> Counter[str]:
        """Count the invoices by their business key, what is still late included."""
        return Counter(row["reference"] for row in [*self.rows(), *(entry for _due, entry in self.pending)])

    def _book(self, step: StepDraft) -> Outcome:
        outcome = super()._book(step)
        key = self.ledger[-1]["body"]["source_key"]
        return replace(outcome, result={"key": key} if self.tells_keys else {})

    def _entry(self, step: StepDraft) -> dict[str, Any]:
        supplier, number, kind = step.remote_reference.split("|")
        if self.pads:
            supplier, number = supplier.rjust(7), number.zfill(NUMBER_WIDTH) if number.isdigit() else number
        body = self.source.body(
            number=number,
            supplier=supplier,
            kind="credit_memo" if kind == "C" else "invoice",
            gross=step.fingerprint["gross"],
            currency=step.fingerprint["currency"],
        )
        return {
            "key": (step.name, step.remote_reference),
            "ours": step.our_reference,
            "fingerprint": dict(step.fingerprint),
            "reference": step.remote_reference,
            "body": body,
        }

    def identify(
        self, *, supplier: str, number: str, kind: InvoiceKind, currency: str, gross: Decimal, document_date: date
    ) -> StepDraft:
        return super().identify(
            supplier=comparable(supplier),
            number=comparable(number),
            kind=kind,
            currency=currency,
            gross=gross,
            document_date=document_date,
        )


@dataclass
class Side(FakeSource):
    """A side as a source: what people typed, and what the mirror was sent."""

    name: str = "A"
    typed: list[dict[str, Any]] = field(default_factory=list)
    target: Mirror = field(default=None)  # type: ignore[assignment]
    made: int = 0

    def body(self, **changes: Any) -> dict[str, Any]:
        """Return a new invoice of this side, changed last just before: a run that begins now reads it."""
        self.made += 1
        gross = changes.get("gross", "100.00")
        body = invoice(f"{self.name}{self.made}", revision=_now(self.clock), **changes)
        body["lines"][0] |= {"unit_price": gross, "amount": gross}
        self.clock.sleep(1)
        return body

    def type_in(self, number: str, **changes: Any) -> str:
        """Somebody types an invoice in; returns its key."""
        self.typed.append(self.body(number=number, **changes))
        return str(self.typed[-1]["source_key"])

    def pages(self, window: Window, *, position: int | None = None) -> Iterator[SourcePage]:
        self.target._let_late_ones_through()
        self.invoices = {}
        self.put(*(row["body"] for row in self.target.rows()))
        return super().pages(window, position=position)


def _reference(body: dict[str, Any]) -> str:
    kind = "C" if body["kind"] == "credit_memo" else "I"
    return f"{comparable(body['supplier'])}|{comparable(body['number'])}|{kind}"


def _now(clock: FakeClock) -> str:
    return clock.now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class BothWays:
    """Both routes of one pair over one store; ``there`` runs from side A to side B, ``back`` from B to A."""

    there: Pipeline
    back: Pipeline

    @property
    def a(self) -> Side:
        return self.there.source  # type: ignore[return-value]

    @property
    def b(self) -> Side:
        return self.back.source  # type: ignore[return-value]

    @property
    def into_a(self) -> Mirror:
        return self.back.target  # type: ignore[return-value]

    @property
    def into_b(self) -> Mirror:
        return self.there.target  # type: ignore[return-value]

    def exchange(self, times: int = 1) -> None:
        """Run both routes, one after the other; each reads what was changed before it begins."""
        for _ in range(times):
            for line in (self.there, self.back):
                self.there.clock.sleep(300)
                line.all()

    def states(self) -> dict[str, str]:
        """Return the state, and the reason code where there is one, of every document by its key."""
        documents = self.there.documents().values()
        return {doc.key: f"{doc.state}:{doc.reason_code}".rstrip(":") for doc in documents}


def both_ways(store: Store, clock: FakeClock) -> BothWays:
    """Return a pair of routes between two empty sides."""
    sides = [Side(clock=clock, name=name, tenant=name) for name in "AB"]
    mirrors = [
        Mirror(clock, source=side, name=f"side_{side.name.lower()}", operator_lease=f"{side.name}:operator")
        for side in sides
    ]
    for side, mirror in zip(sides, mirrors, strict=True):
        side.target = mirror
    lines = []
    for name, opposite, here, other in (("there", "back", 0, 1), ("back", "there", 1, 0)):
        route = Route(
            name=name,
            opposite=opposite,
            source=mirrors[here].name,
            target=mirrors[other].name,
            start_at=date(2026, 10, 1),
            claim_size=5,
        )
        lines.append(Pipeline(store, clock, sides[here], mirrors[other], route=route))
    return BothWays(*lines)
