"""A restarted sandbox meets the same tenant: what was written, what was refused, what people typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sandbox.cloudsuite.conftest import change

from airflow_provider_mlconnector.sandbox.journal import JournaledApp, JournalError


@pytest.fixture
def restarted(new_office: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Start, or start again, over one journal."""
    return lambda **options: new_office(app=partial(JournaledApp, tmp_path / "j.jsonl", seed=3, invoices=0), **options)


def books(office: Any) -> Any:
    ledger = office.control("GET", "ledger")["cloudsuite"]
    rows = [dict(row) for table in office.shelf.tables.values() for row in table]
    return ledger["attempts"], ledger["parts"], ledger["notes"], rows


def test_a_restart_finds_the_same_tenant_to_the_microsecond(restarted: Callable[..., Any]) -> None:
    office = restarted()
    for _ in range(2):
        office.update(change(1, PartNum="      1", Name="Bolt"), change(1, PartNum="      2", Price="-1"))
    office.control("POST", "documents", {"system": "cloudsuite", "kind": "part", "PartNum": "7"})
    item = office.load(properties="PartNum", filter="PartNum = N'      1'")["Items"][0]["_ItemId"]
    office.update(change(2, item, Name="Nut"))
    office.ido("invoke/SLParts", "POST", params={"method": "CountSp"}, json=[""])
    before = books(office)
    assert len(before[0]) == 6
    again = restarted(log_in=False)
    assert books(again) == before


def test_tokens_end_with_the_process_and_their_count_stays(restarted: Callable[..., Any]) -> None:
    office = restarted()
    token, refresh = office.log_in(), office.token().json()["refresh_token"]
    again = restarted(log_in=False)
    again.headers["Authorization"] = f"Bearer {token}"
    assert again.ido("load/SLParts").status_code == 401
    assert again.token(grant_type="refresh_token", refresh_token=refresh).status_code == 400
    tokens = again.control("GET", "ledger")["cloudsuite"]["tokens"]
    assert (tokens["issued"], tokens["refused"]) == (3, 1)
    assert again.log_in() != token


def test_reading_and_what_the_gateway_refused_are_not_written_down(
    restarted: Callable[..., Any], tmp_path: Path
) -> None:
    office = restarted(max_requests_per_period=2)
    size = (tmp_path / "j.jsonl").stat().st_size
    office.load()
    office.ido("info/SLParts")
    body = {"Changes": [change(1, PartNum="      1")]}
    assert office.ido("update/SLParts", "POST", json=body).status_code == 429
    office.headers["Authorization"] = "Bearer x"
    assert office.ido("update/SLParts", "POST", json=body).status_code == 401
    assert (tmp_path / "j.jsonl").stat().st_size == size
    assert books(restarted(log_in=False, max_requests_per_period=2))[0] == []


def test_a_journal_of_another_tenant_is_refused(restarted: Callable[..., Any], tmp_path: Path) -> None:
    restarted(grants=("password", "refresh_token"), csi={"vouchers": 2})
    assert json.loads((tmp_path / "j.jsonl").read_text().splitlines()[0])["cloudsuite"]["csi"] == {"vouchers": 2}
    restarted(grants=("password", "refresh_token"), csi={"vouchers": 2})
    with pytest.raises(JournalError, match="CloudSuite"):
        restarted(csi={"vouchers": 3})
