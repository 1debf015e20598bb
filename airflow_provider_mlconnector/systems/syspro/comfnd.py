"""COMFND, SYSPRO's generic table query: builder, reader, paging by key range (reference/syspro.md §2.9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from airflow_provider_mlconnector.errors import ProtocolError
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.syspro.client import SysproClient

PAGE_ROWS = 1000


@dataclass(frozen=True)
class Condition:
    """One comparison. ``test``: EQ NE GT GE LT LE LIKE (wildcards ``*`` and ``?``)."""

    column: str
    test: str
    value: str


@dataclass(frozen=True)
class Where:
    """Comparisons joined by one word, nested once at most: SYSPRO allows three brackets, its precedence is unsaid."""

    word: str
    parts: tuple[Condition | Where, ...]


def both(*parts: Condition | Where) -> Where:
    """All parts must hold."""
    return Where("And", parts)


def either(*parts: Condition | Where) -> Where:
    """At least one part must hold."""
    return Where("Or", parts)


@dataclass(frozen=True)
class Query:
    """One COMFND query. Table and columns are SQL names and case-sensitive; ``rows`` None returns every row.

    ``all_columns`` (SYSPRO 8) returns every column the table has, not only those named.
    """

    table: str
    columns: tuple[str, ...]
    where: Where | None = None
    order_by: str = ""
    rows: int | None = None
    all_columns: bool = False

    def document(self) -> str:
        """Write the ``<Query>`` document."""
        where = None if self.where is None else xml.element("Where", *_expressions(self.where))
        return xml.write(
            xml.with_schema(
                "Query",
                "COMFND.XSD",
                xml.element("TableName", self.table),
                None if self.rows is None else xml.element("ReturnRows", str(self.rows)),
                xml.element("AllColumns", "Y") if self.all_columns else None,
                xml.element("Columns", *(xml.element("Column", column) for column in self.columns)),
                where,
                xml.element("OrderBy", xml.element("Column", self.order_by)) if self.order_by else None,
            )
        )


@dataclass
class _Flat:
    condition: Condition
    word: str
    opening: int = 0
    closing: int = 0


def _expressions(where: Where) -> Iterator[xml.Element]:
    for position, item in enumerate(_flatten(where)):
        yield xml.element(
            "Expression",
            xml.element("AndOr", item.word) if position else None,
            xml.element("OpenBracket", "(" * item.opening) if item.opening else None,
            xml.element("Column", item.condition.column),
            xml.element("Condition", item.condition.test),
            xml.element("Value", item.condition.value),
            xml.element("CloseBracket", ")" * item.closing) if item.closing else None,
        )


def _flatten(where: Where) -> list[_Flat]:
    flat: list[_Flat] = []
    for part in where.parts:
        if isinstance(part, Condition):
            flat.append(_Flat(part, where.word))
            continue
        inner = _flatten(part)
        if len(inner) > 1:
            inner[0].opening += 1
            inner[-1].closing += 1
        inner[0].word = where.word
        flat.extend(inner)
    return flat


def read(client: SysproClient, query: Query) -> list[dict[str, str]]:
    """Run a query and return its rows: the wanted columns by the names asked for, trimmed, ``""`` when absent.

    With ``all_columns`` the further ones follow, by the names SYSPRO gives them.

    Raises:
        ProtocolError: An ``ERROR:`` text, another root than the table's, or fewer rows than it claims.
    """
    root = client.query("COMFND", query.document())
    if xml.name(root) != query.table.lower():
        msg = f"SYSPRO answered the query of {query.table} with a document of {xml.name(root)}"
        raise ProtocolError(msg, evidence=xml.write(root).encode()[:65536])
    rows = [_cells(row, query) for row in xml.children(root, "Row")]
    claimed = xml.text(root, "RowsReturned")
    if claimed.isdigit() and int(claimed) != len(rows):
        msg = f"SYSPRO says the query of {query.table} returned {claimed} rows and sent {len(rows)}"
        raise ProtocolError(msg, evidence=xml.write(root).encode()[:65536])
    return rows


def _cells(row: xml.Element, query: Query) -> dict[str, str]:
    named = {column: xml.text(row, column) for column in query.columns}
    return named | {str(cell.tag): xml.text(cell) for cell in row} if query.all_columns else named


def pages(client: SysproClient, query: Query, *, key: str, size: int = PAGE_ROWS) -> Iterator[list[dict[str, str]]]:
    """Read a whole table page by page, by ranges of its unique ``key`` column: COMFND itself does not page.

    Raises:
        ProtocolError: A page does not advance beyond the one before it.
    """
    seen: set[str] = set()
    last = ""
    while True:
        beyond = (Condition(key, "GT", last),) if last else ()
        fixed = (query.where,) if query.where is not None else ()
        where = both(*fixed, *beyond) if fixed or beyond else None
        rows = read(client, Query(query.table, query.columns, where, key, size))
        if rows:
            yield rows
        if len(rows) < size:
            return
        last = rows[-1][key]
        if last in seen or not last:
            msg = f"SYSPRO's pages of {query.table} do not advance beyond {key} {last!r}"
            raise ProtocolError(msg)
        seen.add(last)


def in_chunks(
    client: SysproClient, query: Query, alternatives: Sequence[Condition | Where], *, also: Condition | None = None
) -> Iterator[list[dict[str, str]]]:
    """Ask for the rows that meet any of ``alternatives`` (and ``also``), in as few requests as the URL allows."""
    rest = list(alternatives)
    limit = client.transport.max_url - _SESSION_ROOM
    while rest:
        count = len(rest)
        while True:
            wanted: Where = either(*rest[:count])
            if also is not None:
                wanted = both(also, wanted)
            asked = replace(query, where=wanted)  # everything else of it stays, all columns included
            length = client.transport.url_length(client.query_call("COMFND", asked.document()))
            if count == 1 or length <= limit:
                break
            count = max(min(count - 1, count * limit // length), 1)
        yield read(client, asked)
        rest = rest[count:]


_SESSION_ROOM = 40
"""Characters a session id needs when it is not known yet at measuring time."""
