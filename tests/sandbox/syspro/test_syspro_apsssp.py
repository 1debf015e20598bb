"""APSSSP: suppliers set up, changed and deleted (reference/syspro.md §2.4), and what a person does to them."""

from __future__ import annotations

from typing import Any

import pytest

NEW = {
    "SupplierName": "Alpine Reagents GmbH", "Branch": "10", "TermsCode": "30", "Bank": "1", "Currency": "EUR",
}  # fmt: skip
ROOT = (
    '<?xml version="1.0" encoding="Windows-1252"?>\n'
    "<setupapsupplier Language='05' Language2='EN' CssStyle='' DecFormat='1' DateFormat='01' Role='01'"
    " Version='8.0.105' OperatorPrimaryRole='   '>\n"
)


def _row(site: Any, key: str, *columns: str, table: str = "ApSupplier") -> list[str]:
    rows: list[list[str]] = site.rows(table, *columns, where=site.cond("Supplier", "EQ", key))
    return rows[0] if rows else []


def _stored(site: Any, key: str) -> dict[str, Any]:
    return next((row for row in site.ledger("suppliers") if row["supplier"] == key and not row["deleted"]), {})


def test_an_added_supplier_answers_in_lower_case_with_unpadded_counters(site: Any) -> None:
    assert site.supplier("Add", site.supplier_item("JAG0042", **NEW)) == ROOT + (
        "<item>\n<key>\n<supplier>JAG0042</supplier>\n</key>\n</item>\n<StatusOfItems>\n<RecordsRead>1</RecordsRead>\n"
        "<RecordsInvalid>0</RecordsInvalid>\n</StatusOfItems>\n</setupapsupplier>\n "
    )
    assert _row(site, "JAG0042", "SupplierName", "Currency", "DateSuppAdded") == [
        "Alpine Reagents GmbH", "EUR", "2024-09-17",
    ]  # fmt: skip


def test_a_second_supplier_under_one_key_is_a_duplicate_beside_its_key(site: Any) -> None:
    site.supplier("Add", site.supplier_item("JAG0042", **NEW))
    assert site.supplier("Add", site.supplier_item("JAG0042", **NEW)) == ROOT + (
        "<item>\n<key>\n<supplier>JAG0042</supplier>\n</key>\n<supplier>\n<Value>JAG0042</Value>\n"
        "<ErrorNumber>120001</ErrorNumber>\n<ErrorDescription>Duplicate key 'JAG0042' on 'ApSupplier'"
        "</ErrorDescription>\n</supplier>\n</item>\n<StatusOfItems>\n<RecordsRead>1</RecordsRead>\n"
        "<RecordsInvalid>1</RecordsInvalid>\n</StatusOfItems>\n</setupapsupplier>\n "
    )
    attempts = site.ledger("write_attempts")
    assert [(a["bo"], a["type"], a["key"], a["outcome"]) for a in attempts] == [
        ("APSSSP", "Add", "JAG0042", "posted"), ("APSSSP", "Add", "JAG0042", "refused"),
    ]  # fmt: skip
    assert "Duplicate key" in attempts[1]["reason"]


def test_blank_flags_take_the_documented_defaults_so_that_receipts_must_be_matched(site: Any) -> None:
    site.supplier("Add", site.supplier_item("JAG0042", **NEW))
    stored = _stored(site, "JAG0042")
    assert {name: stored[name] for name in ("GrnMatchReqd", "PurchOrdAllowed", "OnHold", "SupplierType")} == {
        "GrnMatchReqd": "Y", "PurchOrdAllowed": "Y", "OnHold": "N", "SupplierType": "P",
    }  # fmt: skip
    assert "<supplier>" in site.apstin(site.item(Supplier="JAG0042", TaxCode="Z", TaxValue="0"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Branch", "99"), ("TermsCode", "9"), ("Bank", "9"), ("Currency", "XXX"), ("DefTaxCode", "Q"),
        ("MerchGlCode", "99-0000"), ("Branch", ""), ("Currency", ""), ("SupplierName", ""), ("GrnMatchReqd", "M"),
        ("DefaultChequeDay", "29"), ("DateSuppAdded", "17.09.2024"), ("MinPoVal", "much"),
    ],
)  # fmt: skip
def test_what_is_in_no_table_or_no_value_is_refused_by_its_field(site: Any, name: str, value: str) -> None:
    order = ["SupplierName", "Branch", "TermsCode", "Bank", "Currency", "DateSuppAdded", "DefTaxCode",
             "DefaultChequeDay", "MerchGlCode", "MinPoVal", "GrnMatchReqd"]  # fmt: skip
    fields = NEW | {name: value}
    answer = site.supplier("Add", site.supplier_item("JAG0042", **{key: fields[key] for key in order if key in fields}))
    assert f"<{name.lower()}>\n<Value" in answer
    assert _stored(site, "JAG0042") == {}


def test_a_ledger_code_of_the_wrong_type_is_only_a_warning(site: Any) -> None:
    for ignore, outcome in (("N", "refused"), ("W", "posted"), ("Y", "posted")):
        item = site.supplier_item(f"J{ignore}", **NEW, MerchGlCode="00-2150")
        answer = site.supplier("Add", item, IgnoreWarnings=ignore)
        assert ("<WarningDescription>" in answer) is (ignore == "W")
        assert site.outcomes()[-1] == outcome


def test_a_dry_run_stores_nothing(site: Any) -> None:
    answer = site.supplier("Add", site.supplier_item("JAG0042", **NEW), ValidateOnly="Y")
    assert "<RecordsInvalid>0</RecordsInvalid>" in answer
    assert (site.outcomes(), _stored(site, "JAG0042")) == (["validated"], {})


@pytest.mark.parametrize(("entire", "expected"), [("Y", []), ("N", ["B"])])
def test_one_bad_supplier_stops_the_others_only_of_an_entire_document(
    site: Any, entire: str, expected: list[str]
) -> None:
    items = [site.supplier_item("A", **(NEW | {"Branch": "99"})), site.supplier_item("B", **NEW)]
    answer = site.supplier("Add", *items, ApplyIfEntireDocumentValid=entire)
    assert "<RecordsRead>2</RecordsRead>\n<RecordsInvalid>1</RecordsInvalid>" in answer
    assert [key for key in ("A", "B") if _stored(site, key)] == expected


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, ("Ann Orr", "")),
        ({"update_omitted": "blank"}, ("", "")),
        ({"update_empty": "keep"}, ("Ann Orr", "a@b.example")),
    ],
)
def test_what_an_update_does_to_omitted_and_empty_elements_is_the_sites_option(
    new_site: Any, options: dict[str, str], kept: tuple[str, str]
) -> None:
    site = new_site(**options)
    first = {"SupplierName": "A", "Contact": "Ann Orr", "Branch": "10", "TermsCode": "30", "Bank": "1", "Currency": "$"}
    site.supplier("Add", site.supplier_item("JAG0042", **first, Email="a@b.example"))
    site.supplier("Update", site.supplier_item("JAG0042", **(NEW | {"Currency": "$"}), Email=""))
    stored = _stored(site, "JAG0042")
    assert (stored["Contact"], stored["Email"]) == kept
    assert stored["SupplierName"] == NEW["SupplierName"]


def test_an_update_of_an_unknown_supplier_is_refused(site: Any) -> None:
    assert "<supplier>\n<Value>NOBODY</Value>" in site.supplier("Update", site.supplier_item("NOBODY", **NEW))


def test_addresses_and_remit_to_live_in_a_table_of_their_own(site: Any) -> None:
    item = site.supplier_item(
        "JAG0042", **NEW, SupAddr1="1 Quay", SupPostalCode="4001", RemitName="Alpine Treasury", RemitAddr2="Floor 2"
    )
    site.supplier("Add", item)
    columns = ("SupAddr1", "SupPostalCode", "RemitName", "RemitAddr2", "RemitAddr1")
    assert _row(site, "JAG0042", *columns, table="ApSupplierAddr") == [
        "1 Quay",
        "4001",
        "Alpine Treasury",
        "Floor 2",
        "",
    ]
    assert site.find("ApSupplier", "SupAddr1").startswith("ERROR: Column")


@pytest.mark.parametrize(("oversize", "stored"), [("error", ""), ("truncate", "N" * 50)])
def test_a_name_longer_than_its_column_is_cut_or_refused(new_site: Any, oversize: str, stored: str) -> None:
    site = new_site(oversize=oversize)
    site.supplier("Add", site.supplier_item("JAG0042", **(NEW | {"SupplierName": "N" * 60})))
    assert _stored(site, "JAG0042").get("SupplierName", "") == stored


def test_numeric_suppliers_are_stored_padded(site: Any) -> None:
    answer = site.supplier("Add", site.supplier_item("815", **NEW))
    assert "<supplier>815</supplier>" in answer
    assert _row(site, "0" * 12 + "815", "Supplier") == ["0" * 12 + "815"]


def test_a_supplier_without_invoices_can_be_deleted_and_stays_in_the_oracle(site: Any) -> None:
    site.supplier("Add", site.supplier_item("JAG0042", **NEW))
    assert "<RecordsInvalid>0</" in site.supplier("Delete", site.supplier_item("JAG0042"))
    assert _row(site, "JAG0042", "Supplier") == []
    assert [row["deleted"] for row in site.ledger("suppliers") if row["supplier"] == "JAG0042"] == [True]
    site.apstin(site.item())
    assert "<RecordsInvalid>1</" in site.supplier("Delete", site.supplier_item("V00001"))


def test_the_order_and_the_names_of_elements_are_the_schemas(new_site: Any) -> None:
    wrong = {"Currency": "$", "SupplierName": "A", "Branch": "10", "TermsCode": "30", "Bank": "1"}
    for fields in (wrong, NEW | {"Nickname": "Al"}):
        site = new_site()
        assert site.supplier("Add", site.supplier_item("JAG0042", **fields)).startswith("ERROR: ")
        assert site.outcomes() == ["refused"]
        assert site.ledger("write_attempts")[0]["supplier"] == "JAG0042"
        assert "<RecordsInvalid>0</" in new_site(strict=False).supplier("Add", site.supplier_item("J", **fields))


def test_setup_only_knows_its_own_objects(site: Any) -> None:
    answer = site.text("/Setup/Add", UserId=site.user_id, BusinessObject="APSTIN", XmlParameters="", XmlIn="<x/>")
    assert answer == "ERROR: e.net exception raised: 100000"
    assert site.system.call_name("/sysprowcfservice/rest/Setup/Add", {"BusinessObject": "apsssp"}) == "SetupAdd:APSSSP"


def test_a_site_can_hold_as_many_suppliers_as_a_run_needs(new_site: Any) -> None:
    plain, large = new_site(), new_site(suppliers=200)
    assert len(large.ledger("suppliers")) == len(plain.ledger("suppliers")) + 200
    assert "<Key>" in large.apstin(large.item(Supplier="V10199"))


# A person


def test_a_person_creates_renames_holds_and_merges_suppliers(site: Any) -> None:
    person = site.system.add
    person("supplier", {"supplier": "P1", "name": "Quarry Bolts", "SupPostalCode": "12345", "grn_match_required": True})
    person("supplier", {"supplier": "P1", "name": "Quarry Bolts & Nuts"})
    assert _row(site, "P1", "SupplierName", "GrnMatchReqd", "OnHold") == ["Quarry Bolts & Nuts", "Y", "N"]
    person("supplier_merge", {"supplier": "P1", "into": "V00002"})
    assert _row(site, "P1", "OnHold", "PurchOrdAllowed") == ["Y", "N"]
    person("supplier_merge", {"supplier": "P1", "into": "V00002", "delete": True})
    assert _row(site, "P1", "OnHold") == []
    assert site.ledger("write_attempts") == []


def test_each_change_of_a_supplier_moves_its_row_version(site: Any) -> None:
    before = _row(site, "V00001", "TimeStamp")
    site.supplier("Update", site.supplier_item("V00001", Contact="Someone else"))
    assert _row(site, "V00001", "TimeStamp") > before


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("supplier", {"supplier": "V00001", "bank": "9"}),
        ("supplier", {"supplier": "V00001", "terms": "9"}),
        ("supplier_delete", {"supplier": "NOBODY"}),
        ("supplier_merge", {"supplier": "V00001", "into": "NOBODY"}),
    ],
)
def test_a_person_cannot_do_to_suppliers_what_syspro_refuses(site: Any, kind: str, body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        site.system.add(kind, body)
