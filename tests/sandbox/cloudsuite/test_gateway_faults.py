"""Faults on every call of the tenant, over a real socket: which of them let the product act, and what is answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests
from requests import exceptions
from sandbox.cloudsuite.conftest import IDO, REVOKE, START, TOKEN, Office, Shelf, change

from airflow_provider_mlconnector.sandbox.cloudsuite import system
from airflow_provider_mlconnector.sandbox.cloudsuite.ido_service import IdoService
from airflow_provider_mlconnector.sandbox.cloudsuite.surface import Site
from airflow_provider_mlconnector.sandbox.server import RunningSandbox, serving

BROKEN = {"reset_before", "reset_after", "cut_body"}
ACTED = {"reset_after", "cut_body", "gateway_timeout", "html_after", "timeout_after"}
READS = {"CsiLoad SLParts": "load/SLParts", "CsiInfo": "info/SLParts", "CsiConfigurations": "configurations"}
CALLS = [*READS, "CsiUpdate SLParts", "CsiInvoke", "Token", "Revoke"]


class Wired(Office):
    """Speaks over the socket; ``send`` makes the named call."""

    def __init__(self, running: RunningSandbox, shelf: Callable[[], Shelf]) -> None:
        self.url = running.url
        super().__init__(running.app, shelf)

    def ask(self, method: str, path: str, **options: Any) -> Any:
        content = options.pop("content", None)
        return requests.request(
            method, self.url + path, timeout=30, data=content or options.pop("data", None), **options
        )

    def send(self, call: str) -> Any:
        """Make a call that succeeds when nothing disturbs it."""
        if call == "Token":
            return self.token(grant_type="client_credentials")
        if call == "Revoke":
            return self.ask("POST", REVOKE, data={"token": "x"}, auth=(self.file["ci"], self.file["cs"]))
        if call == "CsiUpdate SLParts":
            body = {"Changes": [change(1, PartNum=f"{len(self.shelf.parts):>7}")]}
            return self.ido("update/SLParts", "POST", json=body)
        if call == "CsiInvoke":
            return self.ido("invoke/SLParts", "POST", params={"method": "CountSp"}, json=[""])
        return self.ido(READS[call])

    def acted(self, call: str) -> int:
        """Return how often the product carried this call out."""
        ledger = self.control("GET", "ledger")["cloudsuite"]
        if call in ("Token", "Revoke"):
            return int(ledger["tokens"]["issued"] if call == "Token" else sum(ledger["tokens"]["revoked"].values()))
        return self.shelf.ticks - 1  # the ledger's own look

    def plan(self, **rule: Any) -> None:
        self.control("POST", "faults", [{"system": "cloudsuite", **rule}])


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[RunningSandbox, list[Shelf]]]:
    shelves: list[Shelf] = []

    def made(site: Site) -> IdoService:
        shelves.append(Shelf(site))
        return IdoService(site, shelves[-1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(system, "SURFACES", (made,))
        with serving(start=START) as sandbox:
            yield sandbox, shelves


@pytest.fixture
def wired(running: tuple[RunningSandbox, list[Shelf]]) -> Wired:
    sandbox, shelves = running
    sandbox.app.reset()
    office = Wired(sandbox, lambda: shelves[-1])
    office.log_in()
    return office


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("kind", "answered"),
    [
        ("status", 503),
        ("html", 502),
        ("rate_limit", 429),
        ("reset_before", 0),
        ("reset_after", 0),
        ("cut_body", 0),
        ("gateway_timeout", 504),
        ("html_after", 200),
    ],
)
def test_a_fault_hits_the_named_call_on_its_side_of_the_commit(
    wired: Wired, call: str, kind: str, answered: int
) -> None:
    before = wired.acted(call)
    wired.plan(call=call, kind=kind, times=1, seconds=0)
    looks = 1 if call.startswith("Csi") else 0  # each look at the ledger ticks as well
    if kind in BROKEN and (kind, call) != ("cut_body", "Revoke"):  # an empty body cannot be cut
        with pytest.raises((exceptions.ConnectionError, exceptions.ChunkedEncodingError)):
            wired.send(call)
    else:
        answer = wired.send(call)
        assert answer.status_code == (answered or 200)
        assert answer.text.startswith("<html>") == (kind in ("html", "html_after"))
    assert wired.acted(call) - before - looks == (1 if kind in ACTED else 0)
    assert wired.send(call).status_code == 200


@pytest.mark.parametrize(("kind", "stored"), [("gateway_timeout", 1), ("reset_after", 1), ("reset_before", 0)])
def test_an_answer_lost_leaves_one_attempt_or_none(wired: Wired, kind: str, stored: int) -> None:
    wired.plan(call="CsiUpdate*", kind=kind, seconds=0)
    with suppress(exceptions.ConnectionError):
        wired.send("CsiUpdate SLParts")
    assert len(wired.attempts()) == len(wired.shelf.parts) == stored


def test_a_gateways_504_has_the_shape_of_its_errors(wired: Wired) -> None:
    wired.control("POST", "reset", {"cloudsuite": {"error_body": "fault"}})
    wired.log_in()
    wired.plan(call="CsiLoad*", kind="gateway_timeout", seconds=0)
    answer = wired.send("CsiLoad SLParts")
    assert (answer.status_code, answer.json()["fault"]["message"]) == (504, "The target did not answer")


def test_a_late_commit_is_answered_504_and_made_afterwards(wired: Wired) -> None:
    made = threading.Event()
    wired.shelf.parts.after_write.append(lambda _write: made.set())
    wired.plan(call="CsiUpdate SLParts", kind="late_commit", seconds=0.2, times=1)
    assert wired.send("CsiUpdate SLParts").status_code == 504
    assert made.wait(30)
    assert wired.attempts() == [("insert", "0", "stored")]


def test_a_token_killed_in_mid_run_is_refused_and_a_refresh_still_works(wired: Wired) -> None:
    refresh = wired.token().json()["refresh_token"]
    wired.log_in()
    wired.plan(call="CsiLoad*", kind="token_kill", nth=2)
    assert [wired.send("CsiLoad SLParts").status_code for _ in range(3)] == [200, 401, 401]
    answer = wired.token(grant_type="refresh_token", refresh_token=refresh).json()
    wired.headers["Authorization"] = f"Bearer {answer['access_token']}"
    assert wired.send("CsiLoad SLParts").status_code == 200


def test_refresh_tokens_can_be_killed_as_well(wired: Wired) -> None:
    refresh = wired.token().json()["refresh_token"]
    wired.plan(call="Token", kind="refresh_kill", times=1)
    answer = wired.token(grant_type="refresh_token", refresh_token=refresh)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert wired.send("CsiLoad SLParts").status_code == 200


@pytest.mark.parametrize(
    ("kind", "system_name"), [("refresh_kill", "jaggaer"), ("gateway_timeout", "syspro"), ("evict", "cloudsuite")]
)
def test_faults_of_one_system_are_refused_for_another(wired: Wired, kind: str, system_name: str) -> None:
    rule = [{"system": system_name, "kind": kind}]
    assert "alone" in wired.control("POST", "faults", rule, status=400)["error"]


def test_a_fault_two_systems_have_hits_neither_of_the_others(wired: Wired) -> None:
    wired.control("POST", "faults", [{"kind": "token_kill"}])
    requests.get(f"{wired.url}/SYSPROWCFService/Rest/GetVersion", timeout=30)
    assert wired.control("GET", "faults")["rules"][0]["hits"] == 0
    assert wired.send("CsiLoad SLParts").status_code == 401


def test_parallel_logins_each_get_a_token(wired: Wired) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(wired.token().json()["access_token"])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 8
    assert requests.post(wired.url + TOKEN, timeout=30).status_code == 400
    assert wired.ask("GET", f"{IDO}/configurations", headers={"Authorization": f"Bearer {found[0]}"}).ok
