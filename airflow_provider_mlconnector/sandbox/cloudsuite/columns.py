"""Properties of an IDO: their kinds, lengths and how their values compare."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "number", "int", "date", "stamp", "flag"]
"""Python values: text ``str`` · number ``Decimal`` · int ``int`` · date ``date`` or naive ``datetime`` on the site's
calendar · stamp aware ``datetime`` · flag ``bool``; None everywhere."""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One property of an IDO.

    Attributes:
        name: As on the wire.
        length: Most characters of a text; None is any.
        kind: What its values are.
        decimals: Fixed places of a number on the wire.
        pad: Right-justified with blanks to this width, as keys are.
        readonly: Not taken from a client.
        required: A row is not inserted without it.
        default: What an unset value reads as.
        derive: Joined and derived properties: computes the value from the row; implies ``readonly``.
    """

    name: str
    length: int | None = None
    kind: Kind = "text"
    decimals: int = 8
    pad: int = 0
    readonly: bool = False
    required: bool = False
    default: Any = None
    derive: Callable[[Row], Any] | None = None

    @property
    def writable(self) -> bool:
        """Whether a client may set it."""
        return not self.readonly and self.derive is None

    def fitted(self, value: Any) -> Any:  # noqa: ANN401 - whatever the column holds
        """Return ``value`` with the blanks of a padded key in front."""
        return value.rjust(self.pad) if self.pad and isinstance(value, str) and value else value


COMMON = (
    Column("RowPointer", 36, readonly=True),
    Column("RecordDate", kind="stamp", readonly=True),
    Column("CreateDate", kind="stamp", readonly=True),
    Column("CreatedBy", 30, readonly=True),
    Column("UpdatedBy", 30, readonly=True),
    Column("NoteExistsFlag", kind="flag", readonly=True, default=False),
    Column("InWorkflow", kind="flag", readonly=True, default=False),
)
"""Properties of every IDO (``reference/cloudsuite.md §4a``, changed-since)."""


def folded(value: Any) -> Hashable:  # noqa: ANN401 - whatever a column holds
    """Return what two values of a column are compared by."""
    return value.rstrip().upper() if isinstance(value, str) else value
