"""A simulated month of business, day by day through a pair's DAGs: people at work, faults on the wire, settling up."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support import airflow_home
from support.airflow_home import Deployment, Outcome, Try
from support.month_office import START, TIMEOUT, Hours, Office, Plan
from support.month_pair import Pair
from typer.testing import CliRunner

from airflow_provider_mlconnector.cli import app
from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.sandbox.server import RunningSandbox
from airflow_provider_mlconnector.store.records import DocumentRecord

POKE_SECONDS = 20.0
"""Simulated seconds between two looks of a sensor."""
LEASE_SECONDS = 30
CUT_OVER = "2026-01-01"
"""Nothing dated earlier is carried, or compared."""
ENDS = frozenset({State.POSTED, State.LINKED, State.SKIPPED, State.SUPERSEDED})
"""States in which a document stays."""


@dataclass
class Tally:
    """What the month took."""

    runs: Counter[str] = field(default_factory=Counter)
    red: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))


class Month:
    """One month at one installation.

    Args:
        sandbox: Where the systems are.
        patch: Undone when the month is over.
        home: Folder of the store.
        pair: Which systems, and their people.
        plan: How much business.
        say: Takes a line of progress.
    """

    def __init__(
        self, sandbox: RunningSandbox, patch: pytest.MonkeyPatch, home: Path, pair: Pair, plan: Plan, say: Any
    ) -> None:
        self.pair, self.plan, self.say, self.tally, self.home = pair, plan, say, Tally(), home
        self.hours = Hours(sandbox.url, patch)
        self.hours.take_over()
        self.office = Office(sandbox.url, plan, self.hours, pair.system)
        self.mapping = home / "dags" / "mappings" / pair.mapping
        self.deployment = _deployed(sandbox, patch, home, pair)

    # --- days --------------------------------------------------------------------------------------------------------

    def live(self) -> None:
        """Live through the days."""
        for day in range(self.plan.days):
            began = time.monotonic()
            self.office.storm(day)
            self.pair.day(self, day)
            self.tally.hits += self.office.calm()
            states = Counter(str(document.state) for document in self.deployment.documents())
            self.say(f"day {day + 1:>2}  {time.monotonic() - began:6.1f} s  {dict(states.most_common())}")

    # --- the end -----------------------------------------------------------------------------------------------------

    def settle_up(self, *, rounds: int = 8) -> list[DocumentRecord]:
        """Run without faults while people put right whatever is stuck; return what nobody could move."""
        stuck: list[DocumentRecord] = []
        for number in range(rounds):
            self.cycle()
            stuck = self.stuck()
            self.say(f"settling up, round {number + 1}: {dict(Counter(_cause(each) for each in stuck).most_common())}")
            if not stuck:
                break
            desk = self.pair.desk(self.office, self.mapping)
            desk.put_right(stuck)
            for route, state in sorted(desk.replays):
                self._replay("--route", route, "--state", state)
            for said in desk.said:
                self._replay(*said)
        return stuck

    def keep_books(self, path: Path) -> None:
        """Write down what both systems hold, for whoever looks into a difference."""
        path.write_text(json.dumps({"ledger": self.office.ask("ledger"), "truth": self.office.ask("truth")}))

    def stuck(self) -> list[DocumentRecord]:
        """Return the documents that are on no end state."""
        return [each for each in self.deployment.documents() if each.state not in ENDS and not self.explained(each)]

    def explained(self, document: DocumentRecord) -> bool:
        """Tell whether a document may stay where it is."""
        return self.pair.explained(self.office, document)

    def _replay(self, *which: str) -> None:
        said = ["--why", "the cause is gone", "--user", "clerk", "--yes"]
        result = CliRunner().invoke(app, ["replay", *which, *said])
        assert result.exit_code == 0, result.output

    # --- runs --------------------------------------------------------------------------------------------------------

    def cycle(self) -> dict[str, Outcome]:
        """Run every DAG once, in the order their assets give them."""
        self.hours.wait(3600)
        return {dag: self.run(dag) for dag in self.pair.cycle}

    def run(self, dag: str, conf: Mapping[str, Any] | None = None) -> Outcome:
        """Run one DAG."""
        began = time.monotonic()
        outcome = self.deployment.run(conf, dag_id=dag, director=self._direct)
        self.tally.runs[dag] += 1
        self.tally.seconds[dag] += time.monotonic() - began
        if outcome.state != "success":
            self.tally.red[dag] += 1
        for task, errors in outcome.errors.items():
            for error in errors:
                self.tally.errors[f"{dag}.{task}: {type(error).__name__}: {str(error)[:160]}"] += 1
        return outcome

    def _direct(self, ti: Any, go: Try) -> None:
        """Run a task try; time passes before each look of a sensor, and behind what is still under way."""
        if ti.task_id.endswith("settle"):
            self.hours.wait(POKE_SECONDS)
        go()


def _cause(document: DocumentRecord) -> str:
    return f"{document.document} {document.state} {document.reason_code}"


def _deployed(sandbox: RunningSandbox, patch: pytest.MonkeyPatch, home: Path, pair: Pair) -> Deployment:
    # people edit the mapping beside their own copy of the DAGs
    shutil.copytree(airflow_home.DAGS, home / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    patch.setattr(airflow_home, "DAGS", home / "dags")
    deployment = Deployment(sandbox, patch, timeout=TIMEOUT)
    pair.connect(deployment)
    patch.setenv("AIRFLOW_VAR_MLCONNECTOR_CUT_OVER", CUT_OVER)
    patch.setenv("AIRFLOW__MLCONNECTOR__LEASE_SECONDS", str(LEASE_SECONDS))
    deployment.use_local_store(home)
    with deployment.store() as store:
        store.upgrade()
    return deployment


def systems(pair: Pair, plan: Plan) -> Mapping[str, Any]:
    """Return the options of the sandbox a month begins with."""
    return {"seed": plan.seed, "start": START, **pair.options(plan)}
