"""Both ways: an invoice that one route has brought to the other side never comes back as a new one (FINANCE §7).

Each side's list shows what the connector wrote there, and what people typed in on both sides. So every invoice of a
route with an opposite is compared with that route's documents before it is accepted, and once more before it is sent:
of two documents of one invoice, each in the store before it is compared, at least the later one meets the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from airflow_provider_mlconnector.documents.invoice import Invoice, InvoiceKind
from airflow_provider_mlconnector.documents.keys import comparable
from airflow_provider_mlconnector.documents.lifecycle import IN_FLIGHT, IN_TARGET, State
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import DocumentRecord, StepState
from airflow_provider_mlconnector.sync.links import COMPANY
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.sync.verdicts import EXECUTED, Verdict

ECHO: Final = "echo"
"""Reason code of our own write coming back."""
ON_BOTH_SIDES: Final = "on_both_sides"
"""Reason code of an invoice that people entered on either side: linked, sent by neither route."""
OPPOSITE_IN_FLIGHT: Final = "opposite_in_flight"
DIFFERS: Final = "sides_differ"
"""Issue: both sides hold the invoice, with other amounts."""
_GONE: Final = frozenset({"closed_at_source", "no_longer_eligible"})
"""Reason codes of documents that their source has withdrawn: whether it still holds them, a look-up tells."""
_WIDEST: Final = 22
"""Digits to which ledgers pad numbers at most (reference/cloudsuite.md §4a InvNum)."""
_FEW: Final = 100


class How(StrEnum):
    """How the opposite route stands to an invoice."""

    ECHO = "echo"
    """It brought the invoice to where it now comes from, or found it there."""
    IN_FLIGHT = "in_flight"
    """It may be bringing it right now: nobody knows yet whether this is that write coming back."""
    THERE = "there"
    """It has read the same invoice at the target: both sides have it, and nothing of either was sent."""
    TAKEN = "taken"
    """It knows the number as another entry of this source: there are two of one number."""


@dataclass(frozen=True, slots=True)
class Face:
    """What tells an invoice from others, whichever side it is read from. ``id`` is the store's, or a preview's."""

    id: str
    key: str
    supplier: str
    number: str
    kind: str
    currency: str
    gross: str

    @property
    def business_key(self) -> tuple[str, str, bool]:
        """Supplier, number and whether it is a credit memo, in compared form."""
        return comparable(self.supplier), comparable(self.number), "credit" in self.kind.casefold()


@dataclass(frozen=True, slots=True)
class Met:
    """The opposite route's document of the same invoice; ``differs`` says in words what is not the same."""

    how: How
    other: DocumentRecord
    differs: str = ""

    @property
    def code(self) -> str:
        """The reason code."""
        codes = {How.ECHO: ECHO, How.THERE: ON_BOTH_SIDES, How.IN_FLIGHT: OPPOSITE_IN_FLIGHT, How.TAKEN: "collision"}
        return codes[self.how]

    @property
    def sent_by_nobody(self) -> bool:
        """Whether both sides hold the invoice, so that neither route may send it."""
        return self.how in {How.ECHO, How.THERE}

    @property
    def text(self) -> str:
        """What it means, for people."""
        other = self.other
        named = f"{other.number or other.key} ({other.key} at {other.source!r}, document {other.id})"
        return {
            How.ECHO: f"route {other.route!r} has brought it here: it is {named} and is not sent back",
            How.THERE: f"both sides have it: route {other.route!r} has read {named}, so it is sent by neither route",
            How.IN_FLIGHT: f"it may be {named}, which route {other.route!r} is bringing here ({other.state}); it is due"
            " again once that is settled",
            How.TAKEN: f"route {other.route!r} knows {named} as another entry of this number: there are two of it here."
            " Correct the number of one of the two, or withdraw it",
        }[self.how]


def runs_both_ways(route: Route) -> bool:
    """Tell whether a route's documents may come back by another route."""
    return bool(route.opposite) and route.document == "invoice"


def face_of(document_id: str, invoice: Invoice) -> Face:
    """Return the face of a decoded invoice."""
    kind = "credit" if invoice.kind is InvoiceKind.CREDIT_MEMO else "invoice"
    return Face(
        document_id,
        invoice.source_key,
        invoice.supplier,
        invoice.number,
        kind,
        invoice.currency,
        str(invoice.gross),
    )


def face_in_store(record: DocumentRecord) -> Face:
    """Return the face of a document by its summary, which validation has filled in or its source's list."""
    return Face(record.id, record.key, record.supplier, record.number, record.kind, record.currency, record.gross)


def meet(uow: UnitOfWork, route: Route, faces: Sequence[Face]) -> dict[str, Met]:
    """Return what the opposite route knows of each invoice, by the face's id; those it does not know are missing.

    Four queries for any number of invoices.

    Args:
        uow: Only read from.
        route: Of the invoices.
        faces: The invoices; none of them has reached the target.
    """
    if not faces or not runs_both_ways(route):
        return {}
    others = _others(uow, route, faces)
    own = uow.crosswalk.right(route.document, COMPANY, route.source, route.target, {face.key for face in faces})
    renumbered = _by_key(uow, route, set(own.values()) - {other.key for other in others})
    partners = uow.crosswalk.right(
        route.document, COMPANY, route.target, route.source, {other.key for other in (*others, *renumbered)}
    )
    touched = _touched(uow, [*others, *renumbered])
    found: dict[str, Met] = {}
    for face in faces:
        same = [other for other in others if face_in_store(other).business_key == face.business_key]
        same += [other for other in renumbered if own.get(face.key) == other.key]
        if met := _met(face, same, partners, touched):
            found[face.id] = met
    return found


def _others(uow: UnitOfWork, route: Route, faces: Sequence[Face]) -> list[DocumentRecord]:
    """Return the opposite route's documents that have the number of one of the invoices, however it is padded."""
    wanted = {face.business_key for face in faces}
    spellings = {spelling for face in faces for spelling in _spellings(face.number)}
    found = uow.documents.numbered(route.opposite, spellings)
    return [other for other in found if other.source == route.target and face_in_store(other).business_key in wanted]


def _spellings(number: str) -> Iterable[str]:
    short = comparable(number)
    yield number
    yield short
    if short.isascii() and short.isdigit():
        yield from (short.zfill(width) for width in range(len(short) + 1, _WIDEST + 1))


def _by_key(uow: UnitOfWork, route: Route, keys: Collection[str]) -> list[DocumentRecord]:
    """Return documents whose counterpart got another number since: rare, so one query each."""
    return [
        other
        for key in sorted(keys)
        for other in uow.documents.find(key, route=route.opposite, limit=_FEW)
        if other.key == key and other.source == route.target
    ]


def _touched(uow: UnitOfWork, others: Sequence[DocumentRecord]) -> set[str]:
    """Return the ids of those of which something was sent, although they are neither on their way nor there."""
    undecided = [other.id for other in others if other.state not in IN_TARGET | IN_FLIGHT]
    sent = EXECUTED | {StepState.SENDING, StepState.UNCERTAIN}
    steps = uow.steps.of(undecided) if undecided else {}
    return {document_id for document_id, own in steps.items() if any(step.state in sent for step in own)}


def _met(
    face: Face, same: Sequence[DocumentRecord], partners: Mapping[str, str], touched: Collection[str]
) -> Met | None:
    """Return the most telling of the opposite route's documents of one invoice."""
    revisions: dict[str, list[DocumentRecord]] = defaultdict(list)
    for other in same:
        revisions[other.key].append(other)
    met: dict[How, DocumentRecord] = {}
    for key, documents in sorted(revisions.items()):
        if how := _how(documents, touched, another=partners.get(key, face.key) != face.key):
            met.setdefault(how, max(documents, key=lambda other: other.revision))
    first = next((how for how in (How.ECHO, How.IN_FLIGHT, How.THERE, How.TAKEN) if how in met), None)
    return Met(first, met[first], _difference(face, face_in_store(met[first]))) if first else None


def _how(documents: Sequence[DocumentRecord], touched: Collection[str], *, another: bool) -> How | None:
    if another:
        return How.TAKEN
    if any(other.state in IN_TARGET for other in documents):
        return How.ECHO
    if any(other.state in IN_FLIGHT or other.id in touched for other in documents):
        return How.IN_FLIGHT
    newest = max(documents, key=lambda other: other.revision)
    withdrawn = newest.state is State.SKIPPED and newest.reason_code in _GONE
    return None if withdrawn else How.THERE


def _difference(here: Face, there: Face) -> str:
    told = []
    if there.currency and here.currency != there.currency:
        told.append(f"currency {here.currency} here, {there.currency} there")
    try:
        if there.gross and abs(Decimal(here.gross)) != abs(Decimal(there.gross)):
            told.append(f"gross {here.gross} here, {there.gross} there")
    except InvalidOperation:
        told.append(f"gross {here.gross} here, {there.gross!r} there")
    return "; ".join(told)


def decoded_faces(documents: Mapping[str, Any]) -> list[Face]:
    """Return the faces of documents by their ids; those that could not be decoded are judged by their own cause."""
    return [face_of(name, document) for name, document in documents.items() if isinstance(document, Invoice)]


def from_meeting(met: Met) -> Verdict:
    """Return what a meeting means for a document that was about to be sent: nothing of it leaves."""
    result = {"key": met.other.key, **({"issue": f"{met.differs}; {met.text}"} if met.differs else {})}
    return Verdict(
        None,
        State.LINKED if met.sent_by_nobody else State.PARKED,
        code=met.code,
        subject=met.other.id,
        reason=met.text,
        target_reference=met.other.key if met.sent_by_nobody else "",
        result=result if met.sent_by_nobody else {},
    )
