"""`mlconnector audit …`: proof that nobody edited the audit trail."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from airflow_provider_mlconnector.cli.context import runtime
from airflow_provider_mlconnector.cli.output import NO, Json, console, plain, print_json
from airflow_provider_mlconnector.errors import ConfigurationError

if TYPE_CHECKING:
    from airflow_provider_mlconnector.store.records import ChainHead

app = typer.Typer(help="The audit trail: verify it, anchor it.", no_args_is_help=True)
AnchorFile = Annotated[
    Path | None, typer.Option("--file", help="Anchor file; the setting \\[mlconnector] anchor_file when left out.")
]


@app.command()
def verify(*, file: AnchorFile = None, json: Json = False) -> None:
    """Walk the whole audit trail and check it against its anchor. Exit code 1 when it does not hold."""
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
    with runtime() as opened:
        path = Path(file or opened.settings.anchor_file)
        if path == Path():
            message = "name a file with --file, or set [mlconnector] anchor_file"
            raise ConfigurationError(message, field="[mlconnector] anchor_file")
        earlier = read_anchor(str(path))
        behind = opened.store.behind(earlier) if earlier else ""
        if behind:
            message = f"{path} is kept, since this store does not continue it: {behind}"
            raise ConfigurationError(message, field="[mlconnector] anchor_file")
        head = opened.store.head()
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json_module.dumps(plain(head)) + "\n", encoding="utf-8")
    fresh.replace(path)
    if json:
        print_json(head)
    else:
        console().print(f"Store {head.store_id}: anchored event {head.seq} in {path}")


def read_anchor(path: str) -> ChainHead | None:
    """Read an anchor file; None where no file is named or it does not exist yet.

    Raises:
        ConfigurationError: The file is there, but it is no anchor.
    """
    from airflow_provider_mlconnector.store.records import ChainHead

    if not path or not Path(path).exists():
        return None
    try:
        return ChainHead(**json_module.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        message = f"{path} is not an anchor written by `mlconnector audit anchor`"
        raise ConfigurationError(message, field="[mlconnector] anchor_file") from None
