"""What the IDO service is asked for. Import these from :mod:`.ido`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


@dataclass(frozen=True, slots=True)
class Query:
    """What to load.

    Attributes:
        ido: The IDO.
        needs: Properties without which a flow cannot do.
        likes: Properties asked for where the tenant's version has them; null in every row where it has not.
        variants: The same for names of which a version has one or another: what it lacks is not missed.
        where: See :mod:`.filters`.
        order: Properties to sort by; the service appends the record's key.
        locks: Return ``_ItemId`` too, for changes.
    """

    ido: str
    needs: tuple[str, ...]
    likes: tuple[str, ...] = ()
    variants: tuple[str, ...] = field(default=(), kw_only=True)
    where: str = ""
    order: tuple[str, ...] = ()
    locks: bool = False


class Action(IntEnum):
    """What a change does."""

    INSERT = 1
    UPDATE = 2
    DELETE = 4


@dataclass(frozen=True, slots=True)
class Change:
    """One record to write.

    Attributes:
        action: What to do with it.
        properties: Values to set, as CSI writes them (see :mod:`.values`); None sets null. Left out for a delete.
        item_id: ``_ItemId`` of the record as it was read: the change is refused if it has been changed since. Empty:
            an insert, or a record found by its key properties, without a lock.
    """

    action: Action
    properties: Mapping[str, str | None] = field(default_factory=dict)
    item_id: str = ""
