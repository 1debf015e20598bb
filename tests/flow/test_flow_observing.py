"""What SYSPRO has accepted but not booked is looked at until a person there has seen to it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.flow import Flow, flow

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.orders import Order
from airflow_provider_mlconnector.sync.replay import Replay, Selection

TENANT = {"invoices": 12, "mix": "good", "credit_memos": 1, "list_with_lines": True}


def counts(deployment: Flow) -> Counter[State]:
    return Counter(document.state for document in deployment.documents())


def by_hand(deployment: Flow, kind: str, **body: Any) -> Any:
    return deployment.sandbox.app.syspro.add(kind, body)


def test_an_integration_into_the_ledger_that_failed_is_observed_until_it_is_made_up_for(tmp_path: Path) -> None:
    with flow(tmp_path, jaggaer=TENANT, syspro_site={"gl_create": False}) as deployment:
        deployment.all()
        accepted = counts(deployment)[State.ACCEPTED]
        assert accepted == len(deployment.documents())
        attempts = len(deployment.ledger()["write_attempts"])
        deployment.all()
        assert counts(deployment)[State.ACCEPTED] == accepted
        by_hand(deployment, "gl_integration_run")
        deployment.all()
        assert counts(deployment)[State.POSTED] == accepted
        assert {d.reason_code for d in deployment.documents()} == {"observed"}
        assert len(deployment.ledger()["write_attempts"]) == attempts


def test_a_journal_of_ours_that_awaits_authorization_is_posted_once_somebody_has_given_it(tmp_path: Path) -> None:
    site = {"ap_gl": "not_linked", "authorize_journals": True}
    options = {"ap_gl": "not_linked", "authorize_journal": "D"}
    with flow(tmp_path, jaggaer=TENANT, syspro_site=site, syspro=options) as deployment:
        deployment.all()
        waiting = counts(deployment)[State.ACCEPTED]
        assert waiting
        for journal in deployment.ledger()["gl_journals"]:
            by_hand(deployment, "gl_journal_post", journal=journal["journal"])
        deployment.all()
        assert counts(deployment)[State.ACCEPTED] == 0
        assert counts(deployment)[State.POSTED] >= waiting


def one_waiting_journal(folder: Path, **options: Any) -> Any:
    """Return a site whose AP is not linked, where somebody else authorizes the journal of one invoice."""
    site = {"ap_gl": "not_linked", "authorize_journals": True}
    chosen = {"ap_gl": "not_linked", "authorize_journal": "D", **options}
    tenant = {**TENANT, "invoices": 1, "credit_memos": 0}
    return flow(folder, jaggaer=tenant, syspro_site=site, syspro=chosen)


def written(deployment: Flow) -> Counter[str]:
    return Counter(row["bo"] for row in deployment.ledger()["write_attempts"] if row["outcome"] == "posted")


def test_a_journal_of_ours_that_somebody_canceled_is_told_and_made_anew_by_replay_alone(tmp_path: Path) -> None:
    with one_waiting_journal(tmp_path) as deployment:
        deployment.all()
        (journal,) = deployment.ledger()["gl_journals"]
        by_hand(deployment, "gl_journal_cancel", journal=journal["journal"])
        deployment.all()
        (document,) = deployment.documents()
        assert (document.state, document.reason_code) == (State.FAILED, "journal_canceled")
        assert document.reason_subject == str(journal["journal"])
        deployment.all()
        assert written(deployment) == {"APSTIN": 1, "GENTJL": 1}, "nothing is made anew by itself"
        replay = Replay(
            deployment.store, Actor(user="anna"), Order("wrong button"), batch_id="replay.1", clock=deployment.clock
        )
        assert replay.run(replay.survey(Selection(keys=[document.id])))
        deployment.all()
        assert counts(deployment) == {State.ACCEPTED: 1}
        assert written(deployment) == {"APSTIN": 1, "GENTJL": 2}
        first, second = deployment.ledger()["gl_journals"]
        by_hand(deployment, "gl_journal_post", journal=second["journal"])
        deployment.all()
        assert counts(deployment) == {State.POSTED: 1}
        assert (first["journal"], first["reference"]) == (journal["journal"], second["reference"])


def test_a_journal_canceled_before_its_lost_answer_was_looked_up_is_for_a_person(tmp_path: Path) -> None:
    with one_waiting_journal(tmp_path) as deployment:
        rule = {"system": "syspro", "call": "Post:GENTJL", "nth": 1, "kind": "reset_after"}
        deployment.sandbox.app.faults.set([rule])
        deployment.extract()
        deployment.plan()
        deployment.validate()
        deployment.post()
        (journal,) = deployment.ledger()["gl_journals"]
        by_hand(deployment, "gl_journal_cancel", journal=journal["journal"])
        for _run in range(4):
            deployment.all()
            deployment.clock.advance(16 * 60)
        assert counts(deployment) == {State.UNCERTAIN: 1}
        assert written(deployment) == {"APSTIN": 1, "GENTJL": 1}


def test_where_no_letter_of_canceled_journals_is_known_one_stays_accepted(tmp_path: Path) -> None:
    with one_waiting_journal(tmp_path, canceled_journals=()) as deployment:
        deployment.all()
        (journal,) = deployment.ledger()["gl_journals"]
        by_hand(deployment, "gl_journal_cancel", journal=journal["journal"])
        deployment.all()
        assert counts(deployment) == {State.ACCEPTED: 1}


@pytest.mark.parametrize("column", [""])
def test_a_site_without_the_column_keeps_them_accepted_for_a_person(tmp_path: Path, column: str) -> None:
    options = {"ap_journal_column": column}
    with flow(tmp_path, jaggaer=TENANT, syspro_site={"gl_create": False}, syspro=options) as deployment:
        deployment.all()
        by_hand(deployment, "gl_integration_run")
        deployment.all()
        assert set(counts(deployment)) == {State.ACCEPTED}
