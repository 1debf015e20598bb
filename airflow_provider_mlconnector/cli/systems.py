"""`mlconnector ping` and `mlconnector adopt`: commands that talk to a remote system."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from airflow_provider_mlconnector.cli.context import actor, as_api_server, read_route, runtime
from airflow_provider_mlconnector.cli.output import NO, Json, console, print_json, table

if TYPE_CHECKING:
    from airflow_provider_mlconnector.hooks.base import Check
    from airflow_provider_mlconnector.sync.route import Route

RouteFile = Annotated[
    Path | None,
    typer.Option("--route-file", help="A DAG file with routes, or one route's options as YAML or JSON."),
]
RouteName = Annotated[str, typer.Option("--route", help="Which route of a DAG file.")]


def ping(
    conn_id: Annotated[str, typer.Argument(help="Airflow connection, made in the UI, the environment or a backend.")],
    *,
    route_file: RouteFile = None,
    route_name: RouteName = "",
    json: Json = False,
) -> None:
    """Log in, try everything a run will need, say what is missing. Exit code 1 when something is.

    Without a route what invoices need must be there, with one what that route needs; the rest is only shown.
    """
    as_api_server()
    from airflow_provider_mlconnector.hooks.runtime import hook_for
    from airflow_provider_mlconnector.sync.route import Route

    route = read_route(route_file, route_name) if route_file else Route(name="default", source=conn_id, target=conn_id)
    found = hook_for(conn_id).diagnose(who=actor().label, route=route if route_file else None)
    rules = _rules(route, named=route_file is not None)
    if json:
        print_json(
            {"connection": conn_id, "ok": found.ok, "checks": found.checks, "notes": found.notes, "rules": rules}
        )
    else:
        out = console()
        rows = [(_word(check), check.name, check.message) for check in found.checks]
        out.print(table(("", "checked", "result"), rows))
        for note in found.notes:
            out.print(escape(note), soft_wrap=True)
        out.print(f"\nRules of {rules.pop('route')}:")
        out.print(table(("rule", "value"), list(rules.items())))
    if not found.ok:
        raise typer.Exit(NO)


def adopt(
    route_file: Annotated[Path, typer.Argument(help="A DAG file with routes, or one route's options as YAML.")],
    *,
    route_name: RouteName = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    json: Json = False,
) -> None:
    """Link extracted documents that the target already holds with the same figures; sends nothing."""
    route = read_route(route_file, route_name)
    with runtime() as opened:
        from airflow_provider_mlconnector.sync.adopt import adopt as run

        batch = f"adopt.{datetime.now(UTC):%Y%m%dT%H%M%S}"
        job = opened.job(route, actor=actor(), batch_id=batch, preview_id=batch if dry_run else "")
        found = run(job, opened.target(route))
    if json:
        print_json(found.xcom())
        return
    out = console()
    out.print(f"Store {found.store}")
    out.print(table(("documents", ""), [(name, count) for name, count in found.states.items()]))


def _word(check: Check) -> str:
    if not check.ok:
        return "MISSING"
    return "noted" if check.warning else "ok"


def _rules(route: Route, *, named: bool) -> dict[str, str]:
    """Return which documents the route takes, in words (FINANCE §4)."""
    return {
        "route": f"route {route.name}" if named else "a route with default options (name yours with --route-file)",
        "workflow status": " or ".join(route.workflow_status),
        "payment status": " or ".join(route.payment_status),
        "match status": " or ".join(route.match_status) or "any",
        "cut-over date": str(route.start_at or "not set in this file: nothing is posted without one"),
        "closed period": route.closed_period,
        "supplier on hold": route.supplier_on_hold,
    }
