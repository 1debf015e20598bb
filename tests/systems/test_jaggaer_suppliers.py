from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.invoices import keys, texts

from airflow_provider_mlconnector.documents.supplier import Address, BankAccount, Contact, RemitTo, Supplier
from airflow_provider_mlconnector.errors import ConfigurationError, Parked, Rejected
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.rows import read
from airflow_provider_mlconnector.systems.jaggaer.suppliers import decode, supplier_rows
from airflow_provider_mlconnector.systems.ports import Eligibility, SourceRecord

ELEMENTS = {
    "terms_element": "PAYMENT_TERMS",
    "bank_elements": {"holder": "BANK_OWNER", "account": "IBAN"},
    "remit_elements": {"name": "REMIT_NAME", "line1": "REMIT_STREET", "line3": "REMIT_POST", "city": "REMIT_CITY"},
}


def company(**info: Any) -> dict[str, Any]:
    base = {
        "bravoId": "48213",
        "companyName": "Northbridge Tooling",
        "extCode": "V00042",
        "extUniqueCode": "123456789",
        "type": "SELLER",
        "status": "ACTIVE",
        "bizEmail": "ap@northbridge.example",
        "bizPhone": "+44 113 496 0000",
        "address": "1 Mill Rd",
        "city": "Leeds",
        "zip": "LS1 1AA",
        "isoCountry": "GB",
        "euVat": "GB123456789",
        "fiscalCode": "9988",
        "currency": "GBP",
        "userName": "Robin",
        "userSurName": "Account",
        "lastModTime": "20260115102030",
    }
    return {"returnCompanyInfo": base | info}


def with_elements(**elements: str | None) -> dict[str, Any]:
    """Return a company with custom data elements; None withholds the value of one."""
    shown = [
        {"name": name, "values": {"value": [{"id": "1", "restricted": "true"} | ({"deValue": text} if text else {})]}}
        for name, text in elements.items()
    ]
    return company() | {"deBasic": {"deInfo": shown}}


def listed(data: dict[str, Any], **contract: Any) -> SourceRecord:
    return read(json.dumps(data).encode(), supplier_rows(JaggaerContract.parse(contract).suppliers))


def supplier(data: dict[str, Any], **contract: Any) -> Supplier:
    return decode(json.dumps(data).encode(), JaggaerContract.parse({"suppliers": contract}))


def test_a_supplier_is_read_field_by_field() -> None:
    assert supplier(company()) == Supplier(
        source_key="48213",
        revision="2026-01-15T10:20:30.000000Z",
        number="V00042",
        name="Northbridge Tooling",
        currency="GBP",
        tax_id="GB123456789",
        address=Address(lines=("1 Mill Rd",), city="Leeds", postal_code="LS1 1AA", country="GB"),
        contact=Contact(name="Robin Account", email="ap@northbridge.example", phone="+44 113 496 0000", fax=""),
    )


def test_a_row_is_the_whole_record_and_has_no_date_that_a_cut_over_could_meet() -> None:
    found = listed(company())
    assert (found.key, found.revision, found.complete) == ("48213", "2026-01-15T10:20:30.000000Z", True)
    assert found.eligibility is Eligibility.ELIGIBLE
    assert (found.summary.number, found.summary.document_date) == ("V00042", None)


def test_what_companyprofiles_do_not_tell_is_unknown_and_what_they_leave_out_is_empty() -> None:
    info = {"bravoId": "1", "companyName": "X", "status": "ACTIVE", "lastModTime": "20260115"}
    found = supplier({"returnCompanyInfo": info})
    assert (found.terms, found.remit_to, found.bank, found.on_hold) == (None, None, None, None)
    assert (found.number, found.currency, found.tax_id) == ("", "", "")
    assert (found.address, found.contact) == (Address(), Contact(fax=""))


@pytest.mark.parametrize(
    ("stamp", "revision"),
    [
        ("20260115102030", "2026-01-15T10:20:30.000000Z"),
        (20260115102030, "2026-01-15T10:20:30.000000Z"),
        ("2026-01-15T10:20:30.400Z", "2026-01-15T10:20:30.400000Z"),
        ("2026-01-15T10:20:30+01:00", "2026-01-15T09:20:30.000000Z"),
        # the day alone cannot tell two changes of a day apart: another payload is then another revision
        ("20260115", ""),
        (20260115, ""),
        ("2026-01-15", ""),
    ],
)
def test_times_of_change_in_any_form_sort_as_text(stamp: Any, revision: str) -> None:
    found = listed(company(lastModTime=stamp))
    assert (found.key, found.revision) == ("48213", revision)
    assert found.changed_at is not None
    assert supplier(company(lastModTime=stamp)).revision == found.changed_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_a_stamp_without_zone_is_in_the_tenants_own() -> None:
    found = listed(company(), suppliers={"time_zone": "America/New_York"})
    assert found.revision == "2026-01-15T15:20:30.000000Z"
    with pytest.raises(ConfigurationError, match=r"suppliers\.time_zone: .*must be a time zone"):
        JaggaerContract.parse({"suppliers": {"time_zone": "Mars/Olympus"}})


def test_the_hour_that_autumn_repeats_is_read_as_the_later_one() -> None:
    stamps = ["20261025015959", "20261025020000", "20261025025959", "20261025030000"]
    found = [listed(company(lastModTime=stamp), suppliers={"time_zone": "Europe/Berlin"}).revision for stamp in stamps]
    assert [revision[:19] for revision in found] == [
        "2026-10-24T23:59:59",
        "2026-10-25T01:00:00",
        "2026-10-25T01:59:59",
        "2026-10-25T02:00:00",
    ]


@pytest.mark.parametrize("change", [{"bravoId": ""}, {"lastModTime": {}}, {"lastModTime": "soon"}, {"bravoId": 1.5}])
def test_a_company_nobody_can_identify_is_recorded_and_rejected(change: dict[str, Any]) -> None:
    found = listed(company(**change))
    assert found.key.startswith("unreadable-")
    assert (found.eligibility, found.complete) == (Eligibility.ELIGIBLE, True)
    with pytest.raises(Rejected):
        decode(found.payload)


@pytest.mark.parametrize(
    ("change", "eligibility"),
    [
        ({"type": "BUYER"}, Eligibility.NOT_ELIGIBLE),
        ({"type": ""}, Eligibility.NOT_ELIGIBLE),
        ({"type": "seller"}, Eligibility.ELIGIBLE),
        ({"status": "INACTIVE"}, Eligibility.ELIGIBLE),
        ({"status": "PROSPECT"}, Eligibility.NOT_ELIGIBLE),
        ({"status": "AKTIV"}, Eligibility.ELIGIBLE),
    ],
)
def test_only_sellers_past_registration_are_suppliers(change: dict[str, Any], eligibility: Eligibility) -> None:
    assert listed(company(**change), suppliers={"pending": ["Prospect"]}).eligibility is eligibility


def test_status_words_tell_active_from_inactive_and_unknown_ones_wait_for_the_contract() -> None:
    assert supplier(company(status="abilitato")).active
    assert not supplier(company(status="INACTIVE")).active
    for status in ("AKTIV", ""):
        with pytest.raises(Parked) as caught:
            supplier(company(status=status))
        assert (caught.value.code, caught.value.subject) == ("unknown_status", status)
    assert supplier(company(status="AKTIV"), active=["aktiv"]).active


def test_the_erp_number_and_the_tax_id_stand_where_the_tenant_keeps_them() -> None:
    assert supplier(company(extCode={})).number == "123456789"
    assert supplier(company(extCode={}), number=["extCode"]).number == ""
    assert supplier(company(euVat="")).tax_id == "9988"
    assert supplier(company(), tax_id=["fiscalCode"]).tax_id == "9988"


def test_the_users_own_contact_stands_in_for_the_companys() -> None:
    found = supplier(company(bizEmail="", userEmail="robin@northbridge.example"))
    assert found.contact is not None
    assert found.contact.email == "robin@northbridge.example"


def test_a_name_is_needed() -> None:
    with pytest.raises(Rejected, match="the supplier's name"):
        supplier(company(companyName=" "))


def test_named_data_elements_tell_terms_bank_and_remit_to() -> None:
    shown = with_elements(PAYMENT_TERMS="NET30", BANK_OWNER="Northbridge", IBAN="GB00SIM", REMIT_STREET="2 Dock St")
    found = supplier(shown, **ELEMENTS)
    assert found.terms == "NET30"
    assert found.bank == BankAccount(holder="Northbridge", account="GB00SIM")
    assert found.remit_to == RemitTo(address=Address(lines=("2 Dock St",)))
    assert supplier(shown).bank is None


def test_a_group_the_tenant_does_not_show_or_withholds_in_part_is_unknown() -> None:
    found = supplier(with_elements(CATEGORY="Preferred"), **ELEMENTS)
    assert (found.terms, found.bank, found.remit_to) == (None, None, None)
    assert supplier(with_elements(BANK_OWNER="Northbridge", IBAN=None), **ELEMENTS).bank is None
    empty = company() | {"deBasic": {"deInfo": [{"name": "IBAN", "values": {}}]}}
    assert supplier(empty, **ELEMENTS).bank == BankAccount()


@pytest.mark.parametrize(
    ("contract", "words"),
    [
        ({"suppliers": {"bank_elements": {"iban": "X"}}}, "suppliers.bank_elements.iban: Extra inputs"),
        ({"supplier": {}}, "supplier: Extra inputs"),
        ({"purchase_orders": {"approved": [""]}}, "purchase_orders.approved.0"),
        ({"purchase_orders": {"get": "/orders"}}, "purchase_orders.get: Value error, must contain {id}"),
        ({"gl_codes": {"list": "codes"}}, "gl_codes.list: Value error, must start with a slash"),
        ({"payments": {"upsert": "/pay"}}, "payments.upsert: Value error, must contain {id}"),
        ({"filter": {"greater_or_equal": ""}}, "filter.greater_or_equal"),
    ],
)
def test_a_wrong_key_of_the_contract_is_named(contract: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        JaggaerContract.parse(contract, field="connection 'x', field Contract overrides")
    assert words in caught.value.message


@settings(max_examples=50, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(("extCode", "euVat", "city", "zip", "isoCountry"), texts)), keys)
def test_any_texts_are_read_as_they_are(fields: dict[str, str], name: str) -> None:
    found = supplier(company(**fields, companyName=name), number=["extCode"], tax_id=["euVat"])
    assert (found.name, found.number, found.tax_id) == (name, fields["extCode"], fields["euVat"])
    assert found.address is not None
    assert (found.address.city, found.address.postal_code) == (fields["city"], fields["zip"])
