"""Supplier messages into JAGGAER: what companyprofiles cannot hold (reference/jaggaer.md §2.6 end, §3.4).

A message is absolute: repeating it changes nothing. It cannot be read back, so the digest of the last one written is
kept with the step's result. The DTD enforces the order of children; what the supplier's source does not tell is left
out, and what it no longer has is sent as inactive, because messages delete nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from airflow_provider_mlconnector.documents.supplier import Address, BankAccount, CodedSupplier, RemitTo
from airflow_provider_mlconnector.systems import xml
from airflow_provider_mlconnector.systems.jaggaer.contract import TsmContract
from airflow_provider_mlconnector.systems.jaggaer.message_parts import clean, leaf
from airflow_provider_mlconnector.systems.jaggaer.profiles import is_usable, iso
from airflow_provider_mlconnector.systems.jaggaer.router import Message

ROOT: Final = "SupplierSyncMessage"
PARTS: Final = ("remit_to", "terms", "bank")
"""Parts of a supplier that have an entry of their own in the message."""
_LINES: Final = 3
_ACCOUNT_ORDER: Final = ("AccountId", "AccountHolderName", "AccountType", "CountryCode", "BankAccount", "FlexFields")
Content = Mapping[str, Any]


def content_of(coded: CodedSupplier, *, number: str, name: str, unit: str) -> Content:
    """Return what a message will say of a supplier, as JSON-able data; parts its source does not tell are missing.

    Args:
        coded: The supplier, terms in JAGGAER's codes.
        number: Its ERP number, the key of the message.
        name: What to call it, empty to say nothing.
        unit: Internal name of the business unit that knows it under this number, empty for none.
    """
    supplier = coded.supplier
    said: dict[str, Any] = {"number": number, "active": is_usable(supplier)}
    said |= {key: text for key, text in (("name", name), ("unit", unit)) if text}
    if supplier.remit_to is not None:
        said["remit_to"] = _remit_to(supplier.remit_to)
    if coded.terms is not None:
        said["terms"] = coded.terms
    if supplier.bank is not None:
        said["bank"] = _bank(supplier.bank)
    return said


def digest_of(content: Content) -> str:
    """Return what tells two contents apart, for comparing with what was written last."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def parts_of(content: Content) -> list[str]:
    """Return the parts that have an entry in JAGGAER once the content is written."""
    return [part for part in PARTS if content.get(part)]


def message(content: Content, contract: TsmContract, *, gone: Sequence[str], message_id: str) -> Message:
    """Build the message of one supplier.

    Args:
        content: From :func:`content_of`.
        contract: Keys and places that differ between tenants.
        gone: Parts written earlier that are empty now: their entries become inactive.
        message_id: The same for every repetition of this revision.
    """
    number = content["number"]
    supplier = xml.element(
        "Supplier",
        xml.element("ERPNumber", number),
        leaf("Name", content.get("name", "")),
        xml.element("Active", "Yes" if content["active"] else "No"),
        _units(content),
        _listed("AddressList", _address(content, contract, inactive="remit_to" in gone)),
        _listed("LocationList", _location(content, contract, inactive="terms" in gone)),
        _listed("AccountsPayableList", _account(content, contract, inactive="bank" in gone)),
    )
    return Message(
        root=ROOT,
        version="1.0",
        message_id=message_id,
        body=xml.element("SupplierRequestMessage", supplier),
        path=contract.path,
        name=f"supplier message {number}",
    )


def _remit_to(remit_to: RemitTo) -> dict[str, Any]:
    address = remit_to.address
    if not remit_to.name and address == Address():
        return {}
    country = iso(address.country)
    lines = [line for line in address.lines if line]
    if address.country and not country:
        lines.append(address.country)  # a country in words has no element of its own
    if len(lines) > _LINES:
        # an address may have more lines than the message: the last ones share the last
        lines = [*lines[: _LINES - 1], ", ".join(lines[_LINES - 1 :])]
    return {
        "name": remit_to.name,
        "lines": lines,
        "city": address.city,
        "region": address.region,
        "postal_code": address.postal_code,
        "country": country,
    }


def _bank(bank: BankAccount) -> dict[str, str]:
    if not bank.account:
        return {}
    return {
        "holder": bank.holder,
        "account": bank.account,
        "branch": bank.branch,
        "country": iso(bank.country),
    }


def _units(content: Content) -> xml.Element | None:
    if not content.get("unit"):
        return None
    number = xml.element("BusinessUnitVendorNumber", content["number"])
    number.set("businessUnitInternalName", content["unit"])
    return xml.element("BusinessUnitVendorNumberList", number)


def _address(content: Content, contract: TsmContract, *, inactive: bool) -> xml.Element | None:
    said = content.get("remit_to") or {}
    if not said and not inactive:
        return None
    lines = [(f"AddressLine{place}", line) for place, line in enumerate(said.get("lines", ()), start=1)]
    tail = (("City", "city"), ("State", "region"), ("PostalCode", "postal_code"), ("IsoCountryCode", "country"))
    address = xml.element(
        "Address",
        _key(contract.address_key, content),
        leaf("Name", said.get("name", "")),
        _flag(said),
        *(leaf(tag, text) for tag, text in lines),
        *(leaf(tag, said.get(part, "")) for tag, part in tail),
    )
    address.set("type", contract.address_type)
    return address


def _location(content: Content, contract: TsmContract, *, inactive: bool) -> xml.Element | None:
    code = content.get("terms") or ""
    if not code and not inactive:
        return None
    terms = xml.element("PaymentTerms", _flag(code), leaf("StandardPaymentTermsCode", code))
    return xml.element(
        "Location",
        _key(contract.location_key, content),
        xml.element("Active", "true"),
        xml.element("TermsAndCondition", terms),
    )


def _account(content: Content, contract: TsmContract, *, inactive: bool) -> xml.Element | None:
    said = content.get("bank") or {}
    if not said and not inactive:
        return None
    places = (
        (contract.bank_branch, "branch"),
        (contract.bank_account, "account"),
        ("AccountHolderName", "holder"),
        ("CountryCode", "country"),
    )
    account = xml.element(
        "AccountsPayable",
        _key(contract.account_key, content),
        _flag(said),
        *_placed([(place, said[part]) for place, part in places if place and said.get(part)]),
    )
    if contract.account_type:
        account.set("type", contract.account_type)
    return account


def _placed(texts: Sequence[tuple[str, str]]) -> list[xml.Element]:
    """Build elements at paths (``BankAccount/AccountNumber``), the outer ones in the DTD's order."""
    account = xml.element("AccountsPayable")
    for path, text in texts:
        *outer, last = path.split("/")
        place = account
        for tag in outer:
            place = _inside(place, tag)
        _inside(place, last).text = clean(text)
    order = {name: place for place, name in enumerate(_ACCOUNT_ORDER)}
    return sorted(account, key=lambda built: order.get(str(built.tag), len(order)))


def _inside(place: xml.Element, tag: str) -> xml.Element:
    """Return a child, made if it is missing."""
    found = place.find(tag)
    if found is None:
        found = xml.element(tag)
        place.append(found)
    return found


def _key(template: str, content: Content) -> xml.Element:
    return xml.element("ERPNumber", template.replace("{number}", content["number"]))


def _flag(said: object) -> xml.Element:
    return xml.element("Active", "true" if said else "false")


def _listed(tag: str, item: xml.Element | None) -> xml.Element | None:
    return None if item is None else xml.element(tag, item)
