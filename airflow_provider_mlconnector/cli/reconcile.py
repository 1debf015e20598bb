"""`mlconnector reconcile`: the reports the reconciliation has kept, shown or written to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from airflow_provider_mlconnector.cli.context import actor, runtime
from airflow_provider_mlconnector.cli.output import NO, Json, console, fail, print_json, table

if TYPE_CHECKING:
    from airflow_provider_mlconnector.sync.kept_reports import KeptReport


def reconcile(
    name: Annotated[str, typer.Argument(help="Which report, as its task names it; the newest when left out.")] = "",
    *,
    html: Annotated[Path | None, typer.Option(help="Write the page to this file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the CSV to this file.")] = None,
    json: Json = False,
) -> None:
    """Show the last reconciliation, and write its page or CSV. Exit code 1 when differences are unexplained."""
    from airflow_provider_mlconnector.sync.kept_reports import kept_report

    with runtime() as opened, opened.store.unit_of_work(actor()) as uow:
        report = kept_report(uow, name)
    if report is None:
        which = f"no reconciliation {name!r} is kept" if name else "no reconciliation is kept yet"
        fail(f"{which}: run the DAG syspro_jaggaer_reconciliation", code=NO)
    for path, text in ((html, report.html), (csv, report.csv)):
        if path is not None:
            _write(path, text)
    if json:
        print_json({"report": report.name, **report.summary})
    else:
        _show(report)
    if report.summary["unexplained"]:
        raise typer.Exit(NO)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}", code=NO)


def _show(report: KeptReport) -> None:
    told, out = report.summary, console()
    out.print(f"Store {told['store']}")
    out.print(escape(f"{told['left']} and {told['right']}, documents dated {told['from']} to {told['to']}"))
    out.print(escape(f"compared {told['made_at'][:16].replace('T', ' ')} UTC, kept as {report.name}"))
    columns = ("area", told["left"], told["right"], "agree", "by hand", "differences", "unexplained")
    rows = [
        (area, *(counts[name] for name in ("left", "right", "agree", "by_hand", "differences", "unexplained")))
        for area, counts in told["areas"].items()
    ]
    out.print(table(columns, rows))
    color = "red" if told["unexplained"] else "green"
    out.print(f"[{color}]unexplained: {told['unexplained']}[/{color}]")
