"""Element sequences and parameters of PORTOI (reference/syspro.md §2.7)."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_mlconnector.sandbox.syspro.documents import Sequence, check, choice, load

ROOT = "PostPurchaseOrders"
HEADER_TEXTS: dict[str, int] = {
    "OrderType": 1, "Customer": 15, "TaxStatus": 1, "PaymentTerms": 3, "InvoiceTerms": 2, "CustomerPoNumber": 30,
    "ShippingInstrs": 50, "MemoCode": 10, "Buyer": 20, "Email": 255, "DeliveryName": 50, "DeliveryAddr1": 40,
    "DeliveryAddr2": 40, "DeliveryAddr3": 40, "DeliveryAddr4": 40, "DeliveryAddr5": 40, "PostalCode": 10,
    "Warehouse": 10, "ExchRateFixed": 1,
}  # fmt: skip
"""Texts kept of a header and their sizes; sizes that §4 does not give are assumed."""
LINE_TEXTS: dict[str, int] = {
    "StockCode": 30, "StockDescription": 50, "Warehouse": 10, "SupCatalogue": 50, "OrderUom": 10, "PriceMethod": 3,
    "PriceUom": 10, "TaxCode": 3, "Job": 20, "LedgerCode": 35, "ProductClass": 20,
}  # fmt: skip
_HEADER = Sequence(
    names=(
        "OrderActionType", "Supplier", "ExchRateFixed", "ExchangeRate", "OrderType", "Customer", "TaxStatus",
        "PaymentTerms", "InvoiceTerms", "CustomerPoNumber", "ShippingInstrs", "OrderDate", "DueDate", "MemoDate",
        "ApplyDueDateToLines", "MemoCode", "Buyer", "Email", "DeliveryName", "DeliveryAddr1", "DeliveryAddr2",
        "DeliveryAddr3", "DeliveryAddr4", "DeliveryAddr5", "PostalCode", "Warehouse", "DiscountLessPlus",
        "DiscPercent1", "DiscPercent2", "DiscPercent3", "PurchaseOrder", "ChgPOStatToReadyToPrint",
    ),
    mandatory=frozenset({"OrderActionType"}),
)  # fmt: skip
_STOCK_LINE = Sequence(
    names=(
        "PurchaseOrderLine", "LineActionType", "StockCode", "StockDescription", "Warehouse", "SupCatalogue",
        "OrderQty", "OrderUom", "Units", "Pieces", "PriceMethod", "SupplierContract", "SupplierContractReference",
        "Price", "PriceUom", "LineDiscType", "LineDiscLessPlus", "LineDiscPercent1", "LineDiscPercent2",
        "LineDiscPercent3", "LineDiscValue", "Taxable", "TaxCode", "Job", "HierHead", "Section1", "Section2",
        "Section3", "Section4", "Version", "Release", "LatestDueDate", "OriginalDueDate", "RescheduleDueDate",
        "LedgerCode", "PasswordForLedgerCode", "SubcontractOp", "InspectionReqd", "ProductClass", "NonsUnitMass",
        "NonsUnitVol", "NonStockedLine",
    ),
)  # fmt: skip
_COMMENT_LINE = Sequence(
    names=(
        "PurchaseOrderLine", "LineActionType", "Comment", "AttachedToStkLineNumber", "DeleteAttachedCommentLines",
        "ChangeSingleCommentLine",
    ),
)  # fmt: skip
_MISC_LINE = Sequence(
    names=(
        "PurchaseOrderLine", "LineActionType", "MiscChargeValue", "MiscChargeTax", "MiscTaxable", "MiscChargeFLoc",
        "MiscDescription", "MiscCommentCode",
    ),
)  # fmt: skip
_FREIGHT_LINE = Sequence(
    names=("PurchaseOrderLine", "LineActionType", "FreightValue", "FreightTaxCode", "FreightTaxable", "FreightFLoc"),
)
LINES = {
    "StockLine": _STOCK_LINE, "CommentLine": _COMMENT_LINE, "MiscChargeLine": _MISC_LINE, "FreightLine": _FREIGHT_LINE,
}  # fmt: skip
_DETAILS = Sequence(names=tuple(LINES), repeated=frozenset(LINES), nested=LINES, ordered=False)
_ORDERS = Sequence(
    names=("OrderHeader", "OrderDetails"),
    mandatory=frozenset({"OrderHeader"}),
    nested={"OrderHeader": _HEADER, "OrderDetails": _DETAILS},
)
DOCUMENT = Sequence(
    names=("Orders",), mandatory=frozenset({"Orders"}), repeated=frozenset({"Orders"}), nested={"Orders": _ORDERS}
)
_PARAMETERS = Sequence(
    names=(
        "ValidateOnly", "IgnoreWarnings", "AllowNonStockItems", "AllowZeroPrice", "ValidateWorkingDays",
        "AllowPoWhenBlanketPo", "DefaultMemoCode", "FixedExchangeRate", "DefaultMemoDays", "AllowBlankLedgerCode",
        "DefaultDeliveryAddress", "CalcDueDate", "InsertDangerousGoodsText", "InsertAdditionalPOText",
        "OutputItemforDetailLines", "Status", "StatusInProcess", "ValidateProductClassForNonStockedLines",
        "DefaultProductClassForNonStockedLines", "DefaultTaxCode", "DefaultCancelMode",
    ),
)  # fmt: skip
_PARAMETER_DOCUMENT = Sequence(
    names=("Parameters",), mandatory=frozenset({"Parameters"}), nested={"Parameters": _PARAMETERS}
)


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters that are honored. ``validate_only`` is on unless switched off: the vendor's schema says so."""

    validate_only: bool = True
    ignore_warnings: str = "N"
    non_stock: str = "N"
    zero_price: bool = False
    blank_ledger: bool = True
    status: str = "1"


def read_parameters(text: str, *, strict: bool) -> Parameters:
    """Return the parameters; a blank document means all defaults (inferred, §1.1).

    Raises:
        EnetError: If the document does not match its schema.
    """
    if not text.strip():
        return Parameters()
    root = load(text, ROOT)
    if strict:
        check(root, _PARAMETER_DOCUMENT)
    given = root.find("Parameters")
    return Parameters(
        validate_only=choice(given, "ValidateOnly", "YN", "Y") == "Y",
        ignore_warnings=choice(given, "IgnoreWarnings", "NYW", "N"),
        non_stock=choice(given, "AllowNonStockItems", "NYS", "N"),
        zero_price=choice(given, "AllowZeroPrice", "YN", "N") == "Y",
        blank_ledger=choice(given, "AllowBlankLedgerCode", "YN", "Y") == "Y",
        status=choice(given, "Status", "14", "1"),
    )
