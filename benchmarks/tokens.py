"""Ten real minutes with tokens that live 30 seconds: runs of four worker processes, and how many tokens they took.

A run every 70 seconds, each 32 seconds long: tokens end within runs and between them, as they do over a day of runs
with tokens of two hours. (Calls without a break would take 23: a token is renewed 3 seconds before its end.) Exits 1 at
20 tokens or more, or when a call failed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from airflow_provider_mlconnector.sandbox.server import serving

ROOT = Path(__file__).resolve().parents[1]
LIFE, EVERY, LONG = 30, 70.0, 32.0
FEW = 20


def main() -> int:
    """Run the workers again and again and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=4)
    chosen = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))
    from support.ion_load import Tally, collect, new_store, start  # noqa: PLC0415 - found once the path is set
    from support.postgres import running_postgres  # noqa: PLC0415

    tallies: list[Tally] = []
    runs, began = 0, time.monotonic()
    with running_postgres() as server, serving(seed=1, cloudsuite={"expires_in": LIFE}) as site:
        database = server.fresh_url()
        new_store(database)
        while time.monotonic() - began < chosen.minutes * 60:
            workers = [start(site.url, database, LONG, 600) for _ in range(chosen.workers)]
            tallies += collect(workers, LONG + 60)
            runs += 1
            time.sleep(max(0.0, runs * EVERY - (time.monotonic() - began)))
        ledger = site.app.cloudsuite.ledger()
    tokens, gateway = ledger["tokens"], ledger["gateway"]
    failed = [text for tally in tallies for text in tally.failed]
    minutes = (time.monotonic() - began) / 60
    print(f"{runs} runs of {chosen.workers} processes in {minutes:.1f} minutes, tokens of {LIFE} s")
    print(f"tokens issued   {tokens['issued']}, by grant {tokens['issued_by_grant']}; refused {tokens['refused']}")
    print(f"calls answered  {sum(tally.calls for tally in tallies)}; failed {failed}")
    print(f"refused by status, each renewed or repeated: {gateway['refused_by_status']}")
    return 0 if tokens["issued"] < FEW and not failed else 1


if __name__ == "__main__":
    raise SystemExit(main())
