"""The REST face of MI programs: parameters, answers, failures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sandbox.cloudsuite.conftest import START, Office

from airflow_provider_mlconnector.sandbox.app import SandboxApp
from airflow_provider_mlconnector.sandbox.server import serving

EXECUTE = "/ACME_TST/M3/m3api-rest/v2/execute"
NOTHING_RUN = {"nrOfSuccessfullTransactions": 0, "nrOfFailedTransactions": 0}


class M3(Office):
    """Speaks to one M3: ``get`` by one transaction in the path, ``bulk`` by many in the body."""

    def __init__(self, app: SandboxApp | None = None, **options: Any) -> None:
        super().__init__(app or SandboxApp(cloudsuite={"m3": options}, start=START), lambda: None)  # type: ignore[arg-type]
        self.log_in()

    def raw(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.ask(method, f"{EXECUTE}{path}", headers=self.headers, **options)

    def get(self, program: str, transaction: str, matrix: str = "", **inputs: str) -> Any:
        return self.raw("GET", f"/{program}/{transaction}{matrix}", params=inputs).json()

    def rows(self, program: str, transaction: str, **inputs: str) -> list[dict[str, str]]:
        """Return all records, trimmed."""
        inputs = {"maxrecs": "0", "righttrim": "true"} | inputs
        (result,) = self.get(program, transaction, **inputs)["results"]
        assert "errorMessage" not in result, result
        found: list[dict[str, str]] = result["records"]
        return found

    def bulk(self, program: str, *transactions: tuple[str, dict[str, Any]], **said: Any) -> Any:
        listed = [{"transaction": name, "record": record} for name, record in transactions]
        return self.raw("POST", "", json={"program": program, "cono": 100, "transactions": listed, **said}).json()

    def one(self, program: str, transaction: str, **record: Any) -> dict[str, str]:
        """Run one transaction and return its first record, trimmed, or nothing."""
        (result,) = self.bulk(program, (transaction, record))["results"]
        assert "errorMessage" not in result, result
        return {name: text.rstrip() for name, text in (result["records"] or [{}])[0].items()}

    def refusal(self, program: str, transaction: str, **record: Any) -> tuple[str, str, str]:
        """Return type, field and message of a transaction that fails."""
        (result,) = self.bulk(program, (transaction, record))["results"]
        assert result["records"] == []
        return result["errorType"], result["errorField"], result["errorMessage"]

    def person(self, kind: str, **body: Any) -> Any:
        return self.control("POST", "documents", {"system": "cloudsuite", "kind": kind, **body})

    @property
    def books(self) -> Any:
        return self.control("GET", "ledger")["cloudsuite"]["m3"]

    @property
    def writes(self) -> Any:
        return self.control("GET", "ledger")["cloudsuite"]["attempts"]


@pytest.fixture
def m3() -> M3:
    return M3()


def test_a_list_is_asked_for_with_matrix_or_with_query_parameters(m3: M3) -> None:
    matrix = m3.get("CRS620MI", "LstSuppliers", ";metadata=true;maxrecs=2;returncols=SUNO,SUNM", FRSU="V00030")
    query = m3.get("CRS620MI", "LstSuppliers", maxrecs="2", returncols="SUNO,SUNM", FRSU="V00030")
    assert matrix == query
    assert matrix == {
        "results": [
            {
                "transaction": "LstSuppliers",
                "records": [
                    {"SUNO": "V00030    ", "SUNM": "Northbridge Tooling 30".ljust(36)},
                    {"SUNO": "V00031    ", "SUNM": "Rheintal Chemie".ljust(36)},
                ],
            }
        ],
        "wasTerminated": False,
        "nrOfSuccessfullTransactions": 1,
        "nrOfFailedTransactions": 0,
    }


def test_a_hundred_rows_are_the_default_and_none_is_said_to_be_missing() -> None:
    m3 = M3(orders=130)
    (result,) = m3.get("PPS200MI", "SearchHead", SQRY="CONO:100")["results"]
    assert len(result["records"]) == 100
    assert set(result) == {"transaction", "records"}
    assert len(m3.rows("PPS200MI", "SearchHead", SQRY="CONO:100")) == 130
    (bulk,) = m3.bulk("PPS200MI", ("SearchHead", {"SQRY": "CONO:100"}))["results"]
    assert len(bulk["records"]) == 100
    (whole,) = m3.bulk("PPS200MI", ("SearchHead", {"SQRY": "CONO:100"}), maxReturnedRecords=0)["results"]
    assert len(whole["records"]) == 130


def test_a_ceiling_of_the_server_cuts_even_all(m3: M3) -> None:
    limited = M3(most_rows=5)
    assert len(limited.rows("CRS620MI", "LstSuppliers")) == 5
    assert len(limited.get("CRS620MI", "LstSuppliers", maxrecs="3")["results"][0]["records"]) == 3


def test_maxrecs_in_the_query_may_count_for_nothing() -> None:
    m3 = M3(query_maxrecs=False)
    assert len(m3.get("CRS620MI", "LstSuppliers", maxrecs="2")["results"][0]["records"]) == 38
    assert len(m3.get("CRS620MI", "LstSuppliers", ";maxrecs=2")["results"][0]["records"]) == 2


def test_values_are_padded_to_their_fields_unless_trimmed_and_empty_ones_can_be_left_out(m3: M3) -> None:
    whole = m3.get("CRS620MI", "GetBasicData", SUNO="V00001")["results"][0]["records"][0]
    assert (whole["SUNO"], whole["TFNO"], whole["SUTY"], whole["LMTS"][13:]) == (
        "V00001    ", " " * 16, "0", "     ",
    )  # fmt: skip
    trimmed = m3.get("CRS620MI", "GetBasicData", SUNO="V00001", righttrim="true")["results"][0]["records"][0]
    assert trimmed == {name: value.rstrip() for name, value in whole.items()}
    filled = m3.get("CRS620MI", "GetBasicData", ";excludempty=true", SUNO="V00001")["results"][0]["records"][0]
    assert "TFNO" not in filled
    assert filled["SUNM"] == whole["SUNM"]


def test_results_stand_in_the_order_of_their_transactions_whatever_became_of_them(m3: M3) -> None:
    answer = m3.bulk(
        "CRS620MI",
        ("GetBasicData", {"SUNO": "V00002"}),
        ("GetBasicData", {"SUNO": "S999"}),
        ("Nonsense", {}),
        ("GetBasicData", {"SUNO": "V00001"}),
    )
    assert [result["transaction"] for result in answer["results"]] == [
        "GetBasicData", "GetBasicData", "Nonsense", "GetBasicData",
    ]  # fmt: skip
    assert [len(result["records"]) for result in answer["results"]] == [1, 0, 0, 1]
    assert ["errorMessage" in result for result in answer["results"]] == [False, True, True, False]
    assert answer["results"][0]["parameters"] == {"SUNO": "V00002"}
    failed = {key: answer["results"][1][key] for key in ("errorMessage", "errorType", "errorCode", "errorField")}
    assert failed == {
        "errorMessage": "Supplier S999 does not exist",
        "errorType": "ServerReturnedNOK",
        "errorCode": "WSU0103",
        "errorField": "SUNO",
    }
    assert answer["results"][2]["errorType"] == "TransactionNotFound"
    assert (answer["nrOfSuccessfullTransactions"], answer["nrOfFailedTransactions"]) == (2, 2)


def test_selected_columns_apply_to_their_own_transaction(m3: M3) -> None:
    listed = [
        {"transaction": "GetBasicData", "record": {"SUNO": "V00001"}, "selectedColumns": ["SUNM", "XXXX"]},
        {"transaction": "GetBasicData", "record": {"SUNO": "V00001"}},
    ]
    first, second = m3.raw("POST", "", json={"program": "CRS620MI", "transactions": listed}).json()["results"]
    assert set(first["records"][0]) == {"SUNM"}
    assert set(second["records"][0]) > {"SUNM", "CONO"}


@pytest.mark.parametrize(("mode", "status"), [("200", 200), ("400", 400)])
def test_a_failure_comes_under_either_status_with_the_same_body(mode: str, status: int) -> None:
    m3 = M3(mi_errors=mode)
    answer = m3.raw("GET", "/CRS620MI/GetBasicData", params={"SUNO": "S999"})
    assert (answer.status_code, answer.json()["nrOfFailedTransactions"]) == (status, 1)
    assert m3.raw("GET", "/CRS620MI/GetBasicData", params={"SUNO": "V00001"}).status_code == 200
    assert m3.raw("GET", "/NONEMI/Get").status_code == status
    listed = [{"transaction": "GetBasicData", "record": {"SUNO": number}} for number in ("V00001", "S999")]
    partly = m3.raw("POST", "", json={"program": "CRS620MI", "transactions": listed})
    assert (partly.status_code, [len(each["records"]) for each in partly.json()["results"]]) == (status, [1, 0])


@pytest.mark.parametrize(
    ("program", "company", "kind", "reason"),
    [
        ("NONEMI", 100, "ProgramNotFound", "Program NONEMI does not exist"),
        ("CRS620MI", 409, "ServerReturnedNOK", "Not authorized for company 409"),
    ],
)
def test_a_call_that_fails_as_a_whole_runs_nothing(m3: M3, program: str, company: int, kind: str, reason: str) -> None:
    answer = m3.bulk(program, ("UpdSupplier", {"SUNO": "V00001", "SUNM": "X"}), cono=company)
    expected = {"results": [], "wasTerminated": True, "terminationErrorType": kind, "terminationReason": reason}
    assert answer == expected | NOTHING_RUN
    assert m3.writes == []


def test_a_call_broken_off_keeps_what_was_done() -> None:
    m3 = M3(terminate_after=2)
    changes = [("UpdSupplier", {"SUNO": f"V0000{n}", "SUNM": "Renamed"}) for n in (1, 2, 3)]
    answer = m3.bulk("CRS620MI", *changes)
    assert (answer["wasTerminated"], len(answer["results"]), answer["nrOfSuccessfullTransactions"]) == (True, 2, 2)
    names = {row["SUNO"]: row["SUNM"] for row in m3.books["suppliers"]}
    assert [names[f"V0000{n}"] for n in (1, 2, 3)] == ["Renamed", "Renamed", "Quill Office 3"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "", "no json", 400),
        ("POST", "", "[]", 400),
        ("POST", "", '{"program": "CRS620MI"}', 400),
        ("POST", "", '{"program": "CRS620MI", "transactions": [1]}', 400),
        ("GET", "/CRS620MI/LstSuppliers;maxrecs=many", None, 400),
        ("GET", "", None, 405),
        ("POST", "/CRS620MI/LstSuppliers", "{}", 405),
        ("DELETE", "/CRS620MI/LstSuppliers", None, 405),
    ],
)
def test_what_is_no_call_is_refused_by_status(m3: M3, method: str, path: str, body: str | None, status: int) -> None:
    assert m3.raw(method, path, content=body).status_code == status


def test_version_one_and_other_paths_are_not_there(m3: M3) -> None:
    for path in ("/ACME_TST/M3/m3api-rest/execute/CRS620MI/LstSuppliers", "/ACME_TST/M3/other"):
        assert m3.ask("GET", path, headers=m3.headers).status_code == 404
    assert m3.ask("GET", f"{EXECUTE}/CRS620MI/LstSuppliers").status_code == 401


@pytest.mark.parametrize(
    ("record", "kind", "field"),
    [
        ({}, "MandatoryInputFieldNotFound", "SUNO"),
        ({"SUNO": "V0000112345"}, "InputFieldTooLong", "SUNO"),
        ({"SUNO": "V00001", "SUTY": "x"}, "ServerReturnedNOK", "SUTY"),
        ({"SUNO": "V00001", "CUCD": "XXX"}, "ServerReturnedNOK", "CUCD"),
        ({"SUNO": "V00001", "TEPY": "N99"}, "ServerReturnedNOK", "TEPY"),
    ],
)
def test_inputs_are_checked_and_the_attempt_is_noted(m3: M3, record: dict[str, str], kind: str, field: str) -> None:
    found = m3.refusal("CRS620MI", "UpdSupplier", **record)
    assert found[:2] == (kind, field)
    (attempt,) = m3.writes
    assert (attempt["outcome"], attempt["reason"], attempt["inputs"]) == ("refused", found[2], record)


def test_an_input_too_long_may_be_cut_instead() -> None:
    m3 = M3(too_long="cut")
    m3.one("CRS620MI", "UpdSupplier", SUNO="V00001", SUNM="N" * 40)
    assert next(row for row in m3.books["suppliers"] if row["SUNO"] == "V00001")["SUNM"] == "N" * 36


def test_an_input_nobody_knows_is_passed_over_but_noted(m3: M3) -> None:
    m3.one("CRS620MI", "UpdSupplier", SUNO="V00001", SUNM="X", NONE="1", FRSU="2")
    assert m3.writes[0]["ignored"] == ["NONE", "FRSU"]


def test_field_metadata_tell_kind_width_and_whether_an_input_is_needed(m3: M3) -> None:
    rows = m3.rows("MRS001MI", "LstAdtFieldInf", MINM="APS450MI", TRNM="AddHead", TRTP="I")
    by_name = {row["FLNM"]: row for row in rows}
    assert [by_name["SINO"][key] for key in ("LENG", "TYPE", "MAND")] == ["24", "A", "0"]
    assert [by_name["IVDT"][key] for key in ("LENG", "TYPE", "MAND")] == ["10", "D", "1"]
    assert [
        row["FLNM"] for row in m3.rows("MRS001MI", "LstAdtFieldInf", MINM="APS450MI", TRNM="AddHead", TRTP="O")
    ] == ["INBN"]
    assert m3.refusal("MRS001MI", "LstAdtFieldInf", MINM="APS450MI", TRNM="None", TRTP="I")[1] == "TRNM"


def test_calls_have_names_for_faults_and_counts(m3: M3) -> None:
    m3.get("CRS620MI", "LstSuppliers", ";maxrecs=1")
    m3.bulk("CRS620MI", ("GetBasicData", {"SUNO": "V00001"}))
    calls = m3.control("GET", "requests")["systems"]["cloudsuite"]["calls"]
    assert (calls["M3Execute CRS620MI LstSuppliers"], calls["M3Execute"]) == (1, 1)


class Remote:
    """Speaks over real sockets, which faults can break, to a sandbox with all products."""

    def __init__(self, url: str) -> None:
        self.url = url
        file = self.control("GET", "credentials")["cloudsuite"]["extra"]["ionapi"]
        form = {"grant_type": "password", "username": file["saak"], "password": file["sask"]}
        answer = httpx.post(file["pu"] + file["ot"], data=form, auth=(file["ci"], file["cs"]))
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}", "X-Infor-LnCompany": "1000"}

    def control(self, method: str, command: str, json: Any = None) -> Any:
        return httpx.request(method, f"{self.url}/_sandbox/{command}", json=json).json()

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return httpx.request(method, f"{self.url}/ACME_TST/{path}", headers=self.headers, **options)

    def faulty(self, call: str, kind: str, **more: Any) -> None:
        self.control("POST", "faults", [{"system": "cloudsuite", "call": call, "kind": kind, "nth": 1, **more}])

    @property
    def ledger(self) -> Any:
        return self.control("GET", "ledger")["cloudsuite"]


@pytest.fixture(scope="module")
def running() -> Iterator[Remote]:
    with serving(cloudsuite={"ln": {"orders": 1}}) as sandbox:
        yield Remote(sandbox.url)


@pytest.mark.parametrize("kind", ["reset_after", "cut_body"])
@pytest.mark.parametrize("by", ["GET", "POST"])
def test_a_write_is_done_though_its_answer_is_lost(running: Remote, kind: str, by: str) -> None:
    before = len(running.ledger["m3"]["invoices"])
    record = {"SUNO": "V00001", "IVDT": "20260301", "SINO": "LOST-1"}
    running.faulty("M3Execute*", kind)
    path, sent = "M3/m3api-rest/v2/execute", {"transaction": "AddHead", "record": record}
    options: dict[str, Any] = {"json": {"program": "APS450MI", "transactions": [sent]}}
    if by == "GET":
        path, options = f"{path}/APS450MI/AddHead", {"params": record}
    with pytest.raises(httpx.HTTPError):
        running.ask(by, path, **options)
    assert len(running.ledger["m3"]["invoices"]) == before + 1
    assert running.ledger["attempts"][-1]["outcome"] == "stored"


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("M3/m3api-rest/v2/execute/CRS620MI/LstSuppliers", "M3Execute CRS620MI LstSuppliers"),
        ("LN/lnapi/odata/tdapi.purPurchaseOrder/Orders", "LnRead Orders"),
        ("LN/lnapi/odata/tdapi.purPurchaseOrder/Lines", "LnRead Lines"),
        ("FSM/fsm/soap/classes/Vendor/lists/_generic", "FsmList Vendor"),
    ],
)
def test_faults_find_reads_by_name(running: Remote, path: str, call: str) -> None:
    running.faulty(call, "status", code=503)
    assert [running.ask("GET", path).status_code for _ in range(2)] == [503, 200]
    running.faulty(call, "cut_body")
    with pytest.raises(httpx.HTTPError):
        running.ask("GET", path)


def test_the_same_seed_gives_the_same_books() -> None:
    def made(seed: int) -> Any:
        app = SandboxApp(seed=seed, cloudsuite={"m3": {"orders": 9, "invoices": 9}}, start=START)
        return app.cloudsuite.ledger()["m3"]

    assert made(3) == made(3)
    assert made(3)["purchase_orders"] != made(4)["purchase_orders"]


def test_an_option_m3_does_not_have_is_refused(m3: M3) -> None:
    assert "none" in m3.control("POST", "reset", {"cloudsuite": {"m3": {"none": 1}}}, status=400)["error"]
