"""Invoices of CSI into JAGGAER, and both ways in one tenant: each invoice is once on each side, whatever happens."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.cloudsuite import TAX_ACCOUNT, Pair, paired
from support.mishaps import line

from airflow_provider_mlconnector.documents.lifecycle import State

Open = Callable[..., Pair]
WAYS = pytest.mark.parametrize("way", ["j1p", "router"])
ROUTER = {"invoice_writes": {"path": "/apps/Router/BuyerInvoiceOcrImport"}}
IMPORT = {"j1p": "ImportInvoice", "router": "RouterInvoices"}
BOTH = ("invoices_in", "invoices_out")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens the one pair of a test, whose invoices go into JAGGAER a certain way."""
    with ExitStack() as stack:

        def start(way: str = "j1p", **options: Any) -> Pair:
            tenant = {"ocr_status": "Completed", **options.pop("jaggaer", {})}
            pair: Pair = stack.enter_context(paired(tmp_path, jaggaer=tenant, contract=ROUTER, **options))
            pair.choose("invoices_out", options={"invoices_by": way})
            return pair

        yield start


def once_on_each_side(pair: Pair, *numbers: str) -> None:
    """Check that each number stands once on each side, and that no posting went wrong."""
    pair.post_vouchers()
    there = Counter(row["InvNum"].strip() for row in pair.vouchers())
    here = Counter(row["number"] for row in pair.imported())
    assert {number: (there[number], here[number]) for number in numbers} == dict.fromkeys(numbers, (1, 1))
    books = pair.app.cloudsuite.ledger()
    assert (books["violations"], books["exposed"]) == ([], [])


def written(pair: Pair) -> tuple[int, int]:
    """Return what the connector has had either side write."""
    return len(pair.app.cloudsuite.ledger()["attempts"]), len(pair.app.jaggaer.ledger()["write_attempts"])


# --- CSI to JAGGAER --------------------------------------------------------------------------------------------------


@WAYS
def test_vouchers_unposted_posted_between_polls_and_credits_reach_jaggaer_once(opened: Open, way: str) -> None:
    pair = opened(way)
    pair.enter("OPEN-1")
    pair.enter("POSTED-1")
    pair.post_vouchers()
    pair.enter("CREDIT-1", {"account": "51300", "unit": "CC20", "amount": "-40.00"})
    pair.run("invoices_out")
    once_on_each_side(pair, "OPEN-1", "POSTED-1", "CREDIT-1")
    (credit,) = pair.imported("CREDIT-1")
    assert (credit["kind"], Decimal(credit["gross"])) == ("credit_memo", 40)
    done = written(pair)
    pair.run("invoices_out", "invoices_out")
    assert written(pair) == done, "posting is no news about a voucher"
    states = {str(pair.document("invoices_out", number).state) for number in ("OPEN-1", "POSTED-1", "CREDIT-1")}
    assert states <= {"accepted", "posted"}


def test_a_voucher_with_tax_freight_and_two_accounts_is_imported_to_the_cent(opened: Open) -> None:
    pair = opened()
    lines = [
        {"account": "51200", "unit": "CC10", "amount": "60.01"},
        {"account": "51300", "unit": "CC20", "amount": "39.99"},
        {"account": TAX_ACCOUNT, "amount": "20.00", "tax_code": "VAT20", "tax_basis": "100.00"},
    ]
    pair.enter("TAXED-1", *lines, tax="20.00", TaxCode1="VAT20")
    pair.run("invoices_out")
    (row,) = pair.imported("TAXED-1")
    assert (row["currency"], Decimal(row["gross"])) == ("USD", 120)


@WAYS
@pytest.mark.parametrize(
    ("vendor", "currency", "amount"),
    [("V00034", "JPY", "10001"), ("V00031", "EUR", "99.99"), ("V00033", "GBP", "0.01")],
)
def test_a_foreign_voucher_is_imported_in_its_vendors_currency(
    opened: Open, way: str, vendor: str, currency: str, amount: str
) -> None:
    pair = opened(way)
    pair.enter("FOREIGN-1", {"account": "51300", "unit": "CC20", "amount": amount}, vendor=vendor)
    pair.enter("POSTED-1", {"account": "51300", "unit": "CC20", "amount": amount}, vendor=vendor)
    pair.csi("post_vouchers", vouchers=[pair.voucher("POSTED-1")["Voucher"]])
    pair.run("invoices_out")
    for number in ("FOREIGN-1", "POSTED-1"):
        (row,) = pair.imported(number)
        assert (row["currency"], Decimal(row["gross"])) == (currency, Decimal(amount)), number


def test_a_voucher_on_hold_or_of_type_adjustment_does_not_leave_and_leaves_when_it_is_released(opened: Open) -> None:
    pair = opened()
    held = pair.enter("HELD-1", stat="H")
    before = pair.enter("BEFORE-1")
    pair.post_vouchers()
    pair.run("invoices_out")
    pair.enter("BEFORE-1", {"account": "51300", "unit": "CC20", "amount": "-5.00"}, type="A", voucher=before)
    pair.run("invoices_out")
    assert [row["number"] for row in pair.imported()] == ["BEFORE-1"]
    pair.csi("voucher_change", voucher=held, stat="A")
    pair.run("invoices_out")
    assert sorted(row["number"] for row in pair.imported()) == ["BEFORE-1", "HELD-1"]
    assert Decimal(pair.imported("BEFORE-1")[0]["gross"]) == 100


def test_a_voucher_of_a_vendor_jaggaer_does_not_know_waits_for_it(opened: Open) -> None:
    pair = opened()
    pair.enter("EURO-1", vendor="V00056")
    pair.run("invoices_out")
    assert pair.document("invoices_out", "EURO-1").reason_code == "supplier_unknown"
    pair.run("suppliers_in", "suppliers_out", "invoices_out")
    (row,) = pair.imported("EURO-1")
    assert (row["supplier"], row["currency"]) == ("V00056", "EUR")


@WAYS
@pytest.mark.parametrize("kind", ["reset_after", "cut_body", "html_after", "timeout_after"])
def test_an_import_whose_answer_is_lost_is_seen_later_and_made_once(opened: Open, way: str, kind: str) -> None:
    pair = opened(way)
    pair["invoices_out"].timeout = 1.0
    pair.enter("LOST-1")
    pair.app.faults.set([{"system": "jaggaer", "call": IMPORT[way], "kind": kind, "nth": 1, "seconds": 1.5}])
    pair.run(*BOTH, *BOTH)
    once_on_each_side(pair, "LOST-1")
    assert pair.app.faults.rules[0].hits == 1


@WAYS
def test_an_import_that_takes_its_time_is_submitted_until_it_is_seen_and_not_repeated(opened: Open, way: str) -> None:
    pair = opened(way)
    pair.enter("LATE-1")
    pair.app.faults.set([{"system": "jaggaer", "call": IMPORT[way], "kind": "late_commit", "nth": 1, "seconds": 2}])
    pair.run("invoices_out")
    assert pair.imported("LATE-1") == []
    assert pair.document("invoices_out", "LATE-1").state in {State.UNCERTAIN, State.SUBMITTED}
    until = time.monotonic() + 10
    while not pair.imported("LATE-1") and time.monotonic() < until:
        time.sleep(0.05)
    pair.pass_time(3600)
    pair.run(*BOTH, *BOTH)
    once_on_each_side(pair, "LATE-1")
    assert pair.document("invoices_out", "LATE-1").state in {State.ACCEPTED, State.POSTED}


# --- both ways -------------------------------------------------------------------------------------------------------


@WAYS
def test_what_came_from_the_other_side_never_goes_back_in_any_order_of_cycles(opened: Open, way: str) -> None:
    pair = opened(way)
    rng = random.Random(20261121)
    numbers = []
    for cycle in range(6):
        order = rng.sample(BOTH, 2)
        pair.bill(f"J-{cycle}", line(10 + cycle), total=10 + cycle)
        pair.enter(f"C-{cycle}", {"account": "51300", "unit": "CC20", "amount": f"{20 + cycle}.00"})
        numbers += [f"J-{cycle}", f"C-{cycle}"]
        pair.run(*order)
        if cycle % 2:
            pair.post_vouchers()
    pair.run(*BOTH)
    once_on_each_side(pair, *numbers)
    done = written(pair)
    for order in itertools.permutations(BOTH):
        pair.run(*order)
    assert written(pair) == done
    echoes = [one for one in pair.documents() if one.reason_code == "echo"]
    assert len(echoes) == len(numbers), "each came back once and was recognized"


@pytest.mark.parametrize("first", BOTH)
def test_an_invoice_typed_by_hand_on_both_sides_is_sent_by_neither(opened: Open, first: str) -> None:
    pair = opened()
    pair.bill("TWICE-1")
    pair.enter("TWICE-1")
    order = (first, *(name for name in BOTH if name != first))
    pair.run(*order, *order)
    once_on_each_side(pair, "TWICE-1")
    assert written(pair) == (0, 0)
    states = {name: str(pair.document(name, "TWICE-1").state) for name in BOTH}
    assert set(states.values()) <= {"linked", "skipped"}, states


@pytest.mark.parametrize("first", BOTH)
def test_one_typed_on_both_sides_with_other_amounts_is_told_and_sent_by_neither(opened: Open, first: str) -> None:
    pair = opened()
    pair.bill("OTHER-1")
    pair.enter("OTHER-1", {"account": "51300", "unit": "CC20", "amount": "77.00"})
    order = (first, *(name for name in BOTH if name != first))
    pair.run(*order, *order)
    assert written(pair) == (0, 0)
    once_on_each_side(pair, "OTHER-1")
    told = [pair.document(name, "OTHER-1") for name in BOTH]
    assert {one.state for one in told} & {State.REJECTED, State.LINKED}
    assert pair.issues(), "a person is told that the amounts differ"


@pytest.mark.parametrize("kind", ["gateway_timeout", "reset_after", "cut_body"])
@pytest.mark.parametrize("call", ["CsiUpdate SLAptrxs", "CsiUpdate SLAptrxds"])
def test_a_voucher_nobody_knows_about_yet_does_not_come_back_as_new(opened: Open, call: str, kind: str) -> None:
    """The voucher is there, its answer is lost, and the opposite route reads CSI before anything is settled."""
    pair = opened()
    pair.bill("UNSURE-1")
    pair.app.faults.set([{"system": "cloudsuite", "call": call, "kind": kind, "nth": 1, "seconds": 0.1}])
    route = pair["invoices_in"]
    route.extract()
    route.plan()
    route.validate()
    route.post()
    assert pair.document("invoices_in", "UNSURE-1").state is State.UNCERTAIN
    pair.run("invoices_out")
    assert len(pair.imported("UNSURE-1")) == 1
    route.run += 1
    pair.run(*BOTH, *BOTH)
    once_on_each_side(pair, "UNSURE-1")
    pair.run(*BOTH)
    assert pair.document("invoices_in", "UNSURE-1").state is State.POSTED, pair.document(
        "invoices_in", "UNSURE-1"
    ).reason


@WAYS
def test_an_import_not_seen_yet_does_not_come_back_as_new(opened: Open, way: str) -> None:
    pair = opened(way)
    pair.enter("SLOW-1")
    pair["invoices_out"].timeout = 1.0
    pair.app.faults.set([{"system": "jaggaer", "call": IMPORT[way], "kind": "timeout_after", "nth": 1, "seconds": 1.5}])
    out = pair["invoices_out"]
    out.extract()
    out.plan()
    out.validate()
    out.post()
    out.run += 1
    assert pair.document("invoices_out", "SLOW-1").state in {State.UNCERTAIN, State.SUBMITTED}
    pair.run("invoices_in")
    assert len(pair.vouchers("SLOW-1")) == 1
    pair.run(*BOTH, *BOTH)
    once_on_each_side(pair, "SLOW-1")


@pytest.mark.parametrize("unique", ["supplier", "off"])
def test_the_same_number_of_another_vendor_or_a_credit_memo_is_another_invoice(opened: Open, unique: str) -> None:
    """JAGGAER may take a number of a supplier once, whatever it is of: the credit memo is then for a person."""
    pair = opened(jaggaer={"ocr_unique": unique})
    pair.bill("SAME-1", supplier="V00001")
    pair.enter("SAME-1", vendor="V00002")
    pair.enter("SAME-1", {"account": "51300", "unit": "CC20", "amount": "-40.00"})
    pair.run(*BOTH, *BOTH)
    there = sorted((row["VendNum"].strip(), Decimal(row["InvAmt"])) for row in pair.vouchers("SAME-1"))
    assert there == [("V00001", -40), ("V00001", 100), ("V00002", 100)]
    here = sorted((row["supplier"], row["kind"]) for row in pair.imported("SAME-1"))
    taken = [("V00001", "credit_memo")] if unique == "off" else []
    assert here == [*taken, ("V00001", "invoice"), ("V00002", "invoice")]
    (credit,) = [one for one in pair.documents("invoices_out") if one.kind == "credit_memo"]
    assert (credit.state in {State.ACCEPTED, State.POSTED}) is (unique == "off"), credit.state
    if unique == "supplier":
        assert (credit.state, credit.reason_code) == (State.PARKED, "needs_a_person")
        assert "JAGGAER has SAME-1 of this supplier as Invoice" in credit.reason
    pair.enter("NEXT-1")
    pair.run(*BOTH)
    assert len(pair.imported("NEXT-1")) == 1, "what waits for a person stops nothing"


def test_a_number_padded_on_one_side_is_the_same_invoice(opened: Open) -> None:
    pair = opened()
    pair.enter("0000000310")
    pair.bill("310")
    pair.run(*BOTH, *BOTH)
    assert written(pair) == (0, 0)
    assert len(pair.vouchers()) == len(pair.imported()) == 1
