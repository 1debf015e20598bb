"""A storm of faults over a deployment, and what Airflow does about failed tasks: it runs them again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from support.flow import Flow
from support.pipeline import Mortal
from support.remote import Killed

from airflow_provider_mlconnector.errors import NotAuthenticated, ProtocolError, Retriable, StaleClaim
from airflow_provider_mlconnector.store import Store

TIMEOUT = 1.0
"""Total deadline of one request, real seconds; what the faults delay lasts longer."""
LATE = 0.3
"""Real seconds after its answer at which a late commit lands."""
MAX_TRIES = 60
AGAIN = (Retriable, NotAuthenticated, ProtocolError, StaleClaim, Killed)
"""What a task's retries are for. ``NotAuthenticated`` is an operator evicted twice in a row here, never a password."""


def storm(seed: int, share: float = 0.1) -> list[dict[str, Any]]:
    """Return rules that together spoil about ``share`` of all calls to both systems.

    Faults that cost real time (a timeout is the whole deadline) are given a smaller part than the others.
    """
    cheap: list[dict[str, Any]] = [
        {"kind": "token_kill"},
        {"kind": "evict"},
        {"kind": "rate_limit"},
        {"kind": "rate_limit", "retry_after": 2},
        {"kind": "rate_limit", "retry_after": 3, "as_date": True},
        {"kind": "status", "code": 503},
        {"kind": "status", "code": 503, "html": True},
        {"kind": "html", "code": 502},
        {"kind": "drop_idle"},
        {"kind": "reset_before"},
        {"kind": "reset_after"},
        {"kind": "cut_body"},
        {"kind": "late_commit", "seconds": LATE, "system": "syspro"},
    ]
    slow: list[dict[str, Any]] = [{"kind": "timeout_after", "seconds": TIMEOUT + 0.5}]
    weights = [(rule, 1.0) for rule in cheap] + [(rule, 0.5) for rule in slow]
    total = sum(weight for _, weight in weights)
    return [
        {"seed": seed * 1000 + place, **rule, "probability": share * weight / total * _reach(rule)}
        for place, (rule, weight) in enumerate(weights)
    ]


def _reach(rule: dict[str, Any]) -> float:
    """Faults of one system alone are drawn on half of the calls, so twice as often there."""
    return 2.0 if rule["kind"] in {"token_kill", "evict"} or "system" in rule else 1.0


class Weather:
    """Runs a deployment's tasks through a storm as Airflow would, and counts what it took."""

    def __init__(self, deployment: Flow) -> None:
        self.flow = deployment
        self.tries = Counter[str]()
        self.ended = Counter[str]()
        deployment.waits = lambda seconds: time.sleep(min(seconds, 2 * LATE))

    def task(self, name: str) -> Any:
        """Run one task until a try succeeds."""
        for _ in range(MAX_TRIES):
            self.tries[name] += 1
            try:
                return getattr(self.flow, name)()
            except AGAIN as error:
                self.ended[f"{name}: {type(error).__name__}"] += 1
                # a request of the try that ended may still be at work in SYSPRO: settling counts from its lease
                time.sleep(2 * LATE if name in {"post", "settle"} else 0)
                self.flow.clock.advance(self.flow.lease_seconds)
        message = f"{name} did not succeed in {MAX_TRIES} tries: {dict(self.ended)}"
        raise AssertionError(message)

    def run(self) -> Any:
        """One DAG run; returns the report."""
        for name in ("extract", "plan", "validate", "post"):
            self.task(name)
        settled = self.task("settle")
        while settled.pending:
            self.flow.waits(settled.wait_seconds or 1)
            self.flow.clock.advance(settled.wait_seconds or 1)
            settled = self.task("settle")
        self.flow.run += 1
        return self.flow.report()

    def until_calm(self, *, runs: int = 8) -> Any:
        """Run the DAG until nothing is on its way any more; a quarter of an hour lies between two runs."""
        for _ in range(runs):
            report = self.run()
            if not {"uncertain", "validated", "posting", "extracted", "parked"} & {
                k for k, n in report.counts.items() if n
            }:
                return report
            self.flow.clock.advance(16 * 60)
        return report


def killing(deployment: Flow, dies: Callable[[str], bool]) -> None:
    """Let workers of a deployment die where ``dies`` says: not even their ``finally`` reaches the store afterwards."""

    def worker(store: Store) -> Any:
        mortal = Mortal(store)
        workers.append(mortal)
        return mortal

    def strike(point: str) -> None:
        if dies(point):
            workers[-1].dead = True
            raise Killed

    workers: list[Mortal] = []
    deployment.worker = worker
    deployment.strike = strike
