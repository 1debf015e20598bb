"""Vouchers of CSI as invoices: found by any change, once, wherever they are, the same before and after posting."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.csi_samples import VENDOR, csi, options
from support.fake_csi import FakeCsi, Fault, Ido

from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.documents.validation import check_invoice
from airflow_provider_mlconnector.errors import Rejected, Unavailable
from airflow_provider_mlconnector.systems.cloudsuite.csi.invoice_rows import joined, sum_of
from airflow_provider_mlconnector.systems.cloudsuite.csi.invoices import CsiInvoiceSource
from airflow_provider_mlconnector.systems.ports import DocumentSource, Eligibility, SourceRecord, Window

HEADER: dict[str, Any] = {
    "VendNum": VENDOR,
    "Voucher": 77,
    "Type": "V",
    "InvNum": "NB-7781",
    "InvDate": "20261110 00:00:00.000",
    "DistDate": "20261111 00:00:00.000",
    "DueDate": "20261210 00:00:00.000",
    "InvAmt": 120,
    "SalesTax": 20,
    "TaxCode1": "VS",
    "ApAcct": "20100",
    "BGPostingStat": "A",
}
LINES = (("51200", "100", 60), ("51300", None, 40), ("13400", None, 20))


def put(fake: FakeCsi, lines: tuple[tuple[str, str | None, float], ...] = LINES, **changes: Any) -> None:
    """A voucher as a person types it; the line on 13400 is marked as tax."""
    header = {**HEADER, **changes}
    fake.put("SLAptrxs", **header)
    for place, (account, unit, amount) in enumerate(lines, 1):
        tax = {"TaxCode": "VS", "TaxSystem": 1} if account == "13400" else {}
        coding = {"VendNum": header["VendNum"], "Voucher": header["Voucher"], "DistSeq": place * 5}
        fake.put("SLAptrxds", **coding, Acct=account, AcctUnit1=unit, Amount=amount, **tax)


def source(fake: FakeCsi, **choices: Any) -> CsiInvoiceSource:
    return CsiInvoiceSource("csi_default", fake, options(**choices))


def listed(fake: FakeCsi, window: Window | None = None, **choices: Any) -> list[SourceRecord]:
    reader = source(fake, **choices)
    return [record for page in reader.pages(window or Window()) for record in page.records]


def only(fake: FakeCsi, **choices: Any) -> SourceRecord:
    (record,) = listed(fake, **choices)
    return record


def since(fake: FakeCsi) -> Window:
    """From now on."""
    local = datetime.strptime(fake.now(), "%Y%m%d %H:%M:%S.%f").replace(tzinfo=UTC)
    return Window(start=local)


def test_it_is_a_source_in_the_order_of_change() -> None:
    reader: DocumentSource = source(csi())
    assert reader.ordered_by_change
    assert reader.tenant == "ACME_TST_MAIN"


def test_a_voucher_becomes_an_invoice_with_its_coding() -> None:
    fake = csi()
    put(fake, PoNum="P000001234", Txt="urgent")
    record = only(fake)
    assert (record.key, record.eligibility, record.status_text) == ("V00042|77", Eligibility.ELIGIBLE, "not posted")
    assert (record.summary.number, record.summary.gross, record.summary.currency) == ("NB-7781", "120", "USD")
    invoice = source(fake).decode(record.payload)
    assert (invoice.number, invoice.supplier, invoice.currency, invoice.gross) == ("NB-7781", "V00042", "USD", 120)
    assert (str(invoice.invoice_date), str(invoice.due_date), str(invoice.accounting_date)) == (
        "2026-11-10",
        "2026-12-10",
        "2026-11-11",
    )
    assert [(tax.amount, tax.code) for tax in invoice.taxes] == [(Decimal(20), "VS")]
    told = [(line.amount, line.allocations[0].account, line.allocations[0].cost_center) for line in invoice.lines]
    assert told == [(60, "51200", "100"), (40, "51300", "")]
    assert {line.po_number for line in invoice.lines} == {"P000001234"}
    assert (invoice.notes, invoice.source_number) == ("urgent", "77")
    assert check_invoice(invoice).reading.tax_in_total


def test_negative_vouchers_are_credit_memos_with_positive_amounts() -> None:
    fake = csi()
    put(fake, (("51200", None, -100.0), ("13400", None, -20.0)), InvAmt=-120, SalesTax=-20)
    invoice = source(fake).decode(only(fake).payload)
    assert (invoice.kind, invoice.gross, invoice.lines[0].amount, invoice.taxes[0].amount) == (
        InvoiceKind.CREDIT_MEMO,
        120,
        100,
        20,
    )
    check_invoice(invoice)


def test_posting_makes_no_new_document_and_loses_none() -> None:
    fake = csi()
    put(fake)
    before = only(fake)
    window = since(fake)
    fake.post_vouchers()
    (after,) = listed(fake, window)
    assert after.key == before.key
    assert after.payload == before.payload
    assert after.revision == before.revision == ""
    assert after.status_text == "posted"


def test_one_posted_between_two_polls_is_found_among_the_posted_ones() -> None:
    fake = csi()
    window = since(fake)
    put(fake)
    fake.post_vouchers()
    (record,) = listed(fake, window)
    assert source(fake).decode(record.payload).lines[0].allocations[0].account == "51200"


def test_one_posted_while_the_pass_is_on_comes_once() -> None:
    fake = csi()
    put(fake)
    asked: list[str] = []

    def poster(name: str) -> None:
        asked.append(name)
        if asked.count("load SLAptrxs") == 2:  # the headers, after the changes have been told
            fake.post_vouchers()

    fake.before = poster
    records = listed(fake)
    assert len({record.key for record in records}) == len(records) <= 1
    fake.before = None
    assert [record.key for record in listed(fake)] == ["V00042|77"]


def test_a_line_that_changes_brings_its_voucher_although_the_header_does_not_show_it() -> None:
    fake = csi()
    put(fake)
    put(fake, Voucher=78, InvNum="OTHER")
    window = since(fake)
    fake.change("SLAptrxds", "Voucher = 77 AND DistSeq = 5", Acct="52100")
    (record,) = listed(fake, window)
    assert record.key == "V00042|77"


def test_nothing_changed_is_nothing_listed() -> None:
    fake = csi()
    put(fake)
    assert listed(fake, since(fake)) == []


def test_what_changes_after_the_window_ended_is_left_to_the_next_one() -> None:
    fake = csi()
    put(fake)
    end = since(fake).start
    put(fake, Voucher=78, InvNum="LATER")
    assert [record.key for record in listed(fake, Window(end=end))] == ["V00042|77"]
    assert [record.key for record in listed(fake, Window(start=end))] == ["V00042|78"]


def test_many_vouchers_take_few_requests() -> None:
    fake = csi()
    for number in range(1, 251):
        put(fake, Voucher=number, InvNum=f"N{number}")
    fake.requests.clear()
    assert len(listed(fake)) == 250
    loads = [name for name in fake.requests if name.startswith("load")]
    assert len(loads) <= 3 + 3 * 5 + 1


@pytest.mark.parametrize(
    ("changes", "eligibility", "words"),
    [
        ({"Type": "A"}, Eligibility.NOT_ELIGIBLE, "adjustment (Type A)"),
        ({"InWorkflow": "1"}, Eligibility.NOT_ELIGIBLE, "in workflow"),
        ({"BGPostingStat": "H"}, Eligibility.NOT_ELIGIBLE, "on hold"),
        ({"BGPostingStat": "E"}, Eligibility.NOT_ELIGIBLE, "refused by background posting"),
        ({"InvAmt": 130}, Eligibility.NOT_ELIGIBLE, "distributions are not complete"),
        ({"Cancellation": "1"}, Eligibility.CLOSED, "canceled"),
        ({"BGPostingStat": None}, Eligibility.ELIGIBLE, "not posted"),
    ],
)
def test_status_words_decide(changes: dict[str, Any], eligibility: Eligibility, words: str) -> None:
    fake = csi()
    put(fake, **changes)
    record = only(fake)
    assert record.eligibility is eligibility
    assert words in record.status_text


def test_one_that_was_kept_back_is_another_revision_than_the_same_one_let_go() -> None:
    fake = csi()
    put(fake, InWorkflow="1")
    waiting = only(fake)
    fake.change("SLAptrxs", "1=1", InWorkflow="0")
    released = only(fake)
    assert waiting.payload != released.payload
    assert "waits" not in json.loads(released.payload)


def test_a_paid_voucher_is_told_as_paid_and_its_payment_is_no_cost() -> None:
    fake = csi()
    put(fake)
    unpaid = only(fake)
    fake.post_vouchers()
    fake.put("SLLedgers", TransNum=9001, Acct="10100", DomAmount=-120, VendNum=VENDOR, Voucher=77, CheckNum=5)
    fake.put("SLLedgers", TransNum=9002, Acct="20100", DomAmount=120, VendNum=VENDOR, Voucher=77, CheckNum=5)
    fake.change("SLAptrxps", "1=1", AmtPaid=120)
    paid = only(fake)
    assert (paid.eligibility, paid.status_text) == (Eligibility.PAID, "paid 120")
    assert paid.payload == unpaid.payload


def test_an_adjustment_waiting_under_the_number_of_a_posted_voucher_hides_it_not() -> None:
    fake = csi()
    put(fake)
    fake.post_vouchers()
    fake.put("SLAptrxs", **{**HEADER, "Type": "A", "InvAmt": -5})
    record = only(fake)
    assert (record.eligibility, record.status_text) == (Eligibility.ELIGIBLE, "posted")


def test_a_posted_voucher_the_ledger_does_not_show_yet_waits_and_comes_with_its_lines() -> None:
    fake = csi()
    put(fake)
    fake.post_vouchers()
    kept = fake.rows("SLLedgers")
    fake.delete("SLLedgers")
    assert only(fake).status_text == "posted, its distributions are not in the ledger"
    window = since(fake)
    for row in kept:
        fake.put("SLLedgers", **{name: row[name] for name in fake.idos["SLLedgers"].names})
    (record,) = listed(fake, window)
    assert record.eligibility is Eligibility.ELIGIBLE


def test_amounts_of_a_foreign_voucher_are_those_of_its_own_currency() -> None:
    fake = csi()
    put(fake, (("51200", None, 1.005),), VendNum=" V00043", InvAmt=1.005, SalesTax=0)
    fake.post_vouchers()
    fake.change("SLLedgers", "Acct = '51200'", DomAmount=3.27, ForAmount=1.005)
    invoice = source(fake).decode(only(fake).payload)
    assert (invoice.currency, invoice.gross, invoice.lines[0].amount) == ("KWD", Decimal("1.005"), Decimal("1.005"))


def test_what_posted_vouchers_do_not_tell_is_not_told_before_either() -> None:
    fake = csi()
    for ido in ("SLAptrxps", "SLVchHdrs"):
        known = fake.idos[ido]
        fake.idos[ido] = Ido(known.base, known.keys, tuple(n for n in known.names if n not in {"DueDate", "Txt"}))
    put(fake, Txt="urgent")
    before = only(fake)
    assert source(fake).decode(before.payload).due_date is None
    fake.post_vouchers()
    assert only(fake).payload == before.payload


def test_tax_that_no_distribution_makes_up_is_cost_like_the_rest() -> None:
    fake = csi()
    put(fake, (("51200", None, 70), ("51300", None, 50)))
    invoice = source(fake).decode(only(fake).payload)
    assert (invoice.taxes, [line.amount for line in invoice.lines]) == ((), [70, 50])


def test_unmarked_tax_on_one_account_is_told_from_cost_by_its_amount() -> None:
    fake = csi()
    put(fake)
    fake.change("SLAptrxds", "1=1", TaxCode=None, TaxSystem=None)
    assert [line.amount for line in source(fake).decode(only(fake).payload).lines] == [60, 40]


def test_posted_tax_is_told_from_a_cost_of_the_same_amount_by_the_account_of_taxes() -> None:
    fake = csi()
    put(fake, (("51200", None, 80), ("51300", None, 20), ("13400", None, 20)))
    before = only(fake)
    fake.post_vouchers()
    assert only(fake).payload == before.payload
    assert [line.amount for line in source(fake).decode(before.payload).lines] == [80, 20]


def test_other_unit_codes_become_segments() -> None:
    fake = csi()
    put(fake)
    fake.change("SLAptrxds", "Acct = '51200'", AcctUnit2="P7")
    first = source(fake).decode(only(fake).payload).lines[0].allocations[0]
    assert (first.cost_center, first.segments) == ("100", {"Unit2": "P7"})
    second = source(fake, cost_center_unit=2).decode(only(fake, cost_center_unit=2).payload).lines[0].allocations[0]
    assert (second.cost_center, second.segments) == ("P7", {"Unit1": "100"})


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"InvNum": None}, "missing_field"), ({"InvDate": None}, "missing_field")],
)
def test_what_cannot_be_read_is_rejected_by_its_field(changes: dict[str, Any], code: str) -> None:
    fake = csi()
    put(fake, **changes)
    with pytest.raises(Rejected) as raised:
        source(fake).decode(only(fake).payload)
    assert raised.value.code == code


def test_a_vendor_without_currency_is_rejected_and_a_broken_payload_too() -> None:
    fake = csi()
    put(fake, VendNum=" V00099")
    with pytest.raises(Rejected, match="currency"):
        source(fake).decode(only(fake).payload)
    with pytest.raises(Rejected):
        source(fake).decode(b"[]")


@pytest.mark.parametrize(
    "place", ["load SLAptrxs", "load SLAptrxps", "load SLVchHdrs", "load SLAptrxds", "info SLLedgers"]
)
def test_a_failed_read_ends_the_pass(place: str) -> None:
    fake = csi()
    put(fake)
    put(fake, Voucher=78)
    fake.change("SLAptrxs", "Voucher = 78", BGPostingStat="H")
    fake.post_vouchers()
    fake.faults.append(Fault(place, "raise", error=Unavailable("gone")))
    with pytest.raises(Unavailable):
        listed(fake)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["51200", "51300", "52100"]), st.sampled_from([None, "100"]), st.integers(-5000, 9000)
        ),
        min_size=1,
        max_size=8,
    )
)
def test_any_voucher_keeps_its_sum_and_its_content_through_posting(
    lines: list[tuple[str, str | None, int]],
) -> None:
    total = sum(amount for _account, _unit, amount in lines)
    fake = csi()
    put(fake, tuple(lines), InvAmt=total, SalesTax=0)
    before = only(fake)
    body = json.loads(before.payload)
    assert sum_of(body["lines"]) == total
    fake.post_vouchers()
    assert only(fake).payload == before.payload
    if body["lines"]:
        invoice = source(fake).decode(before.payload)
        assert (invoice.kind is InvoiceKind.CREDIT_MEMO) is (total < 0)
        assert check_invoice(invoice).invoice.gross == abs(total)


@given(st.lists(st.integers(-100, 100), max_size=6), st.randoms())
def test_joining_does_not_depend_on_the_order_of_rows(amounts: list[int], random: Any) -> None:
    rows = [{"Acct": f"{n % 2}", "Amount": str(amount)} for n, amount in enumerate(amounts)]
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert joined(rows, "Amount") == joined(shuffled, "Amount")
    assert sum_of(joined(rows, "Amount")) == sum(amounts)
