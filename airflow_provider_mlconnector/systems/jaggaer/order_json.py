"""A purchase order as J1P JSON: the record of the list, written back (reference/jaggaer.md §2.8).

No body of a written order is public, so this is the record proposed there; the contract renames what a tenant calls
otherwise. A canceled order is sent with its status word and lines of quantity 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_mlconnector.documents.invoice import ChargeKind
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, PurchaseOrder
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.message_parts import only_allowed
from airflow_provider_mlconnector.systems.jaggaer.order_steps import Operation, OrderStep
from airflow_provider_mlconnector.systems.jaggaer.parts import TAX_FIELDS
from airflow_provider_mlconnector.systems.jaggaer.writing import (
    FIELD_OF,
    encoded_splits,
    encoded_terms,
    put,
    stamp,
    without_empty,
)


def order_body(step: OrderStep, contract: JaggaerContract) -> dict[str, Any]:
    """Return the record of one revision; numbers stay exact."""
    order = step.order
    canceled = step.operation is Operation.CANCEL
    words: Mapping[str, str] = contract.order_writes.canceled if canceled else contract.order_writes.approved
    header = without_empty(
        {
            "poNumber": order.number,
            "createDate": stamp(order.order_date),
            "businessUnit": step.unit,
            "supplier": without_empty({"supplierNumber": order.supplier, "name": order.supplier_name}),
            "requestor": without_empty({"username": order.requester}),
            "terms": encoded_terms(order.terms),
            "currency": order.currency,
            "total": None if order.total is None else {"currency": order.currency, "value": order.total},
            "miscFeeList": _fees(order),
        }
    )
    for charge in order.charges:
        if name := FIELD_OF.get(charge.kind):
            header[name] = header.get(name, 0) + charge.amount
    lines = [_line(line, order, contract) for line in order.lines]
    record: dict[str, Any] = {"header": header | dict(words), "lineList": {"poLine": lines}}
    put(record, contract.purchase_orders.revision, step.revision_number)
    if contract.order_writes.distribute:
        put(record, contract.order_writes.distribute, str(step.distribute).lower())
    return record


def _fees(order: PurchaseOrder) -> dict[str, Any]:
    fees = [
        {"name": charge.name, "fee": charge.amount}
        for charge in order.charges
        if charge.kind is ChargeKind.MISCELLANEOUS
    ]
    return {"miscFee": fees} if fees else {}


def _line(line: OrderLine, order: PurchaseOrder, contract: JaggaerContract) -> dict[str, Any]:
    item = {
        "catalogNumber": line.item,
        "description": line.description,
        "unitOfMeasure": without_empty({"dimension": line.unit}),
        "commodityCode": line.commodity,
    }
    fields: dict[str, Any] = {
        "lineNumber": line.number,
        "item": without_empty(item),
        "quantity": line.quantity,
        "unitPrice": line.unit_price,
        "taxable": None if line.taxable is None else str(line.taxable).lower(),
        "requestedDeliveryDate": stamp(line.requested_date or order.due_date),
    }
    slots = list(dict.fromkeys(tax.code for tax in line.taxes))
    for tax in line.taxes:
        name = TAX_FIELDS[min(slots.index(tax.code), len(TAX_FIELDS) - 1)]
        fields[name] = fields.get(name, 0) + tax.amount
    if line.allocations:
        entry = encoded_splits(only_allowed(line.allocations, contract.order_writes.custom_fields), contract)
        fields["splittableFieldSetGroupList"] = {"splittableFieldSetGroup": [{"splittableFieldIndexSet": [entry]}]}
    return without_empty(fields)
