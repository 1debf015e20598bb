"""One good invoice beside a bad one, for every end a bad one can come to: the good one is posted, exactly once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from support.flow import flow
from support.mishap_scripts import (
    adopted,
    breaks_our_codec,
    changed_while_on_its_way,
    credit_by_hand,
    credit_lost,
    credit_lost_once_proven,
    credit_of,
    credit_of_purged,
    detail_gone,
    foreign_credit,
    many_accounts,
    mapped_otherwise,
    parked_then,
    person,
    posted_then,
    same_number_twice,
    sent_and_lost,
    site,
    typed_in,
)
from support.mishaps import (
    ACCOUNT,
    AGE,
    CENTER,
    CODING,
    GOOD,
    GROSS,
    LINE,
    NUMBER,
    SUPPLIER,
    Case,
    Desk,
    coding,
    edited,
    labeled,
    line,
    meanwhile,
    on,
    prepared,
    today,
)

from airflow_provider_mlconnector.documents.lifecycle import State

TOTAL, LINES = "header.total.value", "lineList.invoiceLine"
MONTH_BEFORE = (today() - AGE).replace(day=1) - timedelta(days=1)
"""The end of the month before the good invoice's own, which stays open."""
DATED_BEFORE = {"header.accountingDate": on(MONTH_BEFORE)}
CLOSE_BEFORE = person("period", module="AP", year=MONTH_BEFORE.year, month=MONTH_BEFORE.month, open=False)
TAXED = {TOTAL: 120.0, "header.taxCharge1": 20.0}
UNLINKED = {
    "syspro_site": {"ap_gl": "not_linked"},
    "syspro": {"ap_gl": "not_linked", "authorize_journal": "A"},
}
R, P, S = State.REJECTED, State.PARKED, State.SKIPPED

IN_ITSELF = {
    "no number": Case(R, "missing_field", "supplierInvoiceNumber", edited({NUMBER: {}})),
    "a total in words": Case(R, "unreadable_field", '"lots"', edited({TOTAL: "lots"})),
    "a third kind": Case(R, "unknown_invoice_type", "Debit memo", edited({"header.invoiceType": "Debit memo"})),
    "an invented currency": Case(R, "unknown_currency", "XQZ", edited({"header.total.currency": "XQZ"})),
    "no lines": Case(R, "no_lines", "no lines", edited({LINES: []})),
    "a bell in its number": Case(R, "control_character", "control character", edited({NUMBER: "BAD\x071"})),
    "a novel as number": Case(R, "limit_exceeded", "300 characters", edited({NUMBER: "9" * 300})),
    "a tenth of a cent": Case(R, "too_many_decimals", "smallest amount", edited({TOTAL: 100.001})),
    "a day in 2199": Case(R, "implausible_date", "2199-01-01", edited({"header.invoiceDate": "2199-01-01"})),
    "less than nothing": Case(R, "negative_total", "credit memo", edited({TOTAL: -100.0, f"{LINE}.quantity": -1})),
    "nothing to pay": Case(R, "not_positive", "positive", edited({TOTAL: 0, LINES: [line(5), line(-5, "51200")]})),
    "lines that cancel": Case(R, "nothing_to_post", "cancel out", edited({TOTAL: 0, LINES: [line(5), line(-5)]})),
    "a cent too much": Case(R, "total_mismatch", "0.01", edited({TOTAL: 100.01})),
    "charges of two readings": Case(R, "ambiguous_charges", "more than one way", labeled("charge_ambiguous")),
    "splits short of 100 %": Case(
        R, "allocation_mismatch", "60", edited({CODING: coding("51300", "CC20", distributionValue=60)})
    ),
    "no account": Case(R, "missing_account", "no account", edited({ACCOUNT: {}})),
    "no cost center": Case(R, "missing_cost_center", "no cost center", edited({CENTER: {}})),
    "25 characters": Case(R, "number_too_long", "25 characters", edited({NUMBER: "BAD-456789012345678901234"})),
    "a number outside cp1252": Case(R, "characters", "Ł", edited({NUMBER: "ŁÓDŹ-1"})),
    "a third decimal": Case(
        R,
        "third_decimal",
        "third decimal",
        mapped_otherwise(
            "  JPY: JPY",
            "  JPY: JPY\n  KWD: KWD",
            {SUPPLIER: "V00035", "header.total.currency": "KWD", TOTAL: 100.005, f"{LINE}.unitPrice": 100.005},
        ),
    ),
}
OUTSIDE_IT = {
    "no supplier": Case(P, "supplier_without_number", "supplierNumber", edited({SUPPLIER: None})),
    "account not mapped": Case(P, "unmapped_account", "59999", edited({ACCOUNT: "59999"})),
    "cost center not mapped": Case(P, "unmapped_cost_center", "CC99", edited({CENTER: "CC99"})),
    "business unit not mapped": Case(P, "unmapped_business_unit", "P9", edited({"header.businessUnit": "P9"})),
    "terms not mapped": Case(P, "unmapped_terms", "NET77", edited({"header.terms.standardPaymentTermsCode": "NET77"})),
    "currency not mapped": Case(
        P, "unmapped_currency", "KWD", edited({SUPPLIER: "V00035", "header.total.currency": "KWD"})
    ),
    "no such tax rate": Case(P, "unmapped_tax", "no tax code", edited({TOTAL: 107.77, "header.taxCharge1": 7.77})),
    "another company": Case(
        P,
        "company",
        "EDU2",
        mapped_otherwise("PLANT2: {company: EDU1", "PLANT2: {company: EDU2", {"header.businessUnit": "PLANT2"}),
    ),
    "supplier unknown": Case(P, "supplier_unknown", "V00099", edited({SUPPLIER: "V00099"})),
    "supplier on hold": Case(P, "supplier_on_hold", "V00042", edited({SUPPLIER: "V00042"})),
    "supplier of receipts": Case(P, "receipt_match", "V00043", edited({SUPPLIER: "V00043"})),
    "supplier in two spellings": Case(
        P,
        "supplier_ambiguous",
        "4711",
        prepared(person("supplier", supplier="4711"), {SUPPLIER: "4711"}),
        site={"syspro_site": {"numeric_keys": False}},
    ),
    "supplier in another currency": Case(P, "supplier_currency", "EUR", edited({"header.total.currency": "EUR"})),
    "a PO line": Case(P, "order_unknown", "0000000310", edited({LINES: [line(poNumber="0000000310")]})),
    "account unknown": Case(P, "account_unknown", "20-5130", prepared(site(accounts=("20-5130", None)))),
    "account on hold": Case(
        P, "account_on_hold", "20-5130", prepared(person("gl_account", gl_code="20-5130", on_hold=True))
    ),
    "control account": Case(
        P, "control_account", "20-5130", prepared(person("gl_account", gl_code="20-5130", control=True))
    ),
    "terms unknown in SYSPRO": Case(
        P,
        "terms_unknown",
        "77",
        mapped_otherwise('NET60: "60"', 'NET60: "77"', {"header.terms.standardPaymentTermsCode": "NET60"}),
    ),
    "period closed": Case(P, "period_closed", "is closed", prepared(CLOSE_BEFORE, DATED_BEFORE)),
    "period to come": Case(
        P, "period_future", "not begun", edited({"header.accountingDate": on(today() + timedelta(days=40))})
    ),
    "too large for a URL": Case(P, "too_large", "postld", edited({TOTAL: 28.0, LINES: many_accounts()})),
    "credit of nothing": Case(P, "original_unknown", "never seen", credit_of("I999999999")),
    "credit of a purged invoice": Case(P, "original_missing", "ORIGINAL-1", credit_of_purged),
    "credit entered by hand": Case(P, "needs_a_person", "a person decides", credit_by_hand),
    "credit in euros, AP not linked": Case(P, "foreign_credit_journal", "rate", foreign_credit, site=UNLINKED),
    "registered, not posted": Case(P, "registered_not_posted", "approve", prepared(typed_in("registered_invoice"))),
    "a number we posted before": Case(P, "collision", "already has an invoice", same_number_twice),
    "its older self on its way": Case(P, "earlier_in_flight", "on its way", changed_while_on_its_way),
    "our own defect": Case(P, "defect", "ZeroDivisionError", breaks_our_codec),
}
REFUSED = {
    "supplier held after the check": Case(
        P, "supplier", "hold", meanwhile("validated", person("supplier", supplier="V00002", on_hold=True))
    ),
    "account deleted after the check": Case(
        P, "ledgercode", "not found", meanwhile("validated", site(accounts=("20-5130", None)))
    ),
    "period closed after the check": Case(
        P, "period_closed", "no longer open", meanwhile("validated", CLOSE_BEFORE, DATED_BEFORE)
    ),
    "tax rate changed after the check": Case(
        State.FAILED,
        "taxvalue",
        "differs from the calculated tax",
        meanwhile("validated", site(tax_rates=("A", Decimal("0.07"))), TAXED),
    ),
}
FOUND_THERE = {
    "typed in before": Case(State.LINKED, "entered_by_hand", "by hand", prepared(typed_in())),
    "typed in after the look-up": Case(State.LINKED, "entered_by_hand", "by hand", meanwhile("looked_up", typed_in())),
    "adopted": Case(State.LINKED, "adopted", "already in the target", adopted),
    "typed in otherwise": Case(R, "number_already_used", "99", prepared(typed_in(value="99.00"))),
    "typed in otherwise after the look-up": Case(
        R, "number_already_used", "99", meanwhile("looked_up", typed_in(value="99.00"))
    ),
}
OF_THE_SOURCE = {
    "paid": Case(S, "paid_at_source", "paymentStatus Paid", edited({"header.paymentStatus": "Paid"})),
    "cancelled": Case(S, "closed_at_source", "Cancelled", edited({"header.workflowStatus": "Cancelled"})),
    "before the cut-over": Case(S, "before_cut_over", "cut-over", edited({"header.invoiceDate": "2001-02-03"})),
    "taken back": Case(S, "no_longer_eligible", "Pending", parked_then({"header.workflowStatus": "Pending"})),
    "touched, not changed": Case(S, "unchanged", "same content", posted_then({}), booked=1),
    "corrected in time": Case(
        State.SUPERSEDED, "superseded", "before this one was posted", parked_then({ACCOUNT: "51300"}), booked=1
    ),
    "changed too late": Case(
        State.CHANGED_AFTER_POSTING,
        "changed_after_posting",
        "100.0 → 110.0",
        posted_then({TOTAL: 110.0, f"{LINE}.unitPrice": 110}),
        booked=1,
    ),
    "withdrawn too late": Case(
        State.CHANGED_AFTER_POSTING,
        "withdrawn_after_posting",
        "Cancelled",
        posted_then({"header.workflowStatus": "Cancelled"}),
        booked=1,
    ),
    "listed without detail": Case(P, "detail_missing", "only its header", detail_gone),
}
UNKNOWN = {
    "answer lost": Case(State.UNCERTAIN, "outcome_unknown", "nobody knows", sent_and_lost),
    "credit's answer lost": Case(State.UNCERTAIN, "needs_a_person", "a person looks", credit_lost),
    "credit's answer lost, proven site": Case(
        State.UNCERTAIN, "not_found_yet", "looked up again", credit_lost_once_proven
    ),
}
CASES = IN_ITSELF | OUTSIDE_IT | REFUSED | FOUND_THERE | OF_THE_SOURCE | UNKNOWN
PASSED_THROUGH = {State.EXTRACTED, State.VALIDATED, State.POSTING}
HAPPY = {State.POSTED, State.ACCEPTED}
NOT_YET = {State.AWAITING_APPROVAL, State.SUBMITTED}
"""States no route reaches yet."""


def test_the_table_has_every_end_that_is_not_happy() -> None:
    assert {case.state for case in CASES.values()} == set(State) - PASSED_THROUGH - HAPPY - NOT_YET


@pytest.mark.parametrize("name", CASES)
def test_a_good_invoice_beside_a_bad_one_is_posted_exactly_once(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    with flow(tmp_path, jaggaer={"invoices": 0}, **case.site) as deployment:
        desk = Desk(deployment, tmp_path)
        case.script(desk)
        ends = {(document.state, document.reason_code): document for document in desk.revisions(desk.bad)}
        assert (case.state, case.code) in ends, ends
        assert case.words in ends[case.state, case.code].reason
        _assert_good_is_posted_once(desk)
        assert len(desk.postings_of(desk.bad)) == case.booked
        desk.calm()
        deployment.all()
        _assert_good_is_posted_once(desk)
        assert deployment.store.verify_chain().ok


def _assert_good_is_posted_once(desk: Desk) -> None:
    assert [document.state for document in desk.revisions(desk.good)] == [State.POSTED]
    (posting,) = desk.postings_of(desk.good)
    assert (posting["supplier"], posting["invoice"], Decimal(posting["value"])) == ("V00001", GOOD, GROSS)
    assert [(row["gl_code"], Decimal(row["value"])) for row in posting["lines"]] == [("10-5120", GROSS)]
