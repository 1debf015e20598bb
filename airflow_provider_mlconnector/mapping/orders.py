"""A purchase order coded for one ledger (FINANCE §4): the same code maps as its invoices, and a few of its own."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from airflow_provider_mlconnector.documents.allocation import UNCODED, Cost
from airflow_provider_mlconnector.documents.coded_order import CodedOrder, CodedOrderLine, OrderShare
from airflow_provider_mlconnector.documents.invoice import Allocation
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, OrderStatus, PurchaseOrder
from airflow_provider_mlconnector.errors import Parked
from airflow_provider_mlconnector.mapping.coder import Coder
from airflow_provider_mlconnector.mapping.model import BusinessUnit, MappingSet, look_up

_WHOLE = Decimal(100)


def code_order(order: PurchaseOrder, mapping: MappingSet, *, version: int) -> CodedOrder:
    """Fill in every code of the target; codes with effective dates are those of the order date.

    Args:
        order: As approved.
        mapping: The code maps and defaults.
        version: Which version of the mapping this is; kept for the audit.

    Raises:
        Parked: A code is not mapped, and is the subject: ``unmapped_business_unit``, ``unmapped_currency``,
            ``unmapped_account``, ``unmapped_cost_center``, ``unmapped_terms``, ``unmapped_unit``.
        Rejected: A line has an account, but no cost center where the ledger needs one (``missing_cost_center``).
    """
    coder = Coder(mapping, order.order_date)
    unit = _business_unit(order, mapping)
    canceled = order.status is OrderStatus.CANCELED
    wanted = () if canceled else tuple(line for line in order.lines if not line.is_canceled)
    return CodedOrder(
        order=order,
        company=unit.company,
        branch=unit.branch,
        currency="" if canceled else coder.mapped(mapping.currencies, order.currency, "currency"),
        terms_code="" if canceled else _terms(order, coder),
        warehouse=unit.warehouse or mapping.orders.warehouse,
        buyer=mapping.orders.buyer,
        tax_status=mapping.orders.tax_status,
        non_stocked_code=mapping.orders.non_stocked_code,
        lines=tuple(_coded(line, coder, order.order_date) for line in wanted),
        mapping_version=version,
    )


def _business_unit(order: PurchaseOrder, mapping: MappingSet) -> BusinessUnit:
    name = order.business_unit or mapping.defaults.business_unit
    unit = mapping.business_units.get(name)
    if unit is None:
        what = f"business unit {name} is not mapped" if name else "the order names no business unit"
        msg = f"{what}: it is not known which company it belongs to"
        raise Parked(msg, code="unmapped_business_unit", subject=name)
    return unit


def _terms(order: PurchaseOrder, coder: Coder) -> str:
    default = coder.mapping.defaults.terms
    code = order.terms.code if order.terms else ""
    if not code:
        return default
    if default:
        return look_up(coder.mapping.terms, code, coder.day) or default
    return coder.mapped(coder.mapping.terms, code, "terms")


def _coded(line: OrderLine, coder: Coder, day: date) -> CodedOrderLine:
    mapping = coder.mapping
    return CodedOrderLine(
        line=line,
        unit=coder.mapped(mapping.units, line.unit, "unit") if line.unit else mapping.orders.unit,
        product_class=look_up(mapping.product_classes, line.commodity, day) or mapping.orders.product_class,
        tax_code=mapping.orders.tax_code if line.taxable else mapping.taxes.zero_code,
        shares=_shares(line, coder),
    )


def _shares(line: OrderLine, coder: Coder) -> tuple[OrderShare, ...]:
    """Code who bears the line; parts of one account are one share. Nobody, where neither line nor defaults say."""
    if not line.allocations and not coder.mapping.defaults.account:
        return ()
    weights: dict[tuple[str, str], Decimal] = {}
    for part in line.allocations or (UNCODED,):
        account = coder.account(part, Cost.GOODS, line.number)
        place = (account.gl_code, account.cost_center)
        weights[place] = weights.get(place, Decimal(0)) + _weight(part)
    return tuple(OrderShare(gl_code=code, cost_center=center, weight=w) for (code, center), w in weights.items())


def _weight(part: Allocation) -> Decimal:
    if part.amount is not None:
        return part.amount
    return part.percent if part.percent is not None else _WHOLE
