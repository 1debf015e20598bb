"""Documents: taking them in and finding them again. Claims and transitions are in ``claims`` and ``changes``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal, InvalidOperation
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    union,
)

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import DocumentRecord, NewDocument, StateCount
from airflow_provider_mlconnector.store.schema import documents
from airflow_provider_mlconnector.store.work import Work, clean

_NAMES = tuple(item.name for item in fields(DocumentRecord))
COLUMNS = tuple(documents.c[name] for name in _NAMES)
READ = select(*COLUMNS)
"""Built once: columns are what a statement is mostly made of."""
_in_order = itemgetter(*_NAMES)
_NEW_NAMES = tuple(item.name for item in fields(NewDocument) if item.name != "payload")
_new_values = attrgetter(*_NEW_NAMES)
SUMMARY_LIMIT = 255
REASON_LIMIT = 2000
_INSERTED = {name: column.type for name, column in documents.c.items()}
_GROSS_SCALE = 4  # the most any ISO 4217 currency uses
_GROSS_LIMIT = 10**12  # beyond it a sum of many could leave 64 bits


def record(row: Sequence[Any]) -> DocumentRecord:
    """Return a row of :data:`COLUMNS` as a record."""
    return DocumentRecord(*row)


def scaled_gross(gross: str) -> int | None:
    """Return an amount in 1/10,000 of the major unit for exact sums, None where unreadable."""
    try:
        value = Decimal(gross)
        if not value.is_finite() or abs(value) >= _GROSS_LIMIT:
            return None
        return int(value.scaleb(_GROSS_SCALE))
    except InvalidOperation:
        return None


def is_due(states: Collection[State] | BindParameter[Any], now: datetime | BindParameter[Any]) -> ColumnElement[bool]:
    """Return the condition for documents that may be worked on: in a state, due, and nobody holds them."""
    return and_(
        documents.c.state.in_(states),
        or_(documents.c.due_at.is_(None), documents.c.due_at <= now),
        or_(documents.c.lease_until.is_(None), documents.c.lease_until <= now),
    )


_COUNT_DUE = (
    select(func.count())
    .select_from(documents)
    .where(
        documents.c.route == bindparam("due_route"),
        is_due(bindparam("due_states", expanding=True), bindparam("due_now")),
    )
)


class DocumentQueries:
    """Taking documents in, and reading them."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def add_page(self, docs: Sequence[NewDocument]) -> list[DocumentRecord]:
        """Store the revisions that are not known yet, with one event each.

        Args:
            docs: A page, in the source's order.

        Returns:
            Only the newly stored, in that order.
        """
        if not docs:
            return []
        now = self._work.now()
        values = [_row(doc, doc_id, now) for doc, doc_id in zip(docs, self._work.new_ids(len(docs)), strict=True)]
        # one order for everybody: two workers storing the same page wait for each other instead of deadlocking
        ordered = sorted(values, key=lambda row: (row["key"], row["revision"]))
        source = self._work.rows("page", _INSERTED, ordered)
        statement = (
            self._work.insert(documents)
            .from_select(list(_INSERTED), select(*source.c).where(literal_column("1") == literal_column("1")))
            .on_conflict_do_nothing(index_elements=["route", "source", "tenant", "key", "revision"])
            .returning(documents.c.id)
        )
        stored = set(self._work.connection.scalars(statement))
        new = [(doc, row) for doc, row in zip(docs, values, strict=True) if row["id"] in stored]
        self._work.put_bodies("payload", [(row["id"], doc.payload) for doc, row in new])
        for doc, row in new:
            self._work.emit(
                str(doc.state),
                document_id=row["id"],
                after=str(doc.state),
                batch_id=doc.batch_id,
                reason_code=row["reason_code"],
                reason=doc.reason,
                detail={"key": row["key"], "revision": row["revision"], "source_hash": doc.source_hash},
            )
        return [record(_in_order(row)) for _, row in new]

    def revisions(self, route: str, source: str, tenant: str, keys: Collection[str]) -> dict[str, list[DocumentRecord]]:
        """Return every known revision of these keys, oldest first; unknown keys are missing."""
        wanted = self._work.rows("wanted", {"key": String()}, ({"key": clean(key)} for key in set(keys)))
        query = READ.where(
            documents.c.route == route,
            documents.c.source == source,
            documents.c.tenant == tenant,
            documents.c.key == wanted.c.key,
        ).order_by(documents.c.key, documents.c.id)
        found: dict[str, list[DocumentRecord]] = {}
        for item in self._records(query):
            found.setdefault(item.key, []).append(item)
        return found

    def get(self, document_id: str) -> DocumentRecord | None:
        """Return one document, None if there is none of that id."""
        found = self._records(READ.where(documents.c.id == document_id))
        return found[0] if found else None

    def get_many(self, ids: Iterable[str]) -> list[DocumentRecord]:
        """Return the documents of these ids, oldest first; unknown ids are missing."""
        wanted = self._work.id_rows(ids)
        return self._records(READ.where(documents.c.id == wanted.c.id).order_by(documents.c.id))

    def find(self, text: str, *, route: str | None = None, limit: int = 20) -> list[DocumentRecord]:
        """Find documents by what a person has at hand: id, source key, invoice number or the source's own number.

        Args:
            text: Exact but for upper and lower case (ASCII letters).
            route: Only of this route.
            limit: At most so many, newest first.
        """
        wanted = func.lower(clean(text.strip()))
        # by way of the ids, each from an index of its own: with the route beside them, an OR reads the whole route
        meant = documents.alias("meant")
        columns = (meant.c.id, func.lower(meant.c.key), func.lower(meant.c.number), func.lower(meant.c.source_number))
        ids = union(*(select(meant.c.id).where(column == wanted) for column in columns))
        query = READ.where(documents.c.id.in_(ids))
        if route is not None:
            # as an expression, so that SQLite does not go through the route's index after all
            query = query.where(documents.c.route.concat("") == route)
        return self._records(query.order_by(documents.c.id.desc()).limit(limit))

    def numbered(self, route: str, numbers: Collection[str]) -> list[DocumentRecord]:
        """Return the documents of a route under any of these numbers, oldest first; upper and lower case are the same.

        One query for any number of them.
        """
        wanted = self._work.rows("wanted", {"number": String()}, ({"number": clean(number)} for number in numbers))
        # by way of the ids, as in find
        meant = documents.alias("meant")
        ids = select(meant.c.id).where(func.lower(meant.c.number) == func.lower(wanted.c.number))
        query = READ.where(documents.c.id.in_(ids), documents.c.route.concat("") == route)
        return self._records(query.order_by(documents.c.id))

    def search(
        self,
        *,
        route: str | None = None,
        states: Collection[State] | None = None,
        batch_id: str | None = None,
        reason_code: str | None = None,
        supplier: str | None = None,
        limit: int = 100,
        after_id: str | None = None,
    ) -> list[DocumentRecord]:
        """List documents.

        Args:
            route: Only of this route.
            states: Only in one of these states.
            batch_id: Only of this batch.
            reason_code: Only stuck for this reason.
            supplier: Only of this supplier (exact).
            limit: At most so many.
            after_id: None lists newest first. Otherwise pages upwards: those after this id, oldest first ("" starts).
        """
        query = READ
        wanted = {"route": route, "batch_id": batch_id, "reason_code": reason_code, "supplier": supplier}
        for name, value in wanted.items():
            if value is not None:
                query = query.where(documents.c[name] == value)
        if states is not None:
            query = query.where(documents.c.state.in_(states))
        if after_id is not None:
            query = query.where(documents.c.id > after_id).order_by(documents.c.id)
        else:
            query = query.order_by(documents.c.id.desc())
        return self._records(query.limit(limit))

    def due(
        self, route: str, states: Collection[State], *, now: datetime, limit: int, chunk_id: str | None = None
    ) -> list[DocumentRecord]:
        """Return documents that may be worked on now, oldest first, without claiming them."""
        query = READ.where(documents.c.route == route, is_due(states, now))
        if chunk_id is not None:
            # by way of the ids: SQLite would go through everything the route has waiting, once per chunk
            members = documents.alias("members")
            chunk = select(members.c.id).where(members.c.chunk_id == chunk_id)
            query = query.where(documents.c.chunk_id == chunk_id, documents.c.id.in_(chunk))
        return self._records(query.order_by(documents.c.id).limit(limit))

    def count_due(self, route: str, states: Collection[State], *, now: datetime) -> int:
        """Return how many documents :meth:`due` would list without a limit."""
        given = {"due_route": route, "due_states": list(states), "due_now": now}
        return self._work.connection.scalar(_COUNT_DUE, given) or 0

    def payloads(self, ids: Collection[str]) -> dict[str, bytes]:
        """Return the payloads in force by document id: a person's latest correction, else the source's own."""
        return {key: versions[-1] for key, versions in self._work.get_versions("payload", ids).items()}

    def payload_versions(self, document_id: str) -> list[bytes]:
        """Return a document's payload as extracted, then every correction of it, oldest first."""
        return self._work.get_versions("payload", [document_id]).get(document_id, [])

    def correct(self, document_id: str, payload: bytes) -> int:
        """Put a corrected payload in force, beside the source's own and earlier corrections.

        The revision stays: its identity, and the reference it carries into the target, must not change, or an earlier
        attempt could no longer be found there. Apply a change of the document in the same transaction: it guards this.

        Returns:
            The number of the correction, from 1.
        """
        return self._work.add_version("payload", document_id, payload)

    def canonicals(self, ids: Collection[str]) -> dict[str, bytes]:
        """Return the canonical documents by document id; those not decoded yet are missing."""
        return self._work.get_bodies("canonical", ids)

    def count_states(self, route: str | None = None, *, batch_id: str | None = None) -> list[StateCount]:
        """Count documents and sum their gross amounts per state and currency.

        Credit memos, whose amounts are positive, are subtracted; unreadable amounts count as zero.
        """
        columns = (documents.c.state, documents.c.currency)
        is_credit = func.lower(documents.c.kind).like("%credit%")  # ours, or the source's own word before validation
        signed = case((is_credit, -documents.c.gross_e4), else_=documents.c.gross_e4)
        query: Select[Any] = select(*columns, func.count(), func.sum(signed))
        if route is not None:
            query = query.where(documents.c.route == route)
        if batch_id is not None:
            query = query.where(documents.c.batch_id == batch_id)
        rows = self._work.connection.execute(query.group_by(*columns).order_by(*columns))
        return [
            StateCount(state, currency, count, Decimal(int(total or 0)).scaleb(-_GROSS_SCALE))
            for state, currency, count, total in rows
        ]

    def reasons(self, route: str, states: Collection[State]) -> list[tuple[str, str, str, int]]:
        """Group stuck documents by cause: ``(reason_code, reason_subject, a sample reason, count)``, largest first."""
        columns = (documents.c.reason_code, documents.c.reason_subject)
        count = func.count()
        query = (
            select(*columns, func.min(documents.c.reason), count)
            .where(documents.c.route == route, documents.c.state.in_(states))
            .group_by(*columns)
            .order_by(count.desc(), *columns)
        )
        rows = self._work.connection.execute(query)
        return [(code, subject, sample, number) for code, subject, sample, number in rows]

    def _records(self, query: Select[Any]) -> list[DocumentRecord]:
        return [record(row) for row in self._work.connection.execute(query)]


def _row(doc: NewDocument, document_id: str, now: datetime) -> Mapping[str, Any]:
    """Return a new document as a row; what people type is cut to what a list can show."""
    row: dict[str, Any] = dict.fromkeys(_INSERTED, "")
    row.update(zip(_NEW_NAMES, _new_values(doc), strict=True))
    for name in ("number", "supplier", "kind", "currency", "gross", "source_number", "business_unit", "reason_code"):
        row[name] = clean(row[name], SUMMARY_LIMIT)
    row["reason"] = clean(row["reason"], REASON_LIMIT)
    row["key"], row["revision"] = clean(row["key"]), clean(row["revision"])
    row.update(dict.fromkeys(("lease_until", "due_at", "mapping_version")))
    row.update(
        id=document_id,
        previous_state=doc.state,
        generation=0,
        gross_e4=scaled_gross(doc.gross),
        created_at=now,
        updated_at=now,
    )
    return row
