"""The supplier message's document type: child order as the reference gives it (``reference/jaggaer.md §3.4``).

SIM: everything is optional; the content of contacts, phones and bank accounts; lists whose elements the reference does
not name hold text. LookupRequestMessage is not simulated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from airflow_provider_mlconnector.sandbox.jaggaer.xmlio import HEADER_MODELS, document_type

_TRIO = "ERPNumber?, OldERPNumber?, SQIntegrationNumber?, ThirdPartyRefNumber?"
_REF = "ERPNumber?, SQIntegrationNumber?, ThirdPartyRefNumber?"
_SUPPLIER = (
    "ERPNumber OldERPNumber SupplierSQId SQIntegrationNumber ThirdPartyRefNumber JASupplierId Name DoingBusinessAs "
    "OtherNames CountryOfOrigin ParentSupplier Active BusinessUnitVendorNumberList WebSiteURL DUNS LegalStructure "
    "TaxIdentificationType TaxIdentificationNumber VatIdentificationNumber ExemptFromBackupWithholding "
    "NumberOfEmployees YearEstablished AnnualSalesList ServiceAreaList RegistrationProfileType "
    "RegistrationProfileStatus SupplierTaxRepresentativeId SupplierRegCourt SupplierRegSeat SupplierRegNumber "
    "SupplierCapital SupplierShareholders VATExempt CommodityCodeList Brands ShoppingCommodityCode AustinTetra SIC "
    "NaicsCodes SupportedCurrencyList EnabledCurrencyList SupplierKeywords AddressList PrimaryAddressList ContactList "
    "PrimaryContactList ClassificationList DiversityClassificationList LocationList "
    "RestrictFulfillmentLocationsByBusinessUnit CustomElementList AccountsPayableList TaxInformationList "
    "InsuranceInformationList EnablePaymentProvisioning"
)


def _optional(names: str) -> str:
    return ", ".join(f"{name}?" for name in names.split())


MODELS: dict[str, str] = {
    **HEADER_MODELS,
    "SupplierSyncMessage": "Header, SupplierRequestMessage",
    "SupplierRequestMessage": "Supplier+",
    "Supplier": _optional(_SUPPLIER),
    "ParentSupplier": "ERPNumber?, SQIntegrationNumber?",
    "BusinessUnitVendorNumberList": "BusinessUnitVendorNumber*",
    "SupportedCurrencyList": "IsoCurrencyCode*",
    "EnabledCurrencyList": "IsoCurrencyCode*",
    "AddressList": "Address*",
    "Address": f"{_TRIO}, "
    + _optional(
        "Name Active PrefPurchaseOrderDeliveryMethod AddressLine1 AddressLine2 AddressLine3 City State PostalCode "
        "IsoCountryCode Phone TollFreePhone Fax Notes AssignedBusinessUnitsList"
    ),
    "ContactList": "Contact*",
    "Contact": f"{_TRIO}, " + _optional("Name FirstName LastName Title Active Email Phone Fax Notes"),
    "LocationList": "Location*",
    "Location": f"{_REF}, "
    + _optional(
        "Name Description Active Primary PrefPurchaseOrderDeliveryMethod LocationEffectiveDate PaymentMethod "
        "ShippingSurchargeConfiguration HandlingSurchargeConfiguration TaxInfo TermsAndCondition "
        "OrderDistributionList AssociatedAddressList AssociatedContactList CustomElementList"
    ),
    "TaxInfo": _optional("TaxableByDefault Tax1Active Tax1 Tax2Active Tax2 TaxShipping TaxHandling"),
    "TermsAndCondition": "PaymentTerms?",
    "PaymentTerms": _optional(
        "Active Discount Days Net CustomPaymentTerm FOB StandardPaymentTermsCode TermsType DaysAfter"
    ),
    "Discount": "DiscountPercent | DiscountAmount",
    "OrderDistributionList": "DistributionMethod*",
    "AssociatedAddressList": "AddressRef*",
    "AssociatedContactList": "ContactRef*",
    "AddressRef": _REF,
    "ContactRef": _REF,
    "CustomElementList": "CustomElement*",
    "CustomElement": "CustomElementIdentifier, DisplayName?, CustomElementValueList?",
    "CustomElementValueList": "CustomElementValue*",
    "AccountsPayableList": "AccountsPayable*",
    "AccountsPayable": f"{_TRIO}, "
    + _optional(
        "Name Active AssociatedAddress Email IsoCurrencyCode ContactName Purpose AccountId AccountHolderName "
        "AccountType CountryCode BankAccount FlexFields"
    ),
    "AssociatedAddress": "AddressRef",
    "BankAccount": "BankName?, RoutingNumber?, AccountNumber?, IBAN?, SwiftCode?",
}
ATTRIBUTES: dict[str, str] = {
    "SupplierSyncMessage": "version",
    "Supplier": "isChanged approvedForERPSync requiresERP",
    "BusinessUnitVendorNumber": "businessUnitInternalName",
    "Address": "type",
    "Contact": "type",
    "Location": "supportsOrderFulfillment",
    "PrefPurchaseOrderDeliveryMethod": "type",
    "PaymentMethod": "type",
    "Discount": "unit",
    "DistributionMethod": "type",
    "CustomElement": "isActive",
    "AccountsPayable": "type",
}
SUPPLIER_DTD = document_type(MODELS, ATTRIBUTES)


def in_order(name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """Return an element's content, and all below it, with children in the order the DTD enforces."""
    order = {child: index for index, child in enumerate(re.findall(r"\w+", MODELS.get(name, "")))}
    children = sorted(content, key=lambda child: order.get(child, -1))
    return {child: _ordered(child, content[child]) for child in children}


def _ordered(name: str, value: Any) -> Any:  # noqa: ANN401 - text, a mapping or a list of either
    if isinstance(value, Mapping):
        return in_order(name, value)
    return [_ordered(name, each) for each in value] if isinstance(value, list) else value
