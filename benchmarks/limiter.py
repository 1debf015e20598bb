"""Four worker processes at the pace of one tenant, on PostgreSQL: how much of the allowance they use, and refusals.

The simulated gateway counts by calendar minutes and refuses what is beyond (spike arrest). Exits 1 when less than 97 %
of a whole minute was used or a call of ours was refused.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

from airflow_provider_mlconnector.sandbox.server import serving
from airflow_provider_mlconnector.systems.cloudsuite.gateway import ALLOWANCE

ROOT = Path(__file__).resolve().parents[1]
TARGET = 0.97


def main() -> int:
    """Run the workers and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--per-minute", type=int, default=100, help="what the tenant allows")
    chosen = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    from support.ion_load import collect, new_store, start  # noqa: PLC0415 - found once the path is set
    from support.postgres import running_postgres  # noqa: PLC0415

    policy = {"max_requests_per_period": chosen.per_minute, "period_ms": 60_000}
    with running_postgres() as server, serving(seed=1, cloudsuite=policy) as site:
        database = server.fresh_url()
        new_store(database)
        seconds = chosen.minutes * 60
        rate = chosen.per_minute * ALLOWANCE
        workers = [start(site.url, database, seconds, rate) for _ in range(chosen.workers)]
        tallies = collect(workers, seconds + 120)
        ledger = site.app.cloudsuite.ledger()
    periods = ledger["gateway"]["per_period"]
    whole = [counts for _, counts in sorted(periods.items())][1:-1]
    waits = sorted(wait for tally in tallies for wait in tally.reserve_ms)
    used = [counts["passed"] / chosen.per_minute for counts in whole]
    refused = sum(counts["throttled"] for counts in periods.values())
    calls = sum(tally.calls for tally in tallies)
    print(f"{chosen.workers} processes, {chosen.minutes:g} minutes, {chosen.per_minute} calls a minute allowed")
    print(f"calls answered      {calls}, by process {[tally.calls for tally in tallies]}")
    print(f"allowance used      {', '.join(f'{share:.1%}' for share in used) or 'no whole minute'}")
    print(f"refused (429)       {refused}; given up {sum(tally.gave_up for tally in tallies)}")
    print(f"failed              {[text for tally in tallies for text in tally.failed]}")
    print(f"slot from the store {statistics.median(waits):.1f} ms in the middle, {waits[-1]:.1f} ms at worst")
    print(f"tokens issued       {ledger['tokens']['issued']}")
    return 0 if used and min(used) >= TARGET and not refused else 1


if __name__ == "__main__":
    raise SystemExit(main())
