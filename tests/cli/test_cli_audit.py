"""`mlconnector audit …`: verify, anchor, and a file for an auditor who has neither the store nor a key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import Actor, Change, NewDocument
from airflow_provider_mlconnector.store.schema import events

WORKER = Actor(dag_id="d", run_id="manual__1", task_id="post", map_index=-1, try_number=1)


def _added(store: Store, number: str, **fields: Any) -> None:
    usual = {"route": "r", "document": "invoice", "source": "j", "tenant": "t", "key": f"key-{number}", "revision": "1",
             "source_hash": "h", "payload": b'{"iban": "DE89"}', "batch_id": "b1", "number": number}  # fmt: skip
    with store.unit_of_work(WORKER, batch_id="b1") as uow:
        (document,) = uow.documents.add_page([NewDocument(**(usual | fields))])
    with store.unit_of_work(WORKER) as uow:
        uow.documents.apply([Change(document, State.PARKED, reason_code="period", reason="period 2026/10 is closed")])


@pytest.fixture
def files(run: Any, store: Store, tmp_path: Path) -> tuple[Path, Path]:
    """An export of NB-1, and the anchor file; three invoices are in the store."""
    for number in ("NB-1", "NB-2", "NB-3"):
        _added(store, number)
    anchors, export = tmp_path / "anchors.json", tmp_path / "nb-1.json"
    assert run("audit", "anchor", "--file", anchors).exit_code == 0
    made = run("audit", "export", "NB-1", "--to", export, "--file", anchors)
    assert made.exit_code == 0, made.output
    assert "2 events and 6 links, leading to 1 anchors" in made.stdout
    return export, anchors


def _edit(export: Path, **columns: Any) -> None:
    body = json.loads(export.read_text())
    body["events"][1]["columns"] |= columns
    export.write_text(json.dumps(body))


def test_an_export_is_checked_with_neither_store_nor_key(
    run: Any, files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "elsewhere"))
    export, anchors = files
    checked = run("audit", "check", export, "--anchors", anchors)
    assert checked.exit_code == 0, checked.output
    assert "The file agrees with itself" in checked.stdout
    assert "2 events lead to your anchors: unedited since they were taken" in checked.stdout
    told = json.loads(run("audit", "check", export, "--anchors", anchors, "--json").stdout)
    assert (told["ok"], told["anchored"], told["unanchored"], told["keys_are_the_stores"]) == (True, [1, 2], [], None)


def test_without_anchors_of_ones_own_it_is_said_that_nothing_is_proven(run: Any, files: tuple[Path, Path]) -> None:
    checked = run("audit", "check", files[0])
    assert checked.exit_code == 0
    assert "2 events lead to no anchor of yours, from event 1 on: of them you have the word of" in checked.stdout


def test_whoever_holds_the_key_is_told_whether_the_files_keys_are_the_stores(
    run: Any, files: tuple[Path, Path]
) -> None:
    export, anchors = files
    assert "The keys are the store's" in run("audit", "check", export, "--anchors", anchors, "--with-key").stdout
    body = json.loads(export.read_text())
    body["segments"][0]["links"][5]["key"] = "ab" * 32
    export.write_text(json.dumps(body))
    refused = run("audit", "check", export, "--with-key")
    assert refused.exit_code == 1
    assert "The keys are not the store's" in refused.stdout


def test_an_edited_export_is_refused_and_the_event_named(run: Any, files: tuple[Path, Path]) -> None:
    export, anchors = files
    _edit(export, state_after="posted")
    refused = run("audit", "check", export, "--anchors", anchors)
    assert refused.exit_code == 1
    assert "event 2 is not the one that stood here" in refused.stdout


def test_an_export_tells_what_happened_and_holds_no_payload(run: Any, files: tuple[Path, Path]) -> None:
    text = files[0].read_text()
    body = json.loads(text)
    assert body["about"]["document"]["number"] == "NB-1"
    assert "period 2026/10 is closed" in text
    assert "DE89" not in text
    assert "NB-2" not in text
    assert json.loads(run("audit", "export", "NB-1").stdout)["events"] == body["events"], (
        "printed where no file is named"
    )


def test_a_number_of_several_documents_is_refused_and_their_ids_given(
    run: Any, store: Store, files: tuple[Path, Path]
) -> None:
    _added(store, "NB-1", key="another")
    refused = run("audit", "export", "NB-1")
    assert refused.exit_code == 1
    assert "is the name of several" in refused.stderr
    assert run("audit", "export", "NB-99").exit_code == 1


def test_an_edited_store_gives_no_proof(run: Any, store: Store, files: tuple[Path, Path]) -> None:
    with store._engine.begin() as connection:
        connection.execute(update(events).where(events.c.seq == 1).values(reason_code="x"))
    refused = run("audit", "export", "NB-1")
    assert refused.exit_code == 1
    assert "does not hold at event 1" in refused.stderr
    found = run("audit", "verify", "--file", files[1])
    assert (found.exit_code, "event 1 was changed" in found.stdout) == (1, True)


@pytest.mark.parametrize("content", ["hello", "{}"])
def test_what_is_no_export_or_no_anchor_is_wrong_usage(
    run: Any, files: tuple[Path, Path], tmp_path: Path, content: str
) -> None:
    (tmp_path / "x").write_text(content)
    assert run("audit", "check", tmp_path / "x").exit_code == 2
    assert run("audit", "check", files[0], "--anchors", tmp_path / "x").exit_code == 2
    assert run("audit", "check", files[0], "--anchors", tmp_path / "none").exit_code == 2
    assert run("audit", "check", tmp_path / "none").exit_code == 2
