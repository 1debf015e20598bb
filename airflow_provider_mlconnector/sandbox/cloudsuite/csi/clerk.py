"""What everyone at a CSI screen has in common: the books, a name, and how bodies are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from airflow_provider_mlconnector.sandbox.cloudsuite.csi import setup
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Origin, Refused, Row, Table

if TYPE_CHECKING:
    from airflow_provider_mlconnector.sandbox.cloudsuite.csi.books import CsiBooks

Body = dict[str, Any]
Action = Callable[[Body], dict[str, Any]]
"""Does one thing and returns what was stored, in short; ``ValueError`` for what CSI would refuse."""
_TRUE, _FALSE = ("1", "true", "y", "yes"), ("0", "false", "n", "no", "")


class Clerk:
    """Works at the screens of the site."""

    def __init__(self, books: CsiBooks) -> None:
        self._books = books

    def actions(self) -> Mapping[str, Action]:
        """Return what can be done, by kind."""
        raise NotImplementedError

    def _table(self, ido: str) -> Table:
        return self._books.tables[ido]

    def _who(self) -> Origin:
        return self._books.site.person()

    def _row(self, ido: str, *key: object) -> Row:
        """Return a row by its key, padded or not.

        Raises:
            ValueError: If there is none.
        """
        found = self._table(ido).get(*key)
        if found is None:
            msg = f"{ido} {', '.join(str(part).strip() for part in key)} not found"
            raise ValueError(msg)
        return found

    def _vendor(self, body: Body) -> Row:
        return self._row("SLVendors", setup.vend_num(str(body["vendor"])))

    def _values(self, ido: str, body: Body, names: Mapping[str, str], ignored: tuple[str, ...]) -> Row:
        """Return the properties a body sets, by short name or by their own, as the table holds them.

        Raises:
            ValueError: If it names anything else, or a value is none of the property's.
        """
        columns, values = self._table(ido).columns, {}
        for name, value in body.items():
            if name in ignored:
                continue
            prop = names.get(name, name)
            if prop not in columns:
                msg = f"{ido} has no {name!r}"
                raise ValueError(msg)
            values[prop] = typed(columns[prop].kind, value)
        return values


def typed(kind: str, value: object) -> Any:  # noqa: ANN401 - whatever the property holds
    """Return a JSON value as a property of this kind holds it.

    Raises:
        Refused: If it cannot be one.
    """
    if value is None or (value == "" and kind != "text"):
        return None
    text = str(value)
    try:
        if kind == "number":
            return Decimal(text)
        if kind == "int":
            return int(text)
        if kind == "date":
            return date.fromisoformat(text[:10])
        if kind == "flag":
            return _flag(text)
    except (ValueError, InvalidOperation) as error:
        msg = f"{text!r} is no {kind}"
        raise Refused(msg) from error
    return text


def _flag(text: str) -> bool:
    if text.lower() not in (*_TRUE, *_FALSE):
        raise ValueError(text)
    return text.lower() in _TRUE
