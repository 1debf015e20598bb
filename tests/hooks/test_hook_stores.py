from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks.connections import Endpoint
from airflow_provider_mlconnector.hooks.jaggaer import _eligibility
from airflow_provider_mlconnector.hooks.runtime import open_runtime
from airflow_provider_mlconnector.hooks.stores import _postgres_url, open_store
from airflow_provider_mlconnector.store.records import Actor
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.jaggaer.contract import EligibilityWords

KEYS = {
    "AIRFLOW__MLCONNECTOR__ENCRYPTION_KEYS": "k1:" + base64.urlsafe_b64encode(b"e" * 32).decode(),
    "AIRFLOW__MLCONNECTOR__AUDIT_KEY": base64.urlsafe_b64encode(b"a" * 32).decode(),
}


def _set(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def _endpoint(**fields: Any) -> Endpoint:
    usual = {
        "conn_id": "mlconnector_store",
        "conn_type": "postgres",
        "host": "db.example",
        "port": 5433,
        "schema": "mlc",
        "login": "me",
        "password": "p@ss/word",
        "extra": {},
    }
    return Endpoint(**(usual | fields))


def test_without_any_setting_there_is_no_store_and_the_missing_setting_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"\[mlconnector\] encryption_keys"):
        open_store()


def test_a_missing_store_connection_is_an_error_never_a_local_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _set(monkeypatch, AIRFLOW_HOME=str(tmp_path), **KEYS)
    with pytest.raises(ConfigurationError, match="connection 'mlconnector_store' does not exist"):
        open_store()
    assert list(tmp_path.iterdir()) == []


def test_another_store_connection_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, AIRFLOW__MLCONNECTOR__STORE_CONN_ID="books", **KEYS)
    with pytest.raises(ConfigurationError, match="connection 'books' does not exist"):
        open_store()


def test_a_store_connection_of_another_type_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, AIRFLOW_CONN_MLCONNECTOR_STORE=json.dumps({"conn_type": "mysql", "host": "h"}), **KEYS)
    with pytest.raises(ConfigurationError, match=r"field Connection Type: is 'mysql'; .* of type Postgres"):
        open_store()


def test_a_postgres_connection_becomes_a_url_with_only_the_drivers_own_options() -> None:
    url = _postgres_url(_endpoint(extra={"sslmode": "verify-full", "cursor": "dictcursor"}))
    assert url == "postgresql+psycopg://me:p%40ss%2Fword@db.example:5433/mlc?sslmode=verify-full"


@pytest.mark.parametrize(("fields", "label"), [({"host": ""}, "Host"), ({"schema": ""}, "Database")])
def test_a_postgres_connection_without_host_or_database_names_the_field(fields: dict[str, Any], label: str) -> None:
    with pytest.raises(ConfigurationError, match=f"field {label}: is empty"):
        _postgres_url(_endpoint(**fields))


def test_a_local_store_needs_a_fernet_key(monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, AIRFLOW__MLCONNECTOR__LOCAL_STORE="True", AIRFLOW__CORE__FERNET_KEY="")
    with pytest.raises(ConfigurationError, match="fernet_key, which is empty"):
        open_store()


def test_a_local_store_opened_with_another_fernet_key_is_refused_before_anything_is_written(
    local_store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = local_store.head()
    _set(monkeypatch, AIRFLOW__CORE__FERNET_KEY=base64.urlsafe_b64encode(b"z" * 32).decode())
    other = open_store()
    with pytest.raises(ConfigurationError), other.unit_of_work(Actor(user="me")):
        pytest.fail("no transaction may begin")
    other.close()
    assert local_store.head() == before


def test_a_job_carries_the_batch_the_lease_and_the_dry_run(local_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _set(monkeypatch, AIRFLOW__MLCONNECTOR__LEASE_SECONDS="90")
    route = Route(name="r", source="a", target="b")
    with open_runtime() as runtime:
        job = runtime.job(route, actor=Actor(user="me"), batch_id="b1", preview_id="run-1", stop_at=5.0)
    assert (job.batch_id, job.lease_seconds, job.dry_run, job.stop_at) == ("b1", 90, True, 5.0)


def test_the_mapping_may_stand_in_a_file_a_variable_or_only_in_the_store(
    local_store: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "map.yaml"
    file.write_text("from: file\n", encoding="utf-8")
    _set(monkeypatch, AIRFLOW_VAR_CODES="from: variable")
    base = {"name": "r", "source": "a", "target": "b"}
    with open_runtime() as runtime:
        in_file = runtime.mapping_text(Route.parse({**base, "mapping": {"file": str(file)}}))
        in_variable = runtime.mapping_text(Route.parse({**base, "mapping": {"variable": "codes"}}))
        assert runtime.mapping_text(Route.parse(base)) is None
    assert in_file is not None
    assert in_variable is not None
    assert (in_file.text, in_file.origin) == ("from: file\n", "file map.yaml")
    assert (in_variable.text, in_variable.origin) == ("from: variable", "variable codes")


@pytest.mark.parametrize(
    ("mapping", "named"),
    [({"file": "/nowhere/map.yaml"}, r"mapping\.file: /nowhere/map.yaml"), ({"variable": "none"}, "Variable 'none'")],
)
def test_a_mapping_that_cannot_be_read_is_named(local_store: Any, mapping: dict[str, str], named: str) -> None:
    route = Route.parse({"name": "r", "source": "a", "target": "b", "mapping": mapping})
    with open_runtime() as runtime, pytest.raises(ConfigurationError, match=named):
        runtime.mapping_text(route)


def test_a_system_in_the_wrong_role_is_refused(local_store: Any, connect: Any) -> None:
    connect("syspro"), connect("jaggaer")
    turned = Route(name="r", source="syspro_default", target="jaggaer_default")
    with open_runtime() as runtime:
        with pytest.raises(ConfigurationError, match=r"SYSPRO .* cannot be the source of invoices"):
            runtime.source(turned)
        journals = turned.model_copy(update={"document": "journal"})
        with pytest.raises(ConfigurationError, match=r"JAGGAER .* cannot be the target of journals"):
            runtime.target(journals)


def test_status_words_of_the_route_win_over_the_tenants(connect: Any) -> None:
    tenant = EligibilityWords(workflow=("Done",), payment=("Ready",))
    route = Route(name="r", source="a", target="b", payment_status=("Payable now",))
    words = _eligibility(tenant, route)
    assert (words.workflow, words.payment) == (("Done",), ("Payable now",))
