"""What befalls a seed from outside: storms of 429, a store that is down, a key rotated, accounts closed, clocks set."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from support.chaos_time import Skewed

from airflow_provider_mlconnector.sandbox.faults import FaultRule
from airflow_provider_mlconnector.store import KeyRing, Store

if TYPE_CHECKING:
    from support.chaos_process import Process
    from support.chaos_run import World

Trouble = Callable[["World", Random], None]
LAPS = (120.0, 600.0, 1500.0)
"""How long things stay bad."""
BEFORE = (5.0, 90.0, 600.0, 2000.0)
"""How long they were good until then."""


def troubles(run: World) -> list[Process]:
    """Begin the troubles of a seed: each comes to some seeds only."""
    rng = Random(f"troubles {run.seed}")
    chosen = [trouble for trouble in _TROUBLES if rng.random() < 0.22]
    return [_begin(run, trouble, Random(f"{trouble.__name__} {run.seed}")) for trouble in chosen]


def _begin(run: World, trouble: Trouble, rng: Random) -> Process:
    def work() -> None:
        run.time.sleep(rng.choice(BEFORE))
        trouble(run, rng)

    return run.aside(trouble.__name__.strip("_").replace("_", " "), work)


def _struck(run: World, what: str, times: int = 1) -> None:
    run.ending.others[what] += times
    run.tell(f"TROUBLE {what}")


def _throttled(run: World, rng: Random) -> None:
    """A tenant refuses a third of all calls, or every one, for a while."""
    share = rng.choice([0.3, 1.0])
    systems = sorted({end for route in run.site.routes for end in (route.source, route.target)})
    rule = FaultRule(
        "rate_limit",
        system=rng.choice(systems),
        probability=share,
        seed=run.seed,
        retry_after=rng.choice([None, 1, 30]),
    )
    run.app.faults.rules.insert(0, rule)
    run.time.sleep(rng.choice(LAPS))
    run.app.faults.rules.remove(rule)
    if rule.hits:
        _struck(run, f"429 storm of {share:.0%}", rule.hits)


def _store_down(run: World, rng: Random) -> None:
    """The store is away for a minute or more: between statements, at commits, or after commits that did happen."""
    run.down = rng.choice(["statement", "commit", "committed"])
    what = {"statement": "store down", "commit": "store refuses commits", "committed": "commit's answer lost"}[run.down]
    before = run.failed
    run.time.sleep(rng.choice([20.0, 60.0, 300.0]))
    run.down = ""
    if run.failed > before:
        _struck(run, what, run.failed - before)


def _key_rotated(run: World, rng: Random) -> None:
    """Processes that start from now on encrypt with a new key; those at work know it not."""
    del rng
    run.reopen(KeyRing.derive("chaos rotated,chaos"))
    _struck(run, "key rotated")


def _account_closed(run: World, rng: Random) -> None:
    """An account, or a supplier, is closed in the ERP, and opened again some time later."""
    targets = {route.target for route in run.site.routes if route.document in {"invoice", "journal"}}
    for target in sorted(targets & _CLOSE.keys()):
        for what in rng.sample(("account", "supplier"), rng.randint(1, 2)):
            _CLOSE[target](run, what, closed=True)
            _struck(run, f"{what} closed between check and posting")
            run.time.sleep(rng.choice(LAPS))
            _CLOSE[target](run, what, closed=False)


def _close_in_syspro(run: World, what: str, *, closed: bool) -> None:
    if what == "supplier":
        run.app.syspro.add("supplier", {"supplier": "V00001", "on_hold": closed})
        return
    for section in ("10", "20", "30"):
        run.app.syspro.add("gl_account", {"gl_code": f"{section}-5130", "on_hold": closed})


def _close_in_csi(run: World, what: str, *, closed: bool) -> None:
    if "m3" in run.site.chosen:
        return
    if what == "supplier":
        run.app.cloudsuite.add("vendor", {"vendor": "V00001", "hold": closed})
    elif closed:
        run.app.cloudsuite.add("account_obsolete", {"account": "51300"})
    else:
        run.app.cloudsuite.add("account", {"account": "51300", "obs_date": None})


_CLOSE: dict[str, Any] = {"syspro": _close_in_syspro, "cloudsuite": _close_in_csi}


def _clock_set(run: World, rng: Random) -> None:
    """One system's clock is set: an hour for summer time, minutes by a person."""
    systems = sorted({end for route in run.site.routes for end in (route.source, route.target)})
    clock = run.clocks[rng.choice(systems)]
    jump = rng.choice([3600.0, -3600.0, 240.0, -240.0])
    clock.offset += jump
    _struck(run, "a remote's clock set forward" if jump > 0 else "a remote's clock set back")


_TROUBLES: tuple[Trouble, ...] = (_throttled, _throttled, _store_down, _key_rotated, _account_closed, _clock_set)


def skewed(run: World) -> dict[str, Skewed]:
    """Return the clocks of the three systems: in some seeds they differ from ours all the time."""
    rng = Random(f"clocks {run.seed}")
    found = {name: Skewed(run.time) for name in ("jaggaer", "syspro", "cloudsuite")}
    if rng.random() < 0.3:
        clock = found[rng.choice(sorted(found))]
        clock.offset = rng.choice([-7200.0, -90.0, 90.0, 7200.0])
        run.ending.others["a remote's clock differs from ours"] += 1
    return found


@contextmanager
def failing(run: World, store: Store) -> Iterator[None]:
    """Let a store fail for workers while it is down; whoever only looks on still reads it."""
    engine = store._engine
    commit = engine.dialect.do_commit

    def fails(at: str) -> bool:
        found = run.down == at and run.time.actor in run.working
        run.failed += found
        return found

    def execute(*_arguments: Any) -> None:
        if fails("statement"):
            raise sqlite3.OperationalError("unable to open database file")

    def do_commit(connection: Any) -> None:
        if fails("commit"):
            raise sqlite3.OperationalError("database or disk is full")
        commit(connection)
        if fails("committed"):
            raise sqlite3.OperationalError("disk I/O error")

    names = ("do_execute", "do_executemany", "do_execute_no_params")
    for name in names:
        event.listen(engine, name, execute)
    engine.dialect.do_commit = do_commit  # type: ignore[method-assign]
    try:
        yield
    finally:
        for name in names:
            event.remove(engine, name, execute)
        engine.dialect.do_commit = commit  # type: ignore[method-assign]
