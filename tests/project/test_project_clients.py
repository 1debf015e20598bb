"""Clients that others wrote for the real ION gateway work against the simulated one, unchanged."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_mlconnector.sandbox.server import serving

VENV = ".venv-clients"


@pytest.fixture(scope="module")
def told(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the clients got, and what the tenant's books say afterwards."""
    subprocess.run(["scripts/make_venv.sh", VENV, "requirements/clients.txt"], cwd=root, check=True)
    folder = tmp_path_factory.mktemp("clients")  # one of them writes a log with tokens where it is started
    with serving(seed=7) as sandbox:
        file = folder / "acme.ionapi"
        file.write_text(json.dumps(sandbox.app.cloudsuite.ionapi(sandbox.url)))
        command = [str(root / VENV / "bin" / "python"), str(root / "tests/support/foreign_clients.py"), str(file)]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=_plain())
        assert ran.returncode == 0, ran.stderr
        found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
        return found | {"books": sandbox.app.cloudsuite.ledger()}


def _plain() -> dict[str, str]:
    """The environment without proxies: the tenant is on this machine."""
    return {name: value for name, value in os.environ.items() if "proxy" not in name.lower() and name != "PYTHONPATH"}


def test_inforion_reads_writes_and_is_refused_over_m3(told: dict[str, Any]) -> None:
    got = told["inforion"]
    listed = got["listed"]["results"][0]["records"]
    suppliers = {row["SUNO"]: row for row in told["books"]["m3"]["suppliers"]}
    assert [row["SUNO"].strip() for row in listed] == [name for name in sorted(suppliers) if name >= "V00001"]
    assert len(listed) > 10
    assert got["changed"]["nrOfSuccessfullTransactions"] == 1
    assert suppliers["V00001"]["PHNO"] == "555 0100"
    (refused,) = got["refused"]["results"]
    assert (refused["errorCode"], refused["errorField"]) == ("WSU0103", "SUNO")


def test_inforion_goes_on_with_a_refreshed_token(told: dict[str, Any]) -> None:
    assert told["inforion"]["another token"]
    (result,) = told["inforion"]["after refresh"]["results"]
    assert result["records"][0]["PHNO"].strip() == "555 0100"


@pytest.mark.parametrize("client", ["LegacyApplicationClient", "BackendApplicationClient"])
def test_the_common_oauth_library_gets_tokens_by_each_grant_and_loads(told: dict[str, Any], client: str) -> None:
    answer = told["oauthlib"][client]
    assert answer["Success"] is True
    vendors = {row["VendNum"].strip(): row["Name"] for row in told["books"]["suppliers"]}
    assert {row["VendNum"].strip(): row["Name"] for row in answer["Items"]}.items() <= vendors.items()
    assert len(answer["Items"]) == 2
    assert answer["MoreRowsExist"] is True
    assert told["oauthlib"]["renewed"]
