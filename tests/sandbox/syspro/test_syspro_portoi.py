"""PORTOI: orders added, changed and cancelled (reference/syspro.md §2.7)."""

from __future__ import annotations

from typing import Any

import pytest

ROOT = (
    '<?xml version="1.0" encoding="Windows-1252"?>\n'
    "<postpurchaseorders Language='05' Language2='EN' CssStyle='' DecFormat='1' DateFormat='01' Role='01'"
    " Version='8.0.105' OperatorPrimaryRole='   '>\n"
)
LINE = {
    "PurchaseOrderLine": "1", "LineActionType": "A", "StockCode": "NS-PIPETTE", "StockDescription": "Pipette tips",
    "OrderQty": "20", "OrderUom": "BX", "PriceMethod": "M", "Price": "50.00000", "PriceUom": "BX",
    "LedgerCode": "10-5120", "ProductClass": "LAB",
}  # fmt: skip
NON_STOCK = {"AllowNonStockItems": "Y"}


def line(site: Any, **changes: str) -> str:
    fields = {name: value for name, value in (LINE | changes).items() if value != "-"}
    text: str = site.order_line(**fields)
    return text


def stocked(site: Any, code: str = "A100", **changes: str) -> str:
    return line(site, StockCode=code, LedgerCode="-", ProductClass="-", **changes)


def entered(site: Any, *lines: str, **header: str) -> str:
    """Add an order and return its number as stored."""
    answer = site.portoi(
        site.order(*(lines or (line(site), stocked(site))), **({"Supplier": "V00001"} | header)), **NON_STOCK
    )
    assert "<ItemsInvalid>000000<" in answer, answer
    return str(site.ledger("purchase_orders")[-1]["purchase_order"])


def header(site: Any, number: str, *columns: str) -> list[str]:
    rows: list[list[str]] = site.rows("PorMasterHdr", *columns, where=site.cond("PurchaseOrder", "EQ", number))
    return rows[0]


def details(site: Any, number: str, *columns: str) -> list[list[str]]:
    rows: list[list[str]] = site.rows("PorMasterDetail", *columns, where=site.cond("PurchaseOrder", "EQ", number))
    return rows


# Adding


def test_an_added_order_has_the_documented_bytes(site: Any) -> None:
    order = site.order(line(site), Supplier="V00001", CustomerPoNumber="JAG-1")
    assert site.portoi(order, **NON_STOCK) == ROOT + (
        "<Order>\n<Key>\n<PurchaseOrder>004711</PurchaseOrder>\n</Key>\n<ItemNumber>000001</ItemNumber>\n"
        "<OrderActionType>A</OrderActionType>\n<Supplier>V00001</Supplier>\n</Order>\n<StatusofItems>\n"
        "<ItemsProcessed>000001</ItemsProcessed>\n<ItemsInvalid>000000</ItemsInvalid>\n</StatusofItems>\n"
        "</postpurchaseorders>\n "
    )
    assert header(site, "0" * 11 + "4711", "CustomerPoNumber", "OrderStatus", "AmendedCount") == ["JAG-1", "1", "0"]


def test_nothing_is_stored_unless_the_dry_run_is_switched_off(site: Any) -> None:
    root = "PostPurchaseOrders"
    document = site.document(site.order(line(site), Supplier="V00001"), root=root)
    for parameters in ("", site.parameters(root, AllowNonStockItems="Y"), site.parameters(root, ValidateOnly="Y")):
        answer = site.post("PORTOI", parameters, document)
        assert "<Key>" not in answer
    assert site.ledger("purchase_orders") == []
    assert [a["validate_only"] for a in site.ledger("write_attempts")] == [True] * 3
    assert site.outcomes() == ["refused", "validated", "refused"]


@pytest.mark.parametrize(
    ("allow", "flag", "kinds"),
    [("N", "-", None), ("Y", "-", ["7", "1"]), ("S", "-", None), ("S", "N", None), ("S", "Y", ["7", "1"])],
)
def test_codes_outside_the_inventory_become_non_stocked_lines_only_where_allowed(
    site: Any, allow: str, flag: str, kinds: list[str] | None
) -> None:
    lines = line(site, NonStockedLine=flag), stocked(site)
    answer = site.portoi(site.order(*lines, Supplier="V00001"), AllowNonStockItems=allow)
    if kinds is None:
        assert "<StockLine>\n<stockcode>\n<Value>NS-PIPETTE</Value>\n<ErrorNumber>240004</ErrorNumber>" in answer
        assert "<ErrorDescription>Stock code 'NS-PIPETTE' not found<" in answer
        assert site.ledger("purchase_orders") == []
    else:
        assert [row["type"] for row in site.ledger("purchase_orders")[0]["lines"]] == kinds


def test_a_stocked_line_takes_description_unit_class_and_price_from_the_inventory(site: Any) -> None:
    number = entered(site, stocked(site, "B100", StockDescription="-", OrderUom="-", Price="-"))
    columns = ("LineType", "MStockDes", "MOrderUom", "MPrice", "MProductClass", "MWarehouse")
    assert details(site, number, *columns) == [["1", "Sheet steel 2 mm", "KG", "1.83500", "RAW", "MN"]]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"OrderQty": "-"}, "orderqty"),
        ({"OrderQty": "0"}, "orderqty"),
        ({"OrderQty": "-3"}, "orderqty"),
        ({"OrderQty": "many"}, "orderqty"),
        ({"OrderQty": "1.0000001"}, "orderqty"),
        ({"Price": "0"}, "price"),
        ({"Price": "1.000001"}, "price"),
        ({"ProductClass": "-"}, "productclass"),
        ({"StockCode": ""}, "stockcode"),
        ({"StockDescription": "D" * 51}, "stockdescription"),
    ],
)
def test_a_wrong_line_refuses_the_order_by_its_field(site: Any, changes: dict[str, str], field: str) -> None:
    fields = LINE | changes
    element = site.order_line(**{name: value for name, value in fields.items() if value != "-"})
    answer = site.portoi(site.order(element, Supplier="V00001"), **NON_STOCK)
    assert f"<StockLine>\n<{field}>" in answer
    assert "<ItemsProcessed>000000</ItemsProcessed>\n<ItemsInvalid>000001<" in answer
    assert (site.ledger("purchase_orders"), site.outcomes()) == ([], ["refused"])


def test_zero_prices_and_blank_ledger_codes_are_the_parameters_choice(site: Any) -> None:
    free, uncoded = line(site, Price="0"), line(site, LedgerCode="-")
    assert "<ItemsInvalid>000000<" in site.portoi(site.order(free, Supplier="V00001"), AllowNonStockItems="Y",
                                                 AllowZeroPrice="Y")  # fmt: skip
    answer = site.portoi(site.order(uncoded, Supplier="V00001"), AllowNonStockItems="Y", AllowBlankLedgerCode="N")
    assert "<StockLine>\n<ledgercode>\n<Value/>" in answer


@pytest.mark.parametrize(
    "changes",
    [{"LedgerCode": "10-9999"}, {"LedgerCode": "10-5600"}, {"LedgerCode": "00-2100"}, {"ProductClass": "ZZZ"}],
)
def test_a_bad_ledger_code_or_product_class_is_only_a_warning(site: Any, changes: dict[str, str]) -> None:
    order = site.order(line(site, **changes), Supplier="V00001")
    answers = {ignore: site.portoi(order, IgnoreWarnings=ignore, **NON_STOCK) for ignore in "NWY"}
    assert site.outcomes() == ["refused", "posted", "posted"]
    assert ["<WarningDescription>" in answers[ignore] for ignore in "NWY"] == [False, True, False]
    stored = site.ledger("purchase_orders")[0]["lines"][0]
    assert [stored["gl_code"], stored["product_class"]] == list(({"LedgerCode": "10-5120", "ProductClass": "LAB"}
                                                                | changes).values())  # fmt: skip


def test_the_supplier_must_exist_and_take_orders(site: Any) -> None:
    site.system.add("supplier", {"supplier": "V00002", "orders_allowed": False})
    for key in ("NOBODY", "V00002", ""):
        assert "<supplier>\n<Value" in site.portoi(site.order(line(site), Supplier=key), **NON_STOCK)
    assert site.outcomes() == ["refused"] * 3


def test_several_orders_in_a_request_stand_each_on_its_own(site: Any) -> None:
    orders = [site.order(line(site), Supplier=key, CustomerPoNumber=key) for key in ("V00001", "NOBODY", "V00003")]
    answer = site.portoi(*orders, **NON_STOCK)
    assert "<ItemsProcessed>000002</ItemsProcessed>\n<ItemsInvalid>000001<" in answer
    assert "<ItemNumber>000002</ItemNumber>\n</Order>" in answer
    assert [row["customer_po"] for row in site.ledger("purchase_orders")] == ["V00001", "V00003"]
    assert [(a["reference"], a["outcome"], a["value"]) for a in site.ledger("write_attempts")] == [
        ("V00001", "posted", "1000.00"), ("NOBODY", "refused", ""), ("V00003", "posted", "1000.00"),
    ]  # fmt: skip


def test_nothing_makes_a_customer_po_number_unique(site: Any) -> None:
    numbers = {entered(site, CustomerPoNumber="JAG-1") for _ in range(2)}
    where = site.cond("CustomerPoNumber", "EQ", "JAG-1")
    assert {row[0] for row in site.rows("PorMasterHdr", "PurchaseOrder", where=where)} == numbers
    assert len(numbers) == 2


def test_a_system_numbered_site_ignores_a_number_that_is_sent(site: Any) -> None:
    assert entered(site, PurchaseOrder="JAG-77") == "0" * 11 + "4711"


def test_a_site_numbering_by_hand_takes_the_number_sent_once(new_site: Any) -> None:
    site = new_site(po_numbering="manual")
    order = site.order(line(site), Supplier="V00001", PurchaseOrder="JAG-77")
    assert "<PurchaseOrder>JAG-77</PurchaseOrder>\n</Key>" in site.portoi(order, **NON_STOCK)
    assert "<purchaseorder>\n<Value>JAG-77</Value>\n<ErrorNumber>120001<" in site.portoi(order, **NON_STOCK)
    assert "<purchaseorder>\n<Value/>" in site.portoi(site.order(line(site), Supplier="V00001"), **NON_STOCK)
    assert entered(site, PurchaseOrder="815") == "0" * 12 + "815"
    assert header(site, "JAG-77", "OrderStatus") == ["1"]


def test_comments_are_cut_into_lines_of_45_with_numbers_of_their_own(site: Any) -> None:
    comment = site.order_line("CommentLine", Comment="x" * 100)
    freight = site.order_line("FreightLine", FreightValue="12.50")
    misc = site.order_line("MiscChargeLine", MiscChargeValue="3.00", MiscDescription="Pallet")
    number = entered(site, line(site), comment, freight, misc, stocked(site))
    assert details(site, number, "Line", "LineType", "NMscChargeValue") == [
        ["1", "7", "0.00"], ["2", "6", "0.00"], ["3", "6", "0.00"], ["4", "6", "0.00"], ["5", "4", "12.50"],
        ["6", "5", "3.00"], ["7", "1", "0.00"],
    ]  # fmt: skip
    assert [len(row[0]) for row in details(site, number, "NComment")[1:4]] == [45, 45, 10]


def test_foreign_orders_keep_the_suppliers_price_beside_the_local_one(site: Any) -> None:
    number = entered(site, line(site), Supplier="V00031")
    assert details(site, number, "MForeignPrice", "MPrice") == [["50.00000", "54.00000"]]
    assert header(site, number, "Currency", "ExchangeRate", "MulDiv") == ["EUR", "1.080000", "M"]


# Changing


def change(site: Any, number: str, *lines: str, **given: str) -> str:
    answer: str = site.portoi(site.order(*lines, action="C", PurchaseOrder=number, **given), **NON_STOCK)
    return answer


def test_a_change_keeps_what_is_not_sent_and_counts_as_an_amendment(site: Any) -> None:
    number = entered(site, CustomerPoNumber="JAG-1", Buyer="ANN")
    changed = site.order_line(PurchaseOrderLine="1", LineActionType="C", OrderQty="25")
    assert "<PurchaseOrder>004711</PurchaseOrder>" in change(site, "4711", changed, Buyer="BOB")
    assert header(site, number, "CustomerPoNumber", "Buyer", "AmendedCount") == ["JAG-1", "BOB", "1"]
    assert details(site, number, "MOrderQty", "MPrice")[0] == ["25.000000", "50.00000"]
    [order] = site.ledger("purchase_orders")
    assert len(order["changes"]) == 1
    assert order["changes"][0]["request_no"] > order["request_no"]


def test_lines_are_added_under_new_numbers_and_deleted_ones_do_not_come_back(site: Any) -> None:
    number = entered(site)
    change(site, number, site.order_line(PurchaseOrderLine="2", LineActionType="D"))
    change(site, number, line(site, PurchaseOrderLine="2"))
    assert [row[0] for row in details(site, number, "Line")] == ["1", "3"]
    assert [(row["line"], row["removed"]) for row in site.ledger("purchase_orders")[0]["lines"]] == [
        (1, False), (3, False), (2, True),
    ]  # fmt: skip


def test_a_line_set_to_quantity_zero_is_complete_and_an_order_of_only_such_lines_too(site: Any) -> None:
    number = entered(site)
    zero = [site.order_line(PurchaseOrderLine=str(n), LineActionType="C", OrderQty="0") for n in (1, 2)]
    change(site, number, zero[0])
    assert details(site, number, "MCompleteFlag") == [["Y"], ["N"]]
    assert header(site, number, "OrderStatus") == ["1"]
    change(site, number, zero[1])
    assert header(site, number, "OrderStatus", "ActiveFlag") == ["9", "N"]


@pytest.mark.parametrize(
    ("fields", "lines", "failing"),
    [
        ({"Supplier": "V00002"}, {}, "supplier"),
        ({"PurchaseOrder": "999999"}, {}, "purchaseorder"),
        ({}, {"PurchaseOrderLine": "9", "LineActionType": "C"}, "purchaseorderline"),
        ({}, {"PurchaseOrderLine": "1", "LineActionType": "C", "StockCode": "OTHER"}, "stockcode"),
    ],
)
def test_a_change_that_cannot_be_made_leaves_the_order_alone(
    site: Any, fields: dict[str, str], lines: dict[str, str], failing: str
) -> None:
    number = entered(site)
    before = site.ledger("purchase_orders")
    elements = [site.order_line(PurchaseOrderLine="2", LineActionType="D")]
    elements += [site.order_line(**lines)] if lines else []
    answer = site.portoi(site.order(*elements, action="C", **({"PurchaseOrder": number} | fields)), **NON_STOCK)
    assert f"<{failing}>\n<Value" in answer
    assert site.ledger("purchase_orders") == before


def test_a_cancelled_order_is_marked_and_takes_no_more_changes(site: Any) -> None:
    number = entered(site)
    assert "<OrderActionType>D</OrderActionType>" in site.portoi(site.order(action="D", PurchaseOrder=number))
    assert header(site, number, "OrderStatus", "CancelledFlag", "ActiveFlag") == ["*", "Y", "N"]
    assert "is cancelled" in change(site, number, Buyer="BOB")


# The wire


def test_lines_of_all_kinds_may_be_mixed_but_their_elements_keep_their_order(site: Any) -> None:
    wrong = site.order_line(StockCode="A100", PurchaseOrderLine="1")
    answer = site.portoi(site.order(wrong, Supplier="V00001", CustomerPoNumber="JAG-1"))
    assert answer.startswith("ERROR: The XML document does not match its schema")
    [attempt] = site.ledger("write_attempts")
    assert [attempt[name] for name in ("bo", "supplier", "type", "reference", "outcome")] == [
        "PORTOI", "V00001", "A", "JAG-1", "refused",
    ]  # fmt: skip


def test_porqry_shows_the_order_with_its_lines_and_totals(site: Any) -> None:
    number = entered(site, line(site, OrderQty="2000"), site.order_line("CommentLine", Comment="careful"))
    answer = site.query("PORQRY", f"<Query><Key><PurchaseOrder>{number}</PurchaseOrder></Key></Query>")
    assert "<PorDetail>\n<SystemInformation>" in answer
    assert "<PurchaseOrder>004711</PurchaseOrder>\n<Supplier>V00001</Supplier>" in answer
    assert "<MOutstandingQty>2,000.000000</MOutstandingQty>\n<Unedited_MOutstandingQty>2000.000000<" in answer
    assert "<CurrentValues>\n<OrderValue>100000.00</OrderValue>" in answer
    option = "<Option><IncludeCommentLines>N</IncludeCommentLines></Option>"
    query = f"<Query><Key><PurchaseOrder>4711</PurchaseOrder></Key>{option}</Query>"
    assert ("careful" in answer, "careful" in site.query("PORQRY", query)) == (True, False)


@pytest.mark.parametrize(("number", "option"), [("", "Y"), ("999", "Y"), ("4711", "Maybe")])
def test_porqry_refuses_unknown_orders_and_options(site: Any, number: str, option: str) -> None:
    entered(site)
    query = (
        f"<Query><Key><PurchaseOrder>{number}</PurchaseOrder></Key>"
        f"<Option><IncludeGrns>{option}</IncludeGrns></Option></Query>"
    )
    assert site.query("PORQRY", query).startswith("ERROR: ")


def test_porqpo_lists_orders_by_filter_and_leaves_out_the_finished_unless_asked(site: Any) -> None:
    first = entered(site)
    entered(site, Supplier="V00002")
    site.portoi(site.order(action="D", PurchaseOrder=first))

    def listed(option: str = "", where: str = "") -> list[str]:
        answer = site.query("PORQPO", f"<Query><Option>{option}</Option><Filter>{where}</Filter></Query>")
        return [part.partition("<")[0] for part in answer.split("<PurchaseOrder>")[1:]]

    cancelled = "<IncludeCancelledOrders>Y</IncludeCancelledOrders>"
    assert listed() == ["004712"]
    assert listed(cancelled) == ["004711", "004712"]
    assert listed(cancelled, '<Supplier FilterType="S" FilterValue="V00001"/>') == ["004711"]
    assert listed(cancelled, '<PurchaseOrder FilterType="R" FilterValue="004712,004799"/>') == ["004712"]
    assert listed(cancelled, '<OrderDate FilterType="R" FilterValue="2024-09-18,"/>') == []


# A person


def test_a_person_enters_changes_and_cancels_orders_without_a_write_attempt(site: Any) -> None:
    lines = [{"stock_code": "DESK", "description": "Desk", "qty": "2", "price": "300", "gl_code": "10-5120"}]
    made = site.system.add("purchase_order", {"supplier": "V00001", "customer_po": "P-1", "lines": lines})
    number = made["purchase_order"]
    site.system.add("purchase_order_change", {"purchase_order": number, "lines": [{"line": 1, "qty": "3"}]})
    [order] = site.ledger("purchase_orders")
    assert (order["by"], order["value"], order["amended"]) == ("person", "900.00", 1)
    assert site.system.add("purchase_order_cancel", {"purchase_order": number})["status"] == "*"
    assert site.ledger("write_attempts") == []
    with pytest.raises(ValueError, match="not found"):
        site.system.add("purchase_order_cancel", {"purchase_order": "1"})
