"""Clocks that skip an hour in spring and repeat one in autumn, at both systems, whose stamps name no zone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from support.cloudsuite import Pair, paired

from airflow_provider_mlconnector.documents.lifecycle import State

ZONE = "Europe/Berlin"
CHANGES = {
    "summer time ends": datetime(2026, 10, 25, 1, tzinfo=UTC),
    "summer time begins": datetime(2026, 3, 29, 1, tzinfo=UTC),
}
TO_THE_SECOND = {"suppliers": {"time_zone": ZONE, "time_format": "%Y%m%d%H%M%S"}}
"""A tenant whose profiles bear its own clock's time, and whose filter compares it."""


@contextmanager
def site(directory: Path, change: str, *, before: timedelta) -> Iterator[Pair]:
    """Open the pair some time before the clocks are set."""
    start = CHANGES[change] - before
    tenant, company = {"profile_time_zone": ZONE}, {"time_zone": ZONE}
    with paired(
        directory, jaggaer=tenant, cloudsuite=company, start=start, csi=company, contract=TO_THE_SECOND
    ) as pair:
        for name in ("orders", "suppliers_in"):
            pair.choose(name, start_at=date(2026, 1, 1))
        yield pair


def until(pair: Pair, moment: datetime) -> None:
    """Let time pass until a moment of the systems' clock."""
    pair.pass_time((moment - pair.app.clock.now()).total_seconds())


def order(pair: Pair, number: str) -> None:
    """Enter an order of one line in CSI."""
    line = {"qty": 1, "price": "10", "account": "51300", "unit": "CC20", "uom": "EA", "description": "Drill"}
    pair.csi("purchase_order", vendor="V00001", po_num=number, lines=[line])


def change_order(pair: Pair, number: str, quantity: int) -> None:
    """Change the order's line, which moves the stamp of the line alone."""
    pair.csi("purchase_order_change", po_num=number, lines=[{"line": 1, "qty": quantity}])


def move(pair: Pair, supplier: str, city: str) -> None:
    """Let somebody in JAGGAER write another city into a profile."""
    pair.jaggaer("supplier_edit", number=supplier, set={"city": city})


def in_jaggaer(pair: Pair) -> dict[str, tuple[int, list[str]]]:
    """Return quantity and events of every order JAGGAER was told of."""
    rows = pair.app.jaggaer.ledger()["purchase_orders"]
    return {
        row["number"]: (int(row["lines"][0]["quantity"]), [each["event"] for each in row["states"]]) for row in rows
    }


def cities(pair: Pair) -> dict[str, str]:
    """Return the city of every vendor in CSI."""
    return {row["VendNum"].strip(): row["VadCity"] for row in pair.app.cloudsuite.ledger()["suppliers"]}


def written(pair: Pair) -> tuple[int, int]:
    """Count what was written, into CSI and into JAGGAER."""
    return len(pair.app.cloudsuite.ledger()["attempts"]), len(pair.app.jaggaer.ledger()["write_attempts"])


@pytest.mark.parametrize("change", CHANGES)
def test_over_the_night_the_clocks_are_set_every_change_arrives_once_and_the_last_one_stands(
    tmp_path: Path, change: str
) -> None:
    with site(tmp_path, change, before=timedelta(minutes=80)) as pair:
        pair.run("suppliers_in", seconds=0)
        order(pair, "P0")
        for number in range(1, 18):
            order(pair, f"P{number}")
            change_order(pair, "P0", number)
            move(pair, "V00003", f"Town {number}")
            pair.run("suppliers_in", "orders", seconds=4 * 60 + 20)
        pair.pass_time(3600)
        pair.run("suppliers_in", "orders")
        told = in_jaggaer(pair)
        assert told.pop("P0")[0] == 17
        assert told == {f"P{number}": (1, ["new"]) for number in range(1, 18)}
        assert cities(pair)["V00003"] == "Town 17"
        assert {one.state for one in pair.documents("orders")} <= {State.POSTED, State.SUPERSEDED}
        before = written(pair)
        pair.run("suppliers_in", "orders")
        assert written(pair) == before


def test_what_changes_in_the_second_of_the_two_equal_hours_is_newer_than_what_changed_in_the_first(
    tmp_path: Path,
) -> None:
    again = CHANGES["summer time ends"]
    with site(tmp_path, "summer time ends", before=timedelta(minutes=40)) as pair:
        pair.run("suppliers_in", seconds=0)
        order(pair, "P1")
        until(pair, again - timedelta(minutes=5))  # 02:55
        change_order(pair, "P1", 55)
        move(pair, "V00003", "First Town")
        until(pair, again + timedelta(minutes=2))  # 02:02 again
        pair.run("suppliers_in", "orders", seconds=0)
        until(pair, again + timedelta(minutes=3))
        change_order(pair, "P1", 3)
        move(pair, "V00003", "Second Town")
        move(pair, "V00004", "Seen Nowhere Else")
        for minute in (17, 32, 47, 62):
            until(pair, again + timedelta(minutes=minute))
            pair.run("suppliers_in", "orders", seconds=0)
        assert in_jaggaer(pair)["P1"] == (3, ["new"])
        assert (cities(pair)["V00003"], cities(pair)["V00004"]) == ("Second Town", "Seen Nowhere Else")
