"""How commands speak: tables and one-line errors for people, JSON for scripts."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typer.core import TyperGroup

from airflow_provider_mlconnector.errors import ConfigurationError, MLConnectorError, NotAuthenticated

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
NO, WRONG = 1, 2
"""Exit codes: the answer is no or something cannot be reached; wrong usage or configuration."""


class FriendlyGroup(TyperGroup):
    """Turns the connector's errors into one line and an exit code; a defect still shows its traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - click's signature
        """Run the command."""
        try:
            return super().invoke(ctx)
        except MLConnectorError as error:
            fail(str(error), code=WRONG if isinstance(error, ConfigurationError | NotAuthenticated) else NO)


def console() -> Console:
    """Return the console for what a command answers; as wide as its content where it is not a terminal."""
    width = None if sys.stdout.isatty() else 200
    return Console(width=width, highlight=False)


def fail(message: str, *, code: int) -> NoReturn:
    """Print why a command failed, to stderr, and leave.

    Raises:
        typer.Exit: Always, with `code`.
    """
    Console(stderr=True, highlight=False).print(f"[red]Error:[/red] {escape(message)}", soft_wrap=True)
    raise typer.Exit(code)


def print_json(value: object) -> None:
    """Print a value of records, mappings and scalars as JSON."""
    sys.stdout.write(json.dumps(value, default=_plain, indent=2, ensure_ascii=False) + "\n")


def plain(value: object) -> Any:  # noqa: ANN401 - JSON has no better type
    """Turn records into what JSON can hold: times in ISO 8601, amounts as text."""
    return json.loads(json.dumps(value, default=_plain))


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, set | frozenset) else str(value)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Return a plain table; every cell is shown as text, never read as markup."""
    made = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        made.add_row(*(escape("" if cell is None else str(cell)) for cell in row))
    return made
