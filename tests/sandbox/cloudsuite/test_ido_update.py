"""Writes of an IDO: inserts, locks, keys, batches, and the record of every attempt."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sandbox.cloudsuite.conftest import START, change

FAILED = {"Success": False, "RefreshItems": None, "Bookmark": None}


@pytest.fixture
def bolt(office: Any) -> str:
    """Insert one part; return its ``_ItemId``."""
    assert office.update(change(1, PartNum="      1", Name="Bolt", Price="1.50"))["Success"]
    return item_id(office)


def item_id(office: Any, number: str = "1") -> str:
    (item,) = office.load(properties="PartNum", filter=f"PartNum = N'{number:>7}'")["Items"]
    return str(item["_ItemId"])


def names(office: Any) -> list[str | None]:
    return [item["Name"] for item in office.load(properties="Name", orderBy="PartNum")["Items"]]


def test_an_insert_is_answered_and_stored_with_its_stamps(office: Any) -> None:
    answer = office.update(change(1, "PBT=[part]", PartNum="      1", Name="Bolt", Bought="2026-02-03"))
    assert answer == {"Message": "Update successful.", "Success": True, "Bookmark": None, "RefreshItems": None}
    (row,) = office.shelf.parts
    assert (row["CreatedBy"], row["UpdatedBy"], row["Name"]) == ("ml_service", "ml_service", "Bolt")
    assert row["RecordDate"] == row["CreateDate"]
    assert 0 <= (row["RecordDate"] - START).total_seconds() < 60
    assert office.attempts() == [("insert", "1", "stored")]


@pytest.mark.parametrize("way", ["query", "body"])
def test_a_refresh_shows_the_row_as_it_has_become(office: Any, way: str) -> None:
    changes = [change(1, PartNum="      1", Price="2.345")]
    body = {"IDOName": "SLParts", "Changes": changes} | ({"RefreshAfterSave": True} if way == "body" else {})
    params = {"Refresh": "true"} if way == "query" else {}
    answer = office.ido("update/SLParts", "POST", json=body, params=params).json()
    (item,) = answer["RefreshItems"]
    assert (item["Action"], item["ItemNo"], item["ItemId"]) == (1, 0, item_id(office))
    shown = {entry["Name"]: entry["Value"] for entry in item["Properties"]}
    assert (shown["PartNum"], shown["Price"]) == ("      1", "2.35")
    assert shown["RowPointer"] in item["ItemId"]
    assert all(entry["Modified"] is False and entry["IsNull"] is False for entry in item["Properties"])


def test_a_key_without_its_blanks_is_another_key(office: Any) -> None:
    assert office.update(change(1, PartNum="1", Name="unpadded"))["Success"]
    assert office.update(change(1, PartNum="      1", Name="padded"))["Success"]
    assert len(office.load(properties="PartNum")["Items"]) == 2
    assert "not found" in office.update(change(2, PartNum="     01", Name="x"))["Message"]


def test_a_key_that_exists_is_refused_in_any_case_and_nothing_else_is_unique(office: Any, bolt: str) -> None:
    assert office.update(change(1, PartNum="      a", Name="Bolt"))["Success"]
    answer = office.update(change(1, PartNum="      A", Name="Nut"))
    assert answer == FAILED | {"Message": answer["Message"]}
    assert "already exists" in answer["Message"]
    assert office.update(change(1, Text="same"), change(1, Text="same"), ido="SLNotes")["Success"]
    assert office.attempts()[2] == ("insert", "A", "refused")


def test_an_update_under_its_item_id_changes_what_is_modified_and_moves_the_stamp(office: Any, bolt: str) -> None:
    office.later(1)
    sent = change(2, bolt, Name="Nut", Price=None)
    sent["Properties"].append({"Name": "Count", "Value": "9", "Modified": False, "IsNull": False})
    assert office.update(sent)["Success"]
    (row,) = office.shelf.parts
    assert (row["Name"], row["Price"], row.get("Count")) == ("Nut", None, None)
    assert row["RecordDate"] > row["CreateDate"]
    assert item_id(office) != bolt


def test_an_item_id_read_before_another_write_is_refused(office: Any, bolt: str) -> None:
    office.later(1)
    assert office.update(change(2, bolt, Name="Nut"))["Success"]
    for action in (2, 4):
        answer = office.update(change(action, bolt, Name="Screw"))
        assert (answer["Success"], "another user" in answer["Message"]) == (False, True)
    assert names(office) == ["Nut"]
    assert [outcome for *_, outcome in office.attempts()] == ["stored", "stored", "refused", "refused"]


def test_locking_by_property_looks_at_the_original_values_alone(office: Any, bolt: str) -> None:
    office.later(1)
    office.update(change(2, bolt, Price="9"))

    def renamed(original: str) -> Any:
        sent = change(2, bolt, Name="Nut") | {"UpdateLocking": 1}
        sent["Properties"][0]["OriginalValue"] = original
        return office.update(sent)["Success"]

    assert not renamed("Screw")
    assert renamed("Bolt")
    assert names(office) == ["Nut"]


def test_without_an_item_id_the_whole_key_names_the_row_and_nothing_is_locked(office: Any, bolt: str) -> None:
    assert office.update(change(2, PartNum="      1", Name="Nut"))["Success"]
    assert "key properties" in office.update(change(2, Name="Screw"))["Message"]
    assert "key properties" in office.update(change(2, Text="x"), ido="SLNotes")["Message"]
    assert "not found" in office.update(change(4, PartNum="      2"))["Message"]
    assert names(office) == ["Nut"]
    assert office.update(change(4, PartNum="      1"))["Success"]
    assert names(office) == []


def test_a_row_is_deleted_and_its_item_id_is_nobodys_then(office: Any, bolt: str) -> None:
    assert office.update(change(4, bolt))["Success"]
    assert len(office.shelf.parts) == 0
    assert "not found" in office.update(change(4, bolt))["Message"]
    assert office.update(change(1, PartNum="      1"))["Success"]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (change(1, PartNum="      2", Nothing="1"), "Property Nothing not found on IDO SLParts"),
        (change(1, PartNum="      2", DerNotes="1"), "read-only"),
        (change(1, PartNum="      2", RowPointer="1"), "read-only"),
        (change(1, PartNum="      2", Name="x" * 21), "longer than 20"),
        (change(1, PartNum="        2"), "longer than 7"),
        (change(1, Name="no key"), "PartNum must be entered"),
        (change(1, PartNum=None), "PartNum must be entered"),
        (change(1, PartNum="      2", Active="true"), "Active"),
        (change(1, PartNum="      2", Price="cheap"), "Price"),
        (change(1, PartNum="      2", Count="1.5"), "Count"),
        (change(1, PartNum="      2", Bought="soon"), "Bought"),
        (change(1, PartNum="      2", Name=True), "string"),
        (change(1, PartNum="      2", Price="-1"), "The price is negative"),
        (change(1, "PBT=[other]", PartNum="      2"), "item id"),
        (change(2, "nonsense", Name="x"), "item id"),
        (change(3, PartNum="      2"), "Invalid action 3"),
        ({"Action": 1, "Properties": [{"Value": "x"}]}, "Name"),
        (
            {"Action": 1, "Properties": [{"Name": "Lines", "IsNestedCollection": True, "NestedCollection": {}}]},
            "Nested collections",
        ),
    ],
)
def test_what_cannot_be_stored_is_refused_in_band_and_recorded(office: Any, sent: dict[str, Any], words: str) -> None:
    answer = office.update(sent)
    assert answer == FAILED | {"Message": answer["Message"]}
    assert words in answer["Message"]
    assert len(office.shelf.parts) == 0
    (attempt,) = office.control("GET", "ledger")["cloudsuite"]["attempts"]
    assert (attempt["outcome"], attempt["call"], attempt["kind"]) == ("refused", "CsiUpdate SLParts", "SLParts")
    assert words in attempt["reason"]
    assert attempt["request_no"] == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b'{"Changes": []}',
        b'{"Changes": [1]}',
        b'{"IDOName": "X", "Changes": [{}]}',
        b'{"CustomInsert": "MySp", "Changes": [{}]}',
    ],
)
def test_a_body_that_is_no_update_is_refused_in_band(office: Any, body: bytes) -> None:
    answer = office.ido("update/SLParts", "POST", content=body)
    assert (answer.status_code, answer.json()["Success"]) == (200, False)


def test_members_of_the_schema_that_say_nothing_are_ignored(office: Any) -> None:
    sent = change(1, PartNum="      1", Name="Bolt") | {"ItemNo": None}
    for given in sent["Properties"]:
        given |= {"OriginalValue": "", "IsNestedCollection": False, "NestedCollection": ""}
    answer = office.update(sent, CustomInsert="", CustomUpdate="", CustomDelete="", RefreshAfterSave=False)
    assert (answer["Success"], answer["RefreshItems"]) == (True, None)
    assert names(office) == ["Bolt"]


def test_a_key_is_not_changed(office: Any, bolt: str) -> None:
    assert "Key property" in office.update(change(2, bolt, PartNum="      2"))["Message"]
    assert office.update(change(2, bolt, PartNum="      1", Name="Nut"))["Success"]


def test_a_refusal_after_the_fact_takes_back_what_its_hooks_had_written(office: Any, bolt: str) -> None:
    before = [dict(row) for row in office.shelf.parts]
    for sent in (change(1, PartNum="      2", Name="late refusal"), change(2, bolt, Name="late refusal")):
        assert office.update(sent)["Message"] == "Refused after it was noted"
    assert [dict(row) for row in office.shelf.parts] == before
    assert office.control("GET", "ledger")["cloudsuite"]["notes"] == ["insert"]
    assert office.found("Name = N'late refusal'") == []
    assert office.update(change(1, PartNum="      2", Name="Nut"))["Success"]


def batch() -> list[dict[str, Any]]:
    """Return four inserts, the third of which is refused."""
    return [change(1, PartNum=f"{number:>7}", Price="-1" if number == 3 else "1") for number in range(1, 5)]


def test_a_batch_stops_at_the_change_that_is_refused_and_keeps_those_before(office: Any) -> None:
    assert office.update(*batch())["Message"] == "The price is negative"
    assert office.found("") == ["1", "2"]
    assert [outcome for *_, outcome in office.attempts()] == ["stored", "stored", "refused", "ignored"]


def test_a_batch_may_be_atomic(new_office: Callable[..., Any]) -> None:
    office = new_office(update_atomic=True)
    assert not office.update(*batch())["Success"]
    assert office.found("") == []
    assert office.control("GET", "ledger")["cloudsuite"]["notes"] == []
    assert [outcome for *_, outcome in office.attempts()] == ["refused", "refused", "refused", "ignored"]
    assert office.update(*batch()[:2])["Success"]
    assert office.found("") == ["1", "2"]


def test_a_product_may_silently_make_the_first_change_alone(new_office: Callable[..., Any]) -> None:
    office = new_office(update_batch_mode="first_only")
    answer = office.update(*batch(), RefreshAfterSave=True)
    assert answer["Success"]
    assert len(answer["RefreshItems"]) == 1
    assert office.found("") == ["1"]
    assert [outcome for *_, outcome in office.attempts()] == ["stored", "ignored", "ignored", "ignored"]


@pytest.mark.parametrize(("action", "named"), [(1, "Insert"), (2, "Update"), (4, "Delete")])
def test_a_user_may_lack_the_privilege_to_write(new_office: Callable[..., Any], action: int, named: str) -> None:
    office = new_office(unprivileged=(f"SLParts:{named}",))
    if action != 1:
        office.update(change(1, PartNum="      1"))
    answer = office.update(change(action, PartNum="      1"))
    assert answer["Message"].startswith(f"User requires [{named}] privilege for")
    assert office.attempts()[-1] == (named.lower(), "1", "refused")


def test_every_repetition_is_an_attempt_of_its_own_with_its_request(office: Any, bolt: str) -> None:
    for _ in range(2):
        office.update(change(1, PartNum="      1", Name="Bolt"))
    rows = office.control("GET", "ledger")["cloudsuite"]["attempts"]
    assert [(row["outcome"], row["request_no"]) for row in rows] == [("stored", 2), ("refused", 4), ("refused", 5)]
    assert rows[0]["properties"] == {"PartNum": "      1", "Name": "Bolt", "Price": "1.50"}
    assert {row["by"] for row in rows} == {"ml_service"}


def test_a_person_types_without_an_attempt_and_is_named_in_the_row(office: Any) -> None:
    body = {"system": "cloudsuite", "kind": "part", "PartNum": "7", "Name": "Washer"}
    assert office.control("POST", "documents", body) == {"number": "      7"}
    assert "part" in office.control("POST", "documents", body | {"kind": "nothing"}, status=400)["error"]
    assert "already exists" in office.control("POST", "documents", body, status=400)["error"]
    assert office.attempts() == []
    assert next(iter(office.shelf.parts))["CreatedBy"] == "clerk"


def test_numbers_are_rounded_to_their_places(office: Any) -> None:
    office.update(change(1, PartNum="      1", Price="1.005"), change(1, PartNum="      2", Price=2))
    assert [row["Price"] for row in office.shelf.parts] == [Decimal("1.01"), Decimal("2.00")]
