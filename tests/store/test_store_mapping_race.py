"""Mapped tasks import the same mapping at the same moment: all of them get the one version."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from support.stores import ACTOR

from airflow_provider_mlconnector.store import Store

WORKERS = 4


def test_importers_of_one_text_at_once_all_get_the_same_single_version(store: Store) -> None:
    barrier = Barrier(WORKERS)

    def run(_: int) -> int:
        barrier.wait()
        with store.unit_of_work(ACTOR) as uow:
            return uow.mappings.add("ap", {"accounts": {"1": "2"}}, origin="file.yaml").version

    with ThreadPoolExecutor(WORKERS) as workers:
        for round_ in range(3):
            assert set(workers.map(run, range(WORKERS))) == {1}, f"round {round_}"
    with store.unit_of_work(ACTOR) as uow:
        assert len(uow.mappings.history("ap")) == 1
    assert store.verify_chain().ok


def test_importers_of_different_texts_at_once_get_versions_of_their_own(store: Store) -> None:
    barrier = Barrier(WORKERS)

    def run(number: int) -> int:
        barrier.wait()
        with store.unit_of_work(ACTOR) as uow:
            return uow.mappings.add("ap", {"accounts": {"1": str(number)}}, origin="file.yaml").version

    with ThreadPoolExecutor(WORKERS) as workers:
        assert sorted(workers.map(run, range(WORKERS))) == [1, 2, 3, 4]
