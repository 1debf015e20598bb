"""How many requests a document of the pair costs either system, everything included; and dry runs.

Counts, not timings: the same data give the same figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.cloudsuite import Pair, paired
from support.mishaps import line

from airflow_provider_mlconnector.documents.lifecycle import State

DOCUMENTS = 60
SHARED = 80
"""Requests of one run whatever its size: token, what each IDO holds, reference data, look-ups by the batch."""


def calls(pair: Pair, system: str, before: Mapping[str, int] | None = None) -> Counter[str]:
    """Return how often each call of a system was made, since ``before``."""
    counted = Counter(pair.app.requests.report()["systems"].get(system, {}).get("calls", {}))
    counted.subtract(before or {})
    return +counted


def told(what: str, counted: Mapping[str, int], documents: int) -> float:
    """Print and return the requests each document took."""
    each = sum(counted.values()) / documents
    print(f"\n{what}: {each:.2f} requests each {dict(counted)}")
    return each


@pytest.mark.timeout(180)
@pytest.mark.parametrize("lines", [1, 3])
def test_a_voucher_costs_its_own_writes_three_reads_and_a_share_of_the_run(tmp_path: Path, lines: int) -> None:
    """Header, a distribution per GL line, release; read back: distributions twice, the header before its release."""
    accounts = ("51200", "51300", "52100")[:lines]
    with paired(tmp_path) as pair:
        for place in range(DOCUMENTS):
            parts = [line(10, account, "CC20") for account in accounts]
            pair.bill(f"COUNT-{place}", *parts, supplier=f"V{place % 20 + 1:05d}", total=10 * lines)
        pair.run("invoices_in")
        counted = calls(pair, "cloudsuite")
        assert {one.state for one in pair.documents("invoices_in")} == {State.ACCEPTED}
        told(f"voucher of {lines} GL lines", counted, DOCUMENTS)
        writes = counted["CsiUpdate SLAptrxs"] + counted["CsiUpdate SLAptrxds"]
        assert writes == DOCUMENTS * (2 + lines)
        assert sum(counted.values()) - writes <= DOCUMENTS * 3 + SHARED
        assert counted["Token"] == 1
        pair.post_vouchers()
        before = calls(pair, "cloudsuite")
        pair.run("invoices_in")
        assert {one.state for one in pair.documents("invoices_in")} == {State.POSTED}
        assert told("voucher seen posted", calls(pair, "cloudsuite", before), DOCUMENTS) <= SHARED / DOCUMENTS


@pytest.mark.timeout(180)
def test_an_order_costs_csi_next_to_nothing_and_jaggaer_a_few(tmp_path: Path) -> None:
    with paired(tmp_path, cloudsuite={"csi": {"purchase_orders": DOCUMENTS, "mix": "good"}}) as pair:
        pair.run("orders")
        sent = sum(one.state is State.POSTED for one in pair.documents("orders"))
        assert sent > DOCUMENTS / 2
        assert told("order out of CSI", calls(pair, "cloudsuite"), sent) <= SHARED / DOCUMENTS
        counted = calls(pair, "jaggaer")
        assert counted["UpsertPurchaseOrder"] == sent
        assert told("order into JAGGAER", counted, sent) <= 3


@pytest.mark.timeout(180)
def test_an_import_costs_csi_next_to_nothing_and_jaggaer_a_few(tmp_path: Path) -> None:
    with paired(tmp_path) as pair:
        for place in range(DOCUMENTS):
            pair.enter(f"OUT-{place}", vendor=f"V{place % 20 + 1:05d}")
        pair.run("invoices_out")
        assert told("invoice out of CSI", calls(pair, "cloudsuite"), DOCUMENTS) <= SHARED / DOCUMENTS
        counted = calls(pair, "jaggaer")
        assert counted["ImportInvoice"] == DOCUMENTS
        assert told("invoice into JAGGAER", counted, DOCUMENTS) <= 3


@pytest.mark.timeout(180)
def test_a_quiet_run_of_every_route_costs_the_same_however_much_is_there(tmp_path: Path) -> None:
    quiet = []
    for size in (10, 100):
        folder = tmp_path / str(size)
        folder.mkdir()
        with paired(folder, cloudsuite={"csi": {"purchase_orders": size, "vouchers": size, "mix": "good"}}) as pair:
            for _ in range(2):
                pair.run("orders", "invoices_out")
            pair.pass_time(3600)
            before = calls(pair, "cloudsuite")
            pair.run("orders", "invoices_out", "invoices_in")
            quiet.append(calls(pair, "cloudsuite", before).total())
    print(f"\nquiet run: {quiet[1]} requests")
    assert quiet[0] == quiet[1] <= SHARED


# --- dry runs --------------------------------------------------------------------------------------------------------


def _dry_run(pair: Pair, name: str) -> Any:
    flow = pair[name]
    for task in ("extract", "plan", "validate", "post", "settle"):
        getattr(flow, task)(preview_id=f"dry-{name}")
    report = flow.report(preview_id=f"dry-{name}")
    flow.run += 1
    return report


def _books(pair: Pair) -> tuple[list[Any], list[Any], list[Any]]:
    vouchers = [
        (row["VendNum"], row["InvNum"], row["InvAmt"], row["DistDate"], row["Ref"], str(row["distributions"]))
        for row in pair.vouchers()
    ]
    imported = [(row["supplier"], row["number"], row["kind"], row["gross"]) for row in pair.imported()]
    orders = [(row["number"], row["revision"], row["total"]) for row in pair.app.jaggaer.ledger()["purchase_orders"]]
    return sorted(vouchers), sorted(imported, key=str), sorted(orders)


@pytest.mark.timeout(180)
def test_a_dry_run_then_a_real_run_is_the_real_run_alone(tmp_path: Path) -> None:
    names = ("orders", "invoices_in", "invoices_out")
    tenant = {"invoices": 30, "mix": "all", "list_with_lines": True}
    site = {"csi": {"purchase_orders": 20, "vouchers": 20}}
    results, now = [], datetime.now(UTC)
    for folder in (tmp_path / "rehearsed", tmp_path / "plain"):
        folder.mkdir()
        with paired(folder, jaggaer=tenant, cloudsuite=site, start=now) as pair:
            previews = {}
            if folder.name == "rehearsed":
                before = _books(pair)
                previews = {name: _dry_run(pair, name) for name in names}
                assert _books(pair) == before
                assert pair.app.cloudsuite.ledger()["attempts"] == []
                assert pair.app.jaggaer.ledger()["write_attempts"] == []
                assert pair.documents() == []
            pair.run(*names)
            verdicts = {(one.route, one.key): (str(one.state), one.reason_code) for one in pair.documents()}
            results.append((_books(pair), verdicts))
            for name, preview in previews.items():
                sent = sum(one.state in {State.ACCEPTED, State.POSTED} for one in pair.documents(name))
                assert preview.dry_run
                assert preview.counts["would_post"] == sent > 0, name
    assert results[0] == results[1]
