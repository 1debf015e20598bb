"""CloudSuite M3 and JAGGAER in step by the same routes as CSI, over HTTP, with a store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.cloudsuite import Pair
from support.m3_pair import m3_paired

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.orders import Order
from airflow_provider_mlconnector.sync.replay import Replay, Selection


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with m3_paired(tmp_path, orders=24) as running:
        yield running


def books(pair: Pair) -> Any:
    return pair.app.cloudsuite.ledger()["m3"]


def batches(pair: Pair, number: str) -> list[dict[str, Any]]:
    return [row for row in books(pair)["invoices"] if row["SINO"] == number]


def test_an_invoice_of_jaggaer_becomes_a_batch_of_m3_and_is_seen_posted(pair: Pair) -> None:
    pair.bill("THIN-1")
    pair.run("invoices_in")
    document = pair.document("invoices_in", "THIN-1")
    assert document.state is State.ACCEPTED, document.reason
    (entered,) = batches(pair, "THIN-1")
    coded = [(line["AIT1"], line["AIT2"], Decimal(line["NLAM"])) for line in entered["lines"]]
    assert (entered["SUPA"], coded) == ("20", [("51300", "CC20", Decimal(100))])
    pair.csi("m3_post")
    pair.run("invoices_in")
    assert pair.document("invoices_in", "THIN-1").state is State.POSTED
    assert books(pair)["balanced"]


@pytest.mark.parametrize(
    ("kind", "entered", "state"),
    [
        ("reset_after", 1, State.ACCEPTED),
        ("cut_body", 1, State.ACCEPTED),
        ("reset_before", 0, State.UNCERTAIN),
        ("status", 0, State.UNCERTAIN),
    ],
)
def test_a_batch_whose_answer_was_lost_is_found_again_and_never_entered_twice(
    pair: Pair, kind: str, entered: int, state: State
) -> None:
    pair.bill("LOST-1")
    rule = {"system": "cloudsuite", "call": "M3Execute", "kind": kind, "nth": CALLS_BEFORE_HEAD + 1}
    pair.app.faults.set([{**rule, **({"code": 502} if kind == "status" else {})}])
    pair.run("invoices_in")
    assert pair.app.faults.rules[0].hits == 1
    pair.pass_time(1200)
    pair.run("invoices_in")
    document = pair.document("invoices_in", "LOST-1")
    assert (len(batches(pair, "LOST-1")), document.state) == (entered, state), document.reason
    heads = [row for row in pair.app.cloudsuite.ledger()["attempts"] if row["operation"] == "AddHead"]
    assert len(heads) == entered


CALLS_BEFORE_HEAD = 1
"""Calls by POST before the head is sent: the look-up whether the number is there already."""


def test_an_invoice_typed_in_by_hand_is_linked_and_not_entered_again(pair: Pair) -> None:
    pair.bill("HAND-9")
    line = {"account": "51300", "cost_center": "CC20", "amount": "100.00"}
    day = (pair.today - timedelta(days=1)).isoformat()
    pair.csi("m3_invoice", supplier="V00001", number="HAND-9", lines=[line], date=day)
    pair.run("invoices_in")
    document = pair.document("invoices_in", "HAND-9")
    assert document.state is State.LINKED, document.reason
    assert len(batches(pair, "HAND-9")) == 1


def _identity(dimension: int, code: str, **fields: str) -> Callable[[Pair], None]:
    return lambda pair: pair.csi("m3_identity", dimension=dimension, code=code, set=fields) and None


def _supplier(status: str) -> Callable[[Pair], None]:
    return lambda pair: pair.csi("m3_supplier_edit", number="V00001", set={"STAT": status}) and None


@pytest.mark.parametrize(
    ("close", "reopen", "says"),
    [
        (_identity(1, "51300", LCCD="1"), _identity(1, "51300", LCCD="0"), "51300 of dimension 1"),
        (_identity(2, "CC20", VTDT="20200101"), _identity(2, "CC20", VTDT="20991231"), "CC20 of dimension 2"),
        (_supplier("90"), _supplier("20"), "V00001 is not active"),
    ],
    ids=["account blocked", "cost center ended", "supplier blocked"],
)
def test_what_ends_in_m3_between_check_and_posting_reaches_no_ledger_and_is_completed_by_a_replay_once(
    pair: Pair, close: Callable[[Pair], None], reopen: Callable[[Pair], None], says: str
) -> None:
    pair.bill("ENDED-1")
    route = pair["invoices_in"]
    route.extract()
    route.plan()
    route.validate()
    assert pair.document("invoices_in", "ENDED-1").state is State.VALIDATED
    close(pair)
    route.post()
    route.settle()
    route.run += 1
    told = pair.document("invoices_in", "ENDED-1")
    assert (told.state, told.reason_code) == (State.FAILED, "validation_errors"), told.reason
    (held,) = batches(pair, "ENDED-1")
    assert says in held["MSGD"]
    pair.csi("m3_post")
    pair.run("invoices_in")
    assert books(pair)["gl_lines"] == []

    reopen(pair)
    replay = Replay(pair.flow.store, Actor(user="anna"), Order("open again"), batch_id="replay.1", clock=pair.clock)
    assert replay.run(replay.survey(Selection(keys=[told.id])))
    pair.run("invoices_in")
    pair.csi("m3_post")
    pair.run("invoices_in", "invoices_in")
    assert pair.document("invoices_in", "ENDED-1").state is State.POSTED
    assert [batch["INBN"] for batch in batches(pair, "ENDED-1")] == [held["INBN"]], "the very batch, not a second one"
    operations = Counter(row["operation"] for row in pair.app.cloudsuite.ledger()["attempts"])
    assert operations["AddHead"] == 1
    assert {line["batch"] for line in books(pair)["gl_lines"]} == {int(held["INBN"])}
    assert books(pair)["balanced"]


def test_orders_of_m3_reach_jaggaer_and_their_changes_and_ends(pair: Pair) -> None:
    number = pair.csi("m3_order", supplier="V00001", lines=[{"quantity": "3", "price": "12.50"}])["PUNO"]
    pair.run("orders")
    document = pair.document("orders", number)
    assert document.state in {State.POSTED, State.SUBMITTED, State.ACCEPTED}, document.reason
    first = document.revision
    pair.csi("m3_order_line", number=number, line=1, quantity="5")
    pair.run("orders")
    assert pair.document("orders", number).revision > first
    states = {one.state for one in pair.documents("orders")}
    assert states <= {State.POSTED, State.SUBMITTED, State.ACCEPTED, State.PARKED, State.SKIPPED, State.SUPERSEDED}


def test_accounts_and_cost_centers_of_m3_become_code_lists_of_jaggaer(pair: Pair) -> None:
    pair.run("accounts", "cost_centers")
    for route, dimension in (("accounts", "1"), ("cost_centers", "2")):
        codes = {row["AITM"] for row in books(pair)["identities"] if row["AITP"] == dimension}
        found = {one.key: one.state for one in pair.documents(route)}
        assert found.keys() == codes
        assert set(found.values()) <= {State.POSTED, State.LINKED, State.SKIPPED, State.PARKED}


def test_suppliers_are_exchanged_both_ways_once(pair: Pair) -> None:
    before = len(books(pair)["suppliers"])
    pair.run("suppliers_in", "suppliers_out", "suppliers_in", "suppliers_out")
    states = {(one.route, one.state) for one in [*pair.documents("suppliers_in"), *pair.documents("suppliers_out")]}
    assert not {state for _, state in states} & {State.FAILED, State.UNCERTAIN, State.REJECTED}
    after = [row["SUNO"] for row in books(pair)["suppliers"]]
    assert len(after) == len(set(after)) >= before
