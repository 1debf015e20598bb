"""``GET load/{ido}``: one page of rows (``reference/cloudsuite.md §4a``)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite import ido_filter, ido_match, ido_order
from airflow_provider_mlconnector.sandbox.cloudsuite.columns import Column, Row
from airflow_provider_mlconnector.sandbox.cloudsuite.ido_order import Key, Order
from airflow_provider_mlconnector.sandbox.cloudsuite.ido_view import IdoError, View
from airflow_provider_mlconnector.sandbox.cloudsuite.options import CloudSuiteOptions

FORWARD, BACKWARD = ("FIRST", "NEXT"), ("PREVIOUS", "PREV", "LAST")
"""``loadType`` in both spellings."""
KEPT = 16
"""How many sorted lists are kept for the next page."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a load asks for.

    Attributes:
        properties: In the order of the answer.
        filter: As sent.
        order_by: As sent.
        cap: Most rows; 0 is all.
        load_type: In capitals.
        bookmark: As sent.
        distinct: Whether equal rows are shown once.
        read_only: Whether ``_ItemId`` is left out.
    """

    properties: tuple[Column, ...]
    filter: str
    order_by: str
    cap: int
    load_type: str
    bookmark: str
    distinct: bool
    read_only: bool


@dataclass(frozen=True, slots=True)
class Sorted:
    """The rows of a filter in an order, and the keys they are sorted by."""

    order: Order
    rows: list[Row]
    keys: list[Key]


class Loader:
    """Answers loads, remembering sorted lists as long as no row of the site changes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], Sorted] = OrderedDict()

    def load(self, view: View, asked: Asked, version: int) -> dict[str, Any]:
        """Return the answer; ``version`` changes when any row of the site does.

        Raises:
            IdoError: Unknown properties, an order or bookmark that is not understood.
            FilterError: The filter is not.
        """
        found = self._sorted(view, asked, version)
        start, end = _window(view, asked, found)
        page = found.rows[start:end]
        before = asked.load_type in BACKWARD
        return {
            "Items": [_item(view, asked, row) for row in page],
            "Bookmark": found.order.bookmark(view, page[0], page[-1]) if page else asked.bookmark or None,
            "MoreRowsExist": start > 0 if before else end < len(found.rows),
            "Success": True,
            "Message": None,
        }

    def _sorted(self, view: View, asked: Asked, version: int) -> Sorted:
        names = tuple(column.name for column in asked.properties) if asked.distinct else ()
        key = (view.table.ido, asked.filter, asked.order_by, names, version)
        found = self._kept.pop(key, None) or _sort(view, asked)
        if "getdate" not in asked.filter.lower():  # true of other rows in a moment
            self._kept[key] = found
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found


def read(view: View, parameters: Mapping[str, str], options: CloudSuiteOptions) -> Asked:
    """Read the query of a load; names of parameters are in lower case.

    Raises:
        IdoError: A value is not understood, or something is asked for that is not simulated.
    """
    for name in ("pqc", "clm"):
        if parameters.get(name):
            message = f"Method {parameters[name]} not found on IDO {view.table.ido}"
            raise IdoError(message)
    load_type = parameters.get("loadtype", "").strip().upper() or "FIRST"
    if load_type not in FORWARD + BACKWARD:
        message = f"Invalid load type {load_type}"
        raise IdoError(message)
    return Asked(
        properties=_properties(view, parameters.get("properties", "")),
        filter=parameters.get("filter", ""),
        order_by=parameters.get("orderby", ""),
        cap=_cap(parameters.get("recordcap", ""), options),
        load_type=load_type,
        bookmark=parameters.get("bookmark", ""),
        distinct=_flag(parameters, "distinct"),
        read_only=_flag(parameters, "readonly"),
    )


def _properties(view: View, text: str) -> tuple[Column, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or names == ["*"]:  # SIM: left out is all; sources disagree on whether it may be
        return tuple(view.columns.values())
    return tuple(view.column(name) for name in dict.fromkeys(names))


def _cap(text: str, options: CloudSuiteOptions) -> int:
    try:
        cap = int(text.strip() or -1)
    except ValueError as error:
        message = f"Invalid record cap {text}"
        raise IdoError(message) from error
    cap = options.record_cap if cap < 0 else cap
    return min(cap or options.most_rows, options.most_rows) if options.most_rows else cap


def _flag(parameters: Mapping[str, str], name: str) -> bool:
    return parameters.get(name, "").strip().lower() in ("true", "1")


def _sort(view: View, asked: Asked) -> Sorted:
    rows: Sequence[Row] = ido_match.wanted(view, ido_filter.parse(asked.filter))
    if asked.distinct:
        order = ido_order.distinct_order(view, asked.order_by, asked.properties)
    else:
        order = ido_order.order_of(view, asked.order_by)
    pairs = sorted(((order.key(view, row), row) for row in rows), key=lambda pair: pair[0])
    if asked.distinct:
        pairs = [*dict(reversed(pairs)).items()][::-1]
    return Sorted(order, [row for _, row in pairs], [key for key, _ in pairs])


def _window(view: View, asked: Asked, found: Sorted) -> tuple[int, int]:
    """Return where the page begins and ends."""
    total = len(found.rows)
    cap = asked.cap or total
    first = last = None
    if asked.bookmark and asked.load_type not in ("FIRST", "LAST"):
        first, last = found.order.read(view, asked.bookmark)
    if asked.load_type in BACKWARD:
        end = total if first is None else bisect_left(found.keys, first)
        return max(0, end - cap), end
    start = 0 if last is None else bisect_right(found.keys, last)
    return start, min(total, start + cap)


def _item(view: View, asked: Asked, row: Row) -> dict[str, str | None]:
    item = {column.name: view.shown(column, row) for column in asked.properties}
    if not asked.read_only and not asked.distinct:
        item["_ItemId"] = view.item_id(row)
    return item
