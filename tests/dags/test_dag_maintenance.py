"""The DAGs that belong to no pair, through `dag.test()`: a replay by its form, and the audit trail's anchor."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError
from sqlalchemy import update
from support.airflow_home import Deployment

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.hooks.anchor import read_anchors
from airflow_provider_mlconnector.store.schema import events

pytestmark = pytest.mark.airflow
REPLAY, AUDIT = "mlconnector_replay", "mlconnector_audit"


def _writes(deployment: Deployment) -> int:
    return len(deployment.sandbox.app.syspro.ledger()["write_attempts"])


def test_what_a_run_left_is_replayed_from_the_form_and_nothing_posted_is_posted_again(deploy: Any) -> None:
    deployment = deploy(jaggaer={"invoices": 25})
    first = deployment.run()
    left = Counter(document.state for document in deployment.documents())
    stuck = left[State.PARKED] + left[State.REJECTED]
    assert stuck, left
    writes = _writes(deployment)
    with pytest.raises(ParamValidationError, match="why"):
        deployment.run({"of_run": first.run_id}, dag_id=REPLAY)
    form = {"why": "mapped since", "of_run": first.run_id, "states": ["parked", "rejected"]}
    seen = deployment.run({**form, "dry_run": True}, dag_id=REPLAY)
    assert seen.state == "success", seen.errors
    assert seen.result("replay")["counts"] == {"replayed": stuck, "left_alone": 0}
    assert Counter(document.state for document in deployment.documents()) == left
    done = deployment.run(form, dag_id=REPLAY)
    assert done.state == "success", done.errors
    assert done.result("replay")["counts"] == {"replayed": stuck, "left_alone": 0}
    assert Counter(document.state for document in deployment.documents())[State.EXTRACTED] == stuck
    deployment.run()
    assert Counter(document.state for document in deployment.documents()) == left, "nothing was mapped, after all"
    assert _writes(deployment) == writes


def test_the_trail_is_anchored_and_an_edit_of_it_turns_the_run_red(
    deploy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchors = tmp_path / "anchors"
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__ANCHOR_FILE", str(anchors))
    deployment = deploy(jaggaer={"invoices": 5, "mix": "good"})
    assert deployment.run().state == "success"
    anchored = deployment.run(dag_id=AUDIT)
    assert anchored.state == "success", anchored.errors
    told = anchored.result("anchor")
    assert read_anchors(anchors)[-1].seq == told["seq"] == told["events"]
    with deployment.store() as store, store._engine.begin() as connection:
        connection.execute(update(events).where(events.c.seq == 3).values(run_id="forged"))
    red = deployment.run(dag_id=AUDIT)
    assert (red.state, red.tries["anchor"]) == ("failed", 1)
    assert "event 3" in str(red.errors["anchor"][0])
