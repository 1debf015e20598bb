"""The clear matrix for tasks that are running, under a real scheduler (DESIGN §1: any task, at any moment).

Each task is caught in the middle of its work: on the way to a system that answers late, or waiting for a table of the
store that the test holds. Then it is cleared, or its process is killed. What must be true then never changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from support.airflow_cluster import Cluster
from support.airflow_disturb import add_invoices, caught
from support.airflow_home import TASKS

pytestmark = [pytest.mark.airflow, pytest.mark.scheduler, pytest.mark.postgres, pytest.mark.timeout(420)]

Disturb = Callable[[str, str], None]


def _everything_is_booked_once(cluster: Cluster, run: str) -> None:
    assert cluster.wait_for_run(run) == "success", cluster.states(run)
    documents = cluster.documents()
    expected = cluster.sandbox.app.jaggaer.ledger()["invoices"]
    assert len(documents) == expected
    assert Counter(str(document.state) for document in documents) == {"posted": expected}
    attempts = [row for row in cluster.sandbox.app.syspro.ledger()["write_attempts"] if not row["validate_only"]]
    assert Counter(row["outcome"] for row in attempts) == {"posted": expected}, (
        "nothing was sent that was booked before"
    )
    assert len({row["reference"] for row in attempts}) == expected
    with cluster.store() as store:
        assert store.verify_chain().ok


def _disturb_every_task_in_turn(cluster: Cluster, disturb: Disturb) -> str:
    add_invoices(cluster)
    run = cluster.trigger()
    for before, task in zip(("", *TASKS), TASKS, strict=False):
        if before:
            cluster.wait_for_task(run, before, "success")
        with caught(cluster, task) as is_caught:
            cluster.wait(f"{task} in the middle of its work", is_caught, seconds=60, every=0.02)
            disturb(run, task)
    return run


def _tries(cluster: Cluster, run: str) -> dict[str, int]:
    return {task: cluster.task(run, task)["try_number"] for task in TASKS}


def test_every_task_may_be_cleared_while_it_runs(cluster: Cluster) -> None:
    run = _disturb_every_task_in_turn(cluster, cluster.clear)
    _everything_is_booked_once(cluster, run)
    assert min(_tries(cluster, run).values()) == 2


def test_every_task_may_be_killed_and_cleared(cluster: Cluster) -> None:
    def kill_and_clear(run: str, task: str) -> None:
        cluster.kill(run, task)
        cluster.wait_for_task(run, task, "up_for_retry")
        cluster.clear(run, task)

    run = _disturb_every_task_in_turn(cluster, kill_and_clear)
    _everything_is_booked_once(cluster, run)
    assert min(_tries(cluster, run).values()) == 2


@pytest.mark.parametrize("killed", [False, True], ids=["running", "killed"])
def test_every_task_may_be_cleared_with_what_follows_it(cluster: Cluster, killed: bool) -> None:
    add_invoices(cluster)
    run = cluster.trigger()
    _everything_is_booked_once(cluster, run)
    for number, task in enumerate(reversed(TASKS)):
        # what follows the task has all been done before, and is done once more
        with cluster.documents_locked() as someone_waits:
            cluster.clear(run, task)
            cluster.wait(f"{task} in the middle of its work", someone_waits, seconds=60, every=0.02)
            if killed:
                cluster.kill(run, task)
                cluster.wait_for_task(run, task, "up_for_retry")
            if task == "extract":
                add_invoices(cluster)
            cluster.clear(run, task, downstream=True)
        _everything_is_booked_once(cluster, run)
        assert cluster.task(run, "report")["try_number"] == number + 3, "everything behind the task ran once more"
