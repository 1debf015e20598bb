"""The canonical supplier, and which side decides which of its fields."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from airflow_provider_mlconnector.documents.model import Document, Key, Text


class Address(Document):
    """A postal address; ``country`` is ISO 3166 alpha-2 where the source tells it."""

    lines: tuple[Text, ...] = ()
    city: Text = ""
    region: Text = ""
    postal_code: Text = ""
    country: Text = ""


class Contact(Document):
    """How people reach the supplier."""

    name: Text = ""
    email: Text = ""
    phone: Text = ""
    fax: Text | None = None
    """None where the system does not show it (SYSPRO)."""


class RemitTo(Document):
    """Where payments are addressed."""

    name: Text = ""
    address: Address = Address()


class BankAccount(Document):
    """Where payments go. Never written by us into the ERP (FINANCE §7)."""

    holder: Text = ""
    account: Text = ""
    branch: Text = ""
    country: Text = ""


class Supplier(Document):
    """A supplier as one system knows it. None means that this system does not tell; empty text that it is empty there.

    ``number`` is the ERP's key, empty while none has been allotted; codes (terms, currency) are the source's own.
    """

    source_key: Key
    revision: Key
    number: Text = ""
    name: Key
    active: bool = True
    on_hold: bool | None = None
    currency: Text | None = None
    terms: Text | None = None
    tax_id: Text | None = None
    address: Address | None = None
    contact: Contact | None = None
    remit_to: RemitTo | None = None
    bank: BankAccount | None = None


class NewSupplier(Document):
    """What the ERP needs of a supplier it does not know yet and the source does not tell, in the ERP's own codes."""

    branch: Text = ""
    bank: Text = ""
    """The bank we pay from, not the supplier's."""
    terms: Text = ""
    currency: Text = ""
    supplier_class: Text = ""
    grn_match_required: bool = False
    """SYSPRO's own default is yes, under which invoices without a receipt fail (FINANCE §7)."""


class CodedSupplier(Document):
    """A supplier with the target's codes. None: the source does not tell; empty: it tells that there is none."""

    supplier: Supplier
    currency: Text | None = None
    terms: Text | None = None
    new: NewSupplier = NewSupplier()
    mapping_version: int


class FieldGroup(StrEnum):
    """Fields that are decided together."""

    NAME = "name"
    ADDRESS = "address"
    CONTACT = "contact"
    TERMS = "terms"
    CURRENCY = "currency"
    TAX_ID = "tax_id"
    HOLD = "hold"
    REMIT_TO = "remit_to"
    BANK = "bank"


class Owner(StrEnum):
    """The side that decides."""

    ERP = "erp"
    JAGGAER = "jaggaer"


OWNERS: Final[Mapping[FieldGroup, Owner]] = {
    FieldGroup.NAME: Owner.JAGGAER,
    FieldGroup.ADDRESS: Owner.JAGGAER,
    FieldGroup.CONTACT: Owner.JAGGAER,
    FieldGroup.TERMS: Owner.ERP,
    FieldGroup.CURRENCY: Owner.ERP,
    FieldGroup.TAX_ID: Owner.ERP,
    FieldGroup.HOLD: Owner.ERP,
    FieldGroup.REMIT_TO: Owner.ERP,
    FieldGroup.BANK: Owner.ERP,
}
"""Who decides unless the route says otherwise; remit-to and bank are the ERP's in any case (FINANCE §7)."""


def owners(chosen: Mapping[str, str]) -> dict[FieldGroup, Owner]:
    """Return the owner of every group.

    Args:
        chosen: Departures from :data:`OWNERS` by group name.

    Raises:
        ValueError: Unknown group or owner, or an attempt to give remit-to or bank to JAGGAER.
    """
    result = dict(OWNERS)
    for name, owner in chosen.items():
        group = FieldGroup(name)
        if group in {FieldGroup.REMIT_TO, FieldGroup.BANK} and Owner(owner) is not Owner.ERP:
            msg = f"{name} is the ERP's: a change of payment data from outside is never applied by itself"
            raise ValueError(msg)
        result[group] = Owner(owner)
    return result
