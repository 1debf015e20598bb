"""What a seed of real kills came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

MOMENT, CLEARED = "any moment", "cleared"
"""Where a worker was killed that was at no point in particular."""


@dataclass
class Ending:
    """What a seed came to."""

    seed: int
    name: str
    replay: str
    kind: str
    database: str
    violations: list[str] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)
    cleared: int = 0
    states: Counter[str] = field(default_factory=Counter)
    workers: int = 0
    told: int = 0
    seconds: float = 0.0


def sort_of(violation: str) -> str:
    """Return what a violation is about: ``duplicate``, ``lost``, ``stuck`` or ``other``."""
    if "stuck" in violation:
        return "stuck"
    if " lost" in violation or "holds it 0 times" in violation:
        return "lost"
    return "duplicate" if " times" in violation else "other"
