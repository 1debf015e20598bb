"""COMBRW, which pages through a table by its key, and COMFCH, one row of it (reference/syspro.md §2.9).

Both know tables with a key. A browse is configured under each such table's own name if the key is one column, and gives
25 rows unless told otherwise; filters compare whole values, with the wildcards of COMFND (all SIM).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from airflow_provider_mlconnector.sandbox.syspro import sim_texts, wire
from airflow_provider_mlconnector.sandbox.syspro.books import Books
from airflow_provider_mlconnector.sandbox.syspro.comfnd import like
from airflow_provider_mlconnector.sandbox.syspro.documents import children, load, reject, text_of
from airflow_provider_mlconnector.sandbox.syspro.tables import Column, Row, Table
from airflow_provider_mlconnector.sandbox.syspro.wire import EnetError, leaf, node

PAGE = 25
_FORWARD, _BACKWARD = ("GE", "GR"), ("EF", "LE")
_INCLUSIVE = {"GE", "LE"}
_DATA_TYPES = {"text": "A", "money": "N", "number": "N", "date": "D"}
"""DataType of a browsed value: SIM."""
OPTIONAL_KEYS = 12


@dataclass(frozen=True, slots=True)
class _View:
    """What a browse shows: the table, its title and columns with their headings."""

    table: Table
    title: str
    columns: Mapping[str, str]

    @property
    def key(self) -> Column:
        return self.table.columns[self.table.key[0]]


def browse(books: Books, tables: Mapping[str, Table], xml_in: str) -> str:
    """Answer COMBRW with one page.

    Raises:
        EnetError: If the browse or a column is unknown, or the StartCondition is none of §2.9.
    """
    root = load(xml_in, "Browse")
    view = _view(root, tables)
    rows = _filtered(root, view)
    condition = text_of(root, "StartCondition") or "GE"
    if condition not in {*_FORWARD, *_BACKWARD}:
        reject(f"value '{condition}' is not allowed for element 'StartCondition'")
    start, limit = text_of(root, "StartAtKey"), text_of(root, "ReturnRows")
    first, last = _page(rows, view, condition, start, int(limit) if limit.isdigit() else PAGE)
    page = rows[first:last]
    content = (
        leaf("Title", view.title)
        + "".join(_row(view, row) for row in page)
        + _next_prev(view, page, forward=last < len(rows), back=first > 0)
        + _header(view)
    )
    return wire.answer(view.table.name, content, books.options.version)


def _view(root: etree._Element, tables: Mapping[str, Table]) -> _View:
    """Return the configured browse, or the one that BrowseDetails describe in its place."""
    details = root.find("BrowseDetails")
    name = text_of(details, "TableName") or text_of(root, "BrowseName")
    table = tables.get(name)
    if table is None or len(table.key) != 1:
        raise EnetError(sim_texts.BROWSE_NAME.format(name=name))
    chosen: dict[str, str] = {}
    for column in [] if details is None else children(details, "Column"):
        chosen[text_of(column, "ColumnName")] = text_of(column, "ColumnDescription") or text_of(column, "ColumnName")
    for column_name in chosen:
        _column(table, column_name)
    return _View(table, text_of(details, "Title") or name, chosen or {column: column for column in table.columns})


def _column(table: Table, name: str) -> Column:
    if name not in table.columns:
        raise EnetError(sim_texts.UNKNOWN_COLUMN.format(name=name, table=table.name))
    return table.columns[name]


def _filtered(root: etree._Element, view: _View) -> list[Row]:
    """Return the rows that pass every filter, by key."""
    tests = [
        (_column(view.table, text_of(given, "ColumnFilterName")), like(text_of(given, "ColumnFilterValue")))
        for given in children(root, "Filter")
    ]
    rows = [row for row in view.table.rows() if all(test(column.shown(row).strip()) for column, test in tests)]
    return sorted(rows, key=lambda row: str(view.key.get(row)))


def _page(rows: list[Row], view: _View, condition: str, start: str, limit: int) -> tuple[int, int]:
    """Return the slice of the page: from the start on, or up to it; either way in ascending order (SIM)."""
    keys = [str(view.key.get(row)) for row in rows]
    if condition in _FORWARD:
        first = sum(key < start or (key == start and condition not in _INCLUSIVE) for key in keys)
        return first, min(first + limit, len(rows))
    last = sum(key < start or (key == start and condition in _INCLUSIVE) for key in keys)
    return max(0, last - limit), last


def _row(view: _View, row: Row) -> str:
    columns = ((name, view.table.columns[name]) for name in view.columns)
    return node(
        "Row",
        "".join(
            node(name, leaf("Value", column.shown(row)) + leaf("DataType", _DATA_TYPES[column.kind]))
            for name, column in columns
        ),
    )


def _next_prev(view: _View, page: list[Row], *, forward: bool, back: bool) -> str:
    """Return the keys to go on from: the first and the last of the page, as recorded."""
    first, last = (str(view.key.get(page[0])), str(view.key.get(page[-1]))) if page else ("", "")
    return node(
        "NextPrevKey",
        leaf("PrevKey", first) + leaf("NextKey", last) + leaf("Fwd", str(forward)) + leaf("Back", str(back)),
    )


def _header(view: _View) -> str:
    key = view.table.key[0]
    return node(
        "HeaderDetails",
        "".join(leaf("Header", heading) for heading in view.columns.values())
        + leaf("Key", key)
        + leaf("KeyDescription", view.columns.get(key, key))
        + leaf("Table", view.table.name),
    )


# COMFCH


def fetch(books: Books, tables: Mapping[str, Table], xml_in: str) -> str:
    """Answer COMFCH: one row with all its columns.

    Raises:
        EnetError: If the table is unknown or has no key, or the row is not there.
    """
    root = load(xml_in, "Fetch")
    name = text_of(root, "TableName")
    table = tables.get(name)
    if table is None or not table.key:
        raise EnetError(sim_texts.UNKNOWN_TABLE.format(name=name))
    parts = ("Key", *(f"OptionalKey{n}" for n in range(1, OPTIONAL_KEYS + 1)))
    wanted = [text_of(root, part) for part in parts[: len(table.key)]]
    for row in table.rows() if table.key not in table.indexes else _indexed(table, wanted):
        if [table.columns[column].shown(row).strip() for column in table.key] == wanted:
            content = "".join(leaf(column, table.columns[column].shown(row)) for column in table.columns)
            return wire.answer(name, content, books.options.version)
    raise EnetError(sim_texts.KEY_MISSING.format(value=" ".join(wanted).strip(), table=name))


def _indexed(table: Table, wanted: list[str]) -> list[Row]:
    literals = (table.columns[column].literal(text) for column, text in zip(table.key, wanted, strict=True))
    return list(table.indexes[table.key](*literals))
