"""A payment coded for the side that sent the invoice: its currency in that side's code."""

from __future__ import annotations

from airflow_provider_mlconnector.documents.payment import CodedPayment, Payment
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.mapping.model import MappingSet, look_back, look_up


def code_payment(payment: Payment, mapping: MappingSet, *, version: int, reverse: bool = False) -> CodedPayment:
    """Fill in the target's currency code of the day of the payment.

    Args:
        payment: As its source knows it.
        mapping: The code maps.
        version: Which version of the mapping this is; kept for the audit.
        reverse: The source is the ledger: the maps are read backwards.

    Raises:
        Parked: ``unmapped_currency``: not mapped or, read backwards, the target of several codes.
    """
    code = payment.currency
    if not code:
        return CodedPayment(payment=payment, mapping_version=version)
    if reverse:
        found = look_back(mapping.currencies, code, payment.payment_date)
    else:
        found = list(filter(None, [look_up(mapping.currencies, code, payment.payment_date)]))
    if len(found) != 1:
        problem = f"stands for {', '.join(found)}" if found else "is not mapped"
        msg = f"currency {code} {problem} on {payment.payment_date}"
        raise Parked(msg, code="unmapped_currency", subject=code)
    return CodedPayment(payment=payment, currency=found[0], mapping_version=version)
