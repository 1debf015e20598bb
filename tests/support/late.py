"""Simulated time and requests that a remote executes late: the sandbox takes its time for real."""

from __future__ import annotations

import time
from typing import Any

PATIENCE = 30.0
"""Seconds after which a late request counts as lost by the sandbox."""


def landed(app: Any) -> None:
    """Wait until the sandbox has executed all it answered with 504 before: time is about to be moved beyond that."""
    give_up = time.monotonic() + PATIENCE
    while app.late:
        assert time.monotonic() < give_up, f"{app.late} late requests never came"
        time.sleep(0.01)
