"""Tables as an IDO sees them: typed rows with change stamps, unique keys, indexes that grow as they are asked for.

A row is a dict of Python values that holds only what was set: read it with ``row.get`` or :meth:`Table.value`, change
it only by the table's methods, which keep stamps and indexes. The documented primary keys are unique and nothing else
is (``reference/cloudsuite.md §4a``). Text is compared as SQL Server does by default: trailing blanks and case do not
count, leading blanks do, so that an unpadded key finds nothing (SIM: the collation of a site is its own).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zlib import crc32

from airflow_provider_mlconnector.sandbox.cloudsuite.columns import COMMON, Column, Kind, Row, folded
from airflow_provider_mlconnector.sandbox.cloudsuite.writes import After, Before, Origin, Refused, Write

__all__ = ["COMMON", "Column", "Kind", "Origin", "Refused", "Row", "Table", "Write", "folded", "whole"]

MILLISECOND = 1000
_SCATTER, _POINTERS = 0x9E3779B97F4B, 1 << 48


@dataclass(slots=True, eq=False)
class Table:
    """Rows of one IDO.

    Attributes:
        ido: Name of the IDO, such as ``SLVendors``.
        base_table: Such as ``vendor``.
        alias: Such as ``ven``, as in ``_ItemId``.
        keys: Properties that together are unique; none where nothing is.
        columns: By name, the common ones included.
        before_write: May refuse a write, in order; the first refusal counts.
        after_write: Told of every write that was made.
        undo: Where it is a list, every change leaves there what takes it back (:func:`whole`).
        version: Grows with every change of any row.
    """

    ido: str
    base_table: str
    alias: str
    keys: tuple[str, ...]
    columns: dict[str, Column]
    before_write: list[Before] = field(default_factory=list)
    after_write: list[After] = field(default_factory=list)
    undo: list[Callable[[], None]] | None = None
    version: int = 0
    _rows: dict[str, Row] = field(default_factory=dict)
    _by_key: dict[Hashable, Row] = field(default_factory=dict)
    _equal: dict[str, dict[Hashable, dict[str, Row]]] = field(default_factory=dict)
    _stamps: list[tuple[datetime, str]] | None = None
    _made: int = 0

    @classmethod
    def of(cls, ido: str, base_table: str, alias: str, keys: Iterable[str], columns: Iterable[Column]) -> Table:
        """Return an empty table; ``columns`` without the common ones."""
        return cls(ido, base_table, alias, tuple(keys), {column.name: column for column in (*columns, *COMMON)})

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    # Reading

    def value(self, row: Row, name: str) -> Any:  # noqa: ANN401 - whatever the column holds
        """Return a property's value, derived ones included."""
        column = self.columns[name]
        if column.derive is not None:
            return column.derive(row)
        found = row.get(name)
        return column.default if found is None else found

    def get(self, *key: object, exact: bool = False) -> Row | None:
        """Return the row of a key (in the order of ``keys``), padded or not; ``exact`` does not add missing blanks."""
        pairs = zip(self.keys, key, strict=True)
        values = key if exact else [self.columns[name].fitted(value) for name, value in pairs]
        return self._by_key.get(tuple(map(folded, values)))

    def at(self, row_pointer: str) -> Row | None:
        """Return the row with this RowPointer."""
        return self._rows.get(row_pointer.lower())

    def where(self, **equal: object) -> list[Row]:
        """Return the rows with these (stored) values, padded or not, in the order of their making."""
        name, *more = equal
        found = self.matching(name, self.columns[name].fitted(equal[name]))
        for other in more:
            wanted = folded(self.columns[other].fitted(equal[other]))
            found = [row for row in found if folded(row.get(other)) == wanted]
        return found

    def matching(self, name: str, value: object) -> list[Row]:
        """Return the rows whose stored property is exactly this; the first call builds an index."""
        index = self._equal.get(name)
        if index is None:
            index = self._equal[name] = {}
            for pointer, row in self._rows.items():
                index.setdefault(folded(row.get(name)), {})[pointer] = row
        return [*index.get(folded(value), {}).values()]

    def changed_from(self, moment: datetime) -> list[Row]:
        """Return the rows with ``RecordDate`` at or after ``moment``, ordered by (RecordDate, RowPointer)."""
        if self._stamps is None:
            self._stamps = sorted((row["RecordDate"], pointer) for pointer, row in self._rows.items())
        return [self._rows[pointer] for _, pointer in self._stamps[bisect_left(self._stamps, (moment, "")) :]]

    # Writing

    def insert(self, values: Mapping[str, Any], origin: Origin, *, exact: bool = False, checked: bool = True) -> Row:
        """Add a row.

        Args:
            values: By property.
            origin: Gives the stamps.
            exact: Keys are stored as they are, blanks missing or not: what comes over the wire (SIM).
            checked: Hooks and checks are asked; a generator needs neither.

        Raises:
            Refused: By a check, a hook or a key that exists.
        """
        changes = self._fitted(values, exact=exact)
        write = Write("insert", {}, changes, origin)
        if checked:
            self._ask(write)
        self._free(self._key(changes), None)
        at = _stamp(origin.at)
        row = changes | {"RecordDate": at, "CreateDate": at, "CreatedBy": origin.by, "UpdatedBy": origin.by}
        row["RowPointer"] = self._pointer()
        self._store(row)
        if checked:
            self._tell(Write("insert", row, changes, origin))
        return row

    def update(
        self,
        row: Row,
        values: Mapping[str, Any],
        origin: Origin,
        *,
        exact: bool = False,
        checked: bool = True,
        touch: bool = True,
    ) -> None:
        """Change a row in place; ``touch=False`` leaves ``RecordDate`` as server-side totals do (§7.12).

        Raises:
            Refused: By a check, a hook or a key that exists.
        """
        changes = self._fitted(values, exact=exact)
        write = Write("update", row, changes, origin)
        if checked:
            self._ask(write)
        self._free(self._key(row | changes), row)
        self._drop(row)
        self._remember(partial(_restore, row, dict(row)))
        row.update(changes)
        if touch:
            row |= {"RecordDate": _stamp(origin.at), "UpdatedBy": origin.by}
        self._store(row)
        if checked:
            self._tell(write)

    def delete(self, row: Row, origin: Origin, *, checked: bool = True) -> None:
        """Remove a row; nothing remains that a reader could see (§4a).

        Raises:
            Refused: By a hook.
        """
        write = Write("delete", row, {}, origin)
        if checked:
            self._ask(write)
        self._drop(row)
        if checked:
            self._tell(write)

    def _fitted(self, values: Mapping[str, Any], *, exact: bool) -> Row:
        if exact:
            return dict(values)
        return {name: self.columns[name].fitted(value) for name, value in values.items()}

    def _ask(self, write: Write) -> None:
        for hook in self.before_write:
            if text := hook(write):
                raise Refused(text)
        if text := self._flaw(write):
            raise Refused(text)

    def _flaw(self, write: Write) -> str | None:
        """Return what is wrong with lengths or missing values (SIM: the words are ours)."""
        for name, value in write.changes.items():
            length = self.columns[name].length
            if length and isinstance(value, str) and len(value) > length:
                return f"{name} is longer than {length} characters on IDO {self.ido}"
        if write.action == "insert":
            missing = [name for name, column in self.columns.items() if column.required and _empty(write, name)]
            return f"{', '.join(missing)} must be entered on IDO {self.ido}" if missing else None
        return None

    def _tell(self, write: Write) -> None:
        for hook in self.after_write:
            hook(write)

    def _key(self, row: Mapping[str, Any]) -> tuple[Hashable, ...]:
        return tuple(folded(row.get(name)) for name in self.keys)

    def _free(self, key: tuple[Hashable, ...], row: Row | None) -> None:
        if key and self._by_key.get(key, row) is not row:
            named = ", ".join(f"{name}={value}" for name, value in zip(self.keys, key, strict=True))
            text = f"{self.ido} already exists: {named}"
            raise Refused(text)

    def _store(self, row: Row) -> None:
        pointer = row["RowPointer"]
        self._rows[pointer] = row
        if self.keys:
            self._by_key[self._key(row)] = row
        for name, index in self._equal.items():
            index.setdefault(folded(row.get(name)), {})[pointer] = row
        if self._stamps is not None:
            insort(self._stamps, (row["RecordDate"], pointer))
        self.version += 1
        self._remember(partial(self._drop, row))

    def _drop(self, row: Row) -> None:
        pointer = row["RowPointer"]
        del self._rows[pointer]
        if self.keys:
            del self._by_key[self._key(row)]
        for name, index in self._equal.items():
            del index[folded(row.get(name))][pointer]
        if self._stamps is not None:
            del self._stamps[bisect_left(self._stamps, (row["RecordDate"], pointer))]
        self.version += 1
        self._remember(partial(self._store, row))

    def _remember(self, inverse: Callable[[], None]) -> None:
        if self.undo is not None:
            self.undo.append(inverse)

    def _pointer(self) -> str:
        """Return a new RowPointer: unique, and in no order, as the real ones are."""
        self._made += 1
        return f"{crc32(self.ido.encode()):08x}-0000-4000-8000-{self._made * _SCATTER % _POINTERS:012x}"


@contextmanager
def whole(tables: Iterable[Table]) -> Iterator[None]:
    """Make what is written within all or nothing: an error takes back what was done in these tables so far."""
    undo: list[Callable[[], None]] = []
    tables = [table for table in tables if table.undo is None]
    for table in tables:
        table.undo = undo
    try:
        yield
    except BaseException:
        for inverse in undo[::-1]:  # a copy: taking back is remembered as well, and forgotten with the list
            inverse()
        raise
    finally:
        for table in tables:
            table.undo = None


def _restore(row: Row, content: Row) -> None:
    row.clear()
    row.update(content)


def _stamp(moment: datetime) -> datetime:
    """Return a moment as a change stamp holds it: UTC, milliseconds (the wire shows no more)."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // MILLISECOND * MILLISECOND)


def _empty(write: Write, name: str) -> bool:
    value = write.changes.get(name)
    return value is None or value == ""
