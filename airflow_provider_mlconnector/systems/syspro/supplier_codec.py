"""A supplier between SYSPRO's columns and the canonical model, both ways (reference/syspro.md §2.4, §4).

Columns of ApSupplier and ApSupplierAddr have the names of APSSSP's elements. Fax and further elements have no known
column: they are never compared, and not written over.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

from airflow_provider_mlconnector.documents.supplier import Address, BankAccount, Contact, RemitTo, Supplier
from airflow_provider_mlconnector.errors import Rejected
from airflow_provider_mlconnector.systems import xml

KEY = "Supplier"
WITHDRAWN = "withdrawn"
COLUMNS = (
    KEY,
    "SupplierName",
    "SupShortName",
    "Telephone",
    "Contact",
    "Email",
    "Currency",
    "TermsCode",
    "OnHold",
    "TaxRegnNum",
    "BankBranch",
    "BankAccount",
)
"""What is read of ApSupplier: no balance, date or row version, which change without the supplier having changed."""
LINES = ("SupAddr1", "SupAddr2", "SupAddr3", "SupAddr4", "SupAddr5")
REMIT_LINES = ("RemitAddr1", "RemitAddr2", "RemitAddr3", "RemitAddr4", "RemitAddr5")
POSTAL_CODE, REMIT_POSTAL_CODE = "SupPostalCode", "RemitPostalCode"
ADDRESS_COLUMNS = (KEY, *LINES, POSTAL_CODE, "RemitName", *REMIT_LINES, REMIT_POSTAL_CODE)
SIZES = {
    KEY: 15,
    "SupplierName": 50,
    "SupShortName": 20,
    "Telephone": 20,
    "Fax": 20,
    "Contact": 50,
    "Email": 255,
    "TermsCode": 2,
    "Currency": 3,
    "TaxRegnNum": 30,
    POSTAL_CODE: 10,
    **dict.fromkeys(LINES, 40),
}
"""Characters (§4); TaxRegnNum has 20 in older schemas."""
_EXACT = frozenset({"SupplierName", "Email", "TaxRegnNum"})
"""Characters SYSPRO cannot hold are refused here, and replaced in free text."""
_SHORTENED = frozenset({"SupplierName", "Contact", *LINES})
"""What the option ``shorten_names`` may cut: half an e-mail address or telephone number is a wrong one."""
_CAPTIONS = {
    "SupplierName": "name",
    "Telephone": "telephone",
    "Fax": "fax",
    "Email": "e-mail address",
    "Contact": "contact",
    "TaxRegnNum": "tax id",
    POSTAL_CODE: "postal code",
    **dict.fromkeys(LINES, "address"),
}

Layout = tuple[str, ...]
"""What the five address lines hold: ``SysproOptions.address_lines``."""


def decode(record: Mapping[str, object], layout: Layout) -> Supplier:
    """Turn a record, as :class:`~.suppliers.SysproSupplierSource` lists it, into the canonical supplier.

    Raises:
        Rejected: It has no name.
    """
    row = {name: str(value) for name, value in record.items()}
    key, name = row[KEY], row.get("SupplierName", "")
    if not name.strip():
        msg = f"supplier {key} has no name in SYSPRO"
        raise Rejected(msg, code="name_missing", field="name")
    addressed = POSTAL_CODE in row
    return Supplier(
        source_key=key,
        revision=key,  # SYSPRO tells no changes: the store numbers revisions
        number=key,
        name=name,
        active=not record.get(WITHDRAWN),
        on_hold=row["OnHold"].upper() == "Y",
        currency=row["Currency"],
        terms=row["TermsCode"],
        tax_id=row["TaxRegnNum"],
        address=read_address(row, layout) if addressed else None,
        contact=Contact(name=row["Contact"], email=row["Email"], phone=row["Telephone"]),
        remit_to=read_remit_to(row, layout) if addressed else None,
        bank=BankAccount(account=row["BankAccount"], branch=row["BankBranch"]),
    )


def read_address(row: Mapping[str, str], layout: Layout) -> Address:
    """Return the address of business of a row of ApSupplierAddr."""
    return _address(row, LINES, POSTAL_CODE, layout)


def read_remit_to(row: Mapping[str, str], layout: Layout) -> RemitTo:
    """Return the remit-to of a row of ApSupplierAddr."""
    return RemitTo(name=row["RemitName"], address=_address(row, REMIT_LINES, REMIT_POSTAL_CODE, layout))


def _address(row: Mapping[str, str], columns: Iterable[str], postal_code: str, layout: Layout) -> Address:
    held = [(part, row[column].strip()) for part, column in zip(layout, columns, strict=True)]
    single = {part: text for part, text in held if part != "line"}
    lines = tuple(text for part, text in held if part == "line" and text)
    return Address(lines=lines, postal_code=row[postal_code], **single)


class Writer:
    """Writes canonical values as APSSSP's elements, checking that SYSPRO can hold them.

    Args:
        shorten: Cut what is too long and may be cut, instead of rejecting it.
        layout: What the five address lines hold.

    Attributes:
        notes: What was shortened or replaced, for the audit.
    """

    def __init__(self, *, shorten: bool, layout: Layout) -> None:
        self._shorten = shorten
        self._layout = layout
        self.notes: list[str] = []

    def text(self, element: str, value: str) -> str:
        """Return a value as it would stand in SYSPRO.

        Raises:
            Rejected: ``name_too_long``, ``too_long`` or ``characters``.
        """
        caption = _CAPTIONS.get(element, element)
        bad = xml.offending(value)
        if bad and element in _EXACT:
            msg = f"{caption} {value!r} has characters SYSPRO cannot hold: {bad!r}"
            raise Rejected(msg, code="characters", field=caption)
        if bad:
            self.notes.append(f"{caption}: characters SYSPRO cannot hold were replaced ({bad!r})")
        return self._fitting(element, caption, " ".join(xml.reduce_text(value).split()))

    def contact(self, contact: Contact) -> dict[str, str]:
        """Return the elements of a contact that SYSPRO shows again (not the fax)."""
        values = {"Telephone": contact.phone, "Contact": contact.name, "Email": contact.email}
        return {element: self.text(element, value) for element, value in values.items()}

    def address(self, address: Address) -> dict[str, str]:
        """Return all elements of an address; the layout's missing parts are not carried.

        Raises:
            Rejected: ``too_long``, also when the street takes more lines than there are.
        """
        columns = [column for column, part in zip(LINES, self._layout, strict=True) if part == "line"]
        street = self._broken(address.lines, len(columns))
        elements = dict(zip(columns, [*street, *[""] * (len(columns) - len(street))], strict=True))
        for column, part in zip(LINES, self._layout, strict=True):
            if part != "line":
                elements[column] = self.text(column, getattr(address, part))
        ordered = {column: elements[column] for column in LINES}
        return ordered | {POSTAL_CODE: self.text(POSTAL_CODE, address.postal_code)}

    def _broken(self, lines: Iterable[str], count: int) -> list[str]:
        """Return the lines of a street, broken anew where they are too long or too many."""
        given = [" ".join(line.split()) for line in lines if line.strip()]
        size = SIZES[LINES[0]]
        if len(given) > count or any(len(line) > size for line in given):
            given = textwrap.wrap(", ".join(given), size, break_long_words=False, break_on_hyphens=False)
        if len(given) > count:
            given = [*given[: count - 1], " ".join(given[count - 1 :])]
        return [self.text(LINES[0], line) for line in given]

    def _fitting(self, element: str, caption: str, value: str) -> str:
        size = SIZES[element]
        if len(value) <= size:
            return value
        if self._shorten and element in _SHORTENED:
            cut = value[:size].strip()
            self.notes.append(f"{caption} shortened from {value!r} to {cut!r}")
            return cut
        code = "name_too_long" if element == "SupplierName" else "too_long"
        msg = f"{caption} {value!r} has {len(value)} characters, SYSPRO takes {size}"
        raise Rejected(msg, code=code, field=caption)


def short_name(name: str) -> str:
    """Return the short name SYSPRO lists a supplier under: the beginning of its name."""
    return name[: SIZES["SupShortName"]].strip()
