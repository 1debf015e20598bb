"""Codes of the ledger read backwards through the mapping: code lists and payments."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from airflow_provider_mlconnector.documents.ledger import CodedEntry, CodeList, CostCenter, LedgerAccount
from airflow_provider_mlconnector.documents.payment import CodedPayment, Payment
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.mapping.code_lists import code_entry
from airflow_provider_mlconnector.mapping.load import load_mapping
from airflow_provider_mlconnector.mapping.payments import code_payment

MAPPING = load_mapping(
    """
business_units: {P: {company: EDU1}}
currencies: {USD: "$", EUR: EUR, USN: {to: "$", from: 2027-01-01}}
accounts:
  "51200":
    - {to: "5120", until: 2026-12-31}
    - {to: "5121", from: 2027-01-01}
  "51300": "5130"
  "51400": "5130"
cost_centers: {mode: analysis, map: {CC10: "10"}}
""",
    origin="test",
)
IN_2026, IN_2027 = date(2026, 6, 1), date(2027, 6, 1)


def entry(code: str, *, on: date = IN_2026, reverse: bool = True, center: bool = False) -> CodedEntry:
    fields: dict[str, Any] = {"source_key": code, "revision": code, "code": code, "description": "d"}
    document = CostCenter(**fields) if center else LedgerAccount(**fields)
    return code_entry(document, MAPPING, version=3, reverse=reverse, on=on)


def payment(currency: str, *, on: date = IN_2026, reverse: bool = True) -> CodedPayment:
    document = Payment(
        source_key="1",
        revision="1",
        supplier="V1",
        invoice="I1",
        payment_date=on,
        amount=Decimal(1),
        currency=currency,
    )
    return code_payment(document, MAPPING, version=3, reverse=reverse)


def test_a_code_goes_by_the_names_the_mapping_has_for_it() -> None:
    assert entry("5120").values == ("51200",)
    assert entry("5130").values == ("51300", "51400")
    assert (entry("10", center=True).values, entry("10", center=True).field) == (("CC10",), CodeList.COST_CENTER)
    assert entry("5120").mapping_version == 3


def test_names_hold_on_their_days() -> None:
    assert entry("5121", on=IN_2027).values == ("51200",)
    assert entry("5121", on=IN_2026).values == ("5121",)


def test_a_code_that_is_not_mapped_goes_by_its_own_name() -> None:
    assert entry("2150").values == ("2150",)


def test_a_code_whose_own_name_means_another_one_is_for_a_person() -> None:
    with pytest.raises(Parked, match="means 5130") as told:
        entry("51300")
    assert (told.value.code, told.value.subject) == ("code_clash", "51300")


def test_a_mapping_made_from_the_ledgers_side_is_read_forwards() -> None:
    assert entry("51300", reverse=False).values == ("5130",)


def test_a_payments_currency_is_that_of_its_day() -> None:
    assert payment("$").currency == "USD"
    assert payment("EUR", reverse=False).currency == "EUR"
    assert payment("").currency == ""


@pytest.mark.parametrize(("currency", "on"), [("$", IN_2027), ("GBP", IN_2026)])
def test_a_currency_that_is_missing_or_stands_for_two_is_for_a_person(currency: str, on: date) -> None:
    with pytest.raises(Parked) as told:
        payment(currency, on=on)
    assert (told.value.code, told.value.subject) == ("unmapped_currency", currency)
