from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.documents.matching import Candidate, Matcher, code_key, name_key
from airflow_provider_mlconnector.documents.supplier import Address, Supplier
from airflow_provider_mlconnector.errors import Parked

NORTH = Candidate("V00001", "V00001", "Northbridge Tooling Ltd.", "LS1 1AA", "GB 123 456 789")
ALPINE = Candidate("V00002", "V00002", "Alpine Reagents GmbH", "80331", "DE000000002")
ALPINE_SHOP = Candidate("V00003", "V00003", "Alpine Reagents GmbH", "80331")
NUMBERED = Candidate("000000000004711", "000000000004711", "Numbered Supply Co", "44711")


def plain(number: str) -> str:
    return number.strip().upper().lstrip("0")


def match(*known: Candidate, taken: dict[str, str] | None = None, **fields: Any) -> str:
    postal = fields.pop("postal_code", "")
    given = {"source_key": "48001", "revision": "1", "name": "Nobody", "address": Address(postal_code=postal)} | fields
    found = Matcher(known, normal=plain).match(Supplier(**given), key="48001", taken=taken or {})
    return found.key if found else ""


def parked(*known: Candidate, **fields: Any) -> Parked:
    with pytest.raises(Parked) as caught:
        match(*known, **fields)
    assert caught.value.code == "supplier_ambiguous"
    return caught.value


def test_the_number_decides_in_any_spelling() -> None:
    assert match(NORTH, NUMBERED, number="4711") == NUMBERED.key
    assert match(NORTH, NUMBERED, number=" v00001 ") == NORTH.key


def test_without_a_number_that_is_known_the_tax_id_decides() -> None:
    assert match(NORTH, ALPINE, tax_id="GB123456789") == NORTH.key
    assert match(NORTH, ALPINE, number="X9", tax_id="de 000000002") == ALPINE.key


def test_last_of_all_name_and_postal_code_decide_together() -> None:
    assert match(NORTH, ALPINE, name="ALPINE  Reagents, G.m.b.H.", postal_code="80331") == ALPINE.key
    assert match(NORTH, name="Northbridge Tooling Ltd", postal_code="ls11aa") == NORTH.key
    assert match(NORTH, ALPINE, name="Alpine Reagents GmbH", postal_code="80332") == ""
    assert match(NORTH, ALPINE, name="Alpine Reagents GmbH") == ""


def test_nothing_in_common_is_a_new_supplier() -> None:
    assert match(NORTH, ALPINE) == ""
    assert match(Candidate("V9", name="Nobody")) == ""


def test_several_candidates_are_named_for_a_person() -> None:
    error = parked(ALPINE, ALPINE_SHOP, name="Alpine Reagents GmbH", postal_code="80331")
    assert error.subject == "V00002, V00003"
    assert "V00002 Alpine Reagents GmbH; V00003 Alpine Reagents GmbH" in error.message
    twins = [Candidate(key, name=key, tax_id="DE1") for key in ("A", "B")]
    assert parked(*twins, tax_id="DE1").subject == "A, B"
    doubles = [Candidate(key, "V1") for key in ("48001", "48002")]
    assert parked(*doubles, number="V1").subject == "48001, 48002"


def test_a_number_and_a_tax_id_that_mean_different_suppliers_are_for_a_person() -> None:
    error = parked(NORTH, ALPINE, number="V00001", tax_id="DE000000002")
    assert error.subject == "V00001, V00002"
    assert match(NORTH, ALPINE, number="V00001", tax_id="nobody's") == NORTH.key


@pytest.mark.parametrize(
    "fields",
    [{"number": "V00001"}, {"tax_id": "GB123456789"}, {"name": "Northbridge Tooling Ltd", "postal_code": "LS1 1AA"}],
)
def test_one_already_linked_to_another_is_never_taken_over(fields: dict[str, str]) -> None:
    error = parked(NORTH, taken={"V00001": "48077"}, **fields)
    assert "48077" in error.message
    assert match(NORTH, taken={"V00001": "48001"}, **fields) == NORTH.key


@given(st.text(st.characters(codec="cp1252")), st.text(" .,-'()/\t", max_size=3))
def test_punctuation_blanks_and_case_never_tell_names_apart(name: str, noise: str) -> None:
    assert name_key(noise.join(name.upper())) == name_key(name.upper())
    assert name_key(name_key(name)) == name_key(name)


def test_accents_do_not_tell_names_apart_but_an_ampersand_does() -> None:
    assert name_key("Ångström & Söhne") == name_key("ANGSTROM & SOHNE")
    assert name_key("A & B") != name_key("AB")
    assert code_key("gb 123-456") == "GB123456"
