"""`mlconnector demo` from start to end, twice in one home: the second run posts nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CLI = "from airflow_provider_mlconnector.cli import app; app()"


def demo(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-c", CLI, "demo", "--home", str(home), "--json", *arguments)
    return subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)


def outcome(ran: subprocess.CompletedProcess[str]) -> Any:
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.airflow
@pytest.mark.timeout(1500)
def test_the_demo_holds_its_proofs_and_a_second_run_posts_nothing(tmp_path: Path) -> None:
    first = outcome(demo(tmp_path, "--invoices", "60"))
    assert first["holds"]
    assert first["booked_in_this_run"] == first["counts"]["posted"] > 30
    assert first["counts"]["linked"] == 3, "three invoices were typed in by hand with the same figures"
    assert "number_already_used" in {cause["code"] for cause in first["stuck"]}, "and one with another amount"
    assert all(document["reason"] for cause in first["stuck"] for document in cause["documents"])
    assert {row["task_id"] for row in first["tasks"] if row["state"] != "success"} == {"report"}

    for name, route in first["routes"].items():
        assert route["counts"].get("posted", 0) + route["counts"].get("linked", 0), f"nothing moved on {name}"
    assert (tmp_path / "reconciliation.html").stat().st_size

    unlinked = first["unlinked"]
    invoices, journals = (route["counts"] for route in unlinked["routes"].values())
    assert invoices == {"posted": 12}
    assert 1 < journals["posted"] < 12
    assert unlinked["booked_in_this_run"] == 12 + journals["posted"]

    cloud = first["cloudsuite"]
    assert cloud["written_in_this_run"] > 50, "vouchers, imported invoices and orders"
    for name, route in cloud["routes"].items():
        assert route["counts"].get("posted", 0) + route["counts"].get("linked", 0), f"nothing moved on {name}"
    into_csi, into_jaggaer = (
        cloud["routes"][route]["counts"]
        for route in ("jaggaer_to_cloudsuite_invoices", "cloudsuite_to_jaggaer_invoices")
    )
    assert into_csi["linked"] == 1, "one of JAGGAER's was typed into CSI by hand"
    assert into_jaggaer["linked"] == 2, "that voucher, and one of CSI's that was typed into JAGGAER by hand"
    assert "submitted" not in into_jaggaer, "every import has been seen"
    assert "accepted" not in into_csi, "CSI has posted every voucher"
    assert "number_already_used" in {cause["code"] for cause in cloud["stuck"]["jaggaer_to_cloudsuite_invoices"]}
    assert all(one["reason"] for causes in cloud["stuck"].values() for cause in causes for one in cause["documents"])
    assert (tmp_path / "reconciliation-cloudsuite.html").stat().st_size

    again = outcome(demo(tmp_path, "--invoices", "60"))
    assert again["holds"]
    assert again["booked_in_this_run"] == 0
    assert again["unlinked"]["booked_in_this_run"] == 0
    assert again["unlinked"]["routes"] == unlinked["routes"]
    assert again["cloudsuite"]["written_in_this_run"] == 0
    # what accounts payable paid in between comes back as a revision with nothing to post
    before, after = ({k: v for k, v in run["counts"].items() if k != "skipped"} for run in (first, again))
    assert after == before
    assert again["store"] == first["store"]
