from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

PROFILES = "/j1p/api/public/ja/v1/companyprofiles"


def listed(tenant: Any, **params: Any) -> Any:
    return tenant.raw("GET", PROFILES, params=params).json()


def infos(tenant: Any, flt: str = "") -> list[dict[str, str]]:
    return [row["returnCompanyInfo"] for row in listed(tenant, flt=flt)["returnCompanyData"]]


def company(operation: str, sub_users: list[dict[str, str]] | None = None, **info: str) -> dict[str, Any]:
    body: dict[str, Any] = {"company": {"operationCode": operation, "sendEMail": "false", "companyInfo": info}}
    if sub_users is not None:
        body["subUsers"] = {"operationCode": "CREATE", "sendEMail": "false", "subUser": sub_users}
    return body


def post(tenant: Any, body: Any) -> dict[str, Any]:
    answer = tenant.raw("POST", PROFILES, json=body)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def row_of(tenant: Any, number: str) -> dict[str, Any]:
    rows = tenant.control("GET", "ledger")["jaggaer"]["suppliers"]
    found: dict[str, Any] = next(row for row in rows if row["number"] == number)
    return found


def attempts(tenant: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tenant.control("GET", "ledger")["jaggaer"]["write_attempts"]
    return rows


def person(tenant: Any, kind: str, **body: Any) -> Any:
    return tenant.control("POST", "documents", {"system": "jaggaer", "kind": kind, **body})


@pytest.fixture
def master(new_tenant: Callable[..., Any]) -> Any:
    """Start a tenant of suppliers alone."""
    return new_tenant()


def test_companies_come_in_a_flat_array_under_a_return_code_that_is_text(master: Any) -> None:
    answer = listed(master)
    rows = answer.pop("returnCompanyData")
    assert answer == {"returnCode": "0", "returnMessage": "", "totRecords": 40, "returnedRecords": 40, "startAt": 1}
    assert all(list(row) == ["returnCompanyInfo"] for row in rows)


def test_counts_may_be_text(new_tenant: Callable[..., Any]) -> None:
    answer = listed(new_tenant(jaggaer={"counts_as_text": True, "page_size": 10}), start=31)
    assert (answer["totRecords"], answer["returnedRecords"], answer["startAt"]) == ("40", "10", "31")


def test_the_tenant_itself_is_a_buyer_among_the_sellers(master: Any) -> None:
    assert [info["companyName"] for info in infos(master, "TYPE==BUYER")] == ["Edu Machine Works"]
    assert len(infos(master, "TYPE==SELLER")) == 39


@pytest.mark.parametrize(
    ("flt", "number"),
    [
        ("BRAVOID==48031", "V00031"),
        ("bravoId==48031", "V00031"),
        ("extCode==V00042", "V00042"),
        ("extUniqueCode==000000000004711", "000000000004711"),
        ("fiscalCode==DE000000031", "V00031"),
        ("SUBUSERLOGIN==v00033-s", "V00033"),
        ("TYPE==SELLER;companyName==Gulf Valves", "V00035"),
    ],
)
def test_companies_are_found_by_each_documented_key(master: Any, flt: str, number: str) -> None:
    assert [info["extCode"] for info in infos(master, flt)] == [number]


def test_an_unknown_key_is_an_application_error_with_a_text_code(master: Any) -> None:
    answer = listed(master, flt="colour==red")
    assert (answer["returnCode"], answer["returnCompanyData"]) == ("2", [])


def test_components_are_shown_as_asked(master: Any) -> None:
    (row,) = listed(master, flt="extCode==V00001", comp="returnCompanyInfo;deBasic;returnSubUser")["returnCompanyData"]
    assert set(row) == {"returnCompanyInfo", "deBasic", "returnSubUser"}
    assert [item["type"] for item in row["deBasic"]["deInfo"]] == ["1", "4"]
    assert row["returnSubUser"]["subUser"][0]["login"] == "v00001-s"
    (row,) = listed(master, flt="extCode==V00001", comp="deBasic")["returnCompanyData"]
    assert set(row) == {"deBasic"}


def test_a_profile_has_no_bank_terms_or_remit_to_data(master: Any) -> None:
    (row,) = listed(master, flt="extCode==V00001", comp="returnCompanyInfo;deBasic;returnSubUser")["returnCompanyData"]
    person(master, "supplier_bank", number="V00001", account={"AccountId": "0010999", "CountryCode": "US"})
    (after,) = listed(master, flt="extCode==V00001", comp="returnCompanyInfo;deBasic;returnSubUser")[
        "returnCompanyData"
    ]
    after["returnCompanyInfo"]["lastModTime"] = row["returnCompanyInfo"]["lastModTime"]
    assert after == row
    assert "0010999" not in str(after)


@pytest.mark.parametrize(("form", "length"), [("seconds", 14), ("day", 8), ("iso", 24)])
def test_last_mod_time_filters_in_every_form_it_is_shown_in(
    new_tenant: Callable[..., Any], form: str, length: int
) -> None:
    tenant = new_tenant(jaggaer={"last_mod_time": form})
    stamps = sorted(info["lastModTime"] for info in infos(tenant, "TYPE==SELLER"))
    assert {len(stamp) for stamp in stamps} == {length}
    assert len(infos(tenant, f"TYPE==SELLER;LASTMODTIME>={stamps[20]}")) == sum(s >= stamps[20] for s in stamps)


def test_a_supplier_is_created_updated_by_bravo_id_and_matched_by_its_code(master: Any) -> None:
    created = post(master, company("CREATE", companyName="Müller & Söhne", extCode="V77", extUniqueCode="V77"))
    assert (created["returnCode"], created["returnMessage"]) == ("0", "OK")
    bravo_id = created["bravoId"]
    assert post(master, company("UPDATE", bravoId=bravo_id, city="Köln"))["bravoId"] == bravo_id
    assert post(master, company("CREATEUPDATE", extUniqueCode="V77", zip="50667"))["bravoId"] == bravo_id
    (info,) = infos(master, f"BRAVOID=={bravo_id}")
    assert (info["companyName"], info["city"], info["zip"], info["type"]) == (
        "Müller & Söhne",
        "Köln",
        "50667",
        "SELLER",
    )
    assert [(a["operation"], a["done"], a["outcome"]) for a in attempts(master)] == [
        ("CREATE", "created", "stored"), ("UPDATE", "updated", "stored"), ("CREATEUPDATE", "updated", "stored"),
    ]  # fmt: skip


def test_a_create_update_without_its_match_key_makes_a_second_supplier(new_tenant: Callable[..., Any]) -> None:
    tenant = new_tenant(jaggaer={"match_key": "fiscalCode"})
    first = post(tenant, company("CREATEUPDATE", companyName="A", extCode="V77", fiscalCode="T1"))["bravoId"]
    assert post(tenant, company("CREATEUPDATE", fiscalCode="T1", city="X"))["bravoId"] == first
    tenant2 = new_tenant(jaggaer={"match_key": "bravoId", "unique_ext_code": False})
    first = post(tenant2, company("CREATEUPDATE", companyName="A", extCode="V77"))["bravoId"]
    assert post(tenant2, company("CREATEUPDATE", companyName="A", extCode="V77"))["bravoId"] != first


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (company("CREATE", companyName="X", extCode="V00001"), "2", "112(extCode)"),
        (company("CREATE", companyName="X", userAlias="v00001"), "-996", "112(USER_ALIAS)"),
        (company("CREATE", extCode="V78"), "2", "101(companyName)"),
        (company("UPDATE", bravoId="1", city="X"), "2", "124(bravoId,1)"),
        (company("UPDATE", extCode="V00001"), "2", "124(bravoId,)"),
        (company("UPDATE_RESET", bravoId="48001"), "2", "130(operationCode,UPDATE_RESET)"),
        ({"nothing": 1}, "2", "130(operationCode,)"),
    ],
)
def test_a_refused_company_changes_nothing_and_is_an_attempt(master: Any, body: Any, code: str, text: str) -> None:
    before = master.control("GET", "ledger")["jaggaer"]["suppliers"]
    answer = post(master, body)
    assert (answer["returnCode"], answer["returnMessage"]) == (code, text)
    assert "bravoId" not in answer
    assert [(a["outcome"], a["reason"]) for a in attempts(master)] == [("refused", text)]
    assert master.control("GET", "ledger")["jaggaer"]["suppliers"] == before


def test_a_sub_user_that_exists_is_a_warning_and_the_company_is_stored(master: Any) -> None:
    users = [{"login": "v00001-s", "name": "A"}, {"login": "new-1", "name": "B"}]
    answer = post(master, company("UPDATE", users, bravoId="48001", city="Erie"))
    assert (answer["returnCode"], answer["returnMessage"], answer["bravoId"]) == ("1", "112(loginSubUser)", "48001")
    assert row_of(master, "V00001")["profile"]["city"] == "Erie"
    assert [user["login"] for user in row_of(master, "V00001")["sub_users"]] == ["v00001-s", "new-1"]
    assert attempts(master)[0]["outcome"] == "stored with warnings"


def test_an_omitted_field_is_kept_an_empty_one_cleared_and_an_unknown_one_named(master: Any) -> None:
    post(master, company("UPDATE", bravoId="48031", fiscalCode="", IBAN="DE00", city="Bonn"))
    profile = row_of(master, "V00031")["profile"]
    assert "fiscalCode" not in profile
    assert (profile["city"], profile["zip"]) == ("Bonn", "40031")
    assert attempts(master)[0]["ignored"] == ["IBAN"]


def test_a_change_moves_last_mod_time_even_when_nothing_differs(master: Any) -> None:
    before = infos(master, "extCode==V00001")[0]
    master.control("POST", "clock", {"advance": 60})
    post(master, company("UPDATE", bravoId="48001", city=before["city"]))
    after = infos(master, "extCode==V00001")[0]
    assert after.pop("lastModTime") > before.pop("lastModTime")
    assert after == before


def test_people_edit_suppliers_on_both_sides_of_the_record(master: Any) -> None:
    master.control("POST", "clock", {"advance": 60})
    edits = [
        ("supplier_edit", {"set": {"companyName": "Renamed Ltd", "bizEmail": "new@x.example"}}),
        ("supplier_contact", {"login": "v00005-t", "name": "Jo"}),
        ("supplier_remit_to", {"address": {"AddressLine1": "9 Far Away", "City": "Nowhere"}}),
        ("supplier_bank", {"account": {"AccountId": "0010666", "AccountHolderName": "Someone"}}),
        ("supplier_terms", {"code": "NET60"}),
    ]
    stamps = []
    for kind, body in edits:
        master.control("POST", "clock", {"advance": 2})
        stamps.append(person(master, kind, number="V00005", **body)["lastModTime"])
    assert stamps == sorted(set(stamps))
    row = row_of(master, "V00005")
    assert row["profile"]["companyName"] == "Renamed Ltd"
    assert row["sub_users"][-1] == {"login": "v00005-t", "name": "Jo"}
    assert row["parts"]["AddressList"]["V00005-R1"]["AddressLine1"] == "9 Far Away"
    assert row["parts"]["AccountsPayableList"]["V00005-B1"]["AccountId"] == "0010666"
    terms = row["parts"]["LocationList"]["V00005-L1"]["TermsAndCondition"]["PaymentTerms"]
    assert (terms["StandardPaymentTermsCode"], terms["DaysAfter"]) == ("NET60", "60")
    assert (row["changed_by"], infos(master, "extCode==V00005")[0]["lastModTime"]) == ("person", stamps[-1])


def test_people_create_merge_and_deactivate_suppliers(master: Any) -> None:
    made = person(master, "supplier_create", companyName="Fresh Co", fiscalCode="TX9")
    assert made["number"] == ""
    assert "extCode" not in infos(master, f"BRAVOID=={made['bravoId']}")[0]
    person(master, "supplier_edit", bravoId=made["bravoId"], set={"extCode": "V90"})
    assert person(master, "supplier_merge", number="V00003", into="V00004")["number"] == "V00004"
    assert row_of(master, "V00003")["profile"]["status"] == "INACTIVE"
    assert row_of(master, "V00004")["tsm"]["OldERPNumber"] == "V00003"
    person(master, "supplier_deactivate", number="V00006")
    assert [info["extCode"] for info in infos(master, "status==INACTIVE")] == ["V00003", "V00006"]


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "supplier_create", "city": "X"},
        {"kind": "supplier_edit", "number": "NOBODY", "set": {}},
        {"kind": "supplier_edit", "number": "V00001", "set": {"IBAN": "1"}},
        {"kind": "supplier_terms", "number": "V00001", "code": "NET1"},
        {"kind": "supplier_merge", "number": "V00001", "into": "V00001"},
    ],
)
def test_a_supplier_command_that_fits_nothing_changes_nothing(master: Any, body: dict[str, Any]) -> None:
    before = master.control("GET", "ledger")["jaggaer"]["suppliers"]
    assert "error" in master.control("POST", "documents", {"system": "jaggaer", **body}, status=400)
    assert master.control("GET", "ledger")["jaggaer"]["suppliers"] == before


def test_further_suppliers_can_lack_the_erps_number_in_three_ways(new_tenant: Callable[..., Any]) -> None:
    tenant = new_tenant(jaggaer={"suppliers": 20, "suppliers_unlinked": 3, "purchase_orders": 60})
    unlinked = [info for info in infos(tenant, "TYPE==SELLER") if "extCode" not in info]
    assert [(info["companyName"], "fiscalCode" in info) for info in unlinked] == [
        ("Workshop Partner 1", True), ("Workshop Partner 2", False), ("Workshop Partner 3", False),
        ("Workshop Partner 3", False),
    ]  # fmt: skip
    assert unlinked[2]["zip"] == unlinked[3]["zip"]
    ledger = tenant.control("GET", "ledger")["jaggaer"]
    known = {row["number"] for row in ledger["suppliers"]}
    assert {row["supplier"] for row in ledger["purchase_orders"]} <= known
    assert any(row["supplier"] > "V10000" for row in ledger["purchase_orders"])
