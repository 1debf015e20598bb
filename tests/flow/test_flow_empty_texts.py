"""``{}`` in any text field of an invoice, through the whole house: told or taken as empty, never posted as a text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from support.empties import braces, dotted, generated, texts
from support.flow import Flow, flow

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor

STUCK = {
    "supplierInvoiceNumber": (State.REJECTED, "missing_field"),
    "supplierNumber": (State.PARKED, "supplier_without_number"),
    "invoiceType": (State.REJECTED, "missing_field"),
    "invoiceDate": (State.REJECTED, "missing_field"),
    "lastUpdate": (State.REJECTED, "missing_field"),
    "currency": (State.REJECTED, "missing_field"),
    "internalName": (State.REJECTED, "missing_field"),
    "distributionType": (State.REJECTED, "allocation_mismatch"),
    "businessUnit": (State.PARKED, "unmapped_business_unit"),
}
"""What becomes of an invoice without this field; the account and cost center among its values follow below."""
WAITING = {"workflowStatus", "paymentStatus", "matchStatus"}
CODES = {0: (State.REJECTED, "missing_account"), 1: (State.REJECTED, "missing_cost_center")}


def _one_invoice_per_field(deployment: Flow) -> dict[str, tuple[str | int, ...]]:
    """Add an invoice for every text of an invoice, that text being ``{}``; return the paths by key."""
    tenant = deployment.sandbox.app.jaggaer
    stamp = (datetime.now(UTC) - timedelta(minutes=5)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    paths = [path for path in texts(generated()["split_amount"]) if "miscFee" not in path]
    emptied = {}
    for path in paths:
        key = int(tenant.add("invoice", {"label": "split_amount"})["invoiceId"])
        tenant.add("invoice", {"id": key, "set": {"header.lastUpdate": stamp, dotted(path): {}}})
        emptied[str(key)] = path
    return emptied


def _expected(path: tuple[str | int, ...]) -> tuple[State, str]:
    if path[0] == "lineList" and path[-1] == "value":
        return CODES[int(path[-2])]
    if path[0] == "lineList" and path[-1] == "businessUnit":
        return State.POSTED, ""  # the header's is the one that counts
    return STUCK.get(str(path[-1]), (State.POSTED, ""))


def test_an_empty_text_anywhere_is_told_or_taken_as_empty_and_never_posted(tmp_path: Path) -> None:
    with flow(tmp_path, jaggaer={"invoices": 0}) as deployment:
        emptied = _one_invoice_per_field(deployment)
        deployment.all()
        found = {document.key: document for document in deployment.documents()}
        wrong: dict[str, Any] = {}
        for key, path in emptied.items():
            # a row without its key or change stamp is kept under a key of its own
            document = found.get(key) or next((d for k, d in found.items() if k.startswith("unreadable-")), None)
            if path[0] == "header" and path[-1] in WAITING and len(path) == 2:
                assert key not in found, path
            elif document is None or (document.state, document.reason_code) != _expected(path):
                wrong[dotted(path)] = document
            elif document.state is not State.POSTED:
                assert document.reason, path
        assert wrong == {}, wrong
        assert len(found) == len(emptied) - len(WAITING)
        with deployment.store.unit_of_work(Actor(user="test")) as uow:
            steps = uow.steps.of([document.id for document in found.values()])
        assert braces([step.payload for of in steps.values() for step in of]) == []
        assert braces(deployment.ledger()) == []
        assert len(deployment.ledger()["ap_invoices"]) > 30
