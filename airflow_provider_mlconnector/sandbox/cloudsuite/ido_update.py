"""``POST update/{ido}``: inserts, updates and deletes, one after the other (``reference/cloudsuite.md §4a``)."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite import ido_text
from airflow_provider_mlconnector.sandbox.cloudsuite.attempts import Attempt, Outcome
from airflow_provider_mlconnector.sandbox.cloudsuite.columns import Column, Row, folded
from airflow_provider_mlconnector.sandbox.cloudsuite.ido_view import IdoError, View, privileged
from airflow_provider_mlconnector.sandbox.cloudsuite.surface import IdoBooks, Site
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin, Refused, whole
from airflow_provider_mlconnector.sandbox.cloudsuite.writes import Action

ACTIONS: dict[object, Action] = {1: "insert", 2: "update", 4: "delete"}
BY_PROPERTY = 1
"""``UpdateLocking`` that compares ``OriginalValue`` of what is changed, rather than the row's change stamp."""
DONE = "Update successful."
CONFLICT = "The record has been modified by another user"
"""SIM: the wording is unknown (§4a)."""


@dataclass(slots=True)
class Change:
    """One change as it was sent.

    Attributes:
        action: What is asked for.
        item_id: Empty where the row is found by its key.
        number: ``ItemNo``, echoed.
        locking: ``UpdateLocking``.
        sent: Texts by property, modified or not; None is null.
        modified: Names among them that are to be written.
        original: ``OriginalValue`` by property, where it came along.
        row: The row it was made to.
    """

    action: Action
    item_id: str
    number: object
    locking: object
    sent: dict[str, str | None] = field(default_factory=dict)
    modified: set[str] = field(default_factory=set)
    original: dict[str, str | None] = field(default_factory=dict)
    row: Row | None = None


class Updater:
    """Makes the changes of one update and records each as an attempt."""

    def __init__(self, site: Site, books: IdoBooks, view: View, origin: Origin) -> None:
        self._site, self._books, self._view, self._origin = site, books, view, origin

    def update(self, body: Any, *, refresh: bool) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON came
        """Return the answer; in-band refusals are answers as well.

        Raises:
            IdoError: The body is no update of this IDO.
        """
        changes = _changes(body, self._view.table.ido)
        options = self._site.options
        made: list[Change] = []
        before = len(self._site.attempts)
        try:
            with ExitStack() as stack:
                if options.update_atomic:
                    stack.enter_context(whole(self._books.tables.values()))
                wanted = changes[:1] if options.update_batch_mode == "first_only" else changes
                made.extend(self._make(raw) for raw in wanted)
        except IdoError as error:
            if options.update_atomic:
                self._take_back(before)
            self._pass_over(changes[len(made) + 1 :], "a change before it was refused")
            return {"Message": str(error), "Success": False, "RefreshItems": None, "Bookmark": None}
        self._pass_over(changes[len(made) :], "only the first change of an update is made here")
        items = [self._refreshed(change) for change in made] if refresh or body.get("RefreshAfterSave") else None
        return {"Message": DONE, "Success": True, "RefreshItems": items, "Bookmark": None}

    def _make(self, raw: dict[str, Any]) -> Change:
        """Make one change, all of it or nothing.

        Raises:
            IdoError: It is refused.
        """
        change = _sketch(raw)
        try:
            _read(raw, change, self._view)
            privileged(self._site, self._view.table.ido, change.action.capitalize())
            with whole(self._books.tables.values()):
                self._write(change)
        except (IdoError, Refused, ido_text.TextError) as error:
            self._record(change, "refused", str(error))
            raise IdoError(str(error)) from error
        self._record(change, "stored")
        return change

    def _write(self, change: Change) -> None:
        table = self._view.table
        values = {name: self._value(name, change.sent[name]) for name in change.sent if name in change.modified}
        if change.action == "insert":
            if change.item_id:
                self._view.read_item_id(change.item_id)
            change.row = table.insert(values, self._origin, exact=True)
            return
        change.row = row = self._found(change)
        self._locked(change, row)
        if change.action == "delete":
            table.delete(row, self._origin)
            return
        fixed = [name for name in table.keys if name in values and folded(values[name]) != folded(row.get(name))]
        if fixed:  # SIM
            message = f"Key property {fixed[0]} cannot be changed on IDO {table.ido}"
            raise IdoError(message)
        table.update(row, values, self._origin, exact=True)

    def _value(self, name: str, text: str | None) -> object:
        column: Column = self._view.column(name)
        if not column.writable:  # SIM: refused rather than passed over
            message = f"Property {name} is read-only on IDO {self._view.table.ido}"
            raise IdoError(message)
        return None if text is None else ido_text.read(column, text)

    def _found(self, change: Change) -> Row:
        """Return the row that the item id, or else all of the key, names."""
        table = self._view.table
        if change.item_id:
            row = table.at(self._view.read_item_id(change.item_id).row_pointer)
        else:
            lacking = [name for name in table.keys if change.sent.get(name) in (None, "")]
            if lacking or not table.keys:
                message = f"All key properties are needed without an item id on IDO {table.ido}"
                raise IdoError(message)
            key = [ido_text.read(table.columns[name], change.sent[name] or "") for name in table.keys]
            row = table.get(*key, exact=True)
        if row is None:
            message = f"The record was not found on IDO {table.ido}"
            raise IdoError(message)
        return row

    def _locked(self, change: Change, row: Row) -> None:
        """Refuse what someone else changed meanwhile; without an item id nothing is locked (§4a)."""
        if change.locking == BY_PROPERTY and change.original:
            for name, text in change.original.items():
                if self._view.shown(self._view.column(name), row) != text:
                    raise IdoError(CONFLICT)
        elif change.item_id and self._view.read_item_id(change.item_id).date != self._view.stamp(row):
            raise IdoError(CONFLICT)

    def _refreshed(self, change: Change) -> dict[str, Any]:
        """Return a row as it has become: its key, its stamps and what was sent (SIM: which properties come)."""
        view, row = self._view, change.row or {}
        names = dict.fromkeys([*view.table.keys, *change.sent, "RecordDate", "RowPointer"])
        shown = {name: view.shown(view.columns[name], row) for name in names if name in view.columns}
        properties = [
            {"Name": name, "Value": text, "IsNull": text is None, "Modified": False} for name, text in shown.items()
        ]
        action = next(number for number, name in ACTIONS.items() if name == change.action)
        return {"Action": action, "ItemId": view.item_id(row), "ItemNo": change.number, "Properties": properties}

    def _record(self, change: Change, outcome: Outcome, reason: str = "") -> None:
        table, row = self._view.table, change.row
        values = [row.get(name) if row else change.sent.get(name) for name in table.keys]
        key = "|".join("" if value is None else str(value) for value in values)
        call, sent = f"CsiUpdate {table.ido}", {"properties": dict(change.sent)}
        self._site.attempts.append(Attempt(self._origin, call, table.ido, key, change.action, outcome, reason, sent))

    def _pass_over(self, changes: list[dict[str, Any]], reason: str) -> None:
        for raw in changes:
            self._record(_sketch(raw), "ignored", reason)

    def _take_back(self, before: int) -> None:
        attempts = self._site.attempts
        for at in range(before, len(attempts)):
            if attempts[at].outcome == "stored":
                attempts[at] = replace(attempts[at], outcome="refused", reason="taken back with a later change")


def _changes(body: Any, ido: str) -> list[dict[str, Any]]:  # noqa: ANN401 - whatever JSON came
    changes = body.get("Changes") if isinstance(body, dict) else None
    if not isinstance(changes, list) or not changes or not all(isinstance(change, dict) for change in changes):
        message = "Changes must be a list of changes"
        raise IdoError(message)
    if any(body.get(name) for name in ("CustomInsert", "CustomUpdate", "CustomDelete")):
        message = "Custom update methods are not available"
        raise IdoError(message)
    if body.get("IDOName", ido) != ido:
        message = f"IDOName {body['IDOName']} is not the IDO of the request, {ido}"
        raise IdoError(message)
    return changes


def _sketch(raw: dict[str, Any]) -> Change:
    """Return as much of a change as can be told before it is checked."""
    change = Change(
        action=ACTIONS.get(raw.get("Action"), "update"),
        item_id=str(raw.get("ItemId") or ""),
        number=raw.get("ItemNo", 0),
        locking=raw.get("UpdateLocking", 0),
    )
    for given in raw.get("Properties") or []:
        if isinstance(given, dict) and "Name" in given:
            change.sent[str(given["Name"])] = _text(given, "Value")
    return change


def _read(raw: dict[str, Any], change: Change, view: View) -> None:
    """Complete a change.

    Raises:
        IdoError: It is malformed, or asks for what is not simulated.
    """
    if raw.get("Action") not in ACTIONS:
        message = f"Invalid action {raw.get('Action')!r}"
        raise IdoError(message)
    for given in raw.get("Properties") or []:
        if not isinstance(given, dict) or "Name" not in given:
            message = "A property needs a Name"
            raise IdoError(message)
        if given.get("IsNestedCollection") or given.get("NestedCollection"):  # SIM: this product's are not served
            message = f"Nested collections are not available on IDO {view.table.ido}"
            raise IdoError(message)
        if isinstance(given.get("Value"), (bool, list, dict)):
            message = f"Value of property {given['Name']} must be a string"
            raise IdoError(message)
        name = view.column(str(given["Name"])).name
        if given.get("Modified"):  # without it nothing is written
            change.modified.add(name)
        if "OriginalValue" in given:
            change.original[name] = _text(given, "OriginalValue")


def _text(given: dict[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is None or (name == "Value" and given.get("IsNull")):
        return None
    return str(value)
