"""IDOs of purchasing: orders, blanket lines, lines with their releases, receipts (reference/cloudsuite.md §5.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_mlconnector.sandbox.cloudsuite.columns import Column, Row
from airflow_provider_mlconnector.sandbox.cloudsuite.csi.shapes import (
    account,
    amounts,
    days,
    flags,
    joined,
    po_num,
    texts,
    vend_num,
    whole,
)
from airflow_provider_mlconnector.sandbox.cloudsuite.tables import Table

Lookup = Callable[[str, str], Callable[[Row], Any]]
"""(property that holds a key, property of the row it names) → derived property."""


def _order(of_vendor: Lookup) -> Table:
    columns = [
        po_num(),
        *texts(Type=1, Stat=1),
        vend_num(required=True),
        Column("VendorName", 60, derive=of_vendor("VendNum", "Name")),
        *texts(VendOrder=30),
        *days("OrderDate", "EffDate", "ExpDate"),
        *texts(Buyer=30, TermsCode=3, ShipCode=4, Fob=25, Whse=4),
        *amounts("PoCost", readonly=True),
        *amounts("ExchRate"),
        *flags("FixedRate"),
        *joined(("PoCurrCode", "VenCurrCode"), lambda _: of_vendor("VendNum", "CurrCode"), length=3),
        *texts(TaxCode1=6, TaxCode2=6),
        *amounts("SalesTax", "SalesTax2", "Freight", "MiscCharges", "PrepaidAmt"),
        *texts(InvNum=22),
        *days("InvDate", "DistDate"),
        *texts(ShipAddr=1, DropShipNo=7),
        *whole("DropSeq"),
        *texts(VendLcrNum=20, ReqNum=10),
        *whole("PchChgNum"),
        *texts(PchStat=1, BuilderPoNum=10, BuilderPoOrigSite=8),
    ]
    return Table.of("SLPos", "po", "po", ["PoNum"], columns)


def _line(of_order: Lookup) -> Table:
    columns = [
        po_num(required=True),
        *whole("PoLine"),
        Column("PoRelease", kind="int", default=0),
        *texts(Item=30, Description=40, VendItem=30, UM=3),
        *amounts("QtyOrdered", "QtyOrderedConv", "QtyReceived", "QtyRejected", "QtyReturned", "QtyVoucher"),
        *amounts("ItemCost", "ItemCostConv", "PlanCost", "PlanCostConv", "UnitMatCost", "UnitMatCostConv"),
        *days("DueDate", "PromiseDate", "RcvdDate", "ReleaseDate"),
        *texts(Stat=1, Whse=4),
        *account("NonInvAcct"),
        *texts(TaxCode1=6, TaxCode2=6, RefType=1, RefNum=10),
        *whole("RefLineSuf", "RefRelease"),
        *texts(ReqNum=10),
        *whole("ReqLine"),
        Column("PoStat", 1, derive=of_order("PoNum", "Stat")),
        Column("PoType", 1, derive=of_order("PoNum", "Type")),
        Column("PoVendNum", 7, pad=7, derive=of_order("PoNum", "VendNum")),
        Column("PoOrderDate", kind="date", derive=of_order("PoNum", "OrderDate")),
        Column("DerExtItemCostConv", kind="number", derive=extended),
    ]
    return Table.of("SLPoItems", "poitem", "poi", ["PoNum", "PoLine", "PoRelease"], columns)


def extended(line: Row) -> Any:  # noqa: ANN401 - a Decimal, or 0 where nothing is set
    """Return a line's total in the order's currency: QtyOrderedConv × ItemCostConv (§5.1)."""
    return (line.get("QtyOrderedConv") or 0) * (line.get("ItemCostConv") or 0)


def _receipt(of_order: Lookup) -> Table:
    columns = [
        po_num(required=True),
        *whole("PoLine", "PoRelease"),
        *days("RcvdDate"),
        *whole("DateSeq"),
        *amounts("QtyReceived", "QtyReturned", "QtyVouchered", "ItemCost", "UnitMatCost", "ExchRate"),
        *texts(GrnNum=10),
        *whole("GrnLine"),
        *texts(PackNum=20),
        vend_num(),
        Column("PoVendNum", 7, pad=7, derive=of_order("PoNum", "VendNum")),
        Column("PoStat", 1, derive=of_order("PoNum", "Stat")),
        Column("PoOrderDate", kind="date", derive=of_order("PoNum", "OrderDate")),
    ]
    keys = ["PoNum", "PoLine", "PoRelease", "RcvdDate", "DateSeq"]  # SIM: the reference names no keys of receipts
    return Table.of("SLPoRcpts", "po_rcpt", "rcp", keys, columns)


def po_tables(of_vendor: Lookup, of_order: Lookup) -> list[Table]:
    """Return the empty tables; the look-ups join properties of vendors and orders."""
    blanket = [
        po_num(required=True), *whole("PoLine"), *texts(Item=30, Description=40, UM=3),
        *amounts("BlanketQty", "BlanketQtyConv", "ItemCostConv"), *days("EffDate", "ExpDate"), *texts(Stat=1),
    ]  # fmt: skip
    return [
        _order(of_vendor),
        Table.of("SLPoBlns", "po_bln", "bln", ["PoNum", "PoLine"], blanket),
        _line(of_order),
        _receipt(of_order),
    ]
