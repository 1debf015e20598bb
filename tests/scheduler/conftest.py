"""One Airflow for all tests of this folder: starting it takes longer than using it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.airflow_cluster import Cluster, running_cluster
from support.postgres import running_postgres

from airflow_provider_mlconnector.sandbox.server import serving


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    home = tmp_path_factory.mktemp("airflow")
    # credit memos that tests add credit the last of these
    tenant = {"invoices": 4, "mix": "good", "credit_memos": 0}
    with (
        running_postgres() as server,
        serving(seed=5, jaggaer=tenant) as sandbox,
        running_cluster(home, server, sandbox) as running,
    ):
        yield running
