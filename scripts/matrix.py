"""Installs the built wheel into a clean environment per supported Airflow and lets ``matrix_check.py`` try it there.

Usage: ``matrix.py [3.1] [3.2] [3.3]``, all by default. The environments, ``.venv-3.1`` and so on, are kept for the next
run but brought back to exactly what ``requirements/airflow-*.txt`` pins. Exits 1 if any Airflow failed.
"""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SERIES = tuple(sorted(file.stem.removeprefix("airflow-") for file in (ROOT / "requirements").glob("airflow-*.txt")))


def build_wheel(folder: Path) -> Path:
    """Build the wheel into a folder and return its path."""
    subprocess.run([str(BIN / "hatchling"), "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True)
    return next(folder.glob("*.whl"))


def check(series: str, wheel: Path, scratch: Path) -> bool:
    """Install and try the wheel on one series of Airflow, away from this tree; says whether all went well."""
    venv = ROOT / f".venv-{series}"
    install = ["scripts/make_venv.sh", str(venv), f"requirements/airflow-{series}.txt", str(wheel)]
    if subprocess.run(install, cwd=ROOT, check=False).returncode != 0:
        return False
    command = [str(venv / "bin" / "python"), str(ROOT / "scripts" / "matrix_check.py")]
    env = {**os.environ, **settings(venv, scratch / "airflow")}
    return subprocess.run(command, cwd=scratch, env=env, check=False).returncode == 0


def settings(venv: Path, home: Path) -> dict[str, str]:
    """Return the settings of an Airflow that keeps everything under one folder, the connector's store included."""
    return {
        "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "PYTHONWARNINGS": "ignore",
        "AIRFLOW__MLCONNECTOR__LOCAL_STORE": "True",
        "AIRFLOW_VAR_MLCONNECTOR_CUT_OVER": (datetime.now(tz=UTC) - timedelta(days=90)).date().isoformat(),
    }


def main() -> int:
    """Check the series named on the command line and print one line for each."""
    chosen = sys.argv[1:] or SERIES
    if unknown := set(chosen) - set(SERIES):
        print(f"no pins for Airflow {', '.join(sorted(unknown))} (there are {', '.join(SERIES)})")
        return 2
    lines = []
    for series in chosen:
        print(f"\n== Airflow {series} ==", flush=True)
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as scratch:
            good = check(series, build_wheel(Path(scratch)), Path(scratch))
        lines.append(f"Airflow {series}: {'ok' if good else 'FAILED'} ({time.monotonic() - started:.0f} s)")
    print("\n" + "\n".join(lines))
    return 1 if any("FAILED" in line for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
