"""The anchor outside the database: written at the end of every run, never moved back."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks.anchor import read_anchors
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
