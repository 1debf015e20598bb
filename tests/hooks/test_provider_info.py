from __future__ import annotations

import json
import re
import sys
from importlib import import_module
from importlib.resources import files
from typing import Any
from unittest.mock import MagicMock

import jsonschema
import pytest
from airflow.providers_manager import ProvidersManager

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.get_provider_info import get_provider_info
from airflow_provider_mlconnector.hooks.runtime import HOOKS
from airflow_provider_mlconnector.hooks.settings import Settings

INFO = get_provider_info()
CONNECTIONS: dict[str, dict[str, Any]] = {entry["connection-type"]: entry for entry in INFO["connection-types"]}
SECRET_WORDS = re.compile(r"password|secret|token|private|api_key", re.IGNORECASE)


def _schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(files("airflow").joinpath(name).read_text())
    return schema


def _load(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def test_provider_info_satisfies_airflows_schema() -> None:
    jsonschema.validate(INFO, _schema("provider_info.schema.json"))


def test_the_connection_forms_satisfy_the_stricter_schema_of_airflows_own_providers() -> None:
    schema = _schema("provider.yaml.schema.json")
    part = {"definitions": schema["definitions"], **schema["properties"]["connection-types"]}
    jsonschema.validate(INFO["connection-types"], part)


@pytest.mark.parametrize("conn_type", sorted(CONNECTIONS))
def test_hook_class_and_metadata_agree(conn_type: str) -> None:
    entry = CONNECTIONS[conn_type]
    hook = _load(entry["hook-class-name"])
    assert (hook.conn_type, hook.hook_name) == (conn_type, entry["hook-name"])
    assert hook.conn_name_attr.endswith("_conn_id")
    assert hook.get_ui_field_behaviour()["relabeling"] == entry["ui-field-behaviour"]["relabeling"]


@pytest.mark.parametrize("conn_type", sorted(CONNECTIONS))
def test_airflow_31_gets_the_same_form_from_methods_of_the_class_itself(
    conn_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("wtforms", "wtforms.validators"):  # as Airflow 3.1's api-server does where wtforms is not installed
        monkeypatch.setitem(sys.modules, name, MagicMock())
    entry = CONNECTIONS[conn_type]
    own = vars(_load(entry["hook-class-name"]))
    assert {"get_connection_form_widgets", "get_ui_field_behaviour"} <= own.keys()
    assert _load(entry["hook-class-name"]).get_connection_form_widgets().keys() == entry["conn-fields"].keys()


def test_every_declared_module_can_be_imported() -> None:
    for kind in ("hooks", "operators", "sensors"):
        for entry in INFO[kind]:
            for module in entry["python-modules"]:
                import_module(module)


@pytest.mark.parametrize("conn_type", sorted(CONNECTIONS))
def test_every_field_has_a_label_and_says_what_it_is_for(conn_type: str) -> None:
    for name, field in CONNECTIONS[conn_type]["conn-fields"].items():
        assert field["label"], name
        assert field["description"].endswith("."), name


@pytest.mark.parametrize("conn_type", sorted(CONNECTIONS))
def test_secret_fields_are_password_fields_whose_names_airflow_masks(conn_type: str) -> None:
    for name, field in CONNECTIONS[conn_type]["conn-fields"].items():
        assert bool(SECRET_WORDS.search(name)) == (field["schema"].get("format") == "password"), name


def test_only_what_cannot_be_guessed_is_required() -> None:
    required = {
        (conn_type, name)
        for conn_type, entry in CONNECTIONS.items()
        for name, field in entry["conn-fields"].items()
        if "default" not in field["schema"] and "null" not in field["schema"]["type"]
    }
    assert required == {("mlconnector_syspro", "company_id")}


def test_keys_are_sensitive_settings_and_nothing_else_is() -> None:
    options = INFO["config"]["mlconnector"]["options"]
    assert {name for name, option in options.items() if option.get("sensitive")} == {"encryption_keys", "audit_key"}


def test_runtime_knows_every_connection_type_of_the_metadata() -> None:
    assert {name: ".".join(path) for name, path in HOOKS.items()} == {
        name: entry["hook-class-name"] for name, entry in CONNECTIONS.items()
    }


def test_airflow_discovers_the_provider_its_connection_types_and_its_settings() -> None:
    manager = ProvidersManager()
    assert "airflow-provider-mlconnector" in manager.providers, "the package must be installed in this environment"
    forms = {entry.connection_type: entry for entry in manager.iter_connection_type_hook_ui_metadata()}
    for conn_type, entry in CONNECTIONS.items():
        assert forms[conn_type].hook_name == entry["hook-name"]
    assert "mlconnector" in dict(manager.provider_configs)["airflow-provider-mlconnector"]


def test_a_key_may_come_from_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__MLCONNECTOR__AUDIT_KEY_CMD", "echo from-a-command")
    assert Settings.load().audit_key == "from-a-command"


def test_settings_have_the_documented_defaults_and_never_show_keys() -> None:
    settings, options = Settings.load(), INFO["config"]["mlconnector"]["options"]
    assert settings == Settings(), "the defaults of code and metadata must agree"
    assert {str(getattr(settings, name)).removesuffix(".0") for name in ("store_conn_id", "lease_seconds")} == {
        options[name]["default"] for name in ("store_conn_id", "lease_seconds")
    }
    assert settings.local_store is False
    assert "top-secret" not in repr(Settings(encryption_keys="k:top-secret", audit_key="top-secret"))


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("local_store", "maybe", "[mlconnector] local_store"),
        ("lease_seconds", "soon", "[mlconnector] lease_seconds"),
        ("lease_seconds", "0", "[mlconnector] lease_seconds"),
        ("lease_seconds", "nan", "[mlconnector] lease_seconds"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, option: str, value: str, named: str) -> None:
    monkeypatch.setenv(f"AIRFLOW__MLCONNECTOR__{option.upper()}", value)
    with pytest.raises(ConfigurationError) as caught:
        Settings.load()
    assert named in str(caught.value)
