"""Suppliers both ways between CSI and JAGGAER, and CSI's accounts and unit codes in JAGGAER's lists, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.cloudsuite import Pair, paired

from airflow_provider_mlconnector.documents.lifecycle import State


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with paired(tmp_path) as running:
        yield running


def exchange(pair: Pair, cycles: int = 1) -> tuple[int, int]:
    """Run both routes of suppliers; return what was written into CSI and into JAGGAER."""
    before = _written(pair)
    for _ in range(cycles):
        pair.run("suppliers_in", "suppliers_out")
    after = _written(pair)
    return after[0] - before[0], after[1] - before[1]


def _written(pair: Pair) -> tuple[int, int]:
    return len(pair.app.cloudsuite.ledger()["attempts"]), len(pair.app.jaggaer.ledger()["write_attempts"])


def vendor(pair: Pair, number: str) -> dict[str, Any]:
    """Return a vendor as CSI holds it."""
    (row,) = [row for row in pair.app.cloudsuite.ledger()["suppliers"] if row["VendNum"].strip() == number]
    return dict(row)


def profile(pair: Pair, number: str) -> dict[str, Any]:
    """Return a supplier as JAGGAER holds it."""
    (row,) = [row for row in pair.app.jaggaer.ledger()["suppliers"] if row["number"] == number]
    located = next(iter(row["parts"].get("LocationList", {}).values()), {})
    terms = located.get("TermsAndCondition", {}).get("PaymentTerms", {}).get("StandardPaymentTermsCode", "")
    return {**row["profile"], "bravo_id": row["bravo_id"], "terms": terms}


def listed(pair: Pair, field: str, unit: str | None = None) -> dict[str, str]:
    """Return the values of a code list, of all business units or of one, and whether they are active."""
    rows = pair.app.jaggaer.ledger()["code_lists"]
    own = [row for row in rows if row["customFieldName"] == field and row.get("businessUnit") == unit]
    return {row["value"]: row["active"] for row in own}


# --- suppliers -------------------------------------------------------------------------------------------------------


def test_first_contact_links_all_and_every_cycle_after_it_is_quiet(pair: Pair) -> None:
    exchange(pair)
    assert exchange(pair, 3) == (0, 0)
    states = {pair.document("suppliers_in", profile(pair, "V00001")["bravo_id"]).state}
    assert states <= {State.POSTED, State.LINKED, State.SKIPPED}
    numbers = [row["VendNum"].strip() for row in pair.app.cloudsuite.ledger()["suppliers"]]
    assert len(numbers) == len(set(numbers)), "nothing was created twice"


def test_a_number_padded_in_jaggaer_and_plain_in_csi_is_one_supplier(pair: Pair) -> None:
    exchange(pair, 2)
    assert pair.document("suppliers_out", "4711").state is not State.FAILED, pair.document(
        "suppliers_out", "4711"
    ).reason
    assert profile(pair, "000000000004711")["terms"] == "NET30"
    assert [row["VendNum"] for row in pair.app.cloudsuite.ledger()["suppliers"] if "4711" in row["VendNum"]] == [
        "   4711"
    ]


def test_a_supplier_new_in_jaggaer_gets_a_number_of_csi_which_is_written_back_and_its_echo_writes_nothing(
    pair: Pair,
) -> None:
    exchange(pair)
    new = pair.jaggaer("supplier_create", companyName="Newcomer & Söhne", zip="18055", currency="EUR")
    exchange(pair, 2)
    (row,) = [row for row in pair.app.cloudsuite.ledger()["suppliers"] if row["Name"] == "Newcomer & Söhne"]
    assert row["CurrCode"] == "EUR"
    (shown,) = [one for one in pair.app.jaggaer.ledger()["suppliers"] if one["bravo_id"] == new["bravoId"]]
    assert shown["number"] == row["VendNum"].strip()
    assert exchange(pair, 2) == (0, 0)


def test_a_supplier_new_in_csi_reaches_jaggaer_and_its_echo_writes_nothing(pair: Pair) -> None:
    exchange(pair)
    pair.csi("vendor", vendor="V00777", name="Fresh Bolts", city="Eastport", postal_code="70777", currency="USD")
    exchange(pair, 2)
    assert profile(pair, "V00777")["companyName"] == "Fresh Bolts"
    assert exchange(pair, 2) == (0, 0)


def test_both_sides_edited_in_one_interval_converge_by_owner_in_one_cycle_and_are_then_quiet(pair: Pair) -> None:
    exchange(pair, 2)
    pair.csi("vendor", vendor="V00003", terms="N60", name="Typed here alone")
    pair.jaggaer("supplier_edit", number="V00003", set={"companyName": "Quill & Söhne", "city": "Newtown"})
    exchange(pair)
    assert (vendor(pair, "V00003")["Name"], vendor(pair, "V00003")["VadCity"]) == ("Quill & Söhne", "Newtown")
    assert (profile(pair, "V00003")["companyName"], profile(pair, "V00003")["terms"]) == ("Quill & Söhne", "NET60")
    assert vendor(pair, "V00003")["TermsCode"] == "N60"
    assert exchange(pair, 2) == (0, 0)


def test_a_vendor_deactivated_in_csi_is_inactive_in_jaggaer_and_active_again_with_it(pair: Pair) -> None:
    exchange(pair)
    pair.csi("vendor", vendor="V00004", active=False)
    exchange(pair)
    inactive = profile(pair, "V00004")["status"]
    pair.csi("vendor", vendor="V00004", active=True)
    exchange(pair)
    assert inactive != profile(pair, "V00004")["status"]
    assert exchange(pair, 2) == (0, 0)


def test_a_supplier_deactivated_in_jaggaer_waits_for_a_person(pair: Pair) -> None:
    exchange(pair)
    pair.jaggaer("supplier_deactivate", number="V00005")
    pair.run("suppliers_in")
    document = pair.document("suppliers_in", profile(pair, "V00005")["bravo_id"])
    assert (document.state, document.reason_code) == (State.PARKED, "supplier_deactivated")
    assert vendor(pair, "V00005")["Stat"] == "A"


def test_bank_and_remit_to_of_jaggaer_never_reach_csi(pair: Pair) -> None:
    exchange(pair)
    before = vendor(pair, "V00006")
    pair.jaggaer("supplier_bank", number="V00006", account={"AccountNumber": "999", "BankName": "Fraud Bank"})
    pair.jaggaer("supplier_remit_to", number="V00006", address={"AddressLine1": "1 Elsewhere", "City": "Nowhere"})
    exchange(pair)
    after = vendor(pair, "V00006")
    payment = [name for name in before if name.startswith("VadR") or "Bank" in name]
    assert payment
    assert {name: after[name] for name in payment} == {name: before[name] for name in payment}


def test_a_name_longer_than_csi_takes_is_rejected_and_shortened_on_request(pair: Pair) -> None:
    exchange(pair)
    long = "Präzisionswerkzeuge & Meßtechnik Gesellschaft mit beschränkter Haftung"
    pair.jaggaer("supplier_edit", number="V00007", set={"companyName": long})
    pair.run("suppliers_in")
    document = pair.document("suppliers_in", profile(pair, "V00007")["bravo_id"])
    assert document.state is State.REJECTED, (document.state, document.reason)
    pair.choose("suppliers_in", options={"shorten_names": True})
    pair.jaggaer("supplier_edit", number="V00007", set={"companyName": f"{long}!"})
    exchange(pair)
    name = vendor(pair, "V00007")["Name"]
    assert long.startswith(name)
    assert len(name) < len(long)
    assert profile(pair, "V00007")["companyName"] == f"{long}!", "what was cut does not come back"
    assert exchange(pair, 2) == (0, 0)


@pytest.mark.parametrize("kind", ["reset_after", "cut_body", "html_after", "gateway_timeout", "reset_before"])
def test_a_new_vendor_whose_answer_is_lost_is_made_once(pair: Pair, kind: str) -> None:
    exchange(pair)
    pair.jaggaer("supplier_create", companyName="Lost & Found", zip="18055", currency="USD")
    pair.app.faults.set(
        [{"system": "cloudsuite", "call": "CsiUpdate SLVendors", "kind": kind, "nth": 1, "seconds": 0.1}]
    )
    exchange(pair, 2)
    rows = [row for row in pair.app.cloudsuite.ledger()["suppliers"] if row["Name"] == "Lost & Found"]
    assert len(rows) == 1
    assert exchange(pair, 2) == (0, 0)


# --- codes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [None, "PLANT1"])
def test_accounts_and_unit_codes_reach_the_lists_and_a_second_run_writes_nothing(pair: Pair, unit: str | None) -> None:
    """JAGGAER has some of them for all business units already; one obsolete in CSI must not stay active for ours."""
    for name in ("accounts", "cost_centers"):
        pair.choose(name, options={"business_unit": unit or ""})
    assert listed(pair, "Account")["56000"] == "true"
    pair.run("accounts", "cost_centers")
    assert listed(pair, "Account", unit)["51300"] == "true"
    assert listed(pair, "CostCenter", unit)["CC20"] == "true"
    assert listed(pair, "Account", unit)["56000"] == "false"
    done = _written(pair)
    pair.run("accounts", "cost_centers")
    assert _written(pair) == done


def test_an_account_that_becomes_obsolete_is_inactive_from_its_day_on(pair: Pair) -> None:
    pair.run("accounts")
    pair.csi("account_obsolete", account="52100")
    pair.run("accounts")
    assert listed(pair, "Account")["52100"] == "false"
    pair.csi("account", account="52100", obs_date="")
    pair.run("accounts")
    assert listed(pair, "Account")["52100"] == "true"


def test_an_account_whose_last_day_passes_becomes_inactive_though_nobody_edits_it(pair: Pair) -> None:
    tomorrow = (pair.app.clock.now().date()).toordinal() + 1
    pair.csi("account", account="52100", obs_date=type(pair.app.clock.now().date()).fromordinal(tomorrow).isoformat())
    pair.run("accounts")
    assert listed(pair, "Account")["52100"] == "true"
    pair.pass_time(2 * 24 * 3600)
    pair.run("accounts")
    assert listed(pair, "Account")["52100"] == "false"


def test_a_unit_code_removed_in_csi_becomes_inactive_and_active_when_it_is_back(pair: Pair) -> None:
    pair.run("cost_centers")
    pair.csi("unit_code_remove", unit="CC30")
    pair.run("cost_centers")
    assert listed(pair, "CostCenter")["CC30"] == "false"
    assert listed(pair, "CostCenter")["CC20"] == "true"
    pair.csi("unit_code", unit="CC30", description="Quality")
    pair.run("cost_centers")
    assert listed(pair, "CostCenter")["CC30"] == "true"
