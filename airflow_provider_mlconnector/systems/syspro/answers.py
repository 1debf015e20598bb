"""Reading what a transaction business object answers per item, whatever its casing (reference/syspro.md §3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from airflow_provider_mlconnector.errors import AmbiguousOutcome
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.ports import Outcome, OutcomeState
from airflow_provider_mlconnector.systems.syspro.keys import normal, whole

_TARGET_SIDE = {
    "supplier": "supplier",
    "ledgercode": "ledgercode",
    "passwordforledgercode": "ledgercode",
    "branch": "branch",
    "taxcode": "tax_code",
    "secondtaxcode": "tax_code",
    "ledgertaxcode": "tax_code",
    "postingperiod": "period",
    "postingyear": "period",
    "exchrateatentry": "exchange_rate",
    "currency": "currency",
    "grngrn": "receipt_taken",
    "grndetailkey": "receipt_taken",
    "grnmatchvalue": "receipt_taken",
    "grnpartialmatchquantity": "receipt_taken",
    "grnpartialmatchvalue": "receipt_taken",
}
"""Fields whose refusal lies outside the document, and the code under which documents with that cause are grouped.

SYSPRO's error numbers for these cases are not public, so the field decides (reference/syspro.md §3).
"""


@dataclass(frozen=True)
class Problem:
    """One refused field: its lower-case name, the value, SYSPRO's error number and text."""

    field: str
    value: str
    number: str
    text: str


@dataclass(frozen=True)
class ItemAnswer:
    """What was said about one item; ``position`` is its number in the request, None when not told."""

    element: xml.Element = field(repr=False)
    position: int | None
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]

    @cached_property
    def names(self) -> tuple[str, str]:
        """Supplier and invoice as answered, normalized, each ``""`` when left out."""
        return normal(self.said("Supplier")), normal(self.said("Invoice"))

    def said(self, name: str) -> str:
        """Return the value of the first element called ``name`` anywhere in the item, refused or not."""
        wanted = name.lower()
        for item in self.element.iter():
            if xml.name(item) == wanted:
                return xml.text(item) or xml.text(item, "Value")
        return ""


def problems_in(element: xml.Element) -> tuple[Problem, ...]:
    """Return every field with a non-empty ``ErrorDescription`` at or below ``element``."""
    return tuple(
        Problem(
            xml.name(item), xml.text(item, "Value"), xml.text(item, "ErrorNumber"), xml.text(item, "ErrorDescription")
        )
        for item in element.iter()
        if xml.text(item, "ErrorDescription")
    )


def read_items(root: xml.Element, expected_root: str) -> list[ItemAnswer]:
    """Read the items of an answer, in its order.

    Raises:
        AmbiguousOutcome: The document is not this business object's answer, or it objects outside of any item.
    """
    if xml.name(root) != expected_root.lower():
        msg = f"SYSPRO answered with a document of {xml.name(root)} instead of {expected_root.lower()}"
        raise AmbiguousOutcome(msg)
    items = []
    for item in xml.children(root, "Item"):
        warnings = tuple(xml.text(w) for w in item.iter() if xml.name(w) == "warningdescription" and xml.text(w))
        items.append(ItemAnswer(item, whole(xml.text(item, "ItemNumber")), problems_in(item), warnings))
    if len(problems_in(root)) > sum(len(item.problems) for item in items):
        msg = f"SYSPRO objects to the whole document: {problems_in(root)[-1].text}"
        raise AmbiguousOutcome(msg)
    invalid = max(whole(xml.text(root, path)) or 0 for path in _INVALID_COUNTERS)
    refused = sum(1 for item in items if item.problems)
    if invalid > refused:
        msg = f"SYSPRO counts {invalid} invalid items and explains {refused}"
        raise AmbiguousOutcome(msg)
    return items


_INVALID_COUNTERS = ("StatusOfItems/ItemsInvalid", "StatusOfItems/JournalsInvalid", "StatusOfItems/RecordsInvalid")


def assign(items: Sequence[ItemAnswer], keys: Sequence[tuple[str, str]]) -> list[ItemAnswer]:
    """Find the answer to each document of a request.

    By business key first, then by item number; what is left is taken in order only when nothing can be confused:
    everything left was refused, or a single pair is left.

    Args:
        items: The answers, in any order.
        keys: (supplier, invoice) of each document sent, in the order sent.

    Raises:
        AmbiguousOutcome: Some document has no answer that is surely its own, or some answer no document.
    """
    wanted = [(normal(supplier), normal(invoice)) for supplier, invoice in keys]
    found: dict[int, ItemAnswer] = {}
    nameless = []
    for item in items:
        places = [place for place, key in enumerate(wanted) if _names(item, key)]
        if len(places) == 1 and places[0] not in found:
            found[places[0]] = item
        else:
            nameless.append(item)
    left = []
    for item in nameless:
        place = (item.position or 0) - 1
        if 0 <= place < len(keys) and place not in found and _agrees(item, wanted[place]):
            found[place] = item
        else:
            left.append(item)
    open_places = [place for place in range(len(keys)) if place not in found]
    sure = len(left) == 1 or all(item.problems for item in left)
    if len(left) != len(open_places) or not sure:
        msg = f"SYSPRO's answer to {len(keys)} documents leaves {len(open_places)} of them and {len(left)} items open"
        raise AmbiguousOutcome(msg)
    for place, item in zip(open_places, left, strict=True):
        if not _agrees(item, wanted[place]):
            msg = f"SYSPRO answered for {item.said('Supplier')} {item.said('Invoice')}, which was not asked"
            raise AmbiguousOutcome(msg)
        found[place] = item
    return [found[place] for place in range(len(keys))]


def _names(item: ItemAnswer, key: tuple[str, str]) -> bool:
    """Whether an answer names a document: its number, and its supplier unless that is left out."""
    supplier, invoice = item.names
    return invoice == key[1] and supplier in {"", key[0]}


def _agrees(item: ItemAnswer, key: tuple[str, str]) -> bool:
    """Whether nothing an answer names contradicts a document."""
    return all(told in {"", wanted} for told, wanted in zip(item.names, key, strict=True))


def refusal(item: ItemAnswer, *, duplicate_field: str = "") -> Outcome:
    """Turn an item's problems into an outcome; the first problem names it, all of them are in the text."""
    first = item.problems[0]
    text = "; ".join(dict.fromkeys(problem.text for problem in item.problems))
    if any(problem.field == duplicate_field for problem in item.problems):
        return Outcome(OutcomeState.DUPLICATE, "duplicate", item.said(duplicate_field), text)
    for problem in item.problems:
        if problem.field in _TARGET_SIDE:
            return Outcome(OutcomeState.REFUSED, _TARGET_SIDE[problem.field], problem.value, text, parked=True)
    return Outcome(OutcomeState.REFUSED, first.field, first.value, text)
