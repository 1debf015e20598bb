"""Peak memory and speed of the pipeline over two sizes of work; exits 1 when memory grows with the work.

Per size: a fresh sandbox process, a fresh SQLite store and a fresh pipeline process that runs every step of the DAG
over all invoices. The kernel tells the pipeline's peak (``ru_maxrss`` by ``wait4``); the sandbox's own memory does not
count.
See README.md beside this file for how to read the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

HERE = Path(__file__).resolve().parent
TENANT = {"mix": "good", "list_with_lines": True, "page_size": 500}
KILOBYTES = 1 if sys.platform != "darwin" else 1 / 1024
"""What one unit of ``ru_maxrss`` is: a kilobyte, but a byte on macOS."""


def main() -> int:
    """Run the sizes asked for, print a line each, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("sizes", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--limit-mb", type=float, default=50.0, help="how much more the larger may take")
    parser.add_argument("--transport", choices=("postld", "get"), default="postld")
    options = parser.parse_args()
    peaks = [measure(size, options.transport) for size in options.sizes]
    growth = max(peaks) - min(peaks)
    verdict = "within" if growth < options.limit_mb else "BEYOND"
    print(f"peak memory differs by {growth:.1f} MB over {options.sizes}: {verdict} {options.limit_mb:g} MB")
    return 0 if growth < options.limit_mb else 1


def measure(invoices: int, transport: str) -> float:
    """Run one size in processes of its own, print its figures and return the pipeline's peak in MB."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, sandbox(invoices) as url:
        store = f"sqlite:///{Path(folder) / 'store.db'}"
        command = [sys.executable, str(HERE / "pipeline.py"), url, store, transport]
        pipeline = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert pipeline.stdout is not None
        told = [json.loads(line) for line in pipeline.stdout]
        _, status, usage = os.wait4(pipeline.pid, 0)
        pipeline.returncode = os.waitstatus_to_exitcode(status)
        if pipeline.returncode:
            sys.exit(f"the pipeline over {invoices} invoices ended with exit code {pipeline.returncode}")
        calls = fetch(f"{url}/_sandbox/requests")["systems"]
    peak = usage.ru_maxrss * KILOBYTES / 1024
    seconds = {line["step"]: line["seconds"] for line in told}
    counts = told[-1]["counts"]
    speed = ", ".join(
        f"{step} {invoices / max(seconds[step], 0.001):,.0f}/s" for step in ("extract", "validate", "post")
    )
    each = ", ".join(f"{name} {call['total'] / invoices:.4f}" for name, call in sorted(calls.items()))
    print(f"{invoices:>7} invoices: peak {peak:.1f} MB, {sum(seconds.values()):.0f} s ({speed}); requests each: {each}")
    print("        " + ", ".join(f"{line['step']} {line['peak_mb']:.0f} MB" for line in told), flush=True)
    if counts != {"posted": invoices}:
        sys.exit(f"not everything was posted: {counts}")
    return peak


@contextmanager
def sandbox(invoices: int) -> Iterator[str]:
    """Run the simulated systems in a process of their own; yields their URL."""
    command = [str(Path(sys.executable).parent / "mlconnector"), "sandbox", "--port", "0", "--invoices", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().rsplit(" ", 1)[-1].strip()
        fetch(f"{url}/_sandbox/reset", {"jaggaer": {**TENANT, "invoices": invoices}})
        yield url
    finally:
        process.terminate()
        process.wait()


def fetch(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Ask the sandbox's control interface."""
    answer = requests.request("GET" if body is None else "POST", url, json=body, timeout=120)
    answer.raise_for_status()
    content: dict[str, Any] = answer.json()
    return content


if __name__ == "__main__":
    sys.exit(main())
