"""The parent's side of a real kill: worker processes, forked from a server that has imported everything once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import Any, Final

from support.kill_worker import AT, Order, work

from airflow_provider_mlconnector.points import Point

TESTS: Final = Path(__file__).resolve().parents[1]
_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["support.kill_worker"])
os.environ["PYTHONPATH"] = str(
    TESTS
)  # the server looks for what it preloads there; the path of this process is not its


class Worker:
    """One worker process.

    Attributes:
        order: What it does.
        struck: The point at which it has struck itself, None while it has not.
        told: What it told at its end, empty when it did not live to tell.
        waking: Whether it goes on by itself, having stopped.
    """

    def __init__(self, order: Order) -> None:
        self.order = order
        self.struck: Point | None = None
        self.told: tuple[str, Any] | tuple[()] = ()
        self.waking = False
        self._here, there = _FORKS.Pipe(duplex=False)
        self._process = _FORKS.Process(target=work, args=(order, there), daemon=True)
        self._process.start()
        there.close()

    def wait(self, seconds: float, *, for_strike: bool = False) -> bool:
        """Wait for its end, or ``for_strike`` until it has struck itself; tell whether that came."""
        until = time.monotonic() + seconds
        while not self._heard(max(0.0, until - time.monotonic())):
            if time.monotonic() >= until:
                return False
            if for_strike and self.struck is not None:
                return True
        return True

    def _heard(self, seconds: float) -> bool:
        """Take in what it tells; True once it has ended."""
        with suppress(EOFError, OSError):
            while self._here.poll(seconds):
                said = self._here.recv()
                if said[0] == AT:
                    self.struck = said[1]
                    return False
                self.told = said
        self._process.join(timeout=seconds)
        return self._process.exitcode is not None

    @property
    def killed(self) -> bool:
        """Whether SIGKILL ended it."""
        return self._process.exitcode == -signal.SIGKILL

    @property
    def ended(self) -> bool:
        """Whether it is no more."""
        return self._process.exitcode is not None

    def kill(self) -> None:
        """``kill -9``, whatever it does and whether or not it is stopped."""
        self._signal(signal.SIGKILL)

    def go_on(self, *, after: float) -> None:
        """Let a stopped process go on some time from now."""
        self.waking = True
        timer = Timer(after, self._signal, [signal.SIGCONT])
        timer.daemon = True
        timer.start()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            if self._process.pid and self._process.exitcode is None:
                os.kill(self._process.pid, number)
