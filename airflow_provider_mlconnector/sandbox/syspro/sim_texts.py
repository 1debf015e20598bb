"""Everything SYSPRO says here that no source records. All of it is SIM: invented, kept in this one table.

Numbers from 999000 upward are invented; 100028, 100030, 100031 are real numbers whose exact wording is not recorded
(reference/syspro.md §3). The wording follows the one pattern that is: caption, value in single quotes.
"""

from __future__ import annotations

from datetime import date

# Whole-answer texts, sent after "ERROR: ". SIM.
INVALID_OPERATOR = "Invalid operator"
INVALID_COMPANY = "Invalid company id"
INVALID_COMPANY_PASSWORD = "Invalid company password"  # noqa: S105 - an error text, not a password
OPERATOR_LOCKED = "Operator has been locked"
LICENSE_FULL = "Maximum number of e.net users exceeded"
BAD_XML = "Unable to load the XML document: {detail}"
SCHEMA = "The XML document does not match its schema: {detail}"
UNKNOWN_TABLE = "Table '{name}' not found"
UNKNOWN_COLUMN = "Column '{name}' not found on table '{table}'"
BAD_CONDITION = "Condition '{name}' is not valid"
BAD_VALUE = "Value '{value}' is not valid for column '{column}'"
BAD_BRACKETS = "Brackets in the where clause do not match"
NO_COLUMNS = "At least one column must be supplied"
SUPPLIER_KEY = "Supplier '{value}' not found"
BROWSE_NAME = "Browse '{name}' is not configured"
KEY_MISSING = "Key '{value}' not found on '{table}'"
ORDER_KEY = "Purchase order '{value}' not found"
LEDGER_KEY = "Ledger code '{value}' not found"
LEDGER_ON_HOLD_KEY = "Ledger code '{value}' is on hold"

# Item-level errors: name -> (ErrorNumber, ErrorDescription). SIM wording throughout.
ITEM_ERRORS: dict[str, tuple[int, str]] = {
    "date": (100028, "Element '{element}' must be a valid date in the format CCYY-MM-DD"),
    "blank": (100030, "Element {{Item}}{{{element}}} cannot be spaces"),
    "numeric": (100031, "Element '{element}' must be numeric"),
    "choice": (999000, "Element '{element}' has the invalid value '{value}'"),
    "invoice_exists": (999001, "Invoice '{value}' already exists for supplier '{supplier}'"),
    "invoice_registered": (999002, "Invoice '{value}' is already registered for supplier '{supplier}'"),
    "invoice_missing": (999003, "Invoice '{value}' not found for supplier '{supplier}'"),
    "supplier_missing": (999004, "Supplier '{value}' not found"),
    "supplier_on_hold": (999005, "Supplier '{value}' is on hold"),
    "branch_missing": (999006, "Branch '{value}' not found"),
    "ledger_missing": (999007, "Ledger code '{value}' not found"),
    "ledger_on_hold": (999008, "Ledger code '{value}' is on hold"),
    "ledger_control": (999009, "Ledger code '{value}' is a control account"),
    "tax_code": (999010, "Tax code '{value}' not found"),
    "tax_variance": (
        999011,
        "Tax value '{value}' differs from the calculated tax by more than the permissible variance",
    ),
    "distribution": (999012, "Ledger distribution does not agree with the transaction value '{value}'"),
    "decimals": (999013, "Element '{element}' has more than 2 decimals"),
    "not_positive": (999014, "Element '{element}' must be greater than zero"),
    "too_long": (999015, "Element '{element}' exceeds its maximum length of {size}"),
    "period_closed": (999016, "Posting period '{value}' is closed"),
    "period_future": (999017, "Posting period '{value}' is a future period"),
    "period_year": (999018, "Posting year '{value}' is not the current or previous year"),
    "grn_required": (999019, "Supplier '{value}' requires invoices to be matched to goods received notes"),
    "exchange_rate": (999020, "Exchange rate '{value}' is not the fixed rate of the currency"),
    "not_available": (999021, "Element '{element}' value '{value}' is not available at this site"),
    "unbalanced": (999022, "Journal does not balance, difference '{value}'"),
    "document_rejected": (999023, "Not applied because another item of the document is invalid"),
    # The number and pattern are real, for another table (reference/syspro.md §2.4).
    "duplicate_key": (120001, "Duplicate key '{value}' on '{table}'"),
    "terms_missing": (999024, "Terms code '{value}' not found"),
    "bank_missing": (999025, "Bank '{value}' not found"),
    "currency_missing": (999026, "Currency '{value}' not found"),
    "ledger_type": (999027, "Ledger code '{value}' has the wrong account type"),
    # Number and text are real (reference/syspro.md §3).
    "stock_missing": (240004, "Stock code '{value}' not found"),
    "scale": (999029, "Element '{element}' has more than {scale} decimals"),
    "order_missing": (999030, "Purchase order '{value}' not found"),
    "order_cancelled": (999031, "Purchase order '{value}' is cancelled"),
    "order_received": (999032, "Purchase order '{value}' has receipts and cannot be cancelled"),
    "order_supplier": (999033, "Supplier '{value}' is not the supplier of the purchase order"),
    "orders_not_allowed": (999034, "Supplier '{value}' does not allow purchase orders"),
    "line_missing": (999035, "Purchase order line '{value}' not found"),
    "line_received": (999036, "Purchase order line '{value}' has receipts and cannot be deleted"),
    "line_stock_code": (999037, "Stock code '{value}' is not the stock code of the line"),
    "below_received": (999038, "Order quantity '{value}' is less than the quantity received"),
    "zero_price": (999039, "Price may not be zero"),
    "price_method": (999040, "Price method '{value}' is invalid"),
    "job_missing": (999041, "Job '{value}' not found"),
    "customer_missing": (999042, "Customer '{value}' not found"),
    "class_missing": (999043, "Product class '{value}' not found"),
    "warehouse_missing": (999044, "Warehouse '{value}' not found"),
    "zero_charge": (999045, "Element '{element}' is zero"),
    "grn_missing": (999046, "Goods received note '{value}' not found"),
    "grn_ambiguous": (999047, "Goods received note '{value}' has several entries"),
    "grn_matched": (999048, "Goods received note '{value}' is fully matched"),
    "grn_quantity": (999049, "Quantity '{value}' is not within the quantity left to match"),
    "invoice_not_registered": (999050, "Invoice '{value}' is not registered for supplier '{supplier}'"),
    "supplier_in_use": (999028, "Supplier '{value}' has transactions and cannot be deleted"),
}

# AP to GL integration. SIM.
GL_NOT_CREATED = ("999101", "GL journal was not created")
GL_PERIOD_CLOSED = ("999102", "GL journal was not created: GL period {period} of {year} is closed")

# Request-level pages of the HTTP stack (reference/syspro.md §1.5: HTML of some kind, not recorded).
HTML_PAGE = (
    '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN""http://www.w3.org/TR/html4/strict.dtd">\r\n'
    "<HTML><HEAD><TITLE>{title}</TITLE>\r\n"
    '<META HTTP-EQUIV="Content-Type" Content="text/html; charset=us-ascii"></HEAD>\r\n'
    "<BODY><h2>{title}</h2>\r\n"
    "<hr><p>HTTP Error {status}. {detail}</p>\r\n"
    "</BODY></HTML>\r\n"
)

# Names and codes the sources leave open. SIM.
PROFILE_ROOT = "LogonProfile"
ENET_VERSION = "8.0.0.105"
NO_DATE = date.min
PERIOD_OPEN = "O"
PERIOD_CLOSED = "C"
JOURNAL_POSTED = "P"
JOURNAL_NOT_POSTED = "N"
JOURNAL_HELD = "H"
JOURNAL_CANCELLED = "C"
INVOICE_OPEN = "O"
INVOICE_SETTLED = "P"
