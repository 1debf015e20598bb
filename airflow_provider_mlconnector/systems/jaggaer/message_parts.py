"""Pieces that messages to the XML router are built from (reference/jaggaer.md §3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from airflow_provider_mlconnector.documents.invoice import Allocation
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.jaggaer.contract import SegmentContract

_NOT_XML: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """Return text with a blank for every character that XML cannot carry, or not unchanged (line breaks)."""
    return _NOT_XML.sub(" ", text)


def leaf(tag: str, text: str) -> xml.Element | None:
    """Return an element with a text, None for an empty one."""
    cleaned = clean(text)
    return xml.element(tag, cleaned) if cleaned else None


def marked(tag: str, attributes: Mapping[str, str], *content: xml.Element | str | None) -> xml.Element:
    """Return an element with attributes; None among the content is left out."""
    built = xml.element(tag, *content)
    for name, value in attributes.items():
        built.set(name, clean(value))
    return built


def money(amount: Decimal, currency: str) -> xml.Element:
    """Return ``Money``, digit for digit."""
    return marked("Money", {"currency": currency}, f"{amount:f}")


def segments_of(part: Allocation, names: SegmentContract, allowed: Sequence[str]) -> dict[str, str]:
    """Return a split's codes by the custom fields the tenant has: account, cost center and those ``allowed``."""
    own = {names.account: part.account, names.cost_center: part.cost_center}
    further = {name: code for name, code in part.segments.items() if name in allowed}
    return {name: code for name, code in (further | own).items() if name and code}


def only_allowed(parts: Sequence[Allocation], allowed: Sequence[str]) -> list[Allocation]:
    """Return splits without the segments the tenant has no custom field for."""
    return [
        part.model_copy(update={"segments": {name: code for name, code in part.segments.items() if name in allowed}})
        for part in parts
    ]
