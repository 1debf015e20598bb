"""A pipeline over a fresh SQLite store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.pipeline import Pipeline
from support.remote import FakeClock, FakeSource, FakeTarget
from support.stores import upgraded

from airflow_provider_mlconnector.store import KeyRing, Store


@pytest.fixture
def new_pipeline(tmp_path: Path) -> Iterator[Callable[..., Pipeline]]:
    """Return a function that makes pipelines, each over a store of its own."""
    stores: list[Store] = []

    def make() -> Pipeline:
        clock = FakeClock()
        url = f"sqlite:///{tmp_path / f'store{len(stores)}.db'}"
        store = upgraded(Store.open(url, KeyRing.derive("test-only"), clock=clock))
        stores.append(store)
        return Pipeline(store, clock, FakeSource(clock=clock), FakeTarget(clock))

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def pipeline(new_pipeline: Callable[..., Pipeline]) -> Pipeline:
    """Return one pipeline."""
    return new_pipeline()
