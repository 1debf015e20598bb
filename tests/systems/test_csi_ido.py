"""The IDO client: lists to the last row, what a version lacks, one change per request, refusals inside HTTP 200."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from support.csi_lists import CONFIGURATION, Scripted, options, replied

from airflow_provider_mlconnector.errors import (
    AmbiguousOutcome,
    ConfigurationError,
    MLConnectorError,
    ProtocolError,
    Refused,
    StaleClaim,
    Unavailable,
)
from airflow_provider_mlconnector.systems.call import Reply
from airflow_provider_mlconnector.systems.cloudsuite.csi import filters
from airflow_provider_mlconnector.systems.cloudsuite.csi.ido import Action, Change, IdoClient, Query
from airflow_provider_mlconnector.systems.transport import Effect

ROOT = "/CSI/IDORequestService/ido"
QUERY = Query("SLTerms", ("TermsCode",), ("Description",), where="TermsCode <> N''", order=("TermsCode",))
KNOWN = {
    "Success": False,
    "Keys": ["TermsCode"],
    "Properties": [
        {"Name": "TermsCode", "Length": 3, "Required": True, "ReadOnly": False},
        {"Name": "Description", "Length": "40"},
        {"Name": "RecordDate"},
    ],
    "PrimaryBaseTable": "terms",
}
INSERT = Change(Action.INSERT, {"TermsCode": "N30", "Description": None})


def page(*codes: str, bookmark: str | None = None, **more: Any) -> Reply:
    """Return the answer to a load."""
    items = [{"TermsCode": code, "Description": None} for code in codes]
    body = {"Items": items, "Bookmark": bookmark, "MoreRowsExist": bookmark is not None, "Success": True, **more}
    return replied(body)


def client(*answers: Reply, known: Any = KNOWN, **choices: Any) -> tuple[IdoClient, Scripted]:
    """Return a client and the gateway behind it."""
    gateway = Scripted(*answers, known=known)
    return IdoClient(gateway, options(**choices)), gateway


# --- lists ---------------------------------------------------------------------------------------------------------


def test_a_list_is_read_by_bookmark_to_its_last_row() -> None:
    ido, gateway = client(page("N10", "N20", bookmark="<B>1</B>"), page("N30"), page_size=2)
    assert [row["TermsCode"] for row in ido.rows(QUERY)] == ["N10", "N20", "N30"]
    first, second = gateway.sent("load")
    assert first["path"] == f"{ROOT}/load/SLTerms"
    assert first["params"] == {
        "properties": "TermsCode,Description",
        "orderBy": "TermsCode",
        "readOnly": "true",
        "recordCap": "2",
        "loadType": "FIRST",
        "filter": "TermsCode <> N''",
    }
    assert second["params"] == {**first["params"], "loadType": "NEXT", "bookmark": "<B>1</B>"}
    assert first["headers"] == {"X-Infor-MongooseConfig": CONFIGURATION}


def test_a_list_never_stops_at_the_two_hundred_rows_a_load_returns_by_itself() -> None:
    ido, gateway = client(page("N10"))
    list(ido.rows(QUERY))
    assert gateway.sent("load")[0]["params"]["recordCap"] == "500"


def test_the_site_and_another_suite_name_are_said_where_the_connection_has_them() -> None:
    ido, gateway = client(page(), context="/CSI_PLANT2/", site="MAIN")
    list(ido.rows(QUERY))
    (load,) = gateway.sent("load")
    assert load["path"] == "/CSI_PLANT2/IDORequestService/ido/load/SLTerms"
    assert load["headers"]["X-Infor-Site"] == "MAIN"


@pytest.mark.parametrize(
    "pages",
    [
        (page("N10", bookmark="<B>1</B>"), page("N20", bookmark="<B>1</B>")),
        (page("N10", bookmark="<B>1</B>"), page("N10", bookmark="<B>2</B>")),
        (page(bookmark="<B>1</B>"),),
    ],
    ids=["the same bookmark", "the same rows", "no rows, but more"],
)
def test_pages_that_do_not_advance_end_loudly(pages: tuple[Reply, ...]) -> None:
    ido, _ = client(*pages)
    with pytest.raises(ProtocolError, match="do not advance"):
        list(ido.rows(QUERY))


@pytest.mark.parametrize("more", [{"MoreRowsExist": True}, {"MoreRowsExist": None}, {}])
def test_an_answer_that_hides_whether_more_rows_follow_is_not_taken_for_the_last(more: dict[str, Any]) -> None:
    body = {"Items": [{"TermsCode": "N10"}], "Success": True, "Bookmark": None, **more}
    ido, _ = client(replied(body))
    with pytest.raises(ProtocolError):
        list(ido.rows(QUERY))


@pytest.mark.parametrize(
    "body",
    [b"<html>maintenance</html>", b"", b'{"Items": [', b'{"Items": [{"TermsCode": 30}], "Success": true}', b"[]"],
)
def test_what_is_no_answer_of_a_load_is_kept_as_evidence(body: bytes) -> None:
    ido, _ = client(replied(body))
    with pytest.raises(ProtocolError) as caught:
        list(ido.rows(QUERY))
    assert caught.value.evidence == body


def test_a_value_that_is_no_text_spoils_no_other_row() -> None:
    odd = {"TermsCode": "N10", "Description": {"poison": [1]}, "RecordDate": 30.50}
    items = [{"TermsCode": "N30", "Description": "Net", "RecordDate": True}, odd]
    ido, _ = client(replied({"Items": items, "Success": True, "MoreRowsExist": False}))
    first, second = ido.rows(replace(QUERY, likes=("Description", "RecordDate")))
    assert first == {"TermsCode": "N30", "Description": "Net", "RecordDate": "1"}
    assert (second["TermsCode"], second["RecordDate"]) == ("N10", "30.5")
    assert second["Description"] == "{'poison': [1]}", "whoever needs it refuses it"


@pytest.mark.parametrize("item", [{"TermsCode": 30}, {"TermsCode": ["N10"]}, "N10", 7])
def test_a_record_whose_key_is_no_text_is_not_passed_over(item: Any) -> None:
    body = {"Items": [{"TermsCode": "N30"}, item], "Success": True, "MoreRowsExist": False}
    ido, _ = client(replied(body))
    with pytest.raises(ProtocolError, match="not answered with the service's JSON"):
        list(ido.rows(QUERY))


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("User requires [Read] privilege for SLTerms.", ConfigurationError),
        ("User mlc is not licensed for this module", ConfigurationError),
        ("Transaction was deadlocked on lock resources", Unavailable),
        ("Execution Timeout Expired.", Unavailable),
        ("Property DueDaysX not found on IDO SLTerms", ProtocolError),
        (None, ProtocolError),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_a_load_refused_inside_an_answer_is_no_empty_list(
    words: str | None, kind: type[MLConnectorError], status: int
) -> None:
    body = {"Items": None, "Bookmark": None, "MoreRowsExist": False, "Success": False, "Message": words}
    ido, _ = client(replied(body, status=status))
    with pytest.raises(kind, match=words.split("[")[0] if words else "no reason given") as caught:
        list(ido.rows(QUERY))
    assert type(caught.value) is kind
    assert "csi_default" in str(caught.value)


def test_the_remote_clock_is_read_off_a_load_of_one_row() -> None:
    ido, gateway = client(page("N10"))
    assert ido.remote_time(QUERY).isoformat() == "2026-11-10T12:00:00+00:00"
    assert gateway.sent("load")[0]["params"]["recordCap"] == "1"


def test_an_answer_without_a_date_header_does_not_become_our_own_clock() -> None:
    body = {"Items": [], "MoreRowsExist": False, "Success": True}
    ido, _ = client(replied(body, at=None))
    with pytest.raises(ProtocolError, match="Date header"):
        ido.remote_time(QUERY)


# --- what a version has --------------------------------------------------------------------------------------------


def test_what_an_ido_has_is_asked_once_per_client() -> None:
    ido, gateway = client(page("N10"), page("N10"))
    list(ido.rows(QUERY))
    list(ido.rows(QUERY))
    assert len(gateway.sent("info")) == 1
    assert ido.info("SLTerms").keys == ("TermsCode",)
    assert (ido.info("SLTerms").length("termscode"), ido.info("SLTerms").length("Description")) == (3, 40)
    assert ido.info("SLTerms").length("RecordDate") is None


def test_an_optional_property_this_version_lacks_is_left_out_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ido, gateway = client(page("N10"), page("N10"))
    query = Query("SLTerms", ("TermsCode",), ("Description", "DueDays", "DiscPct"))
    with caplog.at_level(logging.WARNING):
        (row,) = ido.rows(query)
        list(ido.rows(query))
    assert gateway.sent("load")[0]["params"]["properties"] == "TermsCode,Description"
    assert row == {"TermsCode": "N10", "Description": None, "DueDays": None, "DiscPct": None}
    assert [one.getMessage() for one in caplog.records] == [
        "connection 'csi_default': SLTerms has no DueDays, DiscPct in this version; read as empty"
    ]


def test_a_property_a_flow_needs_is_missed_by_ido_and_name_before_anything_is_loaded() -> None:
    ido, gateway = client()
    with pytest.raises(ConfigurationError, match=r"SLTerms has no property DueDays, DueDay2 in configuration"):
        list(ido.rows(Query("SLTerms", ("TermsCode", "DueDays", "DueDay2"))))
    assert not gateway.sent("load")


def test_a_property_is_asked_for_as_the_tenant_spells_it_and_read_as_we_do() -> None:
    known = {"Properties": [{"Name": "TERMSCODE"}, {"Name": "description"}]}
    answer = replied(
        {"Items": [{"TERMSCODE": "N10", "description": "Net 10"}], "MoreRowsExist": False, "Success": True}
    )
    ido, gateway = client(answer, known=known)
    (row,) = ido.rows(QUERY)
    assert row == {"TermsCode": "N10", "Description": "Net 10"}
    assert gateway.sent("load")[0]["params"]["orderBy"] == "TERMSCODE"


def test_an_ido_nobody_describes_is_asked_for_everything(caplog: pytest.LogCaptureFixture) -> None:
    ido, gateway = client(page("N10"), known={"Success": False, "Message": "no"})
    assert len(list(ido.rows(QUERY))) == 1
    assert gateway.sent("load")[0]["params"]["properties"] == "TermsCode,Description"
    assert "describes no properties of SLTerms" in caplog.text


@pytest.mark.parametrize("listed", [["MAIN", "DEMO"], [{"Name": "MAIN"}, {"Name": "DEMO"}]])
def test_configurations_are_listed_without_one_being_chosen(listed: list[Any]) -> None:
    ido, gateway = client(replied({"Success": True, "Configurations": listed}), configuration="")
    assert ido.configurations() == ("MAIN", "DEMO")
    assert gateway.asked[0]["headers"] == {}


@pytest.mark.parametrize(
    "ask",
    [
        lambda ido: list(ido.rows(QUERY)),
        lambda ido: ido.update("SLTerms", INSERT, effect=Effect.WRITE),
        lambda ido: ido.invoke("SLTerms", "M", [], effect=Effect.READ),
    ],
)
def test_nothing_is_sent_without_a_configuration(ask: Callable[[IdoClient], object]) -> None:
    ido, gateway = client(configuration="")
    with pytest.raises(ConfigurationError, match="field Configuration"):
        ask(ido)
    assert not gateway.asked


# --- changes -------------------------------------------------------------------------------------------------------


CALLS: dict[str, Callable[[IdoClient], object]] = {
    "update": lambda ido: ido.update("SLTerms", INSERT, effect=Effect.WRITE),
    "invoke": lambda ido: ido.invoke("SLTerms", "M", [], effect=Effect.WRITE),
}


def saved(**properties: str) -> Reply:
    """Return the answer to an update that was carried out."""
    told = [{"Name": name, "Value": value, "IsNull": False} for name, value in properties.items()]
    item = {"Action": 1, "ItemId": "PBT=[terms] t.DT=[2026]", "Properties": told}
    return replied({"Success": True, "Message": "Update successful.", "RefreshItems": [item]})


def test_an_insert_names_its_table_and_returns_what_the_service_filled_in() -> None:
    ido, gateway = client(saved(TermsCode="N30", Description="net 30"))
    done = ido.update("SLTerms", INSERT, effect=Effect.WRITE)
    assert done.properties == {"TermsCode": "N30", "Description": "net 30"}
    assert (done.item_id, done.message, done.request_id) == (
        "PBT=[terms] t.DT=[2026]",
        "Update successful.",
        "req-7",
    )
    (sent,) = gateway.sent("update")
    assert (sent["path"], sent["params"], sent["effect"]) == (
        f"{ROOT}/update/SLTerms",
        {"refresh": "true"},
        Effect.WRITE,
    )
    assert sent["body"] == {
        "IDOName": "SLTerms",
        "RefreshAfterSave": True,
        "Changes": [
            {
                "Action": 1,
                "ItemId": "PBT=[terms]",
                "ItemNo": 0,
                "UpdateLocking": 0,
                "Properties": [
                    {"Name": "TermsCode", "Value": "N30", "Modified": True, "IsNull": False},
                    {"Name": "Description", "Value": "", "Modified": True, "IsNull": True},
                ],
            }
        ],
    }


def test_a_change_carries_the_lock_of_the_record_as_it_was_read() -> None:
    loaded = {"Items": [{"TermsCode": "N30", "Description": None, "_ItemId": "LOCK"}], "Success": True}
    ido, gateway = client(replied({**loaded, "MoreRowsExist": False}), saved())
    (row,) = ido.rows(Query("SLTerms", ("TermsCode",), ("Description",), locks=True))
    assert gateway.sent("load")[0]["params"]["readOnly"] == "false"
    change = Change(Action.UPDATE, {"Description": "net 30"}, item_id=row["_ItemId"] or "")
    ido.update("SLTerms", change, effect=Effect.ABSOLUTE, refresh=False)
    (sent,) = gateway.sent("update")
    assert sent["body"]["Changes"][0]["ItemId"] == "LOCK"
    assert sent["params"] == {"refresh": "false"}


@pytest.mark.parametrize("status", [200, 400])
def test_a_change_refused_inside_an_answer_is_proof_that_nothing_was_written(status: int) -> None:
    answer = {"Success": False, "Message": "Terms Code [N30] already exists."}
    ido, _ = client(replied(answer, status=status))
    with pytest.raises(Refused) as caught:
        ido.update("SLTerms", INSERT, effect=Effect.WRITE)
    assert (caught.value.remote_text, caught.value.request_id) == ("Terms Code [N30] already exists.", "req-7")


@pytest.mark.parametrize(
    "answer",
    [
        replied(b"<html>Gateway</html>"),
        replied(b'{"Success": tr'),
        replied(b""),
        replied({"Message": "done"}),
        replied({"Success": True}, status=400),
        replied({"Success": False, "Message": "Execution Timeout Expired."}),
    ],
)
@pytest.mark.parametrize("call", CALLS)
def test_a_write_whose_answer_cannot_be_read_may_have_happened(answer: Reply, call: str) -> None:
    ido, _ = client(answer)
    with pytest.raises(AmbiguousOutcome):
        CALLS[call](ido)


def test_a_success_whose_refreshed_record_cannot_be_read_is_still_a_success() -> None:
    ido, _ = client(replied({"Success": True, "Message": "ok", "RefreshItems": "?"}))
    assert ido.update("SLTerms", INSERT, effect=Effect.WRITE).properties == {}


@pytest.mark.parametrize(
    ("words", "kind"),
    [("User requires [Insert] privilege", ConfigurationError), ("was deadlocked", Unavailable)],
)
def test_a_refusal_that_is_not_about_the_record_stops_or_waits(words: str, kind: type[MLConnectorError]) -> None:
    ido, _ = client(replied({"Success": False, "Message": words}))
    with pytest.raises(kind):
        ido.update("SLTerms", INSERT, effect=Effect.WRITE)


def test_a_change_of_a_property_this_version_lacks_is_not_sent_without_it() -> None:
    ido, gateway = client()
    with pytest.raises(ConfigurationError, match="SLTerms has no property DueDays"):
        ido.update("SLTerms", Change(Action.INSERT, {"TermsCode": "N30", "DueDays": "30"}), effect=Effect.WRITE)
    assert not gateway.sent("update")


def test_a_worker_whose_lease_has_ended_sends_nothing() -> None:
    class Ended:
        def check(self, *, needed_seconds: float) -> None:
            raise StaleClaim("ended")

    ido, gateway = client(saved())
    with pytest.raises(StaleClaim):
        ido.update("SLTerms", INSERT, effect=Effect.WRITE, fence=Ended())
    assert not gateway.sent("update")


def test_a_method_takes_its_parameters_by_position_and_returns_them_filled_in() -> None:
    answer = {"Success": True, "Message": None, "Parameters": ["1", "501", ""], "ReturnValue": "0"}
    ido, gateway = client(replied(answer))
    assert ido.invoke("SLTTApPosts", "PostSp", ["1", "", ""], effect=Effect.WRITE).parameters == ("1", "501", "")
    (sent,) = gateway.sent("invoke")
    assert (sent["body"], sent["params"]) == (["1", "", ""], {"method": "PostSp"})


def test_a_method_that_returns_sixteen_is_refused_with_the_text_of_its_infobar() -> None:
    answer = {"Success": True, "Parameters": ["1", "", "Period is closed."], "ReturnValue": "16"}
    ido, _ = client(replied(answer))
    with pytest.raises(Refused) as caught:
        ido.invoke("SLTTApPosts", "PostSp", ["1", "", ""], effect=Effect.WRITE)
    assert caught.value.remote_text == "Period is closed."


# --- many keys -----------------------------------------------------------------------------------------------------


def test_many_keys_are_asked_for_in_as_few_requests_as_urls_allow() -> None:
    keys = [f"P{number:09d}" for number in range(1000)]
    ido, gateway = client(*(page(key) for key in keys), known={"Properties": [{"Name": "TermsCode"}]})
    query = Query("SLTerms", ("TermsCode",), where="Stat = N'O'")
    list(ido.rows_in(query, "TermsCode", [filters.text(key) for key in keys]))
    asked = gateway.sent("load")
    assert len(asked) == 4
    assert all(one["params"]["filter"].startswith("(Stat = N'O') AND (TermsCode IN (") for one in asked)
    found = json.dumps([one["params"]["filter"] for one in asked])
    assert all(found.count(key) == 1 for key in keys)


def test_no_keys_are_no_request() -> None:
    ido, gateway = client()
    assert not list(ido.rows_in(QUERY, "TermsCode", []))
    assert not gateway.sent("load")
