from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_mlconnector.cli.context import read_route
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.store import KeyRing, Store
from airflow_provider_mlconnector.store.records import Actor, Change, NewDocument

ROOT = Path(__file__).resolve().parents[2]
MAPPING = ROOT / "dags" / "mappings" / "jaggaer_to_syspro.yaml"
ROUTE = "jaggaer_to_syspro_invoices"
WORKER = Actor(dag_id="d", run_id="manual__1", task_id="validate", map_index=2, try_number=1)


def _document(number: str, **fields: Any) -> NewDocument:
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
    return NewDocument(**(usual | fields))


@pytest.fixture
def parked(store: Store) -> str:
    """Two invoices, one of them parked; its number has what a console would read as markup."""
    with store.unit_of_work(WORKER, batch_id="b1") as uow:
        added = uow.documents.add_page([_document("NB-1 [red]"), _document("NB-2")])
        reason = "account 59999 is not mapped"
        uow.documents.apply([Change(added[0], State.PARKED, reason_code="unmapped_account", reason=reason)])
    return store.id


def test_every_command_explains_itself(run: Any) -> None:
    assert run("--help").exit_code == 0
    for group in ("store", "audit", "mapping", "dags"):
        assert run(group, "--help").exit_code == 0


def test_starting_up_loads_neither_airflow_nor_the_store() -> None:
    heavy = ("airflow", "sqlalchemy", "lxml", "requests")
    code = f"import sys, airflow_provider_mlconnector.cli; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_store_that_is_not_there_is_told_with_the_command_that_makes_it(run: Any) -> None:
    checked = run("store", "check")
    assert checked.exit_code == 1
    assert "mlconnector store upgrade" in checked.output
    listed = run("documents")
    assert listed.exit_code == 2
    assert "mlconnector store upgrade" in listed.stderr
    assert "Traceback" not in listed.output


def test_upgrade_makes_the_store_and_check_finds_it_well(run: Any) -> None:
    made = json.loads(run("store", "upgrade", "--json").stdout)
    again = json.loads(run("store", "upgrade", "--json").stdout)
    checked = run("store", "check", "--json")
    assert made == again
    assert checked.exit_code == 0
    assert json.loads(checked.stdout)["store_id"] == made["store"]
    assert json.loads(checked.stdout)["ok"] is True


def test_fresh_keys_fit_the_settings_and_differ_every_time(run: Any) -> None:
    first, second = run("store", "keys").stdout, run("store", "keys").stdout
    assert first != second
    settings = dict(line.split(" = ") for line in first.splitlines()[1:])
    assert first.startswith("[mlconnector]")
    assert KeyRing.parse(settings["encryption_keys"], settings["audit_key"]).key_ids == ("k1",)


def test_documents_are_listed_with_store_state_and_reason(run: Any, parked: str) -> None:
    shown = run("documents")
    assert shown.exit_code == 0
    assert f"Store {parked}" in shown.stdout
    assert "NB-1 [red]" in shown.stdout
    assert "account 59999 is not mapped" in shown.stdout
    assert "In all: 1 extracted, 1 parked" in shown.stdout


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["--state", "parked"], {"NB-1 [red]"}),
        (["--state", "parked", "--state", "extracted"], {"NB-1 [red]", "NB-2"}),
        (["--reason", "unmapped_account"], {"NB-1 [red]"}),
        (["--supplier", "V00001", "--batch", "b1", "--route", ROUTE], {"NB-1 [red]", "NB-2"}),
        (["--supplier", "V00002"], set()),
        (["--limit", "1"], {"NB-2"}),
    ],
)
def test_documents_can_be_narrowed_down(run: Any, parked: str, options: list[str], numbers: set[str]) -> None:
    found = json.loads(run("documents", "--json", *options).stdout)
    assert found["store"] == parked
    assert {document["number"] for document in found["documents"]} == numbers


def test_an_unknown_state_is_wrong_usage_and_the_known_ones_are_named(run: Any, parked: str) -> None:
    refused = run("documents", "--state", "stuck")
    assert refused.exit_code == 2
    assert "parked" in refused.stderr


def test_show_tells_a_documents_story_with_task_and_run_of_each_row(run: Any, parked: str) -> None:
    shown = run("show", "nb-1 [red]")
    assert shown.exit_code == 0
    for part in (
        "extracted → parked",
        "validate[2] try 1",
        "manual__1",
        "account 59999 is not mapped",
        "key-NB-1 [red]",
    ):
        assert part in shown.stdout
    events = json.loads(run("show", "NB-1 [red]", "--json").stdout)["documents"][0]["events"]
    assert [event["kind"] for event in events] == ["extracted", "parked"]
    assert events[1]["actor"]["map_index"] == 2


def test_show_of_what_nobody_knows_answers_no(run: Any, parked: str) -> None:
    missing = run("show", "NB-77")
    assert missing.exit_code == 1
    assert "no document has the id, key or number 'NB-77'" in missing.stderr


def test_an_untouched_audit_trail_verifies_and_continues_its_anchor(run: Any, parked: str, tmp_path: Path) -> None:
    file = tmp_path / "anchor.json"
    assert run("audit", "anchor", "--file", file).exit_code == 0
    verified = run("audit", "verify", "--file", file, "--json")
    assert verified.exit_code == 0
    assert json.loads(verified.stdout) | {"ok": True, "anchored": True, "behind": "", "store": parked} == json.loads(
        verified.stdout
    )


def test_an_edited_audit_trail_is_found_and_the_event_named(run: Any, parked: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "mlconnector.db") as database:
        database.execute("UPDATE events SET kind = 'posted' WHERE kind = 'parked'")
    verified = run("audit", "verify")
    assert verified.exit_code == 1
    assert "The audit trail was altered: event 3" in verified.stdout


def test_a_store_restored_from_an_older_copy_is_behind_its_anchor(
    run: Any, store: Store, parked: str, tmp_path: Path
) -> None:
    anchor, database = tmp_path / "anchor.json", tmp_path / "mlconnector.db"
    with sqlite3.connect(database) as source, sqlite3.connect(tmp_path / "backup.db") as copy:
        source.backup(copy)
    with store.unit_of_work(WORKER) as uow:
        uow.documents.add_page([_document("NB-3")])
    assert run("audit", "anchor", "--file", anchor).exit_code == 0
    store.close()
    for file in tmp_path.glob("mlconnector.db*"):
        file.unlink()
    (tmp_path / "backup.db").rename(database)
    behind = run("audit", "verify", "--file", anchor)
    assert behind.exit_code == 1
    assert "does not fit its anchor" in behind.stdout
    assert run("audit", "anchor", "--file", anchor).exit_code == 2, "the newer anchor must not be overwritten"


def test_an_anchor_needs_a_file_and_a_file_that_is_none_is_refused(run: Any, parked: str, tmp_path: Path) -> None:
    assert "name a file" in run("audit", "anchor").stderr
    (tmp_path / "anchor.json").write_text("{}", encoding="utf-8")
    refused = run("audit", "verify", "--file", tmp_path / "anchor.json")
    assert refused.exit_code == 2
    assert "is not an anchor" in refused.stderr


def test_the_size_of_a_mapping_counts_what_people_map_not_its_choices(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "mapping.yaml"
    file.write_text(
        "business_units: {B1: {company: EDU1}}\n"
        "currencies: {USD: USD, EUR: EUR}\n"
        "accounts: {'1': '10', '2': '20', '3': '30'}\n"
        "cost_centers: {mode: gl_section, map: {C1: '1'}}\n"
        "taxes: {policy: recoverable, codes: {A: 10, Z: 0}, zero_code: Z}\n"
        "defaults: {terms: '30'}\n"
    )
    told = " ".join(run("mapping", "check", file).stdout.split())
    assert told.endswith("valid mapping: 1 business units, 2 currencies, 3 accounts, 1 cost centers, 2 tax codes")


def test_a_mapping_is_checked_imported_once_and_shown(run: Any, store: Store) -> None:
    assert run("mapping", "check", MAPPING).exit_code == 0
    first = json.loads(run("mapping", "import", MAPPING, "--route", ROUTE, "--json").stdout)
    second = json.loads(run("mapping", "import", MAPPING, "--route", ROUTE, "--json").stdout)
    assert (first["version"], first["new"]) == (1, True)
    assert (second["version"], second["new"]) == (1, False)
    shown = json.loads(run("mapping", "show", "--route", ROUTE, "--json").stdout)
    assert shown["mapping"]["version"] == 1
    assert "business_units" in shown["mapping"]["body"]
    assert "business_units" in run("mapping", "show", "--route", ROUTE).stdout


def test_a_mistake_in_a_mapping_is_named_with_its_line(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(MAPPING.read_text(encoding="utf-8").replace("accounts:", "acounts:"), encoding="utf-8")
    line = next(n for n, text in enumerate(file.read_text("utf-8").splitlines(), 1) if text.startswith("acounts:"))
    refused = run("mapping", "check", file)
    assert refused.exit_code == 2
    assert f"line {line}" in refused.stderr
    assert "acounts" in refused.stderr


def test_a_route_without_mapping_answers_no(run: Any, store: Store) -> None:
    assert run("mapping", "show", "--route", "other").exit_code == 1


def test_the_examples_are_copied_and_ones_own_changes_are_kept(run: Any, tmp_path: Path) -> None:
    target = tmp_path / "my_dags"
    copied = json.loads(run("dags", "copy", target, "--json").stdout)
    assert {Path(name).relative_to(target).as_posix() for name in copied["copied"]} >= {
        "syspro_jaggaer.py",
        "mappings/jaggaer_to_syspro.yaml",
    }
    mine = target / "mappings" / "jaggaer_to_syspro.yaml"
    mine.write_text("# mine", encoding="utf-8")
    again = json.loads(run("dags", "copy", target, "--json").stdout)
    assert again["kept"] == [str(mine)]
    assert mine.read_text(encoding="utf-8") == "# mine"
    run("dags", "copy", target, "--force")
    assert mine.read_bytes() == MAPPING.read_bytes()


def test_a_route_is_read_from_a_dag_file_or_from_yaml(run: Any, tmp_path: Path) -> None:
    dags = ROOT / "dags" / "syspro_jaggaer.py"
    from_dag = read_route(dags, ROUTE)
    assert (from_dag.name, from_dag.start_at) == (ROUTE, None)
    file = tmp_path / "route.yaml"
    file.write_text("name: r\nsource: a\ntarget: b\nstart_at: 2026-01-31\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="several routes, say which with --route: jaggaer_to_syspro_invoices"):
        read_route(dags)
    with pytest.raises(ConfigurationError, match="no route 'elsewhere'"):
        read_route(dags, "elsewhere")
    assert read_route(file).start_at == date(2026, 1, 31)


@pytest.mark.parametrize("text", ["just text", "name: [", "name: r\nsource: a\ntarget: b\ncolor: red"])
def test_a_route_file_that_holds_no_route_is_refused(run: Any, store: Store, tmp_path: Path, text: str) -> None:
    file = tmp_path / "route.yaml"
    file.write_text(text, encoding="utf-8")
    refused = run("adopt", file)
    assert refused.exit_code == 2
    assert "Traceback" not in refused.output
