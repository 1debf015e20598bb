"""One sandbox for all tests of a module, reset for each: starting a server for each would be most of their time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sandbox.conftest import Tenant

from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with serving() as sandbox:
        yield sandbox


@pytest.fixture
def new_tenant(running: RunningSandbox) -> Iterator[Callable[..., Tenant]]:
    """Reset the sandbox to the given options and log in; a tenant made before in the same test is gone."""
    sessions = []

    def start(*, seed: int = 1, invoices: int = 0, jaggaer: Any = None) -> Tenant:
        running.app.reset(seed=seed, jaggaer={"invoices": invoices, **(jaggaer or {})})
        tenant = Tenant(running.url, running.app)
        sessions.append(tenant.session)
        tenant.log_in()
        return tenant

    yield start
    for session in sessions:
        session.close()
