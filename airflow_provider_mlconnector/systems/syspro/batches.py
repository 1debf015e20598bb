"""Cutting steps into requests: alike in what one request says for all, and small enough to travel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import quote_plus

from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import StepDraft
from airflow_provider_mlconnector.systems.syspro import apstin, gentjl
from airflow_provider_mlconnector.systems.syspro.apstin import ApInvoiceItem, Settings
from airflow_provider_mlconnector.systems.syspro.client import PostCall, SysproClient
from airflow_provider_mlconnector.systems.syspro.gentjl import Journal, JournalLine
from airflow_provider_mlconnector.systems.syspro.keys import normal
from airflow_provider_mlconnector.systems.syspro.options import Carrier, SysproOptions
from airflow_provider_mlconnector.systems.syspro.periods import Period
from airflow_provider_mlconnector.systems.syspro.plan import GL_JOURNAL
from airflow_provider_mlconnector.systems.syspro.receipts import key_of

_GROWTH = 6
"""Characters an amount may become longer by when it is converted to company currency."""
SESSION_ROOM = 40
"""Characters kept free for the session id, which may be renewed between measuring and sending."""


@dataclass(frozen=True)
class Shape:
    """What all items of one APSTIN request share: its parameters are said once."""

    period: Period
    foreign: bool
    analysis: bool
    hold_override: bool
    variance: Decimal

    def settings(self, letter: str, *, override: bool) -> Settings:
        """Return the request's parameters; ``override`` lets a shown hold pass as a warning."""
        return Settings(letter, self.foreign, self.analysis, "W" if override else "N", self.variance)


def item_of(step: StepDraft) -> ApInvoiceItem:
    """Return the AP item of a step's payload."""
    return ApInvoiceItem.model_validate(step.payload["item"])


def journal_of(step: StepDraft) -> Journal:
    """Return the journal of a step's payload."""
    return Journal.model_validate(step.payload["journal"])


def shape_of(step: StepDraft) -> Shape:
    """Return what a step needs of its request."""
    payload = step.payload
    analysis = any(line["analysis_code"] for line in payload["item"]["distribution"])
    variance = Decimal(payload["tax_variance"])
    return Shape(Period(*payload["period"]), payload["foreign"], analysis, payload["hold_override"], variance)


def _keys(item: ApInvoiceItem) -> set[str]:
    """Return what no two documents of one request may share: the business key, and each receipt taken."""
    return {f"{normal(item.supplier)}|{normal(item.invoice)}", *map(key_of, item.receipts)}


@dataclass
class _Request:
    """A request being filled: characters and items it still takes, and the keys it already has."""

    room: int
    places: int
    steps: list[StepDraft] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    def add(self, step: StepDraft, keys: AbstractSet[str], size: int) -> None:
        self.steps.append(step)
        self.keys |= keys
        self.room -= size
        self.places -= 1


class Batcher:
    """Cuts steps into requests.

    Args:
        client: Measures URLs.
        options: Carrier and limits.
    """

    def __init__(self, client: SysproClient, options: SysproOptions) -> None:
        self._client = client
        self._options = options

    @property
    def by_url(self) -> bool:
        """Whether documents travel in the query string."""
        return self._options.transport is Carrier.GET

    @property
    def _limit(self) -> int:
        return self._client.transport.max_url - SESSION_ROOM if self.by_url else self._options.max_body

    def fits(self, step: StepDraft) -> bool:
        """Whether a step can travel at all, alone in its request."""
        return self._alone(step) <= self._limit

    def cut(self, steps: Sequence[StepDraft]) -> Iterator[list[StepDraft]]:
        """Yield groups, each for one request; every step is in exactly one.

        Journals travel alone (reference/syspro.md §2.3), and so do invoices of suppliers on hold: their rehearsal comes
        first, and a group must have one ending.

        Steps that need different parameters cannot share a request. Among those of one shape the largest go first, each
        into the first request with room for it: nearly every request is full, which saves a tenth of them. Two
        documents with one business key (two credits of one invoice) never share a request: its answer could not be told
        apart. Nor do two that take one receipt: the second is sent once it is known what the first has left of it.
        """
        alike: dict[Shape, list[StepDraft]] = {}
        for step in steps:
            if step.name == GL_JOURNAL or step.payload["hold_override"]:
                yield [step]
            else:
                alike.setdefault(shape_of(step), []).append(step)
        for group in alike.values():
            yield from self._cut_alike(group)

    def cut_journal(self, empty: Journal, members: Sequence[Sequence[JournalLine]]) -> Iterator[range]:
        """Cut the members of a combined journal into requests, each of whole members, so that each balances.

        Args:
            empty: The journal with its longest contra entries and nothing else.
            members: The entries of each member.

        Yields:
            Places of members that fit one request; one that is too large even alone is on its own.
        """
        room = self._limit - self._measure(gentjl.post_call(empty))
        start = used = 0
        for place, lines in enumerate(members):
            size = sum(self._size(xml.write(gentjl.line_element(empty, line))) + _GROWTH for line in lines)
            if place > start and used + size > room:
                yield range(start, place)
                start, used = place, 0
            used += size
        if members:
            yield range(start, len(members))

    def _cut_alike(self, steps: Sequence[StepDraft]) -> Iterator[list[StepDraft]]:
        overhead = self._alone(steps[0]) - self._item_size(steps[0])
        requests: list[_Request] = []
        for size, step in sorted(((self._item_size(step), step) for step in steps), key=lambda pair: -pair[0]):
            keys = _keys(item_of(step))
            fitting = (r for r in requests if r.room >= size and r.places and keys.isdisjoint(r.keys))
            request = next(fitting, None)
            if request is None:
                request = _Request(self._limit - overhead, self._options.max_items)
                requests.append(request)
            request.add(step, keys, size)
        yield from (request.steps for request in requests)

    def _item_size(self, step: StepDraft) -> int:
        return self._size(xml.write(apstin.item_element(item_of(step))))

    def _alone(self, step: StepDraft) -> int:
        return self._measure(self._lone_call(step))

    def _lone_call(self, step: StepDraft) -> PostCall:
        if step.name == GL_JOURNAL:
            return gentjl.post_call(journal_of(step))
        shape = shape_of(step)
        settings = shape.settings("C", override=shape.hold_override)
        return apstin.post_call([item_of(step)], settings)

    def _measure(self, post: PostCall) -> int:
        if self.by_url:
            return self._client.transport.url_length(self._client.post_call(post))
        return len(self._client.post_ld_call(post).body or b"")

    def _size(self, document: str) -> int:
        return len(quote_plus(document, safe="/")) if self.by_url else len(document.encode())
