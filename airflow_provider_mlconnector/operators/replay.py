"""The operator that takes up again what waits for a person; to be triggered from Airflow's pages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator, Context

from airflow_provider_mlconnector.operators.base import batch_of, is_true, log
from airflow_provider_mlconnector.operators.outcome import translated

if TYPE_CHECKING:
    from datetime import date

    from airflow_provider_mlconnector.hooks.runtime import Runtime
    from airflow_provider_mlconnector.store.records import Actor, DocumentRecord
    from airflow_provider_mlconnector.sync.orders import Decision, Order
    from airflow_provider_mlconnector.sync.replay import Replay, Selection

FIELDS: Final[Sequence[str]] = (
    "keys", "route", "states", "reason", "of_run", "dated_from", "dated_to", "why", "edits", "payload", "settled",
    "target_reference", "handled", "only_list",
)  # fmt: skip
_LISTED: Final = 50
NOT_BY_FORM: Final = frozenset({"supplier"})
"""Never corrected by a form: Airflow keeps what was typed readable, and a supplier's record has bank accounts."""


class ReplayDocumentsOperator(BaseOperator):
    """Take up again what was refused, parked, rejected or skipped; the next run of the route sends it.

    What the target holds stays as it is: it is looked up before anything is sent, also what somebody typed in there by
    hand in the meantime. An uncertain write is looked up, never sent again unless a person says what they saw. Running
    the task again does nothing twice: a document is replayed once per DAG run.

    All arguments are templated; lists may be JSON or one entry per line. At least ``keys``, ``of_run``, or a ``route``
    with something that narrows it down must be given.

    Args:
        why: Why, in a person's words; kept in the audit trail.
        keys: Ids, keys or numbers of documents.
        route: Only of this route.
        states: Only in these states.
        reason: Only stuck for this reason code.
        of_run: Only what this DAG run, or batch, has worked on.
        dated_from: Only documents of this date or later, such as 2026-01-31.
        dated_to: Only documents of this date or earlier.
        edits: Fields to correct in one document, by path: ``{"header.total.value": 225}``. Never of suppliers.
        payload: Or its whole corrected record, as the source would have sent it.
        settled: What somebody saw of one uncertain write in the target: ``executed`` or ``absent``.
        target_reference: Under which key they saw it executed.
        handled: Close documents changed after posting: the target was corrected by hand.
        only_list: Only tell what would be done.
        kwargs: Airflow's own arguments.

    Returns by XCom: ``{"batch_id", "store", "dry_run", "replayed": [ids], "left_alone": {id: why}}``, at most 50 each,
    and their ``counts``.
    """

    template_fields: Sequence[str] = FIELDS
    ui_color = "#e3f1ec"

    def __init__(
        self,
        *,
        why: str,
        keys: Sequence[str] | str = (),
        route: str = "",
        states: Sequence[str] | str = (),
        reason: str = "",
        of_run: str = "",
        dated_from: str = "",
        dated_to: str = "",
        edits: Mapping[str, Any] | str | None = None,
        payload: Mapping[str, Any] | str | None = None,
        settled: str = "",
        target_reference: str = "",
        handled: bool | str = False,
        only_list: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.why = why
        self.keys = keys
        self.route = route
        self.states = states
        self.reason = reason
        self.of_run = of_run
        self.dated_from = dated_from
        self.dated_to = dated_to
        self.edits = edits
        self.payload = payload
        self.settled = settled
        self.target_reference = target_reference
        self.handled = handled
        self.only_list = only_list

    def execute(self, context: Context) -> dict[str, Any]:
        """Survey, do, tell.

        Raises:
            AirflowFailException: Wrong usage, a document nobody knows, or nothing could be done; says why.
        """
        with translated():
            from airflow_provider_mlconnector.hooks.runtime import open_runtime
            from airflow_provider_mlconnector.sync.replay import ALREADY, Replay

            ti, actor = context["ti"], _actor(context)
            batch_id = batch_of(ti.dag_id, ti.run_id, ti.task_id)
            selection, order = self._selection(), self._order()
            with open_runtime() as runtime:

                def replay(wanted: Order) -> Replay:
                    return Replay(runtime.store, actor, wanted, batch_id=batch_id, clock=runtime.clock, once=True)

                surveyed = self._survey(replay(order), selection)
                order = self._with_correction(runtime, actor, order, surveyed)
                if order.correction:
                    surveyed = self._survey(replay(order), selection)
                done = surveyed if is_true(self.only_list) else _carried_out(replay(order), surveyed)
                result = self._told(done, batch_id=batch_id, store=runtime.store.id)
        undone = [decision for decision in done if decision.refused and decision.text != ALREADY]
        if undone and len(undone) == len(done):
            message = "Nothing was replayed: " + "; ".join(_line(one) for one in undone[:_LISTED])
            raise AirflowFailException(message)
        return result

    # --- what was asked for ------------------------------------------------------------------------------------------

    def _selection(self) -> Selection:
        from airflow_provider_mlconnector.documents.lifecycle import State
        from airflow_provider_mlconnector.sync.replay import Selection

        try:
            states = frozenset(State(name) for name in _entries(self.states))
        except ValueError as error:
            _wrong(f"{error}; choose from {', '.join(State)}")
        selection = Selection(
            keys=tuple(_entries(self.keys)),
            route=_text(self.route) or None,
            states=states,
            reason=_text(self.reason) or None,
            run=_text(self.of_run) or None,
            dated_from=_day(self.dated_from),
            dated_to=_day(self.dated_to),
        )
        if not selection.narrow:
            _wrong("name documents, a run, or a route with a state, a reason or dates")
        return selection

    def _order(self) -> Order:
        from airflow_provider_mlconnector.sync.orders import Order, Seen

        settled, reference, handled = _text(self.settled), _text(self.target_reference), is_true(self.handled)
        if not _text(self.why):
            _wrong("say why: it is kept in the audit trail")
        if settled and settled not in set(Seen):
            _wrong(f"{settled!r} is neither executed nor absent")
        if (settled == Seen.EXECUTED) != bool(reference):
            _wrong("what was seen executed, and under which key, go together")
        if sum(map(bool, (settled, handled, _object(self.edits), _object(self.payload)))) > 1:
            _wrong("what somebody saw, a closed change and a corrected payload are different things: one at a time")
        return Order(_text(self.why), Seen(settled) if settled else None, reference, handled)

    def _with_correction(self, runtime: Runtime, actor: Actor, order: Order, surveyed: Sequence[Decision]) -> Order:
        edits, payload = _object(self.edits), _object(self.payload)
        wanted = [decision.document for decision in surveyed if not decision.refused]
        if not (edits or payload or order.seen) or not wanted:
            return order
        if len(wanted) > 1:
            _wrong(f"this is for exactly one document, and {len(wanted)} match: {', '.join(map(_name, wanted))}")
        if order.seen:
            return order
        if wanted[0].document in NOT_BY_FORM:
            _wrong(f"{_name(wanted[0])} is corrected with `mlconnector replay --payload` only")
        from airflow_provider_mlconnector.errors import Rejected
        from airflow_provider_mlconnector.hooks.correcting import corrected

        try:
            body = json.dumps(payload).encode() if payload else b""
            return corrected(runtime, actor, order, wanted[0], payload=body, edits=edits)
        except Rejected as error:
            raise AirflowFailException(str(error)) from error

    def _survey(self, replay: Replay, selection: Selection) -> list[Decision]:
        from airflow_provider_mlconnector.sync.replay import unknown_keys

        found = replay.survey(selection)
        missing = unknown_keys(selection, found)
        if missing:
            message = f"No such document has the id, key or number {', '.join(missing)}: nothing done"
            raise AirflowFailException(message)
        return found

    def _told(self, done: Sequence[Decision], *, batch_id: str, store: str) -> dict[str, Any]:
        replayed = [one for one in done if not one.refused]
        left = [one for one in done if one.refused]
        for one in done[:_LISTED]:
            log.info("%s%s", "– " if one.refused else "", _line(one))
        would = "would be replayed (dry run)" if is_true(self.only_list) else "replayed; the next run takes them up"
        log.info("%d %s, %d left alone (batch %s, store %s)", len(replayed), would, len(left), batch_id, store)
        return {
            "batch_id": batch_id,
            "store": store,
            "dry_run": is_true(self.only_list),
            "replayed": [one.document.id for one in replayed[:_LISTED]],
            "left_alone": {one.document.id: one.text for one in left[:_LISTED]},
            "counts": {"replayed": len(replayed), "left_alone": len(left)},
        }


def _carried_out(replay: Replay, surveyed: Sequence[Decision]) -> list[Decision]:
    return [*replay.run(surveyed), *(decision for decision in surveyed if decision.refused)]


def _actor(context: Context) -> Actor:
    """Return the task try, and whom Airflow knows to have triggered the run (none for a schedule)."""
    from airflow_provider_mlconnector.store.records import Actor

    ti, person = context["ti"], getattr(context["dag_run"], "triggering_user_name", None)
    index = -1 if ti.map_index is None else ti.map_index
    return Actor(ti.dag_id, ti.run_id, ti.task_id, index, ti.try_number, user=person or "")


def _entries(value: Sequence[str] | str) -> list[str]:
    """Read a list that may have come through a template: JSON, or one entry per line."""
    if isinstance(value, str):
        text = _text(value)
        value = json.loads(text) if text.startswith("[") else text.splitlines()
    return [str(entry).strip() for entry in value if str(entry).strip()]


def _object(value: Mapping[str, Any] | str | None) -> dict[str, Any]:
    text = _text(value) if isinstance(value, str) else ""
    try:
        read = json.loads(text) if text else {} if isinstance(value, str) else value or {}
    except ValueError:
        read = None
    if not isinstance(read, Mapping):
        _wrong("the correction is not a JSON object")
    return dict(read)


def _day(value: object) -> date | None:
    from datetime import date

    text = _text(value)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        _wrong(f"{text!r} is not a date such as 2026-01-31")


def _text(value: object) -> str:
    """Read a text of a form; empty ones come as None or its words."""
    text = str(value or "").strip()
    return "" if text in {"None", "null", "[]", "{}"} else text


def _wrong(message: str) -> NoReturn:
    message = f"Wrong usage: {message}"
    raise AirflowFailException(message)


def _name(document: DocumentRecord) -> str:
    return f"{document.document.replace('_', ' ')} {document.number or document.key} (id {document.id})"


def _line(decision: Decision) -> str:
    return f"{_name(decision.document)} {decision.text}"
