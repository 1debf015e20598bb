"""What CSI shows for reconciliation: vouchers wherever they are kept, vendors, orders, ledger and our own bookings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from support.csi_lists import NOW, CsiLists, options
from support.csi_samples import coded, csi
from support.csi_samples import options as voucher_options

from airflow_provider_mlconnector.documents.invoice import InvoiceKind
from airflow_provider_mlconnector.documents.reconciliation import Figure, Span
from airflow_provider_mlconnector.errors import ConfigurationError, ProtocolError
from airflow_provider_mlconnector.systems.cloudsuite.csi.figures import CsiFigures
from airflow_provider_mlconnector.systems.cloudsuite.csi.vouchers import CsiVoucherTarget

MONTH = Span(date(2026, 11, 1), date(2026, 11, 30))
VOUCHER = {"VendNum": " V00042", "Type": "V", "InvDate": "20261110 00:00:00.000"}


def figures(fake: Any, **choices: Any) -> CsiFigures:
    return CsiFigures("csi_default", fake, options(**choices))


def vendor(fake: CsiLists, number: str = " V00042", **more: Any) -> None:
    fake.put("SLVendors", **{"VendNum": number, "Name": f"vendor {number.strip()}", "CurrCode": "EUR", **more})


def unposted(fake: CsiLists, number: str, amount: str, voucher: int, **more: Any) -> None:
    fake.put("SLAptrxs", **{**VOUCHER, "InvNum": number, "InvAmt": amount, "Voucher": voucher, **more})


def posted(fake: CsiLists, number: str, amount: str, voucher: int, **more: Any) -> None:
    fake.put("SLAptrxps", **{**VOUCHER, "InvNum": number, "InvAmt": amount, "Voucher": voucher, **more})


def registered(fake: CsiLists, number: str, amount: str, voucher: int, **more: Any) -> None:
    fake.put("SLVchHdrs", **{**VOUCHER, "InvNum": number, "InvAmt": amount, "Voucher": voucher, "VouchSeq": 0, **more})


def by_key(found: Any) -> dict[str, Figure]:
    listed = list(found)
    assert len({figure.key for figure in listed}) == len(listed)
    return {figure.key: figure for figure in listed}


# --- accounts payable ----------------------------------------------------------------------------------------------


def test_vouchers_are_found_in_all_three_places_each_once() -> None:
    fake = CsiLists()
    vendor(fake)
    unposted(fake, "NB-1", "100.00", 501, Ref="MLC01", BGPostingStat="H")
    posted(fake, "NB-2", "200.00", 502, Ref="MLC02", AmtPaid="150.00000000", AmtDisc="3.00000000")
    registered(fake, "NB-2", "200.00", 502)
    registered(fake, "NB-3", "300.00", 503)
    posted(fake, "NB-4", "400.00", 504)
    posted(fake, "NB-4", "-400.00", 505, Type="P")
    found = by_key(figures(fake).invoices(MONTH))
    assert list(found) == ["V00042|501", "V00042|502", "V00042|504", "V00042|503"]
    assert [figure.amount for figure in found.values()] == [100, 200, 400, 300]
    held, paid = found["V00042|501"], found["V00042|502"]
    assert (held.status, held.reference, held.day) == ("not posted (BGPostingStat H)", "MLC01", date(2026, 11, 10))
    assert (paid.status, paid.reference, paid.paid, paid.owed) == ("posted", "MLC02", Decimal(150), Decimal(47))
    assert (held.owed, held.paid) == (None, None)
    assert (held.match, held.label) == ("V00042|NB-1|invoice", "V00042 NB-1")


def test_a_voucher_posted_while_it_is_listed_comes_once() -> None:
    fake = CsiLists()
    vendor(fake)
    unposted(fake, "NB-1", "100.00", 501, BGPostingStat="A")

    def post(name: str) -> None:
        if name == "load SLAptrxps":
            fake.before = None
            fake.delete("SLAptrxs")
            posted(fake, "NB-1", "100.00", 501)
            registered(fake, "NB-1", "100.00", 501)

    fake.before = post
    found = by_key(figures(fake).invoices(MONTH))
    assert list(found) == ["V00042|501"]
    assert not fake.rows("SLAptrxs")


def test_a_credit_memo_is_told_by_its_sign() -> None:
    fake = CsiLists()
    vendor(fake)
    posted(fake, "NB-1", "-25.00", 501, AmtPaid="0")
    (credit,) = figures(fake).invoices(MONTH)
    assert (credit.kind, credit.amount, credit.match) == ("credit_memo", 25, "V00042|NB-1|credit_memo")
    assert (credit.owed, credit.paid) == (None, None)


def test_the_currency_is_the_vendors_where_a_voucher_does_not_show_it() -> None:
    fake = CsiLists()
    vendor(fake)
    vendor(fake, "     43", CurrCode=None)
    unposted(fake, "NB-1", "100.00", 501, AptCurrCode="KWD")
    registered(fake, "NB-2", "100.00", 502)
    registered(fake, "NB-3", "100.00", 503, VendNum="     43")
    found = by_key(figures(fake).invoices(MONTH))
    assert {key: figure.currency for key, figure in found.items()} == {
        "V00042|501": "KWD",
        "V00042|502": "EUR",
        "43|503": "USD",
    }


def test_only_vouchers_dated_in_the_span_are_listed() -> None:
    fake = CsiLists()
    vendor(fake)
    for number, day in enumerate(("20261031", "20261101", "20261130", "20261201")):
        unposted(fake, f"NB-{number}", "1.00", 500 + number, InvDate=f"{day} 00:00:00.000")
    assert [figure.number for figure in figures(fake).invoices(MONTH)] == ["NB-1", "NB-2"]


def test_invoices_are_looked_up_by_number_however_it_was_typed_in_whatever_their_date() -> None:
    fake = CsiLists()
    vendor(fake)
    posted(fake, "0000310", "100.00", 501, InvDate="20240101 00:00:00.000")
    posted(fake, "nb-7", "100.00", 502, InvDate="20240101 00:00:00.000")
    posted(fake, "NB-8", "100.00", 503)
    ledger = figures(fake)
    like = next(iter(ledger.invoices(MONTH)))
    wanted = [replace(like, number="310"), replace(like, number="nb-7"), replace(like, number="")]
    assert sorted(figure.match for figure in ledger.invoices_like(wanted)) == [
        "V00042|310|invoice",
        "V00042|NB-7|invoice",
    ]
    assert not list(ledger.invoices_like([]))


def test_an_amount_that_is_none_stops_the_comparison() -> None:
    fake = CsiLists()
    unposted(fake, "NB-1", "much", 501)
    with pytest.raises(ProtocolError, match="InvAmt"):
        list(figures(fake).invoices(MONTH))


# --- vendors and orders --------------------------------------------------------------------------------------------


def test_every_vendor_is_listed_and_is_active_only_if_documents_pass() -> None:
    fake = CsiLists()
    vendor(fake, "     41", TermsCode="N30", TaxRegNum1="DE1")
    vendor(fake, "     42", Stat="I")
    vendor(fake, "     43", VadPayHold="1")
    found = by_key(figures(fake, page_size=2).suppliers())
    assert {key: figure.facts[0] for key, figure in found.items()} == {
        "41": ("active", "yes"),
        "42": ("active", "no"),
        "43": ("active", "no"),
    }
    assert found["41"].facts[1:] == (("name", "vendor 41"), ("terms", "N30"), ("currency", "EUR"), ("tax id", "DE1"))
    assert (found["41"].match, found["41"].amount) == ("41", 0)


def test_orders_dated_in_the_span_are_listed_with_the_value_of_what_is_wanted() -> None:
    fake = CsiLists()
    fake.order("P000000001", {}, {"QtyOrderedConv": "0"}, {"ItemCostConv": "0.33500000"}, Freight="99")
    fake.order("P000000002", {}, Stat="P")
    fake.order("P000000003", {}, Type="B")
    fake.order("P000000004", {}, Stat="C")
    fake.order("P000000005", {}, OrderDate="20261201 00:00:00.000")
    fake.order("P000000006", {"QtyOrderedConv": "0"})
    fake.order("P000000007", {}, PoCurrCode=None)
    found = by_key(figures(fake).orders(MONTH))
    assert {key: (figure.counted, figure.amount) for key, figure in found.items()} == {
        "P000000001": (True, Decimal("21.67")),
        "P000000004": (False, Decimal("21.00")),
        "P000000006": (False, 0),
        "P000000007": (True, 0),
    }
    assert found["P000000001"].facts == (("lines", "2"), ("quantity", "4"))
    assert found["P000000004"].status == "ended (Stat C)"
    assert found["P000000007"].status.startswith("unreadable: order P000000007 has no currency")


def test_a_thousand_orders_take_a_request_per_hundred() -> None:
    fake = CsiLists()
    for number in range(300):
        fake.order(f"P{number:09d}", {})
    assert len(list(figures(fake).orders(MONTH))) == 300
    assert len([name for name in fake.requests if name.startswith("load")]) == 1 + 3 * 2


# --- ledger --------------------------------------------------------------------------------------------------------


def entry(fake: CsiLists, account: str, amount: str, day: str, number: int) -> None:
    fake.put("SLLedgers", TransNum=number, Acct=account, DomAmount=amount, TransDate=f"{day} 00:00:00.000")


def test_the_ledger_shows_what_accounts_moved_in_the_period_of_today() -> None:
    fake = CsiLists()
    for account in ("51200", "51300", "51400"):
        fake.put("SLCharts", Acct=account, Description=f"account {account}")
    year = {"FiscalYear": "2027", "PerStart_1": "20261005 00:00:00.000", "PerEnd_1": "20261101 00:00:00.000"}
    fake.put("SLPeriods", **year, PerStart_2="20261102 00:00:00.000", PerEnd_2="20261129 00:00:00.000")
    for number, (account, amount, day) in enumerate(
        [
            ("51200", "100.00", "20261102"),
            ("51200", "-30.00", "20261129"),
            ("51200", "7.00", "20261101"),
            ("51200", "7.00", "20261130"),
            ("51300", "5.00", "20261110"),
            ("99999", "5.00", "20261110"),
        ]
    ):
        entry(fake, account, amount, day, number)
    ledger = figures(fake).balances(["51200", "51400", "60000", "51200"])
    assert (ledger.year, ledger.number, ledger.currency) == (2027, 2, "USD")
    assert [(one.code, one.description, one.debit, one.credit, one.balance) for one in ledger.accounts] == [
        ("51200", "account 51200", 100, 30, 70),
        ("51400", "account 51400", 0, 0, 0),
    ]


def test_at_sites_that_show_no_periods_the_calendar_month_stands_for_one() -> None:
    fake = CsiLists()
    fake.put("SLCharts", Acct="51200")
    entry(fake, "51200", "100.00", "20261130", 1)
    entry(fake, "51200", "100.00", "20261201", 2)
    ledger = figures(fake, periods_ido="").balances(["51200"])
    assert (ledger.year, ledger.number, ledger.accounts[0].debit) == (2026, 11, 100)


def test_a_version_whose_ledger_is_called_otherwise_is_said_to_be_one() -> None:
    fake = CsiLists(without={"SLLedgers": ("DomAmount",)})
    with pytest.raises(ConfigurationError, match="SLLedgers has no property DomAmount"):
        figures(fake, periods_ido="").balances(["51200"])


@pytest.mark.parametrize(("kind", "sign"), [(InvoiceKind.INVOICE, 1), (InvoiceKind.CREDIT_MEMO, -1)])
@pytest.mark.parametrize("currency", ["USD", "EUR"])
def test_what_our_vouchers_put_into_the_ledger_is_told_once_per_voucher(
    kind: InvoiceKind, sign: int, currency: str
) -> None:
    fake = csi()
    target = CsiVoucherTarget("csi_default", fake, voucher_options())
    with target.session() as session:
        reference = session.read_reference(suppliers=(), accounts=())
    invoice = coded(kind=kind)
    plan = target.plan(invoice, reference, our_reference="MLC0123")
    ledger = CsiFigures("csi_default", fake, voucher_options(domestic_currency=currency))
    told = [
        booking
        for step in plan.steps
        for booking in ledger.bookings(step.name, step.payload, {"gl_status": "booked", "voucher": "501"})
    ]
    assert {booking.account: booking.amount for booking in told} == {
        posting.gl_code: sign * posting.amount for posting in invoice.postings
    }
    assert {booking.currency for booking in told} == {"" if currency == "USD" else "USD"}
    assert {(booking.year, booking.booked) for booking in told} == {(2026, True)}
    dated = invoice.invoice.accounting_date or invoice.invoice.invoice_date
    assert {booking.period for booking in told} == {dated.month}
    release = plan.steps[-1]
    assert not any(one.booked for one in ledger.bookings(release.name, release.payload, {"gl_status": "held"}))


def test_figures_tell_when_their_record_was_last_changed() -> None:
    fake = CsiLists()
    vendor(fake)
    unposted(fake, "NB-1", "100.00", 501)
    fake.order("P000000001", {})
    changed = fake.later(hours=1)
    fake.change("SLPoItems", "1=1", QtyOrderedConv="3.00000000")
    ledger = figures(fake)
    ((order,), (supplier,), (invoice,)) = (ledger.orders(MONTH), ledger.suppliers(), ledger.invoices(MONTH))
    assert (order.changed_at, supplier.changed_at, invoice.changed_at) == (changed, NOW, NOW)


def test_reading_figures_needs_no_lease_and_no_log_on() -> None:
    ledger = figures(CsiLists())
    with ledger.session():
        assert (ledger.name, ledger.tenant, ledger.operator_lease) == ("csi_default", "ACME_TST_MAIN", "")
    assert ledger.settle_seconds == 150
