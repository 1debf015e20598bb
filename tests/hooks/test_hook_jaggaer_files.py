from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.hooks.forms import JAGGAER_FIELDS
from airflow_provider_mlconnector.hooks.jaggaer import JaggaerHook
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.jaggaer.files import FolderSource
from airflow_provider_mlconnector.systems.jaggaer.orders import JaggaerOrderSource
from airflow_provider_mlconnector.systems.jaggaer.source import JaggaerInvoiceSource


def route(document: str) -> Route:
    return Route.parse({"name": "r", "document": document, "source": "jaggaer_default", "target": "syspro_default"})


def source(document: str) -> Any:
    return JaggaerHook().source(route(document))


def test_an_export_folder_makes_orders_and_invoices_come_from_its_files(connect: Any, tmp_path: Path) -> None:
    connect("jaggaer")
    assert isinstance(source("purchase_order"), JaggaerOrderSource)
    connect("jaggaer", extra={"export_folder": str(tmp_path), "tenant": "acme"})
    for document in ("purchase_order", "invoice"):
        found = source(document)
        assert isinstance(found, FolderSource)
        assert found.tenant == "acme"
    assert not isinstance(source("supplier"), FolderSource)


def test_the_contract_can_name_the_one_kind_that_comes_as_files(connect: Any, tmp_path: Path) -> None:
    contract = {"exports": {"documents": ["purchase_order"]}}
    connect("jaggaer", extra={"export_folder": str(tmp_path), "contract": contract})
    assert isinstance(source("purchase_order"), FolderSource)
    assert isinstance(source("invoice"), JaggaerInvoiceSource)


def test_a_connection_for_files_alone_needs_a_tenant_label_and_is_tested_without_a_host(
    connect: Any, tmp_path: Path
) -> None:
    connect("jaggaer", host="", login="", password="", extra={"export_folder": str(tmp_path)})
    with pytest.raises(ConfigurationError, match="field Tenant label: is empty"):
        source("invoice")
    connect("jaggaer", host="", login="", password="", extra={"export_folder": str(tmp_path), "tenant": "acme"})
    assert JaggaerHook().test_connection() == (True, "OK: export folder: 0 files")


def test_a_folder_that_is_missing_or_relative_fails_the_test_of_the_connection(connect: Any, tmp_path: Path) -> None:
    connect("jaggaer", extra={"export_folder": str(tmp_path / "gone")})
    ok, message = JaggaerHook().test_connection()
    assert not ok
    assert "cannot be read on this worker" in message
    assert "field Export folder: " in message
    connect("jaggaer", extra={"export_folder": "exports"})
    ok, message = JaggaerHook().test_connection()
    assert not ok
    assert "field Export folder: must be an absolute path" in message


def test_the_form_asks_for_the_export_folder_by_the_name_the_hook_reads() -> None:
    field = JAGGAER_FIELDS["export_folder"]
    assert field["schema"]["type"] == ["string", "null"], "most tenants have none"
    assert "such as /data/jaggaer/export" in field["description"]


def test_a_route_of_files_does_not_need_the_tenants_own_lists(connect: Any, tmp_path: Path) -> None:
    connect("jaggaer", host="", login="", password="", extra={"export_folder": str(tmp_path), "tenant": "acme"})
    assert [check.name for check in JaggaerHook().probe(route("invoice"))] == ["export folder"]
