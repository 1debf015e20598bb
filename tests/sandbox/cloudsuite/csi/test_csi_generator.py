from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_mlconnector.sandbox.cloudsuite.csi import order_recipes, setup, voucher_recipes

from .conftest import Csi

NewCsi = Callable[..., Csi]
ORDERS, VOUCHERS = len(order_recipes.RECIPES), len(voucher_recipes.RECIPES)


@pytest.fixture(scope="module")
def full() -> Csi:
    """Make a site with two documents of every label."""
    return Csi(seed=7, purchase_orders=2 * ORDERS, vouchers=2 * VOUCHERS)


def labeled(csi: Csi, kind: str, label: str) -> list[str]:
    return [number for number, name in csi.books.truth()[kind].items() if name == label]


def orders(csi: Csi, label: str) -> list[dict[str, Any]]:
    wanted = labeled(csi, "orders", label)
    found = [row for row in csi.ledger()["purchase_orders"] if row["PoNum"] in wanted]
    assert found
    return found


def vouchers(csi: Csi, label: str) -> list[dict[str, Any]]:
    wanted = labeled(csi, "vouchers", label)
    found = [row for row in csi.ledger()["vouchers"] if str(row["Voucher"]) in wanted]
    assert found
    return found


def test_a_seed_gives_the_same_rows_every_time_and_another_seed_others(new_csi: NewCsi) -> None:
    sites = [new_csi(seed=seed, purchase_orders=ORDERS, vouchers=VOUCHERS) for seed in (3, 3, 4)]
    first, again, other = ([[*table] for table in site.books.tables.values()] for site in sites)
    assert first == again
    assert first != other


def test_every_label_occurs_as_often_as_any_other(full: Csi) -> None:
    truth = full.books.truth()
    assert Counter(truth["orders"].values()) == dict.fromkeys(order_recipes.RECIPES, 2)
    assert Counter(truth["vouchers"].values()) == dict.fromkeys(voucher_recipes.RECIPES, 2)


def test_the_good_mix_has_only_what_a_route_can_carry(new_csi: NewCsi) -> None:
    truth = new_csi(mix="good", purchase_orders=ORDERS, vouchers=VOUCHERS).books.truth()
    assert {*truth["orders"].values()} == {*order_recipes.GOOD}
    assert {*truth["vouchers"].values()} == {*voucher_recipes.GOOD}


def test_vendors_are_jaggaers_suppliers_in_csis_shape(csi: Csi) -> None:
    rows = {row["VendNum"]: row for row in csi.load("SLVendors")}
    assert {" V00001", " V00042", "   4711", "    310"} <= rows.keys()
    assert " V00099" not in rows
    assert all(len(number) == 7 for number in rows)
    held, euro, idle = rows[" V00042"], rows[" V00031"], rows[" V00050"]
    assert (held["VadPayHold"], held["Stat"], held["TermsCode"]) == ("1", "A", "N30")
    assert (euro["CurrCode"], euro["Name"], euro["TaxRegNum1"]) == ("EUR", "Rheintal Chemie", "DE000000031")
    assert (idle["Stat"], idle["VadCountry"], euro["VadCountry"]) == ("I", "US", "DE")


def test_more_vendors_can_be_asked_for(new_csi: NewCsi) -> None:
    assert len(new_csi(vendors=50).load("SLVendors")) == len(setup.vendors(0)) + 50


def test_the_chart_has_accounts_past_future_and_with_their_own_unit_codes(csi: Csi) -> None:
    rows = {row["Acct"]: row for row in csi.load("SLCharts")}
    assert rows["56000"]["ObsDate"] == "20250101 00:00:00.000"
    assert rows["57000"]["EffDate"] == "20270101 00:00:00.000"
    assert [rows["57500"][f"AccessUnit{n}"] for n in range(1, 5)] == ["R", "R", "N", "N"]
    assert [row["Unit1"] for row in csi.load("SLChartUnitcd1s", "Acct = N'52500'")] == ["CC10"]
    assert {row["Unit1"] for row in csi.load("SLUnitcd1s")} == {"CC10", "CC20", "CC30", "CC40", "CC50"}


def test_the_calendar_is_open_from_the_second_month_before(csi: Csi) -> None:
    row = csi.load("SLPeriods", "FiscalYear = 2026")[0]
    assert (row["PerStart_2"], row["PerEnd_2"]) == ("20260201 00:00:00.000", "20260228 00:00:00.000")
    assert [row[f"PerClosed_{n}"] for n in (1, 2, 3)] == ["0", "0", "0"]
    assert csi.load("SLPeriods", "FiscalYear = 2025")[0]["PerClosed_12"] == "1"


@pytest.mark.parametrize(
    ("label", "status"), [("plain", "O"), ("planned", "P"), ("complete", "C"), ("history", "H"), ("cancelled", "C")]
)
def test_orders_have_the_status_of_their_label(full: Csi, label: str, status: str) -> None:
    assert {row["Stat"] for row in orders(full, label)} == {status}


def test_lines_are_stocked_or_coded_to_an_account(full: Csi) -> None:
    stocked, coded = orders(full, "stocked")[0]["lines"][0], orders(full, "one_line")[0]["lines"][0]
    assert (stocked["NonInvAcct"], coded["NonInvAcctUnit1"] is None) == (None, False)
    kinds = [line["NonInvAcct"] is None for line in orders(full, "stocked_and_not")[0]["lines"]]
    assert kinds == [True, False, True]


def test_a_blanket_order_has_releases_of_one_line(full: Csi) -> None:
    row = orders(full, "blanket")[0]
    assert (row["Type"], [(line["PoLine"], line["PoRelease"]) for line in row["lines"]]) == (
        "B",
        [(1, 1), (1, 2), (1, 3)],
    )
    assert full.load("SLPoBlns", f"PoNum = N'{row['PoNum']}'")[0]["Item"] == row["lines"][0]["Item"]


def test_cancelled_lines_have_no_quantity(full: Csi) -> None:
    assert [line["QtyOrderedConv"] == "0.00" for line in orders(full, "cancelled_line")[0]["lines"]] == [True, False]
    assert {line["QtyOrderedConv"] for row in orders(full, "cancelled") for line in row["lines"]} == {"0.00"}


def test_received_orders_have_receipts_and_accruals(full: Csi) -> None:
    for row in orders(full, "received"):
        receipts = full.load("SLPoRcpts", f"PoNum = N'{row['PoNum']}'")
        assert [Decimal(str(r["QtyReceived"])) for r in receipts] == [
            Decimal(x["QtyOrderedConv"]) for x in row["lines"]
        ]
        assert full.load("SLLedgers", f"Ref = N'PO {row['PoNum']}'")
    first, second = orders(full, "part_received")[0]["lines"]
    assert Decimal(0) < Decimal(first["QtyReceived"]) < Decimal(first["QtyOrderedConv"])
    assert second["QtyReceived"] is None


def test_posted_vouchers_are_in_register_and_ledger_only(full: Csi) -> None:
    number = labeled(full, "vouchers", "posted")[0]
    assert [len(full.load(ido, f"Voucher = {number}")) for ido in ("SLAptrxs", "SLAptrxds")] == [0, 0]
    assert [len(full.load(ido, f"Voucher = {number}")) for ido in ("SLAptrxps", "SLVchHdrs", "SLLedgers")] == [1, 1, 2]


def test_unposted_vouchers_are_nowhere_else(full: Csi) -> None:
    number = labeled(full, "vouchers", "plain")[0]
    assert [len(full.load(ido, f"Voucher = {number}")) for ido in ("SLAptrxs", "SLAptrxds")] == [1, 1]
    assert [len(full.load(ido, f"Voucher = {number}")) for ido in ("SLAptrxps", "SLVchHdrs", "SLLedgers")] == [0, 0, 0]


def test_credit_memos_are_negative_and_held_ones_are_held(full: Csi) -> None:
    for label in ("credit_memo", "posted_credit_memo"):
        assert all(Decimal(row["InvAmt"]) < 0 and row["Type"] == "V" for row in vouchers(full, label))
    assert {row["BGPostingStat"] for row in vouchers(full, "held")} == {"H"}


def test_two_vouchers_of_a_vendor_share_a_number(full: Csi) -> None:
    assert [(row["VendNum"], row["InvNum"]) for row in vouchers(full, "same_number")] == [(" V00001", "TWICE-0")] * 2


def test_paid_and_adjusted_vouchers_have_their_further_transactions(full: Csi) -> None:
    paid = vouchers(full, "posted_paid")[0]
    assert paid["AmtPaid"] == paid["InvAmt"]
    assert [row["Type"] for row in vouchers(full, "posted_adjusted")].count("A") == 2


def test_vouchers_of_orders_bill_what_was_received(full: Csi) -> None:
    for row in vouchers(full, "posted_order"):
        items = full.load("SLVchItemAlls", f"Voucher = {row['Voucher']}")
        assert items
        assert {item["PoNum"] for item in items} == {row["PoNum"]}
        assert row["gl"][0]["Acct"] == setup.RECEIVED


def test_tax_is_a_distribution_of_its_own_with_its_basis(full: Csi) -> None:
    for row in vouchers(full, "tax"):
        goods, tax = row["distributions"]
        assert (tax["Acct"], tax["TaxCode"], tax["TaxBasis"], tax["TaxSystem"]) == (
            "23000",
            "VAT20",
            goods["Amount"],
            1,
        )
        assert tax["Amount"] == row["SalesTax"]


def test_nothing_generated_is_a_violation_once_posted(full: Csi, new_csi: NewCsi) -> None:
    csi = new_csi(seed=7, vouchers=2 * VOUCHERS, purchase_orders=ORDERS)
    csi.person("post_vouchers")
    assert csi.ledger()["violations"] == []


@given(seed=st.integers(0, 2**31))
@settings(max_examples=8, deadline=None)
def test_any_seed_gives_documents_that_add_up(seed: int) -> None:
    csi = Csi(seed=seed, purchase_orders=ORDERS, vouchers=VOUCHERS)
    found = csi.ledger()
    for row in found["purchase_orders"]:
        total = sum(Decimal(line["QtyOrderedConv"]) * Decimal(line["ItemCostConv"]) for line in row["lines"])
        assert Decimal(row["PoCost"]) == total
    for row in found["vouchers"]:
        places = setup.CURRENCIES[row["currency"]].places
        parts = [Decimal(part["Amount"]) for part in row["distributions"]]
        assert row["state"] == "posted" or sum(parts) == Decimal(row["InvAmt"])
        # a fourth decimal of an order's cost stays in what is billed of it
        assert row["PoNum"] or all(part == round(part, places) for part in parts)
        assert csi.books.period_open(date.fromisoformat(row["DistDate"]))
    assert found["gl_totals"]["debit"] == found["gl_totals"]["credit"]
    stamps = [row["RecordDate"] for table in csi.books.tables.values() for row in table]
    assert max(stamps) <= csi.now
