"""`mlconnector …`: what people do at a terminal.

Starting up imports neither Airflow nor the store; each command imports what it needs. Exit code 0: done; 1: the answer
is no, or something cannot be reached now; 2: wrong usage or configuration.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from airflow_provider_mlconnector.cli import audit, dags, demo, documents, mapping, reconcile, replay, store, systems
from airflow_provider_mlconnector.cli.output import WRONG, FriendlyGroup, fail

app = typer.Typer(
    name="mlconnector",
    help="ML Connector for Airflow: SYSPRO, Infor CloudSuite and JAGGAER in step.",
    cls=FriendlyGroup,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.add_typer(store.app, name="store")
app.add_typer(audit.app, name="audit")
app.add_typer(mapping.app, name="mapping")
app.add_typer(dags.app, name="dags")
app.command("demo")(demo.demo)
app.command("ping")(systems.ping)
app.command("adopt")(systems.adopt)
app.command("documents")(documents.documents)
app.command("show")(documents.show)
app.command("replay")(replay.replay)
app.command("reconcile")(reconcile.reconcile)


@app.command()
def sandbox(
    *,
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8089,
    seed: Annotated[int, typer.Option(help="The same seed gives the same invoices.")] = 1,
    invoices: Annotated[int, typer.Option(min=0, help="How many invoices JAGGAER holds.")] = 320,
    orders: Annotated[int, typer.Option(min=0, help="How many purchase orders JAGGAER holds.")] = 0,
    order_invoices: Annotated[int, typer.Option(min=0, help="How many further invoices bill those orders.")] = 0,
    payments: Annotated[bool, typer.Option("--payments", help="JAGGAER takes payment status.")] = False,
    ledger_orders: Annotated[int, typer.Option(min=0, help="How many purchase orders CloudSuite holds.")] = 0,
    ledger_vouchers: Annotated[int, typer.Option(min=0, help="How many vouchers were typed into CloudSuite.")] = 0,
    jaggaer: Annotated[str, typer.Option(metavar="JSON", help='More of JAGGAER, such as {"mix": "good"}.')] = "{}",
    syspro: Annotated[str, typer.Option(metavar="JSON", help='Of SYSPRO, such as {"ap_gl": "not_linked"}.')] = "{}",
    cloudsuite: Annotated[
        str, typer.Option(metavar="JSON", help='More of CloudSuite, such as {"max_requests_per_period": 100}.')
    ] = "{}",
    host: Annotated[str, typer.Option(help="Address to listen on; keep it local.")] = "127.0.0.1",
    journal: Annotated[
        Path | None, typer.Option(help="File that keeps what was booked for the next start; without it nothing stays.")
    ] = None,
) -> None:
    """Run the simulated SYSPRO, Infor CloudSuite and JAGGAER until interrupted."""
    from airflow_provider_mlconnector.sandbox.journal import JournalError
    from airflow_provider_mlconnector.sandbox.server import run

    named = {"purchase_orders": orders, "po_invoices": order_invoices, "payments": payments}
    more = {
        "jaggaer": _options("jaggaer", jaggaer) | {name: value for name, value in named.items() if value},
        "syspro": _options("syspro", syspro),
        "cloudsuite": _tenant(cloudsuite, {"purchase_orders": ledger_orders, "vouchers": ledger_vouchers}),
    }
    try:
        run(host=host, port=port, seed=seed, invoices=invoices, journal=journal, **more)
    except JournalError as error:
        fail(str(error), code=WRONG)


def _options(system: str, text: str) -> dict[str, Any]:
    """Return a system's options, given as JSON."""
    import json
    from dataclasses import replace

    from airflow_provider_mlconnector.sandbox.jaggaer.options import JaggaerOptions
    from airflow_provider_mlconnector.sandbox.syspro.options import SysproOptions

    known: dict[str, JaggaerOptions | SysproOptions] = {"jaggaer": JaggaerOptions(), "syspro": SysproOptions()}
    try:
        given: dict[str, Any] = dict(json.loads(text))
        replace(known[system], **given)
    except (ValueError, TypeError) as error:
        fail(f"--{system}: {error}", code=WRONG)
    return given


def _tenant(text: str, counts: dict[str, int]) -> dict[str, Any]:
    """Return the CloudSuite tenant's options: those given as JSON, and the counts that are not zero."""
    import json

    from airflow_provider_mlconnector.sandbox.cloudsuite.options import CloudSuiteOptions, changed
    from airflow_provider_mlconnector.sandbox.cloudsuite.system import check

    named = {name: count for name, count in counts.items() if count}
    try:
        given: dict[str, Any] = dict(json.loads(text))
        if named:
            given["csi"] = {**given.get("csi", {}), **named}
        check(changed(CloudSuiteOptions(), given))
    except (ValueError, TypeError) as error:
        fail(f"--cloudsuite: {error}", code=WRONG)
    return given
