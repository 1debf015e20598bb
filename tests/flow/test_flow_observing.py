"""What SYSPRO has accepted but not booked is looked at until a person there has seen to it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.flow import Flow, flow

from airflow_provider_mlconnector.documents.lifecycle import State

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


@pytest.mark.parametrize("column", [""])
def test_a_site_without_the_column_keeps_them_accepted_for_a_person(tmp_path: Path, column: str) -> None:
    options = {"ap_journal_column": column}
    with flow(tmp_path, jaggaer=TENANT, syspro_site={"gl_create": False}, syspro=options) as deployment:
        deployment.all()
        by_hand(deployment, "gl_integration_run")
        deployment.all()
        assert set(counts(deployment)) == {State.ACCEPTED}
