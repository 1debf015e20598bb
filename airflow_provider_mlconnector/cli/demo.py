"""`mlconnector demo`: see it work, without any account anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from airflow_provider_mlconnector.cli.output import NO, Json, print_json


def demo(
    *,
    home: Annotated[Path, typer.Option(help="Folder that keeps the demo's Airflow, store and books.")] = Path(".demo"),
    invoices: Annotated[int, typer.Option(min=60, help="Invoices that are for SYSPRO; from 60 on of all kinds.")] = 320,
    seed: Annotated[int, typer.Option(help="The same seed gives the same invoices.")] = 1,
    ui: Annotated[bool, typer.Option("--ui", help="Leave its Airflow open to click through.")] = False,
    json: Json = False,
) -> None:
    """Run every flow between a simulated JAGGAER, SYSPRO and CloudSuite by a real Airflow, and prove what it says.

    Exit code 1 when a proof does not hold.
    """
    from airflow_provider_mlconnector.demo.play import play

    holds, outcome = play(home=home, invoices=invoices, seed=seed, ui=ui, json=json)
    if json:
        print_json(outcome)
    if not holds:
        raise typer.Exit(NO)
