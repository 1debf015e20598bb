"""Order, receipt, invoice: every cost in the ledger once, over HTTP, with a real store (FINANCE §1)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from support.flow import Flow, flow

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.store.records import DocumentRecord

SUSPENSE, VARIANCE, CLEARING, AP_CONTROL = "00-2200", "00-5900", "00-2150", "00-2100"
LOST = {"before commit": "reset_before", "after commit": "reset_after"}


class Office:
    """A deployment with both routes, and the people at both systems."""

    def __init__(self, deployment: Flow) -> None:
        self.invoices = deployment
        update = {"name": "orders", "document": "purchase_order", "options": {"po_split": "largest"}}
        self.orders = deployment.for_route(deployment.route.model_copy(update=update))

    def control(self, path: str, body: Any) -> Any:
        answer = requests.post(f"{self.invoices.sandbox.url}/_sandbox/{path}", json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def jaggaer(self, kind: str, **body: Any) -> Any:
        done = self.control("documents", {"system": "jaggaer", "kind": kind, **body})
        self.control("clock", {"advance": 2})  # a window ends at the second the source says it is
        return done

    def syspro(self, kind: str, **body: Any) -> Any:
        return self.control("documents", {"system": "syspro", "kind": kind, **body})

    def order(self, label: str = "non_stocked") -> str:
        """Have somebody order something; return JAGGAER's number."""
        return str(self.jaggaer("purchase_order", label=label)["poNumber"])

    def stored(self, number: str) -> dict[str, Any]:
        """Return SYSPRO's order of JAGGAER's number."""
        (found,) = [row for row in self.ledger["purchase_orders"] if row["customer_po"].startswith(number)]
        return dict(found)

    def line(self, number: str) -> tuple[Decimal, Decimal]:
        """Return quantity and price of an order's first line."""
        line = self.stored(number)["lines"][0]
        return Decimal(line["qty"]), Decimal(line["price"])

    def receive(self, number: str, quantity: Decimal | None = None) -> None:
        lines = {} if quantity is None else {"lines": [{"line": 1, "qty": str(quantity)}]}
        self.syspro("receipt", purchase_order=self.stored(number)["purchase_order"], **lines)

    def bill(self, number: str, quantity: Decimal, price: Decimal | None = None) -> str:
        """Have the supplier bill line 1; return JAGGAER's key of the invoice."""
        billed = {"line": 1, "quantity": str(quantity)} | ({} if price is None else {"price": str(price)})
        return str(self.jaggaer("po_invoice", number=number, lines=[billed])["invoiceId"])

    def change(self, key: str, **header: Any) -> None:
        self.jaggaer("invoice", id=int(key), set={f"header.{name}": value for name, value in header.items()})

    def ordered(self, label: str = "non_stocked", *, receive: bool = True) -> tuple[str, Decimal, Decimal]:
        """Bring one order into SYSPRO, received as a whole; return its number, quantity and price."""
        number = self.order(label)
        self.orders.all()
        if receive:
            self.receive(number)
        return (number, *self.line(number))

    def document(self, key: str) -> DocumentRecord:
        return max((one for one in self.invoices.documents() if one.key == key), key=lambda one: one.revision)

    def run(self, key: str) -> DocumentRecord:
        """Run the invoices' route and return one of them."""
        self.invoices.all()
        return self.document(key)

    @property
    def ledger(self) -> dict[str, Any]:
        return self.invoices.ledger()

    def balance(self, code: str) -> Decimal:
        return Decimal(self.ledger["gl_entries"]["balances"].get(code, "0"))

    def suspense(self) -> Decimal:
        """Return what is received and not invoiced; ledger and receipts must say the same."""
        shown = self.ledger["grn_suspense"]
        assert Decimal(shown["gl_balance"]) == -Decimal(shown["not_invoiced"]), shown
        return Decimal(shown["not_invoiced"])

    def posted(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ledger["ap_invoices"]
        return found


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with flow(tmp_path, jaggaer={"invoices": 0}) as deployment:
        yield Office(deployment)


def test_an_invoice_of_received_goods_clears_the_suspense_account_and_books_the_cost_once(office: Office) -> None:
    number, quantity, price = office.ordered()
    value, expense = quantity * price, office.stored(number)["lines"][0]["gl_code"]
    assert (office.suspense(), office.balance(expense)) == (value, value)
    document = office.run(office.bill(number, quantity))
    assert document.state is State.POSTED, document.reason
    assert office.suspense() == 0
    assert office.balance(expense) == value
    assert (office.balance(AP_CONTROL), office.balance(VARIANCE)) == (-value, 0)
    assert office.ledger["receipts"][0]["matched"]


def test_an_invoice_waits_for_its_order_and_then_for_its_receipt(office: Office) -> None:
    number = office.order()
    key = str(office.jaggaer("po_invoice", number=number, label="po_full")["invoiceId"])
    document = office.run(key)
    assert (document.state, document.reason_code, document.reason_subject) == (State.PARKED, "order_unknown", number)
    office.orders.all()
    document = office.run(key)
    assert (document.state, document.reason_code) == (State.PARKED, "not_received")
    assert "which has 0 received and not invoiced yet" in document.reason
    assert office.posted() == []
    office.receive(number)
    assert office.run(key).state is State.POSTED
    assert office.suspense() == 0


def test_partial_invoices_take_their_part_and_the_last_one_the_rest(office: Office) -> None:
    number, quantity, price = office.ordered(receive=False)
    office.receive(number, Decimal(1))
    office.receive(number, quantity - 1)  # two receipts: the first invoice takes from both
    first = office.bill(number, Decimal("1.5"))
    assert office.run(first).state is State.POSTED
    assert office.suspense() == quantity * price - (Decimal("1.5") * price).quantize(Decimal("0.01"))
    matched = [Decimal(match["qty"]) for match in office.posted()[0]["grn_matches"]]
    assert matched == [1, Decimal("0.5")]
    rest = office.bill(number, quantity - Decimal("1.5"))
    assert office.run(rest).state is State.POSTED, office.document(rest).reason
    assert office.suspense() == 0
    assert all(receipt["matched"] for receipt in office.ledger["receipts"])


def test_thirds_of_a_receipt_that_do_not_divide_evenly_leave_nothing(office: Office) -> None:
    number = office.order("fractional")  # 2.5 at 13.3333
    office.orders.all()
    office.receive(number)
    received = office.suspense()
    keys = [office.bill(number, part) for part in map(Decimal, ("0.8", "0.8", "0.9"))]
    for _ in keys:  # one a run: the others find that it has taken from the receipt they planned with
        office.invoices.all()
    assert [office.document(key).state for key in keys] == [State.POSTED] * 3
    assert office.suspense() == 0
    expense = office.stored(number)["lines"][0]["gl_code"]
    billed = sum(Decimal(row["value"]) for row in office.posted())
    assert office.balance(expense) == received
    assert office.balance(VARIANCE) == billed - received


def test_over_billing_waits_with_the_quantities(office: Office) -> None:
    number, quantity, _ = office.ordered()
    document = office.run(office.bill(number, quantity + 1))
    assert (document.state, document.reason_code) == (State.PARKED, "not_received")
    assert f"bills {quantity + 1:f} of line 1" in document.reason
    assert f"has {quantity:f}" in document.reason
    assert office.posted() == []


@pytest.mark.parametrize("off", ["1.07", "-2.03"])
def test_another_price_goes_to_the_variance_account(office: Office, off: str) -> None:
    number, quantity, price = office.ordered()
    expense = office.stored(number)["lines"][0]["gl_code"]
    assert office.run(office.bill(number, quantity, price + Decimal(off))).state is State.POSTED
    assert office.suspense() == 0
    assert office.balance(expense) == quantity * price
    assert office.balance(VARIANCE) == quantity * Decimal(off)


def test_freight_keeps_its_account_and_charges_that_are_spread_are_variance(office: Office) -> None:
    number, quantity, price = office.ordered()
    key, value = office.bill(number, quantity), quantity * price
    office.change(key, **{"shippingCharge": 7.5, "handlingCharge": 3.01, "total.value": float(value) + 10.51})
    assert office.run(key).state is State.POSTED, office.document(key).reason
    assert office.suspense() == 0
    assert office.balance(VARIANCE) == Decimal("3.01")
    lines = {line["gl_code"]: Decimal(line["value"]) for line in office.posted()[0]["lines"]}
    assert sorted(lines.values()) == [Decimal("3.01"), Decimal("7.5"), value]
    (freight,) = [code for code, amount in lines.items() if amount == Decimal("7.5")]
    assert freight.endswith("-5500")


def test_a_line_split_three_ways_clears_one_receipt(office: Office) -> None:
    number, quantity, price = office.ordered("split_thirds")
    assert office.run(office.bill(number, quantity, price + Decimal("0.01"))).state is State.POSTED
    assert office.suspense() == 0
    (posting,) = office.posted()
    assert sum(Decimal(line["value"]) for line in posting["lines"]) == quantity * (price + Decimal("0.01"))
    assert {line["gl_code"] for line in posting["lines"]} == {SUSPENSE, VARIANCE}


def test_goods_put_into_stock_are_cleared_the_same_way(office: Office) -> None:
    number, _, _ = office.ordered("mixed")
    key = str(office.jaggaer("po_invoice", number=number, label="po_full")["invoiceId"])
    lines = office.stored(number)["lines"]
    units = {f"lineList.invoiceLine.{n}.item.unitOfMeasure.dimension": line["uom"] for n, line in enumerate(lines)}
    office.jaggaer("invoice", id=int(key), set=units)
    assert office.run(key).state is State.POSTED, office.document(key).reason
    assert office.suspense() == 0
    assert office.balance(VARIANCE) == 0
    assert len(office.posted()[0]["grn_matches"]) == 3


def test_two_invoices_of_one_run_never_take_one_receipt_twice(office: Office) -> None:
    number, quantity, price = office.ordered()
    keys = [office.bill(number, quantity), office.bill(number, quantity)]
    office.invoices.all()
    documents = {office.document(key).state: office.document(key) for key in keys}
    assert documents.keys() == {State.POSTED, State.PARKED}
    assert documents[State.PARKED].reason_code == "receipt_taken"
    assert len(office.posted()) == 1
    office.invoices.all()
    assert office.document(documents[State.PARKED].key).reason_code == "not_received"
    assert office.suspense() == 0
    assert office.balance(AP_CONTROL) == -quantity * price


def test_a_supplier_that_requires_matching_is_posted_once_every_line_is_matched(office: Office) -> None:
    number, quantity, _ = office.ordered()
    office.syspro("supplier", supplier=office.stored(number)["supplier"], grn_match_required=True)
    key = office.bill(number, quantity)
    assert office.run(key).state is State.POSTED, office.document(key).reason
    assert office.suspense() == 0


def test_an_order_typed_by_hand_is_billed_by_its_lines(office: Office) -> None:
    """JAGGAER's order finds it and is linked; which line is which was seen then."""
    ordered = office.jaggaer("purchase_order", label="non_stocked")
    order = office.invoices.sandbox.app.jaggaer.ledger()["purchase_orders"][-1]
    line = order["lines"][0]
    header = {"supplier": order["supplier"], "customer_po": ordered["poNumber"]}
    typed = {"stock_code": "NON-STOCKED", "description": "typed", "qty": line["quantity"], "price": line["price"]}
    office.syspro("purchase_order", **header, lines=[{**typed, "uom": "EA", "gl_code": "10-5120"}])
    office.orders.all()
    (linked,) = [one for one in office.orders.documents() if one.document == "purchase_order"]
    assert linked.state is State.LINKED, (linked.state, linked.reason)
    office.receive(ordered["poNumber"])
    key = office.bill(ordered["poNumber"], Decimal(line["quantity"]))
    assert office.run(key).state is State.POSTED, office.document(key).reason
    assert office.suspense() == 0


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_a_lost_answer_posts_and_matches_once(office: Office, fault: str) -> None:
    number, quantity, price = office.ordered()
    key = office.bill(number, quantity, price + 1)
    office.control("faults", [{"system": "syspro", "call": "Post:APSTIN", "nth": 1, "kind": fault}])
    office.invoices.all()
    office.invoices.clock.advance(1200)
    assert office.run(key).state is State.POSTED, office.document(key).reason
    assert len(office.posted()) == 1
    assert office.suspense() == 0
    assert office.balance(VARIANCE) == quantity


def test_where_ap_is_not_linked_our_journal_clears_the_suspense_account(tmp_path: Path) -> None:
    options = {"ap_gl": "not_linked", "authorize_journal": "A"}
    site = {"ap_gl": "not_linked"}
    with flow(tmp_path, jaggaer={"invoices": 0}, syspro_site=site, syspro=options) as deployment:
        office = Office(deployment)
        number, quantity, price = office.ordered()
        expense, value = office.stored(number)["lines"][0]["gl_code"], quantity * price
        assert office.run(office.bill(number, quantity, price + 1)).state is State.POSTED
        assert office.suspense() == 0
        assert office.balance(expense) == value
        assert (office.balance(VARIANCE), office.balance(CLEARING)) == (quantity, -value - quantity)


def test_a_credit_memo_on_received_goods_is_for_a_person(office: Office) -> None:
    number, quantity, _ = office.ordered()
    posted = office.bill(number, quantity)
    office.invoices.all()
    credit = office.bill(number, Decimal(1))
    office.change(credit, invoiceType="Credit memo", originalInvoiceNumber=office.document(posted).source_number)
    document = office.run(credit)
    assert (document.state, document.reason_code) == (State.PARKED, "credit_of_receipt"), document.reason
    assert office.suspense() == 0


def test_receipts_are_read_supplier_by_supplier_when_there_are_many(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [office.order() for _ in range(5)]
    office.orders.all()
    for number in orders:
        for _ in range(2):
            office.receive(number, Decimal(1))
    target = office.invoices.target()
    with target.session() as session:
        whole = session.read_reference(suppliers=(), accounts=())["receipts"]
        for rows in (1, 2, 3):
            monkeypatch.setattr("airflow_provider_mlconnector.systems.syspro.receipts.PAGE_ROWS", rows)
            assert session.read_reference(suppliers=(), accounts=())["receipts"] == whole
    assert sum(len(found) for found in whole.values()) == 10


def test_the_quantity_is_read_where_the_site_shows_it(tmp_path: Path) -> None:
    options = {"receipt_invoiced_column": "QtyInvoiced"}
    with flow(tmp_path, jaggaer={"invoices": 0}, syspro=options) as deployment:
        office = Office(deployment)
        number, quantity, _ = office.ordered()
        for part in (Decimal("0.333"), quantity - Decimal("0.333")):
            assert office.run(office.bill(number, part)).state is State.POSTED
        assert office.suspense() == 0


def test_a_foreign_order_is_cleared_in_its_currency(office: Office) -> None:
    number, quantity, price = office.ordered("gbp")
    assert office.run(office.bill(number, Decimal(1), price + 1)).state is State.POSTED
    assert office.run(office.bill(number, quantity - 1)).state is State.POSTED
    assert all(receipt["matched"] for receipt in office.ledger["receipts"])
    assert office.suspense() == 0
    assert office.balance(VARIANCE) == Decimal("1.27")  # one pound


def test_an_order_is_found_however_its_number_is_padded(office: Office) -> None:
    number, quantity, _ = office.ordered()
    key = office.bill(number, quantity)
    office.jaggaer("invoice", id=int(key), set={"lineList.invoiceLine.0.poNumber": number.lstrip("0")})
    assert office.run(key).state is State.POSTED, office.document(key).reason
    assert office.suspense() == 0


def test_only_the_named_route_brings_orders(office: Office) -> None:
    number, quantity, _ = office.ordered()
    key = office.bill(number, quantity)
    office.invoices.route = office.invoices.route.model_copy(update={"orders_route": "elsewhere"})
    document = office.run(key)
    assert (document.state, document.reason_code) == (State.PARKED, "order_unknown")
    assert "'elsewhere'" in document.reason
    office.invoices.route = office.invoices.route.model_copy(update={"orders_route": "orders"})
    assert office.run(key).state is State.POSTED
