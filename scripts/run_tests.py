"""Runs lint and the tests in named parts, prints each part with its time, and closes with one line of totals.

Usage: ``run_tests.py [PART ...]``, all parts by default. Every test belongs to exactly one part, by its folder or its
markers; a part that finds no test fails, so that nothing is called tested that was not. Exits 1 if any part failed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

LINT = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports",),
)
ELSEWHERE = tuple(f"--ignore=tests/{folder}" for folder in ("chaos", "scheduler", "project"))
TESTS: dict[str, tuple[str, ...]] = {
    "unit": (*ELSEWHERE, "-n", "2", "-m", "not airflow and not postgres"),
    "postgres": (*ELSEWHERE, "-m", "postgres and not airflow"),
    "dags": (*ELSEWHERE, "-n", "2", "-m", "airflow"),
    "chaos": ("tests/chaos",),
    "scheduler": ("tests/scheduler",),
    "project": ("tests/project",),
}


@dataclass(frozen=True)
class Result:
    """What one part did: counts of tests (or of checks that failed) and wall-clock seconds."""

    part: str
    passed: int
    failed: int
    skipped: int
    seconds: float

    def __str__(self) -> str:
        """The counts, as test runners close."""
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def run(*command: str) -> int:
    """Run a tool of the virtual environment from the root of the project; returns its exit code."""
    print("$ " + " ".join(command), flush=True)
    return subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, check=False).returncode


def lint() -> Result:
    """Run every check on the code, all of them even when one fails; each one that fails counts as a failure."""
    started = time.monotonic()
    failed = sum(run(*command) != 0 for command in LINT)
    return Result("lint", 0, failed, 0, time.monotonic() - started)


def tests(part: str) -> Result:
    """Run one part's tests with pytest and read the counts from its report."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        code = run("pytest", "-q", f"--junit-xml={report}", *TESTS[part])
        suites = list(ET.parse(report).getroot().iter("testsuite")) if report.exists() else []
    total, failures, errors, skipped = (
        sum(int(suite.get(name, "0")) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    if code != 0 and failed == 0:
        print(f"part {part}: pytest ended with exit code {code}", flush=True)
        failed = 1
    return Result(part, max(0, total - failures - errors - skipped), failed, skipped, time.monotonic() - started)


def main() -> int:
    """Run the parts named on the command line."""
    parts = ["lint", *TESTS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", help="the parts to run (default: all)")
    chosen = parser.parse_args().part or parts
    if unknown := set(chosen) - set(parts):
        parser.error(f"no such part: {', '.join(sorted(unknown))} (there are {', '.join(parts)})")
    results = []
    for part in chosen:
        print(f"\n== {part} ==", flush=True)
        results.append(lint() if part == "lint" else tests(part))
    print()
    for result in results:
        print(f"{result.part:<10} {result.seconds:7.1f} s  {result}")
    total = Result(
        "total",
        passed=sum(result.passed for result in results),
        failed=sum(result.failed for result in results),
        skipped=sum(result.skipped for result in results),
        seconds=sum(result.seconds for result in results),
    )
    print(f"{total.part:<10} {total.seconds:7.1f} s\n{total}")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
