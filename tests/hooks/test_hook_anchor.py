"""The anchor outside the database: written at the end of every run, never moved back."""

from __future__ import annotations

import json
import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest

from airflow_provider_mlconnector.errors import ConfigurationError, Unavailable
from airflow_provider_mlconnector.hooks.anchor import read_anchors, write_anchor
from airflow_provider_mlconnector.hooks.runtime import Runtime
from airflow_provider_mlconnector.hooks.settings import Settings
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.records import Actor


def _runtime(database: Path, anchor: Path) -> Runtime:
    store = Store.open(f"sqlite:///{database}", KeyRing.derive("test-only"))
    store.upgrade()
    return Runtime(store=store, settings=Settings(anchor_file=str(anchor)))


def _write_event(runtime: Runtime) -> None:
    with runtime.store.unit_of_work(Actor(user="test")) as uow:
        uow.events.add("noted")


def test_a_store_set_back_is_told_and_its_newer_anchor_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    anchor, database = tmp_path / "anchor.json", tmp_path / "store.db"
    runtime = _runtime(database, anchor)
    _write_event(runtime)
    runtime.store.close()
    shutil.copy(database, tmp_path / "backup.db")

    runtime = _runtime(database, anchor)
    _write_event(runtime)
    runtime.keep_anchor()
    runtime.warn_if_behind()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    kept = read_anchors(anchor)
    runtime.store.close()

    restored = _runtime(tmp_path / "backup.db", anchor)
    with caplog.at_level(logging.ERROR):
        restored.warn_if_behind()
    assert "does not continue its anchor" in caplog.text
    restored.keep_anchor()
    assert read_anchors(anchor) == kept
    restored.store.close()


def test_without_a_setting_no_anchor_is_kept(tmp_path: Path) -> None:
    runtime = _runtime(tmp_path / "store.db", Path())
    object.__setattr__(runtime, "settings", Settings())
    runtime.keep_anchor()
    runtime.warn_if_behind()
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".json"] == []
    runtime.store.close()


def test_a_file_that_is_no_anchor_is_named(tmp_path: Path) -> None:
    (tmp_path / "anchor.json").write_text("hello")
    with pytest.raises(ConfigurationError, match="not an anchor"):
        read_anchors(tmp_path / "anchor.json")


# --- one after another ---------------------------------------------------------------------------------------------


def test_anchors_are_kept_one_after_another_and_each_once(tmp_path: Path) -> None:
    runtime = _runtime(tmp_path / "store.db", tmp_path / "anchor.json")
    for _ in range(3):
        _write_event(runtime)
        runtime.keep_anchor()
        runtime.keep_anchor()
    assert [anchor.seq for anchor in read_anchors(tmp_path / "anchor.json")] == [1, 2, 3]
    runtime.store.close()


def test_an_anchor_written_by_an_earlier_version_is_read(tmp_path: Path) -> None:
    runtime = _runtime(tmp_path / "store.db", tmp_path / "anchor.json")
    _write_event(runtime)
    (tmp_path / "anchor.json").write_text(json.dumps(asdict(runtime.store.head())) + "\n")
    _write_event(runtime)
    runtime.keep_anchor()
    assert [anchor.seq for anchor in read_anchors(tmp_path / "anchor.json")] == [1, 2]
    runtime.store.close()


def test_a_file_does_not_grow_without_end_and_keeps_its_newest_anchors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_mlconnector.hooks.anchor.KEPT", 8)
    runtime = _runtime(tmp_path / "store.db", tmp_path / "anchor.json")
    for _ in range(20):
        _write_event(runtime)
        runtime.keep_anchor()
    kept = [anchor.seq for anchor in read_anchors(tmp_path / "anchor.json")]
    assert len(kept) <= 8
    assert kept[-4:] == [17, 18, 19, 20]
    assert kept[0] == 1
    runtime.store.close()


def test_runs_that_end_together_lose_no_anchor_and_meet_no_error(tmp_path: Path) -> None:
    runtime = _runtime(tmp_path / "store.db", tmp_path / "anchor.json")

    def run(_number: int) -> int:
        _write_event(runtime)
        return write_anchor(runtime.store, tmp_path / "anchor.json").seq

    with ThreadPoolExecutor(8) as pool:
        written = set(pool.map(run, range(40)))
    kept = {anchor.seq for anchor in read_anchors(tmp_path / "anchor.json")}
    assert kept == written
    assert max(kept) == 40
    runtime.store.close()


def test_an_anchor_may_lie_in_object_storage(tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    location = f"file://{tmp_path}/bucket/anchor"
    runtime = _runtime(tmp_path / "store.db", Path())
    _write_event(runtime)
    assert read_anchors(location) == ()
    first = write_anchor(runtime.store, location)
    _write_event(runtime)
    second = write_anchor(runtime.store, location)
    assert read_anchors(location) == (first, second)
    runtime.store.close()


def test_a_storage_nobody_knows_is_configuration_and_one_that_fails_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'zz' needs a provider"):
        read_anchors("zz://bucket/anchor")
    runtime = _runtime(tmp_path / "store.db", Path())
    with pytest.raises(Unavailable, match="cannot be read or written"):
        write_anchor(runtime.store, tmp_path / "no" / "folder" / "anchor")
    runtime.store.close()
