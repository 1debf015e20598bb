"""JAGGAER as a target of payments: what the ledger paid of an invoice (reference/jaggaer.md §2.8; off by default).

Payments add up, and nothing public shows single ones: a lost answer is settled where the contract names their place in
the invoice or where the invoice is paid in full, else by a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final

from airflow_provider_mlconnector.documents.payment import CodedPayment
from airflow_provider_mlconnector.errors import ConfigurationError
from airflow_provider_mlconnector.systems.jaggaer.base import JaggaerSystem, SteadySession
from airflow_provider_mlconnector.systems.jaggaer.client import JaggaerClient, NotOffered
from airflow_provider_mlconnector.systems.jaggaer.fields import UnreadableJson, at, loads
from airflow_provider_mlconnector.systems.jaggaer.options import JaggaerOptions
from airflow_provider_mlconnector.systems.jaggaer.rows import among, scalar
from airflow_provider_mlconnector.systems.jaggaer.writes import write
from airflow_provider_mlconnector.systems.ports import (
    NO_CONTEXT,
    Context,
    Fence,
    Found,
    FoundState,
    Outcome,
    OutcomeState,
    Plan,
    StepDraft,
    StepKind,
)
from airflow_provider_mlconnector.systems.transport import Effect

PAYMENT: Final = "payment"
"""Name of the step."""
DETAIL: Final = "invoice detail"
_SECOND_LOOK, _SECOND_LOOK_MINUTES = 2, 15
"""Targets without uniqueness need two not-founds this far apart (FINANCE §8)."""


class JaggaerPaymentTarget(JaggaerSystem):
    """Payments into one tenant (implements ``ports.DocumentTarget``).

    Raises:
        ConfigurationError: The route does not name the route of its invoices, or the contract no path.
    """

    def __init__(self, name: str, client: JaggaerClient, options: JaggaerOptions) -> None:
        super().__init__(name, client, options)
        if not options.invoices_route:
            where = "route option invoices_route"
            msg = f"{where}: a payment is of an invoice, so the route that takes invoices into the ledger must be named"
            raise ConfigurationError(msg, field=where)
        if not client.contract.payments.upsert:
            raise _not_offered(client)

    def plan(
        self,
        coded: CodedPayment,
        reference: Mapping[str, Any],  # noqa: ARG002 - nothing to compare with: payments add up
        *,
        our_reference: str,
        context: Context = NO_CONTEXT,
    ) -> Plan:
        """Turn a payment into its one step; ``context.invoice`` is JAGGAER's key of the invoice."""
        payment = coded.payment
        if not payment.amount:
            return Plan((), reason="a payment of nothing")
        number = f"{payment.reference} {our_reference}".strip()
        amount = f"{payment.amount:f}"
        left = payment.outstanding
        step = StepDraft(
            name=PAYMENT,
            kind=StepKind.DELTA,
            company="",
            remote_reference=f"PAYMENT|{context.invoice}|{payment.source_key}",
            our_reference=our_reference,
            payload={
                "invoice": context.invoice,
                "number": number,
                "date": payment.payment_date.isoformat(),
                "amount": amount,
                "currency": coded.currency,
                "settles": left is not None and left <= 0 < payment.amount,
            },
            fingerprint={"invoice": context.invoice, "number": number, "amount": amount, "currency": coded.currency},
            text=f"payment {number} of {coded.currency} {amount} on invoice {payment.invoice}, {payment.supplier}",
        )
        return Plan([step])

    def may_repost(self, step: StepDraft, *, not_found: int, minutes_since_first: float) -> bool:  # noqa: ARG002 - one seam
        """Tell whether a payment proven absent may be sent again: JAGGAER refuses no duplicate of it."""
        return not_found >= _SECOND_LOOK and minutes_since_first >= _SECOND_LOOK_MINUTES

    @contextmanager
    def session(self) -> Iterator[PaymentSession]:
        """Open a session; nothing needs to be held for it."""
        yield PaymentSession(self._client)


class PaymentSession(SteadySession):
    """Writes payments and looks them up (implements ``ports.TargetSession``)."""

    def __init__(self, client: JaggaerClient) -> None:
        self._client = client
        self._contract = client.contract

    def read_reference(self, *, suppliers: Sequence[str], accounts: Sequence[str]) -> Mapping[str, Any]:  # noqa: ARG002 - one seam
        """Read nothing: each payment names its invoice."""
        return {}

    def find(self, steps: Sequence[StepDraft], *, settling: bool = False) -> Sequence[Found]:
        """Look at the invoice of each payment, once per invoice."""
        keys = dict.fromkeys(step.payload["invoice"] for step in steps)
        invoices = {key: self._invoice(key) for key in keys}
        return [self._found(step, invoices[step.payload["invoice"]], settling=settling) for step in steps]

    def post(self, steps: Sequence[StepDraft], *, fence: Fence) -> Sequence[Outcome]:
        """Send the one payment of a group.

        Raises:
            ConfigurationError: The tenant takes no payments; nothing was executed.
        """
        (step,) = steps
        payload, names = step.payload, self._contract.payments
        body: dict[str, Any] = {}
        for path, value in (
            (names.number, payload["number"]),
            (names.date, payload["date"]),
            (names.amount, Decimal(payload["amount"])),
            (names.currency, payload["currency"]),
        ):
            if value:
                _put(body, path, value)
        path = names.upsert.replace("{id}", payload["invoice"])
        try:
            answer = write(self._client, path, body, name="payment", effect=Effect.WRITE, fence=fence, optional=True)
        except NotOffered:
            raise _not_offered(self._client) from None
        if answer.done:
            return [Outcome(OutcomeState.POSTED, result={"key": payload["number"], "invoice": payload["invoice"]})]
        return [answer.refusal(subject=payload["invoice"])]

    def _invoice(self, key: str) -> Mapping[str, Any] | None:
        resource = self._contract.invoices
        detail = self._client.record(resource.get, key, resource.items, name=DETAIL)
        if detail is None:
            return None
        try:
            read = loads(detail)
        except UnreadableJson:
            return None
        return read if isinstance(read, Mapping) else None

    def _found(self, step: StepDraft, invoice: Mapping[str, Any] | None, *, settling: bool) -> Found:
        payload, names = step.payload, self._contract.payments
        result = {"key": payload["number"], "invoice": payload["invoice"]}
        if invoice is None:
            return Found(FoundState.UNKNOWN, f"JAGGAER shows no invoice {payload['invoice']}")
        if names.shown:
            numbers = {scalar(at(each, names.number)) for each in _listed(at(invoice, names.shown))}
            return Found(FoundState.OURS, result=result) if payload["number"] in numbers else Found(FoundState.ABSENT)
        paid = among(scalar(at(invoice, names.status)), self._contract.eligibility.closed_payment)
        if paid and payload["settles"]:
            state = FoundState.OURS if settling else FoundState.SAME_NOT_OURS
            return Found(state, f"JAGGAER shows invoice {payload['invoice']} as paid", result)
        if settling:
            text = "JAGGAER shows no single payments (contract payments.shown), and the invoice is not paid in full"
            return Found(FoundState.UNKNOWN, text)
        return Found(FoundState.ABSENT)


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _put(body: dict[str, Any], dotted: str, value: object) -> None:
    *outer, last = dotted.split(".")
    for name in outer:
        body = body.setdefault(name, {})
    body[last] = value


def _not_offered(client: JaggaerClient) -> ConfigurationError:
    where = f"connection '{client.connection}', field Contract overrides"
    msg = (
        f"{where}: this tenant takes no payment status. Ask JAGGAER to enable payments of invoices for client"
        f" {client.client_id}, and for the path, which goes into payments.upsert; until then leave the route off"
    )
    return ConfigurationError(msg, field=where)
