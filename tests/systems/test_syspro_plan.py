"""Every rule between a coded invoice and a posting: what passes, what is parked, what is rejected, in whose words."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from support.syspro_samples import account_row, coded, reference, supplier_row

from airflow_provider_mlconnector.documents.invoice import InvoiceKind, PaymentTerms
from airflow_provider_mlconnector.errors import DocumentError, Parked, Rejected
from airflow_provider_mlconnector.systems.ports import StepDraft, StepKind
from airflow_provider_mlconnector.systems.syspro.client import SysproClient, SysproCredentials
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions
from airflow_provider_mlconnector.systems.syspro.target import SysproTarget
from airflow_provider_mlconnector.systems.transport import Transport

CREDIT = InvoiceKind.CREDIT_MEMO


def target(**options: Any) -> SysproTarget:
    transport = Transport("https://erp.test:31002/SYSPROWCFService/Rest", system="SYSPRO")
    client = SysproClient(transport, SysproCredentials("MLConn", "p", "EDU1"))
    return SysproTarget("syspro_default", client, SysproOptions(company="EDU1", **options))


def steps(invoice: Any, known: dict[str, Any] | None = None, **options: Any) -> list[StepDraft]:
    known = json.loads(json.dumps(known or reference()))
    return list(target(**options).plan(invoice, known, our_reference="ML-1").steps)


def with_supplier(**changes: str) -> dict[str, Any]:
    return reference(suppliers={"V00001": [supplier_row(**changes)]})


def test_an_invoice_becomes_one_create_step_that_survives_json() -> None:
    (step,) = steps(coded(tax="20.00", tax_code="A", branch="20"))
    assert (step.name, step.kind, step.company) == ("ap_invoice", StepKind.CREATE, "EDU1")
    assert step.remote_reference == "V00001|NB-7781|I"
    item = json.loads(json.dumps(step.payload))["item"]
    assert (item["value"], item["tax_value"], item["branch"]) == ("245.00", "20.00", "20")
    assert (item["reference"], item["invoice_date"], item["due_date"]) == ("ML-1", "2026-11-10", "2026-12-10")
    assert step.payload["period"] == [2026, 11]
    assert step.text == "AP invoice V00001 NB-7781 USD 245.00, 3 GL lines"


def test_a_credit_is_a_delta_against_its_original_and_keeps_its_own_number() -> None:
    (step,) = steps(coded("CM-1", kind=CREDIT))
    assert (step.name, step.kind, step.remote_reference) == ("ap_credit", StepKind.DELTA, "V00001|CM-1|C")
    item = step.payload["item"]
    assert (item["invoice"], item["notation"], item["transaction_code"]) == ("NB-7781", "CM-1", "C")
    assert step.fingerprint["original"] == "NB-7781"


def test_where_ap_is_not_linked_a_balanced_journal_is_the_second_step() -> None:
    first, journal = steps(coded(tax="20.00", tax_code="A"), ap_gl="not_linked")
    assert (first.name, journal.name, journal.kind) == ("ap_invoice", "gl_journal", StepKind.DELTA)
    lines = [(line["code"], line["amount"]) for line in journal.payload["journal"]["lines"]]
    assert lines[-2:] == [("00-2300", "20.00"), ("00-2150", "-245.00")]
    assert sum(Decimal(amount) for _, amount in lines) == 0
    assert journal.payload["journal"]["authorize"] == "D"
    assert journal.fingerprint == {"reference": "ML-1", "debit": "245.00"}


def test_the_journal_of_a_credit_is_reversed() -> None:
    _, journal = steps(coded("CM-1", kind=CREDIT, amounts=("25.00",)), ap_gl="not_linked")
    assert [line["amount"] for line in journal.payload["journal"]["lines"]] == ["-25.00", "25.00"]


CASES: list[tuple[str, dict[str, Any], dict[str, Any] | None, dict[str, Any], type[DocumentError], str, str]] = [
    ("long number", {"number": "N" * 25}, None, {}, Rejected, "number_too_long", "SYSPRO takes 20"),
    ("number outside cp1252", {"number": "请求-1"}, None, {}, Rejected, "characters", "请"),
    ("third decimal", {"amounts": ("1.005",)}, None, {}, Rejected, "third_decimal", "nothing is rounded"),
    ("nothing to post", {"amounts": ()}, None, {}, Rejected, "no_lines", "no lines"),
    ("zero", {"amounts": ("5.00", "-5.00")}, None, {}, Rejected, "not_positive", "positive"),
    ("total", {"tax_value": Decimal("1.00")}, None, {}, Rejected, "total_mismatch", "226.00"),
    ("original", {"kind": CREDIT, "invoice": {"original_number": ""}}, None, {}, Parked, "original_unknown", "credits"),
    ("other company", {"company": "X"}, None, {}, Parked, "company", "company X"),
    ("supplier", {"supplier": "V9"}, None, {}, Parked, "supplier_unknown", "V9 does not exist"),
    ("held", {}, with_supplier(OnHold="Y"), {}, Parked, "supplier_on_hold", "V00001 is on hold"),
    ("receipts", {}, with_supplier(GrnMatchReqd="Y"), {}, Parked, "receipt_match", "receipts"),
    (
        "currency",
        {"currency": ("EUR", "EUR")},
        None,
        {},
        Parked,
        "supplier_currency",
        "invoice EUR, supplier V00001 is $",
    ),
    ("branch", {"branch": "77"}, None, {}, Parked, "branch_unknown", "branch 77"),
    ("terms", {"terms_code": "77"}, None, {}, Parked, "terms_unknown", "terms 77"),
    ("tax code", {"tax_code": "Q"}, None, {}, Parked, "tax_code_unknown", "tax code Q"),
    ("no tax code", {"tax_code": ""}, None, {}, Parked, "tax_code_missing", "no tax code"),
    ("account", {"accounts": ("99-1",)}, None, {}, Parked, "account_unknown", "account 99-1"),
    ("account held", {"accounts": ("10-5600",)}, None, {}, Parked, "account_on_hold", "10-5600 is on hold"),
    ("control account", {"accounts": ("00-2100",)}, None, {}, Parked, "control_account", "control account"),
    ("closed", {"when": date(2026, 7, 3)}, None, {}, Parked, "period_closed", "2026/07"),
    ("too old", {"when": date(2023, 7, 3)}, None, {}, Parked, "period_closed", "2023-07-03"),
    (
        "not begun",
        {"when": date(2026, 12, 1)},
        None,
        {"closed_period": "current_open"},
        Parked,
        "period_future",
        "2026/12",
    ),
    ("next year", {"when": date(2027, 2, 1)}, None, {"closed_period": "current_open"}, Parked, "period_future", "2027"),
    ("clearing", {"clearing_account": ""}, None, {"ap_gl": "not_linked"}, Parked, "clearing_account_missing", "EDU1"),
    (
        "clearing is control",
        {"clearing_account": "00-2100"},
        None,
        {"ap_gl": "not_linked"},
        Parked,
        "control_account",
        "00-2100",
    ),
    ("no tax account", {"tax": "5.00"}, None, {"ap_gl": "not_linked"}, Parked, "tax_account_missing", "tax code Z"),
    ("too large for a URL", {"amounts": ("1.00",) * 60}, None, {}, Parked, "too_large", "60 GL lines"),
]


@pytest.mark.parametrize(
    ("changes", "known", "options", "error", "code", "words"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_each_cause_is_told_apart(
    changes: dict[str, Any],
    known: dict[str, Any] | None,
    options: dict[str, Any],
    error: type[DocumentError],
    code: str,
    words: str,
) -> None:
    with pytest.raises(error) as caught:
        steps(coded(**changes), known, **options)
    assert caught.value.code == code
    assert words in caught.value.message


def test_a_supplier_that_two_rows_could_be_is_parked() -> None:
    rows = [supplier_row("310"), supplier_row("000000000000310")]
    with pytest.raises(Parked) as caught:
        steps(coded(supplier="0310"), reference(suppliers={"310": rows}))
    assert caught.value.code == "supplier_ambiguous"


def test_an_account_that_requires_analysis_needs_a_code() -> None:
    known = reference()
    known["accounts"]["10-5120"] = account_row("10-5120", analysis="Y")
    with pytest.raises(Parked) as caught:
        steps(coded(), known)
    assert caught.value.code == "analysis_required"
    base = coded(amounts=("5.00",))
    line = base.postings[0].model_copy(update={"cost_center": "CC10"})
    (step,) = steps(base.model_copy(update={"postings": (line,)}), known)
    assert step.payload["item"]["distribution"][0]["analysis_code"] == "CC10"


def test_a_foreign_supplier_is_posted_in_its_currency() -> None:
    known = with_supplier(Currency="EUR")
    (step,) = steps(coded(currency=("EUR", "EUR")), known)
    assert step.payload["foreign"] is True
    _, journal = steps(coded(currency=("EUR", "EUR")), known, ap_gl="not_linked")
    assert "debit" not in journal.fingerprint
    with pytest.raises(Parked) as caught:
        steps(coded(currency=("EUR", "EUR"), kind=CREDIT), known, ap_gl="not_linked")
    assert caught.value.code == "foreign_credit_journal"


def test_a_closed_period_may_be_replaced_by_the_current_one_and_says_so() -> None:
    (step,) = steps(coded(when=date(2026, 7, 3)), closed_period="current_open")
    assert step.payload["period"] == [2026, 11]
    assert "accounting date 2026-07-03 is closed" in step.payload["notes"][0]
    assert step.payload["item"]["invoice_date"] == "2026-07-03"


def test_the_accounting_date_decides_the_period() -> None:
    invoice = coded(when=date(2026, 7, 3), invoice={"accounting_date": date(2026, 10, 31)})
    assert steps(invoice)[0].payload["period"] == [2026, 10]


def test_dates_are_always_explicit() -> None:
    def due(**header: Any) -> str:
        item = steps(coded(invoice={"due_date": None, **header}))[0].payload["item"]
        return f"{item['due_date']} {item['discount_date']}"

    assert due() == "2026-12-10 2026-12-10"
    assert due(terms=PaymentTerms(days=10)) == "2026-11-20 2026-11-20"
    assert due(terms=PaymentTerms(days=10, discount_days=5)) == "2026-11-20 2026-11-15"
    known = reference(terms={"30": {"TermsCode": "30"}})
    with pytest.raises(Rejected) as caught:
        steps(coded(invoice={"due_date": None}), known)
    assert caught.value.code == "due_date_missing"


def test_free_text_is_reduced_and_the_loss_noted() -> None:
    invoice = coded(amounts=("5.00",))
    line = invoice.postings[0].model_copy(update={"notation": "Łódź 部品 " + "x" * 40})
    (step,) = steps(invoice.model_copy(update={"postings": (line,)}), line_notations=True)
    notation = step.payload["item"]["distribution"][0]["notation"]
    assert notation.startswith("?ódz ?? xxx")
    assert len(notation) == 30
    assert "GL line 1" in step.payload["notes"][0]


def test_our_reference_must_fit_its_field() -> None:
    for bad in ("", "x" * 31, "請"):
        with pytest.raises(ValueError, match="our reference"):
            target().plan(coded(), reference(), our_reference=bad)


def test_what_may_be_sent_again_depends_on_what_the_target_refuses() -> None:
    (invoice,) = steps(coded())
    (credit,) = steps(coded("CM-1", kind=CREDIT))
    _, journal = steps(coded(), ap_gl="not_linked")

    def may(step: StepDraft, not_found: int, minutes: float, **options: Any) -> bool:
        return target(**options).may_repost(step, not_found=not_found, minutes_since_first=minutes)

    assert may(invoice, 1, 0)
    assert not may(invoice, 0, 99)
    assert [may(journal, 1, 99), may(journal, 2, 14), may(journal, 2, 15)] == [False, False, True]
    assert not may(credit, 9, 999)
    assert may(credit, 2, 15, credit_reference_proven=True)


def test_the_lease_names_installation_company_and_operator() -> None:
    assert target().operator_lease == "syspro:erp.test:31002:edu1:mlconn"
    assert target(remote_timeout=90).settle_seconds == 120
