"""Reading exported XML: places that may be missing, and pieces of the records they become (see :mod:`.exports`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.jaggaer.fields import is_empty
from airflow_provider_mlconnector.systems.xml import Element

Record: TypeAlias = dict[str, Any]


def child_of(place: Element, path: str) -> Element:
    """Return what stands at ``path``, an empty element where nothing does."""
    found = xml.child(place, path)
    return xml.element("nothing") if found is None else found


def first_of(place: Element, *paths: str) -> str:
    """Return the first text that is not empty."""
    return next((text for path in paths if (text := xml.text(place, path))), "")


def attribute_of(place: Element, name: str) -> str:
    """Return an attribute whatever its case: messages differ (``linenumber``, ``lineNumber``)."""
    values = (str(value).strip() for key, value in place.attrib.items() if str(key).lower() == name.lower())
    return next(values, "")


def amount_of(place: Element) -> str:
    """Return an amount, with or without a ``Money`` around it."""
    return xml.text(place, "Money") or xml.text(place)


def currency_of(places: Sequence[Element]) -> str:
    """Return the currency of amounts; several stand side by side, which is no currency."""
    found = {attribute_of(money, "currency"): None for place in places for money in xml.children(place, "Money")}
    return "/".join(name for name in found if name)


def filled(fields: Record) -> Record:
    """Leave out what says nothing."""
    return {name: value for name, value in fields.items() if not is_empty(value)}


def split_of(index: str, share: str, codes: dict[str, str]) -> Record:
    """Return one split of a line: its share, and its codes by the names of their segments."""
    values = [{"internalName": name, "value": value} for name, value in codes.items() if name]
    return {
        "splitIndex": index,
        "distributionValue": share,
        "customFieldValueList": {"customFieldValue": values},
    }


def index_set(kind: str, splits: list[Record]) -> Record:
    """Return the splits of a line, whose shares are of one kind."""
    return {
        "context": "Line",
        "distributionType": kind,
        "splittableFieldIndexList": {"splittableFieldIndex": splits},
    }
