"""How rough a seed is, and what it came to."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from support.chaos_sites import REMOTE_TIMEOUT, TIMEOUT

LATE = {"late_commit": 4.0, "delay": 2.0, "timeout_after": 2.0}
"""Faults drawn more often than others: whatever acts after we have given it up."""


@dataclass(frozen=True)
class Storm:
    """How rough a seed is: chances per point, per request and per task."""

    kill: float = 0.012
    stop: float = 0.008
    yields: float = 0.05
    faults: float = 0.08
    clear: float = 0.12
    runs: int = 4

    @classmethod
    def draw(cls, seed: int) -> Storm:
        """Return a seed's weather: some are all kills, some all network."""
        rng = random.Random(f"storm {seed}")
        rough = rng.choice([0.3, 1.0, 1.0, 2.5])
        return cls(
            kill=rng.choice([0.0, 0.008, 0.02]) * rough,
            stop=rng.choice([0.0, 0.01, 0.03]) * rough,
            yields=rng.choice([0.0, 0.05, 0.2]),
            faults=rng.choice([0.0, 0.05, 0.12]) * rough,
            clear=rng.choice([0.0, 0.1, 0.3]),
            runs=rng.randint(2, 4),
        )


@dataclass
class Ending:
    """What a seed came to."""

    seed: int
    kind: str
    violations: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    """What else was done to the seed: tasks cleared, heartbeats lost, what people did meanwhile."""
    requests: int = 0
    tasks: int = 0
    told: int = 0
    """Documents a person had to decide on."""
    replayed: int = 0
    """Documents somebody's replay made due again in the storm."""
    digest: str = ""

    def struck(self) -> Counter[str]:
        """Return everything that was done to the seed, by what it is called."""
        found = Counter({f"fault {kind}": count for kind, count in self.faults.items()})
        found.update({f"killed at {point}": count for point, count in self.kills.items()})
        found.update({f"stopped at {point}": count for point, count in self.stops.items()})
        found.update({"replayed in the storm": self.replayed})
        found.update(self.others)
        return +found


DUPLICATE, LOST, STUCK, OTHER = "duplicates", "lost", "stuck", "other"
SIGNS = {
    STUCK: ("is stuck in", "still claimed by", "no end of changes", "waits for somebody else"),
    LOST: ("is lost", "are lost", "missing in", "holds it 0 times"),
    DUPLICATE: (" times", "of no document"),
}
"""Words of a violation by what it means, the more special first."""


def meaning(violation: str) -> str:
    """Return what a violation is counted as."""
    return next((name for name, words in SIGNS.items() if any(word in violation for word in words)), OTHER)


def weather(seed: int, share: float) -> list[dict[str, Any]]:
    """Return the faults of a seed: each a kind, drawn by its own dice."""
    rng = random.Random(f"weather {seed}")
    kinds: list[dict[str, Any]] = [
        {"kind": "token_kill"},
        {"kind": "refresh_kill"},
        {"kind": "touch_rows", "drop": rng.choice([1, 3]), "seconds": rng.choice([0, 0, 900])},
        {"kind": "evict"},
        {"kind": "rate_limit"},
        {"kind": "rate_limit", "retry_after": rng.choice([1, 5, 200])},
        {"kind": "rate_limit", "retry_after": 3, "as_date": True},
        {"kind": "status", "code": rng.choice([500, 502, 503, 408])},
        {"kind": "status", "code": 503, "html": True},
        {"kind": "html", "code": 502},
        {"kind": "html_after", "code": rng.choice([200, 502])},
        {"kind": "drop_idle"},
        {"kind": "reset_before"},
        {"kind": "reset_after"},
        {"kind": "cut_body"},
        {"kind": "delay", "seconds": rng.choice([3, TIMEOUT + REMOTE_TIMEOUT / 2])},
        {"kind": "timeout_after", "seconds": TIMEOUT + 5},
        {"kind": "late_commit", "seconds": rng.choice([1.0, TIMEOUT, REMOTE_TIMEOUT - 2])},
        {"kind": "gateway_timeout", "seconds": rng.choice([1, TIMEOUT + 5])},
    ]
    chosen = rng.sample(kinds, rng.randint(3, len(kinds)))
    total = sum(LATE.get(rule["kind"], 1.0) for rule in chosen)
    rules = [
        {"seed": seed * 100 + place, **rule, "probability": share * LATE.get(rule["kind"], 1.0) / total}
        for place, rule in enumerate(chosen)
    ]
    if random.Random(f"pages {seed}").random() < 0.3:
        # once: what a list shows wrong in the same place twice nobody can tell from what it holds
        rules.append({"kind": "repeat_page", "times": 1, "probability": 0.3, "seed": seed})
    return rules
