"""Targets that need to know of no other document: no original for a credit memo, no orders' route."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from airflow_provider_mlconnector.documents.invoice import Invoice, InvoiceKind
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.sync.kinds import INVOICE, kind_for
from airflow_provider_mlconnector.sync.route import Route
from airflow_provider_mlconnector.systems.cloudsuite.csi.options import CsiOptions
from airflow_provider_mlconnector.systems.cloudsuite.csi.vouchers import CsiVoucherTarget
from airflow_provider_mlconnector.systems.ports import Context


class _Gateway:
    connection, tenant, timeout = "cloudsuite", "ACME_TST", 90.0


def _target() -> Any:
    return CsiVoucherTarget("cloudsuite", _Gateway(), CsiOptions(configuration="ACME_TST_MAIN"))  # type: ignore[arg-type]


def _route(**changes: Any) -> Route:
    return Route.parse(
        {"name": "r", "source": "jaggaer", "target": "cloudsuite", "start_at": date(2026, 1, 1), **changes}
    )


def test_csi_needs_neither_the_original_of_a_credit_memo_nor_the_order_of_an_invoice() -> None:
    kind = kind_for(_route(), _target())
    credit = Invoice(
        kind=InvoiceKind.CREDIT_MEMO,
        source_key="1",
        revision="1",
        number="C-1",
        supplier="V00001",
        invoice_date=date(2026, 11, 1),
        currency="USD",
        gross=5,
        lines=(),
    )
    nothing: Any = None  # the store is not asked
    assert kind.complete(nothing, _route(), credit) is credit
    assert kind.enrich(nothing, _route(), credit, Context("1")) == Context("1")
    assert (kind.waves, kind.code, kind.remember) == (INVOICE.waves, INVOICE.code, INVOICE.remember)


@pytest.mark.parametrize("match", ["warn", "park"])
def test_matching_with_orders_of_the_target_itself_is_refused_in_words(match: str) -> None:
    with pytest.raises(ConfigurationError, match="those of 'cloudsuite' are its own") as caught:
        kind_for(_route(match=match), _target())
    assert caught.value.field == "route 'r', match"


def test_every_other_target_gets_the_kind_as_it_is() -> None:
    assert kind_for(_route(), object()) is INVOICE  # type: ignore[arg-type]
