"""Reconciliation over HTTP: both sides as people and routes left them, every difference named and explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.flow import Flow, flow

from airflow_provider_mlconnector.documents.lifecycle import State
from airflow_provider_mlconnector.documents.reconciliation import Area, Span
from airflow_provider_mlconnector.mapping.load import load_mapping
from airflow_provider_mlconnector.sync.differences import Difference
from airflow_provider_mlconnector.sync.job import our_reference
from airflow_provider_mlconnector.sync.reconcile import Reconciliation, reconcile
from airflow_provider_mlconnector.sync.route import MappingSource, Route
from airflow_provider_mlconnector.systems.jaggaer.figures import JaggaerFigures
from airflow_provider_mlconnector.systems.syspro.figures import SysproFigures

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SPAN = Span(date(2026, 1, 1), date(2026, 12, 31))
ORDERS = Route(
    name="orders", document="purchase_order", source="jaggaer", target="syspro", start_at=date(2020, 1, 1),
    options={"po_split": "largest"},
)  # fmt: skip
INTO = Route(
    name="suppliers_in", document="supplier", source="jaggaer", target="syspro", opposite="suppliers_out",
    start_at=date(2020, 1, 1),
)  # fmt: skip
BACK = Route(
    name="suppliers_out", document="supplier", source="syspro", target="jaggaer", opposite="suppliers_in",
    start_at=date(2020, 1, 1), mapping=MappingSource(reverse=True),
)  # fmt: skip


def compare(deployment: Flow, *routes: Route, span: Span = SPAN) -> Reconciliation:
    """Compare as the operator would."""
    left = JaggaerFigures("jaggaer", deployment.jaggaer_client())
    right = SysproFigures("syspro", deployment.syspro_client(), deployment.syspro_options())
    mapping = load_mapping(deployment.mapping.read_text(), origin="sample mapping")
    job = deployment.job("reconcile")
    return reconcile(job, left, right, [deployment.route, *routes], mapping, span)


@dataclass(frozen=True)
class Office:
    """A deployment after a day's work, what people did beside it, and the comparison."""

    flow: Flow
    rows: dict[str, dict[str, Any]]
    result: Reconciliation

    def said(self, number: str) -> list[Difference]:
        """Return the differences about an invoice number."""
        return [one for one in self.result.findings.differences if f" {number}" in one.label]

    def one(self, name: str, area: Area = Area.INVOICES) -> Difference:
        """Return the only difference about an invoice that something was done to."""
        [found] = [one for one in self.said(self.rows[name]["number"]) if one.row[0] == area]
        return found


def _typed(deployment: Flow, row: dict[str, Any], **changes: Any) -> None:
    body = {
        "supplier": row["supplier"], "invoice": row["number"], "value": row["gross"],
        "invoice_date": row["invoice_date"], "tax_code": "Z", "reference": "typed in",
    }  # fmt: skip
    deployment.sandbox.app.syspro.add("ap_invoice", body | changes)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with flow(tmp_path_factory.mktemp("office"), jaggaer={"invoices": 90, "mix": "all"}, start=NOON) as deployment:
        syspro, jaggaer = deployment.sandbox.app.syspro, deployment.sandbox.app.jaggaer
        for _ in range(8):
            jaggaer.add("invoice", {"label": "plain"})
        deployment.sandbox.app.clock.advance(60)
        plain = [{"key": key, **row} for key, row in jaggaer.truth().items() if row["label"] == "plain"]
        names = ("by_hand", "mistyped_amount", "purged", "changed", "canceled", "paid", "part_paid", "redated")
        rows = dict(zip(names, plain[: len(names)], strict=True))
        _typed(deployment, rows["by_hand"])
        _typed(deployment, rows["mistyped_amount"], value=str(Decimal(rows["mistyped_amount"]["gross"]) + 9))
        deployment.all()
        deployment.sandbox.app.clock.advance(3600)
        # people in SYSPRO
        _typed(deployment, rows["paid"] | {"number": "TYPO-1"})
        _typed(deployment, rows["paid"] | {"number": "ONLY-HERE"}, value="77.70")
        key = {name: {"supplier": row["supplier"], "invoice": row["number"]} for name, row in rows.items()}
        syspro.add("purge_invoice", key["purged"])
        syspro.add("purge_invoice", key["redated"])
        _typed(deployment, rows["redated"], invoice_date="2027-02-03")
        syspro.add("pay_invoice", key["paid"])
        syspro.add("pay_invoice", key["part_paid"] | {"value": "1.00"})
        # people in JAGGAER
        jaggaer.add("invoice", {"id": rows["changed"]["key"], "set": {"header.total.value": 12.34}})
        jaggaer.add("invoice", {"id": rows["canceled"]["key"], "set": {"header.workflowStatus": "Cancelled"}})
        deployment.sandbox.app.clock.advance(60)
        deployment.all()
        deployment.sandbox.app.clock.advance(3600)
        jaggaer.add("invoice", {"label": "plain"})
        yield Office(deployment, rows, compare(deployment))


def test_what_people_typed_alike_on_both_sides_is_no_difference_but_counted(office: Office) -> None:
    assert office.said(office.rows["by_hand"]["number"]) == []
    assert sum(tally.by_hand for tally in office.result.findings.tallies.values()) == 1


@pytest.mark.parametrize(
    ("name", "code", "explained"),
    [
        ("mistyped_amount", "number_already_used", True),
        ("purged", "gone_from_target", False),
        ("redated", "other_date", False),
        ("changed", "changed_after_posting", True),
        ("canceled", "withdrawn_after_posting", True),
    ],
)
def test_each_difference_has_its_cause(office: Office, name: str, code: str, explained: bool) -> None:
    reason = office.one(name).reason
    if owed := [one for one in office.said(office.rows[name]["number"]) if one.row[0] == Area.BALANCES]:
        assert [one.reason.code for one in owed] == ["invoice_differs"]
    assert (reason.code, reason.explained) == (code, explained), reason.text


def test_an_invoice_typed_under_a_wrong_number_is_for_a_person_since_it_may_be_paid_twice(office: Office) -> None:
    [found] = office.said("TYPO-1")
    assert (found.reason.code, found.reason.explained) == ("possible_duplicate", False)
    assert office.rows["paid"]["number"] in found.reason.text
    assert (found.left, found.right) == (None, Decimal(office.rows["paid"]["gross"]))


def test_an_invoice_jaggaer_never_had_is_explained_as_typed_by_hand(office: Office) -> None:
    [found] = office.said("ONLY-HERE")
    assert (found.reason.code, found.reason.explained, found.right) == ("typed_by_hand", True, Decimal("77.70"))


def test_a_credit_leaves_less_to_pay_than_jaggaer_says_and_is_told_by_its_amount(office: Office) -> None:
    credited = [one for one in office.result.findings.differences if one.reason.code == "credited"]
    assert credited
    for one in credited:
        assert f" of {(one.left or 0) - (one.right or 0)} stand" in one.reason.text


@pytest.mark.parametrize(("name", "left_over"), [("paid", Decimal(0)), ("part_paid", None)])
def test_payments_nobody_sends_are_explained(office: Office, name: str, left_over: Decimal | None) -> None:
    found = office.one(name, Area.BALANCES)
    assert (found.reason.code, found.reason.explained) == ("payments_not_sent", True)
    gross = Decimal(office.rows[name]["gross"])
    assert (found.left, found.right or Decimal(0)) == (gross, gross - 1 if left_over is None else left_over)


def test_an_invoice_approved_since_the_last_run_is_not_read_yet(office: Office) -> None:
    codes = Counter(one.reason.code for one in office.result.findings.differences)
    assert codes["not_read_yet"] == 1


def test_whatever_waits_in_the_store_is_explained_by_its_own_reason(office: Office) -> None:
    waiting = {State.PARKED, State.REJECTED}
    by_key = {one.left_key: one for one in office.result.findings.differences if one.row[0] == Area.INVOICES}
    stuck = [document for document in office.flow.documents() if document.state in waiting and document.document_date]
    assert len(stuck) > 10
    for document in stuck:
        reason = by_key[document.key].reason
        assert (reason.code, reason.explained) == (document.reason_code, True)
        assert document.reason in reason.text


def test_nothing_else_is_unexplained_and_no_total_is_off_by_what_is_not_named(office: Office) -> None:
    findings = office.result.findings
    assert findings.unexplained == len([one for one in findings.differences if not one.reason.explained]) == 3
    for row, tally in findings.tallies.items():
        named = [one for one in findings.differences if one.row == row]
        amounts = sum((one.left or Decimal(0)) - (one.right or Decimal(0)) for one in named)
        counts = sum((one.left is not None) - (one.right is not None) for one in named)
        assert (tally.left_sum - tally.right_sum, tally.left_count - tally.right_count) == (amounts, counts), row


def test_comparing_writes_nothing_anywhere(office: Office) -> None:
    before = (office.flow.documents(), office.flow.ledger()["write_attempts"])
    again = compare(office.flow)
    assert (office.flow.documents(), office.flow.ledger()["write_attempts"]) == before
    assert again.findings.differences == office.result.findings.differences


def test_balances_of_the_accounts_we_post_to_are_kept_with_what_is_ours(office: Office) -> None:
    assert office.result.ledger is not None
    assert office.result.accounts
    assert any(line.ours for line in office.result.accounts)
    for line in office.result.accounts:
        account = line.account
        assert account.previous + account.debit - account.credit == account.balance
        assert line.others == account.debit - account.credit - line.ours


def test_a_credit_posted_twice_under_one_reference_is_named(tmp_path: Path) -> None:
    with flow(tmp_path, jaggaer={"invoices": 60, "mix": "good", "credit_memos": 6}, start=NOON) as deployment:
        deployment.all()
        memo = next(document for document in deployment.documents() if document.kind == "credit_memo")
        original = next(
            row["invoice"]
            for row in deployment.ledger()["ap_transactions"]
            if row["type"] == "C" and row["reference"] == our_reference(memo)
        )
        body = {"supplier": memo.supplier, "invoice": original, "value": "1.00", "tax_code": "Z"}
        deployment.sandbox.app.syspro.add("ap_credit", body | {"reference": our_reference(memo)})
        deployment.sandbox.app.syspro.add("ap_credit", body | {"reference": "typed in"})
        result = compare(deployment)
        credits_ = [one for one in result.findings.differences if one.row[1] == "credit_memo"]
        assert sorted(one.reason.code for one in credits_) == ["double", "typed_by_hand"]
        assert result.findings.unexplained == 1


def test_orders_and_suppliers_agree_once_their_routes_have_run(tmp_path: Path) -> None:
    options = {"invoices": 0, "purchase_orders": 60, "suppliers": 20, "suppliers_unlinked": 6}
    with flow(tmp_path, jaggaer=options, start=NOON) as deployment:
        before = compare(deployment, ORDERS, INTO, BACK)
        assert {one.reason.code for one in before.findings.differences} == {"route_not_started", "not_read_yet"}
        for route in (INTO, BACK, INTO, ORDERS):
            deployment.for_route(route).all()
            deployment.run += 1
            deployment.clock.advance(60)
        result = compare(deployment, ORDERS, INTO, BACK)
        assert result.findings.unexplained == 0
        reasons = Counter(one.reason.code for one in result.findings.differences)
        assert set(reasons) <= {document.reason_code for document in deployment.documents()}
        orders = [tally for row, tally in result.findings.tallies.items() if row[0] == Area.ORDERS]
        assert sum(tally.agree for tally in orders) == sum(tally.right_count for tally in orders) > 30
        _people_change_master_data(deployment)
        changed = compare(deployment, ORDERS, INTO, BACK)
        codes = Counter((one.row[0], one.reason.code, one.reason.explained) for one in changed.findings.differences)
        assert codes[str(Area.ORDERS), "typed_by_hand", True] == 1
        assert codes[str(Area.ORDERS), "differs", False] == 1
        assert codes[str(Area.SUPPLIERS), "not_read_yet", True] == 1
        assert changed.findings.unexplained == 1
        for route in (BACK, INTO):
            deployment.for_route(route).all()
            deployment.run += 1
            deployment.clock.advance(60)
        settled = compare(deployment, ORDERS, INTO, BACK)
        assert [
            one for one in settled.findings.differences if "V00001" in one.label and one.row[0] == "suppliers"
        ] == []


def _people_change_master_data(deployment: Flow) -> None:
    syspro = deployment.sandbox.app.syspro
    line = {"stock_code": "HAND-1", "qty": "2", "price": "5", "uom": "EA", "gl_code": "10-5120"}
    syspro.add("purchase_order", {"supplier": "V00001", "lines": [line]})
    ours = next(row for row in deployment.ledger()["purchase_orders"] if row["customer_po"] and row["status"] == "4")
    more = {"line": ours["lines"][0]["line"], "qty": "999"}
    syspro.add("purchase_order_change", {"purchase_order": ours["purchase_order"], "lines": [more]})
    syspro.add("supplier", {"supplier": "V00001", "name": "Renamed by hand"})


def test_a_period_before_the_cut_over_is_explained_and_left_to_who_typed_it_in(tmp_path: Path) -> None:
    with flow(tmp_path, jaggaer={"invoices": 20, "mix": "good"}, start=NOON) as deployment:
        deployment.route = deployment.route.model_copy(update={"start_at": NOON.date() + timedelta(days=1)})
        deployment.all()
        result = compare(deployment)
        assert {one.reason.code for one in result.findings.differences} == {"before_cut_over"}
        assert result.findings.unexplained == 0


def test_payments_told_to_jaggaer_are_explained_as_far_as_credits_leave_them(tmp_path: Path) -> None:
    tenant = {"invoices": 30, "mix": "good", "credit_memos": 3, "payments": True}
    payments = Route(
        name="payments", document="payment", source="syspro", target="jaggaer", start_at=date(2020, 1, 1),
        mapping=MappingSource(reverse=True), options={"invoices_route": "jaggaer_to_syspro_invoices"},
    )  # fmt: skip
    with flow(tmp_path, jaggaer=tenant, start=NOON) as deployment:
        deployment.all()
        syspro = deployment.sandbox.app.syspro
        credited = {row["invoice"] for row in syspro.ledger()["ap_transactions"] if row["type"] == "C"}
        invoices = [row for row in syspro.ledger()["ap_invoices"] if row["invoice"] in credited][:1]
        part, whole = [row for row in syspro.ledger()["ap_invoices"] if row["invoice"] not in credited][:2]
        for row, value in ((invoices[0], {}), (part, {"value": "1.00"}), (whole, {})):
            syspro.add("pay_invoice", {"supplier": row["supplier"], "invoice": row["invoice"], **value})
        deployment.for_route(payments, run=50).all()
        result = compare(deployment, payments)
        found = {
            name: [d.reason.code for d in result.findings.differences if f" {row['invoice']}" in d.label]
            for name, row in (("credited", invoices[0]), ("part", part), ("whole", whole))
        }
        assert found == {"credited": ["paid_less_credits"], "part": ["partly_paid"], "whole": []}
        assert result.findings.unexplained == 0
