"""Runs a whole month and prints its figures."""

from __future__ import annotations

import argparse
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import TextIO

import pytest
from support.month_office import Plan
from support.month_run import Month, systems

from airflow_provider_mlconnector.sandbox.server import serving


def live_and_tell(chosen: argparse.Namespace, home: Path, out: TextIO) -> int:
    """Live the month; 0 when every figure agrees."""
    from airflow.utils.db import initdb

    initdb()
    began = time.monotonic()
    plan = Plan(seed=chosen.seed, days=chosen.days, faults=chosen.faults).scaled(chosen.scale)
    out.write(f"{plan}\n")
    with pytest.MonkeyPatch.context() as patch, serving(**systems(plan)) as sandbox:
        month = Month(sandbox, patch, home, plan, lambda line: out.write(f"{line}\n"))
        try:
            month.live()
            left = month.settle_up()
            tell(month, out)
            out.writelines(
                f"LEFT {document.document} {document.route} {document.key} {document.number} {document.state} {document.reason_code}: {document.reason}\n"
                for document in left[:60]
            )
        except Exception:
            out.write(traceback.format_exc())
            raise
    out.write(f"{time.monotonic() - began:.0f} s\n")
    return 0


def tell(month: Month, out: TextIO) -> None:
    for name, counter in vars(month.tally).items():
        out.writelines(f"  {name:<8} {count:>8.0f}  {key}\n" for key, count in counter.most_common(40))
    states = Counter((d.document, d.route, str(d.state), d.reason_code) for d in month.deployment.documents())
    out.writelines(f"  {count:>6}  {' '.join(key)}\n" for key, count in sorted(states.items()))
    out.writelines(
        f"  {count:>6}  {key}\n"
        for key, count in [*month.office.diary.done.items(), *month.office.diary.refused.items()]
    )
