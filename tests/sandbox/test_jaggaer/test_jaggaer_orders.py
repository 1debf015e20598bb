from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_mlconnector.sandbox.clock import SimClock
from airflow_provider_mlconnector.sandbox.jaggaer import order_recipes
from airflow_provider_mlconnector.sandbox.jaggaer.books import opened
from airflow_provider_mlconnector.sandbox.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.sandbox.jaggaer.order_generator import BILLING, UNKNOWN_ORDER

ORDERS = "/j1p/api/public/ji/v1/purchaseorders"


@pytest.fixture
def buyer(new_tenant: Callable[..., Any]) -> Any:
    """Start a tenant of 60 orders, one of every kind among them, and 14 invoices that bill them."""
    return new_tenant(seed=7, jaggaer={"purchase_orders": 60, "po_invoices": 14})


def ledger(tenant: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tenant.control("GET", "ledger")["jaggaer"]["purchase_orders"]
    return rows


def one(tenant: Any, label: str) -> Any:
    """Return the ledger row of the first order generated under ``label``."""
    return next(row for row in ledger(tenant) if row["label"] == label)


def listed(tenant: Any, **params: Any) -> Any:
    return tenant.raw("GET", ORDERS, params=params).json()


def detail(tenant: Any, po_id: int) -> Any:
    return tenant.raw("GET", f"{ORDERS}/{po_id}").json()


def person(tenant: Any, kind: str, **body: Any) -> Any:
    return tenant.control("POST", "documents", {"system": "jaggaer", "kind": kind, **body})


def order(number: str, revision: int = 0, **header: Any) -> dict[str, Any]:
    line = {"lineNumber": 1, "item": {"description": "Drill"}, "quantity": 10, "unitPrice": 2.5}
    head = {
        "poNumber": number, "revisionNumber": revision, "currency": "USD", "businessUnit": "PLANT1",
        "supplier": {"supplierNumber": "V00001"},
    }  # fmt: skip
    return {"header": head | header, "lineList": {"poLine": [line]}}


def test_orders_are_listed_by_header_only_and_given_whole_by_id(buyer: Any) -> None:
    answer = listed(buyer)
    rows = answer["jipurchaseorderList"]["jipurchaseorder"]
    assert (answer["returnCode"], answer["totRecords"], len(rows)) == (0, 60, 60)
    assert all(list(row) == ["header"] for row in rows)
    whole = detail(buyer, rows[0]["header"]["poId"])
    assert set(whole) == {"header", "lineList"}
    assert whole["header"] == rows[0]["header"]
    assert len(rows[0]["header"]["poNumber"]) == 10


def test_orders_page_and_filter_like_invoices(new_tenant: Callable[..., Any]) -> None:
    tenant = new_tenant(jaggaer={"purchase_orders": 25, "page_size": 10})
    pages = [listed(tenant, start=start) for start in (1, 11, 21)]
    heads = [row["header"] for page in pages for row in page["jipurchaseorderList"]["jipurchaseorder"]]
    assert len({head["poId"] for head in heads}) == 25
    moment = sorted(head["lastUpdate"] for head in heads)[12]
    assert listed(tenant, flt=f"lastUpdate>={moment}")["totRecords"] == 13
    assert listed(tenant, flt=f"poNumber=={heads[3]['poNumber']}")["totRecords"] == 1
    assert listed(tenant, flt="invoiceId==1")["returnCode"] == 2
    assert listed(tenant, start=0)["returnCode"] == 2


@pytest.mark.parametrize("key", ["1", "abc"])
def test_an_unknown_order_is_an_application_error_inside_http_200(buyer: Any, key: str) -> None:
    answer = buyer.raw("GET", f"{ORDERS}/{key}")
    assert (answer.status_code, answer.json()["returnCode"]) == (200, 2)


def test_sixty_orders_show_every_label(buyer: Any) -> None:
    assert {row["label"] for row in ledger(buyer)} == set(order_recipes.RECIPES)


def test_the_same_seed_makes_the_same_orders_and_leaves_the_plain_invoices_as_they_were() -> None:
    clock = SimClock(datetime(2026, 6, 30, 12, tzinfo=UTC))
    plain, one_way, again = (
        opened(seed=4, clock=clock, options=JaggaerOptions(invoices=60, purchase_orders=orders, po_invoices=bills))
        for orders, bills in ((0, 0), (60, 10), (60, 10))
    )
    assert plain.invoices.truth().items() <= one_way.invoices.truth().items()
    assert len(one_way.invoices.truth()) == 70
    assert one_way.orders.ledger() == again.orders.ledger()
    assert one_way.invoices.truth() == again.invoices.truth()


def test_a_stocked_line_has_a_catalog_number_and_another_has_none(buyer: Any) -> None:
    lines = detail(buyer, one(buyer, "mixed")["po_id"])["lineList"]["poLine"]
    assert [line["item"]["productType"] for line in lines] == ["Catalog", "NonCatalogItem", "Catalog"]
    assert ["catalogNumber" in line["item"] for line in lines] == [True, False, True]


def test_a_revised_order_counts_its_revisions_and_shows_only_the_last(buyer: Any) -> None:
    row = one(buyer, "revised")
    assert [state["revision"] for state in row["states"]] == [0, 1, 2, 3]
    assert [state["event"] for state in row["states"]] == ["new", "update", "update", "update"]
    shown = detail(buyer, row["po_id"])
    assert (shown["header"]["revisionNumber"], len(shown["lineList"]["poLine"])) == (3, 3)
    assert shown["header"]["lastUpdate"] > shown["header"]["createDate"]


def test_a_canceled_line_has_quantity_zero_and_adds_nothing_to_the_total(buyer: Any) -> None:
    shown = detail(buyer, one(buyer, "line_cancelled")["po_id"])
    first, last = shown["lineList"]["poLine"]
    assert (last["quantity"], last["status"]) == (0, "Cancelled")
    assert shown["header"]["total"]["value"] == pytest.approx(first["quantity"] * first["unitPrice"])
    assert detail(buyer, one(buyer, "cancelled")["po_id"])["header"]["status"] == "Cancelled"


def test_each_kind_of_order_shows_its_point(buyer: Any) -> None:
    shown = {label: detail(buyer, one(buyer, label)["po_id"]) for label in order_recipes.RECIPES}
    text = {label: order["lineList"]["poLine"][0]["item"]["description"] for label, order in shown.items()}
    assert len(text["long_description"]) == 60
    assert all(part in text["awkward_text"] for part in ("ä", "&", "]]>", "<", '"'))
    assert {label: shown[label]["header"]["currency"] for label in ("eur", "gbp", "jpy", "kwd")} == {
        "eur": "EUR", "gbp": "GBP", "jpy": "JPY", "kwd": "KWD",
    }  # fmt: skip
    assert shown["supplier_unknown"]["header"]["supplier"]["supplierNumber"] == "V00099"
    assert shown["pending"]["header"]["workflowStatus"] == "Pending"
    for label, code in (("unmapped_account", "59999"), ("unmapped_cost_center", "CC99")):
        assert code in str(shown[label]["lineList"]["poLine"][-1]["splittableFieldSetGroupList"])
    amounts = [Decimal(str(line["unitPrice"])) for line in shown["jpy"]["lineList"]["poLine"]]
    assert all(amount == amount.to_integral_value() for amount in amounts)
    price = Decimal(str(shown["kwd"]["lineList"]["poLine"][0]["unitPrice"]))
    assert price.as_tuple().exponent == -3


def test_splits_of_an_amount_sum_to_the_line(buyer: Any) -> None:
    line = detail(buyer, one(buyer, "split_amount")["po_id"])["lineList"]["poLine"][0]
    coding = line["splittableFieldSetGroupList"]["splittableFieldSetGroup"][0]["splittableFieldIndexSet"][0]
    splits = coding["splittableFieldIndexList"]["splittableFieldIndex"]
    assert coding["distributionType"] == "AmountOfPrice"
    assert sum(Decimal(str(s["distributionValue"])) for s in splits) == line["quantity"] * Decimal(
        str(line["unitPrice"])
    )


def test_invoices_bill_orders_in_every_way(buyer: Any) -> None:
    orders = {row["number"]: row for row in ledger(buyer)}
    seen = {}
    for key, row in buyer.truth().items():
        document = buyer.detail(key)
        lines = document["lineList"]["invoiceLine"]
        order_row = orders.get(lines[0]["poNumber"])
        billed = sum(Decimal(str(line["quantity"])) for line in lines)
        goods = sum(Decimal(str(line["quantity"])) * Decimal(str(line["unitPrice"])) for line in lines)
        seen.setdefault(row["label"], (document["header"], order_row, billed, goods))
    assert set(seen) == set(BILLING)
    ordered = {
        label: sum(Decimal(line["quantity"]) for line in order_row["lines"])
        for label, (_, order_row, _, _) in seen.items()
        if order_row
    }
    assert seen["po_full"][2] == ordered["po_full"]
    assert seen["po_partial"][1] == seen["po_rest"][1]
    assert seen["po_partial"][2] + seen["po_rest"][2] == ordered["po_partial"]
    assert seen["po_over"][2] > ordered["po_over"]
    assert seen["po_price"][3] > Decimal(seen["po_price"][1]["total"]) > 0
    assert seen["po_under"][3] < Decimal(seen["po_under"][1]["total"])
    assert seen["po_unknown_order"][1] is None
    assert {label: head["matchStatus"] for label, (head, *_) in seen.items() if head["matchStatus"] != "Matched"} == {
        "po_over": "Unmatched", "po_price": "Unmatched", "po_under": "Unmatched",
    }  # fmt: skip
    assert all(head["invoiceLineType"] == "PO" for head, *_ in seen.values())


def test_the_unknown_order_is_in_no_list(buyer: Any) -> None:
    assert listed(buyer, flt=f"poNumber=={UNKNOWN_ORDER}")["totRecords"] == 0


def test_more_invoices_than_orders_can_carry_are_refused(new_tenant: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="cannot carry"):
        new_tenant(jaggaer={"purchase_orders": 5, "po_invoices": 50})


def test_an_order_is_created_and_changed_by_number_and_revision(buyer: Any) -> None:
    created = buyer.raw("POST", ORDERS, json=order("310")).json()
    assert (created["returnCode"], created["poNumber"], created["revisionNumber"]) == (0, "0000000310", 0)
    change = order("310", 1)
    change["lineList"]["poLine"][0] = {"lineNumber": 1, "quantity": 4}
    change["lineList"]["poLine"].append(
        {"lineNumber": 2, "item": {"description": "Tap"}, "quantity": 1, "unitPrice": 1}
    )
    assert buyer.raw("POST", ORDERS, json=change).json()["poId"] == created["poId"]
    shown = detail(buyer, created["poId"])
    assert shown["header"]["total"] == {"currency": "USD", "value": 11.0}
    assert [line["item"]["description"] for line in shown["lineList"]["poLine"]] == ["Drill", "Tap"]
    assert shown["header"]["revisionNumber"] == 1


def test_quantity_zero_cancels_a_line_and_a_status_the_order(buyer: Any) -> None:
    po_id = buyer.raw("POST", ORDERS, json=order("310")).json()["poId"]
    cancel = {
        "header": {"poNumber": "310", "revisionNumber": 1},
        "lineList": {"poLine": [{"lineNumber": 1, "quantity": 0}]},
    }
    buyer.raw("POST", ORDERS, json=cancel)
    assert detail(buyer, po_id)["lineList"]["poLine"][0]["status"] == "Cancelled"
    buyer.raw("POST", ORDERS, json={"header": {"poNumber": "310", "revisionNumber": 2, "status": "Cancelled"}})
    row = next(row for row in ledger(buyer) if row["po_id"] == po_id)
    assert (row["status"], [state["event"] for state in row["states"]]) == ("Cancelled", ["new", "update", "cancel"])


def test_a_revision_sent_twice_is_taken_twice_and_shows(buyer: Any) -> None:
    for distribute in ("true", "true", "false"):
        buyer.raw("POST", ORDERS, json=order("310", distributeRevision=distribute))
    row = next(row for row in ledger(buyer) if row["number"] == "0000000310")
    assert [(state["revision"], state["distributed"]) for state in row["states"]] == [(0, True), (0, True), (0, False)]
    attempts = buyer.control("GET", "ledger")["jaggaer"]["write_attempts"]
    assert [(a["kind"], a["key"], a["revision"], a["outcome"]) for a in attempts] == [
        ("purchase_order", "310", 0, "stored")
    ] * 3
    assert [a["request_no"] for a in attempts] == sorted({a["request_no"] for a in attempts})


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (order(""), "poNumber"),
        (order("1", supplier={"supplierNumber": "NOBODY"}), "124(supplierNumber,NOBODY)"),
        (order("1", currency=""), "currency"),
        (order("1") | {"operationCode": "UPDATE"}, "124(poNumber,1)"),
        (order("10001") | {"operationCode": "CREATE"}, "112(poNumber,10001)"),
        (order("1") | {"operationCode": "DELETE"}, "operationCode"),
    ],
)
def test_a_refused_order_is_an_application_error_and_an_attempt(buyer: Any, body: Any, text: str) -> None:
    before = ledger(buyer)
    answer = buyer.raw("POST", ORDERS, json=body)
    assert (answer.status_code, answer.json()["returnCode"]) == (200, 2)
    assert text in answer.json()["returnMessage"]
    (attempt,) = buyer.control("GET", "ledger")["jaggaer"]["write_attempts"]
    assert (attempt["outcome"], attempt["reason"]) == ("refused", answer.json()["returnMessage"])
    assert ledger(buyer) == before


def test_a_body_that_is_no_json_object_is_a_bad_request(buyer: Any) -> None:
    assert buyer.raw("POST", ORDERS, data=b"<x/>").status_code == 400
    assert buyer.raw("POST", ORDERS, json=[1]).status_code == 400
    assert buyer.raw("PUT", ORDERS, json={}).status_code == 405


def test_reads_and_writes_of_orders_have_names_of_their_own_for_faults(buyer: Any) -> None:
    rule = {"system": "jaggaer", "call": "UpsertPurchaseOrder", "kind": "status"}
    buyer.control("POST", "faults", [rule])
    assert listed(buyer)["totRecords"] == 60
    assert buyer.raw("POST", ORDERS, json=order("310")).status_code == 503
    detail(buyer, 700_001)
    calls = buyer.control("GET", "requests")["systems"]["jaggaer"]["calls"]
    assert {"ListPurchaseOrders", "GetPurchaseOrder", "UpsertPurchaseOrder"} <= set(calls)


def test_people_create_revise_and_cancel_orders(buyer: Any) -> None:
    buyer.control("POST", "clock", {"advance": 600})
    made = person(buyer, "purchase_order", label="mixed")
    assert (made["poId"], made["revisionNumber"]) == (700_061, 0)
    number = made["poNumber"]
    assert person(buyer, "purchase_order_revise", number=number, set={"lineList.poLine.0.quantity": 7})[
        "revisionNumber"
    ] == 1  # fmt: skip
    assert person(buyer, "purchase_order_revise", number=number, set={}, step=0)["revisionNumber"] == 1
    assert person(buyer, "purchase_order_cancel_line", number=number, line=2)["revisionNumber"] == 2
    last = person(buyer, "purchase_order_cancel", number=number)
    shown = detail(buyer, made["poId"])
    assert [line["quantity"] for line in shown["lineList"]["poLine"]][:2] == [7, 0]
    assert (shown["header"]["status"], shown["header"]["lastUpdate"]) == ("Cancelled", last["lastUpdate"])
    assert listed(buyer, flt=f"lastUpdate>={made['lastUpdate']}")["totRecords"] == 1


def test_a_person_can_key_in_a_whole_order_but_not_a_known_number(buyer: Any) -> None:
    assert person(buyer, "purchase_order", **order("77"))["poNumber"] == "0000000077"
    again = {"system": "jaggaer", "kind": "purchase_order", **order("77")}
    assert "112" in buyer.control("POST", "documents", again, status=400)["error"]


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "purchase_order", "label": "no such label"},
        {"kind": "purchase_order_revise", "number": "1", "set": {}},
        {"kind": "purchase_order_revise", "number": "10001", "set": {"lineList.poLine.99.quantity": 1}},
        {"kind": "purchase_order_cancel_line", "number": "10001", "line": 99},
        {"kind": "po_invoice", "number": "1", "label": "po_full"},
        {"kind": "po_invoice", "number": "10001", "label": "no such label"},
    ],
)
def test_an_order_command_that_fits_nothing_changes_nothing(buyer: Any, body: dict[str, Any]) -> None:
    before = ledger(buyer)
    assert "error" in buyer.control("POST", "documents", {"system": "jaggaer", **body}, status=400)
    assert ledger(buyer) == before


def test_an_invoice_can_bill_chosen_quantities_of_an_order(buyer: Any) -> None:
    number = person(buyer, "purchase_order", label="mixed")["poNumber"]
    lines = [{"line": 1, "quantity": "2", "price": "9.99"}, {"line": 3, "quantity": 1}]
    made = person(buyer, "po_invoice", number=number, lines=lines)
    shown = buyer.detail(made["invoiceId"])
    assert [(line["poLineNumber"], line["quantity"]) for line in shown["lineList"]["invoiceLine"]] == [
        ("1", 2),
        ("3", 1),
    ]
    assert shown["lineList"]["invoiceLine"][0]["unitPrice"] == 9.99
    part = person(buyer, "po_invoice", number=number, label="po_partial")
    assert part["invoiceId"] == made["invoiceId"] + 1


def test_an_amount_split_is_billed_in_proportion_to_the_cent(buyer: Any) -> None:
    number = one(buyer, "split_amount")["number"]
    made = person(buyer, "po_invoice", number=number, label="po_partial")
    (line,) = buyer.detail(made["invoiceId"])["lineList"]["invoiceLine"]
    coding = line["splittableFieldSetGroupList"]["splittableFieldSetGroup"][0]["splittableFieldIndexSet"][0]
    shares = [Decimal(str(s["distributionValue"])) for s in coding["splittableFieldIndexList"]["splittableFieldIndex"]]
    assert sum(shares) == line["quantity"] * Decimal(str(line["unitPrice"]))
