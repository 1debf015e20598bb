"""A lost answer to a credit memo: sent again only where the site has shown our reference before (FINANCE §5)."""

from __future__ import annotations

import copy
from pathlib import Path

from support.flow import Flow, flow

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import DocumentRecord
from airflow_provider_mlconnector.systems.ports import Window

SITE = {"invoices": 60, "mix": "good", "credit_memos": 3, "list_with_lines": True}
LOST = {"kind": "reset_before", "call": "Post:APSTIN"}


def _one_more_credit(deployment: Flow) -> str:
    tenant = deployment.sandbox.app.jaggaer
    key = next(key for key, row in tenant.truth().items() if row["label"] == "credit_memo")
    document = copy.deepcopy(tenant._store.get(int(key)))
    for name in ("invoiceId", "invoiceNumber"):
        del document["header"][name]
    document["header"]["supplierInvoiceNumber"] = "CR-LATER"
    return str(tenant.add("invoice", document)["invoiceId"])


def _of(deployment: Flow, key: str) -> DocumentRecord:
    return next(document for document in deployment.documents() if document.key == key)


def test_a_proof_learned_weeks_ago_lets_a_lost_credit_be_repeated_after_two_looks(tmp_path: Path) -> None:
    with flow(tmp_path, jaggaer=SITE, syspro_site={"uniqueness": False}) as deployment:
        assert deployment.all().counts == {"posted": 60}
        # long enough for all that is kept of single runs to be purged
        deployment.clock.advance(20 * 86_400)
        key = _one_more_credit(deployment)
        deployment.extract(window=Window())
        deployment.sandbox.app.faults.set([LOST])
        deployment.all()
        first = _of(deployment, key)
        assert (first.state, first.reason_code) == (State.UNCERTAIN, "not_found_yet")
        deployment.sandbox.app.faults.set([])
        deployment.clock.advance(16 * 60)
        deployment.all()
        assert _of(deployment, key).state is State.POSTED
        assert len(deployment.ledger()["ap_transactions"]) == 4


def test_a_lost_credit_at_a_site_that_never_showed_our_reference_waits_for_a_person(tmp_path: Path) -> None:
    with flow(tmp_path, jaggaer=SITE) as deployment:
        deployment.extract()
        deployment.plan()
        deployment.validate()
        credits_sent = 0

        def after_the_invoices(point: str) -> None:
            nonlocal credits_sent
            if point != "claimed":
                return
            posted = sum(document.state is State.POSTED for document in deployment.documents())
            if posted == 57:
                deployment.sandbox.app.faults.set([LOST])
                credits_sent += 1

        deployment.strike = after_the_invoices
        deployment.post()
        assert credits_sent == 1
        deployment.sandbox.app.faults.set([])
        for _ in range(3):
            deployment.clock.advance(16 * 60)
            report = deployment.all()
        assert report.counts == {"posted": 57, "uncertain": 3}
        assert {reason.code for reason in report.reasons} == {"needs_a_person"}
        assert deployment.ledger()["ap_transactions"] == []
        assert report.failing == {"uncertain": 3}


def test_what_settling_found_is_proof_enough_for_the_other_credits(tmp_path: Path) -> None:
    """The worker that posted the first credit died before it could look; the next one learns from settling."""
    with flow(tmp_path, jaggaer=SITE, syspro_site={"uniqueness": False}) as deployment:
        deployment.extract()
        deployment.plan()
        deployment.validate()

        def strike(point: str) -> None:
            if point != "claimed":
                return
            posted = sum(document.state is State.POSTED for document in deployment.documents())
            if posted == 57:
                rules = [{"kind": "reset_after", "call": "Post:APSTIN", "nth": 1}, {**LOST, "nth": [2, 3]}]
                deployment.sandbox.app.faults.set(rules)

        deployment.strike = strike
        deployment.route = deployment.route.model_copy(update={"claim_size": 60})
        deployment.syspro = {"max_items": 1}
        deployment.post()
        deployment.sandbox.app.faults.set([])
        deployment.strike = lambda _point: None
        for _ in range(4):
            deployment.clock.advance(16 * 60)
            report = deployment.all()
        assert report.counts == {"posted": 60}
        assert len(deployment.ledger()["ap_transactions"]) == 3
