"""A supplier of the ERP as fields of a JAGGAER company profile, and what of it differs (reference/jaggaer.md §2.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from airflow_provider_mlconnector.documents.matching import Candidate, code_key, name_key
from airflow_provider_mlconnector.documents.supplier import CodedSupplier, Contact, FieldGroup, Supplier
from airflow_provider_mlconnector.systems.jaggaer.contract import JaggaerContract
from airflow_provider_mlconnector.systems.jaggaer.fields import at
from airflow_provider_mlconnector.systems.jaggaer.rows import among, scalar

Profile = Mapping[str, str]
"""Texts of ``returnCompanyInfo`` by field; an absent field is empty."""
INFO: Final = "returnCompanyInfo"
NAME: Final = "companyName"
STATUS: Final = "status"
KEPT: Final = (
    "companyName",
    "extCode",
    "extUniqueCode",
    "dAndBCode",
    "type",
    "status",
    "bizEmail",
    "bizPhone",
    "bizFax",
    "webSite",
    "address",
    "zip",
    "city",
    "province",
    "isoCountry",
    "fiscalCode",
    "euVat",
    "bizLegalStruct",
    "currency",
    "locale",
    "timezone",
)
"""Fields of the company itself. Whether JAGGAER keeps or clears what an update leaves out is not documented, so an
update repeats them all. Those of its super-user (``user…``) are never sent: they are a person's."""
READ: Final = (*KEPT, "userName", "userSurName", "userEmail", "userPhone", "userFax")
"""Fields that are compared. The super-user speaks for the company where its own contact fields are empty."""
_ISO_COUNTRY: Final = 2
_ADDRESS: Final = ("address", "city", "province", "zip")
_WRITTEN_ALIKE: Final = frozenset({"fiscalCode", "euVat", "bizPhone", "bizFax", "zip"})
"""Fields that people punctuate as they like."""


def profile_of(row: Mapping[str, object]) -> Profile:
    """Return the texts of one row of the company list."""
    info = at(row, INFO)
    return {name: text for name, value in info.items() if (text := scalar(value))} if isinstance(info, Mapping) else {}


def number_of(profile: Profile, contract: JaggaerContract) -> str:
    """Return the ERP number a profile carries, empty when none."""
    return _first(profile, contract.suppliers.number)


def candidate(key: str, profile: Profile, contract: JaggaerContract) -> Candidate:
    """Return what a profile is recognized by at first contact."""
    return Candidate(
        key=key,
        number=number_of(profile, contract),
        name=profile.get(NAME, ""),
        postal_code=profile.get("zip", ""),
        tax_id=_first(profile, contract.suppliers.tax_id),
    )


def fields_by_group(
    coded: CodedSupplier, contract: JaggaerContract, current: Profile
) -> dict[FieldGroup, dict[str, str]]:
    """Return the fields a profile would have if the ERP decided everything; groups it does not tell are missing.

    Payment terms, remit-to and bank are no fields of a profile (reference/jaggaer.md §2.6 end).

    Args:
        coded: The supplier, currency in JAGGAER's code.
        contract: Names of fields and status words.
        current: The profile as it is, empty for a new company.
    """
    supplier = coded.supplier
    found: dict[FieldGroup, dict[str, str]] = {FieldGroup.NAME: {NAME: supplier.name}}
    if supplier.address is not None:
        place = supplier.address
        values = ("\n".join(filter(None, place.lines)), place.city, place.region, place.postal_code)
        found[FieldGroup.ADDRESS] = dict(zip(_ADDRESS, values, strict=True)) | {"isoCountry": iso(place.country)}
    if supplier.contact is not None:
        who = supplier.contact
        found[FieldGroup.CONTACT] = {"bizEmail": who.email, "bizPhone": who.phone}
        if who.fax is not None:
            found[FieldGroup.CONTACT]["bizFax"] = who.fax
    if coded.currency is not None:
        found[FieldGroup.CURRENCY] = {"currency": coded.currency}
    if supplier.tax_id is not None:
        filled = (name for name in contract.suppliers.tax_id if current.get(name))
        found[FieldGroup.TAX_ID] = {next(filled, contract.supplier_writes.tax_id): supplier.tax_id}
    found[FieldGroup.HOLD] = {STATUS: _status(supplier, contract, current)}
    return found


def iso(country: str) -> str:
    """Return a country's ISO 3166 alpha-2 code, empty for a country in words."""
    is_code = len(country) == _ISO_COUNTRY and country.isascii() and country.isalpha()
    return country.upper() if is_code else ""


def is_usable(supplier: Supplier) -> bool:
    """Tell whether the ERP lets documents of the supplier through."""
    return supplier.active and not supplier.on_hold


def differs(group: FieldGroup, fields: Mapping[str, str], current: Profile) -> bool:
    """Tell whether a group says something else than the profile; an address is one text, however it is cut."""
    if group is FieldGroup.ADDRESS:
        here, there = fields.get("isoCountry", ""), current.get("isoCountry", "")
        if here and there and here.casefold() != there.casefold():
            return True
        return _joined(fields) != _joined(current)
    return bool(changed(fields, current))


def contact_differs(contact: Contact, current: Profile) -> bool:
    """Tell whether people reach the supplier otherwise, as far as both sides say so."""
    person = " ".join(filter(None, (current.get("userName"), current.get("userSurName"))))
    shown = {name: current.get(f"biz{name}") or current.get(f"user{name}", "") for name in ("Email", "Phone", "Fax")}
    told = {"bizEmail": contact.email, "bizPhone": contact.phone}
    if contact.fax is not None:
        told["bizFax"] = contact.fax
    return name_key(contact.name) != name_key(person) or bool(
        changed(told, {f"biz{name}": text for name, text in shown.items()})
    )


def changed(fields: Mapping[str, str], current: Profile) -> list[str]:
    """Return the names of fields that would not say the same, however they are punctuated."""
    return [name for name, text in fields.items() if not _same(name, text, current.get(name, ""))]


def in_words(fields: Mapping[str, str]) -> str:
    """Return the values of a group for people."""
    return ", ".join(text for text in fields.values() if text)


def _status(supplier: Supplier, contract: JaggaerContract, current: Profile) -> str:
    """Return the status word; the profile's own where it means the same already."""
    words = contract.suppliers.active if is_usable(supplier) else contract.suppliers.inactive
    own = current.get(STATUS, "")
    return own if among(own, words) else words[0]


def _first(profile: Profile, names: Iterable[str]) -> str:
    return next((profile[name] for name in names if profile.get(name)), "")


def _joined(fields: Mapping[str, str]) -> str:
    return name_key("".join(fields.get(name, "") for name in _ADDRESS))


def _same(name: str, one: str, other: str) -> bool:
    if name in _WRITTEN_ALIKE:
        return code_key(one) == code_key(other)
    if name == "bizEmail":
        return one.strip().casefold() == other.strip().casefold()
    return " ".join(one.split()) == " ".join(other.split())
