"""Runs a whole month and prints its figures."""

from __future__ import annotations

import argparse
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import pytest
from support.month_pair import Proof
from support.month_pairs import PAIRS
from support.month_proofs import prove
from support.month_run import Month, systems

from airflow_provider_mlconnector.sandbox.server import serving

SHOWN = 25
"""Differences and errors of one kind that are printed."""


def live_and_tell(chosen: argparse.Namespace, home: Path, out: TextIO) -> int:
    """Live the month; 0 when every figure agrees."""
    from airflow.utils.db import initdb

    initdb()
    began = time.monotonic()
    pair = PAIRS[chosen.pair]()
    plan = replace(pair.plan, seed=chosen.seed, days=chosen.days, faults=chosen.faults).scaled(chosen.scale)
    out.write(f"{plan}\n")
    with pytest.MonkeyPatch.context() as patch, serving(**systems(pair, plan)) as sandbox:
        month = Month(sandbox, patch, home, pair, plan, lambda line: out.write(f"{line}\n"))
        try:
            month.live()
            proofs = prove(month)
        except Exception:
            out.write(traceback.format_exc())
            raise
        finally:
            if chosen.keep is not None:
                month.keep_books(home / "books.json")
        tell(month, proofs, out)
    failed = [proof for proof in proofs if proof.differences]
    verdict = f"{len(failed)} of {len(proofs)} proofs FAIL" if failed else f"all {len(proofs)} proofs hold"
    out.write(f"{verdict}; {time.monotonic() - began:.0f} s, seed {plan.seed}\n")
    return 1 if failed else 0


def tell(month: Month, proofs: Sequence[Proof], out: TextIO) -> None:
    """Print what happened, what it took, and whether every claim holds."""
    states = Counter((each.document, each.route, str(each.state)) for each in month.deployment.documents())
    _table(out, "documents", (("  ".join(key), count) for key, count in sorted(states.items())))
    diary, tally = month.office.diary, month.tally
    _table(out, "what people did", sorted(diary.done.items()))
    _table(out, "what a system did not let them do", sorted(diary.refused.items()))
    _table(out, "faults that struck", tally.hits.most_common())
    requests = month.office.ask("requests")["systems"]
    calls = Counter({f"{name} {call}": n for name, row in requests.items() for call, n in row["calls"].items()})
    _table(out, "requests", calls.most_common())
    _table(
        out,
        "runs",
        ((dag, f"{count} ({tally.red[dag]} red), {tally.seconds[dag]:.0f} s") for dag, count in tally.runs.items()),
    )
    _table(out, "why runs were red", tally.errors.most_common(SHOWN))
    for proof in proofs:
        out.write(f"{proof}\n")
        out.writelines(f"       {text[:400]}\n" for text in proof.differences[:SHOWN])
        if len(proof.differences) > SHOWN:
            out.write(f"       … and {len(proof.differences) - SHOWN} more\n")


def _table(out: TextIO, title: str, rows: Iterable[tuple[str, object]]) -> None:
    lines = [f"  {count!s:>10}  {name}\n" for name, count in rows]
    if lines:
        out.write(f"\n{title}\n")
        out.writelines(lines)
