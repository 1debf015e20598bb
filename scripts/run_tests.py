"""Runs lint and the tests in named parts, prints each part with its time, and closes with one line of totals.

Usage: ``run_tests.py [PART ...]``, all parts by default. Every test belongs to exactly one part, by its folder or its
markers; a part that finds no test fails, so that nothing is called tested that was not. Exits 1 if any part failed.

Parts that mostly wait run one after another beside the others; what they print comes when they have ended, in a piece.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

LINT = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports",),
)
BOTH = ("-n", "2", "--dist", "worksteal")
"""Two processes; each begins with neighbors, which share what their folder sets up once."""
ELSEWHERE = tuple(f"--ignore=tests/{folder}" for folder in ("chaos", "scheduler", "project"))
TESTS: dict[str, tuple[str, ...]] = {
    "unit": (*ELSEWHERE, *BOTH, "-m", "not airflow and not postgres"),
    "postgres": (*ELSEWHERE, *BOTH, "-m", "postgres and not airflow"),
    "dags": (*ELSEWHERE, *BOTH, "-m", "airflow"),
    "chaos": ("tests/chaos", *BOTH),
    "scheduler": ("tests/scheduler",),
    "project": ("tests/project",),
}
WAITING = ("scheduler", "project")


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


def run(*command: str, out: IO[str] | None = None) -> int:
    """Run a tool of the virtual environment from the root of the project; returns its exit code.

    ``out`` takes what is printed, standard output when None.
    """
    print("$ " + " ".join(command), file=out, flush=True)
    arguments = [str(BIN / command[0]), *command[1:]]
    return subprocess.run(arguments, cwd=ROOT, check=False, stdout=out, stderr=out).returncode


def lint(out: IO[str] | None = None) -> Result:
    """Run every check on the code, all of them even when one fails; each one that fails counts as a failure."""
    started = time.monotonic()
    failed = sum(run(*command, out=out) != 0 for command in LINT)
    return Result("lint", 0, failed, 0, time.monotonic() - started)


def tests(part: str, out: IO[str] | None = None) -> Result:  # noqa: PT028 - no test, but what runs them
    """Run one part's tests with pytest and read the counts from its report."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        code = run("pytest", "-q", f"--junit-xml={report}", *TESTS[part], out=out)
        suites = list(ET.parse(report).getroot().iter("testsuite")) if report.exists() else []
    total, failures, errors, skipped = (
        sum(int(suite.get(name, "0")) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    if code != 0 and failed == 0:
        print(f"part {part}: pytest ended with exit code {code}", file=out, flush=True)
        failed = 1
    return Result(part, max(0, total - failures - errors - skipped), failed, skipped, time.monotonic() - started)


def one(part: str, out: IO[str] | None = None) -> Result:
    """Run one part, under its heading."""
    print(f"\n== {part} ==", file=out, flush=True)
    return lint(out) if part == "lint" else tests(part, out)


def told(part: str) -> tuple[Result, str]:
    """Run one part silently; returns what it printed too."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as out:
        result = one(part, out)
        out.seek(0)
        return result, out.read()


def all_of(chosen: Sequence[str]) -> Iterator[Result]:
    """Run the parts, those that mostly wait beside the others if there are others."""
    beside = [part for part in chosen if part in WAITING]
    if len(beside) == len(chosen):
        yield from map(one, chosen)
        return
    with ThreadPoolExecutor(1) as other:
        ends = [other.submit(told, part) for part in beside]
        try:
            for part in chosen:
                if part not in beside:
                    yield one(part)
            for end in ends:
                result, text = end.result()
                print(text, end="", flush=True)
                yield result
        finally:
            other.shutdown(wait=False, cancel_futures=True)  # interrupted, nothing more begins


def main() -> int:
    """Run the parts named on the command line."""
    parts = ["lint", *TESTS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", help="the parts to run (default: all)")
    chosen = parser.parse_args().part or parts
    if unknown := set(chosen) - set(parts):
        parser.error(f"no such part: {', '.join(sorted(unknown))} (there are {', '.join(parts)})")
    started = time.monotonic()
    results = list(all_of(chosen))
    print()
    for result in results:
        print(f"{result.part:<10} {result.seconds:7.1f} s  {result}")
    total = Result(
        "total",
        passed=sum(result.passed for result in results),
        failed=sum(result.failed for result in results),
        skipped=sum(result.skipped for result in results),
        seconds=time.monotonic() - started,
    )
    print(f"{total.part:<10} {total.seconds:7.1f} s\n{total}")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
