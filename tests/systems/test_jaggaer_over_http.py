"""The JAGGAER client against the sandbox, over real HTTP, with its faults."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from support.invoices import attempt

from airflow_provider_mlconnector.documents.coding import CodedInvoice
from airflow_provider_mlconnector.documents.validation import check_invoice
from airflow_provider_mlconnector.errors import NotAuthenticated, RateLimited, Unavailable
from airflow_provider_mlconnector.mapping.coding import code_invoice
from airflow_provider_mlconnector.mapping.load import load_mapping
from airflow_provider_mlconnector.mapping.model import MappingSet
from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving
from airflow_provider_mlconnector.systems.jaggaer.auth import Credentials
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.source import JaggaerInvoiceSource
from airflow_provider_mlconnector.systems.ports import SourceRecord, Window
from airflow_provider_mlconnector.systems.transport import Transport

SAMPLE = Path(__file__).parents[2] / "dags" / "mappings" / "jaggaer_to_syspro.yaml"
OBJECTIONS = {
    "no_lines": "no_lines",
    "total_off": "total_mismatch",
    "charge_neither": "total_mismatch",
    "charge_ambiguous": "ambiguous_charges",
    "unknown_currency": "unknown_currency",
    "empty_number": "missing_field",
    "empty_supplier": "supplier_without_number",
    "unmapped_account": "unmapped_account",
    "unmapped_cost_center": "unmapped_cost_center",
    "unmapped_business_unit": "unmapped_business_unit",
    "kwd": "unmapped_currency",
}
"""What the generator spoils (or this mapping leaves out), and the code it must come back with."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with serving(seed=7, invoices=150) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_faults(sandbox: RunningSandbox) -> Iterator[None]:
    yield
    requests.delete(f"{sandbox.url}/_sandbox/faults", timeout=10).raise_for_status()


def source(sandbox: RunningSandbox, *, secret: str | None = None) -> JaggaerInvoiceSource:
    form = requests.get(f"{sandbox.url}/_sandbox/credentials", timeout=10).json()["jaggaer"]
    credentials = Credentials("jaggaer_test", sandbox.url, form["login"], secret or form["password"])
    transport = Transport(sandbox.url, system="JAGGAER", allow_http=True, wait_budget=5)
    return JaggaerInvoiceSource(JaggaerClient(transport, credentials))


def fault(sandbox: RunningSandbox, **rule: Any) -> None:
    rule = {"system": "jaggaer", "call": "*", **rule}
    requests.post(f"{sandbox.url}/_sandbox/faults", json=[rule], timeout=10).raise_for_status()


def everything(reader: JaggaerInvoiceSource) -> list[SourceRecord]:
    return [record for page in reader.pages(Window()) for record in page.records]


def truth(sandbox: RunningSandbox) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = requests.get(f"{sandbox.url}/_sandbox/truth", timeout=10).json()
    return found


def coding(reader: JaggaerInvoiceSource, record: SourceRecord, mapping: MappingSet) -> CodedInvoice:
    return code_invoice(check_invoice(reader.decode(reader.complete(record).payload)), mapping, version=1)


def test_every_generated_invoice_is_read_coded_or_objected_to_as_its_label_says(sandbox: RunningSandbox) -> None:
    reader, labels = source(sandbox), truth(sandbox)
    mapping = load_mapping(SAMPLE.read_text(), origin="sample")
    records = everything(reader)
    assert {r.key for r in records} == set(labels)
    seen = set()
    for record in records:
        label = labels[record.key]["label"]
        seen.add(label)
        coded, code = attempt(lambda r: coding(reader, r, mapping), record)
        assert code == OBJECTIONS.get(label, ""), label
        if coded is None:
            continue
        assert coded.invoice.gross == Decimal(labels[record.key]["gross"])
        assert coded.invoice.number == labels[record.key]["number"]
        assert sum(p.amount for p in coded.postings) + coded.tax_value == coded.invoice.gross
    assert seen >= set(OBJECTIONS)


def test_eligibility_follows_the_generated_status(sandbox: RunningSandbox) -> None:
    labels = truth(sandbox)
    wanted = {"pending": "not_eligible", "paid": "paid", "cancelled": "closed"}
    for record in everything(source(sandbox)):
        assert record.eligibility.value == wanted.get(labels[record.key]["label"], "eligible")


def test_a_window_is_filtered_by_the_remote(sandbox: RunningSandbox) -> None:
    reader = source(sandbox)
    records = sorted(everything(reader), key=lambda r: r.revision)
    middle = records[len(records) // 2]
    since = datetime.fromisoformat(middle.revision).replace(microsecond=0)
    later = {r.key for page in reader.pages(Window(start=since)) for r in page.records}
    assert later == {r.key for r in records if datetime.fromisoformat(r.revision) >= since}


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "status", "code": 503, "nth": 1, "times": 1},
        {"kind": "reset_before", "nth": 1, "times": 1},
        {"kind": "cut_body", "nth": 1, "times": 1},
        {"kind": "rate_limit", "nth": 1, "times": 1, "retry_after": 1},
        {"kind": "token_kill", "nth": 1, "times": 1},
        {"kind": "drop_idle", "nth": 1, "times": 1},
    ],
    ids=lambda rule: rule["kind"],
)
def test_one_fault_while_listing_loses_and_repeats_nothing(sandbox: RunningSandbox, rule: dict[str, Any]) -> None:
    reader = source(sandbox)
    reader.remote_time()
    fault(sandbox, **rule)
    keys = [record.key for record in everything(reader)]
    assert len(keys) == len(set(keys)) == 150


def test_a_tenant_that_only_answers_429_ends_retriable(sandbox: RunningSandbox) -> None:
    reader = source(sandbox)
    reader.remote_time()
    fault(sandbox, kind="rate_limit", probability=1, seed=1, retry_after=3600)
    with pytest.raises((RateLimited, Unavailable)):
        everything(reader)


def test_a_wrong_secret_is_sent_once(sandbox: RunningSandbox) -> None:
    reader = source(sandbox, secret="wrong")
    source(sandbox).remote_time()
    before = _token_calls(sandbox)
    for _ in range(3):
        with pytest.raises(NotAuthenticated, match="jaggaer_test"):
            reader.remote_time()
    assert _token_calls(sandbox) - before == 1


def _token_calls(sandbox: RunningSandbox) -> int:
    counts: dict[str, Any] = requests.get(f"{sandbox.url}/_sandbox/requests", timeout=10).json()
    return int(counts["systems"]["jaggaer"]["calls"]["Token"])


def test_ten_thousand_lines_come_through_in_one_piece(sandbox: RunningSandbox) -> None:
    body = {"system": "jaggaer", "kind": "big_invoice", "lines": 10_000}
    added = requests.post(f"{sandbox.url}/_sandbox/documents", json=body, timeout=30)
    added.raise_for_status()
    reader = source(sandbox)
    newest = next(record for record in everything(reader) if record.key == str(added.json()["invoiceId"]))
    invoice = reader.decode(reader.complete(newest).payload)
    assert len(invoice.lines) == 10_000
    mapping = load_mapping(SAMPLE.read_text(), origin="sample")
    coded = code_invoice(check_invoice(invoice), mapping, version=1)
    assert sum(p.amount for p in coded.postings) + coded.tax_value == invoice.gross
