"""A site whose AP is not linked to GL: a refused journal is sent alone once its cause is gone (FINANCE §1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from support.flow import Flow, flow

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor, StepState
from airflow_provider_mlconnector.sync.orders import Order
from airflow_provider_mlconnector.sync.replay import Replay, Selection

CLEARING = "00-2150"
Change = Callable[..., None]


def _period(deployment: Flow, *, usable: bool) -> None:
    """A person closes or opens the documents' periods in the general ledger; AP's stay open."""
    months = {(day.year, day.month) for document in deployment.documents() if (day := document.document_date)}
    for year, month in months:
        _at_the_site(deployment, kind="period", module="GL", year=year, month=month, open=usable)


def _account(deployment: Flow, *, usable: bool) -> None:
    """A person puts the clearing account, which no AP entry touches, on hold or releases it."""
    _at_the_site(deployment, kind="gl_account", gl_code=CLEARING, on_hold=not usable)


def _at_the_site(deployment: Flow, **body: Any) -> None:
    url = f"{deployment.sandbox.url}/_sandbox/documents"
    answer = requests.post(url, json={"system": "syspro", **body}, timeout=10)
    assert answer.ok, answer.text


@contextmanager
def _site(folder: Path) -> Iterator[Flow]:
    """Three invoices for a site whose AP does not reach the ledger by itself."""
    tenant = {"invoices": 3, "mix": "good", "credit_memos": 0, "list_with_lines": True}
    site, options = {"ap_gl": "not_linked"}, {"ap_gl": "not_linked", "authorize_journal": "A"}
    with flow(folder, jaggaer=tenant, syspro_site=site, syspro=options) as deployment:
        yield deployment


def _run_into(deployment: Flow, change: Change) -> None:
    """Run once: the AP entries are booked, then ``change`` comes in between, and every journal is refused."""
    deployment.strike = lambda point: change(deployment, usable=False) if point == "after_state" else None
    deployment.all()
    deployment.strike = lambda _point: None
    assert _attempts(deployment) == {("APSTIN", "posted"): 3, ("GENTJL", "refused"): 3}
    assert _states(deployment) == {State.PARKED}


def _attempts(deployment: Flow) -> Counter[tuple[str, str]]:
    """Every write the site has seen, refused ones included."""
    return Counter((attempt["bo"], attempt["outcome"]) for attempt in deployment.ledger()["write_attempts"])


def _states(deployment: Flow) -> set[State]:
    return {document.state for document in deployment.documents()}


def _codes(deployment: Flow) -> set[str]:
    return {document.reason_code for document in deployment.documents()}


def _assert_resumed_alone(deployment: Flow) -> None:
    assert _states(deployment) == {State.POSTED}
    assert _attempts(deployment) == {("APSTIN", "posted"): 3, ("GENTJL", "refused"): 3, ("GENTJL", "posted"): 3}
    references = [journal["reference"] for journal in deployment.ledger()["gl_journals"]]
    assert len(references) == len(set(references)) == 3
    ids = [document.id for document in deployment.documents()]
    with deployment.store.unit_of_work(Actor(user="test")) as uow:
        ap_steps = [steps[0] for steps in uow.steps.of(ids).values()]
    assert {(step.name, step.state, step.attempt) for step in ap_steps} == {("ap_invoice", StepState.DONE, 1)}


CAUSES = pytest.mark.parametrize(
    ("change", "refusal", "still"),
    [(_period, "period", "period_closed"), (_account, "ledgercode", "account_on_hold")],
    ids=["closed period", "account on hold"],
)


@CAUSES
def test_clearing_validation_and_what_follows_it_sends_the_refused_journal_alone(
    tmp_path: Path, change: Change, refusal: str, still: str
) -> None:
    with _site(tmp_path) as deployment:
        _run_into(deployment, change)
        assert _codes(deployment) == {refusal}
        deployment.run -= 1  # the very run is cleared, not a new one started
        deployment.validate()
        deployment.post()
        assert (_states(deployment), _codes(deployment)) == ({State.PARKED}, {still}), "the cause is still there"
        assert _attempts(deployment)["GENTJL", "refused"] == 3, "what would be refused again is not sent"
        change(deployment, usable=True)
        deployment.post()
        assert _states(deployment) == {State.PARKED}, "posting alone does not look at what is parked"
        deployment.validate()
        deployment.post()
        _assert_resumed_alone(deployment)


@CAUSES
def test_the_next_run_sends_the_refused_journal_alone(tmp_path: Path, change: Change, refusal: str, still: str) -> None:
    with _site(tmp_path) as deployment:
        _run_into(deployment, change)
        deployment.all()
        assert _codes(deployment) == {still}
        change(deployment, usable=True)
        deployment.all()
        _assert_resumed_alone(deployment)


@CAUSES
def test_a_replay_sends_the_refused_journal_alone_on_the_next_run(
    tmp_path: Path, change: Change, refusal: str, still: str
) -> None:
    with _site(tmp_path) as deployment:
        _run_into(deployment, change)
        change(deployment, usable=True)
        order = Order("released by the controller")
        replay = Replay(deployment.store, Actor(user="anna"), order, batch_id="replay.1", clock=deployment.clock)
        done = replay.run(replay.survey(Selection(route=deployment.route.name, reason=refusal)))
        assert [decision.to for decision in done] == [State.EXTRACTED] * 3
        deployment.all()
        _assert_resumed_alone(deployment)
