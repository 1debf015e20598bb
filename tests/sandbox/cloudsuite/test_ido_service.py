"""invoke, info, configurations, names of calls, and the tenant with its real products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sandbox.cloudsuite.conftest import IDO, Office, change

from airflow_provider_mlconnector.sandbox.app import SandboxApp


def invoke(office: Any, method: str, *parameters: str | None, ido: str = "SLParts") -> Any:
    return office.ido(f"invoke/{ido}", "POST", params={"Method": method}, json=[*parameters]).json()


def test_a_method_returns_all_parameters_with_its_outputs(office: Any) -> None:
    office.update(change(1, PartNum="      1"))
    answer = invoke(office, "CountSp", "all", "")
    assert answer == {"Message": None, "Success": True, "Parameters": ["all", "1"], "ReturnValue": "0"}
    assert office.attempts()[-1] == ("CountSp", "", "stored")


def test_sixteen_means_that_the_infobar_says_why(office: Any) -> None:
    answer = invoke(office, "CountSp", "none", None)
    assert (answer["Success"], answer["ReturnValue"], answer["Parameters"][-1]) == (True, "16", "Nothing was named")
    assert office.attempts() == [("CountSp", "", "refused")]


def test_a_method_that_fails_leaves_nothing_behind(office: Any) -> None:
    answer = invoke(office, "FailSp")
    assert answer == {"Message": "The method failed", "Success": False, "Parameters": None, "ReturnValue": None}
    assert len(office.shelf.parts) == 0
    assert office.attempts() == [("FailSp", "", "refused")]


@pytest.mark.parametrize(
    ("ido", "method", "body"),
    [("SLParts", "NoSp", []), ("SLNotes", "CountSp", []), ("SLParts", "CountSp", {}), ("SLParts", "CountSp", [1])],
)
def test_what_cannot_be_invoked_fails_in_band(office: Any, ido: str, method: str, body: Any) -> None:
    answer = office.ido(f"invoke/{ido}", "POST", params={"method": method}, json=body)
    assert (answer.status_code, answer.json()["Success"]) == (200, False)


def test_info_describes_the_properties_whatever_it_says_of_success(office: Any) -> None:
    info = office.ido("info/SLParts").json()
    assert (info["Success"], info["Keys"]) == (False, ["PartNum"])
    assert (info["PrimaryBaseTable"], info["PrimaryBaseTableAlias"]) == ("part", "prt")
    found = {row["Name"]: row for row in info["Properties"]}
    assert (found["PartNum"]["Length"], found["PartNum"]["Required"], found["PartNum"]["ReadOnly"]) == (7, True, False)
    assert (found["Price"]["DataType"], found["Price"]["DecimalPos"]) == ("Decimal", 2)
    assert (found["DerNotes"]["ReadOnly"], found["RecordDate"]["ReadOnly"]) == (True, True)
    assert {row["DataType"] for row in info["Properties"]} == {"String", "Decimal", "Long Integer", "Byte", "Date"}


def test_info_leaves_out_what_this_version_lacks(new_office: Callable[..., Any]) -> None:
    office = new_office(absent=("SLParts.Price",), info_success=True)
    info = office.ido("info/SLParts").json()
    assert info["Success"]
    assert "Price" not in [row["Name"] for row in info["Properties"]]
    missing = {"Keys": [], "Properties": [], "SubCollections": [], "Message": "IDO SLNothings not found"}
    assert office.ido("info/SLNothings").json() == missing | {"Success": False}


def test_configurations_need_no_configuration(new_office: Callable[..., Any]) -> None:
    office = new_office(configurations=("ACME_TST_MAIN", "ACME_TST_WEST"))
    del office.headers["X-Infor-MongooseConfig"]
    assert office.ido("configurations", params={"configGroup": ""}).json() == {
        "Success": True,
        "Message": None,
        "Configurations": ["ACME_TST_MAIN", "ACME_TST_WEST"],
    }


def test_calls_are_counted_by_their_names(office: Any) -> None:
    office.load()
    office.update(change(1, PartNum="      1"))
    invoke(office, "CountSp")
    office.ido("info/SLParts")
    office.ido("configurations")
    office.ido("elsewhere")
    office.ask("GET", "/ACME_TST/XYZ/a")
    office.ask("POST", "/ACME_TST/as/revoke_token.oauth2")
    assert office.control("GET", "requests")["systems"]["cloudsuite"]["calls"] == {
        "Token": 1,
        "CsiLoad SLParts": 1,
        "CsiUpdate SLParts": 1,
        "CsiInvoke": 1,
        "CsiInfo": 1,
        "CsiConfigurations": 1,
        "CsiUnknown": 1,
        "Unknown": 1,
        "Revoke": 1,
    }


def test_the_tenant_tells_what_was_generated(office: Any) -> None:
    assert office.control("GET", "truth?system=cloudsuite") == {"csi": {"parts": 0}}


@pytest.mark.parametrize("ido", ["SLPos", "SLPoItems", "SLVendors", "SLAptrxs", "SLAptrxds", "SLCharts", "SLUnitcd1s"])
def test_the_real_site_serves_every_property_it_describes(ido: str) -> None:
    app = SandboxApp(cloudsuite={"csi": {"purchase_orders": 12, "vouchers": 12}})
    office = Office(app, lambda: pytest.fail("no shelf here"))
    office.log_in()
    named = [row["Name"] for row in office.ask("GET", f"{IDO}/info/{ido}", headers=office.headers).json()["Properties"]]
    answer = office.load(ido, properties="*", readOnly="true", recordCap="0")
    assert answer["Success"]
    assert answer["Items"]
    for item in answer["Items"]:
        assert [*item] == named
        assert all(value is None or isinstance(value, str) for value in item.values())
