"""The pair on a real PostgreSQL: every route through faults, workers at once, a last cycle that writes nothing."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from support.cloudsuite import Pair, paired
from support.mishaps import line
from support.postgres import running_postgres

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import MLConnectorError

pytestmark = pytest.mark.postgres
ROUTES = ("suppliers_in", "suppliers_out", "accounts", "cost_centers", "orders", "invoices_in", "invoices_out")
QUARTER = 16 * 60
LOST = (
    {"system": "cloudsuite", "call": "CsiUpdate SLAptrxs", "kind": "reset_after", "nth": 1},
    {"system": "cloudsuite", "call": "CsiUpdate SLAptrxds", "kind": "gateway_timeout", "seconds": 0, "nth": 2},
    {"system": "jaggaer", "call": "UpsertPurchaseOrder", "kind": "cut_body", "nth": 1},
    {"system": "jaggaer", "call": "ImportInvoice", "kind": "html_after", "nth": 1},
    {"system": "cloudsuite", "call": "CsiLoad*", "kind": "rate_limit", "retry_after": 2, "nth": [2, 5, 9]},
)
"""Answers of one write of each kind that has no key of its own, and refusals between."""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with running_postgres() as server:
        url = server.url(server.create_database())
        with paired(tmp_path, url=url, jaggaer={"ocr_status": "Completed", "ocr_unique": "off"}) as running:
            yield running


def written(pair: Pair) -> tuple[int, int]:
    return len(pair.app.cloudsuite.ledger()["attempts"]), len(pair.app.jaggaer.ledger()["write_attempts"])


def cycle(pair: Pair) -> None:
    for name in ROUTES:
        pair[name].all()
    pair.post_vouchers()
    pair.pass_time(QUARTER)


def test_every_route_arrives_once_and_the_last_cycle_writes_nothing(pair: Pair) -> None:
    pair.bill("IN-1", line(60, "51200", "CC10"), line(40, "51300", "CC20"))
    pair.bill("IN-2", line(40), total=40, invoiceType="Credit memo")
    pair.enter("OUT-1")
    bought = [{"qty": 2, "price": "10.50", "account": "51300", "unit": "CC20", "description": "Drill"}]
    pair.csi("purchase_order", vendor="V00001", po_num="P7", lines=bought)
    pair.csi("vendor", vendor="V00777", name="Fresh Bolts", city="Eastport", currency="USD")
    pair.app.faults.set([dict(rule) for rule in LOST])
    for _ in range(4):
        cycle(pair)
    hits = [rule.hits for rule in pair.app.faults.rules]
    assert all(hits), hits
    assert {number: pair.document("invoices_in", number).state for number in ("IN-1", "IN-2")} == dict.fromkeys(
        ("IN-1", "IN-2"), State.POSTED
    )
    assert Counter(row["InvNum"].strip() for row in pair.vouchers()) == dict.fromkeys(("IN-1", "IN-2", "OUT-1"), 1)
    assert Counter(row["number"] for row in pair.imported()) == dict.fromkeys(("IN-1", "IN-2", "OUT-1"), 1)
    (order,) = [row for row in pair.app.jaggaer.ledger()["purchase_orders"] if row["number"] == "P7"]
    assert [state["revision"] for state in order["states"]] == [0]
    assert "V00777" in {row["number"] for row in pair.app.jaggaer.ledger()["suppliers"]}
    books = pair.app.cloudsuite.ledger()
    assert (books["violations"], books["exposed"]) == ([], [])
    before = written(pair)
    cycle(pair)
    assert written(pair) == before


def test_workers_that_post_at_the_same_time_write_each_voucher_once(pair: Pair) -> None:
    numbers = [f"TWO-{place}" for place in range(10)]
    for number in numbers:
        pair.bill(number, line(60, "51200", "CC10"), line(40, "51300", "CC20"))
    flow = pair["invoices_in"]
    for task in ("extract", "plan", "validate"):
        getattr(flow, task)()
    failed: list[BaseException] = []

    def post() -> None:
        try:
            with suppress(MLConnectorError):  # whose document another has: the next run takes it up
                flow.post()
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failed.append(error)

    workers = [threading.Thread(target=post) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failed == []
    flow.run += 1
    for _ in range(2):
        pair.pass_time(QUARTER)
        flow.all()
        pair.post_vouchers()
    flow.all()
    assert Counter(row["InvNum"].strip() for row in pair.vouchers(gone=True)) == dict.fromkeys(numbers, 1)
    assert {Decimal(row["InvAmt"]) for row in pair.vouchers()} == {Decimal(100)}
    assert {pair.document("invoices_in", number).state for number in numbers} == {State.POSTED}
