"""What a supplier of the ledger means for JAGGAER, without any wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from support.into_jaggaer import coded, supplier

from airflow_provider_mlconnector.documents.supplier import (
    Address,
    BankAccount,
    CodedSupplier,
    Contact,
    RemitTo,
    Supplier,
    owners,
)
from airflow_provider_mlconnector.errors import Parked, Rejected
from airflow_provider_mlconnector.systems.jaggaer import tsm
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract, TsmContract
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.jaggaer.supplier_plan import Holdings, SupplierPlanner
from airflow_provider_mlconnector.systems.ports import Context, Known, Links, Plan

SUPPLIER_ORDER = [
    "ERPNumber",
    "Name",
    "Active",
    "BusinessUnitVendorNumberList",
    "AddressList",
    "LocationList",
    "AccountsPayableList",
]
ADDRESS_ORDER = [
    "ERPNumber",
    "Name",
    "Active",
    "AddressLine1",
    "AddressLine2",
    "AddressLine3",
    "City",
    "State",
    "PostalCode",
    "IsoCountryCode",
]
ACCOUNT_ORDER = ["ERPNumber", "Active", "AccountId", "AccountHolderName", "CountryCode", "BankAccount"]
"""As reference/jaggaer.md §3.4 has them, as far as they are sent."""

PROFILE = {
    "companyName": "Alpine Reagents 1",
    "extCode": "V00001",
    "extUniqueCode": "V00001",
    "type": "SELLER",
    "status": "ACTIVE",
    "bizEmail": "accounts@v00001.example",
    "userName": "Robin",
    "userSurName": "Account",
    "address": "1 Foundry Road",
    "city": "Millbrook",
    "zip": "40001",
    "isoCountry": "US",
    "fiscalCode": "TX0000001",
    "currency": "USD",
}


def planned(
    document: Supplier,
    *rows: Mapping[str, str],
    context: Context | None = None,
    with_messages: bool = False,
    chosen: Mapping[str, str] | None = None,
    codes: Mapping[str, str] | None = None,
    contract: Mapping[str, Any] | None = None,
) -> Plan:
    read = JaggaerContract.parse(contract)
    holdings = Holdings.of({"suppliers": {f"4800{n}": row for n, row in enumerate(rows, start=1)}}, read)
    planner = SupplierPlanner(read, owners(chosen or {}), "", with_messages)
    return planner.plan(
        coded(document, **(codes or {})), holdings, ours="MLC1", context=context or Context(document.source_key)
    )


def fields(plan: Plan) -> dict[str, str]:
    (step,) = plan.steps
    found: dict[str, str] = step.payload["fields"]
    return found


def known(document: Supplier, **result: Any) -> Context:
    links = Links({document.source_key: "48001"}, {"48001": document.source_key})
    return Context(document.source_key, Known("00000001", document, {"key": "48001", **result}), links)


def test_a_supplier_that_says_the_same_is_linked() -> None:
    plan = planned(supplier("V00001"), PROFILE)
    assert (list(plan.steps), plan.key, list(plan.overruled)) == ([], "48001", [])


def test_what_jaggaer_owns_is_reported_and_not_written() -> None:
    person = Contact(name="Somebody", email="new@v.example", phone="1")
    plan = planned(
        supplier("V00001", name="Alpine Reagents Ltd", contact=person, address=Address(lines=("2 New Road",))), PROFILE
    )
    assert not plan.steps
    assert {lost.field: (lost.here, lost.there) for lost in plan.overruled} == {
        "name": ("Alpine Reagents Ltd", "Alpine Reagents 1"),
        "address": ("2 New Road", "1 Foundry Road, Millbrook, 40001, US"),
        "contact": ("new@v.example, 1", "accounts@v00001.example"),
    }


def test_what_the_ledger_was_given_to_own_is_written() -> None:
    plan = planned(supplier("V00001", name="Alpine Reagents Ltd"), PROFILE, chosen={"name": "erp"})
    assert fields(plan) == {"companyName": "Alpine Reagents Ltd"}


@pytest.mark.parametrize(
    "address",
    [
        Address(lines=("1 Foundry Road", "Millbrook"), postal_code="40001"),
        Address(lines=("1 FOUNDRY ROAD",), city="Millbrook", postal_code="40 001", country="us"),
    ],
)
def test_an_address_cut_otherwise_is_the_same_address(address: Address) -> None:
    assert not planned(supplier("V00001", address=address), PROFILE).overruled


def test_groups_a_source_does_not_tell_are_neither_compared_nor_written() -> None:
    silent = supplier("V00001", address=None, contact=None, tax_id=None, remit_to=None, bank=None, on_hold=None)
    plan = planned(silent, PROFILE, codes={"currency": None, "terms": None}, with_messages=True)  # type: ignore[dict-item]
    assert not plan.overruled
    profile, step = plan.steps
    assert profile.payload["fields"] == {}
    assert step.payload["content"] == {"number": "V00001", "active": True}


def test_an_empty_tax_id_erases_only_what_the_ledger_once_had() -> None:
    now = supplier("V00001", tax_id="")
    assert not planned(now, PROFILE).steps
    assert fields(planned(now, PROFILE, context=known(supplier("V00001")))) == {"fiscalCode": ""}
    assert not planned(now, PROFILE, context=known(now)).steps


def test_a_tax_id_stays_in_the_field_the_tenant_keeps_it_in() -> None:
    row = {**PROFILE, "fiscalCode": "", "euVat": "GB1"}
    assert fields(planned(supplier("V00001"), row)) == {"euVat": "TX0000001"}
    assert not planned(supplier("V00001", tax_id="g.b. 1"), row).steps


def test_padded_and_unpadded_numbers_are_one_supplier() -> None:
    row = {**PROFILE, "extCode": "4711", "extUniqueCode": "4711"}
    plan = planned(supplier("000000000004711", name=PROFILE["companyName"], tax_id=PROFILE["fiscalCode"]), row)
    assert (plan.key, list(plan.steps)) == ("48001", [])


def test_a_linked_supplier_is_not_matched_again() -> None:
    other = {**PROFILE, "companyName": "Another", "extCode": "", "extUniqueCode": "", "fiscalCode": ""}
    plan = planned(supplier("V00001"), other, context=known(supplier("V00001")))
    assert plan.key == "48001"
    assert {"extCode", "extUniqueCode", "fiscalCode"} <= fields(plan).keys()


def test_a_linked_company_that_is_gone_waits_for_a_person() -> None:
    with pytest.raises(Parked, match="merged or deleted") as told:
        planned(supplier("V00001"), context=known(supplier("V00001")))
    assert (told.value.code, told.value.subject) == ("supplier_gone", "48001")


def test_two_candidates_are_for_a_person() -> None:
    twins = ({**PROFILE, "extCode": "", "extUniqueCode": ""}, {**PROFILE, "extCode": "", "extUniqueCode": ""})
    with pytest.raises(Parked) as told:
        planned(supplier("V00001"), *twins)
    assert told.value.code == "supplier_ambiguous"


def test_a_supplier_without_number_is_rejected() -> None:
    with pytest.raises(Rejected, match="no ERP number"):
        planned(supplier("V1").model_copy(update={"number": ""}))


def test_a_new_company_gets_everything_known_and_what_the_tenant_demands() -> None:
    plan = planned(
        supplier("V00001", address=Address(lines=("1 Foundry Road", "Unit 4"), country="United Kingdom")),
        contract={"supplier_writes": {"created": {"type": "SELLER", "locale": "en_GB"}}},
    )
    sent = fields(plan)
    assert (sent["type"], sent["locale"], sent["status"]) == ("SELLER", "en_GB", "ACTIVE")
    assert sent["address"] == "1 Foundry Road\nUnit 4, United Kingdom"
    assert "" not in sent.values()
    assert plan.key == ""


def test_a_message_is_planned_only_when_it_says_something_new() -> None:
    document = supplier("V00001")
    _, step = planned(document, PROFILE, with_messages=True).steps
    last = step.payload["keep"]
    assert not planned(document, PROFILE, with_messages=True, context=known(document, **last)).steps
    _, again = planned(
        document, PROFILE, with_messages=True, context=known(document, **last), codes={"terms": "NET60"}
    ).steps
    assert again.payload["content"]["terms"] == "NET60"


def test_a_supplier_a_person_deactivated_is_activated_by_the_next_change_of_the_ledger() -> None:
    document = supplier("V00001")
    _, step = planned(document, PROFILE, with_messages=True).steps
    row = {**PROFILE, "status": "INACTIVE"}
    plan = planned(document, row, with_messages=True, context=known(document, **step.payload["keep"]))
    assert [each.name for each in plan.steps] == ["profile", "tsm"]


@given(
    st.builds(
        Supplier,
        source_key=st.just("V00001"),
        revision=st.just("-"),
        number=st.just("V00001"),
        name=st.text("Añß&<]>\x07 ", min_size=1).filter(str.strip),
        on_hold=st.sampled_from([None, True, False]),
        remit_to=st.none()
        | st.builds(
            RemitTo,
            name=st.text(max_size=3),
            address=st.builds(
                Address,
                lines=st.lists(st.text(max_size=4), max_size=5).map(tuple),
                city=st.text(max_size=3),
                country=st.sampled_from(["", "GB", "gb", "Great Britain"]),
            ),
        ),
        bank=st.none()
        | st.builds(BankAccount, account=st.text(max_size=4), branch=st.text(max_size=3), holder=st.text(max_size=3)),
    ),
    st.sampled_from([None, "", "NET30"]),
    st.sets(st.sampled_from(tsm.PARTS)),
    st.sampled_from(["AccountId", "BankAccount/AccountNumber"]),
)
def test_every_message_is_well_formed_and_keeps_the_order_of_the_dtd(
    document: Supplier, terms: str | None, gone: set[str], account: str
) -> None:
    contract = TsmContract(bank_account=account, bank_branch="BankAccount/RoutingNumber")
    said = tsm.content_of(
        CodedSupplier(supplier=document, terms=terms, mapping_version=1), number="V00001", name=document.name, unit="P1"
    )
    body = tsm.message(json.loads(json.dumps(said)), contract, gone=sorted(gone), message_id="m").body
    (found,) = etree.fromstring(etree.tostring(body, encoding="utf-8")).iter("Supplier")
    for element, order in (
        (found, SUPPLIER_ORDER),
        *((each, ADDRESS_ORDER) for each in found.iter("Address")),
        *((each, ACCOUNT_ORDER) for each in found.iter("AccountsPayable")),
    ):
        places = [order.index(str(child.tag)) for child in element]
        assert places == sorted(set(places))
    assert found.findtext("Active") == ("No" if document.on_hold else "Yes")
    if document.bank and document.bank.account.isprintable() and document.bank.account:
        assert found.findtext(f".//AccountsPayable/{account}") == document.bank.account


def test_more_street_lines_than_there_are_elements_share_the_last() -> None:
    document = supplier("V1", remit_to=RemitTo(address=Address(lines=("a", "b", "c", "d"), country="Utopia")))
    body = tsm.message(
        tsm.content_of(coded(document), number="V1", name="", unit=""), TsmContract(), gone=(), message_id="m"
    ).body
    assert [body.findtext(f".//AddressLine{n}") for n in (1, 2, 3)] == ["a", "b", "c, d, Utopia"]


def test_payment_data_can_never_be_given_to_jaggaer_to_decide() -> None:
    with pytest.raises(ValueError, match="never applied by itself"):
        JaggaerOptions(owners={"bank": "jaggaer"})
