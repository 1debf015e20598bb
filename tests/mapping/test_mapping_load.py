from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.mapping.load import load_mapping
from airflow_provider_mlconnector.mapping.model import MappingSet, look_up

SAMPLE = Path(__file__).parents[2] / "dags" / "mappings" / "jaggaer_to_syspro.yaml"
SMALL = """\
business_units:
  PLANT1: {company: EDU1, branch: "10"}
currencies: {USD: $}
accounts:
  51200: 5120
"""


def load(text: str) -> MappingSet:
    return load_mapping(text, origin="file x.yaml")


def problem(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(text)
    assert caught.value.field == "file x.yaml"
    return caught.value.message


def test_the_sample_mapping_is_valid_and_says_what_the_sandbox_needs() -> None:
    mapping = load(SAMPLE.read_text())
    assert mapping.business_units["PLANT2"].branch == "20"
    assert look_up(mapping.accounts, "51200", date(2026, 1, 1)) == "5120"
    assert mapping.charges.freight.account == "5500"
    assert mapping.taxes.zero_code == "Z"


def test_a_stored_mapping_is_read_back_the_same() -> None:
    mapping = load(SAMPLE.read_text())
    body = json.loads(json.dumps(mapping.model_dump(mode="json")))
    assert MappingSet.model_validate(body) == mapping
    assert load(json.dumps(body)) == mapping


def test_codes_are_text_exactly_as_written() -> None:
    mapping = load(SMALL + "  0010: 010\n  NO: yes\n  1e3: 2026-01-01\n")
    codes = {code: look_up(mapping.accounts, code, date(2026, 1, 1)) for code in mapping.accounts}
    assert codes == {"51200": "5120", "0010": "010", "NO": "yes", "1e3": "2026-01-01"}


def test_the_text_of_a_variable_may_be_json() -> None:
    body = {
        "business_units": {"PLANT1": {"company": "EDU1"}},
        "currencies": {"USD": "$"},
        "accounts": {"51200": [{"to": "5120", "until": "2026-12-31"}, {"to": "5121", "from": "2027-01-01"}]},
    }
    mapping = load(json.dumps(body, indent=1))
    days = (date(2026, 12, 31), date(2027, 1, 1))
    assert [look_up(mapping.accounts, "51200", day) for day in days] == ["5120", "5121"]


def test_a_code_outside_its_dates_is_not_mapped() -> None:
    mapping = load(SMALL + '  52000: {to: "5200", from: 2026-02-01, until: 2026-02-28}\n')
    days = [date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28), date(2026, 3, 1)]
    assert [look_up(mapping.accounts, "52000", day) for day in days] == [None, "5200", "5200", None]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SMALL + "acounts: {}\n", "line 6: unknown key acounts (did you mean accounts?)"),
        (SMALL + "  51200: 5121\n", "line 6: 51200 is given twice in accounts, first in line 5"),
        (SMALL + "accounts: {}\n", "line 6: accounts is given twice, first in line 4"),
        (SMALL + "  51300: {too: 5130}\n", "line 6: unknown key accounts.51300.too (did you mean to?)"),
        (SMALL + "  51300: {to: a, until: soon}\n", "line 6: accounts.51300.until"),
        (
            SMALL + "  51300: {to: a, from: 2026-02-01, until: 2026-01-01}\n",
            "until 2026-01-01 is before from 2026-02-01",
        ),
        (SMALL + "  51300: [{to: a}, {to: b, from: 2026-01-01}]\n", "a and b hold on the same days"),
        (SMALL + "  51300:\n", "line 6: accounts.51300"),
        (SMALL + "  51300: ''\n", "line 6: accounts.51300.to"),
        (
            SMALL + "taxes:\n  policy: maybe\n",
            "line 7: taxes.policy: input should be 'recoverable', 'non_recoverable' or",
        ),
        (SMALL + "taxes:\n  codes: {A: 20}\n", "line 6: taxes: zero_code is missing"),
        (SMALL + "taxes:\n  codes: {A: 20}\n  zero_code: A\n", "zero_code A has the rate 20"),
        (SMALL + "taxes:\n  codes: {Z: 0}\n  zero_code: X\n", "zero_code X is not among codes"),
        (SMALL + "taxes:\n  codes:\n    A: twenty\n", "line 8: taxes.codes.A"),
        (SMALL + "charges:\n  freight: everywhere\n", "line 7: charges.freight: write spread"),
        (SMALL + "charges:\n  freight: {acount: '5500'}\n", "line 7: unknown key charges.freight.acount (did you mean"),
        (SMALL + "charges:\n  freight: {account: a, gl_code: b}\n", "either account or gl_code"),
        (
            SMALL + "cost_centers:\n  mode: gl_section\n  template: '{center}-{account}'\n",
            "line 6: cost_centers: template",
        ),
        (SMALL + "cost_centers:\n  mapp: {}\n", "line 7: unknown key cost_centers.mapp (did you mean map?)"),
        (SMALL + "defaults: {business_unit: PLANT7}\n", "PLANT7 is not among business_units"),
        ("business_units: {}\n", "currencies is missing"),
        ("business_units:\n  PLANT1: {branch: '10'}\n", "line 2: business_units.PLANT1.company is missing"),
        ("- a\n- b\n", "line 1: a mapping is a set of named sections"),
        ("", "line 1: a mapping is a set of named sections"),
        ("a: [1\nb: 2\n", "line 2:"),
        ("a: *nowhere\n", "line 1: found undefined alias"),
        ("? [1, 2]\n: x\n", "line 1: a key must be a single value"),
        ("a: \x00\n", "line 1: not YAML"),
    ],
)
def test_every_error_names_file_and_line(text: str, words: str) -> None:
    message = problem(text)
    assert message.startswith("mapping in file x.yaml: line ")
    assert words in message


def test_several_errors_are_told_at_once_but_not_hundreds() -> None:
    text = SMALL + "".join(f"wrong{n}: 1\n" for n in range(30))
    assert problem(text).endswith("and 20 more")


def test_a_text_that_multiplies_itself_is_refused() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "too large" in problem("\n".join(levels))


def test_a_text_that_contains_itself_is_refused() -> None:
    assert "line 1: nested too deeply" in problem("a: &a {b: *a}\n")


def test_a_text_nested_without_end_is_refused() -> None:
    assert "line 1: nested too deeply" in problem("a: " + "[" * 5000 + "]" * 5000)


@given(st.integers(0, 40), st.sampled_from(["zzz: 1", "51200: {to: a, x: 1}", "accounts: {}"]))
def test_the_line_named_is_the_line_at_fault(blank: int, wrong: str) -> None:
    text = "# comment\n" * blank + SMALL + ("  " if wrong[0] == "5" else "") + wrong + "\n"
    assert f"line {blank + 6}: " in problem(text)


@given(st.text(max_size=80))
def test_no_text_causes_anything_but_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigurationError):
        load(text)
