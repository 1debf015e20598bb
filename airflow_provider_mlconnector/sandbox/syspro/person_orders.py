"""What a person does to purchase orders at a SYSPRO screen."""

from __future__ import annotations

from lxml import etree

from airflow_provider_mlconnector.sandbox.syspro import portoi
from airflow_provider_mlconnector.sandbox.syspro.clerk import Action, Body, Clerk
from airflow_provider_mlconnector.sandbox.syspro.orders import shown
from airflow_provider_mlconnector.sandbox.syspro.portoi_check import OrderCheck
from airflow_provider_mlconnector.sandbox.syspro.portoi_schema import Parameters

PARAMETERS = Parameters(validate_only=False, ignore_warnings="Y", non_stock="Y", zero_price=True)
HEADER_NAMES = {
    "purchase_order": "PurchaseOrder",
    "supplier": "Supplier",
    "customer_po": "CustomerPoNumber",
    "buyer": "Buyer",
    "warehouse": "Warehouse",
    "order_date": "OrderDate",
    "due_date": "DueDate",
}
LINE_NAMES = {
    "line": "PurchaseOrderLine",
    "action": "LineActionType",
    "stock_code": "StockCode",
    "description": "StockDescription",
    "qty": "OrderQty",
    "uom": "OrderUom",
    "price": "Price",
    "gl_code": "LedgerCode",
    "product_class": "ProductClass",
    "due_date": "LatestDueDate",
}


class OrderClerk(Clerk):
    """Types purchase orders; a line of a change is changed unless its ``action`` says A or D."""

    def actions(self) -> dict[str, Action]:
        """Return what can be done, by name."""
        return {
            "purchase_order": lambda body: self._enter("A", body),
            "purchase_order_change": lambda body: self._enter("C", body),
            "purchase_order_cancel": lambda body: self._enter("D", body),
        }

    def _enter(self, action: str, body: Body) -> dict[str, object]:
        checker = OrderCheck(_element(action, body), books=self._books, parameters=PARAMETERS, origin=self._origin)
        order = checker.order()
        if order is None:
            raise ValueError(checker.findings.reason())
        portoi.store(self._books, order)
        return {"purchase_order": shown(order.number), "status": order.status, "lines": sorted(order.lines)}


def _element(action: str, body: Body) -> etree._Element:
    """Return the PORTOI element of what was typed in."""
    orders = etree.Element("Orders")
    header = etree.SubElement(orders, "OrderHeader")
    etree.SubElement(header, "OrderActionType").text = action
    _fill(header, body, HEADER_NAMES)
    details = etree.SubElement(orders, "OrderDetails")
    for line in body.get("lines", ()):
        defaults = {"action": "C" if "line" in line else "A", "product_class": "" if "line" in line else "GEN"}
        _fill(etree.SubElement(details, "StockLine"), defaults | line, LINE_NAMES)
    return orders


def _fill(element: etree._Element, values: Body, names: dict[str, str]) -> None:
    for name, tag in names.items():
        if name in values:
            etree.SubElement(element, tag).text = str(values[name])
