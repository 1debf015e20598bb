"""Payments a person makes and takes back, and how the tables tell them (reference/syspro.md §4 ApInvoicePay)."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def owing(site: Any) -> Any:
    """Three invoices: two of V00001 due in October and November, one of V00042, a supplier on hold."""
    for supplier, number, due in (("V00001", "A", "2024-10-01"), ("V00001", "B", "2024-11-01"),
                                  ("V00042", "C", "2024-10-01")):  # fmt: skip
        body = {"supplier": supplier, "invoice": number, "value": "100.00", "due_date": due}
        site.system.add("ap_invoice", body)
    return site


def state(site: Any, invoice: str) -> list[str]:
    rows: list[list[str]] = site.rows(
        "ApInvoice", "MthInvBal1", "PaymGrossValue", "InvoiceStatus", where=site.cond("Invoice", "EQ", invoice)
    )
    return rows[0]


def test_a_payment_lowers_the_balance_and_the_last_one_settles_the_invoice(owing: Any) -> None:
    pay = {"supplier": "V00001", "invoice": "A", "reference": "CHQ 1"}
    owing.system.add("pay_invoice", pay | {"value": "40.00"})
    assert state(owing, "A") == ["60.00", "40.00", "O"]
    owing.system.add("pay_invoice", pay)
    assert state(owing, "A") == ["0.00", "100.00", "P"]
    assert owing.rows("ApInvoicePay", "EntryNumber", "TrnType", "TrnValue", "PaymentReference") == [
        ["1", "P", "40.00", "CHQ 1"], ["2", "P", "60.00", "CHQ 1"],
    ]  # fmt: skip
    assert [row["value"] for row in owing.ledger("payments")] == ["40.00", "60.00"]


def test_a_reversed_payment_stays_with_a_negative_one_beside_it(owing: Any) -> None:
    body = {"supplier": "V00001", "invoice": "A", "reference": "CHQ 1"}
    owing.system.add("pay_invoice", body)
    assert owing.system.add("payment_reverse", body)["balance"] == "100.00"
    assert state(owing, "A") == ["100.00", "0.00", "O"]
    assert owing.rows("ApInvoicePay", "TrnValue") == [["100.00"], ["-100.00"]]
    assert owing.ledger("gl_entries")["balances"]["00-1100"] == "0.00"
    with pytest.raises(ValueError, match="no such payment"):
        owing.system.add("payment_reverse", body)


def test_a_payment_is_reversed_by_its_entry(owing: Any) -> None:
    body = {"supplier": "V00001", "invoice": "A"}
    for value in ("10.00", "20.00"):
        owing.system.add("pay_invoice", body | {"value": value})
    owing.system.add("payment_reverse", body | {"entry": 1})
    assert [(row["value"], row["reversed"]) for row in owing.ledger("payments")] == [
        ("10.00", True), ("20.00", False), ("-10.00", False),
    ]  # fmt: skip


def test_a_run_pays_what_is_due_in_one_journal_and_leaves_suppliers_on_hold_alone(owing: Any) -> None:
    made = owing.system.add("payment_run", {"due_until": "2024-10-31", "reference": "RUN7"})
    assert (made["invoices"], made["references"]) == (1, {"V00001": "RUN7-001"})
    assert [state(owing, number)[2] for number in "ABC"] == ["P", "O", "O"]
    owing.system.add("supplier", {"supplier": "V00042", "on_hold": False})
    assert owing.system.add("payment_run", {"due_until": "2024-12-31"})["invoices"] == 2
    assert {row["journal"] for row in owing.ledger("payments")[1:]} == {made["journal"] + 1}
    assert owing.system.add("payment_run", {})["journal"] == 0
    assert owing.ledger("gl_entries")["debit"] == owing.ledger("gl_entries")["credit"]
