"""Content models of cXML documents (reference/jaggaer.md §4.3), and a check of documents by them.

No DTD is fetched: the few models are stated here, each as its children in their order, with ``?``, ``*`` and ``+``.
``(a|b)`` is a choice. Parts of the DTDs that are never written are left out.
"""

from __future__ import annotations

import re
from typing import Any

from airflow_provider_mlconnector.systems.xml import Element

MODELS = {
    "cXML": "((Header,Request)|Response)",
    "Header": "From,To,Sender",
    "From": "Credential+",
    "To": "Credential+",
    "Sender": "Credential+,UserAgent",
    "Credential": "Identity,SharedSecret?",
    "Request": "(OrderRequest|InvoiceDetailRequest|ConfirmationRequest)",
    "Response": "Status",
    # invoice
    "InvoiceDetailRequest": "InvoiceDetailRequestHeader,InvoiceDetailOrder+,InvoiceDetailSummary",
    "InvoiceDetailRequestHeader": "InvoiceDetailHeaderIndicator,InvoiceDetailLineIndicator,InvoicePartner*,"
    "DocumentReference?,InvoiceIDInfo?,PaymentTerm*,Comments?,Extrinsic*",
    "InvoicePartner": "Contact,IdReference*",
    "Contact": "Name,PostalAddress*,Email*,Phone*,Fax*,URL*",
    "PaymentTerm": "Discount?,Extrinsic*",
    "Discount": "(DiscountPercent|DiscountAmount)",
    "InvoiceDetailOrder": "InvoiceDetailOrderInfo,InvoiceDetailItem+",
    "InvoiceDetailOrderInfo": "OrderReference",
    "OrderReference": "DocumentReference",
    "InvoiceDetailItem": "UnitOfMeasure,UnitPrice,InvoiceDetailItemReference,SubtotalAmount?,Tax?,GrossAmount?,"
    "NetAmount?,Distribution*",
    "InvoiceDetailItemReference": "ItemID?,Description?",
    "Distribution": "Accounting,Charge",
    "Accounting": "(AccountingSegment+|Segment+)",
    "AccountingSegment": "Name,Description",
    "Charge": "Money",
    "InvoiceDetailSummary": "SubtotalAmount,Tax,SpecialHandlingAmount?,ShippingAmount?,GrossAmount?,"
    "InvoiceDetailDiscount?,NetAmount,DepositAmount?,DueAmount?",
    "Tax": "Money,Description,TaxDetail*",
    "TaxDetail": "TaxableAmount?,TaxAmount,Description?",
    # confirmation
    "ConfirmationRequest": "ConfirmationHeader,OrderReference,ConfirmationItem*",
    "ConfirmationHeader": "Total?,Contact*,Comments?,Extrinsic*",
    "ConfirmationItem": "UnitOfMeasure,ConfirmationStatus+",
    "ConfirmationStatus": "UnitOfMeasure,Comments?",
}
MONEY = (
    "UnitPrice SubtotalAmount TaxAmount SpecialHandlingAmount ShippingAmount GrossAmount InvoiceDetailDiscount"
    " NetAmount DueAmount Total"
)
MODELS |= dict.fromkeys(MONEY.split(), "Money")
_TEXTS = "Identity SharedSecret UserAgent UnitOfMeasure Money Description Name Comments Extrinsic Status"
_EMPTY = "InvoiceDetailHeaderIndicator InvoiceDetailLineIndicator DocumentReference InvoiceIDInfo DiscountPercent"
TEXTS, EMPTY = frozenset(_TEXTS.split()), frozenset(_EMPTY.split())
REQUIRED = {
    "cXML": "payloadID timestamp",
    "Credential": "domain",
    "Status": "code text",
    "Money": "currency",
    "DocumentReference": "payloadID",
    "InvoiceDetailRequestHeader": "invoiceID invoiceDate",
    "InvoiceIDInfo": "invoiceID",
    "PaymentTerm": "payInNumberOfDays",
    "DiscountPercent": "percent",
    "InvoiceDetailItem": "invoiceLineNumber quantity",
    "InvoiceDetailItemReference": "lineNumber",
    "Accounting": "name",
    "AccountingSegment": "id",
    "TaxDetail": "category",
    "Extrinsic": "name",
    "ConfirmationHeader": "noticeDate type",
    "ConfirmationItem": "lineNumber quantity",
    "ConfirmationStatus": "quantity type",
}
"""Attributes an element must have."""
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
SPOKEN = frozenset({"Name", "Description"})
CHOICES = {
    ("InvoiceDetailRequestHeader", "purpose"): "standard creditMemo debitMemo lineLevelCreditMemo lineLevelDebitMemo",
    ("InvoiceDetailRequestHeader", "operation"): "new delete",
    ("Request", "deploymentMode"): "production test",
    ("ConfirmationHeader", "type"): "accept allDetail detail backordered except reject requestToPay replace",
    ("ConfirmationHeader", "operation"): "new update",
    ("ConfirmationStatus", "type"): "accept allDetail detail backordered reject unknown",
    ("InvoiceDetailLineIndicator", "isAccountingInLine"): "yes",
}


def violations(root: Element) -> list[str]:
    """Return what a document says against the models, in words; nothing for a valid one."""
    return [problem for element in root.iter() for problem in _of(element)]


def _of(element: Any) -> list[str]:
    tag = str(element.tag)
    children = [str(child.tag) for child in element]
    problems = [f"{tag} has no {name}" for name in REQUIRED.get(tag, "").split() if element.get(name) is None]
    if tag in SPOKEN and not element.get(LANG):
        problems.append(f"{tag} names no language")
    for (owner, name), allowed in CHOICES.items():
        if owner == tag and element.get(name) not in {None, *allowed.split()}:
            problems.append(f"{tag}@{name} is {element.get(name)}")
    if tag in TEXTS | EMPTY:
        empty = not children and (tag in TEXTS or not element.text)
        return problems if empty else [*problems, f"{tag} holds {children or element.text}"]
    if tag not in MODELS:
        return [*problems, f"{tag} is unknown"]
    if not re.fullmatch(_pattern(MODELS[tag]), "".join(f"{child};" for child in children)):
        problems.append(f"{tag} holds {children}, not {MODELS[tag]}")
    return problems


def _pattern(model: str) -> str:
    """Return a model as a pattern of its children's names, each followed by a semicolon."""
    return re.sub(r"\w+", lambda name: f"(?:{name[0]};)", model).replace(",", "")
