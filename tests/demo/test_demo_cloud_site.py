"""The demo's CloudSuite tenants: connections as a user makes them, what people do, and going on with a home."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_provider_mlconnector.demo.cloud import DAG_FILE
from airflow_provider_mlconnector.demo.cloud_site import CLOUDSUITE, JAGGAER, running_tenants
from airflow_provider_mlconnector.demo.home import Home, StepFailed
from airflow_provider_mlconnector.demo.stage import edit

DAGS = Path(__file__).parents[2] / "dags"


def test_people_enter_post_and_approve_and_a_home_goes_on_with_what_they_did(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with running_tenants(home, seed=1) as site:
        connections = site.connections()
        ready = sum(1 for row in site.vouchers() if row["state"] == "unposted" and row["BGPostingStat"] == "A")
        in_jaggaer, right, wrong = site.type_in()
        assert site.post_vouchers() >= ready, "those of the clerk, too"
        assert site.approve() == 0, "nothing was imported yet"
    assert set(connections) == {JAGGAER, CLOUDSUITE}
    assert json.loads(connections[JAGGAER]["extra"])["tenant"] == JAGGAER, "not taken for the other pair's tenant"
    assert json.loads(connections[CLOUDSUITE]["password"])["ti"] == "ACME_TST"
    assert "ionapi" not in connections[CLOUDSUITE]["extra"], "its secrets belong where Airflow shows them to nobody"

    with running_tenants(home, seed=1) as site:
        truth = {row["number"]: row for row in site.ask("truth").values()}
        typed = {row["InvNum"]: row for row in site.vouchers() if row["by"] == "person"}
    assert set(typed) == {right, wrong}
    assert [typed[number]["state"] for number in (right, wrong)] == ["posted", "posted"]
    assert float(typed[right]["InvAmt"]) == float(truth[right]["gross"])
    assert float(typed[wrong]["InvAmt"]) == float(truth[wrong]["gross"]) + 10
    assert truth[in_jaggaer]["label"] == "added"


def test_a_home_of_another_seed_is_told_so(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with running_tenants(home, seed=1):
        pass
    with pytest.raises(StepFailed, match="was made with seed 1"), running_tenants(home, seed=2):
        pass


def test_the_copied_dag_file_names_the_pairs_own_tenant_once_and_for_all(tmp_path: Path) -> None:
    ((old, new),) = DAG_FILE.edits.items()
    example = DAGS / DAG_FILE.name
    copied = tmp_path / DAG_FILE.name
    copied.write_text(example.read_text())
    edit(tmp_path, DAG_FILE)
    text = copied.read_text()
    assert text == example.read_text().replace(old, new)
    edit(tmp_path, DAG_FILE)
    assert copied.read_text() == text
    copied.write_text("JAGGAER = 'another'")
    with pytest.raises(StepFailed, match="does not have"):
        edit(tmp_path, DAG_FILE)
