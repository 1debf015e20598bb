"""A purchase order as PurchaseOrderMessage for the XML router (reference/jaggaer.md §3.2).

The order of children is that of the message's DTD as far as it is known. Charges and taxes have no place in it.
"""

from __future__ import annotations

from typing import Final

from airflow_provider_mlconnector.documents.invoice import PaymentTerms
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, PurchaseOrder
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.message_parts import leaf, marked, money, segments_of
from airflow_provider_mlconnector.systems.jaggaer.order_steps import Operation, OrderStep
from airflow_provider_mlconnector.systems.jaggaer.parts import AMOUNT, PERCENT
from airflow_provider_mlconnector.systems.jaggaer.router import Message
from airflow_provider_mlconnector.systems.jaggaer.writing import stamp

ROOT: Final = "PurchaseOrderMessage"


def order_message(step: OrderStep, contract: JaggaerContract, *, message_id: str) -> Message:
    """Build the message of one revision; a canceled order has a header only.

    Args:
        step: The revision.
        contract: Version, path and custom fields of the tenant.
        message_id: The same for every repetition of this revision.
    """
    canceled = step.operation is Operation.CANCEL
    lines = () if canceled else tuple(_line(line, step.order, contract) for line in step.order.lines)
    return Message(
        root=ROOT,
        version=contract.order_writes.version,
        message_id=message_id,
        body=xml.element("PurchaseOrder", _header(step, contract), *lines),
        path=contract.order_writes.path,
        name=f"purchase order message {step.order.number}",
    )


def _header(step: OrderStep, contract: JaggaerContract) -> xml.Element:
    order, writes = step.order, contract.order_writes
    kind = {} if step.operation is Operation.NEW else {"type": str(step.operation)}
    user = marked("UserProfile", {"username": order.requester}) if order.requester else None
    method = writes.distribution_method
    unit = writes.business_unit_field if step.unit else ""
    return marked(
        "POHeader",
        kind,
        xml.element("RevisionNumber", str(step.revision_number)),
        xml.element("DistributeRevision", str(step.distribute).lower()),
        leaf("PONumber", order.number),
        None if user is None else xml.element("Requestor", user),
        leaf("CreateDateTime", stamp(order.order_date) or ""),
        xml.element("Supplier", leaf("Name", order.supplier_name), leaf("SupplierNumber", order.supplier)),
        xml.element("OrderDistribution", marked("DistributionMethod", {"type": method})) if method else None,
        _terms(order.terms),
        marked("CustomFieldValueSet", {"name": unit}, xml.element("CustomFieldValue", leaf("Value", step.unit)))
        if unit
        else None,
    )


def _terms(terms: PaymentTerms | None) -> xml.Element | None:
    """Return the terms in numbers: the message has no element for their code."""
    if terms is None:
        return None
    discount = terms.discount_percent
    parts = [
        None if discount is None else marked("Discount", {"unit": "percent"}, f"{discount:f}"),
        None if terms.discount_days is None else xml.element("Days", str(terms.discount_days)),
        None if terms.days is None else xml.element("Net", str(terms.days)),
    ]
    said = [part for part in parts if part is not None]
    return xml.element("PaymentInfo", xml.element("Terms", *said)) if said else None


def _line(line: OrderLine, order: PurchaseOrder, contract: JaggaerContract) -> xml.Element:
    wanted = line.requested_date or order.due_date
    price = xml.element("UnitPrice", money(line.unit_price, order.currency))
    return marked(
        "POLine",
        {"linenumber": str(line.number)},
        xml.element(
            "Item",
            leaf("CatalogNumber", line.item),
            leaf("Description", line.description) if line.description else xml.element("Description", "-"),
            _unit(line.unit),
            leaf("CommodityCode", line.commodity),
            xml.element("ProductType", "Catalog" if line.item else "Form"),
        ),
        xml.element("Quantity", f"{line.quantity:f}"),
        None if line.taxable is None else xml.element("Taxable", str(line.taxable).lower()),
        xml.element("LineCharges", price),
        xml.element("DeliveryInfo", xml.element("RequestedDeliveryDate", stamp(wanted) or "")) if wanted else None,
        *_segments(line, contract),
    )


def _unit(unit: str) -> xml.Element | None:
    if not unit:
        return None
    return marked("ProductUnitOfMeasure", {"type": "system"}, xml.element("Measurement", leaf("MeasurementUnit", unit)))


def _segments(line: OrderLine, contract: JaggaerContract) -> list[xml.Element]:
    """Return one set of values per custom field: its code in each split, with the split's share."""
    sets: dict[str, xml.Element] = {}
    for place, part in enumerate(line.allocations, start=1):
        kind, share = (PERCENT, part.percent) if part.amount is None else (AMOUNT, part.amount)
        shown = {"distributionvalue": f"{share:f}" if share is not None else "100", "splitindex": str(place)}
        for name, code in segments_of(part, contract.segments, contract.order_writes.custom_fields).items():
            if name not in sets:
                sets[name] = marked("CustomFieldValueSet", {"name": name, "distributiontype": kind})
            sets[name].append(marked("CustomFieldValue", shown, leaf("Value", code)))
    return list(sets.values())
