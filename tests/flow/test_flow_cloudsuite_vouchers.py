"""Invoices of JAGGAER become vouchers of CSI, over HTTP, with a store."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from support.cloudsuite import Pair, paired

from airflow_provider_mlconnector.documents.lifecycle import State


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with paired(tmp_path) as running:
        yield running


def test_an_invoice_becomes_a_voucher_is_released_and_seen_posted(pair: Pair) -> None:
    pair.bill("THIN-1")
    pair.run("invoices_in")
    document = pair.document("invoices_in", "THIN-1")
    assert document.state is State.ACCEPTED, document.reason
    voucher = pair.voucher("THIN-1")
    assert (voucher["state"], voucher["BGPostingStat"], Decimal(voucher["InvAmt"])) == ("unposted", "A", 100)
    assert pair.booked("THIN-1") == [("51300", "CC20", Decimal(100))]
    pair.post_vouchers()
    pair.run("invoices_in")
    assert pair.document("invoices_in", "THIN-1").state is State.POSTED
    assert pair.voucher("THIN-1")["state"] == "posted"
    assert pair.app.cloudsuite.ledger()["violations"] == pair.app.cloudsuite.ledger()["exposed"] == []
