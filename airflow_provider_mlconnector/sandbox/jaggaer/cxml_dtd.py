"""The part of cXML this tenant reads, as a document type of our own (``reference/jaggaer.md §4.2``, §4.3).

Children in the order of the published DTDs, with what they require; nothing is ever fetched. What §4.3 leaves out of a
model ("…") is filled in from the same DTDs as far as an invoice or a confirmation is likely to carry it.
"""

from __future__ import annotations

import io
import re

from lxml import etree

_MODELS = """
cXML: Header, Request
Header: From, To, Sender
From: Credential+
To: Credential+
Sender: Credential+, UserAgent
Credential: Identity, SharedSecret?
Request: InvoiceDetailRequest | ConfirmationRequest | OrderRequest
InvoiceDetailRequest: InvoiceDetailRequestHeader, (InvoiceDetailOrder+ | InvoiceDetailHeaderOrder+), \
InvoiceDetailSummary
InvoiceDetailRequestHeader: InvoiceDetailHeaderIndicator, InvoiceDetailLineIndicator, InvoicePartner*, \
DocumentReference?, InvoiceIDInfo?, (PaymentTerm* | InvoiceDetailPaymentTerm*), Period?, Comments?, IdReference*, \
Extrinsic*
InvoiceDetailHeaderIndicator: EMPTY
InvoiceDetailLineIndicator: EMPTY
InvoicePartner: Contact, IdReference*
Contact: Name, PostalAddress*, Email*, Phone*, Fax*, URL*, IdReference*, Extrinsic*
PostalAddress: DeliverTo*, Street+, City, State?, PostalCode?, Country
Phone: TelephoneNumber
Fax: TelephoneNumber | URL | Email
TelephoneNumber: CountryCode, AreaOrCityCode, Number, Extension?
IdReference: Creator?, Description?
DocumentReference: EMPTY
InvoiceIDInfo: EMPTY
PaymentTerm: Discount?, Extrinsic*
InvoiceDetailPaymentTerm: EMPTY
Discount: DiscountPercent | DiscountAmount
DiscountPercent: EMPTY
DiscountAmount: Money
Period: EMPTY
InvoiceDetailOrder: InvoiceDetailOrderInfo, InvoiceDetailItem+
InvoiceDetailHeaderOrder: InvoiceDetailOrderInfo, InvoiceDetailOrderSummary
InvoiceDetailOrderSummary: SubtotalAmount, Tax?, SpecialHandlingAmount?, ShippingAmount?, GrossAmount?, \
InvoiceDetailDiscount?, NetAmount?, Comments?, Extrinsic*
InvoiceDetailOrderInfo: OrderReference | OrderIDInfo | (SupplierOrderInfo, OrderReference?)
OrderReference: DocumentReference
OrderIDInfo: EMPTY
SupplierOrderInfo: EMPTY
InvoiceDetailItem: UnitOfMeasure, UnitPrice, PriceBasisQuantity?, InvoiceDetailItemReference, SubtotalAmount?, Tax?, \
InvoiceDetailLineSpecialHandling?, InvoiceDetailLineShipping?, GrossAmount?, InvoiceDetailDiscount?, NetAmount?, \
Distribution*, Comments?, Extrinsic*
PriceBasisQuantity: UnitOfMeasure, Description?
UnitPrice: Money
InvoiceDetailItemReference: ItemID?, Description?, Classification*, ManufacturerPartID?, ManufacturerName?
ItemID: SupplierPartID, SupplierPartAuxiliaryID?, BuyerPartID?
SubtotalAmount: Money
InvoiceDetailLineSpecialHandling: Description?, Money
InvoiceDetailLineShipping: InvoiceDetailShipping, Money
InvoiceDetailShipping: Contact*
GrossAmount: Money
NetAmount: Money
DepositAmount: Money
DueAmount: Money
InvoiceDetailDiscount: Money
SpecialHandlingAmount: Money, Description?
ShippingAmount: Money
Tax: Money, Description, TaxDetail*, Extrinsic*
TaxDetail: TaxableAmount?, TaxAmount, TaxLocation?, Description?
TaxableAmount: Money
TaxAmount: Money
Distribution: Accounting, Charge
Accounting: Segment+ | AccountingSegment+
Segment: EMPTY
AccountingSegment: Name, Description
Charge: Money
InvoiceDetailSummary: SubtotalAmount, Tax, SpecialHandlingAmount?, ShippingAmount?, GrossAmount?, \
InvoiceDetailDiscount?, NetAmount, DepositAmount?, DueAmount?
ConfirmationRequest: ConfirmationHeader, (OrderReference | OrderIDInfo), ConfirmationItem*
ConfirmationHeader: DocumentReference?, Total?, Shipping?, Tax?, Contact*, Comments?, IdReference*, Extrinsic*
ConfirmationItem: UnitOfMeasure, Contact*, ConfirmationStatus+
ConfirmationStatus: UnitOfMeasure, UnitPrice?, Tax?, Shipping?, Comments?, Extrinsic*
Shipping: Money, Description
Total: Money
OrderRequest: OrderRequestHeader, ItemOut+
OrderRequestHeader: Total, ShipTo?, BillTo, Shipping?, Tax?, Payment?, PaymentTerm*, Contact*, Comments?, \
DocumentReference?, Extrinsic*
ShipTo: Address
BillTo: Address
Address: Name, PostalAddress?, Email?
ItemOut: ItemID, ItemDetail, ShipTo?, Shipping?, Tax?, Distribution*, Contact*, Comments?
ItemDetail: UnitPrice, Description+, UnitOfMeasure, Classification+, ManufacturerPartID?, ManufacturerName?, URL?, \
LeadTime?, Extrinsic*
"""
# Attributes: ! required, (a|b) one of, others any text. xml:lang is required where the DTDs require it.
_ATTRIBUTES = """
cXML: payloadID! timestamp! version xml:lang
Credential: domain! type
Request: deploymentMode(production|test) Id
InvoiceDetailRequestHeader: invoiceID! invoiceDate! invoiceOrigin(supplier|buyer) operation(new|delete) isERS \
purpose(standard|creditMemo|debitMemo|lineLevelCreditMemo|lineLevelDebitMemo) isInformationOnly(yes)
InvoiceDetailHeaderIndicator: isHeaderInvoice(yes) isVatRecoverable(yes)
InvoiceDetailLineIndicator: isTaxInLine(yes) isSpecialHandlingInLine(yes) isShippingInLine(yes) \
isDiscountInLine(yes) isAccountingInLine(yes) isPriceAdjustmentInLine(yes)
Contact: role addressID addressIDDomain
PostalAddress: name
Country: isoCountryCode!
CountryCode: isoCountryCode!
State: isoStateCode
Name: xml:lang!
Description: xml:lang! type
Comments: xml:lang type
IdReference: identifier! domain!
Extrinsic: name!
DocumentReference: payloadID!
InvoiceIDInfo: invoiceID! invoiceDate
PaymentTerm: payInNumberOfDays!
InvoiceDetailPaymentTerm: payInNumberOfDays! percentageRate!
DiscountPercent: percent!
Period: startDate! endDate!
OrderReference: orderID orderDate
OrderIDInfo: orderID! orderDate
SupplierOrderInfo: orderID!
InvoiceDetailItem: invoiceLineNumber! quantity!
PriceBasisQuantity: quantity! conversionFactor!
InvoiceDetailItemReference: lineNumber! serialNumber
Money: currency! alternateAmount alternateCurrency
InvoiceDetailDiscount: percentageRate
Classification: domain!
TaxDetail: category! purpose percentageRate isVatRecoverable taxPointDate paymentDate
TaxLocation: xml:lang!
Accounting: name!
Segment: type! id! description!
AccountingSegment: id!
Shipping: trackingDomain trackingId
ConfirmationHeader: noticeDate! confirmID invoiceID operation(new|update) \
type!(accept|allDetail|detail|backordered|except|reject|requestToPay|replace)
ConfirmationItem: quantity! lineNumber!
ConfirmationStatus: quantity! shipmentDate deliveryDate \
type!(accept|allDetail|detail|backordered|reject|unknown)
OrderRequestHeader: orderID! orderDate! type(new|update|delete) orderVersion \
orderType(regular|release|blanket|stockTransport|stockTransportRelease)
Address: isoCountryCode addressID addressIDDomain
ItemOut: quantity! lineNumber requestedDeliveryDate isAdHoc(yes)
UserAgent: version
"""
_ATTRIBUTE = re.compile(r"([\w:]+)(!?)(\([\w|]+\))?")
_NAME = re.compile(r"\w+")


def _pairs(table: str) -> list[tuple[str, str]]:
    return [(name, rest) for name, rest in (line.split(": ", 1) for line in table.strip().splitlines())]


def _built() -> etree.DTD:
    models = dict(_pairs(_MODELS))
    inside = {name for model in models.values() for name in _NAME.findall(model)} - {"EMPTY"}
    lines = [f"<!ELEMENT {name} {model if model == 'EMPTY' else f'({model})'}>" for name, model in models.items()]
    lines += [f"<!ELEMENT {name} (#PCDATA)>" for name in sorted(inside - models.keys())]
    for element, attributes in _pairs(_ATTRIBUTES):
        for name, required, choices in _ATTRIBUTE.findall(attributes):
            need = "#REQUIRED" if required else "#IMPLIED"
            lines.append(f"<!ATTLIST {element} {name} {choices or 'CDATA'} {need}>")
    return etree.DTD(io.StringIO("\n".join(lines)))


CXML_DTD = _built()
"""What a message is held against."""
