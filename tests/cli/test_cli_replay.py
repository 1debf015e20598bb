from __future__ import annotations

import getpass
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.sandbox.generator import Generator
from airflow_provider_mlconnector.sandbox.jaggaer import wire
from airflow_provider_mlconnector.store import Store
from airflow_provider_mlconnector.store.records import (
    Actor,
    Change,
    DocumentRecord,
    EventRecord,
    NewDocument,
    NewStep,
    StepState,
)

ROUTE = "jaggaer_to_syspro_invoices"
WORKER = Actor(dag_id="d", run_id="manual__1", task_id="post", map_index=-1, try_number=1)
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


def _added(store: Store, number: str, **fields: Any) -> DocumentRecord:
    usual = {
        "route": ROUTE,
        "document": "invoice",
        "source": "jaggaer_default",
        "tenant": "t",
        "key": f"key-{number}",
        "revision": "2026-11-01T00:00:00Z",
        "source_hash": "h",
        "payload": b"{}",
        "batch_id": "b1",
        "number": number,
        "supplier": "V00001",
        "kind": "invoice",
        "currency": "USD",
        "gross": "12.50",
        "document_date": date(2026, 10, 31),
    }
    with store.unit_of_work(WORKER, batch_id="b1") as uow:
        (document,) = uow.documents.add_page([NewDocument(**(usual | fields))])
    return document


def _moved(store: Store, document: DocumentRecord, *states: State, code: str = "", reason: str = "") -> DocumentRecord:
    with store.unit_of_work(WORKER) as uow:
        for state in states:
            (document,) = uow.documents.apply([Change(document, state, reason_code=code, reason=reason)])
    return document


def _now(store: Store, number: str) -> DocumentRecord:
    with store.unit_of_work(WORKER) as uow:
        (document,) = uow.documents.find(number)
    return document


def _last_event(store: Store, number: str) -> EventRecord:
    document = _now(store, number)
    with store.unit_of_work(WORKER) as uow:
        return uow.events.of(document.id)[-1]


@pytest.fixture
def stuck(store: Store) -> Store:
    """A parked, a rejected and a posted invoice."""
    _moved(store, _added(store, "NB-1"), State.PARKED, code="period", reason="period 2026/10 [bold] is closed")
    _moved(store, _added(store, "NB-2"), State.REJECTED, code="total_mismatch", reason="totals differ by 0.01")
    _moved(store, _added(store, "NB-3"), State.VALIDATED, State.POSTING, State.POSTED)
    return store


@pytest.fixture
def uncertain(store: Store) -> Store:
    """A credit memo nobody knows about, looked up in vain."""
    document = _moved(store, _added(store, "CM-1", kind="credit_memo"), State.VALIDATED)
    step = NewStep(
        document_id=document.id,
        position=0,
        name="ap_credit",
        kind="delta",
        target="syspro_default",
        company="EDU1",
        remote_reference="V00001|CM-1|C",
        our_reference="MLC1",
        payload={"payload": {}, "fingerprint": {}, "text": ""},
        mapping_version=1,
    )
    with store.unit_of_work(WORKER) as uow:
        uow.steps.plan([step])
        (held,) = uow.documents.claim(
            ROUTE, {State.VALIDATED}, to=State.POSTING, owner="w", seconds=60, limit=1, now=datetime.now(UTC)
        )
        (planned,) = uow.steps.of([held.id])[held.id]
        (sent,) = uow.steps.intend([planned], documents=[held], at=NOW, expires_at=NOW)
        uow.steps.settle(sent, StepState.UNCERTAIN, at=NOW)
        uow.documents.apply([Change(held, State.UNCERTAIN, reason_code="needs_a_person", reason="cannot tell")])
    return store


def _told(run: Any, *arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("replay", "--json", *arguments).stdout)
    return found


def _keys(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [row["number"] for row in rows]


def test_a_replay_lists_asks_and_does_what_was_confirmed(run: Any, stuck: Store, monkeypatch: Any) -> None:
    asked: list[str] = []
    monkeypatch.setattr("typer.confirm", lambda text, **_: asked.append(text))
    shown = run("replay", "NB-1", "--why", "period opened")
    assert shown.exit_code == 0
    for part in (
        stuck.id,
        "NB-1",
        "parked",
        "is checked and posted by the next run",
        "period 2026/10 [bold] is closed",
    ):
        assert part in shown.stdout
    assert asked == ["Do this with 1 document?"]
    assert "1 document replayed (batch replay." in shown.stdout
    assert _now(stuck, "NB-1").state is State.EXTRACTED
    event = _last_event(stuck, "NB-1")
    assert (event.kind, event.reason, event.actor.user) == ("replayed", "period opened", getpass.getuser())
    assert event.batch_id.startswith("replay.")
    assert "period opened" in run("show", "NB-1").stdout


def test_without_a_yes_nothing_is_done(run: Any, stuck: Store) -> None:
    head = stuck.head()
    declined = run("replay", "NB-1", "--why", "period opened")
    assert declined.exit_code == 1, "there is nobody to answer"
    assert stuck.head() == head


def test_a_dry_run_lists_only(run: Any, stuck: Store) -> None:
    head = stuck.head()
    shown = run("replay", "--route", ROUTE, "--state", "parked", "--why", "see", "--dry-run")
    assert (shown.exit_code, stuck.head()) == (0, head)
    assert "Dry run, nothing changed: 1 document would be replayed" in shown.stdout
    told = _told(run, "--route", ROUTE, "--state", "parked", "--why", "see", "--dry-run")
    assert (_keys(told["replayed"]), told["dry_run"], stuck.head()) == (["NB-1"], True, head)


def test_documents_of_a_route_are_replayed_by_state_or_reason(run: Any, stuck: Store) -> None:
    by_reason = _told(run, "--route", ROUTE, "--reason", "total_mismatch", "--why", "tolerance agreed", "--yes")
    assert (_keys(by_reason["replayed"]), by_reason["left_alone"]) == (["NB-2"], [])
    both = ("--state", "parked", "--state", "rejected")
    by_state = _told(run, "--route", ROUTE, *both, "--why", "again", "--yes")
    assert _keys(by_state["replayed"]) == ["NB-1"]
    assert by_state["replayed"][0]["to"] == "extracted"
    nothing = run("replay", "--route", ROUTE, *both, "--why", "again", "--yes")
    assert (nothing.exit_code, "0 documents replayed" in nothing.stdout) == (0, True)


def test_documents_are_replayed_by_the_run_that_left_them_and_by_their_date(run: Any, stuck: Store) -> None:
    _moved(stuck, _added(stuck, "NB-5", document_date=date(2026, 12, 1), batch_id="b2"), State.PARKED, code="period")
    by_date = _told(run, "--route", ROUTE, "--from", "2026-11-01", "--to", "2026-12-31", "--why", "w", "--dry-run")
    assert _keys(by_date["replayed"]) == ["NB-5"]
    none = _told(run, "--route", ROUTE, "--to", "2026-01-01", "--why", "w", "--dry-run")
    assert _keys(none["replayed"]) == []
    by_run = _told(run, "--run", "manual__1", "--why", "w", "--dry-run")
    assert _keys(by_run["replayed"]) == ["NB-1", "NB-2", "NB-5"]
    by_batch = _told(run, "--run", "b1", "--state", "parked", "--why", "w", "--yes")
    assert _keys(by_batch["replayed"]) == ["NB-1"]
    assert _keys(_told(run, "--run", "manual__9", "--why", "w", "--dry-run")["replayed"]) == []


def test_what_is_posted_is_refused_with_a_clear_line(run: Any, stuck: Store) -> None:
    refused = run("replay", "NB-3", "--why", "please", "--yes")
    assert refused.exit_code == 1
    assert "– is posted" in refused.stdout
    assert "0 documents replayed, 1 left alone" in refused.stdout
    mixed = run("replay", "NB-3", "NB-1", "--why", "please", "--yes")
    assert mixed.exit_code == 0
    assert "1 document replayed, 1 left alone" in mixed.stdout


def test_a_key_nobody_knows_does_nothing_for_the_others_either(run: Any, stuck: Store) -> None:
    missing = run("replay", "NB-1", "NB-77", "--why", "again", "--yes")
    assert missing.exit_code == 1
    assert "no document has the id, key or number 'NB-77': nothing done" in missing.stderr
    assert _now(stuck, "NB-1").state is State.PARKED


def test_the_login_is_kept_beside_the_name_somebody_gives(run: Any, stuck: Store) -> None:
    run("replay", "NB-1", "--why", "again", "--yes", "--user", "anna")
    assert _last_event(stuck, "NB-1").actor.user == f"anna (login {getpass.getuser()})"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("NB-1",), "why"),
        (("NB-1", "--why", " "), "say why"),
        (("--why", "all"), "--route with --state or --reason"),
        (("--why", "all", "--route", ROUTE), "--route with --state or --reason"),
        (("--why", "all", "--state", "parked"), "--route with --state or --reason"),
        (("NB-1", "--why", "w", "--state", "stuck"), "is no state"),
        (("NB-1", "--why", "w", "--json"), "cannot ask"),
        (("NB-1", "--why", "w", "--settled", "maybe"), "neither executed nor absent"),
        (("NB-1", "--why", "w", "--settled", "executed"), "go together"),
        (("NB-1", "--why", "w", "--target-reference", "7"), "go together"),
        (("NB-1", "--why", "w", "--settled", "absent", "--handled"), "one at a time"),
        (("NB-1", "--why", "w", "--payload", "f.json", "--handled"), "one at a time"),
        (("NB-1", "--why", "w", "--payload", "f.json", "--set", "a=1"), "one at a time"),
        (("NB-1", "--why", "w", "--set", "a"), "not written as PATH=VALUE"),
        (("--why", "w", "--from", "2026-10-01"), "--route with --state or --reason or dates"),
        (("--why", "w", "--route", ROUTE, "--from", "soon"), "does not match the format"),
        (("", "--why", "w"), "a key is empty"),
    ],
)
def test_wrong_usage_is_told_and_changes_nothing(run: Any, stuck: Store, arguments: tuple[str, ...], text: str) -> None:
    head = stuck.head()
    refused = run("replay", *arguments)
    assert refused.exit_code == 2
    assert text in " ".join(refused.stderr.split())
    assert stuck.head() == head


def test_what_somebody_saw_of_an_uncertain_write_is_written_down(run: Any, uncertain: Store) -> None:
    done = run(
        *("replay", "CM-1", "--settled", "executed", "--target-reference", "journal 431"),
        *("--why", "found in SYSPRO's AP journal", "--yes"),
    )
    assert done.exit_code == 0
    document = _now(uncertain, "CM-1")
    assert (document.state, document.target_reference) == (State.POSTED, "journal 431")
    shown = run("show", "CM-1").stdout
    assert "found in SYSPRO's AP journal" in shown
    assert "journal 431" in shown


def test_an_uncertain_write_is_only_looked_up_unless_somebody_says_what_they_saw(run: Any, uncertain: Store) -> None:
    looked = _told(run, "CM-1", "--why", "SYSPRO is back", "--yes")
    assert (looked["replayed"][0]["to"], _now(uncertain, "CM-1").state) == ("uncertain", State.UNCERTAIN)
    absent = _told(run, "CM-1", "--settled", "absent", "--why", "not in the AP journal", "--yes")
    assert (absent["replayed"][0]["to"], _now(uncertain, "CM-1").state) == ("validated", State.VALIDATED)


def test_what_somebody_saw_is_for_exactly_one_document(run: Any, stuck: Store) -> None:
    refused = run("replay", "NB-1", "--settled", "absent", "--why", "gone", "--yes")
    assert refused.exit_code == 1
    assert "exactly one document: invoice NB-1 has no write on its way" in refused.stderr
    both = run("replay", "NB-1", "NB-2", "--payload", "x.json", "--why", "corrected", "--yes")
    assert both.exit_code == 1
    assert "2 match: invoice NB-1 (id " in both.stderr


def test_a_change_after_posting_is_closed_as_handled(run: Any, store: Store) -> None:
    _moved(store, _added(store, "NB-4"), State.CHANGED_AFTER_POSTING, code="changed_after_posting", reason="gross")
    assert "close it with --handled" in run("replay", "NB-4", "--why", "w", "--yes").stdout
    closed = run("replay", "NB-4", "--handled", "--why", "credited by hand", "--yes")
    assert closed.exit_code == 0
    assert _now(store, "NB-4").state is State.SKIPPED


# --- corrected payloads --------------------------------------------------------------------------------------------


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An invoice as JAGGAER sends it, and a connection whose codec reads it."""
    connection = {"conn_type": "mlconnector_jaggaer", "host": "https://tenant.example", "login": "i", "password": "s"}
    monkeypatch.setenv("AIRFLOW_CONN_JAGGAER_DEFAULT", json.dumps(connection))
    generator = Generator(seed=1, count=5, start=NOW, mix="good", credit_memos=0)
    return wire.document(generator.draft(generator.ids[0], "plain"))


def _rejected(store: Store, record: dict[str, Any]) -> str:
    """Store the record with a total that is wrong; returns its key."""
    wrong = json.loads(json.dumps(record, default=str))
    wrong["header"]["total"]["value"] = 1
    key = str(record["header"]["invoiceId"])
    document = _added(store, "NB-9", key=key, payload=json.dumps(wrong).encode())
    _moved(store, document, State.REJECTED, code="total_mismatch", reason="totals differ")
    return key


def test_a_corrected_payload_is_shown_field_by_field_kept_and_audited(
    run: Any, store: Store, record: dict[str, Any], tmp_path: Path
) -> None:
    _rejected(store, record)
    file = tmp_path / "corrected.json"
    file.write_text(json.dumps(record, default=str), encoding="utf-8")
    done = run("replay", "NB-9", "--payload", file, "--why", "total mistyped", "--yes")
    assert done.exit_code == 0, done.output
    assert "The payload changes:" in done.stdout
    assert "header.total.value 1 → " in done.stdout
    document = _now(store, "NB-9")
    assert document.state is State.EXTRACTED
    (difference,) = _last_event(store, "NB-9").detail["difference"]
    assert difference.startswith("header.total.value 1 → ")
    with store.unit_of_work(WORKER) as uow:
        original, corrected = uow.documents.payload_versions(document.id)
    assert json.loads(original)["header"]["total"]["value"] == 1
    assert corrected == file.read_bytes()


def test_a_field_is_corrected_by_its_path(run: Any, store: Store, record: dict[str, Any]) -> None:
    _rejected(store, record)
    right = json.loads(json.dumps(record, default=str))["header"]["total"]["value"]
    done = run("replay", "NB-9", "--set", f"header.total.value={json.dumps(right)}", "--why", "mistyped", "--yes")
    assert done.exit_code == 0, done.output
    assert "header.total.value 1 → " in done.stdout
    refused = run("replay", "NB-9", "--set", "header.totl=5", "--why", "w", "--yes")
    assert refused.exit_code == 1


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"invoiceId": "999999"}, 1, "is of document 999999, not of"),
        ({"invoiceDate": "soon"}, 1, "the corrected payload cannot be read"),
    ],
)
def test_a_payload_the_codec_refuses_changes_nothing(
    run: Any, store: Store, record: dict[str, Any], tmp_path: Path, change: dict[str, str], code: int, text: str
) -> None:
    _rejected(store, record)
    head = store.head()
    record["header"] |= change
    file = tmp_path / "corrected.json"
    file.write_text(json.dumps(record, default=str), encoding="utf-8")
    refused = run("replay", "NB-9", "--payload", file, "--why", "corrected", "--yes")
    assert refused.exit_code == code
    assert text in refused.stderr
    assert store.head() == head


def test_a_payload_file_that_is_not_there_is_wrong_configuration(
    run: Any, store: Store, record: dict[str, Any], tmp_path: Path
) -> None:
    _rejected(store, record)
    refused = run("replay", "NB-9", "--payload", tmp_path / "none.json", "--why", "corrected", "--yes")
    assert refused.exit_code == 2
    assert "cannot be read (FileNotFoundError)" in refused.stderr
