"""Suppliers by TSM supplier message (``reference/jaggaer.md §3.4``): upsert into the record companyprofiles show.

A supplier is found by ERPNumber, else OldERPNumber (it is renumbered), else SQIntegrationNumber, else
ThirdPartyRefNumber. Its lists are merged by the same keys, omitted elements are kept, empty ones cleared (SIM).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from airflow_provider_mlconnector.sandbox.jaggaer import xmlio
from airflow_provider_mlconnector.sandbox.jaggaer.books import Books
from airflow_provider_mlconnector.sandbox.jaggaer.suppliers import ACTIVE, INACTIVE, Part, Supplier
from airflow_provider_mlconnector.sandbox.jaggaer.tsm_dtd import in_order
from airflow_provider_mlconnector.sandbox.master import TERMS

SHARED: Mapping[str, str] = {
    "ERPNumber": "extCode",
    "Name": "companyName",
    "CountryOfOrigin": "isoCountry",
    "WebSiteURL": "webSite",
    "DUNS": "dAndBCode",
    "LegalStructure": "bizLegalStruct",
    "TaxIdentificationNumber": "fiscalCode",
    "VatIdentificationNumber": "euVat",
}
"""Element → the profile field that is the same fact (§5)."""
PARTS: Mapping[str, str] = {
    "AddressList": "Address",
    "ContactList": "Contact",
    "LocationList": "Location",
    "AccountsPayableList": "AccountsPayable",
}
"""List of a supplier → its element."""
_ERRORS = {
    "AddressList": ("AddressErrors", "AddressRef"),
    "ContactList": ("ContactErrors", "ContactRef"),
    "LocationList": ("LocationErrors", "LocationRef"),
    "AccountsPayableList": ("AccountsPayableErrors", "AccountsPayableRef"),
}
_KEYS = ("ERPNumber", "SQIntegrationNumber", "ThirdPartyRefNumber")
_ELSEWHERE = frozenset({"Active", "SQIntegrationNumber", "SupportedCurrencyList"})
_COUNTRY_LENGTH = 2


@dataclass(slots=True)
class Finding:
    """What is wrong with a supplier: with itself, or with a part of ``list_name`` or a custom element, by ``key``."""

    message: str
    list_name: str = ""
    key: str = ""


@dataclass(slots=True)
class Sent:
    """A supplier as it was sent, and what came of it."""

    element: etree._Element
    key: dict[str, str]
    findings: list[Finding] = field(default_factory=list)
    done: str = ""

    @property
    def label(self) -> str:
        """The key to name it by in the oracle."""
        return next(iter(self.key.values()), "")


def receive(books: Books, elements: list[etree._Element]) -> list[Sent]:
    """Store the suppliers without fault, or none if one is faulty and ``tsm_partial`` is off; tell of each."""
    every = [
        Sent(element, {name: found for name in _KEYS if (found := xmlio.text(element, name))}) for element in elements
    ]
    for sent in every:
        sent.findings = list(_check(books, sent))
        if not sent.findings and books.options.tsm_partial:
            _store(books, sent)
    if not books.options.tsm_partial and not any(sent.findings for sent in every):
        for sent in every:
            _store(books, sent)
    return every


def errors_of(sent: Sent) -> etree._Element:
    """Return the ``SupplierErrors`` of a refused supplier."""
    shown = etree.Element("SupplierErrors")
    shown.append(xmlio.build("SupplierRef", sent.key))
    shown.extend(
        xmlio.build("ErrorMessage", each.message, type="Error") for each in sent.findings if not each.list_name
    )
    for each in sent.findings:
        if each.list_name == "CustomElementList":
            content = {"CustomElementIdentifier": each.key, "ErrorMessage": each.message}
            shown.append(xmlio.build("CustomElementErrors", content))
        elif each.list_name:
            name, ref = _ERRORS[each.list_name]
            shown.append(xmlio.build(name, {ref: {"ERPNumber": each.key}, "ErrorMessage": each.message}))
    return shown


def encode(row: Supplier) -> etree._Element:
    """Return a supplier as a ``Supplier`` element of JAGGAER's own making."""
    content: Part = {element: row.profile[name] for element, name in SHARED.items() if name in row.profile}
    content |= row.texts | {"SQIntegrationNumber": row.sq_id}
    content["Active"] = "Yes" if row.profile.get("status") == ACTIVE else "No"
    if row.vendor_numbers:
        numbers = [{"@businessUnitInternalName": unit, "#text": n} for unit, n in row.vendor_numbers.items()]
        content["BusinessUnitVendorNumberList"] = {"BusinessUnitVendorNumber": numbers}
    if currency := row.profile.get("currency"):
        content["SupportedCurrencyList"] = {"IsoCurrencyCode": currency}
    content |= {name: {PARTS[name]: list(parts.values())} for name, parts in row.parts.items() if parts}
    shown = xmlio.build("Supplier", in_order("Supplier", content))
    shown.set("isChanged", "T")
    return shown


def _find(books: Books, element: etree._Element) -> Supplier | None:
    for name in ("ERPNumber", "OldERPNumber"):
        if found := books.suppliers.by_number(xmlio.text(element, name)):
            return found
    sq_id, third = xmlio.text(element, "SQIntegrationNumber"), xmlio.text(element, "ThirdPartyRefNumber")
    for row in books.suppliers:
        if (sq_id and row.sq_id == sq_id) or (third and row.texts.get("ThirdPartyRefNumber") == third):
            return row
    return None


def _check(books: Books, sent: Sent) -> Iterator[Finding]:
    element, known = sent.element, _find(books, sent.element)
    if not sent.key:
        yield Finding("One of ERPNumber, SQIntegrationNumber, ThirdPartyRefNumber is required")
    if known is None and "SQIntegrationNumber" in sent.key:
        yield Finding(f"Supplier not found: SQIntegrationNumber {sent.key['SQIntegrationNumber']}")
    if known is None and not xmlio.text(element, "Name"):
        yield Finding("Name is required")
    if xmlio.text(element, "Active") not in ("", "Yes", "No"):
        yield Finding("Active must be Yes or No")
    yield from _check_parts(books, element, known)


def _check_parts(books: Books, element: etree._Element, known: Supplier | None) -> Iterator[Finding]:
    addresses = {_key(each) for each in element.iterfind("AddressList/Address")}
    addresses |= set(known.parts.get("AddressList", {})) if known else set()
    for list_name, name in PARTS.items():
        for part in element.iterfind(f"{list_name}/{name}"):
            if not _key(part):
                yield Finding("One of ERPNumber, SQIntegrationNumber, ThirdPartyRefNumber is required", list_name)
            code = xmlio.text(part, "IsoCountryCode") or xmlio.text(part, "CountryCode")
            if code and not (len(code) == _COUNTRY_LENGTH and code.isalpha() and code.isupper()):
                yield Finding(f"Unknown country {code}", list_name, _key(part))
            terms = xmlio.text(part, "TermsAndCondition/PaymentTerms/StandardPaymentTermsCode")
            if terms and terms not in TERMS:
                yield Finding(f"Unknown StandardPaymentTermsCode {terms}", list_name, _key(part))
            reference = part.find("AssociatedAddress/AddressRef")
            if reference is not None and _key(reference) not in addresses:
                yield Finding(f"Unknown address {_key(reference)}", list_name, _key(part))
    for custom in element.iter("CustomElementIdentifier"):
        identifier = (custom.text or "").strip()
        if identifier not in books.options.tsm_custom_elements:
            yield Finding("No such custom element", "CustomElementList", identifier)


def _store(books: Books, sent: Sent) -> None:
    now, element = books.clock.now(), sent.element
    row = _find(books, element)
    sent.done = "created" if row is None else "updated"
    profile = {SHARED[str(c.tag)]: (c.text or "").strip() for c in element if c.tag in SHARED}
    if "extCode" in profile and (row is None or row.profile.get("extUniqueCode") == row.profile.get("extCode")):
        profile["extUniqueCode"] = profile["extCode"]
    if active := xmlio.text(element, "Active"):
        profile["status"] = ACTIVE if active == "Yes" else INACTIVE
    if currency := xmlio.text(element, "SupportedCurrencyList/IsoCurrencyCode"):
        profile["currency"] = currency
    if row is None:
        row = books.suppliers.create({}, now, by="router")
    books.suppliers.change(row, now, by="router", profile=profile)
    _store_tsm(row, element)


def _store_tsm(row: Supplier, element: etree._Element) -> None:
    """Store what only TSM has: plain texts, vendor numbers by business unit, and the lists."""
    for child in element:
        name = str(child.tag)
        if name in PARTS:
            for part in child:
                sent = xmlio.record(part)
                row.part(name, _key(part)).update(sent)
                row.parts[name][_key(part)] = _without_empty(row.part(name, _key(part)))
        elif name == "BusinessUnitVendorNumberList":
            row.vendor_numbers |= {str(e.get("businessUnitInternalName")): (e.text or "").strip() for e in child}
        elif name not in SHARED and name not in _ELSEWHERE:
            row.texts[name] = xmlio.record(child) if len(child) else (child.text or "").strip()
    row.texts = _without_empty(row.texts)


def _keys(element: etree._Element) -> dict[str, str]:
    return {name: found for name in _KEYS if (found := xmlio.text(element, name))}


def _key(part: etree._Element) -> str:
    return next(iter(_keys(part).values()), "")


def _without_empty(part: Part) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value != ""}
