"""SYSPRO's licensed seats: whatever becomes of a worker, the connector holds one at most, and none when it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.flow import Flow, flow
from support.remote import Killed

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import MLConnectorError

SITE: dict[str, Any] = {
    "jaggaer": {"invoices": 6, "mix": "good", "credit_memos": 1, "list_with_lines": True},
    "syspro_site": {"licenses": 1},
}


def seats(deployment: Flow) -> int:
    """Count the sessions that hold a seat now."""
    return len(deployment.ledger()["sessions"])


def test_the_seat_of_a_worker_that_was_killed_is_taken_over_by_the_next_one_and_given_back(tmp_path: Path) -> None:
    with flow(tmp_path, **SITE) as deployment:
        deployment.syspro_client().logon()  # and nobody is left to log off
        assert seats(deployment) == 1
        report = deployment.all()
        assert report.counts == {"posted": 6}
        assert seats(deployment) == 0


@pytest.mark.parametrize("point", ["claimed", "after_intent", "after_response"])
def test_a_worker_that_ends_with_an_error_anywhere_logs_off(tmp_path: Path, point: str) -> None:
    with flow(tmp_path, **SITE) as deployment:

        def strike(reached: str) -> None:
            if reached == point:
                assert seats(deployment) == 1, "it is at work"
                raise Killed

        deployment.extract()
        deployment.plan()
        deployment.validate()
        deployment.strike = strike
        with pytest.raises(Killed):
            deployment.post()
        assert seats(deployment) == 0
        deployment.strike = lambda _point: None
        for _ in range(3):
            deployment.clock.advance(1200)
            deployment.all()
        assert {document.state for document in deployment.documents()} == {State.POSTED}
        assert seats(deployment) == 0


def test_a_site_that_answers_nothing_but_errors_is_left_without_a_seat(tmp_path: Path) -> None:
    with flow(tmp_path, **SITE) as deployment:
        deployment.extract()
        deployment.plan()
        deployment.validate()
        down = {"kind": "status", "code": 503, "system": "syspro"}
        deployment.sandbox.app.faults.set([{**down, "call": call} for call in ("Post:*", "Query:*")])
        with pytest.raises(MLConnectorError):
            deployment.post()
        assert seats(deployment) == 0
