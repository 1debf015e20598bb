"""Chaos under a real scheduler: rounds drawn by a seed, each a DAG run with every task disturbed, or a crowd of runs.

What is drawn is a seed's own: which task meets what, where it is caught. What the machine makes of it is not: processes
run as fast as they run. A round can be lived again alone, as it depends on its seed and number only.
"""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import psutil
from support.airflow_books import betrayed, duplicates, stuck, writes, wrong
from support.airflow_cluster import FINISHED, Cluster
from support.airflow_disturb import ANSWERS_LATE, add_invoices, caught, crowd, on_hold, scheduled, stop
from support.airflow_home import TASKS
from support.airflow_settings import DAG_ID, LEASE

KILL, KILL_CLEAR = "SIGKILL", "SIGKILL, then cleared"
STOP, FREEZE = "SIGSTOP of the task", "SIGSTOP of the worker"
CLEAR, CLEAR_ALL = "cleared", "extract cleared with all behind it"
FAIL, FAIL_AT_ONCE = "marked failed, cleared when it ended", "marked failed, cleared at once"
CROWD, CROWD_KILL = "three backfills, schedule, replay", "SIGKILL in that crowd"
KINDS: Final = (KILL, KILL_CLEAR, STOP, FREEZE, CLEAR, CLEAR_ALL, FAIL, FAIL_AT_ONCE, CROWD, CROWD_KILL)
LABELS: Final = ("plain", "plain", "multi_line", "split_percent", "header_tax", "charge_additional", "eur", "jpy")
"""Recipes of the invoices: single lines, shares, charges, other currencies."""
EVERY_CROWD: Final = 3
"""One round in so many is a crowd."""
RED: Final = frozenset({"failed", "upstream_failed"})
TIMES_CLEARED: Final = 3
"""How often a person clears what ended red before it counts as stuck."""
PATIENCE: Final = 240
"""Seconds a task or run may take on a busy machine before it counts as stuck."""


@dataclass(frozen=True)
class Mishap:
    """What befalls a task: at a ``moment`` (seconds after its process is there) or, without one, caught at its work."""

    kind: str
    task: str
    in_store: bool
    moment: float | None


@dataclass(frozen=True)
class Round:
    """What was drawn for one round; a crowd has a single mishap, for one of its runs."""

    number: int
    labels: tuple[str, ...]
    by_schedule: bool
    mishaps: tuple[Mishap, ...]

    @property
    def crowded(self) -> bool:
        """Whether runs stand beside one another in it."""
        return self.number % EVERY_CROWD == EVERY_CROWD - 1


def drawn(seed: int, number: int) -> Round:
    """Draw a round."""
    rng = random.Random(f"{seed}/{number}")
    labels = tuple(rng.choice(LABELS) for _ in range(rng.randint(6, 14)))
    kinds = [rng.choice([STOP, FREEZE]), rng.choice([FAIL, FAIL_AT_ONCE]), CLEAR_ALL, KILL, KILL_CLEAR, CLEAR]
    rng.shuffle(kinds)
    mishaps = tuple(
        Mishap(kind, task, rng.random() < 0.4, rng.uniform(0, 3) if rng.random() < 0.3 else None)
        for kind, task in zip(kinds, TASKS, strict=True)
    )
    drawn_round = Round(number, labels, rng.random() < 0.5, mishaps)
    if drawn_round.crowded:
        killed = Mishap(CROWD_KILL, rng.choice(TASKS[:-1]), in_store=False, moment=rng.uniform(0, 3))
        return Round(number, labels, by_schedule=True, mishaps=(killed,))
    return drawn_round


@dataclass
class Tally:
    """What became of all disturbances."""

    kills: Counter[str] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    found: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    missed: int = 0
    cleared: int = 0

    def total(self) -> int:
        """Count the disturbances that met a task at work."""
        return sum(self.kills.values())


class Chaos:
    """Lives rounds in one Airflow and tells what they violated."""

    def __init__(self, cluster: Cluster, tally: Tally, say: Callable[[str], None]) -> None:
        self._cluster = cluster
        self._tally = tally
        self._say = say

    def live(self, chosen: Round) -> list[str]:
        """Live a round; return what it violated: what stands in the books, and what never ended."""
        before = Counter(self._tally.kills)
        late = []
        try:
            (self._crowd if chosen.crowded else self._one_run)(chosen)
        except AssertionError as error:
            late.append(f"late: {str(error).splitlines()[0]}")
        found = {"duplicates": duplicates(self._cluster), "lost": [], "stuck": late, "wrong": []}
        found["stuck"] += stuck(self._cluster)
        for one in wrong(self._cluster):
            found["lost" if one.endswith("is lost") else "wrong"].append(one)
        found["wrong"] += [*self._writes_more(), *betrayed(self._cluster)]
        for kind in self._tally.kills - before:
            self._tally.found[kind].update({name: len(texts) for name, texts in found.items()})
        return [f"{name}: {text}" for name, texts in found.items() for text in texts]

    def _writes_more(self) -> list[str]:
        before = writes(self._cluster)
        run = self._cluster.trigger()
        try:
            state = self._cluster.wait_for_run(run, seconds=PATIENCE)
        except AssertionError as error:
            return [f"the further run did not end: {str(error).splitlines()[0]}"]
        more = writes(self._cluster) - before
        return [f"a further run wrote {dict(more)}"] * bool(more) + [f"a further run ended {state}"] * (
            state != "success"
        )

    # --- one run, each of its tasks disturbed -------------------------------------------------------------------------

    def _one_run(self, chosen: Round) -> None:
        add_invoices(self._cluster, chosen.labels)
        run = scheduled(self._cluster) if chosen.by_schedule else self._cluster.trigger()
        for before, mishap in zip(("", *TASKS), chosen.mishaps, strict=False):
            if before:
                self._finished(run, before)
            started = time.monotonic()
            after = self._struck(run, mishap)
            if after is None:
                self._tally.missed += 1
                self._say(f"  {mishap.task}: {mishap.kind}: came too late, the task had ended")
                continue
            after()
            self._finished(run, mishap.task)
            self._count(mishap, started)
        self._finished(run, "")

    def _finished(self, run: str, task: str) -> None:
        """Wait until a task (or the whole run) has succeeded; a person clears what ends red before.

        A task that is cleared while the scheduler has its run in hand may be overtaken by it: those behind are marked
        for the failure that is no more, or the run is over before the task has run again.
        """

        def ended() -> str:
            over = self._cluster.run_state(run) in FINISHED
            states = self._cluster.states(run)
            if RED & set(states.values()) or (over and set(states.values()) != {"success"}):
                return "red"
            return "success" if over or (task and states[task] == "success") else ""

        for _ in range(TIMES_CLEARED + 1):
            if self._cluster.wait(f"{task or 'all'} of {run}", ended, seconds=PATIENCE) == "success":
                return
            states = self._cluster.states(run)
            undone = [each for each in TASKS if states.get(each) != "success"]
            red = next((each for each in undone if states.get(each) in RED), undone[0])
            self._say(f"  a person clears {red}, {states.get(red)}, and all behind it")
            self._tally.cleared += 1
            self._cluster.clear(run, red, downstream=True)
        message = f"run {run} ends red however often it is cleared: {self._cluster.states(run)}"
        raise AssertionError(message)

    def _struck(self, run: str, mishap: Mishap) -> Callable[[], None] | None:
        """Catch the task and do to it what was drawn; return what is left to be done when the trap is open again."""
        if mishap.moment is not None:
            self._cluster.wait_for_task(run, mishap.task, "running", "success", seconds=PATIENCE)
            time.sleep(mishap.moment)
            return self._strike(run, mishap)
        with caught(self._cluster, mishap.task, in_store=mishap.in_store) as is_caught:

            def there() -> bool:
                # a task that ended before the trap was set is not caught in it any more
                return bool(is_caught()) or self._cluster.task(run, mishap.task)["state"] == "success"

            self._cluster.wait(f"{mishap.task} at its work", there, seconds=PATIENCE, every=0.02)
            return self._strike(run, mishap)

    def _strike(self, run: str, mishap: Mishap) -> Callable[[], None] | None:
        if self._cluster.task(run, mishap.task)["state"] != "running":
            return None
        strike = {
            KILL: self._kill,
            CROWD_KILL: self._kill,
            KILL_CLEAR: self._kill_and_clear,
            STOP: self._stop,
            FREEZE: partial(self._freeze, to_its_end=not mishap.in_store and mishap.task in ANSWERS_LATE),
            CLEAR: self._clear,
            CLEAR_ALL: self._clear_all,
            FAIL: self._fail,
            FAIL_AT_ONCE: self._fail_at_once,
        }[mishap.kind]
        try:
            return strike(run, mishap.task)
        except psutil.NoSuchProcess:
            return None

    def _kill(self, run: str, task: str) -> Callable[[], None]:
        self._cluster.kill(run, task)
        return _nothing

    def _kill_and_clear(self, run: str, task: str) -> Callable[[], None]:
        self._cluster.kill(run, task)
        self._cluster.wait_for_task(run, task, "up_for_retry")
        self._cluster.clear(run, task)
        return _nothing

    def _stop(self, run: str, task: str) -> Callable[[], None]:
        go_on = stop(self._cluster.process(run, task), whole=False)

        def later() -> None:
            time.sleep(LEASE + 2)  # the fault itself: it stands still for longer than its lease
            go_on()

        return later

    def _freeze(self, run: str, task: str, *, to_its_end: bool) -> Callable[[], None]:
        """Freeze the worker until Airflow's retry has begun or, where it holds no transaction open, has ended."""
        tries = self._cluster.task(run, task)["try_number"]
        wake_up = stop(self._cluster.process(run, task), whole=True)
        states = ("success",) if to_its_end else ("running", "success")

        def taken_over() -> bool:
            now = self._cluster.task(run, task)
            return now["try_number"] > tries and now["state"] in states

        def later() -> None:
            try:
                self._cluster.wait(f"a retry of {task}", taken_over, seconds=PATIENCE)
            finally:
                wake_up()

        return later

    def _clear(self, run: str, task: str) -> Callable[[], None]:
        self._cluster.clear(run, task)
        return _nothing

    def _clear_all(self, run: str, _task: str) -> Callable[[], None]:
        self._cluster.clear(run, "extract", downstream=True)
        return _nothing

    def _fail(self, run: str, task: str) -> Callable[[], None]:
        self._cluster.mark_failed(run, task)

        def later() -> None:
            assert self._cluster.wait_for_run(run, seconds=PATIENCE) == "failed", "what is marked failed has failed"
            self._cluster.clear(run, task, downstream=True)

        return later

    def _fail_at_once(self, run: str, task: str) -> Callable[[], None]:
        self._cluster.mark_failed(run, task)
        self._cluster.clear(run, task, downstream=True)
        return _nothing

    # --- runs beside one another --------------------------------------------------------------------------------------

    def _crowd(self, chosen: Round) -> None:
        (mishap,) = chosen.mishaps
        (held,) = add_invoices(self._cluster, ["plain"])
        with on_hold(self._cluster, held):
            self._cluster.wait_for_run(self._cluster.trigger(), seconds=PATIENCE)
        add_invoices(self._cluster, chosen.labels)
        started = time.monotonic()
        runs = crowd(self._cluster, held)
        victim = random.Random(chosen.number).choice(sorted(run for run, dag in runs.items() if dag == DAG_ID))
        struck = time.monotonic()
        if self._struck(victim, mishap) is None:
            self._tally.missed += 1
        else:
            self._count(mishap, struck)
        ended = {run: self._cluster.wait_for_run(run, dag=dag, seconds=PATIENCE) for run, dag in runs.items()}
        self._count(Mishap(CROWD, "all", in_store=True, moment=None), started)
        red = [run for run, state in ended.items() if state != "success" and runs[run] == DAG_ID]
        assert not red, f"runs of a crowd ended red: {red}"

    def _count(self, mishap: Mishap, started: float) -> None:
        spent = time.monotonic() - started
        self._tally.kills[mishap.kind] += 1
        self._tally.tasks[mishap.task] += 1
        self._tally.seconds[mishap.kind].append(spent)
        where = "at a moment" if mishap.moment is not None else "at the store" if mishap.in_store else "at its work"
        self._say(f"  {mishap.task}: {mishap.kind}, {where}; {spent:.0f} s")


def _nothing() -> None:
    return
