"""Answers that are JSON only in name: depth, size, numbers, doubles and characters (engineering.md §2.4, 11 and 15)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.errors import AmbiguousOutcome, ProtocolError
from airflow_provider_mlconnector.systems import oauth, verdict
from airflow_provider_mlconnector.systems.call import http_date
from airflow_provider_mlconnector.systems.cloudsuite.csi import answers, replies
from airflow_provider_mlconnector.systems.cloudsuite.m3 import answers as m3
from airflow_provider_mlconnector.systems.cloudsuite.words import said
from airflow_provider_mlconnector.systems.json import UnreadableJson, loads
from airflow_provider_mlconnector.systems.transport import Effect, Reply

DEEP = b"[" * 100_000 + b"]" * 100_000
NOW = datetime(2026, 11, 21, tzinfo=UTC)
HOSTILE = [
    pytest.param(DEEP, id="deep"),
    pytest.param(b'{"Success":true,"Items":' + DEEP + b"}", id="deep inside"),
    pytest.param(b'{"Success":true,"Message":NaN}', id="not a number"),
    pytest.param(b'{"Success":true,"Items":[{"a":1e400}]}', id="beyond a float"),
    pytest.param(b'{"Success":true,"Items":[{"a":' + b"9" * 100_000 + b"}]}", id="a number of 100,000 digits"),
    pytest.param(b'{"Success":true,"Items":{}}', id="an object for a list"),
    pytest.param(b"\xff\xfe{\x00}\x00", id="utf-16"),
    pytest.param(b"", id="nothing"),
    pytest.param(b'{"Success":true', id="half"),
]


def reply(body: bytes, status: int = 200) -> Reply:
    return Reply(status, {}, body, 0.1, "r1")


def listed(body: bytes) -> list[dict[str, str | None]]:
    """Read the records of a load, of which ``a`` is the key."""
    where, name = "connection 'c'", "load of SLPos"
    read = replies.decoded(reply(body), answers.Loaded, where=where, name=name)
    return replies.items(reply(body), read, ("a",), where=where, name=name)


@pytest.mark.parametrize("body", HOSTILE)
def test_a_list_that_cannot_be_read_stops_with_its_bytes_kept(body: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        listed(body)
    assert caught.value.evidence == body


@pytest.mark.parametrize("kind", [answers.Updated, answers.Invocation])
@pytest.mark.parametrize(
    "body",
    [
        DEEP,
        b'{"Success":true,"x":' + DEEP + b"}",
        b'{"Success":true,"Message":NaN}',
        b'{"Success":"yes"}',
        b"",
        b"{",
        b"[]",
    ],
)
def test_an_answer_to_a_write_that_cannot_be_read_leaves_it_open(
    body: bytes, kind: type[answers.Updated | answers.Invocation]
) -> None:
    with pytest.raises(AmbiguousOutcome):
        replies.business(reply(body), kind, where="connection 'c'", name="update", effect=Effect.WRITE)


def test_an_answer_of_m3_nested_beyond_reading_leaves_its_write_open() -> None:
    body = b'{"results":[{"transaction":"AddHead","records":' + DEEP + b"}]}"
    with pytest.raises(AmbiguousOutcome):
        m3.read(reply(body), ["AddHead"], name="APS450MI AddHead", where="connection 'c'", effect=Effect.WRITE)


@pytest.mark.parametrize(
    "raw",
    [b'[{"Properties":5}]', b'[{"Properties":{"Name":1}}]', b'[{"Properties":' + DEEP + b"}]", b'[{"Properties":[1]}]'],
)
def test_a_change_that_was_made_stays_made_whatever_is_shown_of_it(raw: bytes) -> None:
    assert answers.read_refreshed(msgspec.Raw(raw)) == ({}, "")


def test_a_text_cut_inside_an_emoji_does_not_hide_the_other_rows() -> None:
    body = b'{"Success":true,"MoreRowsExist":false,"Items":[{"Name":"cut \\ud83d"},{"Name":"b\\u0000\xc3("}]}'
    assert listed(body) == [{"Name": "cut \ufffd"}, {"Name": "b\x00\ufffd("}]


def test_of_a_key_that_stands_twice_the_last_counts() -> None:
    assert loads(b'{"a": 1, "a": 2}') == {"a": 2}


def test_numbers_are_exact_and_none_costs_time() -> None:
    assert loads(b"[0.1, 1e400]") == [Decimal("0.1"), Decimal("1e400")]
    for body in (b"[NaN]", b"[Infinity]", b"[" + b"9" * 1_000_000 + b"]"):
        with pytest.raises(UnreadableJson):
            loads(body)


@given(st.binary() | st.recursive(st.just(b"1"), lambda inner: st.builds(lambda x: b"[" + x + b"]", inner)))
def test_whatever_comes_is_read_or_unreadable(body: bytes) -> None:
    try:
        loads(body)
    except UnreadableJson:
        return


def test_a_token_answer_nested_beyond_reading_is_no_token() -> None:
    with pytest.raises(ProtocolError, match="without an access_token"):
        oauth.read_grant(reply(b'{"access_token":' + DEEP + b"}"), "Infor")
    assert oauth.error_code(b'{"error":' + DEEP + b"}") == ""


# --- words and headers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"<" * 20_000, b"<head" * 4_000, b"</head>" + b"<head>" * 3_000, b"<style>" * 3_000])
@pytest.mark.timeout(10)
def test_a_page_of_nothing_but_brackets_is_read_at_once(body: bytes) -> None:
    assert len(said(body)) <= 300


HUGE = [
    "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    "Mon, 99999999999999999999 Jan 2026 00:00:00 GMT",
    "Mon, 01 Jan 2026 99999999999999:00:00 GMT",
    "Mon, 01 Jan 2026 00:00:00 +99999999999999999",
]


@pytest.mark.parametrize("value", HUGE)
def test_a_date_beyond_all_calendars_is_none(value: str) -> None:
    assert http_date(value) is None
    assert verdict.retry_after({"Retry-After": value}, NOW) is None
    assert verdict.retry_after({"Retry-After": "Sat, 21 Nov 2026 00:00:05 GMT", "Date": value}, NOW) == 5


@given(st.text())
def test_any_text_is_a_date_or_none(value: str) -> None:
    found = http_date(value)
    assert found is None or found.tzinfo is not None


@pytest.mark.parametrize("value", ["9" * 400, "99999999999", "Fri, 31 Dec 9999 23:59:59 GMT", "1" * 20 + ".5"])
def test_nobody_is_waited_for_longer_than_a_day(value: str) -> None:
    wait = verdict.retry_after({"Retry-After": value}, NOW)
    assert wait == verdict.LONGEST_WAIT
    assert NOW + timedelta(seconds=wait) == NOW + timedelta(days=1)


@pytest.mark.parametrize("value", ["-5", "nan", "inf", "1e9", "٥", "", " ", "5 seconds"])
def test_a_wait_that_is_no_number_of_seconds_is_none(value: str) -> None:
    assert verdict.retry_after({"Retry-After": value}, NOW) is None
