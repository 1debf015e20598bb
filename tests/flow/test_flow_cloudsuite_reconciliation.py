"""Reconciliation of orders that come out of CSI: as people and the route left them, every difference named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.cloudsuite import MAPPING, Pair, paired

from airflow_provider_mlconnector.documents.reconciliation import Area, Span
from airflow_provider_mlconnector.mapping.load import load_mapping
from airflow_provider_mlconnector.sync.differences import Difference
from airflow_provider_mlconnector.sync.reconcile import Reconciliation, reconcile
from airflow_provider_mlconnector.systems.jaggaer.figures import JaggaerFigures

LINE = {"qty": 2, "price": "10.50", "account": "51300", "unit": "CC20", "uom": "EA", "description": "Drill"}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with paired(tmp_path) as running:
        yield running


def order(pair: Pair, number: str, **header: Any) -> None:
    pair.csi("purchase_order", **{"vendor": "V00001", "po_num": number, "lines": [LINE], **header})


def compare(pair: Pair) -> Reconciliation:
    """Compare as the operator of the example would, all its routes given."""
    flow = pair["invoices_in"]
    left = JaggaerFigures("jaggaer", flow.jaggaer_client())
    routes = [pair[name].route for name in ("invoices_in", "invoices_out", "orders")]
    mapping = load_mapping(MAPPING.read_text(), origin="sample mapping")
    span = Span(pair.today - timedelta(days=60), pair.today)
    return reconcile(flow.job("reconcile"), left, flow.figures(), routes, mapping, span)


def said(result: Reconciliation) -> dict[str, Difference]:
    """Return the differences about orders by what people call them."""
    return {one.label.split(" ")[0]: one for one in result.findings.differences if one.row[0] is Area.ORDERS}


def test_orders_that_came_out_of_csi_agree_and_each_difference_has_its_cause(pair: Pair) -> None:
    for number in ("P1", "P2", "P3", "P4"):
        order(pair, number)
    order(pair, "P5", stat="P")
    own = pair.jaggaer("purchase_order", label="non_stocked")["poNumber"]
    pair.run("orders")
    pair.csi("purchase_order_cancel", po_num="P2")
    pair.run("orders")
    agreed = compare(pair)
    assert Area.ORDERS in agreed.areas
    assert {number: (one.reason.code, one.reason.explained) for number, one in said(agreed).items()} == {
        own: ("typed_by_hand", True)
    }
    (tally,) = [tally for row, tally in agreed.findings.tallies.items() if row[0] is Area.ORDERS and row[3] == "USD"]
    assert tally.agree == 3
    assert tally.right_sum == Decimal(63)

    pair.pass_time(3600)
    pair.csi("purchase_order_change", po_num="P1", lines=[{"line": 1, "qty": 3}])
    order(pair, "P6")
    later = said(compare(pair))
    assert {number: later[number].reason.code for number in ("P1", "P6")} == dict.fromkeys(("P1", "P6"), "not_read_yet")
    pair.pass_time(3600)
    pair.run("orders")
    assert "P1" not in said(compare(pair))

    pair.jaggaer("purchase_order_cancel", number="P3")
    difference = said(compare(pair))["P3"]
    assert not difference.reason.explained, "somebody canceled it in JAGGAER alone"
