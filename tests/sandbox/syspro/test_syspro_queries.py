"""GENQGL, GENQRY, APSQRY (reference/syspro.md §2.5, §2.6) and what a person can do at the screen."""

from __future__ import annotations

from typing import Any

import pytest


def _genqgl(code: str, flags: str = "Y") -> str:
    return f"<Query><key><LedgerCode>{code}</LedgerCode><ValidateFlags>{flags}</ValidateFlags></key></Query>"


def test_genqgl_shows_a_valid_code_in_a_report(site: Any) -> None:
    answer = site.query("GENQGL", _genqgl("10-5120"))
    assert answer.startswith('<?xml version="1.0" encoding="Windows-1252"?>\n<GLStructureQuery>\n<SystemInformation>\n')
    assert "<LedgerDetails>\n<LedgerCode>10-5120</LedgerCode>\n<Description>Consumables</Description>" in answer


def test_genqgl_refuses_unknown_codes_and_with_flags_those_on_hold(site: Any) -> None:
    assert site.query("GENQGL", _genqgl("10-9999")).startswith("ERROR: Ledger code '10-9999'")
    assert site.query("GENQGL", _genqgl("10-5600")).startswith("ERROR: Ledger code '10-5600'")
    assert "<LedgerDetails>" in site.query("GENQGL", _genqgl("10-5600", "N"))


def test_genqry_shows_the_hold_flag_the_balance_and_the_transactions(site: Any) -> None:
    site.apstin(site.item())
    option = "<Option><IncludeTransactions>Y</IncludeTransactions></Option>"
    query = "<Query><Key><LedgerCode>{}</LedgerCode></Key>" + option + "</Query>"
    answer = site.query("GENQRY", query.format("10-5120"))
    assert "<AccOnHldFlag>N</AccOnHldFlag>" in answer
    assert "<PtdDrValue>1000.00</PtdDrValue>\n<PtdCrValue>0.00</PtdCrValue>\n<CurrentBalance>1000.00</" in answer
    assert "<Source>AP</Source>\n<Journal>00872</Journal>" in answer
    assert "<AccOnHldFlag>Y</AccOnHldFlag>" in site.query("GENQRY", query.format("20-5600"))


def test_apsqry_shows_invoices_and_their_payments(site: Any) -> None:
    site.apstin(site.item())
    paid = site.system.add(
        "pay_invoice", {"supplier": "V00001", "invoice": "INV-1", "value": "1000", "reference": "CHQ 9"}
    )
    assert paid["balance"] == "200.00"
    options = "<IncludeInvoices>Y</IncludeInvoices><IncludeInvoicePayments>Y</IncludeInvoicePayments>"
    answer = site.query("APSQRY", f"<Query><Key><Supplier>V00001</Supplier></Key><Option>{options}</Option></Query>")
    assert (
        "<OrigInvValue>1200.00</OrigInvValue>\n<OrigDiscValue>0.00</OrigDiscValue>\n<MthInvBal>200.00</MthInvBal>"
        in answer
    )
    assert "<PaymentReference>CHQ 9</PaymentReference>\n<TrnValue>1000.00</TrnValue>\n<TrnType>P</TrnType>" in answer
    assert site.ledger("gl_entries")["balances"]["00-1100"] == "-1000.00"


def test_apsqry_of_an_unknown_supplier_is_an_error_as_text(site: Any) -> None:
    assert site.query("APSQRY", "<Query><Key><Supplier>NOBODY</Supplier></Key></Query>").startswith("ERROR: Supplier")


# A person at the screen


def test_what_a_person_types_in_is_marked_and_no_write_attempt(site: Any) -> None:
    site.system.add(
        "ap_invoice", {"supplier": "V00001", "invoice": "INV-1", "value": 1200, "tax_value": 200, "tax_code": "A"}
    )
    [invoice] = site.ledger("ap_invoices")
    assert (invoice["by"], invoice["operator"], invoice["request_no"]) == ("person", "PERSON", 0)
    assert invoice["lines"][0]["value"] == "1000.00"
    assert site.ledger("write_attempts") == []
    assert "<invoice>" in site.apstin(site.item())


def test_a_person_can_credit_an_invoice(site: Any) -> None:
    body = {"supplier": "V00001", "invoice": "INV-1", "value": "100.00"}
    site.system.add("ap_invoice", body)
    site.system.add("ap_credit", body | {"reference": "CM"})
    assert site.rows("ApInvoicePay", "TrnType", "PaymentReference") == [["C", "CM"]]
    assert site.ledger("ap_invoices")[0]["balance"] == "0.00"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("nothing", {}),
        ("ap_invoice", {"supplier": "NOBODY", "invoice": "1", "value": "1"}),
        ("ap_credit", {"supplier": "V00001", "invoice": "1", "value": "1"}),
        ("pay_invoice", {"supplier": "V00001", "invoice": "1"}),
        ("purge_invoice", {"supplier": "V00001", "invoice": "1"}),
        ("supplier", {"supplier": "V00001", "currency": "XXX"}),
        ("period", {"module": "AR", "year": 2024, "month": 1}),
        ("gl_journal_post", {"journal": 1}),
    ],
)
def test_what_syspro_would_refuse_is_refused_to_a_person_too(site: Any, kind: str, body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        site.system.add(kind, body)


def test_master_data_can_be_changed_and_added(site: Any) -> None:
    site.system.add("supplier", {"supplier": "V00001", "on_hold": True, "currency": "EUR"})
    site.system.add("supplier", {"supplier": "V00099", "name": "New"})
    site.system.add("gl_account", {"gl_code": "10-5120", "on_hold": True})
    site.system.add("gl_account", {"gl_code": "10-7777", "description": "New"})
    where = site.cond("Supplier", "EQ", "V00001")
    assert site.rows("ApSupplier", "OnHold", "Currency", where=where) == [["Y", "EUR"]]
    assert "<Key>" in site.apstin(site.item(("10-7777", "1000.00", "A"), Supplier="V00099"))
    where = site.cond("GlCode", "EQ", "10-5120") + site.cond("Company", "EQ", "EDU1")
    assert site.rows("GenMaster", "AccOnHldFlag", "ControlAccFlag", where=where) == [["Y", "N"]]
