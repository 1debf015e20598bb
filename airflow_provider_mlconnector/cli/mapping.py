"""`mlconnector mapping …`: the code maps people edit, and the versions the store keeps of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from airflow_provider_mlconnector.cli.context import actor, runtime
from airflow_provider_mlconnector.cli.output import NO, Json, console, fail, plain, print_json, table
from airflow_provider_mlconnector.errors import ConfigurationError

app = typer.Typer(help="Accounts, cost centers, terms, taxes, units: check, import, show.", no_args_is_help=True)
MappingFile = Annotated[Path, typer.Argument(help="The mapping as YAML.")]
RouteName = Annotated[str, typer.Option("--route", help="Name of the route the mapping belongs to.")]


@app.command()
def check(file: MappingFile, *, json: Json = False) -> None:
    """Read a mapping and name every mistake with its line; stores nothing."""
    body = _load(file)
    if json:
        print_json({"file": str(file), "ok": True, "mapping": body})
    else:
        console().print(f"{escape(str(file))} is a valid mapping: {_size(body)}")


@app.command("import")
def import_(file: MappingFile, *, route: RouteName, json: Json = False) -> None:
    """Keep a mapping as the route's newest version; unchanged content makes no new version."""
    body = _load(file)
    with runtime() as opened, opened.store.unit_of_work(actor()) as uow:
        store_id = opened.store.id
        before = uow.mappings.current(route)
        kept = uow.mappings.add(route, body, origin=f"file {file.name}")
    fresh = before is None or before.version != kept.version
    if json:
        print_json({"store": store_id, "route": route, "version": kept.version, "new": fresh})
    else:
        what = "is the new version" if fresh else "was unchanged: still version"
        console().print(f"Store {store_id}\nMapping of route {route} {what} {kept.version}: {_size(body)}")


@app.command()
def show(
    *,
    route: RouteName,
    version: Annotated[int | None, typer.Option(help="A version; the newest when left out.")] = None,
    json: Json = False,
) -> None:
    """Show a mapping version and the history of versions."""
    with runtime() as opened, opened.store.unit_of_work(actor()) as uow:
        store_id = opened.store.id
        kept = uow.mappings.current(route) if version is None else uow.mappings.get(route, version)
        history = uow.mappings.history(route)
    if kept is None:
        fail(f"route {route!r} has no mapping {f'version {version}' if version else 'yet'}", code=NO)
    if json:
        print_json({"store": store_id, "mapping": kept, "versions": [plain(one) | {"body": None} for one in history]})
        return
    import yaml

    out = console()
    out.print(f"Store {store_id}")
    rows = [(one.version, f"{one.created_at:%Y-%m-%d %H:%M}", one.origin, one.content_hash[:12]) for one in history]
    out.print(table(("version", "since (UTC)", "from", "content"), rows))
    out.print(f"\nVersion {kept.version}:\n" + escape(yaml.safe_dump(plain(kept.body), sort_keys=False)))


def _load(file: Path) -> dict[str, object]:
    from airflow_provider_mlconnector.mapping.load import load_mapping

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{file} cannot be read as a UTF-8 file ({type(error).__name__})"
        raise ConfigurationError(message, field="mapping file") from None
    body: dict[str, object] = load_mapping(text, origin=f"file {file.name}").model_dump(mode="json")
    return body


_MAPS = {
    "business units": ("business_units",),
    "currencies": ("currencies",),
    "accounts": ("accounts",),
    "cost centers": ("cost_centers", "map"),
    "terms": ("terms",),
    "tax codes": ("taxes", "codes"),
    "units": ("units",),
    "product classes": ("product_classes",),
}
"""What people map, and where it stands; everything else of a mapping are choices."""


def _size(body: dict[str, object]) -> str:
    counts = {name: len(_at(body, place)) for name, place in _MAPS.items()}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _at(body: Any, place: tuple[str, ...]) -> dict[str, object]:  # noqa: ANN401 - a mapping as plain data
    for name in place:
        body = body[name]
    found: dict[str, object] = body
    return found
