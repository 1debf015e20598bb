"""`mlconnector dags …`: the example DAGs, to copy and change."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from airflow_provider_mlconnector.cli.output import Json, console, print_json
from airflow_provider_mlconnector.errors import ConfigurationError

app = typer.Typer(help="The example DAGs.", no_args_is_help=True)
_PACKAGE = Path(__file__).resolve().parents[1]


@app.command()
def copy(
    directory: Annotated[Path, typer.Argument(help="Your DAGs folder.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there and differ.")] = False,
    json: Json = False,
) -> None:
    """Copy the example DAGs with their mappings. Files that are there and differ are kept, unless --force."""
    source = _examples()
    copied, kept = [], []
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if not path.is_file() or "__pycache__" in name.parts:
            continue
        wanted = directory / name
        if wanted.exists() and not force and wanted.read_bytes() != path.read_bytes():
            kept.append(str(wanted))
            continue
        wanted.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, wanted)
        copied.append(str(wanted))
    if json:
        print_json({"copied": copied, "kept": kept})
        return
    for line in [*(f"copied {file}" for file in copied), *(f"kept your own {file}" for file in kept)]:
        console().print(line, markup=False, soft_wrap=True)


def _examples() -> Path:
    """Return where the examples are: inside the wheel, or beside the package in a source tree."""
    for place in (_PACKAGE / "example_dags", _PACKAGE.parent / "dags"):
        if place.is_dir():
            return place
    message = "this installation holds no example DAGs"
    raise ConfigurationError(message, field="installation")
