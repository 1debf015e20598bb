from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.documents.supplier import CodedSupplier, NewSupplier, Supplier
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.mapping.load import load_mapping
from airflow_provider_mlconnector.mapping.model import MappingSet
from airflow_provider_mlconnector.mapping.suppliers import code_supplier

SAMPLE = Path(__file__).parents[2] / "dags" / "mappings" / "jaggaer_to_syspro.yaml"
TEXT = """\
business_units: {PLANT1: {company: EDU1}}
accounts: {}
currencies: {USD: $, EUR: EUR, GBP: EUR}
terms:
  NET30: "30"
  N30: "30"
  NET60: "60"
  NET90:
    - {to: "90", until: 2026-12-31}
    - {to: "91", from: 2027-01-01}
suppliers: {branch: 10, bank: 1, class: TRADE, grn_match_required: "Y"}
"""
MAPPING = load_mapping(TEXT, origin="test")
DAY = date(2026, 6, 1)


def supplier(**fields: Any) -> Supplier:
    return Supplier(**{"source_key": "48001", "revision": "1", "name": "Northbridge Tooling"} | fields)


def code(document: Supplier, mapping: MappingSet = MAPPING, *, reverse: bool = False, on: date = DAY) -> CodedSupplier:
    return code_supplier(document, mapping, version=7, reverse=reverse, on=on)


def test_codes_become_the_ledgers_and_read_backwards_the_sources() -> None:
    there = code(supplier(currency="USD", terms="NET60"))
    assert (there.currency, there.terms, there.mapping_version) == ("$", "60", 7)
    back = code(supplier(currency="$", terms="60"), reverse=True)
    assert (back.currency, back.terms) == ("USD", "NET60")


@pytest.mark.parametrize("reverse", [False, True])
def test_what_the_source_does_not_tell_or_tells_as_empty_stays_so(reverse: bool) -> None:
    assert code(supplier(), reverse=reverse).currency is None
    assert code(supplier(), reverse=reverse).terms is None
    assert code(supplier(currency="", terms=""), reverse=reverse).currency == ""
    assert code(supplier(currency="", terms=""), reverse=reverse).terms == ""


@pytest.mark.parametrize(
    ("fields", "reverse", "what", "subject"),
    [
        ({"currency": "KWD"}, False, "currency", "KWD"),
        ({"terms": "NET45"}, False, "terms", "NET45"),
        ({"currency": "KWD"}, True, "currency", "KWD"),
        ({"terms": "45"}, True, "terms", "45"),
        ({"currency": "EUR"}, True, "currency", "EUR"),
        ({"terms": "30"}, True, "terms", "30"),
    ],
)
def test_a_missing_or_ambiguous_code_parks_the_supplier_and_is_the_subject(
    fields: dict[str, str], reverse: bool, what: str, subject: str
) -> None:
    with pytest.raises(Parked) as caught:
        code(supplier(**fields), reverse=reverse)
    assert (caught.value.code, caught.value.subject) == (f"unmapped_{what}", subject)


def test_an_ambiguous_code_names_every_code_it_stands_for() -> None:
    with pytest.raises(Parked, match="NET30, N30"):
        code(supplier(terms="30"), reverse=True)


def test_a_dated_code_holds_on_the_day_asked_for() -> None:
    assert code(supplier(terms="NET90")).terms == "90"
    assert code(supplier(terms="NET90"), on=date(2027, 1, 1)).terms == "91"
    assert code(supplier(terms="91"), reverse=True, on=date(2027, 1, 1)).terms == "NET90"
    with pytest.raises(Parked):
        code(supplier(terms="91"), reverse=True)


@given(st.dictionaries(st.from_regex("[A-Z]{1,4}", fullmatch=True), st.integers(0, 9), min_size=1), st.data())
def test_reading_backwards_undoes_reading_forwards_unless_codes_share_a_target(
    codes: dict[str, int], data: st.DataObject
) -> None:
    targets = {name: str(target) for name, target in codes.items()}
    mapping = MappingSet.model_validate({"business_units": {}, "accounts": {}, "currencies": {}, "terms": targets})
    chosen = data.draw(st.sampled_from(sorted(targets)))
    there = code(supplier(terms=chosen), mapping)
    assert there.terms == targets[chosen]
    if list(targets.values()).count(targets[chosen]) == 1:
        assert code(supplier(terms=there.terms), mapping, reverse=True).terms == chosen
    else:
        with pytest.raises(Parked):
            code(supplier(terms=there.terms), mapping, reverse=True)


def test_new_suppliers_get_what_the_mapping_says_and_no_receipt_matching_unless_asked_for() -> None:
    assert code(supplier()).new == NewSupplier(branch="10", bank="1", supplier_class="TRADE", grn_match_required=True)
    sample = code(supplier(), load_mapping(SAMPLE.read_text(), origin="sample")).new
    assert (sample.branch, sample.bank, sample.terms, sample.currency) == ("10", "1", "30", "$")
    assert sample.grn_match_required is False
    assert MappingSet.model_validate({"business_units": {}, "accounts": {}, "currencies": {}}).suppliers.branch == ""
