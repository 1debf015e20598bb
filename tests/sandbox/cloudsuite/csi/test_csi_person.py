from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_mlconnector.sandbox.cloudsuite.csi import person

from .conftest import INSERT, Csi

NewCsi = Callable[..., Csi]
LINE = {"account": "51200", "unit": "CC10", "amount": "100"}
ORDER_LINES = [
    {"qty": 4, "price": "2.5", "account": "51200", "unit": "CC10", "description": "Site inspection"},
    {"qty": 2, "price": "48.75", "item": "A200"},
]


def one(csi: Csi, ido: str, filter_: str) -> dict[str, Any]:
    (row,) = csi.load(ido, filter_)
    return row


def ordered(csi: Csi) -> str:
    return str(csi.person("purchase_order", vendor="V00003", lines=ORDER_LINES)["po_num"])


def lines_of(csi: Csi, number: str) -> list[tuple[str, str, str]]:
    rows = csi.load("SLPoItems", f"PoNum = N'{number}'", orderBy="PoLine")
    return [(row["PoLine"], row["QtyOrderedConv"], row["Stat"]) for row in rows]


def test_the_kinds_are_those_the_module_describes(csi: Csi) -> None:
    assert person.__doc__
    assert all(f"``{kind}``" in person.__doc__ for kind in csi.books.persons())


def test_a_person_types_in_an_order_with_account_and_stock_lines(csi: Csi) -> None:
    number = ordered(csi)
    row = one(csi, "SLPos", f"PoNum = N'{number}'")
    assert (row["Stat"], row["VendNum"], row["PoCost"]) == ("O", " V00003", "107.50000000")
    assert lines_of(csi, number) == [("1", "4.00000000", "O"), ("2", "2.00000000", "O")]
    shown = csi.ledger()["purchase_orders"][0]
    assert (shown["by"], shown["request_no"], shown["lines"][1]["Item"]) == ("person", 0, "A200")


def test_a_person_changes_a_price_and_adds_a_line_without_moving_the_header(csi: Csi) -> None:
    number = ordered(csi)
    before = one(csi, "SLPos", f"PoNum = N'{number}'")
    csi.advance(minutes=5)
    more = [{"line": 1, "price": "3"}, {"qty": 1, "price": "10", "account": "52100", "unit": "CC20"}]
    csi.person("purchase_order_change", po_num=number, lines=more)
    after = one(csi, "SLPos", f"PoNum = N'{number}'")
    assert (after["PoCost"], after["RecordDate"]) == ("119.50000000", before["RecordDate"])
    assert [line[0] for line in lines_of(csi, number)] == ["1", "2", "3"]


def test_a_changed_header_moves_its_stamp(csi: Csi) -> None:
    number = ordered(csi)
    csi.advance(minutes=5)
    csi.person("purchase_order_change", po_num=number, buyer="pat")
    row = one(csi, "SLPos", f"PoNum = N'{number}'")
    assert (row["Buyer"], row["RecordDate"]) == ("pat", "20260317 10:05:00.000")


def test_a_cancelled_line_keeps_what_was_received(csi: Csi) -> None:
    number = ordered(csi)
    csi.person("receive", po_num=number, lines=[{"line": 1, "qty": 1}])
    csi.person("purchase_order_cancel_line", po_num=number, line=1)
    csi.person("purchase_order_cancel_line", po_num=number, line=2)
    assert lines_of(csi, number) == [("1", "1.00000000", "C"), ("2", "0.00000000", "C")]
    assert one(csi, "SLPos", f"PoNum = N'{number}'")["Stat"] == "O"


def test_a_cancelled_order_is_complete_with_all_its_lines(csi: Csi) -> None:
    number = ordered(csi)
    assert csi.person("purchase_order_cancel", po_num=number)["stat"] == "C"
    assert {line[1:] for line in lines_of(csi, number)} == {("0.00000000", "C")}


def test_what_is_received_is_accrued_and_no_more_than_was_ordered(csi: Csi) -> None:
    number = ordered(csi)
    first = csi.person("receive", po_num=number, lines=[{"line": 1, "qty": 1}])
    rest = csi.person("receive", po_num=number)
    assert [line["qty"] for line in rest["lines"]] == ["3.00", "2.00"]
    assert first["grn"] != rest["grn"]
    with pytest.raises(ValueError, match="more than was ordered"):
        csi.person("receive", po_num=number, lines=[{"line": 1, "qty": 1}])
    balances = csi.ledger()["gl_totals"]["balances"]
    assert balances == {"14000": "97.50", "22000": "-107.50", "51200": "10.00"}
    assert lines_of(csi, number)[0][2] == "F"


def test_vendors_are_added_renamed_held_and_deactivated(csi: Csi) -> None:
    csi.person("vendor", vendor="V00777", name="New Works", currency="EUR", terms="N60", tax_number="TX777")
    row = one(csi, "SLVendors", "VendNum = N' V00777'")
    assert (row["Name"], row["CurrCode"], row["TermsCode"], row["Stat"]) == ("New Works", "EUR", "N60", "A")
    csi.advance(seconds=30)
    csi.person("vendor", vendor="V00777", name="Newer Works", hold=True, hold_reason="DISP", street="1 Lane")
    row = one(csi, "SLVendors", "VendNum = N' V00777'")
    assert (row["Name"], row["VadPayHold"], row["VadAddr_1"]) == ("Newer Works", "1", "1 Lane")
    assert row["RecordDate"] == "20260317 10:00:30.000"
    csi.person("vendor", vendor="V00777", active=False)
    assert one(csi, "SLVendors", "VendNum = N' V00777'")["Stat"] == "I"
    shown = next(each for each in csi.ledger()["suppliers"] if each["VendNum"] == " V00777")
    assert (shown["by"], len(shown["changed"])) == ("person", 2)


def test_a_merged_vendor_is_inactive_and_an_unused_one_can_be_deleted(csi: Csi) -> None:
    csi.person("vendor_merge", vendor="V00052", into="V00006")
    row = one(csi, "SLVendors", "VendNum = N' V00052'")
    assert (row["Stat"], row["VadAddr_4"]) == ("I", "Replaced by V00006")
    csi.person("vendor_delete", vendor="V00052")
    assert csi.load("SLVendors", "VendNum = N' V00052'") == []
    ordered(csi)
    with pytest.raises(ValueError, match="refers to it"):
        csi.person("vendor_delete", vendor="V00003")


def test_a_voucher_typed_in_by_hand_may_have_the_number_of_any_other(csi: Csi) -> None:
    number = csi.voucher("100", "100")
    typed = csi.person("voucher", vendor="V00003", invoice="NB-7781", lines=[LINE])
    assert typed["stat"] == "A"
    rows = [csi.found(each) for each in (number, typed["voucher"])]
    assert [(row["InvNum"], row["by"], row["request_no"]) for row in rows] == [
        ("NB-7781", "interface", 1),
        ("NB-7781", "person", 0),
    ]


def test_a_voucher_refused_for_one_of_its_lines_leaves_nothing(csi: Csi) -> None:
    lines = [LINE, {**LINE, "tax_code": "NONE"}]
    with pytest.raises(ValueError, match="TaxCode 'NONE' does not exist"):
        csi.person("voucher", vendor="V00003", invoice="X", lines=lines)
    assert csi.load("SLAptrxs") == csi.load("SLAptrxds") == csi.ledger()["vouchers"] == []


def test_an_unposted_voucher_is_changed_with_new_lines_or_deleted(csi: Csi) -> None:
    number = csi.person("voucher", vendor="V00003", invoice="X", stat="H", lines=[LINE])["voucher"]
    changed = csi.person("voucher_change", voucher=number, amount="30", lines=[{**LINE, "amount": "30"}])
    assert (changed["amount"], changed["distributed"]) == ("30.00", "30.00")
    csi.person("voucher_delete", voucher=number)
    assert csi.found(number)["deleted"]["by"] == "person"
    with pytest.raises(ValueError, match="not among the unposted"):
        csi.person("voucher_change", voucher=number, text="late")


def test_a_person_may_leave_a_voucher_half(csi: Csi) -> None:
    number = csi.person("voucher", vendor="V00003", invoice="X", amount="130", lines=[LINE])["voucher"]
    csi.person("post_vouchers", vouchers=[number])
    assert [row["kind"] for row in csi.ledger()["violations"]] == ["half voucher offered"]


def test_only_the_vouchers_named_are_posted(csi: Csi) -> None:
    first, second = (csi.person("voucher", vendor="V00003", invoice="X", lines=[LINE])["voucher"] for _ in range(2))
    assert csi.person("post_vouchers", vouchers=[second]) == {"posted": [second]}
    assert csi.found(first)["state"] == "unposted"


def test_accounts_are_added_changed_and_made_obsolete(csi: Csi) -> None:
    csi.person("account", account="58000", description="Training", access1="R")
    csi.person("account", account="58000", description="Courses", eff_date="2026-01-01")
    csi.person("account_obsolete", account="58000")
    row = one(csi, "SLCharts", "Acct = N'58000'")
    assert (row["Description"], row["AccessUnit1"], row["ObsDate"]) == ("Courses", "R", "20260317 00:00:00.000")
    with pytest.raises(ValueError, match="not found"):
        csi.person("account_obsolete", account="99999")


def test_unit_codes_come_and_go_with_what_accounts_allow(csi: Csi) -> None:
    csi.person("unit_code", unit="CC60", description="Night shift")
    csi.person("account_unit", account="52500", unit="CC60")
    assert {row["Unit1"] for row in csi.load("SLChartUnitcd1s", "Acct = N'52500'")} == {"CC10", "CC60"}
    csi.person("unit_code_remove", unit="CC60")
    assert csi.load("SLUnitcd1s", "Unit1 = N'CC60'") == []
    assert {row["Unit1"] for row in csi.load("SLChartUnitcd1s", "Acct = N'52500'")} == {"CC10"}
    with pytest.raises(ValueError, match="does not exist"):
        csi.person("account_unit", account="52500", unit="CC60")


def test_a_closed_period_is_told_by_the_date_check(csi: Csi) -> None:
    asked = ("20260310", "Distribution Date", "", "")
    assert csi.invoke("SLPeriods", "DateChkSp", *asked)["ReturnValue"] == "0"
    csi.person("period", year=2026, period=3)
    answer = csi.invoke("SLPeriods", "DateChkSp", *asked)
    assert (answer["ReturnValue"], answer["Parameters"][3]) == (
        "16",
        "Distribution Date 2026-03-10 is in no open period",
    )
    assert csi.invoke("SLPeriods", "DateChkSp", "soon", "", "", "")["ReturnValue"] == "16"


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("vendor", {"vendor": "V00003", "color": "red"}, "SLVendors has no 'color'"),
        ("voucher", {"vendor": "V00003", "invoice": "X", "lines": [{"amount": "ten"}]}, "'ten' is no number"),
        ("voucher", {"vendor": "V99999", "invoice": "X", "lines": [LINE]}, "SLVendors V99999 not found"),
        ("purchase_order", {"vendor": "V99999", "lines": []}, "VendNum ' V99999' does not exist"),
        ("receive", {"po_num": "P1"}, "SLPos P1 not found"),
        ("vendor", {"vendor": "V00003", "hold": "maybe"}, "'maybe' is no flag"),
    ],
)
def test_what_csi_would_refuse_is_refused_here_too(csi: Csi, kind: str, body: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        csi.person(kind, **body)


def test_every_attempt_of_an_interface_is_kept_refused_ones_included_and_no_persons(csi: Csi) -> None:
    csi.person("voucher", vendor="V00003", invoice="X", lines=[LINE])
    csi.voucher(Voucher="20000")
    csi.update("SLAptrxs", INSERT, VendNum=" V00003", Voucher="20000", InvAmt="1")
    found = [(row.kind, row.operation, row.outcome, row.reason) for row in csi.site.attempts]
    assert found == [
        ("SLAptrxs", "insert", "stored", ""),
        ("SLAptrxs", "insert", "refused", "Voucher 20000 already exists"),
    ]


def test_days_are_those_of_the_sites_calendar(new_csi: NewCsi) -> None:
    csi = new_csi(time_zone="Asia/Tokyo")
    csi.advance(hours=6)
    number = csi.person("voucher", vendor="V00003", invoice="X", lines=[LINE])["voucher"]
    assert csi.found(number)["InvDate"] == "2026-03-18"


def test_amounts_of_the_oracle_are_text_of_two_decimals_and_of_more_where_there_are_more(csi: Csi) -> None:
    number = csi.voucher("1200.125", "1200.125", vendor=" V00035")
    other = csi.voucher("1200", "1200")
    assert [csi.found(each)["InvAmt"] for each in (number, other)] == ["1200.125", "1200.00"]


def test_a_touched_table_has_new_change_stamps_and_nothing_else(new_csi: NewCsi) -> None:
    csi = new_csi(purchase_orders=5)
    before = csi.load("SLPos")
    csi.advance(minutes=1)
    assert csi.person("touch", ido="SLPos")["rows"] == 5
    after = csi.load("SLPos")
    assert {row["RecordDate"] for row in after} == {"20260317 10:01:00.000"}
    stamps = ("RecordDate", "_ItemId", "UpdatedBy")
    bare = [[{name: row[name] for name in row if name not in stamps} for row in rows] for rows in (before, after)]
    assert sorted(bare[0], key=str) == sorted(bare[1], key=str)


def test_a_planned_order_becomes_an_ordered_one_and_a_new_line_has_its_state(new_csi: NewCsi) -> None:
    csi = new_csi()
    number = csi.person("purchase_order", vendor="V00003", stat="P", lines=ORDER_LINES)["po_num"]
    assert {line[2] for line in lines_of(csi, number)} == {"P"}
    csi.person("purchase_order_change", po_num=number, stat="O")
    assert one(csi, "SLPos", f"PoNum = N'{number}'")["Stat"] == "O"
