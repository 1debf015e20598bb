"""APSTIN: what it checks, what it answers, what it books (reference/syspro.md §2.1, §3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

ROOT = (
    '<?xml version="1.0" encoding="Windows-1252"?>\n'
    "<postapinvoice Language='05' Language2='EN' CssStyle='' DecFormat='1' DateFormat='01' Role='01' Version='8.0.105'"
    " OperatorPrimaryRole='   '>\n"
)
OLD_PERIODS = {"C": ("2024", "09"), "P": ("2024", "08"), "B": ("2024", "07")}


def _field(answer: str, name: str) -> str:
    """Return the value of the failing field called ``name``, lower-cased as SYSPRO does."""
    return answer.partition(f"<{name}>\n<Value>")[2].partition("</Value>")[0]


# Answers


def test_a_posted_invoice_has_the_documented_bytes(site: Any) -> None:
    assert site.apstin(site.item(Invoice="INV-2024-0917")) == ROOT + (
        "<Item>\n<Transaction>\n<Key>\n<TrnYear>2024</TrnYear>\n<TrnMonth>09</TrnMonth>\n<Journal>00431</Journal>\n"
        "<EntryNumber>001</EntryNumber>\n</Key>\n<Supplier>V00001</Supplier>\n<Invoice>INV-2024-0917</Invoice>\n"
        "<TransactionCode>I</TransactionCode>\n</Transaction>\n</Item>\n<StatusOfItems>\n<GlJournal>\n"
        "<GlYear>2024</GlYear>\n<GlPeriod>09</GlPeriod>\n<GlJournal>00872</GlJournal>\n"
        "<GlJournalError></GlJournalError>\n<GlJournalMessage></GlJournalMessage>\n</GlJournal>\n"
        "<ItemsProcessed>1</ItemsProcessed>\n<ItemsInvalid/>\n</StatusOfItems>\n</postapinvoice>\n "
    )


def test_a_failing_item_has_lower_cased_fields_inside_containers_that_keep_their_case(site: Any) -> None:
    site.apstin(site.item())
    answer = site.apstin(site.item(("10-5120", "500.00", "A"), ("10-9999", "500.00", "A")))
    assert answer == ROOT + (
        "<Item>\n<invoice>\n<Value>INV-1</Value>\n<ErrorNumber>999001</ErrorNumber>\n"
        "<ErrorDescription>Invoice 'INV-1' already exists for supplier 'V00001'</ErrorDescription>\n</invoice>\n"
        "<LedgerDistribution>\n<ledgercode>\n<Value>10-9999</Value>\n<ErrorNumber>999007</ErrorNumber>\n"
        "<ErrorDescription>Ledger code '10-9999' not found</ErrorDescription>\n</ledgercode>\n</LedgerDistribution>\n"
        "<ItemNumber>000001</ItemNumber>\n</Item>\n<StatusOfItems>\n<ItemsProcessed>0</ItemsProcessed>\n"
        "<ItemsInvalid>1</ItemsInvalid>\n</StatusOfItems>\n</postapinvoice>\n "
    )


def test_validate_only_answers_without_a_key_and_stores_nothing(site: Any) -> None:
    answer = site.apstin(site.item(), ValidateOnly="Y")
    assert answer == ROOT + (
        "<Item>\n<Transaction>\n<Supplier>V00001</Supplier>\n<Invoice>INV-1</Invoice>\n"
        "<TransactionCode>I</TransactionCode>\n</Transaction>\n</Item>\n<StatusOfItems>\n"
        "<ItemsProcessed>1</ItemsProcessed>\n<ItemsInvalid/>\n</StatusOfItems>\n</postapinvoice>\n "
    )
    assert site.ledger("ap_invoices") == site.ledger("gl_journals") == []
    assert site.outcomes() == ["validated"]
    site.apstin(site.item(Supplier="NOBODY"), ValidateOnly="Y")
    assert [(a["outcome"], a["validate_only"]) for a in site.ledger("write_attempts")][1:] == [("refused", True)]
    assert "<Key>" in site.apstin(site.item())


def test_item_by_item_valid_ones_get_keys_in_one_journal(site: Any) -> None:
    answer = site.apstin(
        site.item(Invoice="A"), site.item(Invoice="B", Supplier="NOBODY"), site.item(Invoice="C"),
        ApplyIfEntireDocumentValid="N",
    )  # fmt: skip
    assert answer.count("<Journal>00431</Journal>") == 2
    assert answer.count("<EntryNumber>002</EntryNumber>") == 1
    assert "<ItemNumber>000002</ItemNumber>" in answer
    assert "<ItemsProcessed>2</ItemsProcessed>\n<ItemsInvalid>1</ItemsInvalid>" in answer
    assert site.outcomes() == ["posted", "refused", "posted"]


@pytest.mark.parametrize("given", [{}, {"ApplyIfEntireDocumentValid": "Y"}])
def test_by_default_one_bad_item_means_nothing_is_applied(site: Any, given: dict[str, str]) -> None:
    answer = site.apstin(site.item(Invoice="A"), site.item(Invoice="B", Supplier="NOBODY"), **given)
    assert "<Key>" not in answer
    assert "<ItemsProcessed>0</ItemsProcessed>\n<ItemsInvalid>1</ItemsInvalid>" in answer
    assert site.ledger("ap_invoices") == []
    assert site.outcomes() == ["refused", "refused"]


# Uniqueness


def test_a_duplicate_is_refused_and_recorded_and_the_first_stays(site: Any) -> None:
    site.apstin(site.item())
    assert _field(site.apstin(site.item(TransactionReference="other")), "invoice") == "INV-1"
    assert [row["reference"] for row in site.ledger("ap_invoices")] == ["PO 004711"]
    assert site.outcomes() == ["posted", "refused"]


def test_a_duplicate_within_one_document_is_refused(site: Any) -> None:
    answer = site.apstin(site.item(), site.item(), ApplyIfEntireDocumentValid="N")
    assert "<ItemsProcessed>1</ItemsProcessed>\n<ItemsInvalid>1</ItemsInvalid>" in answer


def test_the_number_of_another_supplier_or_in_another_case_is_another_invoice(site: Any) -> None:
    for changes in ({}, {"Supplier": "V00002"}, {"Invoice": "inv-1"}):
        assert "<Key>" in site.apstin(site.item(**changes))


def test_a_registered_invoice_is_refused_too_and_only_apsqry_shows_it(site: Any) -> None:
    site.system.add("registered_invoice", {"supplier": "V00001", "invoice": "INV-1", "value": "1200.00"})
    assert "already registered" in site.apstin(site.item())
    assert site.rows("ApInvoice", "Invoice") == []
    query = (
        "<Query><Key><Supplier>V00001</Supplier></Key><Option><IncludeRegisteredInvoices>Y</IncludeRegisteredInvoices>"
        "</Option></Query>"
    )
    assert "<RegisteredInvoiceDetail>\n<Invoice>INV-1</Invoice>" in site.query("APSQRY", query)


def test_with_uniqueness_off_both_rows_are_stored_and_shown(new_site: Any) -> None:
    site = new_site(uniqueness=False)
    for reference in ("first", "second"):
        assert "<Key>" in site.apstin(site.item(TransactionReference=reference))
    assert site.rows("ApInvoice", "Reference", where=site.cond("Invoice", "EQ", "INV-1")) == [["first"], ["second"]]
    assert [row["reference"] for row in site.ledger("ap_invoices")] == ["first", "second"]


def test_a_purged_invoice_is_forgotten_by_syspro_but_not_by_the_oracle(site: Any) -> None:
    site.apstin(site.item())
    site.system.add("purge_invoice", {"supplier": "V00001", "invoice": "INV-1"})
    assert site.rows("ApInvoice", "Invoice") == []
    assert "<Key>" in site.apstin(site.item())
    assert sorted(row["purged"] for row in site.ledger("ap_invoices")) == [False, True]


# Fields


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"Supplier": ""}, "supplier"),
        ({"Supplier": "NOBODY"}, "supplier"),
        ({"Supplier": "V00042"}, "supplier"),
        ({"Supplier": "V00043"}, "supplier"),
        ({"Supplier": "X" * 16}, "supplier"),
        ({"Invoice": ""}, "invoice"),
        ({"Invoice": "I" * 21}, "invoice"),
        ({"TransactionCode": "X"}, "transactioncode"),
        ({"TransactionCode": "V"}, "transactioncode"),
        ({"TransactionCode": "P"}, "invoice"),
        ({"TransactionCode": "C"}, "invoice"),
        ({"Branch": "99"}, "branch"),
        ({"TransactionValue": ""}, "transactionvalue"),
        ({"TransactionValue": "0"}, "transactionvalue"),
        ({"TransactionValue": "-1200.00"}, "transactionvalue"),
        ({"TransactionValue": "1,200.00"}, "transactionvalue"),
        ({"TransactionValue": "1200.001"}, "transactionvalue"),
        ({"TransactionValue": "1200.01"}, "transactionvalue"),
        ({"TransactionReference": "R" * 31}, "transactionreference"),
        ({"InvoiceDate": "10/09/2024"}, "invoicedate"),
        ({"InvoiceDate": "2024-02-30"}, "invoicedate"),
        ({"TaxCode": "Q"}, "taxcode"),
        ({"TaxValue": "199.99"}, "taxvalue"),
        ({"TaxBasis": "Q"}, "taxbasis"),
    ],
)
def test_each_documented_check_names_its_field(site: Any, changes: dict[str, str], field: str) -> None:
    answer = site.apstin(site.item(**changes))
    assert f"<{field}>\n<Value" in answer
    assert "<ItemsInvalid>1</ItemsInvalid>" in answer
    assert site.ledger("ap_invoices") == []


def test_what_is_not_documented_is_not_checked(site: Any) -> None:
    held = site.item(("10-5600", "1000.00", "A"), Invoice="A")
    control = site.item(("00-2100", "1000.00", "A"), Invoice="B")
    future = site.item(Invoice="C", InvoiceDate="2031-01-01")
    assert site.apstin(held, control, future).count("<Key>") == 3


def test_oversized_text_is_cut_when_the_option_says_so(new_site: Any) -> None:
    site = new_site(oversize="truncate")
    site.apstin(site.item(Invoice="I" * 25))
    assert site.rows("ApInvoice", "Invoice") == [["I" * 20]]
    assert "<invoice>" in site.apstin(site.item(Invoice="I" * 30))


def test_blank_branch_and_dates_take_the_documented_defaults(site: Any) -> None:
    site.apstin(site.item(Branch="", InvoiceDate="", Supplier="V00003"))
    columns = ("Branch", "InvoiceDate", "DueDate", "DiscountDate")
    assert site.rows("ApInvoice", *columns) == [["20", "2024-09-17", "2024-10-17", "2024-09-17"]]


@pytest.mark.parametrize("element", ["Supplier", "TaxCode", "SecondTaxValue", "DueDate", "JournalNotation"])
def test_a_missing_mandatory_element_fails_the_document_of_a_strict_site_only(new_site: Any, element: str) -> None:
    strict = new_site()
    answer = strict.apstin(strict.item(drop=[element]))
    assert answer.startswith("ERROR: ")
    assert element in answer
    assert strict.outcomes() == ["refused"]
    lax = new_site(strict=False)
    assert lax.apstin(lax.item(drop=[element])).startswith("<?xml")


@pytest.mark.parametrize(
    "change", [("<Notation>", "<Surprise/><Notation>"), ("<Branch>10</Branch>", ""), ("Item>", "item>")]
)
def test_unknown_elements_are_refused_by_a_strict_site_and_optional_ones_may_be_left_out(
    site: Any, change: tuple[str, str]
) -> None:
    document = site.document(site.item()).replace(*change)
    answer = site.post("APSTIN", site.parameters(), document)
    assert answer.startswith("ERROR") is ("Branch" not in change[0])


def test_elements_out_of_sequence_and_wrong_roots_are_refused(site: Any) -> None:
    item = site.item()
    swapped = item.replace("<Supplier>V00001</Supplier>", "").replace(
        "<Notation>", "<Supplier>V00001</Supplier><Notation>"
    )
    for document in (site.document(swapped), site.document(item, root="postapinvoice"), site.document()):
        assert site.post("APSTIN", site.parameters(), document).startswith("ERROR")


@pytest.mark.parametrize(
    "given", [{"PostingPeriod": "X"}, {"ValidateOnly": "yes"}, {"PermissibleTaxVariance": "a"}, {"Speed": "1"}]
)
def test_parameters_outside_their_schema_fail_the_document(site: Any, given: dict[str, str]) -> None:
    assert site.apstin(site.item(), **given).startswith("ERROR")


# Warnings


def test_a_supplier_on_hold_is_an_error_ignored_or_reported_by_ignore_warnings(site: Any) -> None:
    held = site.item(Supplier="V00042")
    assert "<supplier>" in site.apstin(held, IgnoreWarnings="N")
    reported = site.apstin(held, IgnoreWarnings="W")
    assert (
        "</Transaction>\n<WarningMessages>\n<WarningDescription>Supplier 'V00042' is on hold</WarningDescription>\n"
        "</WarningMessages>\n</Item>"
    ) in reported
    ignored = site.apstin(site.item(Supplier="V00042", Invoice="INV-2"), IgnoreWarnings="Y")
    assert "WarningMessages" not in ignored
    assert len(site.ledger("ap_invoices")) == 2


# Periods


@pytest.mark.parametrize(("letter", "expected"), OLD_PERIODS.items())
def test_the_posting_period_is_relative_to_aps_current_one(site: Any, letter: str, expected: tuple[str, str]) -> None:
    answer = site.apstin(site.item(), PostingPeriod=letter)
    assert f"<TrnYear>{expected[0]}</TrnYear>\n<TrnMonth>{expected[1]}</TrnMonth>" in answer


def test_a_closed_ap_period_is_refused_and_shown_in_ap_control(site: Any) -> None:
    site.system.add("period", {"module": "AP", "year": 2024, "month": 8, "open": False})
    assert _field(site.apstin(site.item(), PostingPeriod="P"), "postingperiod") == "2024/08"
    assert site.rows("ApControl", "FinYear", "FinPeriod", "CurPrdStat", "Prv1PrdStat", "Prv2PrdStat") == [
        ["2024", "9", "O", "C", "O"]
    ]


def test_a_person_moving_the_period_moves_what_current_means(site: Any) -> None:
    site.system.add("period", {"module": "AP", "year": 2024, "month": 10, "current": True})
    assert "<TrnMonth>10</TrnMonth>" in site.apstin(site.item())


# Tax and distribution


def test_a_tax_gap_within_the_permissible_variance_is_taken(site: Any) -> None:
    item = site.item(TaxValue="199.98", TransactionValue="1199.98")
    assert "<taxvalue>" in site.apstin(item, PermissibleTaxVariance="0.01")
    assert "<Key>" in site.apstin(item, PermissibleTaxVariance="0.02")


def test_tax_is_calculated_per_line_each_rounded(site: Any) -> None:
    lines = [("10-5120", "0.03", "A")] * 3
    assert "<Key>" in site.apstin(site.item(*lines, TransactionValue="0.12", TaxValue="0.03"))


def test_a_blank_tax_value_is_worked_out_only_when_asked_for(site: Any) -> None:
    assert "<taxvalue>" in site.apstin(site.item(TaxValue=""))
    site.apstin(site.item(TaxValue=""), AutomaticTaxCalculation="Y")
    assert site.ledger("ap_invoices")[0]["tax_value"] == "200.00"


def test_inclusive_lines_hold_the_gross_and_book_the_net(site: Any) -> None:
    answer = site.apstin(site.item(("10-5120", "1200.00", "A"), TaxBasis="I"))
    assert "<Key>" in answer
    assert site.ledger("gl_entries")["balances"] == {"10-5120": "1000.00", "00-2300": "200.00", "00-2100": "-1200.00"}


def test_without_tax_distribution_codes_do_not_matter_and_lines_carry_the_gross(new_site: Any) -> None:
    site = new_site(tax_distribution=False)
    assert "<Key>" in site.apstin(site.item(("10-5120", "1200.00", "Q"), TaxCode="Q"))


def test_a_supplier_needing_receipts_takes_no_invoice_without_them(site: Any) -> None:
    answer = site.apstin(site.item(Supplier="V00043"))
    assert _field(answer, "supplier") == "V00043"
    assert "<Key>" not in answer


# Currencies


def test_foreign_values_are_the_suppliers_and_the_ledger_is_the_companys(site: Any) -> None:
    lines = [("10-5120", "333.33", "A"), ("10-5130", "666.67", "A")]
    item = site.item(*lines, Supplier="V00031")
    assert "<Key>" in site.apstin(item, LedgerDistributionCurrency="F")
    [invoice] = site.ledger("ap_invoices")
    assert (invoice["currency"], invoice["value"], invoice["rate"]) == ("EUR", "1200.00", "1.080000")
    assert site.ledger("gl_entries") == {
        "debit": "1296.00", "credit": "1296.00", "count": 4,
        "balances": {"10-5120": "360.00", "10-5130": "720.00", "00-2300": "216.00", "00-2100": "-1296.00"},
    }  # fmt: skip
    assert site.rows("ApInvoice", "Currency", "OrigInvValue", "ConvRate", "MulDiv") == [
        ["EUR", "1200.00", "1.080000", "M"]
    ]


def test_ledger_values_in_company_currency_must_agree_with_the_converted_value(site: Any) -> None:
    good = site.item(("10-5120", "1080.00", "A"), Supplier="V00031")
    bad = site.item(("10-5120", "1000.00", "A"), Supplier="V00031", Invoice="INV-2")
    answer = site.apstin(good, bad, ApplyIfEntireDocumentValid="N", LedgerDistributionCurrency="L")
    assert "<ItemsProcessed>1</ItemsProcessed>\n<ItemsInvalid>1</ItemsInvalid>" in answer
    assert site.ledger("gl_entries")["balances"]["10-5120"] == "1080.00"


@pytest.mark.parametrize(("sent", "rate"), [("", "1.080000"), ("0", "1.080000"), ("1.25", "1.25")])
def test_the_rate_at_entry_is_the_tables_unless_sent(site: Any, sent: str, rate: str) -> None:
    site.apstin(site.item(Supplier="V00031", ExchRateAtEntry=sent), LedgerDistributionCurrency="F")
    assert Decimal(site.ledger("ap_invoices")[0]["rate"]) == Decimal(rate)


def test_a_divided_rate_divides_and_a_local_supplier_ignores_a_rate(site: Any) -> None:
    yen = site.item(Supplier="V00034")
    local = site.item(Supplier="V00001", ExchRateAtEntry="7")
    site.apstin(yen, local, LedgerDistributionCurrency="F")
    assert site.ledger("gl_entries")["balances"]["00-2100"] == "-1208.00"


# Credits


@pytest.mark.parametrize(("code", "balance"), [("C", "900.00"), ("D", "1500.00"), ("A", "1500.00")])
def test_transactions_against_an_invoice_change_its_balance_and_become_payment_rows(
    site: Any, code: str, balance: str
) -> None:
    site.apstin(site.item())
    change = site.item(
        ("10-5120", "250.00", "A"), TransactionCode=code, TransactionValue="300.00", TaxValue="50.00",
        TransactionReference="CM-77",
    )  # fmt: skip
    assert f"<TransactionCode>{code}</TransactionCode>" in site.apstin(change)
    assert site.rows("ApInvoice", "MthInvBal1", "OrigInvValue") == [[balance, "1200.00"]]
    columns = ("Invoice", "EntryNumber", "TrnType", "PaymentReference", "TrnValue")
    assert site.rows("ApInvoicePay", *columns) == [["INV-1", "1", code, "CM-77", "300.00"]]
    assert site.ledger("gl_entries")["balances"]["00-2100"] == f"-{balance}"


def test_a_credit_sent_twice_is_booked_twice_because_nothing_refuses_it(site: Any) -> None:
    site.apstin(site.item())
    credit = site.item(("10-5120", "250.00", "A"), TransactionCode="C", TransactionValue="300.00", TaxValue="50.00")
    site.apstin(credit)
    site.apstin(credit)
    assert [row["sequence"] for row in site.ledger("ap_transactions")] == [1, 2]
    assert site.ledger("ap_invoices")[0]["balance"] == "600.00"


def test_a_zero_adjustment_is_taken_only_when_the_parameter_says_so(site: Any) -> None:
    site.apstin(site.item())
    zero = site.item(("10-5120", "0.00", "A"), TransactionCode="A", TransactionValue="0.00", TaxValue="0.00")
    assert "<transactionvalue>" in site.apstin(zero)
    assert "<Key>" in site.apstin(zero, PostZeroAdjustments="Y")


# AP to GL


def test_summary_integration_adds_up_per_ledger_code(new_site: Any) -> None:
    site = new_site(ap_gl="summary")
    site.apstin(site.item(Invoice="A"), site.item(Invoice="B"))
    [journal] = site.ledger("gl_journals")
    assert [(e["gl_code"], e["amount"]) for e in journal["entries"]] == [
        ("10-5120", "2000.00"), ("00-2300", "400.00"), ("00-2100", "-2400.00"),
    ]  # fmt: skip


def test_an_unlinked_site_has_no_gl_block_makes_no_journal_and_checks_no_ledger_code(new_site: Any) -> None:
    site = new_site(ap_gl="not_linked")
    answer = site.apstin(site.item(("10-9999", "1000.00", "A")))
    assert "GlJournal" not in answer
    assert "<Key>" in answer
    assert site.ledger("gl_journals") == []
    assert site.rows("ApJnlDistrib", "ExpenseGlCode", "DistrValue") == [["10-9999", "1000.00"]]


def test_a_journal_not_created_is_told_in_the_answer_and_made_by_the_integration_run(new_site: Any) -> None:
    site = new_site(gl_create=False)
    answer = site.apstin(site.item())
    assert (
        "<GlJournal/>\n<GlJournalError>999101</GlJournalError>\n<GlJournalMessage>GL journal was not created</"
        in answer
    )
    assert "<ItemsProcessed>1</ItemsProcessed>" in answer
    assert site.ledger("gl_journals") == []
    assert site.system.add("gl_integration_run", {}) == {"journals": [872]}
    assert site.ledger("gl_entries")["credit"] == "1200.00"
    assert site.system.add("gl_integration_run", {}) == {"journals": []}


def test_a_journal_left_on_hold_reaches_the_ledger_only_when_a_person_posts_it(new_site: Any) -> None:
    site = new_site(gl_post=False)
    answer = site.apstin(site.item())
    assert "<GlJournal>00872</GlJournal>\n<GlJournalError></GlJournalError>" in answer
    where = site.cond("GlJournal", "EQ", "872")
    assert site.rows("GenJournalCtl", "JnlStatus", where=where) == [["H"]]
    assert site.ledger("gl_entries")["debit"] == "0.00"
    site.system.add("gl_journal_post", {"journal": 872})
    assert site.rows("GenJournalCtl", "JnlStatus", where=where) == [["P"]]
    assert site.ledger("gl_entries")["debit"] == "1200.00"


def test_a_closed_gl_period_fails_the_journal_although_the_invoice_posts(site: Any) -> None:
    site.system.add("period", {"module": "GL", "year": 2024, "month": 9, "open": False})
    answer = site.apstin(site.item())
    assert "<Key>" in answer
    assert "<GlJournalError>999102</GlJournalError>" in answer
