"""All a tenant holds, in one place, so that every way in and out works on the same books."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from starlette.requests import Request

from airflow_provider_mlconnector.sandbox.clock import SimClock
from airflow_provider_mlconnector.sandbox.generator import Generator
from airflow_provider_mlconnector.sandbox.jaggaer.attempts import Attempt
from airflow_provider_mlconnector.sandbox.jaggaer.code_book import CodeBook
from airflow_provider_mlconnector.sandbox.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.sandbox.jaggaer.order_generator import OrderGenerator
from airflow_provider_mlconnector.sandbox.jaggaer.orders import OrderBook
from airflow_provider_mlconnector.sandbox.jaggaer.store import InvoiceStore
from airflow_provider_mlconnector.sandbox.jaggaer.suppliers import SupplierBook
from airflow_provider_mlconnector.sandbox.master import SUPPLIERS, more_suppliers


class BodyError(ValueError):
    """The body of a request is no JSON object; answered by 400."""


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment the ERP reported for an invoice; ``date`` as it was sent."""

    at: datetime
    request_no: int
    invoice_id: int
    number: str
    date: str
    method: str
    currency: str
    amount: Decimal


@dataclass(slots=True)
class Books:
    """The tenant's records, its settings and its clock."""

    clock: SimClock
    options: JaggaerOptions
    invoices: InvoiceStore
    orders: OrderBook
    order_generator: OrderGenerator
    suppliers: SupplierBook
    codes: CodeBook
    payments: list[Payment] = field(default_factory=list)
    imported: dict[int, dict[str, Any]] = field(default_factory=dict)
    """By invoiceId, when and by what an invoice was imported."""
    attempts: list[Attempt] = field(default_factory=list)

    def attempt(self, request: Request, **fields: Any) -> None:
        """Note a write that was asked for; ``fields`` are those of ``Attempt`` but for time and request number."""
        self.attempts.append(Attempt(at=self.clock.now(), request_no=request.state.request_no, **fields))


def opened(*, seed: int, clock: SimClock, options: JaggaerOptions) -> Books:
    """Return the books of a tenant as it starts.

    Raises:
        ValueError: Counts that cannot be generated together.
    """
    generator = Generator(
        seed=seed, count=options.invoices, start=clock.start, mix=options.mix, credit_memos=options.credit_memos
    )
    invoices = InvoiceStore(generator, order=options.order, with_lines=options.list_with_lines)
    # whole seconds, as the generator takes them: a restarted sandbox dates everything alike
    start = clock.start.replace(microsecond=0)
    further = more_suppliers(options.suppliers)
    # an order names its supplier by the ERP's number, so one without a number has none
    linked = further[options.suppliers_unlinked :]
    order_generator = OrderGenerator(seed=seed, start=clock.start, suppliers=linked)
    orders = OrderBook(order=options.order, with_lines=options.list_with_lines)
    order_generator.fill(orders, options.purchase_orders)
    billing = order_generator.invoices(
        orders,
        options.po_invoices,
        first_id=invoices.next_id(),
        variance_status=options.po_variance_status,
    )
    invoices.take(billing)
    suppliers = SupplierBook((*SUPPLIERS, *further), start)
    suppliers.unlink(further[: options.suppliers_unlinked])
    return Books(clock, options, invoices, orders, order_generator, suppliers, CodeBook(start))


async def json_body(request: Request) -> dict[str, Any]:
    """Read a JSON object from a request.

    Raises:
        BodyError: It is something else.
    """
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise BodyError(str(error)) from error
    if not isinstance(body, dict):
        message = "a JSON object is needed"
        raise BodyError(message)
    return body
