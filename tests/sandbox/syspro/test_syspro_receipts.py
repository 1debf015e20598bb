"""Receipts, their accrual, and invoices that match them (reference/syspro.md §2.1 GrnDetails, §4)."""

from __future__ import annotations

from typing import Any

import pytest

SUSPENSE, VARIANCE = "00-2200", "00-5900"
UNTAXED = {"TaxCode": "Z", "TaxValue": "0.00"}


def received(site: Any, *lines: tuple[str, str], **order: str) -> dict[str, Any]:
    """Order and receive everything; return the receipt with its order."""
    number = site.ordered(*(lines or (("10", "50.00"),)), **order)
    return {**site.system.add("receipt", {"purchase_order": number}), "order": number}


def invoice(site: Any, grn: str, *lines: tuple[str, str, str], **changes: str) -> str:
    value = f"{sum(float(line[1]) for line in lines):.2f}"
    text: str = site.apstin(site.item(*lines, grn=grn, **(UNTAXED | {"TransactionValue": value} | changes)))
    return text


def suspense(site: Any) -> tuple[str, str]:
    found = site.ledger("grn_suspense")
    return found["gl_balance"], found["not_invoiced"]


def rows(site: Any, *columns: str) -> list[list[str]]:
    found: list[list[str]] = site.rows("GrnDetails", *columns)
    return found


# Receiving


def test_a_receipt_accrues_what_was_bought_against_goods_received_not_vouchered(site: Any) -> None:
    made = received(site)
    assert site.ledger("gl_entries")["balances"] == {"10-5120": "500.00", SUSPENSE: "-500.00"}
    columns = ("Supplier", "Grn", "GrnSource", "JournalEntry", "PurchaseOrder", "PurchaseOrderLin", "QtyReceived",
               "OrigGrnValue", "GrnMatchedFlag", "DebitRecGlCode")  # fmt: skip
    assert rows(site, *columns) == [
        ["V00001", "0" * 12 + "881", "G", "1", "0" * 11 + "4711", "1", "10.000000", "500.00", "N", "10-5120"]
    ]
    assert (made["grn"], made["status"]) == ("000881", "9")
    [journal] = site.ledger("gl_journals")
    assert (journal["source"], journal["reference"]) == ("IN", "GRN 000881")


def test_stocked_goods_are_debited_to_stock(site: Any) -> None:
    lines = [{"stock_code": "A100", "qty": "4"}]
    number = site.system.add("purchase_order", {"supplier": "V00001", "lines": lines})["purchase_order"]
    site.system.add("receipt", {"purchase_order": number})
    assert site.ledger("gl_entries")["balances"] == {"00-1300": "50.00", SUSPENSE: "-50.00"}


def test_part_receipts_count_on_the_order_line(site: Any) -> None:
    number = site.ordered(("10", "5.00"), ("2", "7.00"))
    body = {"purchase_order": number, "lines": [{"line": 1, "qty": "4"}], "delivery_note": "DN 1"}
    assert site.system.add("receipt", body)["status"] == "1"
    where = site.cond("PurchaseOrder", "EQ", number.zfill(15))
    assert site.rows("PorMasterDetail", "MReceivedQty", "MCompleteFlag", where=where) == [
        ["4.000000", "N"], ["0.000000", "N"],
    ]  # fmt: skip
    assert site.system.add("receipt", {"purchase_order": number})["status"] == "9"
    assert [row[0] for row in rows(site, "QtyReceived")] == ["4.000000", "6.000000", "2.000000"]


def test_foreign_receipts_are_accrued_in_company_currency(site: Any) -> None:
    received(site, ("10", "50.00"), supplier="V00031")
    assert rows(site, "OrigGrnValue", "CurrencyValue", "PostCurrency", "ConvRate") == [
        ["540.00", "500.00", "EUR", "1.080000"]
    ]
    assert suspense(site) == ("-540.00", "540.00")


def test_a_site_that_does_not_accrue_books_no_receipts(new_site: Any) -> None:
    site = new_site(receipts_accrue=False)
    received(site)
    assert (site.ledger("gl_journals"), len(rows(site, "Grn"))) == ([], 1)


def test_a_receipt_is_taken_back_unless_invoiced(site: Any) -> None:
    made = received(site)
    site.system.add("receipt_reverse", {"purchase_order": made["order"], "grn": made["grn"]})
    assert rows(site, "Grn") == []
    assert suspense(site) == ("0.00", "0.00")
    assert [row["reversed"] for row in site.ledger("receipts")] == [True]
    again = site.system.add("receipt", {"purchase_order": made["order"]})
    invoice(site, site.grn(GrnMatchType="O", GrnGrn=again["grn"]), (SUSPENSE, "500.00", "Z"))
    with pytest.raises(ValueError, match="invoiced"):
        site.system.add("receipt_reverse", {"purchase_order": made["order"], "grn": again["grn"]})


@pytest.mark.parametrize(
    "body",
    [
        {"purchase_order": "9"},
        {"lines": [{"line": 9, "qty": 1}]},
        {"lines": [{"line": 1, "qty": 0}]},
    ],
)
def test_what_cannot_be_received_is_refused(site: Any, body: dict[str, Any]) -> None:
    number = site.ordered(("10", "5.00"))
    with pytest.raises(ValueError, match="purchase order"):
        site.system.add("receipt", {"purchase_order": number} | body)
    site.system.add("period", {"module": "GL", "year": 2024, "month": 9, "open": False})
    with pytest.raises(ValueError, match="closed"):
        site.system.add("receipt", {"purchase_order": number})
    assert site.ledger("receipts") == []


# What receipts forbid an order


def test_an_order_with_receipts_is_neither_cancelled_nor_cut_below_them(site: Any) -> None:
    number = site.ordered(("10", "5.00"))
    site.system.add("receipt", {"purchase_order": number, "lines": [{"line": 1, "qty": "4"}]})
    less, delete, enough = (
        site.order_line(PurchaseOrderLine="1", LineActionType=action, **fields)
        for action, fields in (("C", {"OrderQty": "3"}), ("D", {}), ("C", {"OrderQty": "4"}))
    )
    assert "<purchaseorder>" in site.portoi(site.order(action="D", PurchaseOrder=number))
    assert "<StockLine>\n<orderqty>" in site.portoi(site.order(less, action="C", PurchaseOrder=number))
    assert "<StockLine>\n<purchaseorderline>" in site.portoi(site.order(delete, action="C", PurchaseOrder=number))
    assert "<Key>" in site.portoi(site.order(enough, action="C", PurchaseOrder=number))
    assert site.ledger("purchase_orders")[0]["status"] == "9"


# Matching


def test_a_full_match_clears_the_suspense_account_and_the_variance_is_the_senders_line(site: Any) -> None:
    made = received(site)
    grn = site.grn(GrnMatchType="U", GrnMatchValue="512.00", GrnSupplier="V00001", GrnGrn=made["grn"], GrnFlag="G",
                   GrnJournal=made["journal"], GrnEntry=1)  # fmt: skip
    assert "<Key>" in invoice(site, grn, (SUSPENSE, "500.00", "Z"), (VARIANCE, "12.00", "Z"))
    assert suspense(site) == ("0.00", "0.00")
    assert rows(site, "MatchedValue", "QtyInvoiced", "GrnMatchedFlag") == [["512.00", "10.000000", "Y"]]
    assert site.ledger("gl_entries")["balances"] == {
        "10-5120": "500.00", SUSPENSE: "0.00", VARIANCE: "12.00", "00-2100": "-512.00",
    }  # fmt: skip
    [booked] = site.ledger("ap_invoices")[0]["grn_matches"]
    assert (booked["purchase_order"], booked["line"], booked["qty"]) == ("0" * 11 + "4711", 1, "10")


def test_partial_matches_add_up_to_a_full_one(site: Any) -> None:
    made = received(site)
    for n, (qty, value, flag) in enumerate((("4", "200.00", "N"), ("6", "300.00", "Y"))):
        grn = site.grn(GrnMatchType="P", GrnPartialMatchQuantity=qty, GrnPartialMatchValue=value, GrnGrn=made["grn"])
        assert "<Key>" in invoice(site, grn, (SUSPENSE, value, "Z"), Invoice=f"P-{n}")
        assert rows(site, "GrnMatchedFlag") == [[flag]]
    assert suspense(site) == ("0.00", "0.00")


def test_an_outstanding_match_takes_what_is_left(site: Any) -> None:
    made = received(site)
    first = site.grn(GrnMatchType="P", GrnPartialMatchQuantity="4", GrnPartialMatchValue="200.00", GrnGrn=made["grn"])
    invoice(site, first, (SUSPENSE, "200.00", "Z"), Invoice="P-1")
    key = site.ledger("receipts")[0]
    whole = f"{key['supplier']:<15}{key['grn']:<20}G{key['journal']:010d}{key['entry']:010d}"
    assert "<Key>" in invoice(site, site.grn(GrnDetailKey=whole, GrnMatchType="O"), (SUSPENSE, "300.00", "Z"))
    assert rows(site, "MatchedValue", "QtyInvoiced", "GrnMatchedFlag") == [["500.00", "10.000000", "Y"]]


def test_what_the_sender_books_elsewhere_shows_in_the_suspense_balance(site: Any) -> None:
    made = received(site)
    invoice(site, site.grn(GrnMatchType="O", GrnGrn=made["grn"]), ("10-5120", "500.00", "Z"))
    assert suspense(site) == ("-500.00", "0.00")  # expensed twice: received, and invoiced


@pytest.mark.parametrize(
    ("fields", "element"),
    [
        ({"GrnGrn": "999"}, "grngrn"),
        ({"GrnDetailKey": "nonsense"}, "grndetailkey"),
        ({"GrnGrn": "881", "GrnEntry": "3"}, "grngrn"),
        ({"GrnGrn": "881", "GrnJournal": "999"}, "grngrn"),
        ({"GrnGrn": "881", "GrnFlag": "I"}, "grngrn"),
        ({"GrnGrn": "881"}, "grngrn"),
        ({"GrnGrn": "881", "GrnEntry": "1", "GrnMatchType": "U", "GrnMatchValue": ""}, "grnmatchvalue"),
        ({"GrnGrn": "881", "GrnEntry": "1", "GrnMatchType": "X"}, "grnmatchtype"),
        (
            {"GrnGrn": "881", "GrnEntry": "1", "GrnMatchType": "P", "GrnPartialMatchQuantity": "11",
             "GrnPartialMatchValue": "1.00"},
            "grnpartialmatchquantity",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_matched_is_refused_inside_its_container(
    site: Any, fields: dict[str, str], element: str
) -> None:
    received(site, ("10", "50.00"), ("1", "20.00"))
    answer = invoice(site, site.grn(**({"GrnMatchType": "O"} | fields)), (SUSPENSE, "500.00", "Z"))
    assert f"<GrnDetails>\n<{element}>" in answer
    assert site.ledger("ap_invoices") == []
    assert {row["matched_qty"] for row in site.ledger("receipts")} == {"0"}


def test_a_receipt_is_matched_once_even_within_one_document(site: Any) -> None:
    made = received(site)
    grn = site.grn(GrnMatchType="O", GrnGrn=made["grn"])
    fields = {"grn": grn, "TransactionValue": "500.00"} | UNTAXED
    items = [site.item((SUSPENSE, "500.00", "Z"), **fields, Invoice=number) for number in "AB"]
    answer = site.apstin(*items, ApplyIfEntireDocumentValid="N")
    assert answer.count("<Key>") == 1
    assert "is fully matched" in answer
    twice = site.item((SUSPENSE, "500.00", "Z"), **fields, Invoice="C")
    assert "is fully matched" in site.apstin(twice)


def test_apsqry_lists_receipts_when_asked(site: Any) -> None:
    received(site)
    query = "<Query><Key><Supplier>V00001</Supplier></Key><Option>{}</Option></Query>"
    option = "<IncludeGoodsReceivedNotes>Y</IncludeGoodsReceivedNotes>"
    answer = site.query("APSQRY", query.format(option))
    assert "<GRNDetail>\n<Grn>000881</Grn>\n<GrnSource>G</GrnSource>" in answer
    assert "GRNDetail" not in site.query("APSQRY", query.format(""))
