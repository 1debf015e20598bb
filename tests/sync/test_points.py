"""Crash points: nothing armed costs nothing, what is armed strikes where it says, and every point is met."""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import airflow_provider_mlconnector
from airflow_provider_mlconnector.points import Point, arm, armed, reached

PACKAGE = Path(airflow_provider_mlconnector.__file__).parent


def test_nothing_happens_at_a_point_where_nothing_is_armed() -> None:
    for point in Point:
        reached(point)


def test_a_strike_is_called_at_every_point_and_only_while_it_is_armed() -> None:
    seen: list[Point] = []
    with armed(seen.append):
        reached(Point.PAGE)
        with armed(None):
            reached(Point.CLAIMED)
        reached(Point.AFTER_INTENT)
    reached(Point.COMMITTED)
    assert seen == [Point.PAGE, Point.AFTER_INTENT]


def test_what_a_strike_raises_comes_out_and_disarms_nothing_outside() -> None:
    seen: list[Point] = []

    def strike(_point: Point) -> None:
        raise KeyboardInterrupt

    with armed(seen.append):
        with pytest.raises(KeyboardInterrupt), armed(strike):
            reached(Point.PAGE)
        reached(Point.CLAIMED)
    assert seen == [Point.CLAIMED]


def test_arming_for_the_rest_of_the_process_can_be_undone() -> None:
    seen: list[Point] = []
    arm(seen.append)
    try:
        reached(Point.PAGE)
    finally:
        arm(None)
    reached(Point.PAGE)
    assert seen == [Point.PAGE]


def test_a_strike_can_kill_its_process() -> None:
    script = (
        "import os, signal\n"
        "from airflow_provider_mlconnector.points import Point, arm, reached\n"
        "arm(lambda point: os.kill(os.getpid(), signal.SIGKILL) if point is Point.AFTER_INTENT else None)\n"
        "reached(Point.BEFORE_INTENT)\n"
        "print('alive', flush=True)\n"
        "reached(Point.AFTER_INTENT)\n"
        "print('still alive')\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, "alive\n"), ended.stderr


def test_every_point_stands_somewhere_in_the_pipeline_and_none_is_met_by_another_name() -> None:
    met: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if path.name == "points.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "reached":
                (argument,) = node.args
                assert isinstance(argument, ast.Attribute), f"{path}:{node.lineno}"
                met.add(argument.attr)
    assert met == {point.name for point in Point}
