"""`mlconnector documents` and `mlconnector show`: what is where and why, and one document's whole story."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from airflow_provider_mlconnector.cli.context import actor, runtime
from airflow_provider_mlconnector.cli.output import NO, Json, console, fail, plain, print_json, table

if TYPE_CHECKING:
    from airflow_provider_mlconnector.documents.lifecycle import State
    from airflow_provider_mlconnector.store.records import DocumentRecord, EventRecord, StepRecord

COLUMNS = ("id", "state", "number", "supplier", "kind", "amount", "dated", "why")

TOLD = ("planned", "match", "attempt", "remote", "result")
"""What of an event's detail people want to read; `--json` has all of it."""


def documents(
    *,
    state: Annotated[list[str] | None, typer.Option(help="Only this state; may be repeated.")] = None,
    route: Annotated[str | None, typer.Option(help="Only this route.")] = None,
    supplier: Annotated[str | None, typer.Option(help="Only this supplier.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only this reason code, such as unmapped_account.")] = None,
    batch: Annotated[str | None, typer.Option(help="Only documents extracted under this batch id.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 50,
    json: Json = False,
) -> None:
    """List documents with their state and what keeps them there."""
    states = states_named(state or [])
    with runtime() as opened, opened.store.unit_of_work(actor()) as uow:
        store_id = opened.store.id
        found = uow.documents.search(
            route=route, states=states or None, batch_id=batch, reason_code=reason, supplier=supplier, limit=limit
        )
        counts = uow.documents.count_states(route)
    if json:
        print_json({"store": store_id, "documents": found, "counts": counts})
        return
    out = console()
    out.print(f"Store {store_id}")
    out.print(table(COLUMNS, [_row(record) for record in found]))
    totals: dict[str, int] = {}
    for row in counts:
        totals[row.state] = totals.get(row.state, 0) + row.count
    out.print("In all: " + (", ".join(f"{count} {name}" for name, count in sorted(totals.items())) or "no documents"))


def show(
    key: Annotated[str, typer.Argument(help="Id, key, invoice number or source number.")],
    *,
    route: Annotated[str | None, typer.Option(help="Only this route.")] = None,
    json: Json = False,
) -> None:
    """Show everything that ever happened to a document, all its revisions included."""
    with runtime() as opened, opened.store.unit_of_work(actor()) as uow:
        store_id = opened.store.id
        found = uow.documents.find(key, route=route)
        steps = uow.steps.of([record.id for record in found])
        stories = [(record, steps.get(record.id, []), uow.events.of(record.id)) for record in found]
    if json:
        told = [{"document": one, "steps": parts, "events": events} for one, parts, events in stories]
        print_json({"store": store_id, "documents": told})
    else:
        console().print(f"Store {store_id}")
        for record, parts, events in stories:
            _tell(record, parts, events)
    if not stories:
        fail(f"no document has the id, key or number {key!r}", code=NO)


def states_named(names: list[str]) -> set[State]:
    """Return the states of these names; an unknown one is wrong usage."""
    from airflow_provider_mlconnector.documents.lifecycle import State

    known = {str(state): state for state in State}
    for name in names:
        if name not in known:
            message = f"{name!r} is no state; choose from {', '.join(known)}"
            raise typer.BadParameter(message, param_hint="--state")
    return {known[name] for name in names}


def _row(record: DocumentRecord) -> tuple[object, ...]:
    amount = f"{record.currency} {record.gross}".strip()
    return (
        record.id,
        record.state,
        record.number,
        record.supplier,
        record.kind,
        amount,
        record.document_date,
        record.reason,
    )


def _tell(record: DocumentRecord, steps: list[StepRecord], events: list[EventRecord]) -> None:
    out = console()
    title = f"{record.document} {record.number or record.key} of supplier {record.supplier or '?'}"
    out.print(f"\n[bold]{escape(title)}[/bold]  {record.currency} {record.gross}  [bold]{record.state}[/bold]")
    facts = f"  id {record.id}, route {record.route}, key {record.key}, revision {record.revision}"
    out.print(escape(facts + (f", in the target as {record.target_reference}" if record.target_reference else "")))
    if record.reason:
        out.print(f"  {escape(record.reason)}", soft_wrap=True)
    rows = [(step.name, step.state, step.attempt, step.remote_reference, step.our_reference) for step in steps]
    if rows:
        out.print(table(("step", "state", "attempts", "key in the target", "our reference"), rows))
    out.print(table(("event", "time (UTC)", "what", "change", "by", "why"), [_event_row(event) for event in events]))


def _event_row(event: EventRecord) -> tuple[object, ...]:
    change = f"{event.before} → {event.after}" if event.before and event.before != event.after else event.after
    told = [event.reason, *(f"{name}: {plain(event.detail[name])}" for name in TOLD if event.detail.get(name))]
    return (event.seq, f"{event.at:%Y-%m-%d %H:%M:%S}", event.kind, change, _who(event), "\n".join(filter(None, told)))


def _who(event: EventRecord) -> str:
    who = event.actor
    if who.user:
        return who.label
    mapped = f"[{who.map_index}]" if who.map_index >= 0 else ""
    return f"{who.task_id}{mapped} try {who.try_number}\n{who.run_id}"
