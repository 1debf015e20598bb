"""The oracle of the chaos: a write that comes after one of its identity took effect is told, even if it was refused."""

from __future__ import annotations

from typing import Any

import pytest
from support.oracle import Books, repeated

pytestmark = pytest.mark.chaos


def books(**ledgers: list[dict[str, Any]]) -> Books:
    """Return the three systems' books with these attempts alone."""
    return Books(
        {"write_attempts": ledgers.get("syspro", [])},
        {"write_attempts": ledgers.get("jaggaer", [])},
        {"attempts": ledgers.get("cloudsuite", []), "vouchers": [], "m3": {"invoices": []}},
    )


def syspro(outcome: str, reason: str = "") -> dict[str, Any]:
    """Return an attempt to post a credit memo."""
    told = {"bo": "APSTIN", "type": "C", "reference": "MLC1", "key": "V1/7", "validate_only": False}
    return {**told, "outcome": outcome, "reason": reason}


def jaggaer(outcome: str) -> dict[str, Any]:
    """Return an attempt to create a supplier."""
    return {"kind": "supplier", "operation": "CREATE", "key": "V1", "outcome": outcome}


def cloudsuite(outcome: str, operation: str = "insert", kind: str = "SLVendors") -> dict[str, Any]:
    """Return an attempt to create a vendor."""
    return {"kind": kind, "operation": operation, "key": "  V1", "outcome": outcome}


ATTEMPTS = {
    "syspro": (syspro("posted"), syspro("refused", "already there")),
    "jaggaer": (jaggaer("stored"), jaggaer("refused")),
    "cloudsuite": (cloudsuite("stored"), cloudsuite("refused")),
}


@pytest.mark.parametrize("system", ATTEMPTS)
def test_a_write_after_one_that_took_effect_is_told_whether_it_took_effect_or_not(system: str) -> None:
    done, refused = ATTEMPTS[system]
    assert list(repeated(books(**{system: [done]}))) == []
    assert list(repeated(books(**{system: [refused, refused, done]}))) == [], "nothing had taken effect before"
    assert len(list(repeated(books(**{system: [done, done]})))) == 1
    assert len(list(repeated(books(**{system: [done, refused]})))) == 1


def test_a_batch_of_m3_and_a_line_of_a_voucher_are_told_too() -> None:
    for kind, operation in (("invoice", "AddHead"), ("SLAptrxds", "insert")):
        twice = [cloudsuite("stored", operation, kind), cloudsuite("refused", operation, kind)]
        assert len(list(repeated(books(cloudsuite=twice)))) == 1


def test_what_syspro_refused_for_its_ended_session_was_no_write() -> None:
    assert list(repeated(books(syspro=[syspro("posted"), syspro("refused", "The session has ended")]))) == []
