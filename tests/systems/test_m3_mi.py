"""MI REST by example: what an answer means, and that no list is ever cut silently."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.dialects import Scripted, m3_options, mi_answer

from airflow_provider_mlconnector.errors import (
    AmbiguousOutcome,
    ConfigurationError,
    MLConnectorError,
    ProtocolError,
    Refused,
    Unavailable,
)
from airflow_provider_mlconnector.systems.call import Effect
from airflow_provider_mlconnector.systems.cloudsuite.m3 import values
from airflow_provider_mlconnector.systems.cloudsuite.m3.mi import AT_ONCE, MiClient
from airflow_provider_mlconnector.systems.cloudsuite.m3.orders import changed_lines

NOK = {"errorMessage": "Supplier S999 does not exist", "errorType": "ServerReturnedNOK", "errorCode": "WSU0103"}
FIRST = datetime(1971, 1, 1)  # noqa: DTZ001 - hypothesis takes bounds without a zone
ROOT = "/M3/m3api-rest/v2/execute"


def client(*answers: Any, **options: Any) -> tuple[MiClient, Scripted]:
    gateway = Scripted(*answers)
    return MiClient(gateway, m3_options(**options)), gateway


def rows(*keys: str) -> dict[str, Any]:
    return mi_answer({"transaction": "LstSuppliers", "records": [{"SUNO": key.ljust(10)} for key in keys]})


def from_key(after: str) -> dict[str, str]:
    return {"FRSU": after} if after else {}


def keys_of(mi: MiClient) -> list[str]:
    return [row["SUNO"] for page in mi.pages("CRS620MI", "LstSuppliers", "SUNO", from_key) for row in page.rows]


def test_a_single_read_names_company_and_limit_among_the_matrix_parameters() -> None:
    mi, gateway = client(mi_answer({"transaction": "GetBasicData", "records": [{"SUNO": "S1  ", "TX": None}]}))
    assert mi.one("CRS620MI", "GetBasicData", {"SUNO": "S1"}) == {"SUNO": "S1", "TX": ""}
    (asked,) = gateway.asked
    matrix = ";metadata=false;maxrecs=0;excludempty=false;cono=100;divi=AAA"
    assert (asked["path"], asked["params"]) == (f"{ROOT}/CRS620MI/GetBasicData{matrix}", {"SUNO": "S1"})


def test_many_reads_go_a_hundred_to_a_call_and_keep_their_order() -> None:
    wanted = [("GetBasicData", {"SUNO": str(number)}) for number in range(AT_ONCE + 1)]
    results = [{"transaction": "GetBasicData", "records": [{"SUNO": str(number)}]} for number in range(AT_ONCE + 1)]
    mi, gateway = client(mi_answer(*results[:AT_ONCE]), mi_answer(*results[AT_ONCE:]))
    found = [result.rows[0]["SUNO"] for result in mi.read_all("CRS620MI", wanted)]
    assert found == [str(number) for number in range(AT_ONCE + 1)]
    assert [len(asked["body"]["transactions"]) for asked in gateway.asked] == [AT_ONCE, 1]
    body = gateway.asked[0]["body"]
    assert (body["cono"], body["divi"], body["maxReturnedRecords"]) == (100, "AAA", 0)


def test_without_a_company_nothing_is_asked() -> None:
    mi, gateway = client(company="")
    with pytest.raises(ConfigurationError, match="field Company"):
        mi.one("CRS620MI", "GetBasicData", {})
    assert gateway.asked == []


@pytest.mark.parametrize("status", [200, 400])
def test_a_failure_reads_the_same_under_either_status(status: int) -> None:
    mi, _ = client((mi_answer({"transaction": "UpdSupplier", **NOK, "errorField": "SUNO"}), status))
    with pytest.raises(Refused) as caught:
        mi.write_one("CRS620MI", "UpdSupplier", {}, effect=Effect.WRITE)
    assert caught.value.remote_text == "Supplier S999 does not exist (WSU0103 SUNO)"
    assert caught.value.field == "SUNO"


def test_what_does_not_exist_is_no_error_of_a_read() -> None:
    mi, _ = client(mi_answer({"transaction": "GetBasicData", **NOK}))
    assert mi.one("CRS620MI", "GetBasicData", {}) is None


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        ({"errorMessage": "No such transaction", "errorType": "TransactionNotFound"}, ConfigurationError),
        ({"errorMessage": "Locked", "errorType": "ServerReturnedNOK", "errorCode": "XRE0001"}, ProtocolError),
    ],
)
def test_a_read_that_fails_otherwise_says_who_must_do_what(refusal: dict[str, str], error: type[Exception]) -> None:
    mi, _ = client(mi_answer({"transaction": "GetBasicData", **refusal}))
    with pytest.raises(error, match=refusal["errorMessage"]):
        mi.one("CRS620MI", "GetBasicData", {})


TERMINATED = mi_answer(wasTerminated=True, terminationErrorType="ProgramNotFound", terminationReason="No program X")
UNREADABLE = [b"<html>", b'{"results":', {"results": None}, mi_answer({"transaction": "Other"}), {"results": []}]
DONE_UNDER_400 = (mi_answer({"transaction": "AddHead", "records": [{"INBN": "1"}]}), 400)


@pytest.mark.parametrize("answer", [TERMINATED, *UNREADABLE, DONE_UNDER_400])
def test_a_write_without_a_clear_answer_may_have_happened(answer: Any) -> None:
    mi, _ = client(answer)
    with pytest.raises(AmbiguousOutcome):
        mi.write("APS450MI", [("AddHead", {})], effect=Effect.WRITE)


@pytest.mark.parametrize("answer", UNREADABLE)
def test_a_read_without_a_clear_answer_keeps_the_bytes(answer: Any) -> None:
    mi, _ = client(answer)
    with pytest.raises(ProtocolError) as caught:
        mi.read("APS450MI", "AddHead", {})
    assert caught.value.evidence


@pytest.mark.parametrize(("reason", "error"), [("No program X", ConfigurationError), ("Time-out", Unavailable)])
def test_a_read_broken_off_says_why(reason: str, error: type[MLConnectorError]) -> None:
    mi, _ = client(mi_answer(wasTerminated=True, terminationReason=reason))
    with pytest.raises(error, match=reason):
        mi.read("XXX", "Get", {})


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("Timeout in job", AmbiguousOutcome),
        ("You are not authorized to run it", ConfigurationError),
        ("Negative amount is not allowed", Refused),
    ],
)
def test_words_of_a_refused_write_are_sorted(words: str, error: type[MLConnectorError]) -> None:
    mi, _ = client(mi_answer({"transaction": "AddHead", "errorMessage": words, "errorType": "ServerReturnedNOK"}))
    with pytest.raises(error, match=words):
        mi.write_one("APS450MI", "AddHead", {}, effect=Effect.WRITE)


@pytest.mark.parametrize("count", [0, AT_ONCE + 1])
def test_a_call_of_no_or_too_many_writes_is_our_own_mistake(count: int) -> None:
    mi, gateway = client()
    with pytest.raises(ValueError, match="do not fit"):
        mi.write("APS450MI", [("AddLine", {})] * count, effect=Effect.WRITE)
    assert gateway.asked == []


def test_a_list_cut_at_a_ceiling_is_asked_for_again_until_nothing_more_comes() -> None:
    mi, gateway = client(rows("A1", "B1"), rows("B1", "C1"), rows("C1"))
    assert keys_of(mi) == ["A1", "B1", "C1"]
    assert [asked["params"] for asked in gateway.asked] == [{}, {"FRSU": "B1"}, {"FRSU": "C1"}]


def test_letters_before_digits_are_an_order_too() -> None:
    mi, _ = client(rows("V1", "4711"), rows("4711"))
    assert keys_of(mi) == ["V1", "4711"]


def test_a_short_list_in_no_order_is_taken_and_a_long_one_is_not() -> None:
    mi, _ = client(rows("B1", "A1", "C1"))
    assert keys_of(mi) == ["B1", "A1", "C1"]
    mi, _ = client(rows("B1", "A1", *(f"C{number:03d}" for number in range(98))))
    with pytest.raises(ProtocolError, match="in no order of SUNO"):
        keys_of(mi)


def test_a_list_that_goes_back_is_not_read_to_its_end() -> None:
    mi, _ = client(rows("A1", "B1"), rows("A1", "C1"))
    with pytest.raises(ProtocolError, match="no order"):
        keys_of(mi)


def test_lists_read_together_go_on_each_from_its_own_last_row() -> None:
    def lines(*numbers: int) -> dict[str, Any]:
        return {"transaction": "LstLine", "records": [{"PNLI": f"{number:<3}"} for number in numbers]}

    mi, gateway = client(mi_answer(lines(1, 2), lines()), mi_answer(lines(2, 3)), mi_answer(lines(3)))
    found = mi.lists(
        "PPS200MI",
        "LstLine",
        [{"PUNO": "1"}, {"PUNO": "2"}],
        identity=lambda row: row["PNLI"],
        onward=lambda row: {"PNLI": row["PNLI"]},
    )
    assert [[row["PNLI"] for row in listing.rows] for listing in found] == [["1", "2", "3"], []]
    asked = [[one["record"] for one in call["body"]["transactions"]] for call in gateway.asked]
    assert asked[1:] == [[{"PUNO": "1", "PNLI": "2"}], [{"PUNO": "1", "PNLI": "3"}]]


@pytest.mark.parametrize(("count", "whole"), [(99, True), (100, False)])
def test_a_list_that_cannot_begin_at_a_row_is_whole_only_below_the_smallest_ceiling(count: int, whole: bool) -> None:
    told = mi_answer({"transaction": "L", "records": [{"N": str(number)} for number in range(count)]})
    mi, _ = client(told, told)
    (found,) = mi.lists("P", "L", [{}], identity=lambda row: row["N"], onward=lambda row: {"N": row["N"]})
    assert (len(found.rows), found.whole) == (count, whole)


def test_orders_whose_lines_changed_are_named_once_and_read_on_behind_the_last() -> None:
    def export(*numbers: str) -> dict[str, Any]:
        return mi_answer({"transaction": "Select", "records": [{"REPL": number.ljust(984)} for number in numbers]})

    mi, gateway = client(export("P1", "P1", "P2"), export("P3"), export())
    assert list(changed_lines(mi, date(2026, 11, 1))) == ["P1", "P2", "P3"]
    assert [asked["params"]["QERY"] for asked in gateway.asked] == [
        f"IBPUNO from MPLINE where IBCONO = 100 and IBLMDT >= 20261101{further}"
        for further in ("", *(f" and IBPUNO > '{n}'" for n in ("P2", "P3")))
    ]


# values


@given(st.datetimes(min_value=FIRST, timezones=st.just(UTC)))
def test_a_moment_is_read_as_it_was_written_to_the_millisecond(moment: datetime) -> None:
    cut = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert values.to_moment(values.stamp_text(moment)) == cut


@given(st.text(max_size=20))
def test_any_text_is_a_moment_or_none(text: str) -> None:
    assert values.to_moment(text) is None or text.strip()


@given(st.lists(st.integers(1, 2**41), min_size=1, max_size=5), st.data())
def test_a_later_change_of_any_record_makes_a_later_revision(stamps: list[int], data: st.DataObject) -> None:
    before = [{"LMTS": str(stamp)} for stamp in stamps]
    place = data.draw(st.integers(0, len(stamps) - 1))
    after = [*before]
    after[place] = {"LMTS": str(stamps[place] + data.draw(st.integers(1, 10**9)))}
    assert values.revision(before) < values.revision(after)


def test_without_stamps_days_and_counts_tell_revisions_and_without_those_nothing() -> None:
    dated = {"LMDT": "20261114", "CHNO": "3"}
    assert values.revision([dated, {**dated, "CHNO": "4"}]) == "2026-11-14/000000007"
    assert values.revision([dated, {"LMDT": "20261114"}]) == values.revision([]) == ""


def test_a_day_alone_begins_at_midnight_of_the_site() -> None:
    zone = ZoneInfo("Europe/Berlin")
    assert values.changed_at({"LMDT": "20261114"}, zone) == datetime(2026, 11, 13, 23, tzinfo=UTC)
    assert values.changed_at({"LMDT": "20261114", "LMTS": "1000"}, zone) == datetime(
        1970, 1, 1, tzinfo=UTC
    ) + timedelta(seconds=1)
    assert values.changed_at({}, zone) is None
