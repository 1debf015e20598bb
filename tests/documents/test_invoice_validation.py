from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from support.invoices import allocation, attempt, invoice, invoices, line, some

from airflow_provider_mlconnector.documents.invoice import Invoice, InvoiceKind, Tax
from airflow_provider_mlconnector.documents.validation import MAX_LINES, check_invoice
from airflow_provider_mlconnector.errors import Rejected


@some
@given(invoices(least_lines=1, sound=True))
def test_a_sound_invoice_passes(anything: Invoice) -> None:
    checked, code = attempt(check_invoice, anything)
    assert code in {"", "ambiguous_charges"}
    assert checked is None or checked.invoice is anything


@some
@given(invoices())
def test_an_invoice_either_passes_or_is_rejected_with_a_code_and_a_field(anything: Invoice) -> None:
    checked, code = attempt(check_invoice, anything)
    assert (checked is None) == bool(code)


BAD: dict[str, Callable[[], Invoice]] = {
    "no_lines": lambda: invoice(gross="1"),
    "unknown_currency": lambda: invoice(line(), currency="XQZ"),
    "limit_exceeded": lambda: invoice(line("1000000000000")),
    "control_character": lambda: invoice(line(), number="NB\x007781"),
    "too_many_decimals": lambda: invoice(line(), gross="100.005"),
    "implausible_date": lambda: invoice(line(), due_date=date(1926, 1, 10)),
    "negative_total": lambda: invoice(line("-5")),
    "total_mismatch": lambda: invoice(line(), gross="100.01"),
}


@pytest.mark.parametrize("code", BAD)
def test_each_flaw_has_its_own_code(code: str) -> None:
    with pytest.raises(Rejected) as caught:
        check_invoice(BAD[code]())
    assert caught.value.code == code


def test_the_gravest_flaw_is_the_one_reported() -> None:
    with pytest.raises(Rejected) as caught:
        check_invoice(invoice(currency="XQZ", gross="-1.234"))
    assert caught.value.code == "no_lines"


def test_a_third_decimal_is_sound_in_dinars_and_not_in_dollars() -> None:
    check_invoice(invoice(line("1.234", currency="KWD"), currency="KWD"))
    with pytest.raises(Rejected, match=r"the smallest amount of USD is 0\.01"):
        check_invoice(invoice(line("1.23", taxes=(Tax(amount=Decimal("0.001")),)), gross="1.231"))


def test_too_many_lines_are_told_before_anything_is_computed() -> None:
    with pytest.raises(Rejected) as caught:
        check_invoice(invoice(*[line()] * (MAX_LINES + 1)))
    assert caught.value.code == "limit_exceeded"


def test_an_absurdly_long_key_is_rejected() -> None:
    with pytest.raises(Rejected, match="number has 201 characters"):
        check_invoice(invoice(line(), number="9" * 201))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([{"percent": 60}, {"percent": 30}], "60 + 30 % = 90 %, not 100 %"),
        ([{"percent": "33.33"}] * 3, "99.99 %, not 100 %"),
        ([{"percent": 150}, {"percent": -50}], "not all between 0 and 100"),
        ([{"amount": 60}, {"amount": "39.99"}], "60 + 39.99 = 99.99, but the line is 100.00"),
        ([{"amount": 60}, {"percent": 40}], "all be percentages or all be amounts"),
        ([{"amount": 100, "percent": 100}], "all be percentages or all be amounts"),
    ],
)
def test_splits_that_do_not_make_up_the_line_are_rejected_with_the_arithmetic(
    parts: list[dict[str, str]], words: str
) -> None:
    splits = tuple(allocation(**part) for part in parts)
    with pytest.raises(Rejected) as caught:
        check_invoice(invoice(line("100.00", allocations=splits)))
    assert caught.value.code == "allocation_mismatch"
    assert caught.value.field == "lines[0].allocations"
    assert words in caught.value.message


def test_a_negative_credit_memo_is_told_to_be_an_invoice() -> None:
    with pytest.raises(Rejected, match="enter a negative credit memo as invoice"):
        check_invoice(invoice(line("-5"), kind=InvoiceKind.CREDIT_MEMO))
