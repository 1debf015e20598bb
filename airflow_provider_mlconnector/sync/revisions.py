"""One key, many revisions: which one may go on, and what the others mean for it (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields
from typing import Any, Final

from airflow_provider_mlconnector.documents.lifecycle import IN_FLIGHT, IN_TARGET, REPLACEABLE, State
from airflow_provider_mlconnector.documents.model import Document
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.store import UnitOfWork
from airflow_provider_mlconnector.store.records import Change, DocumentRecord, NewDocument, StepState
from airflow_provider_mlconnector.sync.kinds import DocumentKind
from airflow_provider_mlconnector.sync.links import held_result
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.sync.verdicts import EXECUTED
from airflow_provider_mlconnector.systems.ports import Known

_AGAIN: Final = "+"
"""Between a revision and the count of its repetitions; sorts behind the revision and before any later one."""
_SHOWN_AFTER: Final = "~"
"""Between a revision and one that its source shows later under an older stamp; sorts behind repetitions."""
_FEW: Final = 100


class Superseded(Exception):
    """A newer revision of the same key is in the store."""


class Unchanged(Exception):
    """The revision says nothing new about a document the target already holds."""


def check_revision(
    uow: UnitOfWork,
    route: Route,
    kind: DocumentKind,
    record: DocumentRecord,
    history: Sequence[DocumentRecord],
    document: Any,  # noqa: ANN401 - any kind of document
    decode: Callable[[bytes], Any],
) -> Known | None:
    """Let a revision pass if it is the newest and no other of its key is on its way to the target.

    Older revisions that never left are superseded on the way.

    Args:
        uow: The transaction.
        route: The documents' route.
        kind: Whether a revision of what the target holds may be written there.
        record: The revision.
        history: Every revision of its key, itself included, as this transaction found them.
        document: The revision, decoded.
        decode: The source's codec.

    Returns:
        What the target holds of it, None when nothing.

    Raises:
        Superseded: A newer one exists, and nothing of this one is in the target; what is partly there is finished.
        Unchanged: An older one is in the target and says the same.
        Parked: ``changed_after_posting`` with the difference (for a kind that is not revisable), or
            ``earlier_in_flight``.
    """
    others = [other for other in history if other.id != record.id]
    if not others:
        return None
    newer = [other for other in others if other.revision > record.revision]
    if newer and never_left(uow, [record]):
        raise Superseded(f"revision {newer[-1].revision} is newer")  # noqa: TRY003, EM102 - a verdict, not an error
    older = [other for other in others if other.revision < record.revision]
    known: Known | None = None
    for other in older:
        if other.state in IN_FLIGHT:
            text = f"revision {other.revision} is on its way to the target; this one waits until that is settled"
            raise Parked(text, code="earlier_in_flight", subject=other.id)
    held = max((other for other in older if other.state in IN_TARGET), key=lambda o: o.revision, default=None)
    if held is not None:
        known = known_of(uow, route, kind, held, decode)
        if not is_reassertion(record.revision) and not _owed_a_repetition(older, held):
            _compare(kind, held, known.document, document)
    outside = [other for other in older if other.state not in IN_TARGET]
    left = {other.id for other in outside} - {other.id for other in never_left(uow, outside)}
    if left:
        text = "an older revision is partly in the target; finish that one first"
        raise Parked(text, code="earlier_in_flight", subject=min(left))
    supersede(uow, outside, by=record.revision)
    return known


def _owed_a_repetition(older: Sequence[DocumentRecord], held: DocumentRecord) -> bool:
    """Whether a repetition was asked for since, and this revision takes its place before it was written."""
    lost = REPLACEABLE | {State.SUPERSEDED}
    return any(
        other.revision > held.revision and other.state in lost and is_reassertion(other.revision) for other in older
    )


def known_of(
    uow: UnitOfWork,
    route: Route,
    kind: DocumentKind,
    held: DocumentRecord,
    decode: Callable[[bytes], Any],
) -> Known:
    """Return what the target holds of a document, as the store remembers it."""
    kept = uow.documents.canonicals([held.id]).get(held.id)
    document = kind.model.model_validate_json(kept) if kept else decode(uow.documents.payloads([held.id])[held.id])
    return Known(held.revision, document, held_result(uow, route, held))


def never_left(uow: UnitOfWork, documents: Sequence[DocumentRecord]) -> list[DocumentRecord]:
    """Return the documents none of whose steps the target has executed, or may have."""
    steps = uow.steps.of([document.id for document in documents])
    touched = EXECUTED | {StepState.SENDING, StepState.UNCERTAIN}
    return [document for document in documents if not any(step.state in touched for step in steps[document.id])]


def supersede(uow: UnitOfWork, older: Sequence[DocumentRecord], *, by: str) -> None:
    """Take older revisions of a key out of the way, as far as nothing of them reached the target."""
    text = f"revision {by} arrived before this one was posted"
    replaceable = never_left(uow, [other for other in older if other.state in REPLACEABLE])
    uow.documents.apply_each(
        [Change(other, State.SUPERSEDED, reason_code="superseded", reason=text) for other in replaceable]
    )


def _compare(kind: DocumentKind, posted: DocumentRecord, before: Any, after: Any) -> None:  # noqa: ANN401 - any kind of document
    difference = differences(before, after, ignored=kind.unrevised)
    if not difference:
        raise Unchanged(f"same content as revision {posted.revision}, which the target holds")  # noqa: TRY003, EM102
    if kind.revisable:
        return
    text = (
        f"changed at the source after revision {posted.revision} was posted: {'; '.join(difference)}. Correct the "
        "target by hand or reverse it there; nothing was sent."
    )
    raise Parked(text, code="changed_after_posting", subject=posted.id)


def differences(before: Document, after: Document, *, ignored: AbstractSet[str] = frozenset({"revision"})) -> list[str]:
    """Name what differs between two revisions in words, field by field; empty when only ``ignored`` fields do."""
    old, new = (document.model_dump(mode="json", exclude=set(ignored)) for document in (before, after))
    changed = [name for name in old if old[name] != new[name]]
    return [
        f"{name} ({len(old[name])} → {len(new[name])})"
        if isinstance(old[name], list)
        else f"{name} {old[name]} → {new[name]}"
        for name in changed
    ]


def is_reassertion(revision: str) -> bool:
    """Tell whether a revision repeats the one before it because the other side has lost it (see :func:`reassert`)."""
    return _AGAIN in revision


def base_revision(revision: str) -> str:
    """Return the revision a repetition repeats; any other revision is its own."""
    return revision.partition(_AGAIN)[0]


def stamp_of(revision: str) -> str:
    """Return what the source itself calls a revision."""
    return base_revision(revision).rpartition(_SHOWN_AFTER)[2]


def behind(newest: str, stamp: str) -> str:
    """Return a revision's name in the store: its stamp, with as much in front that it sorts behind the newest one.

    A stamp is older than one known where the source's clock was set back, or where what bore the newer one was deleted.

    Args:
        newest: The newest revision known of the key.
        stamp: What the source calls the one it shows now.
    """
    parts = base_revision(newest).split(_SHOWN_AFTER)
    names = (_SHOWN_AFTER.join((*parts[:kept], stamp)) for kept in range(len(parts) + 1))
    return next(name for name in names if name > newest)


def reassert(uow: UnitOfWork, route: str, key: str, *, because: str) -> bool:
    """Let the opposite route write a document once more, although its source has not changed (FINANCE §7).

    The other side has overwritten a field it does not own; nothing at the owner tells of that.

    Args:
        uow: The transaction.
        route: The opposite route.
        key: The document's key at the owner.
        because: What was lost, for people.

    Returns:
        False when the opposite route has nothing to repeat: it does not know the document, or has it in hand anyway.
    """
    found = [other for other in uow.documents.find(key, route=route, limit=_FEW) if other.key == key]
    newest = max(found, key=lambda other: other.revision, default=None)
    if newest is None or newest.state not in IN_TARGET | {State.SKIPPED}:
        return False
    base, _, times = newest.revision.partition(_AGAIN)
    again = {field.name: getattr(newest, field.name) for field in fields(NewDocument) if hasattr(newest, field.name)}
    again |= {
        "revision": f"{base}{_AGAIN}{int(times or 0) + 1:04d}",
        "payload": uow.documents.payloads([newest.id])[newest.id],
        "state": State.EXTRACTED,
        "reason_code": "reasserted",
        "reason": because,
    }
    return bool(uow.documents.add_page([NewDocument(**again)]))
