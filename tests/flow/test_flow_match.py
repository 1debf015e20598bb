"""Invoices matched with their orders over HTTP, at a site that receives nothing in SYSPRO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from support.flow import Flow, flow

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import Actor, DocumentRecord
from airflow_provider_mlconnector.sync.match import survey


class Desk:
    """Both routes of a deployment that keeps back what does not match, and the people in JAGGAER."""

    def __init__(self, deployment: Flow, match: str) -> None:
        rules = {"match": match, "po_lines": "post", "orders_route": "orders"}
        self.invoices = deployment.for_route(deployment.route.model_copy(update=rules))
        update = {"name": "orders", "document": "purchase_order", "options": {"po_split": "largest"}}
        self.orders = deployment.for_route(deployment.route.model_copy(update=update))

    def jaggaer(self, kind: str, **body: Any) -> dict[str, Any]:
        done: dict[str, Any] = self._control("documents", {"system": "jaggaer", "kind": kind, **body})
        self._control("clock", {"advance": 2})  # a window ends at the second the source says it is
        return done

    def _control(self, path: str, body: Any) -> Any:
        answer = requests.post(f"{self.invoices.sandbox.url}/_sandbox/{path}", json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def order(self) -> tuple[str, Decimal, Decimal]:
        """Have somebody order something and bring it into SYSPRO; return number, quantity and price of line 1."""
        number = str(self.jaggaer("purchase_order", label="non_stocked")["poNumber"])
        self.orders.all()
        rows = self.invoices.ledger()["purchase_orders"]
        (stored,) = [row for row in rows if row["customer_po"].startswith(number)]
        line = stored["lines"][0]
        return number, Decimal(line["qty"]), Decimal(line["price"])

    def bill(self, number: str, quantity: Decimal, price: Decimal | None = None) -> str:
        """Have the supplier bill line 1; return JAGGAER's key of the invoice."""
        billed = {"line": 1, "quantity": str(quantity)} | ({} if price is None else {"price": str(price)})
        return str(self.jaggaer("po_invoice", number=number, lines=[billed])["invoiceId"])

    def document(self, key: str) -> DocumentRecord:
        return max((one for one in self.invoices.documents() if one.key == key), key=lambda one: one.revision)

    def run(self, key: str) -> DocumentRecord:
        self.invoices.all()
        return self.document(key)

    def told(self, key: str) -> list[str]:
        """Return what the audit of the invoice says about its match."""
        document = self.document(key)
        with self.invoices.store.unit_of_work(Actor(user="test")) as uow:
            events = uow.events.of(document.id)
        return [line for event in events for line in event.detail.get("match", [])]


@pytest.fixture(params=["park"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    with flow(tmp_path, jaggaer={"invoices": 0}, syspro={"po_lines": "post"}) as deployment:
        yield Desk(deployment, request.param)


def test_an_invoice_that_matches_its_order_is_posted_and_the_audit_says_how(desk: Desk) -> None:
    number, quantity, _price = desk.order()
    key = desk.bill(number, quantity)
    assert desk.run(key).state is State.POSTED
    state, note = desk.told(key)
    assert (state, f"fully billed, {quantity.normalize():f} of " in note) == ("matched", True)


def test_an_invoice_waits_until_its_order_is_there(desk: Desk) -> None:
    number = str(desk.jaggaer("purchase_order", label="non_stocked")["poNumber"])
    key = desk.bill(number, Decimal(1))
    document = desk.run(key)
    assert (document.state, document.reason_code) == (State.PARKED, "match_order_missing")
    assert document.reason_subject == number
    desk.orders.all()
    assert desk.run(key).state is State.POSTED


def test_another_price_waits_until_the_order_says_the_same(desk: Desk) -> None:
    number, quantity, price = desk.order()
    key = desk.bill(number, quantity, price * 2)
    document = desk.run(key)
    assert (document.state, document.reason_code) == (State.PARKED, "match_price")
    assert f"bills {(price * 2).normalize():f} each" in document.reason
    assert "more than agreed (allowed 1 %, at most 10)" in document.reason
    assert desk.invoices.ledger()["ap_invoices"] == []
    desk.jaggaer("purchase_order_revise", number=number, set={"lineList.poLine.0.unitPrice": str(price * 2)})
    desk.orders.all()
    assert desk.run(key).state is State.POSTED


def test_partial_bills_together_take_no_more_than_was_ordered_even_in_one_run(desk: Desk) -> None:
    number, quantity, _price = desk.order()
    keys = [desk.bill(number, quantity - 1), desk.bill(number, Decimal(1)), desk.bill(number, Decimal(1))]
    desk.invoices.all()
    states = [(desk.document(key).state, desk.document(key).reason_code) for key in keys]
    assert states[:2] == [(State.POSTED, ""), (State.POSTED, "")]
    assert states[2] == (State.PARKED, "match_quantity")
    assert "1 more than ordered (allowed 0 %, at most 0)" in desk.document(keys[2]).reason
    desk.invoices.all()
    assert desk.document(keys[2]).state is State.PARKED


def test_what_waits_for_its_own_match_does_not_stand_in_the_way_of_others(desk: Desk) -> None:
    number, quantity, price = desk.order()
    wrong = desk.bill(number, quantity, price * 3)
    desk.invoices.all()
    right = desk.bill(number, quantity)
    assert desk.run(right).state is State.POSTED
    desk.invoices.all()
    assert desk.document(wrong).reason_code == "match_quantity", "the order is used up"


def test_a_dry_run_keeps_back_the_same(desk: Desk) -> None:
    number, quantity, price = desk.order()
    key = desk.bill(number, quantity, price * 2)
    desk.invoices.all(preview_id="dry")
    with desk.invoices.store.unit_of_work(Actor(user="test")) as uow:
        (body,) = [body for _name, body in uow.previews.list("dry")]
        assert uow.snapshots.names(f"connection:jaggaer order {number.lstrip('0')}") == []
    assert (body["state"], body["reason_code"]) == ("parked", "match_price")
    assert desk.run(key).reason_code == "match_price"


@pytest.mark.parametrize("desk", ["warn"], indirect=True)
def test_a_route_that_only_warns_posts_and_says_what_does_not_match(desk: Desk) -> None:
    number, quantity, price = desk.order()
    key = desk.bill(number, quantity, price * 2)
    desk.invoices.all()
    assert desk.document(key).state is State.POSTED
    state, problem, *_notes = desk.told(key)
    assert (state, "each" in problem) == ("out_of_tolerance", True)
    report = desk.invoices.report()
    assert [issue["code"] for issue in report.summary()["issues"]] == ["match_price"]
    assert "To be looked at:" in report.text


@pytest.mark.parametrize("desk", ["off"], indirect=True)
def test_a_survey_shows_what_a_route_would_keep_back_and_changes_nothing(desk: Desk) -> None:
    number, quantity, price = desk.order()
    desk.bill(number, quantity - 1)
    desk.bill(number, Decimal(1), price * 2)
    desk.invoices.extract()
    before = [(record.id, record.state, record.generation) for record in desk.invoices.documents()]
    job = desk.invoices.job("match")
    found = survey(job, desk.invoices.source().decode)
    assert found.counts == Counter(matched=1, out_of_tolerance=1)
    ((_number, text),) = found.problems
    assert "more than agreed" in text
    assert text in found.text
    assert [(record.id, record.state, record.generation) for record in desk.invoices.documents()] == before
    desk.invoices.all()
    states = {r.state for r in desk.invoices.documents() if r.document == "invoice"}
    assert states == {State.POSTED}, "the route itself matches nothing"
