"""APSTRI, and the approval of what it registered by APSTIN type P (reference/syspro.md §2.1, §2.2)."""

from __future__ import annotations

from typing import Any

import pytest

ROOT = (
    '<?xml version="1.0" encoding="Windows-1252"?>\n'
    "<postapregisterinvoice Language='05' Language2='EN' CssStyle='' DecFormat='1' DateFormat='01' Role='01'"
    " Version='8.0.105' OperatorPrimaryRole='   '>\n"
)


def test_a_registered_invoice_answers_its_key_and_no_counters(site: Any) -> None:
    assert site.apstri(site.registration(orders=["4711"])) == ROOT + (
        "<Item>\n<Key>\n<Supplier>V00001</Supplier>\n<Invoice>INV-1</Invoice>\n<TransactionType>I</TransactionType>\n"
        "<EntryNumber>001</EntryNumber>\n</Key>\n</Item>\n</postapregisterinvoice>\n "
    )
    [row] = site.ledger("registered_invoices")
    assert (row["value"], row["due_date"], row["orders"]) == ("1200.00", "2024-10-17", ["0" * 11 + "4711"])
    assert site.rows("ApInvoice", "Invoice") == site.ledger("gl_journals") == []


def test_there_is_no_dry_run(site: Any) -> None:
    assert site.apstri(site.registration(), ValidateOnly="Y").startswith("ERROR: ")
    assert site.outcomes() == ["refused"]
    assert site.ledger("registered_invoices") == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"Supplier": "NOBODY"}, "supplier"), ({"Supplier": "V00042"}, "supplier"), ({"Invoice": ""}, "invoice"),
        ({"Branch": "99"}, "branch"), ({"InvoiceValue": "much"}, "invoicevalue"), ({"DueDate": "soon"}, "duedate"),
    ],
)  # fmt: skip
def test_a_wrong_registration_is_refused_by_its_field_and_the_next_one_is_not(
    site: Any, changes: dict[str, str], field: str
) -> None:
    answer = site.apstri(site.registration(**changes), site.registration(Invoice="INV-2"))
    assert f"<{field}>\n<Value" in answer
    assert "<ItemNumber>000001</ItemNumber>" in answer
    assert [row["invoice"] for row in site.ledger("registered_invoices")] == ["INV-2"]
    assert site.outcomes() == ["refused", "posted"]


@pytest.mark.parametrize(("uniqueness", "entries"), [(True, [1]), (False, [1, 2])])
def test_a_second_registration_is_refused_where_uniqueness_is_on(
    new_site: Any, uniqueness: bool, entries: list[int]
) -> None:
    site = new_site(uniqueness=uniqueness)
    for _ in range(2):
        site.apstri(site.registration())
    assert [row["entry"] for row in site.ledger("registered_invoices")] == entries
    assert ("<invoice>" in site.apstin(site.item())) is uniqueness


def test_an_approval_posts_the_registered_value_once(site: Any) -> None:
    site.apstri(site.registration(DueDate="2024-12-01", Branch="20"))
    approval = site.item(TransactionCode="P", TransactionValue="9.99")
    answer = site.apstin(approval)
    assert "<TransactionCode>P</TransactionCode>" in answer
    assert site.rows("ApInvoice", "OrigInvValue", "DueDate", "Branch") == [["1200.00", "2024-12-01", "20"]]
    assert [row["approved"] for row in site.ledger("registered_invoices")] == [True]
    assert [row["type"] for row in site.ledger("ap_invoices")] == ["I"]
    assert site.ledger("gl_entries")["balances"]["00-2100"] == "-1200.00"
    assert "<invoice>\n<Value>INV-1</Value>" in site.apstin(approval)


def test_what_is_not_registered_cannot_be_approved_nor_twice_in_one_document(site: Any) -> None:
    assert "<invoice>" in site.apstin(site.item(TransactionCode="P"))
    site.apstri(site.registration())
    twice = [site.item(TransactionCode="P")] * 2
    assert site.apstin(*twice, ApplyIfEntireDocumentValid="N").count("<Key>") == 1


def test_a_person_registers_and_approves(site: Any) -> None:
    body = {"supplier": "V00001", "invoice": "R-1", "value": "100.00"}
    site.system.add("registered_invoice", body)
    site.system.add("approve_invoice", {"supplier": "V00001", "invoice": "R-1"})
    assert site.rows("ApInvoice", "Invoice", "OrigInvValue") == [["R-1", "100.00"]]
    with pytest.raises(ValueError, match="not registered"):
        site.system.add("approve_invoice", {"supplier": "V00001", "invoice": "R-1"})
