"""Three days of business through the DAGs: people in both systems, faults on the wire, both sides equal at the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.month_cloudsuite import CloudSuitePair
from support.month_office import Plan
from support.month_pair import Pair
from support.month_proofs import prove
from support.month_run import Month, systems
from support.month_syspro import SysproPair

from airflow_provider_mlconnector.sandbox.server import serving

pytestmark = pytest.mark.airflow
PLAN = Plan(seed=5, days=3, suppliers=45, orders=30, invoices=80)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("made", [SysproPair, CloudSuitePair], ids=["syspro", "cloudsuite"])
def test_three_days_of_business_end_with_both_systems_equal(
    airflow_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Callable[[], Pair]
) -> None:
    pair = made()
    with serving(**systems(pair, PLAN)) as sandbox:
        month = Month(sandbox, monkeypatch, tmp_path, pair, PLAN, print)
        month.live()
        proofs = prove(month)
    print(*proofs, sep="\n")
    assert len(month.tally.hits) > 5, "hardly any fault has struck"
    assert {proof.claim: proof.differences for proof in proofs if proof.differences} == {}
