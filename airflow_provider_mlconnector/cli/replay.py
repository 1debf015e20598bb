"""`mlconnector replay`: take up again what waits for a person, or say what became of it."""

from __future__ import annotations

import getpass
import json as json_module
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.markup import escape

from airflow_provider_mlconnector.cli.context import runtime
from airflow_provider_mlconnector.cli.documents import states_named
from airflow_provider_mlconnector.cli.output import NO, Json, console, fail, print_json, table
from airflow_provider_mlconnector.errors import ConfigurationError

if TYPE_CHECKING:
    from airflow_provider_mlconnector.hooks.runtime import Runtime
    from airflow_provider_mlconnector.store.records import Actor, DocumentRecord
    from airflow_provider_mlconnector.sync.orders import Decision, Order
    from airflow_provider_mlconnector.sync.replay import Selection

COLUMNS = ("number", "supplier", "amount", "state", "it", "stuck because")
_SHOWN = 50
"""Rows of a listing; `--json` has all of them."""
_SEEN = ("executed", "absent")
DAYS = ["%Y-%m-%d"]
_ANY: dict[str, Any] = {
    "route": None, "states": frozenset(), "reason": None, "run": None, "dated_from": None, "dated_to": None,
}  # fmt: skip


def replay(
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="KEY", help="Id, key or number; any number of them.")
    ] = None,
    *,
    why: Annotated[str, typer.Option(help="Why, in your words; kept in the audit trail.")],
    route: Annotated[str | None, typer.Option(help="Only of this route; needed without KEY or --run.")] = None,
    state: Annotated[list[str] | None, typer.Option(help="Only in this state; may be repeated.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only stuck for this reason code, such as period_closed.")] = None,
    run: Annotated[str | None, typer.Option(help="Only what this DAG run, or batch, has worked on.")] = None,
    dated_from: Annotated[datetime | None, typer.Option("--from", formats=DAYS, help="Only dated so or later.")] = None,
    dated_to: Annotated[datetime | None, typer.Option("--to", formats=DAYS, help="Only dated so or earlier.")] = None,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="Correct a field of one document, such as lines[0].amount=5; repeatable.",
        ),
    ] = None,
    payload: Annotated[Path | None, typer.Option(help="The source's record as JSON, corrected; one document.")] = None,
    settled: Annotated[
        str | None, typer.Option(help="What you saw of one uncertain write in the target: executed or absent.")
    ] = None,
    target_reference: Annotated[str, typer.Option(help="Under which key you saw it executed: journal, entry.")] = "",
    handled: Annotated[
        bool, typer.Option("--handled", help="Close documents changed after posting: you corrected the target.")
    ] = False,
    user: Annotated[str, typer.Option(help="Who decides, where the login does not tell.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be done.")] = False,
    json: Json = False,
) -> None:
    """Take up again what was refused, parked, rejected or skipped; sends nothing itself, the next run does.

    What the target has already executed of a document stays executed. An uncertain write is looked up, never sent
    again. Lists what it will do and asks. Exit code 1: nothing could be done, or something had moved meanwhile.
    """
    narrowed = bool(state or reason or dated_from or dated_to)
    _check_usage(keys or [], why=why, narrow=bool(run or (route and narrowed)))
    if json and not (yes or dry_run):
        _wrong("JSON cannot ask: add --yes or --dry-run", "--json")
    edits = _edits(change or [])
    _check_statement(settled, target_reference=target_reference, handled=handled, corrected=[payload, edits])
    states = states_named(state or [])
    with runtime() as opened:
        from airflow_provider_mlconnector.sync.orders import Order, Seen
        from airflow_provider_mlconnector.sync.replay import Selection

        days = (moment and moment.date() for moment in (dated_from, dated_to))
        selection = Selection(tuple(keys or ()), route, frozenset(states), reason, run, *days)
        order = Order(why.strip(), Seen(settled) if settled else None, target_reference.strip(), handled)
        desk = _Desk(opened, _person(user), json=json)
        desk.work(selection, order, _Correction(payload, edits), ask=not yes, dry_run=dry_run)


@dataclass(frozen=True, slots=True)
class _Correction:
    """What to put in the place of one document's payload: a file, or single fields."""

    payload: Path | None
    edits: dict[str, object]

    def __bool__(self) -> bool:
        return bool(self.payload or self.edits)


class _Desk:
    """One call of the command: survey, tell, ask, do, tell."""

    def __init__(self, opened: Runtime, actor: Actor, *, json: bool) -> None:
        self._opened = opened
        self._actor = actor
        self._json = json
        self._batch = f"replay.{datetime.now(UTC):%Y%m%dT%H%M%S}"

    def work(self, selection: Selection, order: Order, correction: _Correction, *, ask: bool, dry_run: bool) -> None:
        surveyed = self._survey(selection, order)
        if order.seen or correction:
            chosen = _the_one(surveyed)
            if correction:
                order = self._corrected(order, chosen, correction)
                surveyed = self._survey(selection, order)
        wanted = [decision for decision in surveyed if not decision.refused]
        if not self._json:
            self._list(surveyed, order)
        done: list[Decision] = []
        if wanted and not dry_run:
            if ask:
                typer.confirm(f"Do this with {_documents(len(wanted))}?", abort=True)
            done = self._carry_out(order, surveyed)
        self._tell(surveyed, done, dry_run=dry_run)
        if (surveyed and not wanted) or any(decision.refused for decision in done):
            raise typer.Exit(NO)

    def _survey(self, selection: Selection, order: Order) -> list[Decision]:
        from airflow_provider_mlconnector.sync.replay import unknown_keys

        found: list[Decision] = self._replay(order).survey(selection)
        missing = unknown_keys(selection, found)
        if missing:
            where = " there" if selection != replace(selection, **_ANY) else ""
            fail(f"no document{where} has the id, key or number {', '.join(map(repr, missing))}: nothing done", code=NO)
        return found

    def _carry_out(self, order: Order, surveyed: list[Decision]) -> list[Decision]:
        done: list[Decision] = self._replay(order).run(surveyed)
        return done

    def _replay(self, order: Order) -> Any:  # noqa: ANN401 - imported when a command runs
        from airflow_provider_mlconnector.sync.replay import Replay

        opened = self._opened
        return Replay(opened.store, self._actor, order, batch_id=self._batch, clock=opened.clock)

    def _corrected(self, order: Order, document: DocumentRecord, correction: _Correction) -> Order:
        from airflow_provider_mlconnector.hooks.correcting import corrected

        payload = _read(correction.payload) if correction.payload else b""
        return corrected(self._opened, self._actor, order, document, payload=payload, edits=correction.edits)

    # --- telling -----------------------------------------------------------------------------------------------------

    def _list(self, surveyed: list[Decision], order: Order) -> None:
        out = console()
        out.print(f"Store {self._opened.store.id}")
        out.print(table(COLUMNS, [_row(decision) for decision in surveyed[:_SHOWN]]))
        if len(surveyed) > _SHOWN:
            out.print(f"… and {len(surveyed) - _SHOWN} more")
        if order.correction:
            out.print("The payload changes:")
            for difference in order.correction.differences[:_SHOWN]:
                out.print(f"  {escape(difference)}", soft_wrap=True)

    def _tell(self, surveyed: list[Decision], done: list[Decision], *, dry_run: bool) -> None:
        moved = [decision for decision in done if decision.refused]
        left = [decision for decision in surveyed if decision.refused] + moved
        if self._json:
            print_json(
                {
                    "store": self._opened.store.id,
                    "batch_id": self._batch,
                    "dry_run": dry_run,
                    "replayed": [_told(d) for d in (surveyed if dry_run else done) if not d.refused],
                    "left_alone": [_told(decision) for decision in left],
                }
            )
            return
        out = console()
        for decision in moved:
            out.print(escape(f"{_title(decision.document)} {decision.text}"), soft_wrap=True)
        would = "Dry run, nothing changed: " if dry_run else ""
        count = len(surveyed) - len(left) if dry_run else len(done) - len(moved)
        rest = f", {len(left)} left alone" if left else ""
        verb = "would be replayed" if dry_run else "replayed"
        out.print(f"{would}{_documents(count)} {verb}{rest}" + ("" if dry_run else f" (batch {self._batch})"))


def _check_usage(keys: list[str], *, why: str, narrow: bool) -> None:
    if not why.strip():
        _wrong("say why: it is kept in the audit trail", "--why")
    if any(not key.strip() for key in keys):
        _wrong("a key is empty", "KEY")
    if not keys and not narrow:
        _wrong("name documents, a --run, or a --route with --state or --reason or dates", "KEY")


def _check_statement(settled: str | None, *, target_reference: str, handled: bool, corrected: Sequence[object]) -> None:
    if settled is not None and settled not in _SEEN:
        _wrong(f"{settled!r} is neither executed nor absent", "--settled")
    if (settled == "executed") != bool(target_reference.strip()):
        _wrong("--settled executed and --target-reference go together: say where you saw it", "--target-reference")
    if sum(map(bool, (settled, handled, *corrected))) > 1:
        _wrong("--settled, --handled, --payload and --set are different things: one at a time", "--settled")


def _edits(changes: list[str]) -> dict[str, object]:
    """Read fields to correct; a value that is no JSON is text."""
    edits: dict[str, object] = {}
    for change in changes:
        path, equals, value = change.partition("=")
        if not equals or not path.strip():
            _wrong(f"{change!r} is not written as PATH=VALUE", "--set")
        try:
            edits[path.strip()] = json_module.loads(value)
        except ValueError:
            edits[path.strip()] = value
    return edits


def _wrong(message: str, option: str) -> NoReturn:
    raise typer.BadParameter(message, param_hint=option)


def _person(user: str) -> Actor:
    """Return who decides; the login is kept beside a name that was only claimed."""
    from airflow_provider_mlconnector.store.records import Actor

    login, named = getpass.getuser(), user.strip()
    return Actor(user=f"{named} (login {login})" if named and named != login else login)


def _the_one(surveyed: list[Decision]) -> DocumentRecord:
    """Return the only document something can be done with."""
    wanted = [decision.document for decision in surveyed if not decision.refused]
    if not wanted:
        told = "; ".join(f"{_title(decision.document)} {decision.text}" for decision in surveyed) or "none matches"
        fail(f"this is for exactly one document: {told}", code=NO)
    if len(wanted) > 1:
        named = ", ".join(f"{_title(document)} (id {document.id})" for document in wanted)
        fail(f"this is for exactly one document, and {len(wanted)} match: {named}. Name one by its id", code=NO)
    return wanted[0]


def _read(payload: Path) -> bytes:
    try:
        return payload.read_bytes()
    except OSError as error:
        message = f"{payload} cannot be read ({type(error).__name__})"
        raise ConfigurationError(message, field="payload file") from None


def _title(document: DocumentRecord) -> str:
    return f"{document.document.replace('_', ' ')} {document.number or document.key}"


def _documents(count: int) -> str:
    return f"{count} document" + ("" if count == 1 else "s")


def _row(decision: Decision) -> tuple[object, ...]:
    document = decision.document
    amount = f"{document.currency} {document.gross}".strip()
    name = document.number or document.key
    mark = "– " if decision.refused else ""
    return name, document.supplier, amount, document.state, mark + decision.text, document.reason


def _told(decision: Decision) -> dict[str, object]:
    document = decision.document
    return {
        "id": document.id,
        "route": document.route,
        "key": document.key,
        "number": document.number,
        "state": document.state,
        "to": decision.to,
        "text": decision.text,
        "due_at": decision.due_at,
    }
