"""Figures of both systems as read over HTTP: every record once, in comparable form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from support.flow import Flow, flow

from airflow_provider_mlconnector.documents.reconciliation import CREDIT_MEMO, Figure, Span
from airflow_provider_mlconnector.errors import Unavailable
from airflow_provider_mlconnector.systems.jaggaer.figures import JaggaerFigures
from airflow_provider_mlconnector.systems.syspro import figures as syspro_figures
from airflow_provider_mlconnector.systems.syspro.figures import SysproFigures
from airflow_provider_mlconnector.systems.syspro.options import SysproOptions

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SPAN = Span(date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    with flow(tmp_path_factory.mktemp("figures"), jaggaer={"invoices": 80, "mix": "good"}, start=NOON) as running:
        running.all()
        yield running


def _syspro(deployment: Flow, **options: Any) -> SysproFigures:
    given = deployment.syspro_options().model_copy(update=options)
    return SysproFigures("syspro", deployment.syspro_client(), given)


def _listed(side: Any) -> list[Figure]:
    with side.session():
        return sorted(side.invoices(SPAN), key=lambda figure: figure.key)


def test_syspro_shows_every_invoice_and_credit_once_however_few_rows_an_answer_holds(
    deployment: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _listed(_syspro(deployment))
    posted = [row for row in deployment.ledger()["write_attempts"] if row["outcome"] == "posted"]
    assert len(whole) == len(posted) == 80
    assert 0 < len([figure for figure in whole if figure.kind == CREDIT_MEMO]) < 20
    monkeypatch.setattr(syspro_figures, "MOST_ROWS", 2)
    assert _listed(_syspro(deployment)) == whole


def test_both_sides_have_the_same_business_keys_and_amounts(deployment: Flow) -> None:
    there = {figure.match: figure for figure in _listed(_syspro(deployment)) if figure.kind != CREDIT_MEMO}
    here = {f.match: f for f in _listed(JaggaerFigures("jaggaer", deployment.jaggaer_client())) if f.match in there}
    assert here.keys() == there.keys()
    assert [here[match].amount for match in here] == [there[match].amount for match in here]
    assert [here[match].day for match in here] == [there[match].day for match in here]


def test_invoices_are_found_by_number_whatever_their_date(deployment: Flow) -> None:
    side = _syspro(deployment)
    wanted = [figure for figure in _listed(side) if figure.kind != CREDIT_MEMO][:7]
    with side.session():
        found = {figure.match for figure in side.invoices_like(wanted)}
    assert {figure.match for figure in wanted} <= found


def test_a_list_that_keeps_changing_is_not_compared(deployment: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider_mlconnector.systems.jaggaer.source import JaggaerInvoiceSource

    true_pages, count = JaggaerInvoiceSource.pages, iter(range(100))

    def moving(self: Any, window: Any, *, position: int | None = None) -> Any:
        turn = next(count)
        for page in true_pages(self, window, position=position):
            yield replace(page, records=[replace(page.records[0], revision=f"r{turn}"), *page.records[1:]])

    monkeypatch.setattr(JaggaerInvoiceSource, "pages", moving)
    with pytest.raises(Unavailable, match="The invoice list changed during each of 6 passes"):
        list(JaggaerFigures("jaggaer", deployment.jaggaer_client()).invoices(SPAN))


LINES = [{"code": "10-5120", "value": "7.50"}, {"code": "20-5120", "value": "-2.50"}]
AP = {"item": {"transaction_code": "I", "distribution": LINES}, "foreign": False}
JOURNAL = {
    "journal": {"lines": [{"code": "10-5120", "amount": "5"}, {"code": "00-2900", "amount": "-5"}]},
    "foreign": False,
}


def _bookings(step: str, payload: dict[str, Any], ap_gl: str = "linked", **result: Any) -> list[tuple[Any, ...]]:
    side = SysproFigures("syspro", None, SysproOptions(company="EDU1", ap_gl=ap_gl))  # type: ignore[arg-type]
    found = side.bookings(step, payload, result)
    return [(b.account, b.amount, b.currency, b.year, b.period, b.booked) for b in found]


def test_where_ap_is_linked_its_own_distribution_is_the_booking() -> None:
    result = {"year": 2026, "period": 2, "gl_year": 2026, "gl_period": 3, "gl_status": "booked"}
    assert _bookings("ap_invoice", AP, **result) == [
        ("10-5120", Decimal("7.50"), "", 2026, 3, True),
        ("20-5120", Decimal("-2.50"), "", 2026, 3, True),
    ]
    assert _bookings("gl_journal", JOURNAL, year=2026, period=2) == []


def test_where_it_is_not_linked_only_the_journal_books() -> None:
    assert _bookings("ap_invoice", AP, "not_linked", year=2026, period=2) == []
    assert _bookings("gl_journal", JOURNAL, "not_linked", year=2026, period=2, gl_status="held") == [
        ("10-5120", Decimal(5), "", 2026, 2, False),
        ("00-2900", Decimal(-5), "", 2026, 2, False),
    ]


def test_a_credit_takes_back_and_foreign_values_are_not_company_currency() -> None:
    credit = {**AP, "item": {**AP["item"], "transaction_code": "C"}, "foreign": True}  # type: ignore[dict-item]
    assert [found[:3] for found in _bookings("ap_credit", credit)] == [
        ("10-5120", Decimal("-7.50"), "foreign"),
        ("20-5120", Decimal("2.50"), "foreign"),
    ]


def test_a_step_that_books_nothing_has_no_bookings() -> None:
    assert _bookings("po_add", {"order": {}}) == []
