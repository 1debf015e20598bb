"""`mlconnector audit …`: proof that nobody edited the audit trail."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from airflow_provider_mlconnector.cli.context import actor, runtime
from airflow_provider_mlconnector.cli.output import NO, Json, console, fail, plain, print_json
from airflow_provider_mlconnector.errors import ConfigurationError

if TYPE_CHECKING:
    from airflow_provider_mlconnector.store import Store
    from airflow_provider_mlconnector.store.proof import Finding, Proof
    from airflow_provider_mlconnector.store.records import DocumentRecord

app = typer.Typer(help="The audit trail: verify it, anchor it, hand out proof of it.", no_args_is_help=True)
AnchorFile = Annotated[
    str,
    typer.Option(
        "--file", help="Anchor file or object; the setting \\[mlconnector] anchor_file when left out.", metavar="FILE"
    ),
]


@app.command()
def verify(*, file: AnchorFile = "", json: Json = False) -> None:
    """Walk the whole audit trail and check it against its anchors. Exit code 1 when it does not hold."""
    from airflow_provider_mlconnector.hooks.anchor import read_anchors

    with runtime() as opened:
        anchors = read_anchors(file or opened.settings.anchor_file)
        found = opened.store.verify_chain()
        behind = opened.store.behind(*anchors)
    if json:
        print_json({**plain(found), "store": found.head.store_id, "anchored": bool(anchors), "behind": behind})
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
        elif anchors:
            out.print(f"It continues the anchor at event {max(anchor.seq for anchor in anchors)}")
        else:
            out.print("No anchor to compare with: an anchor outside the database also proves that nothing was cut off")
    if not found.ok or behind:
        raise typer.Exit(NO)


@app.command()
def anchor(*, file: AnchorFile = "", json: Json = False) -> None:
    """Add the end of the audit trail to a file outside the database."""
    from airflow_provider_mlconnector.hooks.anchor import write_anchor

    with runtime() as opened:
        path = file or opened.settings.anchor_file
        head = write_anchor(opened.store, path)
    if json:
        print_json(head)
    else:
        console().print(f"Store {head.store_id}: anchored event {head.seq} in {path}", soft_wrap=True)


@app.command()
def export(
    key: Annotated[str, typer.Argument(help="Id, key, invoice number or source number.")],
    *,
    to: Annotated[Path | None, typer.Option("--to", help="File to write; printed when left out.")] = None,
    route: Annotated[str | None, typer.Option(help="Only this route.")] = None,
    file: AnchorFile = "",
) -> None:
    """Hand out a document's events with proof that nobody edited them. No payload, no bank data, no keys but its own.

    Whoever gets the file checks it by the steps written in it, or with `mlconnector audit check`, against anchors they
    got from where these are kept. The newest revision is taken where a number has several; name one by its id.
    """
    from airflow_provider_mlconnector.hooks.anchor import read_anchors
    from airflow_provider_mlconnector.store.proof import to_file

    with runtime() as opened:
        anchors = read_anchors(file or opened.settings.anchor_file)
        with opened.store.unit_of_work(actor()) as uow:
            found = uow.documents.find(key, route=route)
        document = _the_one(found, key)
        proof = opened.store.prove(document.id, anchors)
        made = {"made_at": opened.clock.now().isoformat(timespec="seconds"), "made_by": actor().user}
    body = to_file(proof, {**made, "document": _about(document)})
    if to is None:
        print_json(body)
        return
    import json

    try:
        to.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        fail(f"{to} cannot be written: {error.strerror}", code=NO)
    links = sum(len(segment.links) for segment in proof.segments)
    text = f"{to}: {len(proof.events)} events and {links} links, leading to {len(proof.anchors)} anchors"
    console().print(text, markup=False, soft_wrap=True)


@app.command()
def check(
    export_file: Annotated[Path, typer.Argument(metavar="FILE", help="Written by `mlconnector audit export`.")],
    *,
    anchors: Annotated[
        str, typer.Option("--anchors", help="Your own copy of the anchor file: not from whoever gave you FILE.")
    ] = "",
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Also open the configured store: are the keys in the file its own?")
    ] = False,
    json: Json = False,
) -> None:
    """Check an export; needs neither the store nor a key. Exit code 1 when it does not hold."""
    from airflow_provider_mlconnector.hooks.anchor import read_anchors
    from airflow_provider_mlconnector.store.proof import check as checked
    from airflow_provider_mlconnector.store.proof import from_file

    proof = from_file(_read(export_file))
    if anchors and not (own := read_anchors(anchors)):
        message = f"there is no anchor in {anchors}"
        raise ConfigurationError(message, field="--anchors")
    found = checked(proof, own if anchors else ())
    vouched = _vouched(proof) if with_key else None
    if json:
        print_json({**plain(found), "ok": found.ok and vouched is not False, "keys_are_the_stores": vouched})
    else:
        _tell(proof, found, vouched=vouched)
    if not found.ok or vouched is False:
        raise typer.Exit(NO)


def _tell(proof: Proof, found: Finding, *, vouched: bool | None) -> None:
    out = console()
    out.print(f"Document {proof.document_id} of store {proof.store_id}: {len(proof.events)} events", markup=False)
    if not found.ok:
        bad = f"event {found.bad_seq}: " if found.bad_seq is not None else ""
        out.print(f"[red]The file does not hold:[/red] {bad}{escape(found.reason)}", soft_wrap=True)
    else:
        out.print("[green]The file agrees with itself[/green]")
        if found.anchored:
            out.print(
                f"[green]{len(found.anchored)} events lead to your anchors:[/green] unedited since they were taken"
            )
        if found.unanchored:
            rest = f"{len(found.unanchored)} events lead to no anchor of yours, from event {found.unanchored[0]} on"
            out.print(f"{rest}: of them you have the word of whoever made the file", soft_wrap=True)
    if vouched is not None:
        whose = "[green]The keys are the store's[/green]" if vouched else "[red]The keys are not the store's[/red]"
        out.print(whose)


def _vouched(proof: Proof) -> bool:
    with runtime() as opened:
        store: Store = opened.store
        return store.vouches_for(proof)


def _the_one(found: list[DocumentRecord], key: str) -> DocumentRecord:
    """Return the newest revision of the one document meant."""
    if not found:
        fail(f"no document has the id, key or number {key!r}", code=NO)
    if len({(one.route, one.source, one.tenant, one.key) for one in found}) > 1:
        named = ", ".join(f"{one.document} {one.number or one.key} of {one.route} (id {one.id})" for one in found)
        fail(f"{key!r} is the name of several: {named}. Name one by its id", code=NO)
    return found[0]


def _about(document: DocumentRecord) -> dict[str, Any]:
    shown = ("id", "route", "document", "source", "tenant", "key", "revision", "number", "supplier", "kind", "currency",
             "gross", "document_date", "state", "target_reference")  # fmt: skip
    about: dict[str, Any] = plain({name: getattr(document, name) for name in shown})
    return about


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read ({type(error).__name__})"
        raise ConfigurationError(message, field="export file") from None
