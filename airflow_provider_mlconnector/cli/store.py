"""`mlconnector store …`: the store's tables, keys and health."""

from __future__ import annotations

import base64
import secrets

import typer
from rich.markup import escape

from airflow_provider_mlconnector.cli.context import runtime
from airflow_provider_mlconnector.cli.output import NO, Json, console, plain, print_json, table

app = typer.Typer(help="The connector's own database.", no_args_is_help=True)


@app.command()
def upgrade(*, json: Json = False) -> None:
    """Create the store's tables or bring them up to date."""
    with runtime() as opened:
        revision = opened.store.upgrade()
        found = {"store": opened.store.id, "revision": revision}
    if json:
        print_json(found)
    else:
        console().print(f"Store {found['store']} is at schema {revision}")


@app.command()
def check(*, json: Json = False) -> None:
    """Tell whether schema, keys and audit anchor fit; changes nothing. Exit code 1 when something is wrong."""
    from airflow_provider_mlconnector.hooks.anchor import read_anchors

    with runtime() as opened:
        found = opened.store.check(*read_anchors(opened.settings.anchor_file))
    if json:
        print_json({**plain(found), "ok": found.ok})
    else:
        out = console()
        out.print(f"Store {found.store_id or '(none)'}  {escape(found.database)}")
        out.print(f"schema {found.revision or 'none'}, this version needs {found.wanted_revision}")
        out.print(table(("rows", ""), list(found.counts.items())))
        for problem in found.problems:
            out.print(f"[red]Problem:[/red] {escape(problem)}", soft_wrap=True)
        if found.ok:
            out.print("[green]All is well.[/green]")
    if not found.ok:
        raise typer.Exit(NO)


@app.command()
def keys() -> None:
    """Print fresh keys for airflow.cfg. Keep them in your secrets store: without them the documents are unreadable."""

    def fresh() -> str:
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()

    console().print(f"\\[mlconnector]\nencryption_keys = k1:{fresh()}\naudit_key = {fresh()}", soft_wrap=True)
