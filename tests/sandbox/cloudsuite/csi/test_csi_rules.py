from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import DELETE, UPDATE, Csi

NewCsi = Callable[..., Csi]


def test_a_voucher_inserted_without_a_number_gets_the_next_one_and_tells_it(csi: Csi) -> None:
    first, second = csi.voucher(), csi.voucher()
    assert int(second) == int(first) + 1


def test_a_site_that_does_not_number_vouchers_refuses_one_without(new_csi: NewCsi) -> None:
    csi = new_csi(auto_voucher=False)
    text = csi.refused("SLAptrxs", VendNum=" V00003", InvNum="A", InvAmt="1")
    assert text == "Voucher must be entered on IDO SLAptrxs"
    assert csi.voucher(Voucher="777") == "777"


def test_numbering_goes_on_after_the_highest_number_given_by_hand(csi: Csi) -> None:
    csi.voucher(Voucher="20000")
    assert csi.voucher() == "20001"


@pytest.mark.parametrize("vendor", [" V00003", " V00004"])
def test_a_number_taken_by_whatever_vendor_is_refused(csi: Csi, vendor: str) -> None:
    csi.voucher(Voucher="20000")
    assert csi.refused("SLAptrxs", VendNum=vendor, Voucher="20000", InvAmt="1") == "Voucher 20000 already exists"


def test_a_posted_number_stays_taken(csi: Csi) -> None:
    number = csi.voucher("10", "10", BGPostingStat="A")
    csi.person("post_vouchers")
    assert "already exists" in csi.refused("SLAptrxs", VendNum=" V00003", Voucher=number, InvAmt="1")


def test_the_invoice_number_of_a_vendor_may_come_twice(csi: Csi) -> None:
    assert csi.voucher() != csi.voucher()
    assert [row["InvNum"] for row in csi.ledger()["vouchers"]] == ["NB-7781", "NB-7781"]


@pytest.mark.parametrize("vendor", [" V99999", "V00003"])
def test_a_vendor_that_is_unknown_or_written_without_its_blanks_is_refused(csi: Csi, vendor: str) -> None:
    text = csi.refused("SLAptrxs", VendNum=vendor, InvNum="A", InvAmt="1")
    assert text == f"VendNum {vendor!r} does not exist on IDO SLVendors"


def test_an_inactive_vendor_is_not_refused_so_that_a_missing_check_shows(csi: Csi) -> None:
    assert csi.found(csi.voucher(vendor=" V00050"))["state"] == "unposted"


def test_the_currency_is_the_vendors_whatever_was_sent(csi: Csi) -> None:
    number = csi.voucher(vendor=" V00031", CurrCode="USD")
    row = csi.load("SLAptrxs", f"Voucher = {number}")[0]
    assert (row["CurrCode"], row["AptCurrCode"], row["ExchRate"]) == ("EUR", "EUR", "1.08000000")
    csi.update("SLAptrxs", UPDATE, row["_ItemId"], CurrCode="USD")
    assert csi.load("SLAptrxs", f"Voucher = {number}")[0]["CurrCode"] == "EUR"


def test_dates_left_out_follow_the_invoice_date_and_the_vendors_terms(csi: Csi) -> None:
    row = csi.load("SLAptrxs", f"Voucher = {csi.voucher()}")[0]
    days = (row["InvDate"], row["DistDate"], row["DueDate"])
    assert days == ("20260310 00:00:00.000", "20260310 00:00:00.000", "20260409 00:00:00.000")


def test_a_rate_of_zero_and_an_unknown_state_are_refused(csi: Csi) -> None:
    given = {"VendNum": " V00003", "InvNum": "A", "InvAmt": "1"}
    assert "ExchRate" in csi.refused("SLAptrxs", **given, ExchRate="0")
    assert "BGPostingStat" in csi.refused("SLAptrxs", **given, BGPostingStat="X")
    assert "Type" in csi.refused("SLAptrxs", **given, Type="P")


def test_an_invoice_number_of_23_characters_is_refused_or_cut_as_the_site_says(new_csi: NewCsi) -> None:
    long = "N" * 23
    assert "InvNum is longer than 22" in new_csi().refused("SLAptrxs", VendNum=" V00003", InvNum=long, InvAmt="1")
    cutting = new_csi(oversize="truncate")
    assert cutting.found(cutting.voucher(InvNum=long))["InvNum"] == long[:22]


@pytest.mark.parametrize(("default", "wanted"), [("A", "A"), ("H", "H")])
def test_a_voucher_without_posting_state_gets_the_sites(new_csi: NewCsi, default: str, wanted: str) -> None:
    csi = new_csi(posting_default=default)
    number = csi.insert("SLAptrxs", VendNum=" V00003", InvNum="A", InvAmt="1")["Voucher"]
    assert csi.found(number)["BGPostingStat"] == wanted


def test_an_adjustment_needs_a_posted_voucher_of_its_vendor(csi: Csi) -> None:
    number = csi.voucher("10", "10", BGPostingStat="A")
    adjustment = {"Voucher": number, "Type": "A", "InvAmt": "5"}
    assert "not posted" in csi.refused("SLAptrxs", VendNum=" V00003", **adjustment)
    csi.person("post_vouchers")
    assert "not posted" in csi.refused("SLAptrxs", VendNum=" V00004", **adjustment)
    assert csi.insert("SLAptrxs", VendNum=" V00003", **adjustment)["Voucher"] == number


def test_keys_of_a_voucher_cannot_be_changed(csi: Csi) -> None:
    row = csi.load("SLAptrxs", f"Voucher = {csi.voucher()}")[0]
    assert "cannot be changed" in csi.refused("SLAptrxs", UPDATE, row["_ItemId"], VendNum=" V00004")


def test_a_distribution_needs_its_unposted_voucher(csi: Csi) -> None:
    number = csi.voucher()
    line = {"Voucher": number, "DistSeq": "5", "Acct": "51200", "Amount": "1"}
    assert "does not exist on IDO SLAptrxs" in csi.refused("SLAptrxds", VendNum=" V00004", **line)
    csi.insert("SLAptrxds", VendNum=" V00003", **line)


def test_a_second_distribution_under_one_key_is_refused(csi: Csi) -> None:
    number = csi.voucher("100", "60")
    key = {"VendNum": " V00003", "Voucher": number, "DistSeq": "5"}
    assert "already exists" in csi.refused("SLAptrxds", **key, Acct="51200", Amount="40")
    assert [part["Amount"] for part in csi.found(number)["distributions"]] == ["60.00"]


def test_a_distribution_without_a_sequence_comes_last(csi: Csi) -> None:
    number = csi.voucher("100", "60")
    row = csi.insert("SLAptrxds", VendNum=" V00003", Voucher=number, Acct="51200", Amount="40")
    assert row["DistSeq"] == "10"


def test_both_sides_show_the_sum_of_the_distributions(csi: Csi) -> None:
    number = csi.voucher("100", "60", "15.5")
    totals = [csi.load(ido, f"Voucher = {number}")[0]["DerDistributionTotal"] for ido in ("SLAptrxs", "SLAptrxds")]
    assert totals == ["75.50000000", "75.50000000"]


def test_distributions_leave_the_change_stamp_of_their_voucher_alone(csi: Csi) -> None:
    number = csi.voucher()
    before = csi.load("SLAptrxs", f"Voucher = {number}")[0]["RecordDate"]
    csi.advance(minutes=1)
    csi.insert("SLAptrxds", VendNum=" V00003", Voucher=number, Acct="51200", Amount="40")
    assert csi.load("SLAptrxs", f"Voucher = {number}")[0]["RecordDate"] == before


def test_a_deleted_voucher_takes_its_distributions_along_and_stays_in_the_oracle(csi: Csi) -> None:
    number = csi.voucher("100", "100")
    row = csi.load("SLAptrxs", f"Voucher = {number}")[0]
    assert csi.update("SLAptrxs", DELETE, row["_ItemId"])["Success"]
    assert csi.load("SLAptrxds", f"Voucher = {number}") == []
    shown = csi.found(number)
    assert (shown["state"], shown["by"], shown["deleted"]["by"]) == ("deleted", "interface", "interface")
    assert [part["Amount"] for part in shown["distributions"]] == ["100.00"]


BAD_CODING = [
    ("59999", None, "Account 59999 does not exist"),
    ("56000", "CC10", "Account 56000 is not in effect on 2026-03-10"),
    ("57000", "CC10", "Account 57000 is not in effect on 2026-03-10"),
    ("51200", None, "Unit code 1 is required for account 51200"),
    ("23000", "CC10", "Unit code 1 CC10 is not accessible for account 23000"),
    ("51200", "CC99", "Unit code 1 CC99 does not exist"),
    ("52500", "CC20", "Unit code 1 CC20 is not allowed for account 52500"),
    ("57500", "CC10", "Unit code 2 is required for account 57500"),
]


@pytest.mark.parametrize(("account", "unit", "words"), BAD_CODING)
def test_bad_coding_is_stored_unless_the_site_checks_it(
    new_csi: NewCsi, account: str, unit: str | None, words: str
) -> None:
    coding: dict[str, Any] = {"Acct": account, "Amount": "100"} | ({"AcctUnit1": unit} if unit else {})
    lenient, strict = new_csi(), new_csi(check_distributions=True)
    number = lenient.voucher()
    lenient.insert("SLAptrxds", VendNum=" V00003", Voucher=number, **coding)
    assert lenient.found(number)["distributions"][0]["Acct"] == account
    number = strict.voucher()
    assert strict.refused("SLAptrxds", VendNum=" V00003", Voucher=number, **coding) == words
    assert strict.found(number)["distributions"] == []


def test_good_coding_passes_a_site_that_checks(new_csi: NewCsi) -> None:
    csi = new_csi(check_distributions=True)
    assert len(csi.found(csi.voucher("100", "60", "40"))["distributions"]) == 2


@pytest.mark.parametrize("ido", ["SLAptrxps", "SLVchHdrs", "SLVchItemAlls", "SLLedgers", "SLPoRcpts"])
def test_what_posting_and_receiving_write_takes_no_other_writes(csi: Csi, ido: str) -> None:
    assert csi.refused(ido, PoNum="P1") if ido == "SLPoRcpts" else csi.refused(ido, Voucher="1", Acct="51200")
    assert csi.load(ido) == []


def test_a_vendor_needs_known_terms_and_defaults_to_active_and_local_currency(csi: Csi) -> None:
    assert "TermsCode 'NET' does not exist" in csi.refused("SLVendors", VendNum="  NEW01", Name="New", TermsCode="NET")
    csi.insert("SLVendors", VendNum="  NEW01", Name="New", TermsCode="N30", TaxRegNum1="TX1")
    row = csi.load("SLVendors", "VendNum = N'  NEW01'")[0]
    assert (row["Stat"], row["CurrCode"], row["VadPayHold"]) == ("A", "USD", "0")
    assert "already exists" in csi.refused("SLVendors", VendNum="  NEW01", Name="Again")
    assert "Name must be entered" in csi.refused("SLVendors", VendNum="  NEW02")
    assert "Stat" in csi.refused("SLVendors", VendNum="  NEW02", Name="X", Stat="Z")


def test_a_vendor_with_vouchers_cannot_be_deleted(csi: Csi) -> None:
    csi.voucher()
    row = csi.load("SLVendors", "VendNum = N' V00003'")[0]
    assert "SLAptrxs refers to it" in csi.refused("SLVendors", DELETE, row["_ItemId"])


def order(csi: Csi) -> str:
    number = str(csi.insert("SLPos", VendNum=" V00003", Stat="O")["PoNum"])
    line = {"PoNum": number, "PoLine": "1", "Item": "SERV", "NonInvAcct": "51200", "NonInvAcctUnit1": "CC10"}
    csi.insert("SLPoItems", **line, QtyOrderedConv="4", ItemCostConv="2.5")
    return number


def test_an_order_is_numbered_completed_and_summed_up_by_the_server(csi: Csi) -> None:
    number = order(csi)
    row = csi.load("SLPos", f"PoNum = N'{number}'")[0]
    assert (number, row["PoCost"], row["PoCurrCode"], row["TermsCode"]) == ("P000000001", "10.00000000", "USD", "N30")
    line = csi.load("SLPoItems", f"PoNum = N'{number}'")[0]
    assert (line["PoRelease"], line["PoVendNum"], line["DerExtItemCostConv"]) == ("0", " V00003", "10.00000000")
    assert "read-only" in csi.refused("SLPos", UPDATE, row["_ItemId"], PoCost="1")


@pytest.mark.parametrize("moves", [False, True])
def test_a_changed_line_moves_the_total_and_by_option_the_change_stamp(new_csi: NewCsi, *, moves: bool) -> None:
    csi = new_csi(line_change_moves_header=moves)
    number = order(csi)
    before = csi.load("SLPos", f"PoNum = N'{number}'")[0]
    csi.advance(minutes=1)
    line = csi.load("SLPoItems", f"PoNum = N'{number}'")[0]
    csi.update("SLPoItems", UPDATE, line["_ItemId"], QtyOrderedConv="6")
    after = csi.load("SLPos", f"PoNum = N'{number}'")[0]
    assert after["PoCost"] == "15.00000000"
    assert (after["RecordDate"] != before["RecordDate"]) is moves
    assert csi.load("SLPoItems", f"PoNum = N'{number}'")[0]["RecordDate"] > line["RecordDate"]


def test_a_site_that_does_not_number_orders_refuses_one_without(new_csi: NewCsi) -> None:
    csi = new_csi(auto_order=False)
    assert csi.refused("SLPos", VendNum=" V00003") == "PoNum must be entered on IDO SLPos"
    assert csi.insert("SLPos", VendNum=" V00003", PoNum="P000000077")["PoNum"] == "P000000077"


def test_orders_are_numbered_on_after_one_with_a_number_of_its_own(csi: Csi) -> None:
    csi.insert("SLPos", VendNum=" V00003", PoNum="P000000077")
    assert csi.insert("SLPos", VendNum=" V00003")["PoNum"] == "P000000078"


def test_a_line_is_not_cut_below_what_was_received_nor_its_order_deleted(csi: Csi) -> None:
    number = order(csi)
    csi.person("receive", po_num=number, lines=[{"line": 1, "qty": 3}])
    line = csi.load("SLPoItems", f"PoNum = N'{number}'")[0]
    assert "less than QtyReceived" in csi.refused("SLPoItems", UPDATE, line["_ItemId"], QtyOrderedConv="2")
    header = csi.load("SLPos", f"PoNum = N'{number}'")[0]
    assert "has receipts" in csi.refused("SLPos", DELETE, header["_ItemId"])


def test_a_deleted_order_takes_its_lines_along_and_stays_in_the_oracle(csi: Csi) -> None:
    header = csi.load("SLPos", f"PoNum = N'{order(csi)}'")[0]
    assert csi.update("SLPos", DELETE, header["_ItemId"])["Success"]
    assert csi.load("SLPoItems") == []
    shown = csi.ledger()["purchase_orders"][0]
    assert (shown["deleted"], len(shown["lines"])) == (True, 1)


def test_dates_are_whole_days_whatever_time_was_sent(csi: Csi) -> None:
    number = csi.voucher(InvDate="20260310 23:59:00.000")
    assert csi.load("SLAptrxs", f"Voucher = {number}")[0]["InvDate"] == "20260310 00:00:00.000"
