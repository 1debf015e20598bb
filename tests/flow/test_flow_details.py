"""An invoice that is listed without its lines is asked for again until JAGGAER shows them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from support.flow import flow
from support.mishap_scripts import GONE

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor


def test_an_invoice_whose_detail_was_missing_is_posted_once_the_detail_is_there(tmp_path: Path) -> None:
    with flow(tmp_path, jaggaer={"invoices": 3, "mix": "good"}) as deployment:
        rule = {"system": "jaggaer", "call": "GetInvoice", "kind": "status", "code": 200, "body": json.dumps(GONE)}
        deployment.sandbox.app.faults.set([{**rule, "nth": 2}])
        deployment.all()
        states = Counter(document.state for document in deployment.documents())
        assert states == {State.POSTED: 2, State.PARKED: 1}
        waiting = next(d for d in deployment.documents() if d.state is State.PARKED)
        assert waiting.reason_code == "detail_missing"
        deployment.all()
        assert Counter(document.state for document in deployment.documents()) == {State.POSTED: 3}
        with deployment.store.unit_of_work(Actor(user="test")) as uow:
            assert "detail_read" in {event.reason_code for event in uow.events.of(waiting.id)}
        assert deployment.store.verify_chain().ok
