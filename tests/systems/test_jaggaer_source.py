from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mlconnector.errors import ConfigurationError, NotAuthenticated, Parked, ProtocolError, Rejected
from airflow_provider_mlconnector.systems.jaggaer.auth import Credentials
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient
from airflow_provider_mlconnector.systems.jaggaer.contract import EligibilityWords, JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.source import JaggaerInvoiceSource
from airflow_provider_mlconnector.systems.ports import DocumentSource, Eligibility, SourceRecord, Window
from airflow_provider_mlconnector.systems.transport import Call, Reply

NOW = datetime(2026, 1, 20, 12, tzinfo=UTC)
DATE = "Tue, 20 Jan 2026 12:00:00 GMT"
LIST = "/j1p/api/public/ji/v1/invoices"


class Clock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


class Tenant:
    """A tenant in memory: rows, a page size, and hooks to spoil answers."""

    def __init__(self, rows: Sequence[Any] = (), *, page: int = 100) -> None:
        self.rows = list(rows)
        self.page = page
        self.details: dict[str, Any] = {}
        self.asked: list[dict[str, str]] = []
        self.spoil: Callable[[int, dict[str, Any]], Any] = lambda _, envelope: envelope
        self.valid: set[str] | None = None
        """Tokens accepted; None accepts any."""
        self.issued = 0
        self.status = 200
        self.headers = {"Date": DATE}

    def send(self, call: Call, *, fence: object = None) -> Reply:
        if call.path.startswith("/auth/"):
            self.issued += 1
            return self._reply({"access_token": f"token-{self.issued}", "expires_in": 3600})
        token = call.headers["Authorization"].removeprefix("Bearer ")
        if self.valid is not None and token not in self.valid:
            message = "401"
            raise NotAuthenticated(message, request_id="r9")
        if call.path != LIST:
            key = call.path.rsplit("/", 1)[1]
            if key not in self.details:
                return self._reply({"returnCode": 2, "returnMessage": "124(no such invoice)"})
            return self._reply(self.details[key])
        params = dict(call.params)
        self.asked.append(params)
        start = int(params["start"]) - 1
        rows = self.rows[start : start + self.page]
        envelope = {
            "returnCode": 0,
            "returnMessage": "",
            "totRecords": len(self.rows),
            "returnedRecords": len(rows),
            "startAt": start + 1,
            "jiinvoiceList": {"jiinvoice": rows},
        }
        return self._reply(self.spoil(len(self.asked), envelope))

    def _reply(self, body: Any) -> Reply:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Reply(self.status, self.headers, data, 0.0, "r9")


def source(tenant: Tenant, *, words: EligibilityWords | None = None, **contract: Any) -> JaggaerInvoiceSource:
    client = JaggaerClient(
        tenant,  # type: ignore[arg-type]
        Credentials("jaggaer_default", "https://tenant.example", "client-1", "s3cret"),
        contract=JaggaerContract.parse(contract),
        clock=Clock(),
    )
    return JaggaerInvoiceSource(client, eligibility=words)


def row(number: int, *, lines: bool = False, **header: Any) -> dict[str, Any]:
    moment = NOW - timedelta(days=5) + timedelta(minutes=number)
    base = {
        "invoiceId": 900_000 + number,
        "supplierInvoiceNumber": f"NB-{number}",
        "invoiceNumber": f"I{number:06d}",
        "invoiceType": "Invoice",
        "lastUpdate": moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "invoiceDate": "2026-01-10T00:00:00.000Z",
        "workflowStatus": "Completed",
        "paymentStatus": "Payable",
        "matchStatus": "Matched",
        "businessUnit": "PLANT1",
        "supplier": {"supplierNumber": "V00042"},
        "total": {"currency": "USD", "value": 10.5},
    }
    shown: dict[str, Any] = {"header": base | header}
    if lines:
        shown["lineList"] = {"invoiceLine": [{"lineNumber": 1, "quantity": 1, "unitPrice": 10.5}]}
    return shown


def records(pages: Iterator[Any]) -> list[SourceRecord]:
    return [record for page in pages for record in page.records]


def test_it_is_a_document_source() -> None:
    as_port: DocumentSource = source(Tenant())
    assert as_port.tenant == "client-1"


@given(st.integers(0, 60), st.integers(1, 25))
def test_every_row_is_read_exactly_once_whatever_the_page_size(count: int, size: int) -> None:
    tenant = Tenant([row(n) for n in range(count)], page=size)
    pages = list(source(tenant).pages(Window()))
    assert [r.key for r in records(iter(pages))] == [str(900_000 + n) for n in range(count)]
    assert pages[-1].next_position is None
    assert all(page.total == count for page in pages)
    assert len(tenant.asked) == max(1, -(-count // size))


def test_a_pass_can_be_taken_up_again_where_a_page_ended() -> None:
    reader = source(Tenant([row(n) for n in range(10)], page=4))
    first = next(reader.pages(Window()))
    assert first.next_position == 5
    rest = records(reader.pages(Window(), position=first.next_position))
    assert [r.key for r in [*first.records, *rest]] == [str(900_000 + n) for n in range(10)]


def test_totals_and_codes_may_be_text_and_the_remote_clock_is_noted() -> None:
    tenant = Tenant([row(n) for n in range(5)], page=2)
    texts = ("returnCode", "totRecords", "returnedRecords")
    tenant.spoil = lambda _, envelope: envelope | {key: str(envelope[key]) for key in texts}
    pages = list(source(tenant).pages(Window()))
    assert [(len(p.records), p.total, p.remote_time) for p in pages] == [(2, 5, NOW), (2, 5, NOW), (1, 5, NOW)]


def test_without_a_total_reading_ends_with_the_first_empty_page() -> None:
    tenant = Tenant([row(n) for n in range(4)], page=2)
    tenant.spoil = lambda _, envelope: {k: v for k, v in envelope.items() if k != "totRecords"}
    assert len(records(source(tenant).pages(Window()))) == 4
    assert len(tenant.asked) == 3


def test_fewer_rows_than_stated_are_not_skipped_over() -> None:
    tenant = Tenant([row(n) for n in range(6)], page=3)

    def cut(request: int, envelope: dict[str, Any]) -> dict[str, Any]:
        return envelope if request > 1 else envelope | {"jiinvoiceList": {"jiinvoice": tenant.rows[:1]}}

    tenant.spoil = cut
    keys = {r.key for r in records(source(tenant).pages(Window()))}
    assert len(keys) == 6


def test_a_list_that_shrinks_while_being_read_ends_early_without_error() -> None:
    tenant = Tenant([row(n) for n in range(6)], page=2)

    def shrink(request: int, envelope: dict[str, Any]) -> dict[str, Any]:
        return envelope if request < 3 else envelope | {"totRecords": 4, "returnedRecords": 0, "jiinvoiceList": {}}

    tenant.spoil = shrink
    assert len(records(source(tenant).pages(Window()))) == 4


def test_a_tenant_that_ignores_the_offset_is_noticed() -> None:
    tenant = Tenant([row(n) for n in range(6)], page=2)
    tenant.spoil = lambda _, envelope: envelope | {"jiinvoiceList": {"jiinvoice": tenant.rows[:2]}}
    with pytest.raises(ProtocolError, match="same page again at record 3"):
        list(source(tenant).pages(Window()))


def test_an_empty_page_in_the_middle_is_asked_for_again_and_then_refused() -> None:
    tenant = Tenant([row(n) for n in range(6)], page=2)
    empty = {"returnedRecords": 0, "jiinvoiceList": {"jiinvoice": {}}}
    tenant.spoil = lambda request, envelope: envelope | empty if request == 2 else envelope
    assert len(records(source(tenant).pages(Window()))) == 6
    tenant.asked.clear()
    tenant.spoil = lambda request, envelope: envelope | empty if request >= 2 else envelope
    with pytest.raises(ProtocolError, match="empty at record 3, though 6 are announced"):
        list(source(tenant).pages(Window()))


def test_the_window_filters_its_start_at_jaggaer_and_its_end_here() -> None:
    tenant = Tenant([row(n) for n in range(10)])
    start = NOW - timedelta(days=5, seconds=-0.9)
    end = NOW - timedelta(days=5) + timedelta(minutes=4)
    found = records(source(tenant).pages(Window(start, end)))
    assert tenant.asked[0]["flt"] == "lastUpdate>=2026-01-15T12:00:00.000Z"
    assert [r.key for r in found] == ["900000", "900001", "900002", "900003"]


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        ("%Y%m%d%H%M%S", "20261025014500"),
        ("%Y-%m-%dT%H:%M:%S%z", "2026-10-25T01:45:00+0200"),
        ("%Y-%m-%dT%H:%M:%S.000Z", "2026-10-25T00:45:00.000Z"),
    ],
)
def test_a_filter_by_the_tenants_own_clock_reaches_back_over_the_hour_it_repeats(form: str, asked: str) -> None:
    tenant = Tenant()
    start = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)  # 02:45, an hour before the second 02:45
    list(source(tenant, invoices={"time_zone": "Europe/Berlin", "time_format": form}).pages(Window(start)))
    assert tenant.asked[0]["flt"] == f"lastUpdate>={asked}"


def test_a_contract_names_parameters_filter_and_page_size() -> None:
    tenant = Tenant([row(1)])
    reader = source(
        tenant,
        paging={"size_param": "limit", "size": 7},
        filter={"param": "filter", "greater_or_equal": "=ge="},
        invoices={"modified_filter": "changed"},
    )
    list(reader.pages(Window(start=NOW)))
    assert tenant.asked == [{"start": "1", "limit": "7", "filter": "changed=ge=2026-01-20T12:00:00.000Z"}]


def test_a_row_shows_what_people_want_to_see_of_it() -> None:
    only = records(source(Tenant([row(1)])).pages(Window()))[0]
    assert (only.key, only.revision, only.complete) == ("900001", "2026-01-15T12:01:00.000000Z", False)
    shown = only.summary
    assert (shown.number, shown.supplier, shown.currency, shown.gross) == ("NB-1", "V00042", "USD", "10.5")
    assert (shown.kind, str(shown.document_date), shown.business_unit) == ("invoice", "2026-01-10", "PLANT1")


def test_the_bytes_of_a_row_are_kept_as_received() -> None:
    raw = b'{"header": {"invoiceId":1,  "lastUpdate":"2026-01-15T10:20:30Z","total":{"value":1.10000000000000000001}}}'
    tenant = Tenant()
    envelope = b'{"returnCode":0,"totRecords":1,"returnedRecords":1,"jiinvoiceList":{"jiinvoice":[' + raw + b"]}}"
    tenant.spoil = lambda *_: envelope
    only = records(source(tenant).pages(Window()))[0]
    assert only.payload == raw
    assert only.summary.gross == "1.10000000000000000001"


@pytest.mark.parametrize(
    "spoiled",
    [
        {"header": {"invoiceId": {}, "lastUpdate": "2026-01-15T10:20:30.400Z"}},
        {"header": {"invoiceId": 900101, "lastUpdate": {}}},
        {"header": {"invoiceId": 1.5, "lastUpdate": "2026-01-15T10:20:30.400Z"}},
        {"header": {"invoiceId": True, "lastUpdate": "2026-01-15T10:20:30.400Z"}},
        {"header": 5},
        {},
        None,
        "x",
        [1],
    ],
)
def test_a_row_nobody_can_identify_is_recorded_under_a_key_of_its_own_and_rejected(spoiled: Any) -> None:
    reader = source(Tenant([row(1), spoiled, row(2)]))
    found = records(reader.pages(Window(end=NOW)))
    assert [r.key for r in (found[0], found[2])] == ["900001", "900002"]
    assert found[1].key.startswith("unreadable-")
    assert found[1].eligibility is Eligibility.ELIGIBLE
    assert reader.complete(found[1]) is found[1]
    assert records(reader.pages(Window()))[1].key == found[1].key
    with pytest.raises(Rejected):
        reader.decode(found[1].payload)


def test_one_poisoned_row_spoils_only_itself() -> None:
    tenant = Tenant()
    good, bad = json.dumps(row(1)), json.dumps(row(2)).replace("10.5", "9" * 5000)
    emoji = json.dumps(row(3)).replace("NB-3", "NB\\ud83d")
    body = (
        f'{{"returnCode":0,"totRecords":3,"returnedRecords":3,"jiinvoiceList":{{"jiinvoice":[{good},{bad},{emoji}]}}}}'
    )
    tenant.spoil = lambda *_: body.encode()
    found = records(source(tenant).pages(Window()))
    assert [r.key[:10] for r in found] == ["900001", "unreadable", "900003"]
    assert found[2].summary.number == "NB�"


@pytest.mark.parametrize(
    ("header", "expected", "text"),
    [
        ({}, Eligibility.ELIGIBLE, "workflowStatus Completed, paymentStatus Payable"),
        ({"matchStatus": "do not match"}, Eligibility.ELIGIBLE, "workflowStatus Completed, paymentStatus Payable"),
        ({"workflowStatus": "Pending"}, Eligibility.NOT_ELIGIBLE, "workflowStatus Pending"),
        (
            {"paymentStatus": "InProcess", "matchStatus": "Unmatched"},
            Eligibility.NOT_ELIGIBLE,
            "paymentStatus InProcess, matchStatus Unmatched",
        ),
        ({"workflowStatus": {}}, Eligibility.NOT_ELIGIBLE, "workflowStatus missing"),
        ({"paymentStatus": "Paid"}, Eligibility.PAID, "paymentStatus Paid"),
        ({"workflowStatus": "Cancelled"}, Eligibility.CLOSED, "workflowStatus Cancelled"),
    ],
)
def test_status_words_decide_about_eligibility(header: dict[str, Any], expected: Eligibility, text: str) -> None:
    only = records(source(Tenant([row(1, **header)])).pages(Window()))[0]
    assert (only.eligibility, only.status_text) == (expected, text)


def test_a_route_may_bring_its_own_words() -> None:
    words = EligibilityWords(workflow=("Completed", "Pending"), match=())
    tenant = Tenant([row(1, workflowStatus="Pending", matchStatus="Unmatched")])
    assert records(source(tenant, words=words).pages(Window()))[0].eligibility is Eligibility.ELIGIBLE


def test_a_list_with_lines_needs_no_details() -> None:
    reader = source(Tenant([row(1, lines=True)]))
    only = records(reader.pages(Window()))[0]
    assert only.complete
    assert reader.complete(only) is only
    assert reader.decode(only.payload).number == "NB-1"


def test_a_header_only_row_is_completed_by_its_detail_as_received() -> None:
    tenant = Tenant([row(1)])
    tenant.details["900001"] = row(1, lines=True)
    reader = source(tenant)
    only = reader.complete(records(reader.pages(Window()))[0])
    assert only.complete
    assert only.payload == json.dumps(tenant.details["900001"]).encode()
    assert reader.decode(only.payload).lines[0].unit_price == 10.5


def test_a_detail_with_a_short_header_is_filled_up_from_its_row() -> None:
    tenant = Tenant([row(1)])
    tenant.details["900001"] = {"header": {"invoiceId": 900001, "invoiceName": "x"}, "lineList": {"invoiceLine": []}}
    reader = source(tenant)
    only = reader.complete(records(reader.pages(Window()))[0])
    assert (only.eligibility, only.revision) == (Eligibility.ELIGIBLE, "2026-01-15T12:01:00.000000Z")
    assert reader.decode(only.payload).number == "NB-1"


def test_a_detail_changed_since_the_list_was_read_decides_alone() -> None:
    tenant = Tenant([row(1, shippingCharge=5)])
    changed = row(1, lines=True, lastUpdate="2026-01-19T00:00:00.000Z", workflowStatus="Cancelled")
    tenant.details["900001"] = changed
    reader = source(tenant)
    only = reader.complete(records(reader.pages(Window()))[0])
    assert (only.revision, only.eligibility) == ("2026-01-19T00:00:00.000000Z", Eligibility.CLOSED)
    assert reader.decode(only.payload).charges == ()


def test_a_detail_in_an_envelope_is_understood() -> None:
    tenant = Tenant([row(1)])
    tenant.details["900001"] = {"returnCode": "0", "jiinvoiceList": {"jiinvoice": [row(1, lines=True)]}}
    reader = source(tenant)
    assert reader.decode(reader.complete(records(reader.pages(Window()))[0]).payload).number == "NB-1"


def test_an_invoice_without_a_detail_is_parked_not_fatal() -> None:
    reader = source(Tenant([row(1)]))
    with pytest.raises(Parked) as caught:
        reader.complete(records(reader.pages(Window()))[0])
    assert (caught.value.code, caught.value.subject) == ("detail_missing", "900001")


def test_a_token_withdrawn_early_is_renewed_once() -> None:
    tenant = Tenant([row(1)])
    tenant.valid = {"token-2"}
    assert len(records(source(tenant).pages(Window()))) == 1
    assert tenant.issued == 2


def test_a_fresh_token_that_is_refused_too_stops_with_the_connection_named() -> None:
    tenant = Tenant([row(1)])
    tenant.valid = set()
    with pytest.raises(NotAuthenticated, match=r"connection 'jaggaer_default'.*Base URL and Realm"):
        list(source(tenant).pages(Window()))
    assert tenant.issued == 2


@pytest.mark.parametrize(
    ("envelope", "error", "words"),
    [
        (
            {"returnCode": 2, "returnMessage": "unknown field"},
            ConfigurationError,
            "unknown field; check the contract's filter",
        ),
        ({"returnCode": "-996", "returnMessage": "no"}, ProtocolError, "code -996: no"),
        ({"jiinvoiceList": {}}, ProtocolError, "has no returnCode"),
        (b"<html>", ProtocolError, "not answered with a JSON object"),
        (b"[]", ProtocolError, "not answered with a JSON object"),
        (b'{"returnCode":0,"jiinvoiceList":{"jiinvoice":[{"a":', ProtocolError, "not answered with a JSON object"),
        ({"returnCode": 0, "jiinvoiceList": 5}, ProtocolError, "no list at jiinvoiceList.jiinvoice"),
        ({"returnCode": 0, "jiinvoiceList": {"jiinvoice": "x"}}, ProtocolError, "no list at jiinvoiceList.jiinvoice"),
    ],
)
def test_an_answer_that_is_no_list_stops_in_words(envelope: Any, error: type[Exception], words: str) -> None:
    tenant = Tenant()
    tenant.spoil = lambda *_: envelope
    with pytest.raises(error, match="connection 'jaggaer_default'") as caught:
        list(source(tenant).pages(Window()))
    assert words in str(caught.value)


def test_a_warning_code_is_accepted() -> None:
    tenant = Tenant([row(1)])
    tenant.spoil = lambda _, envelope: envelope | {"returnCode": "1", "returnMessage": "deprecated"}
    assert len(records(source(tenant).pages(Window()))) == 1


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (403, ConfigurationError, "ask JAGGAER"),
        (404, ConfigurationError, "contract's paths"),
        (418, ProtocolError, "HTTP 418"),
    ],
)
def test_http_errors_name_what_to_correct(status: int, error: type[Exception], words: str) -> None:
    tenant = Tenant()
    reader = source(tenant)
    list(reader.pages(Window()))
    tenant.status = status
    with pytest.raises(error, match="connection 'jaggaer_default'") as caught:
        list(reader.pages(Window()))
    assert words in str(caught.value)


def test_the_remote_clock_is_read_off_an_empty_list() -> None:
    tenant = Tenant()
    assert source(tenant).remote_time() == NOW
    assert tenant.asked[0]["flt"] == "lastUpdate>=2026-01-22T12:00:00.000Z"
    tenant.headers = {}
    with pytest.raises(ProtocolError, match="no Date header"):
        source(tenant).remote_time()


def test_a_probe_tells_each_check_and_stops_at_the_first_failure() -> None:
    tenant = Tenant([row(1)])
    tenant.details["900001"] = row(1, lines=True)
    checks = source(tenant).probe()
    assert [(name, ok) for name, ok, _ in checks] == [
        ("log in", True),
        ("invoice list", True),
        ("clock", True),
        ("invoice detail", True),
    ]
    assert "1 invoices; transferred are those with workflowStatus Completed" in checks[1][2]
    assert checks[2][2] == "JAGGAER's clock and ours are in step"
    tenant.headers = {"Date": "Tue, 20 Jan 2026 11:00:00 GMT"}
    assert source(tenant).probe()[2] == ("clock", False, "JAGGAER's clock is 3600 s behind ours")
    tenant.spoil = lambda *_: {"returnCode": 2, "returnMessage": "no"}
    assert [ok for _, ok, _ in source(tenant).probe()] == [True, False]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("{", "is not JSON"),
        ({"pagin": {}}, "pagin: Extra inputs are not permitted"),
        ({"invoices": {"get": "/x"}}, "invoices.get: Value error, must contain {id}"),
        ({"invoices": {"list": "x"}}, "invoices.list: Value error, must start with a slash"),
        ({"auth": {"client_auth": "mtls"}}, "auth.client_auth"),
        ("[]", ""),
    ],
)
def test_a_wrong_contract_names_the_setting(data: Any, words: str) -> None:
    if words:
        with pytest.raises(ConfigurationError) as caught:
            JaggaerContract.parse(data, field="connection 'x', field Contract overrides")
        assert caught.value.message.startswith("connection 'x', field Contract overrides")
        assert words in caught.value.message
    else:
        assert JaggaerContract.parse(data) == JaggaerContract()
