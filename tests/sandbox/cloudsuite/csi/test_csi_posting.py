from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import UPDATE, Csi

NewCsi = Callable[..., Csi]


def coded(row: dict[str, Any]) -> list[tuple[str, str | None, str]]:
    return [(line["Acct"], line["AcctUnit1"], line["DomAmount"]) for line in row["gl"]]


def test_a_held_voucher_is_never_posted(csi: Csi) -> None:
    number = csi.voucher("100", "100")
    assert csi.person("post_vouchers") == {"posted": []}
    assert csi.found(number)["state"] == "unposted"
    assert csi.ledger()["violations"] == []


def test_a_whole_voucher_that_is_released_is_posted_with_its_coding(csi: Csi) -> None:
    number = csi.voucher("100", "60", "40", Ref="ML-1")
    csi.release(number)
    assert csi.person("post_vouchers") == {"posted": [int(number)]}
    row = csi.found(number)
    assert (row["state"], row["Ref"], row["by"], row["VouchSeq"]) == ("posted", "ML-1", "interface", 0)
    assert coded(row) == [("51200", "CC10", "60.00"), ("51200", "CC10", "40.00"), ("21000", None, "-100.00")]
    assert [part["Amount"] for part in row["distributions"]] == ["60.00", "40.00"]


def test_a_posted_voucher_leaves_the_unposted_ones_for_register_and_ledger(csi: Csi) -> None:
    number = csi.voucher("100", "100", BGPostingStat="A", Ref="ML-1")
    csi.person("post_vouchers")
    assert csi.load("SLAptrxs") == csi.load("SLAptrxds") == []
    posted, header = csi.load("SLAptrxps")[0], csi.load("SLVchHdrs")[0]
    assert {row["Voucher"] for row in (posted, header)} == {number}
    assert (posted["Ref"], posted["InvAmt"], posted["Active"]) == ("ML-1", "100.00000000", "1")
    assert (header["InvNum"], header["TermsCode"], header["VouchSeq"]) == ("NB-7781", "N30", "0")
    lines = csi.load("SLLedgers", f"Voucher = {number}")
    assert [(line["Acct"], line["DomAmount"], line["ControlPeriod"]) for line in lines] == [
        ("51200", "100.00000000", "3"),
        ("21000", "-100.00000000", "3"),
    ]


def test_posting_moves_the_change_stamps_to_its_own_moment(csi: Csi) -> None:
    csi.voucher("100", "100", BGPostingStat="A")
    csi.advance(hours=1)
    csi.person("post_vouchers")
    stamps = {csi.load(ido)[0]["RecordDate"] for ido in ("SLAptrxps", "SLVchHdrs", "SLLedgers")}
    assert stamps == {"20260317 11:00:00.000"}


@pytest.mark.parametrize("parts", [(), ("60",), ("60", "41")])
def test_a_half_voucher_met_by_posting_is_a_violation_and_marked_e(csi: Csi, parts: tuple[str, ...]) -> None:
    number = csi.voucher("100", *parts, BGPostingStat="A")
    assert csi.person("post_vouchers") == {"posted": []}
    row = csi.found(number)
    assert (row["state"], row["BGPostingStat"]) == ("unposted", "E")
    violation = csi.ledger()["violations"][0]
    assert (violation["kind"], violation["voucher"]) == ("half voucher offered", int(number))
    assert csi.person("post_vouchers") == {"posted": []}
    assert len(csi.ledger()["violations"]) == 1


def test_a_site_that_posts_what_is_there_books_a_half_voucher_and_says_so(new_csi: NewCsi) -> None:
    csi = new_csi(post_unbalanced=True)
    number = csi.voucher("100", "60", BGPostingStat="A")
    csi.person("post_vouchers")
    assert csi.ledger()["violations"][0]["kind"] == "half voucher posted"
    assert coded(csi.found(number))[-1] == ("21000", None, "-60.00")


def test_bad_coding_by_an_interface_is_a_violation_once_posted_and_a_persons_is_not(csi: Csi) -> None:
    number = csi.voucher(BGPostingStat="A")
    line = {"VendNum": " V00003", "Voucher": number, "DistSeq": "5", "Acct": "56000", "AcctUnit1": "CC10"}
    csi.insert("SLAptrxds", **line, Amount="100.00")
    lines = [{"account": "56000", "unit": "CC10", "amount": 5}]
    csi.person("voucher", vendor="V00003", invoice="X", lines=lines)
    csi.person("post_vouchers")
    found = [(row["kind"], row["voucher"], row["detail"]) for row in csi.ledger()["violations"]]
    assert found == [("bad coding posted", int(number), "Account 56000 is not in effect on 2026-03-10")]


def test_a_voucher_in_workflow_waits(new_csi: NewCsi) -> None:
    csi = new_csi(vouchers=27)
    label = csi.books.truth()["vouchers"]
    waiting = next(int(number) for number, name in label.items() if name == "in_workflow")
    assert waiting not in csi.person("post_vouchers")["posted"]
    assert csi.found(waiting)["state"] == "unposted"


def test_a_site_that_checks_periods_marks_what_is_dated_in_a_closed_one(new_csi: NewCsi) -> None:
    csi = new_csi(check_periods=True)
    early, late = (csi.voucher("10", "10", BGPostingStat="A", DistDate=day) for day in ("20251231", "20260110"))
    assert csi.person("post_vouchers") == {"posted": [int(late)]}
    assert csi.found(early)["BGPostingStat"] == "E"
    csi.person("period", year=2026, period=3)
    closed = csi.voucher("10", "10", BGPostingStat="A")
    assert csi.person("post_vouchers") == {"posted": []}
    csi.person("period", year=2026, period=3, closed=False)
    assert csi.person("voucher_change", voucher=closed, stat="A")["stat"] == "A"
    assert csi.person("post_vouchers") == {"posted": [int(closed)]}


def test_background_posting_runs_by_the_clock_and_dates_rows_as_of_its_due_moment(new_csi: NewCsi) -> None:
    csi = new_csi(post_every_minutes=15)
    number = csi.voucher("100", "100")
    csi.advance(minutes=16)
    csi.release(number)
    assert csi.found(number)["state"] == "unposted"
    csi.advance(minutes=40)
    assert csi.found(number)["posted_at"] == "2026-03-17T10:30:00+00:00"


def test_reads_between_writes_do_not_change_what_background_posting_did(new_csi: NewCsi) -> None:
    """A restart repeats writes only; the books must come out the same."""

    def day(csi: Csi, *, reading: bool) -> dict[str, Any]:
        for _ in range(4):
            csi.voucher("100", "100", BGPostingStat="A")
            for _ in range(3):
                csi.advance(minutes=7)
                if reading:
                    csi.books.tick()
        return csi.ledger()

    assert day(new_csi(post_every_minutes=10), reading=True) == day(new_csi(post_every_minutes=10), reading=False)


def test_posting_can_be_invoked_where_the_site_allows_it(new_csi: NewCsi) -> None:
    csi, without = new_csi(), new_csi(post_method=False)
    number = csi.voucher("100", "100", BGPostingStat="A")
    answer = csi.invoke("SLTTApPosts", "AppPostSp", number, number, "")
    assert (answer["ReturnValue"], answer["Parameters"][-1]) == ("0", "1 vouchers were posted.")
    assert csi.found(number)["state"] == "posted"
    assert not without.invoke("SLTTApPosts", "AppPostSp", "1", "2", "")["Success"]


def test_posting_by_invocation_keeps_to_the_numbers_asked_for(csi: Csi) -> None:
    first, second = (csi.voucher("100", "100", BGPostingStat="A") for _ in range(2))
    csi.invoke("SLTTApPosts", "AppPostSp", second, "", "")
    assert [csi.found(number)["state"] for number in (first, second)] == ["unposted", "posted"]


def test_an_adjustment_is_posted_beside_its_voucher(csi: Csi) -> None:
    number = csi.voucher("100", "100", BGPostingStat="A")
    csi.person("post_vouchers")
    lines = [{"account": "51200", "unit": "CC10", "amount": "-10"}]
    csi.person("voucher", vendor="V00003", invoice="NB-7781", voucher=number, type="A", lines=lines)
    csi.person("post_vouchers")
    rows = [row for row in csi.ledger()["vouchers"] if row["Voucher"] == int(number)]
    assert [(row["VouchSeq"], row["Type"], row["InvAmt"]) for row in rows] == [(0, "V", "100.00"), (1, "A", "-10.00")]
    assert coded(rows[1]) == [("51200", "CC10", "-10.00"), ("21000", None, "10.00")]


def test_a_payment_is_a_posted_transaction_of_its_own(csi: Csi) -> None:
    number = csi.voucher("100", "100", BGPostingStat="A")
    csi.person("post_vouchers")
    assert Decimal(csi.person("pay", voucher=number, amount="30")["open"]) == 70
    assert Decimal(csi.person("pay", voucher=number)["open"]) == 0
    paid = [row["AmtPaid"] for row in csi.load("SLAptrxps", f"Voucher = {number}", orderBy="VouchSeq")]
    assert paid == ["100.00000000", "30.00000000", "70.00000000"]
    assert csi.ledger()["gl_totals"]["balances"] == {"10100": "-100.00", "21000": "0.00", "51200": "100.00"}


def test_what_is_not_posted_cannot_be_paid(csi: Csi) -> None:
    with pytest.raises(ValueError, match="is not posted"):
        csi.person("pay", voucher=csi.voucher())


def test_a_voucher_for_an_order_counts_at_its_lines_and_in_the_register(csi: Csi) -> None:
    lines = [{"qty": 4, "price": "2.5", "account": "51200", "unit": "CC10"}]
    number = csi.person("purchase_order", vendor="V00003", lines=lines)["po_num"]
    csi.person("receive", po_num=number, lines=[{"line": 1, "qty": 3}])
    billed = [{"line": 1, "qty": 3, "cost": "2.5"}]
    parts = [{"account": "22000", "amount": "7.5"}]
    voucher = csi.person("voucher", vendor="V00003", invoice="X", po_num=number, po_lines=billed, lines=parts)[
        "voucher"
    ]
    csi.person("post_vouchers")
    item = csi.load("SLVchItemAlls", f"Voucher = {voucher}")[0]
    assert (item["PoNum"], item["PoLine"], item["QtyVouchered"], item["Cost"]) == (
        number,
        "1",
        "3.00000000",
        "2.50000000",
    )
    line = csi.load("SLPoItems", f"PoNum = N'{number}'")[0]
    assert (line["QtyReceived"], line["QtyVoucher"]) == ("3.00000000", "3.00000000")
    assert csi.ledger()["gl_totals"]["balances"]["22000"] == "0.00"


def test_a_voucher_changed_by_a_person_after_it_was_released_fails_the_lock(csi: Csi) -> None:
    number = csi.voucher("100", "100")
    row = csi.load("SLAptrxs", f"Voucher = {number}")[0]
    csi.advance(seconds=1)
    csi.person("voucher_change", voucher=number, text="looked at")
    assert "modified by another user" in csi.refused("SLAptrxs", UPDATE, row["_ItemId"], BGPostingStat="A")
    assert [change["by"] for change in csi.found(number)["changed"]] == ["person"]


@given(
    parts=st.lists(st.decimals("-9999.999", "9999.999", places=3, allow_nan=False), min_size=1, max_size=6),
    vendor=st.sampled_from([" V00003", " V00031", " V00034", " V00035"]),
)
@settings(max_examples=25, deadline=None)
def test_ledger_lines_of_any_voucher_balance_in_local_cents(parts: list[Decimal], vendor: str) -> None:
    csi = Csi()
    number = csi.voucher(str(sum(parts, Decimal(0))), *map(str, parts), vendor=vendor, BGPostingStat="A")
    csi.person("post_vouchers")
    amounts = [Decimal(line["DomAmount"]) for line in csi.found(number)["gl"]]
    assert sum(amounts) == 0
    assert len(amounts) == len(parts) + 1
    assert all(amount == amount.quantize(Decimal("0.01")) for amount in amounts)


def test_a_voucher_held_until_it_is_whole_was_never_exposed(csi: Csi) -> None:
    csi.release(csi.voucher("100", "60", "40"))
    assert csi.ledger()["exposed"] == []


def test_a_voucher_ready_before_it_is_whole_is_exposed_with_each_write_until_then(csi: Csi) -> None:
    number = csi.voucher("100", "60", "40", BGPostingStat="A")
    found = [(row["voucher"], row["request_no"], row["distributed"]) for row in csi.ledger()["exposed"]]
    assert found == [(int(number), 1, "0.00"), (int(number), 2, "60.00")]


def test_a_released_voucher_whose_amount_is_changed_is_exposed(csi: Csi) -> None:
    number = csi.voucher("100", "100")
    csi.release(number)
    row = csi.load("SLAptrxs", f"Voucher = {number}")[0]
    csi.update("SLAptrxs", UPDATE, row["_ItemId"], InvAmt="90")
    assert [(row["amount"], row["distributed"]) for row in csi.ledger()["exposed"]] == [("90.00", "100.00")]


def test_a_purged_voucher_is_only_in_the_ledger_and_the_oracle(csi: Csi) -> None:
    number = csi.voucher("100", "100")
    csi.release(number)
    csi.person("post_vouchers")
    csi.person("voucher_purge", voucher=number)
    assert csi.load("SLAptrxps") == csi.load("SLVchHdrs") == []
    assert len(csi.load("SLLedgers", f"Voucher = {number}")) == 2
    row = csi.found(number)
    assert (row["state"], row["by"], len(row["gl"])) == ("purged", "interface", 2)
    with pytest.raises(ValueError, match="is not posted"):
        csi.person("voucher_purge", voucher=number)


def test_the_number_of_a_purged_voucher_can_be_given_by_hand_again(csi: Csi) -> None:
    """What CSI purged it cannot compare with: not found proves nothing for old documents."""
    number = csi.voucher("100", "100", BGPostingStat="A")
    csi.person("post_vouchers")
    csi.person("voucher_purge", voucher=number)
    assert csi.voucher(Voucher=number) == number
