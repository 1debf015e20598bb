"""One run over every kind of invoice, shared by the tests that only look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.flow import Flow, flow

INVOICES = 220


@pytest.fixture(scope="session")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """A deployment after one full run over all labels (header-only list, GET)."""
    folder: Path = tmp_path_factory.mktemp("flow")
    with flow(folder, jaggaer={"invoices": INVOICES, "mix": "all"}) as deployment:
        deployment.all()
        yield deployment
