"""Every rule between a coded invoice and a voucher: what passes, what is parked, what is rejected, in whose words."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.csi_samples import CONFIGURATION, VENDOR, coded, csi, options

from airflow_provider_mlconnector.documents.coding import BilledLine, CodedInvoice
from airflow_provider_mlconnector.documents.invoice import InvoiceKind, InvoiceLine, PaymentTerms
from airflow_provider_mlconnector.errors import ConfigurationError, DocumentError, Parked, Rejected
from airflow_provider_mlconnector.systems.cloudsuite.csi.vouchers import CsiVoucherTarget
from airflow_provider_mlconnector.systems.ports import AdoptingTarget, StepDraft, StepKind

CREDIT = InvoiceKind.CREDIT_MEMO


def reference(fake: Any = None, **choices: Any) -> dict[str, Any]:
    """What a session reads, as it comes back from the store."""
    target = CsiVoucherTarget("csi_default", fake or csi(), options(**choices))
    with target.session() as session:
        data: dict[str, Any] = json.loads(json.dumps(session.read_reference(suppliers=(), accounts=())))
    return data


def steps(invoice: CodedInvoice, known: dict[str, Any] | None = None, **choices: Any) -> list[StepDraft]:
    """The steps of an invoice."""
    target = CsiVoucherTarget("csi_default", csi(), options(**choices))
    return list(target.plan(invoice, known or reference(**choices), our_reference="MLC0123").steps)


def with_account(**changes: str) -> dict[str, Any]:
    known = reference()
    known["accounts"]["51200"] |= changes
    return known


def with_vendor(**changes: str | None) -> dict[str, Any]:
    known = reference()
    known["vendors"]["V00042"][0] |= changes
    return known


def with_unit(invoice: CodedInvoice, unit: str) -> CodedInvoice:
    postings = tuple(posting.model_copy(update={"cost_center": unit}) for posting in invoice.postings)
    return invoice.model_copy(update={"postings": postings})


def test_the_target_is_one_that_can_adopt() -> None:
    assert isinstance(CsiVoucherTarget("csi_default", csi(), options()), AdoptingTarget)


def test_an_invoice_becomes_a_header_on_hold_its_distributions_and_a_release() -> None:
    header, lines, release = steps(with_unit(coded(tax="20.00", tax_code="VS"), "100"))
    assert [(step.name, step.kind) for step in (header, lines, release)] == [
        ("voucher", StepKind.CREATE),
        ("distributions", StepKind.ABSOLUTE),
        ("release", StepKind.ABSOLUTE),
    ]
    assert header.remote_reference == "V00042|NB-7781|V"
    assert header.company == CONFIGURATION
    sent = json.loads(json.dumps(header.payload))["header"]
    assert (sent["VendNum"], sent["Type"], sent["BGPostingStat"], sent["Ref"]) == (VENDOR, "V", "H", "MLC0123")
    assert (sent["InvAmt"], sent["PurchAmt"], sent["SalesTax"], sent["TaxCode1"]) == ("245.00", "225.00", "20.00", "VS")
    assert (sent["InvDate"], sent["DistDate"], sent["DueDate"]) == ("2026-11-10", "2026-11-10", "2026-12-10")
    assert "CurrCode" not in sent
    assert "ExchRate" not in sent
    assert header.text == "voucher V00042 NB-7781 USD 245.00"


def test_distributions_are_numbered_by_five_and_the_tax_is_one_of_them() -> None:
    lines = steps(with_unit(coded(tax="20.00", tax_code="VS"), "100"))[1].payload["lines"]
    assert [(line["seq"], line["account"], line["unit"], line["amount"]) for line in lines] == [
        (5, "51200", "100", "100.00"),
        (10, "51300", "100", "75.50"),
        (15, "52100", "100", "49.50"),
        (20, "13400", "", "20.00"),
    ]
    assert (lines[3]["tax_code"], lines[3]["tax_system"], lines[3]["tax_basis"]) == ("VS", 1, "225.00")
    assert {line["currency"] for line in lines} == {"USD"}


def test_each_recoverable_tax_code_has_its_own_line_and_account() -> None:
    invoice = coded(amounts=("100.00", "50.00"), tax="15.00", tax_code="A")
    first, second = invoice.postings
    postings = (
        first.model_copy(update={"tax_code": "A", "tax_amount": Decimal("10.00")}),
        second.model_copy(update={"tax_code": "B", "tax_amount": Decimal("5.00")}),
    )
    invoice = invoice.model_copy(update={"postings": postings})
    lines = steps(invoice, tax_accounts={"B": "52100"})[1].payload["lines"][2:]
    assert [(line["account"], line["tax_code"], line["amount"], line["tax_basis"]) for line in lines] == [
        ("13400", "A", "10.00", "100.00"),
        ("52100", "B", "5.00", "50.00"),
    ]


def test_a_credit_memo_is_a_voucher_with_negative_amounts_due_at_once() -> None:
    header, lines, _ = steps(coded("CM-1", kind=CREDIT, amounts=("25.00",), invoice={"due_date": None}))
    sent = header.payload["header"]
    assert (header.remote_reference, sent["Type"], sent["InvAmt"]) == ("V00042|CM-1|C", "V", "-25.00")
    assert (sent["Freight"], sent["DueDate"]) == ("0.00", "2026-11-10")
    assert [line["amount"] for line in lines.payload["lines"]] == ["-25.00"]


def test_unit_codes_can_be_written_behind_the_account() -> None:
    invoice = coded(amounts=("10.00",), accounts=("51200|100",))
    (line,) = steps(invoice, account_separator="|")[1].payload["lines"]
    assert (line["account"], line["units"], line["unit"]) == ("51200", ["100", "", "", ""], "100")


def test_dinars_keep_their_third_decimal() -> None:
    invoice = coded(supplier="V00043", currency=("KWD", "KWD"), amounts=("1.005",))
    assert steps(invoice)[1].payload["lines"][0]["amount"] == "1.005"


def test_terms_of_the_vendor_give_the_due_date_where_nothing_else_does() -> None:
    invoice = coded(invoice={"due_date": None}, terms_code="")
    assert steps(invoice)[0].payload["header"]["DueDate"] == "2026-12-10"
    own = coded(invoice={"due_date": None, "terms": PaymentTerms(days=5)})
    assert steps(own)[0].payload["header"]["DueDate"] == "2026-11-15"


def test_a_closed_period_moves_the_distribution_date_only_where_the_route_says_so() -> None:
    invoice = coded(when=date(2026, 8, 20))
    with pytest.raises(Parked, match=r"period 2026/8 of accounting date 2026-08-20 is closed"):
        steps(invoice)
    header, *_ = steps(invoice, closed_period="current_open")
    assert (header.payload["header"]["DistDate"], header.payload["header"]["InvDate"]) == ("2026-10-01", "2026-08-20")
    assert "when period 2026/10 begins" in header.text


def test_a_supplier_on_hold_is_posted_only_where_the_route_says_so_and_that_is_noted() -> None:
    header, *_ = steps(coded(), with_vendor(VadPayHold="1"), supplier_on_hold="post")
    assert "payment hold" in header.text


def test_lines_nobody_receives_take_their_own_accounts() -> None:
    line = InvoiceLine(number=1, quantity=Decimal(1), unit_price=Decimal(225), amount=Decimal(225), po_number="P1")
    billed = (BilledLine(place=0, order="P1", order_line=1, received=False),)
    invoice = coded(invoice={"lines": (line,)}, billed=billed)
    assert steps(invoice)[0].name == "voucher"
    with pytest.raises(Parked, match=r"bills PO P1, whose cost CSI accrues when it is received"):
        steps(coded(invoice={"lines": (line,)}))
    assert steps(coded(invoice={"lines": (line,)}), po_lines="post")[0].name == "voucher"


CASES: list[tuple[str, CodedInvoice, dict[str, Any] | None, dict[str, Any], type[DocumentError], str, str]] = [
    ("long number", coded("N" * 23), None, {}, Rejected, "number_too_long", "CSI takes 22"),
    ("company", coded(company="OTHER"), None, {}, Parked, "company", "posts to ACME_TST_MAIN"),
    ("decimals", coded(amounts=("1.005",)), None, {}, Rejected, "decimals", "nothing is rounded"),
    ("no lines", coded(amounts=()), None, {}, Rejected, "no_lines", "no lines"),
    ("zero", coded(amounts=("5.00", "-5.00")), None, {}, Rejected, "not_positive", "credit memo"),
    ("total", coded(tax_value=Decimal(1)), None, {}, Rejected, "total_mismatch", "226.00"),
    ("supplier", coded(supplier="V99999"), None, {}, Parked, "supplier_unknown", "does not exist in CSI"),
    ("inactive", coded(), with_vendor(Stat="I"), {}, Parked, "supplier_inactive", "inactive"),
    ("hold", coded(), with_vendor(VadPayHold="1", VadPayHoldReason="Q"), {}, Parked, "supplier_on_hold", "reason Q"),
    ("currency", coded(), with_vendor(CurrCode="EUR"), {}, Parked, "supplier_currency", "V00042 is EUR"),
    ("account", coded(accounts=("99999",)), None, {}, Parked, "account_unknown", "99999 does not exist"),
    ("early", coded(), with_account(EffDate="2026-11-11"), {}, Parked, "account_not_effective", "from 2026-11-11"),
    ("obsolete", coded(), with_account(ObsDate="2026-11-10"), {}, Parked, "account_obsolete", "since 2026-11-10"),
    ("unit needed", coded(), with_account(AccessUnit1="R"), {}, Parked, "unit_required", "requires unit code 1"),
    (
        "unit forbidden",
        with_unit(coded(), "100"),
        with_account(AccessUnit1="N"),
        {},
        Parked,
        "unit_forbidden",
        "no unit",
    ),
    ("unit unknown", with_unit(coded(), "999"), None, {}, Parked, "unit_unknown", "999 does not exist"),
    ("year", coded(when=date(2027, 2, 1)), None, {}, Parked, "period_missing", "in no period"),
    ("no tax account", coded(tax="2.00", tax_code="A"), None, {"tax_account": ""}, Parked, "tax_account_missing", "A"),
    ("parts", coded(accounts=("1|2|3|4|5|6",)), None, {"account_separator": "|"}, Parked, "account_unfit", "four"),
    ("long unit", with_unit(coded(), "10000"), None, {}, Rejected, "too_long", "CSI takes 4"),
    (
        "no due date",
        coded(invoice={"due_date": None}, terms_code="XX"),
        None,
        {},
        Rejected,
        "due_date_missing",
        "terms give days",
    ),
]


@pytest.mark.parametrize(
    ("invoice", "known", "choices", "kind", "code", "words"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_what_stands_in_the_way_is_told_in_words_of_the_trade(
    invoice: CodedInvoice,
    known: dict[str, Any] | None,
    choices: dict[str, Any],
    kind: type[DocumentError],
    code: str,
    words: str,
) -> None:
    with pytest.raises(kind) as raised:
        steps(invoice, known, **choices)
    assert (type(raised.value), raised.value.code) == (kind, code)
    assert words in raised.value.message


def test_pairs_of_account_and_unit_are_obeyed_where_the_site_keeps_any_for_the_account() -> None:
    fake = csi()
    fake.put("SLChartUnitcd1s", Acct="51200", Unit1="200")
    known = reference(fake)
    with pytest.raises(Parked, match=r"unit code 1 100 is not allowed with account 51200"):
        steps(with_unit(coded(amounts=("1.00",)), "100"), known)
    assert steps(with_unit(coded(amounts=("1.00",)), "200"), known)
    assert steps(with_unit(coded(amounts=("1.00",), accounts=("51300",)), "100"), known)


def test_the_tenants_own_lengths_win() -> None:
    known = reference()
    known["lengths"]["InvNum"] = 5
    with pytest.raises(Rejected, match="CSI takes 5"):
        steps(coded(), known)


def test_reference_data_asks_only_for_unit_codes_the_chart_uses() -> None:
    fake = csi()
    reference(fake)
    asked = {name for name in fake.requests if "Unitcd" in name}
    assert asked == {f"{what} {ido}" for what in ("info", "load") for ido in ("SLUnitcd1s", "SLChartUnitcd1s")}


def test_reference_data_can_be_read_for_some_only() -> None:
    target = CsiVoucherTarget("csi_default", csi(), options())
    with target.session() as session:
        data = session.read_reference(suppliers=("v00042",), accounts=("51200",))
    assert (list(data["vendors"]), list(data["accounts"])) == (["V00042"], ["51200"])


def test_periods_called_otherwise_name_the_option_and_none_at_all_can_be_said() -> None:
    fake = csi()
    del fake.idos["SLPeriods"]
    with pytest.raises(ConfigurationError, match="periods_ido") as raised:
        reference(fake)
    assert raised.value.field == "periods_ido"
    known = reference(fake, periods_ido="")
    assert steps(coded(when=date(2026, 8, 20)), known, periods_ido="")


@given(st.lists(st.integers(min_value=-9999, max_value=99999), min_size=1, max_size=20), st.sampled_from(InvoiceKind))
def test_distributions_add_up_to_the_voucher_for_any_invoice(cents: list[int], kind: InvoiceKind) -> None:
    amounts = tuple(str(Decimal(cent).scaleb(-2)) for cent in cents)
    known = KNOWN
    try:
        header, lines, _ = steps(coded(amounts=amounts, kind=kind), known)
    except Rejected as error:
        assert error.code == "not_positive"  # noqa: PT017 - sums that are not positive are no invoice
        return
    total = sum(Decimal(line["amount"]) for line in lines.payload["lines"])
    assert total == Decimal(header.payload["header"]["InvAmt"]) == Decimal(lines.payload["total"])
    assert (total < 0) is (kind is CREDIT)
    numbers = [line["seq"] for line in lines.payload["lines"]]
    assert numbers == sorted(set(numbers))


KNOWN = reference()
