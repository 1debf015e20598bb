"""Logon, eviction, idling, seats and locks (reference/syspro.md §1.4–1.6)."""

from __future__ import annotations

import re
from typing import Any

import pytest

INVALID = (
    "ERROR: The supplied UserID is invalid. Either you were not logged in; or your session has expired. "
    "You will need to logon again."
)


def test_a_session_key_is_32_hex_digits_the_instance_and_two_blanks(site: Any) -> None:
    assert re.fullmatch(r"[0-9A-F]{32}00  ", site.logon())


def test_keys_follow_from_the_seed(new_site: Any) -> None:
    assert new_site().user_id == new_site().user_id


def test_a_wrong_operator_password_has_the_exact_recorded_bytes(site: Any) -> None:
    answer = site.logon(OperatorPassword="guess")
    assert answer == "ERROR: Invalid operator password"
    assert len(answer) == 32


@pytest.mark.parametrize("field", ["Operator", "CompanyId", "CompanyPassword"])
def test_other_logon_mistakes_are_refused_as_text_and_recorded(site: Any, field: str) -> None:
    assert site.logon(**{field: "WRONG"}).startswith("ERROR: ")
    assert site.ledger("logons")[-1]["outcome"] == "refused"


def test_a_second_logon_evicts_the_first(site: Any) -> None:
    first = site.user_id
    site.logon()
    assert site.text("/GetLogonProfile", UserId=first) == INVALID
    assert len(site.ledger("sessions")) == 1


def test_two_operators_do_not_evict_each_other(site: Any) -> None:
    first = site.user_id
    site.logon(Operator="MLCONN2", OperatorPassword="ledger-bridge-8")
    assert "MLCONN</OperatorCode>" in site.text("/GetLogonProfile", UserId=first)


def test_logoff_answers_0_once_and_the_invalid_text_after(site: Any) -> None:
    assert site.text("/Logoff", UserId=site.user_id) == "0"
    assert site.text("/Logoff", UserId=site.user_id) == INVALID


def test_each_call_refreshes_an_idle_session_and_the_timeout_ends_it(new_site: Any) -> None:
    site = new_site(idle_minutes=20)
    for _ in range(3):
        site.clock.advance(minutes=19)
        assert "OperatorCode" in site.text("/GetLogonProfile", UserId=site.user_id)
    site.clock.advance(minutes=21)
    assert site.text("/GetLogonProfile", UserId=site.user_id) == INVALID


def test_a_key_of_another_instance_names_the_missing_registry_entry(site: Any) -> None:
    answer = site.text("/GetLogonProfile", UserId="0" * 32 + "80")
    assert answer == "ERROR: Unable to read the SYSPRO base directory registry string BaseDir8"


def test_a_full_class_of_seats_refuses_until_the_idle_one_is_over_its_time(new_site: Any) -> None:
    site = new_site(licenses=1)
    second = {"Operator": "MLCONN2", "OperatorPassword": "ledger-bridge-8"}
    assert site.logon(**second).startswith("ERROR: Maximum")
    site.clock.advance(minutes=21)
    assert not site.logon(**second).startswith("ERROR")


def test_wrong_passwords_lock_the_operator_when_the_site_says_so_and_are_counted(new_site: Any) -> None:
    site = new_site(lock_after=3)
    answers = [site.logon(OperatorPassword="guess") for _ in range(4)]
    assert answers[:3] == ["ERROR: Invalid operator password"] * 3
    assert answers[3] == site.logon() == "ERROR: Operator has been locked"
    assert [record["wrong_attempts"] for record in site.ledger("logons")] == [0, 1, 2, 3, 3, 3]


def test_by_default_wrong_passwords_never_lock(site: Any) -> None:
    for _ in range(30):
        site.logon(OperatorPassword="guess")
    assert not site.logon().startswith("ERROR")


def test_evicting_everybody_ends_the_session_as_a_person_logging_in_does(site: Any) -> None:
    site.system.evict_all()
    assert site.apstin(site.item()) == INVALID
    assert site.ledger("write_attempts")[0] | {"at": "", "request_no": 0} == {
        "request_no": 0, "at": "", "by": "api", "operator": "", "bo": "APSTIN", "supplier": "V00001",
        "invoice": "INV-1", "type": "I", "value": "1200.00", "reference": "PO 004711", "outcome": "refused",
        "reason": INVALID.removeprefix("ERROR: "), "validate_only": False, "key": "",
    }  # fmt: skip


def test_a_reset_forgets_sessions_and_documents(site: Any) -> None:
    site.apstin(site.item())
    site.system.reset(seed=1, options=site.system.options)
    assert site.ledger("ap_invoices") == site.ledger("write_attempts") == site.ledger("sessions") == []
    assert site.text("/GetLogonProfile", UserId=site.user_id) == INVALID
