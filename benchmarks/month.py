"""A month of business through the DAGs, people and faults included; exits 1 when anything is lost or repeated.

Airflow, both simulated systems and the connector run in this process; see README.md beside this file for the figures.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Live the month and tell how it ended."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pair", choices=("syspro", "cloudsuite"), default="syspro", help="JAGGAER with which ledger")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="times 500 suppliers, 2,000 orders, 5,000 invoices; 200, 800, 2,000 of CloudSuite",
    )
    parser.add_argument("--faults", type=float, default=0.05, help="share of calls that are spoiled")
    parser.add_argument("--keep", type=Path, help="keep store and logs in this folder")
    chosen = parser.parse_args()
    home = (chosen.keep or Path(tempfile.mkdtemp(prefix="month-"))).resolve()
    home.mkdir(parents=True, exist_ok=True)
    try:
        with _airflow(home) as out:
            from support.month_tell import live_and_tell  # noqa: PLC0415 - Airflow reads its environment when imported

            return live_and_tell(chosen, home, out)
    finally:
        if chosen.keep is None:
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _airflow(home: Path) -> Iterator[TextIO]:
    """Give this process an Airflow of its own, whose logs go to a file; yields what is left of standard output."""
    for name in [name for name in os.environ if name.startswith(("AIRFLOW_CONN_", "AIRFLOW_VAR_", "AIRFLOW__"))]:
        del os.environ[name]
    os.environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
    sys.path.insert(0, str(ROOT / "tests"))
    with os.fdopen(os.dup(1), "w", buffering=1) as out, (home / "airflow.log").open("w") as log:
        for number in (1, 2):
            os.dup2(log.fileno(), number)
        try:
            yield out
        except Exception:
            out.write(f"the run broke off; its log is {home / 'airflow.log'} (use --keep)\n")
            raise


if __name__ == "__main__":
    sys.exit(main())
