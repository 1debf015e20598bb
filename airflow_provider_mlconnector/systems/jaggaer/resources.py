"""The resources of a JAGGAER tenant: paths, places of keys and change times, status words (reference/jaggaer.md §2.8).

Only the invoice and companyprofiles paths were ever seen in use; everything else is a default that a tenant must
confirm. An empty path says that the tenant does not have it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


_PLAIN = re.compile(r"(?:(?![?#\\])[!-~])+")


def _absolute(path: str) -> str:
    """Tokens go with every call: a path must not be able to name another host, nor to leave room for a second call."""
    if not path.startswith("/"):
        msg = "must start with a slash"
        raise ValueError(msg)
    if path.startswith("//") or not _PLAIN.fullmatch(path) or {".", ".."} & set(path.split("/")):
        msg = "must be a plain path on the connection's own host: one slash at the start, no blank, query or backslash"
        raise ValueError(msg)
    return path


def _with_id(path: str) -> str:
    if "{id}" not in path:
        msg = "must contain {id}, the place of the record's key"
        raise ValueError(msg)
    return path


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, a folder, or no name at all
        msg = "must be a time zone such as UTC or Europe/Rome"
        raise ValueError(msg) from None
    return name


def _absolute_if_any(path: str) -> str:
    return _absolute(path) if path else path


def _with_id_if_any(path: str) -> str:
    return _with_id(path) if path else path


Path = Annotated[Name, AfterValidator(_absolute)]
OptionalPath = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_absolute_if_any)]
"""Empty where the tenant does not offer the call."""
OptionalDetailPath = Annotated[OptionalPath, AfterValidator(_with_id_if_any)]
Field = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^.\s]+(\.[^.\s]+)*$")]
"""Dotted path of a field."""
Zone = Annotated[Name, AfterValidator(_known_zone)]


class Part(BaseModel):
    """Base of every part of a contract: frozen, and an unknown key is an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ResourceContract(Part):
    """A resource that can be listed by change time; dotted paths start at the record."""

    list: OptionalPath
    get: OptionalDetailPath = ""
    """The detail of one record, where a list row is not the whole of it."""
    items: Name
    """Dotted path of the array in a list's envelope."""
    id: Name
    modified: Name
    modified_filter: Name
    """Name of the change time in the filter: hardly documented, so the tenant must confirm it."""
    extra_filter: str = ""
    """A condition every list request carries."""
    components: str = ""
    """Components of the record to ask for; empty asks for none."""
    time_format: str = ""
    """Of change times in the filter; empty takes the one of the contract's ``filter``."""
    time_zone: Zone = "UTC"
    """Of change times that name no zone themselves, in records and in the filter."""


class DocumentContract(ResourceContract):
    """A resource of documents with lines, whose fields a tenant may call otherwise.

    The record the codecs know is captured for invoices, and by analogy for orders (reference/jaggaer.md §2.4, §2.8).
    """

    names: Mapping[Field, Field] = {}
    """What the tenant calls a field of the record otherwise: the documented path, and the tenant's (see :mod:`.names`).
    Fields that have a setting of their own here are named there."""
    line_names: Mapping[Field, Field] = {}
    """The same for fields of each line, below it."""
    lines_at: ClassVar[str]
    """Documented path of the lines."""

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        for setting, names in (("names", self.names), ("line_names", self.line_names)):
            if len(set(names.values())) < len(names):
                msg = f"{setting}: one of the tenant's fields stands for two"
                raise ValueError(msg)
        return self


class InvoiceContract(DocumentContract):
    """Supplier invoices (ji)."""

    lines_at: ClassVar[str] = "lineList.invoiceLine"
    list: OptionalPath = "/j1p/api/public/ji/v1/invoices"
    get: OptionalDetailPath = "/j1p/api/public/ji/v1/invoices/{id}"
    create: OptionalPath = "/j1p/api/public/ji/v1/invoices/ocr"
    items: Name = "jiinvoiceList.jiinvoice"
    id: Name = "header.invoiceId"
    modified: Name = "header.lastUpdate"
    modified_filter: Name = "lastUpdate"
    number_filter: Name = "supplierInvoiceNumber"
    """Name of the supplier's invoice number in the filter; the tenant must confirm it like all filters."""


class OrderContract(DocumentContract):
    """Purchase orders (ji): no public path, so all of it is by analogy with invoices.

    The status words decide what an order is; case does not matter, and a word that stands nowhere here is reported, not
    guessed at. Only ``Completed`` and ``Pending`` were ever seen.
    """

    lines_at: ClassVar[str] = "lineList.poLine"
    list: OptionalPath = "/j1p/api/public/ji/v1/purchaseorders"
    get: OptionalDetailPath = "/j1p/api/public/ji/v1/purchaseorders/{id}"
    upsert: OptionalPath = "/j1p/api/public/ji/v1/purchaseorders"
    items: Name = "jipurchaseorderList.jipurchaseorder"
    id: Name = "header.poId"
    modified: Name = "header.lastUpdate"
    modified_filter: Name = "lastUpdate"
    number_filter: Name = "poNumber"
    """Name of the PO number in the filter."""
    revision: Name = "header.revisionNumber"
    """The tenant's own count of changes; where there is none, the change time alone orders the revisions."""
    approved: tuple[Name, ...] = ("Approved", "Completed", "Sent", "Partially received")
    closed: tuple[Name, ...] = ("Closed", "Close", "Received")
    """Nothing more is expected on the order."""
    canceled: tuple[Name, ...] = ("Cancelled", "Canceled")
    """Of orders and of single lines."""
    pending: tuple[Name, ...] = ("Pending",)
    """In approval, be it the order, its change or its cancellation: wait."""
    unapproved: tuple[Name, ...] = ("Draft", "Rejected")
    """No document, unless it is canceled: it may have been approved in an earlier revision."""

    def __str__(self) -> str:
        return f"status {' or '.join((*self.approved, *self.closed, *self.canceled))}"


class BankElements(Part):
    """Names of the custom data elements (``deBasic``) that hold a bank account; companyprofiles has no fields of it."""

    holder: str = ""
    account: str = ""
    branch: str = ""
    country: str = ""


class RemitElements(Part):
    """The same for the remit-to address."""

    name: str = ""
    line1: str = ""
    line2: str = ""
    line3: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


class SupplierContract(ResourceContract):
    """Suppliers (ja companyprofiles, reference/jaggaer.md §2.6).

    The filter floors times to the day, the one form seen in use: ja writes change times with or without a time of day,
    and a filter to the second would lose those without.
    """

    list: OptionalPath = "/j1p/api/public/ja/v1/companyprofiles"
    upsert: OptionalPath = "/j1p/api/public/ja/v1/companyprofiles"
    items: Name = "returnCompanyData"
    id: Name = "returnCompanyInfo.bravoId"
    modified: Name = "returnCompanyInfo.lastModTime"
    modified_filter: Name = "LASTMODTIME"
    extra_filter: str = "TYPE==SELLER"
    components: str = "returnCompanyInfo;deBasic"
    time_format: str = "%Y%m%d"
    types: tuple[Name, ...] = ("SELLER",)
    """Types of company that are suppliers, in case the tenant ignores the filter; empty takes every type."""
    number: tuple[Name, ...] = ("extCode", "extUniqueCode")
    """Fields that hold the ERP's number, the first that is filled. Some sites keep the DUNS in ``extUniqueCode``."""
    tax_id: tuple[Name, ...] = ("euVat", "fiscalCode")
    active: tuple[Name, ...] = ("ACTIVE", "ABILITATO")
    inactive: tuple[Name, ...] = ("INACTIVE", "DISABLED", "DISABILITATO")
    pending: tuple[Name, ...] = ()
    """Status words of companies that are no suppliers yet."""
    terms_element: str = ""
    """Custom data element with the payment terms code; empty: this tenant does not tell terms."""
    bank_elements: BankElements = BankElements()
    remit_elements: RemitElements = RemitElements()

    def __str__(self) -> str:
        return f"status {' or '.join((*self.active, *self.inactive))}"


class CodeListContract(Part):
    """Values of custom fields, where GL accounts and cost centers live (ji; no public path)."""

    list: OptionalPath = "/j1p/api/public/ji/v1/customfieldvalues"
    upsert: OptionalPath = "/j1p/api/public/ji/v1/customfieldvalues"
    items: Name = "jicustomFieldValueList.jicustomFieldValue"
    field: Name = "customFieldName"
    """Key of the segment a value belongs to."""
    value: Name = "value"
    description: Name = "description"
    active: Name = "active"


class PaymentContract(Part):
    """Payments of an invoice (ji; no public path)."""

    upsert: OptionalDetailPath = "/j1p/api/public/ji/v1/invoices/{id}/payments"
    number: Name = "paymentNumber"
    """Dotted path in the body, likewise the others: the payment's number, which carries our reference."""
    date: Name = "paymentDate"
    amount: Name = "amount.value"
    currency: Name = "amount.currency"
    shown: str = ""
    """Dotted path of the payments in an invoice's detail, empty where the tenant shows none. Without it nobody can tell
    what became of a payment whose answer was lost, unless it was the last one."""
    status: Name = "header.paymentStatus"
    """Dotted path of an invoice's payment status."""


class ExportContract(Part):
    """Orders and invoices that come as exported XML files instead (reference/jaggaer.md §3.2, §3.3).

    Only parts of both messages were ever seen, so what a file leaves out is settled here or the document is rejected.
    """

    documents: tuple[Literal["purchase_order", "invoice"], ...] = ("purchase_order", "invoice")
    """Which kinds come from the connection's export folder, where it names one."""
    approved: tuple[Name, ...] = ("Approved",)
    """Status words of an invoice's header, as seen in exports; one that stands nowhere here is reported."""
    pending: tuple[Name, ...] = ("In Process",)
    paid: tuple[Name, ...] = ("Paid",)
    canceled: tuple[Name, ...] = ("Cancelled", "Canceled")
    status: str = ""
    """What an invoice without a status counts as; empty: it is reported."""
    total: Name = "GrandTotal"
    """Path of an invoice's total below its header; without a total nothing could be checked, so it must be there."""
    business_unit_field: str = "BusinessUnit"
    """Custom field (in cXML: ``Extrinsic``) of the header that names the business unit where the message has no element
    for it."""
    business_unit: str = ""
    """Business unit of documents that name none."""
    currency: str = ""
    """Currency of documents that name none."""
    supplier_domains: tuple[Name, ...] = ("internalsupplierid", "PrivateID", "VendorID")
    """Domains of cXML credentials whose identity is the supplier's ERP number (reference/jaggaer.md §5); a DUNS is
    none."""
    supplier_extrinsic: str = "SupplierNumber"
    """``Extrinsic`` of a cXML order's header that names the supplier, where its credential does not."""
    time_zone: Zone = "UTC"
    """Of times that name no zone themselves."""
