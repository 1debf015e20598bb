"""Exactly once through everything a network and two remote systems do to one call in ten."""

from __future__ import annotations

import random
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.books import all_expected, compare, general_ledger_problems
from support.flow import Flow, flow
from support.storm import TIMEOUT, Weather, killing, storm

pytestmark = pytest.mark.chaos
SEED = 7
SETTINGS: dict[str, Any] = {"timeout": TIMEOUT, "syspro": {"remote_timeout": TIMEOUT}}


def _assert_exactly_once(deployment: Flow, *, invoices: int, credit_memos: int) -> None:
    ledger = deployment.ledger()
    documents = deployment.documents()
    assert Counter(str(document.state) for document in documents) == {"posted": invoices + credit_memos}
    assert len(ledger["ap_invoices"]) == invoices
    assert len(ledger["ap_transactions"]) == credit_memos
    assert compare(ledger, all_expected(deployment.sandbox.app, [document.key for document in documents])) == []
    booked = Counter(a["reference"] for a in ledger["write_attempts"] if a["outcome"] == "posted")
    assert len(booked) == invoices + credit_memos
    assert {reference: count for reference, count in booked.items() if count > 1} == {}
    assert general_ledger_problems(ledger) == []
    ours = sum(Decimal(document.gross) for document in documents if document.currency == "USD")
    theirs = sum(
        Decimal(row["value"]) for row in (*ledger["ap_invoices"], *ledger["ap_transactions"]) if row["currency"] == "$"
    )
    assert ours == theirs
    assert deployment.store.verify_chain().ok


def _tell(weather: Weather, started: float, **figures: Any) -> None:
    app = weather.flow.sandbox.app
    hits = Counter[str]()
    for rule in app.faults.rules:
        hits[rule.kind] += rule.hits
    total = app.requests.total
    refused = sum(a["outcome"] == "refused" for a in weather.flow.ledger()["write_attempts"])
    spoiled = sum(hits.values())
    print(f"\nchaos {figures}: {total} requests, {spoiled} spoiled ({spoiled / total:.1%}) {dict(hits)};")
    print(
        f"  tries {dict(weather.tries)}; ended {dict(weather.ended)}; {refused} items refused, their session had ended;"
    )
    print(f"  {time.monotonic() - started:.0f} s")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("uniqueness", [True, False])
def test_a_thousand_invoices_and_fifty_credits_arrive_exactly_once(tmp_path: Path, uniqueness: bool) -> None:
    started = time.monotonic()
    site = {"invoices": 1050, "mix": "good", "credit_memos": 50}
    with flow(tmp_path, seed=SEED, jaggaer=site, syspro_site={"uniqueness": uniqueness}, **SETTINGS) as deployment:
        deployment.sandbox.app.faults.set(storm(SEED))
        weather = Weather(deployment)
        weather.until_calm()
        _tell(weather, started, seed=SEED, uniqueness=uniqueness)
        kinds = {rule.kind for rule in deployment.sandbox.app.faults.rules if rule.hits}
        assert kinds == {rule.kind for rule in deployment.sandbox.app.faults.rules}, "a kind of fault never struck"
        _assert_exactly_once(deployment, invoices=1000, credit_memos=50)


@pytest.mark.timeout(200)
@pytest.mark.parametrize("seed", [11, 12])
def test_killed_workers_in_a_storm_lose_nothing_and_repeat_nothing(tmp_path: Path, seed: int) -> None:
    started = time.monotonic()
    rng = random.Random(seed)
    site = {"invoices": 300, "mix": "good", "credit_memos": 15, "list_with_lines": True}
    with flow(tmp_path, seed=seed, jaggaer=site, syspro_site={"uniqueness": False}, **SETTINGS) as deployment:
        deployment.sandbox.app.faults.set(storm(seed))
        deaths = Counter[str]()

        def dies(point: str) -> bool:
            struck = (
                sum(deaths.values()) < 4
                and point in {"after_intent", "after_response", "after_state", "page", "settled"}
                and rng.random() < 0.08
            )
            deaths[point] += struck
            return struck

        killing(deployment, dies)
        weather = Weather(deployment)
        weather.until_calm()
        _tell(weather, started, seed=seed, deaths=dict(+deaths))
        assert sum(deaths.values()) == 4
        killing(deployment, lambda _point: False)
        _assert_exactly_once(deployment, invoices=285, credit_memos=15)
