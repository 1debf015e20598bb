"""`mlconnector audit …`: proof that nobody edited the audit trail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from airflow_provider_mlconnector.cli.context import runtime
from airflow_provider_mlconnector.cli.output import NO, Json, console, plain, print_json

app = typer.Typer(help="The audit trail: verify it, anchor it.", no_args_is_help=True)
AnchorFile = Annotated[
    Path | None, typer.Option("--file", help="Anchor file; the setting \\[mlconnector] anchor_file when left out.")
]


@app.command()
def verify(*, file: AnchorFile = None, json: Json = False) -> None:
    """Walk the whole audit trail and check it against its anchor. Exit code 1 when it does not hold."""
    from airflow_provider_mlconnector.hooks.anchor import read_anchor

    with runtime() as opened:
        anchor = read_anchor(str(file or opened.settings.anchor_file))
        found = opened.store.verify_chain()
        behind = opened.store.behind(anchor) if anchor else ""
    if json:
        print_json({**plain(found), "store": found.head.store_id, "anchored": anchor is not None, "behind": behind})
    else:
        out = console()
        out.print(f"Store {found.head.store_id}")
        if found.ok:
            out.print(f"[green]All {found.events} events hold[/green], the last is {found.head.seq}")
        else:
            bad = f"event {found.bad_seq}: " if found.bad_seq is not None else ""
            out.print(f"[red]The audit trail was altered:[/red] {bad}{escape(found.reason)}", soft_wrap=True)
        if behind:
            out.print(f"[red]The store does not fit its anchor:[/red] {escape(behind)}", soft_wrap=True)
        elif anchor:
            out.print(f"It continues the anchor at event {anchor.seq}")
        else:
            out.print("No anchor to compare with: an anchor outside the database also proves that nothing was cut off")
    if not found.ok or behind:
        raise typer.Exit(NO)


@app.command()
def anchor(*, file: AnchorFile = None, json: Json = False) -> None:
    """Write the end of the audit trail to a file outside the database."""
    from airflow_provider_mlconnector.hooks.anchor import write_anchor

    with runtime() as opened:
        path = str(file or opened.settings.anchor_file)
        head = write_anchor(opened.store, path)
    if json:
        print_json(head)
    else:
        console().print(f"Store {head.store_id}: anchored event {head.seq} in {path}")
