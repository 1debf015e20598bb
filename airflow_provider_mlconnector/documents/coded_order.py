"""A purchase order coded for one ledger: the result of mapping, the input of a target's plan."""

from __future__ import annotations

from airflow_provider_mlconnector.documents.model import Amount, Document, Key, Text
from airflow_provider_mlconnector.documents.purchase_order import OrderLine, PurchaseOrder


class OrderShare(Document):
    """What one GL account bears of a line; ``weight`` is a percentage or an amount, alike for all shares of a line."""

    gl_code: Key
    cost_center: Text = ""
    """The target's cost-center code where it is not part of ``gl_code`` (analysis code), else empty."""
    weight: Amount


class CodedOrderLine(Document):
    """One line that is wanted, with the target's codes.

    ``shares`` is empty for a line that names no account, which is right for what goes into stock.
    """

    line: OrderLine
    unit: Text = ""
    product_class: Text = ""
    tax_code: Text = ""
    shares: tuple[OrderShare, ...] = ()


class CodedOrder(Document):
    """A purchase order with every code of the target filled in.

    ``lines`` holds the wanted lines only: a canceled line, or a canceled order, needs no codes to be taken back.
    """

    order: PurchaseOrder
    company: Key
    branch: Text = ""
    currency: Text
    """The target's own currency code (SYSPRO ``$`` for USD); empty on a canceled order."""
    terms_code: Text = ""
    """Empty: the supplier's own terms."""
    warehouse: Text = ""
    buyer: Text = ""
    tax_status: Text = ""
    non_stocked_code: Key
    """What stands in place of a stock code where a line names no item."""
    lines: tuple[CodedOrderLine, ...]
    mapping_version: int
