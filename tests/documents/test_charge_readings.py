from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from support.invoices import attempt, invoice, invoices, line, some

from airflow_provider_mlconnector.documents.charges import read_charges
from airflow_provider_mlconnector.documents.invoice import Charge, ChargeKind, Invoice, Tax
from airflow_provider_mlconnector.errors import Rejected


def freight(amount: str) -> Charge:
    return Charge(kind=ChargeKind.FREIGHT, amount=Decimal(amount))


def tax(amount: str, code: str = "taxCharge1") -> Tax:
    return Tax(amount=Decimal(amount), code=code)


@some
@given(invoices(least_lines=1, sound=True))
def test_a_total_that_counts_header_and_lines_is_understood(anything: Invoice) -> None:
    reading, code = attempt(read_charges, anything)
    # equal header and line sums of two kinds may cancel each other out
    assert code in {"", "ambiguous_charges"}
    if reading is None:
        return
    if reading.tax_in_total:
        assert set(reading.taxes) <= set(anything.taxes)
        assert set(reading.charges) <= set(anything.charges)


def test_a_header_charge_equal_to_its_lines_is_counted_once_when_the_total_says_so() -> None:
    one = line("100", charges=(freight("6"),))
    reading = read_charges(invoice(one, charges=(freight("6"),), gross="106"))
    assert reading.charges == ()


def test_a_header_charge_equal_to_its_lines_is_additional_when_the_total_says_so() -> None:
    one = line("100", charges=(freight("6"),))
    reading = read_charges(invoice(one, charges=(freight("6"),), gross="112"))
    assert reading.charges == (freight("6"),)


def test_each_kind_of_charge_and_each_tax_is_read_for_itself() -> None:
    one = line("100", charges=(freight("6"),), taxes=(tax("20"), tax("3", "taxCharge2")))
    both = invoice(one, charges=(freight("6"),), taxes=(tax("20"), tax("3", "taxCharge2")), gross="132")
    reading = read_charges(both)
    assert (reading.charges, reading.taxes) == ((), (tax("3", "taxCharge2"),))


def test_a_discount_of_the_header_reduces_the_total() -> None:
    discount = Charge(kind=ChargeKind.DISCOUNT, amount=Decimal(10))
    assert read_charges(invoice(line("100"), charges=(discount,), gross="90")).charges == (discount,)


def test_a_total_reached_by_neither_reading_is_rejected_with_the_arithmetic() -> None:
    one = line("100", charges=(freight("10"),))
    with pytest.raises(Rejected) as caught:
        read_charges(invoice(one, charges=(freight("15"),), gross="110"))
    assert caught.value.code == "total_mismatch"
    assert "lines 100.00 + freight (header 15, lines 10) = 125.00 (difference -15.00)" in caught.value.message


def test_a_total_reached_by_two_different_readings_is_rejected() -> None:
    one = line("100", charges=(freight("6"),), taxes=(tax("6"),))
    with pytest.raises(Rejected) as caught:
        read_charges(invoice(one, charges=(freight("6"),), taxes=(tax("6"),), gross="118"))
    assert caught.value.code == "ambiguous_charges"


def test_one_cent_is_a_difference() -> None:
    with pytest.raises(Rejected, match=r"difference 0\.01"):
        read_charges(invoice(line("100"), gross="100.01"))


def test_a_tax_outside_the_total_is_recognized_as_such() -> None:
    reading = read_charges(invoice(line("100", taxes=(tax("20"),)), gross="100"))
    assert not reading.tax_in_total
